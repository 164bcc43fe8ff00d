mod text;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use vpn_core::crypto::CertificateError;

use crate::event::Role;
use crate::identity::Identity;
use crate::proposal::EspProposal;
use crate::proposal::IkeProposal;
use crate::registry::NotifyType;

/// Why a peer is gone, or never came.
///
/// [`explain`](Self::explain) says in one sentence what to do about it.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// We closed it.
    Requested,
    /// The peer deleted it.
    DeletedByPeer,
    /// The peer came back and said that it remembers nothing (INITIAL-CONTACT, RFC 2407 §4.6.3.3).
    Replaced,
    /// Nothing came for so long although we asked (RFC 3706).
    DpdTimeout {
        /// Since when nothing came.
        silent: Duration,
    },
    /// Its lifetime was over and there was nothing left to renew it for.
    Expired,
    /// Our first message was not answered at all.
    NoAnswer {
        /// What an unauthenticated notification said about our first message, if one came.
        hint: Option<NotifyType>,
    },
    /// The peer stopped answering.
    Timeout {
        /// Which exchange it was in.
        exchange: Exchange,
        /// The number of the message that did not come.
        awaited: u8,
        /// What an unauthenticated notification said, if one came.
        hint: Option<NotifyType>,
    },
    /// UDP 500 was answered, and after the change to UDP 4500 nothing came at all.
    NatTBlocked,
    /// We are a server behind a NAT and the peer is Windows, which refuses that by default.
    ServerBehindNatWindows,
    /// The sides have no common proposal for IKE.
    NoProposal(ListsDiffer),
    /// The peer refused all our proposals for IKE, and did not say what it wants.
    ProposalsRefused {
        /// What we offered.
        ours: Vec<IkeProposal>,
    },
    /// The peer picked something that we did not offer.
    ChoiceNotOffered,
    /// The sides have no common proposal for ESP.
    NoChildProposal(ListsDiffer),
    /// The peer refused all our proposals for ESP.
    ChildProposalsRefused {
        /// What we offered.
        ours: Vec<EspProposal>,
    },
    /// The peer insists on tunnel mode.
    TunnelModeOffered,
    /// No key that we have opens the peer's message, or ours was not understood.
    PskMismatch {
        /// Which side we are.
        role: Role,
        /// How many keys were tried.
        tried: usize,
    },
    /// There is no pre-shared key for this peer, and no certificate.
    NoCredentials,
    /// The application refused the peer's log-in.
    CredentialsRefused,
    /// The peer's certificate can't be trusted.
    CertificateRejected(CertificateFault),
    /// The peer's identity is not one that may connect.
    IdentityRejected(Identity),
    /// The peer asks for selectors that our policy forbids, or refused ours.
    SelectorMismatch {
        /// Whether the peer refused ours.
        by_peer: bool,
    },
    /// The peer wants to use keys for less time than anybody can rekey in.
    LifetimeTooShort(Duration),
    /// The peer asked for aggressive mode, which is off.
    AggressiveRefused,
    /// The peer sent a fatal notification.
    PeerNotify(NotifyType),
    /// The peer broke the protocol.
    Malformed(&'static str),
    /// A limit of ours was reached.
    LimitReached(&'static str),
    /// No random octets, or the provider failed.
    Internal(&'static str),
}

/// Two lists of proposals without a common entry, in strongSwan's notation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListsDiffer {
    /// What we accept, best first.
    pub ours: Vec<String>,
    /// What the peer offered, in its order.
    pub theirs: Vec<String>,
    /// The change that would make it work: the offer that differs least from what we accept.
    pub nearest: Option<String>,
}

/// What is wrong with a peer's certificate or what it was used for.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CertificateFault {
    /// The peer sent none.
    Missing,
    /// We have no authority to check it with.
    NoTrustAnchors,
    /// We were not told the time.
    NoTime,
    /// It is not valid.
    Invalid(CertificateError),
    /// It is good, but does not name the address that we called, and nobody said who else it may be.
    Stranger(Identity),
    /// It does not vouch for the identity that the peer claims.
    WrongName(Identity),
    /// The peer goes by an address that it does not come from (RFC 4945 §3.1.1).
    OtherAddress(Identity),
    /// The signature was not made with its key.
    BadSignature,
}

/// Which exchange (RFC 2409 §5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Exchange {
    /// Main mode: an identity protection exchange.
    MainMode,
    /// Aggressive mode.
    AggressiveMode,
    /// Quick mode.
    QuickMode,
    /// Informational.
    Informational,
}

/// Why a pair of ESP security associations is gone, or never came.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChildCloseReason {
    /// We closed it.
    Requested,
    /// A newer pair took its place.
    Replaced,
    /// The peer deleted it.
    DeletedByPeer,
    /// Its lifetime was over and it could not be rekeyed.
    Expired,
    /// The peer never confirmed it.
    NotConfirmed,
    /// It was not agreed on.
    Failed(CloseReason),
    /// The peer is gone.
    PeerClosed,
}
