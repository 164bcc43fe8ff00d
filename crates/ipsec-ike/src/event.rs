use alloc::boxed::Box;
use core::net::IpAddr;
use core::net::SocketAddr;
use core::time::Duration;

use vpn_core::Path;
use vpn_core::SecretBytes;
use vpn_core::crypto::EspSuite;

use crate::ChildCloseReason;
use crate::ChildHandle;
use crate::CloseReason;
use crate::CredentialsTicket;
use crate::PeerHandle;
use crate::Trace;
use crate::header::Cookie;
use crate::identity::Identity;
use crate::proposal::IkeProposal;
use crate::registry::AuthMethod;
use crate::vendor::Fingerprint;

/// What an [`Endpoint`](crate::Endpoint) reports.
#[non_exhaustive]
#[derive(Debug)]
pub enum Event {
    /// A peer that has proven its address (but not in aggressive mode) wants to be authenticated:
    /// answer with [`answer_credentials`](crate::Endpoint::answer_credentials). Only if configured.
    CredentialsRequest {
        /// Names the request.
        ticket: CredentialsTicket,
        /// Where the peer is.
        remote: Path,
        /// Who it says that it is; known this early in aggressive mode alone.
        id: Option<Identity>,
        /// What it seems to run.
        fingerprint: Fingerprint,
    },
    /// A peer proved its identity, and ours to it.
    PeerUp {
        /// Names the peer from now on.
        peer: PeerHandle,
        /// What was negotiated.
        info: Box<PeerInfo>,
    },
    /// A new IKE SA joined those of the peer. Child SAs go on as they are.
    PeerRekeyed {
        /// The peer.
        peer: PeerHandle,
    },
    /// An authentic datagram showed that the peer's NAT gave it a new address or port. Send to
    /// the new one.
    PathChanged {
        /// The peer.
        peer: PeerHandle,
        /// Where its ESP goes now.
        path: Path,
    },
    /// Install the inbound SA of this pair now.
    ChildInstall(Box<ChildSa>),
    /// The peer has this pair, too: use its outbound SA from now on.
    ChildReady {
        /// The pair.
        child: ChildHandle,
    },
    /// Remove the pair. A pair that was replaced is told about when what was under way has had
    /// time to arrive.
    ChildClosed {
        /// The pair.
        child: ChildHandle,
        /// Why.
        reason: ChildCloseReason,
    },
    /// The peer is gone; each of its pairs had its [`Event::ChildClosed`] before. Final.
    PeerClosed {
        /// The peer.
        peer: PeerHandle,
        /// Why.
        reason: CloseReason,
    },
    /// Somebody's attempt did not get as far as [`Event::PeerUp`]. These are reported
    /// [`Limits::failures_per_second`](crate::Limits::failures_per_second) times at most.
    Failed {
        /// Where it came from.
        path: Path,
        /// Which side we are.
        role: Role,
        /// Why.
        reason: CloseReason,
    },
    /// What Wireshark needs to decrypt an IKE SA. Only with
    /// [`EndpointConfig::key_log`](crate::EndpointConfig::key_log).
    KeyLog(KeyLogEntry),
    /// A message came or went. Only with [`EndpointConfig::trace`](crate::EndpointConfig::trace).
    Trace(Trace),
}

/// Which side of phase 1 somebody is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Sent the first message.
    Initiator,
    /// Answered it.
    Responder,
}

/// What is known of a peer that is up.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerInfo {
    /// Where IKE goes.
    pub path: Path,
    /// Where ESP goes: the path of NAT traversal, or IP protocol 50 with ports 0.
    pub esp_path: Path,
    /// Whether ESP is wrapped in UDP (RFC 3948).
    pub encapsulated: bool,
    /// Who we said that we are.
    pub local_id: Identity,
    /// Who the peer proved to be.
    pub remote_id: Identity,
    /// What is known of NATs on the way.
    pub nat: NatStatus,
    /// What the peer seems to run.
    pub fingerprint: Fingerprint,
    /// What protects IKE.
    pub proposal: IkeProposal,
    /// How the sides proved themselves.
    pub auth: AuthMethod,
    /// Which side we were.
    pub role: Role,
}

/// What is known of NATs on the way (RFC 3947 §3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NatStatus {
    /// Whether we are behind one.
    pub local: bool,
    /// Whether the peer is, or says so to force encapsulation.
    pub remote: bool,
    /// Which document of NAT traversal is followed; `None` if none.
    pub version: Option<crate::v1::NatTraversal>,
}

/// A pair of ESP security associations.
#[non_exhaustive]
#[derive(Debug)]
pub struct ChildSa {
    /// The peer that it belongs to.
    pub peer: PeerHandle,
    /// Names the pair.
    pub child: ChildHandle,
    /// The pair that it takes the place of.
    pub replaces: Option<ChildHandle>,
    /// What protects it.
    pub suite: EspSuite,
    /// What we receive with.
    pub inbound: ChildKeys,
    /// What we send with.
    pub outbound: ChildKeys,
    /// Where its packets go.
    pub esp_path: Path,
    /// Whether they are wrapped in UDP (RFC 3948).
    pub encapsulated: bool,
    /// Our end of what it carries.
    pub local: Selector,
    /// The peer's end.
    pub remote: Selector,
    /// The addresses that the sides see themselves under, to repair checksums with.
    pub nat_oa: NatOa,
    /// For how long it may be used.
    pub lifetime: ChildLifetime,
    /// Whether the outbound SA may be used at once. If not,
    /// [`Event::ChildReady`] follows.
    pub outbound_ready: bool,
    /// What the peer seems to run.
    pub fingerprint: Fingerprint,
}

/// One direction of a pair.
#[derive(Clone, Debug)]
pub struct ChildKeys {
    /// The Security Parameters Index, chosen by the receiver.
    pub spi: u32,
    /// The keys: encryption first, then integrity
    /// ([`EspSuite::keymat_len`](vpn_core::crypto::EspSuite::keymat_len) octets).
    pub keymat: SecretBytes,
}

/// One end of what a pair carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Selector {
    /// The IP protocol; 0 means every one.
    pub protocol: u8,
    /// The port; 0 means every one.
    pub port: u16,
    /// The address on the path: behind a NAT, that of the NAT.
    pub address: IpAddr,
}

/// The original addresses of RFC 3947 §5.2, as the peer told them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NatOa {
    /// Of the initiator of the quick mode.
    pub initiator: Option<IpAddr>,
    /// Of the responder.
    pub responder: Option<IpAddr>,
}

/// For how long a pair may be used. The endpoint sees to the time; the data plane counts the
/// octets and has the pair rekeyed before they are spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChildLifetime {
    /// The time after which the pair is closed.
    pub time: Duration,
    /// Kilobytes (1,024 octets) that may pass.
    pub kilobytes: Option<u64>,
}

/// What Wireshark needs to decrypt an IKE SA: a row of its table "IKEv1 Decryption Table".
#[derive(Clone, Debug)]
pub struct KeyLogEntry {
    /// The initiator's cookie.
    pub initiator_cookie: Cookie,
    /// The key of the cipher.
    pub encryption_key: SecretBytes,
    /// The path of the SA when the key was made.
    pub remote: SocketAddr,
}
