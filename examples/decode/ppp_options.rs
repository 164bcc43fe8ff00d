//! The options that PPP's control protocols negotiate, in words.

use core::fmt;

use ppp_core::CcpOptionType;
use ppp_core::DecodeError;
use ppp_core::IpcpOption;
use ppp_core::IpcpOptionType;
use ppp_core::Ipv6cpOption;
use ppp_core::Ipv6cpOptionType;
use ppp_core::LcpOption;
use ppp_core::LcpOptionType;
use ppp_core::Options;
use ppp_core::Protocol;
use ppp_core::RawOption;
use serde::Serialize;
use serde_json::json;

use super::fault::At;
use super::fault::Fault;
use super::shown::Shown;
use super::shown::hex;
use super::shown::list;

/// One option.
#[derive(Serialize)]
pub(crate) struct ShownOption {
    #[serde(rename = "type")]
    kind: u8,
    name: String,
    value: Shown,
    /// What lines call it.
    #[serde(skip)]
    short: String,
}

/// The options in the data of a Configure packet of `protocol`; and what is wrong with them first.
pub(crate) fn options(protocol: Protocol, data: &[u8]) -> (Vec<ShownOption>, Result<(), Fault>) {
    let mut shown = Vec::new();
    let mut checked = Ok(());
    for option in Options::new(data) {
        let fits = match option {
            Ok(raw) => {
                let (option, fits) = described(protocol, &raw);
                let fits = fits.at(format!("{protocol} option {}", option.name));
                shown.push(option);
                fits
            }
            Err(error) => Err(error).at(format!("{protocol} options")),
        };
        checked = checked.and(fits);
    }
    (shown, checked)
}

/// Options of LCP as the value of something else; as octets if they are none.
pub(crate) fn lcp_options_value(data: &[u8]) -> Shown {
    let (options, checked) = options(Protocol::LCP, data);
    match (checked, serde_json::to_value(&options)) {
        (Ok(()), Ok(json)) => Shown::new(json, format!("[{}]", in_a_row(&options))),
        _ => Shown::octets(data),
    }
}

/// Options as a line shows them.
pub(crate) fn in_a_row(options: &[ShownOption]) -> String {
    let options: Vec<_> = options.iter().map(ShownOption::to_string).collect();
    options.join(", ")
}

fn described(protocol: Protocol, raw: &RawOption<'_>) -> (ShownOption, Result<(), DecodeError>) {
    let kind = raw.kind;
    let mut short = None;
    let (name, value) = match protocol {
        Protocol::LCP => {
            short = short_name(LcpOptionType(kind));
            (LcpOptionType(kind).name(), LcpOption::decode(raw).map(lcp_value))
        }
        Protocol::IPCP => (IpcpOptionType(kind).name(), IpcpOption::decode(raw).map(ipcp_value)),
        Protocol::IPV6CP => {
            (Ipv6cpOptionType(kind).name(), Ipv6cpOption::decode(raw).map(ipv6cp_value))
        }
        Protocol::CCP => (CcpOptionType(kind).name(), Ok(ccp_value(raw))),
        _ => (None, Ok(Shown::octets(raw.data))),
    };
    let name = name.map_or_else(|| format!("option {kind}"), String::from);
    let (value, checked) = match value {
        Ok(value) => (value, Ok(())),
        Err(error) => (Shown::octets(raw.data), Err(error)),
    };
    let short = short.map_or_else(|| name.clone(), String::from);
    (ShownOption { kind, name, value, short }, checked)
}

const fn short_name(kind: LcpOptionType) -> Option<&'static str> {
    match kind {
        LcpOptionType::MRU => Some("MRU"),
        LcpOptionType::ACCM => Some("ACCM"),
        LcpOptionType::AUTH => Some("Authentication"),
        LcpOptionType::PFC => Some("PFC"),
        LcpOptionType::ACFC => Some("ACFC"),
        _ => None,
    }
}

fn lcp_value(option: LcpOption<'_>) -> Shown {
    match option {
        LcpOption::Mru(size) | LcpOption::Mrru(size) => Shown::number(size),
        LcpOption::Accm(bits) | LcpOption::Magic(bits) => Shown::new(bits, format!("{bits:#010x}")),
        LcpOption::Auth(protocol) => Shown::display(protocol),
        LcpOption::UnknownAuth { protocol, data } | LcpOption::Quality { protocol, data } => {
            with_data(protocol, data)
        }
        LcpOption::Pfc | LcpOption::Acfc | LcpOption::ShortSequence => Shown::nothing(),
        LcpOption::FcsAlternatives(bits) => Shown::new(bits, format!("{bits:#04x}")),
        LcpOption::Callback { operation, message } => Shown::new(
            json!({ "operation": operation, "message": hex(message) }),
            match operation {
                6 => String::from("by CBCP"),
                _ => format!("operation {operation} {}", hex(message)),
            },
        ),
        LcpOption::EndpointDiscriminator { class, address } => Shown::new(
            json!({ "class": class, "address": hex(address) }),
            format!("class {class} address {}", hex(address)),
        ),
        LcpOption::Other(raw) => other(&raw),
    }
}

fn ipcp_value(option: IpcpOption<'_>) -> Shown {
    match option {
        IpcpOption::IpAddresses { source, destination } => {
            Shown::display(format_args!("{source} {destination}"))
        }
        IpcpOption::IpCompression { protocol, data } => with_data(protocol, data),
        IpcpOption::IpAddress(address)
        | IpcpOption::MobileIpv4(address)
        | IpcpOption::PrimaryDns(address)
        | IpcpOption::PrimaryNbns(address)
        | IpcpOption::SecondaryDns(address)
        | IpcpOption::SecondaryNbns(address) => Shown::display(address),
        IpcpOption::Other(raw) => other(&raw),
    }
}

fn ipv6cp_value(option: Ipv6cpOption<'_>) -> Shown {
    match option {
        Ipv6cpOption::InterfaceIdentifier(id) => Shown::display(id),
        Ipv6cpOption::Ipv6Compression { protocol, data } => with_data(protocol, data),
        Ipv6cpOption::Other(raw) => other(&raw),
    }
}

fn ccp_value(raw: &RawOption<'_>) -> Shown {
    /// RFC 3078 §2.1.
    const MPPE_BITS: [(u32, &str); 6] = [
        (0x0100_0000, "stateless"),
        (0x0000_0080, "56-bit"),
        (0x0000_0040, "128-bit"),
        (0x0000_0020, "40-bit"),
        (0x0000_0010, "obsolete"),
        (0x0000_0001, "compression"),
    ];
    match (CcpOptionType(raw.kind), <[u8; 4]>::try_from(raw.data)) {
        (CcpOptionType::MPPE, Ok(octets)) => {
            let bits = u32::from_be_bytes(octets);
            let set = MPPE_BITS.iter().filter(|(bit, _)| bits & bit != 0);
            let set: Vec<_> = set.map(|(_, name)| *name).collect();
            Shown::new(bits, list(&set, "none"))
        }
        _ => other(raw),
    }
}

fn with_data(protocol: Protocol, data: &[u8]) -> Shown {
    let gap = if data.is_empty() { "" } else { " " };
    Shown::display(format_args!("{protocol}{gap}{}", hex(data)))
}

fn other(raw: &RawOption<'_>) -> Shown {
    if raw.data.is_empty() { Shown::nothing() } else { Shown::octets(raw.data) }
}

impl fmt::Display for ShownOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.short, self.value.behind(" "))
    }
}
