//! The server's driver: it sends every IP packet from inside the tunnel back to where it came from.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use l2tp_ipsec::DataPlane;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::SealError;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::ServerEvent;
use l2tp_ipsec::SessionId;
use l2tp_ipsec::Users;
use vpn_core::PacketMut;
use vpn_crypto::OsRandom;

use super::PSK;
use super::net::Net;
use super::timeline::Timeline;

pub(crate) fn run(net: &Net, plain: bool, timeline: &Arc<Timeline>) -> Result<(), Box<dyn Error>> {
    let config = if plain { ServerConfig::plain_l2tp() } else { ServerConfig::new(PSK) };
    let config = config.pool("10.9.0.0/24".parse()?).dns([[10, 9, 0, 1].into()]).trace(true);
    let users = Users::new().user("alice", "wonderland");
    let mut server = Server::new(config, users, vpn_crypto::provider(), Box::new(OsRandom))?;
    let plane = server.data_plane();
    let room = plane.room();
    let mut side = timeline.side("server");
    let mut out = Vec::new();
    let mut storage = vec![0; room.front + 65_536 + room.back];
    let mut served = false;
    loop {
        while let Some(transmit) = server.poll_transmit(timeline.now(), &mut out) {
            net.send(&transmit.path, &out)?;
            out.clear();
        }
        while let Some(event) = server.poll_event() {
            match event {
                ServerEvent::Trace(trace) => side.trace(trace),
                ServerEvent::Disconnected(_) => served = true,
                _ => {}
            }
        }
        if served && server.tunnels() == 0 {
            return Ok(());
        }
        let now = timeline.now();
        let wait = server.poll_timeout().map_or(Duration::MAX, |at| at.since(now));
        let received = net.recv(wait, &mut storage[room.front..])?;
        if received.is_none() || plane.needs_control() {
            server.handle_timeout(timeline.now());
        }
        let Some((path, len)) = received else { continue };
        let packet = PacketMut::new(&mut storage, room.front..room.front + len)?;
        let mut batch = [(path, packet)];
        let mut kinds = [Inbound::Keepalive];
        plane.open_batch(&mut batch, &mut kinds);
        let [(_, mut packet)] = batch;
        match kinds[0] {
            Inbound::Ip(session) => echo(&plane, session, packet, net)?,
            Inbound::Control(origin) => {
                let _ = server.handle_opened(timeline.now(), origin, packet.payload());
            }
            Inbound::Ike => {
                let _ = server.handle_datagram(timeline.now(), path, packet.payload_mut());
            }
            _ => {}
        }
    }
}

/// Swaps source and destination, and sends the packet back. The checksums stay right.
fn echo(
    plane: &impl DataPlane,
    session: SessionId,
    mut packet: PacketMut<'_>,
    net: &Net,
) -> Result<(), Box<dyn Error>> {
    let addresses = &mut packet.payload_mut()[12..20];
    addresses.rotate_left(4);
    let mut batch = [(session, packet)];
    let mut sealed = [Err(SealError::UnknownSession)];
    plane.seal_batch(&mut batch, &mut sealed);
    net.send(&sealed[0]?, batch[0].1.payload())?;
    Ok(())
}
