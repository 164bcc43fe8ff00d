//! The keys of an ISAKMP SA and of its child SAs (RFC 2409 §5, §5.5, appendix B).

use alloc::vec;
use core::fmt;

use vpn_core::SecretBytes;
use vpn_core::crypto::Digest;
use vpn_core::crypto::IkeHash;
use zeroize::Zeroize;

use crate::Cookies;
use crate::ProtocolId;

/// The bodies of the two Nonce payloads of an exchange: Ni_b and Nr_b (RFC 2409 §3.2).
#[derive(Clone, Copy, Debug)]
pub struct Nonces<'a> {
    /// Ni_b.
    pub initiator: &'a [u8],
    /// Nr_b.
    pub responder: &'a [u8],
}

/// The bodies of the two Key Exchange payloads of an exchange: g^xi and g^xr.
#[derive(Clone, Copy, Debug)]
pub struct PublicValues<'a> {
    /// g^xi.
    pub initiator: &'a [u8],
    /// g^xr.
    pub responder: &'a [u8],
}

/// What both sides have once both Key Exchange payloads of phase 1 were sent: all that the keys and
/// HASH_I and HASH_R are made of, but for the pre-shared key and the identities (RFC 2409 §5).
#[derive(Clone, Copy)]
pub struct Exchanged<'a> {
    /// HMAC with the negotiated hash (RFC 2409 §4).
    pub prf: &'static dyn IkeHash,
    /// CKY-I and CKY-R.
    pub cookies: Cookies,
    /// Ni_b and Nr_b.
    pub nonces: Nonces<'a>,
    /// g^xi and g^xr.
    pub public_values: PublicValues<'a>,
    /// SAi_b: the body of the SA payload exactly as the initiator sent it.
    pub offer: &'a [u8],
    /// g^xy, as wide as the group (RFC 2409 §5).
    pub shared_secret: &'a [u8],
}

impl fmt::Debug for Exchanged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchanged").field("cookies", &self.cookies).finish_non_exhaustive()
    }
}

/// The keys of an ISAKMP SA (RFC 2409 §5).
#[derive(Clone, Debug)]
pub struct SkeyId {
    /// SKEYID, the key of HASH_I and HASH_R.
    pub skeyid: Digest,
    /// SKEYID_d, from which the keys of child SAs are derived.
    pub skeyid_d: Digest,
    /// SKEYID_a, which authenticates messages of phase 2.
    pub skeyid_a: Digest,
    /// SKEYID_e, from which the cipher key is derived.
    pub skeyid_e: Digest,
}

impl SkeyId {
    /// With a pre-shared key: SKEYID = prf(pre-shared-key, Ni_b | Nr_b).
    #[must_use]
    pub fn derive_psk(exchanged: &Exchanged<'_>, psk: &[u8]) -> Self {
        let Nonces { initiator, responder } = exchanged.nonces;
        Self::derive(exchanged, exchanged.prf.hmac(psk, &[initiator, responder]))
    }

    /// With signatures: SKEYID = prf(Ni_b | Nr_b, g^xy).
    #[must_use]
    pub fn derive_signature(exchanged: &Exchanged<'_>) -> Self {
        let key = [exchanged.nonces.initiator, exchanged.nonces.responder].concat();
        Self::derive(exchanged, exchanged.prf.hmac(&key, &[exchanged.shared_secret]))
    }

    fn derive(exchanged: &Exchanged<'_>, skeyid: Digest) -> Self {
        let Exchanged { prf, cookies: Cookies { initiator, responder }, .. } = exchanged;
        let next = |previous: &[u8], number| {
            let parts = [previous, exchanged.shared_secret, initiator, responder, &[number]];
            prf.hmac(skeyid.expose(), &parts)
        };
        let skeyid_d = next(&[], 0);
        let skeyid_a = next(skeyid_d.expose(), 1);
        let skeyid_e = next(skeyid_a.expose(), 2);
        Self { skeyid, skeyid_d, skeyid_a, skeyid_e }
    }

    /// The key of the cipher that protects ISAKMP messages, `len` octets (RFC 2409 appendix B).
    ///
    /// No key is refused as weak: appendix B asks for it with DES alone.
    #[must_use]
    pub fn cipher_key(&self, prf: &dyn IkeHash, len: usize) -> SecretBytes {
        let skeyid_e = self.skeyid_e.expose();
        match skeyid_e.get(..len) {
            Some(key) => SecretBytes::new(key),
            None => feed_back(prf, skeyid_e, &[0], &[], len),
        }
    }

    /// KEYMAT, `len` octets, of the child SA that `seed` names (RFC 2409 §5.5).
    #[must_use]
    pub fn keymat(&self, prf: &dyn IkeHash, seed: &KeymatSeed<'_>, len: usize) -> SecretBytes {
        let parts = [
            seed.shared_secret.unwrap_or_default(),
            &[seed.protocol.0],
            &seed.spi.to_be_bytes(),
            seed.nonces.initiator,
            seed.nonces.responder,
        ];
        feed_back(prf, self.skeyid_d.expose(), &[], &parts, len)
    }
}

/// What tells the keys of one child SA from those of all others (RFC 2409 §5.5).
#[derive(Clone, Copy)]
pub struct KeymatSeed<'a> {
    /// g(qm)^xy, when the quick mode has Key Exchange payloads.
    pub shared_secret: Option<&'a [u8]>,
    /// The protocol of the chosen proposal.
    pub protocol: ProtocolId,
    /// The SPI that the receiver of the SA chose.
    pub spi: u32,
    /// Ni_b and Nr_b of the quick mode.
    pub nonces: Nonces<'a>,
}

impl fmt::Debug for KeymatSeed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeymatSeed").field("spi", &self.spi).finish_non_exhaustive()
    }
}

/// The first `len` octets of K1 | K2 | …, where Kn = prf(key, Kn-1 | `seed`) and `first` stands in
/// for K0.
///
/// The expansion of the cipher key has no seed and a zero octet in front; KEYMAT has nothing in
/// front and a seed that comes back every time.
fn feed_back(
    prf: &dyn IkeHash,
    key: &[u8],
    first: &[u8],
    seed: &[&[u8]],
    len: usize,
) -> SecretBytes {
    let mut octets = vec![0; len];
    let mut previous = Digest::new(first);
    for chunk in octets.chunks_mut(prf.algorithm().output_len()) {
        let mut parts = vec![previous.expose()];
        parts.extend(seed);
        let next = prf.hmac(key, &parts);
        for (to, from) in chunk.iter_mut().zip(next.expose()) {
            *to = *from;
        }
        previous = next;
    }
    let secret = SecretBytes::new(&octets);
    octets.as_mut_slice().zeroize();
    secret
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;

    const NONCES: Nonces<'static> = Nonces { initiator: &[1; 16], responder: &[2; 20] };

    fn exchanged(prf: &'static dyn IkeHash) -> Exchanged<'static> {
        Exchanged {
            prf,
            cookies: Cookies { initiator: [3; 8], responder: [4; 8] },
            nonces: NONCES,
            public_values: PublicValues { initiator: &[5; 32], responder: &[6; 32] },
            offer: &[7; 44],
            shared_secret: &[8; 32],
        }
    }

    fn every_hash() -> impl Iterator<Item = &'static dyn IkeHash> {
        vpn_crypto::ike::ALL_HASHES.iter().copied()
    }

    /// Appendix B written out for each hash and each cipher: a long SKEYID_e is cut, a short one is
    /// fed back.
    #[test]
    fn cipher_keys() {
        for prf in every_hash() {
            let keys = SkeyId::derive_psk(&exchanged(prf), b"secret");
            let k1 = prf.hmac(keys.skeyid_e.expose(), &[&[0]]);
            let k2 = prf.hmac(keys.skeyid_e.expose(), &[k1.expose()]);
            let long = [k1.expose(), k2.expose()].concat();
            for len in [16, 24, 32] {
                let key = keys.cipher_key(prf, len);
                let cut = keys.skeyid_e.expose().get(..len);
                assert_eq!(key.expose(), cut.unwrap_or(&long[..len]), "{} {len}", prf.algorithm());
            }
        }
    }

    #[test]
    fn keying_material_of_any_length() {
        for prf in every_hash() {
            let keys = SkeyId::derive_signature(&exchanged(prf));
            for shared_secret in [None, Some(&[9; 32][..])] {
                let seed = KeymatSeed {
                    shared_secret,
                    protocol: ProtocolId::ESP,
                    spi: 0x0102_0304,
                    nonces: NONCES,
                };
                let pfs = shared_secret.unwrap_or_default();
                let seed_octets =
                    [pfs, &[3, 1, 2, 3, 4], NONCES.initiator, NONCES.responder].concat();
                let (mut all, mut previous) = (Vec::new(), Vec::new());
                for _ in 0..7 {
                    let parts = [&previous[..], &seed_octets];
                    previous = prf.hmac(keys.skeyid_d.expose(), &parts).expose().to_vec();
                    all.extend(&previous);
                }
                for len in 0..=all.len() {
                    assert_eq!(keys.keymat(prf, &seed, len).expose(), &all[..len]);
                }
            }
        }
    }

    #[test]
    fn each_direction_child_and_method_has_keys_of_its_own() {
        let prf = every_hash().next().unwrap();
        let keys = SkeyId::derive_psk(&exchanged(prf), b"secret");
        let seed = |spi, shared_secret| KeymatSeed {
            shared_secret,
            protocol: ProtocolId::ESP,
            spi,
            nonces: NONCES,
        };
        let secret = [9; 32];
        let mut all: Vec<Vec<u8>> = [seed(1, None), seed(2, None), seed(1, Some(&secret))]
            .iter()
            .map(|seed| keys.keymat(prf, seed, 32).expose().to_vec())
            .collect();
        for keys in [
            SkeyId::derive_psk(&exchanged(prf), b"secret"),
            SkeyId::derive_psk(&exchanged(prf), b"Secret"),
            SkeyId::derive_psk(&exchanged(prf), b""),
            SkeyId::derive_signature(&exchanged(prf)),
        ] {
            for key in [keys.skeyid, keys.skeyid_d, keys.skeyid_a, keys.skeyid_e] {
                all.push(key.expose().to_vec());
            }
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 3 + 4 * 4);
    }

    #[test]
    fn debug_shows_no_secret() {
        let prf = every_hash().next().unwrap();
        let keys = SkeyId::derive_psk(&exchanged(prf), b"secret");
        let seed = KeymatSeed {
            shared_secret: Some(&[8; 32]),
            protocol: ProtocolId::ESP,
            spi: 5,
            nonces: NONCES,
        };
        let text = format!("{keys:?} {:?} {seed:?}", exchanged(prf));
        assert!(!text.contains("8, 8"), "{text}");
        assert!(text.contains("Digest(32 octets)") && text.contains("spi: 5"), "{text}");
    }
}
