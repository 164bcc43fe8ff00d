use vpn_core::crypto::DhGroup;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::HashAlgorithm;

use super::VendorId;
use crate::payload::SecurityAssociation;
use crate::proposal::IkeProposal;
use crate::proposal::OfferedIke;

/// What a peer seems to run, guessed from its first message.
///
/// A guess only: it decides which of several acceptable proposals comes first, and what a failure is
/// explained with, never whether a peer is let in.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Fingerprint {
    /// Windows, with the version that its vendor ID names: 9 is Windows 10 and 11.
    Windows {
        /// The version.
        version: u32,
    },
    /// macOS or iOS.
    Apple,
    /// Android up to 11, whose IKE is racoon.
    Android,
    /// ChromeOS, whose IKE is strongSwan.
    ChromeOs,
    /// MikroTik RouterOS.
    MikroTik,
    /// Libreswan.
    Libreswan,
    /// strongSwan, also under NetworkManager.
    StrongSwan,
    /// Something else.
    #[default]
    Unknown,
}

/// Message 1, as the rules see it.
struct First<'a> {
    says: &'a dyn Fn(VendorId) -> bool,
    offers: &'a dyn Fn(fn(&OfferedIke) -> bool) -> bool,
    first: Option<IkeProposal>,
}

/// A rule, and what it is taken from.
struct Rule {
    fingerprint: Fingerprint,
    matches: fn(&First<'_>) -> bool,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    source: &'static str,
}

/// The first that matches holds. Windows is told by its vendor ID alone, before all of these.
const RULES: &[Rule] = &[
    Rule {
        fingerprint: Fingerprint::Apple,
        matches: |first| (first.says)(VendorId::NatTraversalApple),
        source: "Apple's ipsec, vendorid.c; log in xelerance/Openswan#116",
    },
    Rule {
        fingerprint: Fingerprint::Libreswan,
        matches: |first| (first.says)(VendorId::Libreswan),
        source: "libreswan, constants.c; sent only with send-vendorid=yes",
    },
    Rule {
        fingerprint: Fingerprint::StrongSwan,
        matches: |first| (first.says)(VendorId::StrongSwan),
        source: "strongSwan, isakmp_vendor.c; sent only with send_vendor_id=yes",
    },
    Rule {
        // Group 2 only, and SHA2-384 or SHA2-512: no other client has both.
        fingerprint: Fingerprint::Android,
        matches: |first| {
            let strong_hash = |one: &OfferedIke| {
                let hash = one.proposal().map(|proposal| proposal.hash);
                matches!(hash, Ok(HashAlgorithm::Sha2_384 | HashAlgorithm::Sha2_512))
            };
            let other_group = |one: &OfferedIke| one.group != Some(DhGroup::MODP_1024);
            (first.says)(VendorId::NatTraversal00)
                && (first.offers)(strong_hash)
                && !(first.offers)(other_group)
        },
        source: "AOSP ipsec-tools, setup.c; log in ftao/vpn-deploy-playbook#31",
    },
    Rule {
        // AES-128 with SHA2-256 and group 15 first of all.
        fingerprint: Fingerprint::ChromeOs,
        matches: |first| {
            let group = DhGroup::MODP_3072;
            let hash = HashAlgorithm::Sha2_256;
            first.first == Some(IkeProposal { cipher: EspCipher::Aes128Cbc, hash, group })
                && (first.says)(VendorId::Xauth)
        },
        source: "ChromeOS shill, L2TP/IPsec driver: strongSwan with its own list",
    },
    Rule {
        // A lifetime of a day with the cipher, hash and groups of the default profile.
        fingerprint: Fingerprint::MikroTik,
        matches: |first| {
            let other = |one: &OfferedIke| {
                let Ok(IkeProposal { cipher, hash, group }) = one.proposal() else { return true };
                one.lifetime.seconds != Some(86_400)
                    || !matches!(cipher, EspCipher::Aes128Cbc | EspCipher::TripleDesCbc)
                    || hash != HashAlgorithm::Sha1
                    || !matches!(group, DhGroup::MODP_2048 | DhGroup::MODP_1024)
            };
            !(first.offers)(other)
        },
        source: "RouterOS manual, IPsec: default profile and proposal",
    },
    Rule {
        fingerprint: Fingerprint::StrongSwan,
        matches: |first| {
            (first.says)(VendorId::Xauth)
                && (first.says)(VendorId::NatTraversal02Newline)
                && !(first.says)(VendorId::NatTraversal03)
                && !(first.says)(VendorId::CiscoUnity)
        },
        source: "strongSwan 5 and 6 as initiators: captures of our own laboratory",
    },
];

impl Fingerprint {
    /// Guesses from the vendor IDs of message 1 and the body of its SA payload, which may be empty
    /// where there is none.
    #[must_use]
    pub fn guess<'v>(vendor_ids: impl Iterator<Item = &'v [u8]> + Clone, offer: &[u8]) -> Self {
        let known = || vendor_ids.clone().filter_map(VendorId::recognise);
        let version = known().find_map(|id| match id {
            VendorId::MicrosoftNt5(version) => Some(version),
            _ => None,
        });
        if let Some(version) = version {
            return Self::Windows { version };
        }
        let sa = SecurityAssociation::decode(offer).ok();
        let offers = || {
            let proposals = sa.iter().flat_map(SecurityAssociation::proposals);
            proposals.flat_map(|one| one.transforms()).map(|one| OfferedIke::read(&one))
        };
        let first = First {
            says: &|wanted| known().any(|id| id == wanted),
            // Without any offer nothing can be said about it.
            offers: &|test| sa.is_none() || offers().any(|one| test(&one)),
            first: offers().next().and_then(|one| one.proposal().ok()),
        };
        let found = RULES.iter().find(|rule| (rule.matches)(&first));
        found.map(|rule| rule.fingerprint).unwrap_or_default()
    }

    /// Whether `suite` comes before others that we would take as well.
    ///
    /// ChromeOS wants a combined mode algorithm first. Android's old kernels cut HMAC-SHA-256 to 96 bits
    /// and announce the number of the one with 128, so that with it nothing would ever verify.
    #[must_use]
    pub const fn prefers(self, suite: EspSuite) -> bool {
        match self {
            Self::ChromeOs => matches!(suite, EspSuite::Combined(_)),
            Self::Android => !matches!(
                suite,
                EspSuite::Separate(
                    _,
                    EspIntegrity::HmacSha2_256_128 | EspIntegrity::HmacSha2_256_96
                )
            ),
            _ => true,
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Windows { .. } => "Windows",
            Self::Apple => "macOS or iOS",
            Self::Android => "Android",
            Self::ChromeOs => "ChromeOS",
            Self::MikroTik => "MikroTik",
            Self::Libreswan => "Libreswan",
            Self::StrongSwan => "strongSwan",
            Self::Unknown => "unknown",
        }
    }
}

impl core::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_unknown() {
        assert_eq!(Fingerprint::guess(core::iter::empty(), &[]), Fingerprint::Unknown);
        assert!(RULES.iter().all(|rule| !rule.source.is_empty()));
    }

    #[test]
    fn preferences() {
        let suite = |text: &str| text.parse::<EspSuite>().unwrap();
        assert!(Fingerprint::ChromeOs.prefers(suite("aes128gcm16")));
        assert!(!Fingerprint::ChromeOs.prefers(suite("aes128-sha256")));
        assert!(Fingerprint::Android.prefers(suite("aes256-sha512")));
        assert!(!Fingerprint::Android.prefers(suite("aes256-sha256")));
        assert!(Fingerprint::Unknown.prefers(suite("aes256-sha256")));
    }
}
