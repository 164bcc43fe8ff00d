//! The client's driver: a plain loop over a blocking socket.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use etherparse::PacketBuilder;
use l2tp_ipsec::Client;
use l2tp_ipsec::ClientConfig;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::Connected;
use l2tp_ipsec::DataPlane;
use l2tp_ipsec::DisconnectReason;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::KeyLog;
use l2tp_ipsec::SealError;
use vpn_core::Instant;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_crypto::OsRandom;

use super::Summary;
use super::net::Net;
use super::timeline::Side;
use super::timeline::Timeline;

/// Packets that may be on the way at a time: few enough for any socket buffer.
const IN_FLIGHT: u32 = 32;

/// What went through the tunnel.
pub(crate) struct Traffic {
    pub(crate) sent: u32,
    pub(crate) returned: u32,
    pub(crate) octets: u64,
    pub(crate) took: Duration,
}

struct Driver<'a> {
    client: Client,
    net: &'a Net,
    clock: &'a Timeline,
    side: Side,
    up: Option<Connected>,
    down: Option<DisconnectReason>,
    received: Vec<u8>,
}

pub(crate) fn run(
    net: &Net,
    config: ClientConfig,
    packets: u32,
    timeline: &Arc<Timeline>,
) -> Result<Summary, Box<dyn Error>> {
    let closed =
        if config.is_secure() { "PPP, call, tunnel, ESP, IKE" } else { "PPP, call, tunnel" };
    let config = config.user("alice", "wonderland").trace(true);
    let mut client = Client::new(config, vpn_crypto::provider(), Box::new(OsRandom))?;
    let start = timeline.now();
    client.connect(start, net.first()?)?;
    let mut driver = Driver {
        client,
        net,
        clock: timeline,
        side: timeline.side("client"),
        up: None,
        down: None,
        received: vec![0; 65_536],
    };
    let up = loop {
        driver.step()?;
        if let Some(up) = driver.up.take() {
            break up;
        }
        if let Some(reason) = driver.down {
            return Err(reason.explain().into());
        }
    };
    let set_up = timeline.now().since(start);
    let traffic = driver.exchange(&up, packets)?;
    driver.side.tell(format!("{} IP packets through the tunnel", traffic.returned));
    driver.client.disconnect(timeline.now());
    while driver.down.is_none() {
        driver.step()?;
    }
    let (local, remote) = (up.local_address, up.peer_address);
    Ok(Summary { local, remote, mtu: up.mtu, set_up, traffic, closed })
}

impl Driver<'_> {
    /// Drains the client, then waits for a datagram or the next deadline. Returns how many octets
    /// of an IP packet came, if one did.
    fn step(&mut self) -> io::Result<Option<usize>> {
        self.drain()?;
        if self.down.is_some() {
            return Ok(None);
        }
        let now = self.clock.now();
        let wait = self.client.poll_timeout().map_or(Duration::MAX, |at: Instant| at.since(now));
        let received = self.net.recv(wait, &mut self.received)?;
        let came = received.and_then(|(path, len)| self.receive(path, len));
        if received.is_none() || self.client.data_plane().needs_control() {
            self.client.handle_timeout(self.clock.now());
        }
        Ok(came)
    }

    fn drain(&mut self) -> io::Result<()> {
        let mut out = Vec::new();
        while let Some(transmit) = self.client.poll_transmit(self.clock.now(), &mut out) {
            self.net.send(&transmit.path, &out)?;
            out.clear();
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Connected(up) => self.up = Some(up),
                ClientEvent::Disconnected { reason } => self.down = Some(reason),
                ClientEvent::Trace(trace) => self.side.trace(trace),
                ClientEvent::KeyLog(KeyLog::Esp(keys)) => self.side.tell(format!(
                    "ESP SAs: {}, SPI in {:08x}, out {:08x}",
                    keys.suite, keys.inbound_spi, keys.outbound_spi
                )),
                _ => {}
            }
        }
        Ok(())
    }

    fn receive(&mut self, path: Path, len: usize) -> Option<usize> {
        let packet = PacketMut::whole(&mut self.received[..len]);
        let mut batch = [(path, packet)];
        let mut kinds = [Inbound::Keepalive];
        self.client.data_plane().open_batch(&mut batch, &mut kinds);
        let [(_, mut packet)] = batch;
        let now = self.clock.now();
        match kinds[0] {
            Inbound::Ip(_) => return Some(packet.len()),
            Inbound::Control(origin) => {
                let _ = self.client.handle_opened(now, origin, packet.payload());
            }
            Inbound::Ike => {
                let _ = self.client.handle_datagram(now, path, packet.payload_mut());
            }
            _ => {}
        }
        None
    }

    /// Sends IP packets of full size through the tunnel; the server sends them back.
    fn exchange(&mut self, up: &Connected, packets: u32) -> Result<Traffic, Box<dyn Error>> {
        let builder =
            PacketBuilder::ipv4(up.local_address.octets(), up.peer_address.octets(), 64).udp(7, 7);
        let mut packet = Vec::new();
        builder.write(&mut packet, &vec![0x55; usize::from(up.mtu) - 28])?;
        let plane = self.client.data_plane();
        let room = plane.room();
        let mut storage = vec![0; room.front + packet.len() + room.back];

        let start = self.clock.now();
        let (mut sent, mut returned, mut octets, mut lost_in_a_row) = (0, 0, 0, 0);
        while returned < packets && lost_in_a_row < 20 {
            while sent < packets && sent - returned < IN_FLIGHT {
                storage[room.front..room.front + packet.len()].copy_from_slice(&packet);
                let window = room.front..room.front + packet.len();
                let mut batch = [(up.session, PacketMut::new(&mut storage, window)?)];
                let mut sealed = [Err(SealError::UnknownSession)];
                plane.seal_batch(&mut batch, &mut sealed);
                self.net.send(&sealed[0]?, batch[0].1.payload())?;
                sent += 1;
            }
            match self.step()? {
                Some(len) => {
                    returned += 1;
                    octets += u64::try_from(len)?;
                    lost_in_a_row = 0;
                }
                None => lost_in_a_row += 1,
            }
        }
        Ok(Traffic { sent, returned, octets, took: self.clock.now().since(start) })
    }
}
