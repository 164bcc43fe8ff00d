//! The drivers' clock.

use std::time::Duration;

use rustix::time::ClockId;
use rustix::time::clock_gettime;
use vpn_core::Instant;

/// Time since boot, suspend included: a peer's timers go on while this machine sleeps.
pub(crate) fn now() -> Instant {
    Instant::from_micros(micros(ClockId::Boottime))
}

/// Microseconds since 1970.
pub(crate) fn unix_micros() -> u64 {
    micros(ClockId::Realtime)
}

/// Seconds since 1970, for the validity of certificates.
pub(crate) fn unix_seconds() -> u64 {
    unix_micros() / 1_000_000
}

fn micros(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_nsec / 1_000).unwrap_or(0);
    seconds.saturating_mul(1_000_000).saturating_add(micros)
}

/// Waits until `deadline`; for ever without one.
pub(crate) async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep(at.since(now())).await,
        None => std::future::pending().await,
    }
}

/// Ticks at once and then hourly: how often certificates need to hear what the time of day is.
pub(crate) fn hourly() -> tokio::time::Interval {
    tokio::time::interval(Duration::from_secs(3600))
}
