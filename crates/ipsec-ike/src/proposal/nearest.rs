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

/// In what two proposals may differ, and whether they do.
type Marks = [(bool, &'static str); 4];

impl Near<IkeProposal> {
    pub(super) fn of_ike(policy: &IkePolicy<'_>, theirs: &[OfferedIke]) -> Option<Self> {
        let usable = theirs.iter().filter_map(|one| Some((one.proposal().ok()?, one.auth)));
        nearest(usable, policy.proposals, |(theirs, auth), ours| {
            let method = auth.is_none_or(|auth| !policy.methods.contains(&auth));
            [
                (method, "authentication method"),
                (theirs.group != ours.group, "Diffie-Hellman group"),
                (theirs.hash != ours.hash, "hash function"),
                (theirs.cipher != ours.cipher, "cipher"),
            ]
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
            [
                (fault, "encapsulation"),
                (theirs.pfs != ours.pfs, "Diffie-Hellman group"),
                (integrity, "integrity algorithm"),
                (cipher, "cipher"),
            ]
        })
    }
}

/// The first of the pairs that differ least. Strangers have it looked for: it allocates for the
/// result alone.
fn nearest<T: Copy, P: Copy>(
    theirs: impl Iterator<Item = (P, T)>,
    ours: &[P],
    compare: impl Fn((P, T), P) -> Marks,
) -> Option<Near<P>> {
    let pairs = theirs.flat_map(|their| ours.iter().map(move |our| (their, *our)));
    let compared = pairs.map(|(their, our)| (their.0, our, compare(their, our)));
    let count = |marks: &Marks| marks.iter().filter(|(differs, _)| *differs).count();
    let (offered, ours, marks) = compared.min_by_key(|(_, _, marks)| count(marks))?;
    let differs = marks.into_iter().filter(|(differs, _)| *differs).map(|(_, name)| name);
    Some(Near { offered, ours, differs: differs.collect() })
}
