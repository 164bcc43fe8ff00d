use alloc::sync::Arc;

use vpn_core::Instant;

use crate::InboundSa;
use crate::Number;
use crate::OutboundSa;
use crate::Removal;

/// The two SAs of one negotiation, and where they are in their life.
pub(super) struct Pair<N> {
    pub(super) inbound: Arc<InboundSa<N>>,
    pub(super) outbound: Option<Arc<OutboundSa<N>>>,
    installed: Instant,
    /// The peer has proved that it has the pair.
    pub(super) confirmed: bool,
    /// When sending changes over to the pair even without a proof.
    pub(super) switch_at: Option<Instant>,
    linger: Option<Linger>,
    /// The soft limit was reported.
    pub(super) soft_said: bool,
    /// The deadline that is entered for the pair.
    pub(super) deadline: Option<Instant>,
}

/// A pair on its way out.
struct Linger {
    until: Instant,
    reason: Removal,
    /// What had come in on it when this round began.
    packets: u64,
}

/// What is due for a pair.
pub(super) enum Due {
    Remove(Removal),
    Linger,
    Switch,
    Soft,
    Nothing,
}

impl<N: Number> Pair<N> {
    pub(super) const fn new(inbound: Arc<InboundSa<N>>, installed: Instant) -> Self {
        Self {
            inbound,
            outbound: None,
            installed,
            confirmed: false,
            switch_at: None,
            linger: None,
            soft_said: false,
            deadline: None,
        }
    }

    pub(super) fn linger(&mut self, until: Instant, reason: Removal) {
        let packets = self.inbound.usage().packets;
        self.linger = Some(Linger { until, reason, packets });
    }

    /// Lingers, unless it does already.
    pub(super) fn begin_to_linger(&mut self, until: Instant, reason: Removal) {
        if self.linger.is_none() {
            self.linger(until, reason);
        }
    }

    pub(super) fn stop_lingering(&mut self) {
        self.linger = None;
    }

    /// The first thing that is due at `now`.
    pub(super) fn due(&self, now: Instant) -> Due {
        let over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if over(self.hard_at()) {
            return Due::Remove(Removal::Expired);
        }
        if let Some(linger) = self.linger.as_ref().filter(|linger| linger.until <= now) {
            // As long as the peer goes on sending here, it has nothing newer.
            let silent = self.inbound.usage().packets == linger.packets;
            return if silent { Due::Remove(linger.reason) } else { Due::Linger };
        }
        if over(self.switch_at) {
            return Due::Switch;
        }
        if over(self.soft_at()) { Due::Soft } else { Due::Nothing }
    }

    /// Why the pair lingers.
    pub(super) fn reason(&self) -> Option<Removal> {
        self.linger.as_ref().map(|linger| linger.reason)
    }

    /// When something will be due.
    pub(super) fn next(&self) -> Option<Instant> {
        let until = self.linger.as_ref().map(|linger| linger.until);
        let all = [self.hard_at(), until, self.switch_at, self.soft_at()];
        all.into_iter().flatten().filter(|at| *at < Instant::MAX).min()
    }

    fn hard_at(&self) -> Option<Instant> {
        Some(self.installed + self.inbound.lifetime().hard().time)
    }

    fn soft_at(&self) -> Option<Instant> {
        (!self.soft_said).then(|| self.installed + self.inbound.lifetime().soft().time)
    }

    pub(super) fn close(&self) {
        self.inbound.close();
        if let Some(outbound) = &self.outbound {
            outbound.close();
        }
    }
}
