use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use vpn_core::DropReason;
use vpn_core::Instant;
use vpn_core::SecretBytes;

use super::AuthMethod;
use super::AuthRequest;
use super::AuthVerdict;
use super::ChapCode;
use super::ChapPacket;
use super::MsChapError;
use super::MsChapFailure;
use super::MsChapV2Response;
use super::PapCode;
use super::PapPacket;
use super::Proof;
use super::Rejection;
use super::Step;
use super::mschapv2::encode_success;
use crate::AnswerError;
use crate::AuthFailure;
use crate::Event;
use crate::Packet;
use crate::ProxyAuth;
use crate::Side;
use crate::Ticket;
use crate::context::Context;
use crate::text::wire_text;

/// The end that demands a proof of identity.
pub(crate) struct Authenticator {
    method: AuthMethod,
    state: State,
    /// The Identifier of the Challenge, or of the last Authenticate-Request.
    identifier: u8,
    challenge: Box<[u8]>,
    /// The reply that was given last: a proof with its Identifier is answered the same again
    /// (RFC 1994 §4.1, RFC 1334 §2.2.1).
    reply: Option<Reply>,
    /// Wrong proofs so far.
    attempts: u8,
    /// Why the last proof was not taken, while another may follow.
    refusal: Option<Box<AuthFailure>>,
    /// The peer's name once it has proved itself; stays while it does so again.
    name: Option<Box<[u8]>>,
    /// How often the Challenge was sent.
    sent: u8,
    resend: Option<Instant>,
    give_up: Option<Instant>,
    /// The proof came outside PPP, and the peer expects no reply (RFC 2661 §4.4.5, type 1).
    silent: bool,
}

enum State {
    /// For a proof.
    Waiting,
    /// For the caller's verdict on one.
    Deciding(Box<AuthRequest>),
    Accepted,
    Refused,
}

/// What a peer has used up of its chances to prove itself. It counts for the whole link: were it
/// forgotten with LCP, a peer that negotiates anew could guess for ever.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Proofs that were wrong, or whose verdict the peer did not wait for.
    attempts: u8,
    give_up: Option<Instant>,
}

struct Reply {
    identifier: u8,
    code: u8,
    text: Box<[u8]>,
}

impl Authenticator {
    /// Demands a proof: sends a Challenge, or waits for an Authenticate-Request. `spent` is what the
    /// peer had used up when LCP went down.
    pub(crate) fn start(method: AuthMethod, spent: Spent, context: &mut Context) -> Self {
        let mut this = Self::new(method, context);
        this.attempts = spent.attempts;
        this.give_up = spent.give_up.or(this.give_up);
        if method != AuthMethod::Pap {
            this.new_challenge(context);
            this.send_challenge(context);
        }
        this
    }

    /// Takes over from a LAC that has the peer's proof (RFC 2661 §4.4.5). `None` when the proof is
    /// not one of `method`.
    pub(crate) fn resume(
        method: AuthMethod,
        proof: ProxyAuth,
        context: &mut Context,
    ) -> Option<Self> {
        let mut this = Self::new(method, context);
        let (name, proof) = match (method, proof) {
            (AuthMethod::Pap, ProxyAuth::Pap { name, identifier, password }) => {
                this.identifier = identifier;
                (name, Proof::Pap { password })
            }
            (AuthMethod::Pap, ProxyAuth::Text { name, password }) => {
                this.silent = true;
                (name, Proof::Pap { password })
            }
            (_, ProxyAuth::Chap { name, challenge, identifier, response }) => {
                (this.identifier, this.challenge) = (identifier, challenge);
                (name, this.chap_proof(&response)?)
            }
            _ => return None,
        };
        this.ask(name, proof, context);
        Some(this)
    }

    fn new(method: AuthMethod, context: &Context) -> Self {
        Self {
            method,
            state: State::Waiting,
            identifier: 0,
            challenge: Box::default(),
            reply: None,
            attempts: 0,
            refusal: None,
            name: None,
            sent: 0,
            resend: None,
            give_up: Some(context.now + context.config.auth_timeout),
            silent: false,
        }
    }

    pub(crate) const fn method(&self) -> AuthMethod {
        self.method
    }

    /// The name of the peer, once it has proved itself.
    pub(crate) fn peer_name(&self) -> Option<&[u8]> {
        self.name.as_deref()
    }

    /// Why the peer would leave now: its last proof was not taken.
    pub(crate) fn refusal(&self) -> Option<AuthFailure> {
        self.refusal.as_deref().cloned()
    }

    /// What the peer has used up; nothing once it has proved itself.
    pub(crate) fn spent(&self) -> Spent {
        let unjudged = u8::from(matches!(self.state, State::Deciding(_)));
        Spent { attempts: self.attempts.saturating_add(unjudged), give_up: self.give_up }
    }

    /// The challenge that the peer may still answer.
    pub(crate) fn open_challenge(&self) -> Option<&[u8]> {
        Some(&*self.challenge).filter(|challenge| !challenge.is_empty())
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.resend, self.give_up].into_iter().flatten().min()
    }

    /// What a LAC passes on of a proof that nobody has judged yet.
    pub(crate) fn proxy_auth(&self) -> Option<ProxyAuth> {
        let State::Deciding(request) = &self.state else { return None };
        let name = request.name.clone();
        Some(match &request.proof {
            Proof::Pap { password } => {
                let (identifier, password) = (self.identifier, password.clone());
                ProxyAuth::Pap { name, identifier, password }
            }
            Proof::ChapMd5 { identifier, challenge, response } => ProxyAuth::Chap {
                name,
                challenge: challenge.clone(),
                identifier: *identifier,
                response: Box::new(*response),
            },
            Proof::MsChapV2 { identifier, challenge, response } => ProxyAuth::Chap {
                name,
                challenge: Box::new(*challenge),
                identifier: *identifier,
                response: Box::new(response.encode()),
            },
        })
    }

    /// Has the peer prove itself again (RFC 1994 §2).
    pub(crate) fn challenge_again(&mut self, context: &mut Context) {
        if self.method == AuthMethod::Pap || !matches!(self.state, State::Accepted) {
            return;
        }
        self.state = State::Waiting;
        self.give_up = Some(context.now + context.config.auth_timeout);
        self.sent = 0;
        self.new_challenge(context);
        self.send_challenge(context);
    }

    pub(crate) fn handle_timeout(&mut self, context: &mut Context) -> Step {
        let due = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= context.now);
        if due(self.give_up)
            || (due(self.resend) && self.sent >= context.config.restart.max_configure)
        {
            (self.resend, self.give_up) = (None, None);
            return Step::TimedOut;
        }
        if due(self.resend) {
            self.send_challenge(context);
        }
        Step::None
    }

    /// An Authenticate-Request.
    pub(crate) fn handle_pap(
        &mut self,
        identifier: u8,
        name: &[u8],
        password: &[u8],
        context: &mut Context,
    ) -> Result<Step, DropReason> {
        if self.method != AuthMethod::Pap {
            return Err(DropReason::ProtocolNotOpen);
        }
        match (&self.state, &self.reply) {
            (State::Waiting, _) => {
                self.identifier = identifier;
                let proof = Proof::Pap { password: SecretBytes::new(password) };
                self.ask(name.into(), proof, context);
                Ok(Step::None)
            }
            // The peer repeats itself under new Identifiers; the reply goes to the last one.
            (State::Deciding(request), _) => {
                if *request.name == *name {
                    self.identifier = identifier;
                }
                Err(DropReason::Duplicate)
            }
            (State::Accepted | State::Refused, Some(reply)) => {
                context.send(self.method.protocol(), reply.code, identifier, |out| {
                    out.extend_from_slice(&reply.text);
                });
                Ok(Step::None)
            }
            (State::Accepted | State::Refused, None) => Err(DropReason::UnexpectedState),
        }
    }

    /// A Response.
    pub(crate) fn handle_response(
        &mut self,
        identifier: u8,
        value: &[u8],
        name: &[u8],
        context: &mut Context,
    ) -> Result<Step, DropReason> {
        if self.method == AuthMethod::Pap {
            return Err(DropReason::ProtocolNotOpen);
        }
        if let Some(reply) = self.reply.as_ref().filter(|reply| reply.identifier == identifier) {
            context.send(self.method.protocol(), reply.code, identifier, |out| {
                out.extend_from_slice(&reply.text);
            });
            return Ok(Step::None);
        }
        if self.identifier != identifier {
            return Err(DropReason::UnexpectedState);
        }
        if !matches!(self.state, State::Waiting) {
            return Err(DropReason::Duplicate);
        }
        self.resend = None;
        if self.name.as_deref().is_some_and(|known| *known != *name) {
            // The session was given to the one who proved itself first (RFC 1994 §2).
            let mut rejection = final_rejection(MsChapError::AUTHENTICATION_FAILURE);
            rejection.message = String::from("The name has changed during the session");
            return Ok(self.refuse(rejection, context));
        }
        match self.chap_proof(value) {
            Some(proof) => {
                self.ask(name.into(), proof, context);
                Ok(Step::None)
            }
            // No right proof has this length.
            None => Ok(self.refuse(final_rejection(MsChapError::AUTHENTICATION_FAILURE), context)),
        }
    }

    /// A Change-Password packet (RFC 2759 §7): passwords are not changed here, and the peer is told.
    pub(crate) fn handle_change_password(
        &mut self,
        identifier: u8,
        context: &mut Context,
    ) -> Result<Step, DropReason> {
        if self.method != AuthMethod::MsChapV2 || !matches!(self.state, State::Waiting) {
            return Err(DropReason::UnexpectedState);
        }
        self.identifier = identifier;
        let mut rejection = final_rejection(MsChapError::CHANGING_PASSWORD);
        rejection.message = String::from("Passwords cannot be changed here");
        Ok(self.refuse(rejection, context))
    }

    /// The caller's verdict.
    pub(crate) fn answer(
        &mut self,
        ticket: Ticket,
        verdict: AuthVerdict,
        context: &mut Context,
    ) -> Result<Step, AnswerError> {
        let State::Deciding(request) = &mut self.state else { return Err(AnswerError::Stale) };
        if request.ticket != ticket {
            return Err(AnswerError::Stale);
        }
        let acceptance = match verdict {
            AuthVerdict::Accept(acceptance) => acceptance,
            AuthVerdict::Reject(rejection) => return Ok(self.refuse(rejection, context)),
        };
        let text = match (self.method, acceptance.authenticator_response) {
            (AuthMethod::MsChapV2, None) => return Err(AnswerError::NoAuthenticatorResponse),
            (AuthMethod::MsChapV2, Some(response)) => {
                encode_success(&response, wire_text(&acceptance.message)).into_bytes()
            }
            _ => Vec::from(wire_text(&acceptance.message)),
        };
        self.name = Some(core::mem::take(&mut request.name));
        self.state = State::Accepted;
        (self.attempts, self.refusal) = (0, None);
        (self.resend, self.give_up) = (None, None);
        self.reply(true, text, context);
        Ok(Step::Done)
    }

    /// Refuses the proof, and offers another attempt where the method has them.
    fn refuse(&mut self, rejection: Rejection, context: &mut Context) -> Step {
        self.attempts = self.attempts.saturating_add(1);
        let Rejection { error, retry, message } = rejection;
        let message = String::from(wire_text(&message));
        let is_ms_chap = self.method == AuthMethod::MsChapV2;
        let retry = retry && is_ms_chap && self.attempts < context.config.auth_attempts;
        if !is_ms_chap {
            self.state = State::Refused;
            self.reply(false, Vec::from(message.as_bytes()), context);
        } else {
            let challenge = context.random();
            let failure = MsChapFailure {
                error,
                retry,
                challenge: Some(challenge),
                version: 3,
                message: message.clone(),
            };
            self.state = if retry { State::Waiting } else { State::Refused };
            self.reply(false, failure.encode().into_bytes(), context);
            // The peer answers this challenge under the next Identifier (RFC 2759 §9.1.4).
            self.challenge = Box::new(challenge);
            self.identifier = self.identifier.wrapping_add(1);
        }
        let (method, error) = (self.method, is_ms_chap.then_some(error));
        let failure = AuthFailure { side: Side::Peer, method, error, retry, message };
        self.resend = None;
        if retry {
            self.refusal = Some(Box::new(failure));
            self.give_up = Some(context.now + context.config.auth_timeout);
            return Step::None;
        }
        self.give_up = None;
        Step::Failed(failure)
    }

    fn reply(&mut self, accepted: bool, text: Vec<u8>, context: &mut Context) {
        if self.silent {
            return;
        }
        let (code, text) = match (self.method, accepted) {
            (AuthMethod::Pap, accepted) => {
                let packet = if accepted { PapPacket::Ack(&text) } else { PapPacket::Nak(&text) };
                let mut data = Vec::new();
                packet.encode_data(&mut data);
                let code =
                    if accepted { PapCode::AUTHENTICATE_ACK } else { PapCode::AUTHENTICATE_NAK };
                (code.0, data)
            }
            (_, true) => (ChapCode::SUCCESS.0, text),
            (_, false) => (ChapCode::FAILURE.0, text),
        };
        let identifier = self.identifier;
        context.send(self.method.protocol(), code, identifier, |out| out.extend_from_slice(&text));
        self.reply = Some(Reply { identifier, code, text: text.into() });
    }

    /// Asks the caller what to think of a proof.
    fn ask(&mut self, name: Box<[u8]>, proof: Proof, context: &mut Context) {
        let (ticket, again) = (context.ticket(), self.name.is_some());
        let request = AuthRequest { ticket, name, proof, again };
        self.state = State::Deciding(Box::new(request.clone()));
        self.give_up = Some(context.now + context.config.auth_timeout);
        context.event(Event::AuthRequest(request));
    }

    fn chap_proof(&self, value: &[u8]) -> Option<Proof> {
        let identifier = self.identifier;
        Some(match self.method {
            AuthMethod::Pap => return None,
            AuthMethod::ChapMd5 => {
                let challenge = self.challenge.clone();
                Proof::ChapMd5 { identifier, challenge, response: value.try_into().ok()? }
            }
            AuthMethod::MsChapV2 => {
                let challenge = (*self.challenge).try_into().ok()?;
                let response = MsChapV2Response::decode(value)?;
                Proof::MsChapV2 { identifier, challenge, response }
            }
        })
    }

    fn new_challenge(&mut self, context: &mut Context) {
        self.challenge = Box::new(context.random::<16>());
        // Some peers keep answers by Identifier, so a new link does not always start with the same.
        self.identifier = if self.reply.is_none() {
            let [identifier] = context.random();
            identifier
        } else {
            self.identifier.wrapping_add(1)
        };
    }

    /// Sends the Challenge, or sends it again: a repetition is the same packet, so that a Response
    /// that is slow to come still fits.
    fn send_challenge(&mut self, context: &mut Context) {
        let mut data = Vec::new();
        let config = context.config.clone();
        let name = wire_text(&config.name).as_bytes();
        ChapPacket::Challenge { value: &self.challenge, name }.encode_data(&mut data);
        let packet =
            Packet { code: ChapCode::CHALLENGE.0, identifier: self.identifier, data: &data };
        context.send(self.method.protocol(), packet.code, packet.identifier, |out| {
            out.extend_from_slice(packet.data);
        });
        self.sent = self.sent.saturating_add(1);
        self.resend = Some(context.restart_deadline(self.sent));
    }
}

impl Spent {
    /// Why the peer is not asked for another proof, if it is not.
    pub(crate) fn refusal(self, method: AuthMethod, context: &Context) -> Option<AuthFailure> {
        let (side, message) = (Side::Peer, String::from("Too many attempts"));
        let failure = AuthFailure { side, method, error: None, retry: false, message };
        (self.attempts > context.config.auth_attempts).then_some(failure)
    }
}

const fn final_rejection(error: MsChapError) -> Rejection {
    Rejection { error, retry: false, message: String::new() }
}
