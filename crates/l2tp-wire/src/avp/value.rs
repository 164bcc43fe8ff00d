use thiserror::Error;

use crate::AttributeType;
use crate::Leniencies;
use crate::MessageType;
use crate::ProxyAuthenType;

/// A value that can't be read: it has fewer octets than its attribute needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the value has {len} octets, and {needed} are needed")]
pub struct ValueError {
    /// How many octets the value has.
    pub len: usize,
    /// The least that the attribute needs.
    pub needed: usize,
}

/// What stands in an AVP's value field, read and written.
///
/// Reading is as tolerant as can be: it notes each departure from the RFC in `departures`, and
/// whoever asked decides whether that will do.
pub(crate) trait Value<'a>: Sized {
    /// Octets of a value of fixed length.
    const LEN: Option<usize> = None;

    fn decode(value: &'a [u8], departures: &mut Leniencies) -> Result<Self, ValueError>;

    fn encoded_len(&self) -> usize;

    /// Fills `out`, which has exactly [`Value::encoded_len`] octets.
    fn encode(&self, out: &mut [u8]);
}

/// Reads the value of `attribute`, with the rules that go beyond the value's form.
#[inline]
pub(crate) fn decode_value<'a, T: Value<'a>>(
    attribute: AttributeType,
    value: &'a [u8],
    departures: &mut Leniencies,
) -> Result<T, ValueError> {
    let decoded = T::decode(value, departures)?;
    departures.insert(forbidden(attribute, value));
    Ok(decoded)
}

/// Which rule on the values of `attribute` this value breaks: the values that have the right form
/// and must not be sent nevertheless.
#[inline]
pub(crate) fn forbidden(attribute: AttributeType, value: &[u8]) -> Leniencies {
    match attribute {
        AttributeType::ASSIGNED_TUNNEL_ID | AttributeType::ASSIGNED_SESSION_ID
            if is_zero(value) =>
        {
            Leniencies::ZERO_ID
        }
        AttributeType::RECEIVE_WINDOW_SIZE if is_zero(value) => Leniencies::ZERO_WINDOW,
        AttributeType::HOST_NAME
        | AttributeType::CHALLENGE
        | AttributeType::PROXY_AUTHEN_CHALLENGE
            if value.is_empty() =>
        {
            Leniencies::EMPTY_VALUE
        }
        _ => Leniencies::empty(),
    }
}

#[inline]
fn is_zero(value: &[u8]) -> bool {
    value.first_chunk() == Some(&[0, 0])
}

/// The first `N` octets of a value of fixed length.
#[inline]
pub(crate) fn fixed<'a, const N: usize>(
    value: &'a [u8],
    departures: &mut Leniencies,
) -> Result<&'a [u8; N], ValueError> {
    if let Ok(octets) = value.try_into() {
        return Ok(octets);
    }
    let (octets, _) = prefixed(value)?;
    departures.insert(Leniencies::LONG_VALUE);
    Ok(octets)
}

/// The first `N` octets of a value that goes on with a text.
#[inline]
pub(crate) const fn prefixed<const N: usize>(
    value: &[u8],
) -> Result<(&[u8; N], &[u8]), ValueError> {
    match value.split_first_chunk() {
        Some(parts) => Ok(parts),
        None => Err(ValueError { len: value.len(), needed: N }),
    }
}

/// Fills `out` with `head` and then `text`.
#[inline]
pub(crate) fn put_prefixed<const N: usize>(out: &mut [u8], head: [u8; N], text: &[u8]) {
    if let Some((front, rest)) = out.split_first_chunk_mut() {
        *front = head;
        rest.copy_from_slice(text);
    }
}

macro_rules! number {
    ($number:ty) => {
        impl Value<'_> for $number {
            const LEN: Option<usize> = Some(size_of::<Self>());

            #[inline]
            fn decode(value: &[u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
                fixed(value, departures).map(|octets| Self::from_be_bytes(*octets))
            }

            #[inline]
            fn encoded_len(&self) -> usize {
                size_of::<Self>()
            }

            #[inline]
            fn encode(&self, out: &mut [u8]) {
                out.copy_from_slice(&self.to_be_bytes());
            }
        }
    };
}

number!(u16);
number!(u32);
number!(u64);

macro_rules! registry_number {
    ($registry:ty) => {
        impl Value<'_> for $registry {
            const LEN: Option<usize> = u16::LEN;

            #[inline]
            fn decode(value: &[u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
                u16::decode(value, departures).map(Self)
            }

            #[inline]
            fn encoded_len(&self) -> usize {
                self.0.encoded_len()
            }

            #[inline]
            fn encode(&self, out: &mut [u8]) {
                self.0.encode(out);
            }
        }
    };
}

registry_number!(MessageType);
registry_number!(ProxyAuthenType);

impl<'a> Value<'a> for &'a [u8] {
    #[inline]
    fn decode(value: &'a [u8], _: &mut Leniencies) -> Result<Self, ValueError> {
        Ok(value)
    }

    #[inline]
    fn encoded_len(&self) -> usize {
        self.len()
    }

    #[inline]
    fn encode(&self, out: &mut [u8]) {
        out.copy_from_slice(self);
    }
}

impl Value<'_> for [u8; 16] {
    const LEN: Option<usize> = Some(16);

    #[inline]
    fn decode(value: &[u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
        fixed(value, departures).copied()
    }

    #[inline]
    fn encoded_len(&self) -> usize {
        self.len()
    }

    #[inline]
    fn encode(&self, out: &mut [u8]) {
        out.copy_from_slice(self);
    }
}

/// The value of an attribute that has none.
impl Value<'_> for () {
    const LEN: Option<usize> = Some(0);

    #[inline]
    fn decode(value: &[u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
        fixed::<0>(value, departures).map(|_| ())
    }

    #[inline]
    fn encoded_len(&self) -> usize {
        0
    }

    #[inline]
    fn encode(&self, _: &mut [u8]) {}
}
