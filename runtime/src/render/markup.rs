//! HTML: escaping, and taking it away.

/// Appends a text so that HTML shows it.
pub fn push_escaped(out: &mut String, text: &str) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        out.push_str(escape);
        plain = at + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}

/// Escapes what stands from a place on.
pub(super) fn escape_from(out: &mut String, start: usize) {
    let special = |byte: u8| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'');
    if !out.as_bytes().get(start..).unwrap_or_default().iter().any(|byte| special(*byte)) {
        return;
    }
    let text = out.split_off(start);
    push_escaped(out, &text);
}

/// Escapes what is not escaped yet.
pub(super) fn escaped_once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        push_escaped(&mut out, before);
        let length = entity(from);
        match length {
            Some(length) => out.push_str(from.get(..length).unwrap_or_default()),
            None => out.push_str("&amp;"),
        }
        rest = from.get(length.unwrap_or(1)..).unwrap_or_default();
    }
    push_escaped(&mut out, rest);
    out
}

/// The length of `&name;` or `&#12;` at the beginning of the text.
fn entity(text: &str) -> Option<usize> {
    let (name, _) = text.get(1..)?.split_once(';')?;
    let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic());
    let number = name.strip_prefix('#').is_some_and(|digits| {
        let hex = digits
            .strip_prefix(['x', 'X'])
            .is_some_and(|hex| !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        hex || (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    });
    (named || number).then_some(name.len() + 2)
}

/// Without scripts, styles, comments and tags.
#[must_use]
pub fn strip_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let blocks = [("<script", "</script>"), ("<!--", "-->"), ("<style", "</style>")];
        let block = blocks
            .iter()
            .filter(|(open, _)| from.get(..open.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(open)))
            .find_map(|(_, close)| find_ignoring_case(from, close).map(|end| end + close.len()));
        match block.or_else(|| from.find('>').map(|end| end + 1)) {
            Some(end) => rest = from.get(end..).unwrap_or_default(),
            None => {
                out.push_str(from);
                return out;
            }
        }
    }
    out.push_str(rest);
    out
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes().windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}
