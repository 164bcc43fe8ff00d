//! The values of AVPs in words.

use l2tp_wire::Avp;
use l2tp_wire::MessageType;
use l2tp_wire::ResultCode;
use serde_json::json;

use super::ppp_options::lcp_options_value;
use super::shown::Shown;
use super::shown::list;
use super::shown::quoted;

/// What an AVP of `message` says.
pub(crate) fn avp_value(avp: &Avp<'_>, message: Option<MessageType>) -> Shown {
    match *avp {
        Avp::MessageType(message) => Shown::new(message.0, message.to_string()),
        Avp::ResultCode(code) => result_code(&code, message),
        Avp::AssignedTunnelId(id) | Avp::AssignedSessionId(id) => Shown::number(id),
        Avp::ReceiveWindowSize(size) => Shown::number(size),
        Avp::FirmwareRevision(revision) => Shown::new(revision, avp.to_string()),
        Avp::CallSerialNumber(number) => Shown::number(number),
        Avp::MinimumBps(bps)
        | Avp::MaximumBps(bps)
        | Avp::TxConnectSpeed(bps)
        | Avp::RxConnectSpeed(bps) => Shown::new(bps, format!("{bps} bit/s")),
        Avp::PhysicalChannelId(id) => Shown::new(id, avp.to_string()),
        Avp::FramingCapabilities(kinds) | Avp::FramingType(kinds) => {
            let names: Vec<_> = kinds.iter_names().map(|(name, _)| name).collect();
            Shown::new(kinds.bits(), list(&names, "none").to_lowercase())
        }
        Avp::BearerCapabilities(kinds) | Avp::BearerType(kinds) => {
            let names: Vec<_> = kinds.iter_names().map(|(name, _)| name).collect();
            Shown::new(kinds.bits(), list(&names, "none").to_lowercase())
        }
        Avp::HostName(text)
        | Avp::VendorName(text)
        | Avp::CalledNumber(text)
        | Avp::CallingNumber(text)
        | Avp::SubAddress(text)
        | Avp::ProxyAuthenName(text)
        | Avp::PrivateGroupId(text) => Shown::string(text),
        Avp::Challenge(octets) | Avp::ProxyAuthenChallenge(octets) | Avp::RandomVector(octets) => {
            Shown::octets(octets)
        }
        Avp::ChallengeResponse(octets) => Shown::octets(&octets),
        Avp::InitialReceivedLcpConfreq(options)
        | Avp::LastSentLcpConfreq(options)
        | Avp::LastReceivedLcpConfreq(options) => lcp_options_value(options),
        Avp::ProxyAuthenType(kind) => Shown::new(kind.0, kind.to_string()),
        Avp::ProxyAuthenId(id) => Shown::number(id.0),
        // A password or the octets of a digest: the type is in another AVP.
        Avp::ProxyAuthenResponse(response) => match str::from_utf8(response.0) {
            Ok(text) if !text.chars().any(char::is_control) => Shown::string(response.0),
            _ => Shown::octets(response.0),
        },
        Avp::Q931Cause(cause) => Shown::new(
            json!({
                "code": cause.code,
                "message": cause.message,
                "advisory": String::from_utf8_lossy(cause.advisory),
            }),
            avp.to_string(),
        ),
        Avp::CallErrors(errors) => Shown::new(
            json!({
                "crc_errors": errors.crc_errors,
                "framing_errors": errors.framing_errors,
                "hardware_overruns": errors.hardware_overruns,
                "buffer_overruns": errors.buffer_overruns,
                "timeout_errors": errors.timeout_errors,
                "alignment_errors": errors.alignment_errors,
            }),
            avp.to_string(),
        ),
        Avp::Accm(accm) => {
            Shown::new(json!({ "send": accm.send, "receive": accm.receive }), avp.to_string())
        }
        Avp::PppDisconnectCause(cause) => Shown::new(
            json!({
                "code": cause.code.0,
                "protocol": cause.protocol,
                "direction": cause.direction.0,
                "message": String::from_utf8_lossy(cause.message),
            }),
            avp.to_string(),
        ),
        Avp::SequencingRequired => Shown::nothing(),
        Avp::Raw(raw) => Shown::octets(raw.value),
        _ => Shown::display(avp),
    }
}

/// What a result means depends on the message that brings it (RFC 2661 §4.4.2).
fn result_code(code: &ResultCode<'_>, message: Option<MessageType>) -> Shown {
    let ResultCode { result, error, message: text } = *code;
    let meaning = match message {
        Some(MessageType::STOP_CCN) => code.stop_ccn().name(),
        Some(MessageType::CDN) => code.cdn().name(),
        _ => None,
    };
    let mut words = result.to_string();
    if let Some(meaning) = meaning {
        words.push_str(&format!(" ({meaning})"));
    }
    if error.0 != 0 {
        words.push_str(&format!(" error {}", error.0));
        if let Some(meaning) = error.name() {
            words.push_str(&format!(" ({meaning})"));
        }
    }
    if !text.is_empty() {
        words.push_str(&format!(" {}", quoted(text)));
    }
    let text = String::from_utf8_lossy(text);
    Shown::new(json!({ "result": result, "error": error.0, "message": text }), words)
}
