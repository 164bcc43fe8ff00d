use alloc::boxed::Box;
use alloc::vec::Vec;

use vpn_core::DropReason;
use vpn_core::Instant;
use vpn_core::ct_eq;

use super::AuthMethod;
use super::ChapCode;
use super::ChapPacket;
use super::MsChapFailure;
use super::MsChapV2;
use super::MsChapV2Response;
use super::NtPasswordHash;
use super::PapCode;
use super::PapPacket;
use super::Step;
use super::chap_md5_response;
use super::mschapv2::parse_success;
use crate::AnswerError;
use crate::AuthFailure;
use crate::CloseReason;
use crate::Credentials;
use crate::CredentialsRequest;
use crate::Event;
use crate::Side;
use crate::Ticket;
use crate::context::Context;
use crate::text::sanitised;

/// The end that proves its identity.
pub(crate) struct Prover {
    method: AuthMethod,
    state: State,
    /// The Identifier of the Response, or of the last Authenticate-Request.
    identifier: u8,
    answered: Option<Answered>,
    sent: u8,
    resend: Option<Instant>,
    give_up: Option<Instant>,
}

enum State {
    /// For a Challenge.
    Waiting,
    /// For the reply to our proof.
    Sent,
    /// For other credentials.
    Asking {
        ticket: Ticket,
        failure: Box<MsChapFailure>,
    },
    Proved,
}

/// The challenge that was answered last, and the answer.
struct Answered {
    identifier: u8,
    challenge: Box<[u8]>,
    /// The data of the Response packet.
    response: Box<[u8]>,
    /// What the authenticator must prove in its Success (RFC 2759 §5).
    expected: Option<[u8; 20]>,
}

impl Prover {
    /// Sends an Authenticate-Request, or waits for a Challenge.
    pub(crate) fn start(method: AuthMethod, context: &mut Context) -> Self {
        let mut this = Self {
            method,
            state: State::Waiting,
            identifier: 0,
            answered: None,
            sent: 0,
            resend: None,
            give_up: Some(context.now + context.config.auth_timeout),
        };
        if method == AuthMethod::Pap {
            this.state = State::Sent;
            this.send_request(context);
        }
        this
    }

    pub(crate) const fn method(&self) -> AuthMethod {
        self.method
    }

    pub(crate) const fn has_proved(&self) -> bool {
        matches!(self.state, State::Proved)
    }

    /// The name under which we prove ourselves.
    pub(crate) fn name(context: &Context) -> Box<[u8]> {
        context.credentials().map_or(&[][..], |credentials| credentials.name.as_bytes()).into()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.resend, self.give_up].into_iter().flatten().min()
    }

    pub(crate) fn handle_timeout(&mut self, context: &mut Context) -> Step {
        let due = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= context.now);
        if due(self.give_up) {
            (self.resend, self.give_up) = (None, None);
            return Step::TimedOut;
        }
        if due(self.resend) {
            self.resend = None;
            // After that the authenticator may still be thinking: its time is up at `give_up`.
            if self.sent < context.config.restart.max_configure {
                self.send_again(context);
            }
        }
        Step::None
    }

    /// An Authenticate-Ack or Authenticate-Nak.
    pub(crate) fn handle_pap(
        &mut self,
        identifier: u8,
        accepted: bool,
        message: &[u8],
    ) -> Result<Step, DropReason> {
        // Each repetition has an Identifier of its own (RFC 1334 §2.2.1), and a late reply may name
        // an earlier one.
        let is_ours = self.identifier.wrapping_sub(identifier) < self.sent;
        if self.method != AuthMethod::Pap || !is_ours {
            return Err(DropReason::UnexpectedState);
        }
        if !matches!(self.state, State::Sent) {
            return Err(DropReason::Duplicate);
        }
        (self.resend, self.give_up) = (None, None);
        if accepted {
            self.state = State::Proved;
            return Ok(Step::Done);
        }
        Ok(Step::Failed(self.failure(None, message)))
    }

    /// A Challenge. `own_challenge` is one that the peer has yet to answer: if it sends that back,
    /// it wants us to answer for it.
    pub(crate) fn handle_challenge(
        &mut self,
        identifier: u8,
        challenge: &[u8],
        own_challenge: Option<&[u8]>,
        context: &mut Context,
    ) -> Result<Step, DropReason> {
        let right_length = match self.method {
            AuthMethod::Pap => return Err(DropReason::ProtocolNotOpen),
            AuthMethod::ChapMd5 => !challenge.is_empty(),
            AuthMethod::MsChapV2 => challenge.len() == 16,
        };
        if !right_length {
            return Err(DropReason::Malformed);
        }
        if own_challenge == Some(challenge) {
            return Ok(Step::Close(CloseReason::Reflected));
        }
        let same = |a: &&Answered| a.identifier == identifier && *a.challenge == *challenge;
        if self.answered.as_ref().is_some_and(|a| same(&a)) {
            // The Response was lost, or this is a copy.
            if !matches!(self.state, State::Asking { .. }) {
                self.send_response(context);
            }
            return Ok(Step::None);
        }
        self.respond(identifier, challenge, context);
        Ok(Step::None)
    }

    /// A Success.
    pub(crate) fn handle_success(
        &mut self,
        identifier: u8,
        text: &[u8],
    ) -> Result<Step, DropReason> {
        let expected = self.expect_reply(identifier)?.expected;
        if let Some(expected) = expected {
            let genuine = parse_success(text).is_some_and(|(proof, _)| ct_eq(&proof, &expected));
            if !genuine {
                return Ok(Step::Close(CloseReason::NotGenuine));
            }
        }
        (self.resend, self.give_up) = (None, None);
        self.state = State::Proved;
        Ok(Step::Done)
    }

    /// A Failure.
    pub(crate) fn handle_failure(
        &mut self,
        identifier: u8,
        text: &[u8],
        context: &mut Context,
    ) -> Result<Step, DropReason> {
        self.expect_reply(identifier)?;
        (self.resend, self.give_up) = (None, None);
        let parsed = MsChapFailure::parse(text).filter(|_| self.method == AuthMethod::MsChapV2);
        let Some(failure) = parsed else { return Ok(Step::Failed(self.failure(None, text))) };
        if failure.retry && failure.challenge.is_some() && context.config.ask_for_credentials {
            let ticket = context.ticket();
            self.give_up = Some(context.now + context.config.auth_timeout);
            self.state = State::Asking { ticket, failure: Box::new(failure.clone()) };
            context.event(Event::CredentialsRequest(CredentialsRequest { ticket, failure }));
            return Ok(Step::None);
        }
        Ok(Step::Failed(self.failure(Some(&failure), &[])))
    }

    /// The caller's other credentials, or `None` to give in.
    pub(crate) fn answer(
        &mut self,
        ticket: Ticket,
        credentials: Option<Credentials>,
        context: &mut Context,
    ) -> Result<Step, AnswerError> {
        let State::Asking { ticket: asked, failure } = &self.state else {
            return Err(AnswerError::Stale);
        };
        if *asked != ticket {
            return Err(AnswerError::Stale);
        }
        match (credentials, failure.challenge) {
            (Some(credentials), Some(challenge)) => {
                context.replace_credentials(credentials);
                self.respond(self.identifier.wrapping_add(1), &challenge, context);
                Ok(Step::None)
            }
            _ => Ok(Step::Failed(self.failure(Some(&failure.clone()), &[]))),
        }
    }

    /// The exchange that a reply with this Identifier belongs to.
    fn expect_reply(&self, identifier: u8) -> Result<&Answered, DropReason> {
        match (&self.answered, &self.state) {
            (Some(answered), State::Sent) if self.identifier == identifier => Ok(answered),
            (Some(_), State::Proved) if self.identifier == identifier => Err(DropReason::Duplicate),
            // A reply to nothing counts for nothing, least of all a Success.
            _ => Err(DropReason::UnexpectedState),
        }
    }

    /// Computes and sends the Response to a new challenge.
    fn respond(&mut self, identifier: u8, challenge: &[u8], context: &mut Context) {
        let Some(credentials) = context.credentials().cloned() else { return };
        let (name, password) = (credentials.name.as_bytes(), credentials.password.expose());
        let provider = context.provider;
        let mut response = Vec::new();
        let expected = if let (AuthMethod::MsChapV2, Ok(authenticator_challenge)) =
            (self.method, challenge.try_into())
        {
            let peer_challenge = &context.random();
            let exchange = MsChapV2 { authenticator_challenge, peer_challenge, name };
            let hash = NtPasswordHash::of_password(provider, password);
            let nt_response = exchange.nt_response(provider, &hash);
            let value = MsChapV2Response { peer_challenge: *peer_challenge, nt_response }.encode();
            ChapPacket::Response { value: &value, name }.encode_data(&mut response);
            Some(exchange.authenticator_response(provider, &hash, &nt_response))
        } else {
            let value = chap_md5_response(provider, identifier, password, challenge);
            ChapPacket::Response { value: &value, name }.encode_data(&mut response);
            None
        };
        let (challenge, response) = (challenge.into(), response.into());
        self.answered = Some(Answered { identifier, challenge, response, expected });
        self.identifier = identifier;
        self.state = State::Sent;
        self.sent = 0;
        self.give_up = Some(context.now + context.config.auth_timeout);
        self.send_response(context);
    }

    fn send_again(&mut self, context: &mut Context) {
        match self.method {
            AuthMethod::Pap => self.send_request(context),
            AuthMethod::ChapMd5 | AuthMethod::MsChapV2 => self.send_response(context),
        }
    }

    fn send_response(&mut self, context: &mut Context) {
        let Some(answered) = &self.answered else { return };
        let code = ChapCode::RESPONSE.0;
        context.send(self.method.protocol(), code, answered.identifier, |out| {
            out.extend_from_slice(&answered.response);
        });
        if matches!(self.state, State::Sent) {
            self.sent = self.sent.saturating_add(1);
            self.resend = Some(context.restart_deadline(self.sent));
        }
    }

    fn send_request(&mut self, context: &mut Context) {
        let Some(credentials) = context.credentials().cloned() else { return };
        let request = PapPacket::Request {
            peer_id: credentials.name.as_bytes(),
            password: credentials.password.expose(),
        };
        self.identifier = self.identifier.wrapping_add(1);
        self.sent = self.sent.saturating_add(1);
        let code = PapCode::AUTHENTICATE_REQUEST.0;
        context.send(self.method.protocol(), code, self.identifier, |out| request.encode_data(out));
        self.resend = Some(context.restart_deadline(self.sent));
    }

    fn failure(&self, failure: Option<&MsChapFailure>, text: &[u8]) -> AuthFailure {
        AuthFailure {
            side: Side::Local,
            method: self.method,
            error: failure.map(|failure| failure.error),
            retry: failure.is_some_and(|failure| failure.retry),
            message: failure.map_or_else(|| sanitised(text), |failure| failure.message.clone()),
        }
    }
}
