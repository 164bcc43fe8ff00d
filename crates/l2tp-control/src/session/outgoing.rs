//! The messages of an outgoing call (RFC 2661 §6.9, §6.11), from and to values.

use bytes::Bytes;
use l2tp_wire::message::Occn;
use l2tp_wire::message::Ocrq;

use crate::ConnectedCall;
use crate::OutgoingCall;

impl OutgoingCall {
    pub(crate) fn ocrq(&self, session_id: u16, serial: u32) -> Ocrq<'_> {
        Ocrq {
            assigned_session_id: session_id,
            call_serial_number: serial,
            minimum_bps: self.minimum_bps,
            maximum_bps: self.maximum_bps,
            bearer_type: self.bearer,
            framing_type: self.framing,
            called_number: &self.called_number,
            sub_address: self.sub_address.as_deref(),
        }
    }

    pub(crate) fn of_ocrq(ocrq: &Ocrq<'_>) -> Self {
        Self {
            serial: ocrq.call_serial_number,
            minimum_bps: ocrq.minimum_bps,
            maximum_bps: ocrq.maximum_bps,
            bearer: ocrq.bearer_type,
            framing: ocrq.framing_type,
            called_number: Bytes::copy_from_slice(ocrq.called_number),
            sub_address: ocrq.sub_address.map(Bytes::copy_from_slice),
        }
    }
}

impl ConnectedCall {
    pub(crate) const fn occn(&self) -> Occn {
        Occn {
            framing_type: self.framing,
            tx_connect_speed: self.tx_speed,
            rx_connect_speed: self.rx_speed,
            sequencing_required: self.sequencing_required,
        }
    }

    pub(crate) const fn of_occn(occn: &Occn) -> Self {
        Self {
            tx_speed: occn.tx_connect_speed,
            rx_speed: occn.rx_connect_speed,
            framing: occn.framing_type,
            sequencing_required: occn.sequencing_required,
            private_group: None,
            proxy_lcp: None,
            proxy_auth: None,
        }
    }
}
