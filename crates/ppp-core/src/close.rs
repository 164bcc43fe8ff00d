use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::AuthMethod;
use crate::AuthProtocol;
use crate::ControlCode;
use crate::MsChapError;
use crate::Protocol;
use crate::Side;

/// How far a link is (RFC 1661 §3.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Not opened yet.
    Dead,
    /// LCP is being negotiated.
    Establish,
    /// One end or both must prove their identity.
    Authenticate,
    /// Network control protocols are negotiated, and packets pass.
    Network,
    /// LCP is being closed.
    Terminate,
    /// Over. Nothing more happens.
    Closed,
}

/// Why a link has ended.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// [`Link::close`](crate::Link::close) was called.
    Local,
    /// [`Link::lower_down`](crate::Link::lower_down) was called.
    LowerDown,
    /// The peer sent a Terminate-Request.
    PeerTerminated {
        /// How far the link was.
        phase: Phase,
        /// What the peer said.
        message: String,
    },
    /// The peer did not answer.
    Timeout {
        /// What it was asked in.
        protocol: Protocol,
    },
    /// Both ends kept on asking for what the other does not want.
    NotConverging {
        /// What they negotiated.
        protocol: Protocol,
    },
    /// What we send comes back to us.
    Loopback,
    /// There is no authentication protocol that both ends want.
    NoCommonAuth {
        /// Which end had to prove its identity.
        side: Side,
        /// What we would have agreed to, best first.
        ours: Vec<AuthMethod>,
        /// What the peer named; empty when it refused to talk about it.
        theirs: Vec<AuthProtocol>,
    },
    /// A proof of identity was wrong, or the user may not come in.
    AuthFailed(AuthFailure),
    /// The peer took our MS-CHAPv2 proof but could not prove that it knows the password too: it is
    /// not the server that it claims to be (RFC 2759 §5).
    NotGenuine,
    /// The peer asked for no proof of identity, so that it gave none itself, and the configuration
    /// wants one ([`LinkConfig::require_proof_of_peer`](crate::LinkConfig::require_proof_of_peer)).
    PeerUnproved,
    /// The peer sent our own challenge back to have us answer it.
    Reflected,
    /// Authentication did not end in time.
    AuthTimeout {
        /// Which end had to prove its identity.
        side: Side,
        /// How.
        method: AuthMethod,
    },
    /// The peer says that it does not speak a protocol that the link cannot do without.
    ProtocolRejected(Protocol),
    /// The peer says that it does not know a code that the link cannot do without.
    CodeRejected(ControlCode),
    /// The peer did not answer Echo-Requests.
    EchoLost {
        /// How many in a row.
        missed: u8,
    },
    /// No network protocol is left that could open.
    NoNetwork {
        /// What became of IPv4.
        ipv4: NetworkFailure,
        /// What became of IPv6.
        ipv6: NetworkFailure,
    },
    /// The random generator failed.
    RandomFailed,
}

/// A proof of identity that was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthFailure {
    /// Which end gave the proof.
    pub side: Side,
    /// How.
    pub method: AuthMethod,
    /// The error code, where the method has one.
    pub error: Option<MsChapError>,
    /// Whether another attempt was allowed.
    pub retry: bool,
    /// What the end that refused said.
    pub message: String,
}

/// Why a network protocol is not open.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NetworkFailure {
    /// The configuration turns it off.
    Off,
    /// The peer does not speak it.
    Rejected,
    /// The peer did not answer.
    Timeout,
    /// The peer ended it.
    PeerTerminated,
    /// The ends could not agree.
    NotConverging,
    /// There was no address for the peer, or none from it.
    NoAddress,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("the link was closed from this side"),
            Self::LowerDown => f.write_str("the connection below PPP went away"),
            Self::PeerTerminated { phase, message } => {
                write!(f, "the peer ended the link {}{}", phase.during(), Said(message))
            }
            Self::Timeout { protocol } => write!(f, "the peer did not answer in {protocol}"),
            Self::NotConverging { protocol } => {
                write!(f, "{protocol} did not come to an agreement with the peer")
            }
            Self::Loopback => f.write_str("the line is looped back: our own packets return"),
            Self::NoCommonAuth { side, ours, theirs } => {
                let (side, ours, theirs) = (side.subject(), List(ours), List(theirs));
                write!(
                    f,
                    "no common way for {side} to authenticate: here {ours}, at the peer {theirs}"
                )
            }
            Self::AuthFailed(failure) => failure.fmt(f),
            Self::NotGenuine => f.write_str(
                "the peer accepted our password but could not prove that it knows it: \
                 it is not the server that it claims to be",
            ),
            Self::PeerUnproved => f.write_str(
                "the peer asked for no authentication, so it did not prove that it is the server \
                 that it claims to be; have it ask for MS-CHAPv2, or allow this with \
                 require_proof_of_peer(false)",
            ),
            Self::Reflected => f.write_str("the peer sent our own challenge back to us"),
            Self::AuthTimeout { side, method } => {
                write!(f, "authentication of {} with {method} did not end in time", side.subject())
            }
            Self::ProtocolRejected(protocol) => write!(f, "the peer does not speak {protocol}"),
            Self::CodeRejected(code) => write!(f, "the peer does not know LCP {code}"),
            Self::EchoLost { missed } => {
                write!(f, "the peer did not answer {missed} echo requests in a row")
            }
            Self::NoNetwork { ipv4, ipv6 } => {
                write!(f, "no network protocol could be opened: IPv4 {ipv4}, IPv6 {ipv6}")
            }
            Self::RandomFailed => f.write_str("the random generator failed"),
        }
    }
}

impl fmt::Display for AuthFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.side {
            Side::Local => "the peer refused us",
            Side::Peer => "the peer was refused",
        };
        write!(f, "{who} in {}", self.method)?;
        if let Some(error) = self.error {
            write!(f, ": {error} (error {})", error.0)?;
        }
        write!(f, "{}", Said(&self.message))
    }
}

impl fmt::Display for NetworkFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "is turned off here",
            Self::Rejected => "is not spoken by the peer",
            Self::Timeout => "got no answer",
            Self::PeerTerminated => "was ended by the peer",
            Self::NotConverging => "came to no agreement",
            Self::NoAddress => "had no address to give",
        })
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dead => "dead",
            Self::Establish => "establish",
            Self::Authenticate => "authenticate",
            Self::Network => "network",
            Self::Terminate => "terminate",
            Self::Closed => "closed",
        })
    }
}

impl Phase {
    const fn during(self) -> &'static str {
        match self {
            Self::Dead | Self::Establish => "while LCP was negotiated",
            Self::Authenticate => "during authentication",
            Self::Network => "during the session",
            Self::Terminate | Self::Closed => "while it was being closed",
        }
    }
}

impl Side {
    const fn subject(self) -> &'static str {
        match self {
            Self::Local => "this side",
            Self::Peer => "the peer",
        }
    }
}

/// The peer's words in quotes behind a sentence, if there are any.
struct Said<'a>(&'a str);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ", saying \"{}\"", self.0) }
    }
}

/// Names in a row.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.0.split_first() else { return f.write_str("none") };
        first.fmt(f)?;
        rest.iter().try_for_each(|item| write!(f, ", {item}"))
    }
}
