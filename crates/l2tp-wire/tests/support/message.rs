//! Builds messages from bare AVPs, right or wrong, and decodes them under observation.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use l2tp_wire::AttributeType;
use l2tp_wire::ControlMessage;
use l2tp_wire::Leniencies;
use l2tp_wire::Message;
use l2tp_wire::MessageBuilder;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::RawAvp;
use l2tp_wire::VendorId;
use l2tp_wire::message::DecodeContext;
use l2tp_wire::message::MessageError;
use l2tp_wire::message::MessageErrorKind;
use l2tp_wire::message::Observer;

/// An AVP of the IETF's with the M bit of its definition.
pub fn avp(attribute: AttributeType, value: &[u8]) -> RawAvp<'_> {
    RawAvp {
        mandatory: attribute.is_mandatory(),
        hidden: false,
        reserved: 0,
        vendor_id: VendorId::IETF,
        attribute_type: attribute,
        value,
    }
}

/// A message with these AVPs behind its type.
pub fn message(message_type: MessageType, avps: &[RawAvp<'_>]) -> Vec<u8> {
    let mut out = vec![0; 65_535];
    let mut builder = MessageBuilder::new(&mut out, 7, 0).unwrap();
    builder.message_type(message_type).unwrap();
    for avp in avps {
        builder.raw(avp).unwrap();
    }
    let len = builder.finish().unwrap();
    out.truncate(len);
    out
}

pub fn control(datagram: &[u8]) -> ControlMessage<'_> {
    match Packet::decode(datagram).unwrap() {
        Packet::Control(control) => control,
        Packet::Data(data) => panic!("{data:?}"),
    }
}

/// Attributes with good values.
pub type Listed = &'static [(AttributeType, &'static [u8])];

/// The AVPs that each message of RFC 2661 §6 must have.
pub const REQUIRED: [(MessageType, Listed); 14] = {
    use AttributeType as A;
    const HOST: Listed = &[
        (A::PROTOCOL_VERSION, &[1, 0]),
        (A::FRAMING_CAPABILITIES, &[0, 0, 0, 3]),
        (A::HOST_NAME, b"lac"),
        (A::ASSIGNED_TUNNEL_ID, &[0, 9]),
    ];
    const CONNECTED: Listed =
        &[(A::TX_CONNECT_SPEED, &[0, 0, 1, 0]), (A::FRAMING_TYPE, &[0, 0, 0, 1])];
    const SESSION: Listed = &[(A::ASSIGNED_SESSION_ID, &[0, 8])];
    [
        (MessageType::SCCRQ, HOST),
        (MessageType::SCCRP, HOST),
        (MessageType::SCCCN, &[]),
        (
            MessageType::STOP_CCN,
            &[(A::ASSIGNED_TUNNEL_ID, &[0, 9]), (A::RESULT_CODE, &[0, 1, 0, 0])],
        ),
        (MessageType::HELLO, &[]),
        (
            MessageType::OCRQ,
            &[
                (A::ASSIGNED_SESSION_ID, &[0, 8]),
                (A::CALL_SERIAL_NUMBER, &[0, 0, 0, 5]),
                (A::MINIMUM_BPS, &[0, 0, 0, 1]),
                (A::MAXIMUM_BPS, &[0, 1, 0, 0]),
                (A::BEARER_TYPE, &[0, 0, 0, 1]),
                (A::FRAMING_TYPE, &[0, 0, 0, 1]),
                (A::CALLED_NUMBER, b"5551"),
            ],
        ),
        (MessageType::OCRP, SESSION),
        (MessageType::OCCN, CONNECTED),
        (
            MessageType::ICRQ,
            &[(A::ASSIGNED_SESSION_ID, &[0, 8]), (A::CALL_SERIAL_NUMBER, &[0, 0, 0, 5])],
        ),
        (MessageType::ICRP, SESSION),
        (MessageType::ICCN, CONNECTED),
        (MessageType::CDN, &[(A::RESULT_CODE, &[0, 3, 0, 0]), (A::ASSIGNED_SESSION_ID, &[0, 8])]),
        (MessageType::WEN, &[(A::CALL_ERRORS, &[0; 26])]),
        (MessageType::SLI, &[(A::ACCM, &[0; 10])]),
    ]
};

/// The AVPs that a message must have.
pub fn required(message_type: MessageType) -> Vec<RawAvp<'static>> {
    let (_, avps) = REQUIRED.iter().find(|(listed, _)| *listed == message_type).unwrap();
    avps.iter().map(|(attribute, value)| avp(*attribute, value)).collect()
}

/// What an observer heard.
#[derive(Default, Debug, PartialEq)]
pub struct Heard {
    pub ignored: Vec<MessageErrorKind>,
    pub lenient: Vec<(Leniencies, Option<AttributeType>)>,
    pub extensions: Vec<(VendorId, AttributeType, Vec<u8>)>,
    /// Whether extensions are recognized.
    pub recognize: bool,
}

impl Observer for Heard {
    fn extension(&mut self, avp: &RawAvp<'_>) -> bool {
        assert!(!avp.hidden);
        self.extensions.push((avp.vendor_id, avp.attribute_type, avp.value.to_vec()));
        self.recognize
    }

    fn ignored(&mut self, avp: &RawAvp<'_>, reason: MessageErrorKind) {
        assert!(!avp.mandatory);
        self.ignored.push(reason);
    }

    fn lenient(&mut self, leniency: Leniencies, attribute: Option<AttributeType>) {
        self.lenient.push((leniency, attribute));
    }
}

/// Decodes without a secret, with what the observer heard.
pub fn decode(
    datagram: &[u8],
    leniencies: Leniencies,
) -> (Result<Message<'_>, MessageError>, Heard) {
    let mut heard = Heard::default();
    let context = DecodeContext::new().leniencies(leniencies).observer(&mut heard);
    let result = Message::decode(&control(datagram), context);
    (result, heard)
}

/// Decodes in strict mode, where nothing may be unusual.
pub fn strict(datagram: &[u8]) -> Result<Message<'_>, MessageError> {
    let (result, heard) = decode(datagram, Leniencies::empty());
    assert_eq!(heard.lenient, []);
    result
}
