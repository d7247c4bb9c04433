//! `# allow F0703: reason` on the line above: a warning that its author has thought about.
//!
//! Works in every file whose comments begin with `#`. Errors cannot be allowed, a reason must be
//! given, and an `allow` that allows nothing is itself a finding, so that none outlives its cause.

use crate::codes::{self, ALLOW_ERROR, ALLOW_NOTHING, ALLOW_UNCLEAR};
use crate::compile::SourceFile;
use crate::diagnostic::{Diagnostic, Severity};
use flow_grammar::span::{FileId, Span};
use std::collections::BTreeMap;

/// A finding that the source allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// What was found.
    pub found: Diagnostic,
    /// Why it may stand.
    pub reason: String,
}

/// One `# allow` line.
struct Allow {
    /// The whole line, with its line end.
    line: Span,
    /// From `#` to the end of the line.
    comment: Span,
    codes: Vec<(String, Span)>,
    reason: String,
    /// The bytes of the line that it is about: the next that is no comment.
    about: (u32, u32),
    /// Which of its codes have allowed something.
    used: Vec<bool>,
}

/// Takes out what the source allows, and adds what is wrong with the `allow` lines themselves.
///
/// `files` are those whose findings are looked at, with their numbers; `complete` says that every check has been
/// made, so that an `allow` without a finding is one too many.
#[must_use]
pub fn apply<'f>(
    files: impl Iterator<Item = (FileId, &'f SourceFile)>,
    diagnostics: Vec<Diagnostic>,
    complete: bool,
) -> (Vec<Diagnostic>, Vec<Allowed>) {
    let mut allows: BTreeMap<FileId, Vec<Allow>> = BTreeMap::new();
    for (id, file) in files {
        let found = allows_of(id, &file.text);
        if !found.is_empty() {
            allows.insert(id, found);
        }
    }
    if allows.is_empty() {
        return (diagnostics, Vec::new());
    }
    let (mut kept, mut allowed) = (Vec::new(), Vec::new());
    for found in diagnostics {
        let allow = allows.get_mut(&found.span.file).and_then(|all| allowing(all, &found));
        match allow {
            Some(allow) if found.severity != Severity::Error && !allow.reason.is_empty() => {
                allowed.push(Allowed { reason: allow.reason.clone(), found });
            }
            _ => kept.push(found),
        }
    }
    for allow in allows.values().flatten() {
        kept.extend(complaints(allow, complete));
    }
    kept.sort_by_key(|one| one.span);
    (kept, allowed)
}

/// The `allow` that speaks of a finding; it is marked as used.
fn allowing<'a>(allows: &'a mut [Allow], found: &Diagnostic) -> Option<&'a Allow> {
    let begins_in = |allow: &Allow| allow.about.0 <= found.span.start && found.span.start <= allow.about.1;
    for allow in allows.iter_mut().filter(|allow| begins_in(allow)) {
        if let Some(at) = allow.codes.iter().position(|(code, _)| code == found.code) {
            if let Some(used) = allow.used.get_mut(at) {
                *used = true;
            }
            return Some(allow);
        }
    }
    None
}

/// What is wrong with an `allow` itself.
fn complaints(allow: &Allow, complete: bool) -> Vec<Diagnostic> {
    let spelling = "write `# allow F0703: why this may stand` on the line above";
    if allow.codes.is_empty() {
        return vec![Diagnostic::warning(ALLOW_UNCLEAR, allow.comment, "this `allow` names no code").help(spelling)];
    }
    let mut found = Vec::new();
    if allow.reason.is_empty() {
        found.push(Diagnostic::warning(ALLOW_UNCLEAR, allow.comment, "this `allow` gives no reason").help(spelling));
    }
    for ((code, span), used) in allow.codes.iter().zip(&allow.used) {
        let known = codes::all().iter().any(|(known, _)| known == code);
        if !known {
            let message = format!("there is no code `{code}`");
            found.push(Diagnostic::warning(ALLOW_UNCLEAR, *span, message).help("copy the code from the finding"));
        } else if codes::severity(code) == Severity::Error {
            let message = format!("`{code}` is an error: it cannot be allowed");
            found.push(Diagnostic::warning(ALLOW_ERROR, *span, message).help("mend what the error names"));
        } else if !used && complete {
            let message = format!("nothing here gives `{code}`: this allows nothing");
            let one = Diagnostic::warning(ALLOW_NOTHING, *span, message).help("remove it");
            let only = allow.codes.len() == 1;
            found.push(if only { one.fix("remove the `allow`", allow.line, "") } else { one });
        }
    }
    found
}

/// All `allow` lines of a text.
fn allows_of(file: FileId, text: &str) -> Vec<Allow> {
    if !text.contains("allow") {
        return Vec::new();
    }
    let mut allows: Vec<Allow> = Vec::new();
    // Those that wait for the line that they are about.
    let mut open = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + offset(line.len());
        let bare = line.trim();
        if let Some(allow) = allow_of(file, line, start, end) {
            allows.push(allow);
        } else if !bare.starts_with('#') && !bare.is_empty() {
            for allow in allows.iter_mut().skip(open) {
                allow.about = (start, start + offset(line.trim_end().len()));
            }
            open = allows.len();
        }
        start = end;
    }
    allows
}

/// Reads `# allow F0703, F0704: reason`.
fn allow_of(file: FileId, line: &str, start: u32, end: u32) -> Option<Allow> {
    let at = line.len() - line.trim_start().len();
    let comment = line.trim();
    let rest = comment.strip_prefix('#')?.trim_start().strip_prefix("allow")?;
    // `# allowed are …` is prose, and so is `# allow people to …`.
    let prose = !rest.is_empty() && !rest.starts_with([' ', '\t', ':']);
    let (codes, reason) = rest.split_once(':').unwrap_or((rest, ""));
    if prose || !(codes.trim().is_empty() || codes.trim_start().starts_with(['F', 'f'])) {
        return None;
    }
    let origin = start + offset(at + comment.len() - rest.len());
    let mut found = Vec::new();
    let mut from = 0;
    for piece in codes.split(',') {
        let word = piece.trim();
        let lead = piece.len() - piece.trim_start().len();
        if !word.is_empty() {
            let begin = origin + offset(from + lead);
            found.push((word.to_uppercase(), Span::new(file, begin, begin + offset(word.len()))));
        }
        from += piece.len() + 1;
    }
    // A sentence that happens to begin with `allow f…`.
    let is_code =
        |word: &str| word.len() > 1 && word.strip_prefix('F').is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()));
    if found.iter().any(|(word, _)| !is_code(word)) {
        return None;
    }
    let comment_start = start + offset(at);
    Some(Allow {
        line: Span::new(file, start, end),
        comment: Span::new(file, comment_start, comment_start + offset(comment.len())),
        used: vec![false; found.len()],
        codes: found,
        reason: reason.trim().to_owned(),
        about: (u32::MAX, 0),
    })
}

/// Sources are capped far below 4 GiB.
fn offset(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str, found: Vec<Diagnostic>) -> (Vec<String>, Vec<String>) {
        let file = SourceFile { path: "a.flow".into(), text: text.into() };
        let (kept, allowed) = apply(std::iter::once((FileId(0), &file)), found, true);
        let kept = kept.iter().map(|d| format!("{} `{}` {}", d.code, d.span.text(text), d.message)).collect();
        (kept, allowed.into_iter().map(|a| a.reason).collect())
    }

    fn at(text: &str, needle: &str, code: &'static str, severity: Severity) -> Diagnostic {
        let start = offset(text.find(needle).expect("the needle"));
        let span = Span::new(FileId(0), start, start + offset(needle.len()));
        Diagnostic { severity, ..Diagnostic::error(code, span, "found") }
    }

    #[test]
    fn the_line_above_allows_a_warning_with_a_reason() {
        let text = "  # allow F0703: kept for the audit\n  # more words\n\n  if x then end\n  if x then end\n";
        let here = at(text, "if x", "F0703", Severity::Warning);
        assert_eq!(applied(text, vec![here]), (vec![], vec!["kept for the audit".to_owned()]));
        let second = text.rfind("if x").expect("the second");
        let mut there = at(text, "if x", "F0703", Severity::Warning);
        there.span.start = offset(second);
        there.span.end = offset(second + 4);
        let (kept, allowed) = applied(text, vec![there]);
        assert_eq!(kept, ["F0732 `F0703` nothing here gives `F0703`: this allows nothing", "F0703 `if x` found"]);
        assert!(allowed.is_empty());
    }

    #[test]
    fn several_codes_and_several_lines() {
        let text = "# allow F0702, F0703: both\n# allow F0701: and this\nif x then end\n";
        let all = ["F0701", "F0702", "F0703"].map(|code| at(text, "if x", code, Severity::Warning));
        assert_eq!(applied(text, all.to_vec()).0, [""; 0]);
        let (kept, _) = applied(text, all[..2].to_vec());
        assert_eq!(kept, ["F0732 `F0703` nothing here gives `F0703`: this allows nothing"]);
    }

    #[test]
    fn without_a_reason_a_code_or_for_an_error_it_is_a_finding() {
        let text = "# allow F0703\nif x then end\n";
        let found = vec![at(text, "if x", "F0703", Severity::Warning)];
        assert_eq!(
            applied(text, found).0,
            ["F0731 `# allow F0703` this `allow` gives no reason", "F0703 `if x` found"]
        );
        let text = "# allow: it\nif x then end\n";
        assert_eq!(applied(text, Vec::new()).0, ["F0731 `# allow: it` this `allow` names no code"]);
        let text = "# allow F9999: it\nif x then end\n";
        assert_eq!(applied(text, Vec::new()).0, ["F0731 `F9999` there is no code `F9999`"]);
        let text = "# allow F0201: it\nif x then end\n";
        let found = vec![at(text, "if x", "F0201", Severity::Error)];
        let errors = ["F0733 `F0201` `F0201` is an error: it cannot be allowed", "F0201 `if x` found"];
        assert_eq!(applied(text, found).0, errors);
    }

    #[test]
    fn prose_is_prose() {
        for text in ["# allow people in\nx", "# allowed: F0703\nx", "# allow for some time\nx", "## allow F0703: x\nx"]
        {
            assert_eq!(applied(text, Vec::new()).0, [""; 0], "{text}");
        }
    }
}
