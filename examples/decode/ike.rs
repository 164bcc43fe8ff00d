//! IKE (RFC 2408, RFC 7296): what can be seen of it without keys, and of version 1 what keys open.

use core::fmt;

use ipsec_ike::Chain;
use ipsec_ike::DecodeError;
use ipsec_ike::ExchangeType;
use ipsec_ike::Header;
use ipsec_ike::Message;
use ipsec_ike::PayloadType;
use ipsec_ike::fragment::Fragment;
use ipsec_ike::fragment::Reassembled;
use serde::Serialize;
use vpn_core::Instant;

use super::fault::At;
use super::fault::Fault;
use super::ike_payloads::IkePayload;
use super::layer::Layer;
use super::shown::Shown;
use super::shown::hex;
use super::walk::Walk;

/// IKEv2: Encrypted and Authenticated, and the fragment of one (RFC 7383).
const SK: u8 = 46;
const SKF: u8 = 53;

#[derive(Serialize)]
pub(crate) struct Ike {
    pub(crate) version: String,
    pub(crate) initiator_cookie: String,
    pub(crate) responder_cookie: String,
    pub(crate) exchange: Shown,
    pub(crate) flags: u8,
    pub(crate) message_id: u32,
    pub(crate) len: u32,
    /// The payloads that are in clear.
    pub(crate) payloads: Vec<String>,
    /// Whether there is more that only the keys open.
    pub(crate) encrypted: bool,
}

/// What keys made of an encrypted message.
#[derive(Serialize)]
pub(crate) struct Decrypted {
    pub(crate) payloads: Vec<IkePayload>,
    /// Octets behind the last payload.
    pub(crate) padding: usize,
}

impl Walk<'_> {
    pub(crate) fn ike(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let header = Header::decode(octets).at("IKE header")?;
        let major = header.major_version();
        let encrypted = major == 1 && header.is_encrypted();
        let mut ike = Ike {
            version: format!("{major}.{}", header.version & 0x0f),
            initiator_cookie: hex(&header.cookies.initiator),
            responder_cookie: hex(&header.cookies.responder),
            exchange: exchange_shown(header.exchange_type),
            flags: header.flags.bits(),
            message_id: header.message_id,
            len: header.length,
            payloads: Vec::new(),
            encrypted,
        };
        let len = usize::try_from(header.length).ok();
        let body = len.and_then(|len| octets.get(Header::LEN..len));
        let checked = match body {
            Some(_) if !matches!(major, 1 | 2) => Err(Fault::new(format!(
                "IKE header: version {}, where only 1 and 2 are known",
                ike.version
            ))),
            Some(_) if encrypted => Ok(()),
            Some(body) => payload_chain(&mut ike, major, Chain::new(header.next_payload, body)),
            None => Err(Fault::new(format!(
                "IKE header: length {} in a datagram of {} octets",
                header.length,
                octets.len()
            ))),
        };
        self.push(Layer::Ike(ike));
        checked?;
        match Message::decode(octets) {
            Ok(message) => self.ike_v1(&message),
            Err(_) => Ok(()),
        }
    }

    /// Puts fragments together, and opens what the keys open.
    fn ike_v1(&mut self, message: &Message<'_>) -> Result<(), Fault> {
        if let Some(fragment) = Fragment::of_message(message).at("IKE FRAGMENT payload")? {
            let micros = self.row.time.map_or(0, |time| time.as_micros());
            let now = Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
            let fragments = &mut self.decoder.ike_fragments;
            return match fragments.insert(now, &message.header, &fragment) {
                // A fragment of fragments is none that anybody sends.
                Reassembled::Whole(whole) if !is_fragment(&whole) => self.ike(&whole),
                Reassembled::Pending => Ok(()),
                _ => Err(Fault::new("IKE FRAGMENT payload: it does not fit to the others")),
            };
        }
        let Some(opened) = self.decoder.ike_sas.follow(message) else { return Ok(()) };
        let body = opened.at("IKE message")?;
        let mut chain = Chain::new(message.header.next_payload, &body);
        let mut payloads = Vec::new();
        for payload in chain.by_ref() {
            // It was walked before it was taken for the plaintext.
            let payload = payload.at("IKE message")?;
            payloads.push(IkePayload::new(message.header.exchange_type, payload));
        }
        let padding = chain.rest().len();
        self.push(Layer::IkeDecrypted(Decrypted { payloads, padding }));
        Ok(())
    }
}

fn is_fragment(message: &[u8]) -> bool {
    Header::decode(message).is_ok_and(|header| header.next_payload == PayloadType::FRAGMENT)
}

fn payload_chain(ike: &mut Ike, major: u8, chain: Chain<'_>) -> Result<(), Fault> {
    let sealed = |kind: PayloadType| major == 2 && matches!(kind.0, SK | SKF);
    for payload in chain {
        match payload {
            Ok(payload) if sealed(payload.kind) => ike.encrypted = true,
            // The length is the last thing of it that anyone can see, whatever it says.
            Err(DecodeError::PayloadLength { kind, .. }) if sealed(kind) => ike.encrypted = true,
            Ok(payload) => ike.payloads.push(payload_name(major, payload.kind)),
            Err(error) => return Err(error).at("IKE message"),
        }
        if ike.encrypted {
            return Ok(());
        }
    }
    Ok(())
}

fn exchange_shown(exchange: ExchangeType) -> Shown {
    let name = match exchange.0 {
        34 => "IKE_SA_INIT",
        35 => "IKE_AUTH",
        36 => "CREATE_CHILD_SA",
        37 => "INFORMATIONAL",
        38 => "IKE_SESSION_RESUME",
        43 => "IKE_INTERMEDIATE",
        44 => "IKE_FOLLOWUP_KE",
        _ => return Shown::display(exchange),
    };
    Shown::display(name)
}

fn payload_name(major: u8, kind: PayloadType) -> String {
    let name = match (major, kind.0) {
        (2, 33) => "SA",
        (2, 34) => "KE",
        (2, 35) => "IDi",
        (2, 36) => "IDr",
        (2, 37) => "CERT",
        (2, 38) => "CERTREQ",
        (2, 39) => "AUTH",
        (2, 40) => "NONCE",
        (2, 41) => "N",
        (2, 42) => "D",
        (2, 43) => "VID",
        (2, 44) => "TSi",
        (2, 45) => "TSr",
        (2, 46) => "SK",
        (2, 47) => "CP",
        (2, 48) => "EAP",
        (2, 53) => "SKF",
        (2, other) => return format!("type {other}"),
        _ => return kind.to_string(),
    };
    String::from(name)
}

impl fmt::Display for Ike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, initiator_cookie, responder_cookie, exchange, message_id, .. } = self;
        write!(f, "IKE {version} {exchange} {initiator_cookie}:{responder_cookie}")?;
        write!(f, " message {message_id:#x}")?;
        if !self.payloads.is_empty() {
            write!(f, ": {}", self.payloads.join(", "))?;
        }
        if self.encrypted {
            let gap = if self.payloads.is_empty() { ":" } else { "," };
            write!(f, "{gap} encrypted (keys open it{})", self.option())?;
        }
        Ok(())
    }
}

impl Ike {
    /// The option that takes the key, where there is one.
    fn option(&self) -> &'static str {
        if self.version.starts_with('1') { ": --ikev1-key" } else { "" }
    }
}

impl fmt::Display for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("decrypted: ")?;
        for (at, payload) in self.payloads.iter().enumerate() {
            write!(f, "{}{payload}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
