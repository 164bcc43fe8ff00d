//! The packets of a cell of the race: one suite, one length, 32 packets, in place.

use core::fmt;

use vpn_core::crypto::EspSuite;

/// Packets of a batch.
pub(crate) const BATCH: usize = 32;
/// Payload lengths.
pub(crate) const SIZES: [usize; 3] = [64, 576, 1400];
/// Octets in front of the IV: SPI and sequence number.
pub(crate) const HEADER: usize = 8;

/// Sealing or opening.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Way {
    Seal,
    Open,
}

/// How packets reach the code, and how many SAs they are of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Shape {
    /// 32 calls with a packet each, all of one SA.
    One,
    /// One call with 32 packets of one SA.
    BatchOneSa,
    /// One call with a packet each of 32 SAs.
    BatchManySas,
}

/// Where the parts of a packet lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Layout {
    pub(crate) suite: EspSuite,
    /// Octets in front of the ciphertext.
    pub(crate) front: usize,
    /// Octets of ciphertext: the payload, padding and the two octets of the trailer.
    pub(crate) data: usize,
    pub(crate) icv: usize,
}

/// What a packet lies in, as a driver's buffers do. Some peers write past the end.
#[derive(Clone)]
#[repr(align(64))]
struct Slot([u8; 2048]);

/// 32 packets.
#[derive(Clone)]
pub(crate) struct Packets {
    pub(crate) layout: Layout,
    slots: Vec<Slot>,
}

impl Way {
    pub(crate) const ALL: [Self; 2] = [Self::Seal, Self::Open];
}

impl Shape {
    pub(crate) const ALL: [Self; 3] = [Self::One, Self::BatchOneSa, Self::BatchManySas];

    pub(crate) const fn sas(self) -> usize {
        match self {
            Self::One | Self::BatchOneSa => 1,
            Self::BatchManySas => BATCH,
        }
    }
}

impl Layout {
    pub(crate) fn new(suite: EspSuite, payload: usize) -> Self {
        let front = HEADER + suite.iv_len();
        Self {
            suite,
            front,
            data: (payload + 2).next_multiple_of(suite.alignment()),
            icv: suite.icv_len(),
        }
    }

    /// Octets from the SPI to the ICV.
    pub(crate) const fn len(self) -> usize {
        self.front + self.data + self.icv
    }
}

impl Packets {
    /// Packets with plaintext, ready to be sealed under `sas` SAs in turn.
    pub(crate) fn plain(layout: Layout, sas: usize) -> Self {
        let mut packets = Self { layout, slots: vec![Slot([0; 2048]); BATCH] };
        for (index, packet) in packets.each().enumerate() {
            for (place, octet) in packet.iter_mut().enumerate() {
                *octet = (index * 131 + place * 7 + place / 97) as u8;
            }
            packet[..4].copy_from_slice(&(0x1000 + (index % sas) as u32).to_be_bytes());
            packet[4..8].copy_from_slice(&(index as u32 + 1).to_be_bytes());
        }
        packets
    }

    /// The packets, from the SPI to the ICV.
    pub(crate) fn each(&mut self) -> impl ExactSizeIterator<Item = &mut [u8]> {
        let len = self.layout.len();
        self.slots.iter_mut().map(move |slot| &mut slot.0[..len])
    }

    /// The packets with what is left of their buffers.
    #[cfg(feature = "peers")]
    pub(crate) fn with_tailroom(&mut self) -> impl ExactSizeIterator<Item = &mut [u8]> {
        self.slots.iter_mut().map(|slot| &mut slot.0[..])
    }

    /// The packets, to be compared.
    pub(crate) fn contents(&self) -> impl Iterator<Item = &[u8]> {
        let len = self.layout.len();
        self.slots.iter().map(move |slot| &slot.0[..len])
    }

    /// The decrypted data of the packets, to be compared.
    pub(crate) fn data(&self) -> impl Iterator<Item = &[u8]> {
        let (front, end) = (self.layout.front, self.layout.front + self.layout.data);
        self.slots.iter().map(move |slot| &slot.0[front..end])
    }

    /// Takes over the contents of `other`.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        for (packet, other) in self.each().zip(other.contents()) {
            packet.copy_from_slice(other);
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seal => "seal",
            Self::Open => "open",
        })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "one packet",
            Self::BatchOneSa => "batch, 1 SA",
            Self::BatchManySas => "batch, 32 SAs",
        })
    }
}
