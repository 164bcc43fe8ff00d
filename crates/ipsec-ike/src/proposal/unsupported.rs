use alloc::string::String;

use thiserror::Error;

use crate::EncapsulationMode;

/// Why a transform that a peer offers can't be used, whatever our policy is.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Unsupported {
    /// An attribute is missing that it can't be without.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// Two attributes contradict each other, or one can't be read.
    #[error("its {0} contradict each other")]
    Conflicting(&'static str),
    /// A number that is not spoken here.
    #[error("its {0} is not known")]
    Unknown(&'static str),
    /// A key length that the cipher does not have.
    #[error("its cipher has no keys of {0} bits")]
    KeyLength(u64),
    /// An attribute that is not known, so that what it asks for can't be done.
    #[error("attribute {0} is not known")]
    Attribute(u16),
    /// Something else than transport mode (RFC 3193 §2.1).
    #[error("it asks for {0} mode, where L2TP takes transport mode")]
    NotTransport(EncapsulationMode),
    /// Transport mode in UDP without a NAT, or without UDP where there is one.
    #[error("it asks for {0} mode, which does not fit the way to the peer")]
    WrongTransport(EncapsulationMode),
    /// It is to be combined with another protocol, such as AH or IPCOMP.
    #[error("it is to be combined with another protocol")]
    Combined,
    /// Not the protocol that is negotiated.
    #[error("it is not for the protocol that is negotiated")]
    Protocol,
    /// An SPI that none may have (RFC 4303 §2.1).
    #[error("its SPI is not one that ESP may have")]
    Spi,
}

/// A text that names no proposal.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{text:?} names no proposal; one is written as {example}")]
pub struct UnknownProposal {
    /// What was read.
    pub text: String,
    /// What one looks like.
    pub example: &'static str,
}
