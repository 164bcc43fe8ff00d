//! Authentication with RSA signatures and X.509 certificates (RFC 2409 §5.1, RFC 4945).

mod algorithms;
mod key;
mod peer;
mod pem;
mod trust;

pub use key::RsaKey;
pub use key::RsaKeyError;
pub use pem::NoCertificate;
pub use pem::certificates_from_pem;
pub use trust::TrustStore;
pub use trust::TrustStoreError;

use rsa::RsaPublicKey;
use rsa::traits::PublicKeyParts;

/// The shortest modulus that is accepted, in bits, from peers, their authorities and ourselves.
const SHORTEST_MODULUS: u32 = 2048;

/// Whether a key is long enough. Decoding has already refused moduli of more than 8192 bits, even
/// ones, and exponents that are even, below 3 or beyond 2^33.
fn long_enough(key: &RsaPublicKey) -> bool {
    key.n().bits() >= SHORTEST_MODULUS
}
