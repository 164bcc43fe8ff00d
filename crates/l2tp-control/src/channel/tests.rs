use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use vpn_core::Instant;
use vpn_core::SecureRandom;
use vpn_netsim::SeededRandom;

use super::*;

const AT_ONCE: ChannelConfig = ChannelConfig {
    retransmission: Retransmission::RFC_2661,
    acknowledgement_delay: Duration::ZERO,
    receive_window: 4,
};

fn seconds(n: u64) -> Instant {
    Instant::from_micros(n * 1_000_000)
}

fn message(n: u16) -> Box<[u8]> {
    n.to_be_bytes().into()
}

/// What goes out at `now`, as (Ns, Nr, is a ZLB).
fn drain(channel: &mut Channel, now: Instant, config: &ChannelConfig) -> Vec<(u16, u16, bool)> {
    let mut sent = Vec::new();
    while let Some(outgoing) = channel.poll_transmit(now, config) {
        sent.push(match outgoing {
            Outgoing::Message { ns, nr, .. } => (ns, nr, false),
            Outgoing::Acknowledgement { ns, nr } => (ns, nr, true),
        });
    }
    sent
}

#[test]
fn repeats_after_1_2_4_8_s_and_gives_up_after_31() {
    let mut channel = Channel::new(FirstNumbers::default());
    channel.push(message(0));
    let mut sent = vec![];
    let mut now = seconds(0);
    let gave_up = loop {
        for (ns, ..) in drain(&mut channel, now, &AT_ONCE) {
            sent.push((now, ns));
        }
        now = channel.poll_timeout().unwrap();
        if channel.handle_timeout(now, &AT_ONCE).is_err() {
            break now;
        }
    };
    assert_eq!(sent, [0, 1, 3, 7, 15].map(|s| (seconds(s), 0)));
    assert_eq!(gave_up, seconds(31));
    assert_eq!(channel.poll_timeout(), None);
}

#[test]
fn a_retransmission_carries_the_newest_nr() {
    let mut channel = Channel::new(FirstNumbers::default());
    channel.push(message(0));
    assert_eq!(drain(&mut channel, seconds(0), &AT_ONCE), [(0, 0, false)]);
    let received = channel.receive(seconds(0), (0, 0), Some(b"x"), &AT_ONCE);
    assert_eq!(received, Received::Deliver);
    assert_eq!(drain(&mut channel, seconds(0), &AT_ONCE), [(1, 1, true)]);
    channel.handle_timeout(seconds(1), &AT_ONCE).unwrap();
    assert_eq!(drain(&mut channel, seconds(1), &AT_ONCE), [(0, 1, false)]);
}

#[test]
fn keeps_to_both_windows() {
    let mut channel = Channel::new(FirstNumbers::default());
    channel.set_peer_window(3);
    for n in 0..9 {
        channel.push(message(n));
    }
    let sent = |channel: &mut Channel, nr| {
        let received = channel.receive(seconds(0), (0, nr), None, &AT_ONCE);
        assert_eq!(received, Received::Acknowledgement);
        drain(channel, seconds(0), &AT_ONCE).iter().map(|sent| sent.0).collect::<Vec<_>>()
    };
    assert_eq!(sent(&mut channel, 0), [0]);
    assert_eq!(sent(&mut channel, 1), [1, 2]);
    assert_eq!(sent(&mut channel, 1), []);
    assert_eq!(sent(&mut channel, 2), [3, 4]);
    assert_eq!(sent(&mut channel, 5), [5, 6, 7]);
    assert_eq!(sent(&mut channel, 8), [8]);
    assert_eq!(sent(&mut channel, 9), []);
    assert_eq!(channel.queued(), 0);
}

#[test]
fn after_a_timeout_begins_again_at_the_oldest() {
    let mut channel = Channel::new(FirstNumbers::default());
    channel.set_peer_window(8);
    for n in 0..8 {
        channel.push(message(n));
    }
    drain(&mut channel, seconds(0), &AT_ONCE);
    for nr in 1..=3 {
        let _ = channel.receive(seconds(0), (0, nr), None, &AT_ONCE);
        drain(&mut channel, seconds(0), &AT_ONCE);
    }
    assert_eq!(channel.congestion().window(), 4);
    channel.handle_timeout(seconds(1), &AT_ONCE).unwrap();
    assert_eq!(drain(&mut channel, seconds(1), &AT_ONCE), [(3, 0, false)]);
    assert_eq!((channel.congestion().window(), channel.congestion().threshold()), (1, 2));
    // The peer had kept what followed: one acknowledgement covers all that went out.
    let _ = channel.receive(seconds(1), (0, 7), None, &AT_ONCE);
    assert_eq!(drain(&mut channel, seconds(1), &AT_ONCE), [(7, 0, false)]);
    // Or it had not: then they go out again.
    let mut channel = Channel::new(FirstNumbers::default());
    channel.push(message(0));
    channel.push(message(1));
    drain(&mut channel, seconds(0), &AT_ONCE);
    let _ = channel.receive(seconds(0), (0, 1), None, &AT_ONCE);
    channel.push(message(2));
    assert_eq!(drain(&mut channel, seconds(0), &AT_ONCE), [(1, 0, false), (2, 0, false)]);
    channel.handle_timeout(seconds(1), &AT_ONCE).unwrap();
    assert_eq!(drain(&mut channel, seconds(1), &AT_ONCE), [(1, 0, false)]);
    let _ = channel.receive(seconds(1), (0, 2), None, &AT_ONCE);
    assert_eq!(drain(&mut channel, seconds(1), &AT_ONCE), [(2, 0, false)]);
    assert_eq!(channel.poll_timeout(), Some(seconds(2)), "back-off starts afresh");
}

#[test]
fn an_acknowledgement_waits_for_company_but_not_long() {
    let config = ChannelConfig {
        acknowledgement_delay: Duration::from_millis(20),
        ..ChannelConfig::default()
    };
    let later = seconds(0) + config.acknowledgement_delay;
    let mut channel = Channel::new(FirstNumbers::default());
    assert_eq!(channel.receive(seconds(0), (0, 0), Some(b"x"), &config), Received::Deliver);
    assert_eq!(drain(&mut channel, seconds(0), &config), []);
    assert_eq!(channel.poll_timeout(), Some(later));
    assert_eq!(drain(&mut channel, later, &config), [(0, 1, true)]);
    assert_eq!(channel.poll_timeout(), None);

    // A message that goes out first carries it.
    let _ = channel.receive(seconds(1), (1, 0), Some(b"x"), &config);
    channel.push(message(0));
    assert_eq!(drain(&mut channel, seconds(1), &config), [(0, 2, false)]);
    let _ = channel.receive(seconds(1), (2, 1), None, &config);
    assert_eq!(channel.poll_timeout(), None);

    // A peer that takes one message at a time is never kept waiting (Android).
    channel.set_peer_window(1);
    let _ = channel.receive(seconds(2), (2, 1), Some(b"x"), &config);
    assert_eq!(drain(&mut channel, seconds(2), &config), [(1, 3, true)]);

    // Nor is one that repeats itself.
    channel.set_peer_window(4);
    let _ = channel.receive(seconds(3), (1, 1), Some(b"x"), &config);
    assert_eq!(drain(&mut channel, seconds(3), &config), [(1, 3, true)]);
}

#[test]
fn what_cannot_be_from_the_peer_changes_nothing() {
    let mut channel = Channel::new(FirstNumbers { ns: 10_000, nr: 500 });
    channel.push(message(0));
    drain(&mut channel, seconds(0), &AT_ONCE);
    let mut implausible = 0;
    for nr in 0..=u16::MAX {
        let mut copy = Channel::new(FirstNumbers { ns: 10_000, nr: 500 });
        copy.push(message(0));
        drain(&mut copy, seconds(0), &AT_ONCE);
        match copy.receive(seconds(0), (500, nr), Some(b"x"), &AT_ONCE) {
            Received::Deliver => assert_eq!(copy.queued(), usize::from(nr != 10_001)),
            Received::BadAcknowledgement => {
                implausible += 1;
                assert_eq!((copy.queued(), copy.next_nr()), (1, 500));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(implausible, 65536 - 1024 - 2);
    for ns in 504..=500 + 32767 {
        let received = channel.receive(seconds(0), (ns, 10_001), Some(b"x"), &AT_ONCE);
        assert_eq!(received, Received::OutOfWindow);
    }
    assert_eq!((channel.queued(), channel.next_nr()), (1, 500));
    assert_eq!(drain(&mut channel, seconds(0), &AT_ONCE), []);
}

#[test]
fn early_messages_are_kept_in_bounds() {
    let mut channel = Channel::new(FirstNumbers { ns: 0, nr: 65_534 });
    let mut receive =
        |ns, octets: &[u8]| channel.receive(seconds(0), (ns, 0), Some(octets), &AT_ONCE);
    assert_eq!(receive(0, b"third"), Received::Held);
    assert_eq!(receive(0, b"third"), Received::OutOfWindow, "already kept");
    assert_eq!(receive(65_535, &[0; 4097]), Received::OutOfWindow, "too long to keep");
    assert_eq!(receive(65_535, &[0; 4096]), Received::Held);
    assert_eq!(receive(1, b"fourth"), Received::Held);
    assert_eq!(receive(2, b"fifth"), Received::OutOfWindow);
    assert_eq!(receive(65_534, b"first"), Received::Deliver);
    let mut lengths = vec![];
    while let Some(message) = channel.take_next(seconds(0), &AT_ONCE) {
        lengths.push(message.len());
    }
    assert_eq!(lengths, [4096, 5, 6]);
    assert_eq!(drain(&mut channel, seconds(0), &AT_ONCE), [(0, 2, true)]);
}

#[test]
fn a_message_that_voids_the_others_takes_their_place() {
    let mut channel = Channel::new(FirstNumbers::default());
    for n in 0..4 {
        channel.push(message(n));
    }
    drain(&mut channel, seconds(0), &AT_ONCE);
    channel.forget_waiting();
    channel.push(message(9));
    let _ = channel.receive(seconds(0), (0, 1), None, &AT_ONCE);
    assert_eq!(drain(&mut channel, seconds(0), &AT_ONCE), [(1, 0, false)]);
    channel.clear();
    assert_eq!((channel.next_ns(), channel.queued(), channel.poll_timeout()), (2, 0, None));
    let _ = channel.receive(seconds(1), (0, 2), Some(b"x"), &AT_ONCE);
    assert_eq!(drain(&mut channel, seconds(1), &AT_ONCE), [(2, 1, true)]);
}

#[test]
fn a_repeated_request_repeats_the_answer_and_leaves_the_timer() {
    let mut channel = Channel::new(FirstNumbers::default());
    channel.push(message(0));
    drain(&mut channel, seconds(0), &AT_ONCE);
    let before = channel.poll_timeout();
    channel.repeat();
    assert_eq!(drain(&mut channel, seconds(0), &AT_ONCE), [(0, 0, false)]);
    assert_eq!(channel.poll_timeout(), before);
}

/// Two channels over a network that loses, duplicates and delays, but never loses the same
/// message or a run of acknowledgements more than `most_lost` times.
struct Model {
    random: SeededRandom,
    most_lost: u32,
    lost: BTreeMap<(usize, Option<u16>), u32>,
    flying: BTreeMap<(Instant, u64), Flying>,
    serial: u64,
}

struct Flying {
    to: usize,
    numbers: (u16, u16),
    message: Option<Box<[u8]>>,
}

impl Model {
    fn below(&mut self, bound: u32) -> u32 {
        let mut octets = [0; 4];
        self.random.fill(&mut octets).unwrap();
        u32::from_le_bytes(octets) % bound
    }

    fn send(&mut self, now: Instant, to: usize, outgoing: &Outgoing<'_>) {
        let (numbers, message, name) = match *outgoing {
            Outgoing::Message { ns, nr, message, .. } => ((ns, nr), Some(message), Some(ns)),
            Outgoing::Acknowledgement { ns, nr } => ((ns, nr), None, None),
        };
        let copies = self.below(4);
        let lost = self.lost.entry((to, name)).or_default();
        if copies == 0 && *lost < self.most_lost {
            *lost += 1;
            return;
        }
        *lost = 0;
        for _ in 0..copies.clamp(1, 2) {
            let delay = Duration::from_millis(u64::from(self.below(200)));
            self.serial += 1;
            let message = message.map(Into::into);
            self.flying.insert((now + delay, self.serial), Flying { to, numbers, message });
        }
    }
}

proptest! {
    #[test]
    fn delivers_exactly_once_in_order(
        seed in any::<u64>(),
        most_lost in 0_u32..8,
        counts in [0_u16..60, 0_u16..60],
        windows in [1_u16..20, 1_u16..20],
        delay in 0_u64..50,
        first in (any::<u16>(), 65_500_u16..=65_535),
    ) {
        let configs = windows.map(|receive_window| ChannelConfig {
            retransmission: Retransmission::default().count(20),
            acknowledgement_delay: Duration::from_millis(delay),
            receive_window,
        });
        let mut ends = [
            Channel::new(FirstNumbers { ns: first.0, nr: first.1 }),
            Channel::new(FirstNumbers { ns: first.1, nr: first.0 }),
        ];
        for end in 0..2 {
            ends[end].set_peer_window(windows[1 - end]);
            for n in 0..counts[end] {
                ends[end].push(message(n));
            }
        }
        let mut model = Model {
            random: SeededRandom::new(seed),
            most_lost,
            lost: BTreeMap::new(),
            flying: BTreeMap::new(),
            serial: 0,
        };
        let mut delivered: [Vec<u16>; 2] = Default::default();
        let mut now = Instant::ZERO;
        for step in 0.. {
            prop_assert!(step < 100_000, "never comes to rest");
            for end in 0..2 {
                while let Some(outgoing) = ends[end].poll_transmit(now, &configs[end]) {
                    model.send(now, 1 - end, &outgoing);
                }
                prop_assert!(ends[end].poll_timeout().is_none_or(|at| at > now), "hot loop");
                prop_assert!(ends[end].congestion().window() <= windows[1 - end]);
            }
            let arrival = model.flying.first_key_value().map(|((at, _), _)| *at);
            let wakeups = [arrival, ends[0].poll_timeout(), ends[1].poll_timeout()];
            let Some(next) = wakeups.into_iter().flatten().min() else { break };
            now = now.max(next);
            for (end, config) in ends.iter_mut().zip(&configs) {
                prop_assert!(end.handle_timeout(now, config).is_ok(), "gave up");
            }
            if arrival.is_some_and(|at| at <= now) {
                let (_, Flying { to, numbers, message }) = model.flying.pop_first().unwrap();
                let (end, config) = (&mut ends[to], &configs[to]);
                match end.receive(now, numbers, message.as_deref(), config) {
                    Received::Deliver => {
                        let mut next = message;
                        while let Some(message) = next {
                            delivered[to].push(u16::from_be_bytes([message[0], message[1]]));
                            next = end.take_next(now, config);
                        }
                    }
                    Received::BadAcknowledgement => prop_assert!(false, "{numbers:?}"),
                    _ => {}
                }
            }
        }
        for end in 0..2 {
            prop_assert_eq!(&delivered[end], &(0..counts[1 - end]).collect::<Vec<_>>());
            prop_assert_eq!(ends[end].queued(), 0);
        }
    }
}

#[test]
fn debug_shows_no_message() {
    let mut channel = Channel::new(FirstNumbers::default());
    channel.push(b"hunter2"[..].into());
    let config = ChannelConfig::default();
    assert_eq!(channel.receive(Instant::ZERO, (1, 0), Some(b"hunter2"), &config), Received::Held);
    let text = alloc::format!("{channel:?}");
    let octets = alloc::format!("{:?}", b"hunter2").replace(&['[', ']'][..], "");
    assert!(!text.contains("hunter2") && !text.contains(&octets), "{text}");
    assert!(text.contains("messages: 1") && text.contains("held: 1"), "{text}");
}
