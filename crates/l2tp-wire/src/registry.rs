//! The form that every number registry takes: a newtype with named constants.

/// Defines a registry: a newtype over a number, one constant a registered value, names, `Display`.
///
/// Unknown values stay what they are and go out again unchanged.
macro_rules! registry {
    (
        $(#[$doc:meta])*
        pub struct $name:ident($number:ty) as $what:literal {
            $($(#[$value_doc:meta])* $constant:ident = $value:literal, $text:literal;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $number);

        impl $name {
            $($(#[$value_doc])* pub const $constant: Self = Self($value);)*

            /// The registered name, or `None` for a number without one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => write!(f, concat!($what, " {}"), self.0),
                }
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({}"), self.0)?;
                match self.name() {
                    Some(name) => write!(f, ": {name})"),
                    None => f.write_str(")"),
                }
            }
        }
    };
}

pub(crate) use registry;
