use alloc::sync::Arc;
use core::net::Ipv4Addr;

use l2tp_control::LinkId;
use l2tp_control::sequence::DataSequence;
use portable_atomic::AtomicBool;
use portable_atomic::AtomicU64;
use portable_atomic::Ordering;
use vpn_core::Path;

use crate::Counters;
use crate::SessionId;

/// What the data plane knows of one session. The control machine replaces it as a whole when
/// anything but the [shared](Shared) part changes.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) session: SessionId,
    pub(crate) link: LinkId,
    pub(crate) path: Path,
    pub(crate) local_tunnel_id: u16,
    pub(crate) local_session_id: u16,
    pub(crate) peer_tunnel_id: u16,
    pub(crate) peer_session_id: u16,
    /// Do data messages to the peer have a Length field?
    pub(crate) data_length: bool,
    /// May FF 03 be left out of PPP frames to the peer (RFC 1661 §6.6)?
    pub(crate) acfc: bool,
    /// May the PPP protocol field be one octet (RFC 1661 §6.5)?
    pub(crate) pfc: bool,
    /// The largest IP packet that the peer takes, and that we want to send.
    pub(crate) mtu: u16,
    pub(crate) side: Side,
    /// Set while IPCP is Opened.
    pub(crate) ipv4: Option<Ipv4Pair>,
    /// Set while IPv6CP is Opened.
    pub(crate) ipv6: Option<Ipv6Pair>,
    /// Sequenced messages go through the control machine, which puts them back in order.
    pub(crate) reorder: bool,
    /// Numbers of the data messages, counted together with the control machine.
    pub(crate) sequence: Arc<DataSequence>,
    pub(crate) shared: Arc<Shared>,
}

/// Which end of the session we are: it decides whose addresses are checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Server,
    Client,
}

/// The addresses that IPCP agreed on (RFC 1332 §3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ipv4Pair {
    pub(crate) local: Ipv4Addr,
    pub(crate) peer: Ipv4Addr,
}

/// The interface identifiers that IPv6CP agreed on (RFC 5072 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ipv6Pair {
    pub(crate) local: u64,
    pub(crate) peer: u64,
}

/// What both the control machine and the threads of the data plane write.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) rx_packets: AtomicU64,
    pub(crate) rx_octets: AtomicU64,
    pub(crate) tx_packets: AtomicU64,
    pub(crate) tx_octets: AtomicU64,
    /// Numbered data messages that never came, or came late.
    pub(crate) rx_missing: AtomicU64,
    /// Whether the session is on the list of those that carried data.
    pub(crate) listed: AtomicBool,
}

impl Shared {
    pub(crate) fn counters(&self) -> Counters {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            rx_packets: load(&self.rx_packets),
            rx_octets: load(&self.rx_octets),
            tx_packets: load(&self.tx_packets),
            tx_octets: load(&self.tx_octets),
            rx_missing: load(&self.rx_missing),
        }
    }

    pub(crate) fn count_rx(&self, octets: usize) {
        self.rx_packets.fetch_add(1, Ordering::Relaxed);
        self.rx_octets.fetch_add(octets as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_tx(&self, octets: usize) {
        self.tx_packets.fetch_add(1, Ordering::Relaxed);
        self.tx_octets.fetch_add(octets as u64, Ordering::Relaxed);
    }
}
