/// Defines the messages, each as RFC 2661 §6 lists it: a line an AVP, in the order in which they go
/// out. The first word says whether it is there:
///
/// - `required`: without it the message is refused;
/// - `defaulted`: required too, but where [`Leniencies::MISSING_AVP`] is put up with, the value
///   behind the comma is taken;
/// - `optional`: an `Option`;
/// - `flag`: there or not, without a value: a `bool`.
///
/// [`Leniencies::MISSING_AVP`]: crate::Leniencies::MISSING_AVP
macro_rules! message {
    (
        $(#[$doc:meta])*
        pub struct $name:ident $(<$life:lifetime>)? = $message_type:ident {
            $(
                $(#[$field_doc:meta])*
                $presence:ident $field:ident: $value:ty = $attribute:ident $(, $default:expr)?;
            )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name $(<$life>)? {
            $($(#[$field_doc])* pub $field: $crate::message::define::field!($presence $value),)*
        }

        impl $(<$life>)? $name $(<$life>)? {
            /// The type of the message.
            pub const MESSAGE_TYPE: $crate::MessageType = $crate::MessageType::$message_type;

            /// Adds the Message Type and the AVPs of this message to `builder`, which is new. AVPs
            /// of a vendor may follow.
            ///
            /// # Errors
            /// [`EncodeError`](crate::EncodeError).
            #[inline]
            pub fn encode(
                &self,
                builder: &mut $crate::MessageBuilder<'_, '_>,
            ) -> Result<(), $crate::EncodeError> {
                builder.message_type(Self::MESSAGE_TYPE)?;
                $($crate::message::define::put!(
                    $presence builder, $crate::AttributeType::$attribute, self.$field
                );)*
                Ok(())
            }
        }

        impl<'a> $crate::message::walk::FromAvps<'a> for $name $(<$life>)? {
            #[inline]
            fn from_avps(
                mut avps: $crate::Avps<'a>,
                mut judge: $crate::message::walk::Judge<'a, '_, '_>,
            ) -> Result<Self, $crate::message::MessageError> {
                $(let mut $field: Option<$value> = None;)*
                while let Some(header) = avps.peek() {
                    $(if header.is($crate::AttributeType::$attribute) {
                        (avps, $field) = judge.take(
                            $crate::AttributeType::$attribute, header, avps, $field,
                        )?;
                    } else)* {
                        avps = judge.take_unlisted(header, avps)?;
                    }
                }
                judge.check_trailing(avps.rest().len())?;
                $(let $field = $crate::message::define::settle!(
                    $presence judge, $crate::AttributeType::$attribute, $field $(, $default)?
                );)*
                Ok(Self { $($field),* })
            }
        }
    };
}

/// The type of a field.
macro_rules! field {
    (optional $value:ty) => { Option<$value> };
    (flag $value:ty) => { bool };
    ($presence:ident $value:ty) => { $value };
}

/// Settles a field when all AVPs have been seen.
macro_rules! settle {
    (required $judge:ident, $attribute:expr, $field:ident) => {
        match $field {
            Some(value) => value,
            None => return Err($judge.missing($attribute)),
        }
    };
    (defaulted $judge:ident, $attribute:expr, $field:ident, $default:expr) => {
        match $field {
            Some(value) => value,
            None => {
                $judge.may_default($attribute)?;
                $default
            }
        }
    };
    (optional $judge:ident, $attribute:expr, $field:ident) => {
        $field
    };
    (flag $judge:ident, $attribute:expr, $field:ident) => {
        $field.is_some()
    };
}

/// Writes a field.
macro_rules! put {
    (optional $builder:ident, $attribute:expr, $field:expr) => {
        if let Some(value) = &$field {
            $builder.put($attribute, $attribute.is_mandatory(), value)?;
        }
    };
    (flag $builder:ident, $attribute:expr, $field:expr) => {
        if $field {
            $builder.put($attribute, $attribute.is_mandatory(), &())?;
        }
    };
    ($presence:ident $builder:ident, $attribute:expr, $field:expr) => {
        $builder.put($attribute, $attribute.is_mandatory(), &$field)?;
    };
}

pub(super) use field;
pub(super) use message;
pub(super) use put;
pub(super) use settle;
