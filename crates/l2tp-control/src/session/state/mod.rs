//! The four call state machines (RFC 2661 §7.4, §7.5), as pure functions.

mod lac_incoming;
mod lac_outgoing;
mod lns_incoming;
mod lns_outgoing;

/// Which call state machine a session runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CallKind {
    /// A LAC's end of a call that came in at the LAC: ICRQ sent (RFC 2661 §7.4.1).
    LacIncoming,
    /// An LNS's end of a call that came in at the LAC: ICRQ received (RFC 2661 §7.4.2).
    LnsIncoming,
    /// A LAC's end of a call that the LAC is to place: OCRQ received (RFC 2661 §7.5.1).
    LacOutgoing,
    /// An LNS's end of a call that the LAC is to place: OCRQ sent (RFC 2661 §7.5.2).
    LnsOutgoing,
}

impl CallKind {
    /// Whether we are the LAC of the call.
    #[must_use]
    pub const fn is_lac(self) -> bool {
        matches!(self, Self::LacIncoming | Self::LacOutgoing)
    }
}

/// State of a call. Each machine has some of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CallState {
    /// Nothing sent yet, or all over.
    Idle,
    /// Waits until the tunnel is open.
    WaitTunnel,
    /// ICRQ or OCRQ sent.
    WaitReply,
    /// ICRP sent, or OCRP received.
    WaitConnect,
    /// OCRP sent; the LAC is placing the call.
    WaitCsAnswer,
    /// Open for PPP frames.
    Established,
}

/// What happens to a call. A message is acceptable when it decodes and agrees with the
/// configuration and the other party's wishes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CallEvent {
    LocalOpen,
    TunnelOpen,
    Icrq {
        acceptable: bool,
    },
    Icrp {
        acceptable: bool,
    },
    Iccn {
        acceptable: bool,
    },
    Ocrq {
        acceptable: bool,
    },
    Ocrp {
        acceptable: bool,
    },
    Occn {
        acceptable: bool,
    },
    Cdn,
    /// A local request to close, a message that must not be ignored, or a deadline that passed.
    LocalClose,
    /// The call that the LAC placed was answered, and framing detected.
    BearerAnswer,
    /// The LAC's line failed or dropped.
    BearerFailure,
    /// The tunnel has gone: StopCCN in either direction, or no answer any more.
    TunnelClosed,
}

/// What a call does in answer to an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CallAction {
    /// Asks for the tunnel, which may be open already.
    OpenTunnel,
    SendIcrq,
    SendIcrp,
    SendIccn,
    SendOcrq,
    SendOcrp,
    SendOccn,
    SendCdn,
    /// Asks the application to place the call.
    OpenBearer,
    /// Frames may flow.
    PrepareForData,
    /// Forgets the call.
    CleanUp,
}

/// The actions of an event, in order, and the state after them.
pub(crate) type CallStep = (&'static [CallAction], CallState);

/// A cell of one of the tables in RFC 2661 §7.4 and §7.5.
///
/// The RFC leaves some cells open. Here, a message that has no place in a state clears the call,
/// as does the end of its tunnel, without a CDN. An event that can't occur does nothing.
pub(crate) const fn step(kind: CallKind, state: CallState, event: CallEvent) -> CallStep {
    match kind {
        CallKind::LacIncoming => lac_incoming::step(state, event),
        CallKind::LnsIncoming => lns_incoming::step(state, event),
        CallKind::LacOutgoing => lac_outgoing::step(state, event),
        CallKind::LnsOutgoing => lns_outgoing::step(state, event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    pub(super) const EVENTS: [(&str, CallEvent); 19] = [
        ("local-open", CallEvent::LocalOpen),
        ("tunnel-open", CallEvent::TunnelOpen),
        ("icrq+", CallEvent::Icrq { acceptable: true }),
        ("icrq-", CallEvent::Icrq { acceptable: false }),
        ("icrp+", CallEvent::Icrp { acceptable: true }),
        ("icrp-", CallEvent::Icrp { acceptable: false }),
        ("iccn+", CallEvent::Iccn { acceptable: true }),
        ("iccn-", CallEvent::Iccn { acceptable: false }),
        ("ocrq+", CallEvent::Ocrq { acceptable: true }),
        ("ocrq-", CallEvent::Ocrq { acceptable: false }),
        ("ocrp+", CallEvent::Ocrp { acceptable: true }),
        ("ocrp-", CallEvent::Ocrp { acceptable: false }),
        ("occn+", CallEvent::Occn { acceptable: true }),
        ("occn-", CallEvent::Occn { acceptable: false }),
        ("cdn", CallEvent::Cdn),
        ("local-close", CallEvent::LocalClose),
        ("answer", CallEvent::BearerAnswer),
        ("failure", CallEvent::BearerFailure),
        ("tunnel-closed", CallEvent::TunnelClosed),
    ];

    const fn name(action: &CallAction) -> &'static str {
        match action {
            CallAction::OpenTunnel => "tunnel",
            CallAction::SendIcrq => "icrq",
            CallAction::SendIcrp => "icrp",
            CallAction::SendIccn => "iccn",
            CallAction::SendOcrq => "ocrq",
            CallAction::SendOcrp => "ocrp",
            CallAction::SendOccn => "occn",
            CallAction::SendCdn => "cdn",
            CallAction::OpenBearer => "bearer",
            CallAction::PrepareForData => "data",
            CallAction::CleanUp => "clean",
        }
    }

    pub(super) fn every_cell(kind: CallKind, states: &[(&str, CallState)], text: &str) {
        table::check(text, states, &EVENTS, name, |state, event| step(kind, state, event));
    }
}
