//! Arithmetic on the 16-bit sequence numbers Ns and Nr (RFC 2661 §5.4, §5.8).

/// How many steps lead from `base` up to `number`, modulo 65536.
#[must_use]
pub const fn distance(base: u16, number: u16) -> u16 {
    number.wrapping_sub(base)
}

/// Whether `number` counts as received before, when `expected` is the next one to come.
///
/// That is so for the last received number and the 32767 before it (RFC 2661 §5.8).
#[must_use]
pub const fn is_past(expected: u16, number: u16) -> bool {
    distance(expected, number) >= 0x8000
}

/// Whether `number` lies in the `window` numbers that begin with `expected`.
#[must_use]
pub const fn in_window(expected: u16, window: u16, number: u16) -> bool {
    distance(expected, number) < window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_2661_section_5_8() {
        // "if the last received sequence number was 15, then messages with sequence numbers 0
        // through 15, as well as 32784 through 65535, would be considered less than or equal"
        for number in 0..=u16::MAX {
            assert_eq!(is_past(16, number), number <= 15 || number >= 32784, "{number}");
        }
    }

    #[test]
    fn a_window_wraps() {
        for expected in [0_u16, 1, 65530, 65535] {
            for step in 0..=u16::MAX {
                let number = expected.wrapping_add(step);
                assert_eq!(in_window(expected, 8, number), step < 8);
                assert_eq!(distance(expected, number), step);
                assert_eq!(is_past(expected, number), step >= 32768);
            }
        }
    }
}
