//! The data plane: what moves IP packets while the control machine stays single-owner.

mod entry;
mod notices;
mod open;
mod seal;
mod secure;
mod table;

use alloc::sync::Arc;
use alloc::vec::Vec;

use arrayvec::ArrayVec;
use ipsec_esp::MAX_BATCH;
use ipsec_esp::NextHeader;
use l2tp_control::LinkId;
use portable_atomic::AtomicBool;
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
use notices::Notices;
pub use open::Inbound;
pub use open::Origin;
pub(crate) use open::check_source;
pub(crate) use seal::around_ip;
pub(crate) use seal::header;
pub(crate) use secure::Carrier;
use secure::Kind;
pub(crate) use secure::Notice;
pub(crate) use secure::ROOM as SECURE_ROOM;
pub(crate) use secure::Receiver;
pub(crate) use secure::link_of;
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

    /// Whether the control machine must be called soon, because a key is used up or a peer has
    /// moved: look after each batch, and if so call its `handle_timeout` with the time, and drain
    /// it. The next of its own timeouts may be too late.
    fn needs_control(&self) -> bool;

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
    /// No security association to send on: one is being negotiated, or the peer has gone.
    #[error("there is no security association to send on")]
    NoSa,
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
    notices: Lock<Notices>,
    noticed: AtomicBool,
    drops: [AtomicU64; DropReason::ALL.len()],
    settings: Settings,
}

/// What never changes in a data plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) clamp_mss: bool,
    /// Do data messages inside of ESP have a UDP checksum?
    pub(crate) data_checksum: bool,
    pub(crate) clear_allowed: bool,
    pub(crate) secure: bool,
}

impl Plane {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { clear_allowed, secure, .. } = settings;
        let drops = core::array::from_fn(|_| AtomicU64::new(0));
        let table = Table::new(clear_allowed, secure);
        Self {
            inner: Arc::new(Inner {
                table: Lock::new(table),
                active: Lock::default(),
                notices: Lock::default(),
                noticed: AtomicBool::new(false),
                drops,
                settings,
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

    /// Changes the SAs. The data threads see all of the change or nothing of it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Table)) {
        change(&mut self.inner.table.write());
    }

    /// What the control machine must know, since this was last called.
    pub(crate) fn take_notices(&self) -> Vec<Notice> {
        if !self.inner.noticed.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        self.inner.notices.write().take()
    }

    fn notice(&self, notice: Notice) {
        self.inner.notices.write().add(notice);
        self.inner.noticed.store(true, Ordering::Release);
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

impl Plane {
    fn open_some(&self, table: &Table, packets: &mut [(Path, PacketMut<'_>)], out: &mut [Inbound]) {
        let clamp_mss = self.inner.settings.clamp_mss;
        let kinds: ArrayVec<_, MAX_BATCH> = packets
            .iter()
            .map(|(path, packet)| secure::kind(table, *path, packet.payload()))
            .collect();
        let mut outcomes = secure::open_esp(packets, &kinds).into_iter();
        for (((path, packet), kind), out) in packets.iter_mut().zip(kinds).zip(out) {
            let opened = match kind {
                Kind::Clear => open::open(table, LinkId::PLAIN, *path, packet, clamp_mss),
                Kind::Other(inbound) => Ok(open::Opened { inbound, carries_ip: None }),
                Kind::Dropped(reason) => Err(reason),
                Kind::Cut(receiver) => {
                    // L2TP repeats it, and finds the SA changed.
                    self.notice(Notice::Cut(receiver.bundle, receiver.generation));
                    Err(DropReason::UnexpectedState)
                }
                Kind::Esp(receiver) => match outcomes.next() {
                    Some(Ok(opened)) => {
                        for notice in secure::notices(table, receiver, *path, opened) {
                            self.notice(notice);
                        }
                        secure::take_udp(receiver, opened, packet).and_then(|inner| {
                            let link = link_of(receiver.bundle);
                            open::open(table, link, inner, packet, clamp_mss)
                        })
                    }
                    _ => Err(DropReason::Unauthenticated),
                },
            };
            *out = match opened {
                Ok(opened) => {
                    opened.carries_ip.inspect(|entry| self.mark_active(entry));
                    opened.inbound
                }
                Err(reason) => self.count_drop(reason),
            };
        }
    }

    fn seal_some(
        &self,
        table: &Table,
        packets: &mut [(SessionId, PacketMut<'_>)],
        out: &mut [Result<Path, SealError>],
    ) {
        let mut carriers = ArrayVec::<_, MAX_BATCH>::new();
        for ((session, packet), out) in packets.iter_mut().zip(&mut *out) {
            let sealed = match table.session(*session) {
                Some(entry) => self.seal_one(table, entry, packet),
                None => Err(SealError::UnknownSession),
            };
            carriers.push(sealed.as_ref().ok().and_then(|(_, carrier)| *carrier));
            *out = sealed.map(|(path, _)| path);
        }
        secure::seal_esp(packets, &carriers, out, |notice| self.notice(notice));
    }

    /// Everything but ESP.
    fn seal_one<'t>(
        &self,
        table: &'t Table,
        entry: &Entry,
        packet: &mut PacketMut<'_>,
    ) -> Result<(Path, Option<&'t Carrier>), SealError> {
        let settings = self.inner.settings;
        let carrier = match entry.link {
            LinkId::PLAIN => None,
            link => Some(table.carrier(link).ok_or(SealError::NoSa)?),
        };
        let path = seal::seal(entry, packet, settings.clamp_mss)?;
        if let Some(carrier) = carrier {
            secure::put_udp(packet, carrier, path, settings.data_checksum)?;
        }
        Ok((path, carrier))
    }

    /// Seals an L2TP message that the control machine sends over an IPsec peer's link.
    pub(crate) fn seal_message(
        &self,
        link: LinkId,
        inner: Path,
        packet: &mut PacketMut<'_>,
    ) -> Result<Path, SealError> {
        let table = self.inner.table.read();
        let carrier = table.carrier(link).ok_or(SealError::NoSa)?;
        secure::put_udp(packet, carrier, inner, true)?;
        let sealed = carrier.sa.seal(packet, NextHeader::UDP);
        secure::sealed(carrier, sealed, |notice| self.notice(notice))
    }
}

impl DataPlane for Plane {
    fn room(&self) -> Room {
        if self.inner.settings.secure {
            let (l2tp, esp) = (seal::ROOM, secure::ROOM);
            return Room { front: l2tp.front + esp.front, back: l2tp.back + esp.back };
        }
        seal::ROOM
    }

    fn open_batch(&self, packets: &mut [(Path, PacketMut<'_>)], out: &mut [Inbound]) {
        let table = self.inner.table.read();
        let len = packets.len().min(out.len());
        let packets = packets.get_mut(..len).unwrap_or_default();
        for (packets, out) in packets.chunks_mut(MAX_BATCH).zip(out.chunks_mut(MAX_BATCH)) {
            self.open_some(&table, packets, out);
        }
    }

    fn needs_control(&self) -> bool {
        self.inner.noticed.load(Ordering::Acquire)
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
        let len = packets.len().min(out.len());
        let packets = packets.get_mut(..len).unwrap_or_default();
        for (packets, out) in packets.chunks_mut(MAX_BATCH).zip(out.chunks_mut(MAX_BATCH)) {
            self.seal_some(&table, packets, out);
        }
    }
}
