//! What a server does about what its machines tell.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::string::ToString;
use core::time::Duration;

use l2tp_control::CallResult;
use l2tp_control::RequestedCall;
use l2tp_control::SessionAnswer;
use l2tp_control::SessionRequest;
use l2tp_control::TunnelAnswer;
use l2tp_control::TunnelCloseReason;
use l2tp_control::TunnelHandle;
use l2tp_control::TunnelRequest;
use l2tp_control::TunnelResult;
use l2tp_wire::CdnResult;
use l2tp_wire::ErrorCode;
use l2tp_wire::StopCcnResult;
use ppp_core::AddressAnswer;
use ppp_core::AddressRequest;
use ppp_core::AuthRequest;
use ppp_core::AuthVerdict;
use vpn_core::Instant;
use vpn_core::Path;

use super::DRAIN_BATCH;
use super::DRAIN_PAUSE;
use super::Drain;
use super::Server;
use super::Tunnel;
use crate::DisconnectReason;
use crate::LocalReason;
use crate::ServerEvent;
use crate::SessionId;
use crate::stack::Lease;
use crate::stack::Note;

impl Server {
    /// Acts on everything that the machines below have to tell.
    pub(super) fn pump(&mut self) {
        while let Some(note) = self.stack.note() {
            self.act(note);
        }
        if let Drain::Closing(rest, _) = &self.drain
            && rest.is_empty()
            && self.stack.is_empty()
            && self.tunnels.is_empty()
            && self.stack.is_quiet()
        {
            if self.stack.close_peers() {
                self.drain = Drain::Deleting;
            } else {
                self.drain = Drain::Done;
                self.events.push_back(ServerEvent::Drained);
            }
        }
    }

    fn act(&mut self, note: Note) {
        match note {
            Note::CredentialsRequest { ticket, path, fingerprint } => {
                let request = ServerEvent::CredentialsRequest { ticket, path, fingerprint };
                self.events.push_back(request);
            }
            Note::PeerUp(info) => self.events.push_back(ServerEvent::PeerUp(info)),
            Note::Moved(path) => self.events.push_back(ServerEvent::Moved { path }),
            Note::KeyLog(key) => self.events.push_back(ServerEvent::KeyLog(key)),
            Note::IkeFailed { path, reason, .. } => {
                let reason = DisconnectReason::Ipsec(reason);
                self.events.push_back(ServerEvent::Refused { path, reason });
            }
            Note::NoSccrq(path) => {
                let (path, reason) = (Some(path), DisconnectReason::NoSccrq);
                self.events.push_back(ServerEvent::Refused { path, reason });
            }
            // What depended on it has been told apart.
            Note::Secured(_) | Note::PeerClosed { .. } => {}
            Note::TunnelRequest(request) => self.tunnel_request(&request),
            Note::TunnelUp(tunnel) => self.tunnel_up(tunnel),
            Note::TunnelClosed { tunnel, path, reason } => self.tunnel_closed(tunnel, path, reason),
            Note::SessionRequest(request) => self.session_request(&request),
            Note::SessionUp { session, tunnel } => self.session_up(session, tunnel),
            Note::AuthRequest { session, request } => self.authenticate(session, request),
            Note::AddressRequest { session, request } => self.lend(session, &request),
            Note::AddressFree(address) => self.pool.give_back(address),
            Note::Connected(up) => self.events.push_back(ServerEvent::Connected(up)),
            Note::Changed(up) => self.events.push_back(ServerEvent::Changed(up)),
            Note::Packet { session, packet } => {
                self.events.push_back(ServerEvent::Packet { session, packet });
            }
            Note::Ended { tunnel, ended } => {
                self.session_ended(tunnel);
                self.events.push_back(ServerEvent::Disconnected(ended));
            }
            Note::CallFailed { path, reason } => {
                let reason = DisconnectReason::Call(reason);
                self.events.push_back(ServerEvent::Refused { path, reason });
            }
            Note::Trace(trace) => self.events.push_back(ServerEvent::Trace(trace)),
        }
    }

    fn tunnel_request(&mut self, request: &TunnelRequest) {
        let answer = if self.is_draining() {
            TunnelAnswer::Reject(TunnelResult::new(StopCcnResult::SHUTTING_DOWN))
        } else if let Some(address) = self.config.redirect {
            let result = TunnelResult::error(ErrorCode::TRY_ANOTHER);
            TunnelAnswer::Reject(result.message(address.to_string()))
        } else {
            TunnelAnswer::Accept(None)
        };
        // A request that is gone by now needs no answer.
        let _ = self.stack.endpoint.answer_tunnel(self.stack.now(), request.ticket, answer);
    }

    fn tunnel_up(&mut self, tunnel: TunnelHandle) {
        self.tunnels.insert(tunnel, Tunnel::default());
        self.linger(tunnel);
    }

    fn tunnel_closed(
        &mut self,
        tunnel: TunnelHandle,
        path: Option<Path>,
        reason: TunnelCloseReason,
    ) {
        match self.tunnels.remove(&tunnel) {
            Some(entry) => {
                self.lingering.update(tunnel, entry.deadline, None);
                self.stack.begin_closing();
            }
            None => {
                let reason = DisconnectReason::Tunnel(reason);
                self.events.push_back(ServerEvent::Refused { path, reason });
            }
        }
    }

    fn session_request(&mut self, request: &SessionRequest) {
        let refuse = |result| SessionAnswer::Reject(CallResult::new(result));
        let calls = self.stack.endpoint.counts().sessions;
        let answer = match request.call {
            RequestedCall::Outgoing(_) => refuse(CdnResult::NO_FACILITIES_PERMANENT),
            RequestedCall::Incoming(_) if self.is_draining() => refuse(CdnResult::ADMINISTRATIVE),
            // The one that asks is among them.
            RequestedCall::Incoming(_) if calls > self.config.max_sessions => {
                refuse(CdnResult::NO_FACILITIES_TEMPORARY)
            }
            RequestedCall::Incoming(_) => SessionAnswer::AcceptWith {
                sequencing: self.config.common.sequencing,
                physical_channel: None,
            },
        };
        let _ = self.stack.endpoint.answer_session(self.stack.now(), request.ticket, answer);
    }

    fn session_up(&mut self, session: SessionId, tunnel: TunnelHandle) {
        if self.is_draining() {
            // Its call was accepted before.
            self.stack.disconnect(self.stack.now(), session, LocalReason::ShuttingDown);
        }
        let Some(entry) = self.tunnels.get_mut(&tunnel) else { return };
        entry.sessions = entry.sessions.saturating_add(1);
        self.lingering.update(tunnel, entry.deadline.take(), None);
    }

    fn session_ended(&mut self, tunnel: TunnelHandle) {
        let Some(entry) = self.tunnels.get_mut(&tunnel) else { return };
        entry.sessions = entry.sessions.saturating_sub(1);
        if entry.sessions == 0 {
            self.linger(tunnel);
        }
    }

    /// Gives a tunnel without a session its time; none when the server is being drained.
    fn linger(&mut self, tunnel: TunnelHandle) {
        let draining = self.is_draining();
        let Some(entry) = self.tunnels.get_mut(&tunnel) else { return };
        let linger = if draining { Duration::ZERO } else { self.config.tunnel_linger };
        let at = self.stack.now() + linger;
        self.lingering.update(tunnel, entry.deadline, Some(at));
        entry.deadline = Some(at);
    }

    fn authenticate(&mut self, session: SessionId, request: AuthRequest) {
        let ticket = request.ticket;
        let verdict = match self.users.find(&request.user()) {
            Some(user) => request.verify(user.password.expose(), self.stack.provider),
            None if self.config.ask_for_users => {
                self.events.push_back(ServerEvent::AuthRequest { session, request });
                return;
            }
            None => AuthVerdict::wrong_password(),
        };
        // A request that is gone by now needs no answer.
        let _ = self.stack.answer_auth(session, ticket, verdict);
    }

    fn lend(&mut self, session: SessionId, request: &AddressRequest) {
        let user = String::from_utf8_lossy(&request.user);
        let fixed = self.users.find(&user).and_then(|user| user.address);
        let held = self.stack.take_lease(session);
        let lease = match held {
            // Negotiated anew: the same user keeps the address.
            Some(lease)
                if lease.user == request.user
                    && fixed.is_none_or(|address| address == lease.address) =>
            {
                Some(lease)
            }
            other => {
                if let Some(lease) = other {
                    self.pool.give_back(lease.address);
                }
                let address = match fixed {
                    Some(address) => self.pool.lend_fixed(address).then_some(address),
                    None => self.pool.lend(),
                };
                address.map(|address| Box::new(Lease { address, user: request.user.clone() }))
            }
        };
        let answer = match &lease {
            Some(lease) => AddressAnswer::Assign {
                local: self.pool.server(),
                peer: lease.address,
                dns: self.config.dns,
                nbns: self.config.nbns,
            },
            None => AddressAnswer::Refuse,
        };
        // The link may have been negotiated anew meanwhile, and then asks again: the session
        // holds the address all the same, until it ends.
        self.stack.answer_address(session, request.ticket, answer);
        if let Some(lease) = lease
            && let Err(lease) = self.stack.hold_lease(session, lease)
        {
            self.pool.give_back(lease.address);
        }
    }

    /// Closes the next few sessions of a server that is being drained.
    pub(super) fn drain_more(&mut self, now: Instant) {
        let Drain::Closing(rest, at) = &mut self.drain else { return };
        if *at > now || rest.is_empty() {
            return;
        }
        let batch = rest.split_off(rest.len().saturating_sub(DRAIN_BATCH));
        *at = now + DRAIN_PAUSE;
        for session in batch {
            self.stack.disconnect(now, session, LocalReason::ShuttingDown);
        }
    }

    /// Closes the tunnels that have had no session for their time.
    pub(super) fn close_lingering(&mut self, now: Instant) {
        let result = if self.is_draining() {
            TunnelResult::new(StopCcnResult::SHUTTING_DOWN)
        } else {
            TunnelResult::new(StopCcnResult::GENERAL_CLEAR).message("no session")
        };
        while let Some(tunnel) = self.lingering.pop_due(now) {
            if let Some(entry) = self.tunnels.get_mut(&tunnel) {
                entry.deadline = None;
                self.stack.endpoint.close_tunnel(now, tunnel, result.clone());
            }
        }
    }
}
