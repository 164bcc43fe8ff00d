//! The data plane over IPsec, batch by batch, beside the ESP step alone: what PPP, L2TP, UDP and the
//! tables cost above the ciphers, at the server.
//!
//! Each batch has one packet of each session. Contenders take turns, and the median time of a packet
//! is printed: only figures of one run can be compared. Run with the name of a suite to narrow it
//! down.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

#[path = "esp/fixture.rs"]
mod fixture;
mod pair;
#[path = "esp/work.rs"]
#[allow(dead_code, reason = "each benchmark uses a part")]
mod work;

use core::hint::black_box;
use core::net::Ipv4Addr;
use std::time::Instant;

use l2tp_ipsec::Client;
use l2tp_ipsec::DataPlane;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::Plane;
use l2tp_ipsec::SealError;
use l2tp_ipsec::SessionId;
use pair::Carrier;
use pair::Pair;
use pair::seen_by_peer;
use vpn_core::PacketMut;
use vpn_core::Path;
use work::BATCH;
use work::Sas;
use work::Slot;
use work::open_all;
use work::seal_all;
use work::slots;

const ROUNDS: usize = 400;
const SUITES: [&str; 4] = ["aes256gcm16", "aes256-sha1", "aes256-sha256", "3des-sha1"];
/// Octets of the IP packets.
const SIZES: [usize; 3] = [64, 576, 1300];
/// Where the IP packet begins: enough for every header in front of it.
const FRONT: usize = 96;

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for esp in SUITES {
        if only.as_ref().is_none_or(|only| *only == esp) {
            println!("\n{esp}: ns a packet, and above ESP alone");
            for checksum in [true, false] {
                let carrier =
                    Carrier::Ipsec { ike: "aes256-sha256-curve25519", esp: esp.into(), checksum };
                let path = DataPath::new(carrier);
                for size in SIZES {
                    path.measure(size, checksum);
                }
            }
        }
    }
}

/// A server and as many clients as a batch has packets.
struct DataPath {
    server: Plane,
    /// The server's session with each client, and the client's own.
    sessions: Vec<(SessionId, Plane, SessionId, Ipv4Addr)>,
    /// The same suite under other keys.
    sas: Sas,
    /// To keep their planes open.
    _clients: Vec<Client>,
}

impl DataPath {
    fn new(carrier: Carrier) -> Self {
        let mut pair = Pair::new(carrier);
        let (clients, ups): (Vec<_>, Vec<_>) = (0..BATCH).map(|_| pair.set_up()).unzip();
        let mut sessions = Vec::new();
        for (client, up) in clients.iter().zip(&ups) {
            let peer = Some(up.local_address);
            let status = pair.server.sessions().find(|status| status.peer_address == peer);
            sessions.push((
                status.unwrap().session,
                client.data_plane(),
                up.session,
                up.local_address,
            ));
        }
        let suite = ups[0].security.as_ref().unwrap().esp;
        let sas = (0..BATCH as u64).map(|n| fixture::pair(suite, n)).unzip();
        Self { server: pair.server.data_plane(), sessions, sas, _clients: clients }
    }

    fn measure(&self, size: usize, checksum: bool) {
        // The payload of ESP that makes packets as long as those of the data plane.
        let mut batch = slots();
        let sealed = self.seal(&mut batch, size);
        let inner = (size..).find(|inner| self.sas.0[0].packet_len(*inner) == sealed[0].1).unwrap();
        let mut times: [Vec<u128>; 4] = Default::default();
        for _ in 0..ROUNDS {
            let mut timed = |which: usize, run: &mut dyn FnMut()| {
                let began = Instant::now();
                run();
                times[which].push(began.elapsed().as_nanos());
            };
            timed(0, &mut || drop(black_box(self.seal(&mut batch, size))));
            timed(1, &mut || seal_all(&mut batch, &self.sas, inner));
            timed(3, &mut || open_all(&mut batch, &self.sas, inner));
            let datagrams = self.seal_at_clients(&mut batch, size);
            timed(2, &mut || self.open(&mut batch, &datagrams));
        }
        // The median does not see what the system interrupted.
        let [seal, seal_alone, open, open_alone] = times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2] as f64 / BATCH as f64
        });
        let without = if checksum { "" } else { ", no UDP checksum" };
        println!(
            "  {size:>4}{without}: seal {seal:.0} ({:+.0}, {:+.1}%), open {open:.0} ({:+.0}, {:+.1}%)",
            seal - seal_alone,
            (seal / seal_alone - 1.0) * 100.0,
            open - open_alone,
            (open / open_alone - 1.0) * 100.0,
        );
    }

    /// The server seals a packet for each client. Returns the length of each datagram.
    fn seal(&self, slots: &mut [Slot], size: usize) -> Vec<(Path, usize)> {
        let mut packets: Vec<_> = slots
            .iter_mut()
            .zip(&self.sessions)
            .map(|(slot, (session, _, _, address))| {
                (*session, ip(slot, size, Ipv4Addr::new(10, 0, 0, 1), *address))
            })
            .collect();
        let mut out = [Err(SealError::UnknownSession); BATCH];
        self.server.seal_batch(&mut packets, &mut out);
        packets.iter().zip(out).map(|((_, packet), path)| (path.unwrap(), packet.len())).collect()
    }

    /// Each client seals a packet for the server. Returns the way and the place of each datagram.
    fn seal_at_clients(
        &self,
        slots: &mut [Slot],
        size: usize,
    ) -> Vec<(Path, core::ops::Range<usize>)> {
        let clients = slots.iter_mut().zip(&self.sessions);
        clients
            .map(|(slot, (_, plane, session, address))| {
                let packet = ip(slot, size, *address, Ipv4Addr::new(10, 0, 0, 1));
                let mut batch = [(*session, packet)];
                let mut out = [Err(SealError::UnknownSession)];
                plane.seal_batch(&mut batch, &mut out);
                (seen_by_peer(out[0].unwrap()), batch[0].1.window())
            })
            .collect()
    }

    fn open(&self, slots: &mut [Slot], datagrams: &[(Path, core::ops::Range<usize>)]) {
        let mut packets: Vec<_> = slots
            .iter_mut()
            .zip(datagrams)
            .map(|(slot, (path, place))| (*path, PacketMut::new(slot, place.clone()).unwrap()))
            .collect();
        let mut out = [Inbound::Keepalive; BATCH];
        self.server.open_batch(&mut packets, &mut out);
        assert!(out.iter().all(|inbound| matches!(inbound, Inbound::Ip(_))));
    }
}

/// An IPv4 packet with UDP in it.
fn ip(slot: &mut Slot, size: usize, source: Ipv4Addr, destination: Ipv4Addr) -> PacketMut<'_> {
    let mut packet = PacketMut::new(slot, FRONT..FRONT + size).unwrap();
    let header = packet.payload_mut();
    header[..12].copy_from_slice(&[0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0]);
    header[2..4].copy_from_slice(&u16::try_from(size).unwrap().to_be_bytes());
    header[12..16].copy_from_slice(&source.octets());
    header[16..20].copy_from_slice(&destination.octets());
    packet
}
