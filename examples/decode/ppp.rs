//! PPP frames (RFC 1661 §2), with or without compressed fields.

use core::fmt;

use ppp_core::Protocol;
use ppp_core::frame;
use serde::Serialize;

use super::fault::At;
use super::fault::Fault;
use super::layer::Layer;
use super::walk::Walk;

#[derive(Serialize)]
pub(crate) struct Ppp {
    pub(crate) protocol: u16,
    pub(crate) name: Option<&'static str>,
    /// Octets of the Information field.
    pub(crate) len: usize,
}

impl Walk<'_> {
    pub(crate) fn ppp(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let (protocol, start) = frame::protocol(octets).at("PPP header")?;
        let information = octets.get(start..).unwrap_or_default();
        let name = protocol.name();
        self.push(Layer::Ppp(Ppp { protocol: protocol.0, name, len: information.len() }));
        match protocol {
            Protocol::IPV4 => self.ipv4(information),
            Protocol::IPV6 => self.ipv6(information),
            Protocol::LCP => self.negotiation(protocol, Layer::Lcp, information),
            Protocol::IPCP => self.negotiation(protocol, Layer::Ipcp, information),
            Protocol::IPV6CP => self.negotiation(protocol, Layer::Ipv6cp, information),
            Protocol::CCP => self.negotiation(protocol, Layer::Ccp, information),
            Protocol::PAP => self.pap(information),
            Protocol::CHAP => self.chap(information),
            Protocol::EAP => self.eap(information),
            _ if protocol.is_valid() => Ok(()),
            _ => Err(Fault::new(format!(
                "PPP header: {:#06x} can't be a protocol, whose first octet is even and second odd",
                protocol.0
            ))),
        }
    }
}

impl fmt::Display for Ppp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PPP protocol {:#06x}", self.protocol)?;
        if let Some(name) = self.name {
            write!(f, " ({name})")?;
        }
        write!(f, ", {} octets", self.len)
    }
}
