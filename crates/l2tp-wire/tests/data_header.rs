//! Data and control headers: every combination of bits, every truncation (RFC 2661 §3.1).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use l2tp_wire::ControlMessage;
use l2tp_wire::DataHeader;
use l2tp_wire::DecodeError;
use l2tp_wire::EncodeError;
use l2tp_wire::Packet;
use l2tp_wire::Sequence;
use l2tp_wire::set_ns_nr;
use l2tp_wire::zlb;
use vpn_core::EncapError;
use vpn_core::PacketMut;

const PAYLOAD: &[u8] = b"\xff\x03\xc0\x21";

/// Every combination of the L, S, O and P bits.
fn headers() -> impl Iterator<Item = DataHeader> {
    (0..16_u8).map(|bits| DataHeader {
        tunnel_id: 0x1234,
        session_id: 0x5678,
        length: bits & 1 != 0,
        sequence: (bits & 2 != 0).then_some(Sequence { ns: 0x9abc, nr: 0 }),
        offset: (bits & 4 != 0).then_some(3),
        priority: bits & 8 != 0,
    })
}

fn encode(header: &DataHeader, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0xaa; header.encoded_len()];
    assert_eq!(header.encode(payload.len(), &mut out), Ok(out.len()));
    out.extend(payload);
    out
}

fn decode(datagram: &[u8]) -> Result<(DataHeader, &[u8]), DecodeError> {
    match Packet::decode(datagram)? {
        Packet::Data(message) => Ok((message.header, message.payload)),
        Packet::Control(control) => panic!("{control:?}"),
    }
}

#[test]
fn the_shortest_and_the_longest_header() {
    let short = DataHeader { tunnel_id: 1, session_id: 2, ..DataHeader::default() };
    assert_eq!(encode(&short, PAYLOAD), *b"\x00\x02\x00\x01\x00\x02\xff\x03\xc0\x21");
    let long = headers().last().unwrap();
    assert_eq!(
        encode(&long, PAYLOAD),
        *b"\x4b\x02\x00\x15\x12\x34\x56\x78\x9a\xbc\x00\x00\x00\x03\0\0\0\xff\x03\xc0\x21"
    );
    assert_eq!(long.encoded_len(), DataHeader::MAX_LEN + 3);
}

#[test]
fn every_combination_of_bits_goes_both_ways() {
    for header in headers() {
        let datagram = encode(&header, PAYLOAD);
        assert_eq!(decode(&datagram), Ok((header, PAYLOAD)));
        assert_eq!(decode(&encode(&header, b"")), Ok((header, &b""[..])));
    }
}

#[test]
fn in_place_it_is_the_same() {
    for header in headers() {
        let datagram = encode(&header, PAYLOAD);
        let mut storage = [0x55; 64];
        storage[30..34].copy_from_slice(PAYLOAD);
        let mut packet = PacketMut::new(&mut storage, 30..34).unwrap();
        header.prepend(&mut packet).unwrap();
        assert_eq!(packet.payload(), datagram);
        // Padding of the layer below, which Length cuts off.
        packet.append(5).unwrap();
        assert_eq!(DataHeader::strip(&mut packet), Ok(header));
        assert_eq!(packet.len(), if header.length { 4 } else { 9 });
        assert_eq!(packet.payload()[..4], *PAYLOAD);
    }
}

#[test]
fn in_place_room_and_length_are_checked() {
    let header = headers().last().unwrap();
    let mut storage = [0; 20];
    let mut packet = PacketMut::new(&mut storage, 16..20).unwrap();
    assert!(matches!(header.prepend(&mut packet), Err(EncapError::NoRoom(_))));
    let mut storage = vec![0; 70_000];
    let mut packet = PacketMut::new(&mut storage, 100..70_000).unwrap();
    assert_eq!(
        header.prepend(&mut packet),
        Err(EncapError::TooLong { len: 69_900, max: 65_535 - 17 })
    );
    assert_eq!(header.encode(65_519, &mut [0; 17]), Err(EncodeError::MessageTooLong(65_536)));
    assert_eq!(header.encode(65_518, &mut [0; 17]), Ok(17));
    assert_eq!(header.encode(0, &mut [0; 16]), Err(EncodeError::NoRoom { needed: 17, left: 16 }));
    let unlimited = DataHeader { length: false, ..header };
    assert_eq!(unlimited.encode(usize::MAX, &mut [0; 15]), Ok(15));
}

#[test]
fn every_truncation_is_refused() {
    for header in headers() {
        let datagram = encode(&header, PAYLOAD);
        let header_len = header.encoded_len();
        for len in 0..datagram.len() {
            let result = decode(&datagram[..len]);
            let mut storage = datagram[..len].to_vec();
            let mut packet = PacketMut::whole(&mut storage);
            assert_eq!(DataHeader::strip(&mut packet), result.map(|(header, _)| header));
            if header.length || len < header_len - usize::from(header.offset.unwrap_or(0)) {
                assert_eq!(result, Err(DecodeError::Truncated), "{header:?} {len}");
            } else if len < header_len {
                assert_eq!(result, Err(DecodeError::BadOffset(3)));
            } else {
                assert_eq!(result, Ok((header, &PAYLOAD[..len - header_len])));
            }
        }
    }
}

/// Offset Size may say more than is there (RFC 2661 §3.1); with L, the message's own end counts.
#[test]
fn every_offset_size() {
    for header in headers().filter(|header| header.offset.is_some()) {
        let mut datagram = encode(&header, PAYLOAD);
        let at = header.encoded_len() - 5;
        datagram.extend(if header.length { &b"trailing"[..] } else { b"" });
        for offset in 0..=u16::MAX {
            datagram[at..at + 2].copy_from_slice(&offset.to_be_bytes());
            match decode(&datagram) {
                Ok((header, payload)) => {
                    assert_eq!(header.offset, Some(offset));
                    assert_eq!(payload.len(), 7 - usize::from(offset));
                }
                Err(error) => {
                    assert_eq!(error, DecodeError::BadOffset(offset));
                    assert!(offset > 7);
                }
            }
        }
    }
}

/// Longer than the datagram: dropped. Shorter than the header: dropped. Else the rest is ignored.
#[test]
fn every_length_field() {
    for header in headers().filter(|header| header.length && header.offset.is_none()) {
        let mut datagram = encode(&header, PAYLOAD);
        let header_len = header.encoded_len();
        for length in 0..=u16::MAX {
            datagram[2..4].copy_from_slice(&length.to_be_bytes());
            let result = decode(&datagram);
            match usize::from(length) {
                len if len > datagram.len() => assert_eq!(result, Err(DecodeError::Truncated)),
                len if len < header_len => assert_eq!(result, Err(DecodeError::BadLength(length))),
                len => assert_eq!(result, Ok((header, &PAYLOAD[..len - header_len]))),
            }
        }
    }
}

/// All 65,536 values of the first two octets, over a body that would do for any of them.
#[test]
fn every_value_of_the_flags() {
    let body = [0, 20, 0, 1, 0, 2, 0, 3, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0];
    for flags in 0..=u16::MAX {
        let datagram = [&flags.to_be_bytes()[..], &body].concat();
        let result = Packet::decode(&datagram);
        let expected = match flags & 0xf {
            2 => None,
            1 => Some(DecodeError::L2f),
            3 => Some(DecodeError::L2tpV3),
            version => Some(DecodeError::UnsupportedVersion(version.try_into().unwrap())),
        };
        match (expected, result) {
            (Some(error), result) => assert_eq!(result, Err(error)),
            (None, Ok(Packet::Data(message))) => {
                assert_eq!(flags & 0x8000, 0);
                // Reserved bits are ignored.
                assert_eq!(message.header.length, flags & 0x4000 != 0);
                assert_eq!(message.header.sequence.is_some(), flags & 0x0800 != 0);
                assert_eq!(message.header.offset.is_some(), flags & 0x0200 != 0);
                assert_eq!(message.header.priority, flags & 0x0100 != 0);
            }
            (None, Ok(Packet::Control(_))) => assert_eq!(flags & 0xcb00, 0xc800),
            (None, Err(error)) => {
                assert_eq!(error, DecodeError::BadFlags);
                assert_ne!(flags & 0xcb00, 0xc800);
                assert_ne!(flags & 0x8000, 0);
            }
        }
    }
}

#[test]
fn a_control_message_is_none_of_data() {
    let mut message = zlb(1, 0, 2, 3);
    let mut packet = PacketMut::whole(&mut message);
    assert_eq!(DataHeader::strip(&mut packet), Err(DecodeError::Control));
    assert_eq!(packet.len(), 12);
}

fn control(datagram: &[u8]) -> Result<ControlMessage<'_>, DecodeError> {
    match Packet::decode(datagram)? {
        Packet::Control(control) => Ok(control),
        Packet::Data(data) => panic!("{data:?}"),
    }
}

#[test]
fn zlb_and_its_numbers() {
    let mut message = zlb(0x0102, 0x0304, 0x0506, 0x0708);
    assert_eq!(message, *b"\xc8\x02\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08");
    let decoded = control(&message).unwrap();
    assert!(decoded.is_zlb() && decoded.message_type().is_none() && decoded.trailing() == 0);
    assert_eq!((decoded.tunnel_id, decoded.session_id), (0x0102, 0x0304));
    assert_eq!((decoded.ns, decoded.nr), (0x0506, 0x0708));
    set_ns_nr(&mut message, 0xffff, 0);
    assert_eq!(message[8..], [0xff, 0xff, 0, 0]);
    set_ns_nr(&mut message[..11], 1, 2);
    assert_eq!(message[8..], [0xff, 0xff, 0, 0]);
}

#[test]
fn every_length_of_a_control_message() {
    let mut datagram = *b"\xc8\x02\x00\x14\0\x01\0\0\0\0\0\0\x80\x08\0\0\0\0\0\x06";
    for len in 0..datagram.len() {
        assert_eq!(control(&datagram[..len]), Err(DecodeError::Truncated), "{len}");
    }
    for length in 0..=u16::MAX {
        datagram[2..4].copy_from_slice(&length.to_be_bytes());
        match (length, control(&datagram)) {
            (0..12, result) => assert_eq!(result, Err(DecodeError::BadLength(length))),
            (12..=20, result) => {
                let message = result.unwrap();
                assert_eq!(message.trailing(), 20 - usize::from(length));
                assert_eq!(message.avps().rest(), &datagram[12..usize::from(length)]);
            }
            (21.., result) => assert_eq!(result, Err(DecodeError::Truncated)),
        }
    }
}
