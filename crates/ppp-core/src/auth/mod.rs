//! Proofs of identity: PAP (RFC 1334), CHAP with MD5 (RFC 1994) and MS-CHAPv2 (RFC 2759).

mod authenticator;
mod chap;
mod exchange;
mod failure;
mod method;
mod mschapv2;
mod pap;
mod prover;
mod request;

pub(crate) use authenticator::Authenticator;
pub(crate) use authenticator::Spent;
pub use chap::ChapCode;
pub use chap::ChapPacket;
pub use chap::chap_md5_response;
pub(crate) use exchange::Authentication;
pub(crate) use exchange::Step;
pub(crate) use exchange::Verified;
pub use failure::MsChapError;
pub use failure::MsChapFailure;
pub use method::AuthMethod;
pub use mschapv2::MsChapV2;
pub use mschapv2::MsChapV2Response;
pub use mschapv2::NtPasswordHash;
pub use mschapv2::without_domain;
pub use pap::PapCode;
pub use pap::PapPacket;
pub(crate) use prover::Prover;
pub use request::Acceptance;
pub use request::AuthRequest;
pub use request::AuthVerdict;
pub use request::Proof;
pub use request::Rejection;
