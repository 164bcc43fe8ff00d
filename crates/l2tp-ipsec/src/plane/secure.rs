//! ESP in the data plane: what carries the L2TP of an IPsec peer.

use alloc::sync::Arc;
use core::net::IpAddr;

use arrayvec::ArrayVec;
use ipsec_esp::BundleId;
use ipsec_esp::EspHeader;
use ipsec_esp::Generation;
use ipsec_esp::InboundSa;
use ipsec_esp::Incoming;
use ipsec_esp::MAX_BATCH;
use ipsec_esp::NextHeader;
use ipsec_esp::OpenError;
use ipsec_esp::Opened;
use ipsec_esp::OutboundSa;
use ipsec_esp::Outgoing;
use ipsec_esp::Sealed;
use ipsec_esp::Shared;
use ipsec_esp::checksum;
use ipsec_esp::checksum::Addresses;
use ipsec_esp::udp_encap;
use ipsec_esp::udp_encap::Encapsulated;
use l2tp_control::LinkId;
use vpn_core::DropReason;
use vpn_core::NoRoom;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::Room;
use vpn_core::Socket;

use super::Inbound;
use super::SealError;
use super::Table;

/// What ESP and the UDP header inside it put around an L2TP message, whatever the suite.
pub(crate) const ROOM: Room = Room { front: 8 + 16 + UDP_LEN, back: 15 + 2 + 32 };

/// Octets of a UDP header.
const UDP_LEN: usize = 8;
/// The most octets that a UDP datagram has, with its header.
const MAX_UDP: usize = 65_535;

/// An inbound SA, and whose it is.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) sa: Arc<InboundSa<Shared>>,
    pub(crate) bundle: BundleId,
    pub(crate) generation: Generation,
    /// Between which addresses the peer's L2TP runs. They stay when a NAT moves the peer.
    pub(crate) local: IpAddr,
    pub(crate) remote: IpAddr,
    /// The UDP ports of its selectors; 0 is any.
    pub(crate) local_port: u16,
    pub(crate) remote_port: u16,
    /// The same SA as a peer reads it whose kernel cuts HMAC-SHA-256 to 96 bits, until the first
    /// packet tells which it is.
    pub(crate) cut: Option<Arc<InboundSa<Shared>>>,
}

impl Receiver {
    /// Whether the SA's first packet has the short ICV.
    fn is_cut(&self, packet: &[u8]) -> bool {
        let Some(cut) = &self.cut else { return false };
        let mut scratch = [0; 2048];
        self.sa.usage().packets == 0 && cut.recognizes(packet, &mut scratch)
    }
}

/// How L2TP gets to the peer at the other end of a link.
#[derive(Clone)]
pub(crate) struct Carrier {
    pub(crate) sa: Arc<OutboundSa<Shared>>,
    pub(crate) bundle: BundleId,
    pub(crate) generation: Generation,
    /// Where the peer is now: its NAT-T port, or ESP on IP.
    pub(crate) path: Path,
    /// Whether we follow a peer that its NAT moves.
    pub(crate) follows: bool,
}

impl Carrier {
    /// Whether a packet from there shows that the peer has moved, so that we follow.
    fn is_left_for(&self, path: Path) -> bool {
        self.follows && path.socket == Socket::NatT && path.remote != self.path.remote
    }
}

/// The link that an SA bundle is. The first is 1: 0 is L2TP in clear.
pub(crate) const fn link_of(bundle: BundleId) -> LinkId {
    LinkId(bundle.0 + 1)
}

/// What the control machine must know soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Notice {
    /// The first packet came in on a pair.
    Used(BundleId, Generation),
    /// A pair crossed a soft limit.
    SoftLimit(BundleId, Generation),
    /// The peer cuts HMAC-SHA-256 to 96 bits on this pair.
    Cut(BundleId, Generation),
    /// The newest packet came from here, where the peer was not before.
    Moved(BundleId, Path),
}

/// What a datagram is, before any of it is opened.
pub(crate) enum Kind<'t> {
    /// L2TP in clear.
    Clear,
    Esp(&'t Receiver),
    /// A packet with a shorter ICV than was agreed on.
    Cut(&'t Receiver),
    Other(Inbound),
    Dropped(DropReason),
}

pub(crate) fn kind<'t>(table: &'t Table, path: Path, datagram: &[u8]) -> Kind<'t> {
    match path.socket {
        Socket::L2tp if table.clear_allowed => Kind::Clear,
        Socket::L2tp => Kind::Dropped(DropReason::NotAllowed),
        _ if !table.secure => Kind::Dropped(DropReason::NotAllowed),
        Socket::Ike => Kind::Other(Inbound::Ike),
        Socket::NatT => match udp_encap::classify(datagram) {
            Encapsulated::Keepalive => Kind::Other(Inbound::Keepalive),
            Encapsulated::Ike(_) => Kind::Other(Inbound::Ike),
            Encapsulated::Esp(packet) => esp(table, packet),
            Encapsulated::Malformed => Kind::Dropped(DropReason::Malformed),
        },
        Socket::Esp => esp(table, datagram),
    }
}

fn esp<'t>(table: &'t Table, packet: &[u8]) -> Kind<'t> {
    let Ok(header) = EspHeader::decode(packet) else {
        return Kind::Dropped(DropReason::Truncated);
    };
    match table.receiver(header.spi) {
        Some(receiver) if receiver.is_cut(packet) => Kind::Cut(receiver),
        Some(receiver) => Kind::Esp(receiver),
        None => Kind::Dropped(DropReason::UnknownSpi),
    }
}

/// Opens the ESP packets of a batch of at most [`MAX_BATCH`], in place.
pub(crate) fn open_esp(
    packets: &mut [(Path, PacketMut<'_>)],
    kinds: &[Kind<'_>],
) -> ArrayVec<Result<Opened, OpenError>, MAX_BATCH> {
    let mut batch = ArrayVec::<_, MAX_BATCH>::new();
    for ((_, packet), kind) in packets.iter_mut().zip(kinds) {
        if let Kind::Esp(receiver) = kind {
            batch.push(Incoming::new(&receiver.sa, packet));
        }
    }
    ipsec_esp::open_batch(&mut batch);
    batch.iter().map(Incoming::outcome).collect()
}

/// What the control machine must know of a packet that was opened.
pub(crate) fn notices(
    table: &Table,
    receiver: &Receiver,
    path: Path,
    opened: Opened,
) -> impl Iterator<Item = Notice> {
    let (bundle, generation) = (receiver.bundle, receiver.generation);
    let carrier = table.carrier(link_of(bundle)).filter(|_| opened.newest);
    let moved = carrier.is_some_and(|carrier| carrier.is_left_for(path));
    let used = opened.first.then_some(Notice::Used(bundle, generation));
    let soft = opened.soft_limit.then_some(Notice::SoftLimit(bundle, generation));
    [used, soft, moved.then_some(Notice::Moved(bundle, path))].into_iter().flatten()
}

/// Takes the UDP header off what came out of ESP, and says between whom it runs.
///
/// The checksum is not looked at: the ICV has proved the octets, and a NAT changes the addresses
/// that it covers (RFC 3948 §3.1.2).
pub(crate) fn take_udp(
    receiver: &Receiver,
    opened: Opened,
    packet: &mut PacketMut<'_>,
) -> Result<Path, DropReason> {
    match opened.next_header {
        NextHeader::UDP => {}
        NextHeader::NONE => return Err(DropReason::Dummy),
        _ => return Err(DropReason::NotAllowed),
    }
    let header = packet.payload().first_chunk::<UDP_LEN>().ok_or(DropReason::Truncated)?;
    let [s0, s1, d0, d1, l0, l1, _, _] = *header;
    let (source, destination) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    if len < UDP_LEN || len > packet.len() {
        return Err(DropReason::Malformed);
    }
    let fits = |selector, port| selector == 0 || selector == port;
    if source == 0 || !fits(receiver.local_port, destination) || !fits(receiver.remote_port, source)
    {
        return Err(DropReason::NotAllowed);
    }
    packet.truncate(len);
    packet.trim_front(UDP_LEN).map_err(|_| DropReason::Truncated)?;
    let local = (receiver.local, destination).into();
    Ok(Path { socket: Socket::L2tp, local, remote: (receiver.remote, source).into() })
}

/// Puts the UDP header in front of an L2TP message that goes over `inner`.
///
/// The checksum covers the addresses that we see. RFC 2661 §8.1 wants one unless it is switched
/// off; over IPv6 it can't be.
pub(crate) fn put_udp(
    packet: &mut PacketMut<'_>,
    carrier: &Carrier,
    inner: Path,
    with_checksum: bool,
) -> Result<(), SealError> {
    let len = packet.len().saturating_add(UDP_LEN);
    let len =
        u16::try_from(len).map_err(|_| SealError::NoRoom(NoRoom { needed: len, left: MAX_UDP }))?;
    let header = packet.prepend(UDP_LEN)?;
    let fields = [inner.local.port(), inner.remote.port(), len, 0];
    for (to, from) in header.chunks_exact_mut(2).zip(fields) {
        to.copy_from_slice(&from.to_be_bytes());
    }
    if !with_checksum && carrier.path.remote.is_ipv4() {
        return Ok(());
    }
    let addresses =
        Addresses { source: carrier.path.local.ip(), destination: carrier.path.remote.ip() };
    let sum = checksum::checksum(addresses, NextHeader::UDP, packet.payload());
    if let Some(field) = packet.payload_mut().get_mut(6..UDP_LEN) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
    Ok(())
}

/// Seals the packets of a batch that have a carrier, in place, and notes which could not be.
///
/// `carriers` has one entry for each packet; `out` says where the packet goes, or why not.
pub(crate) fn seal_esp<S>(
    packets: &mut [(S, PacketMut<'_>)],
    carriers: &[Option<&Carrier>],
    out: &mut [Result<Path, SealError>],
    mut notice: impl FnMut(Notice),
) {
    let mut batch = ArrayVec::<_, MAX_BATCH>::new();
    for ((_, packet), carrier) in packets.iter_mut().zip(carriers) {
        if let Some(carrier) = carrier {
            batch.push(Outgoing::new(&carrier.sa, packet, NextHeader::UDP));
        }
    }
    ipsec_esp::seal_batch(&mut batch);
    let mut outcomes = batch.iter().map(Outgoing::outcome);
    for (carrier, out) in carriers.iter().zip(out) {
        let Some(carrier) = carrier else { continue };
        let outcome = outcomes.next().unwrap_or(Err(ipsec_esp::SealError::Crypto));
        *out = sealed(carrier, outcome, &mut notice);
    }
}

/// What became of a packet that was sealed: where it goes, or why nowhere.
pub(crate) fn sealed(
    carrier: &Carrier,
    outcome: Result<Sealed, ipsec_esp::SealError>,
    notice: impl FnOnce(Notice),
) -> Result<Path, SealError> {
    match outcome {
        Ok(sealed) => {
            if sealed.soft_limit {
                notice(Notice::SoftLimit(carrier.bundle, carrier.generation));
            }
            Ok(carrier.path)
        }
        Err(ipsec_esp::SealError::NoRoom(no_room)) => Err(SealError::NoRoom(no_room)),
        Err(_) => Err(SealError::NoSa),
    }
}
