use core::net::SocketAddr;
use core::time::Duration;

use l2tp_control::channel::FirstNumbers;
use ppp_core::AuthMethod;
use ppp_core::Credentials;
use ppp_core::LinkConfig;
use vpn_core::SecretBytes;

use super::Common;
use super::ConfigError;
use super::common::common_setters;
use super::common::session_setters;

/// How a [`Client`](crate::Client) behaves.
///
/// ```
/// use l2tp_ipsec::ClientConfig;
///
/// let server = "192.0.2.1:1701".parse().unwrap();
/// let config = ClientConfig::plain_l2tp(server).user("alice", "wonderland");
/// ```
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub(crate) common: Common,
    pub(crate) server: SocketAddr,
    pub(crate) user: Option<Credentials>,
}

impl ClientConfig {
    /// A client of L2TP **in clear**.
    ///
    /// Nothing is encrypted and no packet is authenticated: whoever is on the way reads, changes
    /// and injects traffic. Use it inside a network that protects the packets by other means.
    #[must_use]
    pub fn plain_l2tp(server: SocketAddr) -> Self {
        Self { common: Common::new("lac"), server, user: None }
    }

    /// Who logs in.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.user = Some(Credentials::new(name, password));
        self
    }

    common_setters!();
    session_setters!();

    pub(crate) fn check(&self) -> Result<Credentials, ConfigError> {
        self.common.check()?;
        self.user.clone().ok_or(ConfigError::NoUser)
    }
}
