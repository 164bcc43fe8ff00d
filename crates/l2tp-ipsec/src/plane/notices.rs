use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use ipsec_esp::BundleId;
use ipsec_esp::Generation;
use vpn_core::Path;

use super::Notice;

/// What the data plane has noticed since control last asked.
///
/// Nothing is lost, since the first packet and a soft limit are told of once, and nothing grows
/// beyond what there is: a pair of SAs has one entry, a peer another. The maps keep their room, so
/// that the data path allocates next to nothing.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    pairs: HashMap<(BundleId, Generation), Marks, FixedState>,
    moved: HashMap<BundleId, Path, FixedState>,
}

/// What was noticed of a pair.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    used: bool,
    cut: bool,
    soft: bool,
}

impl Notices {
    pub(crate) fn add(&mut self, notice: Notice) {
        match notice {
            Notice::Used(id, generation) => self.marks(id, generation).used = true,
            Notice::Cut(id, generation) => self.marks(id, generation).cut = true,
            Notice::SoftLimit(id, generation) => self.marks(id, generation).soft = true,
            Notice::Moved(id, path) => {
                self.moved.insert(id, path);
            }
        }
    }

    fn marks(&mut self, id: BundleId, generation: Generation) -> &mut Marks {
        self.pairs.entry((id, generation)).or_default()
    }

    /// Takes all of them.
    pub(crate) fn take(&mut self) -> Vec<Notice> {
        let mut notices = Vec::new();
        for ((id, generation), marks) in self.pairs.drain() {
            notices.extend(marks.used.then_some(Notice::Used(id, generation)));
            notices.extend(marks.cut.then_some(Notice::Cut(id, generation)));
            notices.extend(marks.soft.then_some(Notice::SoftLimit(id, generation)));
        }
        notices.extend(self.moved.drain().map(|(id, path)| Notice::Moved(id, path)));
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpn_core::Socket;

    #[test]
    fn none_is_lost_and_a_peer_that_moves_often_takes_one_place() {
        let mut notices = Notices::default();
        let at = |port| Path {
            socket: Socket::NatT,
            local: ([192, 0, 2, 1], 4500).into(),
            remote: ([192, 0, 2, 2], port).into(),
        };
        for port in 1..10_000 {
            notices.add(Notice::Moved(BundleId(1), at(port)));
        }
        for id in 0..10_000 {
            notices.add(Notice::Used(BundleId(id), Generation(0)));
            notices.add(Notice::SoftLimit(BundleId(id), Generation(0)));
            notices.add(Notice::SoftLimit(BundleId(id), Generation(0)));
        }
        let taken = notices.take();
        assert_eq!(taken.len(), 20_001);
        assert_eq!(taken.last(), Some(&Notice::Moved(BundleId(1), at(9_999))));
        assert!(notices.take().is_empty());
    }
}
