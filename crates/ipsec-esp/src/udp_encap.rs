//! ESP in UDP (RFC 3948): telling apart what arrives on port 4500, and keep-alives.

use core::time::Duration;

use vpn_core::Instant;

use crate::EspHeader;

/// Four zero octets where an ESP packet has its SPI: what follows is an IKE message (RFC 3948 §2.2).
pub const NON_ESP_MARKER: [u8; 4] = [0; 4];

/// What keeps a NAT mapping alive (RFC 3948 §2.3).
pub const KEEPALIVE: &[u8] = &[0xff];

/// Octets of the shortest ESP packet that any suite makes: a header, a trailer on a boundary of 4
/// octets, and an ICV of 96 bits.
pub const MIN_ESP_LEN: usize = EspHeader::LEN + 4 + 12;

/// What a datagram on the NAT traversal port is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encapsulated<'a> {
    /// A keep-alive: count it and forget it. It says nothing about whether the peer lives (RFC 3948
    /// §4).
    Keepalive,
    /// An IKE message, without the marker.
    Ike(&'a [u8]),
    /// An ESP packet, from its SPI on.
    Esp(&'a [u8]),
    /// Nothing that can be there: drop it.
    Malformed,
}

/// Tells what `datagram`, the payload of a UDP datagram on port 4500, is.
///
/// ```
/// use ipsec_esp::udp_encap::Encapsulated;
/// use ipsec_esp::udp_encap::classify;
///
/// assert_eq!(classify(&[0xff]), Encapsulated::Keepalive);
/// assert_eq!(classify(&[0, 0, 0, 0, 7, 8]), Encapsulated::Ike(&[7, 8]));
/// assert_eq!(classify(&[9; 24]), Encapsulated::Esp(&[9; 24]));
/// assert_eq!(classify(&[9; 23]), Encapsulated::Malformed);
/// ```
#[must_use]
pub fn classify(datagram: &[u8]) -> Encapsulated<'_> {
    if datagram == KEEPALIVE {
        return Encapsulated::Keepalive;
    }
    match datagram.strip_prefix(&NON_ESP_MARKER) {
        Some(message) => Encapsulated::Ike(message),
        None if datagram.len() >= MIN_ESP_LEN => Encapsulated::Esp(datagram),
        None => Encapsulated::Malformed,
    }
}

/// When to send keep-alives to one peer (RFC 3948 §4).
///
/// One is due when nothing was sent to the peer for the whole interval. The data path has no clock,
/// so it does not report what it sends; instead the owner passes, with the time, a count that grows
/// with every packet sent: the packets of [`OutboundSa::usage`](crate::OutboundSa::usage), say, plus
/// the IKE messages.
///
/// ```
/// use core::time::Duration;
///
/// use ipsec_esp::udp_encap::Keepalive;
/// use vpn_core::Instant;
///
/// let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
/// let mut keepalive = Keepalive::new(Keepalive::INTERVAL, at(0), 0);
/// assert_eq!(keepalive.poll_timeout(), at(20));
/// assert!(!keepalive.handle_timeout(at(20), 7), "seven packets went out meanwhile");
/// assert_eq!(keepalive.poll_timeout(), at(40));
/// assert!(keepalive.handle_timeout(at(40), 7), "silence: send KEEPALIVE");
/// ```
#[derive(Clone, Debug)]
pub struct Keepalive {
    interval: Duration,
    next: Instant,
    sent: u64,
}

impl Keepalive {
    /// The default interval (RFC 3948 §4).
    pub const INTERVAL: Duration = Duration::from_secs(20);

    /// Starts at `now`, when `sent` packets have gone out.
    #[must_use]
    pub fn new(interval: Duration, now: Instant, sent: u64) -> Self {
        Self { interval, next: now + interval, sent }
    }

    /// When [`Keepalive::handle_timeout`] should be called.
    #[must_use]
    pub const fn poll_timeout(&self) -> Instant {
        self.next
    }

    /// Whether a [`KEEPALIVE`] must be sent now. `sent` is how many packets have gone out.
    ///
    /// Traffic is seen only here, so after it stops the silence may last up to two intervals: choose
    /// the interval at half of what the NAT is known to bear.
    #[must_use]
    pub fn handle_timeout(&mut self, now: Instant, sent: u64) -> bool {
        if now < self.next {
            return false;
        }
        let silent = sent == self.sent;
        self.sent = sent;
        self.next = now + self.interval;
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every length up to 64 with every first octet, and zeros of every number in front.
    #[test]
    fn every_short_datagram_has_one_answer() {
        for len in 0..=64 {
            for first in 0..=u8::MAX {
                for zeros in 0..=4_usize.min(len) {
                    let mut datagram = [0x11; 64];
                    datagram[0] = first;
                    datagram[..zeros].fill(0);
                    let datagram = &datagram[..len];
                    let want = match () {
                        () if len == 1 && datagram[0] == 0xff => Encapsulated::Keepalive,
                        () if len >= 4 && zeros == 4 => Encapsulated::Ike(&datagram[4..]),
                        () if len >= 24 => Encapsulated::Esp(datagram),
                        () => Encapsulated::Malformed,
                    };
                    assert_eq!(classify(datagram), want, "{datagram:x?}");
                }
            }
        }
    }

    #[test]
    fn a_keepalive_is_due_only_in_silence() {
        let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
        let mut keepalive = Keepalive::new(Keepalive::INTERVAL, at(100), 5);
        assert!(!keepalive.handle_timeout(at(119), 5), "early");
        assert!(keepalive.handle_timeout(at(120), 5));
        assert!(!keepalive.handle_timeout(at(120), 5), "repeated");
        assert!(!keepalive.handle_timeout(at(140), 6), "traffic");
        assert!(keepalive.handle_timeout(at(500), 6), "late");
        assert_eq!(keepalive.poll_timeout(), at(520));
        assert!(!keepalive.handle_timeout(at(0), 6), "time does not run backwards");
    }
}
