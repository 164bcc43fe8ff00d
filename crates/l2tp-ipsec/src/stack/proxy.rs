//! What a LAC has negotiated with a subscriber, between its form in L2TP and its form in PPP
//! (RFC 2661 §4.4.5).

use alloc::boxed::Box;

use bytes::Bytes;
use l2tp_control::ConnectedCall;
use l2tp_wire::ProxyAuthenType;
use ppp_core::ProxyAuth;
use ppp_core::ProxyLcp;
use vpn_core::SecretBytes;

/// What a PPP link can go on from. A LAC that tells nothing of LCP leaves nothing to go on from.
pub(crate) fn from_call(call: ConnectedCall) -> Option<(ProxyLcp, Option<ProxyAuth>)> {
    let lcp = call.proxy_lcp?;
    let lcp = ProxyLcp {
        initial_received: boxed(lcp.initial_received),
        last_sent: boxed(lcp.last_sent),
        last_received: boxed(lcp.last_received),
    };
    Some((lcp, call.proxy_auth.and_then(auth_from_call)))
}

/// `None` for a method that is not spoken here: the link then authenticates by itself.
fn auth_from_call(auth: l2tp_control::ProxyAuth) -> Option<ProxyAuth> {
    let name = boxed(auth.name);
    let response = auth.response.unwrap_or_else(|| SecretBytes::new(&[]));
    let identifier = auth.id.unwrap_or(0);
    match auth.kind {
        ProxyAuthenType::TEXT => Some(ProxyAuth::Text { name, password: response }),
        ProxyAuthenType::CHAP => Some(ProxyAuth::Chap {
            name,
            challenge: boxed(auth.challenge),
            identifier,
            response: response.expose().into(),
        }),
        ProxyAuthenType::PAP => Some(ProxyAuth::Pap { name, identifier, password: response }),
        ProxyAuthenType::NONE => Some(ProxyAuth::None),
        _ => None,
    }
}

/// What the LNS is told of a subscriber: LCP as it was negotiated, and a proof that nobody has
/// judged.
pub(crate) fn into_call(lcp: ProxyLcp, auth: ProxyAuth) -> ConnectedCall {
    let proxy_lcp = l2tp_control::ProxyLcp {
        initial_received: Some(lcp.initial_received.into()),
        last_sent: Some(lcp.last_sent.into()),
        last_received: Some(lcp.last_received.into()),
    };
    let proxy_auth = Some(auth_into_call(auth));
    ConnectedCall { proxy_lcp: Some(proxy_lcp), proxy_auth, ..ConnectedCall::default() }
}

fn auth_into_call(auth: ProxyAuth) -> l2tp_control::ProxyAuth {
    let kind = ProxyAuthenType(auth.authen_type());
    let (name, challenge, id, response) = match auth {
        ProxyAuth::Text { name, password } => (Some(name), None, None, Some(password)),
        ProxyAuth::Chap { name, challenge, identifier, response } => {
            (Some(name), Some(challenge), Some(identifier), Some(SecretBytes::new(&response)))
        }
        ProxyAuth::Pap { name, identifier, password } => {
            (Some(name), None, Some(identifier), Some(password))
        }
        ProxyAuth::None => (None, None, None, None),
    };
    let [name, challenge] = [name, challenge].map(|octets| octets.map(Bytes::from));
    l2tp_control::ProxyAuth { kind, name, challenge, id, response }
}

fn boxed(bytes: Option<Bytes>) -> Box<[u8]> {
    bytes.as_deref().unwrap_or_default().into()
}
