//! Peers and strangers that mean harm: floods, guesses, messages that make no sense.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

#[path = "support/by_hand.rs"]
mod by_hand;

use core::net::IpAddr;
use core::net::SocketAddr;
use core::time::Duration;

use by_hand::*;
use l2tp_control::Admission;
use l2tp_control::Endpoint;
use l2tp_control::EndpointConfig;
use l2tp_control::Event;
use l2tp_control::IncomingCall;
use l2tp_control::Limits;
use l2tp_control::LinkId;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelState;
use l2tp_wire::AttributeType;
use l2tp_wire::CdnResult;
use l2tp_wire::ErrorCode;
use l2tp_wire::MessageBuilder;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::RawAvp;
use l2tp_wire::StopCcnResult;
use l2tp_wire::VendorId;
use l2tp_wire::set_ns_nr;
use proptest::prelude::*;
use support::*;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_netsim::SeededRandom;

fn config() -> TunnelConfig {
    TunnelConfig::new("host.example")
}

#[test]
fn a_tunnel_that_is_over_is_superseded_without_a_word() {
    let mut endpoint = endpoint(server(config()), 1);
    let now = Instant::ZERO + Duration::from_secs(40);
    establish(&mut endpoint, Instant::ZERO, LinkId::PLAIN, address(1));
    let path = from(address(1));
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &first(9));
    let (_, sccrp) = drain(&mut endpoint, now).pop().unwrap();
    let older = endpoint.tunnels().find(|t| t.state == TunnelState::Established).unwrap();
    let result = l2tp_control::TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
    endpoint.close_tunnel(now, older.tunnel, result);
    drain(&mut endpoint, now);
    let third = third(assigned_tunnel_id(&sccrp));
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &third);
    assert_eq!(closed(&mut endpoint), 1);
    assert_eq!(endpoint.counts().tunnels, 1, "nothing is kept of the older one");
    assert_eq!((endpoint.counts().stopping, endpoint.counts().draining), (0, 0));
}

#[test]
fn a_blind_sender_ends_no_tunnel() {
    let mut endpoint = endpoint(server(config()), 1);
    let now = Instant::ZERO;
    let victim = address(1);
    let id = establish(&mut endpoint, now, LinkId::PLAIN, victim);
    let other_link = LinkId(5);
    let stop = |id: u16, numbers| encode((id, 0), numbers, &stop_ccn(9));
    // From elsewhere: every Tunnel ID, and for the right one every Ns.
    let elsewhere = [address(66), SocketAddr::new(victim.ip(), 1702)];
    for stranger in elsewhere {
        for guess in 0..=u16::MAX {
            let datagram = stop(guess, (2, 1));
            let handled = endpoint.handle_datagram(now, LinkId::PLAIN, from(stranger), &datagram);
            assert!(matches!(handled, Handled::Dropped(_)));
            let datagram = stop(id, (guess, 1));
            let handled = endpoint.handle_datagram(now, LinkId::PLAIN, from(stranger), &datagram);
            assert_eq!(handled, Handled::Dropped(DropReason::WrongPeer));
        }
    }
    // The right ID and address through another security association.
    let datagram = stop(id, (2, 1));
    let handled = endpoint.handle_datagram(now, other_link, from(victim), &datagram);
    assert_eq!(handled, Handled::Dropped(DropReason::UnknownTunnel));
    // A forged source and the right ID, but numbers by guess: outside the window, nothing.
    for ns in (18..=u16::MAX).step_by(7) {
        let handled =
            endpoint.handle_datagram(now, LinkId::PLAIN, from(victim), &stop(id, (ns, 1)));
        assert!(matches!(handled, Handled::Dropped(_)), "{ns}: {handled:?}");
    }
    for nr in (2..=u16::MAX - 1024).step_by(7) {
        let handled =
            endpoint.handle_datagram(now, LinkId::PLAIN, from(victim), &stop(id, (2, nr)));
        assert_eq!(handled, Handled::Dropped(DropReason::OutOfWindow), "{nr}");
    }
    // The same without a Tunnel ID, which is for peers that don't know ours: this one does.
    for ns in 0..=u16::MAX {
        for nr in [0, 1] {
            let datagram = stop(0, (ns, nr));
            let handled = endpoint.handle_datagram(now, LinkId::PLAIN, from(victim), &datagram);
            assert_eq!(handled, Handled::Dropped(DropReason::UnknownTunnel), "{ns} {nr}");
        }
    }
    assert_eq!(endpoint.tunnels().next().unwrap().state, TunnelState::Established);
    // No answer to a stranger, nor any error that could be played back and forth.
    let replies = drain(&mut endpoint, now);
    assert!(replies.iter().all(|(path, octets)| path.remote == victim && octets.len() == 12));
}

#[test]
fn a_peer_that_does_not_know_our_tunnel_id_can_stop_until_it_has_acknowledged_it() {
    let now = Instant::ZERO;
    let path = from(address(1));
    for link in [LinkId::PLAIN, LinkId(1)] {
        let mut endpoint = endpoint(server(config()), 1);
        let _ = endpoint.handle_datagram(now, link, path, &first(9));
        let id = assigned_tunnel_id(&drain(&mut endpoint, now)[0].1);
        let stop = |ns| encode((0, 0), (ns, 0), &stop_ccn(9));
        // Out of its turn it is not even kept.
        for ns in [0, 2, 16] {
            let handled = endpoint.handle_datagram(now, link, path, &stop(ns));
            assert_eq!(handled, Handled::Dropped(DropReason::UnknownTunnel));
        }
        let _ = endpoint.handle_datagram(now, link, path, &stop(1));
        let replies = drain(&mut endpoint, now);
        assert_eq!((replies.len(), &replies[0].1[4..]), (1, &[0, 9, 0, 0, 0, 1, 0, 2][..]));
        assert_eq!(endpoint.tunnels().next().unwrap().state, TunnelState::Idle);
        let handled = endpoint.handle_datagram(now, link, path, &third(id));
        assert_eq!(handled, Handled::Dropped(DropReason::Duplicate), "the tunnel is over");
    }
    // A ZLB shows that our Tunnel ID is known.
    let mut endpoint = endpoint(server(config()), 1);
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &first(9));
    let id = assigned_tunnel_id(&drain(&mut endpoint, now)[0].1);
    let zlb = l2tp_wire::zlb(id, 0, 1, 1);
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &zlb);
    let stop = encode((0, 0), (1, 1), &stop_ccn(9));
    let handled = endpoint.handle_datagram(now, LinkId::PLAIN, path, &stop);
    assert_eq!(handled, Handled::Dropped(DropReason::UnknownTunnel));
    assert_eq!(endpoint.tunnels().next().unwrap().state, TunnelState::WaitCtlConn);
}

#[test]
fn on_an_authenticated_link_the_address_may_change() {
    let mut endpoint = endpoint(server(config()), 1);
    let link = LinkId(3);
    let now = Instant::ZERO;
    let id = establish(&mut endpoint, now, link, address(1));
    let moved = from(SocketAddr::new(address(77).ip(), 4711));
    let hello = encode((id, 0), (2, 1), &hello());
    assert_eq!(endpoint.handle_datagram(now, link, moved, &hello), Handled::Consumed);
    let replies = drain(&mut endpoint, now);
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].0, moved, "answers follow");
}

#[test]
fn hosts_behind_one_address_are_kept_apart_by_their_links() {
    let mut endpoint = endpoint(server(config()), 1);
    let now = Instant::ZERO;
    let ids: Vec<(LinkId, u16)> = (1..=200)
        .map(|n| (LinkId(n), establish(&mut endpoint, now, LinkId(n), address(1))))
        .collect();
    for (link, id) in ids {
        let hello = encode((id, 0), (2, 1), &hello());
        let handled = endpoint.handle_datagram(now, link, from(address(1)), &hello);
        assert_eq!(handled, Handled::Consumed);
        let replies = drain(&mut endpoint, now);
        assert_eq!(replies.len(), 1);
    }
}

#[test]
fn a_repeated_sccrq_is_answered_again_and_makes_no_other_tunnel() {
    let mut endpoint = endpoint(server(config()), 1);
    let now = Instant::ZERO;
    let path = from(address(1));
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &first(5));
    let answer = drain(&mut endpoint, now);
    for _ in 0..10 {
        let handled = endpoint.handle_datagram(now, LinkId::PLAIN, path, &first(5));
        assert_eq!(handled, Handled::Dropped(DropReason::Duplicate));
        assert_eq!(drain(&mut endpoint, now), answer);
    }
    assert_eq!(endpoint.counts().tunnels, 1);
    // Established: a copy that comes late is acknowledged.
    let id = assigned_tunnel_id(&answer[0].1);
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &third(id));
    drain(&mut endpoint, now);
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &first(5));
    let replies = drain(&mut endpoint, now);
    assert_eq!((replies.len(), replies[0].1.len()), (1, 12));
    assert_eq!(endpoint.counts().tunnels, 1);
    // Another Tunnel ID is another tunnel of the same host, and nothing is wrong with that.
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &first(6));
    assert_eq!(endpoint.counts().tunnels, 2);
}

#[test]
fn a_host_that_started_anew_gets_a_tunnel_under_its_old_id() {
    let mut endpoint = endpoint(server(config()), 1);
    let mut now = Instant::ZERO;
    let old = establish(&mut endpoint, now, LinkId::PLAIN, address(1));
    now = now + Duration::from_secs(32);
    let path = from(address(1));
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &first(9));
    let (_, sccrp) = drain(&mut endpoint, now).pop().unwrap();
    let id = assigned_tunnel_id(&sccrp);
    assert_ne!(id, old);
    while endpoint.poll_event().is_some() {}
    assert_eq!(endpoint.counts().tunnels, 2, "the old one stays until the new one is proven");
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &third(id));
    assert!(drain(&mut endpoint, now).iter().all(|(_, octets)| octets.len() == 12));
    let events: Vec<Event> = core::iter::from_fn(|| endpoint.poll_event()).collect();
    assert!(
        matches!(
            &events[..],
            [
                Event::TunnelUp { .. },
                Event::TunnelClosed { reason: l2tp_control::TunnelCloseReason::Superseded, .. },
            ]
        ),
        "{events:#?}"
    );
    assert_eq!(endpoint.counts().tunnels, 1);
}

#[test]
fn messages_for_nobody_get_no_answer() {
    let mut endpoint = endpoint(server(config()), 1);
    let now = Instant::ZERO;
    let zlb = l2tp_wire::zlb(0, 0, 0, 0);
    let zlb_elsewhere = l2tp_wire::zlb(99, 0, 0, 0);
    for datagram in [&third(0)[..], &third(99), &zlb, &zlb_elsewhere] {
        let handled = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), datagram);
        assert_eq!(handled, Handled::Dropped(DropReason::UnknownTunnel));
    }
    let garbage: [(&[u8], DropReason); 5] = [
        (&[], DropReason::Truncated),
        (&[0xc8], DropReason::Truncated),
        (&[0xc8, 1, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0], DropReason::UnsupportedVersion),
        (&[0xc8, 3, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0], DropReason::UnsupportedVersion),
        (&[0x80, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0], DropReason::Malformed),
    ];
    for (datagram, reason) in garbage {
        let handled = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), datagram);
        assert_eq!(handled, Handled::Dropped(reason));
    }
    let mut late = first(1);
    set_ns_nr(&mut late, 1, 0);
    let handled = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &late);
    assert_eq!(handled, Handled::Dropped(DropReason::OutOfWindow));
    assert_eq!(drain(&mut endpoint, now).len(), 0);
    let counts = endpoint.counts();
    assert_eq!((counts.tunnels, counts.drops.total()), (0, 10));
    // An endpoint that takes no tunnels is silent altogether.
    let mut endpoint = support::endpoint(client(config()), 1);
    let handled = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &first(1));
    assert_eq!(handled, Handled::Dropped(DropReason::NotAllowed));
    assert_eq!(drain(&mut endpoint, now).len(), 0);
}

/// A message with one AVP more.
fn with_avp(datagram: &[u8], avp: &RawAvp<'_>) -> Vec<u8> {
    let Ok(Packet::Control(control)) = Packet::decode(datagram) else { panic!() };
    let mut out = [0; 1500];
    let mut builder = MessageBuilder::new(&mut out, control.tunnel_id, control.session_id).unwrap();
    for known in control.avps() {
        builder.raw(&known.unwrap()).unwrap();
    }
    builder.raw(avp).unwrap();
    let len = builder.finish().unwrap();
    set_ns_nr(&mut out, control.ns, control.nr);
    out[..len].to_vec()
}

#[test]
fn an_unknown_mandatory_avp_ends_what_it_came_for() {
    let unknown = |mandatory| RawAvp {
        mandatory,
        hidden: false,
        reserved: 0,
        vendor_id: VendorId(4242),
        attribute_type: AttributeType(7),
        value: b"?",
    };
    let now = Instant::ZERO;
    // In an SCCRQ: the tunnel, before it is one.
    let mut endpoint = endpoint(server(config()), 1);
    let path = from(address(1));
    let datagram = with_avp(&first(5), &unknown(true));
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &datagram);
    let (_, reply) = drain(&mut endpoint, now).pop().unwrap();
    let (result, error, text) = result_of(&reply);
    assert_eq!((result, error), (2, ErrorCode::UNKNOWN_MANDATORY_AVP));
    assert!(text.contains("vendor 4242, attribute 7"), "{text}");
    assert_eq!(endpoint.counts().tunnels, 0);
    // Without the M bit it is ignored.
    let datagram = with_avp(&first(5), &unknown(false));
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &datagram);
    assert_eq!(endpoint.counts().tunnels, 1);
    // In an ICRQ: the session.
    let id = establish(&mut endpoint, now, LinkId::PLAIN, address(2));
    let icrq = icrq(31);
    let icrq = encode((id, 0), (2, 1), &icrq);
    let datagram = with_avp(&icrq, &unknown(true));
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(2)), &datagram);
    let (_, reply) = drain(&mut endpoint, now).pop().unwrap();
    let Ok(Packet::Control(control)) = Packet::decode(&reply) else { panic!() };
    assert_eq!((control.message_type(), control.session_id), (Some(MessageType::CDN), 31));
    let (result, error, _) = result_of(&reply);
    assert_eq!((result, error), (2, ErrorCode::UNKNOWN_MANDATORY_AVP));
    assert_eq!(endpoint.counts().sessions, 0);
    // In a HELLO: the tunnel.
    let hello = encode((id, 0), (3, 2), &hello());
    let datagram = with_avp(&hello, &unknown(true));
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(2)), &datagram);
    let (_, reply) = drain(&mut endpoint, now).pop().unwrap();
    assert_eq!(result_of(&reply).0, 2);
}

#[test]
fn unknown_message_types_end_the_tunnel_or_are_ignored_by_their_m_bit() {
    for mandatory in [true, false] {
        let mut endpoint = endpoint(server(config()), 1);
        let now = Instant::ZERO;
        let id = establish(&mut endpoint, now, LinkId::PLAIN, address(1));
        let mut out = [0; 100];
        let mut builder = MessageBuilder::new(&mut out, id, 0).unwrap();
        builder
            .raw(&RawAvp {
                mandatory,
                hidden: false,
                reserved: 0,
                vendor_id: VendorId::IETF,
                attribute_type: AttributeType::MESSAGE_TYPE,
                value: &[0, 99],
            })
            .unwrap();
        let len = builder.finish().unwrap();
        set_ns_nr(&mut out, 2, 1);
        let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &out[..len]);
        let replies = drain(&mut endpoint, now);
        assert_eq!(replies.len(), 1);
        if mandatory {
            assert_eq!(result_of(&replies[0].1).0, StopCcnResult::GENERAL_ERROR.0);
        } else {
            assert_eq!(replies[0].1.len(), 12, "acknowledged and ignored");
            assert_eq!(endpoint.tunnels().next().unwrap().state, TunnelState::Established);
        }
    }
}

#[test]
fn an_icrq_with_an_id_in_use_ends_that_call() {
    let mut pair = Pair::of(config());
    let [(_, _), (_, lns)] = pair.connect(config());
    let info = pair.ends[LNS].session(lns).unwrap();
    let icrq = icrq(info.peer_session_id);
    let datagram = encode((info.local_tunnel_id, 0), (4, 2), &icrq);
    let before = pair.sent.len();
    assert_eq!(pair.inject(LNS, &datagram), Handled::Consumed);
    assert_eq!(pair.sent[before].name(), "CDN");
    let (result, error, _) = result_of(&pair.sent[before].octets);
    assert_eq!((result, error), (CdnResult::GENERAL_ERROR.0, ErrorCode::OUT_OF_RANGE));
    assert!(pair.ends[LNS].session(lns).is_none());
}

#[test]
fn a_call_before_the_tunnel_is_open_ends_the_attempt() {
    let mut endpoint = endpoint(server(config()), 1);
    let now = Instant::ZERO;
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &first(9));
    let id = assigned_tunnel_id(&drain(&mut endpoint, now)[0].1);
    let icrq = icrq(1);
    let datagram = encode((id, 0), (1, 1), &icrq);
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &datagram);
    let (_, reply) = drain(&mut endpoint, now).pop().unwrap();
    let (result, error, _) = result_of(&reply);
    assert_eq!((result, error), (2, ErrorCode::NO_CONTROL_CONNECTION));
}

#[test]
fn a_cdn_without_our_session_id_finds_the_call_by_the_peers() {
    let lns = server(config()).incoming_calls(Admission::Ask);
    let mut pair = Pair::new(client(config()), lns);
    let tunnel = pair.open(LAC, config());
    pair.run(Duration::from_secs(1));
    pair.take_events(LNS);
    let session =
        pair.ends[LAC].open_session(pair.now, tunnel, IncomingCall::default(), None).unwrap();
    pair.run(Duration::from_millis(100));
    // The LAC gives up before any ICRP: its CDN can only name its own ID.
    let result = l2tp_control::CallResult::new(CdnResult::NO_CARRIER);
    pair.ends[LAC].close_session(pair.now, session, result.clone());
    pair.run(Duration::from_millis(100));
    let cdn = pair.sent.iter().find(|sent| sent.is(MessageType::CDN)).unwrap();
    let Ok(Packet::Control(control)) = Packet::decode(&cdn.octets) else { panic!() };
    assert_eq!(control.session_id, 0);
    let events = pair.take_events(LNS);
    assert!(
        matches!(&events[..], [Event::SessionRequest(_), Event::SessionClosed {
        reason: l2tp_control::SessionCloseReason::Peer { result: told, .. }, .. }]
        if *told == result),
        "{events:#?}"
    );
}

#[test]
fn a_peer_that_never_acknowledges_fills_no_queue() {
    let limits = Limits { queued_messages: 8, ..Limits::default() };
    let mut endpoint = endpoint(server(config()).limits(limits), 1);
    let now = Instant::ZERO;
    let id = establish(&mut endpoint, now, LinkId::PLAIN, address(1));
    let mut refused = 0;
    for n in 0..1000_u16 {
        let icrq = icrq(n + 1);
        let datagram = encode((id, 0), (2 + n - refused, 1), &icrq);
        let handled = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &datagram);
        if handled == Handled::Dropped(DropReason::LimitReached) {
            refused += 1;
        }
        drain(&mut endpoint, now);
    }
    assert_eq!(refused, 1000 - 16);
    assert_eq!(endpoint.counts().sessions, 16);
}

#[test]
fn events_that_nobody_takes_stop_the_intake() {
    let limits = Limits { events: 10, ..Limits::default() };
    let mut pair = Pair::new(client(config()), server(config()).limits(limits));
    let [_, (_, lns)] = pair.connect(config());
    let info = pair.ends[LNS].session(lns).unwrap();
    let mut datagram = vec![0, 2];
    datagram.extend_from_slice(&info.local_tunnel_id.to_be_bytes());
    datagram.extend_from_slice(&info.local_session_id.to_be_bytes());
    datagram.extend_from_slice(b"frame");
    let mut taken = 0;
    for _ in 0..100 {
        let path = Pair::path(LNS);
        let handled = pair.ends[LNS].handle_datagram(pair.now, pair.link, path, &datagram);
        taken += u32::from(handled == Handled::Consumed);
    }
    assert_eq!(taken, 10);
}

fn random_datagrams() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let known = prop_oneof![
        (1_u16..4).prop_map(first),
        (any::<u16>(), 0_u16..3, 0_u16..3)
            .prop_map(|(id, ns, nr)| { encode((id % 4, 0), (ns, nr), &hello()) }),
        (0_u16..3).prop_map(third),
        prop::collection::vec(any::<u8>(), 0..60),
        (sccrq_strategy(), any::<prop::sample::Index>(), any::<u8>()).prop_map(
            |(mut datagram, place, octet)| {
                let place = place.index(datagram.len());
                datagram[place] = octet;
                datagram
            }
        ),
    ];
    prop::collection::vec((1_u8..4, known), 1..60)
}

fn sccrq_strategy() -> impl Strategy<Value = Vec<u8>> {
    (1_u16..4).prop_map(first)
}

proptest! {
    /// Until a peer has shown that it gets our answers: at most one answer a datagram, and with
    /// its repetitions never more than three times the octets that came.
    #[test]
    fn an_unproven_address_never_gets_more_than_three_times_what_it_sent(
        secret in any::<bool>(),
        ask in any::<bool>(),
        datagrams in random_datagrams(),
        waits in prop::collection::vec(0_u64..4_000, 60),
    ) {
        let tunnel = TunnelConfig::new(vec![b'h'; 200]).vendor_name(vec![b'v'; 200]);
        let tunnel = if secret { tunnel.secret("s3cret") } else { tunnel };
        let admission = if ask { Admission::Ask } else { Admission::Accept };
        let config = EndpointConfig::new(tunnel).tunnels(admission);
        let random = Box::new(SeededRandom::new(1));
        let mut endpoint = Endpoint::new(config, vpn_crypto::provider(), random);
        let mut now = Instant::ZERO;
        let mut received = [0; 256];
        let mut sent = [0; 256];
        let check = |endpoint: &mut Endpoint,
                         now: Instant,
                         received: &[usize],
                         sent: &mut [usize],
                         at_most: usize|
         -> Result<(), TestCaseError> {
            let mut out = drain(endpoint, now);
            while let Some(event) = endpoint.poll_event() {
                if let Event::TunnelRequest(request) = event {
                    let answer = l2tp_control::TunnelAnswer::Accept(None);
                    endpoint.answer_tunnel(now, request.ticket, answer).unwrap();
                }
            }
            out.extend(drain(endpoint, now));
            prop_assert!(out.len() <= at_most, "{} for {at_most}", out.len());
            for (path, octets) in out {
                let IpAddr::V4(address) = path.remote.ip() else { panic!() };
                let host = usize::from(address.octets()[3]);
                sent[host] += octets.len();
                prop_assert!(sent[host] <= 3 * received[host]);
            }
            prop_assert!(endpoint.poll_timeout().is_none_or(|at| at > now));
            Ok(())
        };
        for ((host, datagram), wait) in datagrams.iter().zip(waits) {
            let until = now + Duration::from_millis(wait);
            while let Some(at) = endpoint.poll_timeout().filter(|at| *at <= until) {
                now = now.max(at);
                endpoint.handle_timeout(now);
                check(&mut endpoint, now, &received, &mut sent, usize::MAX)?;
            }
            now = now.max(until);
            endpoint.handle_timeout(now);
            check(&mut endpoint, now, &received, &mut sent, usize::MAX)?;
            received[usize::from(*host)] += datagram.len();
            let path = from(address(*host));
            let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, datagram);
            check(&mut endpoint, now, &received, &mut sent, 1)?;
        }
    }
}

#[test]
fn nothing_is_kept_of_a_stranger_s_messages_before_their_turn() {
    let now = Instant::ZERO;
    let path = from(address(1));
    let mut endpoint = endpoint(server(config()), 1);
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &first(9));
    let id = assigned_tunnel_id(&drain(&mut endpoint, now)[0].1);
    for ns in 2..16 {
        let early = encode((id, 0), (ns, 0), &hello());
        let handled = endpoint.handle_datagram(now, LinkId::PLAIN, path, &early);
        assert_eq!(handled, Handled::Dropped(DropReason::OutOfWindow), "{ns}");
    }
    // One that acknowledges our SCCRP is no stranger's: it overtook the SCCCN.
    let early = encode((id, 0), (2, 1), &hello());
    let handled = endpoint.handle_datagram(now, LinkId::PLAIN, path, &early);
    assert_eq!(handled, Handled::Consumed);
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &third(id));
    let (_, acknowledgement) = drain(&mut endpoint, now).pop().unwrap();
    assert_eq!(acknowledgement[8..], [0, 1, 0, 3], "the SCCCN and the HELLO");
}

#[test]
fn a_request_that_waits_for_its_answer_proves_nothing() {
    let now = Instant::ZERO;
    let limits = Limits { half_open: 1, ..Limits::default() };
    let mut endpoint = endpoint(server(config()).tunnels(Admission::Ask).limits(limits), 1);
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &first(9));
    let id = endpoint.tunnels().next().unwrap().local_tunnel_id;
    for nr in [0, 1] {
        let zlb = l2tp_wire::zlb(id, 0, 1, nr);
        let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &zlb);
    }
    // So it makes room for another one.
    let handled = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(2)), &first(9));
    assert_eq!(handled, Handled::Consumed);
    assert_eq!(endpoint.tunnels().next().unwrap().path.remote, address(2));
}

#[test]
fn frames_that_overtake_the_iccn_fill_a_bounded_memory() {
    let now = Instant::ZERO;
    let path = from(address(1));
    let mut endpoint = endpoint(server(config()), 1);
    let id = establish(&mut endpoint, now, LinkId::PLAIN, address(1));
    let data = |session: u16| {
        let mut datagram = vec![0, 2];
        datagram.extend_from_slice(&id.to_be_bytes());
        datagram.extend_from_slice(&session.to_be_bytes());
        datagram.extend_from_slice(b"frame");
        datagram
    };
    let mut kept = 0;
    let mut sessions = Vec::new();
    for n in 0..600 {
        let icrq = encode((id, 0), (2 + n, 1 + n), &icrq(n + 1));
        let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &icrq);
        let session = assigned_session_id(&drain(&mut endpoint, now)[0].1);
        sessions.push(session);
        for _ in 0..10 {
            let handled = endpoint.handle_datagram(now, LinkId::PLAIN, path, &data(session));
            kept += usize::from(handled == Handled::Consumed);
        }
    }
    assert_eq!(kept, 4096);
    // What is closed, or connected, makes room.
    let full = endpoint.handle_datagram(now, LinkId::PLAIN, path, &data(sessions[599]));
    assert_eq!(full, Handled::Dropped(DropReason::LimitReached));
    let closing = encode((id, sessions[0]), (602, 601), &cdn(1));
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &closing);
    let connected = encode((id, sessions[1]), (603, 601), &iccn());
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &connected);
    let more = |session| (0..8).map(move |_| data(session));
    for datagram in more(sessions[598]).chain(more(sessions[599])) {
        let handled = endpoint.handle_datagram(now, LinkId::PLAIN, path, &datagram);
        assert_eq!(handled, Handled::Consumed);
    }
    let frames = core::iter::from_fn(|| endpoint.poll_event());
    assert_eq!(frames.filter(|event| matches!(event, Event::Data { .. })).count(), 8);
}

#[test]
fn who_closes_many_calls_still_hears_the_peer() {
    let mut pair = Pair::new(client(config()), server(config()));
    let tunnel = pair.open(LAC, config());
    let sessions: Vec<_> = (0..600)
        .map(|_| {
            let session = pair.call(tunnel);
            pair.run(Duration::from_millis(100));
            session
        })
        .collect();
    // All of them, while nothing comes through from us.
    pair.wire = Box::new(|sent| if sent.from == LAC { vec![] } else { vec![DELAY] });
    for session in sessions {
        let result = l2tp_control::CallResult::new(CdnResult::ADMINISTRATIVE);
        pair.ends[LAC].close_session(pair.now, session, result);
    }
    pair.drain();
    let info = pair.ends[LAC].tunnel(tunnel).unwrap();
    // The peer's next message: what it acknowledges is older than the CDNs.
    let Some(last) = pair.sent.iter().rfind(|sent| sent.from == LNS) else { panic!() };
    let Ok(Packet::Control(last)) = Packet::decode(&last.octets) else { panic!() };
    let stop = encode((info.local_tunnel_id, 0), (last.ns, last.nr), &stop_ccn(9));
    pair.take_events(LAC);
    assert_eq!(pair.inject(LAC, &stop), Handled::Consumed);
    let events = pair.take_events(LAC);
    assert!(matches!(events.last(), Some(Event::TunnelClosed { .. })), "{events:#?}");
}

#[test]
fn the_largest_limits_and_durations_do_no_harm() {
    let limits = Limits {
        tunnels: usize::MAX,
        tunnels_per_link: usize::MAX,
        half_open: usize::MAX,
        half_open_per_source: usize::MAX,
        sessions: usize::MAX,
        queued_messages: usize::MAX,
        queued_frames: usize::MAX,
        events: usize::MAX,
    };
    let tunnel = config()
        .hello_interval(Some(Duration::MAX))
        .setup_timeout(Duration::MAX)
        .call_timeout(Duration::MAX)
        .acknowledgement_delay(Duration::MAX)
        .reorder(Some(l2tp_control::ReorderConfig { limit: Duration::MAX, frames: usize::MAX }));
    let mut pair =
        Pair::new(client(tunnel.clone()).limits(limits), server(tunnel.clone()).limits(limits));
    pair.connect(tunnel);
    pair.run(Duration::from_secs(3 * 86_400));
    assert!(pair.ends.iter().all(|end| end.counts().sessions == 1));
    assert!(pair.sent.iter().any(|sent| sent.is(MessageType::HELLO)), "a day is the longest");
}

#[test]
fn a_request_that_is_invalid_is_refused_by_its_id_though_that_is_hidden() {
    let hidden = || config().secret("s3cret").hide_avps(true);
    let mut pair = Pair::of(hidden());
    pair.wire = Box::new(|sent| {
        if sent.is(MessageType::ICRQ) {
            // A vendor's AVP that is mandatory.
            sent.octets.extend_from_slice(&[0x80, 8, 0x10, 0x92, 0, 7, b'?', b'?']);
            let len = u16::try_from(sent.octets.len()).unwrap();
            sent.octets[2..4].copy_from_slice(&len.to_be_bytes());
        }
        vec![DELAY]
    });
    let tunnel = pair.open(LAC, hidden());
    let session = pair.call(tunnel);
    pair.run(Duration::from_millis(10));
    let id = pair.ends[LAC].session(session).unwrap().local_session_id;
    pair.run(Duration::from_secs(1));
    let Some(cdn) = pair.sent.iter().find(|sent| sent.is(MessageType::CDN)) else { panic!() };
    let Ok(Packet::Control(control)) = Packet::decode(&cdn.octets) else { panic!() };
    assert_eq!((cdn.from, control.session_id), (LNS, id));
    assert!(pair.ends[LAC].session(session).is_none());
}
