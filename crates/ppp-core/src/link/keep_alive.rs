use vpn_core::Instant;

use crate::config::KeepAlive;
use crate::context::Context;

/// Watches for signs of life of the peer while LCP is open (RFC 1661 §5.8).
#[derive(Default)]
pub(super) struct Watch {
    deadline: Option<Instant>,
    /// Something came from the peer since the deadline was set.
    traffic: bool,
    missed: u8,
}

/// What is to be done when the peer has been watched for an interval.
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
        if self.deadline.is_none_or(|at| at > context.now) {
            return Finding::Nothing;
        }
        self.deadline = Some(context.now + keep_alive.interval);
        if core::mem::take(&mut self.traffic) {
            self.missed = 0;
            return Finding::Nothing;
        }
        if self.missed >= keep_alive.max_missed {
            self.deadline = None;
            return Finding::Lost { missed: self.missed };
        }
        self.missed += 1;
        Finding::SendEcho
    }
}
