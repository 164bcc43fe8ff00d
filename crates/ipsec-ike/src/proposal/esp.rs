use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use vpn_core::crypto::DhGroup;
use vpn_core::crypto::EspAead;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

use super::Lifetime;
use super::UnknownProposal;
use super::ike::group_named;
use crate::AuthAlgorithm;
use crate::EncapsulationMode;
use crate::EspTransform;
use crate::IpsecAttribute;
use crate::ProtocolId;
use crate::attribute::put_basic;
use crate::payload::SecurityAssociation;
use crate::payload::encode_proposal;
use crate::payload::encode_transform;

/// The algorithms of an ESP SA, and the group for perfect forward secrecy.
///
/// Text is strongSwan's `esp =` notation:
///
/// ```
/// use ipsec_ike::proposal::EspProposal;
/// use vpn_core::crypto::DhGroup;
///
/// let proposal: EspProposal = "aes256-sha256-modp2048".parse()?;
/// assert_eq!(proposal.suite.to_string(), "aes256-sha256");
/// assert_eq!(proposal.pfs, Some(DhGroup::MODP_2048));
/// let list = EspProposal::list("aes256gcm16,aes256-sha1,3des-sha1")?;
/// assert_eq!(list[0].pfs, None);
/// # Ok::<(), ipsec_ike::proposal::UnknownProposal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EspProposal {
    /// The suite. IKEv1 has no number for ChaCha20-Poly1305: it is never offered.
    ///
    /// HMAC-SHA-256 cut to 96 bits goes by the number of the one with 128: list it to understand old
    /// kernels that cut there (`features.md` §2.4 tells which).
    pub suite: EspSuite,
    /// A Diffie-Hellman group of its own. In our own lists, `None` means that none is needed: a
    /// peer that asks for one gets it.
    pub pfs: Option<DhGroup>,
}

const EXAMPLE: &str = "aes256-sha256 or aes256gcm16-modp2048";

impl EspProposal {
    /// A proposal without a group.
    #[must_use]
    pub const fn new(suite: EspSuite) -> Self {
        Self { suite, pfs: None }
    }

    /// Reads a list with commas between, in the order of preference.
    ///
    /// # Errors
    /// [`UnknownProposal`], also for an empty list.
    pub fn list(text: &str) -> Result<Vec<Self>, UnknownProposal> {
        text.split(',').map(|one| one.trim().parse()).collect()
    }
}

impl fmt::Display for EspProposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pfs {
            Some(group) => write!(f, "{}-{group}", self.suite),
            None => self.suite.fmt(f),
        }
    }
}

impl FromStr for EspProposal {
    type Err = UnknownProposal;

    fn from_str(text: &str) -> Result<Self, UnknownProposal> {
        let with_group = text.rsplit_once('-').and_then(|(suite, group)| {
            Some(Self { suite: suite.parse().ok()?, pfs: Some(group_named(group)?) })
        });
        let found = with_group.or_else(|| text.parse().ok().map(Self::new));
        found.ok_or_else(|| UnknownProposal { text: text.to_string(), example: EXAMPLE })
    }
}

/// The numbers of a suite on the wire. `None` where IKEv1 has no number for it.
const fn numbers(suite: EspSuite) -> Option<EspAlgorithms> {
    Some(match suite {
        EspSuite::Separate(cipher, integrity) => {
            let (transform, key_length) = match cipher {
                EspCipher::Null => (EspTransform::NULL, None),
                EspCipher::TripleDesCbc => (EspTransform::TRIPLE_DES, None),
                EspCipher::Aes128Cbc => (EspTransform::AES_CBC, Some(128)),
                EspCipher::Aes192Cbc => (EspTransform::AES_CBC, Some(192)),
                EspCipher::Aes256Cbc => (EspTransform::AES_CBC, Some(256)),
                _ => return None,
            };
            let auth = match integrity {
                EspIntegrity::HmacMd5_96 => AuthAlgorithm::HMAC_MD5,
                EspIntegrity::HmacSha1_96 => AuthAlgorithm::HMAC_SHA,
                EspIntegrity::HmacSha2_256_128 | EspIntegrity::HmacSha2_256_96 => {
                    AuthAlgorithm::HMAC_SHA2_256
                }
                EspIntegrity::HmacSha2_384_192 => AuthAlgorithm::HMAC_SHA2_384,
                EspIntegrity::HmacSha2_512_256 => AuthAlgorithm::HMAC_SHA2_512,
                _ => return None,
            };
            EspAlgorithms { transform, key_length, auth: Some(auth) }
        }
        EspSuite::Combined(aead) => {
            let key_length = match aead {
                EspAead::Aes128Gcm16 => 128,
                EspAead::Aes192Gcm16 => 192,
                EspAead::Aes256Gcm16 => 256,
                _ => return None,
            };
            let transform = EspTransform::AES_GCM_16;
            EspAlgorithms { transform, key_length: Some(key_length), auth: None }
        }
    })
}

/// Appends the body of an SA payload for quick mode: one proposal with our inbound SPI, and in it
/// a transform for each of `proposals` in this order (RFC 2407 §4.5). Suites that IKEv1 has
/// no number for are left out.
pub fn write_esp_offer(
    out: &mut Vec<u8>,
    spi: u32,
    proposals: &[EspProposal],
    mode: EncapsulationMode,
    lifetime: Lifetime,
) {
    let transforms = proposals.iter().filter_map(|one| Some((numbers(one.suite)?, one.pfs)));
    let transforms: Vec<Vec<u8>> = (1..=u8::MAX)
        .zip(transforms)
        .map(|(number, (transform, group))| transform.body(number, group, mode, lifetime))
        .collect();
    write_esp_transforms(out, spi, 1, &transforms);
}

/// Appends the body of an SA payload of phase 2 with one proposal and these transforms.
pub(crate) fn write_esp_transforms<T: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    spi: u32,
    number: u8,
    transforms: &[T],
) {
    let mut proposal = Vec::new();
    encode_proposal(&mut proposal, number, ProtocolId::ESP, &spi.to_be_bytes(), transforms);
    SecurityAssociation::encode(out, &[proposal]);
}

/// Appends the body of an SA payload of phase 2 with transforms of any numbers, known or not.
pub(crate) fn write_esp_values(
    out: &mut Vec<u8>,
    spi: u32,
    transforms: &[EspAlgorithms],
    group: Option<DhGroup>,
    mode: EncapsulationMode,
    lifetime: Lifetime,
) {
    let transforms: Vec<Vec<u8>> = (1..=u8::MAX)
        .zip(transforms)
        .map(|(number, one)| one.body(number, group, mode, lifetime))
        .collect();
    write_esp_transforms(out, spi, 1, &transforms);
}

/// The algorithms of a transform of ESP as numbers, known or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EspAlgorithms {
    /// The cipher, or the combined mode algorithm.
    pub transform: EspTransform,
    /// Its Key Length in bits, where it has one.
    pub key_length: Option<u16>,
    /// The integrity algorithm, where there is one.
    pub auth: Option<AuthAlgorithm>,
}

impl EspAlgorithms {
    fn body(
        &self,
        number: u8,
        group: Option<DhGroup>,
        mode: EncapsulationMode,
        lifetime: Lifetime,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        encode_transform(&mut out, number, self.transform.0, |out| {
            if let Some(bits) = self.key_length {
                put_basic(out, IpsecAttribute::KEY_LENGTH.0, bits);
            }
            if let Some(auth) = self.auth {
                put_basic(out, IpsecAttribute::AUTHENTICATION_ALGORITHM.0, auth.0);
            }
            if let Some(group) = group {
                put_basic(out, IpsecAttribute::GROUP_DESCRIPTION.0, group.0);
            }
            put_basic(out, IpsecAttribute::ENCAPSULATION_MODE.0, mode.0);
            lifetime.encode(out);
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proposal_comes_back_from_text() {
        for suite in EspSuite::all() {
            for pfs in DhGroup::NAMED.iter().copied().map(Some).chain([None]) {
                let proposal = EspProposal { suite, pfs };
                assert_eq!(proposal.to_string().parse(), Ok(proposal));
            }
        }
        let alias: EspProposal = "aes128gcm16-x25519".parse().unwrap();
        assert_eq!(alias.pfs, Some(DhGroup::CURVE_25519));
    }

    #[test]
    fn what_is_no_proposal() {
        for text in ["", "modp2048", "aes256-modp2048", "aes256-sha1-", "aes256-sha1-modp"] {
            assert_eq!(text.parse::<EspProposal>().unwrap_err().text, text);
        }
    }

    #[test]
    fn only_what_ikev1_has_numbers_for_is_offered() {
        let unnumbered: Vec<_> =
            EspSuite::all().filter(|suite| numbers(*suite).is_none()).collect();
        assert_eq!(unnumbered, [EspSuite::Combined(EspAead::ChaCha20Poly1305)]);
    }
}
