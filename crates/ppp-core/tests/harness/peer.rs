//! A link whose peer is the test: packets are written by hand.

use alloc::sync::Arc;
use core::time::Duration;

use ppp_core::Event;
use ppp_core::Link;
use ppp_core::LinkConfig;
use ppp_core::Packet;
use ppp_core::Phase;
use ppp_core::Protocol;
use ppp_core::auth::chap_md5_response;
use ppp_core::frame;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_netsim::SeededRandom;

/// A packet that the link sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    pub protocol: Protocol,
    pub code: u8,
    pub identifier: u8,
    pub data: Vec<u8>,
}

pub struct Peer {
    pub link: Link,
    pub now: Instant,
    pub events: Vec<Event>,
    identifier: u8,
}

pub const REQUEST: u8 = 1;
pub const ACK: u8 = 2;
pub const NAK: u8 = 3;
pub const REJECT: u8 = 4;
pub const TERMINATE: u8 = 5;
pub const TERMINATED: u8 = 6;
pub const CODE_REJECT: u8 = 7;
pub const PROTOCOL_REJECT: u8 = 8;
pub const ECHO_REQUEST: u8 = 9;
pub const ECHO_REPLY: u8 = 10;

impl Peer {
    pub fn of(config: LinkConfig) -> Self {
        let random = Box::new(SeededRandom::new(7));
        let link = Link::new(Arc::new(config), vpn_crypto::provider(), random);
        let now = Instant::ZERO + Duration::from_secs(1);
        Self { link, now, events: Vec::new(), identifier: 0x40 }
    }

    /// A link that was opened; its first Configure-Request comes with it.
    pub fn opened(config: LinkConfig) -> (Self, Sent) {
        let mut peer = Self::of(config);
        peer.link.open(peer.now);
        let request = peer.only();
        assert_eq!((request.protocol, request.code), (Protocol::LCP, REQUEST));
        (peer, request)
    }

    /// A link whose LCP is open; the peer asked for `options`.
    pub fn established(config: LinkConfig, options: &[u8]) -> Self {
        let (mut peer, request) = Self::opened(config);
        peer.acknowledge(&request);
        let identifier = peer.send(Protocol::LCP, REQUEST, options);
        let reply = peer.sent().remove(0);
        assert_eq!((reply.code, reply.identifier, &reply.data[..]), (ACK, identifier, options));
        assert!(matches!(peer.link.phase(), Phase::Authenticate | Phase::Network));
        peer
    }

    /// A server whose client has proved itself with CHAP-MD5, in the network phase.
    pub fn networked(config: LinkConfig) -> Self {
        let config = config.authenticate_with(&[ppp_core::AuthMethod::ChapMd5]);
        let (mut peer, request) = Self::opened(config);
        peer.acknowledge(&request);
        peer.send(Protocol::LCP, REQUEST, &[]);
        let challenge = peer.sent().pop().unwrap();
        peer.respond(&challenge, b"wonderland");
        peer.accept();
        assert_eq!(peer.link.phase(), Phase::Network);
        peer.sent();
        peer
    }

    pub fn acknowledge(&mut self, request: &Sent) {
        let (protocol, identifier) = (request.protocol, request.identifier);
        self.packet(protocol, ACK, identifier, &request.data).unwrap();
    }

    /// Answers a CHAP-MD5 Challenge as alice.
    pub fn respond(&mut self, challenge: &Sent, password: &[u8]) {
        assert_eq!((challenge.protocol, challenge.code), (Protocol::CHAP, 1));
        let value = &challenge.data[1..17];
        let provider = vpn_crypto::provider();
        let response = chap_md5_response(provider, challenge.identifier, password, value);
        let data = [&[16][..], &response, b"alice"].concat();
        self.packet(Protocol::CHAP, 2, challenge.identifier, &data).unwrap();
    }

    /// Answers the last AuthRequest as a server with the password would.
    pub fn accept(&mut self) {
        self.drain();
        let request = self.events.iter().rev().find_map(|event| match event {
            Event::AuthRequest(request) => Some(request.clone()),
            _ => None,
        });
        let request = request.unwrap();
        let verdict = request.verify(b"wonderland", vpn_crypto::provider());
        self.link.answer_auth(self.now, request.ticket, verdict).unwrap();
        self.drain();
    }

    /// Sends a packet under a new Identifier, which is returned.
    pub fn send(&mut self, protocol: Protocol, code: u8, data: &[u8]) -> u8 {
        self.identifier = self.identifier.wrapping_add(1);
        self.packet(protocol, code, self.identifier, data).unwrap();
        self.identifier
    }

    /// The same, of a Configure-Request in a protocol that the link does not speak.
    pub fn send_rejected(&mut self, protocol: Protocol, data: &[u8]) -> u8 {
        self.identifier = self.identifier.wrapping_add(1);
        let taken = self.packet(protocol, REQUEST, self.identifier, data);
        assert_eq!(taken, Err(DropReason::ProtocolNotOpen));
        self.identifier
    }

    pub fn packet(
        &mut self,
        protocol: Protocol,
        code: u8,
        identifier: u8,
        data: &[u8],
    ) -> Result<(), DropReason> {
        let mut octets = Vec::from([0xff, 0x03]);
        octets.extend_from_slice(&protocol.0.to_be_bytes());
        Packet { code, identifier, data }.encode(&mut octets).unwrap();
        self.frame(&octets)
    }

    pub fn frame(&mut self, octets: &[u8]) -> Result<(), DropReason> {
        let handled = self.link.handle_frame(self.now, octets);
        self.drain();
        match handled {
            Handled::Consumed => Ok(()),
            Handled::Dropped(reason) => Err(reason),
        }
    }

    /// What the link has sent since the last call.
    pub fn sent(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        let mut octets = Vec::new();
        while self.link.poll_frame(self.now, &mut octets).is_some() {
            let (protocol, start) = frame::protocol(&octets).unwrap();
            let packet = Packet::decode(&octets[start..]).unwrap();
            let (code, identifier, data) = (packet.code, packet.identifier, packet.data.to_vec());
            sent.push(Sent { protocol, code, identifier, data });
            octets.clear();
        }
        sent
    }

    /// The one packet that the link has sent since the last call.
    pub fn only(&mut self) -> Sent {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }

    /// Lets time pass; timeouts are handled when they are due.
    pub fn wait(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(due) = self.link.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.link.handle_timeout(self.now);
            self.drain();
            assert!(self.link.poll_timeout().is_none_or(|next| next > self.now));
        }
        self.now = until;
    }

    pub fn closed(&self) -> Option<&ppp_core::CloseReason> {
        self.events.iter().find_map(|event| match event {
            Event::Closed { reason } => Some(reason),
            _ => None,
        })
    }

    fn drain(&mut self) {
        // Frames stay for `sent`, except behind the last event.
        while let Some(event) = self.link.poll_event() {
            self.events.push(event);
        }
    }
}
