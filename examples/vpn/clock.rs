//! The drivers' clock.

use rustix::time::ClockId;
use rustix::time::clock_gettime;
use vpn_core::Instant;

/// Time since boot, suspend included: a peer's timers go on while this machine sleeps.
pub(crate) fn now() -> Instant {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_nsec / 1_000).unwrap_or(0);
    Instant::from_micros(seconds.saturating_mul(1_000_000).saturating_add(micros))
}

/// Waits until `deadline`; for ever without one.
pub(crate) async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep(at.since(now())).await,
        None => std::future::pending().await,
    }
}
