use vpn_core::DropReason;
use vpn_core::Instant;

use crate::ControlCode;
use crate::NetworkFailure;
use crate::Packet;
use crate::automaton::Event;
use crate::automaton::State;
use crate::context::Context;
use crate::control::Control;
use crate::control::Negotiation;
use crate::control::Signals;

/// One network control protocol of the network phase.
///
/// Whatever happens to it stays here: the link and its other protocols go on.
pub(super) struct Ncp<N, S> {
    control: Option<Control<N>>,
    failure: Option<NetworkFailure>,
    /// What was agreed on, while open.
    settings: Option<S>,
}

/// What a network control protocol tells the link.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change<S> {
    None,
    Up(S),
    Down,
    /// Over, unless the peer starts it again.
    Failed(NetworkFailure),
}

impl<N: Negotiation, S: Copy> Ncp<N, S> {
    /// Not started yet.
    pub(super) const fn waiting() -> Self {
        Self { control: None, failure: None, settings: None }
    }

    /// Will not be started.
    pub(super) const fn failed(failure: NetworkFailure) -> Self {
        Self { control: None, failure: Some(failure), settings: None }
    }

    pub(super) fn started(negotiation: N, context: &mut Context) -> Self {
        let mut this = Self::waiting();
        this.start(negotiation, context);
        this
    }

    pub(super) fn start(&mut self, negotiation: N, context: &mut Context) {
        let mut control = Control::new(negotiation);
        // Nothing was open before, so there is nothing to tell.
        let _: Signals = control.start(context);
        self.control = Some(control);
    }

    pub(super) fn fail(&mut self, failure: NetworkFailure) {
        self.failure = Some(failure);
    }

    pub(super) const fn is_started(&self) -> bool {
        self.control.is_some()
    }

    pub(super) const fn failure(&self) -> Option<NetworkFailure> {
        self.failure
    }

    pub(super) const fn settings(&self) -> Option<S> {
        self.settings
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.control.as_ref().and_then(Control::deadline)
    }

    /// Takes a packet; `settings` says what the protocol has agreed on, if that is enough.
    pub(super) fn handle_packet(
        &mut self,
        context: &mut Context,
        packet: Packet<'_>,
        settings: fn(&N) -> Option<S>,
    ) -> Result<Change<S>, DropReason> {
        let Some(control) = &mut self.control else { return Err(DropReason::ProtocolNotOpen) };
        let signals = control.handle_packet(context, packet)?;
        if ControlCode(packet.code) == ControlCode::TERMINATE_REQUEST && signals.down {
            self.failure = Some(NetworkFailure::PeerTerminated);
        }
        Ok(self.follow(context, signals, settings))
    }

    pub(super) fn handle_timeout(
        &mut self,
        context: &mut Context,
        settings: fn(&N) -> Option<S>,
    ) -> Change<S> {
        let Some(control) = &mut self.control else { return Change::None };
        let signals = control.handle_timeout(context);
        if signals.timed_out {
            self.failure.get_or_insert(NetworkFailure::Timeout);
        }
        self.follow(context, signals, settings)
    }

    /// The peer does not speak the protocol (RFC 1661 §5.7).
    pub(super) fn rejected(
        &mut self,
        context: &mut Context,
        settings: fn(&N) -> Option<S>,
    ) -> Change<S> {
        self.failure = Some(NetworkFailure::Rejected);
        let Some(control) = &mut self.control else { return Change::None };
        let signals = control.apply(context, Event::ReceiveRejectCatastrophic, None);
        self.follow(context, signals, settings)
    }

    fn follow(
        &mut self,
        context: &mut Context,
        signals: Signals,
        settings: fn(&N) -> Option<S>,
    ) -> Change<S> {
        let Some(control) = &mut self.control else { return Change::None };
        let was_open = self.settings.is_some();
        if signals.gave_up {
            self.failure = Some(NetworkFailure::NotConverging);
            let _: Signals = control.close(context, "Options could not be agreed on");
        }
        if signals.up {
            self.settings = settings(&control.negotiation);
            if self.settings.is_none() {
                self.failure = Some(NetworkFailure::NoAddress);
                let _: Signals = control.close(context, "No address");
            }
        }
        if !control.is_open() {
            self.settings = None;
        }
        if matches!(
            control.state(),
            State::ReqSent | State::AckRcvd | State::AckSent | State::Opened
        ) {
            self.failure = None;
        }
        match (was_open, self.settings) {
            (_, Some(agreed)) if signals.up => Change::Up(agreed),
            (true, None) => Change::Down,
            _ if signals.finished => self.failure.map_or(Change::None, Change::Failed),
            _ => Change::None,
        }
    }
}
