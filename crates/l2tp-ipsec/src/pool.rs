use alloc::collections::BTreeSet;
use alloc::collections::VecDeque;
use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;

use thiserror::Error;

/// The IPv4 addresses that a server hands to its clients.
///
/// The first host address is the server's own end of every session; the others are lent. An
/// address that comes back is lent again as late as possible, so that packets still under way to
/// its last holder do not reach the next one.
///
/// ```
/// use l2tp_ipsec::AddressPool;
///
/// let mut pool: AddressPool = "10.9.0.0/24".parse()?;
/// assert_eq!(pool.server().to_string(), "10.9.0.1");
/// let first = pool.lend().unwrap();
/// assert_eq!(first.to_string(), "10.9.0.2");
/// pool.give_back(first);
/// assert_eq!(pool.lend().unwrap().to_string(), "10.9.0.3");
/// # Ok::<(), l2tp_ipsec::PoolError>(())
/// ```
#[derive(Clone)]
pub struct AddressPool {
    network: u32,
    prefix: u8,
    server: u32,
    /// The lowest address that was never lent.
    fresh: u32,
    last: u32,
    lent: BTreeSet<u32>,
    /// Addresses that are lent only when they are asked for by name.
    reserved: BTreeSet<u32>,
    /// Addresses that came back, oldest first.
    returned: VecDeque<u32>,
}

/// Why a text does not name a usable pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PoolError {
    /// Not of the form `10.9.0.0/24`.
    #[error("a pool is written as an IPv4 network, like 10.9.0.0/24")]
    Syntax,
    /// No address is left for a client.
    #[error("a pool needs a prefix length from 8 to 30: the server takes the first address")]
    Size,
    /// The address has bits set behind the prefix.
    #[error(
        "the pool's address has bits set behind its prefix length; did you mean {0}, with the same length?"
    )]
    HostBits(Ipv4Addr),
}

impl AddressPool {
    /// The pool of all host addresses in `network`/`prefix`.
    ///
    /// # Errors
    /// [`PoolError`] when the prefix length is not between 8 and 30, or `network` has bits set
    /// behind it.
    pub fn new(network: Ipv4Addr, prefix: u8) -> Result<Self, PoolError> {
        if !(8..=30).contains(&prefix) {
            return Err(PoolError::Size);
        }
        let host_mask = u32::MAX >> prefix;
        let base = u32::from(network);
        if base & host_mask != 0 {
            return Err(PoolError::HostBits(Ipv4Addr::from(base & !host_mask)));
        }
        Ok(Self {
            network: base,
            prefix,
            server: base + 1,
            fresh: base + 2,
            last: base + host_mask - 1,
            lent: BTreeSet::new(),
            reserved: BTreeSet::new(),
            returned: VecDeque::new(),
        })
    }

    /// The server's own address: the pool's first.
    #[must_use]
    pub fn server(&self) -> Ipv4Addr {
        Ipv4Addr::from(self.server)
    }

    /// The length of the network's prefix, in bits.
    #[must_use]
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Keeps an address for [`lend_fixed`](AddressPool::lend_fixed): [`lend`](AddressPool::lend)
    /// passes it over from now on.
    pub fn reserve(&mut self, address: Ipv4Addr) {
        self.reserved.insert(u32::from(address));
    }

    /// Lends an address; `None` when all are lent.
    pub fn lend(&mut self) -> Option<Ipv4Addr> {
        while self.fresh <= self.last {
            let address = self.fresh;
            self.fresh += 1;
            if !self.reserved.contains(&address) && self.lent.insert(address) {
                return Some(Ipv4Addr::from(address));
            }
        }
        while let Some(address) = self.returned.pop_front() {
            if !self.reserved.contains(&address) && self.lent.insert(address) {
                return Some(Ipv4Addr::from(address));
            }
        }
        None
    }

    /// Lends one certain address, and reserves it; `false` when it is lent already or is the
    /// server's.
    ///
    /// An address outside the pool's network is lent too: a user's fixed address may lie anywhere.
    pub fn lend_fixed(&mut self, address: Ipv4Addr) -> bool {
        let address = u32::from(address);
        let lent = address != self.server && self.lent.insert(address);
        if lent {
            self.reserved.insert(address);
        }
        lent
    }

    /// Takes an address back.
    pub fn give_back(&mut self, address: Ipv4Addr) {
        let address = u32::from(address);
        let ours = address > self.server && address < self.fresh;
        if self.lent.remove(&address) && ours && !self.reserved.contains(&address) {
            self.returned.push_back(address);
        }
    }

    /// How many addresses are lent.
    #[must_use]
    pub fn lent(&self) -> usize {
        self.lent.len()
    }
}

impl FromStr for AddressPool {
    type Err = PoolError;

    fn from_str(text: &str) -> Result<Self, PoolError> {
        let (network, prefix) = text.split_once('/').ok_or(PoolError::Syntax)?;
        let network = network.parse().map_err(|_| PoolError::Syntax)?;
        let prefix = prefix.parse().map_err(|_| PoolError::Syntax)?;
        Self::new(network, prefix)
    }
}

impl fmt::Debug for AddressPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = Ipv4Addr::from(self.network);
        write!(f, "AddressPool({network}/{}, {} lent)", self.prefix, self.lent.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn lends_every_host_address_once() {
        let mut pool: AddressPool = "192.0.2.0/29".parse().unwrap();
        let lent: BTreeSet<_> = core::iter::from_fn(|| pool.lend()).collect();
        assert_eq!(lent.len(), 5);
        assert!(!lent.contains(&pool.server()));
        assert!(!lent.contains(&Ipv4Addr::new(192, 0, 2, 7)));
        assert_eq!(pool.lent(), 5);
        pool.give_back(Ipv4Addr::new(192, 0, 2, 4));
        pool.give_back(Ipv4Addr::new(192, 0, 2, 4));
        assert_eq!(pool.lend(), Some(Ipv4Addr::new(192, 0, 2, 4)));
        assert_eq!(pool.lend(), None);
    }

    #[test]
    fn a_fixed_address_is_lent_to_one_only() {
        let mut pool: AddressPool = "192.0.2.0/29".parse().unwrap();
        let fixed = Ipv4Addr::new(192, 0, 2, 2);
        assert!(pool.lend_fixed(fixed));
        assert!(!pool.lend_fixed(fixed));
        assert!(!pool.lend_fixed(pool.server()));
        assert_eq!(pool.lend(), Some(Ipv4Addr::new(192, 0, 2, 3)));
        pool.give_back(fixed);
        let rest: Vec<_> = core::iter::from_fn(|| pool.lend()).collect();
        assert_eq!(rest.len(), 3);
        assert!(!rest.contains(&fixed), "it stays for whom it was lent to by name");
        assert!(pool.lend_fixed(fixed));
        let elsewhere = Ipv4Addr::new(198, 51, 100, 9);
        assert!(pool.lend_fixed(elsewhere));
        pool.give_back(elsewhere);
        assert_eq!(pool.lend(), None, "an address from outside never enters the pool");
    }

    #[test]
    fn a_reserved_address_is_passed_over() {
        let mut pool: AddressPool = "192.0.2.0/29".parse().unwrap();
        pool.reserve(Ipv4Addr::new(192, 0, 2, 2));
        assert_eq!(pool.lend(), Some(Ipv4Addr::new(192, 0, 2, 3)));
        for _ in 0..1000 {
            assert!(pool.lend_fixed(Ipv4Addr::new(192, 0, 2, 2)));
            pool.give_back(Ipv4Addr::new(192, 0, 2, 2));
        }
        assert!(pool.returned.is_empty());
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| text.parse::<AddressPool>().unwrap_err();
        assert_eq!(error("10.0.0.0"), PoolError::Syntax);
        assert_eq!(error("10.0.0/24"), PoolError::Syntax);
        assert_eq!(error("10.0.0.0/x"), PoolError::Syntax);
        assert_eq!(error("10.0.0.0/31"), PoolError::Size);
        assert_eq!(error("0.0.0.0/0"), PoolError::Size);
        assert_eq!(error("10.0.0.9/24"), PoolError::HostBits(Ipv4Addr::new(10, 0, 0, 0)));
    }
}
