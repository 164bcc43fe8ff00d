//! IPv4 and IPv6 headers (RFC 791, RFC 8200).

use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::Ipv6Addr;

use vpn_core::Reader;

use super::fault::At;
use super::fault::Fault;
use super::fragments::Piece;
use super::layer::Fragment;
use super::layer::Ip;
use super::layer::Layer;
use super::walk::Walk;

/// How many IP headers a packet may have, one inside another.
const DEEPEST: u8 = 6;

/// What the transport layer needs of an IP header.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
}

/// A fragment's place in the packet it was cut from.
struct Cut {
    id: u32,
    offset: usize,
    more: bool,
}

impl Walk<'_> {
    /// An IP packet of either version.
    pub(crate) fn ip(&mut self, octets: &[u8]) -> Result<(), Fault> {
        match octets.first().map(|first| first >> 4) {
            Some(4) => self.ipv4(octets),
            Some(6) => self.ipv6(octets),
            Some(version) => Err(Fault::new(format!("IP header: version {version}"))),
            None => Err(Fault::new("IP header: there is none")),
        }
    }

    pub(crate) fn ipv4(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let place = "IPv4 header";
        let mut reader = Reader::new(octets);
        let first = reader.u8().at(place)?;
        if first >> 4 != 4 {
            return Err(Fault::new(format!("IPv4 header: version {}", first >> 4)));
        }
        let header_len = usize::from(first & 0x0f) * 4;
        reader.take(1).at(place)?;
        let total_len = usize::from(reader.u16().at(place)?);
        let id = u32::from(reader.u16().at(place)?);
        let flags = reader.u16().at(place)?;
        let hop_limit = reader.u8().at(place)?;
        let protocol = reader.u8().at(place)?;
        reader.take(2).at(place)?;
        let src = IpAddr::from(Ipv4Addr::from(*reader.array::<4>().at(place)?));
        let dst = IpAddr::from(Ipv4Addr::from(*reader.array::<4>().at(place)?));
        self.ip_header(Ip { src, dst, protocol, hop_limit })?;
        // A network card that segments for the host leaves the total length to be filled in later.
        let total_len = if total_len == 0 { octets.len() } else { total_len };
        if header_len < 20 || total_len < header_len {
            return Err(Fault::new(format!(
                "IPv4 header: header length {header_len}, total length {total_len}"
            )));
        }
        reader.take(header_len - 20).at("IPv4 options")?;
        let payload = self.ip_payload(&reader, total_len - header_len);
        let cut = Cut { id, offset: usize::from(flags & 0x1fff) * 8, more: flags & 0x2000 != 0 };
        self.ip_fragment(Ends { src, dst }, protocol, cut, payload)
    }

    pub(crate) fn ipv6(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let place = "IPv6 header";
        let mut reader = Reader::new(octets);
        let first = reader.u8().at(place)?;
        if first >> 4 != 6 {
            return Err(Fault::new(format!("IPv6 header: version {}", first >> 4)));
        }
        reader.take(3).at(place)?;
        let payload_len = usize::from(reader.u16().at(place)?);
        let protocol = reader.u8().at(place)?;
        let hop_limit = reader.u8().at(place)?;
        let src = IpAddr::from(Ipv6Addr::from(*reader.array::<16>().at(place)?));
        let dst = IpAddr::from(Ipv6Addr::from(*reader.array::<16>().at(place)?));
        self.ip_header(Ip { src, dst, protocol, hop_limit })?;
        // Zero is for what is longer than the field can say (RFC 2675).
        let payload_len = if payload_len == 0 { reader.len() } else { payload_len };
        let payload = self.ip_payload(&reader, payload_len);
        self.ipv6_headers(Ends { src, dst }, protocol, payload)
    }

    /// What follows the IPv6 header, which says that it begins with `protocol`.
    pub(crate) fn ipv6_headers(
        &mut self,
        ends: Ends,
        mut protocol: u8,
        octets: &[u8],
    ) -> Result<(), Fault> {
        let place = "IPv6 extension header";
        let mut reader = Reader::new(octets);
        loop {
            match protocol {
                // Hop-by-hop, routing and destination options; mobility; HIP; Shim6.
                0 | 43 | 60 | 135 | 139 | 140 => {
                    protocol = reader.u8().at(place)?;
                    let length = usize::from(reader.u8().at(place)?) * 8 + 6;
                    reader.take(length).at(place)?;
                }
                // Authentication header: its length counts differently (RFC 4302 §2.2).
                51 => {
                    protocol = reader.u8().at(place)?;
                    let length = usize::from(reader.u8().at(place)?) * 4 + 6;
                    reader.take(length).at(place)?;
                }
                44 => {
                    let place = "IPv6 fragment header";
                    let next = reader.u8().at(place)?;
                    reader.take(1).at(place)?;
                    let field = reader.u16().at(place)?;
                    let id = reader.u32().at(place)?;
                    let cut = Cut { id, offset: usize::from(field & !7), more: field & 1 != 0 };
                    return self.ip_fragment(ends, next, cut, reader.rest());
                }
                _ => return self.transport(ends, protocol, reader.rest()),
            }
        }
    }

    /// The first IP header gives the row its addresses; those inside other packets are layers.
    fn ip_header(&mut self, ip: Ip) -> Result<(), Fault> {
        if self.ip_headers == DEEPEST {
            return Err(Fault::new(format!("IP header: nested deeper than {DEEPEST} times")));
        }
        if self.ip_headers == 0 {
            self.row.src = Some(ip.src.to_string());
            self.row.dst = Some(ip.dst.to_string());
        }
        if self.ip_headers > 0 || self.row.layers.iter().any(|layer| matches!(layer, Layer::Ppp(_)))
        {
            self.push(Layer::Ip(ip));
        }
        self.ip_headers += 1;
        Ok(())
    }

    /// The payload without what the link layer put behind it; less if the file has less.
    fn ip_payload<'a>(&mut self, reader: &Reader<'a>, length: usize) -> &'a [u8] {
        let mut payload = *reader;
        payload.take(length).unwrap_or_else(|short| {
            self.fault(&Fault::new(format!("IP payload: {short}")));
            reader.rest()
        })
    }

    fn ip_fragment(
        &mut self,
        ends: Ends,
        protocol: u8,
        cut: Cut,
        octets: &[u8],
    ) -> Result<(), Fault> {
        let Cut { id, offset, more } = cut;
        if offset == 0 && !more {
            return self.transport(ends, protocol, octets);
        }
        let piece = Piece { frame: self.row.frame, time: self.row.time, offset, more, octets };
        let whole = self.decoder.fragments.add((ends.src, ends.dst, protocol, id), piece);
        let (completes, fault) = match &whole {
            Ok(Some(whole)) => (Some(whole.frames.clone()), None),
            Ok(None) => (None, None),
            Err(fault) => (None, Some(fault)),
        };
        self.push(Layer::Fragment(Fragment { id, offset, len: octets.len(), more, completes }));
        if let Some(fault) = fault {
            self.fault(fault);
        }
        match whole {
            Ok(Some(whole)) => self.transport(ends, protocol, &whole.octets),
            _ => Ok(()),
        }
    }
}
