use vpn_core::Encap;
use vpn_core::EncapError;
use vpn_core::PacketMut;
use vpn_core::Room;
use vpn_core::crypto::BoxedSealKey;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::SealJob;
use vpn_core::crypto::SealKey;

use crate::EspHeader;
use crate::Lifetime;
use crate::NextHeader;
use crate::Number;
use crate::SaConfig;
use crate::SaError;
use crate::SealError;
use crate::Spi;
use crate::Usage;
use crate::layout::Layout;
use crate::lifetime::Crossing;
use crate::lifetime::crossing;
use crate::lifetime::wide;
use crate::number::OwnLines;

/// The sending half of a security association (RFC 4303 §3.3).
///
/// It is used through `&self`, from many threads if `N` is [`Shared`](crate::Shared): the sequence
/// counter is all that packets have in common. It cannot be copied, for a copy would use sequence
/// numbers and IVs a second time:
///
/// ```compile_fail
/// fn copy(sa: &ipsec_esp::OutboundSa<ipsec_esp::Local>) -> ipsec_esp::OutboundSa<ipsec_esp::Local> {
///     sa.clone()
/// }
/// ```
///
/// `K` is where the keys live: on the heap ([`BoxedSealKey`]), or the concrete key of a crypto crate
/// on targets without one.
pub struct OutboundSa<N, K = BoxedSealKey> {
    key: K,
    pub(crate) crypto: &'static dyn EspCrypto,
    layout: Layout,
    config: SaConfig,
    lifetime: Lifetime,
    state: OwnLines<State<N>>,
}

/// What changes as packets go out.
struct State<N> {
    sequence: N,
    octets: N,
    /// [`OPEN`], [`CLOSED`] or [`EXHAUSTED`].
    end: N,
}

const OPEN: u64 = 0;
const CLOSED: u64 = 1;
const EXHAUSTED: u64 = 2;

/// A packet was sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// Its sequence number, all 64 bits.
    pub sequence: u64,
    /// This packet crossed a soft limit: replace the SA now. Each limit is announced once.
    pub soft_limit: bool,
}

/// Sequence numbers and octets reserved for a run of packets, before each takes its share.
pub(crate) struct Run {
    sequence: u64,
    octets: u64,
}

impl<N: Number, K: AsRef<dyn SealKey>> OutboundSa<N, K> {
    /// An SA that has sent nothing.
    ///
    /// # Errors
    /// [`SaError::ReservedSpi`].
    pub fn new(key: K, config: SaConfig) -> Result<Self, SaError> {
        if !config.spi.is_usable() {
            return Err(SaError::ReservedSpi(config.spi));
        }
        let crypto = key.as_ref().crypto();
        Ok(Self {
            key,
            crypto,
            layout: Layout::new(crypto.suite()),
            config,
            lifetime: config.lifetime.within(config.last()),
            state: OwnLines(State { sequence: N::new(0), octets: N::new(0), end: N::new(OPEN) }),
        })
    }

    /// Seals `packet`, which is the payload of an IP packet: what would stand behind the IP header if
    /// there were no ESP (RFC 4303 §3.1.1). It becomes the ESP packet, in place.
    ///
    /// # Errors
    /// [`SealError`]; the packet must then be dropped.
    pub fn seal(
        &self,
        packet: &mut PacketMut<'_>,
        next_header: NextHeader,
    ) -> Result<Sealed, SealError> {
        let octets = self.layout.wrap(packet, next_header)?;
        let run = self.reserve(1, octets)?;
        let sealed = self.take(&run, 1, 0, octets)?;
        let mut job = self.job(sealed.sequence, packet);
        self.crypto.seal(core::slice::from_mut(&mut job));
        if job.sealed { Ok(sealed) } else { Err(SealError::Crypto) }
    }

    /// Seals `packet` so that it looks like one with a payload of at least `payload_len` octets:
    /// traffic flow confidentiality padding (RFC 4303 §2.7).
    ///
    /// The payload must say itself how long it is, as UDP, IPv4 and IPv6 do, and the peer must have
    /// agreed to receive such padding.
    ///
    /// # Errors
    /// [`SealError`]; the packet must then be dropped.
    pub fn seal_padded(
        &self,
        packet: &mut PacketMut<'_>,
        next_header: NextHeader,
        payload_len: usize,
    ) -> Result<Sealed, SealError> {
        packet.append(payload_len.saturating_sub(packet.len()))?.fill(0);
        self.seal(packet, next_header)
    }

    /// Seals `packet` as a dummy, which the receiver throws away (RFC 4303 §2.6). Its content does
    /// not matter, but it is sent: let it be no secret and no leftover.
    ///
    /// # Errors
    /// [`SealError`]; the packet must then be dropped.
    pub fn seal_dummy(&self, packet: &mut PacketMut<'_>) -> Result<Sealed, SealError> {
        self.seal(packet, NextHeader::NONE)
    }

    /// Ends the SA: nothing is sealed any more.
    pub fn close(&self) {
        self.state.0.end.store(CLOSED);
    }

    /// The SPI that the receiver knows this SA by.
    #[must_use]
    pub const fn spi(&self) -> Spi {
        self.config.spi
    }

    /// The suite.
    #[must_use]
    pub fn suite(&self) -> EspSuite {
        self.crypto.suite()
    }

    /// When the SA must be replaced and when it ends, the end of its sequence numbers included.
    #[must_use]
    pub const fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// How much was sealed. The packets are also the last sequence number.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let packets = self.state.0.sequence.load().min(self.lifetime.hard.packets);
        Usage { packets, octets: self.state.0.octets.load() }
    }

    /// The room that sealing needs around a payload of any length.
    #[must_use]
    pub const fn room(&self) -> Room {
        self.layout.room()
    }

    /// Octets of the ESP packet that a payload of `payload_len` becomes.
    #[must_use]
    pub const fn packet_len(&self, payload_len: usize) -> usize {
        self.layout.packet_len(payload_len)
    }

    /// The longest payload whose ESP packet has at most `packet_len` octets: what an MTU leaves.
    #[must_use]
    pub const fn payload_len(&self, packet_len: usize) -> Option<usize> {
        self.layout.payload_len(packet_len)
    }

    /// Puts on the trailer and makes room; returns the octets to be encrypted.
    pub(crate) fn wrap(
        &self,
        packet: &mut PacketMut<'_>,
        next_header: NextHeader,
    ) -> Result<usize, SealError> {
        self.layout.wrap(packet, next_header)
    }

    /// As if so many packets had been sealed.
    #[cfg(test)]
    pub(crate) fn start_at(&self, sequence: u64) {
        self.state.0.sequence.store(sequence);
    }

    /// Reserves `packets` sequence numbers, and counts `octets` to be encrypted.
    pub(crate) fn reserve(&self, packets: u64, octets: usize) -> Result<Run, SealError> {
        let state = &self.state.0;
        match state.end.load() {
            OPEN => {}
            EXHAUSTED => return Err(SealError::Exhausted),
            _ => return Err(SealError::Closed),
        }
        Ok(Run { sequence: state.sequence.add(packets), octets: state.octets.add(wide(octets)) })
    }

    /// The share of one packet in a run: its place from 1, the octets of those before it, and its
    /// own.
    pub(crate) fn take(
        &self,
        run: &Run,
        place: u64,
        before: usize,
        octets: usize,
    ) -> Result<Sealed, SealError> {
        let (soft, hard) = (self.lifetime.soft, self.lifetime.hard);
        let sequence = run.sequence.saturating_add(place);
        let packets = crossing(sequence - 1, sequence, soft.packets, hard.packets);
        let start = run.octets.saturating_add(wide(before));
        let octets = crossing(start, start.saturating_add(wide(octets)), soft.octets, hard.octets);
        if packets == Crossing::Hard || octets == Crossing::Hard {
            self.state.0.end.store(EXHAUSTED);
            return Err(SealError::Exhausted);
        }
        let soft_limit = packets == Crossing::Soft || octets == Crossing::Soft;
        Ok(Sealed { sequence, soft_limit })
    }

    /// The work for the crypto code: writes the header, the rest is in place.
    pub(crate) fn job<'a>(&'a self, sequence: u64, packet: &'a mut PacketMut<'_>) -> SealJob<'a> {
        let packet = packet.payload_mut();
        let [.., n0, n1, n2, n3] = sequence.to_be_bytes();
        let low = u32::from_be_bytes([n0, n1, n2, n3]);
        if let Some(header) = packet.first_chunk_mut() {
            *header = EspHeader { spi: self.config.spi, sequence: low }.encode();
        }
        SealJob {
            key: self.key.as_ref(),
            sequence,
            extended: self.config.extended,
            packet,
            sealed: false,
        }
    }
}

impl<N: Number, K: AsRef<dyn SealKey>> Encap for OutboundSa<N, K> {
    fn room(&self) -> Room {
        self.room()
    }

    fn encap(&self, packet: &mut PacketMut<'_>) -> Result<(), EncapError> {
        self.seal(packet, self.config.next_header)?;
        Ok(())
    }
}
