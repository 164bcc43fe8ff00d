//! ESP (RFC 4303): what can be seen of it without keys.

use core::fmt;

use serde::Serialize;
use vpn_core::Reader;

use super::fault::At;
use super::fault::Fault;
use super::layer::Layer;
use super::walk::Walk;

#[derive(Serialize)]
pub(crate) struct Esp {
    pub(crate) spi: u32,
    pub(crate) seq: u32,
    /// How the SA protects its packets, if it is known.
    pub(crate) suite: Option<&'static str>,
    /// What came of opening it.
    pub(crate) status: &'static str,
    /// Octets after the header.
    pub(crate) len: usize,
}

impl Walk<'_> {
    pub(crate) fn esp(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let place = "ESP header";
        let mut reader = Reader::new(octets);
        let spi = reader.u32().at(place)?;
        let seq = reader.u32().at(place)?;
        let len = reader.len();
        self.push(Layer::Esp(Esp { spi, seq, suite: None, status: "unknown_spi", len }));
        Ok(())
    }
}

impl fmt::Display for Esp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spi, seq, len, .. } = self;
        write!(f, "ESP SPI {spi:#010x} seq {seq}, {len} octets (keys open it)")
    }
}
