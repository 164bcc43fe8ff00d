/// Defines the messages, each as RFC 2661 §6 lists it: a line an AVP, in the order in which they go
/// out. The first word says whether it is there:
///
/// - `required`: without it the message is refused;
/// - `defaulted`: required too, but where [`Leniencies::MISSING_AVP`] is put up with, the value
///   behind the comma is taken;
/// - `optional`: an `Option`;
/// - `flag`: there or not, without a value.
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

        impl<'a> $crate::message::found::FromFound<'a> for $name $(<$life>)? {
            const LAYOUT: &'static $crate::message::found::Layout =
                &$crate::message::found::Layout::of(&[$($crate::AttributeType::$attribute,)*]);

            #[inline]
            #[allow(unused_variables, reason = "a message without AVPs takes nothing out")]
            fn from_found(
                found: &mut $crate::message::found::Found<'a, '_>,
            ) -> Result<Self, $crate::message::MessageError> {
                Ok(Self {
                    $($field: found.$presence(
                        const {
                            <Self as $crate::message::found::FromFound<'_>>::LAYOUT
                                .slot($crate::AttributeType::$attribute)
                        },
                        $crate::AttributeType::$attribute,
                        $($default)?
                    )?,)*
                })
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

/// Writes a field.
macro_rules! put {
    (optional $builder:ident, $attribute:expr, $field:expr) => {
        if let Some(value) = &$field {
            $builder.put($attribute, const { $attribute.is_mandatory() }, value)?;
        }
    };
    (flag $builder:ident, $attribute:expr, $field:expr) => {
        if $field {
            $builder.put($attribute, const { $attribute.is_mandatory() }, &())?;
        }
    };
    ($presence:ident $builder:ident, $attribute:expr, $field:expr) => {
        $builder.put($attribute, const { $attribute.is_mandatory() }, &$field)?;
    };
}

pub(super) use field;
pub(super) use message;
pub(super) use put;
