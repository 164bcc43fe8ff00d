use core::net::SocketAddr;
use core::time::Duration;

use l2tp_control::channel::FirstNumbers;
use ppp_core::AuthMethod;
use ppp_core::LinkConfig;
use vpn_core::SecretBytes;

use super::Common;
use super::ConfigError;
use super::common::common_setters;

/// How a [`Lac`](crate::Lac) behaves.
///
/// ```
/// use l2tp_ipsec::AuthMethod;
/// use l2tp_ipsec::LacConfig;
///
/// let local = "192.0.2.1:1701".parse()?;
/// let lns = "192.0.2.2:1701".parse()?;
/// let config = LacConfig::plain_l2tp(local, lns)
///     .auth([AuthMethod::MsChapV2, AuthMethod::ChapMd5])
///     .tunnel_secret("shared with the LNS");
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LacConfig {
    pub(crate) common: Common,
    pub(crate) local: SocketAddr,
    pub(crate) lns: SocketAddr,
    pub(crate) max_subscribers: usize,
    pub(crate) tunnel_linger: Duration,
}

impl LacConfig {
    /// A LAC that speaks L2TP **in clear**, from the address `local`, which the driver's socket is
    /// bound to, to an LNS.
    ///
    /// Nothing is encrypted and no packet is authenticated: whoever is on the way reads, changes
    /// and injects traffic. Use it inside an access network that keeps others out.
    ///
    /// A tunnel secret proves the LAC and the LNS to each other, and hides the proofs of the
    /// subscribers on their way: PAP's would be passwords in clear.
    #[must_use]
    pub fn plain_l2tp(local: SocketAddr, lns: SocketAddr) -> Self {
        Self {
            common: Common::plain("lac"),
            local,
            lns,
            max_subscribers: 60_000,
            tunnel_linger: Duration::from_secs(30),
        }
    }

    /// The most subscribers at a time; the default is 60,000, as many as a tunnel has room for.
    /// More are refused with [`SubscriberError`](crate::SubscriberError).
    #[must_use]
    pub const fn max_subscribers(mut self, max: usize) -> Self {
        self.max_subscribers = max;
        self
    }

    /// How long a tunnel without a session is kept; the default is 30 s.
    #[must_use]
    pub const fn tunnel_linger(mut self, linger: Duration) -> Self {
        self.tunnel_linger = linger;
        self
    }

    common_setters!();

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.common.check()
    }
}
