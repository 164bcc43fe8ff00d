//! Who a side of phase 1 is.

use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::Ipv6Addr;
use core::str::FromStr;

use thiserror::Error;

use crate::IdType;
use crate::payload::Identification;

/// An identity of phase 1 (RFC 2407 §4.6.2.1).
///
/// It is read from text as people write it: an address, a name, a user at a name, `@#` and the
/// octets of a key ID in hexadecimal. `@` before a name says that it is a name whatever it looks like.
///
/// ```
/// use ipsec_ike::identity::Identity;
///
/// let identity: Identity = "192.0.2.1".parse()?;
/// assert_eq!(identity, Identity::Ipv4([192, 0, 2, 1].into()));
/// assert_eq!("vpn.example.org".parse(), Ok(Identity::Fqdn("vpn.example.org".into())));
/// assert_eq!("alice@example.org".parse(), Ok(Identity::UserFqdn("alice@example.org".into())));
/// assert_eq!("@#0afe".parse(), Ok(Identity::KeyId(vec![0x0a, 0xfe])));
/// assert_eq!("@192.0.2.1".parse(), Ok(Identity::Fqdn("192.0.2.1".into())));
/// # Ok::<(), ipsec_ike::identity::InvalidIdentity>(())
/// ```
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Identity {
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// A domain name.
    Fqdn(String),
    /// A user at a domain name.
    UserFqdn(String),
    /// Octets that only the peers understand: a group name, often.
    KeyId(Vec<u8>),
    /// A Distinguished Name in DER: who a certificate was issued to.
    DistinguishedName(Vec<u8>),
    /// Anything else, as it was sent.
    Other {
        /// What `data` is.
        id_type: IdType,
        /// The identity.
        data: Vec<u8>,
    },
}

/// This is no identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("no identity: write an address, a name, user@name, or @# and hexadecimal octets")]
pub struct InvalidIdentity;

impl Identity {
    /// The identity of a host that has only its address: what clients send by default.
    #[must_use]
    pub const fn from_address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::Ipv4(address),
            IpAddr::V6(address) => Self::Ipv6(address),
        }
    }

    /// What a payload says. A name that is not UTF-8 or has control characters becomes
    /// [`Identity::Other`], so that nothing else is ever printed as it came.
    #[must_use]
    pub fn from_payload(payload: &Identification<'_>) -> Self {
        let Identification { id_type, data, .. } = *payload;
        let text = || {
            let text = core::str::from_utf8(data).ok()?;
            (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.to_string())
        };
        let known = match id_type {
            IdType::IPV4_ADDR => {
                <[u8; 4]>::try_from(data).ok().map(|octets| Self::Ipv4(octets.into()))
            }
            IdType::IPV6_ADDR => {
                <[u8; 16]>::try_from(data).ok().map(|octets| Self::Ipv6(octets.into()))
            }
            IdType::FQDN => text().map(Self::Fqdn),
            IdType::USER_FQDN => text().map(Self::UserFqdn),
            IdType::KEY_ID => Some(Self::KeyId(data.to_vec())),
            IdType::DER_ASN1_DN => Some(Self::DistinguishedName(data.to_vec())),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Other { id_type, data: data.to_vec() })
    }

    /// What kind of identity it is.
    #[must_use]
    pub const fn id_type(&self) -> IdType {
        match self {
            Self::Ipv4(_) => IdType::IPV4_ADDR,
            Self::Ipv6(_) => IdType::IPV6_ADDR,
            Self::Fqdn(_) => IdType::FQDN,
            Self::UserFqdn(_) => IdType::USER_FQDN,
            Self::KeyId(_) => IdType::KEY_ID,
            Self::DistinguishedName(_) => IdType::DER_ASN1_DN,
            Self::Other { id_type, .. } => *id_type,
        }
    }

    /// The address, where it is one.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Ipv4(address) => Some(IpAddr::V4(*address)),
            Self::Ipv6(address) => Some(IpAddr::V6(*address)),
            _ => None,
        }
    }

    /// Appends the body of an Identification payload of phase 1, with protocol and port zero.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.encode_with_port(0, 0, out);
    }

    /// Appends the body of an Identification payload with a protocol and a port, as phase 2 has it.
    pub fn encode_with_port(&self, protocol: u8, port: u16, out: &mut Vec<u8>) {
        let (v4, v6);
        let data = match self {
            Self::Ipv4(address) => {
                v4 = address.octets();
                v4.as_slice()
            }
            Self::Ipv6(address) => {
                v6 = address.octets();
                v6.as_slice()
            }
            Self::Fqdn(name) | Self::UserFqdn(name) => name.as_bytes(),
            Self::KeyId(data) | Self::DistinguishedName(data) | Self::Other { data, .. } => data,
        };
        Identification { id_type: self.id_type(), protocol, port, data }.encode(out);
    }
}

impl From<IpAddr> for Identity {
    fn from(address: IpAddr) -> Self {
        Self::from_address(address)
    }
}

/// Reads what people write; see [`Identity`].
impl FromStr for Identity {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        if text.is_empty() || text.chars().any(|each| each.is_control() || each.is_whitespace()) {
            return Err(InvalidIdentity);
        }
        if let Some(digits) = text.strip_prefix("@#") {
            return hexadecimal(digits).map(Self::KeyId).ok_or(InvalidIdentity);
        }
        if let Some(name) = text.strip_prefix('@') {
            let name = (!name.is_empty() && !name.contains('@')).then(|| name.to_string());
            return name.map(Self::Fqdn).ok_or(InvalidIdentity);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::from_address(address));
        }
        match text.split_once('@') {
            None => Ok(Self::Fqdn(text.to_string())),
            Some((user, name)) if user.is_empty() || name.is_empty() => Err(InvalidIdentity),
            Some(_) => Ok(Self::UserFqdn(text.to_string())),
        }
    }
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| !digits.is_empty())?;
    let octets = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high << 4 | low).ok(),
        _ => None,
    });
    octets.collect()
}

/// Writes what [`FromStr`] reads, where there is a text for it.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = |f: &mut fmt::Formatter<'_>, data: &[u8]| {
            data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
        };
        match self {
            Self::Ipv4(address) => address.fmt(f),
            Self::Ipv6(address) => address.fmt(f),
            Self::Fqdn(name) if name.parse::<IpAddr>().is_ok() => write!(f, "@{name}"),
            Self::Fqdn(name) | Self::UserFqdn(name) => f.write_str(name),
            Self::KeyId(data) => {
                f.write_str("@#")?;
                octets(f, data)
            }
            Self::DistinguishedName(data) => {
                f.write_str("DN ")?;
                octets(f, data)
            }
            Self::Other { id_type, data } => {
                write!(f, "{id_type} ")?;
                octets(f, data)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn through_a_payload(identity: &Identity) -> Identity {
        let mut body = Vec::new();
        identity.encode(&mut body);
        Identity::from_payload(&Identification::decode(&body).unwrap())
    }

    #[test]
    fn text_and_payload_come_back() {
        for text in ["10.0.0.1", "2001:db8::1", "host", "a.b.c", "u@h", "@#00ff", "@1.2.3.4"] {
            let identity: Identity = text.parse().unwrap();
            assert_eq!(identity.to_string(), text);
            assert_eq!(through_a_payload(&identity), identity);
        }
    }

    #[test]
    fn what_is_no_identity() {
        for text in ["", "@", "@#", "@#0", "@#0g", "@h", "u@", "@u@h", "a b", "a\n"] {
            let expected = (text == "@h").then(|| Identity::Fqdn("h".into()));
            assert_eq!(text.parse().ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn names_that_would_not_print_are_kept_as_octets() {
        for (data, printed) in [
            (&b"a\x1b[2J"[..], "ID_FQDN 611b5b324a"),
            (b"\xff", "ID_FQDN ff"),
            ("h\u{f6}st".as_bytes(), "h\u{f6}st"),
        ] {
            let payload = Identification { id_type: IdType::FQDN, protocol: 0, port: 0, data };
            let identity = Identity::from_payload(&payload);
            assert_eq!(identity.to_string(), printed);
            assert_eq!(through_a_payload(&identity), identity);
        }
        let subnet = Identity::Other { id_type: IdType::IPV4_ADDR_SUBNET, data: vec![10; 8] };
        assert_eq!(subnet.to_string(), "ID_IPV4_ADDR_SUBNET 0a0a0a0a0a0a0a0a");
        assert_eq!(through_a_payload(&subnet), subnet);
    }

    #[test]
    fn protocol_and_port_of_phase_2() {
        let mut body = Vec::new();
        Identity::from_address([10, 0, 0, 1].into()).encode_with_port(17, 1701, &mut body);
        assert_eq!(body, [1, 17, 6, 0xa5, 10, 0, 0, 1]);
    }
}
