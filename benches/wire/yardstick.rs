//! A minimal parser written by hand, as the measure for the codec: it checks every bound and the
//! length of every value, and refuses what it would misread (hidden AVPs, reserved bits, vendors). It
//! knows no leniency and no duplicates, looks at no M bit, and says nothing about what is wrong.

use core::hint::black_box;

/// What an SCCRQ holds.
#[derive(Default, Clone, Copy)]
pub(crate) struct Sccrq<'a> {
    pub(crate) version: Option<u16>,
    pub(crate) framing: Option<u32>,
    pub(crate) bearer: Option<u32>,
    pub(crate) tie_breaker: Option<u64>,
    pub(crate) firmware: Option<u16>,
    pub(crate) host_name: Option<&'a [u8]>,
    pub(crate) vendor_name: Option<&'a [u8]>,
    pub(crate) tunnel_id: Option<u16>,
    pub(crate) window: Option<u16>,
    pub(crate) challenge: Option<&'a [u8]>,
}

/// What an ICRQ holds.
#[derive(Default, Clone, Copy)]
pub(crate) struct Icrq<'a> {
    pub(crate) session_id: Option<u16>,
    pub(crate) serial: Option<u32>,
    pub(crate) bearer: Option<u32>,
    pub(crate) called: Option<&'a [u8]>,
    pub(crate) calling: Option<&'a [u8]>,
    pub(crate) sub_address: Option<&'a [u8]>,
    pub(crate) channel: Option<u32>,
}

/// Tunnel ID, Session ID, Ns and Nr.
pub(crate) type Ids = (u16, u16, u16, u16);

fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}

/// The header of a control message, and its AVPs.
fn header(datagram: &[u8]) -> Option<(Ids, &[u8])> {
    if u16_at(datagram, 0)? & 0xcb0f != 0xc802 {
        return None;
    }
    let length = usize::from(u16_at(datagram, 2)?);
    let ids =
        (u16_at(datagram, 4)?, u16_at(datagram, 6)?, u16_at(datagram, 8)?, u16_at(datagram, 10)?);
    Some((ids, datagram.get(12..length)?))
}

/// Takes one AVP off the front of `avps`: attribute and value.
fn avp<'a>(avps: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let bits = u16_at(avps, 0)?;
    let length = usize::from(bits & 0x3ff);
    if length < 6 || bits & 0x7c00 != 0 || u16_at(avps, 2)? != 0 {
        return None;
    }
    let attribute = u16_at(avps, 4)?;
    let value = avps.get(6..length)?;
    *avps = avps.get(length..)?;
    Some((attribute, value))
}

fn u16_value(value: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(value.try_into().ok()?))
}

fn u32_value(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(value.try_into().ok()?))
}

/// Parses an SCCRQ.
pub(crate) fn sccrq(datagram: &[u8]) -> Option<(Ids, Sccrq<'_>)> {
    let (ids, mut avps) = header(datagram)?;
    if avp(&mut avps)? != (0, &[0, 1]) {
        return None;
    }
    let mut message = Sccrq::default();
    while !avps.is_empty() {
        let (attribute, value) = avp(&mut avps)?;
        match attribute {
            2 => message.version = Some(u16_value(value)?),
            3 => message.framing = Some(u32_value(value)?),
            4 => message.bearer = Some(u32_value(value)?),
            5 => message.tie_breaker = Some(u64::from_be_bytes(value.try_into().ok()?)),
            6 => message.firmware = Some(u16_value(value)?),
            7 => message.host_name = Some(value),
            8 => message.vendor_name = Some(value),
            9 => message.tunnel_id = Some(u16_value(value)?),
            10 => message.window = Some(u16_value(value)?),
            11 => message.challenge = Some(value),
            _ => return None,
        }
    }
    let complete = message.version.is_some()
        && message.framing.is_some()
        && message.host_name.is_some()
        && message.tunnel_id.is_some();
    complete.then_some((ids, message))
}

/// Parses an ICRQ.
pub(crate) fn icrq(datagram: &[u8]) -> Option<(Ids, Icrq<'_>)> {
    let (ids, mut avps) = header(datagram)?;
    if avp(&mut avps)? != (0, &[0, 10]) {
        return None;
    }
    let mut message = Icrq::default();
    while !avps.is_empty() {
        let (attribute, value) = avp(&mut avps)?;
        match attribute {
            14 => message.session_id = Some(u16_value(value)?),
            15 => message.serial = Some(u32_value(value)?),
            18 => message.bearer = Some(u32_value(value)?),
            21 => message.called = Some(value),
            22 => message.calling = Some(value),
            23 => message.sub_address = Some(value),
            25 => message.channel = Some(u32_value(value)?),
            _ => return None,
        }
    }
    (message.session_id.is_some() && message.serial.is_some()).then_some((ids, message))
}

/// Parses a data message and the PPP protocol of its payload.
pub(crate) fn data(datagram: &[u8]) -> Option<(u16, u16, u16, &[u8])> {
    let flags = u16_at(datagram, 0)?;
    if flags & 0x800f != 2 {
        return None;
    }
    let mut at = 2;
    let mut end = datagram.len();
    if flags & 0x4000 != 0 {
        end = usize::from(u16_at(datagram, at)?);
        at += 2;
    }
    let (tunnel_id, session_id) = (u16_at(datagram, at)?, u16_at(datagram, at + 2)?);
    at += 4;
    if flags & 0x0800 != 0 {
        black_box(u16_at(datagram, at)?);
        at += 4;
    }
    if flags & 0x0200 != 0 {
        at += 2 + usize::from(u16_at(datagram, at)?);
    }
    let (protocol, frame) = super::ppp_protocol(datagram.get(at..end)?)?;
    Some((tunnel_id, session_id, protocol, frame))
}
