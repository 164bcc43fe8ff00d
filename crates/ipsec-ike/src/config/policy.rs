use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use vpn_core::crypto::SigningKey;
use vpn_core::crypto::TrustAnchors;

use super::Retransmission;
use super::SelectorPolicy;
use super::Selectors;
use crate::identity::Identity;
use crate::profile::ClientProfile;
use crate::proposal::EspProposal;
use crate::proposal::IkeProposal;
use crate::proposal::Lifetime;
use crate::proposal::Preset;

/// When ESP is wrapped in UDP (RFC 3948).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encapsulation {
    /// When a NAT is found on the way (RFC 3947 §4).
    #[default]
    Auto,
    /// Always: for networks that lose IP protocol 50. We state a wrong source address in our
    /// NAT-D payload, so that the peer finds a NAT too.
    Force,
    /// Never: NAT traversal is not offered and not taken. Behind a NAT nothing will work.
    Never,
}

/// When a silent peer is asked whether it is still there (RFC 3706).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dpd {
    /// For how long nothing authentic came before the first R-U-THERE.
    pub interval: Duration,
    /// How many of them stay unanswered before the peer is taken for dead. 0 counts as 1.
    pub tries: u32,
    /// The time between them.
    pub retry: Duration,
}

impl Default for Dpd {
    /// 30 s, then five times 3 s apart.
    fn default() -> Self {
        Self { interval: Duration::from_secs(30), tries: 5, retry: Duration::from_secs(3) }
    }
}

/// For how long keys are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifetimes {
    /// Of an IKE SA. At least 60 s.
    pub ike: Duration,
    /// Of an ESP pair. At least 60 s, and under 300 s Windows refuses.
    pub esp: Duration,
    /// Of an ESP pair, in kilobytes (1,024 octets) that pass through it. The data plane counts,
    /// and has the pair rekeyed with [`Endpoint::rekey_child`](crate::Endpoint::rekey_child).
    pub esp_kilobytes: Option<u64>,
}

impl Default for Lifetimes {
    /// Eight hours and one hour.
    fn default() -> Self {
        Self {
            ike: Duration::from_secs(28_800),
            esp: Duration::from_secs(3_600),
            esp_kilobytes: None,
        }
    }
}

impl Lifetimes {
    pub(crate) fn ike_lifetime(&self) -> Lifetime {
        Lifetime::seconds(self.ike.as_secs())
    }

    pub(crate) fn esp_lifetime(&self) -> Lifetime {
        Lifetime { seconds: Some(self.esp.as_secs()), kilobytes: self.esp_kilobytes }
    }
}

/// Who the peer may say that it is.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum RemoteIdentity {
    /// Anyone who has the key. With certificates a responder takes whatever the certificate vouches
    /// for; who connects wants it to name the address that was called, or every holder of a
    /// certificate of the same authority could pass for the server.
    #[default]
    Any,
    /// One of these.
    OneOf(Vec<Identity>),
}

impl RemoteIdentity {
    pub(crate) fn allows(&self, identity: &Identity) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(known) => known.contains(identity),
        }
    }
}

/// What we prove our identity with when certificates are used.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) key: Arc<dyn SigningKey>,
    /// Our certificate first, then those between it and the authority; DER.
    pub(crate) chain: Vec<Vec<u8>>,
}

/// What is agreed to with one peer: the endpoint's settings, or what a connection sets in their
/// place.
#[derive(Clone)]
pub(crate) struct Policy {
    pub(crate) local_id: Option<Identity>,
    pub(crate) remote_id: RemoteIdentity,
    pub(crate) ike: Vec<IkeProposal>,
    pub(crate) esp: Vec<EspProposal>,
    pub(crate) encapsulation: Encapsulation,
    pub(crate) selector_policy: SelectorPolicy,
    pub(crate) selectors: Selectors,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) dpd: Option<Dpd>,
    pub(crate) keepalive: Duration,
    pub(crate) fragmentation: bool,
    pub(crate) retransmission: Retransmission,
    pub(crate) signer: Option<Signer>,
    pub(crate) trust: Option<Arc<dyn TrustAnchors>>,
    /// Whose first messages ours are to look like.
    pub(crate) emulated: Option<&'static ClientProfile>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            local_id: None,
            remote_id: RemoteIdentity::Any,
            ike: Preset::Compatible.ike(),
            esp: Preset::Compatible.esp(),
            encapsulation: Encapsulation::Auto,
            selector_policy: SelectorPolicy::l2tp(),
            selectors: Selectors::l2tp(),
            lifetimes: Lifetimes::default(),
            dpd: Some(Dpd::default()),
            keepalive: Duration::from_secs(20),
            fragmentation: true,
            retransmission: Retransmission::default(),
            signer: None,
            trust: None,
            emulated: None,
        }
    }
}
