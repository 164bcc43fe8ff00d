use alloc::boxed::Box;

use vpn_core::DropReason;

use super::Link;
use super::Stage;
use super::network::Network;
use crate::AnswerError;
use crate::AuthFailure;
use crate::AuthMethod;
use crate::AuthVerdict;
use crate::Authenticated;
use crate::CloseReason;
use crate::Credentials;
use crate::Event;
use crate::Packet;
use crate::Protocol;
use crate::Side;
use crate::Ticket;
use crate::auth::Authentication;
use crate::auth::Authenticator;
use crate::auth::Prover;
use crate::auth::Step;

/// The Authenticate phase, and proofs that are asked for again later.
impl Link {
    /// LCP is open: has the ends prove themselves as LCP agreed.
    pub(super) fn authenticate(&mut self, demanded: Option<AuthMethod>, owed: Option<AuthMethod>) {
        let must_demand = !self.context.config.authenticate_with.is_empty();
        if must_demand && demanded.is_none() {
            // LCP does not open like that; the phase must not depend on it.
            let reason = self.lcp.negotiation.failure(&self.context.config);
            return self.shut(reason);
        }
        if owed.is_none() && self.context.config.demands_mutual_proof() {
            return self.shut(CloseReason::PeerUnproved);
        }
        let (spent, context) = (self.spent, &mut self.context);
        if let Some(failure) = demanded.and_then(|method| spent.refusal(method, context)) {
            return self.shut(CloseReason::AuthFailed(failure));
        }
        let challenge = |method| Box::new(Authenticator::start(method, spent, context));
        let authenticator = demanded.map(challenge);
        let prover = owed.map(|method| Box::new(Prover::start(method, &mut self.context)));
        let authentication = Authentication { authenticator, prover };
        self.stage = Stage::Authenticate(Box::new(authentication));
        self.enter_network();
    }

    /// Goes on to the network phase if every proof has been given and checked.
    pub(super) fn enter_network(&mut self) {
        let stage = core::mem::replace(&mut self.stage, Stage::Establish);
        self.stage = match stage {
            Stage::Authenticate(authentication) => match authentication.verified() {
                Ok(verified) => {
                    self.initial_received = None;
                    Stage::Network(Box::new(Network::start(verified, &mut self.context)))
                }
                Err(authentication) => Stage::Authenticate(authentication),
            },
            other => other,
        };
    }

    pub(super) fn take_proof(
        &mut self,
        protocol: Protocol,
        packet: Packet<'_>,
    ) -> Result<(), DropReason> {
        let Some(authentication) = self.stage.authentication() else {
            return Err(DropReason::UnexpectedState);
        };
        let (side, step) = authentication.handle_packet(protocol, &packet, &mut self.context)?;
        self.after_step(side, step);
        Ok(())
    }

    pub(super) fn take_verdict(
        &mut self,
        ticket: Ticket,
        verdict: AuthVerdict,
    ) -> Result<(), AnswerError> {
        let authentication = self.stage.authentication().ok_or(AnswerError::Stale)?;
        let authenticator = authentication.authenticator.as_mut().ok_or(AnswerError::Stale)?;
        let step = authenticator.answer(ticket, verdict, &mut self.context)?;
        self.after_step(Side::Peer, step);
        Ok(())
    }

    pub(super) fn take_credentials(
        &mut self,
        ticket: Ticket,
        credentials: Option<Credentials>,
    ) -> Result<(), AnswerError> {
        let authentication = self.stage.authentication().ok_or(AnswerError::Stale)?;
        let prover = authentication.prover.as_mut().ok_or(AnswerError::Stale)?;
        let step = prover.answer(ticket, credentials, &mut self.context)?;
        self.after_step(Side::Local, step);
        Ok(())
    }

    pub(super) fn authentication_timeout(&mut self) {
        for side in [Side::Peer, Side::Local] {
            let Some(authentication) = self.stage.authentication() else { return };
            let step = authentication.handle_timeout(side, &mut self.context);
            self.after_step(side, step);
        }
    }

    /// Whether the link depends on a protocol that the peer rejects.
    pub(super) fn needs(&mut self, protocol: Protocol) -> bool {
        let Some(authentication) = self.stage.authentication() else { return false };
        let methods = [Side::Peer, Side::Local].map(|side| authentication.method(side));
        methods.into_iter().flatten().any(|method| method.protocol() == protocol)
    }

    /// LCP goes down, but what the peer has tried is not forgotten.
    pub(super) fn note_spent(&mut self) {
        if let Some(Authentication { authenticator: Some(authenticator), .. }) =
            self.stage.authentication()
        {
            self.spent = authenticator.spent();
        }
    }

    /// The proof of the peer that was not taken, where it could have tried again.
    pub(super) fn refused_proof(&mut self) -> Option<AuthFailure> {
        self.stage.authentication()?.authenticator.as_ref()?.refusal()
    }

    /// Acts on what became of the proof of one side.
    fn after_step(&mut self, side: Side, step: Step) {
        match step {
            Step::None => {}
            Step::Done => self.proved(side),
            Step::Failed(failure) => self.shut(CloseReason::AuthFailed(failure)),
            Step::Close(reason) => self.shut(reason),
            Step::TimedOut => {
                let method = self.stage.authentication().and_then(|a| a.method(side));
                let method = method.unwrap_or(AuthMethod::Pap);
                self.shut(CloseReason::AuthTimeout { side, method });
            }
        }
    }

    /// One side has proved itself. Only the first time is news.
    fn proved(&mut self, side: Side) {
        let Stage::Authenticate(authentication) = &self.stage else { return };
        let found = match side {
            Side::Peer => authentication
                .authenticator
                .as_ref()
                .map(|a| (a.peer_name().unwrap_or_default().into(), a.method())),
            Side::Local => {
                authentication.prover.as_ref().map(|p| (Prover::name(&self.context), p.method()))
            }
        };
        if let Some((name, method)) = found {
            self.context.event(Event::Authenticated(Authenticated { side, name, method }));
        }
        self.enter_network();
    }
}

impl Stage {
    /// The authentication protocols, where they may speak.
    fn authentication(&mut self) -> Option<&mut Authentication> {
        match self {
            Self::Authenticate(authentication) => Some(authentication),
            Self::Network(network) => Some(network.authentication()),
            Self::Dead | Self::Establish | Self::Terminate | Self::Closed => None,
        }
    }
}
