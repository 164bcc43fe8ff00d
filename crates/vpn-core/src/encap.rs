use thiserror::Error;

use crate::DropReason;
use crate::NoRoom;
use crate::PacketMut;

/// Free octets that an [`Encap`] needs around a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Room {
    /// In front: exactly what is prepended.
    pub front: usize,
    /// Behind: at most what is appended.
    pub back: usize,
}

impl Room {
    /// Room for one layer inside another.
    #[must_use]
    pub const fn plus(self, outer: Self) -> Self {
        Self { front: self.front + outer.front, back: self.back + outer.back }
    }
}

/// Why a packet could not be encapsulated. Its content is unspecified afterwards: drop it.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum EncapError {
    /// The buffer has too little head- or tailroom: leave [`Encap::room`] around the packet.
    #[error("too little room around the packet: {0}")]
    NoRoom(#[from] NoRoom),
    /// The packet is longer than a length field of this layer can say.
    #[error("the packet has {len} octets and at most {max} fit")]
    TooLong {
        /// Octets of the packet.
        len: usize,
        /// The most that fit.
        max: usize,
    },
    /// The layer's numbers are used up or its state has closed.
    #[error("the layer is closed or its sequence numbers are used up")]
    Exhausted,
}

/// Why a packet could not be decapsulated. Its content is unspecified afterwards: drop it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("{0}")]
pub struct DecapError(pub DropReason);

/// Puts a layer around a packet, in place.
pub trait Encap {
    /// The room that [`Encap::encap`] needs.
    fn room(&self) -> Room;

    /// Wraps the packet.
    ///
    /// # Errors
    /// [`EncapError`]; the packet must then be dropped.
    fn encap(&self, packet: &mut PacketMut<'_>) -> Result<(), EncapError>;
}

/// Takes a layer off a packet, in place.
pub trait Decap {
    /// Unwraps the packet.
    ///
    /// # Errors
    /// [`DecapError`]; the packet must then be dropped.
    fn decap(&self, packet: &mut PacketMut<'_>) -> Result<(), DecapError>;
}
