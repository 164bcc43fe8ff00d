/// UDP, the only protocol of L2TP.
pub(crate) const UDP: u8 = 17;
/// Where L2TP is served (RFC 2661 §8.1).
pub(crate) const L2TP_PORT: u16 = 1701;

/// What an ESP pair shall carry, as its initiator asks for it in the two Identification payloads
/// of quick mode (RFC 2407 §4.6.2, RFC 3193 §4.2). The addresses are those of the path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Selectors {
    /// The IP protocol; 0 means every one.
    pub protocol: u8,
    /// Our port; 0 means every one.
    pub local_port: u16,
    /// The peer's port; 0 means every one.
    pub remote_port: u16,
}

impl Selectors {
    /// What every L2TP server takes: UDP between the ports 1701 of both sides.
    #[must_use]
    pub const fn l2tp() -> Self {
        Self { protocol: UDP, local_port: L2TP_PORT, remote_port: L2TP_PORT }
    }
}

impl Default for Selectors {
    fn default() -> Self {
        Self::l2tp()
    }
}

/// Which selectors of others a responder agrees to.
///
/// Clients ask for their own port 1701, for 0 (every port), or for the port that they happen to
/// have, and their address is a private one when they are behind a NAT: only protocol and ports
/// are looked at, and the addresses are replaced with those of the path.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelectorPolicy {
    /// Whatever the peer asks for.
    Any,
    /// One protocol; our port as given or every port; any port of the peer.
    Service {
        /// The IP protocol that must be named. 0 by the peer counts as this one.
        protocol: u8,
        /// Our port. 0 by the peer counts as this one.
        port: u16,
    },
}

impl SelectorPolicy {
    /// UDP to our port 1701, from any port (RFC 3193 §4.2.3).
    #[must_use]
    pub const fn l2tp() -> Self {
        Self::Service { protocol: UDP, port: L2TP_PORT }
    }

    /// Whether the policy takes `asked`.
    #[must_use]
    pub fn allows(&self, asked: Selectors) -> bool {
        match *self {
            Self::Any => true,
            Self::Service { protocol, port } => {
                (asked.protocol == protocol || asked.protocol == 0)
                    && (asked.local_port == port || asked.local_port == 0)
            }
        }
    }
}

impl Default for SelectorPolicy {
    fn default() -> Self {
        Self::l2tp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the clients of the field ask for, seen from the server (RFC 3193 §4.2).
    #[test]
    fn l2tp_policy_takes_what_clients_send() {
        let policy = SelectorPolicy::l2tp();
        let cases = [
            // protocol, our port, theirs, taken
            (17, 1701, 1701, true),   // Windows, ChromeOS
            (17, 1701, 0, true),      // Android, nm-l2tp
            (17, 1701, 50_123, true), // macOS
            (17, 0, 1701, true),      // a responder that may float
            (0, 0, 0, true),          // whole hosts
            (6, 1701, 0, false),
            (17, 80, 0, false),
        ];
        for (protocol, local_port, remote_port, taken) in cases {
            let asked = Selectors { protocol, local_port, remote_port };
            assert_eq!(policy.allows(asked), taken, "{asked:?}");
            assert!(SelectorPolicy::Any.allows(asked));
        }
    }
}
