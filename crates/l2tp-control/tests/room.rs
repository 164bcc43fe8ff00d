//! Who gets a tunnel when there are more requests than room.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

#[path = "support/by_hand.rs"]
mod by_hand;

use core::net::SocketAddr;
use core::time::Duration;

use by_hand::*;
use l2tp_control::Admission;
use l2tp_control::Endpoint;
use l2tp_control::Event;
use l2tp_control::Limits;
use l2tp_control::LinkId;
use l2tp_control::TunnelConfig;
use l2tp_control::TunnelState;
use l2tp_wire::Avp;
use l2tp_wire::ErrorCode;
use l2tp_wire::Packet;
use l2tp_wire::StopCcnResult;
use support::*;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;

fn config() -> TunnelConfig {
    TunnelConfig::new("host.example")
}

#[test]
fn a_flood_of_spoofed_requests_costs_a_bounded_table_and_no_tunnel() {
    const FLOOD: u32 = 1_000_000;
    let mut endpoint = endpoint(server(config()), 1);
    let mut now = Instant::ZERO;
    let tunnels: Vec<u16> = (0..1000)
        .map(|n| establish(&mut endpoint, now, LinkId::PLAIN, spoofed(0x100_0000 + n)))
        .collect();
    // 50,000 a second for 20 s. Honest newcomers come after 1 s, 2 s, …, 50 ms away.
    let honest = |second: u64| spoofed(0x200_0000 + u32::try_from(second).unwrap());
    let mut newcomers: Vec<(Instant, SocketAddr, Vec<u8>)> = Vec::new();
    let mut admitted = 0;
    let mut most_half_open = 0;
    let mut transmits = 0_u64;
    for n in 0..FLOOD {
        now = now + Duration::from_micros(20);
        let flooder = from(spoofed(n));
        let _ = endpoint.handle_datagram(now, LinkId::PLAIN, flooder, &first(1));
        if n % 50_000 == 49_999 {
            let address = honest(u64::from(n / 50_000));
            let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address), &first(7));
        }
        while newcomers.first().is_some_and(|(at, ..)| *at <= now) {
            let (_, address, scccn) = newcomers.remove(0);
            let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address), &scccn);
            admitted += 1;
        }
        for (path, octets) in drain(&mut endpoint, now) {
            transmits += 1;
            if (0..20).any(|second| path.remote == honest(second)) && octets.len() > 12 {
                let arrival = now + Duration::from_millis(50);
                newcomers.push((arrival, path.remote, third(assigned_tunnel_id(&octets))));
            }
        }
        while endpoint.poll_event().is_some() {}
        if endpoint.poll_timeout().is_some_and(|at| at <= now) {
            endpoint.handle_timeout(now);
        }
        if n % 1000 == 0 {
            most_half_open = most_half_open.max(endpoint.counts().half_open);
        }
    }
    assert_eq!(most_half_open, Limits::default().half_open);
    assert!(endpoint.counts().tunnels <= 1000 + 20 + Limits::default().half_open);
    assert!(transmits <= u64::from(FLOOD) + 100, "one reply a datagram: {transmits}");
    assert_eq!(admitted, 19);
    let established: Vec<u16> = endpoint
        .tunnels()
        .filter(|tunnel| tunnel.state == TunnelState::Established)
        .map(|tunnel| tunnel.local_tunnel_id)
        .collect();
    assert_eq!(established.len(), 1000 + 19, "the newcomers are in");
    assert!(tunnels.iter().all(|id| established.contains(id)), "and nobody was thrown out");
    // The flood is over: what it left goes by itself.
    for _ in 0..200 {
        now = now + Duration::from_millis(200);
        endpoint.handle_timeout(now);
        drain(&mut endpoint, now);
    }
    assert_eq!(endpoint.counts().half_open, 0);
}

#[test]
fn one_source_cannot_use_up_what_all_share() {
    let mut endpoint = endpoint(server(config()), 1);
    for n in 1..=100 {
        let path = from(SocketAddr::new(address(66).ip(), 10_000 + n));
        let _ = endpoint.handle_datagram(Instant::ZERO, LinkId::PLAIN, path, &first(n));
        drain(&mut endpoint, Instant::ZERO);
    }
    assert_eq!(endpoint.counts().half_open, Limits::default().half_open_per_source);
    // Those that have proven where they are stay, and the source must wait.
    let half_open: Vec<_> = endpoint.tunnels().collect();
    for tunnel in half_open {
        let zlb = l2tp_wire::zlb(tunnel.local_tunnel_id, 0, 1, 1);
        let path = from(tunnel.path.remote);
        let _ = endpoint.handle_datagram(Instant::ZERO, LinkId::PLAIN, path, &zlb);
    }
    let late = from(SocketAddr::new(address(66).ip(), 9));
    assert_eq!(
        endpoint.handle_datagram(Instant::ZERO, LinkId::PLAIN, late, &first(1)),
        Handled::Dropped(DropReason::LimitReached)
    );
    // Others need not.
    establish(&mut endpoint, Instant::ZERO, LinkId::PLAIN, address(67));
}

#[test]
fn a_full_endpoint_says_so() {
    let limits = Limits { tunnels: 3, ..Limits::default() };
    let mut endpoint = endpoint(server(config()).limits(limits), 1);
    for n in 1..=3 {
        establish(&mut endpoint, Instant::ZERO, LinkId::PLAIN, address(n));
    }
    let path = from(address(9));
    let handled = endpoint.handle_datagram(Instant::ZERO, LinkId::PLAIN, path, &first(77));
    assert_eq!(handled, Handled::Dropped(DropReason::LimitReached));
    let (_, reply) = drain(&mut endpoint, Instant::ZERO).pop().unwrap();
    let result = find_avp(&reply, |avp| match avp {
        Avp::ResultCode(code) => Some((code.stop_ccn(), code.error)),
        _ => None,
    });
    assert_eq!(result, Some((StopCcnResult::GENERAL_ERROR, ErrorCode::INSUFFICIENT_RESOURCES)));
    let Ok(Packet::Control(control)) = Packet::decode(&reply) else { panic!() };
    assert_eq!((control.tunnel_id, control.ns, control.nr), (77, 0, 1));
    assert_eq!(endpoint.counts().tunnels, 3, "nothing is kept of it");
}

#[test]
fn requests_that_come_to_nothing_keep_nobody_out() {
    const LIMIT: usize = 20;
    let now = Instant::ZERO;
    let limits = Limits { tunnels: LIMIT, tunnels_per_link: 15, ..Limits::default() };
    let with_secret = || TunnelConfig::new("host.example").secret("s3cret");
    // SCCRQ and StopCCN with forged addresses.
    let mut endpoint = endpoint(server(config()).limits(limits), 1);
    for n in 0..1000 {
        let path = from(spoofed(n));
        let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &first(9));
        let stop = encode((0, 0), (1, 0), &stop_ccn(9));
        let _ = endpoint.handle_datagram(now, LinkId::PLAIN, path, &stop);
        drain(&mut endpoint, now);
        assert!(endpoint.counts().tunnels <= LIMIT);
    }
    establish(&mut endpoint, now, LinkId::PLAIN, address(1));
    // A peer with another secret, or none, that tries again and again from one address.
    let mut endpoint = support::endpoint(server(with_secret()).limits(limits), 1);
    for n in 1..=1000 {
        let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &first(n));
        let (_, sccrp) = drain(&mut endpoint, now).pop().unwrap();
        let third = third(assigned_tunnel_id(&sccrp));
        let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(address(1)), &third);
        assert_eq!(result_of(&drain(&mut endpoint, now)[0].1).0, StopCcnResult::NOT_AUTHORIZED.0);
    }
    let counts = endpoint.counts();
    assert_eq!((counts.half_open, counts.tunnels), (0, 5), "one source has so much room");
    assert_eq!((counts.stopping, counts.draining), (5, 0));
    // Requests that the application refuses.
    let mut endpoint =
        support::endpoint(server(config()).tunnels(Admission::Ask).limits(limits), 1);
    for n in 0..1000 {
        let _ = endpoint.handle_datagram(now, LinkId::PLAIN, from(spoofed(n)), &first(9));
        let Some(Event::TunnelRequest(request)) = endpoint.poll_event() else { panic!("{n}") };
        let result = l2tp_control::TunnelResult::new(StopCcnResult::NOT_AUTHORIZED);
        let answer = l2tp_control::TunnelAnswer::Reject(result);
        endpoint.answer_tunnel(now, request.ticket, answer).unwrap();
        drain(&mut endpoint, now);
        assert_eq!(closed(&mut endpoint), 1);
    }
    assert_eq!((endpoint.counts().tunnels, endpoint.counts().draining), (15, 0));
}

#[test]
fn tunnels_that_have_closed_make_room_for_those_that_come_back() {
    let limits = Limits { tunnels: 30, tunnels_per_link: 20, ..Limits::default() };
    let mut endpoint = endpoint(server(config()).limits(limits), 1);
    let now = Instant::ZERO;
    for (link, peers) in [(LinkId(1), 0..10), (LinkId::PLAIN, 100..120), (LinkId::PLAIN, 100..120)]
    {
        for n in peers {
            let id = establish(&mut endpoint, now, link, spoofed(n));
            if link == LinkId::PLAIN {
                let stop = encode((id, 0), (2, 1), &stop_ccn(9));
                let _ = endpoint.handle_datagram(now, link, from(spoofed(n)), &stop);
                drain(&mut endpoint, now);
            }
        }
    }
    assert_eq!(closed(&mut endpoint), 40, "each is told once");
    let open = |endpoint: &Endpoint| {
        endpoint.tunnels().filter(|t| t.state == TunnelState::Established).count()
    };
    assert_eq!((endpoint.counts().tunnels, open(&endpoint)), (30, 10));
    // We close; the StopCCNs are not even acknowledged when both links want their places.
    for link in [LinkId::PLAIN, LinkId(1)] {
        let all: Vec<_> = endpoint.tunnels().map(|tunnel| tunnel.tunnel).collect();
        for tunnel in all {
            let result = l2tp_control::TunnelResult::new(StopCcnResult::GENERAL_CLEAR);
            endpoint.close_tunnel(now, tunnel, result);
        }
        drain(&mut endpoint, now);
        assert_eq!(endpoint.counts().draining, if link == LinkId::PLAIN { 10 } else { 30 });
        for n in 200..220 {
            establish(&mut endpoint, now, link, spoofed(n));
        }
        assert_eq!((endpoint.counts().tunnels, open(&endpoint)), (30, 20));
    }
    // Our own dials get a place as well, but throw nobody out.
    let path = from(spoofed(1));
    for _ in 0..10 {
        endpoint.open_tunnel(now, LinkId(2), path, config()).unwrap();
    }
    let refused = endpoint.open_tunnel(now, LinkId(2), path, config());
    assert_eq!(refused, Err(l2tp_control::OpenError::LimitReached));
    assert_eq!((endpoint.counts().tunnels, open(&endpoint)), (30, 20));
}

#[test]
fn who_makes_room_is_on_the_link_that_is_full() {
    let limits = Limits { tunnels: 100, tunnels_per_link: 4, ..Limits::default() };
    let mut endpoint = endpoint(server(config()).limits(limits), 1);
    let now = Instant::ZERO;
    let unauthenticated = |n: u32| (LinkId::PLAIN, from(spoofed(n)));
    // Half open on the plain link first, then a link of its own that is full of open tunnels.
    for n in 0..3 {
        let (link, path) = unauthenticated(n);
        let _ = endpoint.handle_datagram(now, link, path, &first(9));
    }
    for n in 10..14 {
        establish(&mut endpoint, now, LinkId(1), spoofed(n));
    }
    let path = from(spoofed(20));
    let handled = endpoint.handle_datagram(now, LinkId(1), path, &first(9));
    assert_eq!(handled, Handled::Dropped(DropReason::LimitReached));
    assert_eq!(endpoint.counts().tunnels, 7, "none of another link was thrown out in vain");
    drain(&mut endpoint, now);
    // On the plain link there are those to make room.
    for n in 30..40 {
        establish(&mut endpoint, now, LinkId::PLAIN, spoofed(n));
        if n == 33 {
            break;
        }
    }
    assert_eq!(endpoint.counts().tunnels, 8);
}

#[test]
fn five_hosts_behind_one_address_do_not_throw_each_other_out() {
    let mut endpoint = endpoint(server(config()), 1);
    let host = |n: u16| from(SocketAddr::new(address(66).ip(), 10_000 + n));
    let at = |millis| Instant::ZERO + Duration::from_millis(millis);
    let ids: Vec<u16> = (0..5)
        .map(|n| {
            let _ = endpoint.handle_datagram(at(0), LinkId::PLAIN, host(n), &first(9));
            assigned_tunnel_id(&drain(&mut endpoint, at(0))[0].1)
        })
        .collect();
    let handled = endpoint.handle_datagram(at(10), LinkId::PLAIN, host(5), &first(9));
    assert_eq!(handled, Handled::Dropped(DropReason::LimitReached));
    for (n, id) in (0..).zip(ids) {
        let _ = endpoint.handle_datagram(at(200), LinkId::PLAIN, host(n), &third(id));
    }
    // The sixth repeats its SCCRQ.
    establish(&mut endpoint, at(1010), LinkId::PLAIN, host(5).remote);
    let open = endpoint.tunnels().filter(|t| t.state == TunnelState::Established).count();
    assert_eq!(open, 6);
    // Those who never answer block nobody for longer than a second.
    for n in 20..25 {
        let _ = endpoint.handle_datagram(at(2000), LinkId::PLAIN, host(n), &first(9));
    }
    drain(&mut endpoint, at(2000));
    establish(&mut endpoint, at(3010), LinkId::PLAIN, host(6).remote);
}
