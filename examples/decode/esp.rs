//! ESP (RFC 4303): what keys open, and why not.

use core::fmt;

use ipsec_esp::EspHeader;
use ipsec_esp::NextHeader;
use ipsec_esp::OpenFailure;
use serde::Serialize;
use vpn_core::PacketMut;

use super::fault::At;
use super::fault::Fault;
use super::ip::Ends;
use super::layer::Layer;
use super::layer::Payload;
use super::walk::Walk;

/// How many ESP packets a packet may have, one inside another.
const DEEPEST: usize = 4;

#[derive(Serialize)]
pub(crate) struct Esp {
    /// The header, if there is one.
    pub(crate) spi: Option<u32>,
    pub(crate) seq: Option<u32>,
    /// How the SA protects its packets, if it is known.
    pub(crate) suite: Option<String>,
    /// What came of opening it.
    pub(crate) status: &'static str,
    /// Octets of the packet, header included.
    #[serde(skip)]
    pub(crate) len: usize,
}

impl Walk<'_> {
    /// An ESP packet between `ends`. What is inside is shown only if the SA accepts it, as the
    /// receiver would.
    pub(crate) fn esp(&mut self, ends: Ends, octets: &[u8]) -> Result<(), Fault> {
        if self.row.layers.iter().filter(|layer| matches!(layer, Layer::Esp(_))).count() == DEEPEST
        {
            return Err(Fault::new(format!("ESP packet: nested deeper than {DEEPEST} times")));
        }
        let header = EspHeader::decode(octets).ok();
        let sa = header.and_then(|header| self.decoder.esp_sas.find(header.spi));
        let suite = sa.map(|sa| sa.suite().to_string());
        let mut storage = octets.to_vec();
        let mut packet = PacketMut::whole(&mut storage);
        let outcome = match (header, sa) {
            (_, Some(sa)) => sa.open_explained(&mut packet),
            (Some(_), None) => Err(OpenFailure::UnknownSpi),
            (None, None) => Err(OpenFailure::Malformed),
        };
        self.push(Layer::Esp(Esp {
            spi: header.map(|header| header.spi.0),
            seq: header.map(|header| header.sequence),
            suite,
            status: outcome.map_or_else(status, |_| "ok"),
            len: octets.len(),
        }));
        match outcome {
            Ok(opened) => self.esp_payload(ends, opened.next_header, packet.payload()),
            // Nothing is wrong with it: the keys are not at hand.
            Err(OpenFailure::UnknownSpi) => Ok(()),
            Err(OpenFailure::Malformed) => {
                Err(Fault::new(format!("ESP packet: it can't have {} octets", octets.len())))
            }
            Err(failure) => Err(failure).at("ESP packet"),
        }
    }

    fn esp_payload(
        &mut self,
        ends: Ends,
        next_header: NextHeader,
        octets: &[u8],
    ) -> Result<(), Fault> {
        if next_header == NextHeader::NONE {
            let NextHeader(protocol) = next_header;
            self.push(Layer::Payload(Payload { protocol, name: Some("dummy packet"), len: 0 }));
            Ok(())
        } else if ends.src.is_ipv6() {
            self.ipv6_headers(ends, next_header.0, octets)
        } else {
            self.transport(ends, next_header.0, octets)
        }
    }
}

/// The word for a packet that was not opened.
const fn status(failure: OpenFailure) -> &'static str {
    match failure {
        // An SA expires here only if its sequence numbers have, so this one comes too late.
        OpenFailure::Expired => OpenFailure::TooOld.name(),
        _ => failure.name(),
    }
}

impl fmt::Display for Esp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spi, seq, suite, status, len } = self;
        f.write_str("ESP")?;
        if let (Some(spi), Some(seq)) = (spi, seq) {
            write!(f, " SPI {spi:#010x} seq {seq}")?;
        }
        if let Some(suite) = suite {
            write!(f, " {suite}")?;
        }
        match *status {
            "ok" => Ok(()),
            "unknown_spi" => write!(f, ", {len} octets (keys open it: --esp-sa)"),
            status => write!(f, ", {len} octets, {status}"),
        }
    }
}
