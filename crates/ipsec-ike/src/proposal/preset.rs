use alloc::vec::Vec;

use vpn_core::crypto::DhGroup;
use vpn_core::crypto::EspAead;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::HashAlgorithm;

use super::EspProposal;
use super::IkeProposal;

/// A list of proposals with a name.
///
/// The order is ours; what a client's fingerprint asks for comes before
/// ([`Fingerprint::prefers`](crate::vendor::Fingerprint::prefers)).
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Preset {
    /// No SHA-1, no 3DES, no group below 2,048 bits. Windows can't connect: it knows SHA-1 only.
    Modern,
    /// What current clients need: Windows 7 to 11, macOS, iOS, NetworkManager, ChromeOS, MikroTik,
    /// strongSwan and Libreswan. SHA-1 is a prf and an HMAC here, where it is not known to be weak;
    /// 3DES comes last.
    #[default]
    Compatible,
    /// The former with groups of 1,024 and 1,536 bits, which Android up to 11 and Windows XP can't
    /// do without. Large attackers can break the smaller one.
    Legacy,
}

use DhGroup as Group;
use EspCipher::Aes128Cbc as Aes128;
use EspCipher::Aes256Cbc as Aes256;
use EspCipher::TripleDesCbc as TripleDes;
use HashAlgorithm::Sha1;
use HashAlgorithm::Sha2_256 as Sha256;
use HashAlgorithm::Sha2_384 as Sha384;
use HashAlgorithm::Sha2_512 as Sha512;

const IKE_MODERN: &[(EspCipher, HashAlgorithm, DhGroup)] = &[
    (Aes256, Sha256, Group::CURVE_25519),
    (Aes256, Sha256, Group::ECP_256),
    (Aes256, Sha384, Group::ECP_384),
    (Aes256, Sha256, Group::MODP_2048),
    (Aes256, Sha256, Group::MODP_3072),
    (Aes256, Sha512, Group::MODP_4096),
    (Aes128, Sha256, Group::CURVE_25519),
    (Aes128, Sha256, Group::ECP_256),
    (Aes128, Sha256, Group::MODP_2048),
    (Aes128, Sha256, Group::MODP_3072),
];

/// What comes on top for clients that know SHA-1 only.
const IKE_COMPATIBLE: &[(EspCipher, HashAlgorithm, DhGroup)] = &[
    (Aes256, Sha1, Group::ECP_384),
    (Aes256, Sha1, Group::MODP_2048),
    (Aes128, Sha1, Group::ECP_256),
    (Aes128, Sha1, Group::MODP_2048),
    (TripleDes, Sha1, Group::MODP_2048),
];

/// What comes on top for clients of another age.
const IKE_LEGACY: &[(EspCipher, HashAlgorithm, DhGroup)] = &[
    (Aes256, Sha256, Group::MODP_1536),
    (Aes256, Sha1, Group::MODP_1536),
    (TripleDes, Sha1, Group::MODP_1536),
    (Aes256, Sha256, Group::MODP_1024),
    (Aes256, Sha1, Group::MODP_1024),
    (Aes128, Sha1, Group::MODP_1024),
    (TripleDes, Sha1, Group::MODP_1024),
];

const ESP_MODERN: &[EspSuite] = &[
    EspSuite::Combined(EspAead::Aes256Gcm16),
    EspSuite::Combined(EspAead::Aes128Gcm16),
    EspSuite::Separate(Aes256, EspIntegrity::HmacSha2_256_128),
    EspSuite::Separate(Aes128, EspIntegrity::HmacSha2_256_128),
    EspSuite::Separate(Aes256, EspIntegrity::HmacSha2_384_192),
    EspSuite::Separate(Aes256, EspIntegrity::HmacSha2_512_256),
];

const ESP_COMPATIBLE: &[EspSuite] = &[
    EspSuite::Separate(Aes256, EspIntegrity::HmacSha1_96),
    EspSuite::Separate(Aes128, EspIntegrity::HmacSha1_96),
    EspSuite::Separate(TripleDes, EspIntegrity::HmacSha1_96),
];

impl Preset {
    /// Every preset.
    pub const ALL: &'static [Self] = &[Self::Modern, Self::Compatible, Self::Legacy];

    /// Its name, as a command line has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Modern => "modern",
            Self::Compatible => "compatible",
            Self::Legacy => "legacy",
        }
    }

    /// The proposals of phase 1, best first.
    #[must_use]
    pub fn ike(self) -> Vec<IkeProposal> {
        let lists: &[_] = match self {
            Self::Modern => &[IKE_MODERN],
            Self::Compatible => &[IKE_MODERN, IKE_COMPATIBLE],
            Self::Legacy => &[IKE_MODERN, IKE_COMPATIBLE, IKE_LEGACY],
        };
        let all = lists.iter().copied().flatten();
        all.map(|(cipher, hash, group)| IkeProposal { cipher: *cipher, hash: *hash, group: *group })
            .collect()
    }

    /// The proposals of phase 2, best first. None has a group: a client that asks for one gets it.
    #[must_use]
    pub fn esp(self) -> Vec<EspProposal> {
        let more = if self == Self::Modern { &[] } else { ESP_COMPATIBLE };
        ESP_MODERN.iter().chain(more).copied().map(EspProposal::new).collect()
    }
}

impl core::fmt::Display for Preset {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// No preset has this name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no preset has this name: there are modern, compatible and legacy")]
pub struct UnknownPreset;

impl core::str::FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(text: &str) -> Result<Self, UnknownPreset> {
        Self::ALL.iter().copied().find(|known| known.name() == text).ok_or(UnknownPreset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_come_back() {
        for preset in Preset::ALL {
            assert_eq!(preset.to_string().parse(), Ok(*preset));
        }
        assert_eq!("Modern".parse::<Preset>(), Err(UnknownPreset));
        assert_eq!(Preset::default(), Preset::Compatible);
    }

    /// The design's rule: DH group 2, DES and MD5 only where they were asked for.
    #[test]
    fn weak_algorithms_are_in_no_default() {
        let weak_groups = [DhGroup::MODP_1024, DhGroup::MODP_1536];
        for preset in [Preset::Modern, Preset::Compatible] {
            for proposal in preset.ike() {
                assert!(!weak_groups.contains(&proposal.group), "{proposal}");
            }
        }
        for preset in Preset::ALL {
            assert!(preset.ike().iter().all(|one| one.hash != HashAlgorithm::Md5));
            for proposal in preset.esp() {
                let text = proposal.to_string();
                assert!(!text.contains("md5") && !text.contains("null"), "{text}");
            }
        }
        let modern = |text: &str| !text.contains("sha1") && !text.contains("3des");
        assert!(Preset::Modern.ike().iter().all(|one| modern(&one.to_string())));
        assert!(Preset::Modern.esp().iter().all(|one| modern(&one.to_string())));
    }

    #[test]
    fn no_list_says_anything_twice() {
        for preset in Preset::ALL {
            let mut ike = preset.ike();
            let count = ike.len();
            ike.sort();
            ike.dedup();
            assert_eq!(ike.len(), count);
        }
    }
}
