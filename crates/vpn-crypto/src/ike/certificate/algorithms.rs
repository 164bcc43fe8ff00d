//! How authorities may sign certificates: RSA PKCS#1 v1.5 and ECDSA, with SHA-2.

use core::fmt;

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use pki_types::AlgorithmIdentifier;
use pki_types::InvalidSignature;
use pki_types::SignatureVerificationAlgorithm;
use pki_types::alg_id;
use rsa::Pkcs1v15Sign;
use rsa::RsaPublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::AssociatedOid;
use sha2::Digest;

use super::long_enough;

/// All of them. SHA-1 is none of them.
pub(super) static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    &Algorithm {
        key: alg_id::RSA_ENCRYPTION,
        signature: alg_id::RSA_PKCS1_SHA256,
        verify: rsa::<sha2::Sha256>,
    },
    &Algorithm {
        key: alg_id::RSA_ENCRYPTION,
        signature: alg_id::RSA_PKCS1_SHA384,
        verify: rsa::<sha2::Sha384>,
    },
    &Algorithm {
        key: alg_id::RSA_ENCRYPTION,
        signature: alg_id::RSA_PKCS1_SHA512,
        verify: rsa::<sha2::Sha512>,
    },
    &Algorithm {
        key: alg_id::ECDSA_P256,
        signature: alg_id::ECDSA_SHA256,
        verify: p256::<sha2::Sha256>,
    },
    &Algorithm {
        key: alg_id::ECDSA_P256,
        signature: alg_id::ECDSA_SHA384,
        verify: p256::<sha2::Sha384>,
    },
    &Algorithm {
        key: alg_id::ECDSA_P384,
        signature: alg_id::ECDSA_SHA256,
        verify: p384::<sha2::Sha256>,
    },
    &Algorithm {
        key: alg_id::ECDSA_P384,
        signature: alg_id::ECDSA_SHA384,
        verify: p384::<sha2::Sha384>,
    },
];

struct Algorithm {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    verify: Verify,
}

/// Verifies with a public key a message's signature; `None` if it is wrong.
type Verify = fn(&[u8], &[u8], &[u8]) -> Option<()>;

impl SignatureVerificationAlgorithm for Algorithm {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        (self.verify)(public_key, message, signature).ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

impl fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} with {:?}", self.signature, self.key)
    }
}

fn rsa<D>(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<()>
where
    D: Digest + AssociatedOid,
{
    let key = RsaPublicKey::from_pkcs1_der(public_key).ok().filter(long_enough)?;
    key.verify(Pkcs1v15Sign::new::<D>(), &D::digest(message), signature).ok()
}

fn p256<D: Digest>(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(public_key).ok()?;
    let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
    key.verify_prehash(&D::digest(message), &signature).ok()
}

fn p384<D: Digest>(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(public_key).ok()?;
    let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
    key.verify_prehash(&D::digest(message), &signature).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use serde_json::Value;
    use std::eprintln;

    fn hex(value: &Value) -> Vec<u8> {
        let text = value.as_str().unwrap();
        let digits = (0..text.len()).step_by(2);
        digits.map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    fn find(
        key: AlgorithmIdentifier,
        signature: AlgorithmIdentifier,
    ) -> &'static dyn SignatureVerificationAlgorithm {
        let fits = |known: &&&dyn SignatureVerificationAlgorithm| {
            known.public_key_alg_id() == key && known.signature_alg_id() == signature
        };
        *ALGORITHMS.iter().find(fits).unwrap()
    }

    /// RSA with SHA-256 of Wycheproof: padding, DigestInfo and length must be as RFC 8017 says.
    #[test]
    fn rsa_wycheproof() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/vectors/wycheproof/rsa_signature_2048_sha256_test.json"
        );
        let Ok(text) = std::fs::read_to_string(path) else {
            return eprintln!("SKIPPED: {path} is absent");
        };
        let all: Value = serde_json::from_str(&text).unwrap();
        let algorithm = find(alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA256);
        let mut checked = 0;
        for group in all["testGroups"].as_array().unwrap() {
            let key = hex(&group["publicKeyAsn"]);
            for case in group["tests"].as_array().unwrap() {
                let (message, signature) = (hex(&case["msg"]), hex(&case["sig"]));
                let good = algorithm.verify_signature(&key, &message, &signature).is_ok();
                // "acceptable" is a DigestInfo without its NULL: nobody has to take it.
                assert_eq!(good, case["result"] == "valid", "{}", case["tcId"]);
                checked += 1;
            }
        }
        assert!(checked > 200, "{checked} cases");
    }

    /// RFC 6979 appendix A.2.5: the message "sample" with SHA-256.
    #[test]
    fn ecdsa_rfc6979() {
        let hex = |text: &str| hex(&Value::from(text));
        let point = hex("0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
             7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
        let mut signature =
            hex("3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
             022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
        let algorithm = find(alg_id::ECDSA_P256, alg_id::ECDSA_SHA256);
        assert!(algorithm.verify_signature(&point, b"sample", &signature).is_ok());
        assert!(algorithm.verify_signature(&point, b"simple", &signature).is_err());
        assert!(algorithm.verify_signature(&point[1..], b"sample", &signature).is_err());
        signature.push(0);
        assert!(algorithm.verify_signature(&point, b"sample", &signature).is_err());
    }
}
