//! What IP carries: UDP, TCP, ICMP, GRE.

use core::net::SocketAddr;

use ipsec_esp::udp_encap::Encapsulated;
use ipsec_esp::udp_encap::classify;
use vpn_core::Reader;

use super::fault::At;
use super::fault::Fault;
use super::ip::Ends;
use super::layer::Echo;
use super::layer::Gre;
use super::layer::Icmp;
use super::layer::Layer;
use super::layer::Payload;
use super::layer::Tcp;
use super::layer::Udp;
use super::walk::Walk;

const L2TP_PORT: u16 = 1701;
const IKE_PORT: u16 = 500;
const NAT_T_PORT: u16 = 4500;

impl Walk<'_> {
    /// The payload of an IP packet.
    pub(crate) fn transport(
        &mut self,
        ends: Ends,
        protocol: u8,
        octets: &[u8],
    ) -> Result<(), Fault> {
        match protocol {
            1 => self.icmp(4, octets),
            4 => self.ipv4(octets),
            6 => self.tcp(octets),
            17 => self.udp(ends, octets),
            41 => self.ipv6(octets),
            47 => self.gre(octets),
            50 => self.esp(ends, octets),
            58 => self.icmp(6, octets),
            _ => {
                let name = match protocol {
                    2 => Some("IGMP"),
                    51 => Some("AH"),
                    59 => Some("no next header"),
                    89 => Some("OSPF"),
                    115 => Some("L2TPv3"),
                    132 => Some("SCTP"),
                    _ => None,
                };
                self.push(Layer::Payload(Payload { protocol, name, len: octets.len() }));
                Ok(())
            }
        }
    }

    fn udp(&mut self, ends: Ends, octets: &[u8]) -> Result<(), Fault> {
        let place = "UDP header";
        let mut reader = Reader::new(octets);
        let src_port = reader.u16().at(place)?;
        let dst_port = reader.u16().at(place)?;
        let length = usize::from(reader.u16().at(place)?);
        reader.take(2).at(place)?;
        let Some(len) = length.checked_sub(8) else {
            return Err(Fault::new(format!("UDP header: length {length} is less than its own 8")));
        };
        self.push(Layer::Udp(Udp { src_port, dst_port, len }));
        let whole = reader.rest();
        let payload = reader.take(len).unwrap_or_else(|short| {
            self.fault(&Fault::new(format!("UDP payload: {short}")));
            whole
        });
        let is = |port| src_port == port || dst_port == port;
        let (src, dst) = (SocketAddr::new(ends.src, src_port), SocketAddr::new(ends.dst, dst_port));
        if is(L2TP_PORT) {
            self.l2tp(src, payload)
        } else if is(NAT_T_PORT) {
            self.nat_t(ends, payload)
        } else if is(IKE_PORT) {
            self.ike(payload)
        } else if self.decoder.l2tp_ends.know(src, dst) {
            self.perhaps_l2tp(src, payload)
        } else {
            Ok(())
        }
    }

    /// UDP port 4500 (RFC 3948 §2): a keepalive, IKE behind four zero octets, or else ESP.
    fn nat_t(&mut self, ends: Ends, payload: &[u8]) -> Result<(), Fault> {
        match classify(payload) {
            Encapsulated::Keepalive => {
                self.push(Layer::NatKeepalive {});
                Ok(())
            }
            Encapsulated::Ike(message) => self.ike(message),
            // What is too short for ESP is shown as such.
            Encapsulated::Esp(_) | Encapsulated::Malformed => self.esp(ends, payload),
        }
    }

    fn tcp(&mut self, octets: &[u8]) -> Result<(), Fault> {
        const NAMES: [&str; 6] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];
        let place = "TCP header";
        let mut reader = Reader::new(octets);
        let src_port = reader.u16().at(place)?;
        let dst_port = reader.u16().at(place)?;
        let seq = reader.u32().at(place)?;
        let ack = reader.u32().at(place)?;
        let header_len = usize::from(reader.u8().at(place)? >> 4) * 4;
        let bits = reader.u8().at(place)?;
        reader.take(6).at(place)?;
        let flags = NAMES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 != 0);
        let flags = flags.map(|(_, name)| *name).collect::<Vec<_>>().join("+");
        let len = octets.len().saturating_sub(header_len);
        self.push(Layer::Tcp(Tcp { src_port, dst_port, flags, seq, ack, len }));
        if header_len < 20 || header_len > octets.len() {
            return Err(Fault::new(format!(
                "TCP header: its length is {header_len} in {} octets",
                octets.len()
            )));
        }
        Ok(())
    }

    fn icmp(&mut self, version: u8, octets: &[u8]) -> Result<(), Fault> {
        let place = if version == 6 { "ICMPv6 header" } else { "ICMP header" };
        let mut reader = Reader::new(octets);
        let kind = reader.u8().at(place)?;
        let code = reader.u8().at(place)?;
        reader.take(2).at(place)?;
        let message = match (version, kind) {
            (4, 8) | (6, 128) => Some("echo request"),
            (4, 0) | (6, 129) => Some("echo reply"),
            (4, 3) | (6, 1) => Some("destination unreachable"),
            (4, 5) | (6, 137) => Some("redirect"),
            (6, 2) => Some("packet too big"),
            (4, 11) | (6, 3) => Some("time exceeded"),
            (4, 12) | (6, 4) => Some("parameter problem"),
            (6, 130) => Some("multicast listener query"),
            (6, 131 | 143) => Some("multicast listener report"),
            (6, 132) => Some("multicast listener done"),
            (6, 133) => Some("router solicitation"),
            (6, 134) => Some("router advertisement"),
            (6, 135) => Some("neighbor solicitation"),
            (6, 136) => Some("neighbor advertisement"),
            _ => None,
        };
        let echo = match (version, kind) {
            (4, 0 | 8) | (6, 128 | 129) => {
                Some(Echo { id: reader.u16().at(place)?, seq: reader.u16().at(place)? })
            }
            _ => None,
        };
        self.push(Layer::Icmp(Icmp { version, kind, code, message, echo }));
        Ok(())
    }

    /// RFC 2784 and RFC 2890 (version 0), and PPTP's (version 1, RFC 2637 §4.1).
    fn gre(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let place = "GRE header";
        let mut reader = Reader::new(octets);
        let flags = reader.u16().at(place)?;
        let protocol = reader.u16().at(place)?;
        let is_set = |bit: u16| flags & bit != 0;
        let [_, version] = (flags & 7).to_be_bytes();
        let mut gre = Gre { version, protocol, call_id: None, seq: None, ack: None };
        if is_set(0xc000) {
            reader.take(4).at(place)?;
        }
        if is_set(0x2000) {
            let key = reader.u32().at(place)?;
            gre.call_id = (version == 1).then(|| low_half(key));
        }
        if is_set(0x1000) {
            gre.seq = Some(reader.u32().at(place)?);
        }
        if version == 1 && is_set(0x0080) {
            gre.ack = Some(reader.u32().at(place)?);
        }
        self.push(Layer::Gre(gre));
        if reader.is_empty() { Ok(()) } else { self.ethertype(protocol, reader.rest()) }
    }
}

/// Of PPTP's key: the payload length is above, the call ID below.
const fn low_half(key: u32) -> u16 {
    let [.., high, low] = key.to_be_bytes();
    u16::from_be_bytes([high, low])
}
