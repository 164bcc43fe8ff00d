use super::CallAction::*;
use super::CallEvent;
use super::CallEvent::*;
use super::CallState;
use super::CallState::*;
use super::CallStep;

/// LNS, outgoing call (RFC 2661 §7.5.2).
pub(super) const fn step(state: CallState, event: CallEvent) -> CallStep {
    match (state, event) {
        (Idle, LocalOpen) => (&[OpenTunnel], WaitTunnel),
        (Idle, Occn { .. } | Ocrp { .. } | Cdn) => (&[CleanUp], Idle),

        (WaitTunnel, TunnelOpen) => (&[SendOcrq], WaitReply),
        (WaitTunnel, LocalClose) => (&[CleanUp], Idle),

        (WaitReply, Ocrp { acceptable: true }) => (&[], WaitConnect),
        (WaitReply, Ocrp { acceptable: false }) => (&[SendCdn, CleanUp], Idle),
        (WaitReply, Occn { .. } | Ocrq { .. }) => (&[SendCdn, CleanUp], Idle),

        (WaitConnect, Occn { acceptable: true }) => (&[PrepareForData], Established),
        (WaitConnect, Occn { acceptable: false }) => (&[SendCdn, CleanUp], Idle),
        (WaitConnect, Ocrq { .. } | Ocrp { .. }) => (&[SendCdn, CleanUp], Idle),

        (Established, Ocrq { .. } | Ocrp { .. } | Occn { .. }) => (&[SendCdn, CleanUp], Idle),

        (WaitReply | WaitConnect | Established, Cdn) => (&[CleanUp], Idle),
        (WaitReply | WaitConnect | Established, LocalClose) => (&[SendCdn, CleanUp], Idle),
        (WaitReply | WaitConnect | Established, Icrq { .. } | Icrp { .. } | Iccn { .. }) => {
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

    const STATES: [(&str, CallState); 5] = [
        ("idle", Idle),
        ("wait-tunnel", WaitTunnel),
        ("wait-reply", WaitReply),
        ("wait-connect", WaitConnect),
        ("established", Established),
    ];

    const TABLE: &str = "
                   idle                wait-tunnel      wait-reply       wait-connect      established
    local-open     tunnel/wait-tunnel  -                -                -                 -
    tunnel-open    -                   ocrq/wait-reply  -                -                 -
    icrq+          -                   -                cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    icrq-          -                   -                cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    icrp+          -                   -                cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    icrp-          -                   -                cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    iccn+          -                   -                cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    iccn-          -                   -                cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    ocrq+          -                   -                cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    ocrq-          -                   -                cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    ocrp+          clean/idle          -                /wait-connect    cdn,clean/idle    cdn,clean/idle
    ocrp-          clean/idle          -                cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    occn+          clean/idle          -                cdn,clean/idle   data/established  cdn,clean/idle
    occn-          clean/idle          -                cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    cdn            clean/idle          -                clean/idle       clean/idle        clean/idle
    local-close    -                   clean/idle       cdn,clean/idle   cdn,clean/idle    cdn,clean/idle
    answer         -                   -                -                -                 -
    failure        -                   -                -                -                 -
    tunnel-closed  clean/idle          clean/idle       clean/idle       clean/idle        clean/idle
    ";

    #[test]
    fn rfc_2661_section_7_5_2() {
        every_cell(CallKind::LnsOutgoing, &STATES, TABLE);
    }
}
