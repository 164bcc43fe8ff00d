use alloc::vec::Vec;

use super::ESCAPE;
use super::FLAG;
use super::FLIP;
use super::fcs::is_good;

/// Finds the frames in the octets of a line (RFC 1662 §4).
#[derive(Clone, Debug)]
pub struct Decoder {
    frame: Vec<u8>,
    max_len: usize,
    accm: u32,
    escaped: bool,
    /// The frame under way is lost; the next flag starts anew.
    lost: bool,
    /// The frame was handed out; the next octet starts anew.
    complete: bool,
    discarded: Discarded,
}

/// How often a frame was discarded, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Discarded {
    /// The check sequence did not fit.
    pub bad_fcs: u64,
    /// More octets than the decoder was made for.
    pub too_long: u64,
    /// Too short to be a frame, or ended by an escape (RFC 1662 §4.3).
    pub broken: u64,
}

impl Decoder {
    /// A decoder for frames with at most `mru` octets of information. Octets below 0x20 that come
    /// without an escape are taken as the line's own, and removed, until
    /// [`Decoder::set_accm`] says otherwise.
    #[must_use]
    pub const fn new(mru: u16) -> Self {
        Self {
            frame: Vec::new(),
            max_len: mru as usize + OVERHEAD,
            accm: u32::MAX,
            escaped: false,
            lost: false,
            complete: false,
            discarded: Discarded { bad_fcs: 0, too_long: 0, broken: 0 },
        }
    }

    /// Which octets below 0x20 the peer escapes, one bit each, so that unescaped ones are the
    /// line's (RFC 1662 §7.1): what [`LinkConfig::accm`](crate::LinkConfig::accm) asked for.
    pub const fn set_accm(&mut self, accm: u32) {
        self.accm = accm;
    }

    /// What was discarded.
    #[must_use]
    pub const fn discarded(&self) -> Discarded {
        self.discarded
    }

    /// Reads from `line` up to the end of the next good frame, and returns that frame without
    /// flags, escapes and check sequence. `None` when the line is used up; the rest of a frame may
    /// come with the next call.
    pub fn next_frame(&mut self, line: &mut &[u8]) -> Option<&[u8]> {
        while let [octet, rest @ ..] = *line {
            *line = rest;
            if core::mem::take(&mut self.complete) {
                self.frame.clear();
            }
            if *octet == FLAG {
                self.complete = true;
                if self.end_frame() {
                    let len = self.frame.len() - FCS_LEN;
                    return self.frame.get(..len);
                }
            } else {
                self.take(*octet);
            }
        }
        None
    }

    fn take(&mut self, octet: u8) {
        if self.lost || (octet < FLIP && self.accm & (1 << octet) != 0) {
            return;
        }
        if core::mem::take(&mut self.escaped) {
            self.put(octet ^ FLIP);
        } else if octet == ESCAPE {
            self.escaped = true;
        } else {
            self.put(octet);
        }
    }

    fn put(&mut self, octet: u8) {
        if self.frame.len() < self.max_len {
            self.frame.push(octet);
        } else {
            self.lost = true;
            self.discarded.too_long += 1;
        }
    }

    /// A flag: whether the octets before it are a good frame.
    fn end_frame(&mut self) -> bool {
        let (escaped, lost) = (self.escaped, self.lost);
        (self.escaped, self.lost) = (false, false);
        if lost || (self.frame.is_empty() && !escaped) {
            // Flags may follow each other.
            return false;
        }
        if escaped || self.frame.len() < SHORTEST {
            self.discarded.broken += 1;
            return false;
        }
        let good = is_good(&self.frame);
        self.discarded.bad_fcs += u64::from(!good);
        good
    }
}

/// The frame check sequence.
const FCS_LEN: usize = 2;

/// Address, Control, Protocol and frame check sequence.
const OVERHEAD: usize = 6;

/// No frame is shorter (RFC 1662 §4.3).
const SHORTEST: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hdlc::encode;

    fn frames(decoder: &mut Decoder, line: &[u8]) -> Vec<Vec<u8>> {
        let mut rest = line;
        let mut frames = Vec::new();
        while let Some(frame) = decoder.next_frame(&mut rest) {
            frames.push(frame.to_vec());
        }
        assert!(rest.is_empty());
        frames
    }

    fn line(frame: &[u8], accm: u32) -> Vec<u8> {
        let mut line = Vec::new();
        encode(frame, accm, &mut line);
        line
    }

    const DATA: [u8; 8] = [0xff, 0x03, 0x00, 0x21, 0x7e, 0x7d, 0x11, 0x41];

    #[test]
    fn escapes_are_those_of_the_rfc() {
        let all = line(&DATA, u32::MAX);
        let start =
            [0x7e, 0xff, 0x7d, 0x23, 0x7d, 0x20, 0x21, 0x7d, 0x5e, 0x7d, 0x5d, 0x7d, 0x31, 0x41];
        assert!(all.starts_with(&start) && all.ends_with(&[0x7e]));
        assert!(line(&DATA, 0).starts_with(&[0x7e, 0xff, 0x03, 0x00, 0x21, 0x7d, 0x5e]));
        // LCP negotiation is escaped whatever was agreed, an echo is not.
        let request = [0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4];
        assert!(line(&request, 0).starts_with(&[0x7e, 0xff, 0x7d, 0x23]));
        let echo = [0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 4];
        assert!(line(&echo, 0).starts_with(&[0x7e, 0xff, 0x03]));
    }

    #[test]
    fn frames_come_back_in_any_pieces() {
        let line = [line(&DATA, 0xffff_ffff), line(&DATA[..5], 0xffff_ffff)].concat();
        for cut in 0..line.len() {
            let mut decoder = Decoder::new(1500);
            let mut found = frames(&mut decoder, &line[..cut]);
            found.extend(frames(&mut decoder, &line[cut..]));
            assert_eq!(found, [&DATA[..], &DATA[..5]], "{cut}");
            assert_eq!(decoder.discarded(), Discarded::default());
        }
    }

    #[test]
    fn what_the_line_inserts_is_removed() {
        let mut noisy = Vec::new();
        for octet in line(&DATA, u32::MAX) {
            noisy.extend_from_slice(&[0x11, octet, 0x13]);
        }
        assert_eq!(frames(&mut Decoder::new(1500), &noisy), [DATA]);
        let mut decoder = Decoder::new(1500);
        decoder.set_accm(0);
        assert_eq!(frames(&mut decoder, &line(&DATA, 0)), [DATA]);
        assert!(frames(&mut decoder, &noisy).is_empty());
    }

    #[test]
    fn broken_frames_are_told_apart() {
        let mut decoder = Decoder::new(4);
        let good = line(&DATA[..4], u32::MAX);
        let mut bad = good.clone();
        bad[1] ^= 4;
        assert!(frames(&mut decoder, &bad).is_empty());
        assert!(
            frames(&mut decoder, &[0x41, 0x42, 0x7e, 0x41, 0x42, 0x43, 0x44, 0x7d, 0x7e])
                .is_empty()
        );
        assert!(frames(&mut decoder, &line(&[0x41; 100], 0)).is_empty());
        assert_eq!(decoder.discarded(), Discarded { bad_fcs: 1, too_long: 1, broken: 2 });
        assert_eq!(frames(&mut decoder, &[0x7e; 9]), [[0; 0]; 0]);
        assert_eq!(frames(&mut decoder, &good), [&DATA[..4]]);
    }
}
