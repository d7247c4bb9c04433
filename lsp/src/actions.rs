//! What can be mended.

use crate::world::World;
use flow_compiler::diagnostic::{Diagnostic, Fix};
use flow_grammar::span::{FileId, Span};

/// The findings that touch a part of a file and have a mend.
pub fn fixes(world: &World, file: FileId, from: u32, to: u32) -> impl Iterator<Item = (&Diagnostic, &Fix)> {
    let touches = move |span: Span| span.file == file && span.start <= to && from <= span.end;
    world.diagnostics().filter(move |found| touches(found.span)).filter_map(|found| Some((found, found.fix.as_ref()?)))
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
