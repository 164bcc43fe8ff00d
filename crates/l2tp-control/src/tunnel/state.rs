//! The control connection state machine (RFC 2661 §7.2.1), as a pure function.

/// State of a control connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TunnelState {
    /// Nothing sent yet, or all over.
    Idle,
    /// SCCRQ sent.
    WaitCtlReply,
    /// SCCRP sent.
    WaitCtlConn,
    /// Open for calls.
    Established,
}

/// What happens to a control connection. A message is acceptable when it decodes, authenticates
/// and agrees with the configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TunnelEvent {
    /// A local request to open, or a new call for a tunnel that is there.
    LocalOpen,
    Sccrq {
        acceptable: bool,
    },
    /// An SCCRQ crossed ours, and its Tie Breaker wins.
    TieLost,
    /// An SCCRQ crossed ours with the same Tie Breaker.
    TieEqual,
    Sccrp {
        acceptable: bool,
    },
    Scccn {
        acceptable: bool,
    },
    StopCcn,
    /// A local request to close, a message that must not be ignored, or a deadline that passed.
    LocalClose,
}

/// What a control connection does in answer to an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TunnelAction {
    SendSccrq,
    SendSccrp,
    SendScccn,
    SendStopCcn,
    /// Tells the waiting calls that the tunnel is open.
    TunnelOpen,
    /// Ends the calls and forgets all but what re-acknowledges the last messages.
    CleanUp,
    /// Handles the peer's SCCRQ as if it came in [`TunnelState::Idle`].
    RequeueSccrq,
}

/// The actions of an event, in order, and the state after them.
pub(crate) type TunnelStep = (&'static [TunnelAction], TunnelState);

/// A cell of the table in RFC 2661 §7.2.1.
///
/// The RFC leaves some cells open. Here, a message that has no place in a state clears the
/// control connection (§7.1), and an event that can't occur does nothing. A message for a tunnel
/// that does not exist never comes here: it is dropped without an answer.
pub(crate) const fn step(state: TunnelState, event: TunnelEvent) -> TunnelStep {
    use TunnelAction::*;
    use TunnelEvent::*;
    use TunnelState::*;
    match (state, event) {
        (Idle, LocalOpen) => (&[SendSccrq], WaitCtlReply),
        (Idle, Sccrq { acceptable: true }) => (&[SendSccrp], WaitCtlConn),
        (Idle, Sccrq { acceptable: false }) => (&[SendStopCcn, CleanUp], Idle),
        (Idle, Sccrp { .. }) => (&[SendStopCcn, CleanUp], Idle),
        (Idle, Scccn { .. }) => (&[CleanUp], Idle),
        (Idle, LocalClose) => (&[SendStopCcn, CleanUp], Idle),

        (WaitCtlReply, LocalOpen) => (&[], WaitCtlReply),
        (WaitCtlReply, Sccrp { acceptable: true }) => (&[SendScccn, TunnelOpen], Established),
        (WaitCtlReply, Sccrp { acceptable: false }) => (&[SendStopCcn, CleanUp], Idle),
        (WaitCtlReply, TieLost) => (&[CleanUp, RequeueSccrq], Idle),
        (WaitCtlReply, TieEqual) => (&[CleanUp], Idle),
        (WaitCtlReply, Sccrq { .. }) => (&[SendStopCcn, CleanUp], Idle),
        (WaitCtlReply, Scccn { .. }) => (&[SendStopCcn, CleanUp], Idle),
        (WaitCtlReply, LocalClose) => (&[SendStopCcn, CleanUp], Idle),

        (WaitCtlConn, LocalOpen) => (&[], WaitCtlConn),
        (WaitCtlConn, Scccn { acceptable: true }) => (&[TunnelOpen], Established),
        (WaitCtlConn, Scccn { acceptable: false }) => (&[SendStopCcn, CleanUp], Idle),
        (WaitCtlConn, Sccrp { .. } | Sccrq { .. }) => (&[SendStopCcn, CleanUp], Idle),
        (WaitCtlConn, LocalClose) => (&[SendStopCcn, CleanUp], Idle),

        (Established, LocalOpen) => (&[TunnelOpen], Established),
        (Established, LocalClose) => (&[SendStopCcn, CleanUp], Idle),
        (Established, Sccrq { .. } | Sccrp { .. } | Scccn { .. }) => {
            (&[SendStopCcn, CleanUp], Idle)
        }

        (_, StopCcn) => (&[CleanUp], Idle),
        // A tie is settled only while our own SCCRQ is unanswered.
        (Idle | WaitCtlConn | Established, TieLost | TieEqual) => (&[], state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    const STATES: [(&str, TunnelState); 4] = [
        ("idle", TunnelState::Idle),
        ("wait-ctl-reply", TunnelState::WaitCtlReply),
        ("wait-ctl-conn", TunnelState::WaitCtlConn),
        ("established", TunnelState::Established),
    ];

    const EVENTS: [(&str, TunnelEvent); 11] = [
        ("local-open", TunnelEvent::LocalOpen),
        ("sccrq+", TunnelEvent::Sccrq { acceptable: true }),
        ("sccrq-", TunnelEvent::Sccrq { acceptable: false }),
        ("tie-lost", TunnelEvent::TieLost),
        ("tie-equal", TunnelEvent::TieEqual),
        ("sccrp+", TunnelEvent::Sccrp { acceptable: true }),
        ("sccrp-", TunnelEvent::Sccrp { acceptable: false }),
        ("scccn+", TunnelEvent::Scccn { acceptable: true }),
        ("scccn-", TunnelEvent::Scccn { acceptable: false }),
        ("stopccn", TunnelEvent::StopCcn),
        ("local-close", TunnelEvent::LocalClose),
    ];

    const TABLE: &str = "
                  idle                       wait-ctl-reply                      wait-ctl-conn              established
    local-open    sccrq/wait-ctl-reply       -                                   -                          tunnel-open/established
    sccrq+        sccrp/wait-ctl-conn        stopccn,clean/idle                  stopccn,clean/idle         stopccn,clean/idle
    sccrq-        stopccn,clean/idle         stopccn,clean/idle                  stopccn,clean/idle         stopccn,clean/idle
    tie-lost      -                          clean,requeue/idle                  -                          -
    tie-equal     -                          clean/idle                          -                          -
    sccrp+        stopccn,clean/idle         scccn,tunnel-open/established       stopccn,clean/idle         stopccn,clean/idle
    sccrp-        stopccn,clean/idle         stopccn,clean/idle                  stopccn,clean/idle         stopccn,clean/idle
    scccn+        clean/idle                 stopccn,clean/idle                  tunnel-open/established    stopccn,clean/idle
    scccn-        clean/idle                 stopccn,clean/idle                  stopccn,clean/idle         stopccn,clean/idle
    stopccn       clean/idle                 clean/idle                          clean/idle                 clean/idle
    local-close   stopccn,clean/idle         stopccn,clean/idle                  stopccn,clean/idle         stopccn,clean/idle
    ";

    const fn name(action: &TunnelAction) -> &'static str {
        match action {
            TunnelAction::SendSccrq => "sccrq",
            TunnelAction::SendSccrp => "sccrp",
            TunnelAction::SendScccn => "scccn",
            TunnelAction::SendStopCcn => "stopccn",
            TunnelAction::TunnelOpen => "tunnel-open",
            TunnelAction::CleanUp => "clean",
            TunnelAction::RequeueSccrq => "requeue",
        }
    }

    #[test]
    fn every_cell() {
        table::check(TABLE, &STATES, &EVENTS, name, step);
    }
}
