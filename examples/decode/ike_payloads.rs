//! What the payloads of IKEv1 say (RFC 2408 §3, RFC 2407 §4.6).

use core::fmt;

use ipsec_ike::ExchangeType;
use ipsec_ike::Payload;
use ipsec_ike::PayloadType;
use ipsec_ike::ProtocolId;
use ipsec_ike::identity::Identity;
use ipsec_ike::payload::Certificate;
use ipsec_ike::payload::Delete;
use ipsec_ike::payload::Identification;
use ipsec_ike::payload::NatOriginalAddress;
use ipsec_ike::payload::Notification;
use ipsec_ike::payload::SecurityAssociation;
use ipsec_ike::proposal::OfferedEsp;
use ipsec_ike::proposal::OfferedIke;
use ipsec_ike::vendor::VendorId;
use serde::Serialize;

use super::shown::Shown;
use super::shown::hex;

/// One payload.
#[derive(Serialize)]
pub(crate) struct IkePayload {
    #[serde(rename = "type")]
    kind: String,
    /// What it says, or nothing where only the peers can make sense of it.
    value: Shown,
}

impl IkePayload {
    pub(crate) fn new(exchange: ExchangeType, payload: Payload<'_>) -> Self {
        let value = value(exchange, payload);
        let value = value.map_or_else(Shown::nothing, Shown::display);
        Self { kind: payload.kind.to_string(), value }
    }
}

/// The text of a payload whose kind has one; for a malformed one that is the reason.
fn value(exchange: ExchangeType, payload: Payload<'_>) -> Option<String> {
    let body = payload.body;
    let text = match payload.kind {
        PayloadType::SECURITY_ASSOCIATION => SecurityAssociation::decode(body).map(offers),
        PayloadType::IDENTIFICATION => Identification::decode(body).map(|id| {
            let identity = Identity::from_payload(&id);
            if exchange == ExchangeType::QUICK_MODE {
                format!("{identity} {}/{}", id.protocol, id.port)
            } else {
                identity.to_string()
            }
        }),
        PayloadType::NOTIFICATION => Notification::decode(body).map(|notification| {
            let spi = hex(notification.spi);
            format!("{} {} {spi}", notification.notify_type, notification.protocol)
        }),
        PayloadType::DELETE => Delete::decode(body).map(|delete| {
            let spis: Vec<String> = delete.spis().map(hex).collect();
            format!("{} {}", delete.protocol, spis.join(" "))
        }),
        PayloadType::CERTIFICATE => Certificate::decode(body)
            .map(|one| format!("{}, {} octets", one.encoding, one.data.len())),
        PayloadType::VENDOR_ID => return VendorId::recognise(body).map(|id| id.to_string()),
        kind if kind.is_nat_oa() => NatOriginalAddress::decode(body).map(|one| one.0.to_string()),
        _ => return None,
    };
    Some(text.unwrap_or_else(|error| error.to_string()))
}

fn offers(sa: SecurityAssociation<'_>) -> String {
    let proposals = sa.proposals().map(|proposal| {
        let transforms: Vec<String> = proposal
            .transforms()
            .map(|transform| {
                if proposal.protocol == ProtocolId::ISAKMP {
                    OfferedIke::read(&transform).to_string()
                } else {
                    OfferedEsp::read(&proposal, &transform).to_string()
                }
            })
            .collect();
        let spi = if proposal.spi.is_empty() { String::new() } else { hex(proposal.spi) + " " };
        format!("{} {spi}{}", proposal.protocol, transforms.join(" "))
    });
    proposals.collect::<Vec<_>>().join(" + ")
}

impl fmt::Display for IkePayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, self.value.behind(" "))
    }
}
