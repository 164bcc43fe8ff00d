use alloc::sync::Arc;
use core::time::Duration;

use bytes::Bytes;
use l2tp_wire::BearerTypes;
use l2tp_wire::FramingTypes;
use l2tp_wire::Leniencies;
use vpn_core::SecretBytes;

use crate::ReorderConfig;
use crate::channel::ChannelConfig;
use crate::channel::FirstNumbers;
use crate::channel::Retransmission;

/// The longest name that goes out. One that is hidden has room for its padding.
const LONGEST_NAME: usize = 255;

/// How many sessions a tunnel may have: few enough that a free ID is found soon.
pub(crate) const MOST_SESSIONS: u16 = 61_000;

/// From where the answer to our SCCRQ may come on [`LinkId::PLAIN`](crate::LinkId::PLAIN). Once it
/// has, the peer's address stays the same (RFC 2661 §8.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReplyFrom {
    /// From the address and port that were called.
    SamePort,
    /// From the address that was called, and any port: the responder "picks a free port".
    SameAddress,
    /// From anywhere, since a host with several addresses may answer from another one.
    #[default]
    Anywhere,
}

/// How one tunnel behaves.
///
/// ```
/// use core::time::Duration;
/// use l2tp_control::TunnelConfig;
///
/// let config = TunnelConfig::new("lac.example.net")
///     .secret(&b"shared with the LNS"[..])
///     .hide_avps(true)
///     .hello_interval(Some(Duration::from_secs(30)));
/// ```
#[derive(Clone, Debug)]
pub struct TunnelConfig {
    pub(crate) host_name: Bytes,
    pub(crate) vendor_name: Bytes,
    pub(crate) firmware_revision: Option<u16>,
    pub(crate) framing: FramingTypes,
    pub(crate) bearer: Option<BearerTypes>,
    pub(crate) secret: Option<SecretBytes>,
    pub(crate) hide_avps: bool,
    pub(crate) tie_breaker: bool,
    pub(crate) channel: ChannelConfig,
    pub(crate) hello_interval: Option<Duration>,
    pub(crate) setup_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) leniencies: Leniencies,
    pub(crate) reply_from: ReplyFrom,
    pub(crate) max_sessions: u16,
    pub(crate) reorder: Option<ReorderConfig>,
    pub(crate) data_length: bool,
    pub(crate) first_numbers: FirstNumbers,
}

impl TunnelConfig {
    /// The defaults, with a Host Name: "as broadly unique as possible", a domain name where there
    /// is one (RFC 2661 §4.4.3). It is cut to 255 octets; an empty one becomes `l2tp`.
    #[must_use]
    pub fn new(host_name: impl Into<Bytes>) -> Self {
        let mut host_name = host_name.into();
        host_name.truncate(LONGEST_NAME);
        if host_name.is_empty() {
            host_name = Bytes::from_static(b"l2tp");
        }
        Self {
            host_name,
            vendor_name: Bytes::from_static(b"l2tp-control"),
            firmware_revision: None,
            framing: FramingTypes::SYNC.union(FramingTypes::ASYNC),
            bearer: Some(BearerTypes::empty()),
            secret: None,
            hide_avps: false,
            tie_breaker: false,
            channel: ChannelConfig::default(),
            hello_interval: Some(Duration::from_secs(60)),
            setup_timeout: Duration::from_secs(60),
            call_timeout: Duration::from_secs(60),
            leniencies: Leniencies::all(),
            reply_from: ReplyFrom::default(),
            max_sessions: MOST_SESSIONS,
            reorder: None,
            data_length: true,
            first_numbers: FirstNumbers::default(),
        }
    }

    /// Sets the Vendor Name, cut to 255 octets; an empty one is not sent. Default: the name of
    /// this library.
    #[must_use]
    pub fn vendor_name(mut self, vendor_name: impl Into<Bytes>) -> Self {
        self.vendor_name = vendor_name.into();
        self.vendor_name.truncate(LONGEST_NAME);
        self
    }

    /// Sets the Firmware Revision, which is not sent by default.
    #[must_use]
    pub const fn firmware_revision(mut self, revision: Option<u16>) -> Self {
        self.firmware_revision = revision;
        self
    }

    /// Sets the Framing Capabilities. Default: both kinds.
    #[must_use]
    pub const fn framing(mut self, framing: FramingTypes) -> Self {
        self.framing = framing;
        self
    }

    /// Sets the Bearer Capabilities: the lines that we can place outgoing calls on. Default: none.
    /// `None` leaves the AVP out, which tells an LNS that it must not ask (RFC 2661 §4.4.3).
    #[must_use]
    pub const fn bearer(mut self, bearer: Option<BearerTypes>) -> Self {
        self.bearer = bearer;
        self
    }

    /// Sets the secret shared with the peer (RFC 2661 §5.1.1). With it, we challenge every peer
    /// and refuse one that does not answer right; without it, a challenge from the peer can't be
    /// answered and ends the tunnel. Default: none.
    #[must_use]
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secret = Some(SecretBytes::new(secret.as_ref()));
        self
    }

    /// Sets whether every AVP that may be hidden goes out hidden (RFC 2661 §4.3); it takes a
    /// secret. Those of SCCRQ and SCCRP stay in clear: a peer may have to read the Host Name
    /// there before it knows which secret is ours, and xl2tpd can open nothing in them.
    ///
    /// Default: no, but for the name and the response in proxy authentication, which are hidden
    /// whenever there is a secret (§4.4.5).
    #[must_use]
    pub const fn hide_avps(mut self, hide: bool) -> Self {
        self.hide_avps = hide;
        self
    }

    /// Sets whether our SCCRQ has a Tie Breaker, for peers that open tunnels to each other and
    /// want only one (RFC 2661 §4.4.3). Default: no.
    #[must_use]
    pub const fn tie_breaker(mut self, tie_breaker: bool) -> Self {
        self.tie_breaker = tie_breaker;
        self
    }

    /// Sets when control messages are repeated, and how often. Default: as RFC 2661 §5.8 has it.
    #[must_use]
    pub const fn retransmission(mut self, retransmission: Retransmission) -> Self {
        self.channel.retransmission = retransmission;
        self
    }

    /// Sets how long an acknowledgement waits for a message to ride on: 20 ms by default, 50 ms at
    /// most. Where the peer can do nothing before it has come, it goes at once in any case.
    #[must_use]
    pub fn acknowledgement_delay(mut self, delay: Duration) -> Self {
        self.channel.acknowledgement_delay = delay.min(Duration::from_millis(50));
        self
    }

    /// Sets the Receive Window Size that we offer: 16 by default, 1 to 256.
    #[must_use]
    pub fn receive_window(mut self, messages: u16) -> Self {
        self.channel.receive_window = messages.clamp(1, 256);
        self
    }

    /// Sets after what time without a message from the peer a HELLO goes out (RFC 2661 §6.5): 60 s
    /// by default, 1 s at least and a day at most, `None` for never. Each time up to a quarter is taken off at
    /// random, so that many tunnels don't speak at once.
    #[must_use]
    pub fn hello_interval(mut self, interval: Option<Duration>) -> Self {
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(86_400));
        self.hello_interval = interval.map(|interval| interval.clamp(least, most));
        self
    }

    /// Sets how long a tunnel may take to open: 60 s by default, 1 s at least. A peer that does not
    /// answer at all is given up earlier.
    #[must_use]
    pub fn setup_timeout(mut self, timeout: Duration) -> Self {
        self.setup_timeout = timeout.max(Duration::from_secs(1));
        self
    }

    /// Sets how long a call may take to connect once its tunnel is open: 60 s by default, 1 s at
    /// least.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout.max(Duration::from_secs(1));
        self
    }

    /// Sets which departures from the RFC are put up with. Default: all that are known.
    #[must_use]
    pub const fn leniencies(mut self, leniencies: Leniencies) -> Self {
        self.leniencies = leniencies;
        self
    }

    /// Sets from where the answer to our SCCRQ may come. Default: [`ReplyFrom::Anywhere`].
    #[must_use]
    pub const fn reply_from(mut self, reply_from: ReplyFrom) -> Self {
        self.reply_from = reply_from;
        self
    }

    /// Sets how many sessions the tunnel may have. Default, and most: 61,000, so that their IDs
    /// stay hard to guess.
    #[must_use]
    pub fn max_sessions(mut self, sessions: u16) -> Self {
        self.max_sessions = sessions.min(MOST_SESSIONS);
        self
    }

    /// Sets that data messages with sequence numbers are put back in order. Default: they are not,
    /// and late ones are dropped.
    #[must_use]
    pub const fn reorder(mut self, reorder: Option<ReorderConfig>) -> Self {
        self.reorder = reorder;
        self
    }

    /// Sets whether the data messages that we send have a Length field. Default: yes.
    #[must_use]
    pub const fn data_length(mut self, length: bool) -> Self {
        self.data_length = length;
        self
    }

    /// Sets the first sequence numbers of the control connection and, with its Ns, of each
    /// session's data, for tests that begin just below the wrap. RFC 2661 §5.8 has them begin at 0,
    /// and no peer expects anything else.
    #[doc(hidden)]
    #[must_use]
    pub const fn first_numbers(mut self, first_numbers: FirstNumbers) -> Self {
        self.first_numbers = first_numbers;
        self
    }
}

/// What to do with a request from a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Refuse it.
    Refuse,
    /// Report it, and wait for the answer to its ticket.
    Ask,
    /// Accept it.
    Accept,
}

/// How much an endpoint takes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Tunnels, in whatever state. Default: 100,000. When there are more, the oldest makes room
    /// that has closed and is kept for the last messages; the same for those of one link.
    pub tunnels: usize,
    /// Tunnels of one link, in whatever state: at most 61,000, since their IDs have 16 bits and
    /// must stay hard to guess. Default: 60,000.
    pub tunnels_per_link: usize,
    /// Tunnels that a peer has asked for and that never were open, while anything is kept of them.
    /// Default: 10,000. When there are more, the oldest that was refused makes room, or else the
    /// oldest whose peer has not answered yet.
    pub half_open: usize,
    /// The same for one source: an IPv4 address or IPv6 /64 network on one link. Default: 5. What
    /// is less than a second old makes no room here: its peer may still answer.
    pub half_open_per_source: usize,
    /// Sessions, in whatever state. Default: 200,000.
    pub sessions: usize,
    /// Control messages that may wait in one tunnel before local commands are refused. While twice
    /// as many wait, the peer's ICRQs and OCRQs are dropped until it acknowledges. Default: 256.
    pub queued_messages: usize,
    /// Data messages that may wait to be sent. Default: 4,096.
    pub queued_frames: usize,
    /// Events that may wait to be polled. With more, what the network brings is dropped.
    /// Default: 65,536.
    pub events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tunnels: 100_000,
            tunnels_per_link: 60_000,
            half_open: 10_000,
            half_open_per_source: 5,
            sessions: 200_000,
            queued_messages: 256,
            queued_frames: 4_096,
            events: 65_536,
        }
    }
}

/// How an [`Endpoint`](crate::Endpoint) behaves.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    pub(crate) tunnel: Arc<TunnelConfig>,
    pub(crate) tunnels: Admission,
    pub(crate) incoming_calls: Admission,
    pub(crate) outgoing_calls: Admission,
    pub(crate) limits: Limits,
    pub(crate) trace: bool,
}

impl EndpointConfig {
    /// An endpoint that opens tunnels and calls, and refuses those of its peers. `tunnel` says how
    /// to answer a peer that opens a tunnel.
    #[must_use]
    pub fn new(tunnel: impl Into<Arc<TunnelConfig>>) -> Self {
        Self {
            tunnel: tunnel.into(),
            tunnels: Admission::Refuse,
            incoming_calls: Admission::Refuse,
            outgoing_calls: Admission::Refuse,
            limits: Limits::default(),
            trace: false,
        }
    }

    /// Sets what to do with a peer that opens a tunnel.
    #[must_use]
    pub const fn tunnels(mut self, admission: Admission) -> Self {
        self.tunnels = admission;
        self
    }

    /// Sets what to do with an ICRQ, where we are the LNS.
    #[must_use]
    pub const fn incoming_calls(mut self, admission: Admission) -> Self {
        self.incoming_calls = admission;
        self
    }

    /// Sets what to do with an OCRQ, where we are the LAC. One that is accepted, asked or unasked,
    /// must still be placed by the application: [`Event::PlaceCall`](crate::Event::PlaceCall) tells
    /// it to.
    #[must_use]
    pub const fn outgoing_calls(mut self, admission: Admission) -> Self {
        self.outgoing_calls = admission;
        self
    }

    /// Sets how much the endpoint takes on.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.limits.tunnels_per_link = limits.tunnels_per_link.min(61_000);
        self
    }

    /// Sets whether every message and change of state is reported as
    /// [`Event::Trace`](crate::Event::Trace). Default: no.
    #[must_use]
    pub const fn trace(mut self, trace: bool) -> Self {
        self.trace = trace;
        self
    }
}
