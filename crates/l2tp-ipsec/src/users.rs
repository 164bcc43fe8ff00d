use alloc::collections::BTreeMap;
use alloc::string::String;
use core::net::Ipv4Addr;

use vpn_core::SecretBytes;

/// The users that a server knows by itself.
///
/// A name that is not among them is refused, unless the server was told to
/// [ask](crate::ServerConfig::ask_for_users): then it becomes an
/// [`Event::AuthRequest`](crate::ServerEvent::AuthRequest) that the application answers (from
/// RADIUS, a database, …).
///
/// ```
/// use l2tp_ipsec::Users;
///
/// let users = Users::new().user("alice", "wonderland").user("bob", "builder");
/// assert_eq!(users.len(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Users {
    by_name: BTreeMap<String, User>,
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) password: SecretBytes,
    pub(crate) address: Option<Ipv4Addr>,
}

impl Users {
    /// No users.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user, or replaces the one of that name.
    #[must_use]
    pub fn user(self, name: &str, password: &str) -> Self {
        self.insert(name, password, None)
    }

    /// Adds a user who always gets the same address. While one session holds it, a second one of
    /// the same user gets none.
    #[must_use]
    pub fn user_at(self, name: &str, password: &str, address: Ipv4Addr) -> Self {
        self.insert(name, password, Some(address))
    }

    /// How many users there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The addresses that users always get.
    pub(crate) fn fixed_addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.by_name.values().filter_map(|user| user.address)
    }

    /// The user of that name; without one, of the name behind a `DOMAIN\` prefix, as Windows sends
    /// it.
    pub(crate) fn find(&self, name: &str) -> Option<&User> {
        let bare = || name.split_once('\\').map(|(_, bare)| bare);
        self.by_name.get(name).or_else(|| self.by_name.get(bare()?))
    }

    fn insert(mut self, name: &str, password: &str, address: Option<Ipv4Addr>) -> Self {
        let user = User { password: SecretBytes::from(password), address };
        self.by_name.insert(name.into(), user);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_prefix_is_looked_behind() {
        let users = Users::new().user("alice", "a").user("LAB\\bob", "b");
        assert!(users.find("alice").is_some());
        assert!(users.find("WORK\\alice").is_some());
        assert!(users.find("LAB\\bob").is_some());
        assert!(users.find("bob").is_none());
        assert!(users.find("").is_none());
    }

    #[test]
    fn debug_shows_no_password() {
        let text = alloc::format!("{:?}", Users::new().user("alice", "wonderland"));
        assert!(text.contains("alice") && !text.contains("wonderland"));
    }
}
