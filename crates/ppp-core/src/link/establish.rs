use alloc::boxed::Box;
use alloc::vec::Vec;

use vpn_core::DropReason;

use super::Link;
use super::Stage;
use super::keep_alive::Finding;
use crate::AuthMethod;
use crate::CloseReason;
use crate::ControlCode;
use crate::DEFAULT_MRU;
use crate::Event;
use crate::LcpUp;
use crate::Maintenance;
use crate::Packet;
use crate::Phase;
use crate::Protocol;
use crate::automaton;
use crate::control::Signals;
use crate::text::sanitised;

/// LCP: the Establish and Terminate phases, and what maintains an open link.
impl Link {
    pub(super) fn take_lcp(&mut self, packet: Packet<'_>) -> Result<(), DropReason> {
        match ControlCode(packet.code) {
            ControlCode::PROTOCOL_REJECT
            | ControlCode::ECHO_REQUEST
            | ControlCode::ECHO_REPLY
            | ControlCode::DISCARD_REQUEST
            | ControlCode::IDENTIFICATION
            | ControlCode::TIME_REMAINING => return self.take_maintenance(packet),
            ControlCode::CONFIGURE_REQUEST if self.initial_received.is_none() => {
                self.record_initial(packet.data);
            }
            ControlCode::TERMINATE_REQUEST => self.note_farewell(packet.data),
            _ => {}
        }
        let signals = self.lcp.handle_packet(&mut self.context, packet)?;
        let code_rejected = match (ControlCode(packet.code), packet.data) {
            (ControlCode::CODE_REJECT, [code, ..]) => Some(ControlCode(*code)),
            _ => None,
        };
        if let Some(code) = code_rejected {
            self.note_code_reject(code, signals);
        }
        self.after_lcp(signals);
        if ControlCode(packet.code) == ControlCode::TERMINATE_REQUEST
            && matches!(self.stage, Stage::Establish)
        {
            // A peer that leaves over a disagreement about authentication will not come back, so
            // there is no point in asking on.
            if let Some(reason) = self.lcp.negotiation.disagreement(&self.context.config) {
                self.shut(reason);
            }
        }
        Ok(())
    }

    /// Acts on what the automaton of LCP tells the layers around it.
    pub(super) fn after_lcp(&mut self, signals: Signals) {
        if signals.down {
            self.note_spent();
            self.leave_network();
            if matches!(self.stage, Stage::Authenticate(_)) {
                self.stage = Stage::Establish;
            }
            self.watch.stop();
            (self.context.peer_mru, self.context.acfc) = (DEFAULT_MRU, false);
        }
        if signals.gave_up {
            let reason = self.lcp.negotiation.failure(&self.context.config);
            self.shut(reason);
        } else if signals.up {
            self.lcp_up();
        } else if signals.finished {
            let said = self
                .farewell
                .take()
                .map(|message| CloseReason::PeerTerminated { phase: Phase::Establish, message });
            let timeout = CloseReason::Timeout { protocol: Protocol::LCP };
            let reason = self.reason.take().map(|reason| *reason);
            let reason = reason.or(said).unwrap_or(timeout);
            self.finish(reason);
        }
    }

    fn lcp_up(&mut self) {
        let (demanded, owed) = (self.lcp.negotiation.demanded(), self.lcp.negotiation.peer().auth);
        self.announce_lcp(demanded, owed);
        self.authenticate(demanded, owed);
    }

    /// LCP is open: its options are in force.
    pub(super) fn announce_lcp(
        &mut self,
        authenticates_peer: Option<AuthMethod>,
        proves_itself: Option<AuthMethod>,
    ) {
        let peer = *self.lcp.negotiation.peer();
        self.context.peer_mru = peer.mru.unwrap_or(DEFAULT_MRU);
        self.context.acfc = peer.acfc;
        self.farewell = None;
        self.watch.start(&mut self.context);
        let peer_mru = self.context.peer_mru;
        self.context.event(Event::LcpUp(LcpUp { peer_mru, authenticates_peer, proves_itself }));
    }

    pub(super) fn watch_timeout(&mut self) {
        match self.watch.handle_timeout(&self.context) {
            Finding::Nothing => {}
            Finding::SendEcho => {
                let magic = self.lcp.negotiation.magic();
                let echo = Maintenance::EchoRequest { magic, data: &[] };
                self.send_maintenance(&echo);
            }
            Finding::Lost { missed } => self.shut(CloseReason::EchoLost { missed }),
        }
    }

    fn send_maintenance(&mut self, packet: &Maintenance<'_>) {
        let identifier = self.lcp.next_identifier();
        self.context
            .send(Protocol::LCP, packet.code().0, identifier, |out| packet.encode_data(out));
    }

    /// The packets of an open link. Identification may come at any time (RFC 1570 §1.1).
    fn take_maintenance(&mut self, packet: Packet<'_>) -> Result<(), DropReason> {
        let maintenance = Maintenance::decode(&packet)?;
        if matches!(maintenance, Maintenance::Identification { .. }) {
            return Ok(());
        }
        if !self.lcp.is_open() {
            return Err(DropReason::UnexpectedState);
        }
        let own_magic = self.lcp.negotiation.magic();
        match maintenance {
            Maintenance::ProtocolReject { protocol, .. } => self.take_protocol_reject(protocol),
            Maintenance::EchoRequest { magic, .. } | Maintenance::EchoReply { magic, .. }
                if magic != 0 && magic == own_magic =>
            {
                self.note_reflection();
                return Err(DropReason::Duplicate);
            }
            Maintenance::EchoRequest { data, .. } => self.answer_echo(packet.identifier, data),
            _ => {
                let signals =
                    self.lcp.apply(&mut self.context, automaton::Event::ReceiveEcho, None);
                self.after_lcp(signals);
            }
        }
        Ok(())
    }

    /// Answers an Echo-Request with its own data, cut to what the peer can receive: some peers
    /// probe with more than their MRU.
    fn answer_echo(&mut self, identifier: u8, data: &[u8]) {
        let magic = self.lcp.negotiation.magic();
        let mut reply = Vec::new();
        Maintenance::EchoReply { magic, data }.encode_data(&mut reply);
        reply.truncate(self.context.room());
        let reply = Packet { code: ControlCode::ECHO_REPLY.0, identifier, data: &reply };
        let event = automaton::Event::ReceiveEcho;
        let signals = self.lcp.apply(&mut self.context, event, Some(reply));
        self.after_lcp(signals);
    }

    /// A Protocol-Reject of LCP, or of the protocol by which an end proves itself, ends the link:
    /// else a peer could get round the proof.
    fn take_protocol_reject(&mut self, protocol: Protocol) {
        if protocol == Protocol::LCP {
            self.note_reason(CloseReason::ProtocolRejected(protocol));
            let event = automaton::Event::ReceiveRejectCatastrophic;
            let signals = self.lcp.apply(&mut self.context, event, None);
            self.enter_terminate();
            self.after_lcp(signals);
        } else if self.needs(protocol) {
            self.shut(CloseReason::ProtocolRejected(protocol));
        } else {
            self.network_rejected(protocol);
        }
    }

    fn note_code_reject(&mut self, code: ControlCode, signals: Signals) {
        if signals.down || signals.finished {
            self.note_reason(CloseReason::CodeRejected(code));
            self.enter_terminate();
        } else if matches!(code, ControlCode::ECHO_REQUEST) {
            // The peer knows no echo, so its silence would prove nothing.
            self.watch.stop();
        }
    }

    fn note_reflection(&mut self) {
        self.lcp.negotiation.note_reflection();
        if crate::control::Negotiation::has_failed(&self.lcp.negotiation) {
            self.shut(CloseReason::Loopback);
        }
    }

    /// The peer wants to leave, and may say why.
    fn note_farewell(&mut self, text: &[u8]) {
        let message = sanitised(text);
        if self.lcp.is_open() {
            let phase = self.phase();
            let reason = match self.refused_proof() {
                Some(failure) => CloseReason::AuthFailed(failure),
                None => CloseReason::PeerTerminated { phase, message },
            };
            self.note_reason(reason);
            self.enter_terminate();
        } else if self.farewell.is_none() {
            self.farewell = Some(message);
        }
    }

    /// Goes to the Terminate phase, while LCP's automaton is on its way out.
    fn enter_terminate(&mut self) {
        self.leave_network();
        self.stage = Stage::Terminate;
    }

    fn record_initial(&mut self, options: &[u8]) {
        let wanted = matches!(self.stage, Stage::Establish) && options.len() <= MAX_RECORDED;
        if wanted && !self.context.config.authenticate_with.is_empty() {
            self.initial_received = Some(Box::from(options));
        }
    }
}

impl CloseReason {
    /// What the Terminate-Request tells the peer.
    pub(super) const fn farewell(&self) -> &'static str {
        match self {
            Self::NotConverging { .. } => "Options could not be agreed on",
            Self::Loopback => "The line is looped back",
            Self::NoCommonAuth { .. } => "No common authentication protocol",
            Self::PeerUnproved => "Authentication is required",
            Self::AuthFailed(_) | Self::NotGenuine | Self::Reflected => "Authentication failed",
            Self::AuthTimeout { .. } => "Authentication took too long",
            Self::ProtocolRejected(_) | Self::CodeRejected(_) => "A needed protocol was rejected",
            Self::EchoLost { .. } => "No answer to echo requests",
            Self::NoNetwork { .. } => "No network protocol could be opened",
            _ => "",
        }
    }
}

/// A longer Configure-Request than any AVP of RFC 2661 can hold is not recorded.
const MAX_RECORDED: usize = 1017;
