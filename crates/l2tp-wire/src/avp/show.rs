//! How values are shown to people.

use core::fmt;
use core::fmt::Formatter;

use crate::Accm;
use crate::BearerTypes;
use crate::CallErrors;
use crate::FramingTypes;
use crate::PppDisconnectCause;
use crate::ProxyAuthenId;
use crate::ProxyAuthenResponse;
use crate::Q931Cause;
use crate::ResultCode;

pub(super) fn plain(value: &dyn fmt::Display, f: &mut Formatter<'_>) -> fmt::Result {
    value.fmt(f)
}

pub(super) fn hexadecimal(value: &dyn fmt::LowerHex, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str("0x")?;
    value.fmt(f)
}

pub(super) fn octets(value: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    value.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
}

pub(super) fn text(value: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    match core::str::from_utf8(value) {
        Ok(text) => write!(f, "{}", text.escape_debug()),
        Err(_) => write!(f, "{}", value.escape_ascii()),
    }
}

pub(super) fn result_code(value: &ResultCode<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "result {}, error {} ({})", value.result, value.error.0, value.error)?;
    remark(value.message, f)
}

pub(super) fn q931_cause(value: &Q931Cause<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "cause {}, message {:#04x}", value.code, value.message)?;
    remark(value.advisory, f)
}

pub(super) fn disconnect_cause(
    value: &PppDisconnectCause<'_>,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let PppDisconnectCause { code, protocol, direction, message } = value;
    write!(f, "{code}, protocol {protocol:#06x}, {direction}")?;
    remark(message, f)
}

fn remark(message: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    if message.is_empty() {
        return Ok(());
    }
    f.write_str(", \"")?;
    text(message, f)?;
    f.write_str("\"")
}

pub(super) fn framing(value: &FramingTypes, f: &mut Formatter<'_>) -> fmt::Result {
    flags(value, f)
}

pub(super) fn bearer(value: &BearerTypes, f: &mut Formatter<'_>) -> fmt::Result {
    flags(value, f)
}

fn flags<B: bitflags::Flags>(value: &B, f: &mut Formatter<'_>) -> fmt::Result
where
    B::Bits: bitflags::parser::WriteHex,
{
    if value.is_empty() {
        return f.write_str("none");
    }
    bitflags::parser::to_writer(value, f)
}

pub(super) fn proxy_id(value: &ProxyAuthenId, f: &mut Formatter<'_>) -> fmt::Result {
    plain(&value.0, f)
}

pub(super) fn proxy_response(
    value: &ProxyAuthenResponse<'_>,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    octets(value.0, f)
}

pub(super) fn call_errors(value: &CallErrors, f: &mut Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "CRC {}, framing {}, hardware overruns {}, buffer overruns {}, time-outs {}, \
         alignment {}",
        value.crc_errors,
        value.framing_errors,
        value.hardware_overruns,
        value.buffer_overruns,
        value.timeout_errors,
        value.alignment_errors
    )
}

pub(super) fn accm(value: &Accm, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "send {:#010x}, receive {:#010x}", value.send, value.receive)
}
