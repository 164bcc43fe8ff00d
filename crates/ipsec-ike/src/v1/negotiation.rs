use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::SecretBytes;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::IkeHash;
use vpn_core::crypto::KeyExchange;

use super::NatTraversal;
use super::fault::Fault;
use super::keys::Exchanged;
use super::keys::Nonces;
use super::keys::PublicValues;
use super::nat_detection::NatFound;
use super::nat_detection::nat_detection_hash;
use super::payloads::Payloads;
use super::peer_traits::PeerTraits;
use super::phase_1::State;
use super::secured::Secured;
use crate::AuthMethod;
use crate::CloseReason;
use crate::Cookies;
use crate::Encapsulation;
use crate::MessageBuilder;
use crate::NatStatus;
use crate::NotifyType;
use crate::PayloadType;
use crate::config::Candidate;
use crate::config::Policy;
use crate::identity::Identity;
use crate::proposal::IkeProposal;
use crate::tools::Tools;

/// Octets of our nonces: more than half the output of any prf that is negotiated (RFC 2409 §5
/// takes 8 to 256).
pub(crate) const NONCE_LEN: usize = 32;

/// Shorter lifetimes leave no time to rekey.
pub(crate) const SHORTEST_LIFETIME: Duration = Duration::from_secs(20);

/// What a negotiation is told about the world with each message.
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    /// Where the message came from, or where the first one goes to.
    pub(crate) path: Path,
    pub(crate) policy: &'a Policy,
    pub(crate) tools: &'a mut Tools,
}

/// What was agreed on in the first two messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agreed {
    pub(crate) proposal: IkeProposal,
    pub(crate) auth: AuthMethod,
    pub(crate) lifetime: Duration,
}

/// What one side sent in messages 3 and 4.
#[derive(Debug, Default)]
pub(crate) struct Half {
    pub(crate) public: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
}

/// Phase 1 from its first message to its last (RFC 2409 §5).
pub(crate) struct Negotiation {
    pub(crate) state: State,
    pub(crate) cookies: Cookies,
    /// SAi_b: the body of the initiator's SA payload, octet for octet.
    pub(crate) offer: Vec<u8>,
    pub(crate) traits: PeerTraits,
    pub(crate) agreed: Option<Agreed>,
    pub(crate) ours: Half,
    pub(crate) theirs: Half,
    pub(crate) private: Option<SecretBytes>,
    pub(crate) shared: Option<SecretBytes>,
    pub(crate) nat: NatStatus,
    /// Once they are known: those of message 5 on.
    pub(crate) secured: Option<Secured>,
    /// The keys to try on the peer, once they were looked up.
    pub(crate) candidates: Option<Vec<Candidate>>,
    /// The place of the key among them that fitted.
    pub(crate) fitting: usize,
    /// A message that waits for them, what it was awaited as, and where it came from.
    pub(crate) held: Option<(State, Path, Vec<u8>)>,
    /// How many messages 5 no key could open.
    pub(crate) failures: u32,
    /// Whether we tell the peer that we have no other SA with it.
    pub(crate) initial_contact: bool,
    /// Who the initiator of aggressive mode said that it is: IDii_b.
    pub(crate) claimed: Vec<u8>,
    /// Our choice, until the answer of aggressive mode can be made.
    pub(crate) choice: Vec<u8>,
    /// What an unauthenticated notification said.
    pub(crate) hint: Option<NotifyType>,
    /// What went wrong, if nothing better comes.
    pub(crate) suspicion: Option<CloseReason>,
}

/// The end of phase 1.
#[derive(Debug)]
pub(crate) struct Proven {
    pub(crate) local_id: Identity,
    pub(crate) remote_id: Identity,
    /// The peer says that it has no other SA with us.
    pub(crate) initial_contact: bool,
}

impl Negotiation {
    pub(crate) fn new(state: State, cookies: Cookies, offer: Vec<u8>, traits: PeerTraits) -> Self {
        Self {
            state,
            cookies,
            offer,
            traits,
            agreed: None,
            ours: Half::default(),
            theirs: Half::default(),
            private: None,
            shared: None,
            nat: NatStatus::default(),
            secured: None,
            candidates: None,
            fitting: 0,
            held: None,
            failures: 0,
            initial_contact: false,
            claimed: Vec::new(),
            choice: Vec::new(),
            hint: None,
            suspicion: None,
        }
    }

    pub(crate) fn agreed(&self) -> Result<Agreed, Fault> {
        self.agreed.ok_or(Fault::Fail(CloseReason::Internal("the order of messages"), None))
    }

    pub(crate) fn prf(&self, tools: &Tools) -> Result<&'static dyn IkeHash, Fault> {
        let hash = self.agreed()?.proposal.hash;
        tools.provider.ike.hash(hash).ok_or(Fault::Fail(CloseReason::Internal("the hash"), None))
    }

    /// Draws our nonce and a private value, and computes the public one.
    pub(crate) fn generate(&mut self, tools: &mut Tools) -> Result<(), Fault> {
        let exchange = key_exchange(tools, self.agreed()?.proposal.group)?;
        self.ours.nonce = tools.bytes(NONCE_LEN)?;
        let (private, public) = generate(exchange, tools)?;
        self.private = Some(private);
        self.ours.public = public;
        Ok(())
    }

    /// Takes the peer's public value and nonce out of message 3 or 4. Only lengths are looked at:
    /// the value itself is the key exchange's to check.
    pub(crate) fn take_half(
        &mut self,
        tools: &Tools,
        payloads: &Payloads<'_>,
    ) -> Result<(), Fault> {
        let exchange = key_exchange(tools, self.agreed()?.proposal.group)?;
        let public = payloads.one(PayloadType::KEY_EXCHANGE, "it sent no public value")?;
        let nonce = payloads.one(PayloadType::NONCE, "it sent no nonce")?;
        if public.len() != exchange.public_len() {
            return Err(Fault::malformed("its public value has not the width of the group"));
        }
        if public == self.ours.public {
            return Err(Fault::malformed("its public value is our own"));
        }
        if !(8..=256).contains(&nonce.len()) {
            return Err(Fault::malformed("its nonce has not 8 to 256 octets"));
        }
        self.theirs = Half { public: public.to_vec(), nonce: nonce.to_vec() };
        Ok(())
    }

    /// Computes g^xy, once.
    pub(crate) fn agree(&mut self, tools: &Tools) -> Result<(), Fault> {
        if self.shared.is_none() {
            let exchange = key_exchange(tools, self.agreed()?.proposal.group)?;
            let out_of_order = Fault::Fail(CloseReason::Internal("the order of messages"), None);
            let private = self.private.as_ref().ok_or(out_of_order)?;
            self.shared = Some(agree(exchange, private, &self.theirs.public)?);
            self.private = None;
        }
        Ok(())
    }

    /// What keys and proofs are made of, once both halves are known.
    pub(crate) fn exchanged(&self, prf: &'static dyn IkeHash) -> Exchanged<'_> {
        let (initiator, responder) = if self.state.is_initiator() {
            (&self.ours, &self.theirs)
        } else {
            (&self.theirs, &self.ours)
        };
        Exchanged {
            prf,
            cookies: self.cookies,
            nonces: Nonces { initiator: &initiator.nonce, responder: &responder.nonce },
            public_values: PublicValues {
                initiator: &initiator.public,
                responder: &responder.public,
            },
            offer: &self.offer,
            shared_secret: self.shared.as_ref().map(SecretBytes::expose).unwrap_or_default(),
        }
    }

    /// Adds our public value, nonce and NAT-D payloads to message 3 or 4 (RFC 2409 §5, RFC 3947
    /// §3.2): the peer's address first, then ours.
    pub(crate) fn write_half(
        &self,
        prf: &dyn IkeHash,
        path: Path,
        encapsulation: Encapsulation,
        builder: &mut MessageBuilder<'_>,
    ) {
        builder.raw(PayloadType::KEY_EXCHANGE, &self.ours.public);
        builder.raw(PayloadType::NONCE, &self.ours.nonce);
        if let Some(version) = self.traits.nat_traversal {
            self.write_nat_detection(prf, path, encapsulation, version, builder);
        }
    }

    pub(crate) fn write_nat_detection(
        &self,
        prf: &dyn IkeHash,
        path: Path,
        encapsulation: Encapsulation,
        version: NatTraversal,
        builder: &mut MessageBuilder<'_>,
    ) {
        let of = |address: SocketAddr| nat_detection_hash(prf, &self.cookies, address);
        // A wrong port in our own hash makes a NAT appear between us.
        let local = match encapsulation {
            Encapsulation::Force => SocketAddr::new(path.local.ip(), 0),
            _ => path.local,
        };
        builder.raw(version.nat_d(), of(path.remote).expose());
        builder.raw(version.nat_d(), of(local).expose());
    }

    /// Finds NATs by the peer's NAT-D payloads, by whatever number they go.
    pub(crate) fn detect_nat(&mut self, prf: &dyn IkeHash, path: Path, payloads: &Payloads<'_>) {
        let Some(version) = self.traits.nat_traversal else { return };
        let hashes = payloads.matching(PayloadType::is_nat_d);
        let found = NatFound::compare(prf, &self.cookies, path.local, path.remote, hashes);
        if let Some(NatFound { local, remote }) = found {
            self.nat = NatStatus { local, remote, version: Some(version) };
        }
    }

    /// Whether ESP and the rest of IKE move to the port of NAT traversal.
    pub(crate) fn floats(&self, encapsulation: Encapsulation) -> bool {
        let forced = encapsulation == Encapsulation::Force;
        self.nat.version.is_some() && (self.nat.local || self.nat.remote || forced)
    }
}

pub(crate) fn key_exchange(
    tools: &Tools,
    group: DhGroup,
) -> Result<&'static dyn KeyExchange, Fault> {
    tools.provider.ike.group(group).ok_or(Fault::Fail(CloseReason::Internal("the group"), None))
}

/// A private and a public value.
pub(crate) fn generate(
    exchange: &dyn KeyExchange,
    tools: &mut Tools,
) -> Result<(SecretBytes, Vec<u8>), Fault> {
    let mut private = zeroize::Zeroizing::new(vec![0; exchange.private_len()]);
    let mut public = vec![0; exchange.public_len()];
    exchange
        .generate(&mut *tools.random, &mut private, &mut public)
        .map_err(|_| Fault::Fail(CloseReason::Internal("the key exchange"), None))?;
    Ok((SecretBytes::new(&private), public))
}

/// The shared secret with a peer's public value.
pub(crate) fn agree(
    exchange: &dyn KeyExchange,
    private: &SecretBytes,
    public: &[u8],
) -> Result<SecretBytes, Fault> {
    let mut shared = zeroize::Zeroizing::new(vec![0; exchange.shared_len()]);
    exchange
        .agree(private.expose(), public, &mut shared)
        .map_err(|_| Fault::malformed("its public value is not one of the group"))?;
    Ok(SecretBytes::new(&shared))
}
