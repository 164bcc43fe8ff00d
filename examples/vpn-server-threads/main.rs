//! A small server without a runtime: three threads, blocking sockets, no tokio.
//!
//! One brings datagrams in, one takes packets from the TUN device, one watches the clock. They share
//! the data plane; control is behind a mutex.
//!
//! `sudo target/release/examples/vpn-server-threads 192.0.2.1:1701 10.99.0.0/24 alice:wonderland`

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
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
use tun_rs::DeviceBuilder;
use tun_rs::SyncDevice;
use vpn_core::Instant;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_crypto::OsRandom;

fn main() -> Result<(), Box<dyn Error>> {
    let usage =
        "usage: vpn-server-threads ADDR:PORT POOL/PREFIX NAME:PASSWORD (in clear: for labs)";
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [listen, pool, user] = arguments.try_into().map_err(|_| usage)?;
    let pool: AddressPool = pool.parse()?;
    let (name, password) = user.split_once(':').ok_or("a user is written NAME:PASSWORD")?;
    let socket = UdpSocket::bind(listen.parse::<SocketAddr>()?)?;
    let tun =
        DeviceBuilder::new().ipv4(pool.server(), pool.prefix(), None).mtu(1400).build_sync()?;
    println!("READY listen={} tun={}", socket.local_addr()?, tun.name()?);

    let config = ServerConfig::plain_l2tp().pool(pool).mtu(1400);
    let users = Users::new().user(name, password);
    let server = Server::new(config, users, vpn_crypto::provider(), Box::new(OsRandom))?;
    let driver = Arc::new(Driver {
        plane: server.data_plane(),
        server: Mutex::new(server),
        changed: Condvar::new(),
        socket,
        tun,
        #[expect(clippy::disallowed_methods, reason = "a driver owns the clock")]
        start: Clock::now(),
    });
    let inward = Arc::clone(&driver);
    thread::spawn(move || inward.socket_to_tun().expect("the socket or the device failed"));
    let outward = Arc::clone(&driver);
    thread::spawn(move || outward.tun_to_socket().expect("the socket or the device failed"));
    driver.keep_time()
}

struct Driver {
    server: Mutex<Server>,
    /// Control may have another deadline now.
    changed: Condvar,
    plane: Plane,
    socket: UdpSocket,
    tun: SyncDevice,
    start: Clock,
}

impl Driver {
    fn now(&self) -> Instant {
        Instant::from_micros(self.start.elapsed().as_micros().try_into().unwrap_or(u64::MAX))
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().expect("no thread panics with the server")
    }

    fn socket_to_tun(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let local = self.socket.local_addr()?;
        let mut storage = vec![0; 65_536];
        loop {
            let (len, remote) = self.socket.recv_from(&mut storage)?;
            let path = Path::l2tp(local, remote);
            let mut batch = [(path, PacketMut::whole(&mut storage[..len]))];
            let mut kinds = [Inbound::Keepalive];
            self.plane.open_batch(&mut batch, &mut kinds);
            let packet = batch[0].1.payload();
            match kinds[0] {
                Inbound::Ip(_) => drop(self.tun.send(packet)?),
                Inbound::Control(origin) => {
                    let mut server = self.server();
                    let _ = server.handle_opened(self.now(), origin, packet);
                    self.drain(&mut server)?;
                    self.changed.notify_one();
                }
                _ => {}
            }
        }
    }

    fn tun_to_socket(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let front = self.plane.room().front;
        let mut storage = vec![0; front + 65_536];
        loop {
            let len = self.tun.recv(&mut storage[front..])?;
            let packet = PacketMut::new(&mut storage, front..front + len)?;
            let Some(session) = self.plane.route(packet.payload()) else { continue };
            let mut batch = [(session, packet)];
            let mut sealed = [Err(SealError::UnknownSession)];
            self.plane.seal_batch(&mut batch, &mut sealed);
            if let [Ok(path)] = sealed {
                self.socket.send_to(batch[0].1.payload(), path.remote)?;
            }
        }
    }

    fn keep_time(&self) -> Result<(), Box<dyn Error>> {
        let mut server = self.server();
        loop {
            server.handle_timeout(self.now());
            self.drain(&mut server)?;
            let next = server.poll_timeout();
            let wait = next.map_or(Duration::from_secs(3600), |at| at.since(self.now()));
            server = self.changed.wait_timeout(server, wait).expect("no thread panics").0;
        }
    }

    fn drain(&self, server: &mut Server) -> std::io::Result<()> {
        let mut out = Vec::new();
        while let Some(transmit) = server.poll_transmit(self.now(), &mut out) {
            self.socket.send_to(&out, transmit.path.remote)?;
            out.clear();
        }
        while let Some(event) = server.poll_event() {
            if let ServerEvent::Connected(up) = event {
                println!("{} is at {}", up.user, up.peer_address);
            }
        }
        Ok(())
    }
}
