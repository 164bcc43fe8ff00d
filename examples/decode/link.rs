//! From the link layer to IP or PPP. Link types: <https://www.tcpdump.org/linktypes.html>.

use vpn_core::Reader;

use super::fault::At;
use super::fault::Fault;
use super::layer::Ethernet;
use super::layer::Layer;
use super::layer::Pppoe;
use super::layer::Vlan;
use super::shown::hex;
use super::walk::Walk;

const IPV4: u16 = 0x0800;
const VLAN: u16 = 0x8100;
const SERVICE_VLAN: u16 = 0x88a8;
const OLD_SERVICE_VLAN: u16 = 0x9100;
const IPV6: u16 = 0x86dd;
const PPP: u16 = 0x880b;
const PPPOE_DISCOVERY: u16 = 0x8863;
const PPPOE_SESSION: u16 = 0x8864;

impl Walk<'_> {
    /// A captured frame.
    pub(crate) fn link(&mut self, link_type: u16, octets: &[u8]) -> Result<(), Fault> {
        match link_type {
            0 | 108 => self.loopback(octets),
            1 => self.ethernet(octets),
            9 => self.ppp(octets),
            12 | 14 | 101 => self.ip(octets),
            228 => self.ipv4(octets),
            229 => self.ipv6(octets),
            50 => self.ppp_hdlc(octets),
            51 => self.pppoe(PPPOE_SESSION, octets),
            113 => self.linux_cooked(octets, 14, 0),
            276 => self.linux_cooked(octets, 0, 18),
            _ => Err(Fault::new(format!(
                "link type {link_type} is not known; known are Ethernet (1), Linux cooked \
                 (113, 276), IP (12, 14, 101, 228, 229), loopback (0, 108), PPP (9, 50) and PPPoE \
                 (51)"
            ))),
        }
    }

    fn ethernet(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let mut reader = Reader::new(octets);
        let mut address = || reader.array::<6>().at("Ethernet header").map(mac);
        let (dst, src) = (address()?, address()?);
        self.row.src = Some(src);
        self.row.dst = Some(dst);
        let ethertype = reader.u16().at("Ethernet header")?;
        self.ethertype(ethertype, reader.rest())
    }

    /// What an Ethertype announces, behind any VLAN tags.
    pub(crate) fn ethertype(&mut self, ethertype: u16, octets: &[u8]) -> Result<(), Fault> {
        let mut ethertype = ethertype;
        let mut reader = Reader::new(octets);
        while matches!(ethertype, VLAN | SERVICE_VLAN | OLD_SERVICE_VLAN) {
            let tag = reader.u16().at("VLAN tag")?;
            self.push(Layer::Vlan(Vlan { id: tag & 0x0fff }));
            ethertype = reader.u16().at("VLAN tag")?;
        }
        match ethertype {
            IPV4 => self.ipv4(reader.rest()),
            IPV6 => self.ipv6(reader.rest()),
            PPP => self.ppp(reader.rest()),
            PPPOE_DISCOVERY | PPPOE_SESSION => self.pppoe(ethertype, reader.rest()),
            _ => {
                let name = match ethertype {
                    0..0x0600 => Some("802.3 frame"),
                    0x0806 => Some("ARP"),
                    0x888e => Some("802.1X"),
                    0x88cc => Some("LLDP"),
                    _ => None,
                };
                self.push(Layer::Ethernet(Ethernet { ethertype, name }));
                Ok(())
            }
        }
    }

    /// RFC 2516 §4.
    fn pppoe(&mut self, ethertype: u16, octets: &[u8]) -> Result<(), Fault> {
        let place = "PPPoE header";
        let mut reader = Reader::new(octets);
        let version = reader.u8().at(place)?;
        let code = reader.u8().at(place)?;
        let session_id = reader.u16().at(place)?;
        let length = reader.u16().at(place)?;
        let name = match code {
            0x00 => String::from("session"),
            0x07 => String::from("PADO"),
            0x09 => String::from("PADI"),
            0x19 => String::from("PADR"),
            0x65 => String::from("PADS"),
            0xa7 => String::from("PADT"),
            _ => format!("code {code:#04x}"),
        };
        self.push(Layer::Pppoe(Pppoe { code: name, session_id }));
        if version != 0x11 {
            return Err(Fault::new(format!(
                "PPPoE header: version and type are {version:#04x}, not 0x11"
            )));
        }
        let payload = reader.take(usize::from(length)).at("PPPoE payload")?;
        if ethertype == PPPOE_SESSION && code == 0 { self.ppp(payload) } else { Ok(()) }
    }

    /// An address family in front, in the byte order of the machine that captured (0) or of the
    /// network (108). Families are below 256, so both orders can be told apart.
    fn loopback(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let mut reader = Reader::new(octets);
        let family = reader.array::<4>().at("loopback header")?;
        match u32::from_be_bytes(*family).min(u32::from_le_bytes(*family)) {
            2 | 10 | 24 | 28 | 30 => self.ip(reader.rest()),
            family => Err(Fault::new(format!(
                "loopback header: address family {family} is neither IPv4 nor IPv6"
            ))),
        }
    }

    /// The header of Linux's "any" device: the Ethertype lies between two runs of other fields.
    fn linux_cooked(&mut self, octets: &[u8], before: usize, after: usize) -> Result<(), Fault> {
        let place = "Linux cooked header";
        let mut reader = Reader::new(octets);
        reader.take(before).at(place)?;
        let protocol = reader.u16().at(place)?;
        reader.take(after).at(place)?;
        self.ethertype(protocol, reader.rest())
    }

    /// PPP in HDLC framing (RFC 1662), or what Cisco sends on such lines: an Ethertype.
    fn ppp_hdlc(&mut self, octets: &[u8]) -> Result<(), Fault> {
        match octets {
            [0x0f | 0x8f, _, high, low, rest @ ..] => {
                self.ethertype(u16::from_be_bytes([*high, *low]), rest)
            }
            [0xff, control, ..] if *control != 0x03 => Err(Fault::new(format!(
                "HDLC header: the control octet is {control:#04x}, not 0x03"
            ))),
            _ => self.ppp(octets),
        }
    }
}

fn mac(address: &[u8; 6]) -> String {
    let octets: Vec<_> = address.iter().map(|octet| hex(&[*octet])).collect();
    octets.join(":")
}
