use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use l2tp_control::ReorderConfig;
use l2tp_control::TunnelConfig;
use l2tp_control::channel::FirstNumbers;
use ppp_core::AuthMethod;
use ppp_core::Credentials;
use ppp_core::KeepAlive;
use ppp_core::LinkConfig;
use ppp_core::Restart;
use vpn_core::SecretBytes;

use ipsec_ike::EndpointConfig;

use super::ConfigError;

/// What client and server are configured with alike.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) host_name: String,
    pub(crate) auth: Vec<AuthMethod>,
    pub(crate) mtu: u16,
    pub(crate) tunnel_secret: Option<SecretBytes>,
    pub(crate) hide_avps: bool,
    pub(crate) hello: Duration,
    pub(crate) echo: Duration,
    pub(crate) login_timeout: Duration,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) session_limit: Option<Duration>,
    /// How the keys are made; without it there is no IPsec.
    pub(crate) ipsec: Option<EndpointConfig>,
    /// Is L2TP in clear taken?
    pub(crate) clear: bool,
    pub(crate) key_log: bool,
    pub(crate) path_mtu: u16,
    pub(crate) clamp_mss: bool,
    pub(crate) data_checksum: bool,
    pub(crate) sequencing: bool,
    pub(crate) reorder: Option<Duration>,
    pub(crate) trace: bool,
    pub(crate) first_numbers: FirstNumbers,
    pub(crate) change_link: fn(LinkConfig) -> LinkConfig,
}

impl Common {
    /// L2TP in clear.
    pub(crate) fn plain(host_name: &str) -> Self {
        Self {
            host_name: host_name.into(),
            auth: alloc::vec![AuthMethod::ChapMd5],
            ipsec: None,
            clear: true,
            key_log: false,
            path_mtu: 1500,
            mtu: 1400,
            tunnel_secret: None,
            hide_avps: false,
            hello: Duration::from_secs(60),
            echo: Duration::from_secs(30),
            login_timeout: Duration::from_secs(120),
            idle_timeout: None,
            session_limit: None,
            clamp_mss: true,
            data_checksum: true,
            sequencing: false,
            reorder: None,
            trace: false,
            first_numbers: FirstNumbers::default(),
            change_link: core::convert::identity,
        }
    }

    /// L2TP over IPsec, with the given way to make keys.
    pub(crate) fn secure(host_name: &str, ipsec: EndpointConfig) -> Self {
        Self {
            auth: alloc::vec![AuthMethod::MsChapV2, AuthMethod::ChapMd5],
            ipsec: Some(ipsec),
            clear: false,
            ..Self::plain(host_name)
        }
    }

    /// How the endpoint opens and answers tunnels.
    pub(crate) fn tunnel(&self) -> TunnelConfig {
        let mut config = TunnelConfig::new(self.host_name.clone())
            .hide_avps(self.hide_avps)
            .hello_interval(Some(self.hello))
            .first_numbers(self.first_numbers)
            .reorder(self.reorder.map(|limit| ReorderConfig { limit, frames: REORDER_FRAMES }));
        if let Some(secret) = &self.tunnel_secret {
            config = config.secret(secret.expose());
        }
        config
    }

    /// How a server's links negotiate.
    pub(crate) fn server_link(&self) -> LinkConfig {
        self.link(LinkConfig::server(self.host_name.clone())).authenticate_with(&self.auth)
    }

    /// How a client's link negotiates.
    pub(crate) fn client_link(&self, credentials: Credentials) -> LinkConfig {
        self.link(LinkConfig::client(credentials)).prove_with(&self.auth)
    }

    fn link(&self, config: LinkConfig) -> LinkConfig {
        let keep_alive = KeepAlive { interval: self.echo, ..KeepAlive::default() };
        // A peer that starts its PPP as a program of its own often misses our first request.
        let restart = Restart { first: Duration::from_secs(1), ..Restart::default() };
        let config =
            config.restart(restart).mru(self.mtu).pfc(true).acfc(true).keep_alive(Some(keep_alive));
        (self.change_link)(config)
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.auth.is_empty() {
            return Err(ConfigError::NoAuth);
        }
        if !(576..=1500).contains(&self.mtu) {
            return Err(ConfigError::Mtu(self.mtu));
        }
        if self.path_mtu < 576 {
            return Err(ConfigError::PathMtu(self.path_mtu));
        }
        match &self.tunnel_secret {
            Some(secret) if secret.is_empty() => Err(ConfigError::EmptySecret),
            None if self.hide_avps => Err(ConfigError::HideWithoutSecret),
            _ => Ok(()),
        }
    }
}

/// How many frames of a session wait for one that others overtook.
const REORDER_FRAMES: usize = 64;

/// The setters that all configurations share.
macro_rules! common_setters {
    () => {
        /// The name that we give in the Host Name AVP (RFC 2661 §4.4.3).
        #[must_use]
        pub fn host_name(mut self, name: &str) -> Self {
            self.common.host_name = name.into();
            self
        }

        /// The authentication methods that are allowed, best first.
        ///
        /// Over IPsec the default is MS-CHAPv2, then CHAP with MD5. In clear it is CHAP with MD5
        /// alone: PAP shows the password to everybody on the way, and MS-CHAPv2 can be broken by
        /// trying 2^56 keys, so there both are for labs only.
        #[must_use]
        pub fn auth(mut self, methods: impl IntoIterator<Item = AuthMethod>) -> Self {
            self.common.auth = methods.into_iter().collect();
            self
        }

        /// The largest IP packet to send and to take, in octets; the default is 1400, and 576 to
        /// 1500 are allowed. The peer may lower what we send (RFC 1661 §6.1).
        #[must_use]
        pub const fn mtu(mut self, mtu: u16) -> Self {
            self.common.mtu = mtu;
            self
        }

        /// A secret that both ends of the tunnel must prove to know (RFC 2661 §5.1.1).
        ///
        /// It authenticates the control connection, not its packets. Windows, macOS and iOS have
        /// no such secret.
        #[must_use]
        pub fn tunnel_secret(mut self, secret: &str) -> Self {
            self.common.tunnel_secret = Some(SecretBytes::from(secret));
            self
        }

        /// Hides the AVPs that may be hidden (RFC 2661 §4.3); needs a tunnel secret.
        #[must_use]
        pub const fn hide_avps(mut self, hide: bool) -> Self {
            self.common.hide_avps = hide;
            self
        }

        /// How long a tunnel may be silent before a HELLO asks whether the peer is still there
        /// (RFC 2661 §5.5); the default is 60 s.
        #[must_use]
        pub const fn hello(mut self, interval: Duration) -> Self {
            self.common.hello = interval;
            self
        }

        /// Numbers the data messages, so that what comes late is dropped (RFC 2661 §5.4). The
        /// default is no: IP does not need it.
        ///
        /// A client or LAC asks for it with the Sequencing Required AVP; a server turns it on for
        /// every client, which must follow.
        #[must_use]
        pub const fn sequencing(mut self, on: bool) -> Self {
            self.common.sequencing = on;
            self
        }

        /// Waits up to `limit` for a numbered data message that others overtook, and puts them
        /// back in order, instead of dropping the late one.
        #[must_use]
        pub const fn reorder(mut self, limit: Duration) -> Self {
            self.common.reorder = Some(limit);
            self
        }

        /// Reports every control message and PPP packet as a trace event; the default is no.
        #[must_use]
        pub const fn trace(mut self, on: bool) -> Self {
            self.common.trace = on;
            self
        }

        /// Changes how PPP links negotiate, for tests that play the part of another
        /// implementation.
        #[doc(hidden)]
        #[must_use]
        pub const fn change_link(mut self, change: fn(LinkConfig) -> LinkConfig) -> Self {
            self.common.change_link = change;
            self
        }

        /// Begins the numbers of control and data messages at `first` in both directions, for tests
        /// just below the wrap. Every other peer expects 0.
        #[doc(hidden)]
        #[must_use]
        pub const fn first_number(mut self, first: u16) -> Self {
            self.common.first_numbers = FirstNumbers { ns: first, nr: first };
            self
        }
    };
}
pub(crate) use common_setters;

/// The setters of those who speak PPP to the end: clients and servers.
macro_rules! session_setters {
    () => {
        /// How long a session may be silent before an LCP Echo-Request (RFC 1661 §5.8); the
        /// default is 30 s. Four unanswered ones end the session.
        #[must_use]
        pub const fn echo(mut self, interval: Duration) -> Self {
            self.common.echo = interval;
            self
        }

        /// Ends a session whose IPv4 is not up after so long; the default is 120 s.
        #[must_use]
        pub const fn login_timeout(mut self, limit: Duration) -> Self {
            self.common.login_timeout = limit;
            self
        }

        /// Ends a session that carried no IP packet for so long; the default is never.
        #[must_use]
        pub const fn idle_timeout(mut self, limit: Duration) -> Self {
            self.common.idle_timeout = Some(limit);
            self
        }

        /// Ends a session that has been up for so long; the default is never.
        #[must_use]
        pub const fn session_limit(mut self, limit: Duration) -> Self {
            self.common.session_limit = Some(limit);
            self
        }

        /// Whether TCP connections through the session are told a segment size that fits; the
        /// default is yes.
        #[must_use]
        pub const fn clamp_mss(mut self, clamp: bool) -> Self {
            self.common.clamp_mss = clamp;
            self
        }
    };
}
pub(crate) use session_setters;

/// The setters of those who speak IPsec.
macro_rules! ipsec_setters {
    () => {
        /// Changes how keys are made and what they protect: proposals and presets, identities,
        /// more keys, certificates, encapsulation, lifetimes, dead peer detection.
        ///
        /// ```
        /// # use l2tp_ipsec::ServerConfig;
        /// use l2tp_ipsec::ike::Encapsulation;
        /// use l2tp_ipsec::ike::proposal::Preset;
        ///
        /// let config = ServerConfig::new("a long random text")
        ///     .ipsec(|ipsec| ipsec.preset(Preset::Modern).encapsulation(Encapsulation::Force));
        /// ```
        #[must_use]
        pub fn ipsec(mut self, change: impl FnOnce(EndpointConfig) -> EndpointConfig) -> Self {
            self.common.ipsec = Some(change(self.common.ipsec.unwrap_or_default()));
            self
        }

        /// Reports every key, for reading recorded traffic with an analyzer; the default is no.
        ///
        /// Whoever gets hold of the keys reads everything.
        #[must_use]
        pub fn key_log(mut self, on: bool) -> Self {
            self.common.key_log = on;
            self
        }

        /// The largest IP packet that gets through the network below without being cut; the default
        /// is 1500. Together with the suite it bounds the MTU of a session over IPsec.
        #[must_use]
        pub const fn path_mtu(mut self, path_mtu: u16) -> Self {
            self.common.path_mtu = path_mtu;
            self
        }

        /// Whether data messages inside of ESP carry a UDP checksum; the default is yes
        /// (RFC 2661 §8.1). ESP protects them anyway, so over IPv4 it may be left out.
        #[must_use]
        pub const fn data_checksum(mut self, on: bool) -> Self {
            self.common.data_checksum = on;
            self
        }
    };
}
pub(crate) use ipsec_setters;
