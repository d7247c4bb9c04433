//! Applies the mends that are certain, until none is left.

use crate::codes::RULE_CODES;
use crate::compile::Compiled;
use crate::diagnostic::{Diagnostic, Fix, Severity};
use crate::project::{check, Listing, Project};
use flow_grammar::span::{FileId, Span};
use flow_grammar::LineIndex;
use std::collections::{BTreeMap, BTreeSet};

/// Mending ends after so many rounds at the latest. Each round is one compilation.
const MAX_ROUNDS: usize = 40;

/// What mending did.
#[derive(Clone, Debug, Default)]
pub struct Mended {
    /// Every file that is not as it was.
    pub changed: Vec<Change>,
    /// The mends, in the order in which they were made.
    pub applied: Vec<Applied>,
    /// The errors that are left.
    pub errors: usize,
}

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its path relative to the project.
    pub path: String,
    /// What stood in it.
    pub before: String,
    /// What stands in it now.
    pub after: String,
}

/// One mend that was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Applied {
    /// The file.
    pub path: String,
    /// The line, from 1, as it was in that round.
    pub line: u32,
    /// The code of the finding.
    pub code: &'static str,
    /// What was wrong.
    pub message: String,
    /// What the mend does.
    pub title: String,
}

/// Mends of findings that do not touch each other, in the order of the findings.
#[must_use]
pub fn apart<'d>(found: impl Iterator<Item = &'d Diagnostic>) -> Vec<(&'d Diagnostic, &'d Fix)> {
    let mut taken: BTreeMap<FileId, Vec<Span>> = BTreeMap::new();
    let mut chosen = Vec::new();
    for one in found {
        let Some(fix) = &one.fix else { continue };
        let touches = |span: &Span| {
            let others = taken.get(&span.file).map_or(&[][..], Vec::as_slice);
            others.iter().any(|other| span.start <= other.end && other.start <= span.end)
        };
        if !fix.edits.iter().any(|(span, _)| touches(span)) {
            for (span, _) in &fix.edits {
                taken.entry(span.file).or_default().push(*span);
            }
            chosen.push((one, fix));
        }
    }
    chosen
}

/// Mends a project. No file ends with more errors than it had.
#[must_use]
pub fn mend(listing: &Listing) -> Mended {
    let mut now = listing.clone();
    let (mut project, mut compiled) = check(now.clone());
    let mut applied = Vec::new();
    // Mends that would have made something worse, and texts that have been there before.
    let mut refused: BTreeSet<Applied> = BTreeSet::new();
    let mut seen: BTreeSet<BTreeMap<String, String>> = BTreeSet::from([texts(&now)]);
    for _ in 0..MAX_ROUNDS {
        let errors = errors(&project, &compiled);
        let wanted = compiled.diagnostics.iter().filter(|one| !refused.contains(&named(&project, one)));
        let chosen = apart(wanted);
        let all: Vec<&Fix> = chosen.iter().map(|(_, fix)| *fix).collect();
        let mut step = attempt(&now, &project, &all, &errors, &seen);
        let mut made: Vec<Applied> = chosen.iter().map(|(found, _)| named(&project, found)).collect();
        if step.is_none() && all.len() > 1 {
            made.clear();
            for (found, fix) in &chosen {
                step = attempt(&now, &project, &[fix], &errors, &seen);
                if step.is_some() {
                    made.push(named(&project, found));
                    break;
                }
                refused.insert(named(&project, found));
            }
        }
        let Some((next, next_project, next_compiled)) = step else { break };
        applied.extend(made);
        seen.insert(texts(&next));
        (now, project, compiled) = (next, next_project, next_compiled);
    }
    let errors = compiled.diagnostics.iter().filter(|one| one.severity == Severity::Error).count();
    Mended { changed: changes(listing, &now), applied, errors }
}

/// The project with these mends; none when nothing is mended, it was like that before, or a file got more errors.
fn attempt(
    now: &Listing,
    project: &Project,
    fixes: &[&Fix],
    before: &BTreeMap<String, usize>,
    seen: &BTreeSet<BTreeMap<String, String>>,
) -> Option<(Listing, Project, Compiled)> {
    if fixes.is_empty() {
        return None;
    }
    let next = with(now, project, fixes);
    if seen.contains(&texts(&next)) {
        return None;
    }
    let (next_project, compiled) = check(next.clone());
    let after = errors(&next_project, &compiled);
    let worse = after.iter().any(|(path, count)| *count > before.get(path).copied().unwrap_or(0));
    (!worse).then_some((next, next_project, compiled))
}

/// How many errors each file has. Those of the rules are found only where there is no other, so they do not count.
fn errors(project: &Project, compiled: &Compiled) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for found in &compiled.diagnostics {
        let of_rules = RULE_CODES.iter().any(|(code, _)| *code == found.code);
        if found.severity == Severity::Error && !of_rules {
            *counts.entry(path(project, found.span.file)).or_default() += 1;
        }
    }
    counts
}

fn path(project: &Project, file: FileId) -> String {
    project.file(file).map(|file| file.path.clone()).unwrap_or_default()
}

fn named(project: &Project, found: &Diagnostic) -> Applied {
    let text = project.file(found.span.file).map_or("", |file| &file.text);
    Applied {
        path: path(project, found.span.file),
        line: LineIndex::new(text).line_column(text, found.span.start).line,
        code: found.code,
        message: found.message.clone(),
        title: found.fix.as_ref().map(|fix| fix.title.clone()).unwrap_or_default(),
    }
}

/// Every text of a project by its path.
fn texts(listing: &Listing) -> BTreeMap<String, String> {
    let files = listing.files.iter().chain(&listing.config).map(|file| (file.path.clone(), file.text.clone()));
    files.chain(listing.texts.clone()).collect()
}

/// The project with changes, which do not touch each other.
fn with(listing: &Listing, project: &Project, fixes: &[&Fix]) -> Listing {
    let mut edits: Vec<&(Span, String)> = fixes.iter().flat_map(|fix| &fix.edits).collect();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(*span));
    let mut next = listing.clone();
    for (span, replacement) in edits {
        let path = path(project, span.file);
        let files = next.files.iter_mut().chain(&mut next.config).filter(|file| file.path == path);
        let text = files.map(|file| &mut file.text).next().or_else(|| next.texts.get_mut(&path));
        let (start, end) = (span.start as usize, span.end as usize);
        if let Some(text) = text.filter(|text| text.get(start..end).is_some()) {
            text.replace_range(start..end, replacement);
        }
    }
    next
}

fn changes(before: &Listing, after: &Listing) -> Vec<Change> {
    let before = texts(before);
    let after = texts(after).into_iter();
    let pairs = after.filter_map(|(path, after)| Some((before.get(&path)?.clone(), path, after)));
    pairs
        .filter(|(before, _, after)| before != after)
        .map(|(before, path, after)| Change { path, before, after })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::SourceFile;

    fn listing(text: &str) -> Listing {
        let file = SourceFile { path: "a.flow".into(), text: text.into() };
        Listing { name: "a".into(), files: vec![file], ..Listing::default() }
    }

    fn mended(text: &str) -> String {
        mend(&listing(text)).changed.pop().map_or_else(|| text.to_owned(), |change| change.after)
    }

    #[test]
    fn mends_that_touch_wait_for_the_next_round() {
        let found = "on a if user.x = 1 && user.y <> 2 then email \"hi\";\n";
        assert_eq!(mended(found), "on a if user.x == 1 and user.y != 2 then email \"hi\"\n");
    }

    #[test]
    fn a_sound_program_stays_as_it_is() {
        let text = "on a wait 2h email \"hi\"\n";
        let done = mend(&listing(text));
        assert!(done.changed.is_empty() && done.applied.is_empty() && done.errors == 0, "{done:?}");
    }

    #[test]
    fn what_is_not_certain_is_left_and_counted() {
        let done = mend(&listing("on a wait 2hrs nonsense here; email \"hi\"\n"));
        assert_eq!(done.changed.len(), 1);
        assert!(done.errors > 0);
    }
}
