//! What the messages that open a tunnel say (RFC 2661 §6.1–6.3), and whether they will do.

use alloc::boxed::Box;

use bytes::Bytes;
use l2tp_wire::BearerTypes;
use l2tp_wire::FramingTypes;
use l2tp_wire::MessageType;
use l2tp_wire::ProtocolVersion;
use l2tp_wire::message::Scccn;
use l2tp_wire::message::Sccrp;
use l2tp_wire::message::Sccrq;
use vpn_core::crypto::Hash;

use super::auth;
use super::auth::Challenge;
use crate::PeerInfo;
use crate::TunnelCloseReason;
use crate::TunnelConfig;
use crate::TunnelHandle;

/// What a tunnel needs only until it is open.
#[derive(Debug, Default)]
pub(crate) struct Handshake {
    /// The challenge that we sent.
    pub(crate) challenge: Option<Challenge>,
    /// The challenge that the peer sent.
    pub(crate) peer_challenge: Option<Box<[u8]>>,
    /// The Tie Breaker of our SCCRQ.
    pub(crate) tie_breaker: Option<u64>,
    /// The tunnel that the peer had under the same Tunnel ID.
    pub(crate) supersedes: Option<TunnelHandle>,
}

/// Our SCCRQ.
pub(crate) fn sccrq<'a>(
    config: &'a TunnelConfig,
    handshake: &'a Handshake,
    local_id: u16,
) -> Sccrq<'a> {
    Sccrq {
        protocol_version: ProtocolVersion::RFC_2661,
        framing_capabilities: config.framing,
        bearer_capabilities: config.bearer,
        tie_breaker: handshake.tie_breaker,
        firmware_revision: config.firmware_revision,
        host_name: &config.host_name,
        vendor_name: vendor_name(config),
        assigned_tunnel_id: local_id,
        receive_window_size: Some(config.channel.receive_window),
        challenge: handshake.challenge.as_ref().map(|challenge| &challenge[..]),
    }
}

/// Our SCCRP.
pub(crate) fn sccrp<'a>(
    config: &'a TunnelConfig,
    handshake: &'a Handshake,
    local_id: u16,
    md5: &dyn Hash<16>,
) -> Sccrp<'a> {
    Sccrp {
        protocol_version: ProtocolVersion::RFC_2661,
        framing_capabilities: config.framing,
        bearer_capabilities: config.bearer,
        firmware_revision: config.firmware_revision,
        host_name: &config.host_name,
        vendor_name: vendor_name(config),
        assigned_tunnel_id: local_id,
        receive_window_size: Some(config.channel.receive_window),
        challenge: handshake.challenge.as_ref().map(|challenge| &challenge[..]),
        challenge_response: respond(config, handshake, md5, MessageType::SCCRP),
    }
}

/// Our SCCCN.
pub(crate) fn scccn(config: &TunnelConfig, handshake: &Handshake, md5: &dyn Hash<16>) -> Scccn {
    Scccn { challenge_response: respond(config, handshake, md5, MessageType::SCCCN) }
}

/// Whether the peer's SCCRP will do.
pub(crate) fn check_sccrp(
    config: &TunnelConfig,
    handshake: &Handshake,
    md5: &dyn Hash<16>,
    sccrp: &Sccrp<'_>,
) -> Result<(), TunnelCloseReason> {
    check_version(sccrp.protocol_version)?;
    verify(config, handshake, md5, MessageType::SCCRP, sccrp.challenge_response)?;
    check_challenge(config, sccrp.challenge.is_some())
}

/// Whether the peer's SCCCN will do.
pub(crate) fn check_scccn(
    config: &TunnelConfig,
    handshake: &Handshake,
    md5: &dyn Hash<16>,
    scccn: &Scccn,
) -> Result<(), TunnelCloseReason> {
    verify(config, handshake, md5, MessageType::SCCCN, scccn.challenge_response)
}

/// Whether the peer speaks our version.
pub(crate) fn check_version(version: ProtocolVersion) -> Result<(), TunnelCloseReason> {
    if version == ProtocolVersion::RFC_2661 {
        Ok(())
    } else {
        Err(TunnelCloseReason::UnsupportedVersion(version))
    }
}

/// Whether we can answer a challenge, where there is one.
pub(crate) const fn check_challenge(
    config: &TunnelConfig,
    challenged: bool,
) -> Result<(), TunnelCloseReason> {
    if challenged && config.secret.is_none() {
        return Err(TunnelCloseReason::NotAuthorized(crate::AuthFailure::NoSecret));
    }
    Ok(())
}

fn verify(
    config: &TunnelConfig,
    handshake: &Handshake,
    md5: &dyn Hash<16>,
    message_type: MessageType,
    response: Option<[u8; 16]>,
) -> Result<(), TunnelCloseReason> {
    let challenge = handshake.challenge.as_ref();
    auth::verify(md5, config.secret.as_ref(), challenge, message_type, response)
        .map_err(TunnelCloseReason::NotAuthorized)
}

fn respond(
    config: &TunnelConfig,
    handshake: &Handshake,
    md5: &dyn Hash<16>,
    message_type: MessageType,
) -> Option<[u8; 16]> {
    let challenge = handshake.peer_challenge.as_deref();
    auth::respond(md5, config.secret.as_ref(), challenge, message_type)
}

fn vendor_name(config: &TunnelConfig) -> Option<&[u8]> {
    (!config.vendor_name.is_empty()).then_some(&config.vendor_name[..])
}

impl PeerInfo {
    pub(crate) fn of_sccrq(sccrq: &Sccrq<'_>) -> Self {
        Self::of(
            (sccrq.host_name, sccrq.vendor_name, sccrq.firmware_revision),
            (sccrq.framing_capabilities, sccrq.bearer_capabilities),
        )
    }

    pub(crate) fn of_sccrp(sccrp: &Sccrp<'_>) -> Self {
        Self::of(
            (sccrp.host_name, sccrp.vendor_name, sccrp.firmware_revision),
            (sccrp.framing_capabilities, sccrp.bearer_capabilities),
        )
    }

    fn of(
        (host_name, vendor_name, firmware_revision): (&[u8], Option<&[u8]>, Option<u16>),
        (framing, bearer): (FramingTypes, Option<BearerTypes>),
    ) -> Self {
        Self {
            host_name: Bytes::copy_from_slice(host_name),
            vendor_name: Bytes::copy_from_slice(vendor_name.unwrap_or_default()),
            firmware_revision,
            framing,
            bearer,
        }
    }
}
