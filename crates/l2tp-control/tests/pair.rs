//! Message flows between a LAC and an LNS, without loss.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use core::time::Duration;

use l2tp_control::Admission;
use l2tp_control::CallKind;
use l2tp_control::CallResult;
use l2tp_control::CallState;
use l2tp_control::ConnectedCall;
use l2tp_control::EndpointConfig;
use l2tp_control::Event;
use l2tp_control::IncomingCall;
use l2tp_control::OutgoingCall;
use l2tp_control::PppCause;
use l2tp_control::ProxyAuth;
use l2tp_control::ProxyLcp;
use l2tp_control::Q931;
use l2tp_control::RequestedCall;
use l2tp_control::SendError;
use l2tp_control::SessionAnswer;
use l2tp_control::SessionCloseReason;
use l2tp_control::TunnelAnswer;
use l2tp_control::TunnelCloseReason;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelResult;
use l2tp_control::TunnelState;
use l2tp_wire::Accm;
use l2tp_wire::BearerTypes;
use l2tp_wire::CallErrors;
use l2tp_wire::CdnResult;
use l2tp_wire::DisconnectCode;
use l2tp_wire::DisconnectDirection;
use l2tp_wire::ErrorCode;
use l2tp_wire::FramingTypes;
use l2tp_wire::MessageType;
use l2tp_wire::ProxyAuthenType;
use l2tp_wire::StopCcnResult;
use support::*;
use vpn_core::SecretBytes;

fn config() -> TunnelConfig {
    TunnelConfig::new("host.example")
}

#[test]
fn the_flow_of_a_voluntary_session() {
    let mut pair = Pair::of(config());
    let tunnel = pair.open(LAC, config());
    pair.run(Duration::from_secs(1));
    pair.call(tunnel);
    pair.run(Duration::from_secs(1));
    assert_eq!(
        pair.lines(0),
        [
            "LAC SCCRQ 0,0",
            "LNS SCCRP 0,1",
            "LAC SCCCN 1,1",
            "LNS ZLB 1,2",
            "LAC ICRQ 2,1",
            "LNS ICRP 1,3",
            "LAC ICCN 3,2",
            "LNS ZLB 2,4",
        ]
    );
    let at_lac = pair.take_events(LAC);
    let [Event::TunnelUp { tunnel: up }, Event::SessionUp { session, info, .. }] = &at_lac[..]
    else {
        panic!("{at_lac:#?}")
    };
    assert_eq!(*up, tunnel);
    let at_lns = pair.take_events(LNS);
    let [Event::TunnelUp { .. }, Event::SessionUp { session: lns, info: lns_info, call, .. }] =
        &at_lns[..]
    else {
        panic!("{at_lns:#?}")
    };
    assert_eq!(call.framing, FramingTypes::SYNC);
    assert_eq!((info.kind, lns_info.kind), (CallKind::LacIncoming, CallKind::LnsIncoming));
    assert_eq!(
        (info.local_tunnel_id, info.local_session_id, info.peer_tunnel_id, info.peer_session_id),
        (
            lns_info.peer_tunnel_id,
            lns_info.peer_session_id,
            lns_info.local_tunnel_id,
            lns_info.local_session_id
        )
    );
    assert_eq!(info.serial, lns_info.serial);
    assert_eq!(&lns_info.peer_host_name[..], b"host.example");
    assert_eq!(lns_info.path, Pair::path(LNS));

    let (session, lns) = (*session, *lns);
    pair.ends[LAC].send_data(pair.now, session, b"up").unwrap();
    pair.ends[LNS].send_data(pair.now, lns, b"down").unwrap();
    pair.run(Duration::from_secs(1));
    for (end, handle, content) in [(LAC, session, &b"down"[..]), (LNS, lns, b"up")] {
        let events = pair.take_events(end);
        assert!(
            matches!(&events[..], [Event::Data { session, frame }]
                if *session == handle && frame == content),
            "{events:?}"
        );
    }
}

#[test]
fn a_call_waits_for_its_tunnel() {
    let mut pair = Pair::of(config());
    let tunnel = pair.open(LAC, config());
    let session = pair.call(tunnel);
    assert_eq!(pair.ends[LAC].session(session).unwrap().state, CallState::WaitTunnel);
    pair.run(Duration::from_secs(1));
    // SCCCN and ICRQ leave together: the window has two places by then.
    assert_eq!(
        pair.lines(0),
        [
            "LAC SCCRQ 0,0",
            "LNS SCCRP 0,1",
            "LAC SCCCN 1,1",
            "LAC ICRQ 2,1",
            "LNS ZLB 1,2",
            "LNS ICRP 1,3",
            "LAC ICCN 3,2",
            "LNS ZLB 2,4",
        ]
    );
    assert_eq!(pair.ends[LAC].session(session).unwrap().state, CallState::Established);
}

#[test]
fn a_closed_session_is_told_to_the_peer_and_the_tunnel_stays() {
    for closer in [LAC, LNS] {
        let mut pair = Pair::of(config());
        let ups = pair.connect(config());
        let before = pair.sent.len();
        let result = CallResult::new(CdnResult::ADMINISTRATIVE)
            .message("bye")
            .q931(Q931 { cause: 16, message: 0x45, advisory: "normal".into() })
            .ppp(PppCause {
                code: DisconnectCode::NORMAL,
                protocol: 0,
                direction: DisconnectDirection::GLOBAL,
                message: "done".into(),
            });
        pair.ends[closer].close_session(pair.now, ups[closer].1, result.clone());
        pair.run(Duration::from_secs(1));
        let names: Vec<_> = pair.sent[before..].iter().map(Sent::name).collect();
        assert_eq!(names, ["CDN", "ZLB"]);
        let here = pair.take_events(closer);
        let there = pair.take_events(1 - closer);
        assert!(matches!(&here[..], [Event::SessionClosed { session, reason, .. }]
            if *session == ups[closer].1 && *reason == SessionCloseReason::Local(result.clone())));
        assert!(matches!(&there[..], [Event::SessionClosed { session, reason, .. }]
            if *session == ups[1 - closer].1
                && *reason == SessionCloseReason::Peer { result: result.clone() }));
        for (end, (_, session)) in pair.ends.iter_mut().zip(ups) {
            let counts = end.counts();
            assert_eq!((counts.tunnels, counts.sessions), (1, 0));
            assert!(end.session(session).is_none());
            assert_eq!(end.send_data(pair.now, session, b"x"), Err(SendError::NoSession));
        }
        // A new call gets other IDs and handles.
        let session = pair.call(ups[LAC].0);
        assert_ne!(session, ups[LAC].1);
        pair.run(Duration::from_secs(1));
        assert_eq!(pair.ends[LNS].counts().sessions, 1);
    }
}

#[test]
fn a_closed_tunnel_ends_its_sessions_and_is_remembered_for_31_s() {
    for closer in [LAC, LNS] {
        let mut pair = Pair::of(config());
        let ups = pair.connect(config());
        let before = pair.sent.len();
        let result = TunnelResult::new(StopCcnResult::SHUTTING_DOWN).message("bye");
        pair.ends[closer].close_tunnel(pair.now, ups[closer].0, result.clone());
        assert_eq!(pair.ends[closer].counts().stopping, 1);
        let closed_at = pair.now;
        pair.run(Duration::from_secs(1));
        let names: Vec<_> = pair.sent[before..].iter().map(Sent::name).collect();
        assert_eq!(names, ["StopCCN", "ZLB"]);
        for (end, expected) in [
            (closer, TunnelCloseReason::Local(result.clone())),
            (1 - closer, TunnelCloseReason::Peer(result)),
        ] {
            let events = pair.take_events(end);
            let [
                Event::SessionClosed { session, reason: SessionCloseReason::TunnelClosed, .. },
                Event::TunnelClosed { tunnel, reason },
            ] = &events[..]
            else {
                panic!("{events:#?}")
            };
            assert_eq!((*tunnel, *session), ups[end]);
            assert_eq!(*reason, expected);
            let counts = pair.ends[end].counts();
            assert_eq!((counts.tunnels, counts.sessions, counts.stopping), (1, 0, 0));
            assert_eq!(pair.ends[end].tunnel(ups[end].0).unwrap().state, TunnelState::Idle);
        }
        // A repeated StopCCN is acknowledged for a full retransmission cycle.
        let stop_ccn = pair.sent[before].clone();
        let at_peer = 1 - closer;
        pair.run(Duration::from_secs(29));
        let count = pair.sent.len();
        let _ = pair.inject(at_peer, &stop_ccn.octets);
        assert_eq!(pair.sent[count..].iter().map(Sent::name).collect::<Vec<_>>(), ["ZLB"]);
        pair.run(Duration::from_secs(2));
        let count = pair.sent.len();
        let _ = pair.inject(at_peer, &stop_ccn.octets);
        assert_eq!(pair.sent.len(), count, "forgotten");
        pair.run_out();
        for end in &pair.ends {
            assert_eq!(end.counts().tunnels, 0);
            assert_eq!(end.poll_timeout(), None);
        }
        let quiet_after = pair.now.since(closed_at);
        assert!(quiet_after < Duration::from_secs(2 * 31 + 2), "{quiet_after:?}");
    }
}

#[test]
fn an_outgoing_call() {
    let lac = TunnelConfig::new("lac").bearer(Some(BearerTypes::ANALOG));
    let mut pair = Pair::new(
        EndpointConfig::new(lac.clone()).outgoing_calls(Admission::Ask),
        server(config()),
    );
    pair.open(LAC, lac);
    pair.run(Duration::from_secs(1));
    let tunnel = pair.ends[LNS].tunnels().next().unwrap().tunnel;
    let call = OutgoingCall {
        serial: 77,
        bearer: BearerTypes::ANALOG,
        sub_address: Some("9".into()),
        ..outgoing_call()
    };
    let before = pair.sent.len();
    let session = pair.ends[LNS].place_call(pair.now, tunnel, call.clone()).unwrap();
    pair.run(Duration::from_secs(1));
    let events = pair.take_events(LAC);
    let [Event::TunnelUp { .. }, Event::SessionRequest(request)] = &events[..] else {
        panic!("{events:#?}")
    };
    assert!(matches!(&request.call, RequestedCall::Outgoing(asked) if *asked == call));
    let answer = SessionAnswer::AcceptWith { sequencing: false, physical_channel: Some(3) };
    pair.ends[LAC].answer_session(pair.now, request.ticket, answer).unwrap();
    pair.run(Duration::from_secs(1));
    let events = pair.take_events(LAC);
    let [Event::PlaceCall { session: at_lac, call: asked }] = &events[..] else {
        panic!("{events:#?}")
    };
    assert_eq!(**asked, call);
    assert_eq!(pair.ends[LAC].session(*at_lac).unwrap().state, CallState::WaitCsAnswer);
    assert_eq!(pair.ends[LNS].session(session).unwrap().state, CallState::WaitConnect);
    let connected = ConnectedCall {
        tx_speed: 33_600,
        rx_speed: Some(31_200),
        sequencing_required: true,
        ..ConnectedCall::default()
    };
    pair.ends[LAC].call_connected(pair.now, *at_lac, connected).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(
        pair.lines(before),
        [
            "LNS OCRQ 1,2",
            "LAC ZLB 2,2",
            "LAC OCRP 2,2",
            "LNS ZLB 2,3",
            "LAC OCCN 3,2",
            "LNS ZLB 2,4",
        ]
    );
    let events = pair.take_events(LNS);
    let Some(Event::SessionUp { info, call, .. }) = events.last() else { panic!("{events:#?}") };
    assert_eq!((call.tx_speed, call.rx_speed), (33_600, Some(31_200)));
    assert!(info.sequence.is_required() && info.sequence.is_sending());
    assert_eq!((info.kind, info.serial), (CallKind::LnsOutgoing, 77));
    let events = pair.take_events(LAC);
    assert!(matches!(&events[..], [Event::SessionUp { info, .. }]
        if info.kind == CallKind::LacOutgoing && info.sequence.is_required()));
}

#[test]
fn an_outgoing_call_that_fails() {
    let lac = TunnelConfig::new("lac").bearer(Some(BearerTypes::all()));
    let mut pair = Pair::new(
        EndpointConfig::new(lac.clone()).outgoing_calls(Admission::Accept),
        server(config()),
    );
    pair.open(LAC, lac);
    pair.run(Duration::from_secs(1));
    let tunnel = pair.ends[LNS].tunnels().next().unwrap().tunnel;
    pair.ends[LNS].place_call(pair.now, tunnel, outgoing_call()).unwrap();
    pair.run(Duration::from_secs(1));
    let events = pair.take_events(LAC);
    let Some(Event::PlaceCall { session, .. }) = events.last() else { panic!("{events:#?}") };
    pair.ends[LAC].call_failed(pair.now, *session, CallResult::new(CdnResult::BUSY));
    pair.run(Duration::from_secs(1));
    let events = pair.take_events(LNS);
    assert!(matches!(events.last(), Some(Event::SessionClosed {
        reason: SessionCloseReason::Peer { result, .. }, .. }) if result.result == CdnResult::BUSY));
}

#[test]
fn an_application_decides_about_tunnels_and_calls() {
    let lns = EndpointConfig::new(config()).tunnels(Admission::Ask).incoming_calls(Admission::Ask);
    let mut pair = Pair::new(client(config()), lns);
    let named = TunnelConfig::new("a lac").vendor_name("acme").firmware_revision(Some(0x0102));
    let tunnel = pair.open(LAC, named);
    let call = IncomingCall {
        serial: 9,
        bearer: Some(BearerTypes::DIGITAL),
        physical_channel: Some(4),
        calling_number: Some("123".into()),
        called_number: Some("456".into()),
        sub_address: Some("7".into()),
    };
    // The line is connected later.
    let session = pair.ends[LAC].open_session(pair.now, tunnel, call.clone(), None).unwrap();
    pair.run(Duration::from_millis(500));
    let events = pair.take_events(LNS);
    let [Event::TunnelRequest(request)] = &events[..] else { panic!("{events:#?}") };
    assert_eq!(&request.peer.host_name[..], b"a lac");
    assert_eq!(&request.peer.vendor_name[..], b"acme");
    assert_eq!(request.peer.firmware_revision, Some(0x0102));
    assert_eq!((request.path, request.challenges), (Pair::path(LNS), false));
    assert_eq!(pair.names(LNS), [""; 0], "the SCCRP is the acknowledgement");
    let ticket = request.ticket;
    pair.ends[LNS].answer_tunnel(pair.now, ticket, TunnelAnswer::Accept(None)).unwrap();
    assert!(pair.ends[LNS].answer_tunnel(pair.now, ticket, TunnelAnswer::Accept(None)).is_err());
    pair.run(Duration::from_millis(400));
    let events = pair.take_events(LNS);
    let [Event::TunnelUp { .. }, Event::SessionRequest(request)] = &events[..] else {
        panic!("{events:#?}")
    };
    assert!(matches!(&request.call, RequestedCall::Incoming(asked) if *asked == call));
    let answer = SessionAnswer::AcceptWith { sequencing: true, physical_channel: None };
    pair.ends[LNS].answer_session(pair.now, request.ticket, answer).unwrap();
    pair.run(Duration::from_millis(400));
    let events = pair.take_events(LAC);
    assert!(matches!(&events[..],
        [Event::TunnelUp { .. }, Event::CallAccepted { session: accepted }]
            if *accepted == session));
    assert_eq!(pair.ends[LAC].session(session).unwrap().state, CallState::WaitReply);
    pair.ends[LAC].call_connected(pair.now, session, ConnectedCall::default()).unwrap();
    pair.run(Duration::from_millis(400));
    let events = pair.take_events(LNS);
    assert!(matches!(&events[..], [Event::SessionUp { info, .. }] if info.sequence.is_sending()));
    assert!(matches!(&pair.take_events(LAC)[..], [Event::SessionUp { .. }]));
}

#[test]
fn an_application_refuses_tunnels_and_calls() {
    let lns = EndpointConfig::new(config()).tunnels(Admission::Ask).incoming_calls(Admission::Ask);
    let mut pair = Pair::new(client(config()), lns);
    pair.open(LAC, config());
    pair.run(Duration::from_millis(100));
    let events = pair.take_events(LNS);
    let [Event::TunnelRequest(request)] = &events[..] else { panic!("{events:#?}") };
    let result = TunnelResult::error(ErrorCode::TRY_ANOTHER).message("go to lns2");
    let answer = TunnelAnswer::Reject(result.clone());
    pair.ends[LNS].answer_tunnel(pair.now, request.ticket, answer).unwrap();
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.lines(0), ["LAC SCCRQ 0,0", "LNS StopCCN 0,1", "LAC ZLB 1,1"]);
    let events = pair.take_events(LAC);
    assert!(
        matches!(&events[..], [Event::TunnelClosed { reason: TunnelCloseReason::Peer(peer), .. }]
        if *peer == result)
    );
    assert!(matches!(
        &pair.take_events(LNS)[..],
        [Event::TunnelClosed { reason: TunnelCloseReason::Local(_), .. }]
    ));

    let tunnel = pair.open(LAC, config());
    pair.run(Duration::from_millis(100));
    let events = pair.take_events(LNS);
    let [Event::TunnelRequest(request)] = &events[..] else { panic!("{events:#?}") };
    pair.ends[LNS].answer_tunnel(pair.now, request.ticket, TunnelAnswer::Accept(None)).unwrap();
    let session = pair.call(tunnel);
    pair.run(Duration::from_millis(100));
    let events = pair.take_events(LNS);
    let [Event::TunnelUp { .. }, Event::SessionRequest(request)] = &events[..] else {
        panic!("{events:#?}")
    };
    let result = CallResult::new(CdnResult::INVALID_DESTINATION);
    let answer = SessionAnswer::Reject(result.clone());
    pair.ends[LNS].answer_session(pair.now, request.ticket, answer).unwrap();
    pair.run(Duration::from_millis(100));
    let events = pair.take_events(LAC);
    assert!(matches!(&events[..], [Event::TunnelUp { .. }, Event::SessionClosed {
            session: closed, reason: SessionCloseReason::Peer { result: peer, .. }, .. }]
        if *closed == session && *peer == result));
}

#[test]
fn proxy_lcp_and_authentication_pass_from_lac_to_lns() {
    for secret in [None, Some("s3cret")] {
        let tunnel = secret.map_or_else(config, |secret| config().secret(secret));
        let mut pair = Pair::of(tunnel.clone());
        let handle = pair.open(LAC, tunnel);
        let lcp = ProxyLcp {
            initial_received: Some(vec![1, 4, 5, 0xdc].into()),
            last_sent: Some(vec![3, 4, 0xc0, 0x23].into()),
            last_received: Some(vec![5, 6, 1, 2, 3, 4].into()),
        };
        let connected = ConnectedCall {
            tx_speed: 64_000,
            private_group: Some("blue".into()),
            proxy_lcp: Some(lcp.clone()),
            proxy_auth: Some(ProxyAuth {
                kind: ProxyAuthenType::PAP,
                name: Some("alice".into()),
                challenge: None,
                id: Some(7),
                response: Some(SecretBytes::from("wonderland")),
            }),
            ..ConnectedCall::default()
        };
        let call = IncomingCall::default();
        pair.ends[LAC].open_session(pair.now, handle, call, Some(connected)).unwrap();
        pair.run(Duration::from_secs(1));
        let events = pair.take_events(LNS);
        let Some(Event::SessionUp { call, .. }) = events.last() else { panic!("{events:#?}") };
        assert_eq!(call.proxy_lcp, Some(lcp));
        assert_eq!(call.private_group.as_deref(), Some(&b"blue"[..]));
        let auth = call.proxy_auth.as_ref().unwrap();
        assert_eq!((auth.kind, auth.id), (ProxyAuthenType::PAP, Some(7)));
        assert_eq!(auth.name.as_deref(), Some(&b"alice"[..]));
        assert_eq!(auth.response.as_ref().unwrap().expose(), b"wonderland");
        assert!(!format!("{events:?}").contains("wonderland"));
        // Name and password are hidden as soon as there is a secret.
        let iccn = pair.sent.iter().find(|sent| sent.name() == "ICCN").unwrap();
        for content in [&b"alice"[..], b"wonderland"] {
            let in_clear = iccn.octets.windows(content.len()).any(|window| window == content);
            assert_eq!(in_clear, secret.is_none());
        }
    }
}

#[test]
fn every_avp_that_may_be_hidden_is_hidden_when_asked_for() {
    let tunnel = config().secret("s3cret").hide_avps(true);
    let mut pair = Pair::of(tunnel.clone());
    pair.connect(tunnel);
    for sent in &pair.sent {
        let Ok(l2tp_wire::Packet::Control(control)) = l2tp_wire::Packet::decode(&sent.octets)
        else {
            continue;
        };
        let opening = sent.is(MessageType::SCCRQ) || sent.is(MessageType::SCCRP);
        for avp in control.avps() {
            let avp = avp.unwrap();
            let hidden = avp.attribute_type.may_be_hidden() && !opening;
            assert_eq!(avp.hidden, hidden, "{sent:?} {avp:?}");
        }
    }
}

#[test]
fn line_status_goes_from_lac_to_lns_and_back() {
    let mut pair = Pair::of(config());
    let [(_, lac), (_, lns)] = pair.connect(config());
    let errors = CallErrors { crc_errors: 3, ..CallErrors::default() };
    let now = pair.now;
    assert_eq!(pair.ends[LNS].send_wen(now, lns, errors), Err(SendError::WrongRole));
    assert_eq!(
        pair.ends[LAC].send_sli(now, lac, Accm { send: 0, receive: 0 }),
        Err(SendError::WrongRole)
    );
    pair.ends[LAC].send_wen(now, lac, errors).unwrap();
    let accm = Accm { send: 0, receive: 0xa0000 };
    pair.ends[LNS].send_sli(now, lns, accm).unwrap();
    pair.run(Duration::from_secs(20));
    assert!(matches!(&pair.take_events(LNS)[..], [Event::CallErrors { errors: got, .. }]
        if *got == errors));
    assert!(matches!(&pair.take_events(LAC)[..], [Event::Accm { accm: got, .. }] if *got == accm));
    // "not more than once every 60 seconds" (RFC 2661 §6.13).
    let now = pair.now;
    assert_eq!(
        pair.ends[LAC].send_wen(now, lac, errors),
        Err(SendError::TooSoon(Duration::from_secs(40)))
    );
    pair.run(Duration::from_secs(40));
    pair.ends[LAC].send_wen(pair.now, lac, errors).unwrap();
}

#[test]
fn many_sessions_in_one_tunnel() {
    let mut pair = Pair::of(config());
    let tunnel = pair.open(LAC, config());
    let sessions: Vec<_> = (0..1000).map(|_| pair.call(tunnel)).collect();
    pair.run(Duration::from_secs(20));
    assert_eq!(pair.ends[LNS].counts().sessions, 1000);
    let ups = pair.take_events(LAC);
    assert_eq!(ups.iter().filter(|event| matches!(event, Event::SessionUp { .. })).count(), 1000);
    assert_eq!(pair.ends[LAC].sessions_of(tunnel).count(), 1000);
    let info = pair.ends[LAC].session(sessions[500]).unwrap();
    let at_lns = pair.ends[LNS].sessions().find(|lns| lns.serial == info.serial).unwrap();
    assert_eq!(at_lns.local_session_id, info.peer_session_id);
    // IDs are not sequential, and neither 0 nor the same twice.
    let mut ids: Vec<u16> = pair.ends[LAC].sessions().map(|info| info.local_session_id).collect();
    let steps = ids.windows(2).filter(|pair| pair[1].wrapping_sub(pair[0]) < 64).count();
    assert!(steps < 20, "{steps}");
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() == 1000 && ids[0] != 0);
    pair.ends[LAC].close_tunnel(pair.now, tunnel, TunnelResult::new(StopCcnResult::GENERAL_CLEAR));
    pair.run_out();
    for end in 0..2 {
        let closed = pair.take_events(end);
        let count = |is: fn(&Event) -> bool| closed.iter().filter(|event| is(event)).count();
        assert_eq!(count(|event| matches!(event, Event::SessionClosed { .. })), 1000);
        assert_eq!(count(|event| matches!(event, Event::TunnelClosed { .. })), 1);
        assert!(matches!(closed.last(), Some(Event::TunnelClosed { .. })));
        let counts = pair.ends[end].counts();
        assert_eq!((counts.tunnels, counts.sessions), (0, 0));
    }
}
