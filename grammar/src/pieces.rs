//! Pieces of source that are told apart without the grammar, for those who look at tokens.

/// Signs of two characters.
pub const PAIRS: [&str; 8] = ["->", "==", "!=", "<=", ">=", "??", "+=", "-="];

/// The length in bytes of a text that begins `rest`, and whether it is closed. A text ends with its line; texts in its
/// holes are part of it.
#[must_use]
pub fn text_length(rest: &str) -> (usize, bool) {
    // Whether each level that is open is a text (else: a hole).
    let mut open: Vec<bool> = Vec::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        let in_text = open.last().copied().unwrap_or(false);
        match c {
            '\n' => return (at, false),
            '\\' if in_text => {
                chars.next();
            }
            '"' if in_text => {
                open.pop();
            }
            '"' => open.push(true),
            '{' => open.push(false),
            '}' if !in_text => {
                open.pop();
            }
            _ => {}
        }
        if open.is_empty() {
            return (at + c.len_utf8(), true);
        }
    }
    (rest.len(), false)
}
