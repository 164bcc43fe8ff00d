use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use vpn_core::Instant;

use super::quarantine::Quarantine;
use super::tools::Tools;
use crate::LinkId;
use crate::TunnelHandle;

/// How many Tunnel IDs are kept out of use at most. With the limit on tunnels of a link, at least
/// one ID in 150 is always free, which bounds the search for one.
const QUARANTINE: usize = 4096;

/// Which tunnel each Tunnel ID stands for. We choose the IDs, so the network can't make the hash
/// tables collide.
#[derive(Debug)]
pub(super) struct TunnelIds {
    /// `None` keeps an ID out of use for a while.
    ids: HashMap<(LinkId, u16), Option<TunnelHandle>, FixedState>,
    on_link: HashMap<LinkId, usize, FixedState>,
    /// The tunnels of each link that may close under them.
    by_link: BTreeSet<(LinkId, TunnelHandle)>,
    quarantine: Quarantine<(LinkId, u16)>,
}

impl TunnelIds {
    pub(super) fn new() -> Self {
        Self {
            ids: HashMap::with_hasher(FixedState::default()),
            on_link: HashMap::with_hasher(FixedState::default()),
            by_link: BTreeSet::new(),
            quarantine: Quarantine::new(QUARANTINE),
        }
    }

    pub(super) fn find(&self, link: LinkId, id: u16) -> Option<TunnelHandle> {
        self.ids.get(&(link, id)).copied().flatten()
    }

    /// How many tunnels have an ID on `link`.
    pub(super) fn count(&self, link: LinkId) -> usize {
        self.on_link.get(&link).copied().unwrap_or(0)
    }

    /// The tunnels of a link; none for [`LinkId::PLAIN`], which never closes.
    pub(super) fn on(&self, link: LinkId) -> Vec<TunnelHandle> {
        let range = (link, TunnelHandle(0))..=(link, TunnelHandle(u64::MAX));
        self.by_link.range(range).map(|(_, tunnel)| *tunnel).collect()
    }

    /// An ID of `link` that nothing uses, hard to guess (RFC 2661 §9.1). `None` when the random
    /// generator fails, or every ID is in use.
    pub(super) fn choose(&self, link: LinkId, tools: &mut Tools) -> Option<u16> {
        tools.choose_id(|id| !self.ids.contains_key(&(link, id)))
    }

    pub(super) fn insert(&mut self, link: LinkId, id: u16, tunnel: TunnelHandle) {
        if self.ids.insert((link, id), Some(tunnel)).is_none() {
            *self.on_link.entry(link).or_insert(0) += 1;
        }
        if link.is_authenticated() {
            self.by_link.insert((link, tunnel));
        }
    }

    /// The tunnel has gone; its ID stays out of use for `hold`.
    pub(super) fn release(&mut self, now: Instant, hold: Duration, link: LinkId, id: u16) {
        let Some(tunnel) = self.ids.insert((link, id), None).flatten() else { return };
        self.by_link.remove(&(link, tunnel));
        if let Some(count) = self.on_link.get_mut(&link) {
            *count -= 1;
            if *count == 0 {
                self.on_link.remove(&link);
            }
        }
        if let Some(free) = self.quarantine.add(now, hold, (link, id)) {
            self.ids.remove(&free);
        }
    }

    /// Lets go of the IDs that were out of use long enough.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some(free) = self.quarantine.pop_due(now) {
            self.ids.remove(&free);
        }
        if self.ids.is_empty() {
            self.ids.shrink_to_fit();
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.quarantine.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;
    use vpn_netsim::SeededRandom;

    #[test]
    fn an_id_is_not_used_again_at_once() {
        let random = Box::new(SeededRandom::new(1));
        let mut tools = Tools::new(vpn_crypto::provider(), random);
        let mut ids = TunnelIds::new();
        let link = LinkId(3);
        // All but three are in use.
        for id in 4..=u16::MAX {
            ids.insert(link, id, TunnelHandle(1));
        }
        assert_eq!(ids.count(link), 65_532);
        assert_eq!((ids.on(link).len(), ids.on(LinkId(2)).len()), (1, 0));
        let hold = Duration::from_secs(31);
        for expected in (1..=3).rev() {
            let id = ids.choose(link, &mut tools).unwrap();
            ids.insert(link, id, TunnelHandle(2));
            ids.release(Instant::ZERO, hold, link, id);
            assert_eq!(ids.find(link, id), None);
            assert_eq!(ids.ids.values().filter(|owner| owner.is_none()).count(), 4 - expected);
        }
        assert_eq!(ids.choose(link, &mut tools), None, "none is free");
        assert!(ids.choose(LinkId(4), &mut tools).is_some(), "other links have their own");
        ids.handle_timeout(Instant::ZERO + hold);
        assert!(matches!(ids.choose(link, &mut tools), Some(1..=3)));
        assert_eq!((ids.count(link), ids.poll_timeout()), (65_532, None));
        assert_eq!(ids.on(link), [TunnelHandle(1)]);
    }
}
