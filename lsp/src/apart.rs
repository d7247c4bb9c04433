//! A look at the one journey or test that a change is in. What is known of the other items of its file stays as it was,
//! moved with the text around it, for as long as nothing that they depend on has changed.

use crate::change::Change;
use crate::world::Known;
use flow_compiler::codes::{JOURNEY_LOOP, RULE_CODES};
use flow_compiler::compile::{compile_file, Compiled, ProjectInput};
use flow_compiler::compile_codes::START_NEEDS_TRIGGER;
use flow_compiler::diagnostic::{Diagnostic, Severity};
use flow_compiler::others::{Others, Templates, NEEDS_ALL};
use flow_compiler::symbols::Symbol;
use flow_compiler::template::Senders;
use flow_grammar::ast::{self, Item};
use flow_grammar::span::{FileId, Span};

/// The item that a change is in, and the other journeys and tests of its file.
pub(crate) struct Apart {
    number: usize,
    item: Span,
    others: Vec<Span>,
}

impl Apart {
    pub fn of(tree: &ast::File, number: usize) -> Option<Self> {
        let item = tree.items.get(number)?.span();
        let others = tree.items.iter().enumerate().filter(|(at, _)| *at != number);
        let others = others.filter(|(_, item)| matches!(item, Item::Journey(_) | Item::Test(_)));
        Some(Self { number, item, others: others.map(|(_, item)| item.span()).collect() })
    }

    /// Whether a place is in one of the items that are not looked at.
    fn leaves(&self, file: FileId, place: Span) -> bool {
        let within = |item: &Span| item.start <= place.start && place.end <= item.end;
        place.file == file && self.others.iter().any(within)
    }
}

/// What was known before the change.
pub(crate) struct Before {
    pub found: Vec<Diagnostic>,
    pub sent: Senders,
    /// Whether there was no error, so that the rules had looked.
    pub was_sound: bool,
    pub change: Change,
}

/// What is looked at.
pub(crate) struct Looked<'w> {
    pub input: &'w ProjectInput,
    pub templates: &'w Templates,
    pub known: &'w mut Vec<Known>,
    pub file: FileId,
}

/// Whether anything is declared: otherwise names are inferred from all uses.
pub(crate) fn declares(trees: &[ast::File]) -> bool {
    trees.iter().flat_map(|tree| &tree.items).any(|item| matches!(item, Item::Event(_) | Item::User(_)))
}

/// Whether there is an error that keeps the rules from looking, in one file or in any. Circles of journeys are found by the
/// rules themselves.
pub(crate) fn in_error<'d>(mut found: impl Iterator<Item = &'d Diagnostic>, file: Option<FileId>) -> bool {
    found.any(|one| {
        one.severity == Severity::Error && one.code != JOURNEY_LOOP && file.is_none_or(|file| file == one.span.file)
    })
}

fn is_of_rules(found: &Diagnostic) -> bool {
    RULE_CODES.iter().any(|(code, _)| *code == found.code)
}

impl Looked<'_> {
    /// Looks at the changed file, or at one item of it, and adds what stays.
    pub fn at(self, trees: Vec<ast::File>, before: Before, apart: Option<&Apart>) -> Compiled {
        let at = self.file.0 as usize;
        let Before { found, sent, was_sound, change } = before;
        let aside = self.known.get_mut(at).and_then(|known| known.aside.take());
        let aside = aside.filter(|(number, _)| apart.is_some_and(|apart| apart.number == *number));
        let mut aside: Option<Vec<Diagnostic>> =
            aside.map(|(_, found)| found.into_iter().filter_map(|one| change.moved(one)).collect());
        let moved: Vec<Diagnostic> = found.into_iter().filter_map(|one| change.moved(one)).collect();
        let mut now = self.compile(trees, &moved, apart);
        let mut apart = apart;
        let is_sound = |now: &Compiled, apart: Option<&Apart>| {
            let left = moved.iter().filter(|one| self.stays(one, apart));
            !in_error(now.diagnostics.iter().chain(left), None)
        };
        // What the rules have to say of the others is not known.
        if apart.is_some() && aside.is_none() && !was_sound && is_sound(&now, apart) {
            apart = None;
            now = self.compile(std::mem::take(&mut now.files), &moved, None);
        }
        let sound = is_sound(&now, apart);
        let broken_here = now.diagnostics.iter().any(|one| one.severity == Severity::Error);
        let mut stays: Vec<Diagnostic> = moved.into_iter().filter(|one| self.stays(one, apart)).collect();
        if let Some(apart) = apart {
            let of_others = |one: &Diagnostic| apart.leaves(self.file, one.span) && !NEEDS_ALL.contains(&one.code);
            now.diagnostics.retain(|one| !apart.leaves(self.file, one.span));
            if sound {
                stays.extend(aside.take().unwrap_or_default());
            } else if was_sound {
                aside = Some(stays.iter().filter(|one| of_others(one) && is_of_rules(one)).cloned().collect());
            }
            if !sound {
                stays.retain(|one| !(of_others(one) && is_of_rules(one)));
            }
            if let (Some(known), Some(found)) = (self.known.get_mut(at), aside) {
                known.aside = Some((apart.number, found));
            }
            if broken_here {
                let left = |one: &Diagnostic| of_others(one) || one.code == START_NEEDS_TRIGGER;
                stays.retain(|one| one.span.file != self.file || left(one));
            }
        } else if broken_here {
            stays.retain(|one| one.span.file != self.file || one.code == START_NEEDS_TRIGGER);
        }
        now.diagnostics.extend(stays);
        now.diagnostics.sort_by_key(|one| one.span);
        // What other files' journeys provide is known from the last look at all.
        now.sent = sent;
        now
    }

    /// Whether a finding of before says something of what is not looked at now.
    fn stays(&self, found: &Diagnostic, apart: Option<&Apart>) -> bool {
        found.span.file != self.file
            || NEEDS_ALL.contains(&found.code)
            || apart.is_some_and(|apart| apart.leaves(self.file, found.span))
    }

    fn compile(&self, trees: Vec<ast::File>, before: &[Diagnostic], apart: Option<&Apart>) -> Compiled {
        let mut others = Others { templates: self.templates.clone(), ..Others::default() };
        // Every error but a circle keeps the rules from looking.
        others.sound = !in_error(before.iter().filter(|one| self.stays(one, apart)), None);
        let at = self.file.0 as usize;
        for (_, known) in self.known.iter().enumerate().filter(|(other, _)| *other != at || apart.is_some()) {
            others.add(&known.effects);
        }
        let errors = self.known.iter().flat_map(|known| &known.errors).cloned().collect();
        compile_file(self.input, trees, errors, self.file, apart.map(|apart| apart.item), &others)
    }
}

impl Known {
    /// Keeps what was learned of names and types; that of items that were not looked at moves with the text.
    pub fn learn(&mut self, now: &mut Compiled, change: &Change, apart: Option<&Apart>) {
        let references = std::mem::take(&mut now.info.references);
        let types = std::mem::take(&mut now.info.types);
        let Some(apart) = apart else {
            (self.references, self.types) = (references, types);
            return;
        };
        let Some(file) =
            self.references.first().map(|(span, _)| span.file).or(types.first().map(|(span, _)| span.file))
        else {
            (self.references, self.types) = (references, types);
            return;
        };
        let local = |symbol: Symbol| match symbol {
            Symbol::Local(span) => change.span(span).map(Symbol::Local),
            symbol => Some(symbol),
        };
        let old = std::mem::take(&mut self.references).into_iter();
        let old = old.filter_map(|(span, symbol)| Some((change.span(span)?, local(symbol)?)));
        let new = references.into_iter().filter(|(span, _)| !apart.leaves(file, *span));
        self.references = new.chain(old.filter(|(span, _)| apart.leaves(file, *span))).collect();
        self.references.sort_unstable();
        self.references.dedup();
        let old = std::mem::take(&mut self.types).into_iter();
        let old = old.filter_map(|(span, ty)| Some((change.span(span)?, ty)));
        let new = types.into_iter().filter(|(span, _)| !apart.leaves(file, *span));
        self.types = new.chain(old.filter(|(span, _)| apart.leaves(file, *span))).collect();
        self.types.sort();
    }
}
