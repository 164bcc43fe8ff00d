use std::collections::VecDeque;

use l2tp_ipsec::Client;
use l2tp_ipsec::ClientEvent;
use l2tp_ipsec::DataPlane;
use l2tp_ipsec::Inbound;
use l2tp_ipsec::Origin;
use l2tp_ipsec::Plane;
use l2tp_ipsec::Server;
use l2tp_ipsec::ServerEvent;
use l2tp_ipsec::SessionId;
use vpn_core::DatagramMachine;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::Transmit;

/// A client or a server.
pub trait Machine: DatagramMachine {
    fn data_plane(&self) -> Plane;
    fn handle_opened(&mut self, now: Instant, origin: Origin, message: &[u8]) -> Handled;
    fn packet(session: SessionId, packet: Vec<u8>) -> Self::Event;
}

impl Machine for Client {
    fn data_plane(&self) -> Plane {
        Self::data_plane(self)
    }

    fn handle_opened(&mut self, now: Instant, origin: Origin, message: &[u8]) -> Handled {
        Self::handle_opened(self, now, origin, message)
    }

    fn packet(_: SessionId, packet: Vec<u8>) -> ClientEvent {
        ClientEvent::Packet { packet: packet.into() }
    }
}

impl Machine for Server {
    fn data_plane(&self) -> Plane {
        Self::data_plane(self)
    }

    fn handle_opened(&mut self, now: Instant, origin: Origin, message: &[u8]) -> Handled {
        Self::handle_opened(self, now, origin, message)
    }

    fn packet(session: SessionId, packet: Vec<u8>) -> ServerEvent {
        ServerEvent::Packet { session, packet: packet.into() }
    }
}

/// A machine and its driver, which has IP packets to send and, if it is split, opens what comes
/// with a data plane of its own.
pub struct Host<M: Machine> {
    pub machine: M,
    plane: Plane,
    pub split: bool,
    outbox: VecDeque<(Path, Vec<u8>)>,
    inbox: VecDeque<M::Event>,
    /// What became of the last datagram.
    pub handled: Option<Handled>,
}

impl<M: Machine> Host<M> {
    pub fn new(machine: M, split: bool) -> Self {
        let (outbox, inbox) = (VecDeque::new(), VecDeque::new());
        Self { plane: machine.data_plane(), machine, split, outbox, inbox, handled: None }
    }

    pub fn plane(&self) -> &Plane {
        &self.plane
    }

    /// Has a datagram sent that is none of the machine's own.
    pub fn post(&mut self, path: Path, datagram: Vec<u8>) {
        self.outbox.push_back((path, datagram));
    }

    fn open(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        let mut batch = [(path, PacketMut::whole(datagram))];
        let mut out = [Inbound::Keepalive];
        self.plane.open_batch(&mut batch, &mut out);
        if self.plane.needs_control() {
            self.machine.handle_timeout(now);
        }
        let ([(_, mut packet)], [inbound]) = (batch, out);
        match inbound {
            Inbound::Ip(session) => {
                self.inbox.push_back(M::packet(session, packet.payload().to_vec()));
                Handled::Consumed
            }
            Inbound::Control(origin) => self.machine.handle_opened(now, origin, packet.payload()),
            Inbound::Dropped(reason) => Handled::Dropped(reason),
            Inbound::Ike => self.machine.handle_datagram(now, path, packet.payload_mut()),
            Inbound::Keepalive => Handled::Consumed,
        }
    }
}

impl<M: Machine> vpn_core::Machine for Host<M> {
    type Event = M::Event;

    fn handle_timeout(&mut self, now: Instant) {
        self.machine.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    fn poll_event(&mut self) -> Option<M::Event> {
        self.inbox.pop_front().or_else(|| self.machine.poll_event())
    }
}

impl<M: Machine> DatagramMachine for Host<M> {
    fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        let handled = if self.split {
            self.open(now, path, datagram)
        } else {
            self.machine.handle_datagram(now, path, datagram)
        };
        self.handled = Some(handled);
        handled
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        let Some((path, datagram)) = self.outbox.pop_front() else {
            return self.machine.poll_transmit(now, buf);
        };
        buf.extend_from_slice(&datagram);
        Some(Transmit { path, len: datagram.len() })
    }
}
