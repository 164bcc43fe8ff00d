use super::CallAction::*;
use super::CallEvent;
use super::CallEvent::*;
use super::CallState;
use super::CallState::*;
use super::CallStep;

/// LNS, incoming call (RFC 2661 §7.4.2).
pub(super) const fn step(state: CallState, event: CallEvent) -> CallStep {
    match (state, event) {
        (Idle, Icrq { acceptable: true }) => (&[SendIcrp], WaitConnect),
        (Idle, Icrq { acceptable: false }) => (&[SendCdn, CleanUp], Idle),
        (Idle, Icrp { .. }) => (&[SendCdn, CleanUp], Idle),
        (Idle, Iccn { .. }) => (&[CleanUp], Idle),
        // The application turned down or withdrew from a call that it has not answered yet.
        (Idle, LocalClose) => (&[SendCdn, CleanUp], Idle),

        (WaitConnect, Iccn { acceptable: true }) => (&[PrepareForData], Established),
        (WaitConnect, Iccn { acceptable: false }) => (&[SendCdn, CleanUp], Idle),
        (WaitConnect, Icrq { .. } | Icrp { .. }) => (&[SendCdn, CleanUp], Idle),

        (Established, Icrq { .. } | Icrp { .. } | Iccn { .. }) => (&[SendCdn, CleanUp], Idle),

        (WaitConnect | Established, LocalClose) => (&[SendCdn, CleanUp], Idle),
        (WaitConnect | Established, Ocrq { .. } | Ocrp { .. } | Occn { .. }) => {
            (&[SendCdn, CleanUp], Idle)
        }
        (_, Cdn | TunnelClosed) => (&[CleanUp], Idle),
        _ => (&[], state),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CallKind;
    use super::super::tests::every_cell;
    use super::*;

    const STATES: [(&str, CallState); 3] =
        [("idle", Idle), ("wait-connect", WaitConnect), ("established", Established)];

    const TABLE: &str = "
                   idle               wait-connect       established
    local-open     -                  -                  -
    tunnel-open    -                  -                  -
    icrq+          icrp/wait-connect  cdn,clean/idle     cdn,clean/idle
    icrq-          cdn,clean/idle     cdn,clean/idle     cdn,clean/idle
    icrp+          cdn,clean/idle     cdn,clean/idle     cdn,clean/idle
    icrp-          cdn,clean/idle     cdn,clean/idle     cdn,clean/idle
    iccn+          clean/idle         data/established   cdn,clean/idle
    iccn-          clean/idle         cdn,clean/idle     cdn,clean/idle
    ocrq+          -                  cdn,clean/idle     cdn,clean/idle
    ocrq-          -                  cdn,clean/idle     cdn,clean/idle
    ocrp+          -                  cdn,clean/idle     cdn,clean/idle
    ocrp-          -                  cdn,clean/idle     cdn,clean/idle
    occn+          -                  cdn,clean/idle     cdn,clean/idle
    occn-          -                  cdn,clean/idle     cdn,clean/idle
    cdn            clean/idle         clean/idle         clean/idle
    local-close    cdn,clean/idle     cdn,clean/idle     cdn,clean/idle
    answer         -                  -                  -
    failure        -                  -                  -
    tunnel-closed  clean/idle         clean/idle         clean/idle
    ";

    #[test]
    fn rfc_2661_section_7_4_2() {
        every_cell(CallKind::LnsIncoming, &STATES, TABLE);
    }
}
