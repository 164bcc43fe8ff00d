use alloc::vec::Vec;

use pki_types::CertificateDer;
use rsa::Pkcs1v15Sign;
use rsa::RsaPublicKey;
use rsa::pkcs8::SubjectPublicKeyInfoRef;
use vpn_core::crypto::CertificateError;
use vpn_core::crypto::PeerCertificate;
use vpn_core::crypto::SignatureError;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::Encode;
use x509_cert::ext::pkix::KeyUsage;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::long_enough;

/// What a valid certificate says of a peer.
pub(super) struct Peer {
    key: RsaPublicKey,
    subject: Vec<u8>,
    names: Vec<GeneralName>,
}

impl Peer {
    /// From a certificate whose path was found valid.
    pub(super) fn new(der: &CertificateDer<'_>) -> Result<Self, CertificateError> {
        let key = public_key(der)?;
        let certificate = Certificate::from_der(der).map_err(|_| CertificateError::Malformed)?;
        let certificate = certificate.tbs_certificate();
        // RFC 4945 §5.1.3.2: one of the two bits, or no such extension.
        let usage = certificate.get_extension::<KeyUsage>();
        if let Some((_, usage)) = usage.map_err(|_| CertificateError::Malformed)?
            && !usage.digital_signature()
            && !usage.non_repudiation()
        {
            return Err(CertificateError::Purpose);
        }
        let names = certificate.get_extension::<SubjectAltName>();
        let names = names.map_err(|_| CertificateError::Malformed)?;
        Ok(Self {
            key,
            subject: certificate.subject().to_der().map_err(|_| CertificateError::Malformed)?,
            names: names.map(|(_, names)| names.0).unwrap_or_default(),
        })
    }
}

/// The public key of a certificate, if it is one that IKE may use.
pub(super) fn public_key(der: &CertificateDer<'_>) -> Result<RsaPublicKey, CertificateError> {
    let certificate = webpki::EndEntityCert::try_from(der);
    let info = certificate.map_err(|_| CertificateError::Malformed)?.subject_public_key_info();
    let info = SubjectPublicKeyInfoRef::from_der(&info).map_err(|_| CertificateError::Malformed)?;
    // `rsa` would also take a key that is restricted to PSS (RFC 4055 §1.2).
    if info.algorithm.oid != rsa::pkcs1::ALGORITHM_OID {
        return Err(CertificateError::Key);
    }
    let key = RsaPublicKey::try_from(info).map_err(|_| CertificateError::Key)?;
    if long_enough(&key) { Ok(key) } else { Err(CertificateError::Key) }
}

impl PeerCertificate for Peer {
    fn verify(&self, hash: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let verified = self.key.verify(Pkcs1v15Sign::new_unprefixed(), hash, signature);
        verified.map_err(|_| SignatureError::Invalid)
    }

    fn subject(&self) -> &[u8] {
        &self.subject
    }

    fn has_dns_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| {
            matches!(known, GeneralName::DnsName(known) if known.as_str().eq_ignore_ascii_case(name))
        })
    }

    fn has_mail_address(&self, address: &str) -> bool {
        self.names.iter().any(|known| {
            matches!(known, GeneralName::Rfc822Name(known)
                if known.as_str().eq_ignore_ascii_case(address))
        })
    }

    fn has_ip_address(&self, address: &[u8]) -> bool {
        self.names.iter().any(
            |known| matches!(known, GeneralName::IpAddress(known) if known.as_bytes() == address),
        )
    }
}
