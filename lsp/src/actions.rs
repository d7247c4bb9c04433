//! What can be mended.

use crate::world::World;
use flow_compiler::diagnostic::{Diagnostic, Fix, Severity};
use flow_grammar::span::{FileId, Span};

/// The findings that touch a part of a file and have a mend.
pub fn fixes(world: &World, file: FileId, from: u32, to: u32) -> impl Iterator<Item = (&Diagnostic, &Fix)> {
    let touches = move |span: Span| span.file == file && span.start <= to && from <= span.end;
    world.diagnostics().filter(move |found| touches(found.span)).filter_map(|found| Some((found, found.fix.as_ref()?)))
}

/// The warnings that touch a part of a file, each with the line `# allow CODE: …` that lets it stand. The reason is left
/// to whoever allows it.
pub fn allows(world: &World, file: FileId, from: u32, to: u32) -> impl Iterator<Item = (&Diagnostic, (Span, String))> {
    let source = world.source(file);
    let is_flow = world.path(file).is_some_and(|path| path.extension().is_some_and(|ext| ext == "flow"));
    let touches = move |span: Span| span.file == file && span.start <= to && from <= span.end;
    let about_allowing = |code: &str| code.starts_with("F073");
    let warnings = world.diagnostics().filter(|one| one.severity == Severity::Warning);
    warnings.filter(move |one| is_flow && touches(one.span) && !about_allowing(one.code)).map(move |one| {
        let before = source.get(..one.span.start as usize).unwrap_or("");
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = source.get(line..).unwrap_or("");
        let indent = rest.get(..rest.len() - rest.trim_start_matches([' ', '\t']).len()).unwrap_or("");
        let at = one.span.start - u32::try_from(before.len() - line).unwrap_or(0);
        (one, (Span::new(file, at, at), format!("{indent}# allow {}: say why\n", one.code)))
    })
}

/// The changes that mend everything in a file that has a mend; none of them overlap.
#[must_use]
pub fn fix_all(world: &World, file: FileId) -> Vec<(Span, String)> {
    let mut edits: Vec<(Span, String)> = Vec::new();
    for found in world.diagnostics().filter(|found| found.span.file == file) {
        let Some(fix) = &found.fix else { continue };
        let free = fix.edits.iter().all(|(span, _)| {
            span.file == file && edits.iter().all(|(other, _)| span.end < other.start || other.end < span.start)
        });
        if free {
            edits.extend(fix.edits.iter().cloned());
        }
    }
    edits.sort_unstable();
    edits
}
