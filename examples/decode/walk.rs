//! The state of a decoder, and its walk through one packet.

use ipsec_ike::fragment::Reassembly;

use super::capture::Frame;
use super::esp_sas::EspSas;
use super::fault::Fault;
use super::fragments::Fragments;
use super::ike_sas::IkeSas;
use super::l2tp_ends::L2tpEnds;
use super::layer::Layer;
use super::row::Row;

/// What a decoder knows beyond the packet at hand.
#[derive(Default)]
pub(crate) struct Decoder {
    /// Opens hidden AVPs.
    pub(crate) tunnel_secret: Option<Vec<u8>>,
    /// Opens ESP packets.
    pub(crate) esp_sas: EspSas,
    /// Opens IKEv1 messages.
    pub(crate) ike_sas: IkeSas,
    pub(crate) ike_fragments: Reassembly,
    pub(crate) fragments: Fragments,
    pub(crate) l2tp_ends: L2tpEnds,
    frames: u64,
}

/// A walk through one packet, from the outside in. Each layer's module adds its steps.
pub(crate) struct Walk<'a> {
    pub(crate) decoder: &'a mut Decoder,
    pub(crate) row: Row,
    /// How many octets of the packet were captured, and how many there were.
    captured: usize,
    wire_len: usize,
    /// How many IP headers lie behind.
    pub(crate) ip_headers: u8,
}

impl Decoder {
    /// A decoder at the beginning of a capture.
    pub(crate) fn new(tunnel_secret: Option<Vec<u8>>, esp_sas: EspSas, ike_sas: IkeSas) -> Self {
        Self { tunnel_secret, esp_sas, ike_sas, ..Self::default() }
    }

    /// The row for the next item of a capture.
    pub(crate) fn row(&mut self, item: Result<Frame, Fault>) -> Row {
        self.frames += 1;
        let mut row = Row {
            frame: self.frames,
            time: None,
            src: None,
            dst: None,
            layers: Vec::new(),
            error: None,
        };
        let frame = match item {
            Ok(frame) => frame,
            Err(fault) => {
                row.error = Some(fault.to_string());
                return row;
            }
        };
        row.time = frame.time;
        let mut walk = Walk {
            decoder: self,
            row,
            captured: frame.octets.len(),
            wire_len: frame.wire_len,
            ip_headers: 0,
        };
        if let Err(fault) = walk.link(frame.link_type, &frame.octets) {
            walk.fault(&fault);
        }
        walk.row
    }
}

impl Walk<'_> {
    /// Adds a layer.
    pub(crate) fn push(&mut self, layer: Layer) {
        self.row.layers.push(layer);
    }

    /// Notes that something is wrong with the packet. The first fault counts, unless the file has
    /// only a part of the packet: then that is what is wrong.
    pub(crate) fn fault(&mut self, fault: &Fault) {
        let Self { captured, wire_len, .. } = self;
        self.row.error.get_or_insert_with(|| {
            if captured < wire_len {
                format!("{fault} (the file has only {captured} of the packet's {wire_len} octets)")
            } else {
                fault.to_string()
            }
        });
    }
}
