//! The data plane of one end, used by hand.

use l2tp_ipsec::DataPlane;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::Plane;
use l2tp_ipsec::SealError;
use l2tp_ipsec::SessionId;
use vpn_core::PacketMut;
use vpn_core::Path;

/// Seals one packet and returns the datagram.
pub fn seal(
    plane: &Plane,
    session: SessionId,
    packet: &[u8],
) -> Result<(Path, Vec<u8>), SealError> {
    let room = plane.room();
    let mut storage = vec![0; room.front + packet.len() + room.back];
    let window = room.front..room.front + packet.len();
    storage[window.clone()].copy_from_slice(packet);
    let mut batch = [(session, PacketMut::new(&mut storage, window).unwrap())];
    let mut out = [Err(SealError::UnknownSession)];
    plane.seal_batch(&mut batch, &mut out);
    let ([(_, packet)], [result]) = (batch, out);
    Ok((result?, packet.payload().to_vec()))
}

/// Opens one datagram, and returns what is left of it.
pub fn open(plane: &Plane, path: Path, datagram: &[u8]) -> (Inbound, Vec<u8>) {
    let mut storage = datagram.to_vec();
    let mut batch = [(path, PacketMut::whole(&mut storage))];
    let mut out = [Inbound::Ike];
    plane.open_batch(&mut batch, &mut out);
    let ([(_, packet)], [inbound]) = (batch, out);
    (inbound, packet.payload().to_vec())
}

/// The same path as the other end sees it.
pub fn seen_by_peer(path: Path) -> Path {
    Path { local: path.remote, remote: path.local, ..path }
}
