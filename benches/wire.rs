//! The L2TP codec: typed parse and build of an SCCRQ with 9 AVPs and of an ICRQ, and the data path's
//! header with the PPP protocol field. `yardstick` is a minimal parser written by hand, in the same
//! run.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

#[path = "wire/yardstick.rs"]
mod yardstick;

use core::hint::black_box;

use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use l2tp_wire::BearerTypes;
use l2tp_wire::DataHeader;
use l2tp_wire::FramingTypes;
use l2tp_wire::Message;
use l2tp_wire::MessageBuilder;
use l2tp_wire::Packet;
use l2tp_wire::ProtocolVersion;
use l2tp_wire::message::DecodeContext;
use l2tp_wire::message::Icrq;
use l2tp_wire::message::MessageError;
use l2tp_wire::message::Sccrq;

/// Message Type and eight more AVPs, as Windows sends them.
const SCCRQ: Sccrq<'static> = Sccrq {
    protocol_version: ProtocolVersion::RFC_2661,
    framing_capabilities: FramingTypes::SYNC,
    bearer_capabilities: Some(BearerTypes::empty()),
    tie_breaker: None,
    firmware_revision: Some(0x0a00),
    host_name: b"DESKTOP-4F7K2QA",
    vendor_name: Some(b"Microsoft"),
    assigned_tunnel_id: 8,
    receive_window_size: Some(8),
    challenge: None,
};

const ICRQ: Icrq<'static> = Icrq {
    assigned_session_id: 1,
    call_serial_number: 7,
    bearer_type: Some(BearerTypes::ANALOG),
    called_number: None,
    calling_number: None,
    sub_address: None,
    physical_channel_id: None,
};

/// The protocol field of a PPP frame, with or without FF 03, compressed or not.
fn ppp_protocol(frame: &[u8]) -> Option<(u16, &[u8])> {
    let frame = frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame);
    let (first, rest) = frame.split_first()?;
    if first & 1 != 0 {
        return Some((u16::from(*first), rest));
    }
    let (second, rest) = rest.split_first()?;
    Some((u16::from_be_bytes([*first, *second]), rest))
}

fn sccrq(out: &mut [u8]) -> usize {
    let mut builder = MessageBuilder::new(out, 0, 0).unwrap();
    black_box(&SCCRQ).encode(&mut builder).unwrap();
    builder.finish().unwrap()
}

fn icrq(out: &mut [u8]) -> usize {
    let mut builder = MessageBuilder::new(out, 7, 0).unwrap();
    black_box(&ICRQ).encode(&mut builder).unwrap();
    builder.finish().unwrap()
}

fn decode(datagram: &[u8]) -> Result<Message<'_>, MessageError> {
    match Packet::decode(datagram) {
        Ok(Packet::Control(control)) => Message::decode(&control, DecodeContext::new()),
        other => panic!("{other:?}"),
    }
}

fn data(datagram: &[u8]) -> (u16, u16, u16, &[u8]) {
    let Ok(Packet::Data(message)) = Packet::decode(datagram) else { panic!() };
    let (protocol, packet) = ppp_protocol(message.payload).unwrap();
    (message.header.tunnel_id, message.header.session_id, protocol, packet)
}

fn parse(criterion: &mut Criterion) {
    let mut buf = [0; 256];
    let mut group = criterion.benchmark_group("parse");

    let len = sccrq(&mut buf);
    let datagram = &buf[..len];
    let (_, simple) = yardstick::sccrq(datagram).unwrap();
    assert_eq!(simple.host_name, Some(SCCRQ.host_name));
    group.bench_function("sccrq/yardstick", |b| {
        b.iter(|| _ = black_box(&yardstick::sccrq(black_box(datagram))));
    });
    group.bench_function("sccrq/codec", |b| b.iter(|| _ = black_box(&decode(black_box(datagram)))));

    let mut buf = [0; 256];
    let len = icrq(&mut buf);
    let datagram = &buf[..len];
    assert!(yardstick::icrq(datagram).is_some());
    group.bench_function("icrq/yardstick", |b| {
        b.iter(|| _ = black_box(&yardstick::icrq(black_box(datagram))))
    });
    group.bench_function("icrq/codec", |b| b.iter(|| _ = black_box(&decode(black_box(datagram)))));

    let header = DataHeader { tunnel_id: 7, session_id: 9, length: true, ..DataHeader::default() };
    let mut buf = [0x45; 72];
    header.encode(64, &mut buf).unwrap();
    buf[8..12].copy_from_slice(&[0xff, 0x03, 0x00, 0x21]);
    assert_eq!(data(&buf), yardstick::data(&buf).unwrap());
    group.bench_function("data+ppp/yardstick", |b| {
        b.iter(|| _ = black_box(&yardstick::data(black_box(&buf))))
    });
    group.bench_function("data+ppp/codec", |b| b.iter(|| _ = black_box(&data(black_box(&buf)))));
}

fn build(criterion: &mut Criterion) {
    let mut buf = [0; 256];
    let mut group = criterion.benchmark_group("build");
    group.bench_function("sccrq", |b| b.iter(|| sccrq(black_box(&mut buf))));
    group.bench_function("icrq", |b| b.iter(|| icrq(black_box(&mut buf))));
    let header = DataHeader { tunnel_id: 7, session_id: 9, length: true, ..DataHeader::default() };
    group.bench_function("data", |b| {
        b.iter(|| black_box(&header).encode(black_box(1400), black_box(&mut buf)).unwrap());
    });
}

criterion_group!(benches, parse, build);
criterion_main!(benches);
