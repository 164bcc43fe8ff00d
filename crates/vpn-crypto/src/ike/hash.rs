use core::marker::PhantomData;

use hmac::EagerHash;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use vpn_core::crypto::Digest;
use vpn_core::crypto::HashAlgorithm;
use vpn_core::crypto::IkeHash;
use zeroize::Zeroize;

/// The hash function `D` and its HMAC.
pub(super) struct Hash<D>(HashAlgorithm, PhantomData<fn() -> D>);

impl<D> Hash<D> {
    pub(super) const fn new(algorithm: HashAlgorithm) -> Self {
        Self(algorithm, PhantomData)
    }
}

impl<D: EagerHash> IkeHash for Hash<D> {
    fn algorithm(&self) -> HashAlgorithm {
        self.0
    }

    fn hash(&self, parts: &[&[u8]]) -> Digest {
        let mut hasher = D::new();
        for part in parts {
            hasher.update(part);
        }
        taken(hasher.finalize())
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Digest {
        // The error type has no value that this can make: HMAC takes a key of any length.
        let Ok(mut mac) = <Hmac<D> as KeyInit>::new_from_slice(key) else {
            return Digest::new(&[]);
        };
        for part in parts {
            mac.update(part);
        }
        taken(mac.finalize().into_bytes())
    }
}

/// Moves `output` where it is wiped on drop.
fn taken(mut output: impl AsMut<[u8]>) -> Digest {
    let octets = output.as_mut();
    let digest = Digest::new(octets);
    octets.zeroize();
    digest
}
