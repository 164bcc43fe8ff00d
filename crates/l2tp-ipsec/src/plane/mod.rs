//! The data plane: what moves IP packets while the control machine stays single-owner.

mod entry;
mod open;
mod seal;
mod table;

use alloc::sync::Arc;
use alloc::vec::Vec;

use portable_atomic::AtomicU64;
use portable_atomic::Ordering;
use thiserror::Error;
use vpn_core::DropCounters;
use vpn_core::DropReason;
use vpn_core::NoRoom;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::Room;

use crate::SessionId;
use crate::lock::Lock;
pub(crate) use entry::Entry;
pub(crate) use entry::Ipv4Pair;
pub(crate) use entry::Ipv6Pair;
pub(crate) use entry::Shared;
pub(crate) use entry::Side;
pub use open::Inbound;
pub use open::Origin;
pub(crate) use open::check_source;
pub(crate) use seal::header;
pub(crate) use table::Table;

/// Moves packets between the sockets and the inside, from any thread, in place.
///
/// A driver with threads calls these on its own; one without feeds everything to
/// `handle_datagram` and `send_ip`, which use the same code.
pub trait DataPlane: Send + Sync {
    /// The room that [`seal_batch`](DataPlane::seal_batch) may need around each IP packet.
    fn room(&self) -> Room;

    /// Opens what the sockets brought, in place, and says what each packet turned out to be.
    ///
    /// After [`Inbound::Ip`] the packet is the bare IP packet; after [`Inbound::Control`] it is
    /// what the control machine's `handle_opened` takes. `out` must be at least as long as
    /// `packets`; what has no place in it is not looked at.
    fn open_batch(&self, packets: &mut [(Path, PacketMut<'_>)], out: &mut [Inbound]);

    /// The session that an IP packet from the inside belongs to.
    fn route(&self, ip: &[u8]) -> Option<SessionId>;

    /// Seals IP packets of any mix of sessions, in place, and says where each goes.
    ///
    /// `out` must be at least as long as `packets`; what has no place in it is not looked at. A
    /// packet that came back with an error has unspecified content.
    fn seal_batch(
        &self,
        packets: &mut [(SessionId, PacketMut<'_>)],
        out: &mut [Result<Path, SealError>],
    );
}

/// Why an IP packet could not be sent through its session.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealError {
    /// There is no such session, or it has closed.
    #[error("the session does not exist or has closed")]
    UnknownSession,
    /// The packet's IP version is not open on the session.
    #[error("this version of IP is not open on the session")]
    NotOpen,
    /// Not an IPv4 or IPv6 packet.
    #[error("not an IP packet")]
    NotIp,
    /// The source is not the session's own address.
    #[error("the packet's source is not the session's own address")]
    WrongAddress,
    /// Larger than the peer takes; whoever sent it should hear of `mtu`.
    #[error("the packet has {len} octets and the session's MTU is {mtu}")]
    TooLarge {
        /// Octets of the packet.
        len: usize,
        /// The most that fit.
        mtu: u16,
    },
    /// Too little room around the packet: leave [`DataPlane::room`].
    #[error("too little room around the packet: {0}")]
    NoRoom(#[from] NoRoom),
}

/// The data plane of a [`Client`](crate::Client) or [`Server`](crate::Server): a handle that is
/// cheap to clone and may be used from any thread.
#[derive(Clone, Debug)]
pub struct Plane {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    table: Lock<Table>,
    active: Lock<Vec<SessionId>>,
    drops: [AtomicU64; DropReason::ALL.len()],
    clamp_mss: bool,
}

impl Plane {
    pub(crate) fn new(clamp_mss: bool) -> Self {
        let drops = core::array::from_fn(|_| AtomicU64::new(0));
        Self {
            inner: Arc::new(Inner {
                table: Lock::default(),
                active: Lock::default(),
                drops,
                clamp_mss,
            }),
        }
    }

    /// What the data plane dropped, by reason.
    #[must_use]
    pub fn drops(&self) -> DropCounters {
        let mut counters = DropCounters::default();
        for (reason, count) in DropReason::ALL.iter().zip(&self.inner.drops) {
            counters.add(*reason, count.load(Ordering::Relaxed));
        }
        counters
    }

    /// Adds or replaces a session.
    pub(crate) fn install(&self, entry: Entry) {
        self.inner.table.write().install(entry);
    }

    pub(crate) fn remove(&self, session: SessionId) {
        self.inner.table.write().remove(session);
    }

    /// The sessions that brought IP packets since this was last called.
    pub(crate) fn take_active(&self) -> Vec<SessionId> {
        // The list keeps its room, so that the data path allocates nothing.
        let active: Vec<_> = self.inner.active.write().drain(..).collect();
        let table = self.inner.table.read();
        for entry in active.iter().filter_map(|session| table.session(*session)) {
            entry.shared.listed.store(false, Ordering::Relaxed);
        }
        active
    }

    /// Puts the session on the list of those that carried data: once until the list is taken, so
    /// the list never outgrows the table.
    fn mark_active(&self, entry: &Entry) {
        let listed = &entry.shared.listed;
        if !listed.load(Ordering::Relaxed) && !listed.swap(true, Ordering::Relaxed) {
            self.inner.active.write().push(entry.session);
        }
    }

    fn count_drop(&self, reason: DropReason) -> Inbound {
        if let Some(count) = self.inner.drops.get(reason.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Inbound::Dropped(reason)
    }
}

impl DataPlane for Plane {
    fn room(&self) -> Room {
        seal::ROOM
    }

    fn open_batch(&self, packets: &mut [(Path, PacketMut<'_>)], out: &mut [Inbound]) {
        let table = self.inner.table.read();
        for ((path, packet), out) in packets.iter_mut().zip(out) {
            *out = match open::open(&table, *path, packet, self.inner.clamp_mss) {
                Ok(opened) => {
                    opened.carries_ip.inspect(|entry| self.mark_active(entry));
                    opened.inbound
                }
                Err(reason) => self.count_drop(reason),
            };
        }
    }

    fn route(&self, ip: &[u8]) -> Option<SessionId> {
        self.inner.table.read().route(ip)
    }

    fn seal_batch(
        &self,
        packets: &mut [(SessionId, PacketMut<'_>)],
        out: &mut [Result<Path, SealError>],
    ) {
        let table = self.inner.table.read();
        for ((session, packet), out) in packets.iter_mut().zip(out) {
            *out = match table.session(*session) {
                Some(entry) => seal::seal(entry, packet, self.inner.clamp_mss),
                None => Err(SealError::UnknownSession),
            };
        }
    }
}
