//! The states of phase 1 (RFC 2409 §5): main mode on both sides, aggressive mode as responder.
//!
//! ```text
//!   initiator                                   responder
//!   message 1 sent   Message2Awaited            message 1 taken, 2 sent   Message3Awaited
//!   message 3 sent   Message4Awaited            message 3 taken, 4 sent   Message5Awaited
//!   message 5 sent   Message6Awaited            message 5 held            CredentialsAwaited
//!   message 6 taken  Established                message 5 taken, 6 sent   Established
//! ```
//!
//! Aggressive mode has three messages: the responder holds message 1 while it waits for
//! credentials, answers it, and awaits message 3.

use vpn_core::DropReason;

/// What phase 1 waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum State {
    /// Main mode, initiator: the responder's choice.
    Message2Awaited,
    /// Main mode, initiator: the responder's public value.
    Message4Awaited,
    /// Main mode, initiator: the responder's proof.
    Message6Awaited,
    /// Main mode, responder: the initiator's public value, and with it the return of our cookie.
    Message3Awaited,
    /// Main mode, responder: the initiator's proof.
    Message5Awaited,
    /// Responder: a message is held until the application gives the keys.
    CredentialsAwaited,
    /// Aggressive mode, responder: the initiator's proof.
    AggressiveMessage3Awaited,
    /// Both sides are proven.
    Established,
}

impl State {
    #[cfg(test)]
    pub(crate) const ALL: &'static [Self] = &[
        Self::Message2Awaited,
        Self::Message4Awaited,
        Self::Message6Awaited,
        Self::Message3Awaited,
        Self::Message5Awaited,
        Self::CredentialsAwaited,
        Self::AggressiveMessage3Awaited,
        Self::Established,
    ];

    /// A short name for traces.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Message2Awaited => "message 2 awaited",
            Self::Message4Awaited => "message 4 awaited",
            Self::Message6Awaited => "message 6 awaited",
            Self::Message3Awaited => "message 3 awaited",
            Self::Message5Awaited => "message 5 awaited",
            Self::CredentialsAwaited => "credentials awaited",
            Self::AggressiveMessage3Awaited => "aggressive message 3 awaited",
            Self::Established => "established",
        }
    }

    /// The number of the message that is awaited.
    pub(crate) const fn awaited(self) -> u8 {
        match self {
            Self::Message2Awaited => 2,
            Self::Message3Awaited | Self::AggressiveMessage3Awaited => 3,
            Self::Message4Awaited => 4,
            Self::Message5Awaited | Self::CredentialsAwaited => 5,
            Self::Message6Awaited => 6,
            Self::Established => 0,
        }
    }

    /// Whether we sent the first message.
    pub(crate) const fn is_initiator(self) -> bool {
        matches!(self, Self::Message2Awaited | Self::Message4Awaited | Self::Message6Awaited)
    }
}

/// What happens to a negotiation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Event {
    /// A main mode message in clear that was not seen before.
    MainModeClear,
    /// An encrypted main mode message that was not seen before.
    MainModeEncrypted,
    /// An aggressive mode message that was not seen before, encrypted or not: RFC 2409 §5.4 leaves
    /// that open for message 3.
    Aggressive,
    /// The message that was answered last came once more.
    Repeated,
    /// The application gave the keys.
    Credentials,
    /// It is time to repeat our message.
    RepeatTime,
    /// The peer had all the time that it gets.
    GiveUpTime,
}

impl Event {
    #[cfg(test)]
    pub(crate) const ALL: &'static [Self] = &[
        Self::MainModeClear,
        Self::MainModeEncrypted,
        Self::Aggressive,
        Self::Repeated,
        Self::Credentials,
        Self::RepeatTime,
        Self::GiveUpTime,
    ];
}

/// What is to be done about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Action {
    /// Read it as this message of main mode.
    MainMode(u8),
    /// Read it as message 3 of aggressive mode.
    AggressiveMessage3,
    /// Send the last answer once more.
    RepeatAnswer,
    /// Go on with the message that is held.
    Resume,
    /// Send our last message once more.
    RepeatRequest,
    /// Give up.
    GiveUp,
    /// Nothing.
    Drop(DropReason),
}

/// The table: each state against each event.
pub(crate) const fn step(state: State, event: Event) -> Action {
    use Action as A;
    use Event as E;
    use State as S;
    match (state, event) {
        (S::Message2Awaited, E::MainModeClear) => A::MainMode(2),
        (S::Message4Awaited, E::MainModeClear) => A::MainMode(4),
        (S::Message6Awaited, E::MainModeEncrypted) => A::MainMode(6),
        (S::Message3Awaited, E::MainModeClear) => A::MainMode(3),
        (S::Message5Awaited, E::MainModeEncrypted) => A::MainMode(5),
        (S::AggressiveMessage3Awaited, E::Aggressive) => A::AggressiveMessage3,

        // An initiator repeats on its own; what it answered last it has answered with a request.
        (S::Message2Awaited | S::Message4Awaited | S::Message6Awaited, E::Repeated) => {
            A::Drop(DropReason::Duplicate)
        }
        (S::CredentialsAwaited, E::Repeated) => A::Drop(DropReason::Duplicate),
        (
            S::Message3Awaited | S::Message5Awaited | S::AggressiveMessage3Awaited | S::Established,
            E::Repeated,
        ) => A::RepeatAnswer,

        (S::CredentialsAwaited, E::Credentials) => A::Resume,
        (_, E::Credentials) => A::Drop(DropReason::UnknownTicket),

        (S::Message2Awaited | S::Message4Awaited | S::Message6Awaited, E::RepeatTime) => {
            A::RepeatRequest
        }
        // A responder never repeats on its own: it must not send more than it was asked for.
        (_, E::RepeatTime) => A::Drop(DropReason::UnexpectedState),

        (S::Established, E::GiveUpTime) => A::Drop(DropReason::UnexpectedState),
        (_, E::GiveUpTime) => A::GiveUp,

        (_, E::MainModeClear | E::MainModeEncrypted | E::Aggressive) => {
            A::Drop(DropReason::UnexpectedState)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::format;

    /// Every cell, written out once more: `-` is a drop.
    #[test]
    fn every_cell() {
        #[rustfmt::skip]
        let table = [
            // state, clear, encrypted, aggressive, repeated, credentials, repeat time, give up
            (State::Message2Awaited,           ["2", "-", "-", "-", "-", "repeat", "over"]),
            (State::Message4Awaited,           ["4", "-", "-", "-", "-", "repeat", "over"]),
            (State::Message6Awaited,           ["-", "6", "-", "-", "-", "repeat", "over"]),
            (State::Message3Awaited,           ["3", "-", "-", "answer", "-", "-", "over"]),
            (State::Message5Awaited,           ["-", "5", "-", "answer", "-", "-", "over"]),
            (State::CredentialsAwaited,        ["-", "-", "-", "-", "resume", "-", "over"]),
            (State::AggressiveMessage3Awaited, ["-", "-", "a3", "answer", "-", "-", "over"]),
            (State::Established,               ["-", "-", "-", "answer", "-", "-", "-"]),
        ];
        let rows: BTreeMap<State, [&str; 7]> = table.into_iter().collect();
        assert_eq!(rows.len(), State::ALL.len());
        for state in State::ALL {
            for (event, expected) in Event::ALL.iter().zip(rows[state]) {
                let action = match step(*state, *event) {
                    Action::MainMode(number) => format!("{number}"),
                    Action::AggressiveMessage3 => "a3".into(),
                    Action::RepeatAnswer => "answer".into(),
                    Action::Resume => "resume".into(),
                    Action::RepeatRequest => "repeat".into(),
                    Action::GiveUp => "over".into(),
                    Action::Drop(_) => "-".into(),
                };
                assert_eq!(action, expected, "{state:?} x {event:?}");
            }
        }
    }
}
