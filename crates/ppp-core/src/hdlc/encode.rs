use alloc::vec::Vec;

use super::ESCAPE;
use super::FLAG;
use super::FLIP;
use super::fcs16;
use crate::ControlCode;
use crate::Protocol;
use crate::frame;

/// Appends a frame to `line`, with flags, check sequence and escapes.
///
/// `accm` says which octets below 0x20 the peer wants escaped, one bit each: see
/// [`Link::peer_accm`](crate::Link::peer_accm). The packets that configure LCP have all of them
/// escaped whatever it says, since they must be understood before anything is agreed on
/// (RFC 1661 §5, RFC 1662 §7.1).
pub fn encode(frame: &[u8], accm: u32, line: &mut Vec<u8>) {
    let accm = if configures_lcp(frame) { u32::MAX } else { accm };
    line.push(FLAG);
    for octet in frame.iter().copied().chain(fcs16(frame).to_le_bytes()) {
        let is_mapped = octet < FLIP && accm & (1 << octet) != 0;
        if is_mapped || octet == FLAG || octet == ESCAPE {
            line.extend_from_slice(&[ESCAPE, octet ^ FLIP]);
        } else {
            line.push(octet);
        }
    }
    line.push(FLAG);
}

/// Whether the frame holds an LCP packet with one of the codes 1 to 7.
fn configures_lcp(frame: &[u8]) -> bool {
    let Ok((Protocol::LCP, start)) = frame::protocol(frame) else { return false };
    let code = frame.get(start).copied().unwrap_or_default();
    (ControlCode::CONFIGURE_REQUEST.0..=ControlCode::CODE_REJECT.0).contains(&code)
}
