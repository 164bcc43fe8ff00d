use super::CallAction::*;
use super::CallEvent;
use super::CallEvent::*;
use super::CallState;
use super::CallState::*;
use super::CallStep;

/// LAC, outgoing call (RFC 2661 §7.5.1).
pub(super) const fn step(state: CallState, event: CallEvent) -> CallStep {
    match (state, event) {
        (Idle, Ocrq { acceptable: true }) => (&[SendOcrp, OpenBearer], WaitCsAnswer),
        (Idle, Ocrq { acceptable: false }) => (&[SendCdn, CleanUp], Idle),
        (Idle, Ocrp { .. }) => (&[SendCdn, CleanUp], Idle),
        (Idle, Occn { .. } | Cdn) => (&[CleanUp], Idle),
        // The application turned down or withdrew from a call that it has not answered yet.
        (Idle, LocalClose) => (&[SendCdn, CleanUp], Idle),

        (WaitCsAnswer, BearerAnswer) => (&[SendOccn], Established),
        (WaitCsAnswer, BearerFailure) => (&[SendCdn, CleanUp], Idle),
        (WaitCsAnswer, Ocrq { .. } | Ocrp { .. } | Occn { .. }) => (&[SendCdn, CleanUp], Idle),

        (Established, Ocrq { .. } | Ocrp { .. } | Occn { .. }) => (&[SendCdn, CleanUp], Idle),
        (Established, BearerFailure) => (&[SendCdn, CleanUp], Idle),

        (WaitCsAnswer | Established, Cdn) => (&[CleanUp], Idle),
        (WaitCsAnswer | Established, LocalClose) => (&[SendCdn, CleanUp], Idle),
        (WaitCsAnswer | Established, Icrq { .. } | Icrp { .. } | Iccn { .. }) => {
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

    const STATES: [(&str, CallState); 3] =
        [("idle", Idle), ("wait-cs-answer", WaitCsAnswer), ("established", Established)];

    const TABLE: &str = "
                   idle                        wait-cs-answer     established
    local-open     -                           -                  -
    tunnel-open    -                           -                  -
    icrq+          -                           cdn,clean/idle     cdn,clean/idle
    icrq-          -                           cdn,clean/idle     cdn,clean/idle
    icrp+          -                           cdn,clean/idle     cdn,clean/idle
    icrp-          -                           cdn,clean/idle     cdn,clean/idle
    iccn+          -                           cdn,clean/idle     cdn,clean/idle
    iccn-          -                           cdn,clean/idle     cdn,clean/idle
    ocrq+          ocrp,bearer/wait-cs-answer  cdn,clean/idle     cdn,clean/idle
    ocrq-          cdn,clean/idle              cdn,clean/idle     cdn,clean/idle
    ocrp+          cdn,clean/idle              cdn,clean/idle     cdn,clean/idle
    ocrp-          cdn,clean/idle              cdn,clean/idle     cdn,clean/idle
    occn+          clean/idle                  cdn,clean/idle     cdn,clean/idle
    occn-          clean/idle                  cdn,clean/idle     cdn,clean/idle
    cdn            clean/idle                  clean/idle         clean/idle
    local-close    cdn,clean/idle              cdn,clean/idle     cdn,clean/idle
    answer         -                           occn/established   -
    failure        -                           cdn,clean/idle     cdn,clean/idle
    tunnel-closed  clean/idle                  clean/idle         clean/idle
    ";

    #[test]
    fn rfc_2661_section_7_5_1() {
        every_cell(CallKind::LacOutgoing, &STATES, TABLE);
    }
}
