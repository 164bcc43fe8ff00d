//! What real clients offer, as data: for tests that emulate them, and for people who look for the
//! reason why one does not connect.
//!
//! Transforms stand in the order and with the numbers that the client sends, weak ones included. Where
//! the facts are from is said with each client.

mod clients;

use alloc::vec::Vec;
use core::time::Duration;

use vpn_core::crypto::DhGroup;

pub use clients::ANDROID;
pub use clients::ANDROID_IDENTIFIER;
pub use clients::APPLE;
pub use clients::APPLE_GROUP_NAME;
pub use clients::CHROME_OS;
pub use clients::LIBRESWAN;
pub use clients::MIKROTIK;
pub use clients::NETWORK_MANAGER;
pub use clients::STRONGSWAN;
pub use clients::WINDOWS_7;
pub use clients::WINDOWS_10;
pub use clients::WINDOWS_11;

use crate::AuthMethod;
use crate::EncapsulationMode;
use crate::IdType;
use crate::Lifetimes;
use crate::payload::SecurityAssociation;
use crate::proposal::EspAlgorithms;
use crate::proposal::EspProposal;
use crate::proposal::IkeAlgorithms;
use crate::proposal::IkeProposal;
use crate::proposal::Lifetime;
use crate::proposal::OfferedEsp;
use crate::proposal::OfferedIke;
use crate::proposal::Preset;
use crate::proposal::write_esp_values;
use crate::proposal::write_ike_values;
use crate::vendor::Fingerprint;

/// How a client begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Main mode.
    Main,
    /// Aggressive mode.
    Aggressive,
}

/// Which port a client's side of the quick mode selectors has. The server's is 17/1701 always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientPort {
    /// 17/1701, and L2TP comes from there.
    L2tp,
    /// 17/0: any. L2TP comes from a port that the system gave.
    Any,
    /// The port that the system gave, and L2TP comes from there.
    Ephemeral,
}

/// How one kind of client begins.
#[derive(Clone, Copy, Debug)]
pub struct ClientProfile {
    /// What people call it.
    pub name: &'static str,
    /// Its mode of phase 1.
    pub mode: Mode,
    /// The transforms of phase 1, best first.
    pub ike: &'static [IkeAlgorithms],
    /// The lifetime in each of them.
    pub ike_lifetime: Lifetime,
    /// The transforms of ESP, best first.
    pub esp: &'static [EspAlgorithms],
    /// The lifetimes in each of them.
    pub esp_lifetime: Lifetime,
    /// The group of quick mode, where it asks for perfect forward secrecy.
    pub pfs: Option<DhGroup>,
    /// The bodies of the Vendor ID payloads of message 1, in order.
    pub vendor_ids: &'static [&'static [u8]],
    /// What kind of identity it sends. An address is the one of its own interface, which behind a
    /// NAT is a private one.
    pub identity: IdType,
    /// Its side of the selectors.
    pub port: ClientPort,
    /// How many NAT-OA payloads it sends in quick mode behind a NAT.
    pub nat_oa: u8,
    /// Whether it answers R-U-THERE.
    pub dpd: bool,
    /// Whether it takes fragments.
    pub fragmentation: bool,
    /// The strictest preset of a server that it can connect to.
    pub preset: Preset,
    /// What its first message is recognised as.
    pub fingerprint: Fingerprint,
}

impl ClientProfile {
    /// Every profile.
    pub const ALL: &'static [Self] = &[
        WINDOWS_7,
        WINDOWS_10,
        WINDOWS_11,
        APPLE,
        APPLE_GROUP_NAME,
        ANDROID,
        ANDROID_IDENTIFIER,
        NETWORK_MANAGER,
        CHROME_OS,
        MIKROTIK,
        STRONGSWAN,
        LIBRESWAN,
    ];

    /// For how long it uses keys.
    #[must_use]
    pub fn lifetimes(&self) -> Lifetimes {
        let time = |lifetime: Lifetime| {
            Duration::from_secs(lifetime.seconds.unwrap_or(Lifetime::DEFAULT_SECONDS))
        };
        Lifetimes {
            ike: time(self.ike_lifetime),
            esp: time(self.esp_lifetime),
            esp_kilobytes: self.esp_lifetime.kilobytes,
        }
    }

    /// A port that its L2TP may come from.
    #[must_use]
    pub const fn source_port(&self) -> u16 {
        match self.port {
            ClientPort::L2tp => 1701,
            ClientPort::Any | ClientPort::Ephemeral => 50_123,
        }
    }

    /// Appends the body of the SA payload of its first message, with a pre-shared key.
    pub fn write_ike_offer(&self, out: &mut Vec<u8>) {
        write_ike_values(out, self.ike, AuthMethod::PRE_SHARED_KEY, self.ike_lifetime);
    }

    /// Appends the body of the SA payload of its quick mode.
    pub fn write_esp_offer(&self, out: &mut Vec<u8>, spi: u32, mode: EncapsulationMode) {
        write_esp_values(out, spi, self.esp, self.pfs, mode, self.esp_lifetime);
    }

    /// What it offers in phase 1, as far as it can be used at all: no DES.
    #[must_use]
    pub fn ike_proposals(&self) -> Vec<IkeProposal> {
        let mut body = Vec::new();
        self.write_ike_offer(&mut body);
        let sa = SecurityAssociation::decode(&body);
        let proposals = sa.iter().flat_map(SecurityAssociation::proposals);
        let transforms = proposals.flat_map(|proposal| proposal.transforms());
        transforms.filter_map(|one| OfferedIke::read(&one).proposal().ok()).collect()
    }

    /// What it offers in phase 2, as far as it can be used at all: no DES.
    #[must_use]
    pub fn esp_proposals(&self) -> Vec<EspProposal> {
        let mut body = Vec::new();
        self.write_esp_offer(&mut body, u32::MAX, EncapsulationMode::TRANSPORT);
        let sa = SecurityAssociation::decode(&body);
        let proposals = sa.iter().flat_map(SecurityAssociation::proposals);
        let offered = proposals.flat_map(|proposal| {
            proposal.transforms().map(move |one| OfferedEsp::read(&proposal, &one))
        });
        offered.filter_map(|one| one.proposal().ok()).collect()
    }
}
