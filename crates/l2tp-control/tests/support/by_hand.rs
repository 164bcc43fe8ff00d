//! A peer made by hand: its messages, one by one.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of what is shared")]

use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::SocketAddr;

use l2tp_control::Endpoint;
use l2tp_control::Event;
use l2tp_control::LinkId;
use l2tp_control::TunnelState;
use l2tp_wire::Avp;
use l2tp_wire::BearerTypes;
use l2tp_wire::CdnResult;
use l2tp_wire::ErrorCode;
use l2tp_wire::FramingTypes;
use l2tp_wire::Message;
use l2tp_wire::MessageBuilder;
use l2tp_wire::ProtocolVersion;
use l2tp_wire::ResultCode;
use l2tp_wire::StopCcnResult;
use l2tp_wire::message::Cdn;
use l2tp_wire::message::Hello;
use l2tp_wire::message::Iccn;
use l2tp_wire::message::Icrp;
use l2tp_wire::message::Icrq;
use l2tp_wire::message::Occn;
use l2tp_wire::message::Ocrp;
use l2tp_wire::message::Ocrq;
use l2tp_wire::message::Scccn;
use l2tp_wire::message::Sccrp;
use l2tp_wire::message::Sccrq;
use l2tp_wire::message::StopCcn;
use l2tp_wire::set_ns_nr;
use vpn_core::Instant;
use vpn_core::Path;

use crate::support::ADDRESSES;
use crate::support::LNS;
use crate::support::find_avp;

/// A control message.
pub fn encode(ids: (u16, u16), numbers: (u16, u16), message: &Message<'_>) -> Vec<u8> {
    let mut out = [0; 1500];
    let mut builder = MessageBuilder::new(&mut out, ids.0, ids.1).unwrap();
    message.encode(&mut builder).unwrap();
    let len = builder.finish().unwrap();
    set_ns_nr(&mut out, numbers.0, numbers.1);
    out[..len].to_vec()
}

/// The shortest SCCRQ.
pub fn sccrq(assigned_tunnel_id: u16) -> Message<'static> {
    Message::Sccrq(Sccrq {
        protocol_version: ProtocolVersion::RFC_2661,
        framing_capabilities: FramingTypes::all(),
        bearer_capabilities: None,
        tie_breaker: None,
        firmware_revision: None,
        host_name: b"x",
        vendor_name: None,
        assigned_tunnel_id,
        receive_window_size: None,
        challenge: None,
    })
}

/// The SCCRP of a LAC that can place digital calls.
pub fn sccrp(assigned_tunnel_id: u16) -> Message<'static> {
    Message::Sccrp(Sccrp {
        protocol_version: ProtocolVersion::RFC_2661,
        framing_capabilities: FramingTypes::all(),
        bearer_capabilities: Some(BearerTypes::DIGITAL),
        firmware_revision: None,
        host_name: b"x",
        vendor_name: None,
        assigned_tunnel_id,
        receive_window_size: None,
        challenge: None,
        challenge_response: None,
    })
}

pub const fn scccn() -> Message<'static> {
    Message::Scccn(Scccn { challenge_response: None })
}

pub const fn hello() -> Message<'static> {
    Message::Hello(Hello {})
}

pub const fn stop_ccn(assigned_tunnel_id: u16) -> Message<'static> {
    let result_code = ResultCode::for_stop_ccn(StopCcnResult::GENERAL_CLEAR, ErrorCode::NONE, b"");
    Message::StopCcn(StopCcn { result_code, assigned_tunnel_id })
}

pub const fn icrq(assigned_session_id: u16) -> Message<'static> {
    Message::Icrq(Icrq {
        assigned_session_id,
        call_serial_number: 1,
        bearer_type: None,
        called_number: None,
        calling_number: None,
        sub_address: None,
        physical_channel_id: None,
    })
}

pub const fn icrp(assigned_session_id: u16) -> Message<'static> {
    Message::Icrp(Icrp { assigned_session_id })
}

pub const fn iccn() -> Message<'static> {
    Message::Iccn(Iccn {
        framing_type: FramingTypes::SYNC,
        tx_connect_speed: 64_000,
        initial_received_lcp_confreq: None,
        last_sent_lcp_confreq: None,
        last_received_lcp_confreq: None,
        proxy_authen_type: None,
        proxy_authen_name: None,
        proxy_authen_challenge: None,
        proxy_authen_id: None,
        proxy_authen_response: None,
        private_group_id: None,
        rx_connect_speed: None,
        sequencing_required: false,
    })
}

pub const fn ocrq(assigned_session_id: u16) -> Message<'static> {
    Message::Ocrq(Ocrq {
        assigned_session_id,
        call_serial_number: 1,
        minimum_bps: 0,
        maximum_bps: 64_000,
        bearer_type: BearerTypes::DIGITAL,
        framing_type: FramingTypes::SYNC,
        called_number: b"1",
        sub_address: None,
    })
}

pub const fn ocrp(assigned_session_id: u16) -> Message<'static> {
    Message::Ocrp(Ocrp { assigned_session_id, physical_channel_id: None })
}

pub const fn occn() -> Message<'static> {
    Message::Occn(Occn {
        framing_type: FramingTypes::SYNC,
        tx_connect_speed: 64_000,
        rx_connect_speed: None,
        sequencing_required: false,
    })
}

pub const fn cdn(assigned_session_id: u16) -> Message<'static> {
    Message::Cdn(Cdn {
        result_code: ResultCode::for_cdn(CdnResult::LOST_CARRIER, ErrorCode::NONE, b""),
        q931_cause: None,
        assigned_session_id,
        ppp_disconnect_cause: None,
    })
}

/// What an endpoint has to send.
pub fn drain(endpoint: &mut Endpoint, now: Instant) -> Vec<(Path, Vec<u8>)> {
    let mut out = Vec::new();
    let mut buf = Vec::new();
    while let Some((_, transmit)) = endpoint.poll_transmit(now, &mut buf) {
        out.push((transmit.path, core::mem::take(&mut buf)));
    }
    out
}

/// The Assigned Tunnel ID of a message.
pub fn assigned_tunnel_id(octets: &[u8]) -> u16 {
    find_avp(octets, |avp| match avp {
        Avp::AssignedTunnelId(id) => Some(id),
        _ => None,
    })
    .unwrap()
}

/// The Assigned Session ID of a message.
pub fn assigned_session_id(octets: &[u8]) -> u16 {
    find_avp(octets, |avp| match avp {
        Avp::AssignedSessionId(id) => Some(id),
        _ => None,
    })
    .unwrap()
}

/// Result, error and text of a StopCCN or CDN.
pub fn result_of(octets: &[u8]) -> (u16, ErrorCode, String) {
    find_avp(octets, |avp| match avp {
        Avp::ResultCode(code) => {
            let text = String::from_utf8_lossy(code.message).into_owned();
            Some((code.result, code.error, text))
        }
        _ => None,
    })
    .unwrap()
}

/// The first message of a made-up peer, and the third.
pub fn first(tunnel_id: u16) -> Vec<u8> {
    encode((0, 0), (0, 0), &sccrq(tunnel_id))
}

pub fn third(tunnel_id: u16) -> Vec<u8> {
    encode((tunnel_id, 0), (1, 1), &scccn())
}

pub fn from(address: SocketAddr) -> Path {
    Path::l2tp(ADDRESSES[LNS], address)
}

pub fn spoofed(n: u32) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n)), 1701)
}

/// Opens a tunnel by hand, from `address` through `link`; returns the endpoint's Tunnel ID.
pub fn establish(endpoint: &mut Endpoint, now: Instant, link: LinkId, address: SocketAddr) -> u16 {
    let _ = endpoint.handle_datagram(now, link, from(address), &first(9));
    let (_, sccrp) = drain(endpoint, now).pop().unwrap();
    let id = assigned_tunnel_id(&sccrp);
    let _ = endpoint.handle_datagram(now, link, from(address), &third(id));
    drain(endpoint, now);
    let established = |tunnel: &l2tp_control::TunnelInfo| {
        tunnel.local_tunnel_id == id && tunnel.state == TunnelState::Established
    };
    assert!(endpoint.tunnels().any(|tunnel| established(&tunnel)));
    id
}

/// The events so far, without those of tunnels that came up.
pub fn closed(endpoint: &mut Endpoint) -> usize {
    let events: Vec<Event> = core::iter::from_fn(|| endpoint.poll_event()).collect();
    events.iter().filter(|event| matches!(event, Event::TunnelClosed { .. })).count()
}
