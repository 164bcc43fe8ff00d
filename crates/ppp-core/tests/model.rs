//! Bounded model check: whatever a peer sends, in whatever order, the network phase is reached
//! through a proof that was checked, and through nothing else.
//!
//! Every order of up to six messages is tried. A message that is dropped changes nothing (that is
//! what the contract says), so orders that differ by one are tried once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod harness;

use harness::client;
use harness::peer::*;
use harness::server;
use ppp_core::AuthMethod;
use ppp_core::Event;
use ppp_core::Ipv4Mode;
use ppp_core::Ipv6Mode;
use ppp_core::LinkConfig;
use ppp_core::Phase;
use ppp_core::Protocol;
use ppp_core::auth::AuthRequest;
use ppp_core::auth::ChapPacket;
use ppp_core::auth::MsChapV2;
use ppp_core::auth::MsChapV2Response;
use ppp_core::auth::NtPasswordHash;
use ppp_core::auth::chap_md5_response;
use vpn_core::Machine;

const DEPTH: usize = 6;

/// What the peer may do next. Identifiers, challenges and copies are those of the link's last
/// packets, so each is as good as it can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Move {
    LcpRequest,
    LcpRequestAuth(AuthMethod),
    LcpAck,
    LcpNakAuth,
    LcpRejectAuth,
    Terminate,
    TerminateAck,
    RejectAuthProtocol,
    RightProof,
    WrongProof,
    PapRequest(bool),
    Challenge,
    MirroredChallenge,
    GenuineSuccess,
    ForgedSuccess,
    Failure,
    PapAck,
    EapSuccess,
    IpcpRequest,
    IpcpAck,
    Ipv6cpRequest,
    Timeout,
}

/// A link, what its peer knows of it, and what it may have proved.
struct World {
    peer: Peer,
    method: AuthMethod,
    lcp: Option<Sent>,
    challenge: Option<Sent>,
    response: Option<Sent>,
    ipcp: Option<Sent>,
    /// The peer has proved itself since LCP opened.
    peer_proved: bool,
    /// The peer has taken our proof since LCP opened, and shown that it may.
    we_proved: bool,
    seen: usize,
}

impl World {
    fn new(config: &LinkConfig, method: AuthMethod) -> Self {
        let mut world = Self {
            peer: Peer::of(config.clone()),
            method,
            lcp: None,
            challenge: None,
            response: None,
            ipcp: None,
            peer_proved: false,
            we_proved: false,
            seen: 0,
        };
        let now = world.peer.now;
        world.peer.link.open(now);
        world.look();
        world
    }

    /// Takes note of what the link has sent and reported.
    fn look(&mut self) {
        for sent in self.peer.sent() {
            match (sent.protocol, sent.code) {
                (Protocol::LCP, REQUEST) => self.lcp = Some(sent),
                (Protocol::CHAP, 1) => self.challenge = Some(sent),
                (Protocol::CHAP, 2) | (Protocol::PAP, 1) => self.response = Some(sent),
                (Protocol::IPCP, REQUEST) => self.ipcp = Some(sent),
                _ => {}
            }
        }
        let events: Vec<_> = self.peer.events[self.seen..].to_vec();
        self.seen = self.peer.events.len();
        for event in events {
            match event {
                Event::LcpUp(_) => (self.peer_proved, self.we_proved) = (false, false),
                Event::AuthRequest(request) => self.judge(&request),
                _ => {}
            }
        }
    }

    /// An honest caller.
    fn judge(&mut self, request: &AuthRequest) {
        let verdict = request.verify(b"wonderland", vpn_crypto::provider());
        self.peer_proved |= verdict.is_accept();
        let now = self.peer.now;
        self.peer.link.answer_auth(now, request.ticket, verdict).unwrap();
        while let Some(event) = self.peer.link.poll_event() {
            self.peer.events.push(event);
        }
        self.look();
    }

    /// Makes a move; false when it changed nothing.
    fn make(&mut self, step: Move) -> bool {
        let Some((protocol, code, identifier, data)) = self.packet(step) else {
            let Some(due) = self.peer.link.poll_timeout() else { return false };
            self.peer.now = due;
            self.peer.link.handle_timeout(due);
            while let Some(event) = Machine::poll_event(&mut self.peer.link) {
                self.peer.events.push(event);
            }
            self.look();
            return true;
        };
        let taken = self.peer.packet(protocol, code, identifier, &data).is_ok();
        if taken && step == Move::GenuineSuccess {
            self.we_proved = true;
        }
        if taken && step == Move::PapAck && self.method == AuthMethod::Pap {
            self.we_proved = true;
        }
        self.look();
        taken
    }

    fn packet(&self, step: Move) -> Option<(Protocol, u8, u8, Vec<u8>)> {
        let none = Sent { protocol: Protocol::LCP, code: 0, identifier: 0, data: Vec::new() };
        let [lcp, challenge, response, ipcp] =
            [&self.lcp, &self.challenge, &self.response, &self.ipcp]
                .map(|sent| sent.as_ref().unwrap_or(&none));
        let (lcp_id, chap_id) = (lcp.identifier, response.identifier);
        let auth = |method| match method {
            AuthMethod::Pap => vec![3, 4, 0xc0, 0x23],
            AuthMethod::ChapMd5 => vec![3, 5, 0xc2, 0x23, 5],
            AuthMethod::MsChapV2 => vec![3, 5, 0xc2, 0x23, 0x81],
        };
        let (l, c, p) = (Protocol::LCP, Protocol::CHAP, Protocol::PAP);
        Some(match step {
            Move::LcpRequest => (l, 1, 1, vec![]),
            Move::LcpRequestAuth(method) => (l, 1, 2, auth(method)),
            Move::LcpAck => (l, 2, lcp_id, lcp.data.clone()),
            Move::LcpNakAuth => (l, 3, lcp_id, vec![3, 4, 0xc2, 0x27]),
            Move::LcpRejectAuth => (l, 4, lcp_id, auth(self.method)),
            Move::Terminate => (l, 5, 3, vec![]),
            Move::TerminateAck => (l, 6, 3, vec![]),
            Move::RejectAuthProtocol => (l, 8, 4, self.method.protocol().0.to_be_bytes().to_vec()),
            Move::RightProof => (c, 2, challenge.identifier, self.proof(challenge, b"wonderland")),
            Move::WrongProof => (c, 2, challenge.identifier, self.proof(challenge, b"guess")),
            Move::PapRequest(right) => {
                let password: &[u8] = if right { b"\x0awonderland" } else { b"\x05guess" };
                (p, 1, 5, [b"\x05alice", password].concat())
            }
            Move::Challenge => (c, 1, 77, [&[16][..], &[9; 16], b"lns"].concat()),
            Move::MirroredChallenge => (c, 1, 78, challenge.data.clone()),
            Move::GenuineSuccess => (c, 3, chap_id, self.success(response)),
            Move::ForgedSuccess => {
                (c, 3, chap_id, b"S=0000000000000000000000000000000000000000 M=".to_vec())
            }
            Move::Failure => (c, 4, chap_id, b"E=691 R=0 C=0 V=3".to_vec()),
            Move::PapAck => (p, 2, chap_id, vec![0]),
            Move::EapSuccess => (Protocol::EAP, 3, chap_id, vec![]),
            Move::IpcpRequest => (Protocol::IPCP, 1, 6, vec![3, 6, 10, 0, 0, 1]),
            Move::IpcpAck => (Protocol::IPCP, 2, ipcp.identifier, ipcp.data.clone()),
            Move::Ipv6cpRequest => (Protocol::IPV6CP, 1, 7, vec![1, 10, 0, 0, 0, 0, 0, 0, 0, 9]),
            Move::Timeout => return None,
        })
    }

    fn proof(&self, challenge: &Sent, password: &[u8]) -> Vec<u8> {
        let Some(value) = challenge.data.get(1..17) else { return Vec::new() };
        let provider = vpn_crypto::provider();
        let value = if self.method == AuthMethod::MsChapV2 {
            let exchange = MsChapV2 {
                authenticator_challenge: value.try_into().unwrap(),
                peer_challenge: &[0x5a; 16],
                name: b"alice",
            };
            let hash = NtPasswordHash::of_password(provider, password);
            let nt_response = exchange.nt_response(provider, &hash);
            MsChapV2Response { peer_challenge: [0x5a; 16], nt_response }.encode().to_vec()
        } else {
            chap_md5_response(provider, challenge.identifier, password, value).to_vec()
        };
        let mut data = Vec::new();
        ChapPacket::Response { value: &value, name: b"alice" }.encode_data(&mut data);
        data
    }

    fn success(&self, response: &Sent) -> Vec<u8> {
        let sent = response.data.get(1..50).and_then(MsChapV2Response::decode);
        let Some(sent) = sent.filter(|_| self.method == AuthMethod::MsChapV2) else {
            return b"welcome".to_vec();
        };
        let provider = vpn_crypto::provider();
        let exchange = MsChapV2 {
            authenticator_challenge: &[9; 16],
            peer_challenge: &sent.peer_challenge,
            name: b"alice",
        };
        let hash = NtPasswordHash::of_password(provider, b"wonderland");
        let proof = exchange.authenticator_response(provider, &hash, &sent.nt_response);
        let digits: String = proof.iter().map(|octet| format!("{octet:02X}")).collect();
        format!("S={digits} M=").into_bytes()
    }

    fn is_in(&self) -> bool {
        let form = self.peer.link.form();
        self.peer.link.phase() == Phase::Network || form.ipv4.is_some() || form.ipv6.is_some()
    }
}

/// Tries every order, and says how many there were and how many reached the network phase.
fn explore(
    config: &LinkConfig,
    method: AuthMethod,
    moves: &[Move],
    may_be_in: fn(&World) -> bool,
) -> (usize, usize) {
    let (mut tried, mut reached) = (0, 0);
    let mut stack = vec![Vec::new()];
    while let Some(path) = stack.pop() {
        for step in moves {
            let mut world = World::new(config, method);
            for earlier in &path {
                world.make(*earlier);
            }
            if !world.make(*step) {
                continue;
            }
            tried += 1;
            let is_in = world.is_in();
            reached += usize::from(is_in);
            let mut path: Vec<Move> = path.clone();
            path.push(*step);
            assert!(!is_in || may_be_in(&world), "{method}: {path:?}");
            if path.len() < DEPTH && world.peer.link.phase() != Phase::Closed {
                stack.push(path);
            }
        }
    }
    (tried, reached)
}

const COMMON: [Move; 12] = [
    Move::LcpRequest,
    Move::LcpAck,
    Move::LcpNakAuth,
    Move::LcpRejectAuth,
    Move::Terminate,
    Move::TerminateAck,
    Move::RejectAuthProtocol,
    Move::EapSuccess,
    Move::IpcpRequest,
    Move::IpcpAck,
    Move::Ipv6cpRequest,
    Move::Timeout,
];

#[test]
fn nobody_gets_into_a_server_without_a_proof() {
    for method in [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let config = server().authenticate_with(&[method]);
        let mut moves = COMMON.to_vec();
        moves.extend([Move::WrongProof, Move::ForgedSuccess, Move::Failure]);
        moves.extend([Move::PapRequest(false), Move::PapAck, Move::Challenge]);
        let (tried, reached) = explore(&config, method, &moves, |_| false);
        assert!(tried > 1_000 && reached == 0, "{method}: {tried} {reached}");
        moves.extend([Move::RightProof, Move::PapRequest(true)]);
        let (tried, reached) = explore(&config, method, &moves, |world| world.peer_proved);
        assert!(tried > 1_000 && reached > 100, "{method}: {tried} {reached}");
    }
}

#[test]
fn no_server_gets_a_client_in_without_its_own_proof() {
    let method = AuthMethod::MsChapV2;
    let ask = Ipv4Mode::Ask { address: None, dns: false, nbns: false };
    let config = client().prove_with(&[method]).ipv4(ask).ipv6(Ipv6Mode::Off);
    let mut moves = COMMON.to_vec();
    // The server demands a proof; one that does not is let in by a client that demands none.
    moves.retain(|step| *step != Move::LcpRequest);
    moves.extend([Move::LcpRequestAuth(method), Move::LcpRequestAuth(AuthMethod::Pap)]);
    moves.extend([Move::Challenge, Move::ForgedSuccess, Move::Failure, Move::PapAck]);
    let (tried, reached) = explore(&config, method, &moves, |_| false);
    assert!(tried > 1_000 && reached == 0, "{tried} {reached}");
    moves.push(Move::GenuineSuccess);
    let (tried, reached) = explore(&config, method, &moves, |world| world.we_proved);
    assert!(tried > 1_000 && reached > 10, "{tried} {reached}");
}

#[test]
fn where_both_must_prove_themselves_both_have() {
    let method = AuthMethod::MsChapV2;
    let config = client().prove_with(&[method]).authenticate_with(&[method]);
    let moves = [
        Move::LcpRequestAuth(method),
        Move::LcpAck,
        Move::RightProof,
        Move::WrongProof,
        Move::Challenge,
        Move::MirroredChallenge,
        Move::GenuineSuccess,
        Move::ForgedSuccess,
        Move::IpcpRequest,
        Move::Timeout,
    ];
    let both = |world: &World| world.peer_proved && world.we_proved;
    let (tried, reached) = explore(&config, method, &moves, both);
    assert!(tried > 1_000 && reached > 10, "{tried} {reached}");
}
