//! The PPP links of a [`Stack`].

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use l2tp_control::CallResult;
use l2tp_control::ConnectedCall;
use l2tp_control::LinkId;
use l2tp_wire::CdnResult;
use portable_atomic::Ordering;
use ppp_core::AddressAnswer;
use ppp_core::AnswerError;
use ppp_core::AuthVerdict;
use ppp_core::Authenticated;
use ppp_core::Event;
use ppp_core::Ipv4Settings;
use ppp_core::Link;
use ppp_core::LinkConfig;
use ppp_core::NetworkFailure;
use ppp_core::Protocol;
use ppp_core::Ticket;
use ppp_core::frame;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::SecureRandom;
use vpn_core::Transmit;
use vpn_core::crypto::CryptoProvider;

use super::Conn;
use super::Lease;
use super::Note;
use super::Stack;
use super::proxy;
use crate::Connected;
use crate::DisconnectReason;
use crate::LocalReason;
use crate::SessionId;
use crate::SessionStatus;
use crate::Trace;
use crate::mss;
use crate::plane;
use crate::plane::Side;
use crate::trace::PppStep;
use crate::trace::Step;

impl Stack {
    pub(crate) fn sessions(&self) -> impl Iterator<Item = SessionStatus> + '_ {
        self.conns.values().map(|conn| conn.status(self.rekeys(conn.entry.link)))
    }

    pub(crate) fn session(&self, session: SessionId) -> Option<SessionStatus> {
        self.conns.get(&session).map(|conn| conn.status(self.rekeys(conn.entry.link)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.conns.is_empty()
    }

    /// Begins to close a session: PPP first, then its call.
    pub(crate) fn disconnect(&mut self, now: Instant, session: SessionId, reason: LocalReason) {
        let now = self.advance(now);
        self.end(now, session, DisconnectReason::Local(reason), reason.message());
    }

    fn end(&mut self, now: Instant, session: SessionId, reason: DisconnectReason, message: &str) {
        let Some(conn) = self.conns.get_mut(&session) else { return };
        if conn.ending.is_none() {
            conn.ending = Some(Box::new(reason));
            conn.link.close(now, message);
            self.touch(session);
        }
    }

    pub(crate) fn answer_auth(
        &mut self,
        session: SessionId,
        ticket: Ticket,
        verdict: AuthVerdict,
    ) -> Result<(), AnswerError> {
        let now = self.newest;
        self.with_link(session, |link| link.answer_auth(now, ticket, verdict))
    }

    /// Answers with an address, or with none. Returns whether the link still waited for it.
    pub(crate) fn answer_address(
        &mut self,
        session: SessionId,
        ticket: Ticket,
        answer: AddressAnswer,
    ) -> bool {
        let now = self.newest;
        self.with_link(session, |link| link.answer_address(now, ticket, answer)).is_ok()
    }

    /// Takes the lease that the session holds.
    pub(crate) fn take_lease(&mut self, session: SessionId) -> Option<Box<Lease>> {
        self.conns.get_mut(&session)?.lease.take()
    }

    /// Has the session hold a lease. A session that is gone holds none: the lease comes back.
    pub(crate) fn hold_lease(
        &mut self,
        session: SessionId,
        lease: Box<Lease>,
    ) -> Result<(), Box<Lease>> {
        match self.conns.get_mut(&session) {
            Some(conn) => {
                conn.lease = Some(lease);
                Ok(())
            }
            None => Err(lease),
        }
    }

    fn with_link(
        &mut self,
        session: SessionId,
        call: impl FnOnce(&mut Link) -> Result<(), AnswerError>,
    ) -> Result<(), AnswerError> {
        let conn = self.conns.get_mut(&session).ok_or(AnswerError::Stale)?;
        let done = call(&mut conn.link);
        self.touch(session);
        done
    }

    /// Puts the session into the queues of those to be drained, and its deadline in order.
    pub(super) fn touch(&mut self, session: SessionId) {
        let Some(conn) = self.conns.get_mut(&session) else { return };
        if !core::mem::replace(&mut conn.sends, true) {
            self.senders.push_back(session);
        }
        if !core::mem::replace(&mut conn.tells, true) {
            self.tellers.push_back(session);
        }
        let idle = self.common.idle_timeout.map(|limit| conn.active_at + limit);
        let over = self.common.session_limit.zip(conn.up_since).map(|(limit, up)| up + limit);
        let limits =
            [idle, over, conn.up_by].into_iter().flatten().filter(|_| conn.ending.is_none());
        let next = limits.chain(conn.link.poll_timeout()).min();
        self.deadlines.update(session, conn.deadline, next);
        conn.deadline = next;
    }

    /// Data of this session came after `since`. Nobody knows when: taken as late as possible it keeps
    /// a busy session from being idle, as early as possible it does not hide a peer that has died.
    pub(super) fn note_data(&mut self, now: Instant, since: Instant, session: SessionId) {
        let Some(conn) = self.conns.get_mut(&session) else { return };
        conn.active_at = now;
        conn.link.note_traffic(now);
        let link = conn.entry.link;
        self.endpoint.note_data(since, conn.tunnel);
        self.note_alive(now, link);
        self.touch(session);
    }

    pub(super) fn session_timeout(&mut self, now: Instant, session: SessionId) {
        let Some(conn) = self.conns.get_mut(&session) else { return };
        conn.deadline = None;
        if conn.entry.shared.listed.load(Ordering::Relaxed) {
            // It brought data since the data plane was asked last.
            conn.active_at = now;
            conn.link.note_traffic(now);
        }
        let sent = conn.entry.shared.tx_packets.load(Ordering::Relaxed);
        if core::mem::replace(&mut conn.sent_before, sent) != sent {
            conn.active_at = now;
        }
        conn.link.handle_timeout(now);
        let login = self.common.login_timeout;
        let late = conn.up_by.is_some_and(|at| at <= now);
        let idle = self.common.idle_timeout.filter(|limit| conn.active_at + *limit <= now);
        let over = self.common.session_limit.zip(conn.up_since);
        let over = over.filter(|(limit, up)| *up + *limit <= now);
        if let Some((limit, _)) = over {
            self.disconnect(now, session, LocalReason::TimeLimit(limit));
        } else if late {
            self.disconnect(now, session, LocalReason::LoginTime(login));
        } else if let Some(limit) = idle {
            self.disconnect(now, session, LocalReason::Idle(limit));
        }
        self.touch(session);
    }

    /// A PPP frame that is not an open network protocol's data.
    pub(super) fn handle_frame(
        &mut self,
        now: Instant,
        session: SessionId,
        frame: &[u8],
    ) -> Handled {
        let Some(conn) = self.conns.get_mut(&session) else {
            return Handled::Dropped(DropReason::UnknownSession);
        };
        let handled = conn.link.handle_frame(now, frame);
        if self.common.trace
            && let Some(step) = ppp_step(session, &conn.link, frame)
        {
            self.notes.push_back(Note::Trace(Trace { at: now, step: Step::PppReceived(step) }));
        }
        self.touch(session);
        handled
    }

    /// The IP packet in a frame, where its protocol is open on the session.
    pub(super) fn ip_of(&self, session: SessionId, frame: &[u8]) -> Option<Bytes> {
        let entry = &self.conns.get(&session)?.entry;
        let (protocol, at) = frame::protocol(frame).ok()?;
        if protocol != Protocol::IPV4 && protocol != Protocol::IPV6 {
            return None;
        }
        let mut packet = frame.get(at..)?.to_vec();
        plane::check_source(entry, protocol, &packet).ok()?;
        if self.common.clamp_mss {
            mss::clamp(&mut packet, entry.mtu);
        }
        entry.shared.count_rx(packet.len());
        Some(packet.into())
    }

    /// The next frame of any link, as an L2TP data message.
    pub(super) fn poll_frame(
        &mut self,
        now: Instant,
        buf: &mut Vec<u8>,
    ) -> Option<(LinkId, Transmit)> {
        while let Some(session) = self.senders.front().copied() {
            let Some(conn) = self.conns.get_mut(&session) else {
                self.senders.pop_front();
                continue;
            };
            self.scratch.clear();
            if conn.link.poll_frame(now, &mut self.scratch).is_none() {
                conn.sends = false;
                self.senders.pop_front();
                continue;
            }
            let header = plane::header(&conn.entry);
            let (start, len) = (buf.len(), header.encoded_len());
            buf.resize(start.saturating_add(len), 0);
            let room = buf.get_mut(start..).unwrap_or_default();
            if header.encode(self.scratch.len(), room).is_err() {
                // No PPP packet is longer than an L2TP message.
                buf.truncate(start);
                continue;
            }
            buf.extend_from_slice(&self.scratch);
            if self.common.trace
                && let Some(step) = ppp_step(session, &conn.link, &self.scratch)
            {
                self.notes.push_back(Note::Trace(Trace { at: now, step: Step::PppSent(step) }));
            }
            let (link, path) = (conn.entry.link, conn.entry.path);
            return Some((link, Transmit { path, len: buf.len().saturating_sub(start) }));
        }
        None
    }

    /// Acts on the next event of any link; `false` when there is none.
    pub(super) fn link_event(&mut self) -> bool {
        let now = self.newest;
        while let Some(session) = self.tellers.front().copied() {
            let Some(conn) = self.conns.get_mut(&session) else {
                self.tellers.pop_front();
                continue;
            };
            let Some(event) = conn.link.poll_event() else {
                conn.tells = false;
                self.tellers.pop_front();
                continue;
            };
            match event {
                Event::AuthRequest(request) => {
                    self.notes.push_back(Note::AuthRequest { session, request });
                }
                Event::AddressRequest(request) => {
                    self.notes.push_back(Note::AddressRequest { session, request });
                }
                Event::Authenticated(proof) => conn.authenticated(&proof),
                Event::Ipv4Up(settings) => self.ipv4_up(now, session, &settings),
                Event::Ipv4Down => {
                    conn.up_by = Some(now + self.common.login_timeout);
                    self.refresh(session);
                    self.touch(session);
                }
                Event::Ipv6Up(_) | Event::Ipv6Down | Event::FormChanged => {
                    self.refresh(session);
                }
                // It may start IPCP again; else it hangs up, or its silence ends the session.
                Event::Ipv4Failed(NetworkFailure::PeerTerminated) => {}
                Event::Ipv4Failed(failure) => {
                    self.end(now, session, DisconnectReason::NoIpv4(failure), "no IPv4");
                }
                Event::Closed { reason } => {
                    let closed = DisconnectReason::Ppp(reason);
                    let ending = conn.ending.get_or_insert_with(|| Box::new(closed));
                    let result = CallResult::new(CdnResult::ADMINISTRATIVE);
                    let result = result.message(ending.farewell());
                    self.refresh(session);
                    self.endpoint.close_session(now, session, result);
                }
                // LCP coming up is on the way to the rest; credentials are never asked for again.
                _ => {}
            }
            return true;
        }
        false
    }

    fn refresh(&mut self, session: SessionId) {
        if let Some(conn) = self.conns.get_mut(&session) {
            conn.refresh();
            self.plane.install(conn.entry.clone());
        }
    }

    fn ipv4_up(&mut self, now: Instant, session: SessionId, settings: &Ipv4Settings) {
        self.refresh(session);
        let link = self.conns.get(&session).map(|conn| conn.entry.link);
        let security = link.and_then(|link| self.security(link));
        let Some(conn) = self.conns.get_mut(&session) else { return };
        conn.up_since.get_or_insert(now);
        conn.up_by = None;
        conn.active_at = now;
        let connected = Connected {
            session,
            path: conn.entry.path,
            user: conn.user.clone().unwrap_or_default(),
            auth: conn.auth,
            local_address: settings.local,
            peer_address: settings.peer,
            dns: settings.dns,
            nbns: settings.nbns,
            mtu: conn.entry.mtu,
            security,
        };
        match conn.told.replace(Box::new(connected.clone())) {
            None => self.notes.push_back(Note::Connected(connected)),
            Some(told) if *told != connected => self.notes.push_back(Note::Changed(connected)),
            Some(_) => {}
        }
        self.touch(session);
    }
}

impl Conn {
    fn authenticated(&mut self, proof: &Authenticated) {
        // On a server this is the client's name; on a client our own.
        let theirs = proof.side == ppp_core::Side::Peer;
        if theirs == (self.entry.side == Side::Server) {
            self.user = Some(String::from_utf8_lossy(&proof.name).into_owned());
            self.auth = Some(proof.method);
        }
    }
}

/// A link for a session that has just come up; it goes on from what a LAC has negotiated, if one
/// has.
pub(super) fn link(
    now: Instant,
    config: Arc<LinkConfig>,
    provider: &'static CryptoProvider,
    rng: Box<dyn SecureRandom + Send>,
    call: ConnectedCall,
) -> Link {
    if let Some((lcp, auth)) = proxy::from_call(call) {
        return Link::resume(config, provider, rng, now, &lcp, auth);
    }
    let mut link = Link::new(config, provider, rng);
    link.open(now);
    link
}

fn ppp_step(session: SessionId, link: &Link, frame: &[u8]) -> Option<PppStep> {
    let (protocol, at) = frame::protocol(frame).ok()?;
    let code = frame.get(at).copied();
    Some(PppStep { session, protocol, code, phase: link.phase() })
}
