//! Real peers: PPP frames of xl2tpd with pppd, and of l2tpns, as `tests/data/*.frames` holds them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use ppp_core::AddressAnswer;
use ppp_core::AuthMethod;
use ppp_core::AuthVerdict;
use ppp_core::ControlCode;
use ppp_core::Credentials;
use ppp_core::Event;
use ppp_core::InterfaceId;
use ppp_core::IpcpOption;
use ppp_core::Ipv6cpOption;
use ppp_core::LcpOption;
use ppp_core::Link;
use ppp_core::LinkConfig;
use ppp_core::Maintenance;
use ppp_core::Options;
use ppp_core::Packet;
use ppp_core::Protocol;
use ppp_core::auth::ChapPacket;
use ppp_core::auth::MsChapV2;
use ppp_core::auth::MsChapV2Response;
use ppp_core::auth::NtPasswordHash;
use ppp_core::auth::PapPacket;
use ppp_core::auth::chap_md5_response;
use ppp_core::code_name;
use ppp_core::frame;
use ppp_core::frame::Header;
use vpn_core::Instant;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::Writer;

const CAPTURES: [(&str, AuthMethod, &str); 8] = [
    ("plain-chap", AuthMethod::ChapMd5, include_str!("data/plain-chap.frames")),
    ("plain-hidden", AuthMethod::MsChapV2, include_str!("data/plain-hidden.frames")),
    ("plain-hidden-pap", AuthMethod::Pap, include_str!("data/plain-hidden-pap.frames")),
    ("plain-mschapv2", AuthMethod::MsChapV2, include_str!("data/plain-mschapv2.frames")),
    ("plain-pap", AuthMethod::Pap, include_str!("data/plain-pap.frames")),
    ("plain-tunnel-auth", AuthMethod::ChapMd5, include_str!("data/plain-tunnel-auth.frames")),
    ("l2tpns-chap", AuthMethod::ChapMd5, include_str!("data/l2tpns-chap.frames")),
    ("l2tpns-pap", AuthMethod::Pap, include_str!("data/l2tpns-pap.frames")),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum From {
    Client,
    Server,
}

fn frames(text: &str) -> Vec<(From, Vec<u8>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let (from, digits) = line.split_once(' ').unwrap();
        let from = if from == "client" { From::Client } else { From::Server };
        let pairs = (0..digits.len()).step_by(2);
        (from, pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect())
    };
    lines.map(parse).collect()
}

fn is_ip(frame: &[u8]) -> bool {
    matches!(frame::protocol(frame).unwrap().0, Protocol::IPV4 | Protocol::IPV6)
}

fn split(frame: &[u8]) -> (Protocol, Packet<'_>) {
    let (protocol, start) = frame::protocol(frame).unwrap();
    (protocol, Packet::decode(&frame[start..]).unwrap())
}

/// The data of a packet, read as what they are and written again.
fn again(protocol: Protocol, packet: &Packet<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let is_configure = packet.code <= ControlCode::CONFIGURE_REJECT.0;
    match protocol {
        Protocol::PAP => PapPacket::decode(packet).unwrap().encode_data(&mut out),
        Protocol::CHAP => ChapPacket::decode(packet).unwrap().encode_data(&mut out),
        _ if is_configure => {
            for option in Options::new(packet.data) {
                let option = option.unwrap();
                match protocol {
                    Protocol::LCP => LcpOption::decode(&option).unwrap().encode(&mut out),
                    Protocol::IPCP => IpcpOption::decode(&option).unwrap().encode(&mut out),
                    Protocol::IPV6CP => Ipv6cpOption::decode(&option).unwrap().encode(&mut out),
                    other => panic!("{other}"),
                }
            }
        }
        Protocol::LCP if packet.code > ControlCode::CODE_REJECT.0 => {
            Maintenance::decode(packet).unwrap().encode_data(&mut out);
        }
        _ => out.extend_from_slice(packet.data),
    }
    out
}

#[test]
fn every_frame_is_read_whole_and_written_again() {
    for (name, _, text) in CAPTURES {
        for (_, frame) in frames(text) {
            let (protocol, start) = frame::protocol(&frame).unwrap();
            assert!(protocol.name().is_some(), "{name} {frame:02x?}");
            if is_ip(&frame) {
                continue;
            }
            let packet = Packet::decode(&frame[start..]).unwrap();
            assert!(code_name(protocol, packet.code).is_some(), "{name} {frame:02x?}");
            let data = again(protocol, &packet);
            let mut room = [0; frame::MAX_HEADER_LEN];
            let mut writer = Writer::new(&mut room);
            Header::full(protocol).encode(&mut writer).unwrap();
            let mut built = writer.written().to_vec();
            Packet { data: &data, ..packet }.encode(&mut built).unwrap();
            assert_eq!(built, frame, "{name}");
        }
    }
}

#[test]
fn every_proof_is_right() {
    let provider = vpn_crypto::provider();
    for (name, method, text) in CAPTURES {
        let frames = frames(text);
        let mut challenge = Vec::new();
        let mut proofs = 0;
        let mut expected = None;
        for (_, frame) in frames.iter().filter(|(_, frame)| !is_ip(frame)) {
            let (protocol, packet) = split(frame);
            let pap = (protocol == Protocol::PAP).then(|| PapPacket::decode(&packet).unwrap());
            if let Some(PapPacket::Request { peer_id, password }) = pap {
                assert_eq!((peer_id, password), (&b"alice"[..], &b"wonderland"[..]), "{name}");
                proofs += 1;
            }
            if protocol != Protocol::CHAP {
                continue;
            }
            match ChapPacket::decode(&packet).unwrap() {
                ChapPacket::Challenge { value, .. } => challenge = value.to_vec(),
                ChapPacket::Response { value, name: user } if method == AuthMethod::ChapMd5 => {
                    let id = packet.identifier;
                    let right = chap_md5_response(provider, id, b"wonderland", &challenge);
                    assert_eq!((value, user), (&right[..], &b"alice"[..]), "{name}");
                    proofs += 1;
                }
                ChapPacket::Response { value, name: user } => {
                    let response = MsChapV2Response::decode(value).unwrap();
                    let exchange = MsChapV2 {
                        authenticator_challenge: &challenge[..].try_into().unwrap(),
                        peer_challenge: &response.peer_challenge,
                        name: user,
                    };
                    let hash = NtPasswordHash::of_password(provider, b"wonderland");
                    let nt_response = exchange.nt_response(provider, &hash);
                    assert_eq!(nt_response, response.nt_response, "{name}");
                    let proof = exchange.authenticator_response(provider, &hash, &nt_response);
                    expected = Some(proof.iter().map(|o| format!("{o:02X}")).collect::<String>());
                    proofs += 1;
                }
                ChapPacket::Success(text) if method == AuthMethod::MsChapV2 => {
                    let wanted = format!("S={} M=", expected.as_ref().unwrap());
                    assert!(text.starts_with(wanted.as_bytes()), "{name}");
                }
                _ => {}
            }
        }
        assert!(proofs > 0, "{name}");
    }
}

/// Gives out what a recording needs: magic number, challenge, Identifier, interface identifier.
struct Script {
    magic: [u8; 4],
    challenge: [u8; 16],
    interface_id: [u8; 8],
    /// The first one is the keep-alive's.
    octets: VecDeque<u8>,
}

impl SecureRandom for Script {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        match out.len() {
            1 => out[0] = self.octets.pop_front().unwrap_or(0),
            4 => out.copy_from_slice(&self.magic),
            8 => out.copy_from_slice(&self.interface_id),
            16 => out.copy_from_slice(&self.challenge),
            other => panic!("{other} octets"),
        }
        Ok(())
    }
}

fn script(frames: &[(From, Vec<u8>)], side: From) -> Script {
    let mut script =
        Script { magic: [0; 4], challenge: [0; 16], interface_id: [0; 8], octets: [0].into() };
    for (from, frame) in frames.iter().filter(|(_, frame)| !is_ip(frame)) {
        let (protocol, packet) = split(frame);
        if *from != side {
            continue;
        }
        match (protocol, packet.code) {
            (Protocol::LCP, 1) => {
                for option in Options::new(packet.data) {
                    if let LcpOption::Magic(n) = LcpOption::decode(&option.unwrap()).unwrap() {
                        script.magic = n.to_be_bytes();
                    }
                }
            }
            (Protocol::IPV6CP, 1) => {
                let option = Options::new(packet.data).next().unwrap().unwrap();
                let decoded = Ipv6cpOption::decode(&option).unwrap();
                let Ipv6cpOption::InterfaceIdentifier(InterfaceId(id)) = decoded else { panic!() };
                script.interface_id = id.to_be_bytes();
            }
            (Protocol::CHAP, 1) => {
                // pppd's challenges have any length, ours 16 octets.
                let ChapPacket::Challenge { value, .. } = ChapPacket::decode(&packet).unwrap()
                else {
                    panic!()
                };
                script.challenge = value[..16].try_into().unwrap();
                script.octets.push_back(packet.identifier);
            }
            (Protocol::CHAP, 2) if packet.data[0] == 49 => {
                script.challenge = packet.data[1..17].try_into().unwrap();
            }
            _ => {}
        }
    }
    script
}

/// Plays one side of a recording to our other side: what ours sends, and its events.
fn play(
    config: LinkConfig,
    frames: &[(From, Vec<u8>)],
    side: From,
) -> (Vec<Vec<u8>>, Vec<Event>, Link) {
    let random = Box::new(script(frames, side));
    let mut link = Link::new(Arc::new(config), vpn_crypto::provider(), random);
    let now = Instant::ZERO;
    let (mut sent, mut events) = (Vec::new(), Vec::new());
    let mut drain = |link: &mut Link, sent: &mut Vec<Vec<u8>>| {
        loop {
            let mut frame = Vec::new();
            if link.poll_frame(now, &mut frame).is_some() {
                sent.push(frame);
                continue;
            }
            let Some(event) = link.poll_event() else { break };
            match &event {
                Event::AuthRequest(request) => {
                    let mut verdict = request.verify(b"wonderland", vpn_crypto::provider());
                    let AuthVerdict::Accept(acceptance) = &mut verdict else { panic!() };
                    acceptance.message = match request.method() {
                        AuthMethod::Pap => "Login ok".into(),
                        _ => "Access granted".into(),
                    };
                    link.answer_auth(now, request.ticket, verdict).unwrap();
                }
                Event::AddressRequest(request) => {
                    let ours = [10, 99, 0, 1].into();
                    let answer = AddressAnswer::Assign {
                        local: ours,
                        peer: [10, 99, 0, 10].into(),
                        dns: [Some(ours); 2],
                        nbns: [None; 2],
                    };
                    link.answer_address(now, request.ticket, answer).unwrap();
                }
                _ => {}
            }
            events.push(event);
        }
    };
    link.open(now);
    drain(&mut link, &mut sent);
    for (_, frame) in frames.iter().filter(|(from, frame)| *from != side && !is_ip(frame)) {
        let (protocol, packet) = split(frame);
        if protocol == Protocol::LCP && packet.code == ControlCode::TERMINATE_REQUEST.0 {
            break;
        }
        let frame = if (protocol, packet.code) == (Protocol::CHAP, 2) && packet.data[0] == 16 {
            &respond(frame, &sent)
        } else {
            frame
        };
        let _ = link.handle_frame(now, frame);
        drain(&mut link, &mut sent);
    }
    (sent, events, link)
}

/// A recorded CHAP-MD5 Response, made for the challenge that our side has sent.
fn respond(frame: &[u8], sent: &[Vec<u8>]) -> Vec<u8> {
    let is_challenge = |frame: &&Vec<u8>| split(frame).0 == Protocol::CHAP;
    let (_, challenge) = split(sent.iter().find(is_challenge).unwrap());
    let (id, value) = (challenge.identifier, &challenge.data[1..17]);
    let mut frame = frame.to_vec();
    let right = chap_md5_response(vpn_crypto::provider(), id, b"wonderland", value);
    frame[9..25].copy_from_slice(&right);
    frame
}

fn replay(config: impl Fn(AuthMethod) -> LinkConfig, side: From) {
    for (name, method, text) in CAPTURES.into_iter().filter(|(name, ..)| name.starts_with("plain"))
    {
        let frames = frames(text);
        let (sent, events, link) = play(config(method), &frames, side);
        let recorded = frames.iter().filter(|(from, frame)| *from == side && !is_ip(frame));
        for (_, frame) in recorded {
            let (protocol, packet) = split(frame);
            let code = ControlCode(packet.code);
            let is_own_matter = match protocol {
                Protocol::LCP => {
                    matches!(code, ControlCode::ECHO_REQUEST | ControlCode::TERMINATE_REQUEST)
                }
                Protocol::CHAP => packet.code == 1 && packet.data[0] != 16,
                _ => false,
            };
            assert!(is_own_matter || sent.contains(frame), "{name}: {protocol} {packet:02x?}");
        }
        let addresses = link.form().ipv4.unwrap();
        let (ours, theirs) = match side {
            From::Client => (10, 1),
            From::Server => (1, 10),
        };
        assert_eq!(addresses.local.octets(), [10, 99, 0, ours], "{name}");
        assert_eq!(addresses.peer.octets(), [10, 99, 0, theirs], "{name}");
        assert!(link.form().ipv6.is_some() && link.form().mtu == 1400, "{name}");
        assert!(events.iter().any(|event| matches!(event, Event::Authenticated(_))), "{name}");
    }
}

#[test]
fn our_server_answers_the_recorded_client_octet_for_octet() {
    let config = |method| {
        let config = LinkConfig::server("lab-lns").authenticate_with(&[method]);
        config.mru(1400).accm(Some(0))
    };
    replay(config, From::Server);
}

#[test]
fn our_client_answers_the_recorded_server_octet_for_octet() {
    let config = |method| {
        let credentials = Credentials::new("alice", "wonderland");
        LinkConfig::client(credentials).prove_with(&[method]).mru(1400).accm(Some(0))
    };
    replay(config, From::Client);
}
