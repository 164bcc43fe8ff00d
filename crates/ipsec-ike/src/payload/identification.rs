use alloc::vec::Vec;

use vpn_core::Reader;

use crate::DecodeError;
use crate::IdType;
use crate::PayloadType;

/// Identification: who a side is (phase 1), or what an SA is for (phase 2) (RFC 2407 §4.6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identification<'a> {
    /// What `data` is.
    pub id_type: IdType,
    /// An IP protocol, or 0 for any.
    pub protocol: u8,
    /// A port, or 0 for any.
    pub port: u16,
    /// The identity.
    pub data: &'a [u8],
}

impl<'a> Identification<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] when it is cut short, or an address has not an address' length.
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let malformed = |what| DecodeError::Malformed { kind: PayloadType::IDENTIFICATION, what };
        let cut = |_| malformed("it is cut short");
        let mut reader = Reader::new(body);
        let id_type = IdType(reader.u8().map_err(cut)?);
        let protocol = reader.u8().map_err(cut)?;
        let port = reader.u16().map_err(cut)?;
        let data = reader.rest();
        let fits = match id_type {
            IdType::IPV4_ADDR => data.len() == 4,
            IdType::IPV4_ADDR_SUBNET | IdType::IPV4_ADDR_RANGE => data.len() == 8,
            IdType::IPV6_ADDR => data.len() == 16,
            IdType::IPV6_ADDR_SUBNET | IdType::IPV6_ADDR_RANGE => data.len() == 32,
            _ => !data.is_empty(),
        };
        if !fits {
            return Err(malformed("its data have not the length of their type"));
        }
        Ok(Self { id_type, protocol, port, data })
    }

    /// Whether protocol and port are what phase 1 allows: both zero, or UDP and 500 (RFC 2407
    /// §4.6.2). Some peers float the port with NAT traversal, so 4500 passes too, and so does a
    /// zero beside either.
    #[must_use]
    pub const fn is_of_phase_1(&self) -> bool {
        matches!((self.protocol, self.port), (0 | 17, 0 | 500 | 4500))
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.id_type.0, self.protocol]);
        out.extend_from_slice(&self.port.to_be_bytes());
        out.extend_from_slice(self.data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_of_every_type() {
        let expected = |id_type| match id_type {
            1 => 4..5,
            4 | 7 => 8..9,
            5 => 16..17,
            6 | 8 => 32..33,
            _ => 1..41,
        };
        for id_type in 0..=12 {
            let mut body = [0x2a; 44];
            body[..4].copy_from_slice(&[id_type, 17, 0x06, 0xa5]);
            for len in 0..=body.len() {
                let fits = len >= 4 && expected(id_type).contains(&(len - 4));
                let decoded = Identification::decode(&body[..len]);
                assert_eq!(decoded.is_ok(), fits, "type {id_type}, {len} octets");
                if let Ok(identification) = decoded {
                    assert_eq!((identification.protocol, identification.port), (17, 1701));
                    let mut out = Vec::new();
                    identification.encode(&mut out);
                    assert_eq!(out, body[..len]);
                }
            }
        }
    }

    #[test]
    fn phase_1_takes_no_other_ports() {
        for (protocol, port, allowed) in [
            (0, 0, true),
            (17, 500, true),
            (17, 0, true),
            (17, 4500, true),
            (0, 500, true),
            (17, 1701, false),
            (6, 500, false),
        ] {
            let id_type = IdType::FQDN;
            let identification = Identification { id_type, protocol, port, data: b"a" };
            assert_eq!(identification.is_of_phase_1(), allowed, "{protocol}/{port}");
        }
    }
}
