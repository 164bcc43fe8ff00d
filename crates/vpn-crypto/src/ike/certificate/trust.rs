use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use pki_types::CertificateDer;
use pki_types::TrustAnchor;
use pki_types::UnixTime;
use thiserror::Error;
use vpn_core::crypto::CertificateError;
use vpn_core::crypto::PeerCertificate;
use vpn_core::crypto::TrustAnchors;
use webpki::EndEntityCert;
use webpki::ExtendedKeyUsageValidator;
use webpki::KeyPurposeId;
use webpki::KeyPurposeIdIter;
use webpki::RequiredEkuNotFoundContext;
use webpki::VerifiedPath;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::Encode;
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::ext::pkix::KeyUsage;

use super::algorithms::ALGORITHMS;
use super::peer::Peer;
use super::pem::certificates_from_pem;

/// The authorities that may vouch for peers, and the rules by which they do.
///
/// A peer's certificate is version 3, is no authority's, has an RSA key of 2048 bits or more, and a
/// path of certificates (RFC 5280 §6) leads from it to one of the authorities, each signed with RSA
/// (2048 bits or more) or ECDSA on P-256 or P-384, with SHA-256, SHA-384 or SHA-512 (RSA only). All
/// of them, the authority's included, are valid at the time. If it says what its key is for, that is
/// signing (RFC 4945 §5.1.3.2) and IKE (RFC 4945 §5.1.3.12; see
/// [`accept_any_purpose`](TrustStore::accept_any_purpose)). Revocation is not checked: no lists are
/// fetched, and those in Certificate payloads are not read.
pub struct TrustStore {
    anchors: Vec<Anchor>,
    any_purpose: bool,
}

struct Anchor {
    anchor: TrustAnchor<'static>,
    /// The distinguished name, DER encoded.
    name: Vec<u8>,
    not_before: UnixTime,
    not_after: UnixTime,
}

impl TrustStore {
    /// Trusts every certificate in `pem`. Each is an authority's.
    ///
    /// # Errors
    /// [`TrustStoreError`].
    pub fn from_pem(pem: &str) -> Result<Self, TrustStoreError> {
        let certificates = certificates_from_pem(pem).map_err(|_| TrustStoreError::Empty)?;
        Self::from_der(certificates.iter().map(Vec::as_slice))
    }

    /// Trusts every one of these DER encoded certificates. Each is an authority's.
    ///
    /// # Errors
    /// [`TrustStoreError`].
    pub fn from_der<'a>(
        certificates: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, TrustStoreError> {
        let anchors: Result<Vec<_>, _> = certificates.into_iter().map(Anchor::new).collect();
        let anchors = anchors?;
        if anchors.is_empty() {
            return Err(TrustStoreError::Empty);
        }
        Ok(Self { anchors, any_purpose: false })
    }

    /// Also accepts certificates whose extended key usage names neither IKE nor any use: RFC 4945
    /// §5.1.3.12 wants them refused, but many deployed ones were made for TLS.
    #[must_use]
    pub fn accept_any_purpose(mut self) -> Self {
        self.any_purpose = true;
        self
    }

    /// What the path's verification leaves open: the authority's own time, and that every
    /// certificate of an intermediate authority may be used to sign others (RFC 5280 §6.1.4).
    fn check_path(&self, path: &VerifiedPath<'_>, time: UnixTime) -> Result<(), webpki::Error> {
        let used = path.anchor();
        let anchor = self.anchors.iter().find(|known| {
            known.anchor.subject == used.subject
                && known.anchor.subject_public_key_info == used.subject_public_key_info
        });
        let Anchor { not_before, not_after, .. } = anchor.ok_or(webpki::Error::UnknownIssuer)?;
        if time < *not_before {
            return Err(webpki::Error::CertNotValidYet { time, not_before: *not_before });
        }
        if time > *not_after {
            return Err(webpki::Error::CertExpired { time, not_after: *not_after });
        }
        for intermediate in path.intermediate_certificates() {
            let der = intermediate.der();
            let certificate = Certificate::from_der(&der).map_err(|_| webpki::Error::BadDer)?;
            if !may_sign_certificates(&certificate).map_err(|_| webpki::Error::BadDer)? {
                return Err(webpki::Error::EndEntityUsedAsCa);
            }
        }
        Ok(())
    }
}

impl Anchor {
    fn new(der: &[u8]) -> Result<Self, TrustStoreError> {
        let malformed = |_| TrustStoreError::Malformed;
        let certificate = Certificate::from_der(der).map_err(malformed)?;
        let constraints = certificate.tbs_certificate().get_extension::<BasicConstraints>();
        let authority = constraints.map_err(malformed)?.is_some_and(|(_, found)| found.ca);
        if !authority || !may_sign_certificates(&certificate).map_err(malformed)? {
            return Err(TrustStoreError::NoAuthority);
        }
        let der = CertificateDer::from(der);
        let anchor = webpki::anchor_from_trusted_cert(&der);
        let certificate = certificate.tbs_certificate();
        let validity = certificate.validity();
        Ok(Self {
            anchor: anchor.map_err(|_| TrustStoreError::Malformed)?.to_owned(),
            name: certificate.subject().to_der().map_err(malformed)?,
            not_before: UnixTime::since_unix_epoch(validity.not_before.to_unix_duration()),
            not_after: UnixTime::since_unix_epoch(validity.not_after.to_unix_duration()),
        })
    }
}

/// RFC 5280 §4.2.1.3: keyCertSign, or no such extension.
fn may_sign_certificates(certificate: &Certificate) -> Result<bool, x509_cert::der::Error> {
    let usage = certificate.tbs_certificate().get_extension::<KeyUsage>()?;
    Ok(usage.is_none_or(|(_, usage)| usage.key_cert_sign()))
}

impl TrustAnchors for TrustStore {
    fn issuers(&self) -> Vec<Vec<u8>> {
        self.anchors.iter().map(|anchor| anchor.name.clone()).collect()
    }

    fn verify(
        &self,
        chain: &[&[u8]],
        unix_seconds: u64,
    ) -> Result<Box<dyn PeerCertificate>, CertificateError> {
        let (first, rest) = chain.split_first().ok_or(CertificateError::Malformed)?;
        let der = CertificateDer::from(*first);
        let rest: Vec<_> = rest.iter().map(|der| CertificateDer::from(*der)).collect();
        let anchors: Vec<_> = self.anchors.iter().map(|known| known.anchor.clone()).collect();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(unix_seconds));
        let certificate = EndEntityCert::try_from(&der).map_err(|error| reason(&error))?;
        let verified = certificate.verify_for_usage(
            ALGORITHMS,
            &anchors,
            &rest,
            time,
            Purpose { any: self.any_purpose },
            None,
            Some(&|path| self.check_path(path, time)),
        );
        verified.map_err(|error| reason(&error))?;
        Ok(Box::new(Peer::new(&der)?))
    }
}

impl fmt::Debug for TrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustStore({} authorities)", self.anchors.len())
    }
}

/// The rule of RFC 4945 §5.1.3.12: IKE, any use, or no such extension.
struct Purpose {
    any: bool,
}

/// id-kp-ipsecIKE, 1.3.6.1.5.5.7.3.17.
const ID_KP_IPSEC_IKE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x11];
/// anyExtendedKeyUsage, 2.5.29.37.0.
const ANY_EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let allowed = [ID_KP_IPSEC_IKE, ANY_EXTENDED_KEY_USAGE].map(KeyPurposeId::new);
        let mut present = Vec::new();
        let mut fits = self.any;
        for purpose in purposes {
            let purpose = purpose?;
            fits |= allowed.contains(&purpose);
            present.push(purpose.to_decoded_oid());
        }
        if fits || present.is_empty() {
            return Ok(());
        }
        let required = webpki::KeyUsage::required_if_present(ID_KP_IPSEC_IKE);
        let context = RequiredEkuNotFoundContext { required, present };
        Err(webpki::Error::RequiredEkuNotFoundContext(context))
    }
}

fn reason(error: &webpki::Error) -> CertificateError {
    use webpki::Error;
    match error {
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } | Error::InvalidCertValidity => {
            CertificateError::NotValidNow
        }
        // A name that fits and a signature that does not: someone else's authority.
        Error::UnknownIssuer
        | Error::InvalidSignatureForPublicKey
        | Error::MaximumNameConstraintComparisonsExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded => CertificateError::UnknownIssuer,
        Error::CaUsedAsEndEntity
        | Error::EndEntityUsedAsCa
        | Error::NameConstraintViolation
        | Error::PathLenConstraintViolated
        | Error::RequiredEkuNotFoundContext(_) => CertificateError::Purpose,
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => CertificateError::Algorithm,
        _ => CertificateError::Malformed,
    }
}

/// Why a set of authorities was not accepted.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TrustStoreError {
    /// There is no certificate in it.
    #[error("no authority to trust: give certificates in PEM form")]
    Empty,
    /// One of them can't be read.
    #[error("a trusted authority's certificate can't be read")]
    Malformed,
    /// One of them may not sign certificates.
    #[error(
        "a trusted certificate is not an authority's: give the CA that signed it, not the peer's own"
    )]
    NoAuthority,
}
