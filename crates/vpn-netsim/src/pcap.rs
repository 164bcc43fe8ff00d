use core::net::IpAddr;
use std::io;
use std::io::Write;

use vpn_core::Instant;

use crate::Datagram;

/// Raw IP packets, the version in the first nibble (LINKTYPE_RAW of the pcap registry).
const LINKTYPE_RAW: u32 = 101;
const UDP: u8 = 17;
const ESP: u8 = 50;

/// Writes datagrams as a pcap file, each in an IP packet with right lengths and checksums.
///
/// ```
/// use core::net::SocketAddr;
/// use vpn_core::{Instant, Socket};
/// use vpn_netsim::{Datagram, PcapWriter};
///
/// let mut pcap = PcapWriter::new(Vec::new())?;
/// let (source, destination) = ("10.0.0.1:1701", "10.0.0.2:1701");
/// let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
/// let datagram = Datagram { socket: Socket::L2tp, source, destination, payload: vec![1, 2, 3] };
/// pcap.write(Instant::ZERO, &datagram)?;
/// assert_eq!(pcap.into_inner().len(), 24 + 16 + 20 + 8 + 3);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: W,
}

impl<W: Write> PcapWriter<W> {
    /// Starts a file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?; // microseconds
        out.write_all(&[2, 0, 4, 0])?; // version 2.4
        out.write_all(&[0; 8])?;
        out.write_all(&u32::from(u16::MAX).to_le_bytes())?; // longest packet
        out.write_all(&LINKTYPE_RAW.to_le_bytes())?;
        Ok(Self { out })
    }

    /// Adds a datagram that was seen at `at`.
    ///
    /// # Errors
    /// Those of `out`; `InvalidInput` for a datagram that is too long for an IP packet or whose
    /// addresses are of two families.
    pub fn write(&mut self, at: Instant, datagram: &Datagram) -> io::Result<()> {
        let packet = ip_packet(datagram).ok_or(io::ErrorKind::InvalidInput)?;
        let (seconds, micros) = (at.as_micros() / 1_000_000, at.as_micros() % 1_000_000);
        let len = u32::try_from(packet.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        // The format ends in 2106; virtual time past that stays at the end.
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        let micros = u32::try_from(micros).unwrap_or(u32::MAX);
        for field in [seconds, micros, len, len] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        self.out.write_all(&packet)
    }

    /// The writer underneath.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// The IP packet that carries a datagram.
fn ip_packet(datagram: &Datagram) -> Option<Vec<u8>> {
    let protocol = if datagram.is_esp() { ESP } else { UDP };
    let body = if datagram.is_esp() { datagram.payload.clone() } else { udp(datagram)? };
    let mut packet = Vec::with_capacity(40 + body.len());
    match (datagram.source.ip(), datagram.destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let len = u16::try_from(20 + body.len()).ok()?.to_be_bytes();
            packet.extend([0x45, 0, len[0], len[1], 0, 0, 0x40, 0, 64, protocol, 0, 0]);
            packet.extend(source.octets());
            packet.extend(destination.octets());
            let sum = checksum(&[&packet]).to_be_bytes();
            packet.get_mut(10..12)?.copy_from_slice(&sum);
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let len = u16::try_from(body.len()).ok()?.to_be_bytes();
            packet.extend([0x60, 0, 0, 0, len[0], len[1], protocol, 64]);
            packet.extend(source.octets());
            packet.extend(destination.octets());
        }
        _ => return None,
    }
    packet.extend(body);
    Some(packet)
}

/// A UDP header and the payload.
fn udp(datagram: &Datagram) -> Option<Vec<u8>> {
    let len = u16::try_from(8 + datagram.payload.len()).ok()?;
    let mut body = Vec::with_capacity(usize::from(len));
    for field in [datagram.source.port(), datagram.destination.port(), len, 0] {
        body.extend(field.to_be_bytes());
    }
    body.extend(&datagram.payload);
    let (mut source, mut destination) = (Vec::new(), Vec::new());
    for (octets, address) in
        [(&mut source, datagram.source.ip()), (&mut destination, datagram.destination.ip())]
    {
        match address {
            IpAddr::V4(address) => octets.extend(address.octets()),
            IpAddr::V6(address) => octets.extend(address.octets()),
        }
    }
    let length = len.to_be_bytes();
    let sum = match checksum(&[&source, &destination, &[0, UDP], &length, &body]) {
        0 => u16::MAX, // zero says that there is none
        sum => sum,
    };
    body.get_mut(6..8)?.copy_from_slice(&sum.to_be_bytes());
    Some(body)
}

/// The Internet checksum of parts that are each of even length, save the last (RFC 1071).
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u64;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let (high, low) = (pair.first().copied(), pair.get(1).copied());
        sum += u64::from(u16::from_be_bytes([high.unwrap_or(0), low.unwrap_or(0)]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).map_or(0, |sum| !sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use vpn_core::Socket;

    fn datagram(socket: Socket, source: &str, destination: &str) -> Datagram {
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        Datagram { socket, source, destination, payload: b"payload".to_vec() }
    }

    #[test]
    fn a_file_has_the_headers_that_tools_expect() {
        let mut pcap = PcapWriter::new(Vec::new()).unwrap();
        let at = Instant::ZERO + Duration::from_micros(3_000_004);
        pcap.write(at, &datagram(Socket::L2tp, "10.77.0.1:1701", "10.77.0.2:1701")).unwrap();
        let file = pcap.into_inner();
        assert_eq!(file[..8], [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0]);
        assert_eq!(file[20..24], [101, 0, 0, 0]);
        assert_eq!(file[24..40], [3, 0, 0, 0, 4, 0, 0, 0, 35, 0, 0, 0, 35, 0, 0, 0]);
        assert_eq!(file[40..44], [0x45, 0, 0, 35]);
        assert_eq!(file[49], UDP);
        assert_eq!(file[60..66], [0x06, 0xa5, 0x06, 0xa5, 0, 15]);
        assert_eq!(file[68..], *b"payload");
    }

    #[test]
    fn checksums_verify() {
        let packet = ip_packet(&datagram(Socket::L2tp, "10.77.0.1:1701", "10.77.0.2:9")).unwrap();
        assert_eq!(checksum(&[&packet[..20]]), 0);
        assert_eq!(checksum(&[&packet[12..20], &[0, UDP, 0, 15], &packet[20..]]), 0);
        let packet = ip_packet(&datagram(Socket::Ike, "[2001:db8::1]:500", "[::2]:500")).unwrap();
        assert_eq!(packet[..8], [0x60, 0, 0, 0, 0, 15, UDP, 64]);
        assert_eq!(checksum(&[&packet[8..40], &[0, UDP, 0, 15], &packet[40..]]), 0);
    }

    #[test]
    fn esp_goes_without_udp() {
        let packet = ip_packet(&datagram(Socket::Esp, "10.77.0.1:0", "10.77.0.2:0")).unwrap();
        assert_eq!((packet[9], &packet[20..]), (ESP, &b"payload"[..]));
    }

    #[test]
    fn what_no_packet_can_hold_is_refused() {
        let mut pcap = PcapWriter::new(Vec::new()).unwrap();
        let mixed = datagram(Socket::L2tp, "10.77.0.1:1701", "[::2]:1701");
        assert!(pcap.write(Instant::ZERO, &mixed).is_err());
        let mut long = datagram(Socket::L2tp, "10.77.0.1:1701", "10.77.0.2:1701");
        long.payload = vec![0; crate::datagram::LONGEST];
        assert!(pcap.write(Instant::ZERO, &long).is_ok());
        long.payload.push(0);
        assert!(pcap.write(Instant::ZERO, &long).is_err());
    }
}
