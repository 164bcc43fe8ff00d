use alloc::vec::Vec;
use core::fmt;

use crate::IpsecAttribute;
use crate::LifeType;
use crate::attribute::Attribute;
use crate::attribute::Attributes;
use crate::attribute::put_basic;
use crate::attribute::put_number;

/// For how long, or for how much, keys are used (RFC 2409 appendix A, RFC 2407 §4.5).
///
/// A zero from a peer counts as nothing said: nobody can mean it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Lifetime {
    /// In seconds. Nothing said means 28,800 in phase 2 (RFC 2407 §4.5).
    pub seconds: Option<u64>,
    /// In kilobytes of 1,024 octets.
    pub kilobytes: Option<u64>,
}

impl Lifetime {
    /// What counts in phase 2 where no seconds are said (RFC 2407 §4.5).
    pub const DEFAULT_SECONDS: u64 = 28_800;

    /// A lifetime in seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self { seconds: Some(seconds), kilobytes: None }
    }

    /// The same with a limit in kilobytes.
    #[must_use]
    pub const fn with_kilobytes(self, kilobytes: u64) -> Self {
        Self { kilobytes: Some(kilobytes), ..self }
    }

    /// Reads the attribute list of a RESPONDER-LIFETIME notification (RFC 2407 §4.6.3.1); other
    /// attributes in it are passed over. `None` when it contradicts itself.
    #[must_use]
    pub fn from_notification(attributes: &Attributes<'_>) -> Option<Self> {
        let mut reader = LifetimeReader::default();
        for attribute in attributes.iter() {
            match IpsecAttribute(attribute.class) {
                IpsecAttribute::SA_LIFE_TYPE => reader.life_type(&attribute),
                IpsecAttribute::SA_LIFE_DURATION => reader.duration(&attribute)?,
                _ => (),
            }
        }
        Some(reader.lifetime)
    }

    /// Appends the attributes of phase 2, also those of a RESPONDER-LIFETIME notification.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let classes = (IpsecAttribute::SA_LIFE_TYPE.0, IpsecAttribute::SA_LIFE_DURATION.0);
        self.encode_as(classes, out);
    }

    /// Appends pairs of life type and duration, with these classes.
    pub(crate) fn encode_as(&self, (life_type, duration): (u16, u16), out: &mut Vec<u8>) {
        let both = [(LifeType::SECONDS, self.seconds), (LifeType::KILOBYTES, self.kilobytes)];
        for (unit, value) in both {
            if let Some(value) = value {
                put_basic(out, life_type, unit.0);
                put_number(out, duration, value);
            }
        }
    }

    /// The shorter of both, unit by unit.
    #[must_use]
    pub fn shorter(self, other: Self) -> Self {
        let shorter = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self {
            seconds: shorter(self.seconds, other.seconds),
            kilobytes: shorter(self.kilobytes, other.kilobytes),
        }
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.seconds, self.kilobytes) {
            (Some(seconds), Some(kilobytes)) => write!(f, "{seconds} s, {kilobytes} kB"),
            (Some(seconds), None) => write!(f, "{seconds} s"),
            (None, Some(kilobytes)) => write!(f, "{kilobytes} kB"),
            (None, None) => f.write_str("no lifetime"),
        }
    }
}

/// Puts together what attributes say, one after the other. A duration belongs to the life type
/// before it (RFC 2407 §4.5); without one it is seconds.
#[derive(Default)]
pub(super) struct LifetimeReader {
    unit: Option<LifeType>,
    pub(super) lifetime: Lifetime,
}

impl LifetimeReader {
    pub(super) fn life_type(&mut self, attribute: &Attribute<'_>) {
        let number = attribute.value.number().and_then(|number| u16::try_from(number).ok());
        self.unit = Some(LifeType(number.unwrap_or(0)));
    }

    /// `None` when there are two different durations in one unit, or the number is no number.
    pub(super) fn duration(&mut self, attribute: &Attribute<'_>) -> Option<()> {
        let value = attribute.value.number()?;
        let place = match self.unit.take().unwrap_or(LifeType::SECONDS) {
            LifeType::SECONDS => &mut self.lifetime.seconds,
            LifeType::KILOBYTES => &mut self.lifetime.kilobytes,
            // A unit that is not known limits nothing that we could count.
            _ => return Some(()),
        };
        match *place {
            Some(before) if before != value => None,
            _ => {
                *place = (value != 0).then_some(value);
                Some(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PayloadType;
    use alloc::string::ToString;

    fn read(octets: &[u8]) -> Option<Lifetime> {
        let attributes = Attributes::decode(PayloadType::NOTIFICATION, octets).unwrap();
        Lifetime::from_notification(&attributes)
    }

    #[test]
    fn both_units_come_back() {
        let windows = Lifetime::seconds(3600).with_kilobytes(250_000);
        let mut out = Vec::new();
        windows.encode(&mut out);
        assert_eq!(out.len(), 24);
        assert_eq!(read(&out), Some(windows));
        assert_eq!(windows.to_string(), "3600 s, 250000 kB");
        let short = windows.shorter(Lifetime::seconds(600));
        assert_eq!(short, Lifetime::seconds(600).with_kilobytes(250_000));
        assert_eq!(read(&[]), Some(Lifetime::default()));
    }

    #[test]
    fn odd_lists() {
        // A duration of 1, 3 and 8 octets; without a life type; of zero; twice the same; two
        // different ones; an unknown unit.
        let seconds = |number| Some(Lifetime::seconds(number));
        assert_eq!(read(&[0x80, 1, 0, 1, 0, 2, 0, 1, 200]), seconds(200));
        assert_eq!(read(&[0x80, 1, 0, 1, 0, 2, 0, 3, 1, 0, 0]), seconds(65_536));
        assert_eq!(read(&[0x80, 1, 0, 1, 0, 2, 0, 8, 0, 0, 0, 0, 0, 0, 14, 16]), seconds(3600));
        assert_eq!(read(&[0x80, 2, 14, 16]), seconds(3600));
        assert_eq!(read(&[0x80, 1, 0, 1, 0x80, 2, 0, 0]), Some(Lifetime::default()));
        assert_eq!(read(&[0x80, 2, 14, 16, 0x80, 2, 14, 16]), seconds(3600));
        assert_eq!(read(&[0x80, 2, 14, 16, 0x80, 2, 14, 17]), None);
        assert_eq!(read(&[0x80, 1, 0, 9, 0x80, 2, 14, 16]), Some(Lifetime::default()));
        assert_eq!(read(&[0x80, 1, 0, 1, 0, 2, 0, 0]), None);
    }
}
