use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use thiserror::Error;
use vpn_core::SecretBytes;
use vpn_core::crypto::CryptoProvider;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::SigningKey;
use vpn_core::crypto::TrustAnchors;

use super::Dpd;
use super::Encapsulation;
use super::Lifetimes;
use super::Limits;
use super::Policy;
use super::PskSelector;
use super::PskTable;
use super::RemoteIdentity;
use super::Retransmission;
use super::SelectorPolicy;
use super::Signer;
use super::selector::L2TP_PORT;
use crate::identity::Identity;
use crate::profile::ClientPort;
use crate::profile::ClientProfile;
use crate::proposal::EspProposal;
use crate::proposal::IkeProposal;
use crate::proposal::Preset;

/// Settings of an [`Endpoint`](crate::Endpoint).
///
/// ```
/// use ipsec_ike::{EndpointConfig, PskSelector};
///
/// let server = EndpointConfig::new().respond(true).psk(PskSelector::Any, "long random text".into());
/// ```
#[derive(Clone)]
pub struct EndpointConfig {
    pub(crate) policy: Policy,
    pub(crate) psks: PskTable,
    pub(crate) ask_for_credentials: bool,
    pub(crate) respond: bool,
    pub(crate) aggressive: bool,
    pub(crate) limits: Limits,
    pub(crate) key_log: bool,
    pub(crate) trace: bool,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl EndpointConfig {
    /// An endpoint that connects and does not answer, with the proposals of
    /// [`Preset::Compatible`] and no keys.
    #[must_use]
    pub fn new() -> Self {
        Self {
            policy: Policy::default(),
            psks: PskTable::default(),
            ask_for_credentials: false,
            respond: false,
            aggressive: false,
            limits: Limits::default(),
            key_log: false,
            trace: false,
        }
    }

    /// Whether first messages of others are answered. They are not by default.
    #[must_use]
    pub fn respond(mut self, respond: bool) -> Self {
        self.respond = respond;
        self
    }

    /// Adds a pre-shared key. It should hold 128 bits of entropy: an active attacker can try
    /// guesses offline (CVE-2018-5389).
    #[must_use]
    pub fn psk(mut self, whom: PskSelector, secret: SecretBytes) -> Self {
        self.psks.insert(whom, secret);
        self
    }

    /// Has the application asked for the keys of each peer
    /// ([`Event::CredentialsRequest`](crate::Event::CredentialsRequest)) in place of the table
    /// that [`psk`](Self::psk) fills.
    #[must_use]
    pub fn ask_for_credentials(mut self, ask: bool) -> Self {
        self.ask_for_credentials = ask;
        self
    }

    /// Proves our identity with a certificate where a peer authenticates with signatures. `chain`
    /// has our certificate first; DER.
    #[must_use]
    pub fn certificate(mut self, key: Arc<dyn SigningKey>, chain: Vec<Vec<u8>>) -> Self {
        self.policy.signer = Some(Signer { key, chain });
        self
    }

    /// Whom we trust to vouch for the certificates of peers. The caller must also tell the time
    /// with [`Endpoint::set_unix_time`](crate::Endpoint::set_unix_time).
    #[must_use]
    pub fn trust(mut self, anchors: Arc<dyn TrustAnchors>) -> Self {
        self.policy.trust = Some(anchors);
        self
    }

    /// Who we say that we are. By default our address with a pre-shared key, and the subject of
    /// our certificate otherwise.
    #[must_use]
    pub fn local_id(mut self, identity: Identity) -> Self {
        self.policy.local_id = Some(identity);
        self
    }

    /// Who peers may be. By default anyone who has the key: clients behind NATs name themselves
    /// by a private address.
    #[must_use]
    pub fn remote_id(mut self, identity: RemoteIdentity) -> Self {
        self.policy.remote_id = identity;
        self
    }

    /// What may protect IKE itself, best first.
    #[must_use]
    pub fn ike(mut self, proposals: Vec<IkeProposal>) -> Self {
        self.policy.ike = proposals;
        self
    }

    /// What may protect ESP, best first.
    #[must_use]
    pub fn esp(mut self, proposals: Vec<EspProposal>) -> Self {
        self.policy.esp = proposals;
        self
    }

    /// Takes both lists of proposals from `preset`.
    #[must_use]
    pub fn preset(mut self, preset: Preset) -> Self {
        self.policy.ike = preset.ike();
        self.policy.esp = preset.esp();
        self
    }

    /// Has every ESP proposal negotiate a new key exchange in `group` (perfect forward secrecy),
    /// or none. Call it after the lists are set.
    #[must_use]
    pub fn pfs(mut self, group: Option<DhGroup>) -> Self {
        for proposal in &mut self.policy.esp {
            proposal.pfs = group;
        }
        self
    }

    /// When ESP is wrapped in UDP.
    #[must_use]
    pub fn encapsulation(mut self, encapsulation: Encapsulation) -> Self {
        self.policy.encapsulation = encapsulation;
        self
    }

    /// Which selectors of others are agreed to.
    #[must_use]
    pub fn selectors(mut self, policy: SelectorPolicy) -> Self {
        self.policy.selector_policy = policy;
        self
    }

    /// For how long keys are used.
    #[must_use]
    pub fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.policy.lifetimes = lifetimes;
        self
    }

    /// When a silent peer is asked whether it is still there; `None` for never. Peers that did
    /// not announce DPD, such as Windows, are never asked. Times under a second count as one.
    #[must_use]
    pub fn dpd(mut self, dpd: Option<Dpd>) -> Self {
        let least = Duration::from_secs(1);
        self.policy.dpd = dpd.map(|Dpd { interval, tries, retry }| Dpd {
            interval: interval.max(least),
            tries,
            retry: retry.max(least),
        });
        self
    }

    /// After how long without sending a NAT keepalive goes out, where we are behind a NAT
    /// (RFC 3948 §4). 20 s by default; under a second counts as one.
    #[must_use]
    pub fn keepalive(mut self, interval: Duration) -> Self {
        self.policy.keepalive = interval.max(Duration::from_secs(1));
        self
    }

    /// How messages are repeated.
    #[must_use]
    pub fn retransmission(mut self, retransmission: Retransmission) -> Self {
        self.policy.retransmission = retransmission;
        self
    }

    /// Whether long messages are cut for peers that can put them together again. Fragments of
    /// others are taken where this is on. It is by default.
    #[must_use]
    pub fn fragmentation(mut self, fragmentation: bool) -> Self {
        self.policy.fragmentation = fragmentation;
        self
    }

    /// Answers aggressive mode with a pre-shared key, which some Apple and Android clients use
    /// when a group name is set. It is off by default because it is weak: the responder's HASH_R
    /// goes out in clear to whoever asks, so anyone can collect it and try guesses of the key
    /// offline, at full speed and without a trace; identities are in clear too (RFC 2409 §5.4). And a
    /// first message, whose source may be forged, costs us a key exchange.
    #[must_use]
    pub fn aggressive_psk_responder_weak(mut self, aggressive: bool) -> Self {
        self.aggressive = aggressive;
        self
    }

    /// Has what we begin look like what a real client sends: its transforms in its order, those
    /// that we can't do included, its vendor IDs, lifetimes and ports. For tests of servers, ours
    /// or others.
    #[must_use]
    pub fn emulate(mut self, profile: &'static ClientProfile) -> Self {
        let policy = &mut self.policy;
        policy.ike = profile.ike_proposals();
        policy.esp = profile.esp_proposals();
        policy.lifetimes = profile.lifetimes();
        policy.fragmentation = profile.fragmentation;
        policy.selectors.local_port = match profile.port {
            ClientPort::L2tp => L2TP_PORT,
            ClientPort::Any => 0,
            ClientPort::Ephemeral => profile.source_port(),
        };
        if !profile.dpd {
            policy.dpd = None;
        }
        policy.emulated = Some(profile);
        self
    }

    /// What strangers and peers may cost.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether the encryption keys of IKE SAs are told ([`Event::KeyLog`](crate::Event::KeyLog)).
    /// Who has them reads everything that the SA protected.
    #[must_use]
    pub fn key_log(mut self, key_log: bool) -> Self {
        self.key_log = key_log;
        self
    }

    /// Whether every message is told ([`Event::Trace`](crate::Event::Trace)).
    #[must_use]
    pub fn trace(mut self, trace: bool) -> Self {
        self.trace = trace;
        self
    }

    pub(crate) fn check(&self, provider: &CryptoProvider) -> Result<(), ConfigError> {
        self.policy.check(provider)?;
        if self.psks.has_empty_key() {
            return Err(ConfigError::EmptyKey);
        }
        let keys = !self.psks.is_empty() || self.ask_for_credentials;
        if self.respond && !keys && self.policy.signer.is_none() {
            return Err(ConfigError::NoCredentials);
        }
        Ok(())
    }
}

/// The secrets stay out.
impl fmt::Debug for EndpointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointConfig")
            .field("ike", &self.policy.ike)
            .field("esp", &self.policy.esp)
            .field("respond", &self.respond)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Policy {
    pub(crate) fn check(&self, provider: &CryptoProvider) -> Result<(), ConfigError> {
        if self.ike.is_empty() || self.esp.is_empty() {
            return Err(ConfigError::NoProposals);
        }
        for proposal in &self.ike {
            let crypto = &provider.ike;
            let known = crypto.cipher(proposal.cipher).is_some()
                && crypto.hash(proposal.hash).is_some()
                && crypto.group(proposal.group).is_some();
            // A real client's list may hold what nobody here can do, or wants.
            if !known && self.emulated.is_none() {
                return Err(ConfigError::UnknownIke(*proposal));
            }
        }
        for proposal in &self.esp {
            let group = proposal.pfs.is_none_or(|group| provider.ike.group(group).is_some());
            let known = provider.esp_suite(proposal.suite).is_ok() && group;
            if !known && self.emulated.is_none() {
                return Err(ConfigError::UnknownEsp(*proposal));
            }
        }
        let shortest = Duration::from_secs(60);
        if self.lifetimes.ike < shortest || self.lifetimes.esp < shortest {
            return Err(ConfigError::LifetimeTooShort);
        }
        Ok(())
    }
}

/// Why a configuration can't work.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ConfigError {
    /// A list of proposals is empty.
    #[error("no proposals: give at least one for IKE and one for ESP, or use a preset")]
    NoProposals,
    /// The crypto provider lacks a part of an IKE proposal.
    #[error("the crypto provider can't do {0}: remove it from the IKE proposals")]
    UnknownIke(IkeProposal),
    /// The crypto provider lacks a part of an ESP proposal.
    #[error("the crypto provider can't do {0}: remove it from the ESP proposals")]
    UnknownEsp(EspProposal),
    /// A lifetime is under a minute.
    #[error("lifetimes must be 60 s or more")]
    LifetimeTooShort,
    /// A pre-shared key has no octets.
    #[error("a pre-shared key is empty: everybody has it")]
    EmptyKey,
    /// The endpoint shall answer and has nothing to prove itself with.
    #[error("no pre-shared key, certificate or ticket: a responder can't authenticate anybody")]
    NoCredentials,
}
