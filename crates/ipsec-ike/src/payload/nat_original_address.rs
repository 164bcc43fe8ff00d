use alloc::vec::Vec;
use core::net::IpAddr;

use crate::DecodeError;
use crate::IdType;
use crate::PayloadType;

/// NAT-OA: an address as it was before any NAT (RFC 3947 §5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NatOriginalAddress(pub IpAddr);

impl NatOriginalAddress {
    /// Reads a body. What stands in the reserved octets does not matter.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything but an IPv4 or an IPv6 address.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let address = match body.split_first_chunk() {
            Some(([id_type, _, _, _], octets)) => match IdType(*id_type) {
                IdType::IPV4_ADDR => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
                IdType::IPV6_ADDR => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
                _ => None,
            },
            None => None,
        };
        let what = "it is neither an IPv4 nor an IPv6 address";
        let malformed = DecodeError::Malformed { kind: PayloadType::NAT_OA, what };
        address.map(Self).ok_or(malformed)
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self.0 {
            IpAddr::V4(address) => {
                out.extend_from_slice(&[IdType::IPV4_ADDR.0, 0, 0, 0]);
                out.extend_from_slice(&address.octets());
            }
            IpAddr::V6(address) => {
                out.extend_from_slice(&[IdType::IPV6_ADDR.0, 0, 0, 0]);
                out.extend_from_slice(&address.octets());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families() {
        for text in ["192.168.1.2", "2001:db8::7"] {
            let original = NatOriginalAddress(text.parse().unwrap());
            let mut out = Vec::new();
            original.encode(&mut out);
            assert_eq!(NatOriginalAddress::decode(&out), Ok(original));
            for len in 0..out.len() {
                assert!(NatOriginalAddress::decode(&out[..len]).is_err());
            }
            out.push(0);
            assert!(NatOriginalAddress::decode(&out).is_err());
            out.pop();
            out[0] = 2;
            assert!(NatOriginalAddress::decode(&out).is_err());
        }
    }
}
