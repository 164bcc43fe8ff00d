//! The AVPs of one message: found in one pass, then taken out one by one in typed form.

use crate::AttributeType;
use crate::AvpError;
use crate::Avps;
use crate::Leniencies;
use crate::MessageType;
use crate::RawAvp;
use crate::ValueError;
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

/// The most AVPs that a message of RFC 2661 §6 lists, Message Type not counted.
const SLOTS: usize = 16;
const NO_SLOT: u8 = 0xff;

/// Which AVPs a message lists, and in which slot each is put when it is found.
pub(super) struct Layout {
    slots: [u8; 64],
    attributes: [AttributeType; SLOTS],
    /// A bit a slot: M must be set.
    mandatory: u16,
}

impl Layout {
    pub(super) const fn of(listed: &[AttributeType]) -> Self {
        let mut layout = Self {
            slots: [NO_SLOT; 64],
            attributes: [AttributeType::MESSAGE_TYPE; SLOTS],
            mandatory: 0,
        };
        let (mut rest, mut slot) = (listed, 0);
        while let ([attribute, others @ ..], Some((_, _))) =
            (rest, layout.attributes.split_at_checked(slot as usize + 1))
        {
            if let Some((_, [place, ..])) = layout.slots.split_at_mut_checked(attribute.0 as usize)
            {
                *place = slot;
            }
            if let Some((_, [place, ..])) = layout.attributes.split_at_mut_checked(slot as usize) {
                *place = *attribute;
            }
            if attribute.is_mandatory() {
                layout.mandatory |= 1 << slot;
            }
            slot += 1;
            rest = others;
        }
        assert!(rest.is_empty(), "more AVPs than slots");
        layout
    }

    #[inline]
    pub(super) const fn slot(&self, attribute: AttributeType) -> u8 {
        match self.slots.split_at_checked(attribute.0 as usize) {
            Some((_, [slot, ..])) => *slot,
            _ => NO_SLOT,
        }
    }
}

/// A message that can be made of the AVPs found in it.
pub(super) trait FromFound<'a>: Sized {
    const LAYOUT: &'static Layout;

    fn from_found(found: &mut Found<'a, '_>) -> Result<Self, MessageError>;
}

/// What comes before the AVPs that are sorted, and behind them.
pub(super) struct MessageHead<'a> {
    pub(super) message_type: MessageType,
    /// The M bit of the Message Type AVP.
    pub(super) mandatory: bool,
    /// The AVPs behind the Message Type.
    pub(super) avps: Avps<'a>,
    /// Octets behind the end of the message.
    pub(super) trailing: usize,
}

/// The AVPs that were found in a message.
pub(super) struct Found<'a, 'c> {
    message_type: MessageType,
    layout: &'static Layout,
    values: [&'a [u8]; SLOTS],
    /// A bit a slot: there is a value.
    seen: u16,
    /// A bit a slot: its M bit was set.
    mandatory: u16,
    random_vector: Option<&'a [u8]>,
    context: DecodeContext<'a, 'c>,
}

impl<'a, 'c> Found<'a, 'c> {
    /// Walks over `avps`, which start behind the Message Type, and sorts them into slots.
    #[inline]
    pub(super) fn search(
        layout: &'static Layout,
        head: MessageHead<'a>,
        context: DecodeContext<'a, 'c>,
    ) -> Result<Self, MessageError> {
        let mut found = Self {
            message_type: head.message_type,
            layout,
            values: [&[]; SLOTS],
            seen: 0,
            mandatory: 0,
            random_vector: None,
            context,
        };
        let mut avps = head.avps;
        while !avps.rest().is_empty() {
            match avps.step() {
                Ok((header, value)) => found.sort(header, value)?,
                Err(error) => found.cut_short(error)?,
            }
        }
        let wrong = (found.mandatory ^ layout.mandatory) & found.seen;
        if wrong != 0 || !head.mandatory || head.trailing != 0 {
            found.check_head_and_bits(&head, wrong)?;
        }
        Ok(found)
    }

    #[inline]
    fn sort(&mut self, header: AvpHeader, value: &'a [u8]) -> Result<(), MessageError> {
        let attribute = usize::try_from(header.kind).unwrap_or(usize::MAX);
        if header.is_plain()
            && let Some(slot) = self.layout.slots.get(attribute)
            && let Some(place) = self.values.get_mut(usize::from(*slot))
            && self.seen & 1 << slot == 0
        {
            *place = value;
            self.seen |= 1 << slot;
            self.mandatory |= u16::from(header.is_mandatory()) << slot;
            return Ok(());
        }
        self.sort_unusual(header.with_value(value))
    }

    /// Any AVP but the first plain one of a listed attribute.
    #[cold]
    fn sort_unusual(&mut self, mut avp: RawAvp<'a>) -> Result<(), MessageError> {
        if avp.reserved != 0 {
            return self.unrecognized(&avp);
        }
        if avp.hidden {
            match self.unhide(&avp) {
                Ok(value) => avp = RawAvp { value, hidden: false, ..avp },
                Err(kind) => return self.malformed(&avp, kind),
            }
        }
        if avp.vendor_id != VendorId::IETF || !avp.attribute_type.is_recognized() {
            let recognized =
                self.context.observer.as_mut().is_some_and(|observer| observer.extension(&avp));
            return if recognized { Ok(()) } else { self.unrecognized(&avp) };
        }
        let attribute = avp.attribute_type;
        if attribute == AttributeType::RANDOM_VECTOR {
            self.random_vector = Some(avp.value);
            return self.expect_mandatory_bit(attribute, avp.mandatory);
        }
        let slot = self.layout.slot(attribute);
        let Some(place) = self.values.get_mut(usize::from(slot)) else {
            return if attribute == AttributeType::MESSAGE_TYPE {
                self.duplicate(&avp)
            } else if self.context.leniencies.contains(Leniencies::UNLISTED_AVP) {
                self.report(Leniencies::UNLISTED_AVP, Some(attribute));
                Ok(())
            } else {
                self.unrecognized(&avp)
            };
        };
        if self.seen & 1 << slot != 0 {
            return self.duplicate(&avp);
        }
        *place = avp.value;
        self.seen |= 1 << slot;
        self.mandatory |= u16::from(avp.mandatory) << slot;
        Ok(())
    }

    fn unhide(&mut self, avp: &RawAvp<'a>) -> Result<&'a [u8], MessageErrorKind> {
        let attribute = avp.attribute_type;
        let of_ietf = avp.vendor_id == VendorId::IETF;
        if of_ietf && !attribute.may_be_hidden() {
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

    fn duplicate(&mut self, avp: &RawAvp<'_>) -> Result<(), MessageError> {
        let attribute = avp.attribute_type;
        if attribute == AttributeType::PPP_DISCONNECT_CAUSE_CODE {
            // One for each NCP that failed is allowed (RFC 3145 §3.4).
            return Ok(());
        }
        if self.context.leniencies.contains(Leniencies::DUPLICATE_AVP) {
            self.report(Leniencies::DUPLICATE_AVP, Some(attribute));
            return Ok(());
        }
        self.malformed(avp, MessageErrorKind::Duplicate(attribute))
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

    #[cold]
    fn cut_short(&mut self, error: AvpError) -> Result<(), MessageError> {
        let tolerant = self.context.leniencies.contains(Leniencies::TRAILING_OCTETS);
        if tolerant && matches!(error, AvpError::Trailing(_)) {
            self.report(Leniencies::TRAILING_OCTETS, None);
            return Ok(());
        }
        Err(self.error(MessageErrorKind::Avp(error)))
    }

    /// `wrong` has a bit set for each slot whose M bit is not as its definition says.
    #[cold]
    fn check_head_and_bits(
        &mut self,
        head: &MessageHead<'_>,
        wrong: u16,
    ) -> Result<(), MessageError> {
        if head.trailing != 0 {
            self.cut_short(AvpError::Trailing(head.trailing))?;
        }
        self.expect_mandatory_bit(AttributeType::MESSAGE_TYPE, head.mandatory)?;
        for (slot, attribute) in self.layout.attributes.iter().enumerate() {
            let is_wrong = wrong >> slot & 1 == 1;
            self.expect_mandatory_bit(*attribute, attribute.is_mandatory() != is_wrong)?;
        }
        Ok(())
    }

    fn expect_mandatory_bit(
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

    /// Takes out an AVP that may be there.
    #[inline]
    pub(super) fn optional<T: Value<'a>>(
        &mut self,
        slot: u8,
        attribute: AttributeType,
    ) -> Result<Option<T>, MessageError> {
        if self.seen & 1 << slot == 0 {
            return Ok(None);
        }
        let Some(value) = self.values.get(usize::from(slot)) else {
            return Ok(None);
        };
        let mut departures = Leniencies::empty();
        match decode_value(attribute, value, &mut departures) {
            Ok(decoded) if departures.is_empty() => Ok(Some(decoded)),
            Ok(decoded) => Ok(self.put_up_with(slot, attribute, departures)?.then_some(decoded)),
            Err(error) => self.too_short(slot, attribute, error).map(|()| None),
        }
    }

    /// Takes out an AVP that must be there.
    #[inline]
    pub(super) fn required<T: Value<'a>>(
        &mut self,
        slot: u8,
        attribute: AttributeType,
    ) -> Result<T, MessageError> {
        match self.optional(slot, attribute)? {
            Some(value) => Ok(value),
            None => Err(self.error(MessageErrorKind::Missing(attribute))),
        }
    }

    /// Takes out an AVP that must be there, or that reads as `default` where that is put up with.
    #[inline]
    pub(super) fn defaulted<T: Value<'a>>(
        &mut self,
        slot: u8,
        attribute: AttributeType,
        default: T,
    ) -> Result<T, MessageError> {
        match self.optional(slot, attribute)? {
            Some(value) => Ok(value),
            None => self.missing(attribute).map(|()| default),
        }
    }

    /// Tells whether an AVP without a value is there.
    pub(super) fn flag(
        &mut self,
        slot: u8,
        attribute: AttributeType,
    ) -> Result<bool, MessageError> {
        Ok(self.optional::<()>(slot, attribute)?.is_some())
    }

    #[cold]
    fn missing(&mut self, attribute: AttributeType) -> Result<(), MessageError> {
        if !self.context.leniencies.contains(Leniencies::MISSING_AVP) {
            return Err(self.error(MessageErrorKind::Missing(attribute)));
        }
        self.report(Leniencies::MISSING_AVP, Some(attribute));
        Ok(())
    }

    /// Decides whether a value may depart from the RFC in these ways, and is to be used.
    #[cold]
    fn put_up_with(
        &mut self,
        slot: u8,
        attribute: AttributeType,
        departures: Leniencies,
    ) -> Result<bool, MessageError> {
        let mut allowed = self.context.leniencies;
        if !matches!(self.message_type, MessageType::STOP_CCN | MessageType::CDN) {
            allowed.remove(Leniencies::ZERO_ID);
        }
        if !allowed.contains(departures) {
            let kind = if departures.difference(allowed).contains(Leniencies::LONG_VALUE) {
                MessageErrorKind::WrongLength(attribute)
            } else {
                MessageErrorKind::OutOfRange(attribute)
            };
            return self.malformed_value(slot, attribute, kind).map(|()| false);
        }
        for leniency in departures.iter() {
            self.report(leniency, Some(attribute));
        }
        Ok(!departures.contains(Leniencies::ZERO_WINDOW))
    }

    #[cold]
    fn too_short(
        &mut self,
        slot: u8,
        attribute: AttributeType,
        _: ValueError,
    ) -> Result<(), MessageError> {
        self.malformed_value(slot, attribute, MessageErrorKind::WrongLength(attribute))
    }

    fn malformed_value(
        &mut self,
        slot: u8,
        attribute_type: AttributeType,
        kind: MessageErrorKind,
    ) -> Result<(), MessageError> {
        let avp = RawAvp {
            mandatory: self.mandatory & 1 << slot != 0,
            hidden: false,
            reserved: 0,
            vendor_id: VendorId::IETF,
            attribute_type,
            value: self.values.get(usize::from(slot)).copied().unwrap_or_default(),
        };
        self.malformed(&avp, kind)
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
