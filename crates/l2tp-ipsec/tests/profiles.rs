//! Emulated clients of every kind against a server with its default settings, for two days.
#![allow(clippy::std_instead_of_alloc, clippy::unwrap_used, clippy::indexing_slicing)]

mod sim;

use l2tp_ipsec::AuthMethod;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::ike::profile::ClientProfile;
use l2tp_ipsec::ike::profile::Mode;
use l2tp_ipsec::ike::proposal::Preset;
use vpn_netsim::Link;
use vpn_netsim::Nat;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;

use sim::World;
use sim::packet;
use sim::secs;
use sim::secure_client_config;
use sim::secure_server_config;
use sim::users;

const DAY: u64 = 24 * 3600;

/// Our client speaks main mode only; aggressive mode is proved by the recorded exchanges.
fn profiles() -> impl Iterator<Item = &'static ClientProfile> {
    ClientProfile::ALL.iter().filter(|profile| profile.mode == Mode::Main)
}

fn server(profile: &ClientProfile) -> ServerConfig {
    match profile.preset {
        Preset::Legacy => secure_server_config().ipsec(|ipsec| ipsec.preset(Preset::Legacy)),
        _ => secure_server_config(),
    }
}

/// What it says and does, from the first message of IKE to PPP.
fn client(profile: &'static ClientProfile) -> ClientConfig {
    let config = secure_client_config().emulate(profile).auth([AuthMethod::MsChapV2]);
    // Android and Apple never begin a HELLO of their own.
    match profile.name {
        name if name.contains("Android") || name.contains("macOS") => config.hello(secs(10 * DAY)),
        _ => config,
    }
}

fn echoes(world: &mut World, id: NodeId, tag: u8) {
    let before = world.clients[&id].packets.len();
    let packet = packet::udp(world.clients[&id].address(), sim::INSIDE, 200, tag);
    world.send(id, &packet).unwrap();
    world.run_for(secs(1));
    assert_eq!(world.clients[&id].packets[before..], [packet::echoed(&packet)]);
}

/// Connects, works for two days through the rekeys of both ends, and disconnects.
fn two_days(profile: &'static ClientProfile, nat: Option<Nat>) {
    let mut world = World::new(1, Link::default(), server(profile), users());
    let realm = nat.map_or(Realm::PUBLIC, |nat| {
        world.net.add_nat(Realm::PUBLIC, "203.0.113.1".parse().unwrap(), nat)
    });
    let id = world.add_inside(realm, client(profile));
    world.call(id);
    let up = world.wait_up(id, secs(10));
    let at_server = world.connected[0].security.as_ref().unwrap();
    assert_eq!(at_server.fingerprint, profile.fingerprint, "{}", profile.name);
    assert_eq!(up.auth, Some(AuthMethod::MsChapV2));
    for hour in 0..48 {
        echoes(&mut world, id, hour);
        world.run_for(secs(3_599));
    }
    let lifetime = profile.lifetimes().esp.as_secs().min(3_600);
    let rekeys = u64::from(world.rekeyed(id));
    let name = profile.name;
    assert!(rekeys >= 2 * DAY / lifetime - 1, "{name}: {rekeys} rekeys of {lifetime} s");
    let caller = &world.clients[&id];
    assert_eq!((caller.ups, &caller.ended), (1, &None), "{name}");
    assert!(world.refused.is_empty(), "{name}: {:?}", world.refused);
    world.hang_up(id);
    world.wait_end(id, secs(10));
    world.wait_empty(secs(200));
}

#[test]
fn every_client_stays_for_two_days() {
    for profile in profiles() {
        two_days(profile, None);
    }
}

#[test]
fn behind_a_nat_too() {
    for profile in profiles() {
        two_days(profile, Some(Nat::HOME_ROUTER));
    }
}

/// Only a server that was told to serves those whose best is broken.
#[test]
fn weak_clients_need_the_legacy_preset() {
    for profile in profiles().filter(|profile| profile.preset == Preset::Legacy) {
        let mut world = World::new(1, Link::default(), secure_server_config(), users());
        let id = world.connect(client(profile));
        world.wait_end(id, secs(200));
        let refused = world.refused.first().unwrap().explain();
        assert!(refused.contains("modp1024"), "{}: {refused}", profile.name);
    }
}
