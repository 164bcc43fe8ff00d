use vpn_core::Instant;

use super::Wakeup;
use crate::Endpoint;
use crate::SessionCloseReason;
use crate::SessionHandle;
use crate::TunnelCloseReason;
use crate::TunnelConfig;
use crate::TunnelHandle;
use crate::session::state::CallEvent;
use crate::tunnel::Phase;
use crate::tunnel::state::TunnelEvent;
use crate::tunnel::state::TunnelState;

use super::tools::Tools;

impl Endpoint {
    /// Tells the endpoint what time it is.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        while let Some(wakeup) = self.deadlines.pop_due(now) {
            match wakeup {
                Wakeup::Tunnel(handle) => self.tunnel_timeout(handle),
                Wakeup::Session(handle) => self.session_timeout(handle),
            }
        }
        self.ids.handle_timeout(now);
        while let Some((tunnel, id)) = self.session_quarantine.pop_due(now) {
            self.free_session_id(tunnel, id);
        }
    }

    fn tunnel_timeout(&mut self, handle: TunnelHandle) {
        let now = self.now;
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        tunnel.entered = None;
        let gave_up = tunnel.channel.handle_timeout(now, &tunnel.config.channel).is_err();
        let timer = tunnel.timer.is_some_and(|at| at <= now);
        match tunnel.phase {
            Phase::Open if gave_up => {
                let reason =
                    TunnelCloseReason::NoAnswer { state: tunnel.state, heard: tunnel.heard };
                self.tunnel_event(handle, TunnelEvent::LocalClose, Some(reason));
            }
            Phase::Open if timer && tunnel.state == TunnelState::Established => {
                self.hello_timeout(handle);
            }
            Phase::Open if timer => {
                let reason = TunnelCloseReason::TimedOut(tunnel.state);
                self.tunnel_event(handle, TunnelEvent::LocalClose, Some(reason));
            }
            Phase::Stopping | Phase::Stopped if gave_up || timer => self.forget_tunnel(handle),
            Phase::Open | Phase::Stopping | Phase::Stopped => {}
        }
        self.settle(handle);
    }

    /// Sends a HELLO if nothing was heard for long enough (RFC 2661 §5.5). Data and control
    /// messages move `last_heard` only, so that they cost no timer.
    fn hello_timeout(&mut self, handle: TunnelHandle) {
        let now = self.now;
        let Some(tunnel) = self.tunnels.get_mut(handle.0) else { return };
        let Some(interval) = tunnel.config.hello_interval else {
            tunnel.timer = None;
            return;
        };
        let wait = hello_wait(interval, &mut self.tools);
        let active = now.since(tunnel.last_heard) < interval * 3 / 4;
        let since = if active { tunnel.last_heard } else { now };
        tunnel.timer = Some(since + wait);
        // A message that is unacknowledged finds out as well as a HELLO would.
        if !active && tunnel.channel.queued() == 0 {
            self.send_hello(handle);
        }
    }

    fn session_timeout(&mut self, handle: SessionHandle) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(handle.0) else { return };
        session.entered = None;
        let tunnel = session.tunnel;
        if let Some(queue) = &mut session.reorder {
            queue.handle_timeout(now);
        }
        if session.timer.is_some_and(|at| at <= now) {
            session.timer = None;
            let reason = SessionCloseReason::TimedOut(session.state);
            self.call_event(handle, CallEvent::LocalClose, Some(reason));
        } else {
            self.deliver_reordered(handle);
        }
        self.settle_session(handle);
        self.settle(tunnel);
    }
}

/// When the first HELLO of a tunnel is due that opens at `now`.
pub(super) fn first_hello(
    now: Instant,
    config: &TunnelConfig,
    tools: &mut Tools,
) -> Option<Instant> {
    config.hello_interval.map(|interval| now + hello_wait(interval, tools))
}

/// The interval, less up to a quarter of it, so that tunnels that opened together don't go on
/// speaking together.
fn hello_wait(interval: core::time::Duration, tools: &mut Tools) -> core::time::Duration {
    let [part] = tools.random().unwrap_or_default();
    interval.saturating_sub(interval * u32::from(part) / (4 * 256))
}
