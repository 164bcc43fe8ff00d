//! Triple DES in CBC mode over the packets of a batch.
//!
//! | | encryption | decryption |
//! |---|---|---|
//! | AVX-512 VBMI and GFNI | look-ups in registers, eight packets in each | bit slices over 512 blocks of any packets; what is left, or one short packet, by look-ups in registers |
//! | AVX2 | bit slices, a packet in each of up to 256 lanes | bit slices over 256 blocks of any packets |
//!
//! # Constant time
//!
//! Bit slices and look-ups in registers take the same time whatever the key and the text are. With
//! AVX2 alone, fewer than [`FEW`] packets or blocks are left to the `des` crate, which looks the
//! S-boxes up in memory: that is not constant time, and bit slices would take up to seven times as
//! long there.

mod bitslice;
mod gates;
#[cfg(test)]
#[allow(clippy::std_instead_of_alloc, reason = "shared with a program")]
mod search;
#[rustfmt::skip]
mod s_boxes;
mod planes;
mod schedule;
mod tables;
#[cfg(test)]
mod tests;
mod vbmi;

use arrayvec::ArrayVec;
use des::TdesEde3;
use des::cipher::Block;
use des::cipher::BlockCipherDecrypt;
use des::cipher::BlockCipherEncrypt;
use zeroize::Zeroize;

use self::bitslice::Keys;
use self::planes::bits256;
use self::planes::bits512;
use self::schedule::Schedule;
use self::vbmi::Rows;
use self::vbmi::STEPS;
use self::vbmi::Steps;
use super::Path;
use super::cpu::Avx2;
use super::cpu::Vbmi;

/// The kernels of one width, which the processor has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kernel {
    /// Registers of 256 bits.
    Bits256(Avx2),
    /// Registers of 512 bits.
    Bits512(Vbmi),
}

/// An expanded key for one direction.
pub(crate) struct Key {
    /// The key's three parts as they are.
    parts: [u64; 3],
    /// For look-ups in registers.
    steps: Steps,
    /// For few packets with AVX2.
    cipher: TdesEde3,
}

/// One packet.
pub(crate) struct Job<'a> {
    pub(crate) key: &'a Key,
    pub(crate) iv: [u8; 8],
    pub(crate) data: &'a mut [[u8; 8]],
}

/// A packet that is being encrypted in a lane.
struct Lane<'a> {
    key: &'a Key,
    /// The ciphertext before.
    before: [u8; 8],
    data: &'a mut [[u8; 8]],
}

/// Some blocks of a packet, to decrypt.
struct Piece<'a> {
    key: &'a Key,
    /// The ciphertext before.
    before: [u8; 8],
    blocks: &'a mut [[u8; 8]],
}

/// With fewer lanes than these, bit slices of 256 bits take longer than the `des` crate.
const FEW: usize = 7;
/// With fewer blocks than these, bit slices of 512 bits take longer than look-ups in registers.
const MANY: usize = 320;
/// How many lanes the look-ups in registers have, in four registers.
const LOOKUP_LANES: usize = 4 * vbmi::LANES;

impl Kernel {
    /// The kernels of `path`, if the processor has them.
    pub(crate) fn new(path: Path) -> Option<Self> {
        match path {
            Path::Portable | Path::Bits128 => None,
            Path::Bits256 => Avx2::new().map(Self::Bits256),
            Path::Bits512 => Vbmi::new().map(Self::Bits512),
        }
    }
}

impl Key {
    /// To encrypt with. `cipher` is made of the same key.
    pub(crate) fn encrypting(key: &[u8; 24], cipher: TdesEde3) -> Self {
        Self::new(key, cipher, &Schedule::encrypting(key))
    }

    /// To decrypt with. `cipher` is made of the same key.
    pub(crate) fn decrypting(key: &[u8; 24], cipher: TdesEde3) -> Self {
        Self::new(key, cipher, &Schedule::decrypting(key))
    }

    fn new(key: &[u8; 24], cipher: TdesEde3, schedule: &Schedule) -> Self {
        let mut parts = [0; 3];
        for (part, octets) in parts.iter_mut().zip(key.as_chunks().0) {
            *part = u64::from_be_bytes(*octets);
        }
        Self { parts, steps: Steps::new(schedule), cipher }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.parts.zeroize();
    }
}

/// Encrypts every packet.
pub(crate) fn encrypt(kernel: Kernel, jobs: &mut [Job<'_>]) {
    match kernel {
        Kernel::Bits256(_) if jobs.len() < FEW => {
            for Job { key, iv, data } in jobs {
                let mut before = *iv;
                for block in data.iter_mut() {
                    let mut state = Block::<TdesEde3>::from(xor(*block, before));
                    key.cipher.encrypt_block(&mut state);
                    before = state.into();
                    *block = before;
                }
            }
        }
        Kernel::Bits256(token) => {
            in_lanes(jobs, bits256::LANES, |lanes, blocks| sliced(token, lanes, blocks));
        }
        Kernel::Bits512(token) => {
            in_lanes(jobs, LOOKUP_LANES, |lanes, blocks| looked_up(token, lanes, blocks));
        }
    }
}

/// Decrypts every packet.
pub(crate) fn decrypt(kernel: Kernel, jobs: &mut [Job<'_>]) {
    let mut left: usize = jobs.iter().map(|job| job.data.len()).sum();
    let mut pieces = Pieces::new(jobs);
    match kernel {
        Kernel::Bits256(token) => {
            while left >= FEW {
                let mut taken = pieces.up_to::<{ bits256::LANES }>(bits256::LANES);
                left = left.saturating_sub(bits256::LANES);
                decrypt_256(token, &mut taken);
            }
            while let Some(piece) = pieces.next(usize::MAX) {
                let mut before = piece.before;
                for block in piece.blocks {
                    let mut state = Block::<TdesEde3>::from(*block);
                    piece.key.cipher.decrypt_block(&mut state);
                    before = core::mem::replace(block, xor(state.into(), before));
                }
            }
        }
        Kernel::Bits512(token) => {
            while left >= MANY {
                let mut taken = pieces.up_to::<{ bits512::LANES }>(bits512::LANES);
                left = left.saturating_sub(bits512::LANES);
                decrypt_512(token, &mut taken);
            }
            loop {
                let mut taken = ArrayVec::<_, 4>::new();
                while !taken.is_full()
                    && let Some(piece) = pieces.next(vbmi::LANES)
                {
                    taken.push(piece);
                }
                match taken.as_mut_slice() {
                    [a, b, c, d] => look_up_pieces(token, [a, b, c, d]),
                    [a, b, c] => look_up_pieces(token, [a, b, c]),
                    [a, b] => look_up_pieces(token, [a, b]),
                    [a] => look_up_pieces(token, [a]),
                    _ => return,
                }
            }
        }
    }
}

fn xor(a: [u8; 8], b: [u8; 8]) -> [u8; 8] {
    (u64::from_ne_bytes(a) ^ u64::from_ne_bytes(b)).to_ne_bytes()
}

/// Runs the packets through up to `most` lanes. They go on together for as many blocks as the
/// shortest has; a lane whose packet ends takes the next.
fn in_lanes(jobs: &mut [Job<'_>], most: usize, mut run: impl FnMut(&mut [Lane<'_>], usize)) {
    let mut waiting = jobs.iter_mut().filter(|job| !job.data.is_empty());
    let mut lanes = ArrayVec::<Lane<'_>, { bits256::LANES }>::new();
    loop {
        while lanes.len() < most
            && let Some(job) = waiting.next()
        {
            lanes.push(Lane { key: job.key, before: job.iv, data: job.data });
        }
        let Some(blocks) = lanes.iter().map(|lane| lane.data.len()).min() else { return };
        run(&mut lanes, blocks);
        for lane in &mut lanes {
            let (done, rest) = core::mem::take(&mut lane.data).split_at_mut(blocks);
            lane.before = done.last().copied().unwrap_or(lane.before);
            lane.data = rest;
        }
        lanes.retain(|lane| !lane.data.is_empty());
    }
}

/// Encrypts the next `blocks` blocks of up to [`LOOKUP_LANES`] lanes.
fn looked_up(token: Vbmi, lanes: &mut [Lane<'_>], blocks: usize) {
    let Some((first, others)) = lanes.split_first() else { return };
    let registers = lanes.len().div_ceil(vbmi::LANES);
    if others.iter().all(|lane| core::ptr::eq(lane.key, first.key)) {
        let steps = &first.key.steps.0;
        match registers {
            1 => look_up_lanes(token, [steps], lanes, blocks),
            2 => look_up_lanes(token, [steps; 2], lanes, blocks),
            3 => look_up_lanes(token, [steps; 3], lanes, blocks),
            _ => look_up_lanes(token, [steps; 4], lanes, blocks),
        }
        return;
    }
    let mut rows: [Rows; 4] = [[[0; vbmi::LANES]; STEPS]; 4];
    for (rows, lanes) in rows.iter_mut().zip(lanes.chunks(vbmi::LANES)) {
        for (at, lane) in lanes.iter().enumerate() {
            for (row, [step]) in rows.iter_mut().zip(&lane.key.steps.0) {
                row[at] = *step;
            }
        }
    }
    let [a, b, c, d] = &rows;
    match registers {
        1 => look_up_lanes(token, [a], lanes, blocks),
        2 => look_up_lanes(token, [a, b], lanes, blocks),
        3 => look_up_lanes(token, [a, b, c], lanes, blocks),
        _ => look_up_lanes(token, [a, b, c, d], lanes, blocks),
    }
    rows.zeroize();
}

fn look_up_lanes<const N: usize, const K: usize>(
    _: Vbmi,
    steps: [&[[u64; K]; STEPS]; N],
    lanes: &mut [Lane<'_>],
    blocks: usize,
) {
    // SAFETY: the token says that the processor has the instructions.
    unsafe { vbmi::encrypt(steps, lanes, blocks) }
}

fn look_up_pieces<const N: usize>(_: Vbmi, pieces: [&mut Piece<'_>; N]) {
    // SAFETY: the token says that the processor has the instructions.
    unsafe { vbmi::decrypt(pieces) }
}

/// Cuts packets from their ends, so that the ciphertext before a piece is still there.
struct Pieces<'a, 'j> {
    jobs: core::slice::IterMut<'a, Job<'j>>,
    /// What is left of a packet.
    now: Option<Piece<'a>>,
}

impl<'a, 'j> Pieces<'a, 'j> {
    fn new(jobs: &'a mut [Job<'j>]) -> Self {
        Self { jobs: jobs.iter_mut(), now: None }
    }

    /// The next piece, of up to `most` blocks.
    fn next(&mut self, most: usize) -> Option<Piece<'a>> {
        loop {
            if let Some(Piece { key, before: iv, blocks }) = self.now.take()
                && !blocks.is_empty()
            {
                let (front, blocks) = blocks.split_at_mut(blocks.len().saturating_sub(most));
                let before = front.last().copied().unwrap_or(iv);
                self.now = Some(Piece { key, before: iv, blocks: front });
                return Some(Piece { key, before, blocks });
            }
            let Job { key, iv, data } = self.jobs.next()?;
            self.now = Some(Piece { key, before: *iv, blocks: data });
        }
    }

    /// Pieces with up to `blocks` blocks together.
    fn up_to<const N: usize>(&mut self, blocks: usize) -> ArrayVec<Piece<'a>, N> {
        let mut pieces = ArrayVec::new();
        let mut room = blocks;
        while room > 0
            && let Some(piece) = self.next(room)
        {
            room -= piece.blocks.len();
            pieces.push(piece);
        }
        pieces
    }
}

macro_rules! sliced {
    ($module:ident, $token:ident, $words:literal, $decrypt:ident) => {
        /// Decrypts pieces of no more blocks together than there are lanes.
        fn $decrypt(_: $token, pieces: &mut [Piece<'_>]) {
            let keys = pieces.iter().map(|piece| (piece.key, piece.blocks.len()));
            let mut rows = [[0; $words]; 64];
            let places = rows.as_flattened_mut().iter_mut();
            for (place, block) in places.zip(pieces.iter().flat_map(|piece| &*piece.blocks)) {
                *place = u64::from_be_bytes(*block);
            }
            let mut planes = Keys::new();
            // SAFETY: the token says that the processor has the instructions.
            unsafe { $module::set_keys(&mut planes, keys) };
            // SAFETY: the token says that the processor has the instructions.
            unsafe { $module::crypt::<true>(&planes, &mut rows) };
            let mut words = rows.as_flattened().iter();
            for piece in pieces {
                let mut before = piece.before;
                for (block, word) in piece.blocks.iter_mut().zip(&mut words) {
                    before = core::mem::replace(block, xor(word.to_be_bytes(), before));
                }
            }
        }
    };
}

sliced!(bits256, Avx2, 4, decrypt_256);
sliced!(bits512, Vbmi, 8, decrypt_512);

/// Encrypts the next `blocks` blocks of up to 256 lanes.
fn sliced(_: Avx2, lanes: &mut [Lane<'_>], blocks: usize) {
    let mut planes = Keys::new();
    // SAFETY: the token says that the processor has the instructions.
    unsafe { bits256::set_keys(&mut planes, lanes.iter().map(|lane| (lane.key, 1))) };
    let mut rows = [[0; 4]; 64];
    for (word, lane) in rows.as_flattened_mut().iter_mut().zip(&*lanes) {
        *word = u64::from_be_bytes(lane.before);
    }
    for at in 0..blocks {
        for (word, lane) in rows.as_flattened_mut().iter_mut().zip(&*lanes) {
            *word ^= u64::from_be_bytes(lane.data[at]);
        }
        // SAFETY: the token says that the processor has the instructions.
        unsafe { bits256::crypt::<false>(&planes, &mut rows) };
        for (word, lane) in rows.as_flattened().iter().zip(&mut *lanes) {
            lane.data[at] = word.to_be_bytes();
        }
    }
}
