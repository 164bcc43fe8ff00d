//! Hiding of attribute values (RFC 2661 §4.3).
//!
//! A hidden value is the original one with its length in front and padding behind, exclusive-ored
//! with MD5 digests: the first of attribute, shared secret and random vector, each next of secret
//! and the 16 octets before. The digest comes from the caller, so this crate names no cipher.
//!
//! This keeps a value from idle eyes. It protects neither against who knows the secret nor against
//! changes on the way: the length that comes out is as hostile as one on the wire, and is checked.

use thiserror::Error;
use vpn_core::Writer;
use vpn_core::crypto::Hash;

use crate::AttributeType;
use crate::EncodeError;
use crate::avp::AVP_HEADER_LEN;
use crate::avp::MAX_AVP_LEN;

/// Octets in front of the original value.
const LENGTH_LEN: usize = 2;
/// Octets that one digest covers.
const BLOCK: usize = 16;

/// The most octets of a value and its padding that fit into a hidden AVP.
pub const MAX_HIDDEN_LEN: usize = MAX_AVP_LEN - AVP_HEADER_LEN - LENGTH_LEN;

/// What hiding depends on besides the value.
#[derive(Clone, Copy)]
pub struct HidingKey<'a> {
    /// MD5.
    pub md5: &'a dyn Hash<16>,
    /// The secret shared with the peer, the same that authenticates the tunnel.
    pub secret: &'a [u8],
    /// The value of the Random Vector AVP that most closely precedes the hidden AVP.
    pub random_vector: &'a [u8],
}

impl core::fmt::Debug for HidingKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("HidingKey")
    }
}

/// A value that was hidden.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Unhidden<'s> {
    /// The original value.
    pub value: &'s [u8],
    /// What the sender put behind it.
    pub padding: &'s [u8],
}

impl core::fmt::Debug for Unhidden<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Unhidden({} octets)", self.value.len())
    }
}

/// Why a value could not be unhidden.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum UnhideError {
    /// Fewer than two octets: there is not even a length.
    #[error("a hidden value has at least 2 octets, and here are {0}")]
    TooShort(usize),
    /// The original length is more than what is there. The usual cause is another secret.
    #[error("its unhidden length {length} is more than the {left} octets there: check the secret")]
    WrongLength {
        /// The length that came out.
        length: u16,
        /// Octets behind it.
        left: usize,
    },
    /// No Random Vector AVP came before.
    #[error("no Random Vector came before it")]
    NoRandomVector,
    /// No secret is shared with this peer.
    #[error("no secret is shared with the peer")]
    NoSecret,
    /// The room for unhidden values is used up: give as many octets as the datagram has.
    #[error("there is no room for the unhidden value")]
    NoRoom,
}

/// Hides `value` with `padding` behind it, and writes what comes out to `out`: two octets more than
/// the two have together. Returns that number.
///
/// # Errors
/// [`EncodeError::NoRoom`], or [`EncodeError::ValueTooLong`] where value and padding have more than
/// [`MAX_HIDDEN_LEN`] octets.
pub fn hide(
    key: &HidingKey<'_>,
    attribute: AttributeType,
    value: &[u8],
    padding: &[u8],
    out: &mut [u8],
) -> Result<usize, EncodeError> {
    let too_long = EncodeError::ValueTooLong(attribute);
    if value.len().saturating_add(padding.len()) > MAX_HIDDEN_LEN {
        return Err(too_long);
    }
    let mut writer = Writer::new(out);
    writer.u16(u16::try_from(value.len()).map_err(|_| too_long)?)?;
    writer.put(value)?;
    writer.put(padding)?;
    hide_in_place(key, attribute, writer.written_mut());
    Ok(writer.len())
}

/// Hides a subformat (length, value, padding) where it stands.
pub(crate) fn hide_in_place(key: &HidingKey<'_>, attribute: AttributeType, subformat: &mut [u8]) {
    let mut digest = first_digest(key, attribute);
    let mut blocks = subformat.chunks_mut(BLOCK);
    while let Some(block) = blocks.next() {
        exclusive_or(block, &digest);
        if blocks.len() > 0 {
            digest = key.md5.hash(&[key.secret, block]);
        }
    }
}

/// Reverses [`hide`]: writes the plain octets to `scratch`, which needs as many as `hidden` has.
///
/// # Errors
/// [`UnhideError`]; what `scratch` holds then is unspecified.
pub fn unhide<'s>(
    key: &HidingKey<'_>,
    attribute: AttributeType,
    hidden: &[u8],
    scratch: &'s mut [u8],
) -> Result<Unhidden<'s>, UnhideError> {
    if hidden.len() < LENGTH_LEN {
        return Err(UnhideError::TooShort(hidden.len()));
    }
    let plain = scratch.get_mut(..hidden.len()).ok_or(UnhideError::NoRoom)?;
    plain.copy_from_slice(hidden);
    let mut digest = first_digest(key, attribute);
    let mut blocks = plain.chunks_mut(BLOCK).zip(hidden.chunks(BLOCK));
    while let Some((block, cipher)) = blocks.next() {
        exclusive_or(block, &digest);
        if blocks.len() > 0 {
            digest = key.md5.hash(&[key.secret, cipher]);
        }
    }
    let Some(([high, low], rest)) = plain.split_first_chunk() else {
        return Err(UnhideError::TooShort(hidden.len()));
    };
    let length = u16::from_be_bytes([*high, *low]);
    match rest.split_at_checked(usize::from(length)) {
        Some((value, padding)) => Ok(Unhidden { value, padding }),
        None => Err(UnhideError::WrongLength { length, left: rest.len() }),
    }
}

fn first_digest(key: &HidingKey<'_>, attribute: AttributeType) -> [u8; BLOCK] {
    key.md5.hash(&[&attribute.0.to_be_bytes(), key.secret, key.random_vector])
}

fn exclusive_or(block: &mut [u8], digest: &[u8; BLOCK]) {
    for (octet, mask) in block.iter_mut().zip(digest) {
        *octet ^= mask;
    }
}
