//! A field's value in its two forms: for people and for programs.

use core::fmt;
use core::fmt::Write as _;

use serde::Serialize;
use serde::Serializer;
use serde_json::Value;

/// A value, as JSON has it and as a person reads it.
pub(crate) struct Shown {
    json: Value,
    text: String,
}

impl Shown {
    /// A value whose two forms differ.
    pub(crate) fn new(json: impl Into<Value>, text: impl Into<String>) -> Self {
        Self { json: json.into(), text: text.into() }
    }

    /// A number, decimal in both.
    pub(crate) fn number(number: impl Into<u64>) -> Self {
        let number = number.into();
        Self::new(number, number.to_string())
    }

    /// What prints the same in both.
    pub(crate) fn display(value: impl fmt::Display) -> Self {
        let text = value.to_string();
        Self::new(text.clone(), text)
    }

    /// A value that is not there: the field's name says it all.
    pub(crate) fn nothing() -> Self {
        Self::new(Value::Null, "")
    }

    /// Opaque octets.
    pub(crate) fn octets(octets: &[u8]) -> Self {
        Self::new(hex(octets), octets_in_text(octets))
    }

    /// A remark that may be left out.
    pub(crate) fn remark(octets: &[u8]) -> Self {
        if octets.is_empty() { Self::new("", "") } else { Self::string(octets) }
    }

    /// Octets that are meant to be read, though nothing on the wire makes sure of it.
    pub(crate) fn string(octets: &[u8]) -> Self {
        Self::new(String::from_utf8_lossy(octets), quoted(octets))
    }

    /// The text with `gap` in front, or nothing where there is no text.
    pub(crate) fn behind(&self, gap: &str) -> String {
        if self.text.is_empty() { String::new() } else { format!("{gap}{}", self.text) }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Octets as hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut digits, octet| {
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

/// The same, but no longer than a person wants to see.
fn octets_in_text(octets: &[u8]) -> String {
    const ENOUGH: usize = 24;
    match octets.split_at_checked(ENOUGH) {
        _ if octets.is_empty() => String::from("(empty)"),
        Some((head, rest)) if !rest.is_empty() => {
            format!("{}... ({} octets)", hex(head), octets.len())
        }
        _ => hex(octets),
    }
}

/// A string in quotation marks, with nothing in it that a terminal would act on.
pub(crate) fn quoted(octets: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(octets))
}

/// A list of names, or what to say for none.
pub(crate) fn list(names: &[&str], none: &str) -> String {
    if names.is_empty() { String::from(none) } else { names.join("+") }
}
