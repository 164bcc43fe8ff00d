//! A small L2TP/IPsec server without a runtime: four threads, blocking sockets, no tokio.
//!
//! Two bring datagrams in and one takes packets from the TUN device; they share the data plane. The
//! fourth owns control and gets messages through a channel. ESP goes in UDP, as through a NAT.
//!
//! `sudo target/release/examples/vpn-server-threads 192.0.2.1 PSK 10.99.0.0/24 alice:wonderland`

use std::env;
use std::error::Error;
use std::net::IpAddr;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use std::time::Instant as Clock;

use l2tp_ipsec::AddressPool;
use l2tp_ipsec::DataPlane;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::Plane;
use l2tp_ipsec::SealError;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerConfig;
use l2tp_ipsec::ServerEvent;
use l2tp_ipsec::Users;
use l2tp_ipsec::ike::Encapsulation;
use tun_rs::DeviceBuilder;
use tun_rs::SyncDevice;
use vpn_core::Instant;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_crypto::OsRandom;

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: vpn-server-threads ADDR PSK POOL/PREFIX NAME:PASSWORD";
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [listen, psk, pool, user] = arguments.try_into().map_err(|_| usage)?;
    let listen: IpAddr = listen.parse()?;
    let pool: AddressPool = pool.parse()?;
    let (name, password) = user.split_once(':').ok_or("a user is written NAME:PASSWORD")?;
    let (ike, nat_t) = (UdpSocket::bind((listen, 500))?, UdpSocket::bind((listen, 4500))?);
    let tun =
        DeviceBuilder::new().ipv4(pool.server(), pool.prefix(), None).mtu(1400).build_sync()?;
    println!("READY listen={listen} tun={}", tun.name()?);

    let config = ServerConfig::new(&psk).pool(pool).mtu(1400);
    let config = config.ipsec(|ipsec| ipsec.encapsulation(Encapsulation::Force));
    let users = Users::new().user(name, password);
    let server = Server::new(config, users, vpn_crypto::provider(), Box::new(OsRandom))?;
    let (control, messages) = channel();
    let driver = Arc::new(Driver { plane: server.data_plane(), ike, nat_t, tun, control });
    for socket in [Socket::Ike, Socket::NatT] {
        let inward = Arc::clone(&driver);
        thread::spawn(move || inward.socket_to_tun(socket).expect("a socket or the device failed"));
    }
    let outward = Arc::clone(&driver);
    thread::spawn(move || outward.tun_to_socket().expect("a socket or the device failed"));
    driver.control(server, &messages)
}

/// What the data plane has found, for control.
type Message = (Path, Inbound, Vec<u8>);

struct Driver {
    plane: Plane,
    ike: UdpSocket,
    nat_t: UdpSocket,
    tun: SyncDevice,
    control: Sender<Message>,
}

impl Driver {
    fn socket(&self, role: Socket) -> &UdpSocket {
        if role == Socket::Ike { &self.ike } else { &self.nat_t }
    }

    fn socket_to_tun(&self, role: Socket) -> Result<(), Box<dyn Error + Send + Sync>> {
        let socket = self.socket(role);
        let local = socket.local_addr()?;
        let mut storage = vec![0; 65_536];
        loop {
            let (len, remote) = socket.recv_from(&mut storage)?;
            let path = Path { socket: role, local, remote };
            let mut batch = [(path, PacketMut::whole(&mut storage[..len]))];
            let mut kinds = [Inbound::Keepalive];
            self.plane.open_batch(&mut batch, &mut kinds);
            let packet = batch[0].1.payload();
            match kinds[0] {
                Inbound::Ip(_) => drop(self.tun.send(packet)?),
                Inbound::Control(_) | Inbound::Ike => {
                    self.control.send((path, kinds[0], packet.into()))?;
                }
                _ => {}
            }
            if self.plane.needs_control() {
                self.control.send((path, Inbound::Keepalive, Vec::new()))?;
            }
        }
    }

    fn tun_to_socket(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let room = self.plane.room();
        let mut storage = vec![0; room.front + 65_536 + room.back];
        loop {
            let len = self.tun.recv(&mut storage[room.front..])?;
            let packet = PacketMut::new(&mut storage, room.front..room.front + len)?;
            let Some(session) = self.plane.route(packet.payload()) else { continue };
            let mut batch = [(session, packet)];
            let mut sealed = [Err(SealError::UnknownSession)];
            self.plane.seal_batch(&mut batch, &mut sealed);
            if let [Ok(path)] = sealed {
                self.socket(path.socket).send_to(batch[0].1.payload(), path.remote)?;
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a driver owns the clock")]
    fn control(&self, mut server: Server, inbox: &Receiver<Message>) -> Result<(), Box<dyn Error>> {
        let start = Clock::now();
        let now = || Instant::from_micros(start.elapsed().as_micros().try_into().unwrap_or(0));
        let mut out = Vec::new();
        loop {
            while let Some(transmit) = server.poll_transmit(now(), &mut out) {
                self.socket(transmit.path.socket).send_to(&out, transmit.path.remote)?;
                out.clear();
            }
            while let Some(event) = server.poll_event() {
                if let ServerEvent::Connected(up) = event {
                    println!("{} is at {}", up.user, up.peer_address);
                }
            }
            let next = server.poll_timeout();
            let wait = next.map_or(Duration::from_secs(3600), |at| at.since(now()));
            match inbox.recv_timeout(wait) {
                Ok((_, Inbound::Control(origin), message)) => {
                    let _ = server.handle_opened(now(), origin, &message);
                }
                Ok((path, Inbound::Ike, mut message)) => {
                    let _ = server.handle_datagram(now(), path, &mut message);
                }
                _ => server.handle_timeout(now()),
            }
        }
    }
}
