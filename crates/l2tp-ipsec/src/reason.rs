use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use core::time::Duration;

use l2tp_control::SessionCloseReason;
use l2tp_control::TunnelCloseReason;
use l2tp_wire::StopCcnResult;

/// Why a session ended or never came up.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DisconnectReason {
    /// We ended it.
    Local(LocalReason),
    /// IKE did not agree, or the peer's security associations are gone.
    Ipsec(ipsec_ike::CloseReason),
    /// The peer made its security associations and then sent no L2TP over them.
    NoSccrq,
    /// IPsec is up, and nothing at all came back over it.
    NothingOverEsp {
        /// Whether ESP goes in UDP.
        encapsulated: bool,
    },
    /// The tunnel did not open, or closed.
    Tunnel(TunnelCloseReason),
    /// The call did not connect, or was closed.
    Call(SessionCloseReason),
    /// The call was closed while an end had to prove its identity.
    CallDuringLogin(SessionCloseReason),
    /// PPP did not come up, or ended.
    Ppp(ppp_core::CloseReason),
    /// PPP came up, but IPCP did not, and a session without IPv4 is of no use here.
    NoIpv4(ppp_core::NetworkFailure),
}

/// Why we ended a session ourselves.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LocalReason {
    /// The application asked for it.
    Requested,
    /// The server is being shut down.
    ShuttingDown,
    /// The peer did not log in, or did not bring IPv4 up, for so long.
    LoginTime(Duration),
    /// The session carried no packet for so long.
    Idle(Duration),
    /// The session was up for as long as it may be.
    TimeLimit(Duration),
}

impl LocalReason {
    /// What the peer is told.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Requested => "administrative disconnect",
            Self::ShuttingDown => "shutting down",
            Self::LoginTime(_) => "log-in took too long",
            Self::Idle(_) => "idle for too long",
            Self::TimeLimit(_) => "session time is over",
        }
    }
}

impl DisconnectReason {
    /// One sentence for people: which layer ended it, what the peer said, and what to look at.
    #[must_use]
    pub fn explain(&self) -> String {
        match self {
            Self::Local(LocalReason::Requested) => "closed on request".into(),
            Self::Local(LocalReason::ShuttingDown) => "closed because of a shutdown".into(),
            Self::Local(LocalReason::LoginTime(limit)) => {
                format!("closed: PPP was not up within {} s", limit.as_secs())
            }
            Self::Local(LocalReason::Idle(limit)) => {
                format!("closed: no packet for {} s", limit.as_secs())
            }
            Self::Local(LocalReason::TimeLimit(limit)) => {
                format!("closed: the session's {} s are over", limit.as_secs())
            }
            Self::Ipsec(reason) => format!("IPsec: {}", reason.explain()),
            Self::NoSccrq => "IPsec is up but no L2TP came over it: on the peer, check that UDP \
                              1701 is sent through the tunnel and not stopped by a firewall"
                .into(),
            Self::NothingOverEsp { encapsulated: false } => {
                "IPsec is up but nothing comes back over it: something on the way may stop ESP (IP \
                 protocol 50), so try again with UDP encapsulation forced; else check that the \
                 server runs L2TP"
                    .into()
            }
            Self::NothingOverEsp { encapsulated: true } => {
                "IPsec is up but nothing comes back over it: check that the server runs L2TP, and \
                 that no firewall stops what it sends from UDP 4500"
                    .into()
            }
            Self::Tunnel(reason) => match tunnel_advice(reason) {
                "" => format!("L2TP tunnel: {reason}"),
                advice => format!("L2TP tunnel: {reason}; {advice}"),
            },
            Self::Call(reason) => format!("L2TP call: {reason}"),
            Self::CallDuringLogin(reason) => format!(
                "L2TP call: {reason}; that was during authentication: check the user name and the \
                 password"
            ),
            Self::Ppp(reason) => match advice(reason) {
                "" => format!("PPP: {reason}"),
                advice => format!("PPP: {reason}; {advice}"),
            },
            Self::NoIpv4(failure) => format!("PPP: IPv4 {failure}; {CHECK_IPV4}"),
        }
    }

    /// What the peer is told.
    pub(crate) fn farewell(&self) -> String {
        match self {
            Self::Local(reason) => reason.message().into(),
            Self::Ppp(reason) => reason.to_string(),
            Self::NoIpv4(failure) => format!("IPv4 {failure}"),
            Self::Ipsec(_)
            | Self::NoSccrq
            | Self::NothingOverEsp { .. }
            | Self::Tunnel(_)
            | Self::Call(_)
            | Self::CallDuringLogin(_) => self.explain(),
        }
    }
}

impl core::fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.explain())
    }
}

const CHECK_IPV4: &str = "check the address pool and what both ends allow";

/// What to do about it, where that is not plain from the reason.
fn tunnel_advice(reason: &TunnelCloseReason) -> &'static str {
    match reason {
        TunnelCloseReason::Peer(result) if result.result == StopCcnResult::NOT_AUTHORIZED => {
            "check the tunnel secret on both ends"
        }
        _ => "",
    }
}

/// What to do about it, where that is not plain from the reason.
const fn advice(reason: &ppp_core::CloseReason) -> &'static str {
    use ppp_core::CloseReason as Ppp;
    match reason {
        Ppp::AuthFailed(_) => "check the user name and the password",
        Ppp::NoCommonAuth { .. } => "allow one method on both ends",
        Ppp::NotGenuine => "check the password, and whether this is the right server",
        Ppp::NoNetwork { .. } => CHECK_IPV4,
        _ => "",
    }
}
