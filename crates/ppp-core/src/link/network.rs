use alloc::boxed::Box;
use core::net::Ipv4Addr;
use core::time::Duration;

use vpn_core::DropReason;
use vpn_core::Instant;

use super::Link;
use super::Stage;
use super::ncp::Change;
use super::ncp::Ncp;
use crate::AddressAnswer;
use crate::AddressRequest;
use crate::AnswerError;
use crate::CloseReason;
use crate::ControlCode;
use crate::Event;
use crate::IpcpOption;
use crate::Ipv4Mode;
use crate::Ipv4Settings;
use crate::Ipv6Mode;
use crate::Ipv6Settings;
use crate::NetworkFailure;
use crate::Options;
use crate::PACKET_HEADER_LEN;
use crate::Packet;
use crate::Protocol;
use crate::Ticket;
use crate::auth::Authentication;
use crate::auth::Verified;
use crate::context::Context;
use crate::ipcp::Ipcp;
use crate::ipv6cp::Ipv6cp;

/// The Network phase.
pub(super) struct Network {
    verified: Verified,
    ipv4: Ncp<Ipcp, Ipv4Settings>,
    ipv6: Ncp<Ipv6cp, Ipv6Settings>,
    address: Address,
    /// When the peer must prove itself again.
    rechallenge: Option<Instant>,
    /// When the link ends because nothing is open and nothing can open.
    give_up: Option<Instant>,
    rejects: Budget,
}

/// The question which addresses IPv4 shall have, where we give them.
enum Address {
    /// The peer has not asked for IPv4 yet, or names the addresses itself.
    NotAsked,
    Asked {
        ticket: Ticket,
        /// The peer's last Configure-Request: Identifier and options.
        held: Option<(u8, Box<[u8]>)>,
    },
    Answered,
}

/// How many Protocol-Rejects may still be sent in this second.
#[derive(Default)]
struct Budget {
    since: Instant,
    used: u8,
}

impl Network {
    /// Starts every network protocol that the configuration wants.
    pub(super) fn start(verified: Verified, context: &mut Context) -> Self {
        let config = context.config.clone();
        let ipv4 = match config.ipv4 {
            Ipv4Mode::Off => Ncp::failed(NetworkFailure::Off),
            Ipv4Mode::Ask { address, dns, nbns } => {
                Ncp::started(Ipcp::ask(address, dns, nbns), context)
            }
            Ipv4Mode::Give => Ncp::waiting(),
        };
        let ipv6 = match config.ipv6 {
            Ipv6Mode::Off => Ncp::failed(NetworkFailure::Off),
            Ipv6Mode::On { interface_id } => Ncp::started(Ipv6cp::new(interface_id), context),
        };
        Self {
            verified,
            ipv4,
            ipv6,
            address: Address::NotAsked,
            rechallenge: config.rechallenge.map(|interval| context.now + interval),
            give_up: None,
            rejects: Budget::default(),
        }
    }

    pub(super) fn authentication(&mut self) -> &mut Authentication {
        self.verified.authentication()
    }

    pub(super) const fn ipv4(&self) -> Option<Ipv4Settings> {
        self.ipv4.settings()
    }

    pub(super) const fn ipv6(&self) -> Option<Ipv6Settings> {
        self.ipv6.settings()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let deadlines = [
            self.verified.deadline(),
            self.ipv4.deadline(),
            self.ipv6.deadline(),
            self.rechallenge,
            self.give_up,
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Takes a frame of a network protocol, or of one that nobody here speaks.
    fn handle(
        &mut self,
        context: &mut Context,
        protocol: Protocol,
        information: &[u8],
    ) -> Result<(), DropReason> {
        match protocol {
            Protocol::IPCP if self.ipv4.is_started() => {
                let packet = Packet::decode(information)?;
                let change = self.ipv4.handle_packet(context, packet, Ipcp::settings)?;
                tell_ipv4(context, change);
            }
            Protocol::IPCP if self.ipv4.failure().is_none() => {
                self.hold_request(context, Packet::decode(information)?)?;
            }
            Protocol::IPV6CP if self.ipv6.is_started() => {
                let packet = Packet::decode(information)?;
                let change = self.ipv6.handle_packet(context, packet, Ipv6cp::settings)?;
                tell_ipv6(context, change);
            }
            // Supported, but not for the link: see `Link::form`.
            Protocol::IPV4 if self.ipv4.failure() != Some(NetworkFailure::Off) => {
                return Err(DropReason::ProtocolNotOpen);
            }
            Protocol::IPV6 if self.ipv6.failure() != Some(NetworkFailure::Off) => {
                return Err(DropReason::ProtocolNotOpen);
            }
            _ => return Err(self.reject(context, protocol, information)),
        }
        Ok(())
    }

    /// The peer wants IPv4, and we give addresses: asks the caller, once, and keeps the peer's last
    /// request until there is an answer.
    fn hold_request(
        &mut self,
        context: &mut Context,
        packet: Packet<'_>,
    ) -> Result<(), DropReason> {
        let is_request = ControlCode(packet.code) == ControlCode::CONFIGURE_REQUEST;
        if !is_request || packet.data.len() > MAX_HELD {
            return Err(DropReason::UnexpectedState);
        }
        let ticket = match self.address {
            Address::Asked { ticket, .. } => ticket,
            Address::NotAsked | Address::Answered => {
                let ticket = context.ticket();
                let user = self.verified.peer_name().unwrap_or_default().into();
                let hint = address_hint(packet.data);
                context.event(Event::AddressRequest(AddressRequest { ticket, user, hint }));
                ticket
            }
        };
        let held = Some((packet.identifier, packet.data.into()));
        self.address = Address::Asked { ticket, held };
        Ok(())
    }

    fn answer_address(
        &mut self,
        context: &mut Context,
        ticket: Ticket,
        answer: AddressAnswer,
    ) -> Result<(), AnswerError> {
        let held = match &mut self.address {
            Address::Asked { ticket: asked, held } if *asked == ticket => held.take(),
            _ => return Err(AnswerError::Stale),
        };
        self.address = Address::Answered;
        match answer {
            AddressAnswer::Assign { local, peer, dns, nbns } => {
                self.ipv4.start(Ipcp::give(local, peer, dns, nbns), context);
                if let Some((identifier, data)) = held {
                    let code = ControlCode::CONFIGURE_REQUEST.0;
                    let packet = Packet { code, identifier, data: &data };
                    match self.ipv4.handle_packet(context, packet, Ipcp::settings) {
                        Ok(change) => tell_ipv4(context, change),
                        Err(reason) => context.note_drop(reason),
                    }
                }
            }
            AddressAnswer::Refuse => {
                self.ipv4.fail(NetworkFailure::NoAddress);
                tell_ipv4(context, Change::Failed(NetworkFailure::NoAddress));
                if let Some((identifier, data)) = held {
                    let code = ControlCode::CONFIGURE_REQUEST.0;
                    let mut copy = alloc::vec::Vec::new();
                    if (Packet { code, identifier, data: &data }).encode(&mut copy).is_ok() {
                        self.reject(context, Protocol::IPCP, &copy);
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends a Protocol-Reject (RFC 1661 §5.7), a few a second at most.
    fn reject(
        &mut self,
        context: &mut Context,
        protocol: Protocol,
        information: &[u8],
    ) -> DropReason {
        if !self.rejects.take(context.now) {
            return DropReason::LimitReached;
        }
        let room = context.room() - PROTOCOL_LEN;
        let copy = information.get(..room).unwrap_or(information);
        context.protocol_reject(protocol, copy);
        DropReason::ProtocolNotOpen
    }

    fn handle_timeout(&mut self, context: &mut Context) {
        let change = self.ipv4.handle_timeout(context, Ipcp::settings);
        tell_ipv4(context, change);
        let change = self.ipv6.handle_timeout(context, Ipv6cp::settings);
        tell_ipv6(context, change);
        if self.rechallenge.is_some_and(|at| at <= context.now) {
            self.rechallenge = context.config.rechallenge.map(|interval| context.now + interval);
            if let Some(authenticator) = &mut self.authentication().authenticator {
                authenticator.challenge_again(context);
            }
        }
    }

    /// Whether nothing is open and nothing can open any more. After the peer has ended a protocol
    /// it gets time to start it again (RFC 1661 §3.7).
    fn dead_end(&mut self, context: &Context) -> Option<CloseReason> {
        let (Some(ipv4), Some(ipv6)) = (self.ipv4.failure(), self.ipv6.failure()) else {
            self.give_up = None;
            return None;
        };
        if [ipv4, ipv6].contains(&NetworkFailure::PeerTerminated) {
            let give_up = *self.give_up.get_or_insert(context.now + SECOND_THOUGHTS);
            if give_up > context.now {
                return None;
            }
        }
        Some(CloseReason::NoNetwork { ipv4, ipv6 })
    }
}

/// The Network phase as the link sees it.
impl Link {
    pub(super) fn take_network(
        &mut self,
        protocol: Protocol,
        information: &[u8],
    ) -> Result<(), DropReason> {
        let Stage::Network(network) = &mut self.stage else {
            return Err(DropReason::UnexpectedState);
        };
        let taken = network.handle(&mut self.context, protocol, information);
        self.check_network();
        taken
    }

    pub(super) fn take_address(
        &mut self,
        ticket: Ticket,
        answer: AddressAnswer,
    ) -> Result<(), AnswerError> {
        let Stage::Network(network) = &mut self.stage else { return Err(AnswerError::Stale) };
        let answered = network.answer_address(&mut self.context, ticket, answer);
        self.check_network();
        answered
    }

    pub(super) fn network_rejected(&mut self, protocol: Protocol) {
        let Stage::Network(network) = &mut self.stage else { return };
        match protocol {
            Protocol::IPCP => {
                let change = network.ipv4.rejected(&mut self.context, Ipcp::settings);
                tell_ipv4(&mut self.context, change);
            }
            Protocol::IPV6CP => {
                let change = network.ipv6.rejected(&mut self.context, Ipv6cp::settings);
                tell_ipv6(&mut self.context, change);
            }
            _ => {}
        }
        self.check_network();
    }

    pub(super) fn network_timeout(&mut self) {
        if let Stage::Network(network) = &mut self.stage {
            network.handle_timeout(&mut self.context);
            self.check_network();
        }
    }

    /// LCP goes down, or the link ends: no packet may pass, and no proof counts any more.
    pub(super) fn leave_network(&mut self) {
        let Stage::Network(network) = &self.stage else { return };
        if network.ipv4().is_some() {
            self.context.event(Event::Ipv4Down);
        }
        if network.ipv6().is_some() {
            self.context.event(Event::Ipv6Down);
        }
        self.stage = Stage::Establish;
    }

    fn check_network(&mut self) {
        let Stage::Network(network) = &mut self.stage else { return };
        if let Some(reason) = network.dead_end(&self.context) {
            self.shut(reason);
        }
    }
}

impl Budget {
    fn take(&mut self, now: Instant) -> bool {
        if now.since(self.since) >= Duration::from_secs(1) {
            *self = Self { since: now, used: 0 };
        }
        let left = self.used < REJECTS_PER_SECOND;
        self.used += u8::from(left);
        left
    }
}

fn tell_ipv4(context: &mut Context, change: Change<Ipv4Settings>) {
    match change {
        Change::None => {}
        Change::Up(settings) => context.event(Event::Ipv4Up(settings)),
        Change::Down => context.event(Event::Ipv4Down),
        Change::Failed(failure) => context.event(Event::Ipv4Failed(failure)),
    }
}

fn tell_ipv6(context: &mut Context, change: Change<Ipv6Settings>) {
    match change {
        Change::None => {}
        Change::Up(settings) => context.event(Event::Ipv6Up(settings)),
        Change::Down => context.event(Event::Ipv6Down),
        Change::Failed(failure) => context.event(Event::Ipv6Failed(failure)),
    }
}

/// The address that a Configure-Request asks for.
fn address_hint(options: &[u8]) -> Option<Ipv4Addr> {
    Options::new(options).flatten().find_map(|option| match IpcpOption::decode(&option) {
        Ok(IpcpOption::IpAddress(address)) if !address.is_unspecified() => Some(address),
        _ => None,
    })
}

/// The Rejected-Protocol field.
const PROTOCOL_LEN: usize = 2;

/// A longer IPCP Configure-Request is not kept while the caller looks for an address.
const MAX_HELD: usize = 256 - PACKET_HEADER_LEN;

/// A peer starts half a dozen protocols that are not spoken here, and repeats each every three
/// seconds.
const REJECTS_PER_SECOND: u8 = 16;

/// How long a peer that has ended its only network protocol may take to start it again.
const SECOND_THOUGHTS: Duration = Duration::from_secs(10);
