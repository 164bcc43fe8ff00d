use alloc::string::String;
use alloc::vec::Vec;
use std::eprintln;

use des::cipher::KeyInit;

use super::*;

/// Every width that the processor has; the others are skipped with a printed line.
fn kernels() -> Vec<(Path, Kernel)> {
    let mut found = Vec::new();
    for path in [Path::Bits256, Path::Bits512] {
        match Kernel::new(path) {
            Some(kernel) => found.push((path, kernel)),
            None => eprintln!("SKIPPED: this processor has no triple DES kernels of {path}"),
        }
    }
    found
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0 ^ self.0 >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    fn block(&mut self) -> [u8; 8] {
        self.next().to_le_bytes()
    }
}

fn key(random: &mut Random) -> [u8; 24] {
    let blocks = [random.block(), random.block(), random.block()];
    blocks.as_flattened().try_into().unwrap()
}

/// What the `des` crate makes of the same packet: the safe twin.
fn twin(key: &[u8; 24], iv: [u8; 8], data: &mut [[u8; 8]]) {
    let cipher = TdesEde3::new(&(*key).into());
    let mut before = iv;
    for block in data {
        let mut state = Block::<TdesEde3>::from(xor(*block, before));
        cipher.encrypt_block(&mut state);
        before = state.into();
        *block = before;
    }
}

/// Packets of these numbers of blocks, each under one of so many keys: encrypted as the twin does
/// it, and decrypted again.
fn check(kernel: Kernel, at: &str, keys: usize, lengths: &[usize], random: &mut Random) {
    let raw: Vec<[u8; 24]> = (0..keys).map(|_| key(random)).collect();
    let cipher = |key: &[u8; 24]| TdesEde3::new(&(*key).into());
    let encrypting: Vec<Key> = raw.iter().map(|key| Key::encrypting(key, cipher(key))).collect();
    let decrypting: Vec<Key> = raw.iter().map(|key| Key::decrypting(key, cipher(key))).collect();
    let plain: Vec<Vec<[u8; 8]>> =
        lengths.iter().map(|len| (0..*len).map(|_| random.block()).collect()).collect();
    let ivs: Vec<[u8; 8]> = lengths.iter().map(|_| random.block()).collect();
    let mut want = plain.clone();
    for (n, packet) in want.iter_mut().enumerate() {
        twin(&raw[n % keys], ivs[n], packet);
    }
    fn jobs<'a>(keys: &'a [Key], ivs: &[[u8; 8]], packets: &'a mut [Vec<[u8; 8]>]) -> Vec<Job<'a>> {
        let packets = packets.iter_mut().enumerate();
        packets.map(|(n, data)| Job { key: &keys[n % keys.len()], iv: ivs[n], data }).collect()
    }
    let mut packets = plain.clone();
    encrypt(kernel, &mut jobs(&encrypting, &ivs, &mut packets));
    assert!(packets == want, "{at}: encryption");
    decrypt(kernel, &mut jobs(&decrypting, &ivs, &mut packets));
    assert!(packets == plain, "{at}: decryption");
}

#[test]
fn every_number_of_blocks_is_as_the_twin_has_it() {
    let mut random = Random(1);
    for (path, kernel) in kernels() {
        for blocks in 0..=263 {
            check(kernel, &alloc::format!("{path}, {blocks}"), 1, &[blocks], &mut random);
        }
    }
}

#[test]
fn every_mix_of_lengths_keys_and_batches_is_as_the_twin_has_it() {
    let mut random = Random(2);
    for (path, kernel) in kernels() {
        for packets in 1..=64 {
            for keys in [1, 2, packets] {
                let lengths: Vec<usize> = match random.below(3) {
                    0 => (0..packets).map(|_| random.below(40)).collect(),
                    1 => (0..packets).map(|_| 1 + random.below(3) * 11).collect(),
                    _ => [random.below(80)].repeat(packets),
                };
                let at = alloc::format!("{path}, {keys} keys, {lengths:?}");
                check(kernel, &at, keys, &lengths, &mut random);
            }
        }
        // More than all lanes have.
        check(kernel, "many", 3, &[2; 300], &mut random);
        check(kernel, "many long", 2, &[200; 9], &mut random);
    }
}

/// NIST SP 800-67 appendix B.1, read as CBC: an IV of zeros before one block.
#[test]
fn nist_sp_800_67() {
    let key: [u8; 24] = [
        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
        0x01, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
    ];
    let cases = [
        (*b"The qufc", [0xa8, 0x26, 0xfd, 0x8c, 0xe5, 0x3b, 0x85, 0x5f]),
        (*b"k brown ", [0xcc, 0xe2, 0x1c, 0x81, 0x12, 0x25, 0x6f, 0xe6]),
        (*b"fox jump", [0x68, 0xd5, 0xc0, 0x5d, 0xd9, 0xb6, 0xb9, 0x00]),
    ];
    for (path, kernel) in kernels() {
        let key = Key::encrypting(&key, TdesEde3::new(&key.into()));
        let mut blocks = cases.map(|case| case.0);
        let mut jobs = blocks.each_mut().map(|block| Job {
            key: &key,
            iv: [0; 8],
            data: core::slice::from_mut(block),
        });
        encrypt(kernel, &mut jobs);
        assert_eq!(blocks, cases.map(|case| case.1), "{path}");
    }
}

/// The portable bit slices, 64 blocks at a time.
#[test]
fn slices_of_words_are_as_the_twin_has_them() {
    let mut random = Random(3);
    let raw: Vec<[u8; 24]> = (0..64).map(|_| key(&mut random)).collect();
    let mut parts = [[0; 64]; 3];
    for (lane, key) in raw.iter().enumerate() {
        for (part, octets) in parts.iter_mut().zip(key.as_chunks().0) {
            part[lane] = u64::from_be_bytes(*octets);
        }
    }
    let mut keys = Keys::<u64>::new();
    keys.set(&mut parts);
    let plain: [u64; 64] = core::array::from_fn(|_| random.next());
    let mut blocks = plain;
    bitslice::crypt::<u64, false>(&keys, &mut blocks);
    for (lane, key) in raw.iter().enumerate() {
        let mut block = [plain[lane].to_be_bytes()];
        twin(key, [0; 8], &mut block);
        assert_eq!(blocks[lane], u64::from_be_bytes(block[0]), "lane {lane}");
    }
    bitslice::crypt::<u64, true>(&keys, &mut blocks);
    assert_eq!(blocks, plain);
}

/// Gates over truth tables.
#[derive(Clone, Copy)]
struct Table(u64);

impl gates::Two for Table {
    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn xor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    fn and_not(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl gates::Three for Table {
    fn table<const TABLE: i32>(self, b: Self, c: Self) -> Self {
        let value = |x: u32| {
            let at = (self.0 >> x & 1) << 2 | (b.0 >> x & 1) << 1 | c.0 >> x & 1;
            u64::from(TABLE >> at & 1 == 1) << x
        };
        Self((0..64).map(value).sum())
    }
}

/// Every circuit against FIPS 46-3, on all 64 inputs.
#[test]
fn circuits_are_the_s_boxes() {
    let input: [Table; 6] = core::array::from_fn(|bit| Table(search::input(bit)));
    macro_rules! check {
        ($($s_box:literal $two:ident $three:ident)*) => { $(
            let want = search::outputs($s_box);
            assert_eq!(s_boxes::$two(input).map(|table| table.0), want, stringify!($two));
            assert_eq!(s_boxes::$three(input).map(|table| table.0), want, stringify!($three));
        )* };
    }
    check!(0 s1 t1 1 s2 t2 2 s3 t3 3 s4 t4 4 s5 t5 5 s6 t6 6 s7 t7 7 s8 t8);
}

/// The generated file is what the generator writes.
#[test]
fn circuits_are_up_to_date() {
    let committed = include_str!("s_boxes.rs");
    let written: String = search::source();
    assert!(committed == written, "run the example des-sboxes, which says how");
}
