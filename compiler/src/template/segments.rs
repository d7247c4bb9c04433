//! How a text message is cut: GSM 03.38 for what its alphabet has, UCS-2 for the rest.
//!
//! 3GPP TS 23.038 gives the alphabet and its extension table (a character of it takes two places), TS 23.040 the
//! lengths: 160 places or 70 UTF-16 units in one segment, 153 or 67 in each of several, since a header tells how they
//! belong together.

/// The basic character set.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";
/// What word processors put in, and what the basic set has for it.
const PLAIN: [(char, &str); 16] = [
    ('’', "'"),
    ('‘', "'"),
    ('‚', ","),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('«', "\""),
    ('»', "\""),
    ('–', "-"),
    ('—', "-"),
    ('‐', "-"),
    ('‑', "-"),
    ('…', "..."),
    ('\u{a0}', " "),
    ('\u{202f}', " "),
    ('•', "-"),
];

/// A text message as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// How many segments.
    pub count: usize,
    /// Places (GSM) or UTF-16 units (UCS-2) of all.
    pub units: usize,
    /// How many go into one segment of so many.
    pub room: usize,
    /// The first character that the GSM alphabet lacks: then all is UCS-2.
    pub forced_by: Option<char>,
}

/// How a text is cut.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let forced_by = text.chars().find(|c| places(*c).is_none());
    let (units, single, several) = match forced_by {
        None => (text.chars().filter_map(places).sum(), 160, 153),
        Some(_) => (text.encode_utf16().count(), 70, 67),
    };
    if units <= single {
        return Segments { count: 1, units, room: single, forced_by };
    }
    Segments { count: cut(text, forced_by.is_some(), several), units, room: several, forced_by }
}

/// A character that takes two places is not torn apart.
fn cut(text: &str, wide: bool, room: usize) -> usize {
    let (mut count, mut used) = (1, 0);
    for c in text.chars() {
        let size = if wide { c.len_utf16() } else { places(c).unwrap_or(1) };
        if used + size > room {
            (count, used) = (count + 1, 0);
        }
        used += size;
    }
    count
}

/// How many places a character takes in the GSM alphabet; none: it is not there.
fn places(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else {
        EXTENSION.contains(c).then_some(2)
    }
}

/// What can stand for a character that the GSM alphabet lacks.
#[must_use]
pub fn plain(c: char) -> Option<&'static str> {
    PLAIN.iter().find(|(known, _)| *known == c).map(|(_, plain)| *plain)
}

/// Whether the GSM alphabet has it.
#[must_use]
pub fn has(c: char) -> bool {
    places(c).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (usize, usize, Option<char>) {
        let found = segments(text);
        (found.count, found.units, found.forced_by)
    }

    #[test]
    fn the_lengths_are_those_of_the_standard() {
        assert_eq!(of(""), (1, 0, None));
        assert_eq!(of(&"a".repeat(160)), (1, 160, None));
        assert_eq!(of(&"a".repeat(161)), (2, 161, None));
        assert_eq!(of(&"a".repeat(306)), (2, 306, None));
        assert_eq!(of(&"a".repeat(307)), (3, 307, None));
        assert_eq!(of(&"€".repeat(80)), (1, 160, None));
        assert_eq!(of(&"€".repeat(81)), (2, 162, None));
        // 153 is odd: the two halves of a `€` would stand in two segments.
        assert_eq!(of(&"€".repeat(153)), (3, 306, None));
        assert_eq!(of(&"ж".repeat(70)), (1, 70, Some('ж')));
        assert_eq!(of(&"ж".repeat(71)), (2, 71, Some('ж')));
        assert_eq!(of(&"🎉".repeat(35)), (1, 70, Some('🎉')));
        assert_eq!(of(&"🎉".repeat(67)), (3, 134, Some('🎉')));
        assert_eq!(of("l’été"), (1, 5, Some('’')));
        assert_eq!(of("è é ù ì ò à { } [ ] ~ ^ | \\"), (1, 35, None));
        assert_eq!(plain('’'), Some("'"));
    }
}
