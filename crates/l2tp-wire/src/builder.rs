use vpn_core::Writer;

use crate::AttributeSet;
use crate::AttributeType;
use crate::Avp;
use crate::EncodeError;
use crate::MessageType;
use crate::RawAvp;
use crate::VendorId;
use crate::avp::AVP_HEADER_LEN;
use crate::avp::HIDDEN;
use crate::avp::MAX_AVP_LEN;
use crate::avp::Value;
use crate::avp::forbidden;
use crate::avp::hidden::HidingKey;
use crate::avp::hidden::hide_in_place;
use crate::avp::mandatory_bit;
use crate::control::control_header;

/// Where the Length field of a message lies.
const LENGTH_AT: usize = 2;

/// Which AVPs of a message go out hidden, and how (RFC 2661 §4.3).
#[derive(Clone, Copy, Debug)]
pub struct Hiding<'h> {
    /// The secret, and a random vector; 16 unpredictable octets are recommended.
    pub key: HidingKey<'h>,
    /// What is hidden: [`AttributeSet::HIDEABLE`] for all that may be. An attribute that must not
    /// be hidden is not, whatever this says.
    pub attributes: AttributeSet,
    /// Random octets put behind each value, so that its length doesn't show; may be empty.
    pub padding: &'h [u8],
}

/// Writes a control message into a slice: the header, then AVP after AVP (RFC 2661 §3.1, §4.1).
///
/// Ns and Nr stay 0 until [`set_ns_nr`](crate::set_ns_nr), since a message is numbered when it is
/// sent. The M bit is what each attribute's definition says.
///
/// ```
/// use l2tp_wire::Avp;
/// use l2tp_wire::MessageBuilder;
/// use l2tp_wire::MessageType;
///
/// let mut buf = [0; 64];
/// let mut builder = MessageBuilder::new(&mut buf, 7, 0)?;
/// builder.message_type(MessageType::HELLO)?;
/// let len = builder.finish()?;
/// assert_eq!(buf[..len], [0xc8, 2, 0, 20, 0, 7, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 6]);
/// # Ok::<(), l2tp_wire::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct MessageBuilder<'o, 'h> {
    out: Writer<'o>,
    hiding: Option<Hiding<'h>>,
    /// Whether the random vector of `hiding` has been written.
    vector_written: bool,
}

impl<'o, 'h> MessageBuilder<'o, 'h> {
    /// Starts a message at the front of `out`. Both IDs are the receiver's, 0 where not known yet.
    ///
    /// # Errors
    /// [`EncodeError::NoRoom`].
    #[inline]
    pub fn new(out: &'o mut [u8], tunnel_id: u16, session_id: u16) -> Result<Self, EncodeError> {
        let mut out = Writer::new(out);
        out.put(&control_header(tunnel_id, session_id))?;
        Ok(Self { out, hiding: None, vector_written: false })
    }

    /// From now on hides what `hiding` says. A Random Vector AVP goes in front of the first AVP that
    /// is hidden. May be called again, for another vector.
    pub const fn hide(&mut self, hiding: Hiding<'h>) {
        self.hiding = Some(hiding);
        self.vector_written = false;
    }

    /// Adds the Message Type AVP, which must come first.
    ///
    /// # Errors
    /// [`EncodeError::NoRoom`].
    #[inline]
    pub fn message_type(&mut self, message_type: MessageType) -> Result<(), EncodeError> {
        self.put(AttributeType::MESSAGE_TYPE, true, &message_type)
    }

    /// Adds an AVP, with the M bit of its definition.
    ///
    /// # Errors
    /// [`EncodeError`]; nothing is added then.
    pub fn avp(&mut self, avp: &Avp<'_>) -> Result<(), EncodeError> {
        avp.put(avp.attribute_type().is_mandatory(), self)
    }

    /// Adds an AVP exactly as given: bits, vendor and value. A value marked as hidden is taken to be
    /// hidden already.
    ///
    /// # Errors
    /// [`EncodeError`]; nothing is added then.
    pub fn raw(&mut self, avp: &RawAvp<'_>) -> Result<(), EncodeError> {
        let RawAvp { vendor_id, attribute_type, value, .. } = *avp;
        self.frame(avp.bits(), vendor_id, attribute_type, value.len())?.copy_from_slice(value);
        Ok(())
    }

    /// Adds an AVP of a vendor. Set `mandatory` only where the peer is known to recognize it: any
    /// other peer must end the session or tunnel (RFC 2661 §4.2).
    ///
    /// # Errors
    /// [`EncodeError`]; nothing is added then.
    pub fn vendor(
        &mut self,
        vendor_id: VendorId,
        attribute_type: AttributeType,
        mandatory: bool,
        value: &[u8],
    ) -> Result<(), EncodeError> {
        self.raw(&RawAvp {
            mandatory,
            hidden: false,
            reserved: 0,
            vendor_id,
            attribute_type,
            value,
        })
    }

    /// Ends the message and returns how many octets it has.
    ///
    /// # Errors
    /// [`EncodeError::MessageTooLong`] above 65,535 octets.
    #[inline]
    pub fn finish(mut self) -> Result<usize, EncodeError> {
        let len = self.out.len();
        let length = u16::try_from(len).map_err(|_| EncodeError::MessageTooLong(len))?;
        self.out.patch_u16(LENGTH_AT, length);
        Ok(len)
    }

    /// Adds an AVP of the IETF's, hidden if it is to be.
    #[inline]
    pub(crate) fn put<'v, T: Value<'v>>(
        &mut self,
        attribute: AttributeType,
        mandatory: bool,
        value: &T,
    ) -> Result<(), EncodeError> {
        let bits = mandatory_bit(mandatory);
        if attribute.may_be_hidden()
            && let Some(hiding) = self.hiding
            && hiding.attributes.contains(attribute)
        {
            return self.put_hidden(&hiding, bits, attribute, value);
        }
        let start = self.out.len();
        let body = self.frame(bits, VendorId::IETF, attribute, value.encoded_len())?;
        value.encode(body);
        if !forbidden(attribute, body).is_empty() {
            self.out.truncate(start);
            return Err(EncodeError::ForbiddenValue(attribute));
        }
        Ok(())
    }

    fn put_hidden<'v, T: Value<'v>>(
        &mut self,
        hiding: &Hiding<'_>,
        bits: u16,
        attribute: AttributeType,
        value: &T,
    ) -> Result<(), EncodeError> {
        let start = self.out.len();
        let result = self.try_put_hidden(hiding, bits, attribute, value);
        if result.is_err() {
            self.out.truncate(start);
        } else {
            self.vector_written = true;
        }
        result
    }

    fn try_put_hidden<'v, T: Value<'v>>(
        &mut self,
        hiding: &Hiding<'_>,
        bits: u16,
        attribute: AttributeType,
        value: &T,
    ) -> Result<(), EncodeError> {
        if !self.vector_written {
            self.put(AttributeType::RANDOM_VECTOR, true, &hiding.key.random_vector)?;
        }
        let too_long = EncodeError::ValueTooLong(attribute);
        let value_len = value.encoded_len();
        let length = u16::try_from(value_len).map_err(|_| too_long)?;
        let body_len = value_len.saturating_add(hiding.padding.len()).saturating_add(2);
        let body = self.frame(bits | HIDDEN, VendorId::IETF, attribute, body_len)?;
        let (front, rest) = body.split_first_chunk_mut().ok_or(too_long)?;
        let (room, padding) = rest.split_at_mut_checked(value_len).ok_or(too_long)?;
        *front = length.to_be_bytes();
        value.encode(room);
        padding.copy_from_slice(hiding.padding);
        if !forbidden(attribute, room).is_empty() {
            return Err(EncodeError::ForbiddenValue(attribute));
        }
        hide_in_place(&hiding.key, attribute, body);
        Ok(())
    }

    /// Writes the header of an AVP and makes room for `body_len` octets of value.
    #[inline]
    fn frame(
        &mut self,
        bits: u16,
        vendor: VendorId,
        attribute: AttributeType,
        body_len: usize,
    ) -> Result<&mut [u8], EncodeError> {
        let too_long = EncodeError::ValueTooLong(attribute);
        let len = body_len.saturating_add(AVP_HEADER_LEN);
        if len > MAX_AVP_LEN {
            return Err(too_long);
        }
        let length = u16::try_from(len).map_err(|_| too_long)?;
        let (header, body) = self.out.reserve(len)?.split_first_chunk_mut().ok_or(too_long)?;
        let [b0, b1] = (bits | length).to_be_bytes();
        let [v0, v1] = vendor.0.to_be_bytes();
        let [t0, t1] = attribute.0.to_be_bytes();
        *header = [b0, b1, v0, v1, t0, t1];
        Ok(body)
    }
}
