use vpn_core::Decap;
use vpn_core::DecapError;
use vpn_core::DropReason;
use vpn_core::PacketMut;
use vpn_core::crypto::BoxedOpenKey;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::OpenJob;
use vpn_core::crypto::OpenKey;

use crate::EspHeader;
use crate::Lifetime;
use crate::NextHeader;
use crate::Number;
use crate::OpenError;
use crate::OpenFailure;
use crate::Refused;
use crate::ReplayWindow;
use crate::SaConfig;
use crate::SaError;
use crate::Spi;
use crate::Usage;
use crate::layout::Layout;
use crate::lifetime::Crossing;
use crate::lifetime::crossing;
use crate::lifetime::wide;
use crate::number::OwnLines;

/// The receiving half of a security association (RFC 4303 §3.4).
///
/// It is used through `&self`, from many threads if `N` is [`Shared`](crate::Shared). A packet goes
/// through the replay window twice: before the ICV is verified, which changes nothing, and after it,
/// which decides. A packet that is not authentic changes only counters.
pub struct InboundSa<N, K = BoxedOpenKey> {
    key: K,
    pub(crate) crypto: &'static dyn EspCrypto,
    layout: Layout,
    config: SaConfig,
    lifetime: Lifetime,
    state: OwnLines<State<N>>,
}

/// What changes as packets come in.
struct State<N> {
    window: ReplayWindow<N>,
    octets: N,
    closed: N,
    forged_in_a_row: N,
    failures: [N; OpenFailure::ALL.len()],
}

/// A packet was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opened {
    /// What the payload is. [`NextHeader::NONE`] is a dummy packet, whose payload is cut to nothing:
    /// drop it without a word (RFC 4303 §2.6). Whoever takes the payload must check that this is
    /// what the SA was made for (RFC 4301 §5.2).
    pub next_header: NextHeader,
    /// The sequence number, all 64 bits.
    pub sequence: u64,
    /// It is the first packet of the SA, so the peer has begun to use it.
    pub first: bool,
    /// Its sequence number is the highest so far: where it came from is where the peer is now.
    pub newest: bool,
    /// This packet crossed a soft limit: replace the SA now. Each limit is announced once.
    pub soft_limit: bool,
}

impl<N: Number, K: AsRef<dyn OpenKey>> InboundSa<N, K> {
    /// An SA that has received nothing.
    ///
    /// # Errors
    /// [`SaError`].
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
            state: OwnLines(State {
                window: ReplayWindow::new(config.window)?,
                octets: N::new(0),
                closed: N::new(0),
                forged_in_a_row: N::new(0),
                failures: core::array::from_fn(|_| N::new(0)),
            }),
        })
    }

    /// Opens `packet`, from the SPI to the ICV, in place: it becomes the payload.
    ///
    /// # Errors
    /// [`OpenError`], whatever the cause; the packet must then be dropped.
    pub fn open(&self, packet: &mut PacketMut<'_>) -> Result<Opened, OpenError> {
        self.open_explained(packet).map_err(|_| OpenError)
    }

    /// Opens `packet` and says why not: for looking at captures. Keep the cause from whoever sent
    /// the packet.
    ///
    /// # Errors
    /// [`OpenFailure`]; the packet must then be dropped.
    pub fn open_explained(&self, packet: &mut PacketMut<'_>) -> Result<Opened, OpenFailure> {
        let sequence = self.admit(packet.payload())?;
        let mut job = self.job(sequence, packet);
        self.crypto.open(core::slice::from_mut(&mut job));
        let authentic = job.authentic;
        self.settle(authentic, sequence, packet)
    }

    /// Whether `packet` has a right ICV under this SA, tried on a copy in `scratch`. Changes
    /// nothing, and does not look at the replay window.
    ///
    /// A server that has to find out which of two suites a peer really uses (a peer may cut
    /// HMAC-SHA-256 to 96 bits without saying so) asks both.
    #[must_use]
    pub fn recognizes(&self, packet: &[u8], scratch: &mut [u8]) -> bool {
        let header = EspHeader::decode(packet).ok().filter(|header| header.spi == self.config.spi);
        let sequence = header.and_then(|header| self.whole_sequence(header.sequence));
        sequence.is_some_and(|sequence| self.verifies(packet, sequence, scratch))
    }

    /// How many packets in a row failed their ICV check: with extended sequence numbers a sign that
    /// 2^32 or more packets were lost (RFC 4303 appendix A3.1).
    #[must_use]
    pub fn forged_in_a_row(&self) -> u64 {
        self.state.0.forged_in_a_row.load()
    }

    /// Tries `packet` with up to `tries` higher halves of the sequence number, on copies in
    /// `scratch`, and moves the window there if one is right (RFC 4303 appendix A3.2). The packet
    /// itself is not delivered.
    ///
    /// This is work for the background: each try costs an ICV check. At most 1,024 are made.
    pub fn resynchronize(&self, packet: &[u8], scratch: &mut [u8], tries: u32) -> bool {
        let header = EspHeader::decode(packet).ok().filter(|header| header.spi == self.config.spi);
        let Some(header) = header.filter(|_| self.config.extended) else { return false };
        let Some(mut sequence) = self.whole_sequence(header.sequence) else { return false };
        for _ in 0..tries.min(1024) {
            let Some(next) = sequence.checked_add(1 << 32) else { return false };
            sequence = next;
            if self.verifies(packet, sequence, scratch) {
                self.state.0.forged_in_a_row.store(0);
                return self.state.0.window.commit(sequence).is_ok();
            }
        }
        false
    }

    /// Ends the SA: nothing is opened any more.
    pub fn close(&self) {
        self.state.0.closed.store(1);
    }

    /// The SPI that the peer sends to.
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

    /// How much came in. The packets are the highest sequence number, so that they agree with what
    /// the sender counts; the octets are those of authentic packets.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage { packets: self.state.0.window.highest(), octets: self.state.0.octets.load() }
    }

    /// How many packets were not opened for this cause.
    #[must_use]
    pub fn failures(&self, cause: OpenFailure) -> u64 {
        self.state.0.failures.get(cause as usize).map_or(0, N::load)
    }

    #[cfg(test)]
    pub(crate) const fn window(&self) -> &ReplayWindow<N> {
        &self.state.0.window
    }

    /// Looks at a packet before any cipher does. Says which sequence number it has.
    pub(crate) fn admit(&self, packet: &[u8]) -> Result<u64, OpenFailure> {
        self.sequence_of(packet).map_err(|cause| self.count(cause))
    }

    fn sequence_of(&self, packet: &[u8]) -> Result<u64, OpenFailure> {
        let header = EspHeader::decode(packet).map_err(|_| OpenFailure::Malformed)?;
        if header.spi != self.config.spi {
            return Err(OpenFailure::UnknownSpi);
        }
        let Some(octets) = self.layout.ciphertext_in(packet.len()) else {
            return Err(OpenFailure::Malformed);
        };
        let sequence = self.whole_sequence(header.sequence).ok_or(OpenFailure::TooOld)?;
        if self.is_over(sequence, octets) {
            return Err(OpenFailure::Expired);
        }
        self.state.0.window.check(sequence)?;
        Ok(sequence)
    }

    /// Whether a packet would be over a hard limit, or the SA was closed.
    fn is_over(&self, sequence: u64, octets: usize) -> bool {
        let (state, hard) = (&self.state.0, self.lifetime.hard);
        let octets = state.octets.load().saturating_add(wide(octets));
        state.closed.load() != 0 || sequence > hard.packets || octets > hard.octets
    }

    fn whole_sequence(&self, low: u32) -> Option<u64> {
        if self.config.extended { self.state.0.window.infer(low) } else { Some(low.into()) }
    }

    /// The work for the crypto code.
    pub(crate) fn job<'a>(&'a self, sequence: u64, packet: &'a mut PacketMut<'_>) -> OpenJob<'a> {
        self.job_on(sequence, packet.payload_mut())
    }

    fn job_on<'a>(&'a self, sequence: u64, packet: &'a mut [u8]) -> OpenJob<'a> {
        let extended = self.config.extended;
        OpenJob { key: self.key.as_ref(), sequence, extended, packet, authentic: false }
    }

    fn verifies(&self, packet: &[u8], sequence: u64, scratch: &mut [u8]) -> bool {
        let Some(copy) = scratch.get_mut(..packet.len()) else { return false };
        if self.layout.ciphertext_in(packet.len()).is_none() {
            return false;
        }
        copy.copy_from_slice(packet);
        let mut job = self.job_on(sequence, copy);
        self.crypto.open(core::slice::from_mut(&mut job));
        job.authentic
    }

    /// Decides about a packet that the crypto code has worked on.
    pub(crate) fn settle(
        &self,
        authentic: bool,
        sequence: u64,
        packet: &mut PacketMut<'_>,
    ) -> Result<Opened, OpenFailure> {
        let state = &self.state.0;
        if !authentic {
            state.forged_in_a_row.add(1);
            return Err(self.count(OpenFailure::BadIcv));
        }
        if state.forged_in_a_row.load() != 0 {
            state.forged_in_a_row.store(0);
        }
        let committed =
            state.window.commit(sequence).map_err(|refused| self.count(refused.into()))?;
        let octets = wide(self.layout.ciphertext_in(packet.len()).unwrap_or(0));
        let soft_limit =
            self.meter(committed.before, sequence, octets).map_err(|cause| self.count(cause))?;
        let unwrapped = self.layout.unwrap(packet);
        let next_header = unwrapped.ok_or_else(|| self.count(OpenFailure::BadPadding))?;
        Ok(Opened {
            next_header,
            sequence,
            first: committed.before == 0,
            newest: sequence > committed.before,
            soft_limit,
        })
    }

    /// Counts an authentic packet, whose predecessor had the number `before`. Says whether it crossed
    /// a soft limit.
    fn meter(&self, before: u64, sequence: u64, octets: u64) -> Result<bool, OpenFailure> {
        let (soft, hard) = (self.lifetime.soft, self.lifetime.hard);
        let packets = crossing(before, before.max(sequence), soft.packets, hard.packets);
        let octets_before = self.state.0.octets.add(octets);
        let octets_after = octets_before.saturating_add(octets);
        let octets = crossing(octets_before, octets_after, soft.octets, hard.octets);
        if octets == Crossing::Hard {
            return Err(OpenFailure::Expired);
        }
        Ok(packets == Crossing::Soft || octets == Crossing::Soft)
    }

    #[cold]
    fn count(&self, cause: OpenFailure) -> OpenFailure {
        if let Some(counter) = self.state.0.failures.get(cause as usize) {
            counter.add(1);
        }
        cause
    }
}

impl From<Refused> for OpenFailure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Replayed => Self::Replay,
            Refused::TooOld => Self::TooOld,
        }
    }
}

impl<N: Number, K: AsRef<dyn OpenKey>> Decap for InboundSa<N, K> {
    fn decap(&self, packet: &mut PacketMut<'_>) -> Result<(), DecapError> {
        let opened = self.open(packet).map_err(|_| DecapError(DropReason::Unauthenticated))?;
        match opened.next_header {
            carried if carried == self.config.next_header => Ok(()),
            NextHeader::NONE => Err(DecapError(DropReason::Dummy)),
            _ => Err(DecapError(DropReason::NotAllowed)),
        }
    }
}
