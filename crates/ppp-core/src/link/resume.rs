use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use vpn_core::Instant;
use vpn_core::SecureRandom;
use vpn_core::crypto::CryptoProvider;

use super::Link;
use super::Stage;
use crate::AuthMethod;
use crate::AuthProtocol;
use crate::LcpOption;
use crate::LinkConfig;
use crate::Options;
use crate::ProxyAuth;
use crate::ProxyLcp;
use crate::auth::Authentication;
use crate::auth::Authenticator;
use crate::control::Negotiation;
use crate::control::Verdict;
use crate::lcp::LcpPeer;
use crate::option::SeenTypes;

/// Handing a link over from a LAC to an LNS (RFC 2661 §4.4.5).
impl Link {
    /// Takes a link over from a LAC that has negotiated LCP with the peer, and maybe has its proof
    /// of identity.
    ///
    /// Where both sides of that negotiation would have been agreed to here, LCP is open at once,
    /// and the proof is passed on as an [`AuthRequest`](crate::Event::AuthRequest) without a new
    /// challenge. Where not, the link starts as [`Link::open`] would, and the peer negotiates LCP
    /// anew. A proof that is missing, of another method, or not trusted
    /// ([`LinkConfig::trust_proxy_auth`]) is asked for again.
    #[must_use]
    pub fn resume(
        config: Arc<LinkConfig>,
        provider: &'static CryptoProvider,
        random: Box<dyn SecureRandom + Send>,
        now: Instant,
        lcp: &ProxyLcp,
        auth: Option<ProxyAuth>,
    ) -> Self {
        let mut link = Self::new(config, provider, random);
        link.context.advance(now);
        let Some((peer, demanded)) = link.accept_proxy(lcp, auth.as_ref()) else {
            link.open(now);
            return link;
        };
        link.stage = Stage::Establish;
        link.lcp.negotiation.adopt(&lcp.last_sent);
        link.lcp.assume_open(&link.context, peer, &lcp.last_received);
        link.lcp_resumed(demanded, auth);
        link.settle();
        link
    }

    /// What a LAC passes on to an LNS of a link whose peer has sent its proof of identity: the
    /// requests of LCP, and the proof, unjudged. `None` while there is none.
    ///
    /// The LAC drops the link then, and passes frames through untouched.
    #[must_use]
    pub fn proxy_state(&self) -> Option<(ProxyLcp, ProxyAuth)> {
        let Stage::Authenticate(authentication) = &self.stage else { return None };
        let auth = authentication.authenticator.as_ref()?.proxy_auth()?;
        let lcp = ProxyLcp {
            initial_received: self.initial_received.clone().unwrap_or_default(),
            last_sent: self.lcp.requested(),
            last_received: self.lcp.acknowledged().into(),
        };
        Some((lcp, auth))
    }

    /// Whether we would have agreed to what the LAC has: then what the peer asked for, and what it
    /// must prove itself with.
    fn accept_proxy(
        &mut self,
        lcp: &ProxyLcp,
        auth: Option<&ProxyAuth>,
    ) -> Option<(LcpPeer, Option<AuthMethod>)> {
        if lcp.last_sent.is_empty() && lcp.last_received.is_empty() {
            return None;
        }
        let demanded = demanded_method(&lcp.last_sent)?;
        let allowed = &self.context.config.authenticate_with;
        let text_login = matches!(auth, Some(ProxyAuth::Text { .. }));
        let enough = match demanded {
            Some(method) => allowed.contains(&method),
            None => allowed.is_empty() || (text_login && self.context.config.trust_proxy_auth),
        };
        if !enough {
            return None;
        }
        let mut peer = LcpPeer::default();
        let mut seen = SeenTypes::default();
        for option in Options::new(&lcp.last_received) {
            let option = option.ok()?;
            let context = &mut self.context;
            let verdict = self.lcp.negotiation.judge(&option, &mut peer, &mut Vec::new(), context);
            if verdict != Verdict::Ack || !seen.insert(option.kind) {
                return None;
            }
        }
        // A peer that wants us to prove ourselves has asked the LAC, not us.
        peer.auth.is_none().then_some((peer, demanded))
    }

    fn lcp_resumed(&mut self, demanded: Option<AuthMethod>, auth: Option<ProxyAuth>) {
        let auth = auth.filter(|_| self.context.config.trust_proxy_auth);
        let method = match (&auth, demanded) {
            (Some(ProxyAuth::Text { .. }), None) => Some(AuthMethod::Pap),
            (_, demanded) => demanded,
        };
        self.announce_lcp(demanded, None);
        let Some(method) = method else { return self.authenticate(None, None) };
        let context = &mut self.context;
        let resumed = auth.and_then(|proof| Authenticator::resume(method, proof, context));
        let authenticator = match resumed {
            Some(authenticator) => authenticator,
            None => Authenticator::start(method, self.spent, context),
        };
        let authentication =
            Authentication { authenticator: Some(Box::new(authenticator)), prover: None };
        self.stage = Stage::Authenticate(Box::new(authentication));
    }
}

/// The method that a Configure-Request demands of the peer: `None` when it is one that is not
/// spoken here, or the request is malformed.
fn demanded_method(last_sent: &[u8]) -> Option<Option<AuthMethod>> {
    let mut demanded = None;
    for option in Options::new(last_sent) {
        match LcpOption::decode(&option.ok()?) {
            Ok(LcpOption::Auth(auth)) => demanded = Some(AuthProtocol::method(auth)?),
            Ok(LcpOption::UnknownAuth { .. }) | Err(_) => return None,
            Ok(_) => {}
        }
    }
    Some(demanded)
}
