//! The walk over the AVPs of one message, and the judgement of all that is unusual about them.

use crate::AttributeType;
use crate::AvpError;
use crate::Avps;
use crate::Leniencies;
use crate::MessageType;
use crate::RawAvp;
use crate::VendorId;
use crate::avp::AvpHeader;
use crate::avp::Value;
use crate::avp::decode_value;
use crate::hidden::HidingKey;
use crate::hidden::UnhideError;
use crate::hidden::unhide;
use crate::message::DecodeContext;
use crate::message::MessageError;
use crate::message::MessageErrorKind;

/// A message whose fields are taken from a walk over its AVPs.
pub(super) trait FromAvps<'a>: Sized {
    /// `avps` are those behind the Message Type.
    fn from_avps(avps: Avps<'a>, judge: Judge<'a, '_, '_>) -> Result<Self, MessageError>;
}

/// Decides about all that is unusual in one message.
///
/// The walk itself is kept apart from this: it stays in registers as long as nothing is unusual.
pub(super) struct Judge<'a, 'c, 'j> {
    message_type: MessageType,
    random_vector: Option<&'a [u8]>,
    context: &'j mut DecodeContext<'a, 'c>,
}

impl<'a, 'c, 'j> Judge<'a, 'c, 'j> {
    #[inline]
    pub(super) const fn new(
        message_type: MessageType,
        context: &'j mut DecodeContext<'a, 'c>,
    ) -> Self {
        Self { message_type, random_vector: None, context }
    }

    /// Judges octets behind the message, and the M bit of its type.
    #[cold]
    pub(super) fn check_head(
        &mut self,
        trailing: usize,
        mandatory: bool,
    ) -> Result<(), MessageError> {
        self.check_trailing(trailing)?;
        self.check_mandatory_bit(AttributeType::MESSAGE_TYPE, mandatory)
    }

    /// Takes the AVP at the front of `avps`, which this message lists. Returns the walk behind it,
    /// and what the AVP's field is from now on.
    // Fast only as a part of the loop that calls it.
    #[inline(always)]
    pub(super) fn take<T: Value<'a>>(
        &mut self,
        attribute: AttributeType,
        header: AvpHeader<'a>,
        avps: Avps<'a>,
        field: Option<T>,
    ) -> Result<(Avps<'a>, Option<T>), MessageError> {
        let mut rest = avps;
        let mandatory = attribute.is_mandatory();
        let value = match T::LEN {
            Some(len) => rest.advance_fixed(header, mandatory, len),
            None if header.is_plain(mandatory) => rest.advance(header),
            None => None,
        };
        let mut departures = Leniencies::empty();
        if field.is_none()
            && let Some(value) = value
            && let Ok(decoded) = decode_value(attribute, value, &mut departures)
            && departures.is_empty()
        {
            return Ok((rest, Some(decoded)));
        }
        self.take_unusual(header, avps, field)
    }

    #[cold]
    fn take_unusual<T: Value<'a>>(
        &mut self,
        header: AvpHeader<'a>,
        mut avps: Avps<'a>,
        field: Option<T>,
    ) -> Result<(Avps<'a>, Option<T>), MessageError> {
        let Some(avp) = self.reveal(header, &mut avps)? else {
            return Ok((avps, field));
        };
        if field.is_some() {
            return self.duplicate(&avp).map(|()| (avps, field));
        }
        let attribute = avp.attribute_type;
        self.check_mandatory_bit(attribute, avp.mandatory)?;
        let mut departures = Leniencies::empty();
        let decoded = decode_value(attribute, avp.value, &mut departures).ok();
        if let Some(kind) = self.fault(attribute, decoded.is_some(), departures) {
            return self.malformed(&avp, kind).map(|()| (avps, None));
        }
        for leniency in departures.iter() {
            self.report(leniency, Some(attribute));
        }
        Ok((avps, decoded.filter(|_| !departures.contains(Leniencies::ZERO_WINDOW))))
    }

    /// What is wrong with a value, if it is more than is put up with.
    fn fault(
        &self,
        attribute: AttributeType,
        decoded: bool,
        departures: Leniencies,
    ) -> Option<MessageErrorKind> {
        let mut allowed = self.context.leniencies;
        if !matches!(self.message_type, MessageType::STOP_CCN | MessageType::CDN) {
            allowed.remove(Leniencies::ZERO_ID);
        }
        let forbidden = departures.difference(allowed);
        if !decoded || forbidden.contains(Leniencies::LONG_VALUE) {
            Some(MessageErrorKind::WrongLength(attribute))
        } else if !forbidden.is_empty() {
            Some(MessageErrorKind::OutOfRange(attribute))
        } else {
            None
        }
    }

    /// Takes the AVP at the front of `avps`, which this message does not list. Returns the walk
    /// behind it.
    #[cold]
    pub(super) fn take_unlisted(
        &mut self,
        header: AvpHeader<'a>,
        mut avps: Avps<'a>,
    ) -> Result<Avps<'a>, MessageError> {
        let Some(avp) = self.reveal(header, &mut avps)? else {
            return Ok(avps);
        };
        let attribute = avp.attribute_type;
        if avp.vendor_id != VendorId::IETF || !attribute.is_recognized() {
            self.extension(&avp)?;
        } else if attribute == AttributeType::RANDOM_VECTOR {
            self.random_vector = Some(avp.value);
            self.check_mandatory_bit(attribute, avp.mandatory)?;
        } else if attribute == AttributeType::MESSAGE_TYPE {
            self.duplicate(&avp)?;
        } else if self.context.leniencies.contains(Leniencies::UNLISTED_AVP) {
            self.report(Leniencies::UNLISTED_AVP, Some(attribute));
        } else {
            self.unrecognized(&avp)?;
        }
        Ok(avps)
    }

    /// Takes the AVP at the front of `avps`, as it was before it was hidden, if it was. `None` where
    /// it is to be ignored.
    fn reveal(
        &mut self,
        header: AvpHeader<'a>,
        avps: &mut Avps<'a>,
    ) -> Result<Option<RawAvp<'a>>, MessageError> {
        let Some(value) = avps.advance(header) else {
            return Err(self.error(MessageErrorKind::Avp(avps.fault(header))));
        };
        let avp = header.with_value(value);
        if avp.reserved != 0 {
            return self.unrecognized(&avp).map(|()| None);
        }
        if !avp.hidden {
            return Ok(Some(avp));
        }
        match self.unhide(&avp) {
            Ok(value) => Ok(Some(RawAvp { hidden: false, value, ..avp })),
            Err(kind) => self.malformed(&avp, kind).map(|()| None),
        }
    }

    fn unhide(&mut self, avp: &RawAvp<'a>) -> Result<&'a [u8], MessageErrorKind> {
        let attribute = avp.attribute_type;
        if avp.vendor_id == VendorId::IETF && !attribute.may_be_hidden() {
            let readable =
                !matches!(attribute, AttributeType::MESSAGE_TYPE | AttributeType::RANDOM_VECTOR);
            if !readable || !self.context.leniencies.contains(Leniencies::WRONG_HIDDEN_BIT) {
                return Err(MessageErrorKind::MustNotBeHidden(attribute));
            }
            self.report(Leniencies::WRONG_HIDDEN_BIT, Some(attribute));
        }
        let unhidden = match (self.random_vector, self.context.secret) {
            (None, _) => Err(UnhideError::NoRandomVector),
            (_, None) => Err(UnhideError::NoSecret),
            (Some(random_vector), Some((md5, secret))) => {
                let scratch = core::mem::take(&mut self.context.scratch);
                match scratch.split_at_mut_checked(avp.value.len()) {
                    Some((room, rest)) => {
                        self.context.scratch = rest;
                        let key = HidingKey { md5, secret, random_vector };
                        unhide(&key, attribute, avp.value, room)
                    }
                    None => Err(UnhideError::NoRoom),
                }
            }
        };
        unhidden
            .map(|unhidden| unhidden.value)
            .map_err(|error| MessageErrorKind::Hidden(attribute, error))
    }

    /// Asks whether an AVP that is not of RFC 2661 is recognized.
    fn extension(&mut self, avp: &RawAvp<'_>) -> Result<(), MessageError> {
        let observer = self.context.observer.as_mut();
        if observer.is_some_and(|observer| observer.extension(avp)) {
            return Ok(());
        }
        self.unrecognized(avp)
    }

    fn duplicate(&mut self, avp: &RawAvp<'_>) -> Result<(), MessageError> {
        let attribute = avp.attribute_type;
        if attribute == AttributeType::PPP_DISCONNECT_CAUSE_CODE {
            // One for each NCP that failed is allowed (RFC 3145 §3.4).
            return Ok(());
        }
        if !self.context.leniencies.contains(Leniencies::DUPLICATE_AVP) {
            return self.malformed(avp, MessageErrorKind::Duplicate(attribute));
        }
        self.report(Leniencies::DUPLICATE_AVP, Some(attribute));
        Ok(())
    }

    fn unrecognized(&mut self, avp: &RawAvp<'_>) -> Result<(), MessageError> {
        self.malformed(avp, MessageErrorKind::UnknownAvp(avp.vendor_id, avp.attribute_type))
    }

    /// Lets the M bit decide (RFC 2661 §4.1, §7.1): set, it is an error; clear, the AVP is ignored.
    fn malformed(&mut self, avp: &RawAvp<'_>, kind: MessageErrorKind) -> Result<(), MessageError> {
        if avp.mandatory {
            return Err(self.error(kind));
        }
        if let Some(observer) = &mut self.context.observer {
            observer.ignored(avp, kind);
        }
        Ok(())
    }

    /// Judges octets that are too few for an AVP, or lie behind the message.
    #[inline]
    pub(super) fn check_trailing(&mut self, trailing: usize) -> Result<(), MessageError> {
        if trailing == 0 {
            return Ok(());
        }
        if !self.context.leniencies.contains(Leniencies::TRAILING_OCTETS) {
            return Err(self.error(MessageErrorKind::Avp(AvpError::Trailing(trailing))));
        }
        self.report(Leniencies::TRAILING_OCTETS, None);
        Ok(())
    }

    fn check_mandatory_bit(
        &mut self,
        attribute: AttributeType,
        mandatory: bool,
    ) -> Result<(), MessageError> {
        if mandatory == attribute.is_mandatory() {
            return Ok(());
        }
        if !self.context.leniencies.contains(Leniencies::WRONG_MANDATORY_BIT) {
            return Err(self.error(MessageErrorKind::WrongMandatoryBit(attribute)));
        }
        self.report(Leniencies::WRONG_MANDATORY_BIT, Some(attribute));
        Ok(())
    }

    /// Whether the message may go without a required AVP that has a default.
    #[cold]
    pub(super) fn may_default(&mut self, attribute: AttributeType) -> Result<(), MessageError> {
        if !self.context.leniencies.contains(Leniencies::MISSING_AVP) {
            return Err(self.missing(attribute));
        }
        self.report(Leniencies::MISSING_AVP, Some(attribute));
        Ok(())
    }

    #[cold]
    pub(super) const fn missing(&self, attribute: AttributeType) -> MessageError {
        self.error(MessageErrorKind::Missing(attribute))
    }

    fn report(&mut self, leniency: Leniencies, attribute: Option<AttributeType>) {
        if let Some(observer) = &mut self.context.observer {
            observer.lenient(leniency, attribute);
        }
    }

    const fn error(&self, kind: MessageErrorKind) -> MessageError {
        MessageError { message_type: Some(self.message_type), kind }
    }
}
