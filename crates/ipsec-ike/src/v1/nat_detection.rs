//! NAT detection (RFC 3947 §3.2).

use core::net::IpAddr;
use core::net::SocketAddr;

use vpn_core::crypto::Digest;
use vpn_core::crypto::IkeHash;

use crate::Cookies;

/// The content of a NAT-D payload: HASH(CKY-I | CKY-R | IP | Port) with the negotiated hash
/// (RFC 3947 §3.2).
#[must_use]
pub fn nat_detection_hash(hash: &dyn IkeHash, cookies: &Cookies, address: SocketAddr) -> Digest {
    let port = address.port().to_be_bytes();
    let of = |ip: &[u8]| hash.hash(&[&cookies.initiator, &cookies.responder, ip, &port]);
    match address.ip() {
        IpAddr::V4(ip) => of(&ip.octets()),
        IpAddr::V6(ip) => of(&ip.octets()),
    }
}

/// Which of the two sides is behind a NAT, as far as the NAT-D payloads tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NatFound {
    /// The peer does not see us under the address that we have: keepalives are ours to send
    /// (RFC 3947 §3.2).
    pub local: bool,
    /// We do not see the peer under an address that it has.
    pub remote: bool,
}

impl NatFound {
    /// Compares the NAT-D payloads of a peer with the addresses that its datagram came from
    /// (`remote`) and to (`local`).
    ///
    /// The first payload ought to hold our address and the others the peer's, but old clients
    /// swap them. So each payload is compared with both addresses, and an address that no payload
    /// has was translated. A peer that lies about its own address forces encapsulation, and that
    /// is its right.
    ///
    /// `None` without any payload: the peer knows of no NAT traversal.
    #[must_use]
    pub fn compare<'a>(
        hash: &dyn IkeHash,
        cookies: &Cookies,
        local: SocketAddr,
        remote: SocketAddr,
        payloads: impl IntoIterator<Item = &'a [u8]>,
    ) -> Option<Self> {
        let ours = nat_detection_hash(hash, cookies, local);
        let theirs = nat_detection_hash(hash, cookies, remote);
        let mut found = None;
        for payload in payloads {
            let Self { local, remote } = found.unwrap_or(Self { local: true, remote: true });
            found = Some(Self {
                local: local && !ours.ct_eq(payload),
                remote: remote && !theirs.ct_eq(payload),
            });
        }
        found
    }

    /// Whether ESP has to travel in UDP.
    #[must_use]
    pub const fn any(self) -> bool {
        self.local || self.remote
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use vpn_core::crypto::HashAlgorithm;

    const COOKIES: Cookies = Cookies { initiator: [1; 8], responder: [2; 8] };

    fn sha1() -> &'static dyn IkeHash {
        vpn_crypto::provider().ike.hash(HashAlgorithm::Sha1).unwrap()
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn found(local: &str, remote: &str, claimed: &[&str]) -> Option<(bool, bool)> {
        let hash = |text: &&str| nat_detection_hash(sha1(), &COOKIES, address(text));
        let payloads: Vec<Digest> = claimed.iter().map(hash).collect();
        let payloads = payloads.iter().map(Digest::expose);
        let found = NatFound::compare(sha1(), &COOKIES, address(local), address(remote), payloads)?;
        assert_eq!(found.any(), found.local || found.remote);
        Some((found.local, found.remote))
    }

    #[test]
    fn any_order_and_any_number() {
        let (us, peer) = ("203.0.113.1:500", "198.51.100.7:500");
        let (inside, mapped) = ("10.0.0.5:500", "198.51.100.7:1024");
        let cases = [
            // The peer's remote address, then its own.
            (peer, &[us, peer][..], Some((false, false))),
            (peer, &[peer, us], Some((false, false))),
            (peer, &[us, inside], Some((false, true))),
            (peer, &[inside, us], Some((false, true))),
            (mapped, &[us, peer], Some((false, true))), // only the port was changed
            (peer, &[us, inside, "10.0.0.6:500", peer], Some((false, false))),
            (peer, &["192.0.2.1:500", peer], Some((true, false))), // we were seen elsewhere
            (peer, &["192.0.2.1:500", inside], Some((true, true))),
            (peer, &[us], Some((false, true))),
            (peer, &["0.0.0.0:0"], Some((true, true))),
            (peer, &[], None),
        ];
        for (remote, claimed, expected) in cases {
            assert_eq!(found(us, remote, claimed), expected, "{remote} {claimed:?}");
        }
        let (us, peer) = ("[2001:db8::1]:500", "[2001:db8::2]:500");
        assert_eq!(found(us, peer, &[us, peer]), Some((false, false)));
        assert_eq!(found(us, "[2001:db8::3]:500", &[us, peer]), Some((false, true)));
    }

    #[test]
    fn a_part_of_a_hash_is_no_hash() {
        let (us, peer) = (address("203.0.113.1:500"), address("198.51.100.7:500"));
        let hash = nat_detection_hash(sha1(), &COOKIES, us);
        let all = hash.expose();
        for part in [&all[..19], &[], &[all, &[0]].concat()] {
            let found = NatFound::compare(sha1(), &COOKIES, us, peer, [part]).unwrap();
            assert_eq!(found, NatFound { local: true, remote: true });
        }
    }
}
