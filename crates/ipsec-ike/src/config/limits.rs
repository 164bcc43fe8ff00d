use core::time::Duration;

/// What strangers and peers may cost at most.
///
/// The defaults let a thousand clients behind one NAT come in within a minute, and keep a flood
/// of first messages below 32 MiB.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How many attempts of others may be under way at once. When there is no room, the oldest
    /// one whose address is not proven yet makes place.
    pub half_open: usize,
    /// How many of them may come from one address.
    pub half_open_per_address: usize,
    /// For how long an attempt may wait for the peer's next message before its address is proven
    /// (by the return of our cookie in its second message), and as long again after that.
    pub half_open_time: Duration,
    /// How many key exchanges one address may ask for at once before it is authenticated.
    pub key_exchange_burst: u32,
    /// How many it may ask for in a second in the long run.
    pub key_exchanges_per_second: u32,
    /// How many peers may be up at once.
    pub peers: usize,
    /// How many pairs of ESP security associations a peer may have at once, old ones included.
    pub children_per_peer: usize,
    /// How many exchanges may be under way at once under one IKE SA.
    pub exchanges_per_sa: usize,
    /// How many pre-shared keys are tried on one peer's message 5;
    /// [`MAX_PSKS`](crate::v1::auth::MAX_PSKS) at most.
    pub psk_candidates: usize,
    /// How many times a message 5 that no key opens is looked at before the rest are ignored.
    pub authentication_attempts: u32,
    /// How many datagrams wait to be taken, and how many events there may be before those that
    /// strangers bring about (failed attempts, requests for credentials), and traces, are dropped.
    pub queue: usize,
    /// How many [`Event::Failed`](crate::Event::Failed) are reported in a second at most.
    pub failures_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            half_open: 10_000,
            half_open_per_address: 256,
            half_open_time: Duration::from_secs(30),
            key_exchange_burst: 256,
            key_exchanges_per_second: 64,
            peers: 100_000,
            children_per_peer: 16,
            exchanges_per_sa: 16,
            psk_candidates: 8,
            authentication_attempts: 4,
            queue: 4_096,
            failures_per_second: 10,
        }
    }
}
