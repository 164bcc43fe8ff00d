//! What an endpoint is told before it begins.

mod connect;
mod endpoint;
mod limits;
mod policy;
mod psk;
mod retransmission;
mod selector;

pub use connect::ConnectConfig;
pub use endpoint::ConfigError;
pub use endpoint::EndpointConfig;
pub use limits::Limits;
pub use policy::Dpd;
pub use policy::Encapsulation;
pub use policy::Lifetimes;
pub use policy::RemoteIdentity;
pub use psk::Credentials;
pub use psk::PskSelector;
pub use retransmission::Retransmission;
pub use selector::SelectorPolicy;
pub use selector::Selectors;

pub(crate) use connect::NAT_T_PORT;
pub(crate) use policy::Policy;
pub(crate) use policy::Signer;
pub(crate) use psk::Candidate;
pub(crate) use psk::PskTable;
