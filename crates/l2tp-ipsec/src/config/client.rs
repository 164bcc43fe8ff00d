use core::net::IpAddr;
use core::net::SocketAddr;
use core::time::Duration;

use ipsec_ike::ConnectConfig;
use ipsec_ike::EndpointConfig;
use ipsec_ike::PskSelector;
use ipsec_ike::SelectorPolicy;
use ipsec_ike::Selectors;
use ipsec_ike::profile::ClientProfile;
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

/// Where L2TP is served (RFC 2661 §8.1).
pub(crate) const L2TP_PORT: u16 = 1701;

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
    pub(crate) l2tp_port: u16,
    /// What the SAs are to carry, where it is not UDP between the ports 1701.
    pub(crate) selectors: Option<Selectors>,
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
            l2tp_port: L2TP_PORT,
            selectors: None,
            user: None,
        }
    }

    /// A client of L2TP **in clear**.
    ///
    /// Nothing is encrypted and no packet is authenticated: whoever is on the way reads, changes
    /// and injects traffic. Use it inside a network that protects the packets by other means.
    #[must_use]
    pub fn plain_l2tp(server: SocketAddr) -> Self {
        Self {
            common: Common::plain("lac"),
            server,
            nat_t_ports: (4500, 4500),
            l2tp_port: L2TP_PORT,
            selectors: None,
            user: None,
        }
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

    /// The UDP port that our L2TP comes from, inside of ESP; the default is 1701, which every
    /// server takes. Some clients have another.
    #[must_use]
    pub fn l2tp_port(mut self, port: u16) -> Self {
        self.l2tp_port = port;
        self.selectors = Some(Selectors { local_port: port, ..Selectors::l2tp() });
        self.ipsec(|ipsec| ipsec.selectors(SelectorPolicy::Service { protocol: 17, port }))
    }

    /// Has IKE begin like a real client ([`EndpointConfig::emulate`]), and L2TP come from its port.
    #[must_use]
    pub fn emulate(mut self, profile: &'static ClientProfile) -> Self {
        self.l2tp_port = profile.source_port();
        let policy = SelectorPolicy::Service { protocol: 17, port: self.l2tp_port };
        self.ipsec(|ipsec| ipsec.emulate(profile).selectors(policy))
    }

    /// How IKE reaches the server from `local`.
    pub(crate) fn connect(&self, local: SocketAddr) -> ConnectConfig {
        let (ours, theirs) = self.nat_t_ports;
        let config = ConnectConfig::new(self.server, local).nat_t_ports(ours, theirs);
        match self.selectors {
            Some(selectors) => config.selectors(selectors),
            None => config,
        }
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
