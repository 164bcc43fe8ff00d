//! What an endpoint does when its random generator fails: it never goes on with something weaker.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

#[path = "support/by_hand.rs"]
mod by_hand;

extern crate alloc;

use alloc::sync::Arc;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering;

use by_hand::*;
use l2tp_control::CallError;
use l2tp_control::ConnectedCall;
use l2tp_control::Endpoint;
use l2tp_control::EndpointConfig;
use l2tp_control::IncomingCall;
use l2tp_control::LinkId;
use l2tp_control::OpenError;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelState;
use support::*;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_netsim::SeededRandom;

const NOW: Instant = Instant::ZERO;

/// Works so many times, then fails.
struct Failing {
    left: Arc<AtomicU32>,
    random: SeededRandom,
}

impl SecureRandom for Failing {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        let left = self.left.load(Ordering::Relaxed).checked_sub(1).ok_or(RandomError)?;
        self.left.store(left, Ordering::Relaxed);
        self.random.fill(out)
    }
}

fn failing(config: EndpointConfig, works: u32) -> (Endpoint, Arc<AtomicU32>) {
    let left = Arc::new(AtomicU32::new(works));
    let random = Failing { left: left.clone(), random: SeededRandom::new(1) };
    (Endpoint::new(config, vpn_crypto::provider(), Box::new(random)), left)
}

fn secret() -> TunnelConfig {
    TunnelConfig::new("host.example").secret("s3cret").hide_avps(true)
}

#[test]
fn no_tunnel_is_opened_or_answered() {
    for works in 0..3 {
        let (mut endpoint, _) = failing(client(secret()), works);
        let opened = endpoint.open_tunnel(NOW, LinkId::PLAIN, Pair::path(LAC), secret());
        assert_eq!(opened, Err(OpenError::NoRandomness));
        assert_eq!(drain(&mut endpoint, NOW).len(), 0);
        assert_eq!(endpoint.counts().tunnels, 0);
    }
    let (mut endpoint, _) = failing(server(secret()), 0);
    let datagram = encode((0, 0), (0, 0), &sccrq(9));
    let handled = endpoint.handle_datagram(NOW, LinkId::PLAIN, Pair::path(LNS), &datagram);
    assert_eq!(handled, Handled::Dropped(DropReason::LimitReached));
    assert_eq!((drain(&mut endpoint, NOW).len(), endpoint.counts().tunnels), (0, 0));
    // With an ID and no challenge: the peer is told to come again.
    let (mut endpoint, _) = failing(server(secret()), 1);
    let _ = endpoint.handle_datagram(NOW, LinkId::PLAIN, Pair::path(LNS), &datagram);
    let (_, reply) = drain(&mut endpoint, NOW).pop().unwrap();
    let (result, error, _) = result_of(&reply);
    assert_eq!((result, error), (2, l2tp_wire::ErrorCode::INSUFFICIENT_RESOURCES));
}

#[test]
fn no_call_is_made_and_what_there_is_can_still_be_ended() {
    let mut pair = Pair::of(secret());
    let (lac, left) = failing(client(secret()), u32::MAX);
    pair.ends[LAC] = lac;
    let [(tunnel, session), _] = pair.connect(secret());
    left.store(0, Ordering::Relaxed);
    let connected = Some(ConnectedCall::default());
    let opened = pair.ends[LAC].open_session(pair.now, tunnel, IncomingCall::default(), connected);
    assert_eq!(opened, Err(CallError::NoRandomness));
    // The CDN and the StopCCN can't be hidden now, and go out all the same.
    let result = l2tp_control::CallResult::new(l2tp_wire::CdnResult::ADMINISTRATIVE);
    pair.ends[LAC].close_session(pair.now, session, result);
    pair.run(DELAY * 10);
    assert_eq!(pair.ends[LNS].counts().sessions, 0);
    let result = l2tp_control::TunnelResult::new(l2tp_wire::StopCcnResult::GENERAL_CLEAR);
    pair.ends[LAC].close_tunnel(pair.now, tunnel, result);
    pair.run(DELAY * 10);
    assert!(pair.ends[LNS].tunnels().all(|tunnel| tunnel.state == TunnelState::Idle));
}
