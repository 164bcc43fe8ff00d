//! Every message in every state, on the wire: what RFC 2661 §7.2, §7.4 and §7.5 want sent, and
//! what is left.
//!
//! A cell says what goes out and which state follows. `ZLB` is a bare acknowledgement, and
//! `StopCCN 2/1` and `CDN 2/5` carry that result and error code.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

#[path = "support/by_hand.rs"]
mod by_hand;

use by_hand::*;
use l2tp_control::Admission;
use l2tp_control::CallKind;
use l2tp_control::ConnectedCall;
use l2tp_control::Endpoint;
use l2tp_control::EndpointConfig;
use l2tp_control::Event;
use l2tp_control::IncomingCall;
use l2tp_control::LinkId;
use l2tp_control::OutgoingCall;
use l2tp_control::SessionHandle;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelHandle;
use l2tp_wire::BearerTypes;
use l2tp_wire::FramingTypes;
use l2tp_wire::Message;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use support::*;
use vpn_core::Instant;

const NOW: Instant = Instant::ZERO;
/// IDs that the peer assigns.
const TUNNEL_ID: u16 = 9;
const SESSION_ID: u16 = 31;

/// An endpoint, and the peer that a test plays.
struct Peer {
    endpoint: Endpoint,
    /// The endpoint's Tunnel ID, or 0.
    tunnel_id: u16,
    /// The endpoint's Session ID, or 0.
    session_id: u16,
    ns: u16,
    nr: u16,
    tunnel: Option<TunnelHandle>,
}

impl Peer {
    fn new() -> Self {
        let tunnel = TunnelConfig::new("host.example").bearer(Some(BearerTypes::all()));
        let config = EndpointConfig::new(tunnel)
            .tunnels(Admission::Accept)
            .incoming_calls(Admission::Accept)
            .outgoing_calls(Admission::Accept);
        Self {
            endpoint: endpoint(config, 1),
            tunnel_id: 0,
            session_id: 0,
            ns: 0,
            nr: 0,
            tunnel: None,
        }
    }

    /// Sends a message to a session or the tunnel, and says what comes back.
    fn say(&mut self, session_id: u16, message: &Message<'_>) -> String {
        let datagram = encode((self.tunnel_id, session_id), (self.ns, self.nr), message);
        self.ns += 1;
        let path = Pair::path(LNS);
        let _ = self.endpoint.handle_datagram(NOW, LinkId::PLAIN, path, &datagram);
        self.hear()
    }

    /// What the endpoint has to say.
    fn hear(&mut self) -> String {
        let replies = drain(&mut self.endpoint, NOW).into_iter().map(|(_, octets)| {
            let Ok(Packet::Control(control)) = Packet::decode(&octets) else { panic!() };
            let Some(message) = control.message_type() else { return String::from("ZLB") };
            self.nr = control.ns + 1;
            match message {
                MessageType::SCCRQ | MessageType::SCCRP => {
                    self.tunnel_id = assigned_tunnel_id(&octets);
                }
                MessageType::ICRQ | MessageType::ICRP | MessageType::OCRQ | MessageType::OCRP => {
                    self.session_id = assigned_session_id(&octets);
                }
                MessageType::STOP_CCN | MessageType::CDN => {
                    let (result, error, _) = result_of(&octets);
                    return format!("{message} {result}/{}", error.0);
                }
                _ => {}
            }
            message.to_string()
        });
        replies.collect::<Vec<_>>().join(", ")
    }

    fn tunnel_state(&self) -> String {
        let tunnel =
            self.endpoint.tunnels().find(|tunnel| tunnel.local_tunnel_id == self.tunnel_id);
        tunnel.map_or_else(|| String::from("gone"), |tunnel| tunnel.state.to_string())
    }

    fn wait_ctl_reply() -> Self {
        let mut peer = Self::new();
        let config = TunnelConfig::new("host.example").bearer(Some(BearerTypes::all()));
        let path = Pair::path(LNS);
        peer.tunnel = Some(peer.endpoint.open_tunnel(NOW, LinkId::PLAIN, path, config).unwrap());
        assert_eq!(peer.hear(), "SCCRQ");
        peer
    }

    fn wait_ctl_conn() -> Self {
        let mut peer = Self::new();
        assert_eq!(peer.say(0, &sccrq(TUNNEL_ID)), "SCCRP");
        peer
    }

    fn established() -> Self {
        let mut peer = Self::wait_ctl_reply();
        assert_eq!(peer.say(0, &sccrp(TUNNEL_ID)), "SCCCN");
        peer
    }

    fn session(&self) -> Option<(CallKind, String)> {
        self.endpoint.sessions().next().map(|info| (info.kind, info.state.to_string()))
    }

    /// A call of this kind in this state.
    fn in_call(kind: CallKind, state: &str) -> Self {
        let mut peer = Self::established();
        let tunnel = peer.tunnel.unwrap();
        match kind {
            CallKind::LacIncoming => {
                let connected = Some(ConnectedCall::default());
                let call = IncomingCall::default();
                peer.endpoint.open_session(NOW, tunnel, call, connected).unwrap();
                assert_eq!(peer.hear(), "ICRQ");
                if state == "established" {
                    assert_eq!(peer.say(peer.session_id, &icrp(SESSION_ID)), "ICCN");
                }
            }
            CallKind::LnsIncoming => {
                assert_eq!(peer.say(0, &icrq(SESSION_ID)), "ICRP");
                if state == "established" {
                    assert_eq!(peer.say(peer.session_id, &iccn()), "ZLB");
                }
            }
            CallKind::LacOutgoing => {
                assert_eq!(peer.say(0, &ocrq(SESSION_ID)), "OCRP");
                if state == "established" {
                    let session = peer.place_call();
                    let connected = ConnectedCall::default();
                    peer.endpoint.call_connected(NOW, session, connected).unwrap();
                    assert_eq!(peer.hear(), "OCCN");
                }
            }
            CallKind::LnsOutgoing => {
                peer.endpoint.place_call(NOW, tunnel, outgoing_call()).unwrap();
                assert_eq!(peer.hear(), "OCRQ");
                if state != "wait-reply" {
                    assert_eq!(peer.say(peer.session_id, &ocrp(SESSION_ID)), "ZLB");
                }
                if state == "established" {
                    assert_eq!(peer.say(peer.session_id, &occn()), "ZLB");
                }
            }
        }
        assert_eq!(peer.session(), Some((kind, state.into())));
        peer
    }

    fn place_call(&mut self) -> SessionHandle {
        let mut events = core::iter::from_fn(|| self.endpoint.poll_event());
        let session = events.find_map(|event| match event {
            Event::PlaceCall { session, .. } => Some(session),
            _ => None,
        });
        session.unwrap()
    }
}

/// Checks each cell of a table: the first line names the states, each further line a message and
/// its cells.
fn check(table: &str, cell: impl Fn(&str, &str) -> String) {
    let split = |line: &str| -> Vec<String> { line.split('|').map(|t| t.trim().into()).collect() };
    let mut lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    let states = split(lines.next().unwrap());
    for line in lines {
        let row = split(line);
        assert_eq!(row.len(), states.len());
        for (state, expected) in states.iter().zip(&row).skip(1) {
            assert_eq!(cell(state, &row[0]), *expected, "{} in {state}", row[0]);
        }
    }
}

#[test]
fn the_control_connection() {
    check(
        "
            | wait-ctl-reply     | wait-ctl-conn              | established
    SCCRQ   | StopCCN 7/0, idle  | StopCCN 7/0, idle          | StopCCN 7/0, idle
    SCCRP   | SCCCN, established | StopCCN 7/0, idle          | StopCCN 7/0, idle
    SCCCN   | StopCCN 7/0, idle  | ZLB, established           | StopCCN 7/0, idle
    StopCCN | ZLB, idle          | ZLB, idle                  | ZLB, idle
    HELLO   | ZLB, wait-ctl-reply| ZLB, wait-ctl-conn         | ZLB, established
    ICRQ    | StopCCN 2/1, idle  | StopCCN 2/1, idle          | ICRP, established
    CDN     | StopCCN 2/1, idle  | StopCCN 2/1, idle          | ZLB, established
        ",
        |state, message| {
            let mut peer = match state {
                "wait-ctl-reply" => Peer::wait_ctl_reply(),
                "wait-ctl-conn" => Peer::wait_ctl_conn(),
                _ => Peer::established(),
            };
            let message = match message {
                "SCCRQ" => sccrq(TUNNEL_ID),
                "SCCRP" => sccrp(TUNNEL_ID),
                "SCCCN" => scccn(),
                "StopCCN" => stop_ccn(TUNNEL_ID),
                "HELLO" => hello(),
                "ICRQ" => icrq(SESSION_ID),
                "CDN" => cdn(SESSION_ID),
                other => panic!("{other}"),
            };
            let said = peer.say(0, &message);
            format!("{said}, {}", peer.tunnel_state())
        },
    );
}

fn check_call(kind: CallKind, table: &str) {
    check(table, |state, message| {
        let mut peer = Peer::in_call(kind, state);
        let message = match message {
            "ICRQ" => icrq(SESSION_ID),
            "ICRP" => icrp(SESSION_ID),
            "ICCN" => iccn(),
            "OCRQ" => ocrq(SESSION_ID),
            "OCRP" => ocrp(SESSION_ID),
            "OCCN" => occn(),
            "CDN" => cdn(SESSION_ID),
            other => panic!("{other}"),
        };
        let said = peer.say(peer.session_id, &message);
        let state = peer.session().map_or_else(|| String::from("idle"), |(_, state)| state);
        assert_eq!(peer.tunnel_state(), "established");
        format!("{said}, {state}")
    });
}

#[test]
fn an_incoming_call_at_the_lac() {
    check_call(
        CallKind::LacIncoming,
        "
         | wait-reply         | established
    ICRQ | CDN 2/3, idle      | CDN 2/3, idle
    ICRP | ICCN, established  | CDN 2/5, idle
    ICCN | ZLB, idle          | CDN 2/5, idle
    OCRQ | CDN 2/3, idle      | CDN 2/3, idle
    OCRP | CDN 2/5, idle      | CDN 2/5, idle
    OCCN | CDN 2/5, idle      | CDN 2/5, idle
    CDN  | ZLB, idle          | ZLB, idle
        ",
    );
}

#[test]
fn an_incoming_call_at_the_lns() {
    check_call(
        CallKind::LnsIncoming,
        "
         | wait-connect       | established
    ICRQ | CDN 2/3, idle      | CDN 2/3, idle
    ICRP | CDN 2/5, idle      | CDN 2/5, idle
    ICCN | ZLB, established   | CDN 2/5, idle
    OCRQ | CDN 2/3, idle      | CDN 2/3, idle
    OCRP | CDN 2/5, idle      | CDN 2/5, idle
    OCCN | CDN 2/5, idle      | CDN 2/5, idle
    CDN  | ZLB, idle          | ZLB, idle
        ",
    );
}

#[test]
fn an_outgoing_call_at_the_lac() {
    check_call(
        CallKind::LacOutgoing,
        "
         | wait-cs-answer     | established
    ICRQ | CDN 2/3, idle      | CDN 2/3, idle
    ICRP | CDN 2/5, idle      | CDN 2/5, idle
    ICCN | CDN 2/5, idle      | CDN 2/5, idle
    OCRQ | CDN 2/3, idle      | CDN 2/3, idle
    OCRP | CDN 2/5, idle      | CDN 2/5, idle
    OCCN | CDN 2/5, idle      | CDN 2/5, idle
    CDN  | ZLB, idle          | ZLB, idle
        ",
    );
}

#[test]
fn an_outgoing_call_at_the_lns() {
    check_call(
        CallKind::LnsOutgoing,
        "
         | wait-reply         | wait-connect       | established
    ICRQ | CDN 2/3, idle      | CDN 2/3, idle      | CDN 2/3, idle
    ICRP | CDN 2/5, idle      | CDN 2/5, idle      | CDN 2/5, idle
    ICCN | CDN 2/5, idle      | CDN 2/5, idle      | CDN 2/5, idle
    OCRQ | CDN 2/3, idle      | CDN 2/3, idle      | CDN 2/3, idle
    OCRP | ZLB, wait-connect  | CDN 2/5, idle      | CDN 2/5, idle
    OCCN | CDN 2/5, idle      | ZLB, established   | CDN 2/5, idle
    CDN  | ZLB, idle          | ZLB, idle          | ZLB, idle
        ",
    );
}

#[test]
fn what_is_not_supported_is_refused() {
    // A framing that we did not offer, in an ICCN and an OCCN.
    for kind in [CallKind::LnsIncoming, CallKind::LnsOutgoing] {
        let mut peer = Peer::new();
        let config = TunnelConfig::new("host.example").framing(FramingTypes::SYNC);
        let path = Pair::path(LNS);
        let tunnel = peer.endpoint.open_tunnel(NOW, LinkId::PLAIN, path, config).unwrap();
        peer.hear();
        peer.say(0, &sccrp(TUNNEL_ID));
        let said = if kind == CallKind::LnsIncoming {
            peer.say(0, &icrq(SESSION_ID));
            let Message::Iccn(mut iccn) = iccn() else { panic!() };
            iccn.framing_type = FramingTypes::ASYNC;
            peer.say(peer.session_id, &Message::Iccn(iccn))
        } else {
            // The peer has no analog lines, and must not be asked for one.
            let analog = OutgoingCall { bearer: BearerTypes::ANALOG, ..outgoing_call() };
            assert_eq!(
                peer.endpoint.place_call(NOW, tunnel, analog),
                Err(l2tp_control::CallError::PeerIncapable)
            );
            peer.endpoint.place_call(NOW, tunnel, outgoing_call()).unwrap();
            peer.hear();
            peer.say(peer.session_id, &ocrp(SESSION_ID));
            let Message::Occn(mut occn) = occn() else { panic!() };
            occn.framing_type = FramingTypes::ASYNC;
            peer.say(peer.session_id, &Message::Occn(occn))
        };
        assert_eq!(said, "CDN 5/0");
        assert_eq!(peer.session(), None);
    }
    // A bearer that we did not offer, in an OCRQ.
    let mut peer = Peer::new();
    let config = TunnelConfig::new("host.example").bearer(Some(BearerTypes::ANALOG));
    let path = Pair::path(LNS);
    peer.endpoint.open_tunnel(NOW, LinkId::PLAIN, path, config).unwrap();
    peer.hear();
    peer.say(0, &sccrp(TUNNEL_ID));
    assert_eq!(peer.say(0, &ocrq(SESSION_ID)), "CDN 5/0");
}

#[test]
fn calls_are_refused_by_policy_and_at_the_limit() {
    let tunnel = TunnelConfig::new("host.example").max_sessions(1);
    let config = EndpointConfig::new(tunnel.clone()).incoming_calls(Admission::Accept);
    let mut peer = Peer { endpoint: endpoint(config, 1), ..Peer::new() };
    let path = Pair::path(LNS);
    peer.endpoint.open_tunnel(NOW, LinkId::PLAIN, path, tunnel).unwrap();
    peer.hear();
    peer.say(0, &sccrp(TUNNEL_ID));
    assert_eq!(peer.say(0, &icrq(1)), "ICRP");
    assert_eq!(peer.say(0, &icrq(2)), "CDN 4/0");
    assert_eq!(peer.say(0, &ocrq(3)), "CDN 5/0", "such calls are not served");
    assert_eq!(peer.endpoint.counts().sessions, 1);
}

#[test]
fn a_peer_may_not_assign_an_id_twice() {
    let mut peer = Peer::in_call(CallKind::LacIncoming, "established");
    let tunnel = peer.tunnel.unwrap();
    let connected = Some(ConnectedCall::default());
    peer.endpoint.open_session(NOW, tunnel, IncomingCall::default(), connected).unwrap();
    assert_eq!(peer.hear(), "ICRQ");
    assert_eq!(peer.say(peer.session_id, &icrp(SESSION_ID)), "CDN 2/5");
    assert_eq!(peer.endpoint.counts().sessions, 1);
}

#[test]
fn messages_for_a_call_that_is_gone_are_acknowledged_and_ignored() {
    let mut peer = Peer::established();
    for message in [icrp(1), iccn(), ocrp(1), occn(), cdn(1)] {
        assert_eq!(peer.say(4711, &message), "ZLB");
    }
    assert_eq!(peer.tunnel_state(), "established");
}

#[test]
fn a_stopccn_before_our_tunnel_id_is_known_finds_the_tunnel() {
    let mut peer = Peer::wait_ctl_conn();
    let id = core::mem::take(&mut peer.tunnel_id);
    // Another ID says nothing about this tunnel.
    peer.say(0, &stop_ccn(TUNNEL_ID + 1));
    peer.ns -= 1;
    assert_eq!(peer.endpoint.tunnels().next().unwrap().state.to_string(), "wait-ctl-conn");
    assert_eq!(peer.say(0, &stop_ccn(TUNNEL_ID)), "ZLB");
    peer.tunnel_id = id;
    assert_eq!(peer.tunnel_state(), "idle");
}
