//! The engine that LCP and the network control protocols share: the automaton with its counters and
//! timer, and the rules for requests and their replies (RFC 1661 §4–5).

mod negotiation;
mod request;

use alloc::boxed::Box;
use alloc::vec::Vec;

use vpn_core::DropReason;
use vpn_core::Instant;

pub(crate) use negotiation::Negotiation;
pub(crate) use negotiation::Verdict;

use crate::ControlCode;
use crate::Options;
use crate::Packet;
use crate::automaton::Action;
use crate::automaton::Event;
use crate::automaton::State;
use crate::automaton::transition;
use crate::context::Context;
use crate::text::wire_text;

/// One control protocol of a link.
pub(crate) struct Control<N> {
    pub(crate) negotiation: N,
    state: State,
    /// The Restart counter (RFC 1661 §4.6).
    restarts: u8,
    /// Configure-Naks sent since the last Configure-Ack, for Max-Failure.
    naks: u8,
    /// Replies to our requests since the layer was last open.
    rounds: u8,
    /// Requests of the peer that were refused, in a row.
    refusals: u8,
    /// The last Identifier used.
    identifier: u8,
    /// The Identifier of the Configure-Request that has no valid reply yet.
    outstanding: Option<u8>,
    /// The peer's request that was acknowledged last.
    acknowledged: Option<Acknowledged>,
    deadline: Option<Instant>,
    /// What to say in Terminate-Requests.
    farewell: Option<Box<str>>,
}

struct Acknowledged {
    identifier: u8,
    /// How often it was acknowledged again while open.
    repeats: u8,
    options: Box<[u8]>,
}

/// What the automaton tells the layers around it.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Signals {
    /// tlu.
    pub(crate) up: bool,
    /// tld.
    pub(crate) down: bool,
    /// tlf.
    pub(crate) finished: bool,
    /// The peer answered no Configure-Request; comes with `finished`.
    pub(crate) timed_out: bool,
    /// The negotiation cannot succeed: the owner must close the layer.
    pub(crate) gave_up: bool,
}

/// What became of a packet: dropped for a reason, or taken.
pub(crate) type Taken = Result<Signals, DropReason>;

impl<N: Negotiation> Control<N> {
    /// A layer whose lower layer is down and that nobody has asked for.
    pub(crate) const fn new(negotiation: N) -> Self {
        Self {
            negotiation,
            state: State::Initial,
            restarts: 0,
            naks: 0,
            rounds: 0,
            refusals: 0,
            identifier: 0,
            outstanding: None,
            acknowledged: None,
            deadline: None,
            farewell: None,
        }
    }

    pub(crate) const fn state(&self) -> State {
        self.state
    }

    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, State::Opened)
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The options that our last or next Configure-Request asks for.
    pub(crate) fn requested(&self) -> Box<[u8]> {
        let mut options = Vec::new();
        self.negotiation.request(&mut options);
        options.into()
    }

    /// The options of the peer that were acknowledged last.
    pub(crate) fn acknowledged(&self) -> &[u8] {
        self.acknowledged.as_ref().map_or(&[], |acknowledged| &acknowledged.options)
    }

    /// The lower layer is up and the layer is wanted.
    pub(crate) fn start(&mut self, context: &mut Context) -> Signals {
        self.forget_negotiation(context);
        let open = self.apply(context, Event::Open, None);
        let up = self.apply(context, Event::Up, None);
        Signals { down: open.down || up.down, ..up }
    }

    /// Negotiates anew, whatever the state: the lower layer goes down and comes up again
    /// (RFC 1661 §4.3, Open).
    pub(crate) fn renegotiate(&mut self, context: &mut Context) -> Signals {
        let down = self.apply(context, Event::Down, None);
        let up = self.start(context);
        Signals { down: down.down || up.down, ..up }
    }

    /// Ends the layer, saying why in the Terminate-Request.
    pub(crate) fn close(&mut self, context: &mut Context, farewell: &str) -> Signals {
        self.farewell = Some(Box::from(wire_text(farewell)));
        self.apply(context, Event::Close, None)
    }

    /// Opens without a negotiation: somebody else has led it (RFC 2661 §4.4.5).
    pub(crate) fn assume_open(&mut self, context: &Context, peer: N::Peer, peer_options: &[u8]) {
        self.negotiation.granted(peer);
        self.remember(0, peer_options);
        self.outstanding = None;
        self.state = State::Opened;
        // An open layer has its count for the day that it must negotiate anew.
        self.initialize_restart_count(context);
    }

    pub(crate) fn handle_timeout(&mut self, context: &mut Context) -> Signals {
        if self.deadline.is_none_or(|at| at > context.now) {
            return Signals::default();
        }
        self.deadline = None;
        let event = if self.restarts > 0 { Event::TimeoutPositive } else { Event::TimeoutNegative };
        self.apply(context, event, None)
    }

    /// Takes a packet with one of the codes 1 to 7, or one that the protocol does not know.
    pub(crate) fn handle_packet(&mut self, context: &mut Context, packet: Packet<'_>) -> Taken {
        if matches!(self.state, State::Initial | State::Starting) {
            return Err(DropReason::UnexpectedState);
        }
        match ControlCode(packet.code) {
            ControlCode::CONFIGURE_REQUEST => self.configure_request(context, packet),
            ControlCode::CONFIGURE_ACK => self.configure_ack(context, packet),
            ControlCode::CONFIGURE_NAK | ControlCode::CONFIGURE_REJECT => {
                self.configure_nak(context, packet)
            }
            ControlCode::TERMINATE_REQUEST => {
                Ok(self.apply(context, Event::ReceiveTerminateRequest, Some(packet)))
            }
            ControlCode::TERMINATE_ACK => {
                self.ask_anew(context);
                Ok(self.apply(context, Event::ReceiveTerminateAck, None))
            }
            ControlCode::CODE_REJECT => self.code_reject(context, packet),
            _ => Ok(self.unknown_code(context, packet)),
        }
    }

    /// Runs one cell of the table. `reply` is the packet that sca, scn, scj or ser sends; sta takes
    /// its Identifier.
    pub(crate) fn apply(
        &mut self,
        context: &mut Context,
        event: Event,
        reply: Option<Packet<'_>>,
    ) -> Signals {
        let mut signals = Signals::default();
        let Some(transition) = transition(self.state, event) else { return signals };
        let negotiating = matches!(self.state, State::ReqSent | State::AckRcvd | State::AckSent);
        self.state = transition.next;
        for action in transition.actions {
            match action {
                Action::ThisLayerUp => signals.up = true,
                Action::ThisLayerDown => signals.down = true,
                Action::ThisLayerStarted => {}
                Action::ThisLayerFinished => {
                    signals.finished = true;
                    signals.timed_out = negotiating && event == Event::TimeoutNegative;
                }
                Action::InitializeRestartCount => self.initialize_restart_count(context),
                Action::ZeroRestartCount => {
                    self.restarts = 0;
                    // The peer is to have at least one whole Restart time (RFC 1661 §3.7).
                    self.deadline = Some(context.now + context.config.restart.period);
                }
                Action::SendConfigureRequest => {
                    self.send_configure_request(context, event == Event::TimeoutPositive);
                }
                Action::SendTerminateRequest => self.send_terminate_request(context),
                Action::SendTerminateAck => {
                    let identifier = reply.map_or(0, |packet| packet.identifier);
                    context.send(N::PROTOCOL, ControlCode::TERMINATE_ACK.0, identifier, |_| {});
                }
                Action::SendConfigureAck
                | Action::SendConfigureNak
                | Action::SendCodeReject
                | Action::SendEchoReply => {
                    if let Some(packet) = reply {
                        context.send(N::PROTOCOL, packet.code, packet.identifier, |out| {
                            out.extend_from_slice(packet.data);
                        });
                    }
                }
            }
        }
        if !self.state.has_restart_timer() {
            self.deadline = None;
        }
        if signals.up {
            self.forget_turns();
            self.negotiation.opened();
        }
        signals
    }

    /// The peer has a layer negotiated anew that is open, or has given up: what the last
    /// negotiation came to is forgotten, and the configuration counts.
    fn ask_anew(&mut self, context: &mut Context) {
        if matches!(self.state, State::Opened | State::Stopped) {
            self.forget_negotiation(context);
        }
    }

    fn forget_negotiation(&mut self, context: &mut Context) {
        self.negotiation.restart(context);
        self.forget_turns();
    }

    const fn forget_turns(&mut self) {
        (self.naks, self.rounds, self.refusals) = (0, 0, 0);
    }

    /// Whether the ends have gone on for so long that nothing will come of it.
    const fn is_endless(&self) -> bool {
        self.rounds > MAX_ROUNDS || self.refusals > MAX_ROUNDS
    }

    /// An Identifier that was not used before, or long ago.
    pub(crate) const fn next_identifier(&mut self) -> u8 {
        self.identifier = self.identifier.wrapping_add(1);
        self.identifier
    }

    fn initialize_restart_count(&mut self, context: &Context) {
        self.restarts = self.max_restarts(context);
    }

    /// Max-Terminate or Max-Configure.
    fn max_restarts(&self, context: &Context) -> u8 {
        let restart = &context.config.restart;
        match self.state {
            State::Closing | State::Stopping => restart.max_terminate,
            _ => restart.max_configure,
        }
    }

    /// A request has gone out: counts it, and waits for its answer.
    fn start_restart_timer(&mut self, context: &Context) {
        self.restarts = self.restarts.saturating_sub(1);
        let nth = self.max_restarts(context).saturating_sub(self.restarts);
        self.deadline = Some(context.restart_deadline(nth));
    }

    /// A retransmission keeps the Identifier while no valid reply has come, so that a late reply
    /// still counts (RFC 1661 §5.1).
    fn send_configure_request(&mut self, context: &mut Context, again: bool) {
        let identifier = match self.outstanding {
            Some(identifier) if again => identifier,
            _ => self.next_identifier(),
        };
        self.outstanding = Some(identifier);
        let negotiation = &self.negotiation;
        context.send(N::PROTOCOL, ControlCode::CONFIGURE_REQUEST.0, identifier, |out| {
            negotiation.request(out);
        });
        self.start_restart_timer(context);
    }

    fn send_terminate_request(&mut self, context: &mut Context) {
        let identifier = self.next_identifier();
        let farewell = self.farewell.as_deref().unwrap_or_default().as_bytes();
        context.send(N::PROTOCOL, ControlCode::TERMINATE_REQUEST.0, identifier, |out| {
            out.extend_from_slice(farewell);
        });
        self.start_restart_timer(context);
    }

    fn configure_ack(&mut self, context: &mut Context, packet: Packet<'_>) -> Taken {
        if self.outstanding != Some(packet.identifier) || *packet.data != *self.requested() {
            return Err(DropReason::UnexpectedState);
        }
        self.outstanding = None;
        let signals = self.apply(context, Event::ReceiveConfigureAck, Some(packet));
        if !signals.up {
            // The Restart counter starts anew, so a peer that only acknowledges would never end.
            self.rounds = self.rounds.saturating_add(1);
        }
        Ok(Signals { gave_up: self.is_endless(), ..signals })
    }

    fn configure_nak(&mut self, context: &mut Context, packet: Packet<'_>) -> Taken {
        if self.outstanding != Some(packet.identifier) {
            return Err(DropReason::UnexpectedState);
        }
        if let Some(error) = Options::new(packet.data).find_map(Result::err) {
            return Err(error.into());
        }
        if ControlCode(packet.code) == ControlCode::CONFIGURE_REJECT {
            let requested = self.requested();
            let was_asked = |option| Options::new(&requested).flatten().any(|own| own == option);
            if !Options::new(packet.data).flatten().all(was_asked) {
                return Err(DropReason::Malformed);
            }
            for option in Options::new(packet.data).flatten() {
                self.negotiation.reject(&option, context);
            }
        } else {
            for option in Options::new(packet.data).flatten() {
                self.negotiation.nak(&option, context);
            }
        }
        self.outstanding = None;
        self.rounds = self.rounds.saturating_add(1);
        if self.negotiation.has_failed() || self.is_endless() {
            return Ok(Signals { gave_up: true, ..Signals::default() });
        }
        Ok(self.apply(context, Event::ReceiveConfigureNak, Some(packet)))
    }

    /// A Code-Reject of one of the codes 1 to 7 is catastrophic, of any other permitted
    /// (RFC 1661 §4.3, §5.6).
    fn code_reject(&mut self, context: &mut Context, packet: Packet<'_>) -> Taken {
        let [code, ..] = *packet.data else { return Err(DropReason::Truncated) };
        let fundamental = ControlCode::CONFIGURE_REQUEST.0..=ControlCode::CODE_REJECT.0;
        let event = if fundamental.contains(&code) {
            Event::ReceiveRejectCatastrophic
        } else {
            Event::ReceiveRejectPermitted
        };
        Ok(self.apply(context, event, None))
    }

    fn unknown_code(&mut self, context: &mut Context, packet: Packet<'_>) -> Signals {
        let mut copy = Vec::new();
        if packet.encode(&mut copy).is_err() {
            return Signals::default();
        }
        copy.truncate(context.room());
        let (code, identifier) = (ControlCode::CODE_REJECT.0, self.next_identifier());
        let reply = Packet { code, identifier, data: &copy };
        self.apply(context, Event::ReceiveUnknownCode, Some(reply))
    }

    fn remember(&mut self, identifier: u8, options: &[u8]) {
        self.acknowledged = Some(Acknowledged { identifier, repeats: 0, options: options.into() });
    }
}

/// After this many replies without an agreement, or requests refused in a row, the layer gives up:
/// each may change an option once or twice, and none has ten.
const MAX_ROUNDS: u8 = 20;
