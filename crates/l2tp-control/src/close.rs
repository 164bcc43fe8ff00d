use alloc::string::String;
use core::fmt;

use bytes::Bytes;
use l2tp_wire::ErrorCode;
use l2tp_wire::MessageType;
use l2tp_wire::ProtocolVersion;
use l2tp_wire::StopCcnResult;
use l2tp_wire::message::MessageError;

use crate::CallResult;
use crate::session::state::CallState;
use crate::tunnel::state::TunnelState;

/// Why a tunnel ends or is refused: the content of a StopCCN (RFC 2661 §6.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TunnelResult {
    /// Result Code.
    pub result: StopCcnResult,
    /// Error Code; it counts with [`StopCcnResult::GENERAL_ERROR`]. With
    /// [`StopCcnResult::VERSION_NOT_SUPPORTED`] it is the highest version supported.
    pub error: ErrorCode,
    /// A text for people.
    pub message: Bytes,
}

impl TunnelResult {
    /// A result that says all.
    #[must_use]
    pub const fn new(result: StopCcnResult) -> Self {
        Self { result, error: ErrorCode::NONE, message: Bytes::new() }
    }

    /// A general error.
    #[must_use]
    pub const fn error(error: ErrorCode) -> Self {
        Self { result: StopCcnResult::GENERAL_ERROR, error, message: Bytes::new() }
    }

    /// Adds a text for people; 255 octets of it go out.
    #[must_use]
    pub fn message(mut self, message: impl Into<Bytes>) -> Self {
        self.message = message.into();
        self
    }
}

/// How tunnel authentication failed (RFC 2661 §5.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuthFailure {
    /// We have a secret, and the peer did not answer our challenge.
    NoResponse,
    /// The peer's answer to our challenge is wrong: it has another secret.
    WrongResponse,
    /// The peer challenges us, and we have no secret.
    NoSecret,
    /// The peer's challenge is one of ours that waits for its answer: a reflection.
    Reflection,
}

/// Why a tunnel closed. `Display` says it in a sentence, with the likely cause.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TunnelCloseReason {
    /// The application closed or refused it.
    Local(TunnelResult),
    /// The peer closed or refused it.
    Peer(TunnelResult),
    /// The peer did not acknowledge a message for a full retransmission cycle.
    NoAnswer {
        /// State of the control connection.
        state: TunnelState,
        /// Whether anything ever came from the peer.
        heard: bool,
    },
    /// The tunnel did not open in time.
    TimedOut(TunnelState),
    /// Tunnel authentication failed.
    NotAuthorized(AuthFailure),
    /// The peer speaks another version of L2TP.
    UnsupportedVersion(ProtocolVersion),
    /// The peer sent a message that must not be ignored and can't be taken.
    InvalidMessage(MessageError),
    /// The peer sent a message that has no place in this state.
    UnexpectedMessage {
        /// The message.
        message: MessageType,
        /// State of the control connection.
        state: TunnelState,
    },
    /// Both peers opened a tunnel with the same Tie Breaker, so both are given up.
    TieBreaker,
    /// The peer opened another tunnel under the same Tunnel ID: it has started anew.
    Superseded,
    /// It made room for a newer one before the peer had answered.
    Evicted,
    /// The link that carried it has closed ([`Endpoint::close_link`](crate::Endpoint::close_link)).
    LinkClosed,
    /// The random generator failed.
    NoRandomness,
}

impl TunnelCloseReason {
    /// What a StopCCN says about it. `None` where none is sent: the peer closed it or has no such
    /// tunnel any more, or must be told nothing.
    pub(crate) fn result(&self) -> Option<TunnelResult> {
        Some(match self {
            Self::Local(result) => result.clone(),
            Self::Peer(_)
            | Self::TieBreaker
            | Self::Superseded
            | Self::Evicted
            | Self::LinkClosed => return None,
            Self::UnexpectedMessage { message, .. } if message.is_of_session() => {
                TunnelResult::error(ErrorCode::NO_CONTROL_CONNECTION)
            }
            Self::NoAnswer { .. } | Self::TimedOut(_) | Self::UnexpectedMessage { .. } => {
                TunnelResult::new(StopCcnResult::FSM_ERROR)
            }
            // Which it was is nobody's business: an attacker could learn from it.
            Self::NotAuthorized(_) => TunnelResult::new(StopCcnResult::NOT_AUTHORIZED),
            Self::UnsupportedVersion(_) => {
                let ProtocolVersion { version, revision } = ProtocolVersion::RFC_2661;
                TunnelResult {
                    error: ErrorCode(u16::from_be_bytes([version, revision])),
                    ..TunnelResult::new(StopCcnResult::VERSION_NOT_SUPPORTED)
                }
            }
            Self::InvalidMessage(error) => {
                return Some(TunnelResult::error(error.error_code()).message(text(error)));
            }
            Self::NoRandomness => TunnelResult::error(ErrorCode::INSUFFICIENT_RESOURCES),
        })
        .map(|result| match self {
            Self::Local(_) | Self::NotAuthorized(_) => result,
            _ => result.message(text(self)),
        })
    }
}

impl fmt::Display for TunnelCloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(result) => write!(f, "closed by us: {result}"),
            Self::Peer(result) => write!(f, "closed by the peer: {result}"),
            Self::NoAnswer { state: TunnelState::WaitCtlReply, heard: false } => f.write_str(
                "the peer never answered: check its address, that it serves L2TP, and that \
                 nothing on the way drops UDP port 1701",
            ),
            Self::NoAnswer { heard: false, .. } => {
                f.write_str("the peer never acknowledged our answer: our datagrams don't reach it")
            }
            Self::NoAnswer { heard: true, .. } => f.write_str("the peer does not answer any more"),
            Self::TimedOut(state) => write!(f, "the tunnel did not open in time (state {state})"),
            Self::NotAuthorized(AuthFailure::NoResponse) => f.write_str(
                "tunnel authentication: the peer did not answer our challenge; it has no tunnel \
                 secret, or does not support them",
            ),
            Self::NotAuthorized(AuthFailure::WrongResponse) => {
                f.write_str("tunnel authentication: the tunnel secrets differ")
            }
            Self::NotAuthorized(AuthFailure::NoSecret) => f.write_str(
                "tunnel authentication: the peer challenges us and no tunnel secret is configured",
            ),
            Self::NotAuthorized(AuthFailure::Reflection) => {
                f.write_str("tunnel authentication: the peer sent our own challenge back")
            }
            Self::UnsupportedVersion(version) => {
                write!(f, "the peer speaks L2TP protocol version {version}, and we speak 1.0")
            }
            Self::InvalidMessage(error) => write!(f, "the peer sent an invalid message: {error}"),
            Self::UnexpectedMessage { message, state } => {
                write!(f, "{message} came in state {state}, where it has no place")
            }
            Self::TieBreaker => f.write_str("both peers opened a tunnel with equal tie breakers"),
            Self::Superseded => f.write_str("the peer started anew and opened another tunnel"),
            Self::Evicted => {
                f.write_str("too many tunnels were half open, and this was the oldest")
            }
            Self::LinkClosed => f.write_str("what carried it has closed"),
            Self::NoRandomness => f.write_str("the random generator failed"),
        }
    }
}

impl fmt::Display for TunnelResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.result == StopCcnResult::VERSION_NOT_SUPPORTED {
            let [version, revision] = self.error.0.to_be_bytes();
            let highest = ProtocolVersion { version, revision };
            write!(f, "{} (highest supported: {highest})", self.result)?;
            return remark(f, &self.message);
        }
        write!(f, "{}", self.result)?;
        error_and_remark(f, self.error, &self.message)
    }
}

/// Why a session closed. `Display` says it in a sentence.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionCloseReason {
    /// The application closed or refused it, or the LAC's line failed.
    Local(CallResult),
    /// The peer closed or refused it.
    Peer {
        /// What its CDN says.
        result: CallResult,
    },
    /// Its tunnel closed.
    TunnelClosed,
    /// The call did not connect in time.
    TimedOut(CallState),
    /// The peer sent a message that must not be ignored and can't be taken.
    InvalidMessage(MessageError),
    /// The peer sent a message that has no place in this state.
    UnexpectedMessage {
        /// The message.
        message: MessageType,
        /// State of the call.
        state: CallState,
    },
    /// The peer asks for a framing or bearer type that was not among the capabilities told to it.
    Incapable,
    /// There are as many sessions as there may be.
    LimitReached,
    /// The random generator failed.
    NoRandomness,
}

impl SessionCloseReason {
    /// What a CDN says about it. `None` where none is sent.
    pub(crate) fn result(&self) -> Option<CallResult> {
        use l2tp_wire::CdnResult;
        let result = match self {
            Self::Local(result) => return Some(result.clone()),
            Self::Peer { .. } | Self::TunnelClosed => return None,
            Self::TimedOut(_) => CallResult::new(CdnResult::TIMED_OUT),
            Self::InvalidMessage(error) => CallResult::error(error.error_code()),
            Self::UnexpectedMessage { message: MessageType::ICRQ | MessageType::OCRQ, .. } => {
                CallResult::error(ErrorCode::OUT_OF_RANGE)
            }
            Self::UnexpectedMessage { .. } => CallResult::error(ErrorCode::INVALID_SESSION_ID),
            Self::Incapable => CallResult::new(CdnResult::NO_FACILITIES_PERMANENT),
            Self::LimitReached | Self::NoRandomness => {
                CallResult::new(CdnResult::NO_FACILITIES_TEMPORARY)
            }
        };
        let text = match self {
            Self::InvalidMessage(error) => text(error),
            _ => text(self),
        };
        Some(result.message(text))
    }
}

impl fmt::Display for SessionCloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(result) => write!(f, "closed by us: {result}"),
            Self::Peer { result } => write!(f, "closed by the peer: {result}"),
            Self::TunnelClosed => f.write_str("its tunnel closed"),
            Self::TimedOut(state) => write!(f, "the call did not connect in time (state {state})"),
            Self::InvalidMessage(error) => write!(f, "the peer sent an invalid message: {error}"),
            Self::UnexpectedMessage { message, state } => {
                write!(f, "{message} came in state {state}, where it has no place")
            }
            Self::Incapable => f.write_str("a framing or bearer type that is not supported"),
            Self::LimitReached => f.write_str("as many sessions as there may be"),
            Self::NoRandomness => f.write_str("the random generator failed"),
        }
    }
}

impl fmt::Display for CallResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.result)?;
        error_and_remark(f, self.error, &self.message)?;
        if let Some(q931) = &self.q931 {
            write!(f, ", Q.931 cause {}", q931.cause)?;
            remark(f, &q931.advisory)?;
        }
        if let Some(ppp) = &self.ppp {
            write!(f, ", PPP: {}", ppp.code)?;
            remark(f, &ppp.message)?;
        }
        Ok(())
    }
}

fn error_and_remark(f: &mut fmt::Formatter<'_>, error: ErrorCode, message: &[u8]) -> fmt::Result {
    if error != ErrorCode::NONE {
        write!(f, ": {error}")?;
    }
    remark(f, message)
}

fn remark(f: &mut fmt::Formatter<'_>, message: &[u8]) -> fmt::Result {
    if message.is_empty() {
        return Ok(());
    }
    write!(f, " (\"{}\")", String::from_utf8_lossy(message).escape_debug())
}

/// A text for people, as much of it as goes out.
pub(crate) fn cut(text: &[u8]) -> &[u8] {
    const LONGEST: usize = 255;
    text.get(..LONGEST).unwrap_or(text)
}

fn text(what: &dyn fmt::Display) -> String {
    alloc::format!("{what}")
}

impl fmt::Display for TunnelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Idle => "idle",
            Self::WaitCtlReply => "wait-ctl-reply",
            Self::WaitCtlConn => "wait-ctl-conn",
            Self::Established => "established",
        })
    }
}

impl fmt::Display for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Idle => "idle",
            Self::WaitTunnel => "wait-tunnel",
            Self::WaitReply => "wait-reply",
            Self::WaitConnect => "wait-connect",
            Self::WaitCsAnswer => "wait-cs-answer",
            Self::Established => "established",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PppCause;
    use crate::Q931;
    use alloc::format;
    use l2tp_wire::CdnResult;
    use l2tp_wire::DisconnectCode;
    use l2tp_wire::DisconnectDirection;

    #[test]
    fn what_the_peer_is_told_of_a_tunnel() {
        let failures = [
            AuthFailure::NoResponse,
            AuthFailure::WrongResponse,
            AuthFailure::NoSecret,
            AuthFailure::Reflection,
        ];
        for failure in failures {
            let result = TunnelCloseReason::NotAuthorized(failure).result().unwrap();
            assert_eq!(result, TunnelResult::new(StopCcnResult::NOT_AUTHORIZED));
        }
        let version = ProtocolVersion { version: 2, revision: 0 };
        let result = TunnelCloseReason::UnsupportedVersion(version).result().unwrap();
        assert_eq!(
            (result.result, result.error),
            (StopCcnResult::VERSION_NOT_SUPPORTED, ErrorCode(0x0100))
        );
        assert_eq!(
            format!("{}", TunnelCloseReason::Peer(result)),
            "closed by the peer: protocol version of the requester is not supported (highest \
             supported: 1.0) (\"the peer speaks L2TP protocol version 2.0, and we speak 1.0\")"
        );
        let unexpected = TunnelCloseReason::UnexpectedMessage {
            message: MessageType::SCCRP,
            state: TunnelState::Established,
        };
        let result = unexpected.result().unwrap();
        assert_eq!((result.result.0, result.error), (7, ErrorCode::NONE));
        assert_eq!(&result.message[..], b"SCCRP came in state established, where it has no place");
    }

    #[test]
    fn what_the_peer_is_told_of_a_session() {
        let told = |reason: SessionCloseReason| {
            let result = reason.result().unwrap();
            (result.result, result.error)
        };
        let unexpected = |message| SessionCloseReason::UnexpectedMessage {
            message,
            state: CallState::Established,
        };
        let general = CdnResult::GENERAL_ERROR;
        assert_eq!(told(unexpected(MessageType::ICRQ)), (general, ErrorCode::OUT_OF_RANGE));
        assert_eq!(told(unexpected(MessageType::ICCN)), (general, ErrorCode::INVALID_SESSION_ID));
        assert_eq!(
            told(SessionCloseReason::TimedOut(CallState::WaitReply)),
            (CdnResult::TIMED_OUT, ErrorCode::NONE)
        );
        assert_eq!(
            told(SessionCloseReason::LimitReached),
            (CdnResult::NO_FACILITIES_TEMPORARY, ErrorCode::NONE)
        );
        assert_eq!(SessionCloseReason::TunnelClosed.result(), None);
    }

    #[test]
    fn a_text_of_the_peer_is_quoted_and_escaped() {
        let result = CallResult::error(ErrorCode::TRY_ANOTHER)
            .message(&b"a\nb\xff"[..])
            .q931(Q931 { cause: 16, message: 0x45, advisory: Bytes::from_static(b"hung up") })
            .ppp(PppCause {
                code: DisconnectCode::AUTH_FAILED,
                protocol: 0xc223,
                direction: DisconnectDirection::PEER,
                message: Bytes::new(),
            });
        let reason = SessionCloseReason::Peer { result };
        assert_eq!(
            format!("{reason}"),
            "closed by the peer: general error: try another (\"a\\nb\u{fffd}\"), Q.931 cause 16 \
             (\"hung up\"), PPP: authentication failed"
        );
    }
}
