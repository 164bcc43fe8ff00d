//! What messages 5 and 6 of main mode say: who a side is, and the proof of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use vpn_core::SecretBytes;
use vpn_core::crypto::Digest;
use vpn_core::crypto::IkeHash;
use vpn_core::crypto::PeerCertificate;

use super::auth::ProofError;
use super::auth::SignatureProof;
use super::auth::sign;
use super::cipher::Iv;
use super::cipher::MessageCipher;
use super::fault::Fault;
use super::hash::hash_i;
use super::hash::hash_r;
use super::keys::SkeyId;
use super::negotiation::Context;
use super::negotiation::Negotiation;
use super::payloads::Payloads;
use super::secured::Secured;
use super::subject::subject;
use crate::AuthMethod;
use crate::CertEncoding;
use crate::CertificateFault;
use crate::CloseReason;
use crate::MessageBuilder;
use crate::NotifyType;
use crate::PayloadType;
use crate::ProtocolId;
use crate::config::Policy;
use crate::config::RemoteIdentity;
use crate::event::Role;
use crate::identity::Identity;
use crate::payload::Certificate;
use crate::payload::CertificateRequest;
use crate::payload::Identification;
use crate::payload::Notification;

impl Negotiation {
    /// Derives the keys, with the pre-shared key or with signatures.
    pub(crate) fn derive(
        &mut self,
        prf: &'static dyn IkeHash,
        context: &Context<'_>,
        psk: Option<&SecretBytes>,
    ) -> Result<(), Fault> {
        let exchanged = self.exchanged(prf);
        let keys = match psk {
            Some(psk) => SkeyId::derive_psk(&exchanged, psk.expose()),
            None => SkeyId::derive_signature(&exchanged),
        };
        let cipher = self.agreed()?.proposal.cipher;
        let crypto = context.tools.provider.ike.cipher(cipher);
        let crypto = crypto.ok_or(Fault::Fail(CloseReason::Internal("the cipher"), None))?;
        let phase_1_iv = Iv::phase_1(prf, cipher, exchanged.public_values);
        let cipher = MessageCipher::new(crypto, prf, &keys);
        let cookies = self.cookies;
        self.secured = Some(Secured { cookies, prf, keys, cipher, phase_1_iv });
        Ok(())
    }

    pub(crate) fn secured(&mut self) -> Result<&mut Secured, Fault> {
        let out_of_order = Fault::Fail(CloseReason::Internal("the order of messages"), None);
        self.secured.as_mut().ok_or(out_of_order)
    }

    /// HASH_I or HASH_R over the body of an Identification payload.
    pub(crate) fn proof(&self, of: Role, identification: &[u8]) -> Result<Digest, Fault> {
        let out_of_order = Fault::Fail(CloseReason::Internal("the order of messages"), None);
        let Secured { prf, keys, .. } = self.secured.as_ref().ok_or(out_of_order)?;
        let exchanged = self.exchanged(*prf);
        Ok(match of {
            Role::Initiator => hash_i(&exchanged, keys, identification),
            Role::Responder => hash_r(&exchanged, keys, identification),
        })
    }

    /// Who we say that we are.
    pub(crate) fn local_id(&self, context: &Context<'_>) -> Result<Identity, Fault> {
        if let Some(identity) = &context.policy.local_id {
            return Ok(identity.clone());
        }
        let certificate = match self.agreed()?.auth {
            AuthMethod::PRE_SHARED_KEY => None,
            _ => context.policy.signer.as_ref().and_then(|signer| signer.chain.first()),
        };
        let name = certificate.and_then(|certificate| subject(certificate));
        Ok(match name {
            Some(name) => Identity::DistinguishedName(name.to_vec()),
            None => Identity::from_address(context.path.local.ip()),
        })
    }

    /// Adds our identity and its proof, and what else message 5 or 6 has.
    pub(crate) fn write_proof(
        &self,
        context: &mut Context<'_>,
        role: Role,
        builder: &mut MessageBuilder<'_>,
    ) -> Result<Identity, Fault> {
        let identity = self.local_id(context)?;
        let mut identification = Vec::new();
        identity.encode(&mut identification);
        let hash = self.proof(role, &identification)?;
        builder.raw(PayloadType::IDENTIFICATION, &identification);
        if self.agreed()?.auth == AuthMethod::PRE_SHARED_KEY {
            builder.raw(PayloadType::HASH, hash.expose());
        } else {
            let signer = context.policy.signer.as_ref();
            let signer = signer.ok_or(Fault::Fail(CloseReason::NoCredentials, None))?;
            for certificate in &signer.chain {
                let encoding = CertEncoding::X509_SIGNATURE;
                let certificate = Certificate { encoding, data: certificate };
                builder.payload(PayloadType::CERTIFICATE, |out| certificate.encode(out));
            }
            let signature = sign(&*signer.key, &hash, &mut *context.tools.random)
                .map_err(|_| Fault::Fail(CloseReason::Internal("our private key"), None))?;
            builder.raw(PayloadType::SIGNATURE, &signature);
        }
        if self.initial_contact {
            let notification = Notification {
                protocol: ProtocolId::ISAKMP,
                notify_type: NotifyType::INITIAL_CONTACT,
                spi: &self.cookies.spi(),
                data: &[],
            };
            builder.payload(PayloadType::NOTIFICATION, |out| notification.encode(out));
        }
        Ok(identity)
    }

    /// Asks for the peer's certificate where it will need one (RFC 2408 §3.10).
    pub(crate) fn write_certificate_requests(
        &self,
        policy: &Policy,
        builder: &mut MessageBuilder<'_>,
    ) -> Result<(), Fault> {
        if self.agreed()?.auth == AuthMethod::PRE_SHARED_KEY {
            return Ok(());
        }
        let issuers = policy.trust.as_ref().map(|trust| trust.issuers()).unwrap_or_default();
        for authority in issuers.iter().take(4) {
            let encoding = CertEncoding::X509_SIGNATURE;
            let request = CertificateRequest { encoding, authority };
            builder.payload(PayloadType::CERTIFICATE_REQUEST, |out| request.encode(out));
        }
        Ok(())
    }

    /// Reads who the peer is and verifies its proof.
    ///
    /// With a pre-shared key a wrong proof is no more than a suspicion: the octets may be noise.
    pub(crate) fn verify_proof(
        &self,
        context: &Context<'_>,
        of: Role,
        payloads: &Payloads<'_>,
    ) -> Result<Identity, Fault> {
        let body = payloads.one(PayloadType::IDENTIFICATION, "it did not say who it is")?;
        let identification = Identification::decode(body)?;
        if !identification.is_of_phase_1() {
            return Err(Fault::malformed("its identity has a port that is not IKE's"));
        }
        let hash = self.proof(of, body)?;
        if self.agreed()?.auth == AuthMethod::PRE_SHARED_KEY {
            let proof = payloads.one(PayloadType::HASH, "it did not prove who it is")?;
            if !hash.ct_eq(proof) {
                let role = if of == Role::Initiator { Role::Responder } else { Role::Initiator };
                return Err(Fault::suspect(CloseReason::PskMismatch { role, tried: 1 }));
            }
        } else {
            let certificate = verify_signature(context, &identification, &hash, payloads)?;
            if of == Role::Responder {
                is_whom_we_called(context, &identification, &*certificate)?;
            }
        }
        let identity = Identity::from_payload(&identification);
        if !context.policy.remote_id.allows(&identity) {
            let refused = CloseReason::IdentityRejected(identity);
            return Err(Fault::Fail(refused, Some(NotifyType::INVALID_ID_INFORMATION)));
        }
        Ok(identity)
    }
}

/// Whoever has a certificate of the same authority could pass for the server. Where nobody said who
/// it must be, its certificate has to name the address that was called.
fn is_whom_we_called(
    context: &Context<'_>,
    identification: &Identification<'_>,
    certificate: &dyn PeerCertificate,
) -> Result<(), Fault> {
    let named = match context.path.remote.ip() {
        IpAddr::V4(address) => certificate.has_ip_address(&address.octets()),
        IpAddr::V6(address) => certificate.has_ip_address(&address.octets()),
    };
    if named || context.policy.remote_id != RemoteIdentity::Any {
        return Ok(());
    }
    let fault = CertificateFault::Stranger(Identity::from_payload(identification));
    let notify = Some(NotifyType::INVALID_ID_INFORMATION);
    Err(Fault::Fail(CloseReason::CertificateRejected(fault), notify))
}

/// With signatures the message can't be noise that happens to parse, but whoever runs the key
/// exchange can send it: a wrong certificate ends the attempt.
fn verify_signature(
    context: &Context<'_>,
    identification: &Identification<'_>,
    hash: &Digest,
    payloads: &Payloads<'_>,
) -> Result<Box<dyn PeerCertificate>, Fault> {
    let reject = |fault, notify| Fault::Fail(CloseReason::CertificateRejected(fault), Some(notify));
    let invalid = NotifyType::INVALID_CERTIFICATE;
    let identity = Identity::from_payload(identification);
    // RFC 4945 §3.1.1: who goes by an address has to come from there.
    if identity.address().is_some_and(|address| address != context.path.remote.ip()) {
        let fault = CertificateFault::OtherAddress(identity);
        return Err(reject(fault, NotifyType::INVALID_ID_INFORMATION));
    }
    let trust = context.policy.trust.as_ref();
    let trust = trust.ok_or_else(|| reject(CertificateFault::NoTrustAnchors, invalid))?;
    let time = context.tools.unix_time(context.now);
    let time = time.ok_or_else(|| reject(CertificateFault::NoTime, invalid))?;
    let certificates: Vec<&[u8]> = payloads
        .every(PayloadType::CERTIFICATE)
        .filter_map(|body| Certificate::decode(body).ok())
        .filter(|certificate| certificate.encoding == CertEncoding::X509_SIGNATURE)
        .map(|certificate| certificate.data)
        .collect();
    let proof = SignatureProof {
        certificates: &certificates,
        id_type: identification.id_type,
        id_data: identification.data,
        signature: payloads.one(PayloadType::SIGNATURE, "it sent no signature")?,
    };
    match proof.verify(&**trust, time, hash) {
        Ok(certificate) => Ok(certificate),
        Err(ProofError::NoCertificate) => {
            Err(reject(CertificateFault::Missing, NotifyType::CERTIFICATE_UNAVAILABLE))
        }
        Err(ProofError::Certificate(error)) => {
            Err(reject(CertificateFault::Invalid(error), invalid))
        }
        Err(ProofError::Identity) => {
            let fault = CertificateFault::WrongName(identity);
            Err(reject(fault, NotifyType::INVALID_ID_INFORMATION))
        }
        Err(_) => Err(reject(CertificateFault::BadSignature, NotifyType::INVALID_SIGNATURE)),
    }
}
