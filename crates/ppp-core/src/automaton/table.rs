use super::Action;
use super::Event;
use super::State;

/// One cell of the state transition table: what to do, in order, and the next state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transition {
    /// The actions, in the order of the RFC.
    pub actions: &'static [Action],
    /// The state afterwards.
    pub next: State,
}

/// The state transition table (RFC 1661 §4.1), one arm a cell; `None` where the event cannot occur.
///
/// Of the table's options, neither is taken: a layer that gets no answer finishes (`[p]` passive),
/// and an Open in an open layer does nothing (`[r]` restart), since
/// [`Link::renegotiate`](crate::Link::renegotiate) says that by name. Crossed packets (`[x]`) cause
/// what the table says.
#[must_use]
pub const fn transition(state: State, event: Event) -> Option<Transition> {
    use Event as E;
    use State as S;

    #[rustfmt::skip]
    let (actions, next): (&'static [Action], State) = match (state, event) {
        (S::Initial, E::Up) => (&[], S::Closed),
        (S::Starting, E::Up) => (&[IRC, SCR], S::ReqSent),
        (S::Closed, E::Up) => return None,
        (S::Stopped, E::Up) => return None,
        (S::Closing, E::Up) => return None,
        (S::Stopping, E::Up) => return None,
        (S::ReqSent, E::Up) => return None,
        (S::AckRcvd, E::Up) => return None,
        (S::AckSent, E::Up) => return None,
        (S::Opened, E::Up) => return None,

        (S::Initial, E::Down) => return None,
        (S::Starting, E::Down) => return None,
        (S::Closed, E::Down) => (&[], S::Initial),
        (S::Stopped, E::Down) => (&[TLS], S::Starting),
        (S::Closing, E::Down) => (&[], S::Initial),
        (S::Stopping, E::Down) => (&[], S::Starting),
        (S::ReqSent, E::Down) => (&[], S::Starting),
        (S::AckRcvd, E::Down) => (&[], S::Starting),
        (S::AckSent, E::Down) => (&[], S::Starting),
        (S::Opened, E::Down) => (&[TLD], S::Starting),

        (S::Initial, E::Open) => (&[TLS], S::Starting),
        (S::Starting, E::Open) => (&[], S::Starting),
        (S::Closed, E::Open) => (&[IRC, SCR], S::ReqSent),
        (S::Stopped, E::Open) => (&[], S::Stopped),
        (S::Closing, E::Open) => (&[], S::Stopping),
        (S::Stopping, E::Open) => (&[], S::Stopping),
        (S::ReqSent, E::Open) => (&[], S::ReqSent),
        (S::AckRcvd, E::Open) => (&[], S::AckRcvd),
        (S::AckSent, E::Open) => (&[], S::AckSent),
        (S::Opened, E::Open) => (&[], S::Opened),

        (S::Initial, E::Close) => (&[], S::Initial),
        (S::Starting, E::Close) => (&[TLF], S::Initial),
        (S::Closed, E::Close) => (&[], S::Closed),
        (S::Stopped, E::Close) => (&[], S::Closed),
        (S::Closing, E::Close) => (&[], S::Closing),
        (S::Stopping, E::Close) => (&[], S::Closing),
        (S::ReqSent, E::Close) => (&[IRC, STR], S::Closing),
        (S::AckRcvd, E::Close) => (&[IRC, STR], S::Closing),
        (S::AckSent, E::Close) => (&[IRC, STR], S::Closing),
        (S::Opened, E::Close) => (&[TLD, IRC, STR], S::Closing),

        (S::Initial, E::TimeoutPositive) => return None,
        (S::Starting, E::TimeoutPositive) => return None,
        (S::Closed, E::TimeoutPositive) => return None,
        (S::Stopped, E::TimeoutPositive) => return None,
        (S::Closing, E::TimeoutPositive) => (&[STR], S::Closing),
        (S::Stopping, E::TimeoutPositive) => (&[STR], S::Stopping),
        (S::ReqSent, E::TimeoutPositive) => (&[SCR], S::ReqSent),
        (S::AckRcvd, E::TimeoutPositive) => (&[SCR], S::ReqSent),
        (S::AckSent, E::TimeoutPositive) => (&[SCR], S::AckSent),
        (S::Opened, E::TimeoutPositive) => return None,

        (S::Initial, E::TimeoutNegative) => return None,
        (S::Starting, E::TimeoutNegative) => return None,
        (S::Closed, E::TimeoutNegative) => return None,
        (S::Stopped, E::TimeoutNegative) => return None,
        (S::Closing, E::TimeoutNegative) => (&[TLF], S::Closed),
        (S::Stopping, E::TimeoutNegative) => (&[TLF], S::Stopped),
        (S::ReqSent, E::TimeoutNegative) => (&[TLF], S::Stopped),
        (S::AckRcvd, E::TimeoutNegative) => (&[TLF], S::Stopped),
        (S::AckSent, E::TimeoutNegative) => (&[TLF], S::Stopped),
        (S::Opened, E::TimeoutNegative) => return None,

        (S::Initial, E::ReceiveConfigureRequestGood) => return None,
        (S::Starting, E::ReceiveConfigureRequestGood) => return None,
        (S::Closed, E::ReceiveConfigureRequestGood) => (&[STA], S::Closed),
        (S::Stopped, E::ReceiveConfigureRequestGood) => (&[IRC, SCR, SCA], S::AckSent),
        (S::Closing, E::ReceiveConfigureRequestGood) => (&[], S::Closing),
        (S::Stopping, E::ReceiveConfigureRequestGood) => (&[], S::Stopping),
        (S::ReqSent, E::ReceiveConfigureRequestGood) => (&[SCA], S::AckSent),
        (S::AckRcvd, E::ReceiveConfigureRequestGood) => (&[SCA, TLU], S::Opened),
        (S::AckSent, E::ReceiveConfigureRequestGood) => (&[SCA], S::AckSent),
        (S::Opened, E::ReceiveConfigureRequestGood) => (&[TLD, SCR, SCA], S::AckSent),

        (S::Initial, E::ReceiveConfigureRequestBad) => return None,
        (S::Starting, E::ReceiveConfigureRequestBad) => return None,
        (S::Closed, E::ReceiveConfigureRequestBad) => (&[STA], S::Closed),
        (S::Stopped, E::ReceiveConfigureRequestBad) => (&[IRC, SCR, SCN], S::ReqSent),
        (S::Closing, E::ReceiveConfigureRequestBad) => (&[], S::Closing),
        (S::Stopping, E::ReceiveConfigureRequestBad) => (&[], S::Stopping),
        (S::ReqSent, E::ReceiveConfigureRequestBad) => (&[SCN], S::ReqSent),
        (S::AckRcvd, E::ReceiveConfigureRequestBad) => (&[SCN], S::AckRcvd),
        (S::AckSent, E::ReceiveConfigureRequestBad) => (&[SCN], S::ReqSent),
        (S::Opened, E::ReceiveConfigureRequestBad) => (&[TLD, SCR, SCN], S::ReqSent),

        (S::Initial, E::ReceiveConfigureAck) => return None,
        (S::Starting, E::ReceiveConfigureAck) => return None,
        (S::Closed, E::ReceiveConfigureAck) => (&[STA], S::Closed),
        (S::Stopped, E::ReceiveConfigureAck) => (&[STA], S::Stopped),
        (S::Closing, E::ReceiveConfigureAck) => (&[], S::Closing),
        (S::Stopping, E::ReceiveConfigureAck) => (&[], S::Stopping),
        (S::ReqSent, E::ReceiveConfigureAck) => (&[IRC], S::AckRcvd),
        (S::AckRcvd, E::ReceiveConfigureAck) => (&[SCR], S::ReqSent),
        (S::AckSent, E::ReceiveConfigureAck) => (&[IRC, TLU], S::Opened),
        (S::Opened, E::ReceiveConfigureAck) => (&[TLD, SCR], S::ReqSent),

        (S::Initial, E::ReceiveConfigureNak) => return None,
        (S::Starting, E::ReceiveConfigureNak) => return None,
        (S::Closed, E::ReceiveConfigureNak) => (&[STA], S::Closed),
        (S::Stopped, E::ReceiveConfigureNak) => (&[STA], S::Stopped),
        (S::Closing, E::ReceiveConfigureNak) => (&[], S::Closing),
        (S::Stopping, E::ReceiveConfigureNak) => (&[], S::Stopping),
        (S::ReqSent, E::ReceiveConfigureNak) => (&[IRC, SCR], S::ReqSent),
        (S::AckRcvd, E::ReceiveConfigureNak) => (&[SCR], S::ReqSent),
        (S::AckSent, E::ReceiveConfigureNak) => (&[IRC, SCR], S::AckSent),
        (S::Opened, E::ReceiveConfigureNak) => (&[TLD, SCR], S::ReqSent),

        (S::Initial, E::ReceiveTerminateRequest) => return None,
        (S::Starting, E::ReceiveTerminateRequest) => return None,
        (S::Closed, E::ReceiveTerminateRequest) => (&[STA], S::Closed),
        (S::Stopped, E::ReceiveTerminateRequest) => (&[STA], S::Stopped),
        (S::Closing, E::ReceiveTerminateRequest) => (&[STA], S::Closing),
        (S::Stopping, E::ReceiveTerminateRequest) => (&[STA], S::Stopping),
        (S::ReqSent, E::ReceiveTerminateRequest) => (&[STA], S::ReqSent),
        (S::AckRcvd, E::ReceiveTerminateRequest) => (&[STA], S::ReqSent),
        (S::AckSent, E::ReceiveTerminateRequest) => (&[STA], S::ReqSent),
        (S::Opened, E::ReceiveTerminateRequest) => (&[TLD, ZRC, STA], S::Stopping),

        (S::Initial, E::ReceiveTerminateAck) => return None,
        (S::Starting, E::ReceiveTerminateAck) => return None,
        (S::Closed, E::ReceiveTerminateAck) => (&[], S::Closed),
        (S::Stopped, E::ReceiveTerminateAck) => (&[], S::Stopped),
        (S::Closing, E::ReceiveTerminateAck) => (&[TLF], S::Closed),
        (S::Stopping, E::ReceiveTerminateAck) => (&[TLF], S::Stopped),
        (S::ReqSent, E::ReceiveTerminateAck) => (&[], S::ReqSent),
        (S::AckRcvd, E::ReceiveTerminateAck) => (&[], S::ReqSent),
        (S::AckSent, E::ReceiveTerminateAck) => (&[], S::AckSent),
        (S::Opened, E::ReceiveTerminateAck) => (&[TLD, SCR], S::ReqSent),

        (S::Initial, E::ReceiveUnknownCode) => return None,
        (S::Starting, E::ReceiveUnknownCode) => return None,
        (S::Closed, E::ReceiveUnknownCode) => (&[SCJ], S::Closed),
        (S::Stopped, E::ReceiveUnknownCode) => (&[SCJ], S::Stopped),
        (S::Closing, E::ReceiveUnknownCode) => (&[SCJ], S::Closing),
        (S::Stopping, E::ReceiveUnknownCode) => (&[SCJ], S::Stopping),
        (S::ReqSent, E::ReceiveUnknownCode) => (&[SCJ], S::ReqSent),
        (S::AckRcvd, E::ReceiveUnknownCode) => (&[SCJ], S::AckRcvd),
        (S::AckSent, E::ReceiveUnknownCode) => (&[SCJ], S::AckSent),
        (S::Opened, E::ReceiveUnknownCode) => (&[SCJ], S::Opened),

        (S::Initial, E::ReceiveRejectPermitted) => return None,
        (S::Starting, E::ReceiveRejectPermitted) => return None,
        (S::Closed, E::ReceiveRejectPermitted) => (&[], S::Closed),
        (S::Stopped, E::ReceiveRejectPermitted) => (&[], S::Stopped),
        (S::Closing, E::ReceiveRejectPermitted) => (&[], S::Closing),
        (S::Stopping, E::ReceiveRejectPermitted) => (&[], S::Stopping),
        (S::ReqSent, E::ReceiveRejectPermitted) => (&[], S::ReqSent),
        (S::AckRcvd, E::ReceiveRejectPermitted) => (&[], S::ReqSent),
        (S::AckSent, E::ReceiveRejectPermitted) => (&[], S::AckSent),
        (S::Opened, E::ReceiveRejectPermitted) => (&[], S::Opened),

        (S::Initial, E::ReceiveRejectCatastrophic) => return None,
        (S::Starting, E::ReceiveRejectCatastrophic) => return None,
        (S::Closed, E::ReceiveRejectCatastrophic) => (&[TLF], S::Closed),
        (S::Stopped, E::ReceiveRejectCatastrophic) => (&[TLF], S::Stopped),
        (S::Closing, E::ReceiveRejectCatastrophic) => (&[TLF], S::Closed),
        (S::Stopping, E::ReceiveRejectCatastrophic) => (&[TLF], S::Stopped),
        (S::ReqSent, E::ReceiveRejectCatastrophic) => (&[TLF], S::Stopped),
        (S::AckRcvd, E::ReceiveRejectCatastrophic) => (&[TLF], S::Stopped),
        (S::AckSent, E::ReceiveRejectCatastrophic) => (&[TLF], S::Stopped),
        (S::Opened, E::ReceiveRejectCatastrophic) => (&[TLD, IRC, STR], S::Stopping),

        (S::Initial, E::ReceiveEcho) => return None,
        (S::Starting, E::ReceiveEcho) => return None,
        (S::Closed, E::ReceiveEcho) => (&[], S::Closed),
        (S::Stopped, E::ReceiveEcho) => (&[], S::Stopped),
        (S::Closing, E::ReceiveEcho) => (&[], S::Closing),
        (S::Stopping, E::ReceiveEcho) => (&[], S::Stopping),
        (S::ReqSent, E::ReceiveEcho) => (&[], S::ReqSent),
        (S::AckRcvd, E::ReceiveEcho) => (&[], S::AckRcvd),
        (S::AckSent, E::ReceiveEcho) => (&[], S::AckSent),
        (S::Opened, E::ReceiveEcho) => (&[SER], S::Opened),
    };
    Some(Transition { actions, next })
}

const IRC: Action = Action::InitializeRestartCount;
const SCA: Action = Action::SendConfigureAck;
const SCJ: Action = Action::SendCodeReject;
const SCN: Action = Action::SendConfigureNak;
const SCR: Action = Action::SendConfigureRequest;
const SER: Action = Action::SendEchoReply;
const STA: Action = Action::SendTerminateAck;
const STR: Action = Action::SendTerminateRequest;
const TLD: Action = Action::ThisLayerDown;
const TLF: Action = Action::ThisLayerFinished;
const TLS: Action = Action::ThisLayerStarted;
const TLU: Action = Action::ThisLayerUp;
const ZRC: Action = Action::ZeroRestartCount;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// The table of RFC 1661 §4.1: a row an event, a column a state; `-` cannot occur.
    const TABLE: [(Event, &str); 16] = [
        (Event::Up, "2 irc,scr/6 - - - - - - - -"),
        (Event::Down, "- - 0 tls/1 0 1 1 1 1 tld/1"),
        (Event::Open, "tls/1 1 irc,scr/6 3 5 5 6 7 8 9"),
        (Event::Close, "0 tlf/0 2 2 4 4 irc,str/4 irc,str/4 irc,str/4 tld,irc,str/4"),
        (Event::TimeoutPositive, "- - - - str/4 str/5 scr/6 scr/6 scr/8 -"),
        (Event::TimeoutNegative, "- - - - tlf/2 tlf/3 tlf/3 tlf/3 tlf/3 -"),
        (
            Event::ReceiveConfigureRequestGood,
            "- - sta/2 irc,scr,sca/8 4 5 sca/8 sca,tlu/9 sca/8 tld,scr,sca/8",
        ),
        (
            Event::ReceiveConfigureRequestBad,
            "- - sta/2 irc,scr,scn/6 4 5 scn/6 scn/7 scn/6 tld,scr,scn/6",
        ),
        (Event::ReceiveConfigureAck, "- - sta/2 sta/3 4 5 irc/7 scr/6 irc,tlu/9 tld,scr/6"),
        (Event::ReceiveConfigureNak, "- - sta/2 sta/3 4 5 irc,scr/6 scr/6 irc,scr/8 tld,scr/6"),
        (
            Event::ReceiveTerminateRequest,
            "- - sta/2 sta/3 sta/4 sta/5 sta/6 sta/6 sta/6 tld,zrc,sta/5",
        ),
        (Event::ReceiveTerminateAck, "- - 2 3 tlf/2 tlf/3 6 6 8 tld,scr/6"),
        (Event::ReceiveUnknownCode, "- - scj/2 scj/3 scj/4 scj/5 scj/6 scj/7 scj/8 scj/9"),
        (Event::ReceiveRejectPermitted, "- - 2 3 4 5 6 6 8 9"),
        (
            Event::ReceiveRejectCatastrophic,
            "- - tlf/2 tlf/3 tlf/2 tlf/3 tlf/3 tlf/3 tlf/3 tld,irc,str/5",
        ),
        (Event::ReceiveEcho, "- - 2 3 4 5 6 7 8 ser/9"),
    ];

    fn action(name: &str) -> Action {
        match name {
            "irc" => IRC,
            "sca" => SCA,
            "scj" => SCJ,
            "scn" => SCN,
            "scr" => SCR,
            "ser" => SER,
            "sta" => STA,
            "str" => STR,
            "tld" => TLD,
            "tlf" => TLF,
            "tls" => TLS,
            "tlu" => TLU,
            "zrc" => ZRC,
            other => panic!("no action {other}"),
        }
    }

    #[test]
    fn every_cell_is_what_the_rfc_says() {
        let mut cells = 0;
        for ((event, row), listed) in TABLE.into_iter().zip(Event::ALL) {
            assert_eq!(event, listed);
            let row: Vec<_> = row.split(' ').collect();
            assert_eq!(row.len(), State::ALL.len());
            for (state, cell) in State::ALL.into_iter().zip(row) {
                let found = transition(state, event);
                cells += 1;
                if cell == "-" {
                    assert_eq!(found, None, "{state:?} {event:?}");
                    continue;
                }
                let (actions, next) = cell.split_once('/').unwrap_or(("", cell));
                let actions: Vec<_> = actions.split(',').filter(|a| !a.is_empty()).collect();
                let found = found.unwrap();
                assert_eq!(found.next, State::ALL[next.parse::<usize>().unwrap()]);
                let wanted: Vec<_> = actions.into_iter().map(action).collect();
                assert_eq!(found.actions, wanted, "{state:?} {event:?}");
            }
        }
        assert_eq!(cells, 160);
    }

    /// RFC 1661 §4.1: the states in which the Restart timer runs are those with TO events.
    #[test]
    fn the_restart_timer_runs_where_timeouts_can_occur() {
        for state in State::ALL {
            let can_expire = transition(state, Event::TimeoutPositive).is_some();
            assert_eq!(state.has_restart_timer(), can_expire, "{state:?}");
        }
    }
}
