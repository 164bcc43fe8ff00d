use core::cmp::Ordering;

/// Which of two SCCRQs that crossed each other goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tie {
    Ours,
    Theirs,
    /// Neither: both tunnels are given up.
    Neither,
    /// Both: nobody wanted a single tunnel.
    Both,
}

/// Compares the Tie Breakers of two SCCRQs that crossed each other (RFC 2661 §4.4.3): the lower
/// wins, and one that is there wins over one that is not.
pub(crate) fn decide(ours: Option<u64>, theirs: Option<u64>) -> Tie {
    match (ours, theirs) {
        (None, None) => Tie::Both,
        (Some(_), None) => Tie::Ours,
        (None, Some(_)) => Tie::Theirs,
        (Some(ours), Some(theirs)) => match ours.cmp(&theirs) {
            Ordering::Less => Tie::Ours,
            Ordering::Greater => Tie::Theirs,
            Ordering::Equal => Tie::Neither,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_section_4_4_3() {
        assert_eq!(decide(None, None), Tie::Both);
        assert_eq!(decide(Some(9), None), Tie::Ours);
        assert_eq!(decide(None, Some(9)), Tie::Theirs);
        assert_eq!(decide(Some(1), Some(2)), Tie::Ours);
        assert_eq!(decide(Some(2), Some(1)), Tie::Theirs);
        assert_eq!(decide(Some(u64::MAX), Some(u64::MAX)), Tie::Neither);
    }
}
