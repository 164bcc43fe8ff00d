//! Attribute-value pairs (RFC 2661 §4).

mod call;
pub mod hidden;
mod proxy;
mod raw;
mod result;
mod show;
mod status;
mod tunnel;
mod typed;
mod value;

pub use call::BearerTypes;
pub use call::FramingTypes;
pub use call::Q931Cause;
pub use proxy::ProxyAuthenId;
pub use proxy::ProxyAuthenResponse;
pub use proxy::ProxyAuthenType;
pub use raw::AvpError;
pub use raw::Avps;
pub use raw::RawAvp;
pub use result::PppDisconnectCause;
pub use result::ResultCode;
pub use status::Accm;
pub use status::CallErrors;
pub use tunnel::ProtocolVersion;
pub use typed::Avp;
pub use value::ValueError;

pub(crate) use raw::AVP_HEADER_LEN;
pub(crate) use raw::AvpHeader;
pub(crate) use raw::HIDDEN;
pub(crate) use raw::MAX_AVP_LEN;
pub(crate) use raw::first_message_type;
pub(crate) use raw::mandatory_bit;
pub(crate) use value::Value;
pub(crate) use value::decode_value;
pub(crate) use value::forbidden;
