//! What threads share, in every order that they can meet in:
//! `RUSTFLAGS="--cfg loom" cargo test -p ipsec-esp --release --lib loom_tests`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use loom::sync::Arc;
use loom::thread;
use vpn_core::PacketMut;

use crate::Lifetime;
use crate::Limits;
use crate::NextHeader;
use crate::OutboundSa;
use crate::ReplayWindow;
use crate::SaConfig;
use crate::SealError;
use crate::Sealed;
use crate::Shared;
use crate::Spi;
use crate::testing::inbound;
use crate::testing::outbound;

/// Runs `work` in two threads and once here, and returns what each returned.
fn together<T: 'static + Send>(work: [Box<dyn FnOnce() -> T + Send>; 2]) -> Vec<T> {
    let threads = work.map(thread::spawn);
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

fn commits(
    sequences: [&'static [u64]; 2],
    before: &'static [u64],
) -> (Vec<Vec<bool>>, Arc<ReplayWindow<Shared>>) {
    let window = Arc::new(ReplayWindow::<Shared>::new(64).unwrap());
    for sequence in before {
        window.commit(*sequence).unwrap();
    }
    let work = sequences.map(|sequences| {
        let window = Arc::clone(&window);
        let work = move || {
            let take = |s: &u64| window.check(*s).is_ok() && window.commit(*s).is_ok();
            sequences.iter().map(take).collect()
        };
        Box::new(work) as Box<dyn FnOnce() -> Vec<bool> + Send>
    });
    (together(work), window)
}

#[test]
fn the_same_number_is_taken_once() {
    loom::model(|| {
        let (taken, window) = commits([&[5], &[5]], &[]);
        assert_eq!(taken.concat().iter().filter(|taken| **taken).count(), 1);
        assert_eq!(window.highest(), 5);
    });
}

#[test]
fn neighbours_are_both_taken() {
    loom::model(|| {
        let (taken, window) = commits([&[5, 7], &[6]], &[4]);
        assert_eq!(taken.concat(), [true; 3]);
        assert_eq!(window.highest(), 7);
        assert!([4, 5, 6, 7].iter().all(|s| window.commit(*s).is_err()));
    });
}

/// Two turns of the ring meet in one word: the old number is taken or refused, never twice.
#[test]
fn a_leap_takes_the_word_over() {
    const TURN: u64 = 8192;
    loom::model(|| {
        let (taken, window) = commits([&[5 + TURN], &[5, 5]], &[4]);
        assert!(taken[0][0]);
        assert!(!(taken[1][0] && taken[1][1]));
        assert_eq!(window.highest(), 5 + TURN);
        assert!(window.commit(5 + TURN).is_err() && window.commit(5).is_err());
        assert!(window.commit(4 + TURN).is_ok());
    });
}

/// Sequence numbers up to a hard limit of three, wanted by two threads that take two each.
#[test]
fn numbers_are_given_once_and_end() {
    loom::model(|| {
        let hard = Limits { packets: 3, ..Limits::NONE };
        let soft = Limits { packets: 2, ..Limits::NONE };
        let config = SaConfig::new(Spi(300)).lifetime(Lifetime::new(hard).with_soft(soft));
        let sa = Arc::new(outbound::<Shared>("null-sha1", config));
        let work = [0, 1].map(|_| {
            let sa = Arc::clone(&sa);
            let work = move || [seal(&sa), seal(&sa)].to_vec();
            Box::new(work) as Box<dyn FnOnce() -> Vec<Result<Sealed, SealError>> + Send>
        });
        let outcomes = together(work).concat();
        let mut numbers: Vec<u64> =
            outcomes.iter().filter_map(|o| o.ok()).map(|s| s.sequence).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(outcomes.iter().filter(|o| o.is_ok_and(|s| s.soft_limit)).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| **o == Err(SealError::Exhausted)).count(), 1);
        assert_eq!(seal(&sa), Err(SealError::Exhausted));
    });
}

fn seal(sa: &OutboundSa<Shared>) -> Result<Sealed, SealError> {
    let mut storage = [0; 100];
    sa.seal(&mut PacketMut::new(&mut storage, 20..40).unwrap(), NextHeader::TCP)
}

/// One packet, opened by two threads: once.
#[test]
fn a_packet_is_opened_once() {
    loom::model(|| {
        let config = SaConfig::new(Spi(300));
        let out = outbound::<Shared>("null-sha1", config);
        let inbound = Arc::new(inbound::<Shared>("null-sha1", config));
        let mut storage = [0; 100];
        let mut packet = PacketMut::new(&mut storage, 20..40).unwrap();
        out.seal(&mut packet, NextHeader::TCP).unwrap();
        let octets = packet.payload().to_vec();
        let work = [0, 1].map(|_| {
            let (inbound, mut octets) = (Arc::clone(&inbound), octets.clone());
            let work = move || inbound.open(&mut PacketMut::whole(&mut octets)).is_ok();
            Box::new(work) as Box<dyn FnOnce() -> bool + Send>
        });
        assert_eq!(together(work).iter().filter(|opened| **opened).count(), 1);
        assert_eq!(inbound.usage().packets, 1);
    });
}
