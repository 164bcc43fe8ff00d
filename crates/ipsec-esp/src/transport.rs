//! Transport mode on whole IP packets (RFC 4303 §3.1.1, RFC 3948 §3.2, §3.3).
//!
//! A VPN that receives and sends through sockets never sees the outer IP header, and uses
//! [`OutboundSa`] and [`InboundSa`] on the payload alone. Whoever reads IP packets from a raw socket
//! or a TUN device uses this module: ESP goes in between the IP header and the payload, with a UDP
//! header in front of it if there is a NAT, and the lengths, protocol number and checksum of the IP
//! header follow.

use core::net::IpAddr;

use thiserror::Error;
use vpn_core::PacketMut;
use vpn_core::Reader;
use vpn_core::crypto::OpenKey;
use vpn_core::crypto::SealKey;

use crate::InboundSa;
use crate::NextHeader;
use crate::Number;
use crate::Opened;
use crate::OutboundSa;
use crate::SealError;
use crate::Sealed;
use crate::checksum::Addresses;
use crate::checksum::Sum;
use crate::checksum::checksum;

/// The UDP header around ESP (RFC 3948 §2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UdpPorts {
    /// Our port: the one that IKE uses.
    pub source: u16,
    /// The peer's port, as its NAT shows it.
    pub destination: u16,
}

/// Octets of a UDP header.
const UDP_LEN: usize = 8;

/// Why an IP packet was not sealed or opened.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TransportError {
    /// It is no whole IPv4 or IPv6 packet.
    #[error("no whole IP packet")]
    Malformed,
    /// It is a fragment: reassemble it first (RFC 4303 §3.3.4, §3.4.1).
    #[error("a fragment, which must be reassembled first")]
    Fragment,
    /// What follows the IP header is not ESP, nor UDP around ESP.
    #[error("the IP packet does not carry ESP")]
    NotEsp,
    /// The ESP packet was not opened.
    #[error("the packet was not opened")]
    NotOpened,
    /// The payload was not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl From<vpn_core::NoRoom> for TransportError {
    fn from(no_room: vpn_core::NoRoom) -> Self {
        Self::Seal(no_room.into())
    }
}

/// Seals the payload of an IP packet, in place. `udp` is for peers behind a NAT.
///
/// The packet needs [`OutboundSa::room`] around it, and 8 octets more in front for UDP. IPv4 options
/// and the IPv6 headers that routers read (hop-by-hop options, the destination options before a
/// routing header, routing) stay outside (RFC 4303 §3.1.1). Over IPv4 the UDP checksum is zero (RFC
/// 3948 §2.1); over IPv6, where zero is not allowed, it is computed.
///
/// # Errors
/// [`TransportError`]; the packet must then be dropped.
pub fn seal_ip<N: Number, K: AsRef<dyn SealKey>>(
    sa: &OutboundSa<N, K>,
    packet: &mut PacketMut<'_>,
    udp: Option<UdpPorts>,
) -> Result<Sealed, TransportError> {
    let header = IpHeader::parse(packet.payload(), Until::Covered)?;
    packet.truncate(header.packet_len);
    let mut storage = [0; MAX_HEADER];
    let kept = storage.get_mut(..header.len).ok_or(TransportError::Malformed)?;
    kept.copy_from_slice(packet.payload().get(..header.len).unwrap_or_default());
    packet.trim_front(header.len)?;
    let sealed = sa.seal(packet, header.next_header)?;
    let outer = if let Some(ports) = udp {
        put_udp(packet, ports, header.addresses)?;
        NextHeader::UDP
    } else {
        NextHeader::ESP
    };
    packet.prepend(header.len)?.copy_from_slice(kept);
    header.rewrite(packet.payload_mut(), outer)?;
    Ok(sealed)
}

/// Opens the ESP that an IP packet carries, natively or in UDP, in place: the packet becomes what
/// the peer sealed, behind the IP header that arrived. Transport checksums are as the peer computed
/// them: [`ChecksumRepair`](crate::checksum::ChecksumRepair) repairs them after a NAT.
///
/// # Errors
/// [`TransportError`]; the packet must then be dropped.
pub fn open_ip<N: Number, K: AsRef<dyn OpenKey>>(
    sa: &InboundSa<N, K>,
    packet: &mut PacketMut<'_>,
) -> Result<Opened, TransportError> {
    let header = IpHeader::parse(packet.payload(), Until::Payload)?;
    packet.truncate(header.packet_len);
    let mut storage = [0; MAX_HEADER];
    let kept = storage.get_mut(..header.len).ok_or(TransportError::Malformed)?;
    kept.copy_from_slice(packet.payload().get(..header.len).unwrap_or_default());
    packet.trim_front(header.len)?;
    match header.next_header {
        NextHeader::ESP => {}
        NextHeader::UDP => take_udp(packet)?,
        _ => return Err(TransportError::NotEsp),
    }
    let opened = sa.open(packet).map_err(|_| TransportError::NotOpened)?;
    packet.prepend(header.len)?.copy_from_slice(kept);
    header.rewrite(packet.payload_mut(), opened.next_header)?;
    Ok(opened)
}

/// The addresses of a whole IP packet.
///
/// # Errors
/// [`TransportError::Malformed`] and [`TransportError::Fragment`].
pub fn addresses(packet: &[u8]) -> Result<Addresses, TransportError> {
    Ok(IpHeader::parse(packet, Until::Covered)?.addresses)
}

fn put_udp(
    packet: &mut PacketMut<'_>,
    ports: UdpPorts,
    addresses: Addresses,
) -> Result<(), TransportError> {
    let len = packet.len() + UDP_LEN;
    let too_long = SealError::TooLong { len, max: usize::from(u16::MAX) };
    let [l0, l1] = u16::try_from(len).map_err(|_| too_long)?.to_be_bytes();
    let [s0, s1] = ports.source.to_be_bytes();
    let [d0, d1] = ports.destination.to_be_bytes();
    packet.prepend(UDP_LEN)?.copy_from_slice(&[s0, s1, d0, d1, l0, l1, 0, 0]);
    if addresses.source.is_ipv6() {
        let checksum = checksum(addresses, NextHeader::UDP, packet.payload());
        if let Some((_, field)) = packet.payload_mut().split_at_mut_checked(6)
            && let Some(field) = field.first_chunk_mut()
        {
            *field = checksum.to_be_bytes();
        }
    }
    Ok(())
}

/// Takes off the UDP header around ESP. Its checksum is not looked at: the ICV says more, and
/// receivers must not depend on it (RFC 3948 §2.1).
fn take_udp(packet: &mut PacketMut<'_>) -> Result<(), TransportError> {
    let mut reader = Reader::new(packet.payload());
    let len = reader.take(4).and_then(|_| reader.u16()).map_err(|_| TransportError::Malformed)?;
    let len = usize::from(len);
    if len < UDP_LEN || len > packet.len() {
        return Err(TransportError::Malformed);
    }
    packet.truncate(len);
    packet.trim_front(UDP_LEN)?;
    match crate::udp_encap::classify(packet.payload()) {
        crate::udp_encap::Encapsulated::Esp(_) => Ok(()),
        _ => Err(TransportError::NotEsp),
    }
}

/// The longest IP header that is kept aside while ESP goes in: IPv6 with extension headers.
const MAX_HEADER: usize = 256;

/// What of an IP header matters here: it ends where ESP begins.
#[derive(Clone, Copy)]
struct IpHeader {
    is_v6: bool,
    len: usize,
    packet_len: usize,
    next_header: NextHeader,
    /// Where the number of the next header stands.
    next_header_at: usize,
    addresses: Addresses,
}

/// Where the headers end that stay outside of ESP.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Before what ESP should cover: destination options for the last receiver are inside (RFC 4303
    /// §3.1.1).
    Covered,
    /// Behind all extension headers.
    Payload,
}

impl IpHeader {
    fn parse(packet: &[u8], until: Until) -> Result<Self, TransportError> {
        match packet.first().map(|octet| octet >> 4) {
            Some(4) => Self::parse_v4(packet),
            Some(6) => Self::parse_v6(packet, until),
            _ => Err(TransportError::Malformed),
        }
    }

    fn parse_v4(packet: &[u8]) -> Result<Self, TransportError> {
        let Some([first, _, t0, t1, _, _, f0, f1, _, protocol, _, _, addresses @ ..]) =
            packet.first_chunk::<20>()
        else {
            return Err(TransportError::Malformed);
        };
        let len = usize::from(first & 15) * 4;
        let packet_len = usize::from(u16::from_be_bytes([*t0, *t1]));
        if len < 20 || packet_len < len || packet_len > packet.len() {
            return Err(TransportError::Malformed);
        }
        // More fragments, or a fragment offset (RFC 791 §3.1).
        if u16::from_be_bytes([*f0, *f1]) & 0x3fff != 0 {
            return Err(TransportError::Fragment);
        }
        let [s0, s1, s2, s3, d0, d1, d2, d3] = *addresses;
        let addresses = Addresses {
            source: IpAddr::from([s0, s1, s2, s3]),
            destination: IpAddr::from([d0, d1, d2, d3]),
        };
        let next_header = NextHeader(*protocol);
        Ok(Self { is_v6: false, len, packet_len, next_header, next_header_at: 9, addresses })
    }

    fn parse_v6(packet: &[u8], until: Until) -> Result<Self, TransportError> {
        let truncated = |_| TransportError::Malformed;
        let mut reader = Reader::new(packet);
        reader.take(4).map_err(truncated)?;
        let packet_len = usize::from(reader.u16().map_err(truncated)?) + 40;
        let mut next_header = NextHeader(reader.u8().map_err(truncated)?);
        reader.take(1).map_err(truncated)?;
        let source = IpAddr::from(*reader.array::<16>().map_err(truncated)?);
        let destination = IpAddr::from(*reader.array::<16>().map_err(truncated)?);
        if packet_len > packet.len() {
            return Err(TransportError::Malformed);
        }
        let (mut len, mut next_header_at) = (40, 6);
        let mut reader = Reader::new(packet.get(40..packet_len).unwrap_or_default());
        while let HOP_BY_HOP | ROUTING | DESTINATION | FRAGMENT = next_header {
            let [after, units, f0, f1] = *reader.array().map_err(truncated)?;
            let after = NextHeader(after);
            let mut header_len = (usize::from(units) + 1) * 8;
            if next_header == FRAGMENT {
                // An offset, or more to come; neither is a whole packet in one (RFC 6946).
                if u16::from_be_bytes([f0, f1]) & 0xfff9 != 0 {
                    return Err(TransportError::Fragment);
                }
                header_len = 8;
            }
            // Destination options before a routing header are for the routers (RFC 8200 §4.1).
            if until == Until::Covered && next_header == DESTINATION && after != ROUTING {
                break;
            }
            reader.take(header_len - 4).map_err(truncated)?;
            (next_header, next_header_at) = (after, len);
            len += header_len;
        }
        let addresses = Addresses { source, destination };
        Ok(Self { is_v6: true, len, packet_len, next_header, next_header_at, addresses })
    }

    /// Makes the header at the start of `packet` say how long the packet is now and what it carries.
    fn rewrite(self, packet: &mut [u8], next_header: NextHeader) -> Result<(), TransportError> {
        let len = if self.is_v6 { packet.len() - 40 } else { packet.len() };
        let too_long = SealError::TooLong { len, max: usize::from(u16::MAX) };
        let len = u16::try_from(len).map_err(|_| too_long)?;
        let at = if self.is_v6 { 4 } else { 2 };
        put(packet, at, len.to_be_bytes());
        put(packet, self.next_header_at, [next_header.0]);
        if !self.is_v6 {
            put(packet, 10, [0, 0]);
            let mut sum = Sum::default();
            sum.octets(packet.get(..self.len).unwrap_or_default());
            put(packet, 10, (!sum.folded()).to_be_bytes());
        }
        Ok(())
    }
}

const HOP_BY_HOP: NextHeader = NextHeader(0);
const ROUTING: NextHeader = NextHeader(43);
const FRAGMENT: NextHeader = NextHeader(44);
const DESTINATION: NextHeader = NextHeader(60);

fn put<const N: usize>(packet: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(field) = packet.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *field = value;
    }
}

#[cfg(test)]
mod tests;
