use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use thiserror::Error;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::SecretBytes;
use vpn_core::Socket;

use super::Endpoint;
use super::peer;
use super::peer::Peer;
use super::peer::Probe;
use crate::AuthMethod;
use crate::ChildCloseReason;
use crate::ChildHandle;
use crate::CloseReason;
use crate::ConfigError;
use crate::ConnectConfig;
use crate::Credentials;
use crate::CredentialsTicket;
use crate::PeerHandle;
use crate::Selectors;
use crate::config::Candidate;
use crate::event::Role;

/// Why a connection can't even be tried.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ConnectError {
    /// The settings for this peer can't work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is nothing to prove ourselves with.
    #[error("no pre-shared key for this peer and no certificate: configure one")]
    NoCredentials,
    /// One address is IPv4 and the other IPv6.
    #[error("the local and the remote address are of different families")]
    AddressFamilies,
    /// There are as many peers as there may be.
    #[error("as many peers as the limits allow: raise the limit")]
    LimitReached,
    /// No random octets, or the provider failed.
    #[error("the first message could not be made: {0} failed")]
    Internal(&'static str),
}

/// What was named is not there any more.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CommandError {
    /// No such peer.
    #[error("the peer is gone")]
    UnknownPeer,
    /// No such pair.
    #[error("the ESP pair is gone")]
    UnknownChild,
    /// No such request.
    #[error("nobody waits for these credentials any more")]
    UnknownTicket,
    /// The peer has as many pairs as it may have.
    #[error("the peer has as many ESP pairs as the limits allow")]
    LimitReached,
}

impl Endpoint {
    /// Connects to a peer: main mode, then quick mode.
    ///
    /// What follows is [`Event::PeerUp`](crate::Event::PeerUp) and
    /// [`Event::ChildInstall`](crate::Event::ChildInstall), or
    /// [`Event::PeerClosed`](crate::Event::PeerClosed).
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn connect(
        &mut self,
        now: Instant,
        connect: ConnectConfig,
    ) -> Result<PeerHandle, ConnectError> {
        let now = self.advance(now);
        let policy = connect.policy(&self.config.policy);
        policy.check(self.tools.provider)?;
        if connect.local.is_ipv4() != connect.remote.is_ipv4() {
            return Err(ConnectError::AddressFamilies);
        }
        if self.peers.len() >= self.config.limits.peers {
            return Err(ConnectError::LimitReached);
        }
        let secret = connect.psk.clone().or_else(|| self.secret_for(&connect));
        let auth = match &secret {
            Some(secret) if secret.is_empty() => return Err(ConfigError::EmptyKey.into()),
            Some(_) => AuthMethod::PRE_SHARED_KEY,
            None if policy.signer.is_some() => AuthMethod::RSA_SIGNATURES,
            None => return Err(ConnectError::NoCredentials),
        };
        let random = ConnectError::Internal("the random generator");
        let sequence = u32::from_be_bytes(self.tools.octets().map_err(|_| random)?) >> 1;
        let nat_t = (connect.nat_t_local, connect.nat_t_remote);
        let path = if connect.start_on_nat_t {
            Path { socket: Socket::NatT, local: nat_t.0, remote: nat_t.1 }
        } else {
            Path { socket: Socket::Ike, local: connect.local, remote: connect.remote }
        };
        let handle = PeerHandle(self.next_handle());
        let child = ChildHandle(self.next_handle());
        let first = peer::Request { child, replaces: None, selectors: policy.selectors };
        let peer = Peer {
            role: Role::Initiator,
            policy: Arc::new(policy),
            path,
            nat_t,
            info: None,
            secret,
            auth,
            sas: Vec::new(),
            current: None,
            negotiating: None,
            children: BTreeSet::new(),
            waiting: Vec::from([first]),
            heard: now,
            sent: now,
            probe: Probe { sequence, ..Probe::default() },
            renew_at: None,
            held_until: None,
            entered: None,
        };
        self.peers.insert(handle, peer);
        if let Err(reason) = self.start_phase_1(handle) {
            self.peers.remove(&handle);
            return Err(match reason {
                CloseReason::Internal(what) => ConnectError::Internal(what),
                _ => ConnectError::Internal("the first message"),
            });
        }
        Ok(handle)
    }

    fn secret_for(&self, connect: &ConnectConfig) -> Option<SecretBytes> {
        let address = connect.remote.ip();
        let candidates = self.config.psks.candidates(address, connect.expected(), 1);
        candidates.into_iter().next().map(|candidate| candidate.secret)
    }

    /// Gives the keys of a peer that [`Event::CredentialsRequest`](crate::Event::CredentialsRequest)
    /// asked for.
    ///
    /// # Errors
    /// [`CommandError::UnknownTicket`] when the peer has given up.
    pub fn answer_credentials(
        &mut self,
        now: Instant,
        ticket: CredentialsTicket,
        credentials: Credentials,
    ) -> Result<(), CommandError> {
        self.advance(now);
        let most = self.config.limits.psk_candidates;
        let candidates = match credentials {
            Credentials::Psk(secrets) => {
                let all = secrets.into_iter().take(most);
                Some(all.map(|secret| Candidate { secret, only: None }).collect())
            }
            Credentials::Refuse => None,
        };
        match self.on_credentials(ticket.0, candidates) {
            true => Ok(()),
            false => Err(CommandError::UnknownTicket),
        }
    }

    /// Tells the time of day, which certificates are valid at. Once is enough; again after the
    /// clock was set.
    pub fn set_unix_time(&mut self, now: Instant, unix_seconds: u64) {
        let now = self.advance(now);
        self.tools.set_unix_time(now, unix_seconds);
    }

    /// Negotiates a pair in place of this one, say because it has carried nearly as much as it
    /// may. The old one goes on until the new one is there. Nothing happens while one is being
    /// negotiated already.
    ///
    /// # Errors
    /// [`CommandError::UnknownChild`].
    pub fn rekey_child(&mut self, now: Instant, child: ChildHandle) -> Result<(), CommandError> {
        self.advance(now);
        if !self.children.contains_key(&child) {
            return Err(CommandError::UnknownChild);
        }
        self.rekey(child);
        self.settle_child(child);
        Ok(())
    }

    /// Negotiates a new IKE SA with a peer. Its pairs go on as they are.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`].
    pub fn rekey_peer(&mut self, now: Instant, peer: PeerHandle) -> Result<(), CommandError> {
        self.advance(now);
        let known = self.peers.get(&peer).is_some_and(|peer| peer.info.is_some());
        if !known {
            return Err(CommandError::UnknownPeer);
        }
        self.renew(peer);
        Ok(())
    }

    /// Negotiates one more pair with a peer, such as one for a port that an L2TP responder has
    /// moved to (RFC 3193 §4.2.4).
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn request_child(
        &mut self,
        now: Instant,
        peer: PeerHandle,
        selectors: Selectors,
    ) -> Result<ChildHandle, CommandError> {
        self.advance(now);
        let known = self.peers.get(&peer).filter(|peer| peer.info.is_some());
        let known = known.ok_or(CommandError::UnknownPeer)?;
        if known.children.len() >= self.config.limits.children_per_peer {
            return Err(CommandError::LimitReached);
        }
        let child = ChildHandle(self.next_handle());
        self.want_child(peer, peer::Request { child, replaces: None, selectors });
        Ok(child)
    }

    /// Closes a pair at once, and tells the peer.
    ///
    /// # Errors
    /// [`CommandError::UnknownChild`].
    pub fn close_child(&mut self, now: Instant, child: ChildHandle) -> Result<(), CommandError> {
        self.advance(now);
        if !self.children.contains_key(&child) {
            return Err(CommandError::UnknownChild);
        }
        self.close_child_with(child, ChildCloseReason::Requested, true);
        Ok(())
    }

    /// Closes all that there is with a peer at once, and tells it: once, since nobody would wait
    /// for an answer.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`].
    pub fn close_peer(&mut self, now: Instant, peer: PeerHandle) -> Result<(), CommandError> {
        self.advance(now);
        if !self.peers.contains_key(&peer) {
            return Err(CommandError::UnknownPeer);
        }
        self.close_peer_with(peer, CloseReason::Requested, true);
        Ok(())
    }

    /// Authentic ESP came from the peer: it is there, and need not be asked.
    pub fn note_inbound(&mut self, now: Instant, peer: PeerHandle) {
        self.advance(now);
        self.hear_peer(peer);
        self.settle_peer(peer);
    }

    /// ESP went to the peer: its NAT mapping is fresh, and needs no keepalive.
    pub fn note_outbound(&mut self, now: Instant, peer: PeerHandle) {
        let now = self.advance(now);
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.sent = now;
        }
    }

    /// The first ESP packet came on a new inbound SA: the peer has the pair, even if its last
    /// message was lost.
    pub fn note_child_used(&mut self, now: Instant, child: ChildHandle) {
        self.advance(now);
        if let Some(child) = self.children.get_mut(&child) {
            child.used = true;
        }
        self.on_child_used(child);
    }

    /// ESP with the highest sequence number so far came from another address than before. It is
    /// followed where RFC 3947 §7 allows it: not by a side that is behind a NAT itself. Says
    /// whether it was; [`Event::PathChanged`](crate::Event::PathChanged) tells the same.
    pub fn note_path(&mut self, now: Instant, peer: PeerHandle, path: Path) -> bool {
        self.advance(now);
        self.follow(peer, path)
    }
}
