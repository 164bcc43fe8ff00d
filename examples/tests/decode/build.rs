//! Captures and packets, made by hand.

/// A little-endian pcap with microseconds; the frames are a second apart.
pub(crate) fn pcap(link_field: u32, frames: &[&[u8]]) -> Vec<u8> {
    pcap_in(0xa1b2_c3d4, u32::to_le_bytes, u16::to_le_bytes, link_field, frames)
}

/// A pcap in a byte order, with the magic number of a resolution.
pub(crate) fn pcap_in(
    magic: u32,
    u32_in: fn(u32) -> [u8; 4],
    u16_in: fn(u16) -> [u8; 2],
    link_field: u32,
    frames: &[&[u8]],
) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(u32_in(magic));
    file.extend(u16_in(2));
    file.extend(u16_in(4));
    for field in [0, 0, 65535, link_field] {
        file.extend(u32_in(field));
    }
    for (n, frame) in frames.iter().enumerate() {
        let len = frame.len() as u32;
        for field in [1_000_000 + n as u32, 250_000, len, len] {
            file.extend(u32_in(field));
        }
        file.extend(*frame);
    }
    file
}

/// A pcapng block.
pub(crate) fn block(kind: u32, body: &[u8], u32_in: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut block = Vec::new();
    let padding = body.len().next_multiple_of(4) - body.len();
    let len = u32_in((12 + body.len() + padding) as u32);
    block.extend(u32_in(kind));
    block.extend(len);
    block.extend(body);
    block.extend(vec![0; padding]);
    block.extend(len);
    block
}

pub(crate) fn section(u32_in: fn(u32) -> [u8; 4], u16_in: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mut body = u32_in(0x1a2b_3c4d).to_vec();
    body.extend(u16_in(1));
    body.extend(u16_in(0));
    body.extend([0xff; 8]);
    block(0x0a0d_0d0a, &body, u32_in)
}

/// An interface with a time resolution option (10^-`resolution`).
pub(crate) fn interface(
    link_type: u16,
    snap_len: u32,
    resolution: u8,
    u32_in: fn(u32) -> [u8; 4],
    u16_in: fn(u16) -> [u8; 2],
) -> Vec<u8> {
    let mut body = u16_in(link_type).to_vec();
    body.extend(u16_in(0));
    body.extend(u32_in(snap_len));
    body.extend([u16_in(9), u16_in(1)].concat());
    body.extend([resolution, 0, 0, 0]);
    body.extend([0; 4]);
    block(1, &body, u32_in)
}

pub(crate) fn enhanced(
    interface: u32,
    time: u64,
    frame: &[u8],
    u32_in: fn(u32) -> [u8; 4],
) -> Vec<u8> {
    let len = frame.len() as u32;
    let fields = [interface, (time >> 32) as u32, time as u32, len, len];
    let mut body: Vec<u8> = fields.into_iter().flat_map(u32_in).collect();
    body.extend(frame);
    block(6, &body, u32_in)
}

pub(crate) fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

/// IPv4 from 10.0.0.1 to 10.0.0.2; `field` is flags and fragment offset.
pub(crate) fn ipv4(protocol: u8, id: u16, field: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((20 + payload.len() as u16).to_be_bytes());
    packet.extend(id.to_be_bytes());
    packet.extend(field.to_be_bytes());
    packet.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(payload);
    packet
}

/// IPv6 from 2001:db8::1 to 2001:db8::2.
pub(crate) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([next, 64]);
    for host in [1, 2] {
        packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]);
    }
    packet.extend(payload);
    packet
}

pub(crate) fn udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let len = 8 + payload.len() as u16;
    let mut packet: Vec<u8> = [src, dst, len, 0].into_iter().flat_map(u16::to_be_bytes).collect();
    packet.extend(payload);
    packet
}

/// An L2TP control message in IPv4 from port 1701 to port 1701.
pub(crate) fn control(avps: &[u8]) -> Vec<u8> {
    ipv4(17, 0, 0, &udp(1701, 1701, &control_message(avps)))
}

/// To tunnel 7, session 8, Ns 1, Nr 2.
pub(crate) fn control_message(avps: &[u8]) -> Vec<u8> {
    let len = 12 + avps.len() as u16;
    let mut message: Vec<u8> =
        [0xc802, len, 7, 8, 1, 2].into_iter().flat_map(u16::to_be_bytes).collect();
    message.extend(avps);
    message
}

/// An AVP; `bits` are the flags in front of the length.
pub(crate) fn avp(bits: u16, vendor: u16, attribute: u16, value: &[u8]) -> Vec<u8> {
    let fields = [bits | (6 + value.len() as u16), vendor, attribute];
    let mut avp: Vec<u8> = fields.into_iter().flat_map(u16::to_be_bytes).collect();
    avp.extend(value);
    avp
}

/// A mandatory AVP of the IETF with a 16-bit value.
pub(crate) fn avp_u16(attribute: u16, value: u16) -> Vec<u8> {
    avp(0x8000, 0, attribute, &value.to_be_bytes())
}

/// A PPP control packet with its protocol in front.
pub(crate) fn ppp(protocol: u16, code: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff, 0x03];
    frame.extend(protocol.to_be_bytes());
    frame.extend([code, 1]);
    frame.extend((4 + data.len() as u16).to_be_bytes());
    frame.extend(data);
    frame
}
