use vpn_core::DropReason;

/// What a quick mode waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum State {
    /// Initiator: the responder's choice.
    Message2Awaited,
    /// Responder: the proof that the initiator has the keys.
    Message3Awaited,
    /// Nothing: it is kept to answer repetitions.
    Done,
}

#[cfg(test)]
impl State {
    pub(crate) const ALL: &'static [Self] =
        &[Self::Message2Awaited, Self::Message3Awaited, Self::Done];
}

/// What happens to a quick mode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Event {
    /// A message with its message id that was not seen before.
    Message,
    /// The message that was answered last came once more.
    Repeated,
    /// An ESP packet came on the new pair.
    ChildUsed,
    /// It is time to repeat our message.
    RepeatTime,
    /// The peer had all the time that it gets, or the time to answer repetitions is over.
    OverTime,
}

impl Event {
    #[cfg(test)]
    pub(crate) const ALL: &'static [Self] =
        &[Self::Message, Self::Repeated, Self::ChildUsed, Self::RepeatTime, Self::OverTime];
}

/// What is to be done about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Action {
    /// Read it as message 2.
    Message2,
    /// Read it as message 3.
    Message3,
    /// Send the last answer once more.
    RepeatAnswer,
    /// Send our last message once more.
    RepeatRequest,
    /// The initiator has the pair.
    Confirm,
    /// Give up.
    GiveUp,
    /// Forget it.
    Forget,
    /// Nothing.
    Drop(DropReason),
}

/// The table: each state against each event.
pub(crate) const fn step(state: State, event: Event) -> Action {
    use Action as A;
    use Event as E;
    use State as S;
    match (state, event) {
        (S::Message2Awaited, E::Message) => A::Message2,
        (S::Message3Awaited, E::Message) => A::Message3,
        (S::Done, E::Message) => A::Drop(DropReason::UnexpectedState),

        (S::Message2Awaited, E::Repeated) => A::Drop(DropReason::Duplicate),
        (S::Message3Awaited | S::Done, E::Repeated) => A::RepeatAnswer,

        (S::Message3Awaited, E::ChildUsed) => A::Confirm,
        (S::Message2Awaited | S::Done, E::ChildUsed) => A::Drop(DropReason::UnexpectedState),

        // Both sides repeat, since the peer is known: a message 3 that was lost is asked for with
        // message 2.
        (S::Message2Awaited | S::Message3Awaited, E::RepeatTime) => A::RepeatRequest,
        (S::Done, E::RepeatTime) => A::Drop(DropReason::UnexpectedState),

        (S::Message2Awaited | S::Message3Awaited, E::OverTime) => A::GiveUp,
        (S::Done, E::OverTime) => A::Forget,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every cell, written out once more: `-` is a drop.
    #[test]
    fn every_cell() {
        let table = [
            // state, message, repeated, child used, repeat time, over time
            (State::Message2Awaited, ["2", "-", "-", "repeat", "give up"]),
            (State::Message3Awaited, ["3", "answer", "confirm", "repeat", "give up"]),
            (State::Done, ["-", "answer", "-", "-", "forget"]),
        ];
        assert_eq!(table.len(), State::ALL.len());
        for (state, row) in table {
            for (event, expected) in Event::ALL.iter().zip(row) {
                let action = match step(state, *event) {
                    Action::Message2 => "2",
                    Action::Message3 => "3",
                    Action::RepeatAnswer => "answer",
                    Action::RepeatRequest => "repeat",
                    Action::Confirm => "confirm",
                    Action::GiveUp => "give up",
                    Action::Forget => "forget",
                    Action::Drop(_) => "-",
                };
                assert_eq!(action, expected, "{state:?} x {event:?}");
            }
        }
    }
}
