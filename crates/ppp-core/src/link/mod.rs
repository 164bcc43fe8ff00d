mod establish;
mod identity;
mod keep_alive;
mod ncp;
mod network;
mod resume;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use keep_alive::Watch;
use network::Network;
use vpn_core::DropCounters;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::SecureRandom;
use vpn_core::crypto::CryptoProvider;

use crate::AddressAnswer;
use crate::AnswerError;
use crate::AuthVerdict;
use crate::CloseReason;
use crate::Credentials;
use crate::DEFAULT_MRU;
use crate::DataForm;
use crate::Event;
use crate::LinkConfig;
use crate::Packet;
use crate::Phase;
use crate::Protocol;
use crate::Ticket;
use crate::auth::Authentication;
use crate::auth::Spent;
use crate::context::Context;
use crate::control::Control;
use crate::frame;
use crate::lcp::Lcp;

/// One end of a PPP link.
///
/// The link speaks frames: what L2TP, PPPoE or a serial line's framing carries. It negotiates,
/// authenticates, keeps the line alive and ends it; IP packets do not go through it, but through
/// whoever reads [`Link::form`].
///
/// It keeps the contract of [`vpn_core::Machine`]: after any call, drain
/// [`poll_frame`](Link::poll_frame), then [`poll_event`](Link::poll_event), then read
/// [`poll_timeout`](Link::poll_timeout).
///
/// ```text
///            open                LCP opened            every proof checked
///   Dead ────────► Establish ───────────► Authenticate ───────────► Network
///                     ▲  │                   │     │                   │
///                     │  │ no answer         │     │ refused           │ close, peer left,
///                     │  │                   │     ▼                   ▼ no echo
///                     │  └───────────────────┼──► Closed ◄──── Terminate
///                     └──────────────────────┴─ the peer negotiates LCP anew
/// ```
///
/// | call | what may change after it |
/// |---|---|
/// | [`open`](Link::open), [`renegotiate`](Link::renegotiate), [`close`](Link::close), [`lower_down`](Link::lower_down) | everything |
/// | [`handle_frame`](Link::handle_frame), [`handle_timeout`](Link::handle_timeout) | everything |
/// | [`answer_auth`](Link::answer_auth), [`answer_credentials`](Link::answer_credentials), [`answer_address`](Link::answer_address) | everything |
/// | [`note_traffic`](Link::note_traffic) | nothing to drain |
/// | [`poll_frame`](Link::poll_frame), [`poll_event`](Link::poll_event) | the queues |
/// | [`form`](Link::form), [`phase`](Link::phase), [`proxy_state`](Link::proxy_state), [`drops`](Link::drops) | nothing |
pub struct Link {
    context: Context,
    lcp: Control<Lcp>,
    stage: Stage,
    watch: Watch,
    /// Why the link is being closed.
    reason: Option<Box<CloseReason>>,
    /// What the peer said when it wanted to leave before LCP was open.
    farewell: Option<String>,
    /// The first Configure-Request of the peer, until the network phase.
    initial_received: Option<Box<[u8]>>,
    /// What the peer had used up of its chances to prove itself when LCP went down.
    spent: Spent,
    /// What the caller knows of LCP's part in the form: ACFC, PFC and MTU.
    reported: (bool, bool, u16),
}

/// How far the link is, with what each phase needs.
enum Stage {
    Dead,
    Establish,
    Authenticate(Box<Authentication>),
    Network(Box<Network>),
    Terminate,
    Closed,
}

impl Link {
    /// A link whose lower layer is down: [`Link::open`] starts it.
    #[must_use]
    pub fn new(
        config: Arc<LinkConfig>,
        provider: &'static CryptoProvider,
        random: Box<dyn SecureRandom + Send>,
    ) -> Self {
        Self {
            context: Context::new(config, provider, random),
            lcp: Control::new(Lcp::default()),
            stage: Stage::Dead,
            watch: Watch::default(),
            reason: None,
            farewell: None,
            initial_received: None,
            spent: Spent::default(),
            reported: (false, false, DEFAULT_MRU),
        }
    }

    /// Starts the link: the lower layer is up. Does nothing to a link that was opened before.
    pub fn open(&mut self, now: Instant) {
        self.context.advance(now);
        if matches!(self.stage, Stage::Dead) {
            self.stage = Stage::Establish;
            let signals = self.lcp.start(&mut self.context);
            self.after_lcp(signals);
        }
        self.settle();
    }

    /// Negotiates LCP, and all that follows, anew. Does nothing to a link that is not open.
    pub fn renegotiate(&mut self, now: Instant) {
        self.context.advance(now);
        if self.lcp.is_open() {
            let signals = self.lcp.renegotiate(&mut self.context);
            self.after_lcp(signals);
        }
        self.settle();
    }

    /// Ends the link in order: a Terminate-Request with `text` for people (at most 200 octets), its
    /// repetitions, and then [`Event::Closed`].
    pub fn close(&mut self, now: Instant, text: &str) {
        self.context.advance(now);
        match self.stage {
            Stage::Closed => {}
            Stage::Dead => self.finish(CloseReason::Local),
            _ => self.shut_with(CloseReason::Local, text),
        }
        self.settle();
    }

    /// Ends the link at once: the lower layer has gone.
    pub fn lower_down(&mut self, now: Instant) {
        self.context.advance(now);
        if !matches!(self.stage, Stage::Closed) {
            self.context.forget_frames();
            self.leave_network();
            let reason = self.reason.take().map_or(CloseReason::LowerDown, |reason| *reason);
            self.finish(reason);
        }
    }

    /// Takes one frame. It starts with `FF 03` or the Protocol field, compressed or not, whatever
    /// was negotiated.
    ///
    /// Packets of network protocols are not for the link: where [`Link::form`] says that theirs is
    /// open, the caller takes them before this. Here they are dropped as `ProtocolNotOpen`.
    pub fn handle_frame(&mut self, now: Instant, frame: &[u8]) -> Handled {
        self.context.advance(now);
        if matches!(self.stage, Stage::Closed) {
            return self.dropped(DropReason::Closed);
        }
        if self.context.is_full() {
            return self.dropped(DropReason::LimitReached);
        }
        let taken = self.take_frame(frame);
        self.settle();
        match taken {
            Ok(()) => Handled::Consumed,
            Err(reason) => self.dropped(reason),
        }
    }

    /// The peer was heard of: a data packet came from it, say. Puts off the next Echo-Request.
    pub fn note_traffic(&mut self, now: Instant) {
        self.context.advance(now);
        self.watch.note_traffic();
    }

    /// Answers [`Event::AuthRequest`].
    ///
    /// # Errors
    /// [`AnswerError`]; the link is then as it was.
    pub fn answer_auth(
        &mut self,
        now: Instant,
        ticket: Ticket,
        verdict: AuthVerdict,
    ) -> Result<(), AnswerError> {
        self.context.advance(now);
        let answered = self.take_verdict(ticket, verdict);
        self.settle();
        answered
    }

    /// Answers [`Event::CredentialsRequest`]; `None` gives in, and the link ends.
    ///
    /// # Errors
    /// [`AnswerError::Stale`]; the link is then as it was.
    pub fn answer_credentials(
        &mut self,
        now: Instant,
        ticket: Ticket,
        credentials: Option<Credentials>,
    ) -> Result<(), AnswerError> {
        self.context.advance(now);
        let answered = self.take_credentials(ticket, credentials);
        self.settle();
        answered
    }

    /// Answers [`Event::AddressRequest`].
    ///
    /// # Errors
    /// [`AnswerError::Stale`]; the link is then as it was.
    pub fn answer_address(
        &mut self,
        now: Instant,
        ticket: Ticket,
        answer: AddressAnswer,
    ) -> Result<(), AnswerError> {
        self.context.advance(now);
        let answered = self.take_address(ticket, answer);
        self.settle();
        answered
    }

    /// Appends the next frame to send to `out`, and says how many octets it has.
    ///
    /// A frame starts with `FF 03`, unless the peer agreed to do without; one of LCP always does.
    pub fn poll_frame(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<usize> {
        self.context.advance(now);
        self.context.next_frame(out)
    }

    /// Tells the link what time it is.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.context.advance(now);
        let signals = self.lcp.handle_timeout(&mut self.context);
        self.after_lcp(signals);
        self.authentication_timeout();
        self.network_timeout();
        self.watch_timeout();
        self.settle();
    }

    /// When [`Link::handle_timeout`] must be called next, if ever.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let stage = match &self.stage {
            Stage::Authenticate(authentication) => authentication.deadline(),
            Stage::Network(network) => network.deadline(),
            Stage::Dead | Stage::Establish | Stage::Terminate | Stage::Closed => None,
        };
        let deadlines = [self.lcp.deadline(), stage, self.watch.deadline()];
        deadlines.into_iter().flatten().min().filter(|at| *at < Instant::MAX)
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.context.next_event();
        if matches!(event, Some(Event::Closed { .. })) {
            self.context.forget_frames();
        }
        event
    }

    /// How data packets must look and which may pass.
    #[must_use]
    pub fn form(&self) -> DataForm {
        let mut form = DataForm::DEFAULT;
        if self.lcp.is_open() {
            let peer = self.lcp.negotiation.peer();
            (form.acfc, form.pfc) = (peer.acfc, peer.pfc);
            form.mtu = self.context.peer_mru;
        }
        if let Stage::Network(network) = &self.stage {
            (form.ipv4, form.ipv6) = (network.ipv4(), network.ipv6());
        }
        form
    }

    /// How far the link is.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match self.stage {
            Stage::Dead => Phase::Dead,
            Stage::Establish => Phase::Establish,
            Stage::Authenticate(_) => Phase::Authenticate,
            Stage::Network(_) => Phase::Network,
            Stage::Terminate => Phase::Terminate,
            Stage::Closed => Phase::Closed,
        }
    }

    /// The control characters that the peer wants escaped on an async line (RFC 1662 §7.1), once
    /// LCP is open; all of them, unless it said otherwise.
    #[must_use]
    pub fn peer_accm(&self) -> u32 {
        let asked = self.lcp.negotiation.peer().accm.filter(|_| self.lcp.is_open());
        asked.unwrap_or(u32::MAX)
    }

    /// What was dropped, and why.
    #[must_use]
    pub fn drops(&self) -> DropCounters {
        self.context.drops()
    }

    fn dropped(&mut self, reason: DropReason) -> Handled {
        self.context.note_drop(reason);
        Handled::Dropped(reason)
    }

    fn take_frame(&mut self, frame: &[u8]) -> Result<(), DropReason> {
        let (protocol, start) = frame::protocol(frame).map_err(|_| DropReason::Truncated)?;
        let information = frame.get(start..).unwrap_or_default();
        match protocol {
            Protocol::LCP => self.take_lcp(Packet::decode(information)?)?,
            Protocol::PAP | Protocol::CHAP => {
                self.take_proof(protocol, Packet::decode(information)?)?;
            }
            _ => self.take_network(protocol, information)?,
        }
        self.watch.note_traffic();
        Ok(())
    }

    /// Starts to close LCP; the reason is reported when that is done.
    fn shut(&mut self, reason: CloseReason) {
        let text = reason.farewell();
        self.shut_with(reason, text);
    }

    fn shut_with(&mut self, reason: CloseReason, text: &str) {
        self.note_reason(reason);
        let signals = self.lcp.close(&mut self.context, text);
        self.leave_network();
        if !matches!(self.stage, Stage::Closed) {
            self.stage = Stage::Terminate;
        }
        self.after_lcp(signals);
    }

    /// Why the link will have ended; the first reason counts.
    fn note_reason(&mut self, reason: CloseReason) {
        self.reason.get_or_insert_with(|| Box::new(reason));
    }

    /// The end: reports why, and does nothing more.
    fn finish(&mut self, reason: CloseReason) {
        self.stage = Stage::Closed;
        self.lcp = Control::new(Lcp::default());
        self.watch.stop();
        self.initial_received = None;
        self.context.event(Event::Closed { reason });
    }

    /// Follows up on what a call has changed.
    fn settle(&mut self) {
        if matches!(self.stage, Stage::Closed) {
            return;
        }
        if self.context.random_failed() {
            self.context.forget_frames();
            self.leave_network();
            self.finish(CloseReason::RandomFailed);
            return;
        }
        let form = self.form();
        let lcp = (form.acfc, form.pfc, form.mtu);
        let changed = self.context.take_form_changed();
        if core::mem::replace(&mut self.reported, lcp) != lcp || changed {
            self.context.event(Event::FormChanged);
        }
    }
}

impl Machine for Link {
    type Event = Event;

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }

    fn poll_event(&mut self) -> Option<Event> {
        Self::poll_event(self)
    }
}

impl core::fmt::Debug for Link {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let lcp = self.lcp.state();
        f.debug_struct("Link")
            .field("phase", &self.phase())
            .field("lcp", &lcp)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Authenticator;

    #[test]
    fn a_link_can_change_threads() {
        fn is_send<T: Send>() {}
        is_send::<Link>();
    }

    /// What an open server link consists of, but for a few short strings.
    #[test]
    fn an_idle_link_is_small() {
        let phase = size_of::<Network>() + size_of::<Authentication>() + size_of::<Authenticator>();
        assert!(size_of::<Link>() + phase <= 1_000, "{} + {phase}", size_of::<Link>());
    }
}
