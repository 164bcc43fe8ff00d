//! Our endpoint in the place of one peer, opposite the recorded messages of the other.

use std::collections::VecDeque;
use std::time::Duration;

use ipsec_ike::Chain;
use ipsec_ike::ChildSa;
use ipsec_ike::ConnectConfig;
use ipsec_ike::Endpoint;
use ipsec_ike::EndpointConfig;
use ipsec_ike::Event;
use ipsec_ike::Header;
use ipsec_ike::Lifetimes;
use ipsec_ike::Limits;
use ipsec_ike::Message;
use ipsec_ike::NotifyType;
use ipsec_ike::PayloadType;
use ipsec_ike::PskSelector;
use ipsec_ike::Role;
use ipsec_ike::payload::Notification;
use ipsec_ike::proposal::EspProposal;
use ipsec_ike::proposal::IkeProposal;
use ipsec_ike::v1::hash::hash_1;
use ipsec_ike::v1::hash::hash_2;
use ipsec_ike::v1::hash::hash_3;
use ipsec_ike::v1::hash::hash_i;
use ipsec_ike::v1::hash::hash_r;
use ipsec_ike::v1::keys::Exchanged;
use ipsec_ike::v1::keys::Nonces;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::SecretBytes;
use vpn_core::Socket;
use vpn_core::crypto::DhGroup;

use crate::lab;
use crate::lab::payload;
use crate::script::ScriptedRandom;
use crate::script::provider;
use crate::transcript::Chains;
use crate::transcript::Side;
use crate::transcript::Step;
use crate::transcript::Transcript;

const START: Instant = Instant::from_micros(1_000_000);

pub(crate) struct Scene {
    pub(crate) transcript: Transcript,
    pub(crate) endpoint: Endpoint,
    /// The IVs of this run.
    chains: Chains,
    /// SAi_b of this run.
    offer: Vec<u8>,
    /// What the endpoint said and nobody has looked at yet.
    pub(crate) sent: VecDeque<(Path, Vec<u8>)>,
    pub(crate) events: Vec<Event>,
}

/// IKE and ESP as the peers of a capture were configured.
fn proposals(transcript: &Transcript) -> (IkeProposal, EspProposal) {
    let group = match transcript.shared_secret.len() {
        32 => DhGroup::CURVE_25519,
        128 => DhGroup::MODP_1024,
        256 => DhGroup::MODP_2048,
        other => panic!("{other}"),
    };
    let (crypto, prf, suite) = lab::phase_1::algorithms(transcript.capture);
    let ike = IkeProposal { cipher: crypto.cipher(), hash: prf.algorithm(), group };
    (ike, EspProposal { suite, pfs: None })
}

impl Scene {
    pub(crate) fn new(capture: &'static str, side: Side) -> Self {
        let transcript = Transcript::read(capture, side);
        let (ike, esp) = proposals(&transcript);
        let Transcript { phase_1, shared_secret, .. } = &transcript;
        let (at, other) = if side == Side::Client { (0, 1) } else { (1, 0) };
        let cookie = match side {
            Side::Client => phase_1.cookies.initiator,
            Side::Server => phase_1.cookies.responder,
        };
        let quick_nonce = transcript.quick_mode(at + 1, PayloadType::NONCE);
        let sender = if side == Side::Client { Side::Server } else { Side::Client };
        let spi = transcript.esp(sender).0.to_be_bytes();
        let message_id = transcript.message_id().to_be_bytes();
        // Of four octets each: two that only spread deadlines, and those that were on the wire.
        let fours: &[[u8; 4]] = match side {
            Side::Client => &[[0; 4], [0; 4], message_id, spi],
            Side::Server => &[[0; 4], [0; 4], spi],
        };
        let mut drawn: Vec<&[u8]> = vec![&cookie, &phase_1.nonces[at], &quick_nonce];
        drawn.extend(fours.iter().map(|four| &four[..]));
        let random = ScriptedRandom::new(&drawn);
        let provider =
            provider(ike.group, &phase_1.publics[at], &phase_1.publics[other], shared_secret);

        let lifetimes = Lifetimes {
            ike: Duration::from_secs(15_840),
            esp: Duration::from_secs(3_960),
            esp_kilobytes: None,
        };
        let mut limits = Limits::default();
        // A test may send more wrong messages than anybody listens to.
        limits.authentication_attempts = u32::MAX;
        let config = EndpointConfig::new()
            .respond(side == Side::Server)
            .psk(PskSelector::Any, SecretBytes::new(lab::PSK))
            .ike(vec![ike])
            .esp(vec![esp])
            .lifetimes(lifetimes)
            .limits(limits)
            .aggressive_psk_responder_weak(!phase_1.main_mode)
            .key_log(true);
        let mut endpoint = Endpoint::new(config, provider, Box::new(random)).unwrap();
        if side == Side::Client {
            let (local, remote) = transcript.addresses();
            endpoint.connect(START, ConnectConfig::new(remote, local)).unwrap();
        }
        let mut scene = Self {
            chains: transcript.chains(),
            offer: phase_1.offer.clone(),
            transcript,
            endpoint,
            sent: VecDeque::new(),
            events: Vec::new(),
        };
        scene.drain();
        scene
    }

    fn drain(&mut self) {
        let mut datagram = Vec::new();
        while let Some(transmit) = self.endpoint.poll_transmit(START, &mut datagram) {
            assert_eq!(transmit.len, datagram.len());
            self.sent.push_back((transmit.path, core::mem::take(&mut datagram)));
        }
        self.events.extend(core::iter::from_fn(|| self.endpoint.poll_event()));
        assert!(self.endpoint.poll_timeout().is_none_or(|at| at > START));
    }

    /// How many messages there are.
    pub(crate) fn len(&self) -> usize {
        self.transcript.steps.len()
    }

    pub(crate) fn is_from_peer(&self, step: usize) -> bool {
        self.transcript.steps[step].from != self.transcript.side
    }

    /// The whole exchange.
    pub(crate) fn play(&mut self) {
        for step in 0..self.len() {
            self.play_step(step);
        }
    }

    /// The next message: handed to the endpoint, or expected from it.
    pub(crate) fn play_step(&mut self, step: usize) {
        if self.is_from_peer(step) {
            let message = self.rewritten(step);
            assert_eq!(self.deliver(step, &message), Handled::Consumed, "{}", self.name(step));
        } else {
            self.expect(step);
        }
    }

    pub(crate) fn name(&self, step: usize) -> String {
        format!("{}, {:?}, message {}", self.transcript.capture, self.transcript.side, step + 1)
    }

    /// Hands a message to the endpoint, on the path of the recorded one.
    pub(crate) fn deliver(&mut self, step: usize, message: &[u8]) -> Handled {
        let path = self.path(step);
        let mut datagram = message.to_vec();
        if path.socket == Socket::NatT {
            datagram.splice(..0, [0; 4]);
        }
        let handled = self.endpoint.handle_datagram(START, path, &datagram);
        self.drain();
        handled
    }

    fn path(&self, step: usize) -> Path {
        let step = &self.transcript.steps[step];
        let (source, destination) = (step.datagram.source, step.datagram.destination);
        let (local, remote) = match step.from == self.transcript.side {
            true => (source, destination),
            false => (destination, source),
        };
        let socket = if local.port() == 4500 { Socket::NatT } else { Socket::Ike };
        Path { socket, local, remote }
    }

    /// A recorded message of the peer, encrypted for this run.
    pub(crate) fn rewritten(&mut self, step: usize) -> Vec<u8> {
        let Step { datagram, plain, .. } = &self.transcript.steps[step];
        let header = datagram.header();
        let mut plain = plain.clone();
        let role = Role::Responder;
        if header.message_id == 0
            && header.is_encrypted()
            && self.offer != self.transcript.phase_1.offer
        {
            // The peer proves itself with the offer that it got.
            let id = payload(header.next_payload, &plain, PayloadType::IDENTIFICATION);
            let was = payload(header.next_payload, &plain, PayloadType::HASH);
            let hash = self.proof(role, &id);
            let at = plain.windows(was.len()).position(|octets| octets == was).unwrap();
            plain[at..at + was.len()].copy_from_slice(&hash);
        }
        self.chains.seal(&self.transcript.keys, &header, &plain)
    }

    fn proof(&self, role: Role, identification: &[u8]) -> Vec<u8> {
        let exchanged = Exchanged { offer: &self.offer, ..self.transcript.exchanged() };
        let keys = &self.transcript.keys.skeyid;
        let hash = match role {
            Role::Initiator => hash_i(&exchanged, keys, identification),
            Role::Responder => hash_r(&exchanged, keys, identification),
        };
        hash.expose().to_vec()
    }

    /// Takes the next message of the endpoint and compares it with the recorded one.
    fn expect(&mut self, step: usize) {
        let name = self.name(step);
        let (path, datagram) = self.sent.pop_front().unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(path, self.path(step), "{name}");
        let message = match path.socket {
            Socket::NatT => datagram.strip_prefix(&[0; 4]).unwrap(),
            _ => &datagram[..],
        };
        let ours = Message::decode(message).unwrap();
        let Step { datagram: recorded, plain: recorded_plain, .. } = &self.transcript.steps[step];
        let theirs = recorded.header();
        let same = Header { length: 0, ..theirs };
        assert_eq!(Header { length: 0, ..ours.header }, same, "{name}");
        let plain = self.chains.open(&self.transcript.keys, &ours.header, ours.body);
        if step == 0 {
            self.offer = payload(theirs.next_payload, &plain, PayloadType::SECURITY_ASSOCIATION);
        }
        self.verify(step, &ours.header, &plain);

        let ours = payloads(ours.header.next_payload, &plain);
        let mut theirs = payloads(theirs.next_payload, recorded_plain);
        let transcript = &self.transcript;
        let [quick_mode_1, quick_mode_2] = [0, 1].map(|at| transcript.phase_1.len + at);
        if transcript.side == Side::Client && (step == 0 || step == quick_mode_1) {
            // strongSwan writes lifetimes with two octets and we with four, and its default is a
            // longer list. What it chose then has to be understood as one of ours.
            let protocol_and_spi = |all: &[(PayloadType, Vec<u8>)]| {
                let proposal = &all[0].1[8..];
                (proposal[5], proposal[8..8 + usize::from(proposal[6])].to_vec())
            };
            assert_eq!(protocol_and_spi(&ours), protocol_and_spi(&theirs), "{name}");
            theirs.retain(|(kind, _)| *kind != PayloadType::SECURITY_ASSOCIATION);
        }
        if step == quick_mode_2 && transcript.capture.starts_with("natt") {
            // strongSwan puts the outer address in place of the initiator's; we repeat what came.
            let Step { datagram, plain, .. } = &transcript.steps[quick_mode_1];
            let asked = payloads(datagram.header().next_payload, plain);
            theirs.retain(|(kind, _)| *kind != PayloadType::IDENTIFICATION);
            theirs
                .extend(asked.into_iter().filter(|(kind, _)| *kind == PayloadType::IDENTIFICATION));
        }
        for one in &theirs {
            assert!(ours.contains(one), "{name}: {one:?} is not in {ours:?}");
        }
        let own_sa = usize::from(step == 0 || step == quick_mode_1);
        assert!(ours.len() <= theirs.len() + own_sa, "{name}: {ours:?}");
    }

    /// Verifies the hash of a message of the endpoint's.
    fn verify(&self, step: usize, header: &Header, plain: &[u8]) {
        let transcript = &self.transcript;
        let keys = &transcript.keys;
        let has_hash = Chain::new(header.next_payload, plain)
            .any(|payload| payload.unwrap().kind == PayloadType::HASH);
        if !has_hash {
            return;
        }
        let hash = payload(header.next_payload, plain, PayloadType::HASH);
        let expected = if header.message_id == 0 {
            let role = match transcript.side {
                Side::Client => Role::Initiator,
                Side::Server => Role::Responder,
            };
            let id = payload(header.next_payload, plain, PayloadType::IDENTIFICATION);
            self.proof(role, &id)
        } else {
            let mut chain = Chain::new(header.next_payload, plain);
            chain.next();
            let covered = chain.octets().unwrap();
            let (prf, id) = (keys.prf, header.message_id);
            let [ni, nr] = [1, 2].map(|number| transcript.quick_mode(number, PayloadType::NONCE));
            let hash = match step - transcript.phase_1.len {
                1 => hash_2(prf, &keys.skeyid, id, &ni, covered),
                2 => {
                    let nonces = Nonces { initiator: &ni, responder: &nr };
                    hash_3(prf, &keys.skeyid, id, nonces)
                }
                _ => hash_1(prf, &keys.skeyid, id, covered),
            };
            hash.expose().to_vec()
        };
        assert_eq!(hash, expected, "{}", self.name(step));
    }
}

/// The payloads of a message, but for what two implementations may say differently, and for hashes,
/// which cover that too and are verified apart.
fn payloads(first: PayloadType, plain: &[u8]) -> Vec<(PayloadType, Vec<u8>)> {
    Chain::new(first, plain)
        .map(Result::unwrap)
        .filter(|one| !matches!(one.kind, PayloadType::VENDOR_ID | PayloadType::HASH))
        .filter(|one| !is_initial_contact(one.kind, one.body))
        .map(|one| (one.kind, one.body.to_vec()))
        .collect()
}

fn is_initial_contact(kind: PayloadType, body: &[u8]) -> bool {
    let notification = Notification::decode(body).ok();
    kind == PayloadType::NOTIFICATION
        && notification.is_some_and(|one| one.notify_type == NotifyType::INITIAL_CONTACT)
}

impl Scene {
    /// What the endpoint reported is what the recorded peer came to.
    pub(crate) fn check(&self) {
        let Self { transcript, .. } = self;
        let Transcript { capture, side, .. } = transcript;
        assert!(self.sent.is_empty(), "{capture}");
        let nat = capture.starts_with("natt");
        let (mut up, mut logged, mut children, mut ready) = (0, 0, Vec::new(), 0);
        for event in &self.events {
            match event {
                Event::PeerUp { info, .. } => {
                    let (ike, _) = proposals(transcript);
                    assert_eq!(info.proposal, ike, "{capture}");
                    assert_eq!(info.encapsulated, nat, "{capture}");
                    let (local, remote) =
                        (nat && *side == Side::Client, nat && *side == Side::Server);
                    assert_eq!((info.nat.local, info.nat.remote), (local, remote), "{capture}");
                    assert_eq!(info.esp_path.socket, if nat { Socket::NatT } else { Socket::Esp });
                    up += 1;
                }
                Event::KeyLog(entry) => {
                    assert_eq!(entry.initiator_cookie, transcript.phase_1.cookies.initiator);
                    let key = entry.encryption_key.expose();
                    assert_eq!(key, transcript.logged("encryption key Ka"), "{capture}");
                    logged += 1;
                }
                Event::ChildInstall(child) => children.push(child),
                Event::ChildReady { .. } => ready += 1,
                other => panic!("{capture}: {other:?}"),
            }
        }
        let [child] = children[..] else { panic!("{capture}: {children:?}") };
        assert_eq!((up, logged), (1, 1), "{capture}");
        assert_eq!(ready, usize::from(!child.outbound_ready), "{capture}");
        self.check_child(child);
    }

    fn check_child(&self, child: &ChildSa) {
        let Self { transcript, .. } = self;
        let capture = transcript.capture;
        let (ours, theirs) = match transcript.side {
            Side::Client => (Side::Client, Side::Server),
            Side::Server => (Side::Server, Side::Client),
        };
        let xfrm = lab::data(&format!("captures/{capture}/xfrm-server.txt"));
        let xfrm = String::from_utf8(xfrm).unwrap();
        for (keys, sender) in [(&child.outbound, ours), (&child.inbound, theirs)] {
            let (spi, keymat) = transcript.esp(sender);
            assert_eq!(
                (keys.spi, keys.keymat.expose()),
                (spi, &keymat[..]),
                "{capture}, {sender:?}"
            );
            let hex =
                |octets: &[u8]| octets.iter().map(|one| format!("{one:02x}")).collect::<String>();
            let (encryption, integrity) = keymat.split_at(child.suite.encryption_key_len());
            for part in [&spi.to_be_bytes(), encryption, integrity] {
                assert!(xfrm.contains(&format!("0x{}", hex(part))) || part.is_empty(), "{capture}");
            }
        }
        assert_eq!(child.suite, transcript.suite, "{capture}");
        assert_eq!(child.encapsulated, capture.starts_with("natt"), "{capture}");
        assert!(child.replaces.is_none());
        for end in [child.local, child.remote] {
            assert_eq!((end.protocol, end.port), (17, 1701), "{capture}");
        }
        let path = self.path(self.len() - 1);
        assert_eq!(child.local.address, path.local.ip(), "{capture}");
        assert_eq!(child.remote.address, path.remote.ip(), "{capture}");
    }
}

impl Scene {
    pub(crate) fn is_encrypted(&self, step: usize) -> bool {
        self.transcript.steps[step].datagram.header().is_encrypted()
    }

    /// Which octets of a message are covered by its hash. Blocks of nothing but padding are not
    /// (RFC 2409 §5.5), nor are the NAT-D payloads that stand behind the hash in message 3 of
    /// aggressive mode (§5): nobody can tell whether they are right.
    pub(crate) fn covered(&self, step: usize) -> core::ops::Range<usize> {
        let Step { datagram, plain, .. } = &self.transcript.steps[step];
        let mut chain = Chain::new(datagram.header().next_payload, plain);
        let mut len = 0;
        while let Some(payload) = chain.next().transpose().unwrap() {
            if payload.kind == PayloadType::NAT_D {
                break;
            }
            len = plain.len() - chain.rest().len();
        }
        let block = lab::phase_1::algorithms(self.transcript.capture).0.cipher().iv_len();
        Header::LEN..Header::LEN + len.next_multiple_of(block)
    }
}
