//! Whatever goes wrong is told in a sentence of its own, at the end that can know.
#![allow(clippy::std_instead_of_alloc, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::panic)]

mod sim;

use std::collections::BTreeSet;

use l2tp_ipsec::AuthMethod;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::Users;
use l2tp_ipsec::ike;
use l2tp_ipsec::ike::Encapsulation;
use l2tp_ipsec::ike::RemoteIdentity;
use vpn_core::Socket;
use vpn_netsim::Link;
use vpn_netsim::Nat;
use vpn_netsim::NodeId;
use vpn_netsim::Realm;
use vpn_netsim::Verdict;

use sim::World;
use sim::secs;
use sim::secure_client_config as client;
use sim::secure_server_config as server;
use sim::users;

fn ike_list(list: &str) -> Vec<ike::proposal::IkeProposal> {
    list.split(',').map(|proposal| proposal.parse().unwrap()).collect()
}

fn esp_list(list: &str) -> Vec<ike::proposal::EspProposal> {
    list.split(',').map(|proposal| proposal.parse().unwrap()).collect()
}

fn with(config: ServerConfig) -> World {
    World::new(1, Link::default(), config, users())
}

/// Has a client call and fail; says why, in its own words.
fn client_says(world: &mut World, config: ClientConfig) -> String {
    let id = world.connect(config);
    world.wait_end(id, secs(300)).explain()
}

/// What the server says of those whom it did not let in, or who have gone.
fn server_says(world: &World) -> String {
    let refused = world.refused.last().map(|reason| reason.explain());
    let ended = world.disconnected.last().map(|ended| ended.reason.explain());
    refused.or(ended).unwrap_or_default()
}

fn drop_socket(world: &mut World, socket: Socket) {
    world.net.intercept(
        move |_, datagram| {
            if datagram.socket == socket { Verdict::Drop } else { Verdict::Pass }
        },
    );
}

fn up(world: &mut World, config: ClientConfig) -> NodeId {
    let id = world.connect(config);
    world.wait_both_up(id, secs(10));
    id
}

/// A fault, and what the sentence about it must hold.
type Fault = (&'static str, fn() -> String, &'static [&'static str]);

const FAULTS: &[Fault] = &[
    (
        "another key, seen by the client",
        || {
            client_says(
                &mut with(server()),
                ClientConfig::new(sim::server_address().ip(), "x").user("alice", "wonderland"),
            )
        },
        &["IPsec", "pre-shared key"],
    ),
    (
        "another key, seen by the server",
        || {
            let mut world = with(server());
            let config = ClientConfig::new(sim::server_address().ip(), "x");
            client_says(&mut world, config.user("alice", "wonderland"));
            server_says(&world)
        },
        &["IPsec", "pre-shared key"],
    ),
    (
        "no common proposal for IKE, seen by the server",
        || {
            let mut world = with(server().ipsec(|c| c.ike(ike_list("aes256-sha256-modp2048"))));
            let list = ike_list("3des-sha1-modp1024");
            client_says(&mut world, client().ipsec(|c| c.ike(list)));
            server_says(&world)
        },
        &["aes256-sha256-modp2048", "3des-sha1-modp1024"],
    ),
    (
        "no common proposal for IKE, seen by the client",
        || {
            let mut world = with(server().ipsec(|c| c.ike(ike_list("aes256-sha256-modp2048"))));
            let list = ike_list("aes128-sha1-modp1536");
            client_says(&mut world, client().ipsec(|c| c.ike(list)))
        },
        &["aes128-sha1-modp1536"],
    ),
    (
        "no common proposal for ESP, seen by the server",
        || {
            let mut world = with(server().ipsec(|c| c.esp(esp_list("aes256gcm16"))));
            client_says(&mut world, client().ipsec(|c| c.esp(esp_list("3des-sha1"))));
            server_says(&world)
        },
        &["aes256gcm16", "3des-sha1"],
    ),
    (
        "no common proposal for ESP, seen by the client",
        || {
            let mut world = with(server().ipsec(|c| c.esp(esp_list("aes256gcm16"))));
            client_says(&mut world, client().ipsec(|c| c.esp(esp_list("3des-sha1"))))
        },
        &["3des-sha1", "ESP"],
    ),
    (
        "nobody there",
        || {
            let mut world = with(server());
            drop_socket(&mut world, Socket::Ike);
            client_says(&mut world, client())
        },
        &["500"],
    ),
    (
        "4500 blocked",
        || {
            let mut world = with(server());
            let inside =
                world.net.add_nat(Realm::PUBLIC, "203.0.113.1".parse().unwrap(), Nat::FULL_CONE);
            drop_socket(&mut world, Socket::NatT);
            let id = world.add_inside(inside, client());
            world.call(id);
            world.wait_end(id, secs(300)).explain()
        },
        &["4500"],
    ),
    (
        "ESP blocked",
        || {
            let mut world = with(server());
            drop_socket(&mut world, Socket::Esp);
            client_says(&mut world, client())
        },
        &["ESP", "protocol 50", "encapsulation"],
    ),
    (
        "no L2TP behind IPsec, seen by the server",
        || {
            let mut world = with(server());
            drop_socket(&mut world, Socket::Esp);
            client_says(&mut world, client());
            world.run_for(secs(120));
            server_says(&world)
        },
        &["no L2TP"],
    ),
    (
        "UDP-encapsulated ESP swallowed",
        || {
            let mut world = with(server());
            world.net.intercept(|_, datagram| {
                let esp = datagram.socket == Socket::NatT && !datagram.payload.starts_with(&[0; 4]);
                if esp { Verdict::Drop } else { Verdict::Pass }
            });
            client_says(&mut world, client().ipsec(|c| c.encapsulation(Encapsulation::Force)))
        },
        &["nothing comes back", "4500"],
    ),
    (
        "wrong password",
        || client_says(&mut with(server()), client().user("alice", "looking glass")),
        &["PPP", "password"],
    ),
    (
        "unknown user, seen by the server",
        || {
            let mut world = with(server());
            client_says(&mut world, client().user("mallory", "x"));
            world.run_for(secs(10));
            server_says(&world)
        },
        &["PPP", "user name"],
    ),
    (
        "no common way to log in",
        || {
            let mut world = with(server().auth([AuthMethod::MsChapV2]));
            client_says(&mut world, client().auth([AuthMethod::Pap]))
        },
        &["PPP", "allow one method"],
    ),
    (
        "tunnel secrets differ",
        || client_says(&mut with(server().tunnel_secret("a")), client().tunnel_secret("b")),
        &["tunnel secret"],
    ),
    (
        "no tunnel secret",
        || client_says(&mut with(server().tunnel_secret("a")), client()),
        &["no tunnel secret is configured"],
    ),
    (
        "no address left",
        || {
            let pool = "10.9.0.0/30".parse().unwrap();
            let mut world = with(server().pool(pool));
            up(&mut world, client());
            client_says(&mut world, client())
        },
        &["IPv4"],
    ),
    (
        "too many sessions",
        || {
            let mut world = with(server().max_sessions(1));
            up(&mut world, client());
            client_says(&mut world, client())
        },
        &["L2TP call", "temporarily not available"],
    ),
    (
        "the server shuts down",
        || {
            let mut world = with(server());
            let id = up(&mut world, client());
            world.with_server(|server, now| server.drain(now));
            world.wait_end(id, secs(30)).explain()
        },
        &["shutting down"],
    ),
    (
        "the server shuts down, in its own words",
        || {
            let mut world = with(server());
            up(&mut world, client());
            world.with_server(|server, now| server.drain(now));
            world.run_for(secs(30));
            assert!(world.drained);
            server_says(&world)
        },
        &["closed because of a shutdown"],
    ),
    (
        "the server dies",
        || {
            let mut world = with(server());
            let id = up(&mut world, client());
            world.net.intercept(|_, _| Verdict::Drop);
            world.wait_end(id, secs(400)).explain()
        },
        &["IPsec", "DPD"],
    ),
    (
        "the client dies, seen by the server",
        || {
            let mut world = with(server());
            up(&mut world, client());
            world.net.intercept(|_, _| Verdict::Drop);
            world.run_for(secs(100));
            server_says(&world)
        },
        &["IPsec", "DPD"],
    ),
    (
        "the operator ends it",
        || {
            let mut world = with(server());
            let id = up(&mut world, client());
            let session = world.session_of(world.clients[&id].address()).unwrap();
            let reason = l2tp_ipsec::LocalReason::Requested;
            world.with_server(|server, now| server.disconnect(now, session, reason));
            world.wait_end(id, secs(30)).explain()
        },
        &["administrative disconnect"],
    ),
    (
        "the client leaves",
        || {
            let mut world = with(server());
            let id = up(&mut world, client());
            world.hang_up(id);
            world.run_for(secs(10));
            server_says(&world)
        },
        &["PPP", "the peer ended the link"],
    ),
    (
        "idle",
        || {
            let mut world = with(server().idle_timeout(secs(60)));
            up(&mut world, client());
            world.run_for(secs(100));
            server_says(&world)
        },
        &["no packet for 60 s"],
    ),
    (
        "time over",
        || {
            let mut world = with(server().session_limit(secs(600)));
            up(&mut world, client());
            world.run_for(secs(700));
            server_says(&world)
        },
        &["600 s are over"],
    ),
    (
        "the server says that it is somebody else",
        || {
            let id = "vpn.example.com".parse().unwrap();
            let wanted = RemoteIdentity::OneOf(vec![id]);
            client_says(&mut with(server()), client().ipsec(|c| c.remote_id(wanted)))
        },
        &["identity", "192.0.2.1"],
    ),
    (
        "IPsec to a server of plain L2TP",
        || {
            let config = ServerConfig::plain_l2tp().pool("10.9.0.0/16".parse().unwrap());
            client_says(&mut with(config), client())
        },
        &["500"],
    ),
    (
        "plain L2TP to a server of IPsec",
        || client_says(&mut with(server()), sim::client_config().user("alice", "wonderland")),
        &["L2TP tunnel", "never answered"],
    ),
];

#[test]
fn each_fault_has_its_sentence() {
    let mut failed = Vec::new();
    let mut sentences = BTreeSet::new();
    for (fault, inject, words) in FAULTS {
        let said = inject();
        let holds = words.iter().all(|word| said.to_lowercase().contains(&word.to_lowercase()));
        if !holds || said.split_whitespace().count() < 4 {
            failed.push(format!("{fault}: {said:?} lacks one of {words:?}"));
        }
        sentences.insert(said);
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
    assert!(sentences.len() >= 25, "only {} different sentences", sentences.len());
}

/// The users that one list holds are those of the server alone.
#[test]
fn a_fault_of_one_client_is_none_of_another() {
    let mut world =
        World::new(1, Link::default(), server(), Users::new().user("alice", "wonderland"));
    let good = up(&mut world, client());
    for config in [
        ClientConfig::new(sim::server_address().ip(), "x").user("alice", "wonderland"),
        client().user("alice", "x"),
        client().ipsec(|c| c.ike(ike_list("3des-sha1-modp1024"))),
    ] {
        client_says(&mut world, config);
    }
    world.run_for(secs(200));
    assert!(world.clients[&good].ended.is_none());
    let packet = sim::packet::udp(world.clients[&good].address(), sim::INSIDE, 60, 1);
    world.send(good, &packet).unwrap();
    world.run_for(secs(1));
    assert_eq!(world.clients[&good].packets, [sim::packet::echoed(&packet)]);
}
