use vpn_core::Instant;

use crate::config::KeepAlive;
use crate::context::Context;

/// Watches for signs of life of the peer while LCP is open (RFC 1661 §5.8).
///
/// An interval without any is a miss. In each interval after the first the peer is asked, and asked
/// again after the Restart timer, and once more: else a wire that loses a third of its frames would
/// end an idle link within the hour.
#[derive(Default)]
pub(super) struct Watch {
    deadline: Option<Instant>,
    /// Something came from the peer since the deadline was set.
    traffic: bool,
    missed: u8,
    /// Echo-Requests sent in this interval.
    asked: u8,
    /// When this interval is over.
    interval_end: Instant,
}

/// What is to be done when a deadline of the watch has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Finding {
    Nothing,
    SendEcho,
    Lost { missed: u8 },
}

impl Watch {
    /// Starts to watch. The first interval is cut by a random part, at most a half, so that many
    /// links that came up together do not ask at the same moment.
    pub(super) fn start(&mut self, context: &mut Context) {
        *self = Self::default();
        if let Some(KeepAlive { interval, .. }) = context.config.keep_alive {
            let [part] = context.random();
            self.deadline = Some(context.now + (interval - interval / 512 * u32::from(part)));
        }
    }

    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The peer is alive.
    pub(super) const fn note_traffic(&mut self) {
        self.traffic = true;
    }

    pub(super) fn handle_timeout(&mut self, context: &Context) -> Finding {
        let Some(keep_alive) = context.config.keep_alive else { return Finding::Nothing };
        let now = context.now;
        if self.deadline.is_none_or(|at| at > now) {
            return Finding::Nothing;
        }
        if core::mem::take(&mut self.traffic) {
            *self = Self { deadline: Some(now + keep_alive.interval), ..Self::default() };
            return Finding::Nothing;
        }
        if self.asked == 0 || now >= self.interval_end {
            if self.missed >= keep_alive.max_missed {
                self.deadline = None;
                return Finding::Lost { missed: self.missed };
            }
            self.missed += 1;
            self.asked = 0;
            self.interval_end = now + keep_alive.interval;
        }
        self.asked += 1;
        let again = context.restart_deadline(self.asked).min(self.interval_end);
        self.deadline = Some(if self.asked < ASK_TIMES { again } else { self.interval_end });
        Finding::SendEcho
    }
}

/// How often the peer is asked in one interval.
const ASK_TIMES: u8 = 3;
