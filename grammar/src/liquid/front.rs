//! The front matter: lines `key: value` between two lines `---` at the beginning of the file.

use super::{blocks, FrontLine, Source, FRONT_MATTER};
use crate::error::SyntaxError;

/// The lines, and where the text after them begins.
pub(super) fn read(source: &mut Source<'_>) -> (Vec<FrontLine>, u32) {
    let text = source.text;
    let mut lines = Lines { text, at: if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 } };
    let begin = lines.at;
    let opening = lines.next();
    if opening.is_none_or(|(_, line)| line.trim_end() != "---") {
        return (Vec::new(), offset(begin));
    }
    let mut front = Vec::new();
    while let Some((start, line)) = lines.next() {
        if line.trim_end() == "---" {
            return (front, offset(lines.at));
        }
        front.extend(entry(source, start, line));
    }
    // Everything was taken for front matter; what is wrong in it hardly matters.
    let span = source.span(offset(begin), offset(begin + 3));
    source.errors.clear();
    source.errors.push(
        SyntaxError::new(FRONT_MATTER, span, "the front matter that begins here has no end")
            .help("close it with a line `---`"),
    );
    (Vec::new(), offset(text.len()))
}

fn entry(source: &mut Source<'_>, start: usize, line: &str) -> Option<FrontLine> {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return None;
    }
    let at = start + (line.len() - line.trim_start().len());
    let whole = source.span(offset(at), offset(at + trimmed.len()));
    let Some((key, _)) = trimmed.split_once(':').filter(|(key, _)| is_key(key.trim_end())) else {
        let error = SyntaxError::new(FRONT_MATTER, whole, "the front matter has lines `key: value`")
            .help("write a line such as `subject: Your basket is waiting`, or close the front matter with `---`");
        source.errors.push(error);
        return None;
    };
    let key_span = source.span(offset(at), offset(at + key.trim_end().len()));
    let value = trimmed.get(key.len() + 1..).unwrap_or_default();
    let mut from = at + key.len() + 1 + (value.len() - value.trim_start().len());
    let mut to = at + trimmed.len();
    let value = value.trim();
    for quote in ['"', '\''] {
        if value.len() >= 2 && value.starts_with(quote) && value.ends_with(quote) {
            from += 1;
            to -= 1;
        }
    }
    let span = source.span(offset(from), offset(to.max(from)));
    let key = source.name(key_span);
    Some(FrontLine { key, value: blocks::read(source, span.start, span.end), span })
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Lines with the place at which each begins, without their ends.
struct Lines<'s> {
    text: &'s str,
    at: usize,
}

impl<'s> Iterator for Lines<'s> {
    type Item = (usize, &'s str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
        self.at += length;
        Some((start, rest.get(..length)?.trim_end_matches(['\n', '\r'])))
    }
}
