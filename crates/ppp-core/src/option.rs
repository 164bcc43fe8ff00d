use alloc::vec::Vec;
use core::iter::FusedIterator;

use vpn_core::Reader;

use crate::DecodeError;

/// Type and Length in front of the data of a configuration option (RFC 1661 §6).
pub const OPTION_HEADER_LEN: usize = 2;

/// One configuration option as it is on the wire (RFC 1661 §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawOption<'a> {
    /// The Type; its meaning depends on the protocol.
    pub kind: u8,
    /// The value, at most 253 octets.
    pub data: &'a [u8],
}

impl RawOption<'_> {
    /// Appends the option to `out`. Data beyond the 253 octets that the Length can say are cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_option(out, self.kind, &[self.data]);
    }
}

/// The options of a Configure packet, in order.
///
/// The iterator ends after the first error, and takes at most one step for every two octets. A
/// packet that holds an error is discarded whole (RFC 1661 §6).
#[derive(Clone, Debug)]
pub struct Options<'a> {
    reader: Reader<'a>,
}

impl<'a> Options<'a> {
    /// The options in the data of a Configure packet.
    #[must_use]
    pub const fn new(data: &'a [u8]) -> Self {
        Self { reader: Reader::new(data) }
    }

    fn read(&mut self) -> Result<RawOption<'a>, DecodeError> {
        let available = self.reader.len();
        let (kind, length) = (self.reader.u8()?, usize::from(self.reader.u8()?));
        let bad_length = DecodeError::OptionLength { kind, length, available };
        let data_len = length.checked_sub(OPTION_HEADER_LEN).ok_or(bad_length)?;
        let data = self.reader.take(data_len).map_err(|_| bad_length)?;
        Ok(RawOption { kind, data })
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<RawOption<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let option = self.read();
        if option.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(option)
    }
}

impl FusedIterator for Options<'_> {}

/// Appends an option whose data are the concatenation of `parts`, cut at 253 octets.
pub(crate) fn put_option(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let start = out.len();
    out.extend_from_slice(&[kind, 0]);
    for part in parts {
        out.extend_from_slice(part);
    }
    out.truncate(start + usize::from(u8::MAX));
    let length = u8::try_from(out.len() - start).unwrap_or(u8::MAX);
    if let Some(field) = out.get_mut(start + 1) {
        *field = length;
    }
}

/// Reads data that must be exactly `N` octets long.
pub(crate) fn exactly<const N: usize>(data: &[u8]) -> Result<[u8; N], DecodeError> {
    data.try_into().map_err(|_| DecodeError::ValueLength { length: data.len() })
}

/// Which option types a packet has shown so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct SeenTypes([u64; 4]);

impl SeenTypes {
    /// Marks a type; false when it was marked before.
    pub(crate) fn insert(&mut self, kind: u8) -> bool {
        let bit = 1 << (kind & 63);
        let Some(word) = self.0.get_mut(usize::from(kind >> 6)) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    pub(crate) fn contains(self, kind: u8) -> bool {
        self.0.get(usize::from(kind >> 6)).is_some_and(|word| word & (1 << (kind & 63)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_options_in_order() {
        let data = [1, 4, 5, 0xdc, 7, 2, 8, 2];
        let kinds: Vec<_> = Options::new(&data).map(|o| o.unwrap()).collect();
        assert_eq!(kinds[0], RawOption { kind: 1, data: &[5, 0xdc] });
        assert_eq!(kinds[1..].iter().map(|o| o.kind).collect::<Vec<_>>(), [7, 8]);
    }

    #[test]
    fn lengths_zero_and_one_end_the_list() {
        for length in [0, 1] {
            let data = [1, length, 1, length];
            let mut options = Options::new(&data);
            assert!(matches!(options.next(), Some(Err(DecodeError::OptionLength { .. }))));
            assert_eq!(options.next(), None);
        }
    }

    #[test]
    fn every_cut_inside_an_option_is_an_error() {
        let data = [5, 6, 1, 2, 3, 4];
        for cut in 1..data.len() {
            let last = Options::new(&data[..cut]).last().unwrap();
            assert!(last.is_err(), "{cut}");
        }
    }

    #[test]
    fn long_data_are_cut_to_what_the_length_can_say() {
        let mut out = Vec::new();
        put_option(&mut out, 9, &[&[1; 200], &[2; 200]]);
        assert_eq!((out.len(), out[1]), (255, 255));
        assert_eq!(Options::new(&out).next().unwrap().unwrap().data.len(), 253);
    }

    #[test]
    fn seen_types_tells_the_first_from_the_second() {
        let mut seen = SeenTypes::default();
        for kind in [0, 63, 64, 255] {
            assert!(!seen.contains(kind));
            assert!(seen.insert(kind));
            assert!(!seen.insert(kind) && seen.contains(kind));
        }
    }
}
