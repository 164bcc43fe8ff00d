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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lac_tells_is_what_an_lns_hears() {
        let name: Box<[u8]> = (*b"alice").into();
        let password = SecretBytes::from("wonderland");
        let lcp = ProxyLcp {
            initial_received: [1, 4, 5, 220].into(),
            last_sent: [3, 4, 0xc0, 0x23].into(),
            last_received: Box::default(),
        };
        for auth in [
            ProxyAuth::Text { name: name.clone(), password: password.clone() },
            ProxyAuth::Chap {
                name: name.clone(),
                challenge: [7; 20].into(),
                identifier: 9,
                response: [8; 49].into(),
            },
            ProxyAuth::Pap { name, identifier: 3, password },
            ProxyAuth::None,
        ] {
            let (heard, proof) = from_call(into_call(lcp.clone(), auth.clone())).unwrap();
            assert_eq!(heard, lcp);
            let proof = proof.unwrap();
            let told = (auth.authen_type(), auth.name());
            assert_eq!((proof.authen_type(), proof.name()), told);
            let same = match (&auth, &proof) {
                (
                    ProxyAuth::Chap { challenge, identifier, response, .. },
                    ProxyAuth::Chap { challenge: c, identifier: i, response: r, .. },
                ) => (challenge, identifier, response) == (c, i, r),
                (
                    ProxyAuth::Pap { identifier, password, .. },
                    ProxyAuth::Pap { identifier: i, password: p, .. },
                ) => identifier == i && password.ct_eq(p.expose()),
                (ProxyAuth::Text { password, .. }, ProxyAuth::Text { password: p, .. }) => {
                    password.ct_eq(p.expose())
                }
                (ProxyAuth::None, ProxyAuth::None) => true,
                _ => false,
            };
            assert!(same, "{auth:?} became {proof:?}");
        }
    }

    #[test]
    fn a_method_that_is_not_spoken_here_is_no_proof() {
        let told = into_call(ProxyLcp::default(), ProxyAuth::None);
        let auth = told.proxy_auth.clone().unwrap();
        let eap = l2tp_control::ProxyAuth { kind: ProxyAuthenType(7), ..auth };
        let call = ConnectedCall { proxy_auth: Some(eap), ..told };
        assert!(from_call(call).unwrap().1.is_none());
        // Without LCP there is nothing to go on from.
        assert!(from_call(ConnectedCall::default()).is_none());
    }
}
