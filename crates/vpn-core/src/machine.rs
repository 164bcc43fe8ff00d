#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use crate::Instant;
#[cfg(feature = "alloc")]
use crate::{Handled, Path, Transmit};

/// Anything that is driven by time and reports events.
///
/// # The contract of control machines
///
/// Every control machine of this workspace keeps these rules, and every driver may rely on them.
///
/// 1. Any `&mut self` call may create output. Drain `poll_transmit` until `None`, then
///    [`poll_event`](Machine::poll_event) until `None`, then read
///    [`poll_timeout`](Machine::poll_timeout). Draining late only delays.
/// 2. `poll_timeout` is cheap (never O(sessions)) and, once the machine is drained, later than the
///    last `handle_timeout`: no hot loop.
/// 3. Early, late and repeated timeouts are safe. Time never runs backwards: an older `now` is
///    taken as the newest seen.
/// 4. Work per call is bounded; queues are capped by configuration; overflow drops and counts.
/// 5. After the final event the machine is inert: no transmit, no event, no timeout.
/// 6. No callbacks, re-entry, locks, clock, global state, RNG of its own. `Drop` sends nothing.
/// 7. Garbage from the network is never `Err`: it is
///    [`Handled::Dropped`](crate::Handled::Dropped) and a counter. A fatal fault of the peer is
///    a closing event with its reason. Only the caller's own mistakes are `Err`.
pub trait Machine {
    /// What the machine reports.
    type Event;

    /// Tells the machine what time it is.
    fn handle_timeout(&mut self, now: Instant);

    /// When [`handle_timeout`](Machine::handle_timeout) must be called next, if ever.
    fn poll_timeout(&self) -> Option<Instant>;

    /// The next event, oldest first.
    fn poll_event(&mut self) -> Option<Self::Event>;
}

/// A [`Machine`] that speaks in datagrams.
#[cfg(feature = "alloc")]
pub trait DatagramMachine: Machine {
    /// Takes one datagram from the network. It may be changed in place (deciphered, say).
    fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Handled;

    /// Appends the next datagram to send to `buf` and says where it goes.
    fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit>;
}
