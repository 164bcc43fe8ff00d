//! The content of each payload: views that borrow from a message, and what writes them.
//!
//! A view's `decode` takes the body, what follows the generic header, and checks every length and
//! count in it; what a view hands out afterwards needs no more checks. `encode` appends a body. The
//! body of a Vendor ID payload is the vendor ID itself.

mod certificate;
mod delete;
mod identification;
mod nat_original_address;
mod notification;
mod opaque;
mod proposal;
mod security_association;
mod transform;

pub use certificate::Certificate;
pub use certificate::CertificateRequest;
pub use delete::Delete;
pub use identification::Identification;
pub use nat_original_address::NatOriginalAddress;
pub use notification::Notification;
pub use opaque::Hash;
pub use opaque::KeyExchange;
pub use opaque::NatDetection;
pub use opaque::Nonce;
pub use opaque::Signature;
pub use proposal::Proposal;
pub use proposal::encode_proposal;
pub use security_association::DOI_IPSEC;
pub use security_association::SIT_IDENTITY_ONLY;
pub use security_association::SecurityAssociation;
pub use transform::Transform;
pub use transform::encode_transform;
