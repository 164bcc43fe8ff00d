//! Data messages: sequence numbers, order, frames that come too early (RFC 2661 §5.3, §5.4).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use core::time::Duration;

use bytes::Bytes;
use l2tp_control::ConnectedCall;
use l2tp_control::Event;
use l2tp_control::IncomingCall;
use l2tp_control::Limits;
use l2tp_control::ReorderConfig;
use l2tp_control::SendError;
use l2tp_control::SessionHandle;
use l2tp_control::SessionInfo;
use l2tp_control::TunnelConfig;
use l2tp_wire::DataHeader;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::Sequence;
use support::*;
use vpn_core::DropReason;
use vpn_core::Handled;

fn config() -> TunnelConfig {
    TunnelConfig::new("host.example")
}

fn frames(events: Vec<Event>) -> Vec<Bytes> {
    events
        .into_iter()
        .filter_map(|event| match event {
            Event::Data { frame, .. } => Some(frame),
            _ => None,
        })
        .collect()
}

/// A data message to an end, with or without a number.
fn data(to: &SessionInfo, ns: Option<u16>, frame: &[u8]) -> Vec<u8> {
    let header = DataHeader {
        tunnel_id: to.local_tunnel_id,
        session_id: to.local_session_id,
        sequence: ns.map(|ns| Sequence { ns, nr: 0 }),
        ..DataHeader::default()
    };
    let mut out = vec![0; header.encoded_len()];
    header.encode(frame.len(), &mut out).unwrap();
    out.extend_from_slice(frame);
    out
}

fn last_data_ns(pair: &Pair) -> Option<u16> {
    let sent = pair.sent.iter().rev().find(|sent| sent.name() == "data").unwrap();
    match Packet::decode(&sent.octets) {
        Ok(Packet::Data(message)) => message.header.sequence.map(|sequence| sequence.ns),
        other => panic!("{other:?}"),
    }
}

fn send(pair: &mut Pair, from: usize, session: SessionHandle) -> Option<u16> {
    pair.ends[from].send_data(pair.now, session, b"x").unwrap();
    pair.run(Duration::from_millis(100));
    last_data_ns(pair)
}

#[test]
fn the_lns_decides_about_sequence_numbers_and_the_lac_follows() {
    let mut pair = Pair::of(config());
    let [(_, lac), (_, lns)] = pair.connect(config());
    assert_eq!(send(&mut pair, LAC, lac), None);
    assert_eq!(send(&mut pair, LNS, lns), None);
    assert_eq!(pair.ends[LAC].set_sequencing(lac, true), Err(SendError::WrongRole));
    pair.ends[LNS].set_sequencing(lns, true).unwrap();
    assert_eq!(send(&mut pair, LAC, lac), None, "not before the LNS has sent one");
    assert_eq!(send(&mut pair, LNS, lns), Some(0));
    assert_eq!(send(&mut pair, LAC, lac), Some(0));
    assert_eq!(send(&mut pair, LAC, lac), Some(1));
    pair.ends[LNS].set_sequencing(lns, false).unwrap();
    assert_eq!(send(&mut pair, LNS, lns), None);
    assert_eq!(send(&mut pair, LAC, lac), None);
    // "the sequence number state picks up where it left off before"
    pair.ends[LNS].set_sequencing(lns, true).unwrap();
    assert_eq!(send(&mut pair, LNS, lns), Some(1));
    assert_eq!(send(&mut pair, LAC, lac), Some(2));
}

#[test]
fn sequencing_required_means_always() {
    let mut pair = Pair::of(config());
    let tunnel = pair.open(LAC, config());
    let connected = ConnectedCall { sequencing_required: true, ..ConnectedCall::default() };
    let call = IncomingCall::default();
    let lac = pair.ends[LAC].open_session(pair.now, tunnel, call, Some(connected)).unwrap();
    pair.run(Duration::from_secs(1));
    let info = pair.ends[LNS].sessions().next().unwrap();
    assert!(info.sequence.is_required());
    assert_eq!(
        pair.ends[LNS].set_sequencing(info.session, false),
        Err(SendError::SequencingRequired)
    );
    assert_eq!(send(&mut pair, LNS, info.session), Some(0));
    assert_eq!(send(&mut pair, LAC, lac), Some(0));
    let handled = pair.inject(LNS, &data(&info, None, b"without"));
    assert_eq!(handled, Handled::Dropped(DropReason::Malformed));
}

#[test]
fn a_data_plane_and_the_endpoint_count_as_one() {
    let mut pair = Pair::of(config());
    let [(_, lac), (_, lns)] = pair.connect(config());
    let sequence = pair.ends[LNS].session(lns).unwrap().sequence;
    pair.ends[LNS].set_sequencing(lns, true).unwrap();
    assert_eq!(send(&mut pair, LNS, lns), Some(0));
    assert_eq!(sequence.next_ns(), Some(1));
    assert_eq!(send(&mut pair, LNS, lns), Some(2));
    // What the LAC's data plane receives makes its endpoint follow.
    let sequence = pair.ends[LAC].session(lac).unwrap().sequence;
    sequence.receive(None);
    assert_eq!(send(&mut pair, LAC, lac), None);
    sequence.receive(Some(3));
    assert_eq!(send(&mut pair, LAC, lac), Some(0));
}

#[test]
fn late_messages_are_dropped_and_counted() {
    let mut pair = Pair::of(config());
    let [_, (_, lns)] = pair.connect(config());
    let info = pair.ends[LNS].session(lns).unwrap();
    for ns in [0, 2, 1, 3] {
        let _ = pair.inject(LNS, &data(&info, Some(ns), &ns.to_be_bytes()));
    }
    let got = frames(pair.take_events(LNS));
    assert_eq!(got, [0_u16, 2, 3].map(|ns| Bytes::copy_from_slice(&ns.to_be_bytes())));
    assert_eq!(pair.ends[LNS].counts().drops.get(DropReason::Late), 1);
}

#[test]
fn messages_are_put_in_order_where_that_is_configured() {
    let reorder = ReorderConfig { limit: Duration::from_millis(100), frames: 8 };
    let tunnel = config().reorder(Some(reorder));
    let mut pair = Pair::of(tunnel.clone());
    let [_, (_, lns)] = pair.connect(tunnel);
    let info = pair.ends[LNS].session(lns).unwrap();
    assert_eq!(info.reorder, Some(Duration::from_millis(100)));
    let expect = |pair: &mut Pair, expected: &[u16]| {
        let got = frames(pair.take_events(LNS));
        let expected: Vec<_> =
            expected.iter().map(|ns| Bytes::copy_from_slice(&ns.to_be_bytes())).collect();
        assert_eq!(got, expected);
    };
    for ns in [0_u16, 2, 1, 4] {
        let _ = pair.inject(LNS, &data(&info, Some(ns), &ns.to_be_bytes()));
    }
    expect(&mut pair, &[0, 1, 2]);
    pair.run(Duration::from_millis(99));
    expect(&mut pair, &[]);
    pair.run(Duration::from_millis(2));
    expect(&mut pair, &[4]);
    let handled = pair.inject(LNS, &data(&info, Some(3), b"late"));
    assert_eq!(handled, Handled::Dropped(DropReason::Late));
    // A message without a number ends the waiting.
    let _ = pair.inject(LNS, &data(&info, Some(6), &6_u16.to_be_bytes()));
    expect(&mut pair, &[]);
    let _ = pair.inject(LNS, &data(&info, None, &9_u16.to_be_bytes()));
    expect(&mut pair, &[6, 9]);
    assert!(pair.ends[LNS].poll_timeout().is_some_and(|at| at > pair.now + DELAY * 100));
}

#[test]
fn frames_that_overtake_the_iccn_are_kept_within_bounds() {
    let mut pair = Pair::of(config());
    pair.wire = Box::new(|sent| {
        vec![if sent.is(MessageType::ICCN) { Duration::from_millis(200) } else { DELAY }]
    });
    let tunnel = pair.open(LAC, config());
    let lac = pair.call(tunnel);
    pair.run(Duration::from_millis(100));
    for n in 0..12_u8 {
        pair.ends[LAC].send_data(pair.now, lac, &[n]).unwrap();
    }
    pair.run(Duration::from_millis(50));
    let info = pair.ends[LNS].sessions().next().unwrap();
    let long = data(&info, None, &[0; 2049]);
    assert_eq!(pair.inject(LNS, &long), Handled::Dropped(DropReason::LimitReached));
    pair.run(Duration::from_millis(200));
    let events = pair.take_events(LNS);
    assert!(matches!(&events[..2], [Event::TunnelUp { .. }, Event::SessionUp { .. }]));
    let got = frames(events);
    assert_eq!(got, (0..8_u8).map(|n| Bytes::copy_from_slice(&[n])).collect::<Vec<_>>());
    assert_eq!(pair.ends[LNS].counts().drops.get(DropReason::LimitReached), 5);
}

#[test]
fn data_for_nobody_or_from_elsewhere_is_dropped() {
    let mut pair = Pair::of(config());
    let [_, (_, lns)] = pair.connect(config());
    let info = pair.ends[LNS].session(lns).unwrap();
    let other = SessionInfo { local_session_id: info.local_session_id ^ 1, ..info.clone() };
    let handled = pair.inject(LNS, &data(&other, None, b"x"));
    assert_eq!(handled, Handled::Dropped(DropReason::UnknownSession));
    let other = SessionInfo { local_tunnel_id: info.local_tunnel_id ^ 1, ..info.clone() };
    let handled = pair.inject(LNS, &data(&other, None, b"x"));
    assert_eq!(handled, Handled::Dropped(DropReason::UnknownTunnel));
    let mut path = Pair::path(LNS);
    path.remote.set_port(9);
    let datagram = data(&info, None, b"x");
    let handled = pair.ends[LNS].handle_datagram(pair.now, pair.link, path, &datagram);
    assert_eq!(handled, Handled::Dropped(DropReason::WrongPeer));
    assert_eq!(frames(pair.take_events(LNS)).len(), 0);
}

#[test]
fn the_output_queue_is_bounded() {
    let limits = Limits { queued_frames: 3, ..Limits::default() };
    let mut pair = Pair::new(client(config()).limits(limits), server(config()));
    let [(_, lac), _] = pair.connect(config());
    for _ in 0..3 {
        pair.ends[LAC].send_data(pair.now, lac, b"x").unwrap();
    }
    assert_eq!(pair.ends[LAC].send_data(pair.now, lac, b"x"), Err(SendError::QueueFull));
    pair.drain();
    pair.ends[LAC].send_data(pair.now, lac, b"x").unwrap();
}

#[test]
fn the_header_has_a_length_unless_it_is_not_wanted() {
    for length in [true, false] {
        let tunnel = config().data_length(length);
        let mut pair = Pair::of(tunnel.clone());
        let [(_, lac), _] = pair.connect(tunnel);
        assert_eq!(pair.ends[LAC].session(lac).unwrap().data_length, length);
        pair.ends[LAC].send_data(pair.now, lac, b"frame").unwrap();
        pair.run(Duration::from_secs(1));
        let sent = pair.sent.last().unwrap();
        assert_eq!(sent.octets.len(), 5 + if length { 8 } else { 6 });
        assert_eq!(frames(pair.take_events(LNS)), [&b"frame"[..]]);
    }
}
