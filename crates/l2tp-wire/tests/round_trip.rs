//! Decode, encode, decode: equal for every message with any values, plain and hidden; and for any
//! octets at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

#[path = "support/message.rs"]
mod message;
mod support;

use l2tp_wire::Accm;
use l2tp_wire::AttributeSet;
use l2tp_wire::AttributeType;
use l2tp_wire::Avp;
use l2tp_wire::BearerTypes;
use l2tp_wire::CallErrors;
use l2tp_wire::DisconnectCode;
use l2tp_wire::DisconnectDirection;
use l2tp_wire::EncodeError;
use l2tp_wire::ErrorCode;
use l2tp_wire::FramingTypes;
use l2tp_wire::Hiding;
use l2tp_wire::Leniencies;
use l2tp_wire::Message;
use l2tp_wire::MessageBuilder;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::PppDisconnectCause;
use l2tp_wire::ProtocolVersion;
use l2tp_wire::ProxyAuthenId;
use l2tp_wire::ProxyAuthenResponse;
use l2tp_wire::ProxyAuthenType;
use l2tp_wire::Q931Cause;
use l2tp_wire::RawAvp;
use l2tp_wire::ResultCode;
use l2tp_wire::VendorId;
use l2tp_wire::hidden::HidingKey;
use l2tp_wire::message::Cdn;
use l2tp_wire::message::DecodeContext;
use l2tp_wire::message::Hello;
use l2tp_wire::message::Iccn;
use l2tp_wire::message::Icrp;
use l2tp_wire::message::Icrq;
use l2tp_wire::message::Occn;
use l2tp_wire::message::Ocrp;
use l2tp_wire::message::Ocrq;
use l2tp_wire::message::Scccn;
use l2tp_wire::message::Sccrp;
use l2tp_wire::message::Sccrq;
use l2tp_wire::message::Sli;
use l2tp_wire::message::StopCcn;
use l2tp_wire::message::Wen;
use message::Heard;
use message::REQUIRED;
use message::control;
use message::required;
use proptest::prelude::*;
use support::md5;

/// Takes values of all kinds out of a run of arbitrary octets.
struct Draw<'a>(&'a [u8]);

impl<'a> Draw<'a> {
    fn u8(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    fn u64(&mut self) -> u64 {
        u64::from(self.u32()) << 32 | u64::from(self.u32())
    }

    fn id(&mut self) -> u16 {
        self.u16().max(1)
    }

    fn response(&mut self) -> [u8; 16] {
        core::array::from_fn(|_| self.u8())
    }

    fn octets(&mut self) -> &'a [u8] {
        let len = usize::from(self.u8() % 40).min(self.0.len());
        let (octets, rest) = self.0.split_at(len);
        self.0 = rest;
        octets
    }

    fn some_octets(&mut self) -> &'a [u8] {
        match self.octets() {
            b"" => b"x",
            octets => octets,
        }
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.u8() & 1 == 1).then(|| value(self))
    }

    fn framing(&mut self) -> FramingTypes {
        FramingTypes::from_bits_retain(self.u32())
    }

    fn bearer(&mut self) -> BearerTypes {
        BearerTypes::from_bits_retain(self.u32())
    }

    fn version(&mut self) -> ProtocolVersion {
        ProtocolVersion { version: self.u8(), revision: self.u8() }
    }

    fn result_code(&mut self) -> ResultCode<'a> {
        // A result such as 0x0300 counts as one with swapped octets.
        let result = self.u16() | 1;
        ResultCode { result, error: ErrorCode(self.u16()), message: self.octets() }
    }

    fn message(&mut self, which: usize) -> Message<'a> {
        match which {
            0 => Message::Sccrq(Sccrq {
                protocol_version: self.version(),
                framing_capabilities: self.framing(),
                bearer_capabilities: self.maybe(Self::bearer),
                tie_breaker: self.maybe(Self::u64),
                firmware_revision: self.maybe(Self::u16),
                host_name: self.some_octets(),
                vendor_name: self.maybe(Self::octets),
                assigned_tunnel_id: self.id(),
                receive_window_size: self.maybe(Self::id),
                challenge: self.maybe(Self::some_octets),
            }),
            1 => Message::Sccrp(Sccrp {
                protocol_version: self.version(),
                framing_capabilities: self.framing(),
                bearer_capabilities: self.maybe(Self::bearer),
                firmware_revision: self.maybe(Self::u16),
                host_name: self.some_octets(),
                vendor_name: self.maybe(Self::octets),
                assigned_tunnel_id: self.id(),
                receive_window_size: self.maybe(Self::id),
                challenge_response: self.maybe(Self::response),
                challenge: self.maybe(Self::some_octets),
            }),
            2 => Message::Scccn(Scccn { challenge_response: self.maybe(Self::response) }),
            3 => Message::StopCcn(StopCcn {
                assigned_tunnel_id: self.id(),
                result_code: self.result_code(),
            }),
            4 => Message::Hello(Hello {}),
            5 => Message::Ocrq(Ocrq {
                assigned_session_id: self.id(),
                call_serial_number: self.u32(),
                minimum_bps: self.u32(),
                maximum_bps: self.u32(),
                bearer_type: self.bearer(),
                framing_type: self.framing(),
                called_number: self.octets(),
                sub_address: self.maybe(Self::octets),
            }),
            6 => Message::Ocrp(Ocrp {
                assigned_session_id: self.id(),
                physical_channel_id: self.maybe(Self::u32),
            }),
            7 => Message::Occn(Occn {
                tx_connect_speed: self.u32(),
                framing_type: self.framing(),
                rx_connect_speed: self.maybe(Self::u32),
                sequencing_required: self.u8() & 1 == 1,
            }),
            8 => Message::Icrq(Icrq {
                assigned_session_id: self.id(),
                call_serial_number: self.u32(),
                bearer_type: self.maybe(Self::bearer),
                called_number: self.maybe(Self::octets),
                calling_number: self.maybe(Self::octets),
                sub_address: self.maybe(Self::octets),
                physical_channel_id: self.maybe(Self::u32),
            }),
            9 => Message::Icrp(Icrp { assigned_session_id: self.id() }),
            10 => Message::Iccn(Iccn {
                tx_connect_speed: self.u32(),
                framing_type: self.framing(),
                initial_received_lcp_confreq: self.maybe(Self::octets),
                last_sent_lcp_confreq: self.maybe(Self::octets),
                last_received_lcp_confreq: self.maybe(Self::octets),
                proxy_authen_type: self.maybe(|draw| ProxyAuthenType(draw.u16())),
                proxy_authen_name: self.maybe(Self::octets),
                proxy_authen_challenge: self.maybe(Self::some_octets),
                proxy_authen_id: self.maybe(|draw| ProxyAuthenId(draw.u8())),
                proxy_authen_response: self.maybe(|draw| ProxyAuthenResponse(draw.octets())),
                private_group_id: self.maybe(Self::octets),
                rx_connect_speed: self.maybe(Self::u32),
                sequencing_required: self.u8() & 1 == 1,
            }),
            11 => Message::Cdn(Cdn {
                result_code: self.result_code(),
                q931_cause: self.maybe(|draw| Q931Cause {
                    code: draw.u16(),
                    message: draw.u8(),
                    advisory: draw.octets(),
                }),
                assigned_session_id: self.id(),
                ppp_disconnect_cause: self.maybe(|draw| PppDisconnectCause {
                    code: DisconnectCode(draw.u16()),
                    protocol: draw.u16(),
                    direction: DisconnectDirection(draw.u8()),
                    message: draw.octets(),
                }),
            }),
            12 => Message::Wen(Wen {
                call_errors: CallErrors {
                    crc_errors: self.u32(),
                    framing_errors: self.u32(),
                    hardware_overruns: self.u32(),
                    buffer_overruns: self.u32(),
                    timeout_errors: self.u32(),
                    alignment_errors: self.u32(),
                },
            }),
            _ => Message::Sli(Sli { accm: Accm { send: self.u32(), receive: self.u32() } }),
        }
    }
}

const SECRET: &[u8] = b"a shared secret";

fn hiding<'a>(padding: &'a [u8]) -> Hiding<'a> {
    let key = HidingKey { md5: md5(), secret: SECRET, random_vector: b"some random octets" };
    Hiding { key, attributes: AttributeSet::HIDEABLE, padding }
}

fn encode(
    message: &Message<'_>,
    hiding: Option<Hiding<'_>>,
    out: &mut [u8],
) -> Result<usize, EncodeError> {
    let mut builder = MessageBuilder::new(out, 7, 8)?;
    if let Some(hiding) = hiding {
        builder.hide(hiding);
    }
    message.encode(&mut builder)?;
    builder.finish()
}

fn decode<'a>(datagram: &'a [u8], scratch: &'a mut [u8]) -> Message<'a> {
    let mut heard = Heard::default();
    let context = DecodeContext::new()
        .leniencies(Leniencies::empty())
        .secret(md5(), SECRET, scratch)
        .observer(&mut heard);
    let message = Message::decode(&control(datagram), context).unwrap();
    assert_eq!(heard, Heard::default());
    message
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every message, even in strict mode; the octets are the same the second time.
    #[test]
    fn messages(which in 0..14_usize, octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        let message = Draw(&octets).message(which);
        let (mut first, mut second) = ([0; 4096], [0xff; 4096]);
        let len = encode(&message, None, &mut first).unwrap();
        let mut scratch = [0; 0];
        let decoded = decode(&first[..len], &mut scratch);
        prop_assert_eq!(decoded, message);
        prop_assert_eq!(decoded.message_type(), message.message_type());
        prop_assert_eq!(encode(&decoded, None, &mut second), Ok(len));
        prop_assert_eq!(&first[..len], &second[..len]);
        // AVP by AVP it is the same as well.
        let mut third = [0xee; 4096];
        let mut builder = MessageBuilder::new(&mut third, 7, 8).unwrap();
        for raw in control(&first[..len]).avps() {
            builder.avp(&Avp::decode(&raw.unwrap()).unwrap()).unwrap();
        }
        prop_assert_eq!(builder.finish(), Ok(len));
        prop_assert_eq!(&first[..len], &third[..len]);
    }

    /// The same with all hidden that may be.
    #[test]
    fn hidden_messages(
        which in 0..14_usize,
        octets in proptest::collection::vec(any::<u8>(), 0..600),
        padding in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let message = Draw(&octets).message(which);
        let mut out = [0; 8192];
        let len = encode(&message, Some(hiding(&padding)), &mut out).unwrap();
        let mut scratch = [0; 8192];
        prop_assert_eq!(decode(&out[..len], &mut scratch), message);
    }

    /// An output that is too small is an error, whatever its size, and never a panic.
    #[test]
    fn every_size_of_output(
        which in 0..14_usize,
        octets in proptest::collection::vec(any::<u8>(), 0..600),
        hide in any::<bool>(),
    ) {
        let message = Draw(&octets).message(which);
        let hiding = hide.then(|| hiding(b"pad"));
        let mut out = [0; 8192];
        let len = encode(&message, hiding, &mut out).unwrap();
        for size in 0..len {
            let result = encode(&message, hiding, &mut out[..size]);
            let no_room = matches!(result, Err(EncodeError::NoRoom { left, .. }) if left < len);
            prop_assert!(no_room, "{:?}", result);
        }
        prop_assert_eq!(encode(&message, hiding, &mut out[..len]), Ok(len));
    }

    /// AVPs of any kind keep every bit and octet.
    #[test]
    fn raw_avps(
        avps in proptest::collection::vec(
            (any::<(bool, bool, u16, u16)>(), 0..16_u8,
             proptest::collection::vec(any::<u8>(), 0..60)), 0..20),
    ) {
        let avps: Vec<_> = avps.iter().map(|((mandatory, hidden, vendor, attribute), reserved, value)| {
            RawAvp {
                mandatory: *mandatory,
                hidden: *hidden,
                reserved: *reserved,
                vendor_id: VendorId(*vendor),
                attribute_type: AttributeType(*attribute),
                value,
            }
        }).collect();
        let datagram = message::message(MessageType(77), &avps);
        let decoded: Result<Vec<_>, _> = control(&datagram).avps().skip(1).collect();
        prop_assert_eq!(decoded, Ok(avps));
    }

    /// Required AVPs and any others behind them: what decodes, in whatever mode, is built again and
    /// decodes to the same in strict mode.
    #[test]
    fn any_avps(
        which in 0..14_usize,
        avps in proptest::collection::vec(
            (0..48_u16, proptest::collection::vec(any::<u8>(), 0..40), any::<u8>()), 0..20),
        leniencies in any::<u16>(),
    ) {
        let (message_type, _) = REQUIRED[which];
        let more = avps.iter().map(|(attribute, value, bits)| RawAvp {
            mandatory: bits & 1 == 0,
            hidden: bits & 0xe == 2,
            reserved: u8::from(bits & 0xf0 == 0x10),
            vendor_id: VendorId(u16::from(bits & 0xf0 == 0x20)),
            attribute_type: AttributeType(*attribute),
            value,
        });
        let mut avps = required(message_type);
        avps.extend(more);
        let datagram = message::message(message_type, &avps);
        let mut scratch = [0; 4096];
        let leniencies = Leniencies::from_bits_truncate(leniencies);
        let context = DecodeContext::new()
            .leniencies(leniencies)
            .secret(md5(), SECRET, &mut scratch);
        if let Ok(message) = Message::decode(&control(&datagram), context) {
            let mut out = [0; 4096];
            match encode(&message, None, &mut out) {
                Ok(len) => {
                    let mut scratch = [0; 0];
                    prop_assert_eq!(decode(&out[..len], &mut scratch), message);
                }
                // Values that are put up with are never sent.
                Err(EncodeError::ForbiddenValue(_)) => prop_assert!(!leniencies.is_empty()),
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
    }

    /// Octets without any order never panic.
    #[test]
    fn chaos(mut octets in proptest::collection::vec(any::<u8>(), 0..200), control in any::<bool>()) {
        if control && octets.len() >= 12 {
            let len = u8::try_from(octets.len()).unwrap();
            octets[..4].copy_from_slice(&[0xc8, 2, 0, len]);
        }
        if let Ok(Packet::Control(control)) = Packet::decode(&octets) {
            let _ = Message::decode(&control, DecodeContext::new());
            prop_assert!(control.avps().count() * 6 <= octets.len() + 6);
        }
    }
}

/// Values that must not be sent are refused (RFC 2661 §4.4.3, §4.4.4).
#[test]
fn forbidden_values_are_not_sent() {
    for avp in [
        Avp::AssignedTunnelId(0),
        Avp::AssignedSessionId(0),
        Avp::ReceiveWindowSize(0),
        Avp::HostName(b""),
        Avp::Challenge(b""),
        Avp::ProxyAuthenChallenge(b""),
    ] {
        let mut out = [0; 64];
        let mut builder = MessageBuilder::new(&mut out, 0, 0).unwrap();
        let attribute = avp.attribute_type();
        assert_eq!(builder.avp(&avp), Err(EncodeError::ForbiddenValue(attribute)));
        assert_eq!(builder.finish(), Ok(12));
    }
}

/// 1017 octets fit into an AVP, and 65,535 into a message.
#[test]
fn the_longest_avp_and_message() {
    let octets = [0; 1018];
    let mut out = vec![0; 70_000];
    let mut builder = MessageBuilder::new(&mut out, 0, 0).unwrap();
    let attribute = AttributeType::VENDOR_NAME;
    let too_long = Err(EncodeError::ValueTooLong(attribute));
    assert_eq!(builder.avp(&Avp::VendorName(&octets)), too_long);
    for _ in 0..64 {
        builder.avp(&Avp::VendorName(&octets[..1017])).unwrap();
    }
    builder.vendor(VendorId::CISCO, AttributeType(7), false, &octets[..45]).unwrap();
    let len = builder.finish().unwrap();
    assert_eq!(len, 65_535);
    assert_eq!(out[2..4], [0xff, 0xff]);
    assert_eq!(control(&out[..len]).avps().count(), 65);

    let mut builder = MessageBuilder::new(&mut out, 0, 0).unwrap();
    for _ in 0..65 {
        builder.avp(&Avp::VendorName(&octets[..1017])).unwrap();
    }
    assert_eq!(builder.finish(), Err(EncodeError::MessageTooLong(12 + 65 * 1023)));
}

/// The Windows 2000 family refuses a Result Code without an Error Code, so it always goes out.
#[test]
fn a_result_code_is_never_short() {
    let code = ResultCode { result: 1, error: ErrorCode::NONE, message: b"" };
    let mut out = [0; 64];
    let mut builder = MessageBuilder::new(&mut out, 0, 0).unwrap();
    builder.avp(&Avp::ResultCode(code)).unwrap();
    assert_eq!(builder.finish(), Ok(22));
    assert_eq!(out[12..22], *b"\x80\x0a\0\0\0\x01\0\x01\0\0");
}
