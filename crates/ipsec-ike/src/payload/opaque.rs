use alloc::vec::Vec;

use crate::DecodeError;
use crate::PayloadType;

/// Defines a payload whose body is one field of so many octets.
macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $lengths:pat, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name<'a>(pub &'a [u8]);

        impl<'a> $name<'a> {
            /// Reads a body.
            ///
            /// # Errors
            /// [`DecodeError::Malformed`] for a length that it can't have.
            pub const fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
                match body.len() {
                    $lengths => Ok(Self(body)),
                    _ => Err(DecodeError::Malformed { kind: PayloadType::$kind, what: $what }),
                }
            }

            /// Appends the body.
            pub fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.0);
            }
        }
    };
}

opaque! {
    /// Key Exchange: a public Diffie-Hellman value (RFC 2408 §3.7). The group says how long it is.
    KeyExchange, KEY_EXCHANGE, 1.., "it is empty"
}

opaque! {
    /// Hash: what authenticates a message (RFC 2408 §3.11). As long as the hash function's output.
    Hash, HASH, 1..=64, "no hash function has an output that long"
}

opaque! {
    /// Signature: what proves who a side is (RFC 2408 §3.12).
    Signature, SIGNATURE, 1.., "it is empty"
}

opaque! {
    /// Nonce: 8 to 256 random octets (RFC 2408 §3.13, RFC 2409 §5).
    Nonce, NONCE, 8..=256, "it has not 8 to 256 octets"
}

opaque! {
    /// NAT-D: the hash of cookies, address and port (RFC 3947 §3.2).
    NatDetection, NAT_D, 1..=64, "no hash function has an output that long"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_at_their_limits() {
        let octets = [7; 300];
        let nonces = (0..300).filter(|len| Nonce::decode(&octets[..*len]).is_ok());
        assert!(nonces.eq(8..=256));
        let hashes = (0..300).filter(|len| Hash::decode(&octets[..*len]).is_ok());
        assert!(hashes.eq(1..=64));
        assert!(KeyExchange::decode(&[]).is_err() && Signature::decode(&[]).is_err());
        let mut out = Vec::new();
        Nonce::decode(&octets[..9]).unwrap().encode(&mut out);
        assert_eq!(out, octets[..9]);
    }
}
