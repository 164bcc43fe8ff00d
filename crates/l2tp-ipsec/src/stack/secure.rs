//! IPsec below the L2TP endpoint of a [`Stack`](super::Stack): IKE, the SA database, and what the
//! data plane knows of it.

mod peers;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::net::SocketAddr;
use core::ops::Range;
use core::time::Duration;

use ipsec_esp::BundleId;
use ipsec_esp::Generation;
use ipsec_esp::InboundSa;
use ipsec_esp::Lifetime;
use ipsec_esp::Limits;
use ipsec_esp::OutboundSa;
use ipsec_esp::SaConfig;
use ipsec_esp::Sad;
use ipsec_esp::SadConfig;
use ipsec_esp::SadEvent;
use ipsec_esp::Shared;
use ipsec_esp::Spi;
use ipsec_ike::ChildCloseReason;
use ipsec_ike::ChildHandle;
use ipsec_ike::ChildSa;
use ipsec_ike::CloseReason;
use ipsec_ike::Credentials;
use ipsec_ike::CredentialsTicket;
use ipsec_ike::Endpoint;
use ipsec_ike::Event;
use ipsec_ike::PeerHandle;
use ipsec_ike::PeerInfo;
use ipsec_ike::Selectors;
use ipsec_ike::identity::Identity;
use l2tp_control::LinkId;
use vpn_core::Deadlines;
use vpn_core::Instant;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::SecretBytes;
use vpn_core::SecureRandom;
use vpn_core::Socket;
use vpn_core::Transmit;
use vpn_core::crypto::CryptoProvider;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

use super::Note;
use super::Stack;
use crate::SealError;
use crate::Security;
use crate::SessionId;
use crate::Trace;
use crate::keylog::EspKeys;
use crate::keylog::KeyLog;
use crate::plane;
use crate::plane::Carrier;
use crate::plane::Notice;
use crate::plane::Plane;
use crate::plane::Receiver;
use crate::plane::link_of;
use crate::trace::Step;

/// How many sequence numbers the replay window of an inbound SA spans.
const REPLAY_WINDOW: u32 = 1024;

/// Who and where a peer is: what makes it the same again (RFC 3947 §6 would take the identity alone,
/// which clients behind one NAT may share).
type Place = (Identity, SocketAddr);

/// A pair of SAs: whose it is, and which of the bundle's.
type Pair = (BundleId, Generation);

/// IKE, and the SAs that it made.
pub(crate) struct Ipsec {
    pub(crate) ike: Endpoint,
    sad: Sad<Shared>,
    rng: Box<dyn SecureRandom + Send>,
    key_log: bool,
    peers: BTreeMap<PeerHandle, BundleId>,
    bundles: BTreeMap<BundleId, Bundle>,
    children: BTreeMap<ChildHandle, Pair>,
    pairs: BTreeMap<Pair, ChildHandle>,
    /// Pairs whose peer may cut HMAC-SHA-256 to 96 bits, until their first packet.
    undecided: BTreeMap<Pair, Box<ChildSa>>,
    looks: Deadlines<BundleId>,
    /// Pairs that we negotiated in place of others, and when they are sent on at the latest.
    changes: VecDeque<(Instant, Pair)>,
    /// Links whose peer has deleted all its SAs, and may come back.
    left: BTreeMap<Place, BundleId>,
}

/// How long we go on with an old pair when we have negotiated another: ESP on the new one that
/// overtook the last message of quick mode would find no SA there. If the peer sends on the new one
/// earlier, it has it.
const CHANGE_AFTER: Duration = Duration::from_secs(1);

/// The SAs of one peer, which are one link to L2TP.
struct Bundle {
    peer: PeerHandle,
    info: Arc<PeerInfo>,
    /// Where its ESP goes now.
    path: Path,
    /// Between which addresses its L2TP runs. They stay when a NAT moves the peer.
    local: IpAddr,
    remote: IpAddr,
    look: Option<Instant>,
    /// What its SAs carry.
    selectors: Selectors,
    /// It had no tunnel when it was looked at last.
    idle: bool,
    /// Whether a pair was ever ready.
    secured: bool,
    /// Whether any L2TP ever came.
    used: bool,
    /// What its peer proved itself with, where that is a pre-shared key.
    psk: Option<SecretBytes>,
    /// Its peer cuts HMAC-SHA-256 to 96 bits, as was seen on an earlier pair.
    cuts: bool,
    /// Its peer was away, and has come back.
    returned: bool,
    /// Why its peer is gone, while it is waited for.
    gone: Option<CloseReason>,
}

/// A link that is ready to carry L2TP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secured {
    pub(crate) link: LinkId,
    pub(crate) peer: PeerHandle,
    /// Our and the peer's address as L2TP sees them.
    pub(crate) local: IpAddr,
    pub(crate) remote: IpAddr,
}

impl Ipsec {
    pub(crate) fn new(ike: Endpoint, rng: Box<dyn SecureRandom + Send>, key_log: bool) -> Self {
        Self {
            ike,
            // IKE decides which pair is sent on.
            sad: Sad::new(SadConfig { switch_after: Duration::MAX, ..SadConfig::default() }),
            rng,
            key_log,
            peers: BTreeMap::new(),
            bundles: BTreeMap::new(),
            children: BTreeMap::new(),
            pairs: BTreeMap::new(),
            undecided: BTreeMap::new(),
            looks: Deadlines::default(),
            changes: VecDeque::new(),
            left: BTreeMap::new(),
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let change = self.changes.front().map(|(at, _)| *at);
        let deadlines =
            [self.ike.poll_timeout(), self.sad.poll_timeout(), self.looks.next(), change];
        deadlines.into_iter().flatten().min()
    }

    fn bundle_of(&self, link: LinkId) -> Option<(BundleId, &Bundle)> {
        let bundle = BundleId(link.0.checked_sub(1)?);
        Some((bundle, self.bundles.get(&bundle)?))
    }

    /// The peer at the other end of a link.
    pub(crate) fn peer_of(&self, link: LinkId) -> Option<PeerHandle> {
        self.bundle_of(link).map(|(_, bundle)| bundle.peer)
    }

    /// The largest L2TP message, with its UDP header, whose ESP fits into IP packets of
    /// `path_mtu`.
    pub(crate) fn payload_len(&self, link: LinkId, path_mtu: u16) -> Option<usize> {
        let (id, bundle) = self.bundle_of(link)?;
        let ip = if bundle.path.remote.is_ipv4() { 20 } else { 40 };
        let udp = if bundle.path.socket == Socket::NatT { 8 } else { 0 };
        let room = usize::from(path_mtu).checked_sub(ip + udp)?;
        self.sad.outbound(id)?.payload_len(room)
    }

    /// Makes the SAs of a new pair and tells the data plane. `None` if there can be none.
    fn install(
        &mut self,
        now: Instant,
        child: Box<ChildSa>,
        provider: &CryptoProvider,
        plane: &Plane,
    ) -> Option<Pair> {
        let id = *self.peers.get(&child.peer)?;
        let cuts = self.bundles.get(&id)?.cuts;
        let suite = cut_suite(child.suite).filter(|_| cuts).unwrap_or(child.suite);
        let crypto = provider.esp_suite(suite).ok()?;
        let open_key = crypto.open_key(child.inbound.keymat.expose()).ok()?;
        let seal_key = crypto.seal_key(child.outbound.keymat.expose(), &mut *self.rng).ok()?;
        let lifetime = lifetime(&child).jittered(&mut *self.rng).ok()?;
        let config = |spi| SaConfig::new(Spi(spi)).lifetime(lifetime).replay_window(REPLAY_WINDOW);
        let inbound = Arc::new(InboundSa::new(open_key, config(child.inbound.spi)).ok()?);
        let outbound = Arc::new(OutboundSa::new(seal_key, config(child.outbound.spi)).ok()?);
        let cut = cut_suite(suite).and_then(|suite| provider.esp_suite(suite).ok());
        let cut = cut.and_then(|crypto| crypto.open_key(child.inbound.keymat.expose()).ok());
        let cut = cut.and_then(|key| InboundSa::new(key, config(child.inbound.spi)).ok());
        let cut = cut.map(Arc::new);
        let is_undecided = cut.is_some();
        let generation = self.sad.install_inbound(now, id, Arc::clone(&inbound)).ok()?;
        let bundle = self.bundles.get_mut(&id)?;
        bundle.path = child.esp_path;
        bundle.selectors = Selectors {
            protocol: child.local.protocol,
            local_port: child.local.port,
            remote_port: child.remote.port,
        };
        let receiver = Receiver {
            sa: inbound,
            bundle: id,
            generation,
            local: bundle.local,
            remote: bundle.remote,
            local_port: child.local.port,
            remote_port: child.remote.port,
            cut,
        };
        plane.change(|table| table.install_receiver(receiver));
        self.sad.install_outbound(now, id, generation, outbound).ok()?;
        if child.outbound_ready && self.sad.sending(id).is_none() {
            self.sad.choose(now, id, generation).ok()?;
        } else if child.outbound_ready {
            self.changes.push_back((now + CHANGE_AFTER, (id, generation)));
        }
        self.children.insert(child.child, (id, generation));
        self.pairs.insert((id, generation), child.child);
        if is_undecided {
            self.undecided.insert((id, generation), child);
        }
        Some((id, generation))
    }

    /// The peer cuts HMAC-SHA-256 to 96 bits: the pair begins anew, so read.
    fn cut(&mut self, now: Instant, pair: Pair, provider: &CryptoProvider, plane: &Plane) {
        let Some(child) = self.undecided.remove(&pair) else { return };
        if let Some(bundle) = self.bundles.get_mut(&pair.0) {
            bundle.cuts = true;
        }
        let handle = child.child;
        let was_sent_on = self.sad.sending(pair.0) == Some(pair.1);
        self.remove(now, handle, plane);
        // What could be installed before can be so again.
        let installed = self.install(now, child, provider, plane);
        if let Some((id, generation)) = installed.filter(|_| was_sent_on) {
            let _ = self.sad.choose(now, id, generation);
        }
    }

    /// The first packet came in on a pair, as it was agreed on.
    fn decided(&mut self, pair: Pair, plane: &Plane) {
        if let Some(child) = self.undecided.remove(&pair) {
            plane.change(|table| table.decide(Spi(child.inbound.spi)));
        }
    }

    fn remove(&mut self, now: Instant, child: ChildHandle, plane: &Plane) -> Option<BundleId> {
        let (id, generation) = self.children.remove(&child)?;
        self.pairs.remove(&(id, generation));
        self.undecided.remove(&(id, generation));
        if let Some(spi) = self.sad.remove_pair(id, generation) {
            plane.change(|table| table.remove_receiver(spi));
        }
        self.changes.retain(|(_, pair)| *pair != (id, generation));
        if self.sad.sending(id).is_none()
            && let Some(pair) =
                self.changes.iter().rfind(|(_, pair)| pair.0 == id).map(|(_, pair)| *pair)
        {
            self.choose(now, pair);
        }
        self.sync(id, plane);
        Some(id)
    }

    /// Sends on a pair from now on, whatever was to come.
    fn choose(&mut self, now: Instant, pair: Pair) {
        self.changes.retain(|(_, other)| other.0 != pair.0);
        let _ = self.sad.choose(now, pair.0, pair.1);
    }

    /// The peer sends on a pair, so it has it.
    fn change_to(&mut self, now: Instant, pair: Pair) {
        let last = self.changes.iter().rfind(|(_, other)| other.0 == pair.0);
        if last.is_some_and(|(_, last)| *last == pair) {
            self.choose(now, pair);
        }
    }

    /// Sends on the pairs whose time has come.
    fn change_due(&mut self, now: Instant) {
        while let Some((_, pair)) = self.changes.pop_front_if(|(at, _)| *at <= now) {
            let _ = self.sad.choose(now, pair.0, pair.1);
        }
    }

    /// Brings the data plane up to what the bundle sends on.
    fn sync(&self, id: BundleId, plane: &Plane) {
        let sending = self.sad.outbound(id).zip(self.sad.sending(id)).zip(self.bundles.get(&id));
        plane.change(|table| match sending {
            Some(((sa, generation), bundle)) => table.install_carrier(Carrier {
                sa: Arc::clone(sa),
                bundle: id,
                generation,
                path: bundle.path,
                // RFC 3947 §7, as IKE does it.
                follows: bundle.info.nat.remote && !bundle.info.nat.local,
            }),
            None => table.remove_carrier(link_of(id)),
        });
    }

    fn moved(&mut self, peer: PeerHandle, path: Path, plane: &Plane) {
        let Some(id) = self.peers.get(&peer).copied() else { return };
        if let Some(bundle) = self.bundles.get_mut(&id) {
            bundle.path = path;
            self.sync(id, plane);
        }
    }
}

impl core::fmt::Debug for Ipsec {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Ipsec({} peers)", self.peers.len())
    }
}

/// The suite of a peer that announces HMAC-SHA-256 with 128 bits and sends 96, as old Android
/// kernels do.
const fn cut_suite(suite: EspSuite) -> Option<EspSuite> {
    match suite {
        EspSuite::Separate(cipher, EspIntegrity::HmacSha2_256_128) => {
            Some(EspSuite::Separate(cipher, EspIntegrity::HmacSha2_256_96))
        }
        _ => None,
    }
}

/// The lifetime in octets that was agreed on. The time is IKE's business.
///
/// At a few gigabits a second the octets that Windows asks for last half a second, so a
/// replacement is asked for at three quarters.
fn lifetime(child: &ChildSa) -> Lifetime {
    let Some(kilobytes) = child.lifetime.kilobytes else { return Lifetime::UNLIMITED };
    let octets = kilobytes.saturating_mul(1024);
    let soft = Limits { octets: octets - octets / 4, ..Limits::NONE };
    Lifetime::new(Limits { octets, ..Limits::NONE }).with_soft(soft)
}

impl Stack {
    /// Acts on what the data plane noticed.
    pub(super) fn act_on_notices(&mut self, now: Instant) {
        let Some(ipsec) = &mut self.ipsec else { return };
        for notice in self.plane.take_notices() {
            match notice {
                Notice::Used(id, generation) => {
                    if let Some(child) = ipsec.pairs.get(&(id, generation)) {
                        ipsec.ike.note_child_used(now, *child);
                    }
                    ipsec.change_to(now, (id, generation));
                    ipsec.decided((id, generation), &self.plane);
                }
                Notice::Cut(id, generation) => {
                    ipsec.cut(now, (id, generation), self.provider, &self.plane);
                }
                Notice::SoftLimit(id, generation) => {
                    // IKE knows whether there is a newer one that both sides keep.
                    if let Some(child) = ipsec.pairs.get(&(id, generation)) {
                        let _ = ipsec.ike.rekey_child(now, *child);
                    }
                }
                Notice::Moved(id, path) => {
                    if let Some(bundle) = ipsec.bundles.get(&id) {
                        ipsec.ike.note_path(now, bundle.peer, path);
                    }
                }
            }
        }
        self.drain_sad();
    }

    /// Acts on what the SA database reports.
    fn drain_sad(&mut self) {
        let now = self.newest;
        let Some(ipsec) = &mut self.ipsec else { return };
        while let Some(event) = ipsec.sad.poll_event() {
            match event {
                SadEvent::Replace { bundle, generation } => {
                    if let Some(child) = ipsec.pairs.get(&(bundle, generation)) {
                        let _ = ipsec.ike.rekey_child(now, *child);
                    }
                }
                SadEvent::Switched { bundle, .. } => {
                    ipsec.sync(bundle, &self.plane);
                    let Some(owner) = ipsec.bundles.get_mut(&bundle) else { continue };
                    if !core::mem::replace(&mut owner.secured, true) {
                        let (local, remote) = (owner.local, owner.remote);
                        let (link, peer) = (link_of(bundle), owner.peer);
                        let secured = Secured { link, peer, local, remote };
                        self.notes.push_back(Note::Secured(secured));
                    }
                }
                SadEvent::Removed { bundle, inbound, .. } => {
                    self.plane.change(|table| table.remove_receiver(inbound));
                    ipsec.sync(bundle, &self.plane);
                }
                _ => {}
            }
        }
    }

    /// Acts on the next event of IKE; `false` when there is none.
    pub(super) fn ike_event(&mut self) -> bool {
        let now = self.newest;
        let Some(ipsec) = &mut self.ipsec else { return false };
        let Some(event) = ipsec.ike.poll_event() else { return false };
        match event {
            Event::PeerUp { peer, info } => {
                ipsec.peer_up(now, peer, &info);
                self.notes.push_back(Note::PeerUp(info));
            }
            Event::ChildInstall(child) => {
                if ipsec.key_log {
                    let keys = EspKeys::of(&child);
                    self.notes.push_back(Note::KeyLog(KeyLog::Esp(Box::new(keys))));
                }
                let handle = child.child;
                let installed = ipsec.install(now, child, self.provider, &self.plane);
                if installed.is_none() {
                    let _ = ipsec.ike.close_child(now, handle);
                }
            }
            Event::ChildReady { child } => {
                if let Some(pair) = ipsec.children.get(&child).copied() {
                    ipsec.choose(now, pair);
                }
            }
            Event::ChildClosed { child, reason } => {
                let bundle = ipsec.remove(now, child, &self.plane);
                if let Some(bundle) = bundle
                    && reason == ChildCloseReason::DeletedByPeer
                    && ipsec.sad.outbound(bundle).is_none()
                    && !self.endpoint.sessions_on(link_of(bundle)).is_empty()
                    && let Some(known) = ipsec.bundles.get(&bundle)
                {
                    // The sessions go on, so the peer wants another pair, or will say otherwise.
                    let _ = ipsec.ike.request_child(now, known.peer, known.selectors);
                }
            }
            Event::PathChanged { peer, path } => {
                ipsec.moved(peer, path, &self.plane);
                self.notes.push_back(Note::Moved(path));
            }
            Event::PeerClosed { peer, reason } => self.peer_closed(now, peer, reason),
            Event::Failed { path, reason, .. } => {
                let path = Some(path);
                self.notes.push_back(Note::IkeFailed { peer: None, path, reason });
            }
            Event::CredentialsRequest { ticket, remote: path, fingerprint, .. } => {
                self.notes.push_back(Note::CredentialsRequest { ticket, path, fingerprint });
            }
            Event::KeyLog(entry) => self.notes.push_back(Note::KeyLog(KeyLog::Ike(entry))),
            Event::Trace(trace) => {
                let step = Step::Ike(trace);
                self.notes.push_back(Note::Trace(Trace { at: now, step }));
            }
            _ => {}
        }
        self.drain_sad();
        true
    }

    /// What IPsec has to do at its time.
    pub(super) fn secure_timeout(&mut self, now: Instant) {
        self.act_on_notices(now);
        let Some(ipsec) = &mut self.ipsec else { return };
        ipsec.ike.handle_timeout(now);
        ipsec.sad.handle_timeout(now);
        ipsec.change_due(now);
        self.look_at_links(now);
        self.drain_sad();
    }

    /// Authentic traffic came over a link.
    pub(super) fn note_alive(&mut self, now: Instant, link: LinkId) {
        let Some(ipsec) = &mut self.ipsec else { return };
        if let Some(bundle) = link.0.checked_sub(1).map(BundleId)
            && let Some(bundle) = ipsec.bundles.get_mut(&bundle)
        {
            bundle.used = true;
            ipsec.ike.note_inbound(now, bundle.peer);
        }
    }

    /// Traffic went out over a link.
    pub(super) fn note_sent(&mut self, now: Instant, link: LinkId) {
        if let Some(ipsec) = &mut self.ipsec
            && let Some(peer) = ipsec.peer_of(link)
        {
            ipsec.ike.note_outbound(now, peer);
        }
    }

    /// Wraps the L2TP message at the end of `buf`, from `start` on, for its link. Without an SA
    /// the message is dropped: L2TP control repeats it.
    pub(super) fn wrap(
        &mut self,
        now: Instant,
        link: LinkId,
        transmit: Transmit,
        buf: &mut Vec<u8>,
    ) -> Option<Transmit> {
        if !link.is_authenticated() {
            return Some(transmit);
        }
        let start = buf.len().saturating_sub(transmit.len);
        let wrapped = in_place(buf, start, plane::SECURE_ROOM, |mut packet| {
            let path = self.plane.seal_message(link, transmit.path, &mut packet)?;
            Ok((path, packet.window()))
        });
        if wrapped.is_ok() {
            self.note_sent(now, link);
        }
        wrapped.ok()
    }

    pub(crate) fn set_unix_time(&mut self, now: Instant, unix_seconds: u64) {
        let now = self.advance(now);
        if let Some(ipsec) = &mut self.ipsec {
            ipsec.ike.set_unix_time(now, unix_seconds);
        }
    }

    /// How often the SAs of a link were replaced.
    pub(super) fn rekeys(&self, link: LinkId) -> u32 {
        let generation = self.ipsec.as_ref().and_then(|ipsec| {
            let (id, _) = ipsec.bundle_of(link)?;
            ipsec.sad.sending(id)
        });
        generation.map_or(0, |generation| generation.0)
    }

    /// Has the SAs replaced that carry a session.
    pub(crate) fn rekey(&mut self, now: Instant, session: SessionId) {
        let now = self.advance(now);
        let Some(ipsec) = &mut self.ipsec else { return };
        let Some(conn) = self.conns.get(&session) else { return };
        let Some((id, _)) = ipsec.bundle_of(conn.entry.link) else { return };
        let sending = ipsec.sad.sending(id);
        if let Some(child) = sending.and_then(|generation| ipsec.pairs.get(&(id, generation))) {
            let _ = ipsec.ike.rekey_child(now, *child);
        }
    }

    /// Ends the SAs of all peers; says whether there were any.
    pub(crate) fn close_peers(&mut self) -> bool {
        let now = self.newest;
        let Some(ipsec) = &mut self.ipsec else { return false };
        let peers: Vec<PeerHandle> = ipsec.peers.keys().copied().collect();
        for peer in &peers {
            let _ = ipsec.ike.close_peer(now, *peer);
        }
        while self.ike_event() {}
        !peers.is_empty()
    }

    /// Answers which keys a peer may have.
    pub(crate) fn answer_credentials(
        &mut self,
        now: Instant,
        ticket: CredentialsTicket,
        credentials: Credentials,
    ) -> bool {
        let now = self.advance(now);
        let Some(ipsec) = &mut self.ipsec else { return false };
        ipsec.ike.answer_credentials(now, ticket, credentials).is_ok()
    }

    /// How the link of a session is protected.
    pub(crate) fn security(&self, link: LinkId) -> Option<Box<Security>> {
        let ipsec = self.ipsec.as_ref()?;
        let (id, bundle) = ipsec.bundle_of(link)?;
        Some(Box::new(Security {
            remote_id: bundle.info.remote_id.clone(),
            path: bundle.path,
            ike: bundle.info.proposal,
            esp: ipsec.sad.outbound(id)?.suite(),
            fingerprint: bundle.info.fingerprint,
        }))
    }

    /// Whether IKE messages wait to be sent.
    pub(crate) fn has_ike_to_send(&self) -> bool {
        self.ipsec.as_ref().is_some_and(|ipsec| ipsec.ike.counts().queued != 0)
    }

    /// Ends a peer's SAs and its IKE SA.
    pub(crate) fn close_peer(&mut self, now: Instant, peer: PeerHandle) {
        if let Some(ipsec) = &mut self.ipsec {
            let _ = ipsec.ike.close_peer(now, peer);
        }
    }
}

/// Seals the octets at the end of `buf`, from `start` on, with `room` around them. `seal` says where
/// the packet goes and lies; it is left at `start`, and nothing is in case of an error.
pub(super) fn in_place(
    buf: &mut Vec<u8>,
    start: usize,
    room: vpn_core::Room,
    seal: impl FnOnce(PacketMut<'_>) -> Result<(Path, Range<usize>), SealError>,
) -> Result<Transmit, SealError> {
    let len = buf.len().saturating_sub(start);
    let end = room.front.saturating_add(len);
    buf.resize(start.saturating_add(end).saturating_add(room.back), 0);
    buf.copy_within(start..start.saturating_add(len), start.saturating_add(room.front));
    let storage = buf.get_mut(start..).unwrap_or_default();
    match PacketMut::new(storage, room.front..end).map_err(SealError::from).and_then(seal) {
        Ok((path, window)) => {
            let len = window.len();
            let from = start.saturating_add(window.start);
            buf.copy_within(from..from.saturating_add(len), start);
            buf.truncate(start.saturating_add(len));
            Ok(Transmit { path, len })
        }
        Err(error) => {
            buf.truncate(start);
            Err(error)
        }
    }
}
