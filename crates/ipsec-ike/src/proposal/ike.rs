use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use vpn_core::crypto::DhGroup;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::HashAlgorithm;

use super::Lifetime;
use super::UnknownProposal;
use crate::AuthMethod;
use crate::EncryptionAlgorithm;
use crate::HashId;
use crate::IkeAttribute;
use crate::IkeTransform;
use crate::ProtocolId;
use crate::attribute::put_basic;
use crate::payload::SecurityAssociation;
use crate::payload::encode_proposal;
use crate::payload::encode_transform;

/// The algorithms of an IKE SA (RFC 2409 §4).
///
/// Text is strongSwan's `ike =` notation:
///
/// ```
/// use ipsec_ike::proposal::IkeProposal;
/// use vpn_core::crypto::DhGroup;
///
/// let proposal: IkeProposal = "aes256-sha256-modp2048".parse()?;
/// assert_eq!(proposal.group, DhGroup::MODP_2048);
/// let list = IkeProposal::list("aes128-sha1-ecp256, aes256-sha256-x25519")?;
/// assert_eq!(list[1].to_string(), "aes256-sha256-curve25519");
/// # Ok::<(), ipsec_ike::proposal::UnknownProposal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IkeProposal {
    /// The cipher, in CBC mode. Never [`EspCipher::Null`].
    pub cipher: EspCipher,
    /// The hash function, whose HMAC is the prf.
    pub hash: HashAlgorithm,
    /// The Diffie-Hellman group.
    pub group: DhGroup,
}

const EXAMPLE: &str = "aes256-sha256-modp2048";

impl IkeProposal {
    /// Reads a list with commas between, in the order of preference.
    ///
    /// # Errors
    /// [`UnknownProposal`], also for an empty list.
    pub fn list(text: &str) -> Result<Vec<Self>, UnknownProposal> {
        text.split(',').map(|one| one.trim().parse()).collect()
    }
}

impl fmt::Display for IkeProposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.cipher.name(), self.hash.name(), self.group)
    }
}

impl FromStr for IkeProposal {
    type Err = UnknownProposal;

    fn from_str(text: &str) -> Result<Self, UnknownProposal> {
        let mut parts = text.split('-');
        let mut next = || parts.next().unwrap_or_default();
        let (cipher, hash, group) = (next(), next(), next());
        let cipher = EspCipher::ALL.iter().find(|known| known.name() == cipher);
        let cipher = cipher.filter(|cipher| **cipher != EspCipher::Null);
        let hash = HashAlgorithm::ALL.iter().find(|known| known.name() == hash);
        match (cipher, hash, group_named(group), parts.next()) {
            (Some(cipher), Some(hash), Some(group), None) => {
                Ok(Self { cipher: *cipher, hash: *hash, group })
            }
            _ => Err(UnknownProposal { text: text.to_string(), example: EXAMPLE }),
        }
    }
}

/// The group with this name.
pub(super) fn group_named(name: &str) -> Option<DhGroup> {
    if name == "x25519" {
        return Some(DhGroup::CURVE_25519);
    }
    DhGroup::NAMED.iter().copied().find(|known| known.name() == Some(name))
}

/// The cipher's number, and the Key Length attribute in bits where it has one.
const fn encryption(cipher: EspCipher) -> (EncryptionAlgorithm, Option<u16>) {
    match cipher {
        EspCipher::Aes128Cbc => (EncryptionAlgorithm::AES_CBC, Some(128)),
        EspCipher::Aes192Cbc => (EncryptionAlgorithm::AES_CBC, Some(192)),
        EspCipher::Aes256Cbc => (EncryptionAlgorithm::AES_CBC, Some(256)),
        _ => (EncryptionAlgorithm::TRIPLE_DES_CBC, None),
    }
}

const fn hash_id(hash: HashAlgorithm) -> HashId {
    match hash {
        HashAlgorithm::Md5 => HashId::MD5,
        HashAlgorithm::Sha1 => HashId::SHA,
        HashAlgorithm::Sha2_256 => HashId::SHA2_256,
        HashAlgorithm::Sha2_384 => HashId::SHA2_384,
        _ => HashId::SHA2_512,
    }
}

/// Appends the body of an SA payload for message 1: one proposal with a transform for each of
/// `proposals` and each of `methods`, in this order (RFC 2409 §5). No more than 255 are written.
pub fn write_ike_offer(
    out: &mut Vec<u8>,
    proposals: &[IkeProposal],
    methods: &[AuthMethod],
    lifetime: Lifetime,
) {
    let pairs = proposals.iter().flat_map(|one| methods.iter().map(move |method| (one, *method)));
    let transforms: Vec<Vec<u8>> = (1..=u8::MAX)
        .zip(pairs)
        .map(|(number, (proposal, method))| {
            let (encryption, key_length) = encryption(proposal.cipher);
            let hash = hash_id(proposal.hash);
            let transform = IkeAlgorithms { encryption, key_length, hash, group: proposal.group };
            transform.body(number, method, lifetime)
        })
        .collect();
    write_ike_transforms(out, 1, &transforms);
}

/// Appends the body of an SA payload of phase 1 with these transforms in proposal `number`.
pub(crate) fn write_ike_transforms<T: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    number: u8,
    transforms: &[T],
) {
    let mut proposal = Vec::new();
    encode_proposal(&mut proposal, number, ProtocolId::ISAKMP, &[], transforms);
    SecurityAssociation::encode(out, &[proposal]);
}

/// Appends the body of an SA payload of phase 1 with transforms of any numbers, known or not.
pub(crate) fn write_ike_values(
    out: &mut Vec<u8>,
    transforms: &[IkeAlgorithms],
    method: AuthMethod,
    lifetime: Lifetime,
) {
    let transforms: Vec<Vec<u8>> = (1..=u8::MAX)
        .zip(transforms)
        .map(|(number, one)| one.body(number, method, lifetime))
        .collect();
    write_ike_transforms(out, 1, &transforms);
}

/// The algorithms of a transform of phase 1 as numbers, known or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IkeAlgorithms {
    /// The cipher.
    pub encryption: EncryptionAlgorithm,
    /// Its Key Length in bits, where it has one.
    pub key_length: Option<u16>,
    /// The hash function.
    pub hash: HashId,
    /// The Diffie-Hellman group.
    pub group: DhGroup,
}

impl IkeAlgorithms {
    fn body(&self, number: u8, method: AuthMethod, lifetime: Lifetime) -> Vec<u8> {
        let mut out = Vec::new();
        encode_transform(&mut out, number, IkeTransform::KEY_IKE.0, |out| {
            put_basic(out, IkeAttribute::ENCRYPTION_ALGORITHM.0, self.encryption.0);
            if let Some(bits) = self.key_length {
                put_basic(out, IkeAttribute::KEY_LENGTH.0, bits);
            }
            put_basic(out, IkeAttribute::HASH_ALGORITHM.0, self.hash.0);
            put_basic(out, IkeAttribute::GROUP_DESCRIPTION.0, self.group.0);
            put_basic(out, IkeAttribute::AUTHENTICATION_METHOD.0, method.0);
            let classes = (IkeAttribute::LIFE_TYPE.0, IkeAttribute::LIFE_DURATION.0);
            lifetime.encode_as(classes, out);
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proposal_comes_back_from_text() {
        let mut count = 0;
        for cipher in EspCipher::ALL.iter().filter(|cipher| **cipher != EspCipher::Null) {
            for hash in HashAlgorithm::ALL {
                for group in DhGroup::NAMED {
                    let proposal = IkeProposal { cipher: *cipher, hash: *hash, group: *group };
                    assert_eq!(proposal.to_string().parse(), Ok(proposal));
                    count += 1;
                }
            }
        }
        assert_eq!(count, 4 * 5 * 9);
    }

    #[test]
    fn what_is_no_proposal() {
        for text in [
            "",
            "aes256",
            "aes256-sha1",
            "aes256-sha1-modp2047",
            "aes256-sha1-modp2048-modp1024",
            "null-sha1-modp2048",
            "aes256gcm16-sha1-modp2048",
            "AES256-sha1-modp2048",
        ] {
            let error = text.parse::<IkeProposal>().unwrap_err();
            assert_eq!(error.text, text);
        }
        let error = IkeProposal::list("aes256-sha1-modp2048,,").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"\" names no proposal; one is written as aes256-sha256-modp2048"
        );
    }
}
