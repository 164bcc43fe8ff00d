//! The way of IP packets between the sockets and the TUN device.

use l2tp_ipsec::DataPlane;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::Plane;
use l2tp_ipsec::SealError;
use vpn_core::PacketMut;
use vpn_core::Path;

use super::datagram_socket::BATCH;
use super::sockets::Sockets;
use super::tap::Direction;
use super::tap::Tap;
use super::tun::Tun;

/// Opens a batch of datagrams: IP packets go to the device, messages to `control`.
pub(crate) fn receive(
    plane: &Plane,
    tun: Option<&Tun>,
    tap: &Tap,
    batch: &mut [(Path, PacketMut<'_>)],
    mut control: impl FnMut(Inbound, Path, &mut [u8]),
) {
    let mut kinds = [Inbound::Keepalive; BATCH];
    plane.open_batch(batch, &mut kinds);
    for ((path, packet), kind) in batch.iter_mut().zip(kinds) {
        match (kind, tun) {
            (Inbound::Ip(_), Some(tun)) => {
                tap.inner(Direction::In, packet.payload());
                tun.send(packet.payload());
            }
            (Inbound::Control(_) | Inbound::Ike, _) => control(kind, *path, packet.payload_mut()),
            (Inbound::Dropped(reason), _) => tracing::trace!(%reason, "datagram dropped"),
            _ => {}
        }
    }
}

/// Room for one IP packet from the device and what goes around it.
pub(crate) struct Outbound {
    storage: Vec<u8>,
    front: usize,
}

impl Outbound {
    pub(crate) fn new(plane: &Plane) -> Self {
        let room = plane.room();
        let storage = vec![0; room.front + usize::from(u16::MAX) + room.back];
        Self { storage, front: room.front }
    }

    /// Where the packet is to be read to.
    pub(crate) fn inside(&mut self) -> &mut [u8] {
        &mut self.storage[self.front..]
    }

    /// Sends the packet of `len` octets through the session that it belongs to.
    pub(crate) fn forward(&mut self, plane: &Plane, sockets: &Sockets, tap: &Tap, len: usize) {
        let window = self.front..self.front + len;
        tap.inner(Direction::Out, &self.storage[window.clone()]);
        let Ok(packet) = PacketMut::new(&mut self.storage, window) else { return };
        let Some(session) = plane.route(packet.payload()) else { return };
        let mut batch = [(session, packet)];
        let mut sealed = [Err(SealError::UnknownSession)];
        plane.seal_batch(&mut batch, &mut sealed);
        match (sealed, &batch) {
            ([Ok(path)], [(_, packet)]) => sockets.send(&path, packet.payload()),
            ([Err(error)], _) => tracing::debug!(%error, "packet not sent"),
        }
    }
}
