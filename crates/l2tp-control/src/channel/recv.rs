use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::seq;

/// The longest message that is kept when it comes too early. A longer one must come again: the
/// peer's retransmission brings it, and nobody can fill the memory with few datagrams.
const LONGEST_HELD: usize = 4096;

/// The receiving half: what is expected next, and what came before its turn.
pub(super) struct ReceiveWindow {
    expected: u16,
    held: Vec<(u16, Box<[u8]>)>,
}

/// What the number of a message says about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Next,
    Past,
    Ahead,
    Outside,
}

impl ReceiveWindow {
    pub(super) const fn new(first_ns: u16) -> Self {
        Self { expected: first_ns, held: Vec::new() }
    }

    pub(super) const fn expected(&self) -> u16 {
        self.expected
    }

    pub(super) const fn place(&self, ns: u16, window: u16) -> Place {
        if ns == self.expected {
            Place::Next
        } else if seq::is_past(self.expected, ns) {
            Place::Past
        } else if seq::in_window(self.expected, window, ns) {
            Place::Ahead
        } else {
            Place::Outside
        }
    }

    /// The expected message is being handled.
    pub(super) fn advance(&mut self) {
        let ns = self.expected;
        self.expected = ns.wrapping_add(1);
        // A copy that was held before is of no more use.
        self.held.retain(|(held, _)| *held != ns);
    }

    /// Keeps a message that came before its turn; says whether it is kept.
    pub(super) fn hold(&mut self, ns: u16, message: &[u8]) -> bool {
        if message.len() > LONGEST_HELD || self.held.iter().any(|(held, _)| *held == ns) {
            return false;
        }
        self.held.push((ns, message.into()));
        true
    }

    /// Takes out the expected message, if it came before its turn.
    pub(super) fn take_expected(&mut self) -> Option<Box<[u8]>> {
        let place = self.held.iter().position(|(held, _)| *held == self.expected)?;
        let (_, message) = self.held.swap_remove(place);
        if self.held.is_empty() {
            self.held = Vec::new();
        }
        self.expected = self.expected.wrapping_add(1);
        Some(message)
    }

    pub(super) fn clear(&mut self) {
        self.held = Vec::new();
    }
}

/// Without the messages: they may hold a password.
impl fmt::Debug for ReceiveWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveWindow")
            .field("expected", &self.expected)
            .field("held", &self.held.len())
            .finish()
    }
}
