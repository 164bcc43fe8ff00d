use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use vpn_core::DropCounters;
use vpn_core::DropReason;
use vpn_core::Instant;
use vpn_core::SecureRandom;
use vpn_core::crypto::CryptoProvider;

use crate::Credentials;
use crate::DEFAULT_MRU;
use crate::Event;
use crate::LinkConfig;
use crate::Maintenance;
use crate::PACKET_HEADER_LEN;
use crate::Protocol;
use crate::Restart;
use crate::Ticket;
use crate::frame::ADDRESS_CONTROL;

/// What every layer of a link shares: configuration, time, randomness, and the way out.
pub(crate) struct Context {
    pub(crate) config: Arc<LinkConfig>,
    pub(crate) provider: &'static CryptoProvider,
    pub(crate) now: Instant,
    /// What was dropped; most links drop nothing.
    drops: Option<Box<DropCounters>>,
    /// The longest Information field that the peer can receive.
    pub(crate) peer_mru: u16,
    /// Whether Address and Control are left out of what is not LCP.
    pub(crate) acfc: bool,
    /// Credentials that the caller gave in place of the configured ones.
    other_credentials: Option<Box<Credentials>>,
    random: Box<dyn SecureRandom + Send>,
    random_failed: bool,
    frames: FrameQueue,
    events: VecDeque<Event>,
    tickets: u64,
    form_changed: bool,
    reject_identifier: u8,
}

impl Context {
    pub(crate) fn new(
        config: Arc<LinkConfig>,
        provider: &'static CryptoProvider,
        random: Box<dyn SecureRandom + Send>,
    ) -> Self {
        Self {
            config,
            provider,
            now: Instant::ZERO,
            drops: None,
            peer_mru: DEFAULT_MRU,
            acfc: false,
            other_credentials: None,
            random,
            random_failed: false,
            frames: FrameQueue::default(),
            events: VecDeque::new(),
            tickets: 0,
            form_changed: false,
            reject_identifier: 0,
        }
    }

    /// Counts an input or output that was dropped.
    pub(crate) fn note_drop(&mut self, reason: DropReason) {
        self.drops.get_or_insert_default().add(reason, 1);
    }

    pub(crate) fn drops(&self) -> DropCounters {
        self.drops.as_deref().copied().unwrap_or_default()
    }

    /// Takes note of the time; it never runs backwards.
    pub(crate) fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// What we prove ourselves with.
    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.other_credentials.as_deref().or(self.config.credentials.as_ref())
    }

    pub(crate) fn replace_credentials(&mut self, credentials: Credentials) {
        self.other_credentials = Some(Box::new(credentials));
    }

    /// When the Restart timer expires that is started now, with the `nth` transmission of the same
    /// packet, counted from 1.
    pub(crate) fn restart_deadline(&self, nth: u8) -> Instant {
        let Restart { period, first, .. } = self.config.restart;
        let doublings = u32::from(nth.saturating_sub(1)).min(16);
        self.now + first.saturating_mul(1 << doublings).min(period)
    }

    /// Unpredictable octets. When there are none, nothing more is sent and the link ends.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut octets = [0; N];
        if self.random.fill(&mut octets).is_err() {
            self.random_failed = true;
        }
        octets
    }

    pub(crate) const fn random_failed(&self) -> bool {
        self.random_failed
    }

    pub(crate) const fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Queues a packet; `fill` appends its data.
    pub(crate) fn send(
        &mut self,
        protocol: Protocol,
        code: u8,
        identifier: u8,
        fill: impl FnOnce(&mut Vec<u8>),
    ) {
        if self.random_failed {
            return;
        }
        if self.frames.is_full() {
            self.note_drop(DropReason::LimitReached);
            return;
        }
        let address: &[u8] =
            if self.acfc && protocol != Protocol::LCP { &[] } else { &ADDRESS_CONTROL };
        self.frames.push(|frame| {
            frame.extend_from_slice(address);
            frame.extend_from_slice(&protocol.0.to_be_bytes());
            let start = frame.len();
            frame.extend_from_slice(&[code, identifier, 0, 0]);
            fill(frame);
            frame.truncate(start + usize::from(u16::MAX));
            let length = u16::try_from(frame.len() - start).unwrap_or(u16::MAX);
            if let Some(field) = frame.get_mut(start + 2..start + 4) {
                field.copy_from_slice(&length.to_be_bytes());
            }
        });
    }

    /// Tells the peer that nobody here speaks a protocol (RFC 1661 §5.7).
    pub(crate) fn protocol_reject(&mut self, protocol: Protocol, information: &[u8]) {
        self.reject_identifier = self.reject_identifier.wrapping_add(1);
        let reject = Maintenance::ProtocolReject { protocol, information };
        self.send(Protocol::LCP, reject.code().0, self.reject_identifier, |out| {
            reject.encode_data(out);
        });
    }

    /// The most data that a packet to the peer may have behind its header.
    pub(crate) fn room(&self) -> usize {
        usize::from(self.peer_mru) - PACKET_HEADER_LEN
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.form_changed |= matches!(
            event,
            Event::Ipv4Up(_) | Event::Ipv4Down | Event::Ipv6Up(_) | Event::Ipv6Down
        );
        self.events.push_back(event);
    }

    /// Whether a network protocol has come up or gone down since the last call.
    pub(crate) const fn take_form_changed(&mut self) -> bool {
        core::mem::replace(&mut self.form_changed, false)
    }

    pub(crate) fn next_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
        event
    }

    pub(crate) fn next_frame(&mut self, out: &mut Vec<u8>) -> Option<usize> {
        self.frames.pop(out)
    }

    pub(crate) fn forget_frames(&mut self) {
        self.frames = FrameQueue::default();
    }

    /// Whether the caller must drain before more input is taken.
    pub(crate) fn is_full(&self) -> bool {
        self.frames.is_full() || self.events.len() >= MAX_EVENTS
    }
}

/// Frames to be sent, each behind its length, in one buffer that is given back when empty.
#[derive(Default)]
struct FrameQueue {
    octets: Vec<u8>,
    sent: usize,
}

impl FrameQueue {
    fn push(&mut self, fill: impl FnOnce(&mut Vec<u8>)) {
        let start = self.octets.len();
        self.octets.extend_from_slice(&[0; LENGTH]);
        fill(&mut self.octets);
        let length = u32::try_from(self.octets.len() - start - LENGTH).unwrap_or(u32::MAX);
        if let Some(field) = self.octets.get_mut(start..start + LENGTH) {
            field.copy_from_slice(&length.to_be_bytes());
        }
    }

    fn pop(&mut self, out: &mut Vec<u8>) -> Option<usize> {
        let rest = self.octets.get(self.sent..)?;
        let (length, rest) = rest.split_first_chunk::<LENGTH>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        out.extend_from_slice(rest.get(..length)?);
        self.sent += LENGTH + length;
        if self.sent == self.octets.len() {
            *self = Self::default();
        }
        Some(length)
    }

    const fn is_full(&self) -> bool {
        self.octets.len() >= MAX_QUEUED
    }
}

/// Octets in front of a queued frame.
const LENGTH: usize = 4;

/// With this many octets queued, nothing more is taken in or sent. A link has a handful of frames
/// of a hundred octets under way.
const MAX_QUEUED: usize = 16 * 1024;

/// With this many events waiting, nothing more is taken in.
const MAX_EVENTS: usize = 64;
