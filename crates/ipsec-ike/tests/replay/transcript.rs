//! A captured exchange: its messages with their plaintext, and everything that was agreed on.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ipsec_ike::Header;
use ipsec_ike::PayloadType;
use ipsec_ike::v1::cipher::Iv;
use ipsec_ike::v1::cipher::MessageCipher;
use ipsec_ike::v1::keys::Exchanged;
use ipsec_ike::v1::keys::SkeyId;
use vpn_core::crypto::EspSuite;
use vpn_core::crypto::IkeHash;

use crate::lab;
use crate::lab::Datagram;
use crate::lab::phase_1::Phase1;

/// One of the two peers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// The initiator.
    Client,
    /// The responder.
    Server,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// A message of the transcript.
pub(crate) struct Step {
    pub(crate) from: Side,
    pub(crate) datagram: Datagram,
    /// What follows the header, decrypted, with its padding.
    pub(crate) plain: Vec<u8>,
}

/// Keys that do not change, and how messages are read and written with them.
pub(crate) struct Keys {
    pub(crate) prf: &'static dyn IkeHash,
    pub(crate) skeyid: SkeyId,
    pub(crate) cipher: MessageCipher,
}

/// The IVs of one run of the exchange.
pub(crate) struct Chains {
    phase_1: Iv,
    phase_2: BTreeMap<u32, Iv>,
}

impl Chains {
    fn iv(&mut self, keys: &Keys, message_id: u32) -> &mut Iv {
        let phase_1 = &mut self.phase_1;
        match message_id {
            0 => phase_1,
            id => self.phase_2.entry(id).or_insert_with(|| phase_1.phase_2(keys.prf, id)),
        }
    }

    /// Reads the next message of its exchange: what follows the header, with padding.
    pub(crate) fn open(&mut self, keys: &Keys, header: &Header, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        if header.is_encrypted() {
            let iv = self.iv(keys, header.message_id);
            *iv = keys.cipher.decrypt(iv, &mut body).unwrap();
        }
        body
    }

    /// Writes the next message of its exchange.
    pub(crate) fn seal(&mut self, keys: &Keys, header: &Header, body: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        header.encode(&mut message);
        message.extend(body);
        if header.is_encrypted() {
            let iv = self.iv(keys, header.message_id);
            *iv = keys.cipher.encrypt(iv, &mut message).unwrap();
        }
        message
    }
}

pub(crate) struct Transcript {
    pub(crate) capture: &'static str,
    /// Whose view of it this is.
    pub(crate) side: Side,
    pub(crate) phase_1: Phase1,
    pub(crate) steps: Vec<Step>,
    pub(crate) keys: Keys,
    pub(crate) suite: EspSuite,
    pub(crate) shared_secret: Vec<u8>,
    log: Vec<(String, Vec<u8>)>,
}

impl Transcript {
    pub(crate) fn read(capture: &'static str, side: Side) -> Self {
        let (crypto, prf, suite) = lab::phase_1::algorithms(capture);
        let wire = lab::phase_1::seen_by(capture, side.name());
        let log = lab::keys(capture, side.name());
        let phase_1 = Phase1::read(&wire);
        let secret = "shared Diffie Hellman secret";
        let shared_secret = log.iter().find(|(name, _)| name == secret).unwrap().1.clone();
        let exchanged = phase_1.exchanged(prf, &shared_secret);
        let skeyid = SkeyId::derive_psk(&exchanged, lab::PSK);
        let cipher = MessageCipher::new(crypto, prf, &skeyid);
        let keys = Keys { prf, skeyid, cipher };
        let mut transcript =
            Self { capture, side, phase_1, steps: Vec::new(), keys, suite, shared_secret, log };
        let client = wire[0].source.ip();
        let mut chains = transcript.chains();
        for datagram in wire {
            let from = if datagram.source.ip() == client { Side::Client } else { Side::Server };
            let plain = chains.open(&transcript.keys, &datagram.header(), datagram.body());
            transcript.steps.push(Step { from, datagram, plain });
        }
        transcript
    }

    /// The IVs before anything was encrypted.
    pub(crate) fn chains(&self) -> Chains {
        let cipher = lab::phase_1::algorithms(self.capture).0.cipher();
        let public = self.exchanged().public_values;
        Chains { phase_1: Iv::phase_1(self.keys.prf, cipher, public), phase_2: BTreeMap::new() }
    }

    pub(crate) fn exchanged(&self) -> Exchanged<'_> {
        self.phase_1.exchanged(self.keys.prf, &self.shared_secret)
    }

    /// The only value that the peer logged by this name.
    pub(crate) fn logged(&self, name: &str) -> &[u8] {
        let mut all = self.log.iter().filter(|(known, _)| known == name);
        let found = &all.next().unwrap_or_else(|| panic!("no {name}")).1;
        assert!(all.next().is_none(), "{name}");
        found
    }

    /// SPI and keying material of the packets that `from` sends.
    pub(crate) fn esp(&self, from: Side) -> (u32, Vec<u8>) {
        let name = if from == Side::Client { "initiator" } else { "responder" };
        let seed = self.logged(&format!("{name} SA seed"));
        let spi = u32::from_be_bytes(seed[1..5].try_into().unwrap());
        let mut keymat = self.logged(&format!("encryption {name} key")).to_vec();
        if self.suite.integrity_key_len() > 0 {
            keymat.extend(self.logged(&format!("integrity {name} key")));
        }
        (spi, keymat)
    }

    /// The body of a payload in the `number`th message of quick mode.
    pub(crate) fn quick_mode(&self, number: usize, kind: PayloadType) -> Vec<u8> {
        let step = &self.steps[self.phase_1.len + number - 1];
        lab::payload(step.datagram.header().next_payload, &step.plain, kind)
    }

    /// The message id of the quick mode.
    pub(crate) fn message_id(&self) -> u32 {
        self.steps[self.phase_1.len].datagram.header().message_id
    }

    /// Addresses of the first message: of `side`, and of the other.
    pub(crate) fn addresses(&self) -> (SocketAddr, SocketAddr) {
        let first = &self.steps[0].datagram;
        match self.side {
            Side::Client => (first.source, first.destination),
            Side::Server => (first.destination, first.source),
        }
    }
}
