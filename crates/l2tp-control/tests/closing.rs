//! Tunnels that close before they are open, or while other messages are on their way.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

#[path = "support/by_hand.rs"]
mod by_hand;

use core::time::Duration;

use by_hand::*;
use l2tp_control::Endpoint;
use l2tp_control::LinkId;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelHandle;
use l2tp_control::TunnelResult;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::StopCcnResult;
use support::*;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;

fn config() -> TunnelConfig {
    TunnelConfig::new("host.example")
}

/// An endpoint that has sent its SCCRQ, the tunnel, and our Tunnel ID.
fn dial() -> (Endpoint, TunnelHandle, u16) {
    let mut endpoint = endpoint(client(config()), 1);
    let now = Instant::ZERO;
    let tunnel = endpoint.open_tunnel(now, LinkId::PLAIN, Pair::path(LAC), config()).unwrap();
    let id = assigned_tunnel_id(&drain(&mut endpoint, now)[0].1);
    (endpoint, tunnel, id)
}

/// Tunnel ID, Ns and Nr, and what it is, of the only datagram that goes out.
fn only(endpoint: &mut Endpoint, now: Instant) -> ((u16, u16, u16), Option<MessageType>) {
    let sent = drain(endpoint, now);
    assert_eq!(sent.len(), 1, "{sent:02x?}");
    let Ok(Packet::Control(control)) = Packet::decode(&sent[0].1) else { panic!() };
    ((control.tunnel_id, control.ns, control.nr), control.message_type())
}

#[test]
fn the_stop_ccn_that_refuses_our_sccrq_is_acknowledged_to_the_tunnel_that_it_names() {
    let (mut endpoint, _, id) = dial();
    let now = Instant::ZERO;
    let stop = encode((id, 0), (0, 1), &stop_ccn(77));
    let _ = endpoint.handle_datagram(now, LinkId::PLAIN, Pair::path(LAC), &stop);
    assert_eq!(only(&mut endpoint, now), ((77, 1, 1), None));
}

#[test]
fn an_attempt_that_we_give_up_is_stopped_at_the_tunnel_that_the_answer_names() {
    for refused in [false, true] {
        let (mut endpoint, tunnel, id) = dial();
        let (now, path) = (Instant::ZERO, Pair::path(LAC));
        endpoint.close_tunnel(now, tunnel, TunnelResult::new(StopCcnResult::GENERAL_CLEAR));
        assert_eq!(drain(&mut endpoint, now), [], "the peer takes one message at a time");
        let answer = if refused { stop_ccn(77) } else { sccrp(77) };
        let answer = encode((id, 0), (0, 1), &answer);
        let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &answer);
        let stop = ((77, 1, 1), Some(MessageType::STOP_CCN));
        assert_eq!(only(&mut endpoint, now), stop);
        // And so are its repetitions.
        let later = now + Duration::from_secs(1);
        endpoint.handle_timeout(later);
        assert_eq!(only(&mut endpoint, later), stop);
        let zlb = l2tp_wire::zlb(id, 0, 1, 2);
        let _ = endpoint.handle_datagram(later, LinkId::PLAIN, path, &zlb);
        assert_eq!(endpoint.counts().stopping, 0);
    }
}

#[test]
fn a_late_copy_of_the_sccrq_is_acknowledged_and_repeats_nothing_else() {
    let mut endpoint = endpoint(server(config()), 1);
    let now = Instant::ZERO;
    establish(&mut endpoint, now, LinkId::PLAIN, address(1));
    let tunnel = endpoint.tunnels().next().unwrap().tunnel;
    let call = l2tp_control::IncomingCall::default();
    endpoint.open_session(now, tunnel, call, None).unwrap();
    assert_eq!(only(&mut endpoint, now), ((9, 1, 2), Some(MessageType::ICRQ)));
    let handled = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &first(9));
    assert_eq!(handled, Handled::Dropped(DropReason::Duplicate));
    assert_eq!(only(&mut endpoint, now), ((9, 2, 2), None));
}
