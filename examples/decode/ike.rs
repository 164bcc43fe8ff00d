//! IKE (RFC 2408, RFC 7296): what can be seen of it without keys.

use core::fmt;

use serde::Serialize;
use vpn_core::Reader;

use super::fault::At;
use super::fault::Fault;
use super::layer::Layer;
use super::shown::Shown;
use super::shown::hex;
use super::walk::Walk;

/// IKEv1: what follows the header is encrypted.
const ENCRYPTED: u8 = 0x01;
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

impl Walk<'_> {
    pub(crate) fn ike(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let place = "IKE header";
        let mut reader = Reader::new(octets);
        let initiator_cookie = hex(reader.take(8).at(place)?);
        let responder_cookie = hex(reader.take(8).at(place)?);
        let first = reader.u8().at(place)?;
        let version = reader.u8().at(place)?;
        let exchange = reader.u8().at(place)?;
        let flags = reader.u8().at(place)?;
        let message_id = reader.u32().at(place)?;
        let len = reader.u32().at(place)?;
        let major = version >> 4;
        let encrypted = major == 1 && flags & ENCRYPTED != 0;
        let mut ike = Ike {
            version: format!("{major}.{}", version & 0x0f),
            initiator_cookie,
            responder_cookie,
            exchange: exchange_shown(exchange),
            flags,
            message_id,
            len,
            payloads: Vec::new(),
            encrypted,
        };
        let body = usize::try_from(len).ok().and_then(|len| len.checked_sub(28));
        let checked = match body.and_then(|body| reader.take(body).ok()) {
            Some(_) if !matches!(major, 1 | 2) => Err(Fault::new(format!(
                "IKE header: version {}, where only 1 and 2 are known",
                ike.version
            ))),
            Some(_) if encrypted => Ok(()),
            Some(body) => payload_chain(&mut ike, major, first, body),
            None => Err(Fault::new(format!(
                "IKE header: length {len} in a datagram of {} octets",
                octets.len()
            ))),
        };
        self.push(Layer::Ike(ike));
        checked
    }
}

/// Every payload begins with the next one's type, a reserved octet and its own length.
fn payload_chain(ike: &mut Ike, major: u8, first: u8, body: &[u8]) -> Result<(), Fault> {
    let mut reader = Reader::new(body);
    let mut kind = first;
    while kind != 0 {
        let name = payload_name(major, kind);
        if major == 2 && matches!(kind, SK | SKF) {
            ike.encrypted = true;
            return Ok(());
        }
        let next = reader.u8().at(format!("IKE {name} payload"))?;
        reader.take(1).at(format!("IKE {name} payload"))?;
        let length = reader.u16().at(format!("IKE {name} payload"))?;
        let Some(content) = usize::from(length).checked_sub(4) else {
            return Err(Fault::new(format!("IKE {name} payload: its length is {length}")));
        };
        reader.take(content).at(format!("IKE {name} payload"))?;
        ike.payloads.push(name);
        kind = next;
    }
    Ok(())
}

fn exchange_shown(exchange: u8) -> Shown {
    let name = match exchange {
        1 => "base",
        2 => "main mode",
        4 => "aggressive mode",
        5 => "informational",
        6 => "transaction",
        32 => "quick mode",
        33 => "new group mode",
        34 => "IKE_SA_INIT",
        35 => "IKE_AUTH",
        36 => "CREATE_CHILD_SA",
        37 => "INFORMATIONAL",
        38 => "IKE_SESSION_RESUME",
        43 => "IKE_INTERMEDIATE",
        44 => "IKE_FOLLOWUP_KE",
        _ => return Shown::display(format_args!("exchange {exchange}")),
    };
    Shown::display(name)
}

fn payload_name(major: u8, kind: u8) -> String {
    let name = match (major, kind) {
        (1, 1) | (2, 33) => "SA",
        (1, 2) => "P",
        (1, 3) => "T",
        (1, 4) | (2, 34) => "KE",
        (1, 5) => "ID",
        (2, 35) => "IDi",
        (2, 36) => "IDr",
        (1, 6) | (2, 37) => "CERT",
        (1, 7) => "CR",
        (2, 38) => "CERTREQ",
        (1, 8) => "HASH",
        (1, 9) => "SIG",
        (2, 39) => "AUTH",
        (1, 10) | (2, 40) => "NONCE",
        (1, 11) | (2, 41) => "N",
        (1, 12) | (2, 42) => "D",
        (1, 13) | (2, 43) => "VID",
        (2, 44) => "TSi",
        (2, 45) => "TSr",
        (2, 46) => "SK",
        (2, 47) => "CP",
        (2, 48) => "EAP",
        (2, 53) => "SKF",
        (1, 14) => "ATTR",
        (1, 15 | 20 | 130) => "NAT-D",
        (1, 16 | 21 | 131) => "NAT-OA",
        (1, 132) => "FRAGMENT",
        _ => return format!("type {kind}"),
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
            write!(f, "{gap} encrypted (keys open it)")?;
        }
        Ok(())
    }
}
