use alloc::boxed::Box;
use core::fmt;
use core::net::Ipv4Addr;

use thiserror::Error;

use crate::AuthMethod;
use crate::AuthRequest;
use crate::CloseReason;
use crate::DEFAULT_MRU;
use crate::InterfaceId;
use crate::MsChapFailure;
use crate::NetworkFailure;
use crate::text::Shown;

/// Names a question of a link in its answer. Never used twice by one link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub(crate) u64);

/// Why an answer to a ticket was not taken.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum AnswerError {
    /// The question no longer stands: it was answered, it timed out, or the link has moved on.
    /// Forget it.
    #[error("the question no longer stands; forget it")]
    Stale,
    /// MS-CHAPv2 cannot be accepted without
    /// [`Acceptance::authenticator_response`](crate::auth::Acceptance): fill it in, or reject.
    #[error("MS-CHAPv2 is accepted with an authenticator response; fill it in, or reject")]
    NoAuthenticatorResponse,
}

/// What a [`Link`](crate::Link) reports.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Event {
    /// LCP has opened; authentication follows where an end asked for it.
    LcpUp(LcpUp),
    /// The peer has sent its proof of identity: answer with
    /// [`Link::answer_auth`](crate::Link::answer_auth).
    AuthRequest(AuthRequest),
    /// The peer did not take our proof and allows another: answer with
    /// [`Link::answer_credentials`](crate::Link::answer_credentials). Asked only where
    /// [`LinkConfig::ask_for_credentials`](crate::LinkConfig::ask_for_credentials) says so.
    CredentialsRequest(CredentialsRequest),
    /// One end has proved its identity to the other.
    Authenticated(Authenticated),
    /// The peer wants IPv4 and we give addresses: answer with
    /// [`Link::answer_address`](crate::Link::answer_address).
    ///
    /// The link sets no time for the answer, nor for a peer that never asks: how long a session may
    /// be without an address is the caller's decision.
    ///
    /// Asked once each time that the network phase starts. LCP may be negotiated anew during a
    /// session, and then the peer proves itself anew, maybe under another name: give it the
    /// address that it has, if the name is the same.
    AddressRequest(AddressRequest),
    /// IPCP has opened: IPv4 packets may pass.
    Ipv4Up(Ipv4Settings),
    /// IPCP has closed: no IPv4 packet may pass.
    Ipv4Down,
    /// IPCP has ended without opening, or for good: IPv4 will not come, unless the peer starts it
    /// again. The link goes on while IPv6 may come or is open.
    Ipv4Failed(NetworkFailure),
    /// IPv6CP has opened: IPv6 packets may pass.
    Ipv6Up(Ipv6Settings),
    /// IPv6CP has closed: no IPv6 packet may pass.
    Ipv6Down,
    /// IPv6CP has ended without opening, or for good: IPv6 will not come, unless the peer starts it
    /// again. The link goes on while IPv4 may come or is open.
    Ipv6Failed(NetworkFailure),
    /// [`Link::form`](crate::Link::form) answers otherwise than before.
    FormChanged,
    /// The link has ended. This is the last event.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// LCP has opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LcpUp {
    /// The longest Information field that the peer can receive, in octets.
    pub peer_mru: u16,
    /// What the peer must prove itself with.
    pub authenticates_peer: Option<AuthMethod>,
    /// What we must prove ourselves with.
    pub proves_itself: Option<AuthMethod>,
}

/// Which end of the link.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// This end.
    Local,
    /// The other end.
    Peer,
}

/// One end has proved its identity to the other.
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// The end that proved itself.
    pub side: Side,
    /// The name under which it did, as it stands; any octets.
    pub name: Box<[u8]>,
    /// How.
    pub method: AuthMethod,
}

/// The peer did not take our proof and allows another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialsRequest {
    /// Names this request in the answer.
    pub ticket: Ticket,
    /// What the peer said.
    pub failure: MsChapFailure,
}

/// The peer wants IPv4 and we give addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct AddressRequest {
    /// Names this request in the answer.
    pub ticket: Ticket,
    /// The name under which the peer proved itself; empty where it did not have to.
    pub user: Box<[u8]>,
    /// The address that the peer asks for, from a session before, say.
    pub hint: Option<Ipv4Addr>,
}

/// The answer to an [`AddressRequest`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressAnswer {
    /// Addresses for this session.
    Assign {
        /// Our own address on the link.
        local: Ipv4Addr,
        /// The peer's address.
        peer: Ipv4Addr,
        /// Name servers for the peer, primary and secondary.
        dns: [Option<Ipv4Addr>; 2],
        /// NetBIOS name servers for the peer, primary and secondary.
        nbns: [Option<Ipv4Addr>; 2],
    },
    /// There is no address: IPv4 stays closed, and the link ends if it carries nothing else.
    Refuse,
}

/// What IPCP agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ipv4Settings {
    /// Our address.
    pub local: Ipv4Addr,
    /// The peer's address; 0.0.0.0 when the peer did not name one, which a peer that gives us ours
    /// may do.
    pub peer: Ipv4Addr,
    /// Name servers for the end that asked for them, primary and secondary.
    pub dns: [Option<Ipv4Addr>; 2],
    /// NetBIOS name servers for the end that asked for them, primary and secondary.
    pub nbns: [Option<Ipv4Addr>; 2],
}

/// What IPv6CP agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ipv6Settings {
    /// Our interface identifier.
    pub local: InterfaceId,
    /// The peer's interface identifier.
    pub peer: InterfaceId,
}

/// How data packets must look and which may pass: what a data plane needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DataForm {
    /// Address and Control may be left out when sending.
    pub acfc: bool,
    /// A Protocol below 0x100 may be sent as one octet.
    pub pfc: bool,
    /// The longest Information field that the peer can receive, in octets: the MTU of the link.
    pub mtu: u16,
    /// The addresses while IPv4 is open.
    pub ipv4: Option<Ipv4Settings>,
    /// The interface identifiers while IPv6 is open.
    pub ipv6: Option<Ipv6Settings>,
}

impl DataForm {
    /// What holds until LCP is open (RFC 1661 §6).
    pub(crate) const DEFAULT: Self =
        Self { acfc: false, pfc: false, mtu: DEFAULT_MRU, ipv4: None, ipv6: None };
}

impl fmt::Debug for Authenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticated")
            .field("side", &self.side)
            .field("name", &Shown(&self.name))
            .field("method", &self.method)
            .finish()
    }
}

impl fmt::Debug for AddressRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressRequest")
            .field("ticket", &self.ticket)
            .field("user", &Shown(&self.user))
            .field("hint", &self.hint)
            .finish()
    }
}
