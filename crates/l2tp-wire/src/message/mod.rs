//! The control messages of RFC 2661 §6 in typed form.

mod context;
mod define;
mod error;
mod incoming;
mod outgoing;
mod session;
mod tunnel;
mod walk;

pub use context::DecodeContext;
pub use context::Observer;
pub use error::MessageError;
pub use error::MessageErrorKind;
pub use error::Scope;
pub use incoming::Iccn;
pub use incoming::Icrp;
pub use incoming::Icrq;
pub use outgoing::Occn;
pub use outgoing::Ocrp;
pub use outgoing::Ocrq;
pub use session::Cdn;
pub use session::Sli;
pub use session::Wen;
pub use tunnel::Hello;
pub use tunnel::Scccn;
pub use tunnel::Sccrp;
pub use tunnel::Sccrq;
pub use tunnel::StopCcn;

use crate::ControlMessage;
use crate::EncodeError;
use crate::MessageBuilder;
use crate::MessageType;
use crate::avp::first_message_type;
use crate::message::walk::FromAvps;
use crate::message::walk::Judge;

/// A control message with its AVPs in typed form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message<'a> {
    /// Start-Control-Connection-Request.
    Sccrq(Sccrq<'a>),
    /// Start-Control-Connection-Reply.
    Sccrp(Sccrp<'a>),
    /// Start-Control-Connection-Connected.
    Scccn(Scccn),
    /// Stop-Control-Connection-Notification.
    StopCcn(StopCcn<'a>),
    /// Hello.
    Hello(Hello),
    /// Outgoing-Call-Request.
    Ocrq(Ocrq<'a>),
    /// Outgoing-Call-Reply.
    Ocrp(Ocrp),
    /// Outgoing-Call-Connected.
    Occn(Occn),
    /// Incoming-Call-Request.
    Icrq(Icrq<'a>),
    /// Incoming-Call-Reply.
    Icrp(Icrp),
    /// Incoming-Call-Connected.
    Iccn(Iccn<'a>),
    /// Call-Disconnect-Notify.
    Cdn(Cdn<'a>),
    /// WAN-Error-Notify.
    Wen(Wen),
    /// Set-Link-Info.
    Sli(Sli),
}

impl<'a> Message<'a> {
    /// Decodes the AVPs of a control message. Ask [`ControlMessage::is_zlb`] first: a ZLB has none.
    ///
    /// AVPs may follow the Message Type in any order. Values borrow from the datagram, and from the
    /// context's scratch where they were hidden.
    ///
    /// # Errors
    /// [`MessageError`], which says what RFC 2661 wants done.
    #[inline]
    pub fn decode(
        control: &ControlMessage<'a>,
        context: DecodeContext<'a, '_>,
    ) -> Result<Self, MessageError> {
        Self::decode_avps(control.avps().rest(), control.trailing(), context)
    }

    fn decode_avps(
        octets: &'a [u8],
        trailing: usize,
        mut context: DecodeContext<'a, '_>,
    ) -> Result<Self, MessageError> {
        let Some((message_type, mandatory, avps)) = first_message_type(octets) else {
            let kind = if octets.is_empty() {
                MessageErrorKind::Zlb
            } else {
                MessageErrorKind::NoMessageType
            };
            return Err(MessageError { message_type: None, kind });
        };
        let mut judge = Judge::new(message_type, &mut context);
        if (trailing != 0 || !mandatory) && message_type.is_of_rfc_2661() {
            judge.check_head(trailing, mandatory)?;
        }
        match message_type {
            MessageType::SCCRQ => FromAvps::from_avps(avps, judge).map(Self::Sccrq),
            MessageType::SCCRP => FromAvps::from_avps(avps, judge).map(Self::Sccrp),
            MessageType::SCCCN => FromAvps::from_avps(avps, judge).map(Self::Scccn),
            MessageType::STOP_CCN => FromAvps::from_avps(avps, judge).map(Self::StopCcn),
            MessageType::HELLO => FromAvps::from_avps(avps, judge).map(Self::Hello),
            MessageType::OCRQ => FromAvps::from_avps(avps, judge).map(Self::Ocrq),
            MessageType::OCRP => FromAvps::from_avps(avps, judge).map(Self::Ocrp),
            MessageType::OCCN => FromAvps::from_avps(avps, judge).map(Self::Occn),
            MessageType::ICRQ => FromAvps::from_avps(avps, judge).map(Self::Icrq),
            MessageType::ICRP => FromAvps::from_avps(avps, judge).map(Self::Icrp),
            MessageType::ICCN => FromAvps::from_avps(avps, judge).map(Self::Iccn),
            MessageType::CDN => FromAvps::from_avps(avps, judge).map(Self::Cdn),
            MessageType::WEN => FromAvps::from_avps(avps, judge).map(Self::Wen),
            MessageType::SLI => FromAvps::from_avps(avps, judge).map(Self::Sli),
            _ => Err(MessageError {
                message_type: Some(message_type),
                kind: MessageErrorKind::UnknownMessageType { message_type, mandatory },
            }),
        }
    }

    /// The type of the message.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::Sccrq(_) => Sccrq::MESSAGE_TYPE,
            Self::Sccrp(_) => Sccrp::MESSAGE_TYPE,
            Self::Scccn(_) => Scccn::MESSAGE_TYPE,
            Self::StopCcn(_) => StopCcn::MESSAGE_TYPE,
            Self::Hello(_) => Hello::MESSAGE_TYPE,
            Self::Ocrq(_) => Ocrq::MESSAGE_TYPE,
            Self::Ocrp(_) => Ocrp::MESSAGE_TYPE,
            Self::Occn(_) => Occn::MESSAGE_TYPE,
            Self::Icrq(_) => Icrq::MESSAGE_TYPE,
            Self::Icrp(_) => Icrp::MESSAGE_TYPE,
            Self::Iccn(_) => Iccn::MESSAGE_TYPE,
            Self::Cdn(_) => Cdn::MESSAGE_TYPE,
            Self::Wen(_) => Wen::MESSAGE_TYPE,
            Self::Sli(_) => Sli::MESSAGE_TYPE,
        }
    }

    /// Adds the Message Type and the AVPs of this message to `builder`, which is new.
    ///
    /// # Errors
    /// [`EncodeError`].
    pub fn encode(&self, builder: &mut MessageBuilder<'_, '_>) -> Result<(), EncodeError> {
        match self {
            Self::Sccrq(message) => message.encode(builder),
            Self::Sccrp(message) => message.encode(builder),
            Self::Scccn(message) => message.encode(builder),
            Self::StopCcn(message) => message.encode(builder),
            Self::Hello(message) => message.encode(builder),
            Self::Ocrq(message) => message.encode(builder),
            Self::Ocrp(message) => message.encode(builder),
            Self::Occn(message) => message.encode(builder),
            Self::Icrq(message) => message.encode(builder),
            Self::Icrp(message) => message.encode(builder),
            Self::Iccn(message) => message.encode(builder),
            Self::Cdn(message) => message.encode(builder),
            Self::Wen(message) => message.encode(builder),
            Self::Sli(message) => message.encode(builder),
        }
    }
}
