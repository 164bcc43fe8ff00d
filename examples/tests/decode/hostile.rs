//! Nothing in a file makes the decoder panic, loop or lose count.

use crate::build::pcap;
use crate::data;
use crate::rows;

/// Whole packets of a capture, without its file headers.
fn frames(name: &str) -> Vec<Vec<u8>> {
    let file = std::fs::read(data(name)).unwrap();
    let mut rest = &file[24..];
    let mut frames = Vec::new();
    while let [_, _, _, _, _, _, _, _, a, b, c, d, _, _, _, _, after @ ..] = rest {
        let (frame, after) = after.split_at(u32::from_le_bytes([*a, *b, *c, *d]) as usize);
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}

/// Every packet of a session cut to every length: a row each, with an error unless what is missing
/// is padding.
#[test]
fn every_cut_of_every_packet() {
    for name in ["plain-mschapv2.pcap", "l2tp-chap-full.pcap"] {
        for frame in frames(name) {
            let cuts: Vec<_> = (0..frame.len()).map(|cut| &frame[..cut]).collect();
            let rows = rows(&pcap(1, &cuts));
            assert_eq!(rows.len(), cuts.len());
            let whole = 14 + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
            for (cut, row) in rows.iter().enumerate() {
                assert_eq!(row["error"].is_null(), cut >= whole, "{name} cut to {cut}: {row}");
            }
        }
    }
}

/// A file cut to every length that leaves its header.
#[test]
fn every_cut_of_a_file() {
    let file = std::fs::read(data("plain-pap.pcap")).unwrap();
    let whole = rows(&file);
    for cut in (24..file.len()).step_by(7) {
        let rows = rows(&file[..cut]);
        let (last, before) = match rows.split_last() {
            Some((last, before)) if !last["error"].is_null() => (Some(last), before),
            _ => (None, &rows[..]),
        };
        assert_eq!(before, &whole[..before.len()]);
        assert!(last.is_none_or(|row| row["layers"].as_array().unwrap().is_empty()));
    }
}

/// A generator good enough to choose octets (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Octets changed inside packets: always one row a packet.
#[test]
fn changed_packets_are_rows() {
    let mut dice = Dice(0x1701_4500_0500);
    let mut all = Vec::new();
    for name in ["plain-hidden.pcap", "plain-mschapv2.pcap", "l2tp-chap-full.pcap"] {
        all.extend(frames(name));
    }
    for _ in 0..60 {
        let mut changed = all.clone();
        for frame in &mut changed {
            for _ in 0..=dice.below(4) {
                // Most changes behind the Ethernet and IP headers, where there is more to say.
                let from = if dice.below(4) == 0 { 0 } else { 34 };
                let at = from + dice.below(frame.len() - from);
                frame[at] = dice.below(256) as u8;
            }
            if dice.below(8) == 0 {
                frame.truncate(dice.below(frame.len()));
            }
        }
        let changed: Vec<_> = changed.iter().map(Vec::as_slice).collect();
        for link_type in [1, 9, 51, 101, 113] {
            assert_eq!(rows(&pcap(link_type, &changed)).len(), changed.len());
        }
    }
}

/// Octets changed anywhere in the file, its record headers included: the rows end.
#[test]
fn changed_files_end() {
    let mut dice = Dice(0x2661);
    let file = std::fs::read(data("plain-chap.pcap")).unwrap();
    for _ in 0..400 {
        let mut changed = file.clone();
        for _ in 0..=dice.below(8) {
            let at = 24 + dice.below(changed.len() - 24);
            changed[at] ^= 1 << dice.below(8);
        }
        // 16 octets of header at least stand behind every row but the last.
        assert!(rows(&changed).len() <= changed.len() / 16 + 1);
    }
}
