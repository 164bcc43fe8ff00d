use alloc::vec::Vec;

use super::Acknowledged;
use super::Control;
use super::Negotiation;
use super::Signals;
use super::Taken;
use super::Verdict;
use crate::ControlCode;
use crate::Options;
use crate::Packet;
use crate::automaton::Event;
use crate::automaton::State;
use crate::context::Context;
use crate::option::SeenTypes;

/// The answer to a Configure-Request.
struct Judgement<P> {
    /// What to acknowledge; `None` when the reply is a Nak or Reject.
    granted: Option<P>,
    code: ControlCode,
    options: Vec<u8>,
}

impl<N: Negotiation> Control<N> {
    pub(super) fn configure_request(&mut self, context: &mut Context, packet: Packet<'_>) -> Taken {
        if self.state() == State::Opened && self.acknowledge_again(context, packet) {
            return Ok(Signals::default());
        }
        if matches!(self.state(), State::Closed | State::Closing | State::Stopping) {
            // No answer to the options is due, so nothing is judged.
            return Ok(self.apply(context, Event::ReceiveConfigureRequestBad, Some(packet)));
        }
        // An option that runs out of the packet makes the whole packet void, so none is judged
        // before all are read.
        if let Some(error) = Options::new(packet.data).find_map(Result::err) {
            return Err(error.into());
        }
        self.ask_anew(context);
        let judgement = self.judge(context, packet.data);
        self.refusals = match judgement.granted {
            Some(_) => 0,
            None => self.refusals.saturating_add(1),
        };
        if self.negotiation.has_failed() || self.is_endless() {
            return Ok(Signals { gave_up: true, ..Signals::default() });
        }
        let (code, identifier) = (judgement.code.0, packet.identifier);
        let reply = Packet { code, identifier, data: &judgement.options };
        let event = match judgement.granted {
            Some(peer) => {
                self.negotiation.granted(peer);
                self.remember(identifier, packet.data);
                self.naks = 0;
                Event::ReceiveConfigureRequestGood
            }
            None => {
                if judgement.code == ControlCode::CONFIGURE_NAK {
                    self.naks = self.naks.saturating_add(1);
                }
                Event::ReceiveConfigureRequestBad
            }
        };
        Ok(self.apply(context, event, Some(reply)))
    }

    /// Answers a copy of the request that was acknowledged last, and stays open.
    ///
    /// The Identifier must change when a valid reply has come (RFC 1661 §5.1), so the same request
    /// again means that the Acknowledgement is lost or that the network has doubled the packet; to
    /// negotiate anew for it, as the table does, would cost the session. A peer that insists is
    /// given the table's answer, for it may have lost its memory.
    fn acknowledge_again(&mut self, context: &mut Context, packet: Packet<'_>) -> bool {
        let same = |a: &&mut Acknowledged| {
            a.identifier == packet.identifier
                && *a.options == *packet.data
                && a.repeats < MAX_REPEATS
        };
        let Some(acknowledged) = self.acknowledged.as_mut().filter(same) else { return false };
        acknowledged.repeats += 1;
        context.send(N::PROTOCOL, ControlCode::CONFIGURE_ACK.0, packet.identifier, |out| {
            out.extend_from_slice(packet.data);
        });
        true
    }

    /// Judges every option, and puts the answer together (RFC 1661 §5.2–5.4): a Reject of what is
    /// not wanted, else a Nak of what must be otherwise, else an Ack.
    fn judge(&mut self, context: &mut Context, request: &[u8]) -> Judgement<N::Peer> {
        let mut peer = N::Peer::default();
        let mut seen = SeenTypes::default();
        let (mut nak, mut rejected) = (Vec::new(), Vec::new());
        let converging = self.naks < context.config.restart.max_failure;
        for option in Options::new(request).flatten() {
            let verdict = if seen.insert(option.kind) {
                self.negotiation.judge(&option, &mut peer, &mut nak, context)
            } else {
                Verdict::Reject
            };
            match verdict {
                Verdict::Ack => {}
                Verdict::Nak if converging => {}
                Verdict::Nak | Verdict::Reject => option.encode(&mut rejected),
            }
        }
        if !rejected.is_empty() {
            let code = ControlCode::CONFIGURE_REJECT;
            return Judgement { granted: None, code, options: rejected };
        }
        if converging {
            self.negotiation.prompt(seen, &mut nak, context);
            if !nak.is_empty() {
                let code = ControlCode::CONFIGURE_NAK;
                return Judgement { granted: None, code, options: nak };
            }
        }
        let code = ControlCode::CONFIGURE_ACK;
        Judgement { granted: Some(peer), code, options: request.to_vec() }
    }
}

/// How often the same request is acknowledged again before it counts as a new one.
const MAX_REPEATS: u8 = 3;
