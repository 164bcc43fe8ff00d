//! Vendor IDs, and what they tell about the peer.

mod fingerprint;

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
    (
        VendorId::Rfc3947,
        b"\x4a\x13\x1c\x81\x07\x03\x58\x45\x5c\x57\x28\xf2\x0e\x95\x45\x2f",
        "RFC 3947",
    ),
    (
        VendorId::NatTraversal00,
        b"\x44\x85\x15\x2d\x18\xb6\xbb\xcd\x0b\xe8\xa8\x46\x95\x79\xdd\xcc",
        "draft-ietf-ipsec-nat-t-ike-00",
    ),
    (
        VendorId::NatTraversal01,
        b"\x16\xf6\xca\x16\xe4\xa4\x06\x6d\x83\x82\x1a\x0f\x0a\xea\xa8\x62",
        "draft-ietf-ipsec-nat-t-ike-01",
    ),
    (
        VendorId::NatTraversal02,
        b"\xcd\x60\x46\x43\x35\xdf\x21\xf8\x7c\xfd\xb2\xfc\x68\xb6\xa4\x48",
        "draft-ietf-ipsec-nat-t-ike-02",
    ),
    (
        VendorId::NatTraversal02Newline,
        b"\x90\xcb\x80\x91\x3e\xbb\x69\x6e\x08\x63\x81\xb5\xec\x42\x7b\x1f",
        "draft-ietf-ipsec-nat-t-ike-02\\n",
    ),
    (
        VendorId::NatTraversal03,
        b"\x7d\x94\x19\xa6\x53\x10\xca\x6f\x2c\x17\x9d\x92\x15\x52\x9d\x56",
        "draft-ietf-ipsec-nat-t-ike-03",
    ),
    (
        VendorId::NatTraversal04,
        b"\x99\x09\xb6\x4e\xed\x93\x7c\x65\x73\xde\x52\xac\xe9\x52\xfa\x6b",
        "draft-ietf-ipsec-nat-t-ike-04",
    ),
    (
        VendorId::NatTraversal05,
        b"\x80\xd0\xbb\x3d\xef\x54\x56\x5e\xe8\x46\x45\xd4\xc8\x5c\xe3\xee",
        "draft-ietf-ipsec-nat-t-ike-05",
    ),
    (
        VendorId::NatTraversal06,
        b"\x4d\x1e\x0e\x13\x6d\xea\xfa\x34\xc4\xf3\xea\x9f\x02\xec\x72\x85",
        "draft-ietf-ipsec-nat-t-ike-06",
    ),
    (
        VendorId::NatTraversal07,
        b"\x43\x9b\x59\xf8\xba\x67\x6c\x4c\x77\x37\xae\x22\xea\xb8\xf5\x82",
        "draft-ietf-ipsec-nat-t-ike-07",
    ),
    (
        VendorId::NatTraversal08,
        b"\x8f\x8d\x83\x82\x6d\x24\x6b\x6f\xc7\xa8\xa6\xa4\x28\xc1\x1d\xe8",
        "draft-ietf-ipsec-nat-t-ike-08",
    ),
    (
        VendorId::NatTraversalApple,
        b"\x4d\xf3\x79\x28\xe9\xfc\x4f\xd1\xb3\x26\x21\x70\xd5\x15\xc6\x62",
        "draft-ietf-ipsec-nat-t-ike",
    ),
    (
        VendorId::DeadPeerDetection,
        b"\xaf\xca\xd7\x13\x68\xa1\xf1\xc9\x6b\x86\x96\xfc\x77\x57\x01\x00",
        "Dead Peer Detection",
    ),
    (
        VendorId::Fragmentation,
        b"\x40\x48\xb7\xd5\x6e\xbc\xe8\x85\x25\xe7\xde\x7f\x00\xd6\xc2\xd3",
        "FRAGMENTATION",
    ),
    (VendorId::Xauth, b"\x09\x00\x26\x89\xdf\xd6\xb7\x12", "XAUTH"),
    (
        VendorId::CiscoUnity,
        b"\x12\xf5\xf2\x8c\x45\x71\x68\xa9\x70\x2d\x9f\xe2\x74\xcc\x01\x00",
        "Cisco Unity",
    ),
    (
        VendorId::MicrosoftInitialContact,
        b"\x26\x24\x4d\x38\xed\xdb\x61\xb3\x17\x2a\x36\xe3\xd0\xcf\xb8\x19",
        "Vid-Initial-Contact",
    ),
    (
        VendorId::MicrosoftNegotiationDiscovery,
        b"\xfb\x1d\xe3\xcd\xf3\x41\xb7\xea\x16\xb7\xe5\xbe\x08\x55\xf1\x20",
        "MS-Negotiation Discovery Capable",
    ),
    (
        VendorId::MicrosoftCga,
        b"\xe3\xa5\x96\x6a\x76\x37\x9f\xe7\x07\x22\x82\x31\xe5\xce\x86\x52",
        "IKE CGA version 1",
    ),
    (
        VendorId::StrongSwan,
        b"\x88\x2f\xe5\x6d\x6f\xd2\x0d\xbc\x22\x51\x61\x3b\x2e\xbe\x5b\xeb",
        "strongSwan",
    ),
    (
        VendorId::Racoon,
        b"\x70\x03\xcb\xc1\x09\x7d\xbe\x9c\x26\x00\xba\x69\x83\xbc\x8b\x35",
        "KAME/racoon",
    ),
    (
        VendorId::IpsecTools,
        b"\x20\xa3\x62\x2c\x1c\xea\x7c\xe3\x7b\xee\x3c\xa4\x84\x42\x52\x76",
        "IPsec-Tools",
    ),
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
