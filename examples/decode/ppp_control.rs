//! Packets of LCP and of the network control protocols (RFC 1661 §5).

use core::fmt;

use ppp_core::ControlCode;
use ppp_core::Maintenance;
use ppp_core::Packet;
use ppp_core::Protocol;
use ppp_core::code_name;
use serde::Serialize;

use super::fault::At;
use super::fault::Fault;
use super::layer::Layer;
use super::ppp_options::ShownOption;
use super::ppp_options::in_a_row;
use super::ppp_options::options;
use super::shown::Shown;
use super::walk::Walk;

#[derive(Serialize)]
pub(crate) struct Negotiation {
    code: String,
    id: u8,
    #[serde(flatten)]
    content: Content,
}

/// What a packet holds, by its code.
#[derive(Serialize)]
#[serde(untagged)]
enum Content {
    Options {
        options: Vec<ShownOption>,
    },
    /// A remark for people.
    Message {
        #[serde(skip_serializing_if = "Option::is_none")]
        magic: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<u32>,
        message: Shown,
    },
    Echo {
        magic: u32,
        data: Shown,
    },
    RejectedCode {
        rejected_code: Shown,
        data: Shown,
    },
    RejectedProtocol {
        rejected_protocol: Shown,
        data: Shown,
    },
    Unknown {
        data: Shown,
    },
}

impl Walk<'_> {
    /// A packet of `protocol`; `layer` says which layer it makes.
    pub(crate) fn negotiation(
        &mut self,
        protocol: Protocol,
        layer: fn(Negotiation) -> Layer,
        information: &[u8],
    ) -> Result<(), Fault> {
        let packet = Packet::decode(information).at(format!("{protocol} packet"))?;
        let code = shown_code(protocol, packet.code);
        let (content, checked) = content(protocol, &packet);
        self.push(layer(Negotiation { code, id: packet.identifier, content }));
        checked
    }
}

pub(crate) fn shown_code(protocol: Protocol, code: u8) -> String {
    code_name(protocol, code).map_or_else(|| format!("code {code}"), String::from)
}

fn content(protocol: Protocol, packet: &Packet<'_>) -> (Content, Result<(), Fault>) {
    let data = packet.data;
    let unknown = || Content::Unknown { data: Shown::octets(data) };
    match ControlCode(packet.code) {
        _ if code_name(protocol, packet.code).is_none() => {
            let fault = format!("{protocol} packet: there is no code {}", packet.code);
            (unknown(), Err(Fault::new(fault)))
        }
        ControlCode::CONFIGURE_REQUEST
        | ControlCode::CONFIGURE_ACK
        | ControlCode::CONFIGURE_NAK
        | ControlCode::CONFIGURE_REJECT => {
            let (options, checked) = options(protocol, data);
            (Content::Options { options }, checked)
        }
        ControlCode::TERMINATE_REQUEST | ControlCode::TERMINATE_ACK => {
            let message = Shown::remark(data);
            (Content::Message { magic: None, seconds: None, message }, Ok(()))
        }
        ControlCode::CODE_REJECT => {
            let code = data.first().copied().unwrap_or_default();
            let rejected_code = Shown::new(code, shown_code(protocol, code));
            (Content::RejectedCode { rejected_code, data: Shown::octets(data) }, Ok(()))
        }
        _ if protocol == Protocol::LCP => match Maintenance::decode(packet) {
            Ok(maintenance) => (maintenance_content(&maintenance), Ok(())),
            Err(error) => {
                let place = format!("{protocol} {}", shown_code(protocol, packet.code));
                (unknown(), Err(error).at(place))
            }
        },
        _ => (unknown(), Ok(())),
    }
}

fn maintenance_content(packet: &Maintenance<'_>) -> Content {
    match *packet {
        Maintenance::ProtocolReject { protocol, information } => Content::RejectedProtocol {
            rejected_protocol: Shown::new(protocol.0, protocol.to_string()),
            data: Shown::octets(information),
        },
        Maintenance::EchoRequest { magic, data }
        | Maintenance::EchoReply { magic, data }
        | Maintenance::DiscardRequest { magic, data } => {
            Content::Echo { magic, data: Shown::octets(data) }
        }
        Maintenance::Identification { magic, message } => {
            Content::Message { magic: Some(magic), seconds: None, message: Shown::remark(message) }
        }
        Maintenance::TimeRemaining { magic, seconds, message } => Content::Message {
            magic: Some(magic),
            seconds: Some(seconds),
            message: Shown::remark(message),
        },
    }
}

impl fmt::Display for Negotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} id {}", self.code, self.id)?;
        match &self.content {
            Content::Options { options } if options.is_empty() => Ok(()),
            Content::Options { options } => write!(f, ": {}", in_a_row(options)),
            Content::Message { seconds: Some(seconds), message, .. } => {
                write!(f, ": {seconds} s{}", message.behind(" "))
            }
            Content::Message { message, .. } => write!(f, "{}", message.behind(": ")),
            Content::Echo { magic, .. } => write!(f, ": Magic-Number {magic:#010x}"),
            Content::RejectedCode { rejected_code, .. } => write!(f, ": {rejected_code}"),
            Content::RejectedProtocol { rejected_protocol, .. } => {
                write!(f, ": {rejected_protocol}")
            }
            Content::Unknown { data } => write!(f, ": {data}"),
        }
    }
}
