use alloc::vec::Vec;
use core::net::IpAddr;

use vpn_core::SecretBytes;

use crate::identity::Identity;

/// Whom a pre-shared key is for.
///
/// Main mode picks the key before the identity can be read (RFC 2409 §5.4), so a responder tries
/// every key that the address allows, those of the address first, and then looks whether the
/// identity is the one that the key is for.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PskSelector {
    /// Everybody: a group key. Whoever has it can pass for the server, too (RFC 3193 §5.1).
    Any,
    /// A peer at this address.
    Address(IpAddr),
    /// A peer that proves this identity.
    Identity(Identity),
}

/// What an application answers to
/// [`Event::CredentialsRequest`](crate::Event::CredentialsRequest).
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Credentials {
    /// The keys to try, the most likely first;
    /// [`Limits::psk_candidates`](crate::Limits::psk_candidates) of them at most.
    Psk(Vec<SecretBytes>),
    /// The peer is not known.
    Refuse,
}

/// The pre-shared keys of an endpoint.
#[derive(Clone, Default)]
pub(crate) struct PskTable {
    entries: Vec<(PskSelector, SecretBytes)>,
}

impl PskTable {
    pub(crate) fn insert(&mut self, selector: PskSelector, secret: SecretBytes) {
        self.entries.push((selector, secret));
    }

    /// Whether one of the keys has no octets, and so authenticates nobody.
    pub(crate) fn has_empty_key(&self) -> bool {
        self.entries.iter().any(|(_, secret)| secret.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys to try on a peer at `address`, each with the identity that it is for: those of the
    /// address, those of `identity` or of any identity while it is unknown, and those for all.
    pub(crate) fn candidates(
        &self,
        address: IpAddr,
        identity: Option<&Identity>,
        most: usize,
    ) -> Vec<Candidate> {
        let rank = |selector: &PskSelector| match selector {
            PskSelector::Address(known) => (*known == address).then_some(0),
            PskSelector::Identity(known) => {
                identity.is_none_or(|given| given == known).then_some(1)
            }
            PskSelector::Any => Some(2),
        };
        let mut ranked: Vec<_> = self
            .entries
            .iter()
            .filter_map(|(selector, secret)| Some((rank(selector)?, selector, secret)))
            .collect();
        ranked.sort_by_key(|(rank, _, _)| *rank);
        let only = |selector: &PskSelector| match selector {
            PskSelector::Identity(identity) => Some(identity.clone()),
            _ => None,
        };
        ranked
            .into_iter()
            .take(most)
            .map(|(_, selector, secret)| Candidate { secret: secret.clone(), only: only(selector) })
            .collect()
    }
}

/// A key to try.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) secret: SecretBytes,
    /// The one identity that it is good for, or every one.
    pub(crate) only: Option<Identity>,
}
