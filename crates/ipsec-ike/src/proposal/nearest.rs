use alloc::vec::Vec;

use vpn_core::crypto::EspSuite;

use super::EspProposal;
use super::IkePolicy;
use super::IkeProposal;
use super::OfferedEsp;
use super::OfferedIke;

/// The smallest change that would have made two lists meet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Near<P> {
    /// What the peer offered that comes nearest, as it would stand in our list.
    pub offered: P,
    /// The one of ours that comes nearest to it.
    pub ours: P,
    /// What differs: the cipher, the hash function, and so on.
    pub differs: Vec<&'static str>,
}

impl Near<IkeProposal> {
    pub(super) fn of_ike(policy: &IkePolicy<'_>, theirs: &[OfferedIke]) -> Option<Self> {
        let usable = theirs.iter().filter_map(|one| Some((one.proposal().ok()?, one.auth)));
        nearest(usable, policy.proposals, |(theirs, auth), ours| {
            let method = auth.is_none_or(|auth| !policy.methods.contains(&auth));
            let differs = marked([
                (method, "authentication method"),
                (theirs.group != ours.group, "Diffie-Hellman group"),
                (theirs.hash != ours.hash, "hash function"),
                (theirs.cipher != ours.cipher, "cipher"),
            ]);
            Self { offered: *theirs, ours: *ours, differs }
        })
    }
}

impl Near<EspProposal> {
    pub(super) fn of_esp(ours: &[EspProposal], theirs: &[OfferedEsp]) -> Option<Self> {
        let usable = theirs.iter().filter_map(|one| {
            // Encapsulation is no matter of lists, so what only differs there counts as well.
            let proposal = OfferedEsp { fault: None, ..*one }.proposal().ok()?;
            Some((proposal, one.fault.is_some()))
        });
        nearest(usable, ours, |(theirs, fault), ours| {
            let (cipher, integrity) = match (theirs.suite, ours.suite) {
                (EspSuite::Separate(c1, i1), EspSuite::Separate(c2, i2)) => (c1 != c2, i1 != i2),
                (theirs, ours) => (theirs != ours, false),
            };
            let differs = marked([
                (*fault, "encapsulation"),
                (theirs.pfs != ours.pfs, "Diffie-Hellman group"),
                (integrity, "integrity algorithm"),
                (cipher, "cipher"),
            ]);
            Self { offered: *theirs, ours: *ours, differs }
        })
    }
}

fn marked<const N: usize>(all: [(bool, &'static str); N]) -> Vec<&'static str> {
    all.into_iter().filter(|(differs, _)| *differs).map(|(_, name)| name).collect()
}

/// The first of the pairs that differ least.
fn nearest<T, P>(
    theirs: impl Iterator<Item = T>,
    ours: &[P],
    compare: impl Fn(&T, &P) -> Near<P>,
) -> Option<Near<P>> {
    let mut best: Option<Near<P>> = None;
    for their in theirs {
        for our in ours {
            let near = compare(&their, our);
            if best.as_ref().is_none_or(|best| near.differs.len() < best.differs.len()) {
                best = Some(near);
            }
        }
    }
    best
}
