use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::time::Duration;

use ipsec_ike::EndpointConfig;
use ipsec_ike::PskSelector;
use l2tp_control::channel::FirstNumbers;
use ppp_core::AuthMethod;
use ppp_core::LinkConfig;
use vpn_core::SecretBytes;

use super::Common;
use super::ConfigError;
use super::common::common_setters;
use super::common::ipsec_setters;
use super::common::session_setters;
use crate::AddressPool;

/// How a [`Server`](crate::Server) behaves.
///
/// ```
/// use l2tp_ipsec::ServerConfig;
///
/// let config = ServerConfig::new("a long random text")
///     .pool("10.9.0.0/24".parse()?)
///     .dns(["10.9.0.1".parse().unwrap()]);
/// # Ok::<(), l2tp_ipsec::PoolError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub(crate) common: Common,
    pub(crate) pool: Option<AddressPool>,
    pub(crate) dns: [Option<Ipv4Addr>; 2],
    pub(crate) nbns: [Option<Ipv4Addr>; 2],
    pub(crate) ask_for_users: bool,
    pub(crate) max_sessions: usize,
    pub(crate) tunnel_linger: Duration,
    pub(crate) trust_proxy_auth: bool,
    pub(crate) redirect: Option<IpAddr>,
}

impl ServerConfig {
    /// A server of L2TP over IPsec for whoever has the pre-shared key `psk`.
    ///
    /// Make the key long and random: 128 bits of entropy (22 characters of base64) can't be
    /// guessed, while an attacker who answers a client in the server's place tries words offline.
    /// A key that many people share lets each of them play the server (RFC 3193 §5.1);
    /// [`ipsec`](Self::ipsec) gives each site a key of its own, or certificates.
    #[must_use]
    pub fn new(psk: &str) -> Self {
        let ipsec = EndpointConfig::new().psk(PskSelector::Any, SecretBytes::from(psk));
        Self::with(Common::secure("lns", ipsec))
    }

    /// A server of L2TP **in clear**.
    ///
    /// Nothing is encrypted and no packet is authenticated: whoever is on the way reads, changes
    /// and injects traffic, and can take over a session after its user has logged in. Use it
    /// inside a network that protects the packets by other means, such as an ISP's own access
    /// network or a lab.
    #[must_use]
    pub fn plain_l2tp() -> Self {
        Self::with(Common::plain("lns"))
    }

    fn with(common: Common) -> Self {
        Self {
            common,
            pool: None,
            dns: [None; 2],
            nbns: [None; 2],
            ask_for_users: false,
            max_sessions: 100_000,
            tunnel_linger: Duration::from_secs(30),
            trust_proxy_auth: false,
            redirect: None,
        }
    }

    /// The addresses for clients; the server itself takes the first.
    #[must_use]
    pub fn pool(mut self, pool: AddressPool) -> Self {
        self.pool = Some(pool);
        self
    }

    /// Up to two DNS servers that clients are told of (RFC 1877 §1.1, §1.3); more are ignored.
    #[must_use]
    pub fn dns(mut self, servers: impl IntoIterator<Item = Ipv4Addr>) -> Self {
        self.dns = first_two(servers);
        self
    }

    /// Up to two NetBIOS name servers (RFC 1877 §1.2, §1.4); more are ignored.
    #[must_use]
    pub fn nbns(mut self, servers: impl IntoIterator<Item = Ipv4Addr>) -> Self {
        self.nbns = first_two(servers);
        self
    }

    /// Asks the application, by an event, about users that the server does not know; the default
    /// is to refuse them.
    #[must_use]
    pub const fn ask_for_users(mut self, ask: bool) -> Self {
        self.ask_for_users = ask;
        self
    }

    /// The most sessions at a time; the default is 100,000. More are refused with CDN result 4.
    #[must_use]
    pub const fn max_sessions(mut self, max: usize) -> Self {
        self.max_sessions = max;
        self
    }

    /// How long a tunnel without a session is kept; the default is 30 s.
    #[must_use]
    pub const fn tunnel_linger(mut self, linger: Duration) -> Self {
        self.tunnel_linger = linger;
        self
    }

    /// Whether a proof of identity that a LAC brings is good enough (RFC 2661 §4.4.5); the default
    /// is no: the user is challenged again.
    ///
    /// Switch it on only where every LAC is trusted and no one else can open a tunnel. The LAC
    /// names the challenge, so whoever may open a tunnel can replay a proof that was overheard
    /// (§9.5).
    #[must_use]
    pub const fn trust_proxy_auth(mut self, trust: bool) -> Self {
        self.trust_proxy_auth = trust;
        self
    }

    common_setters!();
    session_setters!();
    ipsec_setters!();

    /// Sends every client to the server at another address, to share the load: StopCCN with result
    /// 2, error 7 and the address (RFC 3193 §4.2.3). Windows does not follow.
    #[must_use]
    pub const fn redirect(mut self, address: IpAddr) -> Self {
        self.redirect = Some(address);
        self
    }

    /// Takes L2TP in clear as well, from whoever can reach the socket; the default is no. See
    /// [`plain_l2tp`](Self::plain_l2tp) for what that means.
    #[must_use]
    pub const fn plain_l2tp_too(mut self, allowed: bool) -> Self {
        self.common.clear = allowed;
        self
    }

    pub(crate) fn check(&self) -> Result<AddressPool, ConfigError> {
        self.common.check()?;
        self.pool.clone().ok_or(ConfigError::NoPool)
    }
}

fn first_two(servers: impl IntoIterator<Item = Ipv4Addr>) -> [Option<Ipv4Addr>; 2] {
    let mut servers = servers.into_iter();
    [servers.next(), servers.next()]
}
