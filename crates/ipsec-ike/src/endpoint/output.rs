use alloc::collections::VecDeque;
use alloc::vec::Vec;

use vpn_core::DropReason;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_core::Transmit;

use super::Endpoint;
use super::sa::Credit;
use crate::Event;
use crate::Header;
use crate::Message;
use crate::Trace;
use crate::fragment;
use crate::handle::SaId;

/// What tells IKE from ESP on the port of NAT traversal (RFC 3948 §2.2).
pub(super) const NON_ESP_MARKER: [u8; 4] = [0; 4];

/// The octet that keeps a NAT mapping alive (RFC 3948 §2.3).
pub(super) const KEEPALIVE: u8 = 0xff;

/// Messages that are longer are cut into fragments for peers that can put them together again:
/// they and their headers pass wherever IPv6 does.
const LARGEST_WHOLE: usize = 1_200;

/// What waits to be sent.
#[derive(Debug, Default)]
pub(super) struct Output {
    queue: VecDeque<(Path, Vec<u8>)>,
}

impl Output {
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}

/// How a message is told in traces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sending {
    First,
    Repeated,
}

impl Endpoint {
    /// Appends the next datagram to `buf` and says where it goes.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.advance(now);
        let (path, datagram) = self.output.queue.pop_front()?;
        if self.output.queue.is_empty() {
            self.output.queue = VecDeque::new();
        }
        buf.extend_from_slice(&datagram);
        Some(Transmit { path, len: datagram.len() })
    }

    /// Sends a message of an SA to `path`, within what may be sent there.
    pub(super) fn send(&mut self, id: SaId, path: Path, message: &[u8], sending: Sending) {
        let Some(sa) = self.sas.get_mut(&id) else { return };
        let fragments = match self.tools.octets() {
            Ok(id) if message.len() > LARGEST_WHOLE && sa.fragmentation() => {
                fragment::split(message, u16::from_be_bytes(id), LARGEST_WHOLE).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let total: usize = match fragments.as_slice() {
            [] => message.len(),
            fragments => fragments.iter().map(Vec::len).sum(),
        };
        // With room for the markers.
        let octets = total + fragments.len().max(1) * NON_ESP_MARKER.len();
        if !sa.credit.spend(octets) {
            self.drops.add(DropReason::LimitReached, 1);
            return;
        }
        let (peer, state) = (sa.peer, sa.state());
        if let Some(peer) = peer.and_then(|peer| self.peers.get_mut(&peer)) {
            peer.sent = self.now;
        }
        self.trace_message(path, message, true, sending == Sending::Repeated, state);
        match fragments.as_slice() {
            [] => self.enqueue(path, message),
            fragments => fragments.iter().for_each(|fragment| self.enqueue(path, fragment)),
        }
    }

    /// Sends a message to somebody of whom nothing is kept.
    pub(super) fn send_stateless(&mut self, path: Path, message: &[u8], received: usize) {
        if Credit::first(received).spend(message.len() + NON_ESP_MARKER.len()) {
            self.trace_message(path, message, true, false, "refused");
            self.enqueue(path, message);
        }
    }

    pub(super) fn send_keepalive(&mut self, path: Path) {
        self.push(path, Vec::from([KEEPALIVE]));
    }

    fn enqueue(&mut self, path: Path, message: &[u8]) {
        let mut datagram = Vec::with_capacity(NON_ESP_MARKER.len() + message.len());
        if path.socket == Socket::NatT {
            datagram.extend_from_slice(&NON_ESP_MARKER);
        }
        datagram.extend_from_slice(message);
        self.push(path, datagram);
    }

    fn push(&mut self, path: Path, datagram: Vec<u8>) {
        if self.output.queue.len() < self.config.limits.queue {
            self.output.queue.push_back((path, datagram));
        } else {
            self.drops.add(DropReason::LimitReached, 1);
        }
    }

    /// Tells about a message that came, before everything else since `mark`: what it made us send,
    /// and what came of it.
    pub(super) fn trace_received(
        &mut self,
        mark: usize,
        path: Path,
        message: &[u8],
        state: &'static str,
    ) {
        let before = self.events.len();
        self.trace_message(path, message, false, false, state);
        if self.events.len() > before
            && let Some(trace) = self.events.pop_back()
        {
            self.events.insert(mark.min(before), trace);
        }
    }

    /// Tells about a message, if that is wanted.
    pub(super) fn trace_message(
        &mut self,
        path: Path,
        message: &[u8],
        sent: bool,
        repeated: bool,
        state: &'static str,
    ) {
        if !self.config.trace {
            return;
        }
        let Ok(message) = Message::decode(message) else { return };
        let Header { cookies, exchange_type: exchange, message_id, .. } = message.header;
        let payloads = match message.header.is_encrypted() {
            true => Vec::new(),
            false => message.payloads().map_while(Result::ok).map(|one| one.kind).collect(),
        };
        self.report(Event::Trace(Trace {
            sent,
            repeated,
            path,
            cookies,
            exchange,
            message_id,
            payloads,
            state,
        }));
    }
}
