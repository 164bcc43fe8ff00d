//! The messages of an incoming call (RFC 2661 §6.6, §6.8), from and to values.

use bytes::Bytes;
use l2tp_wire::ProxyAuthenId;
use l2tp_wire::ProxyAuthenResponse;
use l2tp_wire::message::Iccn;
use l2tp_wire::message::Icrq;
use vpn_core::SecretBytes;

use crate::ConnectedCall;
use crate::IncomingCall;
use crate::ProxyAuth;
use crate::ProxyLcp;

impl IncomingCall {
    pub(crate) fn icrq(&self, session_id: u16, serial: u32) -> Icrq<'_> {
        Icrq {
            assigned_session_id: session_id,
            call_serial_number: serial,
            bearer_type: self.bearer,
            called_number: self.called_number.as_deref(),
            calling_number: self.calling_number.as_deref(),
            sub_address: self.sub_address.as_deref(),
            physical_channel_id: self.physical_channel,
        }
    }

    pub(crate) fn of_icrq(icrq: &Icrq<'_>) -> Self {
        Self {
            serial: icrq.call_serial_number,
            bearer: icrq.bearer_type,
            physical_channel: icrq.physical_channel_id,
            calling_number: owned(icrq.calling_number),
            called_number: owned(icrq.called_number),
            sub_address: owned(icrq.sub_address),
        }
    }
}

impl ConnectedCall {
    pub(crate) fn iccn(&self) -> Iccn<'_> {
        let lcp = self.proxy_lcp.as_ref();
        let auth = self.proxy_auth.as_ref();
        Iccn {
            framing_type: self.framing,
            tx_connect_speed: self.tx_speed,
            initial_received_lcp_confreq: lcp.and_then(|lcp| lcp.initial_received.as_deref()),
            last_sent_lcp_confreq: lcp.and_then(|lcp| lcp.last_sent.as_deref()),
            last_received_lcp_confreq: lcp.and_then(|lcp| lcp.last_received.as_deref()),
            proxy_authen_type: auth.map(|auth| auth.kind),
            proxy_authen_name: auth.and_then(|auth| auth.name.as_deref()),
            proxy_authen_challenge: auth.and_then(|auth| auth.challenge.as_deref()),
            proxy_authen_id: auth.and_then(|auth| auth.id).map(ProxyAuthenId),
            proxy_authen_response: auth
                .and_then(|auth| auth.response.as_ref())
                .map(|response| ProxyAuthenResponse(response.expose())),
            private_group_id: self.private_group.as_deref(),
            rx_connect_speed: self.rx_speed,
            sequencing_required: self.sequencing_required,
        }
    }

    pub(crate) fn of_iccn(iccn: &Iccn<'_>) -> Self {
        let lcp = ProxyLcp {
            initial_received: owned(iccn.initial_received_lcp_confreq),
            last_sent: owned(iccn.last_sent_lcp_confreq),
            last_received: owned(iccn.last_received_lcp_confreq),
        };
        Self {
            tx_speed: iccn.tx_connect_speed,
            rx_speed: iccn.rx_connect_speed,
            framing: iccn.framing_type,
            sequencing_required: iccn.sequencing_required,
            private_group: owned(iccn.private_group_id),
            proxy_lcp: (lcp != ProxyLcp::default()).then_some(lcp),
            proxy_auth: iccn.proxy_authen_type.map(|kind| ProxyAuth {
                kind,
                name: owned(iccn.proxy_authen_name),
                challenge: owned(iccn.proxy_authen_challenge),
                id: iccn.proxy_authen_id.map(|id| id.0),
                response: iccn.proxy_authen_response.map(|response| SecretBytes::new(response.0)),
            }),
        }
    }
}

fn owned(value: Option<&[u8]>) -> Option<Bytes> {
    value.map(Bytes::copy_from_slice)
}
