use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use vpn_core::Deadlines;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::PacketMut;
use vpn_core::RandomError;
use vpn_core::SecureRandom;

use crate::EspHeader;
use crate::InboundSa;
use crate::Number;
use crate::OpenError;
use crate::OpenFailure;
use crate::Opened;
use crate::OutboundSa;
use crate::Spi;

mod pair;
mod vocabulary;

use pair::Due;
use pair::Pair;
pub use vocabulary::BundleId;
pub use vocabulary::Generation;
pub use vocabulary::Removal;
pub use vocabulary::SadConfig;
pub use vocabulary::SadError;
pub use vocabulary::SadEvent;

/// The security association database (RFC 4301 §4.4.2): inbound SAs by SPI, and for each peer the SA
/// to send on.
///
/// A replacement never loses a packet: the new inbound SA is there before the peer can use it,
/// sending changes over when the peer has proved that it has the new pair, and the old inbound SA
/// lingers until nothing has come in on it for a while.
///
/// | method | what may change after it |
/// |---|---|
/// | [`install_inbound`](Self::install_inbound) | the SPI is found; `poll_timeout` |
/// | [`install_outbound`](Self::install_outbound) | `Switched`, at once for the first pair; `poll_timeout` |
/// | [`confirm`](Self::confirm) | `Switched`; older pairs begin to linger; `poll_timeout` |
/// | [`choose`](Self::choose) | `Switched`; the pair that was sent on, and older ones, begin to linger; `poll_timeout` |
/// | [`note_soft_limit`](Self::note_soft_limit) | `Replace`, once for each pair |
/// | [`delete_outbound`](Self::delete_outbound) | `Switched`, where another pair is left; `poll_timeout` |
/// | [`remove_pair`](Self::remove_pair) | `Switched`, where another pair is left |
/// | [`close_bundle`](Self::close_bundle) | all SPIs of the bundle are gone, without events |
/// | [`handle_timeout`](Self::handle_timeout) | any event; `poll_timeout` |
///
/// It keeps the contract of [`Machine`]. SAs are counted references: data threads keep those they
/// use, and a removed SA is closed, so that a thread that still holds it can do nothing with it.
pub struct Sad<N> {
    config: SadConfig,
    reserved: BTreeSet<Spi>,
    inbound: HashMap<Spi, Found<N>, FixedState>,
    bundles: BTreeMap<BundleId, Bundle<N>>,
    deadlines: Deadlines<Name>,
    events: VecDeque<SadEvent>,
    bundles_opened: u64,
}

type Name = (BundleId, Generation);

/// An inbound SA and whose it is.
pub struct Found<N> {
    /// The SA.
    pub sa: Arc<InboundSa<N>>,
    /// The bundle that it belongs to.
    pub bundle: BundleId,
    /// Which of the bundle's pairs.
    pub generation: Generation,
}

struct Bundle<N> {
    pairs: BTreeMap<Generation, Pair<N>>,
    sending: Option<Generation>,
    installed: u32,
}

impl<N: Number> Sad<N> {
    /// An empty database.
    #[must_use]
    pub fn new(config: SadConfig) -> Self {
        Self {
            config,
            reserved: BTreeSet::new(),
            inbound: HashMap::with_hasher(FixedState::default()),
            bundles: BTreeMap::new(),
            deadlines: Deadlines::default(),
            events: VecDeque::new(),
            bundles_opened: 0,
        }
    }

    /// Draws an SPI that no inbound SA has, and keeps it from being drawn again until it is installed
    /// or [released](Self::release_spi).
    ///
    /// # Errors
    /// [`SadError::Random`].
    pub fn reserve_spi(&mut self, rng: &mut dyn SecureRandom) -> Result<Spi, SadError> {
        // Of random numbers the first one serves; a generator that repeats itself is broken.
        for _ in 0..64 {
            let mut octets = [0; 4];
            rng.fill(&mut octets)?;
            let spi = Spi(u32::from_be_bytes(octets));
            if spi.is_usable() && !self.inbound.contains_key(&spi) && self.reserved.insert(spi) {
                return Ok(spi);
            }
        }
        Err(SadError::Random(RandomError))
    }

    /// Gives back an SPI whose negotiation failed.
    pub fn release_spi(&mut self, spi: Spi) {
        self.reserved.remove(&spi);
    }

    /// A bundle for a new peer.
    pub fn open_bundle(&mut self) -> BundleId {
        let id = BundleId(self.bundles_opened);
        self.bundles_opened += 1;
        let bundle = Bundle { pairs: BTreeMap::new(), sending: None, installed: 0 };
        self.bundles.insert(id, bundle);
        id
    }

    /// Begins a new pair with its receiving half. From now on its SPI is found.
    ///
    /// Do this before the peer can use it: as responder before the message that carries our SPI goes
    /// out.
    ///
    /// # Errors
    /// [`SadError::UnknownBundle`] and [`SadError::SpiTaken`].
    pub fn install_inbound(
        &mut self,
        now: Instant,
        bundle: BundleId,
        sa: Arc<InboundSa<N>>,
    ) -> Result<Generation, SadError> {
        let spi = sa.spi();
        let owner = self.bundles.get_mut(&bundle).ok_or(SadError::UnknownBundle)?;
        if self.inbound.contains_key(&spi) {
            return Err(SadError::SpiTaken(spi));
        }
        self.reserved.remove(&spi);
        let generation = Generation(owner.installed);
        owner.installed += 1;
        owner.pairs.insert(generation, Pair::new(Arc::clone(&sa), now));
        self.inbound.insert(spi, Found { sa, bundle, generation });
        self.arm((bundle, generation));
        Ok(generation)
    }

    /// Completes a pair with its sending half. It is used at once if the bundle sends on nothing yet
    /// or the pair was confirmed, otherwise after [`confirm`](Self::confirm) or a while.
    ///
    /// # Errors
    /// [`SadError::UnknownBundle`] and [`SadError::UnknownGeneration`].
    pub fn install_outbound(
        &mut self,
        now: Instant,
        bundle: BundleId,
        generation: Generation,
        sa: Arc<OutboundSa<N>>,
    ) -> Result<(), SadError> {
        let switch_at = now + self.config.switch_after;
        let sends_on_nothing = self.outbound(bundle).is_none();
        let pair = self.pair_mut((bundle, generation))?;
        pair.outbound = Some(sa);
        pair.switch_at = Some(switch_at);
        if pair.confirmed || sends_on_nothing {
            self.switch(now, (bundle, generation));
        }
        self.arm((bundle, generation));
        Ok(())
    }

    /// The peer has proved that it has the pair: it answered the negotiation's last message, or the
    /// [first](Opened::first) packet came in on it. Sending changes over, unless it is on a newer
    /// pair already; older pairs begin to linger.
    ///
    /// # Errors
    /// [`SadError::UnknownBundle`] and [`SadError::UnknownGeneration`].
    pub fn confirm(
        &mut self,
        now: Instant,
        bundle: BundleId,
        generation: Generation,
    ) -> Result<(), SadError> {
        self.pair_mut((bundle, generation))?.confirmed = true;
        self.switch(now, (bundle, generation));
        self.arm((bundle, generation));
        Ok(())
    }

    /// Sends on this pair from now on, even if it is older than the present one: whoever negotiates
    /// has decided. Of pairs whose negotiations crossed both sides keep the same one, and it need
    /// not be the one that was installed last here; the peer may also delete a newer one.
    ///
    /// # Errors
    /// [`SadError::UnknownBundle`] and [`SadError::UnknownGeneration`].
    pub fn choose(
        &mut self,
        now: Instant,
        bundle: BundleId,
        generation: Generation,
    ) -> Result<(), SadError> {
        self.pair_mut((bundle, generation))?.confirmed = true;
        self.send_on(now, (bundle, generation));
        self.arm((bundle, generation));
        Ok(())
    }

    /// A packet [crossed a soft limit](crate::Sealed::soft_limit) of the pair.
    pub fn note_soft_limit(&mut self, bundle: BundleId, generation: Generation) {
        let Some(owner) = self.bundles.get_mut(&bundle) else { return };
        let newest = owner.pairs.last_key_value().is_some_and(|(last, _)| *last == generation);
        if let Some(pair) = owner.pairs.get_mut(&generation).filter(|pair| !pair.soft_said) {
            pair.soft_said = true;
            if newest {
                self.events.push_back(SadEvent::Replace { bundle, generation });
            }
        }
        self.arm((bundle, generation));
    }

    /// The peer has deleted its receiving half, which we know by the SPI that we send to. No other
    /// pair is touched. What the peer still has on its way is received for a while.
    ///
    /// # Errors
    /// [`SadError::UnknownBundle`], and [`SadError::UnknownGeneration`] when no pair of the bundle
    /// sends to this SPI.
    pub fn delete_outbound(
        &mut self,
        now: Instant,
        bundle: BundleId,
        spi: Spi,
    ) -> Result<Generation, SadError> {
        let until = now + self.config.linger;
        let owner = self.bundles.get_mut(&bundle).ok_or(SadError::UnknownBundle)?;
        let sends_to = |pair: &Pair<N>| pair.outbound.as_ref().is_some_and(|sa| sa.spi() == spi);
        let (generation, pair) = owner
            .pairs
            .iter_mut()
            .find(|(_, pair)| sends_to(pair))
            .ok_or(SadError::UnknownGeneration)?;
        let generation = *generation;
        if let Some(outbound) = pair.outbound.take() {
            outbound.close();
        }
        pair.switch_at = None;
        pair.begin_to_linger(until, Removal::Deleted);
        self.fall_back(bundle, generation);
        self.arm((bundle, generation));
        Ok(generation)
    }

    /// Ends a pair at once, because whoever negotiated it has ended it. No event follows, but
    /// [`SadEvent::Switched`] where another pair takes over. Returns the SPI on which it received.
    pub fn remove_pair(&mut self, bundle: BundleId, generation: Generation) -> Option<Spi> {
        let inbound = self.take_pair((bundle, generation))?;
        self.fall_back(bundle, generation);
        Some(inbound)
    }

    /// Ends the bundle and all its SAs at once. Returns the SPIs on which it received, for the
    /// Delete to the peer.
    pub fn close_bundle(&mut self, bundle: BundleId) -> Vec<Spi> {
        let pairs = self.bundles.remove(&bundle).map(|bundle| bundle.pairs).unwrap_or_default();
        let forget = |(generation, pair): (Generation, Pair<N>)| {
            pair.close();
            self.deadlines.update((bundle, generation), pair.deadline, None);
            self.inbound.remove(&pair.inbound.spi());
            pair.inbound.spi()
        };
        pairs.into_iter().map(forget).collect()
    }

    /// The inbound SA with this SPI.
    #[must_use]
    pub fn inbound(&self, spi: Spi) -> Option<&Found<N>> {
        self.inbound.get(&spi)
    }

    /// The SA that the bundle sends on.
    #[must_use]
    pub fn outbound(&self, bundle: BundleId) -> Option<&Arc<OutboundSa<N>>> {
        let bundle = self.bundles.get(&bundle)?;
        bundle.pairs.get(&bundle.sending?)?.outbound.as_ref()
    }

    /// The pair that the bundle sends on.
    #[must_use]
    pub fn sending(&self, bundle: BundleId) -> Option<Generation> {
        self.bundles.get(&bundle)?.sending
    }

    /// Every inbound SA, bundle by bundle, oldest first: to make the table that data threads read.
    pub fn inbound_sas(&self) -> impl Iterator<Item = &Found<N>> {
        let pairs = self.bundles.values().flat_map(|bundle| bundle.pairs.values());
        pairs.filter_map(|pair| self.inbound.get(&pair.inbound.spi()))
    }

    /// The SA that each bundle sends on.
    pub fn outbound_sas(&self) -> impl Iterator<Item = (BundleId, &Arc<OutboundSa<N>>)> {
        self.bundles.keys().filter_map(|bundle| Some((*bundle, self.outbound(*bundle)?)))
    }

    /// Opens an ESP packet under the SA that its SPI names.
    ///
    /// # Errors
    /// [`OpenError`], whatever the cause; the packet must then be dropped, without an answer.
    pub fn open(&self, packet: &mut PacketMut<'_>) -> Result<(&Found<N>, Opened), OpenError> {
        self.open_explained(packet).map_err(|_| OpenError)
    }

    /// Opens an ESP packet and says why not: for looking at captures.
    ///
    /// # Errors
    /// [`OpenFailure`]; the packet must then be dropped.
    pub fn open_explained(
        &self,
        packet: &mut PacketMut<'_>,
    ) -> Result<(&Found<N>, Opened), OpenFailure> {
        let header = EspHeader::decode(packet.payload()).map_err(|_| OpenFailure::Malformed)?;
        let found = self.inbound.get(&header.spi).ok_or(OpenFailure::UnknownSpi)?;
        Ok((found, found.sa.open_explained(packet)?))
    }

    /// Does what is due: reports pairs to replace, changes over to pairs that waited long enough,
    /// removes those that lingered or expired.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(name) = self.deadlines.pop_due(now) {
            let Ok(pair) = self.pair_mut(name) else { continue };
            pair.deadline = None;
            match pair.due(now) {
                Due::Remove(reason) => self.remove(name, reason),
                Due::Linger => self.linger_on(now, name),
                Due::Switch => self.switch(now, name),
                Due::Soft => self.note_soft_limit(name.0, name.1),
                Due::Nothing => {}
            }
            self.arm(name);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<SadEvent> {
        self.events.pop_front()
    }

    fn pair_mut(&mut self, (bundle, generation): Name) -> Result<&mut Pair<N>, SadError> {
        let bundle = self.bundles.get_mut(&bundle).ok_or(SadError::UnknownBundle)?;
        bundle.pairs.get_mut(&generation).ok_or(SadError::UnknownGeneration)
    }

    /// Enters the deadline of a pair.
    fn arm(&mut self, name: Name) {
        if let Some(pair) = self.bundles.get_mut(&name.0).and_then(|b| b.pairs.get_mut(&name.1)) {
            let next = pair.next();
            self.deadlines.update(name, pair.deadline, next);
            pair.deadline = next;
        }
    }

    /// Sends on the pair from now on, if it can send and is newer than the present one.
    fn switch(&mut self, now: Instant, (bundle, generation): Name) {
        let sending = self.sending(bundle);
        if sending.is_none_or(|sending| sending < generation) {
            self.send_on(now, (bundle, generation));
        } else if let Ok(pair) = self.pair_mut((bundle, generation)) {
            pair.switch_at = None;
        }
    }

    /// Sends on the pair from now on, if it can send. What was sent on, and what is older, lingers.
    fn send_on(&mut self, now: Instant, (bundle, generation): Name) {
        let until = now + self.config.linger;
        let Some(owner) = self.bundles.get_mut(&bundle) else { return };
        let Some(pair) = owner.pairs.get_mut(&generation) else { return };
        if pair.outbound.is_none() {
            return;
        }
        pair.switch_at = None;
        if owner.sending == Some(generation) {
            return;
        }
        pair.stop_lingering();
        let before = owner.sending.replace(generation);
        self.events.push_back(SadEvent::Switched { bundle, generation });
        let mut left = Vec::new();
        for (other, pair) in &mut owner.pairs {
            if *other < generation || Some(*other) == before {
                pair.switch_at = None;
                pair.begin_to_linger(until, Removal::Replaced);
                left.push(*other);
            }
        }
        for other in left {
            self.arm((bundle, other));
        }
    }

    /// Sends on the newest pair that can, if the bundle sent on `gone`.
    fn fall_back(&mut self, bundle: BundleId, gone: Generation) {
        let Some(owner) = self.bundles.get_mut(&bundle) else { return };
        if owner.sending != Some(gone) {
            return;
        }
        owner.sending = None;
        let left = owner.pairs.iter_mut().rev().find(|(_, pair)| pair.outbound.is_some());
        if let Some((generation, pair)) = left {
            let generation = *generation;
            pair.switch_at = None;
            pair.stop_lingering();
            owner.sending = Some(generation);
            self.events.push_back(SadEvent::Switched { bundle, generation });
            self.arm((bundle, generation));
        }
    }

    /// The peer still sends on a pair that was to go: gives it another round.
    fn linger_on(&mut self, now: Instant, name: Name) {
        let linger = self.config.linger;
        let Ok(pair) = self.pair_mut(name) else { return };
        match pair.reason() {
            Some(reason) if linger.is_zero() => self.remove(name, reason),
            Some(reason) => pair.linger(now + linger, reason),
            None => {}
        }
    }

    fn remove(&mut self, (bundle, generation): Name, reason: Removal) {
        if let Some(inbound) = self.take_pair((bundle, generation)) {
            self.events.push_back(SadEvent::Removed { bundle, generation, inbound, reason });
            self.fall_back(bundle, generation);
        }
    }

    /// Takes a pair out and closes it; returns the SPI on which it received.
    fn take_pair(&mut self, name: Name) -> Option<Spi> {
        let pair = self.bundles.get_mut(&name.0)?.pairs.remove(&name.1)?;
        pair.close();
        self.deadlines.update(name, pair.deadline, None);
        let inbound = pair.inbound.spi();
        self.inbound.remove(&inbound);
        Some(inbound)
    }
}

impl<N: Number> Machine for Sad<N> {
    type Event = SadEvent;

    fn handle_timeout(&mut self, now: Instant) {
        self.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.poll_timeout()
    }

    fn poll_event(&mut self) -> Option<SadEvent> {
        self.poll_event()
    }
}

#[cfg(test)]
mod tests;
