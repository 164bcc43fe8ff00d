use core::fmt;

use vpn_core::crypto::DhGroup;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::HashAlgorithm;

use super::IkeProposal;
use super::Lifetime;
use super::Unsupported;
use super::lifetime::LifetimeReader;
use crate::AuthMethod;
use crate::EncryptionAlgorithm;
use crate::HashId;
use crate::IkeAttribute;
use crate::IkeTransform;
use crate::attribute::Attribute;
use crate::payload::Transform;

/// A transform of phase 1 as a peer offers it: numbers, whether they are known or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OfferedIke {
    /// The transform's number.
    pub number: u8,
    /// The cipher.
    pub encryption: Option<EncryptionAlgorithm>,
    /// The cipher's key length in bits.
    pub key_length: Option<u16>,
    /// The hash function.
    pub hash: Option<HashId>,
    /// The Diffie-Hellman group.
    pub group: Option<DhGroup>,
    /// How both sides prove who they are.
    pub auth: Option<AuthMethod>,
    /// How long the peer would use the SA.
    pub lifetime: Lifetime,
    /// Why it can't be used, if its attributes say so already.
    pub fault: Option<Unsupported>,
}

impl OfferedIke {
    /// Reads the attributes of a transform, in any order and either form (RFC 2409 appendix A).
    #[must_use]
    pub fn read(transform: &Transform<'_>) -> Self {
        let mut offered = Self {
            number: transform.number,
            encryption: None,
            key_length: None,
            hash: None,
            group: None,
            auth: None,
            lifetime: Lifetime::default(),
            fault: None,
        };
        if transform.id != IkeTransform::KEY_IKE.0 {
            offered.fault = Some(Unsupported::Unknown("Transform-Id"));
        }
        let mut lifetime = LifetimeReader::default();
        for attribute in transform.attributes.iter() {
            let read = offered.attribute(&attribute, &mut lifetime);
            offered.fault = offered.fault.or(read.err());
        }
        offered.lifetime = lifetime.lifetime;
        offered
    }

    fn attribute(
        &mut self,
        attribute: &Attribute<'_>,
        lifetime: &mut LifetimeReader,
    ) -> Result<(), Unsupported> {
        let class = IkeAttribute(attribute.class);
        match class {
            IkeAttribute::ENCRYPTION_ALGORITHM => {
                set(&mut self.encryption, number(attribute).map(EncryptionAlgorithm))
            }
            IkeAttribute::HASH_ALGORITHM => set(&mut self.hash, number(attribute).map(HashId)),
            IkeAttribute::AUTHENTICATION_METHOD => {
                set(&mut self.auth, number(attribute).map(AuthMethod))
            }
            IkeAttribute::GROUP_DESCRIPTION => set(&mut self.group, number(attribute).map(DhGroup)),
            IkeAttribute::KEY_LENGTH => set(&mut self.key_length, number(attribute)),
            IkeAttribute::LIFE_TYPE => {
                lifetime.life_type(attribute);
                Some(())
            }
            IkeAttribute::LIFE_DURATION => lifetime.duration(attribute),
            // It says again what the Group Description means.
            IkeAttribute::GROUP_TYPE => Some(()),
            other => return Err(Unsupported::Attribute(other.0)),
        }
        .ok_or(Unsupported::Conflicting(class.name().unwrap_or_default()))
    }

    /// What it proposes, where all of it is known.
    ///
    /// # Errors
    /// [`Unsupported`].
    pub fn proposal(&self) -> Result<IkeProposal, Unsupported> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let encryption = self.encryption.ok_or(Unsupported::Missing("cipher"))?;
        let cipher = match (encryption, self.key_length) {
            (EncryptionAlgorithm::AES_CBC, Some(128)) => EspCipher::Aes128Cbc,
            (EncryptionAlgorithm::AES_CBC, Some(192)) => EspCipher::Aes192Cbc,
            (EncryptionAlgorithm::AES_CBC, Some(256)) => EspCipher::Aes256Cbc,
            (EncryptionAlgorithm::AES_CBC, None) => return Err(Unsupported::Missing("Key Length")),
            // 3DES has one length only and must not say it; some do (RFC 2409 appendix A).
            (EncryptionAlgorithm::TRIPLE_DES_CBC, None | Some(192)) => EspCipher::TripleDesCbc,
            (EncryptionAlgorithm::AES_CBC | EncryptionAlgorithm::TRIPLE_DES_CBC, Some(bits)) => {
                return Err(Unsupported::KeyLength(u64::from(bits)));
            }
            _ => return Err(Unsupported::Unknown("cipher")),
        };
        let hash = match self.hash.ok_or(Unsupported::Missing("hash function"))? {
            HashId::MD5 => HashAlgorithm::Md5,
            HashId::SHA => HashAlgorithm::Sha1,
            HashId::SHA2_256 => HashAlgorithm::Sha2_256,
            HashId::SHA2_384 => HashAlgorithm::Sha2_384,
            HashId::SHA2_512 => HashAlgorithm::Sha2_512,
            _ => return Err(Unsupported::Unknown("hash function")),
        };
        let group = self.group.ok_or(Unsupported::Missing("Diffie-Hellman group"))?;
        Ok(IkeProposal { cipher, hash, group })
    }
}

/// The value of an attribute that has 16 bits, in either form.
pub(super) fn number(attribute: &Attribute<'_>) -> Option<u16> {
    attribute.value.number().and_then(|number| u16::try_from(number).ok())
}

/// Sets what must not be said twice differently; `None` when it was, or when there is no value.
pub(super) fn set<T: PartialEq>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
    let value = value?;
    match place {
        Some(before) if *before != value => None,
        _ => {
            *place = Some(value);
            Some(())
        }
    }
}

/// As [`IkeProposal`] writes it; what is not known by its number.
impl fmt::Display for OfferedIke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Ok(proposal) = self.proposal() {
            proposal.fmt(f)?;
        } else {
            match self.encryption {
                Some(encryption) => encryption.fmt(f)?,
                None => f.write_str("no cipher")?,
            }
            if let Some(bits) = self.key_length {
                write!(f, " {bits}")?;
            }
            if let Some(hash) = self.hash {
                write!(f, "-{hash}")?;
            }
            if let Some(group) = self.group {
                write!(f, "-{group}")?;
            }
        }
        match self.auth {
            Some(AuthMethod::PRE_SHARED_KEY) | None => Ok(()),
            Some(auth) => write!(f, " ({auth})"),
        }
    }
}
