//! Text from the peer, made fit to show.

use alloc::string::String;
use core::fmt;

/// The most characters of a peer's text that are kept.
const MAX_CHARS: usize = 200;

/// What people may read of `octets`: UTF-8 as far as it goes, control characters as `.`, at most
/// 200 characters.
///
/// Text of a peer ends up in logs and terminals, so it must not bring escape sequences or line
/// breaks, and its length must not be the peer's choice.
pub(crate) fn sanitised(octets: &[u8]) -> String {
    let bounded = octets.get(..4 * MAX_CHARS).unwrap_or(octets);
    let text = String::from_utf8_lossy(bounded);
    let shown = text.trim_matches(['\0', ' ', '\r', '\n']).chars().take(MAX_CHARS);
    shown.map(|c| if c.is_control() || is_invisible(c) { '.' } else { c }).collect()
}

/// A name or text of the peer, as `Debug` output shows it.
pub(crate) struct Shown<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", sanitised(self.0))
    }
}

/// What goes on the wire of our own text: at most 200 octets, cut between characters.
pub(crate) fn wire_text(text: &str) -> &str {
    let mut end = text.len().min(MAX_CHARS);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Format characters that can reorder or hide what stands around them.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_words_and_defuses_the_rest() {
        assert_eq!(sanitised(b"Access granted\r\n"), "Access granted");
        assert_eq!(sanitised(b"a\x1b[2Jb\nc"), "a.[2Jb.c");
        assert_eq!(sanitised("gr\u{fc}n \u{202e}x".as_bytes()), "gr\u{fc}n .x");
        assert_eq!(sanitised(&[b'a', 0xff, b'b']), "a\u{fffd}b");
        assert_eq!(sanitised(b""), "");
    }

    #[test]
    fn own_text_is_cut_between_characters() {
        assert_eq!(wire_text("bye"), "bye");
        let long = "\u{e9}".repeat(150);
        assert_eq!(wire_text(&long).len(), 200);
        assert_eq!(wire_text(&alloc::format!("x{long}")).len(), 199);
    }

    #[test]
    fn is_bounded() {
        assert_eq!(sanitised(&[b'x'; 10_000]).chars().count(), MAX_CHARS);
        assert!(sanitised(&[0xf0; 10_000]).len() <= 4 * MAX_CHARS);
    }
}
