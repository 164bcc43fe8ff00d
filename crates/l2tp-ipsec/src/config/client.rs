use core::net::IpAddr;
use core::net::SocketAddr;
use core::time::Duration;

use ipsec_ike::ConnectConfig;
use ipsec_ike::EndpointConfig;
use ipsec_ike::PskSelector;
use l2tp_control::channel::FirstNumbers;
use ppp_core::AuthMethod;
use ppp_core::Credentials;
use ppp_core::LinkConfig;
use vpn_core::SecretBytes;

use super::Common;
use super::ConfigError;
use super::common::common_setters;
use super::common::ipsec_setters;
use super::common::session_setters;

/// How a [`Client`](crate::Client) behaves.
///
/// ```
/// use l2tp_ipsec::ClientConfig;
///
/// let server: core::net::IpAddr = "192.0.2.1".parse().unwrap();
/// let config = ClientConfig::new(server, "a long random text").user("alice", "wonderland");
/// ```
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub(crate) common: Common,
    pub(crate) server: SocketAddr,
    /// Ports of NAT traversal: ours and the server's.
    pub(crate) nat_t_ports: (u16, u16),
    pub(crate) user: Option<Credentials>,
}

impl ClientConfig {
    /// A client of L2TP over IPsec that shares the key `psk` with the server.
    #[must_use]
    pub fn new(server: impl Into<IpAddr>, psk: &str) -> Self {
        let ipsec = EndpointConfig::new().psk(PskSelector::Any, SecretBytes::from(psk));
        Self {
            common: Common::secure("lac", ipsec),
            server: SocketAddr::new(server.into(), 500),
            nat_t_ports: (4500, 4500),
            user: None,
        }
    }

    /// A client of L2TP **in clear**.
    ///
    /// Nothing is encrypted and no packet is authenticated: whoever is on the way reads, changes
    /// and injects traffic. Use it inside a network that protects the packets by other means.
    #[must_use]
    pub fn plain_l2tp(server: SocketAddr) -> Self {
        Self { common: Common::plain("lac"), server, nat_t_ports: (4500, 4500), user: None }
    }

    /// The server's IKE port, where it is not 500.
    #[must_use]
    pub const fn ike_port(mut self, port: u16) -> Self {
        self.server.set_port(port);
        self
    }

    /// The ports of NAT traversal, ours and the server's, where they are not 4500.
    #[must_use]
    pub const fn nat_t_ports(mut self, local: u16, server: u16) -> Self {
        self.nat_t_ports = (local, server);
        self
    }

    /// How IKE reaches the server from `local`.
    pub(crate) fn connect(&self, local: SocketAddr) -> ConnectConfig {
        let (ours, theirs) = self.nat_t_ports;
        ConnectConfig::new(self.server, local).nat_t_ports(ours, theirs)
    }

    /// Whether the client speaks IPsec.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.common.ipsec.is_some()
    }

    /// Who logs in.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.user = Some(Credentials::new(name, password));
        self
    }

    common_setters!();
    session_setters!();
    ipsec_setters!();

    pub(crate) fn check(&self) -> Result<Credentials, ConfigError> {
        self.common.check()?;
        self.user.clone().ok_or(ConfigError::NoUser)
    }
}
