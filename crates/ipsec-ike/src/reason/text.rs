//! The sentences of the reasons: what happened, and what to do about it.

use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::Display;

use super::CertificateFault;
use super::ChildCloseReason;
use super::CloseReason;
use super::Exchange;
use super::ListsDiffer;
use crate::event::Role;
use crate::registry::NotifyType;

impl CloseReason {
    /// One sentence for people: what happened, and what to do about it.
    #[must_use]
    pub fn explain(&self) -> String {
        match self {
            Self::Requested => "closed on request".into(),
            Self::DeletedByPeer => "the peer closed the connection".into(),
            Self::Replaced => {
                "the peer connected anew and said that it has no other connection (INITIAL-CONTACT)"
                    .into()
            }
            Self::DpdTimeout { silent } => format!(
                "nothing came from the peer for {} s although we asked (DPD): it is down or the \
                 path is broken",
                silent.as_secs()
            ),
            Self::Expired => "the lifetime of the IKE SA ended with nothing left to keep".into(),
            Self::NoAnswer { hint: None } => {
                "the peer never answered on UDP 500: check its address, that IKEv1 is on there, and \
                 that firewalls let UDP 500 and 4500 pass"
                    .into()
            }
            Self::NoAnswer { hint: Some(hint) } => format!(
                "the peer did not go on after our first message, and somebody at its address said \
                 {}: {}",
                hint,
                advice(*hint)
            ),
            Self::Timeout { exchange, awaited, hint } => {
                let hint = hint.map(|hint| format!("; last it said {hint}")).unwrap_or_default();
                format!(
                    "the peer stopped answering in {exchange}: message {awaited} never came{hint}; \
                     look into the peer's log, and whether the path loses long datagrams"
                )
            }
            Self::NatTBlocked => {
                "UDP 500 was answered, but nothing at all came back on UDP 4500: let UDP 4500 pass in \
                 every firewall on the way"
                    .into()
            }
            Self::ServerBehindNatWindows => {
                "this server is behind a NAT and the Windows client gave up (error 809): on the \
                 client set the DWORD AssumeUDPEncapsulationContextOnSendRule to 2 under \
                 HKLM\\SYSTEM\\CurrentControlSet\\Services\\PolicyAgent and reboot, or give the \
                 server a public address"
                    .into()
            }
            Self::NoProposal(lists) => differ("IKE", lists),
            Self::NoChildProposal(lists) => differ("ESP", lists),
            Self::ProposalsRefused { ours } => refused("IKE", ours),
            Self::ChildProposalsRefused { ours } => refused("ESP", ours),
            Self::ChoiceNotOffered => {
                "the peer picked a proposal that was not offered: it is broken, or somebody changes \
                 messages on the way"
                    .into()
            }
            Self::TunnelModeOffered => {
                "the peer insists on tunnel mode, and L2TP runs in transport mode: set type=transport \
                 there"
                    .into()
            }
            Self::PskMismatch { role: Role::Initiator, .. } => {
                "the peer did not accept our proof: the pre-shared keys differ, or it has another \
                 key for our identity"
                    .into()
            }
            Self::PskMismatch { role: Role::Responder, tried } => format!(
                "none of {tried} pre-shared keys opens the peer's message: the keys differ, or it \
                 uses one that belongs to another identity"
            ),
            Self::NoCredentials => {
                "there is no pre-shared key for this peer and no certificate: configure one".into()
            }
            Self::CredentialsRefused => "the peer is not known here".into(),
            Self::CertificateRejected(fault) => fault.explain(),
            Self::IdentityRejected(identity) => format!(
                "the peer proved to be {identity}, who is not expected: set remote-id to that or \
                 correct the peer's identity"
            ),
            Self::SelectorMismatch { by_peer: true } => {
                "the peer refused what the ESP pair shall carry: it must allow UDP with port 1701 \
                 on its side and any port on ours"
                    .into()
            }
            Self::SelectorMismatch { by_peer: false } => {
                "the peer asked for an ESP pair that carries something other than UDP to port 1701: \
                 set its protocol and ports to 17/1701"
                    .into()
            }
            Self::LifetimeTooShort(time) => format!(
                "the peer wants new keys every {} s, which is too short to renew them in time: \
                 raise its lifetime",
                time.as_secs()
            ),
            Self::AggressiveRefused => {
                "the peer asked for aggressive mode, which is off because it exposes the pre-shared \
                 key to guessing: leave the group name or IPsec identifier empty on the peer"
                    .into()
            }
            Self::PeerNotify(notify) => {
                format!("the peer refused with {notify}: {}", advice(*notify))
            }
            Self::Malformed(what) => {
                format!("the peer broke the protocol: {what}; its software is at fault")
            }
            Self::LimitReached(limit) => {
                format!("the limit {limit} was reached: raise it or wait for connections to end")
            }
            Self::Internal(what) => format!("{what} failed on our side"),
        }
    }
}

impl CertificateFault {
    fn explain(&self) -> String {
        match self {
            Self::Missing => {
                "the peer sent no certificate: install one there, or use a pre-shared key".into()
            }
            Self::NoTrustAnchors => {
                "there is no authority to check the peer's certificate with: configure its CA"
                    .into()
            }
            Self::NoTime => {
                "the time of day is not known, so no certificate can be checked: set it".into()
            }
            Self::Invalid(error) => format!("the peer's certificate was rejected: {error}"),
            Self::Stranger(identity) => format!(
                "the certificate of the peer, {identity}, does not name the address that we called: \
                 add it as a subjectAltName, or say which identity the peer must have"
            ),
            Self::WrongName(identity) => format!(
                "the peer's certificate does not vouch for the identity {identity} that the peer \
                 claims: add it as a subjectAltName or change the peer's identity"
            ),
            Self::OtherAddress(identity) => format!(
                "the peer goes by the address {identity} and comes from another: have it go by a \
                 name in its certificate"
            ),
            Self::BadSignature => {
                "the peer's signature does not fit its certificate: its private key is another \
                 one"
                .into()
            }
        }
    }
}

impl ChildCloseReason {
    /// One sentence for people: what happened, and what to do about it.
    #[must_use]
    pub fn explain(&self) -> String {
        match self {
            Self::Requested => "the ESP pair was closed on request".into(),
            Self::Replaced => "the ESP pair was replaced with a newer one".into(),
            Self::DeletedByPeer => "the peer deleted the ESP pair".into(),
            Self::Expired => {
                "the lifetime of the ESP pair ended and it could not be renewed: see why the peer \
                 did not answer"
                    .into()
            }
            Self::NotConfirmed => {
                "the peer asked for an ESP pair and never confirmed it: the path loses its messages"
                    .into()
            }
            Self::Failed(reason) => reason.explain(),
            Self::PeerClosed => "the ESP pair ended with its peer".into(),
        }
    }
}

impl Display for Exchange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::MainMode => "main mode",
            Self::AggressiveMode => "aggressive mode",
            Self::QuickMode => "quick mode",
            Self::Informational => "an informational exchange",
        })
    }
}

/// Both lists side by side, and the nearest change.
fn differ(what: &str, lists: &ListsDiffer) -> String {
    let nearest = match &lists.nearest {
        Some(nearest) => format!("; the nearest change: {nearest}"),
        None => String::new(),
    };
    format!(
        "no common {what} proposal: we accept {}; the peer offers {}{nearest}",
        list(&lists.ours),
        list(&lists.theirs)
    )
}

fn refused<T: Display>(what: &str, ours: &[T]) -> String {
    let ours: Vec<String> = ours.iter().map(ToString::to_string).collect();
    format!(
        "the peer takes none of our {what} proposals ({}): compare with its list, or try the preset \
         legacy",
        list(&ours)
    )
}

fn list(entries: &[String]) -> String {
    match entries {
        [] => "nothing".into(),
        entries => entries.join(", "),
    }
}

/// What a notification means for whoever configured this side.
fn advice(notify: NotifyType) -> &'static str {
    match notify {
        NotifyType::NO_PROPOSAL_CHOSEN => {
            "compare the proposals of both sides, or try the preset legacy"
        }
        NotifyType::INVALID_ID_INFORMATION => "it does not expect our identity or selectors",
        NotifyType::AUTHENTICATION_FAILED | NotifyType::INVALID_HASH_INFORMATION => {
            "check the pre-shared key"
        }
        NotifyType::PAYLOAD_MALFORMED => "as a rule the pre-shared keys differ",
        NotifyType::INVALID_CERTIFICATE
        | NotifyType::CERT_TYPE_UNSUPPORTED
        | NotifyType::INVALID_CERT_AUTHORITY
        | NotifyType::INVALID_SIGNATURE
        | NotifyType::CERTIFICATE_UNAVAILABLE => "check our certificate and the peer's authorities",
        NotifyType::INVALID_EXCHANGE_TYPE => "it does not do main mode",
        NotifyType::INVALID_MAJOR_VERSION => "it does not speak IKEv1",
        _ => "look into the peer's log",
    }
}
