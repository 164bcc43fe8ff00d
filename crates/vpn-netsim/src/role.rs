use vpn_core::DatagramMachine;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::Path;
use vpn_core::Transmit;

/// A node, or an event of a node, on a network of two kinds: clients and servers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role<C, S> {
    /// The one that calls.
    Client(C),
    /// The one that is called.
    Server(S),
}

#[expect(clippy::panic, reason = "asking a node for the role that it has not is a test's mistake")]
impl<C, S> Role<C, S> {
    /// The client.
    ///
    /// # Panics
    /// When it is a server.
    pub fn client(&self) -> &C {
        let Self::Client(client) = self else { panic!("this node is a server") };
        client
    }

    /// The client.
    ///
    /// # Panics
    /// When it is a server.
    pub fn client_mut(&mut self) -> &mut C {
        let Self::Client(client) = self else { panic!("this node is a server") };
        client
    }

    /// The server.
    ///
    /// # Panics
    /// When it is a client.
    pub fn server(&self) -> &S {
        let Self::Server(server) = self else { panic!("this node is a client") };
        server
    }

    /// The server.
    ///
    /// # Panics
    /// When it is a client.
    pub fn server_mut(&mut self) -> &mut S {
        let Self::Server(server) = self else { panic!("this node is a client") };
        server
    }
}

impl<C: Machine, S: Machine> Machine for Role<C, S> {
    type Event = Role<C::Event, S::Event>;

    fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Client(client) => client.handle_timeout(now),
            Self::Server(server) => server.handle_timeout(now),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Client(client) => client.poll_timeout(),
            Self::Server(server) => server.poll_timeout(),
        }
    }

    fn poll_event(&mut self) -> Option<Self::Event> {
        match self {
            Self::Client(client) => client.poll_event().map(Role::Client),
            Self::Server(server) => server.poll_event().map(Role::Server),
        }
    }
}

impl<C: DatagramMachine, S: DatagramMachine> DatagramMachine for Role<C, S> {
    fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled {
        match self {
            Self::Client(client) => client.handle_datagram(now, path, datagram),
            Self::Server(server) => server.handle_datagram(now, path, datagram),
        }
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        match self {
            Self::Client(client) => client.poll_transmit(now, buf),
            Self::Server(server) => server.poll_transmit(now, buf),
        }
    }
}
