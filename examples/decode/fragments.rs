//! Reassembly of IP fragments, within bounds.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::collections::VecDeque;

use super::fault::Fault;

/// Packets being put together at a time; the oldest gives way.
const PENDING: usize = 64;
/// The longest IP payload.
const LONGEST: usize = 0xffff;
/// How long fragments of one packet may be apart (RFC 8200 §4.5).
const PATIENCE: Duration = Duration::from_secs(60);

/// Which packet a fragment is of: source, destination, protocol, identification.
pub(crate) type Key = (IpAddr, IpAddr, u8, u32);

/// Fragments whose packets are not complete.
#[derive(Default)]
pub(crate) struct Fragments {
    pending: VecDeque<Pending>,
}

/// A fragment.
pub(crate) struct Piece<'a> {
    pub(crate) frame: u64,
    pub(crate) time: Option<Duration>,
    /// Where its octets belong.
    pub(crate) offset: usize,
    /// Whether it is not the last.
    pub(crate) more: bool,
    pub(crate) octets: &'a [u8],
}

/// A payload put together.
pub(crate) struct Whole {
    /// The frames its fragments were in, in order of arrival.
    pub(crate) frames: Vec<u64>,
    pub(crate) octets: Vec<u8>,
}

struct Pending {
    key: Key,
    since: Option<Duration>,
    frames: Vec<u64>,
    /// By offset; they never overlap.
    pieces: BTreeMap<usize, Vec<u8>>,
    len: usize,
    /// Known once the last fragment is here.
    total: Option<usize>,
}

impl Fragments {
    /// Takes a fragment; the whole payload if it was the last that was missing.
    ///
    /// # Errors
    /// The fragment can't be, or contradicts another one of its packet (which is then forgotten).
    pub(crate) fn add(&mut self, key: Key, piece: Piece<'_>) -> Result<Option<Whole>, Fault> {
        let Piece { frame, time, offset, more, octets } = piece;
        let end = offset + octets.len();
        if octets.is_empty() || end > LONGEST || (more && octets.len() % 8 != 0) {
            let last = if more { "" } else { "the last, " };
            return Err(Fault::new(format!(
                "IP fragment: {last}{} octets at {offset}",
                octets.len()
            )));
        }
        self.pending.retain(|pending| match (pending.since, time) {
            (Some(since), Some(now)) => now.abs_diff(since) <= PATIENCE,
            _ => true,
        });
        let known = self.pending.iter().position(|pending| pending.key == key);
        let mut packet = known.and_then(|at| self.pending.remove(at)).unwrap_or(Pending {
            key,
            since: time,
            frames: Vec::new(),
            pieces: BTreeMap::new(),
            len: 0,
            total: None,
        });
        let repeated = packet.pieces.get(&offset).is_some_and(|known| known == octets);
        if !repeated {
            packet.add(frame, offset, more, octets)?;
        }
        if packet.total == Some(packet.len) {
            let octets = packet.pieces.into_values().flatten().collect();
            return Ok(Some(Whole { frames: packet.frames, octets }));
        }
        if self.pending.len() == PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(packet);
        Ok(None)
    }
}

impl Pending {
    fn add(&mut self, frame: u64, offset: usize, more: bool, octets: &[u8]) -> Result<(), Fault> {
        let end = offset + octets.len();
        let end_of = |(start, known): (&usize, &Vec<u8>)| start + known.len();
        let overlaps = self.pieces.range(..end).next_back().map_or(0, end_of) > offset;
        let furthest = self.pieces.last_key_value().map_or(0, end_of).max(end);
        let total = if more { self.total } else { Some(end) };
        let ends_elsewhere = total.is_some_and(|total| furthest > total)
            || self.total.is_some_and(|known| total != Some(known));
        if overlaps || ends_elsewhere {
            return Err(Fault::new(format!(
                "IP fragment: octets {offset} to {end} contradict an earlier fragment"
            )));
        }
        self.total = total;
        self.frames.push(frame);
        self.len += octets.len();
        self.pieces.insert(offset, octets.to_vec());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::*;

    const KEY: Key =
        (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 17, 9);

    fn piece(offset: usize, more: bool, octets: &[u8]) -> Piece<'_> {
        Piece { frame: offset as u64, time: None, offset, more, octets }
    }

    #[test]
    fn any_order_makes_the_whole() {
        let payload: Vec<u8> = (0..20).collect();
        let orders = [[0, 8, 16], [0, 16, 8], [8, 0, 16], [8, 16, 0], [16, 0, 8], [16, 8, 0]];
        for order in orders {
            let mut fragments = Fragments::default();
            let mut whole = None;
            for offset in order {
                assert!(whole.is_none(), "{order:?}");
                let octets = &payload[offset..(offset + 8).min(20)];
                // Each arrives twice.
                whole = fragments.add(KEY, piece(offset, offset < 16, octets)).unwrap();
                if whole.is_none() {
                    assert!(
                        fragments.add(KEY, piece(offset, offset < 16, octets)).unwrap().is_none()
                    );
                }
            }
            let whole = whole.unwrap();
            assert_eq!(whole.octets, payload);
            assert_eq!(whole.frames, order.map(|offset| offset as u64));
            assert!(fragments.pending.is_empty());
        }
    }

    #[test]
    fn contradictions_are_faults() {
        let octets = [7; 16];
        let pairs = [
            // They overlap, at either end.
            [(0, true, 16), (8, true, 16)],
            [(8, true, 16), (0, true, 16)],
            // The end lies before what is there already, and the other way round.
            [(16, true, 8), (8, false, 8)],
            [(8, false, 8), (16, true, 8)],
            // There are two ends.
            [(8, false, 8), (16, false, 8)],
            [(16, false, 8), (8, false, 8)],
        ];
        for pair in pairs {
            let mut fragments = Fragments::default();
            let [first, second] =
                pair.map(|(offset, more, length)| piece(offset, more, &octets[..length]));
            assert!(fragments.add(KEY, first).unwrap().is_none());
            assert!(fragments.add(KEY, second).is_err(), "{pair:?}");
            assert!(fragments.pending.is_empty());
        }
        let mut fragments = Fragments::default();
        for (offset, more, length) in [(0, true, 0), (0, true, 7), (65528, false, 8)] {
            assert!(fragments.add(KEY, piece(offset, more, &octets[..length])).is_err());
        }
    }

    #[test]
    fn the_oldest_gives_way_and_the_late_are_forgotten() {
        let mut fragments = Fragments::default();
        for id in 0..1000 {
            let key = (KEY.0, KEY.1, KEY.2, id);
            let time = Some(Duration::from_secs(1000));
            let piece = Piece { frame: 1, time, offset: 0, more: true, octets: &[0; 8] };
            assert!(fragments.add(key, piece).unwrap().is_none());
            assert!(fragments.pending.len() <= PENDING);
        }
        let time = Some(Duration::from_secs(1061));
        let piece = Piece { frame: 2, time, offset: 8, more: false, octets: &[0; 8] };
        assert!(fragments.add((KEY.0, KEY.1, KEY.2, 999), piece).unwrap().is_none());
        assert_eq!(fragments.pending.len(), 1);
    }
}
