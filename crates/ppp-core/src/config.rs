use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::time::Duration;

use vpn_core::SecretBytes;

use crate::AuthMethod;
use crate::InterfaceId;

/// The MRU that holds until LCP agrees on another (RFC 1661 §6.1).
pub const DEFAULT_MRU: u16 = 1500;

/// The smallest MRU that is accepted from a peer; below it, not even every control packet fits.
pub const MIN_MRU: u16 = 128;

/// A name and its password.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The name, UTF-8. A Windows domain may stand in front: `DOMAIN\user`.
    pub name: String,
    /// The password, UTF-8.
    pub password: SecretBytes,
}

impl Credentials {
    /// A name and its password.
    #[must_use]
    pub fn new(name: impl Into<String>, password: impl Into<SecretBytes>) -> Self {
        Self { name: name.into(), password: password.into() }
    }
}

/// Counters and timer of the automaton (RFC 1661 §4.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Restart {
    /// The Restart timer; at least a millisecond. Also paces authentication packets.
    pub period: Duration,
    /// The Restart timer of the first transmission; each further one waits twice as long, up to
    /// `period`. Below `period` it saves time where the first packet is often lost, as with an
    /// L2TP peer that starts its PPP process late; it should stay above the round trip.
    pub first: Duration,
    /// Max-Configure: how often a Configure-Request, Challenge, Response or Authenticate-Request is
    /// sent without an answer.
    pub max_configure: u8,
    /// Max-Terminate: how often a Terminate-Request is sent.
    pub max_terminate: u8,
    /// Max-Failure: how many Configure-Naks are sent before they become Configure-Rejects.
    pub max_failure: u8,
}

impl Default for Restart {
    /// 3 s each time, 10, 2 and 5, as the RFC has it.
    fn default() -> Self {
        let period = Duration::from_secs(3);
        Self { period, first: period, max_configure: 10, max_terminate: 2, max_failure: 5 }
    }
}

/// LCP echo keep-alive (RFC 1661 §5.8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeepAlive {
    /// How long the peer may be silent before it is asked for a sign of life; at least a
    /// millisecond. Traffic that the caller reports with
    /// [`Link::note_traffic`](crate::Link::note_traffic) counts as one.
    pub interval: Duration,
    /// After how many requests in a row without an answer the link ends.
    pub max_missed: u8,
}

impl Default for KeepAlive {
    /// 30 s and 4.
    fn default() -> Self {
        Self { interval: Duration::from_secs(30), max_missed: 4 }
    }
}

/// What a link does about IPv4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ipv4Mode {
    /// Refuses IPCP.
    Off,
    /// Asks the peer for an address, as a client does.
    Ask {
        /// The address to ask for; `None` takes what the peer gives. The peer may give another.
        address: Option<Ipv4Addr>,
        /// Also ask for name servers (RFC 1877).
        dns: bool,
        /// Also ask for NetBIOS name servers (RFC 1877).
        nbns: bool,
    },
    /// Gives the peer an address, as a server does: an
    /// [`AddressRequest`](crate::Event::AddressRequest) asks which.
    Give,
}

/// What a link does about IPv6.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ipv6Mode {
    /// Refuses IPv6CP.
    Off,
    /// Negotiates interface identifiers.
    On {
        /// Our interface identifier; `None` draws a random one.
        interface_id: Option<InterfaceId>,
    },
}

/// How a link negotiates. Shared by many links through an `Arc`.
///
/// Either end may ask the other for a proof of identity, and both may:
/// [`LinkConfig::prove_with`] says what we give, [`LinkConfig::authenticate_with`] what we demand.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    pub(crate) name: String,
    pub(crate) credentials: Option<Credentials>,
    prove_with: Vec<AuthMethod>,
    /// `None` where it depends on the methods.
    require_proof_of_peer: Option<bool>,
    pub(crate) ask_for_credentials: bool,
    pub(crate) authenticate_with: Vec<AuthMethod>,
    pub(crate) auth_attempts: u8,
    pub(crate) auth_timeout: Duration,
    pub(crate) rechallenge: Option<Duration>,
    pub(crate) trust_proxy_auth: bool,
    pub(crate) mru: u16,
    pub(crate) accm: Option<u32>,
    pub(crate) pfc: bool,
    pub(crate) acfc: bool,
    pub(crate) restart: Restart,
    pub(crate) keep_alive: Option<KeepAlive>,
    pub(crate) ipv4: Ipv4Mode,
    pub(crate) ipv6: Ipv6Mode,
}

impl LinkConfig {
    /// A client: proves itself with MS-CHAPv2 or CHAP-MD5 where the peer asks, and asks for an
    /// IPv4 address and name servers.
    #[must_use]
    pub fn client(credentials: Credentials) -> Self {
        Self {
            name: credentials.name.clone(),
            credentials: Some(credentials),
            prove_with: Vec::from([AuthMethod::MsChapV2, AuthMethod::ChapMd5]),
            authenticate_with: Vec::new(),
            ipv4: Ipv4Mode::Ask { address: None, dns: true, nbns: false },
            ..Self::server("")
        }
    }

    /// A server: demands MS-CHAPv2 or CHAP-MD5 and gives IPv4 addresses. `name` is what it calls
    /// itself in a Challenge.
    #[must_use]
    pub fn server(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            credentials: None,
            prove_with: Vec::new(),
            require_proof_of_peer: None,
            ask_for_credentials: false,
            authenticate_with: Vec::from([AuthMethod::MsChapV2, AuthMethod::ChapMd5]),
            auth_attempts: 3,
            auth_timeout: Duration::from_secs(60),
            rechallenge: None,
            trust_proxy_auth: true,
            mru: DEFAULT_MRU,
            accm: None,
            pfc: false,
            acfc: false,
            restart: Restart::default(),
            keep_alive: Some(KeepAlive::default()),
            ipv4: Ipv4Mode::Give,
            ipv6: Ipv6Mode::On { interface_id: None },
        }
    }

    /// What we call ourselves in a Challenge. Default: the argument of [`LinkConfig::server`], or
    /// the name of the client's credentials.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The name and password that we prove ourselves with. Without them, a peer that asks for a
    /// proof is refused.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The methods that we prove ourselves with, best first. PAP sends the password in clear, so
    /// it must be named here to be used.
    #[must_use]
    pub fn prove_with(mut self, methods: &[AuthMethod]) -> Self {
        self.prove_with = unique(methods);
        self
    }

    /// Whether the link ends where the peer need not prove that it knows the password, or who it
    /// is. Default: yes where MS-CHAPv2 alone may be proved with, as whoever allows nothing else
    /// relies on the server's proof (RFC 2759 §5), which a server gets round by asking for none.
    ///
    /// It is enough that the peer must prove itself to us
    /// ([`authenticate_with`](Self::authenticate_with)). Otherwise, of the methods of
    /// [`prove_with`](Self::prove_with) only MS-CHAPv2 is used.
    #[must_use]
    pub const fn require_proof_of_peer(mut self, require: bool) -> Self {
        self.require_proof_of_peer = Some(require);
        self
    }

    /// Whether the peer must take MS-CHAPv2 from us, as it proves itself with nothing else.
    pub(crate) fn demands_mutual_proof(&self) -> bool {
        let only_mutual = self.credentials.is_some() && *self.prove_with == [AuthMethod::MsChapV2];
        self.require_proof_of_peer.unwrap_or(only_mutual) && self.authenticate_with.is_empty()
    }

    /// The methods that we prove ourselves with if we are asked to, best first.
    pub(crate) fn proofs(&self) -> Vec<AuthMethod> {
        if self.credentials.is_none() {
            return Vec::new();
        }
        let mutual = self.demands_mutual_proof();
        let methods = self.prove_with.iter().copied();
        methods.filter(|method| !mutual || *method == AuthMethod::MsChapV2).collect()
    }

    /// Whether a failure that allows another attempt asks the caller for other credentials with
    /// [`CredentialsRequest`](crate::Event::CredentialsRequest). Default: no, the link ends.
    #[must_use]
    pub const fn ask_for_credentials(mut self, ask: bool) -> Self {
        self.ask_for_credentials = ask;
        self
    }

    /// The methods that the peer may prove itself with, best first; an empty list demands no
    /// proof.
    #[must_use]
    pub fn authenticate_with(mut self, methods: &[AuthMethod]) -> Self {
        self.authenticate_with = unique(methods);
        self
    }

    /// How many wrong MS-CHAPv2 proofs end the link. Default 3, at least 1.
    ///
    /// Negotiating LCP anew gives the peer no new attempts. A proof counts too if the peer
    /// negotiates anew before the verdict; a peer that keeps on doing so is refused.
    #[must_use]
    pub fn auth_attempts(mut self, attempts: u8) -> Self {
        self.auth_attempts = attempts.max(1);
        self
    }

    /// How long the authentication phase may stand still, be it that the peer is silent, that it
    /// asks its user, or that the caller does not answer a ticket. Negotiating LCP anew does not
    /// make it longer. Default 60 s.
    #[must_use]
    pub fn auth_timeout(mut self, timeout: Duration) -> Self {
        self.auth_timeout = timeout.max(SHORTEST);
        self
    }

    /// How often the peer must prove itself again during the session, with CHAP-MD5 or MS-CHAPv2
    /// (RFC 1994 §2), under the same name. Default: never.
    #[must_use]
    pub fn rechallenge(mut self, interval: Option<Duration>) -> Self {
        self.rechallenge = interval.map(|interval| interval.max(SHORTEST));
        self
    }

    /// Whether [`Link::resume`](crate::Link::resume) checks the proof that a LAC brings, or asks
    /// the peer for a fresh one (RFC 2661 §9.5). Default: it checks the LAC's.
    #[must_use]
    pub const fn trust_proxy_auth(mut self, trust: bool) -> Self {
        self.trust_proxy_auth = trust;
        self
    }

    /// The longest Information field that we can receive, in octets (RFC 1661 §6.1). Default 1500;
    /// at least 128. Below 1500 it asks the peer to send less, but 1500 must still be received.
    #[must_use]
    pub fn mru(mut self, mru: u16) -> Self {
        self.mru = mru.max(MIN_MRU);
        self
    }

    /// The control characters that the peer must escape on an async line (RFC 1662 §7.1). Default:
    /// not negotiated.
    #[must_use]
    pub const fn accm(mut self, accm: Option<u32>) -> Self {
        self.accm = accm;
        self
    }

    /// Whether to offer Protocol-Field-Compression to the peer (RFC 1661 §6.5). Such frames are
    /// understood anyway. Default no.
    #[must_use]
    pub const fn pfc(mut self, offer: bool) -> Self {
        self.pfc = offer;
        self
    }

    /// Whether to offer Address-and-Control-Field-Compression to the peer (RFC 1661 §6.6). Such
    /// frames are understood anyway. Default no.
    #[must_use]
    pub const fn acfc(mut self, offer: bool) -> Self {
        self.acfc = offer;
        self
    }

    /// Counters and timer of the automaton (RFC 1661 §4.6).
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        let (period, first) = (restart.period.max(SHORTEST), restart.first.max(SHORTEST));
        self.restart = Restart { period, first, ..restart };
        self
    }

    /// LCP echo keep-alive; `None` turns it off. Default 30 s, 4 misses.
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: Option<KeepAlive>) -> Self {
        self.keep_alive = keep_alive.map(|k| KeepAlive { interval: k.interval.max(SHORTEST), ..k });
        self
    }

    /// What to do about IPv4.
    #[must_use]
    pub const fn ipv4(mut self, mode: Ipv4Mode) -> Self {
        self.ipv4 = mode;
        self
    }

    /// What to do about IPv6. Default: on.
    #[must_use]
    pub const fn ipv6(mut self, mode: Ipv6Mode) -> Self {
        self.ipv6 = mode;
        self
    }
}

fn unique(methods: &[AuthMethod]) -> Vec<AuthMethod> {
    let mut list = Vec::new();
    for method in methods {
        if !list.contains(method) {
            list.push(*method);
        }
    }
    list
}

/// No timer is shorter, so that none can spin.
const SHORTEST: Duration = Duration::from_millis(1);
