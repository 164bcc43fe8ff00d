use alloc::vec::Vec;
use core::fmt;

use vpn_core::crypto::DhGroup;
use vpn_core::crypto::EspAead;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

use super::EspProposal;
use super::Lifetime;
use super::Unsupported;
use super::lifetime::LifetimeReader;
use super::offered_ike::number;
use super::offered_ike::set;
use crate::AuthAlgorithm;
use crate::EncapsulationMode;
use crate::EspTransform;
use crate::IpsecAttribute;
use crate::ProtocolId;
use crate::attribute::Attribute;
use crate::payload::Proposal;
use crate::payload::SecurityAssociation;
use crate::payload::Transform;

/// SPIs below are reserved (RFC 4303 §2.1).
const FIRST_SPI: u32 = 256;

/// A transform of phase 2 as a peer offers it: numbers, whether they are known or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OfferedEsp {
    /// The number of the proposal that it stands in.
    pub proposal_number: u8,
    /// The transform's number.
    pub number: u8,
    /// The SPI that the peer would receive on.
    pub spi: u32,
    /// The cipher, or the combined mode algorithm.
    pub transform: EspTransform,
    /// The cipher's key length in bits.
    pub key_length: Option<u16>,
    /// The integrity algorithm.
    pub auth: Option<AuthAlgorithm>,
    /// The Diffie-Hellman group of quick mode.
    pub group: Option<DhGroup>,
    /// How packets are wrapped.
    pub mode: Option<EncapsulationMode>,
    /// How long the peer would use the SA.
    pub lifetime: Lifetime,
    /// Why it can't be used, if its proposal or its attributes say so already.
    pub fault: Option<Unsupported>,
}

impl OfferedEsp {
    /// Every transform of every proposal in an SA payload, with its octets.
    pub(super) fn all<'a>(
        sa: &SecurityAssociation<'a>,
    ) -> impl Iterator<Item = (Self, Transform<'a>)> + use<'a> {
        let numbers: Vec<u8> = sa.proposals().map(|proposal| proposal.number).collect();
        sa.proposals().flat_map(move |proposal| {
            // Proposals with one number are meant together (RFC 2408 §4.2).
            let same = numbers.iter().filter(|number| **number == proposal.number).count();
            let combined = same > 1;
            proposal.transforms().map(move |transform| {
                let mut offered = Self::read(&proposal, &transform);
                if combined {
                    offered.fault = Some(Unsupported::Combined);
                }
                (offered, transform)
            })
        })
    }

    /// Reads the attributes of a transform, in any order and either form (RFC 2407 §4.5).
    #[must_use]
    pub fn read(proposal: &Proposal<'_>, transform: &Transform<'_>) -> Self {
        let spi = proposal.esp_spi();
        let mut offered = Self {
            proposal_number: proposal.number,
            number: transform.number,
            spi: spi.unwrap_or(0),
            transform: EspTransform(transform.id),
            key_length: None,
            auth: None,
            group: None,
            mode: None,
            lifetime: Lifetime::default(),
            fault: None,
        };
        if proposal.protocol != ProtocolId::ESP {
            offered.fault = Some(Unsupported::Protocol);
        } else if offered.spi < FIRST_SPI {
            offered.fault = Some(Unsupported::Spi);
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
        let class = IpsecAttribute(attribute.class);
        match class {
            IpsecAttribute::SA_LIFE_TYPE => {
                lifetime.life_type(attribute);
                Some(())
            }
            IpsecAttribute::SA_LIFE_DURATION => lifetime.duration(attribute),
            IpsecAttribute::GROUP_DESCRIPTION => {
                set(&mut self.group, number(attribute).map(DhGroup))
            }
            IpsecAttribute::ENCAPSULATION_MODE => {
                set(&mut self.mode, number(attribute).map(EncapsulationMode))
            }
            IpsecAttribute::AUTHENTICATION_ALGORITHM => {
                set(&mut self.auth, number(attribute).map(AuthAlgorithm))
            }
            IpsecAttribute::KEY_LENGTH => set(&mut self.key_length, number(attribute)),
            other => return Err(Unsupported::Attribute(other.0)),
        }
        .ok_or(Unsupported::Conflicting(class.name().unwrap_or_default()))
    }

    /// What it proposes, where all of it is known. The mode of encapsulation is not looked at.
    ///
    /// # Errors
    /// [`Unsupported`].
    pub fn proposal(&self) -> Result<EspProposal, Unsupported> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.transform == EspTransform::AES_GCM_16 {
            let aead = match self.key_length.ok_or(Unsupported::Missing("Key Length"))? {
                128 => EspAead::Aes128Gcm16,
                192 => EspAead::Aes192Gcm16,
                256 => EspAead::Aes256Gcm16,
                bits => return Err(Unsupported::KeyLength(u64::from(bits))),
            };
            if self.auth.is_some() {
                return Err(Unsupported::Conflicting("cipher and integrity algorithm"));
            }
            return Ok(EspProposal { suite: EspSuite::Combined(aead), pfs: self.group });
        }
        let cipher = match (self.transform, self.key_length) {
            (EspTransform::AES_CBC, Some(128)) => EspCipher::Aes128Cbc,
            (EspTransform::AES_CBC, Some(192)) => EspCipher::Aes192Cbc,
            (EspTransform::AES_CBC, Some(256)) => EspCipher::Aes256Cbc,
            (EspTransform::AES_CBC, None) => return Err(Unsupported::Missing("Key Length")),
            (EspTransform::TRIPLE_DES, None | Some(192)) => EspCipher::TripleDesCbc,
            (EspTransform::NULL, None | Some(0)) => EspCipher::Null,
            (EspTransform::AES_CBC | EspTransform::TRIPLE_DES | EspTransform::NULL, Some(bits)) => {
                return Err(Unsupported::KeyLength(u64::from(bits)));
            }
            _ => return Err(Unsupported::Unknown("cipher")),
        };
        let integrity = match self.auth.ok_or(Unsupported::Missing("integrity algorithm"))? {
            AuthAlgorithm::HMAC_MD5 => EspIntegrity::HmacMd5_96,
            AuthAlgorithm::HMAC_SHA => EspIntegrity::HmacSha1_96,
            AuthAlgorithm::HMAC_SHA2_256 => EspIntegrity::HmacSha2_256_128,
            AuthAlgorithm::HMAC_SHA2_384 => EspIntegrity::HmacSha2_384_192,
            AuthAlgorithm::HMAC_SHA2_512 => EspIntegrity::HmacSha2_512_256,
            _ => return Err(Unsupported::Unknown("integrity algorithm")),
        };
        Ok(EspProposal { suite: EspSuite::Separate(cipher, integrity), pfs: self.group })
    }

    /// The mode of encapsulation, where it is transport mode and in UDP exactly if `udp`.
    ///
    /// The numbers of RFC 3947 and of the drafts before are both taken.
    ///
    /// # Errors
    /// [`Unsupported`]: for tunnel mode by its name.
    pub fn transport_mode(&self, udp: bool) -> Result<EncapsulationMode, Unsupported> {
        let mode = self.mode.ok_or(Unsupported::Missing("Encapsulation Mode"))?;
        if !mode.is_transport() {
            Err(Unsupported::NotTransport(mode))
        } else if mode.is_udp() != udp {
            Err(Unsupported::WrongTransport(mode))
        } else {
            Ok(mode)
        }
    }
}

/// As [`EspProposal`] writes it; what is not known by its number.
impl fmt::Display for OfferedEsp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Ok(proposal) = self.proposal() {
            proposal.fmt(f)?;
        } else {
            self.transform.fmt(f)?;
            if let Some(bits) = self.key_length {
                write!(f, " {bits}")?;
            }
            if let Some(auth) = self.auth {
                write!(f, "-{auth}")?;
            }
            if let Some(group) = self.group {
                write!(f, "-{group}")?;
            }
        }
        match self.mode {
            Some(mode) if !mode.is_transport() => write!(f, " ({mode})"),
            _ => Ok(()),
        }
    }
}
