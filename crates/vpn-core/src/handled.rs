use core::fmt;

/// What became of an input from the network.
///
/// Garbage from the network is never an error of the caller: it is dropped, with a reason that
/// the machine also counts.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Handled {
    /// The input was taken, and may have made output.
    Consumed,
    /// The input changed nothing.
    Dropped(DropReason),
}

macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why an input was dropped.
        #[non_exhaustive]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum DropReason {
            $($(#[$doc])* $name,)*
        }

        impl DropReason {
            /// Every reason, in the order of [`DropReason::index`].
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// A stable, short, lower-case name, fit for a metric.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

drop_reasons! {
    /// Shorter than its header or a length field says.
    Truncated = "truncated",
    /// Breaks a rule of its format.
    Malformed = "malformed",
    /// A protocol version that is not spoken here (L2F, L2TPv3, …).
    UnsupportedVersion = "unsupported_version",
    /// Came through a socket where this traffic is not allowed, such as L2TP in clear.
    NotAllowed = "not_allowed",
    /// Names a tunnel that does not exist.
    UnknownTunnel = "unknown_tunnel",
    /// Names a session that does not exist.
    UnknownSession = "unknown_session",
    /// Right identifiers from the wrong address or security association.
    WrongPeer = "wrong_peer",
    /// Seen before.
    Duplicate = "duplicate",
    /// A sequence number outside the window.
    OutOfWindow = "out_of_window",
    /// Arrived after its turn on a sequenced session.
    Late = "late",
    /// Failed authentication or an integrity check.
    Unauthenticated = "unauthenticated",
    /// A limit of the configuration was reached.
    LimitReached = "limit_reached",
    /// Valid, but not in the present state.
    UnexpectedState = "unexpected_state",
    /// A PPP protocol that is not open on this link.
    ProtocolNotOpen = "protocol_not_open",
    /// An IP packet whose address is not the session's own.
    WrongAddress = "wrong_address",
    /// Larger than the receiver agreed to take.
    TooLarge = "too_large",
    /// An answer to nothing that was asked.
    UnknownTicket = "unknown_ticket",
    /// The machine has closed.
    Closed = "closed",
    /// Sent only to be thrown away.
    Dummy = "dummy",
    /// Names a security association that does not exist.
    UnknownSpi = "unknown_spi",
}

impl DropReason {
    /// The place of this reason in [`DropReason::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often each [`DropReason`] occurred.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DropCounters {
    counts: [u64; DropReason::ALL.len()],
}

impl Default for DropCounters {
    fn default() -> Self {
        Self { counts: [0; DropReason::ALL.len()] }
    }
}

impl DropCounters {
    /// Counts one drop and returns it as the result of a handler.
    pub fn drop(&mut self, reason: DropReason) -> Handled {
        self.add(reason, 1);
        Handled::Dropped(reason)
    }

    /// Adds `n` drops.
    pub fn add(&mut self, reason: DropReason, n: u64) {
        if let Some(count) = self.counts.get_mut(reason.index()) {
            *count = count.saturating_add(n);
        }
    }

    /// How often `reason` occurred.
    #[must_use]
    pub fn get(&self, reason: DropReason) -> u64 {
        self.counts.get(reason.index()).copied().unwrap_or(0)
    }

    /// All drops together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Each reason that occurred, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        DropReason::ALL.iter().map(|r| (*r, self.get(*r))).filter(|(_, n)| *n > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_is_the_place_in_all() {
        for (place, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), place);
        }
    }

    #[test]
    fn counts_each_reason_apart() {
        let mut counters = DropCounters::default();
        assert_eq!(counters.drop(DropReason::Late), Handled::Dropped(DropReason::Late));
        counters.add(DropReason::Closed, 2);
        assert_eq!(counters.get(DropReason::Late), 1);
        assert_eq!(counters.total(), 3);
        assert_eq!(counters.iter().count(), 2);
    }
}
