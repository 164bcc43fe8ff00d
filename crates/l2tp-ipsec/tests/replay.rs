//! Recordings of real peers, with our machine in the place of either one: our LNS hears what
//! xl2tpd with pppd said as a client, our LAC what xl2tpd with pppd, or l2tpns, said as a server,
//! and each gets to the same end: the session is up with the recorded user and addresses, the
//! recorded IP packets pass, and the hanging-up is understood.
//!
//! The machines draw the recorded IDs, challenges and magic numbers, and ask for the recorded LCP
//! options, so that the recorded proofs are right as they stand. What has to be changed
//! nevertheless, since a recording can't answer, is described at [`recording::Adapter`]:
//! - `plain-tunnel-auth`, our LNS: pppd's CHAP challenge has 20 octets and ours 16, so the response
//!   is made anew (in all the others the recorded one is checked).
//! - `l2tpns-chap`, our LNS: l2tpns answers a tunnel's challenge but sends none, while ours always
//!   does where it has a secret, so the client's SCCCN gets a response.
//! - `l2tpns-*`: multilink options, which l2tpns asks for and our machines never, are left out as
//!   the peer would have left them out.
//!
//! Every recording of plain L2TP can be replayed in both roles.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod recording;

use core::net::Ipv4Addr;
use core::time::Duration;

use l2tp_control::TunnelCloseReason;
use l2tp_ipsec::AddressPool;
use l2tp_ipsec::AuthMethod;
use l2tp_ipsec::Client;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::Connected;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::LocalReason;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::ServerEvent;
use l2tp_ipsec::Users;
use l2tp_wire::AttributeType;
use l2tp_wire::MessageType;
use ppp_core::LinkConfig;
use ppp_core::Restart;
use recording::Adapter;
use recording::PASSWORD;
use recording::Recording;
use recording::Side;
use recording::Source;
use recording::USER;
use vpn_core::DatagramMachine;
use vpn_core::Instant;
use vpn_core::Path;

const CAPTURES: [(&str, AuthMethod, Option<&str>); 8] = [
    ("plain-pap", AuthMethod::Pap, None),
    ("plain-chap", AuthMethod::ChapMd5, None),
    ("plain-mschapv2", AuthMethod::MsChapV2, None),
    ("plain-tunnel-auth", AuthMethod::ChapMd5, Some("tsecret")),
    ("plain-hidden", AuthMethod::MsChapV2, Some("tsecret")),
    ("plain-hidden-pap", AuthMethod::Pap, Some("tsecret")),
    ("l2tpns-pap", AuthMethod::Pap, None),
    ("l2tpns-chap", AuthMethod::ChapMd5, Some("tsecret")),
];

fn recordings() -> impl Iterator<Item = Recording> {
    CAPTURES.into_iter().map(|(name, method, secret)| Recording::read(name, method, secret))
}

/// Plays one side of a recording to the machine that takes the other.
struct Player<M: DatagramMachine> {
    machine: M,
    side: Side,
    path: Path,
    adapter: Adapter,
    now: Instant,
    events: Vec<M::Event>,
    sent: Vec<Vec<u8>>,
}

impl<M: DatagramMachine> Player<M> {
    fn new(machine: M, side: Side, recording: &Recording) -> Self {
        let path = match side {
            Side::Client => Path::l2tp(recording.client, recording.server),
            Side::Server => Path::l2tp(recording.server, recording.client),
        };
        let adapter = Adapter::new(recording, side);
        let (now, events, sent) = (Instant::ZERO, Vec::new(), Vec::new());
        Self { machine, side, path, adapter, now, events, sent }
    }

    /// Plays what was recorded before `until`, at its time.
    fn play(&mut self, recording: &Recording, until: Instant) {
        let from = self.side.other();
        self.drain();
        for sent in recording.datagrams.iter().filter(|sent| sent.from == from) {
            if sent.at < self.now || sent.at >= until {
                continue;
            }
            self.wait(sent.at);
            if let Some(mut datagram) = self.adapter.adapt(&sent.payload) {
                let _ = self.machine.handle_datagram(self.now, self.path, &mut datagram);
                self.drain();
            }
        }
        self.wait(until);
    }

    fn wait(&mut self, until: Instant) {
        while let Some(due) = self.machine.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.machine.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    fn drain(&mut self) {
        let mut datagram = Vec::new();
        while let Some(transmit) = self.machine.poll_transmit(self.now, &mut datagram) {
            assert_eq!(transmit.path, self.path);
            self.adapter.machine_sends(&datagram);
            self.sent.push(core::mem::take(&mut datagram));
        }
        while let Some(event) = self.machine.poll_event() {
            self.events.push(event);
        }
    }

    /// The control messages that the machine sent for the first time.
    fn messages(&self) -> Vec<(MessageType, u16, u16)> {
        let mut next = 0;
        let mut messages = Vec::new();
        for message in self.sent.iter().filter_map(|sent| recording::control(sent)) {
            if message.ns == next {
                next += 1;
                let kind = message.message_type().unwrap();
                messages.push((kind, message.tunnel_id, message.session_id));
            }
        }
        messages
    }
}

/// The same of the recorded side.
fn recorded_messages(recording: &Recording, side: Side) -> Vec<(MessageType, u16, u16)> {
    let messages = recording.control(side);
    messages
        .map(|message| (message.message_type().unwrap(), message.tunnel_id, message.session_id))
        .filter(|(kind, ..)| *kind != MessageType::STOP_CCN)
        .collect()
}

/// What a message says in answer to the tunnel's challenge.
fn response(recording: &Recording, side: Side) -> Option<Vec<u8>> {
    recording.control(side).find_map(|message| find_response(&message))
}

fn find_response(message: &l2tp_wire::ControlMessage<'_>) -> Option<Vec<u8>> {
    let mut avps = message.avps().map(Result::unwrap);
    // Ours may be hidden, the recorded ones never are.
    avps.find(|avp| avp.attribute_type == AttributeType::CHALLENGE_RESPONSE && !avp.hidden)
        .map(|avp| avp.value.to_vec())
}

fn check_connected(recording: &Recording, up: &Connected, local: Ipv4Addr, peer: Ipv4Addr) {
    let name = recording.name;
    assert_eq!((up.local_address, up.peer_address), (local, peer), "{name}");
    assert_eq!((&up.user[..], up.auth), (USER, Some(recording.method)), "{name}");
    assert_eq!(up.mtu, 1400, "{name}");
}

fn lns(recording: &Recording, users: Users) -> Server {
    let (address, _, dns) = recording.addresses();
    let network = Ipv4Addr::from(u32::from(address) & !0xff);
    let mut config = ServerConfig::plain_l2tp()
        .pool(AddressPool::new(network, 24).unwrap())
        .dns(dns.into_iter().flatten())
        .auth([recording.method])
        .hide_avps(recording.hidden)
        .mtu(recording.mru(Side::Server))
        .change_link(recorded_options(recording, Side::Server));
    if let Some(secret) = recording.secret {
        config = config.tunnel_secret(secret);
    }
    let source = Box::new(Source::of(recording, Side::Server));
    Server::new(config, users, vpn_crypto::provider(), source).unwrap()
}

#[test]
fn our_lns_hears_the_recorded_clients() {
    for recording in recordings() {
        let name = recording.name;
        let (local, peer, dns) = recording.addresses();
        let users = Users::new().user_at(USER, PASSWORD, peer);
        let server = lns(&recording, users);
        let mut player = Player::new(server, Side::Server, &recording);
        player.play(&recording, recording.end());

        let up = player.events.iter().find_map(|event| match event {
            ServerEvent::Connected(up) => Some(up),
            _ => None,
        });
        let Some(up) = up else { panic!("{name}: {:02x?}", player.sent) };
        check_connected(&recording, up, local, peer);
        assert_eq!(up.dns, dns, "{name}");
        assert_eq!(player.messages(), recorded_messages(&recording, Side::Server), "{name}");
        let answer = player.sent.iter().filter_map(|sent| recording::control(sent));
        let answer = answer.filter_map(|message| find_response(&message)).next();
        assert_eq!(answer, response(&recording, Side::Server), "{name}");

        player.play(&recording, recording.end() + Duration::from_secs(60));
        let mut packets = Vec::new();
        let mut ended = None;
        for event in &player.events {
            match event {
                ServerEvent::Packet { packet, .. } if packet[0] >> 4 == 4 => {
                    packets.push(packet.to_vec());
                }
                ServerEvent::Disconnected(end) => ended = Some(&end.reason),
                _ => {}
            }
        }
        assert_eq!(packets, recording.ipv4(Side::Client), "{name}");
        assert_eq!(packets.len(), 4, "{name}");
        assert!(
            matches!(ended, Some(DisconnectReason::Tunnel(TunnelCloseReason::Peer(_)))),
            "{name}: {ended:?}"
        );
    }
}

#[test]
fn our_lac_hears_the_recorded_servers() {
    for recording in recordings() {
        let name = recording.name;
        let (peer, local, dns) = recording.addresses();
        let mut config = ClientConfig::plain_l2tp(recording.server)
            .user(USER, PASSWORD)
            .auth([recording.method])
            .hide_avps(recording.hidden)
            .mtu(recording.mru(Side::Client))
            .change_link(recorded_options(&recording, Side::Client));
        if let Some(secret) = recording.secret {
            config = config.tunnel_secret(secret);
        }
        let source = Box::new(Source::of(&recording, Side::Client));
        let mut client = Client::new(config, vpn_crypto::provider(), source).unwrap();
        client.connect(Instant::ZERO, recording.client).unwrap();
        let mut player = Player::new(client, Side::Client, &recording);
        player.play(&recording, recording.end());

        let up = player.events.iter().find_map(|event| match event {
            ClientEvent::Connected(up) => Some(up),
            _ => None,
        });
        let Some(up) = up else { panic!("{name}: {:02x?}", player.sent) };
        check_connected(&recording, up, local, peer);
        assert_eq!(up.dns, dns, "{name}");
        let mut messages = recorded_messages(&recording, Side::Client);
        messages.truncate(4);
        assert_eq!(player.messages(), messages, "{name}");
        let answers: Vec<_> =
            player.sent.iter().filter_map(|sent| recording::control(sent)).collect();
        let answer = answers.iter().find_map(find_response);
        let recorded = response(&recording, Side::Client).filter(|_| !recording.hidden);
        assert_eq!(answer, recorded, "{name}");
        let packets = player.events.iter().filter_map(|event| match event {
            ClientEvent::Packet { packet } if packet[0] >> 4 == 4 => Some(packet.to_vec()),
            _ => None,
        });
        let packets: Vec<_> = packets.collect();
        assert_eq!(packets, recording.ipv4(Side::Server), "{name}");
        assert_eq!(packets.len(), 4, "{name}");

        player.machine.disconnect(player.now);
        player.play(&recording, recording.end() + Duration::from_secs(60));
        let last = player.events.last();
        let requested = DisconnectReason::Local(LocalReason::Requested);
        assert!(
            matches!(last, Some(ClientEvent::Disconnected { reason }) if *reason == requested),
            "{name}: {last:?}"
        );
    }
}

/// So that it is known that the recorded proofs are checked, and not only taken.
#[test]
fn the_recorded_proofs_are_right_for_one_password_only() {
    for recording in recordings() {
        let users = Users::new().user(USER, "other");
        let mut player = Player::new(lns(&recording, users), Side::Server, &recording);
        player.play(&recording, recording.end() + Duration::from_secs(60));
        let connected = |event: &ServerEvent| matches!(event, ServerEvent::Connected(_));
        assert!(!player.events.iter().any(connected), "{}", recording.name);
        let ended = player.events.iter().find_map(|event| match event {
            ServerEvent::Disconnected(end) => Some(&end.user),
            _ => None,
        });
        assert_eq!(ended, Some(&None), "{}", recording.name);
    }
}

/// LCP as it was recorded: no compression of headers, the control characters named or not, and the
/// timer of RFC 1661.
fn recorded_options(recording: &Recording, side: Side) -> fn(LinkConfig) -> LinkConfig {
    let like_l2tpns =
        |config: LinkConfig| config.pfc(false).acfc(false).restart(Restart::default());
    let like_pppd = |config: LinkConfig| {
        config.pfc(false).acfc(false).restart(Restart::default()).accm(Some(0))
    };
    if recording.names_control_characters(side) { like_pppd } else { like_l2tpns }
}
