use alloc::boxed::Box;
use alloc::string::String;
use core::net::Ipv4Addr;

use bytes::Bytes;
use ipsec_ike::CredentialsTicket;
#[cfg(doc)]
use ipsec_ike::EndpointConfig;
use ipsec_ike::PeerInfo;
use ipsec_ike::identity::Identity;
use ipsec_ike::proposal::IkeProposal;
use ipsec_ike::vendor::Fingerprint;
use ppp_core::AuthMethod;
use ppp_core::AuthRequest;
use vpn_core::Path;
use vpn_core::crypto::EspSuite;

use crate::DisconnectReason;
use crate::KeyLog;
use crate::SessionId;
use crate::Trace;

/// What a [`Server`](crate::Server) reports.
#[non_exhaustive]
#[derive(Debug)]
pub enum ServerEvent {
    /// A session is up: IPv4 packets pass.
    Connected(Connected),
    /// A session that was connected has been negotiated anew: another user, other addresses, or
    /// another MTU. What did not change is told again.
    Changed(Connected),
    /// A session that had got as far as PPP has ended.
    Disconnected(Disconnected),
    /// A user that the server does not know has proved a password: answer with
    /// [`answer_auth`](crate::Server::answer_auth).
    AuthRequest {
        /// The session; names the request in the answer, with the request's ticket.
        session: SessionId,
        /// The user and the proof.
        request: AuthRequest,
    },
    /// An IP packet from a client, where it came through the control machine: from a driver that
    /// uses no data plane, or put back in order.
    Packet {
        /// The session.
        session: SessionId,
        /// The IP packet.
        packet: Bytes,
    },
    /// Which keys may this peer have? Asked where the configuration's
    /// [`ask_for_credentials`](EndpointConfig::ask_for_credentials) is on: answer with
    /// [`answer_credentials`](crate::Server::answer_credentials).
    CredentialsRequest {
        /// Names the request in the answer.
        ticket: CredentialsTicket,
        /// Where the peer is.
        path: Path,
        /// What the peer seems to run.
        fingerprint: Fingerprint,
    },
    /// A peer has proved its identity to IKE, and its L2TP may follow.
    ///
    /// This is the identity of a machine or of everybody who has the key; the user logs in later
    /// (RFC 3193 §5.1.1).
    PeerUp(Box<PeerInfo>),
    /// A NAT has given a peer another address or port, and we follow: its packets go there now.
    Moved {
        /// Where the peer is now.
        path: Path,
    },
    /// A key, where the configuration asks for them.
    KeyLog(KeyLog),
    /// A peer, a tunnel or a call did not get as far as PPP.
    Refused {
        /// The peer's path.
        path: Option<Path>,
        /// Why.
        reason: DisconnectReason,
    },
    /// Something that happened inside.
    Trace(Trace),
    /// All sessions and tunnels are closed after [`drain`](crate::Server::drain). The last event.
    Drained,
}

/// What a [`Client`](crate::Client) reports.
#[non_exhaustive]
#[derive(Debug)]
pub enum ClientEvent {
    /// The session is up: IPv4 packets pass.
    Connected(Connected),
    /// The session has been negotiated anew: other addresses, or another MTU. What did not change
    /// is told again.
    Changed(Connected),
    /// An IP packet, where it came through the control machine: from a driver that uses no data
    /// plane, or put back in order.
    Packet {
        /// The IP packet.
        packet: Bytes,
    },
    /// The server has proved its identity to IKE.
    PeerUp(Box<PeerInfo>),
    /// The server is at another address or port now, and we follow.
    Moved {
        /// Where the server is now.
        path: Path,
    },
    /// A key, where the configuration asks for them.
    KeyLog(KeyLog),
    /// Something that happened inside.
    Trace(Trace),
    /// The session has ended, or never came up. The last event.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
    },
}

/// A session is up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connected {
    /// The session.
    pub session: SessionId,
    /// Between which addresses its tunnel runs.
    pub path: Path,
    /// The user who logged in; empty where nobody had to.
    pub user: String,
    /// How the user logged in.
    pub auth: Option<AuthMethod>,
    /// Our own address inside the tunnel.
    pub local_address: Ipv4Addr,
    /// The peer's address inside the tunnel.
    pub peer_address: Ipv4Addr,
    /// The DNS servers that the client is told of.
    pub dns: [Option<Ipv4Addr>; 2],
    /// The NetBIOS name servers that the client is told of.
    pub nbns: [Option<Ipv4Addr>; 2],
    /// The largest IP packet that may be sent.
    pub mtu: u16,
    /// What protects it; `None` for L2TP in clear.
    pub security: Option<Box<Security>>,
}

/// What protects a session (RFC 3193).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Security {
    /// Who the peer proved to be in IKE. That is a machine, or whoever has the key; the user is
    /// [`Connected::user`].
    pub remote_id: Identity,
    /// Where ESP goes: on UDP behind a NAT, on IP else.
    pub path: Path,
    /// What protects IKE.
    pub ike: IkeProposal,
    /// What protects the packets.
    pub esp: EspSuite,
    /// What the peer seems to run.
    pub fingerprint: Fingerprint,
}

/// A session has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disconnected {
    /// The session.
    pub session: SessionId,
    /// Between which addresses its tunnel ran.
    pub path: Path,
    /// The user, once one had logged in.
    pub user: Option<String>,
    /// Why it ended.
    pub reason: DisconnectReason,
    /// What it carried.
    pub counters: Counters,
}

/// What a session carried, in IP packets and their octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Packets from the peer.
    pub rx_packets: u64,
    /// Octets from the peer.
    pub rx_octets: u64,
    /// Packets to the peer.
    pub tx_packets: u64,
    /// Octets to the peer.
    pub tx_octets: u64,
    /// Numbered data messages from the peer that never came, or came late.
    pub rx_missing: u64,
}

/// A session as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionStatus {
    /// The session.
    pub session: SessionId,
    /// Between which addresses its tunnel runs.
    pub path: Path,
    /// The user, once one has logged in.
    pub user: Option<String>,
    /// The phase of its PPP link.
    pub phase: ppp_core::Phase,
    /// The peer's address inside the tunnel, once IPv4 is up.
    pub peer_address: Option<Ipv4Addr>,
    /// Since when IPv4 is up.
    pub up_since: Option<vpn_core::Instant>,
    /// How often the keys of its packets have been replaced.
    pub rekeys: u32,
    /// What it carried.
    pub counters: Counters,
}
