//! Data messages (RFC 2661 §5.3, §5.4) that go through the endpoint.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;
use l2tp_wire::DataHeader;
use l2tp_wire::DataMessage;
use l2tp_wire::Sequence;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Path;

use crate::CallState;
use crate::Endpoint;
use crate::Event;
use crate::LinkId;
use crate::ReorderQueue;
use crate::Reordered;
use crate::SendError;
use crate::SessionHandle;
use crate::TunnelHandle;
use crate::sequence::Verdict;

/// How many frames of all sessions together are kept that overtook an ICCN or OCCN.
const EARLY_FRAMES: usize = 4096;

impl Endpoint {
    pub(super) fn handle_data(
        &mut self,
        (link, path): (LinkId, Path),
        message: &DataMessage<'_>,
    ) -> Handled {
        let now = self.now;
        let DataHeader { tunnel_id, session_id, sequence, .. } = message.header;
        let found = self.ids.find(link, tunnel_id);
        let Some(tunnel) = found.and_then(|handle| self.tunnels.get_mut(handle.0)) else {
            return self.drops.drop(DropReason::UnknownTunnel);
        };
        if !link.is_authenticated() && tunnel.path.remote != path.remote {
            return self.drops.drop(DropReason::WrongPeer);
        }
        let session = tunnel.calls.by_local_id.get(&session_id).copied().flatten();
        if tunnel.is_established() {
            tunnel.last_heard = now;
        }
        let Some(handle) = session else {
            return self.drops.drop(DropReason::UnknownSession);
        };
        let ns = sequence.map(|sequence| sequence.ns);
        let Some(session) = self.sessions.get_mut(handle.0) else {
            return self.drops.drop(DropReason::UnknownSession);
        };
        match (session.state, session.setup.as_mut()) {
            (CallState::Established, _) => {
                let frame = Bytes::copy_from_slice(message.payload);
                match self.accept_frame(handle, ns, frame) {
                    Ok(()) => Handled::Consumed,
                    Err(reason) => self.drops.drop(reason),
                }
            }
            // It overtook the ICCN or OCCN.
            (CallState::WaitConnect, Some(setup)) => {
                if self.early_frames < EARLY_FRAMES && setup.keep_early(ns, message.payload) {
                    self.early_frames += 1;
                    Handled::Consumed
                } else {
                    self.drops.drop(DropReason::LimitReached)
                }
            }
            _ => self.drops.drop(DropReason::UnexpectedState),
        }
    }

    /// Takes a frame of an established session: passes it on, keeps it for its turn, or drops it.
    pub(super) fn accept_frame(
        &mut self,
        handle: SessionHandle,
        ns: Option<u16>,
        frame: Bytes,
    ) -> Result<(), DropReason> {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(handle.0) else {
            return Err(DropReason::UnknownSession);
        };
        let reorder = self.tunnels.get(session.tunnel.0).and_then(|t| t.config.reorder);
        let (Some(reorder), Some(ns)) = (reorder, ns) else {
            return match session.sequence.receive(ns) {
                Verdict::Accept { .. } => {
                    // Nothing can be put in order behind a frame without a number.
                    if let Some(queue) = &mut session.reorder {
                        queue.flush();
                        self.deliver_reordered(handle);
                    }
                    self.emit(Event::Data { session: handle, frame });
                    self.settle_session(handle);
                    Ok(())
                }
                Verdict::Late => Err(DropReason::Late),
                Verdict::Unsequenced => Err(DropReason::Malformed),
            };
        };
        session.sequence.follow(true);
        let queue = session.reorder.get_or_insert_with(|| Box::new(ReorderQueue::new()));
        let reordered = queue.push(now, ns, frame, &reorder);
        self.deliver_reordered(handle);
        self.settle_session(handle);
        match reordered {
            Reordered::Ready | Reordered::Waits => Ok(()),
            Reordered::Late => Err(DropReason::Late),
        }
    }

    /// Passes on the frames whose turn has come.
    pub(super) fn deliver_reordered(&mut self, handle: SessionHandle) {
        while let Some(frame) =
            self.session_mut(handle).and_then(|session| session.reorder.as_mut()?.pop())
        {
            self.emit(Event::Data { session: handle, frame });
        }
    }

    /// Sends a PPP frame, without flags, escapes and checksum (RFC 2661 §5.3).
    ///
    /// # Errors
    /// [`SendError`]; nothing is sent then.
    pub fn send_data(
        &mut self,
        now: Instant,
        session: SessionHandle,
        frame: &[u8],
    ) -> Result<(), SendError> {
        self.advance(now);
        if self.output.loose_len() >= self.config.limits.queued_frames {
            return Err(SendError::QueueFull);
        }
        let session = self.sessions.get(session.0).ok_or(SendError::NoSession)?;
        if session.state != CallState::Established {
            return Err(SendError::WrongState);
        }
        let tunnel = self.tunnels.get(session.tunnel.0).ok_or(SendError::NoSession)?;
        let header = DataHeader {
            tunnel_id: tunnel.peer_id,
            session_id: session.peer_id,
            sequence: session.sequence.next_ns().map(|ns| Sequence { ns, nr: 0 }),
            length: tunnel.config.data_length,
            priority: false,
            offset: None,
        };
        let mut datagram = Vec::with_capacity(header.encoded_len() + frame.len());
        datagram.resize(header.encoded_len(), 0);
        header.encode(frame.len(), &mut datagram)?;
        datagram.extend_from_slice(frame);
        self.output.push_loose(tunnel.link, tunnel.path, datagram.into_boxed_slice());
        Ok(())
    }

    /// Tells that a data message came through, at the time of `heard` or later, which the endpoint
    /// did not see, so that no HELLO is needed (RFC 2661 §5.5). Once in a while is enough: a quarter
    /// of the HELLO interval, say.
    pub fn note_data(&mut self, heard: Instant, tunnel: TunnelHandle) {
        if let Some(tunnel) = self.tunnel_mut(tunnel) {
            tunnel.last_heard = tunnel.last_heard.max(heard);
        }
    }

    /// Begins or stops to send sequence numbers in a session's data messages. That is up to the
    /// LNS, and the LAC follows (RFC 2661 §5.4).
    ///
    /// # Errors
    /// [`SendError::WrongRole`] where we are the LAC, [`SendError::SequencingRequired`] where they
    /// can't be stopped, [`SendError::NoSession`].
    pub fn set_sequencing(
        &mut self,
        session: SessionHandle,
        sending: bool,
    ) -> Result<(), SendError> {
        let session = self.sessions.get(session.0).ok_or(SendError::NoSession)?;
        if session.kind.is_lac() {
            return Err(SendError::WrongRole);
        }
        if session.sequence.set_sending(sending) {
            Ok(())
        } else {
            Err(SendError::SequencingRequired)
        }
    }
}
