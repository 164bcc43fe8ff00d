//! Vendor IDs, and what they tell about the peer.

mod fingerprint;
pub(crate) mod octets;

use core::fmt;

pub use fingerprint::Fingerprint;

/// A vendor ID that is known (RFC 2408 §3.16): most are the MD5 hash of some text.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum VendorId {
    /// NAT traversal (RFC 3947 §3.1).
    Rfc3947,
    /// NAT traversal, draft 00.
    NatTraversal00,
    /// NAT traversal, draft 01.
    NatTraversal01,
    /// NAT traversal, draft 02.
    NatTraversal02,
    /// NAT traversal, draft 02, hashed with a newline behind the name.
    NatTraversal02Newline,
    /// NAT traversal, draft 03.
    NatTraversal03,
    /// NAT traversal, draft 04.
    NatTraversal04,
    /// NAT traversal, draft 05.
    NatTraversal05,
    /// NAT traversal, draft 06.
    NatTraversal06,
    /// NAT traversal, draft 07.
    NatTraversal07,
    /// NAT traversal, draft 08.
    NatTraversal08,
    /// NAT traversal, the draft without a number: Apple's.
    NatTraversalApple,
    /// Dead Peer Detection 1.0 (RFC 3706 §5.1).
    DeadPeerDetection,
    /// Fragmentation of messages. Cisco puts bits for main and aggressive mode behind it.
    Fragmentation,
    /// Extended authentication.
    Xauth,
    /// Cisco Unity, which XAUTH and Mode Config go with.
    CiscoUnity,
    /// Windows, with the version of its IKE; Windows 10 says 9.
    MicrosoftNt5(u32),
    /// Windows: says that INITIAL-CONTACT is understood.
    MicrosoftInitialContact,
    /// Windows: Negotiation Discovery Capable.
    MicrosoftNegotiationDiscovery,
    /// Windows: IKE CGA version 1.
    MicrosoftCga,
    /// Windows Vista and later: which version of IKE it takes.
    MicrosoftIkeVersion(u32),
    /// strongSwan.
    StrongSwan,
    /// Libreswan, followed by its version.
    Libreswan,
    /// KAME's racoon.
    Racoon,
    /// IPsec-Tools' racoon.
    IpsecTools,
}

/// A vendor ID whose octets are the whole of it.
const EXACT: &[(VendorId, &[u8], &str)] = &[
    (VendorId::Rfc3947, octets::RFC_3947, "RFC 3947"),
    (VendorId::NatTraversal00, octets::DRAFT_00, "draft-ietf-ipsec-nat-t-ike-00"),
    (VendorId::NatTraversal01, octets::DRAFT_01, "draft-ietf-ipsec-nat-t-ike-01"),
    (VendorId::NatTraversal02, octets::DRAFT_02, "draft-ietf-ipsec-nat-t-ike-02"),
    (VendorId::NatTraversal02Newline, octets::DRAFT_02_NEWLINE, "draft-ietf-ipsec-nat-t-ike-02\\n"),
    (VendorId::NatTraversal03, octets::DRAFT_03, "draft-ietf-ipsec-nat-t-ike-03"),
    (VendorId::NatTraversal04, octets::DRAFT_04, "draft-ietf-ipsec-nat-t-ike-04"),
    (VendorId::NatTraversal05, octets::DRAFT_05, "draft-ietf-ipsec-nat-t-ike-05"),
    (VendorId::NatTraversal06, octets::DRAFT_06, "draft-ietf-ipsec-nat-t-ike-06"),
    (VendorId::NatTraversal07, octets::DRAFT_07, "draft-ietf-ipsec-nat-t-ike-07"),
    (VendorId::NatTraversal08, octets::DRAFT_08, "draft-ietf-ipsec-nat-t-ike-08"),
    (VendorId::NatTraversalApple, octets::DRAFT_APPLE, "draft-ietf-ipsec-nat-t-ike"),
    (VendorId::DeadPeerDetection, octets::DPD, "Dead Peer Detection"),
    (VendorId::Fragmentation, octets::FRAGMENTATION, "FRAGMENTATION"),
    (VendorId::Xauth, octets::XAUTH, "XAUTH"),
    (VendorId::CiscoUnity, octets::UNITY, "Cisco Unity"),
    (VendorId::MicrosoftInitialContact, octets::MS_INITIAL_CONTACT, "Vid-Initial-Contact"),
    (
        VendorId::MicrosoftNegotiationDiscovery,
        octets::MS_DISCOVERY,
        "MS-Negotiation Discovery Capable",
    ),
    (VendorId::MicrosoftCga, octets::MS_CGA, "IKE CGA version 1"),
    (VendorId::StrongSwan, octets::STRONGSWAN, "strongSwan"),
    (VendorId::Racoon, octets::RACOON, "KAME/racoon"),
    (VendorId::IpsecTools, octets::IPSEC_TOOLS, "IPsec-Tools"),
];

/// "MS NT5 ISAKMPOAKLEY"; 4 octets of version follow.
const MICROSOFT_NT5: &[u8] = b"\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61";
/// What Microsoft does not document; 4 octets of version follow.
const MICROSOFT_IKE_VERSION: &[u8] =
    b"\x01\x52\x8b\xbb\xc0\x06\x96\x12\x18\x49\xab\x9a\x1c\x5b\x2a\x51";
/// The version follows as text.
const LIBRESWAN: &[u8] = b"OE-Libreswan-";
/// The last two octets are a version.
const CISCO_UNITY: &[u8] = b"\x12\xf5\xf2\x8c\x45\x71\x68\xa9\x70\x2d\x9f\xe2\x74\xcc";

impl VendorId {
    /// Tells what the body of a Vendor ID payload stands for.
    #[must_use]
    pub fn recognise(body: &[u8]) -> Option<Self> {
        if let Some((known, _, _)) = EXACT.iter().find(|(_, octets, _)| *octets == body) {
            return Some(*known);
        }
        let number = |rest: &[u8]| rest.try_into().ok().map(u32::from_be_bytes);
        if let Some(rest) = body.strip_prefix(MICROSOFT_NT5) {
            return number(rest).map(Self::MicrosoftNt5);
        }
        if let Some(rest) = body.strip_prefix(MICROSOFT_IKE_VERSION) {
            return number(rest).map(Self::MicrosoftIkeVersion);
        }
        if body.len() == 16 && body.starts_with(CISCO_UNITY) {
            return Some(Self::CiscoUnity);
        }
        if body.starts_with(LIBRESWAN) {
            return Some(Self::Libreswan);
        }
        let fragmentation = Self::Fragmentation.octets();
        (body.len() == 20 && body.starts_with(fragmentation)).then_some(Self::Fragmentation)
    }

    /// The octets that say it: for one with a version, those before the version.
    #[must_use]
    pub fn octets(self) -> &'static [u8] {
        match self {
            Self::MicrosoftNt5(_) => MICROSOFT_NT5,
            Self::MicrosoftIkeVersion(_) => MICROSOFT_IKE_VERSION,
            Self::Libreswan => LIBRESWAN,
            _ => {
                let found = EXACT.iter().find(|(known, _, _)| *known == self);
                found.map(|(_, octets, _)| *octets).unwrap_or_default()
            }
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MicrosoftNt5(_) => "MS NT5 ISAKMPOAKLEY",
            Self::MicrosoftIkeVersion(_) => "Microsoft IKE version",
            Self::Libreswan => "Libreswan",
            _ => {
                let found = EXACT.iter().find(|(known, _, _)| *known == self);
                found.map(|(_, _, name)| *name).unwrap_or_default()
            }
        }
    }
}

impl fmt::Display for VendorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MicrosoftNt5(version) | Self::MicrosoftIkeVersion(version) => {
                write!(f, "{} {version}", self.name())
            }
            _ => f.pad(self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    #[test]
    fn what_is_sent_is_recognised() {
        for (known, octets, name) in EXACT {
            assert_eq!((known.octets(), known.name()), (*octets, *name));
            assert_eq!(VendorId::recognise(octets), Some(*known), "{name}");
            assert_eq!(VendorId::recognise(&octets[1..]), None, "{name}");
        }
    }

    /// Most vendor IDs are the MD5 hash of a text (features of the peers, and RFC 3947 §3.1).
    #[test]
    fn they_are_hashes_of_their_names() {
        let md5 = vpn_crypto::provider().legacy.md5;
        let hashed = EXACT.iter().filter(|(known, octets, _)| {
            octets.len() == 16
                && !matches!(
                    known,
                    VendorId::DeadPeerDetection | VendorId::CiscoUnity | VendorId::IpsecTools
                )
        });
        for (_, octets, name) in hashed {
            let text = name.replace("\\n", "\n");
            assert_eq!(md5.hash(&[text.as_bytes()])[..], **octets, "{name}");
        }
    }

    #[test]
    fn versions_and_bits_behind_a_vendor_id() {
        let with = |prefix: &[u8], rest: &[u8]| -> Vec<u8> { [prefix, rest].concat() };
        let windows_10 = VendorId::recognise(&with(MICROSOFT_NT5, &[0, 0, 0, 9]));
        assert_eq!(windows_10, Some(VendorId::MicrosoftNt5(9)));
        assert_eq!(windows_10.unwrap().to_string(), "MS NT5 ISAKMPOAKLEY 9");
        assert_eq!(VendorId::recognise(MICROSOFT_NT5), None, "the version is missing");
        for bits in [[0x80, 0, 0, 0], [0xc0, 0, 0, 0]] {
            let fragmentation = with(VendorId::Fragmentation.octets(), &bits);
            assert_eq!(VendorId::recognise(&fragmentation), Some(VendorId::Fragmentation));
        }
        assert_eq!(VendorId::recognise(b"OE-Libreswan-5.2"), Some(VendorId::Libreswan));
        assert_eq!(VendorId::recognise(&with(CISCO_UNITY, &[2, 0xd4])), Some(VendorId::CiscoUnity));
        assert_eq!(VendorId::recognise(b""), None);
    }
}
