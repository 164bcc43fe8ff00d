use alloc::boxed::Box;
use alloc::vec::Vec;

use super::AuthProtocol;
use super::LcpOption;
use super::LcpOptionType;
use crate::AuthMethod;
use crate::CloseReason;
use crate::DEFAULT_MRU;
use crate::LinkConfig;
use crate::MIN_MRU;
use crate::Protocol;
use crate::RawOption;
use crate::Side;
use crate::context::Context;
use crate::control::Negotiation;
use crate::control::Verdict;
use crate::option::SeenTypes;

/// The options of LCP (RFC 1661 §6).
#[derive(Default)]
pub(crate) struct Lcp {
    own: Own,
    peer: Peer,
    /// The value of the last Magic-Number that we sent in a Configure-Nak.
    suggested_magic: u32,
    /// How often our own number came back to us.
    reflections: u8,
    /// There is one while the ends do not agree about authentication.
    dispute: Option<Box<Dispute>>,
    failure: Option<Failure>,
}

/// What we ask for.
#[derive(Clone, Copy, Default)]
struct Own {
    mru: Option<u16>,
    accm: Option<u32>,
    auth: Option<AuthMethod>,
    magic: Option<u32>,
    pfc: bool,
    acfc: bool,
}

/// What the peer asks for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Peer {
    pub(crate) mru: Option<u16>,
    pub(crate) accm: Option<u32>,
    pub(crate) auth: Option<AuthMethod>,
    pub(crate) magic: Option<u32>,
    pub(crate) pfc: bool,
    pub(crate) acfc: bool,
}

/// What the ends have said about authentication without agreeing.
#[derive(Default)]
struct Dispute {
    /// The methods of ours that the peer has Nak'ed.
    refused: Vec<AuthMethod>,
    /// What it named instead.
    named: Vec<AuthProtocol>,
    /// How often it did.
    naks: u8,
    /// What the peer demanded and we did not agree to.
    demanded: Vec<AuthProtocol>,
    /// How many of our own methods we have named instead.
    suggested: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    Loopback,
    NoCommonAuth,
}

impl Lcp {
    pub(crate) const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Our Magic-Number, or 0 where the peer does not want one.
    pub(crate) const fn magic(&self) -> u32 {
        match self.own.magic {
            Some(magic) => magic,
            None => 0,
        }
    }

    /// What the peer must prove itself with.
    pub(crate) const fn demanded(&self) -> Option<AuthMethod> {
        self.own.auth
    }

    /// Why the negotiation failed.
    pub(crate) fn failure(&self, config: &LinkConfig) -> CloseReason {
        match self.failure {
            Some(Failure::Loopback) => CloseReason::Loopback,
            Some(Failure::NoCommonAuth) => self.demand_refused(config),
            None => self
                .disagreement(config)
                .unwrap_or(CloseReason::NotConverging { protocol: Protocol::LCP }),
        }
    }

    /// The disagreement about authentication, if there is one that would explain why the peer
    /// leaves.
    pub(crate) fn disagreement(&self, config: &LinkConfig) -> Option<CloseReason> {
        let dispute = self.dispute.as_ref()?;
        if dispute.naks > 0 {
            return Some(self.demand_refused(config));
        }
        (!dispute.demanded.is_empty()).then(|| CloseReason::NoCommonAuth {
            side: Side::Local,
            ours: config.proofs(),
            theirs: dispute.demanded.clone(),
        })
    }

    fn demand_refused(&self, config: &LinkConfig) -> CloseReason {
        let theirs = self.dispute.as_ref().map_or_else(Vec::new, |dispute| dispute.named.clone());
        CloseReason::NoCommonAuth {
            side: Side::Peer,
            ours: config.authenticate_with.clone(),
            theirs,
        }
    }

    /// Takes over what a LAC has asked the peer for (RFC 2661 §4.4.5).
    pub(crate) fn adopt(&mut self, last_sent: &[u8]) {
        self.own = Own::default();
        for option in crate::Options::new(last_sent).flatten() {
            match LcpOption::decode(&option) {
                Ok(LcpOption::Mru(mru)) => self.own.mru = Some(mru),
                Ok(LcpOption::Accm(accm)) => self.own.accm = Some(accm),
                Ok(LcpOption::Auth(auth)) => self.own.auth = auth.method(),
                Ok(LcpOption::Magic(magic)) => self.own.magic = Some(magic),
                Ok(LcpOption::Pfc) => self.own.pfc = true,
                Ok(LcpOption::Acfc) => self.own.acfc = true,
                _ => {}
            }
        }
    }

    /// One more sign that what we send comes back to us (RFC 1661 §6.4).
    pub(crate) const fn note_reflection(&mut self) {
        self.reflections = self.reflections.saturating_add(1);
        if self.reflections >= MAX_REFLECTIONS {
            self.failure = Some(Failure::Loopback);
        }
    }

    fn judge_auth(
        &mut self,
        asked: AuthProtocol,
        peer: &mut Peer,
        nak: &mut Vec<u8>,
        config: &LinkConfig,
    ) -> Verdict {
        let ours = config.proofs();
        if let Some(method) = asked.method().filter(|method| ours.contains(method)) {
            peer.auth = Some(method);
            return Verdict::Ack;
        }
        let dispute = self.dispute.get_or_insert_default();
        note(&mut dispute.demanded, asked);
        let Some(best) = ours.get(dispute.suggested % ours.len().max(1)) else {
            return Verdict::Reject;
        };
        dispute.suggested += 1;
        LcpOption::Auth((*best).into()).encode(nak);
        Verdict::Nak
    }

    fn judge_magic(&mut self, magic: u32, nak: &mut Vec<u8>, context: &mut Context) -> Verdict {
        if magic != 0 && self.own.magic != Some(magic) {
            return Verdict::Ack;
        }
        if magic != 0 {
            self.note_reflection();
        }
        self.suggested_magic = new_magic(context);
        LcpOption::Magic(self.suggested_magic).encode(nak);
        Verdict::Nak
    }
}

impl Negotiation for Lcp {
    const PROTOCOL: Protocol = Protocol::LCP;
    type Peer = Peer;

    fn restart(&mut self, context: &mut Context) {
        let config = &context.config;
        self.own = Own {
            mru: (config.mru != DEFAULT_MRU).then_some(config.mru),
            accm: config.accm,
            auth: config.authenticate_with.first().copied(),
            magic: None,
            pfc: config.pfc,
            acfc: config.acfc,
        };
        self.own.magic = Some(new_magic(context));
        self.failure = None;
        self.opened();
    }

    fn request(&self, out: &mut Vec<u8>) {
        let own = &self.own;
        let options = [
            own.mru.map(LcpOption::Mru),
            own.accm.map(LcpOption::Accm),
            own.auth.map(|method| LcpOption::Auth(method.into())),
            own.magic.map(LcpOption::Magic),
            own.pfc.then_some(LcpOption::Pfc),
            own.acfc.then_some(LcpOption::Acfc),
        ];
        options.iter().flatten().for_each(|option| option.encode(out));
    }

    fn judge(
        &mut self,
        option: &RawOption<'_>,
        peer: &mut Peer,
        nak: &mut Vec<u8>,
        context: &mut Context,
    ) -> Verdict {
        let Ok(value) = LcpOption::decode(option) else {
            return judge_bad_length(option.kind, nak, context);
        };
        match value {
            LcpOption::Mru(mru) if mru < MIN_MRU => {
                LcpOption::Mru(MIN_MRU).encode(nak);
                return Verdict::Nak;
            }
            LcpOption::Mru(mru) => peer.mru = Some(mru),
            LcpOption::Accm(accm) => peer.accm = Some(accm),
            LcpOption::Auth(asked) => return self.judge_auth(asked, peer, nak, &context.config),
            LcpOption::UnknownAuth { protocol, .. } => {
                let asked = AuthProtocol::Other(protocol);
                return self.judge_auth(asked, peer, nak, &context.config);
            }
            LcpOption::Magic(magic) => {
                peer.magic = Some(magic);
                return self.judge_magic(magic, nak, context);
            }
            LcpOption::Pfc => peer.pfc = true,
            LcpOption::Acfc => peer.acfc = true,
            // Link quality, callback and multilink are not spoken here; Windows asks for callback
            // by CBCP and comes back without.
            _ => return Verdict::Reject,
        }
        Verdict::Ack
    }

    fn prompt(&mut self, _seen: SeenTypes, _nak: &mut Vec<u8>, _context: &mut Context) {}

    fn granted(&mut self, peer: Peer) {
        self.peer = peer;
    }

    fn nak(&mut self, option: &RawOption<'_>, context: &mut Context) {
        let Ok(value) = LcpOption::decode(option) else { return };
        match value {
            // Whoever asks for less than the default must be able to receive the default, so any
            // value up to it, or to ours, can be granted.
            LcpOption::Mru(mru)
                if (MIN_MRU..=context.config.mru.max(DEFAULT_MRU)).contains(&mru) =>
            {
                self.own.mru = Some(mru);
            }
            LcpOption::Accm(accm) => self.own.accm = self.own.accm.map(|own| own | accm),
            LcpOption::Auth(wanted) => self.demand_is_nakked(wanted, &context.config),
            LcpOption::UnknownAuth { protocol, .. } => {
                self.demand_is_nakked(AuthProtocol::Other(protocol), &context.config);
            }
            LcpOption::Magic(magic) if self.own.magic.is_some() => {
                if magic == self.suggested_magic {
                    self.note_reflection();
                }
                self.own.magic = Some(new_magic(context));
            }
            LcpOption::Pfc => self.own.pfc = false,
            LcpOption::Acfc => self.own.acfc = false,
            _ => {}
        }
    }

    fn reject(&mut self, option: &RawOption<'_>, _context: &mut Context) {
        match LcpOptionType(option.kind) {
            LcpOptionType::MRU => self.own.mru = None,
            LcpOptionType::ACCM => self.own.accm = None,
            // A peer that does not want to prove itself does not come in.
            LcpOptionType::AUTH => self.failure = Some(Failure::NoCommonAuth),
            LcpOptionType::MAGIC => self.own.magic = None,
            LcpOptionType::PFC => self.own.pfc = false,
            LcpOptionType::ACFC => self.own.acfc = false,
            _ => {}
        }
    }

    fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    fn opened(&mut self) {
        self.dispute = None;
        self.reflections = 0;
    }
}

impl Lcp {
    /// The peer Nak'ed our demand: what it names is taken if it is in our list and new, else the
    /// next of our list, and when all were refused the list starts again, until Max-Failure.
    fn demand_is_nakked(&mut self, wanted: AuthProtocol, config: &LinkConfig) {
        let Some(current) = self.own.auth else { return };
        let dispute = self.dispute.get_or_insert_default();
        note(&mut dispute.named, wanted);
        dispute.naks = dispute.naks.saturating_add(1);
        if dispute.naks > config.restart.max_failure {
            self.failure = Some(Failure::NoCommonAuth);
            return;
        }
        note(&mut dispute.refused, current);
        let list = &config.authenticate_with;
        let is_new = |method: &AuthMethod| !dispute.refused.contains(method);
        let next = wanted
            .method()
            .filter(|method| list.contains(method) && is_new(method))
            .or_else(|| list.iter().copied().find(is_new));
        if next.is_none() {
            dispute.refused.clear();
        }
        self.own.auth = next.or_else(|| list.first().copied());
    }
}

/// An option that we could take, but with a length that it cannot have: the Nak shows a good one
/// (RFC 1661 §6).
fn judge_bad_length(kind: u8, nak: &mut Vec<u8>, context: &mut Context) -> Verdict {
    match LcpOptionType(kind) {
        LcpOptionType::MRU => LcpOption::Mru(DEFAULT_MRU).encode(nak),
        LcpOptionType::ACCM => LcpOption::Accm(0).encode(nak),
        LcpOptionType::MAGIC => LcpOption::Magic(new_magic(context)).encode(nak),
        _ => return Verdict::Reject,
    }
    Verdict::Nak
}

fn new_magic(context: &mut Context) -> u32 {
    u32::from_be_bytes(context.random()).max(1)
}

/// Adds to a short list what is not in it yet.
fn note<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if list.len() < MAX_NOTED && !list.contains(&item) {
        list.push(item);
    }
}

/// Two equal random numbers by chance are rare; five in a row are a loop.
const MAX_REFLECTIONS: u8 = 5;

/// No peer has more methods than this.
const MAX_NOTED: usize = 8;
