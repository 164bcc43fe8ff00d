use alloc::vec::Vec;
use core::net::Ipv4Addr;

use super::IpcpOption;
use super::IpcpOptionType;
use crate::Ipv4Settings;
use crate::Protocol;
use crate::RawOption;
use crate::context::Context;
use crate::control::Negotiation;
use crate::control::Verdict;
use crate::option::SeenTypes;

/// The options of IPCP (RFC 1332 §3, RFC 1877).
pub(crate) struct Ipcp {
    role: Role,
    own: Own,
    peer: Option<Ipv4Addr>,
}

/// Who names the addresses.
#[derive(Clone, Copy)]
enum Role {
    /// The peer does.
    Ask { wanted: Own },
    /// We do.
    Give { local: Ipv4Addr, peer: Ipv4Addr, servers: Servers },
}

/// What we ask for: `None` is not asked, 0.0.0.0 asks the peer to name one.
#[derive(Clone, Copy, Default)]
struct Own {
    address: Option<Ipv4Addr>,
    servers: Servers,
}

/// Name servers by their option: DNS, NBNS, secondary DNS, secondary NBNS.
type Servers = [Option<Ipv4Addr>; 4];

/// The options of [`Servers`], in the order of their numbers.
const SERVER_OPTIONS: [IpcpOptionType; 4] = [
    IpcpOptionType::PRIMARY_DNS,
    IpcpOptionType::PRIMARY_NBNS,
    IpcpOptionType::SECONDARY_DNS,
    IpcpOptionType::SECONDARY_NBNS,
];

impl Ipcp {
    /// Takes the addresses that the peer names.
    pub(crate) fn ask(address: Option<Ipv4Addr>, dns: bool, nbns: bool) -> Self {
        let ask = |wanted: bool| wanted.then_some(Ipv4Addr::UNSPECIFIED);
        let wanted = Own {
            address: Some(address.unwrap_or(Ipv4Addr::UNSPECIFIED)),
            servers: [ask(dns), ask(nbns), ask(dns), ask(nbns)],
        };
        Self { role: Role::Ask { wanted }, own: wanted, peer: None }
    }

    /// Names the addresses.
    pub(crate) fn give(
        local: Ipv4Addr,
        peer: Ipv4Addr,
        dns: [Option<Ipv4Addr>; 2],
        nbns: [Option<Ipv4Addr>; 2],
    ) -> Self {
        let ([dns1, dns2], [nbns1, nbns2]) = (dns.map(named), nbns.map(named));
        let role = Role::Give { local, peer, servers: [dns1, nbns1, dns2, nbns2] };
        Self { role, own: Own::default(), peer: None }
    }

    /// What was agreed on; `None` when there is no address for the end that must have one.
    pub(crate) fn settings(&self) -> Option<Ipv4Settings> {
        let (local, peer, servers) = match self.role {
            Role::Ask { wanted } => {
                // A peer that does not talk about our address lets us keep the one we have.
                let local = named(self.own.address.or(wanted.address))?;
                (local, self.peer.unwrap_or(Ipv4Addr::UNSPECIFIED), self.own.servers)
            }
            Role::Give { local, servers, .. } => (local, self.peer?, servers),
        };
        let [dns1, nbns1, dns2, nbns2] = servers.map(named);
        Some(Ipv4Settings { local, peer, dns: [dns1, dns2], nbns: [nbns1, nbns2] })
    }

    fn own_server(&mut self, kind: u8) -> Option<&mut Option<Ipv4Addr>> {
        let place = SERVER_OPTIONS.iter().position(|option| option.0 == kind)?;
        self.own.servers.get_mut(place)
    }

    fn judge_address(
        &self,
        asked: Ipv4Addr,
        peer: &mut Option<Ipv4Addr>,
        nak: &mut Vec<u8>,
    ) -> Verdict {
        match self.role {
            Role::Give { peer: assigned, .. } if asked != assigned => {
                IpcpOption::IpAddress(assigned).encode(nak);
                Verdict::Nak
            }
            // We have no address to give.
            Role::Ask { .. } if asked.is_unspecified() => Verdict::Reject,
            _ => {
                *peer = Some(asked);
                Verdict::Ack
            }
        }
    }

    fn judge_server(&self, kind: u8, asked: Ipv4Addr, nak: &mut Vec<u8>) -> Verdict {
        let Role::Give { servers, .. } = &self.role else { return Verdict::Reject };
        let place = SERVER_OPTIONS.iter().position(|option| option.0 == kind);
        match place.and_then(|place| servers.get(place).copied().flatten()) {
            Some(server) if server == asked => Verdict::Ack,
            Some(server) => {
                RawOption { kind, data: &server.octets() }.encode(nak);
                Verdict::Nak
            }
            None => Verdict::Reject,
        }
    }
}

impl Negotiation for Ipcp {
    const PROTOCOL: Protocol = Protocol::IPCP;
    type Peer = Option<Ipv4Addr>;

    fn restart(&mut self, _context: &mut Context) {
        self.peer = None;
        self.own = match self.role {
            Role::Ask { wanted } => wanted,
            Role::Give { local, .. } => Own { address: named(Some(local)), ..Own::default() },
        };
    }

    fn request(&self, out: &mut Vec<u8>) {
        if let Some(address) = self.own.address {
            IpcpOption::IpAddress(address).encode(out);
        }
        for (kind, server) in SERVER_OPTIONS.iter().zip(&self.own.servers) {
            if let Some(server) = server {
                RawOption { kind: kind.0, data: &server.octets() }.encode(out);
            }
        }
    }

    fn judge(
        &mut self,
        option: &RawOption<'_>,
        peer: &mut Self::Peer,
        nak: &mut Vec<u8>,
        _context: &mut Context,
    ) -> Verdict {
        match IpcpOption::decode(option) {
            Ok(IpcpOption::IpAddress(asked)) => self.judge_address(asked, peer, nak),
            Ok(
                IpcpOption::PrimaryDns(asked)
                | IpcpOption::PrimaryNbns(asked)
                | IpcpOption::SecondaryDns(asked)
                | IpcpOption::SecondaryNbns(asked),
            ) => self.judge_server(option.kind, asked, nak),
            // Header compression needs frames in order, which L2TP does not promise
            // (RFC 2661 §8.1); the rest is deprecated, not spoken here, or malformed.
            _ => Verdict::Reject,
        }
    }

    fn prompt(&mut self, seen: SeenTypes, nak: &mut Vec<u8>, _context: &mut Context) {
        if let Role::Give { peer, .. } = self.role
            && !seen.contains(IpcpOptionType::IP_ADDRESS.0)
        {
            IpcpOption::IpAddress(peer).encode(nak);
        }
    }

    fn granted(&mut self, peer: Self::Peer) {
        self.peer = peer;
    }

    fn nak(&mut self, option: &RawOption<'_>, _context: &mut Context) {
        // What gives addresses keeps its own.
        if matches!(self.role, Role::Give { .. }) {
            return;
        }
        match IpcpOption::decode(option) {
            Ok(IpcpOption::IpAddress(address)) if !address.is_unspecified() => {
                self.own.address = self.own.address.map(|_| address);
            }
            Ok(
                IpcpOption::PrimaryDns(server)
                | IpcpOption::PrimaryNbns(server)
                | IpcpOption::SecondaryDns(server)
                | IpcpOption::SecondaryNbns(server),
            ) => {
                if let Some(own) = self.own_server(option.kind) {
                    // A server that is named zero is no server: do not ask again.
                    *own = own.and(named(Some(server)));
                }
            }
            _ => {}
        }
    }

    fn reject(&mut self, option: &RawOption<'_>, _context: &mut Context) {
        if option.kind == IpcpOptionType::IP_ADDRESS.0 {
            self.own.address = None;
        } else if let Some(own) = self.own_server(option.kind) {
            *own = None;
        }
    }

    fn has_failed(&self) -> bool {
        let Role::Ask { wanted } = self.role else { return false };
        self.own.address.is_none() && named(wanted.address).is_none()
    }

    fn opened(&mut self) {}
}

/// An address, unless it is 0.0.0.0.
fn named(address: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
    address.filter(|address| !address.is_unspecified())
}
