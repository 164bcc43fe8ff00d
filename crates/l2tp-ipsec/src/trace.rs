use core::fmt;

use ppp_core::ControlCode;
use ppp_core::Phase;
use ppp_core::Protocol;
use vpn_core::Instant;

use crate::SessionId;

/// Something that happened inside; reported where the configuration's `trace` is on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// When.
    pub at: Instant,
    /// What.
    pub step: Step,
}

/// What happened.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// In the control connection or a call.
    L2tp(l2tp_control::Trace),
    /// An IKE message came or went.
    Ike(ipsec_ike::Trace),
    /// A PPP packet that is not data was sent.
    PppSent(PppStep),
    /// A PPP packet that is not data arrived.
    PppReceived(PppStep),
}

/// A PPP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PppStep {
    /// The session.
    pub session: SessionId,
    /// Its protocol.
    pub protocol: Protocol,
    /// The first octet of its content.
    pub code: Option<u8>,
    /// The phase that the link is in now.
    pub phase: Phase,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.step.fmt(f)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use l2tp_control::Trace as Control;
        match self {
            Self::Ike(trace) => fmt_ike(trace, f),
            Self::PppSent(step) => write!(f, "sent {step}"),
            Self::PppReceived(step) => write!(f, "received {step}"),
            Self::L2tp(Control::Sent { message, ns, nr, repeated, .. }) => {
                let again = if *repeated { " again" } else { "" };
                match message {
                    Some(message) => write!(f, "sent {message}{again} Ns={ns} Nr={nr}"),
                    None => write!(f, "sent ZLB Ns={ns} Nr={nr}"),
                }
            }
            Self::L2tp(Control::Received { message: Some(message), ns, nr, .. }) => {
                write!(f, "received {message} Ns={ns} Nr={nr}")
            }
            Self::L2tp(Control::Received { message: None, ns, nr, .. }) => {
                write!(f, "received ZLB Ns={ns} Nr={nr}")
            }
            Self::L2tp(Control::TunnelState { state, .. }) => write!(f, "tunnel is {state}"),
            Self::L2tp(Control::CallState { state, .. }) => write!(f, "call is {state}"),
            Self::L2tp(other) => write!(f, "{other:?}"),
        }
    }
}

fn fmt_ike(trace: &ipsec_ike::Trace, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let verb = if trace.sent { "sent" } else { "received" };
    let again = if trace.repeated { " again" } else { "" };
    if trace.payloads.is_empty() {
        return write!(f, "{verb} {}{again} (encrypted) {}", trace.exchange, trace.state);
    }
    write!(f, "{verb} {}{again} [", trace.exchange)?;
    for (place, payload) in trace.payloads.iter().enumerate() {
        let space = if place == 0 { "" } else { " " };
        write!(f, "{space}{payload}")?;
    }
    write!(f, "] {}", trace.state)
}

impl fmt::Display for PppStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} {}", self.protocol, packet_name(self.protocol, code)),
            None => write!(f, "{}", self.protocol),
        }
    }
}

/// What a packet of this protocol is called.
fn packet_name(protocol: Protocol, code: u8) -> impl fmt::Display {
    match (protocol, code) {
        (Protocol::PAP, 1) => "Authenticate-Request",
        (Protocol::PAP, 2) => "Authenticate-Ack",
        (Protocol::PAP, 3) => "Authenticate-Nak",
        (Protocol::CHAP, 1) => "Challenge",
        (Protocol::CHAP, 2) => "Response",
        (Protocol::CHAP, 3) => "Success",
        (Protocol::CHAP, 4) => "Failure",
        _ => ControlCode(code).name().unwrap_or("packet"),
    }
}
