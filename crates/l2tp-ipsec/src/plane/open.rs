use l2tp_control::LinkId;
use l2tp_control::sequence::Verdict;
use l2tp_wire::Packet;
use portable_atomic::Ordering;
use ppp_core::Protocol;
use ppp_core::frame;
use vpn_core::DropReason;
use vpn_core::PacketMut;
use vpn_core::Path;

use crate::SessionId;
use crate::ip::Ip;
use crate::ip::link_local_id;
use crate::mss;
use crate::plane::Entry;
use crate::plane::Side;
use crate::plane::Table;

/// What a datagram turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inbound {
    /// An IP packet of this session: the packet holds nothing else any more.
    Ip(SessionId),
    /// An L2TP control message or a PPP frame, for the control machine's `handle_opened`.
    Control(Origin),
    /// An IKE message, for the control machine's `handle_datagram`.
    Ike,
    /// A NAT keep-alive: nothing to do (RFC 3948 §2.3).
    Keepalive,
    /// Nothing that could be used; counted.
    Dropped(DropReason),
}

/// Proof of where an opened packet came from.
///
/// Only the data plane makes one, after every check that the packet's way in asks for, so the
/// control machine never checks (or counts) the same packet twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    pub(crate) link: LinkId,
    pub(crate) path: Path,
    /// The session whose data message this is, if it came in its turn; `None` for anything else.
    pub(crate) session: Option<SessionId>,
}

impl Origin {
    /// The path that the datagram came in on.
    #[must_use]
    pub const fn path(&self) -> Path {
        self.path
    }
}

/// A packet that passed: what it is, and the session that it is an IP packet of.
pub(crate) struct Opened<'a> {
    pub(crate) inbound: Inbound,
    pub(crate) carries_ip: Option<&'a Entry>,
}

/// Opens one L2TP message in place, however it came. One for the control machine is left as it is.
pub(crate) fn open<'a>(
    table: &'a Table,
    link: LinkId,
    path: Path,
    packet: &mut PacketMut<'_>,
    clamp_mss: bool,
) -> Result<Opened<'a>, DropReason> {
    let to_control = |session| {
        let inbound = Inbound::Control(Origin { link, path, session });
        Ok(Opened { inbound, carries_ip: None })
    };
    let message = match Packet::decode(packet.payload())? {
        Packet::Control(_) => return to_control(None),
        Packet::Data(message) => message,
    };
    let header = message.header;
    let Some(entry) = table.by_wire(link, header.tunnel_id, header.session_id) else {
        // The control machine may be about to open this session, and counts it if not.
        return to_control(None);
    };
    if !link.is_authenticated() && entry.path.remote != path.remote {
        return Err(DropReason::WrongPeer);
    }
    let (protocol, at) = frame::protocol(message.payload).map_err(|_| DropReason::Truncated)?;
    let ip = message.payload.get(at..).unwrap_or_default();
    let ns = header.sequence.map(|sequence| sequence.ns);
    if entry.reorder && ns.is_some() {
        return to_control(None);
    }
    if protocol != Protocol::IPV4 && protocol != Protocol::IPV6 {
        in_turn(entry, ns)?;
        return to_control(Some(entry.session));
    }
    check_source(entry, protocol, ip)?;
    in_turn(entry, ns)?;
    let (front, len) = (header.encoded_len() + at, ip.len());
    packet.trim_front(front).map_err(|_| DropReason::Truncated)?;
    packet.truncate(len);
    if clamp_mss {
        mss::clamp(packet.payload_mut(), entry.mtu);
    }
    entry.shared.count_rx(packet.len());
    Ok(Opened { inbound: Inbound::Ip(entry.session), carries_ip: Some(entry) })
}

/// Drops what comes after its turn (RFC 2661 §5.4).
fn in_turn(entry: &Entry, ns: Option<u16>) -> Result<(), DropReason> {
    match entry.sequence.receive(ns) {
        Verdict::Accept { missing } => {
            entry.shared.rx_missing.fetch_add(u64::from(missing), Ordering::Relaxed);
            Ok(())
        }
        Verdict::Late => Err(DropReason::Late),
        Verdict::Unsequenced => Err(DropReason::Malformed),
    }
}

/// Checks that an IP packet from the peer may pass: its network protocol is open, and its source
/// is right.
///
/// A server lets in only what comes from the address that it gave to the client (or the client's
/// link-local one). A client's packets come from anywhere.
pub(crate) fn check_source(
    entry: &Entry,
    protocol: Protocol,
    packet: &[u8],
) -> Result<(), DropReason> {
    let own = if protocol == Protocol::IPV4 {
        let pair = entry.ipv4.ok_or(DropReason::ProtocolNotOpen)?;
        let Some(Ip::V4 { source, .. }) = Ip::parse(packet) else {
            return Err(DropReason::Malformed);
        };
        pair.peer == source
    } else {
        let pair = entry.ipv6.ok_or(DropReason::ProtocolNotOpen)?;
        let Some(Ip::V6 { source, .. }) = Ip::parse(packet) else {
            return Err(DropReason::Malformed);
        };
        link_local_id(source) == Some(pair.peer)
    };
    if entry.side == Side::Server && !own {
        return Err(DropReason::WrongAddress);
    }
    Ok(())
}
