//! What is negotiated: lists of our own, offers on the wire, and the choice between them.

mod choice;
mod esp;
mod ike;
mod lifetime;
mod nearest;
mod offered_esp;
mod offered_ike;
mod preset;
mod unsupported;

pub use choice::BadChoice;
pub use choice::ChosenEsp;
pub use choice::ChosenIke;
pub use choice::EspPolicy;
pub use choice::IkePolicy;
pub use choice::NoProposal;
pub use choice::accept_esp;
pub use choice::accept_ike;
pub use choice::choose_esp;
pub use choice::choose_ike;
pub use esp::EspAlgorithms;
pub use esp::EspProposal;
pub use esp::write_esp_offer;
pub(crate) use esp::write_esp_values;
pub use ike::IkeAlgorithms;
pub use ike::IkeProposal;
pub use ike::write_ike_offer;
pub(crate) use ike::write_ike_values;
pub use lifetime::Lifetime;
pub use nearest::Near;
pub use offered_esp::OfferedEsp;
pub use offered_ike::OfferedIke;
pub use preset::Preset;
pub use preset::UnknownPreset;
pub use unsupported::UnknownProposal;
pub use unsupported::Unsupported;
