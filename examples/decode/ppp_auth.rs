//! Authentication inside PPP: PAP (RFC 1334), CHAP (RFC 1994, RFC 2759), EAP (RFC 3748).

use core::fmt;

use ppp_core::Packet;
use ppp_core::Protocol;
use ppp_core::auth::ChapPacket;
use ppp_core::auth::MsChapFailure;
use ppp_core::auth::MsChapV2Response;
use ppp_core::auth::PapPacket;
use serde::Serialize;

use super::fault::At;
use super::fault::Fault;
use super::layer::Layer;
use super::ppp_control::shown_code;
use super::shown::Shown;
use super::walk::Walk;

#[derive(Serialize)]
pub(crate) struct Pap {
    code: String,
    id: u8,
    #[serde(flatten)]
    content: PapContent,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PapContent {
    Request { peer_id: Shown, password: Shown },
    Reply { message: Shown },
}

#[derive(Serialize)]
pub(crate) struct Chap {
    code: String,
    id: u8,
    #[serde(flatten)]
    content: ChapContent,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ChapContent {
    /// The response of MS-CHAPv2: its value taken apart (RFC 2759 §4).
    MsChapV2 {
        name: Shown,
        value: Shown,
        peer_challenge: Shown,
        nt_response: Shown,
    },
    Value {
        name: Shown,
        value: Shown,
    },
    /// The failure of MS-CHAP, whose text has fields (RFC 2759 §6).
    MsChapFailure {
        message: Shown,
        error: Shown,
        retry: bool,
    },
    Message {
        message: Shown,
    },
}

#[derive(Serialize)]
pub(crate) struct Eap {
    code: String,
    id: u8,
    /// The method, in requests and responses.
    #[serde(rename = "type")]
    method: Option<u8>,
    data: Shown,
}

impl Walk<'_> {
    pub(crate) fn pap(&mut self, information: &[u8]) -> Result<(), Fault> {
        let packet = Packet::decode(information).at("PAP packet")?;
        let content = match PapPacket::decode(&packet).at("PAP packet")? {
            PapPacket::Request { peer_id, password } => PapContent::Request {
                peer_id: Shown::string(peer_id),
                password: Shown::string(password),
            },
            PapPacket::Ack(message) | PapPacket::Nak(message) => {
                PapContent::Reply { message: Shown::remark(message) }
            }
        };
        let code = shown_code(Protocol::PAP, packet.code);
        self.push(Layer::Pap(Pap { code, id: packet.identifier, content }));
        Ok(())
    }

    pub(crate) fn chap(&mut self, information: &[u8]) -> Result<(), Fault> {
        let packet = Packet::decode(information).at("CHAP packet")?;
        let content = match ChapPacket::decode(&packet).at("CHAP packet")? {
            ChapPacket::Challenge { value, name } => {
                ChapContent::Value { name: Shown::string(name), value: Shown::octets(value) }
            }
            ChapPacket::Response { value, name } => {
                let (name, shown) = (Shown::string(name), Shown::octets(value));
                match ms_chap_v2(value) {
                    Some(response) => ChapContent::MsChapV2 {
                        name,
                        value: shown,
                        peer_challenge: Shown::octets(&response.peer_challenge),
                        nt_response: Shown::octets(&response.nt_response),
                    },
                    None => ChapContent::Value { name, value: shown },
                }
            }
            ChapPacket::Success(text) => ChapContent::Message { message: Shown::remark(text) },
            ChapPacket::Failure(text) => {
                let message = Shown::remark(text);
                match MsChapFailure::parse(text) {
                    Some(MsChapFailure { error, retry, .. }) => ChapContent::MsChapFailure {
                        message,
                        error: Shown::new(error.0, error.to_string()),
                        retry,
                    },
                    None => ChapContent::Message { message },
                }
            }
            ChapPacket::ChangePassword(data) => {
                ChapContent::Message { message: Shown::octets(data) }
            }
        };
        let code = shown_code(Protocol::CHAP, packet.code);
        self.push(Layer::Chap(Chap { code, id: packet.identifier, content }));
        Ok(())
    }

    pub(crate) fn eap(&mut self, information: &[u8]) -> Result<(), Fault> {
        let packet = Packet::decode(information).at("EAP packet")?;
        let (code, has_method) = match packet.code {
            1 => ("Request", true),
            2 => ("Response", true),
            3 => ("Success", false),
            4 => ("Failure", false),
            code => return Err(Fault::new(format!("EAP packet: there is no code {code}"))),
        };
        let (method, data) = match packet.data {
            [method, data @ ..] if has_method => (Some(*method), data),
            data => (None, data),
        };
        let data = match method {
            // Identity and Notification are for people.
            Some(1 | 2) => Shown::string(data),
            _ => Shown::octets(data),
        };
        let code = String::from(code);
        self.push(Layer::Eap(Eap { code, id: packet.identifier, method, data }));
        Ok(())
    }
}

/// MS-CHAPv1 has a response of the same length. What tells them apart are the reserved octets and
/// the flags, which are zero in version 2 (RFC 2759 §4).
fn ms_chap_v2(value: &[u8]) -> Option<MsChapV2Response> {
    let response = MsChapV2Response::decode(value)?;
    (response.encode() == value).then_some(response)
}

impl fmt::Display for Pap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PAP {} id {}", self.code, self.id)?;
        match &self.content {
            PapContent::Request { peer_id, password } => {
                write!(f, ": name {peer_id}, password {password}")
            }
            PapContent::Reply { message } => write!(f, "{}", message.behind(": ")),
        }
    }
}

impl fmt::Display for Chap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CHAP {} id {}", self.code, self.id)?;
        match &self.content {
            ChapContent::MsChapV2 { name, peer_challenge, nt_response, .. } => write!(
                f,
                ": name {name}, MS-CHAPv2 peer challenge {peer_challenge}, NT response {nt_response}"
            ),
            ChapContent::Value { name, value } => write!(f, ": name {name}, value {value}"),
            ChapContent::MsChapFailure { message, error, .. } => {
                write!(f, ": {error}, {message}")
            }
            ChapContent::Message { message } => write!(f, "{}", message.behind(": ")),
        }
    }
}

impl fmt::Display for Eap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EAP {} id {}", self.code, self.id)?;
        match self.method {
            Some(1) => write!(f, ": Identity, {}", self.data),
            Some(2) => write!(f, ": Notification, {}", self.data),
            Some(3) => write!(f, ": Nak, {}", self.data),
            Some(4) => write!(f, ": MD5-Challenge, {}", self.data),
            Some(13) => write!(f, ": TLS, {}", self.data),
            Some(26) => write!(f, ": MS-CHAPv2, {}", self.data),
            Some(method) => write!(f, ": method {method}, {}", self.data),
            None => Ok(()),
        }
    }
}
