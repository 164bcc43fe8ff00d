/// The 16-bit frame check sequence of a frame (RFC 1662 §C.2). It goes out low octet first.
#[must_use]
pub fn fcs16(frame: &[u8]) -> u16 {
    !update(INITIAL, frame)
}

/// Whether a frame with its check sequence behind it came through unharmed.
pub(super) fn is_good(frame_and_fcs: &[u8]) -> bool {
    update(INITIAL, frame_and_fcs) == GOOD
}

fn update(fcs: u16, octets: &[u8]) -> u16 {
    octets.iter().fold(fcs, |fcs, octet| {
        let [low, high] = fcs.to_le_bytes();
        let step = TABLE.get(usize::from(low ^ octet)).copied().unwrap_or_default();
        u16::from(high) ^ step
    })
}

const INITIAL: u16 = 0xffff;

/// What is left over a frame and its own check sequence.
const GOOD: u16 = 0xf0b8;

/// x^16 + x^12 + x^5 + 1, bits reversed.
const POLYNOMIAL: u16 = 0x8408;

/// The effect of each octet.
const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut rest: &mut [u16] = &mut table;
    let mut octet = 0;
    while let Some((entry, next)) = rest.split_first_mut() {
        let mut value = octet;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        *entry = value;
        rest = next;
        octet += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_starts_as_the_rfc_prints_it() {
        assert_eq!(TABLE[..4], [0x0000, 0x1189, 0x2312, 0x329b]);
        assert_eq!(TABLE[255], 0x0f78);
    }

    #[test]
    fn a_frame_with_its_check_sequence_is_good() {
        let mut frame = *b"123456789..";
        assert_eq!(fcs16(&frame[..9]), 0x906e);
        frame[9..].copy_from_slice(&0x906e_u16.to_le_bytes());
        assert!(is_good(&frame));
        frame[3] ^= 1;
        assert!(!is_good(&frame));
    }
}
