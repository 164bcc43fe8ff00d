use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::set_ns_nr;
use l2tp_wire::zlb;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Transmit;

use super::Wakeup;
use crate::Endpoint;
use crate::LinkId;
use crate::Trace;
use crate::TunnelHandle;
use crate::channel::Outgoing;
use crate::tunnel::Phase;
use crate::tunnel::Tunnel;

/// What waits to be sent.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Tunnels with something to send, each once.
    tunnels: VecDeque<TunnelHandle>,
    /// Datagrams that nobody repeats: data messages, and last words to peers that are forgotten.
    loose: VecDeque<(LinkId, Path, Box<[u8]>)>,
}

impl Output {
    pub(super) fn loose_len(&self) -> usize {
        self.loose.len()
    }

    pub(super) fn push_loose(&mut self, link: LinkId, path: Path, datagram: Box<[u8]>) {
        self.loose.push_back((link, path, datagram));
    }
}

impl Endpoint {
    /// Appends the next datagram to `buf`, and says where it goes. Control messages go before data
    /// messages, and tunnels take turns.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<(LinkId, Transmit)> {
        let now = self.advance(now);
        while let Some(handle) = self.output.tunnels.pop_front() {
            let Some(tunnel) = self.tunnels.get_mut(handle.0) else { continue };
            tunnel.in_output = false;
            let sent = transmit(tunnel, now, buf);
            let (link, path) = (tunnel.link, tunnel.path);
            self.settle(handle);
            if let Some(Sent { len, ns, nr, repeated }) = sent {
                self.trace(|| {
                    let start = buf.len().saturating_sub(len);
                    let message = message_type(buf.get(start..).unwrap_or_default());
                    Trace::Sent { tunnel: handle, message, ns, nr, repeated }
                });
                return Some((link, Transmit { path, len }));
            }
        }
        let (link, path, datagram) = self.output.loose.pop_front()?;
        if self.output.loose.is_empty() {
            self.output.loose = VecDeque::new();
        }
        buf.extend_from_slice(&datagram);
        Some((link, Transmit { path, len: datagram.len() }))
    }

    /// Brings what follows from a tunnel's state up to date: its place in the output, its entry
    /// among the deadlines, calls that can go on. Everything that touches a tunnel ends here.
    pub(super) fn settle(&mut self, handle: TunnelHandle) {
        self.start_waiting_calls(handle);
        let now = self.now;
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        if tunnel.phase == Phase::Stopping && tunnel.timer.is_none() && tunnel.channel.queued() == 0
        {
            tunnel.timer = Some(now + tunnel.config.channel.retransmission.cycle());
            self.stopping.remove(&handle);
            self.draining.remove(&handle);
        }
        if !tunnel.in_output && tunnel.channel.wants_transmit(now) {
            tunnel.in_output = true;
            self.output.tunnels.push_back(handle);
        }
        let deadline = tunnel.deadline(now);
        // A deadline that only moves back stays where it is entered: waking up early costs less
        // than entering it anew with every datagram.
        if tunnel.entered.is_none() || tunnel.entered > deadline {
            self.deadlines.update(Wakeup::Tunnel(handle), tunnel.entered, deadline);
            tunnel.entered = deadline;
        }
    }
}

/// What was appended.
struct Sent {
    len: usize,
    ns: u16,
    nr: u16,
    repeated: bool,
}

/// Appends the next datagram of `tunnel` to `buf`.
fn transmit(tunnel: &mut Tunnel, now: Instant, buf: &mut Vec<u8>) -> Option<Sent> {
    let start = buf.len();
    let (ns, nr, repeated) = match tunnel.channel.poll_transmit(now, &tunnel.config.channel)? {
        Outgoing::Message { ns, nr, repeated, message } => {
            buf.extend_from_slice(message);
            (ns, nr, repeated)
        }
        Outgoing::Acknowledgement { ns, nr } => {
            buf.extend_from_slice(&zlb(tunnel.peer_id, 0, ns, nr));
            (ns, nr, false)
        }
    };
    let datagram = buf.get_mut(start..).unwrap_or_default();
    set_ns_nr(datagram, ns, nr);
    if tunnel.phase == Phase::Stopping && message_type(datagram) == Some(MessageType::STOP_CCN) {
        // It may have been made before the peer told its Tunnel ID.
        set_tunnel_id(datagram, tunnel.peer_id);
    }
    let len = datagram.len();
    if !tunnel.proven && !tunnel.initiator && !tunnel.budget.spend(len) {
        // It counts as sent, and as lost: the peer's next repetition brings more budget.
        buf.truncate(start);
        return None;
    }
    Some(Sent { len, ns, nr, repeated })
}

fn set_tunnel_id(datagram: &mut [u8], id: u16) {
    if let Some([_, _, _, _, id0, id1]) = datagram.first_chunk_mut() {
        [*id0, *id1] = id.to_be_bytes();
    }
}

fn message_type(datagram: &[u8]) -> Option<MessageType> {
    match Packet::decode(datagram) {
        Ok(Packet::Control(control)) => control.message_type(),
        _ => None,
    }
}
