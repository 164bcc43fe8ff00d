//! Hashing of many messages at once, of any lengths.
//!
//! Each message runs in a lane. The lanes go on together for as many blocks as the shortest has; a
//! lane whose message ends takes the next, and when none is left, the last lane moves into the gap.

use super::cpu::Avx512;
use super::cpu::ShaNi;
use super::path::Path;

/// The kernels that there are, each with the proof that the processor has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernels {
    /// Up to [`STREAMS`] messages with the SHA instructions.
    ni: Option<ShaNi>,
    /// Sixteen or 32 messages, one in each word of a register.
    wide: Option<Avx512>,
}

impl Kernels {
    /// Those of `path`, as far as the processor has them.
    pub(crate) fn new(path: Path) -> Self {
        match path {
            Path::Portable => Self { ni: None, wide: None },
            Path::Bits128 | Path::Bits256 => Self { ni: ShaNi::new(), wide: None },
            Path::Bits512 => Self { ni: ShaNi::new(), wide: Avx512::new() },
        }
    }
}

/// A hash function with blocks of 64 octets and a state of `W` words.
pub(crate) trait Hash<const W: usize> {
    /// From this many messages on sixteen lanes are faster than the SHA instructions.
    const WIDE: usize;

    /// Hashes whole blocks of one message, on any processor.
    fn portable(state: &mut [u32; W], blocks: &[[u8; 64]]);

    /// Hashes `blocks` blocks of each message. All have at least so many.
    fn streams<const N: usize>(
        ni: ShaNi,
        states: &mut [[u32; W]; N],
        messages: [&[[u8; 64]]; N],
        blocks: usize,
    );

    /// Hashes `blocks` blocks of each of the first `16 * G` lanes. All have at least so many.
    fn wide<const G: usize>(
        wide: Avx512,
        states: &mut [[[u32; 16]; W]; 2],
        lanes: &[[&[[u8; 64]]; 16]; 2],
        blocks: usize,
    );
}

macro_rules! hash {
    ($name:ident, $words:literal, $from:literal, $portable:path, $ni:ident, $wide:ident) => {
        pub(crate) struct $name;

        impl Hash<$words> for $name {
            const WIDE: usize = $from;

            fn portable(state: &mut [u32; $words], blocks: &[[u8; 64]]) {
                $portable(state, blocks);
            }

            fn streams<const N: usize>(
                _: ShaNi,
                states: &mut [[u32; $words]; N],
                messages: [&[[u8; 64]]; N],
                blocks: usize,
            ) {
                // SAFETY: the token says that the processor has the instructions.
                unsafe { super::$ni::compress(states, messages, blocks) }
            }

            fn wide<const G: usize>(
                _: Avx512,
                states: &mut [[[u32; 16]; $words]; 2],
                lanes: &[[&[[u8; 64]]; 16]; 2],
                blocks: usize,
            ) {
                // SAFETY: the token says that the processor has the instructions.
                unsafe { super::$wide::compress::<G>(states, lanes, blocks) }
            }
        }
    };
}

hash!(Sha1, 5, 8, sha1::block_api::compress, sha1_ni, sha1_wide);
hash!(Sha256, 8, 12, sha2::block_api::compress256, sha256_ni, sha256_wide);

/// A message of whole blocks, padded, in two parts.
pub(crate) struct Message<'a, const W: usize> {
    /// Where the hash begins, and where it ends.
    pub(crate) state: [u32; W],
    pub(crate) body: &'a [[u8; 64]],
    pub(crate) tail: &'a [[u8; 64]],
}

/// How many messages the SHA instructions take together.
const STREAMS: usize = 4;

/// Hashes every message.
pub(crate) fn hash<H: Hash<W>, const W: usize>(kernels: Kernels, messages: &mut [Message<'_, W>]) {
    let most = match kernels {
        Kernels { wide: Some(_), .. } => 32,
        Kernels { ni: Some(_), .. } => STREAMS,
        _ => {
            for message in messages {
                H::portable(&mut message.state, message.body);
                H::portable(&mut message.state, message.tail);
            }
            return;
        }
    };
    let mut lanes = Lanes::<W> {
        states: [[[0; 16]; W]; 2],
        now: [[&[]; 16]; 2],
        then: [&[]; 32],
        message: [0; 32],
        active: 0,
    };
    let mut waiting = 0..messages.len();
    while lanes.active < most
        && let Some(next) = waiting.next()
    {
        lanes.active += 1;
        lanes.fill(lanes.active - 1, next, &messages[next]);
    }
    while lanes.active > 0 {
        let blocks = lanes.shortest();
        lanes.run::<H>(kernels, blocks);
        for lane in (0..lanes.active).rev() {
            if lanes.advance(lane, blocks) {
                messages[lanes.message[lane]].state = lanes.state(lane);
                match waiting.next() {
                    Some(next) => lanes.fill(lane, next, &messages[next]),
                    None => lanes.close(lane),
                }
            }
        }
    }
}

/// What runs in up to 32 lanes.
struct Lanes<'a, const W: usize> {
    /// Word `w` of lane `16 * g + l` at `[g][w][l]`.
    states: [[[u32; 16]; W]; 2],
    /// The blocks that each lane hashes now. A lane that is not in use repeats another's.
    now: [[&'a [[u8; 64]]; 16]; 2],
    /// The blocks that come behind them.
    then: [&'a [[u8; 64]]; 32],
    /// Which message each lane hashes.
    message: [usize; 32],
    /// How many lanes are in use: the first ones.
    active: usize,
}

impl<'a, const W: usize> Lanes<'a, W> {
    fn fill(&mut self, lane: usize, index: usize, message: &Message<'a, W>) {
        self.message[lane] = index;
        self.set_state(lane, &message.state);
        let (now, then) = match message.body {
            [] => (message.tail, message.body),
            _ => (message.body, message.tail),
        };
        self.now[lane / 16][lane % 16] = now;
        self.then[lane] = then;
    }

    fn state(&self, lane: usize) -> [u32; W] {
        let mut state = [0; W];
        for (word, column) in state.iter_mut().zip(&self.states[lane / 16]) {
            *word = column[lane % 16];
        }
        state
    }

    fn set_state(&mut self, lane: usize, state: &[u32; W]) {
        for (word, column) in state.iter().zip(&mut self.states[lane / 16]) {
            column[lane % 16] = *word;
        }
    }

    /// Ends a lane: the last takes its place.
    fn close(&mut self, lane: usize) {
        self.active -= 1;
        let last = self.active;
        if lane == last {
            return;
        }
        self.set_state(lane, &self.state(last));
        self.now[lane / 16][lane % 16] = self.now[last / 16][last % 16];
        self.then[lane] = self.then[last];
        self.message[lane] = self.message[last];
    }

    fn shortest(&self) -> usize {
        let lanes = self.now.as_flattened().iter().take(self.active);
        lanes.map(|blocks| blocks.len()).min().unwrap_or(0)
    }

    /// Goes on behind `blocks` blocks. Says whether the message has ended.
    fn advance(&mut self, lane: usize, blocks: usize) -> bool {
        let now = &mut self.now[lane / 16][lane % 16];
        *now = &now[blocks..];
        if now.is_empty() {
            *now = core::mem::take(&mut self.then[lane]);
        }
        now.is_empty()
    }

    /// Hashes `blocks` blocks in each lane in use.
    fn run<H: Hash<W>>(&mut self, kernels: Kernels, blocks: usize) {
        match kernels {
            Kernels { ni: Some(ni), wide: Some(_) } if self.active < H::WIDE => {
                self.streams::<H>(ni, blocks);
            }
            Kernels { wide: Some(wide), .. } => {
                let first = self.now[0][0];
                for idle in self.now.as_flattened_mut().iter_mut().skip(self.active) {
                    *idle = first;
                }
                if self.active > 16 {
                    H::wide::<2>(wide, &mut self.states, &self.now, blocks);
                } else {
                    H::wide::<1>(wide, &mut self.states, &self.now, blocks);
                }
            }
            Kernels { ni: Some(ni), .. } => self.streams::<H>(ni, blocks),
            _ => {}
        }
    }

    /// The lanes in use, some at a time, with the SHA instructions.
    fn streams<H: Hash<W>>(&mut self, ni: ShaNi, blocks: usize) {
        let mut lane = 0;
        while lane < self.active {
            lane += match self.active - lane {
                1 => self.some::<H, 1>(ni, lane, blocks),
                2 => self.some::<H, 2>(ni, lane, blocks),
                3 | 6 => self.some::<H, 3>(ni, lane, blocks),
                _ => self.some::<H, 4>(ni, lane, blocks),
            };
        }
    }

    /// `N` lanes from `first` on.
    fn some<H: Hash<W>, const N: usize>(
        &mut self,
        ni: ShaNi,
        first: usize,
        blocks: usize,
    ) -> usize {
        let mut states = [[0; W]; N];
        let mut messages: [&[[u8; 64]]; N] = [&[]; N];
        for n in 0..N {
            states[n] = self.state(first + n);
            messages[n] = self.now[(first + n) / 16][(first + n) % 16];
        }
        H::streams(ni, &mut states, messages, blocks);
        for (n, state) in states.iter().enumerate() {
            self.set_state(first + n, state);
        }
        N
    }
}
