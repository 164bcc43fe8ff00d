use alloc::vec::Vec;
use core::net::IpAddr;

use crate::DecodeError;
use crate::PayloadType;
use crate::Selectors;
use crate::event::Role;
use crate::identity::Identity;
use crate::payload::Identification;
use crate::v1::fault::Fault;
use crate::v1::payloads::Payloads;

/// The bodies of IDci and IDcr for what we, the initiator, ask for (RFC 2407 §4.6.2, RFC 3193
/// §4.2): the address that each side has here, even if a NAT changes it on the way.
pub(super) fn identities(selectors: Selectors, local: IpAddr, remote: IpAddr) -> [Vec<u8>; 2] {
    let Selectors { protocol, local_port, remote_port } = selectors;
    [(local, local_port), (remote, remote_port)].map(|(address, port)| {
        let mut body = Vec::new();
        Identity::from_address(address).encode_with_port(protocol, port, &mut body);
        body
    })
}

/// The bodies of IDci and IDcr of a received message: both, or none (RFC 2409 §5.5).
pub(super) fn received(payloads: &Payloads<'_>) -> Result<Option<[Vec<u8>; 2]>, Fault> {
    let mut all = payloads.every(PayloadType::IDENTIFICATION);
    match (all.next(), all.next(), all.next()) {
        (None, _, _) => Ok(None),
        (Some(initiator), Some(responder), None) => {
            Ok(Some([initiator.to_vec(), responder.to_vec()]))
        }
        _ => Err(Fault::malformed("its identities are not two")),
    }
}

/// What IDci and IDcr ask for, seen from us. Without them it is everything between the two hosts.
///
/// Only protocol and ports count: the addresses of a side behind a NAT are its private ones, and
/// what is checked for ESP are the addresses of the path.
pub(super) fn selectors(
    identities: Option<&[Vec<u8>; 2]>,
    role: Role,
) -> Result<Selectors, DecodeError> {
    let Some([initiator, responder]) = identities else {
        return Ok(Selectors { protocol: 0, local_port: 0, remote_port: 0 });
    };
    let (initiator, responder) =
        (Identification::decode(initiator)?, Identification::decode(responder)?);
    let (local, remote) = match role {
        Role::Initiator => (initiator, responder),
        Role::Responder => (responder, initiator),
    };
    // Of a protocol that only one side names, the other one's 0 means the same.
    let protocol = local.protocol.max(remote.protocol);
    if local.protocol != remote.protocol && local.protocol != 0 && remote.protocol != 0 {
        let kind = PayloadType::IDENTIFICATION;
        return Err(DecodeError::Malformed {
            kind,
            what: "it has another protocol than the other",
        });
    }
    Ok(Selectors { protocol, local_port: local.port, remote_port: remote.port })
}
