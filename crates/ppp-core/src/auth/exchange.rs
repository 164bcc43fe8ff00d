use alloc::boxed::Box;

use vpn_core::DropReason;
use vpn_core::Instant;

use super::AuthMethod;
use super::Authenticator;
use super::ChapPacket;
use super::PapPacket;
use super::Prover;
use crate::AuthFailure;
use crate::CloseReason;
use crate::Packet;
use crate::Protocol;
use crate::Side;
use crate::context::Context;

/// What an authentication protocol made of an input.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing that concerns the link.
    None,
    /// This end, or the other, has proved itself.
    Done,
    /// A proof was not taken; no further attempt is open.
    Failed(AuthFailure),
    /// The link must end.
    Close(CloseReason),
    /// Too much time has passed.
    TimedOut,
}

/// The proofs of identity that the ends of a link owe each other, in either direction.
pub(crate) struct Authentication {
    pub(crate) authenticator: Option<Box<Authenticator>>,
    pub(crate) prover: Option<Box<Prover>>,
}

/// An [`Authentication`] in which every proof that was owed has been given and checked.
///
/// The network phase is built around this value, and only [`Authentication::verified`] makes one:
/// that no network protocol passes before authentication is the type's promise.
pub(crate) struct Verified(Box<Authentication>);

impl Authentication {
    /// Whether every proof has been given and checked.
    pub(crate) fn is_complete(&self) -> bool {
        self.authenticator.as_ref().is_none_or(|a| a.peer_name().is_some())
            && self.prover.as_ref().is_none_or(|prover| prover.has_proved())
    }

    /// Lets the link go on to the network phase, if every proof has been given and checked.
    pub(crate) fn verified(self: Box<Self>) -> Result<Verified, Box<Self>> {
        if self.is_complete() { Ok(Verified(self)) } else { Err(self) }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let authenticator = self.authenticator.as_ref().and_then(|a| a.deadline());
        let prover = self.prover.as_ref().and_then(|prover| prover.deadline());
        [authenticator, prover].into_iter().flatten().min()
    }

    /// Handles what is due of one side.
    pub(crate) fn handle_timeout(&mut self, side: Side, context: &mut Context) -> Step {
        match side {
            Side::Peer => self.authenticator.as_mut().map(|a| a.handle_timeout(context)),
            Side::Local => self.prover.as_mut().map(|prover| prover.handle_timeout(context)),
        }
        .unwrap_or(Step::None)
    }

    /// The method by which a side proves itself.
    pub(crate) fn method(&self, side: Side) -> Option<AuthMethod> {
        match side {
            Side::Peer => self.authenticator.as_ref().map(|a| a.method()),
            Side::Local => self.prover.as_ref().map(|prover| prover.method()),
        }
    }

    /// Takes a PAP or CHAP packet, and says whose proof it is about.
    pub(crate) fn handle_packet(
        &mut self,
        protocol: Protocol,
        packet: &Packet<'_>,
        context: &mut Context,
    ) -> Result<(Side, Step), DropReason> {
        if protocol == Protocol::PAP {
            self.handle_pap(packet.identifier, PapPacket::decode(packet)?, context)
        } else {
            self.handle_chap(packet.identifier, ChapPacket::decode(packet)?, context)
        }
    }

    fn handle_pap(
        &mut self,
        identifier: u8,
        packet: PapPacket<'_>,
        context: &mut Context,
    ) -> Result<(Side, Step), DropReason> {
        let not_open = DropReason::ProtocolNotOpen;
        if let PapPacket::Request { peer_id, password } = packet {
            let authenticator = self.authenticator.as_mut().ok_or(not_open)?;
            let step = authenticator.handle_pap(identifier, peer_id, password, context)?;
            return Ok((Side::Peer, step));
        }
        let prover = self.prover.as_mut().ok_or(not_open)?;
        let step = match packet {
            PapPacket::Ack(message) => prover.handle_pap(identifier, true, message)?,
            PapPacket::Nak(message) => prover.handle_pap(identifier, false, message)?,
            PapPacket::Request { .. } => Step::None,
        };
        Ok((Side::Local, step))
    }

    fn handle_chap(
        &mut self,
        identifier: u8,
        packet: ChapPacket<'_>,
        context: &mut Context,
    ) -> Result<(Side, Step), DropReason> {
        let not_open = DropReason::ProtocolNotOpen;
        let (authenticator, prover) = (self.authenticator.as_mut(), self.prover.as_mut());
        match packet {
            ChapPacket::Challenge { value, .. } => {
                let own_challenge = authenticator.as_ref().and_then(|a| a.open_challenge());
                let prover = prover.ok_or(not_open)?;
                let step = prover.handle_challenge(identifier, value, own_challenge, context)?;
                Ok((Side::Local, step))
            }
            ChapPacket::Success(text) => {
                let step = prover.ok_or(not_open)?.handle_success(identifier, text)?;
                Ok((Side::Local, step))
            }
            ChapPacket::Failure(text) => {
                let step = prover.ok_or(not_open)?.handle_failure(identifier, text, context)?;
                Ok((Side::Local, step))
            }
            ChapPacket::Response { value, name } => {
                let authenticator = authenticator.ok_or(not_open)?;
                let step = authenticator.handle_response(identifier, value, name, context)?;
                Ok((Side::Peer, step))
            }
            ChapPacket::ChangePassword(_) => {
                let authenticator = authenticator.ok_or(not_open)?;
                Ok((Side::Peer, authenticator.handle_change_password(identifier, context)?))
            }
        }
    }
}

impl Verified {
    /// The protocols live on: replies may be asked for again, and new proofs demanded.
    pub(crate) fn authentication(&mut self) -> &mut Authentication {
        &mut self.0
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }

    /// The name under which the peer proved itself.
    pub(crate) fn peer_name(&self) -> Option<&[u8]> {
        self.0.authenticator.as_ref().and_then(|a| a.peer_name())
    }
}
