use core::fmt;
use core::net::SocketAddr;

use vpn_core::SecretBytes;

use super::Encapsulation;
use super::Lifetimes;
use super::Policy;
use super::RemoteIdentity;
use super::Selectors;
use crate::identity::Identity;
use crate::proposal::EspProposal;
use crate::proposal::IkeProposal;
use alloc::vec::Vec;

/// The port of IKE and ESP behind NATs (RFC 3947 §4).
pub(crate) const NAT_T_PORT: u16 = 4500;

/// A peer to connect to, and what is special about it; the rest is as the
/// [`EndpointConfig`](crate::EndpointConfig) says.
#[derive(Clone)]
pub struct ConnectConfig {
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) nat_t_remote: SocketAddr,
    pub(crate) nat_t_local: SocketAddr,
    pub(crate) start_on_nat_t: bool,
    pub(crate) psk: Option<SecretBytes>,
    local_id: Option<Identity>,
    remote_id: Option<RemoteIdentity>,
    ike: Option<Vec<IkeProposal>>,
    esp: Option<Vec<EspProposal>>,
    encapsulation: Option<Encapsulation>,
    selectors: Option<Selectors>,
    lifetimes: Option<Lifetimes>,
}

impl ConnectConfig {
    /// A peer whose IKE port, 500 as a rule, is `remote`, to be reached from `local`.
    #[must_use]
    pub const fn new(remote: SocketAddr, local: SocketAddr) -> Self {
        Self {
            remote,
            local,
            nat_t_remote: SocketAddr::new(remote.ip(), NAT_T_PORT),
            nat_t_local: SocketAddr::new(local.ip(), NAT_T_PORT),
            start_on_nat_t: false,
            psk: None,
            local_id: None,
            remote_id: None,
            ike: None,
            esp: None,
            encapsulation: None,
            selectors: None,
            lifetimes: None,
        }
    }

    /// The ports of NAT traversal, where they are not 4500 on both sides.
    #[must_use]
    pub const fn nat_t_ports(mut self, local: u16, remote: u16) -> Self {
        self.nat_t_local.set_port(local);
        self.nat_t_remote.set_port(remote);
        self
    }

    /// Sends even the first message from and to the port of NAT traversal, for networks that do
    /// something to port 500.
    #[must_use]
    pub const fn start_on_4500(mut self, start: bool) -> Self {
        self.start_on_nat_t = start;
        self
    }

    /// The pre-shared key. Without one the endpoint's table is looked up, and without an entry
    /// there a certificate is used.
    #[must_use]
    pub fn psk(mut self, secret: SecretBytes) -> Self {
        self.psk = Some(secret);
        self
    }

    /// Who we say that we are.
    #[must_use]
    pub fn local_id(mut self, identity: Identity) -> Self {
        self.local_id = Some(identity);
        self
    }

    /// Who the peer must be.
    #[must_use]
    pub fn remote_id(mut self, identity: RemoteIdentity) -> Self {
        self.remote_id = Some(identity);
        self
    }

    /// What may protect IKE itself, best first.
    #[must_use]
    pub fn ike(mut self, proposals: Vec<IkeProposal>) -> Self {
        self.ike = Some(proposals);
        self
    }

    /// What may protect ESP, best first.
    #[must_use]
    pub fn esp(mut self, proposals: Vec<EspProposal>) -> Self {
        self.esp = Some(proposals);
        self
    }

    /// When ESP is wrapped in UDP.
    #[must_use]
    pub const fn encapsulation(mut self, encapsulation: Encapsulation) -> Self {
        self.encapsulation = Some(encapsulation);
        self
    }

    /// What the ESP pair shall carry.
    #[must_use]
    pub const fn selectors(mut self, selectors: Selectors) -> Self {
        self.selectors = Some(selectors);
        self
    }

    /// For how long keys are used.
    #[must_use]
    pub const fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.lifetimes = Some(lifetimes);
        self
    }

    /// The identity that the peer must have, where it is one.
    pub(crate) fn expected(&self) -> Option<&Identity> {
        match &self.remote_id {
            Some(RemoteIdentity::OneOf(known)) => known.first(),
            _ => None,
        }
    }

    /// The settings for this peer: `base` with what was set here in its place.
    pub(crate) fn policy(&self, base: &Policy) -> Policy {
        let mut policy = base.clone();
        policy.local_id = self.local_id.clone().or(policy.local_id);
        policy.remote_id = self.remote_id.clone().unwrap_or(policy.remote_id);
        policy.ike = self.ike.clone().unwrap_or(policy.ike);
        policy.esp = self.esp.clone().unwrap_or(policy.esp);
        policy.encapsulation = self.encapsulation.unwrap_or(policy.encapsulation);
        policy.selectors = self.selectors.unwrap_or(policy.selectors);
        policy.lifetimes = self.lifetimes.unwrap_or(policy.lifetimes);
        policy
    }
}

/// The secret stays out.
impl fmt::Debug for ConnectConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectConfig")
            .field("remote", &self.remote)
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}
