//! Neither decoding nor building allocates, hidden AVPs included.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod support;

use l2tp_wire::AttributeSet;
use l2tp_wire::DataHeader;
use l2tp_wire::Hiding;
use l2tp_wire::Message;
use l2tp_wire::MessageBuilder;
use l2tp_wire::Packet;
use l2tp_wire::hidden::HidingKey;
use l2tp_wire::message::DecodeContext;
use support::CAPTURES;
use support::datagrams;
use support::md5;
use vpn_core::PacketMut;

#[test]
fn nothing_is_allocated() {
    for (name, secret) in CAPTURES {
        for mut datagram in datagrams(name) {
            let counted = allocation_counter::measure(|| round_trip(&mut datagram, secret));
            assert_eq!(counted.count_total, 0, "{name}");
        }
    }
    let counted = allocation_counter::measure(|| drop(core::hint::black_box(vec![0_u8; 9])));
    assert_eq!(counted.count_total, 1);
}

fn round_trip(datagram: &mut [u8], secret: &[u8]) {
    match Packet::decode(datagram).unwrap() {
        Packet::Data(_) => {
            let mut storage = [0; 2048];
            let end = 64 + datagram.len();
            storage[64..end].copy_from_slice(datagram);
            let mut packet = PacketMut::new(&mut storage, 64..end).unwrap();
            let header = DataHeader::strip(&mut packet).unwrap();
            header.prepend(&mut packet).unwrap();
            assert_eq!(packet.payload(), datagram);
        }
        Packet::Control(control) if control.is_zlb() => {}
        Packet::Control(control) => {
            let mut scratch = [0; 2048];
            let context = DecodeContext::new().secret(md5(), secret, &mut scratch);
            let message = Message::decode(&control, context).unwrap();
            let mut out = [0; 2048];
            let mut builder = MessageBuilder::new(&mut out, 1, 2).unwrap();
            builder.hide(Hiding {
                key: HidingKey { md5: md5(), secret, random_vector: b"vector" },
                attributes: AttributeSet::HIDEABLE,
                padding: b"padding",
            });
            message.encode(&mut builder).unwrap();
            assert!(builder.finish().unwrap() > 12);
        }
    }
}
