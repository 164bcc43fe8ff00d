//! Answers to what peers asked for.

use vpn_core::Instant;

use super::calls::request_event;
use crate::AnswerError;
use crate::CallState;
use crate::Endpoint;
use crate::SessionAnswer;
use crate::SessionCloseReason;
use crate::SessionTicket;
use crate::TunnelAnswer;
use crate::TunnelCloseReason;
use crate::TunnelTicket;
use crate::tunnel::Phase;
use crate::tunnel::state::TunnelState;

impl Endpoint {
    /// Answers [`Event::TunnelRequest`](crate::Event::TunnelRequest).
    ///
    /// # Errors
    /// [`AnswerError::Gone`] where nothing waits for this answer any more.
    pub fn answer_tunnel(
        &mut self,
        now: Instant,
        ticket: TunnelTicket,
        answer: TunnelAnswer,
    ) -> Result<(), AnswerError> {
        self.advance(now);
        let handle = ticket.0;
        let waits = self
            .tunnels
            .get(handle.0)
            .is_some_and(|tunnel| tunnel.phase == Phase::Open && tunnel.state == TunnelState::Idle);
        if !waits {
            return Err(AnswerError::Gone);
        }
        match answer {
            TunnelAnswer::Accept(config) => self.accept_sccrq(handle, config),
            TunnelAnswer::Reject(result) => {
                self.reject_sccrq(handle, TunnelCloseReason::Local(result));
            }
        }
        self.settle(handle);
        Ok(())
    }

    /// Answers [`Event::SessionRequest`](crate::Event::SessionRequest).
    ///
    /// # Errors
    /// [`AnswerError::Gone`] where nothing waits for this answer any more.
    pub fn answer_session(
        &mut self,
        now: Instant,
        ticket: SessionTicket,
        answer: SessionAnswer,
    ) -> Result<(), AnswerError> {
        self.advance(now);
        let handle = ticket.0;
        let session = self.session_mut(handle).filter(|session| session.state == CallState::Idle);
        let Some(session) = session else { return Err(AnswerError::Gone) };
        let (tunnel, kind) = (session.tunnel, session.kind);
        let reason = match answer {
            SessionAnswer::Accept => None,
            SessionAnswer::AcceptWith { sequencing, physical_channel } => {
                if !kind.is_lac() {
                    session.sequence.set_sending(sequencing);
                }
                if let Some(setup) = &mut session.setup {
                    setup.physical_channel = physical_channel;
                }
                None
            }
            SessionAnswer::Reject(result) => Some(SessionCloseReason::Local(result)),
        };
        self.call_event(handle, request_event(kind, reason.is_none()), reason);
        self.settle(tunnel);
        Ok(())
    }
}
