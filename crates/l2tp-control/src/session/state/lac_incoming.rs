use super::CallAction::*;
use super::CallEvent;
use super::CallEvent::*;
use super::CallState;
use super::CallState::*;
use super::CallStep;

/// LAC, incoming call (RFC 2661 §7.4.1).
pub(super) const fn step(state: CallState, event: CallEvent) -> CallStep {
    match (state, event) {
        (Idle, LocalOpen) => (&[OpenTunnel], WaitTunnel),
        (Idle, Iccn { .. } | Icrp { .. } | Cdn) => (&[CleanUp], Idle),

        (WaitTunnel, LocalClose | BearerFailure) => (&[CleanUp], Idle),
        (WaitTunnel, TunnelOpen) => (&[SendIcrq], WaitReply),

        (WaitReply, Icrp { acceptable: true }) => (&[SendIccn], Established),
        (WaitReply, Icrp { acceptable: false }) => (&[SendCdn, CleanUp], Idle),
        (WaitReply, Icrq { .. }) => (&[SendCdn, CleanUp], Idle),
        (WaitReply, Cdn | Iccn { .. }) => (&[CleanUp], Idle),
        (WaitReply, LocalClose | BearerFailure) => (&[SendCdn, CleanUp], Idle),

        (Established, Cdn) => (&[CleanUp], Idle),
        (Established, Icrq { .. } | Icrp { .. } | Iccn { .. }) => (&[SendCdn, CleanUp], Idle),
        (Established, LocalClose | BearerFailure) => (&[SendCdn, CleanUp], Idle),

        (WaitReply | Established, Ocrq { .. } | Ocrp { .. } | Occn { .. }) => {
            (&[SendCdn, CleanUp], Idle)
        }
        (_, TunnelClosed) => (&[CleanUp], Idle),
        _ => (&[], state),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CallKind;
    use super::super::tests::every_cell;
    use super::*;

    const STATES: [(&str, CallState); 4] = [
        ("idle", Idle),
        ("wait-tunnel", WaitTunnel),
        ("wait-reply", WaitReply),
        ("established", Established),
    ];

    const TABLE: &str = "
                   idle                wait-tunnel        wait-reply         established
    local-open     tunnel/wait-tunnel  -                  -                  -
    tunnel-open    -                   icrq/wait-reply    -                  -
    icrq+          -                   -                  cdn,clean/idle     cdn,clean/idle
    icrq-          -                   -                  cdn,clean/idle     cdn,clean/idle
    icrp+          clean/idle          -                  iccn/established   cdn,clean/idle
    icrp-          clean/idle          -                  cdn,clean/idle     cdn,clean/idle
    iccn+          clean/idle          -                  clean/idle         cdn,clean/idle
    iccn-          clean/idle          -                  clean/idle         cdn,clean/idle
    ocrq+          -                   -                  cdn,clean/idle     cdn,clean/idle
    ocrq-          -                   -                  cdn,clean/idle     cdn,clean/idle
    ocrp+          -                   -                  cdn,clean/idle     cdn,clean/idle
    ocrp-          -                   -                  cdn,clean/idle     cdn,clean/idle
    occn+          -                   -                  cdn,clean/idle     cdn,clean/idle
    occn-          -                   -                  cdn,clean/idle     cdn,clean/idle
    cdn            clean/idle          -                  clean/idle         clean/idle
    local-close    -                   clean/idle         cdn,clean/idle     cdn,clean/idle
    answer         -                   -                  -                  -
    failure        -                   clean/idle         cdn,clean/idle     cdn,clean/idle
    tunnel-closed  clean/idle          clean/idle         clean/idle         clean/idle
    ";

    #[test]
    fn rfc_2661_section_7_4_1() {
        every_cell(CallKind::LacIncoming, &STATES, TABLE);
    }
}
