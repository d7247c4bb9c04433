//! The way in: the files of a project become a checked [`Program`], or say what is wrong.

use crate::allow::Allowed;
use crate::bytecode::{Journey, JourneyId, Program};
use crate::context::Cx;
use crate::diagnostic::{Diagnostic, Fix, Label, Severity};
use crate::others::{Elsewhere, Others};
use crate::schema::Schema;
use crate::symbols::Symbol;
use crate::template::Trees;
use crate::testcase::TestCase;
use flow_grammar::ast;
use flow_grammar::span::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A `.flow` file. Its [`flow_grammar::span::FileId`] is its index in [`ProjectInput::files`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path relative to the project's root, with `/` between the parts.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// Everything that a compilation looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectInput {
    /// The project's name.
    pub name: String,
    /// IANA name of the zone of people whose zone is not known.
    pub timezone: String,
    /// The source, sorted bytewise by path.
    pub files: Vec<SourceFile>,
    /// The templates that there are.
    pub templates: Vec<TemplateFile>,
    /// The files that templates `render`, without a channel.
    pub parts: Vec<TemplateFile>,
    /// Where the project can be reached from outside, without a slash at the end: links to unsubscribe begin with it.
    /// Empty: not known.
    pub public_url: String,
    /// Whether a template that is not among them is an error.
    pub check_templates: bool,
}

/// A template: `cart_reminder.email.it.liquid`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateFile {
    /// Its name (`cart_reminder`).
    pub name: String,
    /// Its channel (`email`).
    pub channel: String,
    /// Its locale (`it`), or the empty text.
    pub locale: String,
    /// Its path relative to the project's root.
    pub path: String,
    /// It holds the plain text of an email whose markup stands in another file of that name.
    pub plain: bool,
    /// What stands in it, where it was read: then it is checked.
    pub text: Option<String>,
    /// The file that what is found in it stands in.
    pub file: FileId,
}

/// What a compilation found.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// The program; none when there are errors.
    pub program: Option<Program>,
    /// The tests; empty when there are errors.
    pub tests: Vec<TestCase>,
    /// Everything that the compiler has to say, in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
    /// What the source allows, with the reasons.
    pub allowed: Vec<Allowed>,
    /// The syntax trees, as [`ProjectInput::files`].
    pub files: Vec<ast::File>,
    /// What was learned about parts of the source.
    pub info: Info,
    /// What the places that send templates provide, for editors.
    pub sent: crate::template::Senders,
}

/// What was learned about parts of the source, for listings and editors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// The type of every expression, as an author would write it, in the order of the source.
    pub types: Vec<(Span, String)>,
    /// What names stand for, in the order of the source; of a name with several meanings (a field of
    /// several triggers) each.
    pub references: Vec<(Span, Symbol)>,
}

/// Compiles a project. Never fails: what is wrong is among the diagnostics.
#[must_use]
pub fn compile(input: &ProjectInput) -> Compiled {
    // Trees are as deep as the grammar allows (640 levels), and every level takes several frames: more than
    // the two megabytes that a thread has.
    with_room(|| compile_here(input))
}

/// Does something with trees that may be deep on a stack that is large enough for it.
pub fn with_room<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_BYTES / 2, STACK_BYTES, work)
}

/// What compiling takes at most, with room to spare; untouched pages of it cost nothing.
const STACK_BYTES: usize = 64 << 20;

fn compile_here(input: &ProjectInput) -> Compiled {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    for parsed in crate::parsing::parse_all(&input.files) {
        errors.extend(parsed.errors);
        files.push(parsed.file);
    }
    compile_trees(input, files, errors)
}

/// Compiles a project whose files have been parsed, for those who keep the trees of files that do
/// not change. `files` are the trees of `input.files`, `errors` the syntax errors of all of them.
#[must_use]
pub fn compile_trees(input: &ProjectInput, files: Vec<ast::File>, errors: Vec<flow_grammar::SyntaxError>) -> Compiled {
    with_room(|| check_trees(input, files, errors, None))
}

/// As [`compile_trees`], but of journeys and tests looks at those of one file alone, or at one of them: what an editor
/// wants to know at once while somebody types there. There is no program, and what was found and learned is of that file only.
/// What is found in journeys and tests that are not looked at says nothing.
/// The findings are those that [`compile_trees`] has in this file, but for the codes of
/// [`crate::others::NEEDS_ALL`].
#[must_use]
pub fn compile_file(
    input: &ProjectInput,
    files: Vec<ast::File>,
    errors: Vec<flow_grammar::SyntaxError>,
    only: FileId,
    item: Option<Span>,
    others: &Others,
) -> Compiled {
    let mut compiled = with_room(|| check_trees(input, files, errors, Some((only, item, others))));
    compiled.program = None;
    compiled.diagnostics.retain(|found| found.span.file == only);
    compiled.allowed.retain(|allowed| allowed.found.span.file == only);
    compiled.info.references.retain(|(span, _)| span.file == only);
    compiled.info.types.retain(|(span, _)| span.file == only);
    compiled
}

fn check_trees(
    input: &ProjectInput,
    files: Vec<ast::File>,
    errors: Vec<flow_grammar::SyntaxError>,
    only: Option<(FileId, Option<Span>, &Others)>,
) -> Compiled {
    let mut diagnostics: Vec<Diagnostic> = errors.into_iter().map(syntax_error).collect();
    let trees = match only {
        Some((_, _, others)) => Rc::clone(&others.templates.0),
        None => {
            let (trees, found) = Trees::parse(&input.templates, &input.parts);
            diagnostics.extend(found);
            Rc::new(trees)
        }
    };
    let mut cx = Cx::new(input, diagnostics, trees);
    let others_are_sound = only.is_none_or(|(_, _, others)| others.sound);
    let only_file = only.map(|(file, ..)| file);
    cx.only = only_file;
    cx.only_item = only.and_then(|(_, item, _)| item);
    cx.collect(&files);
    if let Some((_, _, others)) = only {
        cx.know(others);
    }
    cx.templates();
    let tests = cx.everything();
    let mut sent = std::mem::take(&mut cx.sent);
    if only.is_none() {
        sent.anywhere = cx.provided(None, &[], &crate::context::Scope::outside());
    }
    let mut found = cx.diagnostics;
    let no_errors = !found.iter().any(|d| d.severity == Severity::Error);
    if no_errors && others_are_sound {
        debug_assert!(
            only.is_some() || crate::verify::verify(&cx.program) == Ok(()),
            "the compiler made a program that does not verify"
        );
        found.extend(crate::rules::check(&cx.program, &files, only_file, &cx.elsewhere));
    }
    let mut found = in_order(without_echoes(found));
    let sound = others_are_sound && !found.iter().any(|d| d.severity == Severity::Error);
    if !sound {
        // What is wrong may be the reason why something was inferred: first things first.
        found.retain(|d| d.code != crate::compile_codes::INFERRED);
    }
    let numbered = (0..).map(FileId).zip(&input.files);
    let numbered = numbered.filter(|(id, _)| only_file.is_none_or(|only| only == *id));
    let (diagnostics, allowed) = crate::allow::apply(numbered, found, sound && only.is_none());
    Compiled {
        program: sound.then_some(cx.program),
        tests: if sound { tests } else { Vec::new() },
        diagnostics,
        allowed,
        sent,
        info: Info { types: cx.types.into_iter().collect(), references: in_source(cx.references) },
        files,
    }
}

impl<'a> Cx<'a> {
    fn new(input: &'a ProjectInput, diagnostics: Vec<Diagnostic>, trees: Rc<Trees>) -> Self {
        let program = Program { name: input.name.clone(), timezone: input.timezone.clone(), ..Program::default() };
        Self {
            input,
            trees,
            program,
            schema: Schema::default(),
            only: None,
            only_item: None,
            elsewhere: Elsewhere::default(),
            syntax_errors: diagnostics.iter().map(|d| d.span).collect(),
            diagnostics,
            types: BTreeMap::new(),
            references: Vec::new(),
            facts: Vec::new(),
            sent: crate::template::Senders::default(),
            shared_codes: BTreeMap::new(),
            constants: BTreeMap::new(),
            journey: None,
            segment_wanted: false,
            starts: Vec::new(),
            in_flight: BTreeMap::new(),
            best_hours: BTreeSet::new(),
            segment_uses: BTreeMap::new(),
        }
    }

    /// The templates of the channels that there are.
    fn templates(&mut self) {
        if self.only.is_none() {
            self.templates_alone();
        }
        for template in &self.input.templates {
            let well_known = self.schema.undeclared && self.is_channel(&template.channel);
            let id = match self.schema.channels.get(&template.channel) {
                Some(id) => *id,
                None if well_known => self.add_channel(&template.channel),
                None => continue,
            };
            let locales = self.program.templates.entry((template.name.clone(), id)).or_default();
            if let Err(at) = locales.binary_search(&template.locale) {
                locales.insert(at, template.locale.clone());
            }
        }
    }

    /// Whether what stands here is looked at in this compilation.
    fn is_wanted(&self, place: Span) -> bool {
        let within = |item: Span| item.start <= place.start && place.end <= item.end;
        self.only.is_none_or(|only| only == place.file) && self.only_item.is_none_or(within)
    }

    /// All items, in an order in which each finds what it refers to.
    fn everything(&mut self) -> Vec<TestCase> {
        self.policies();
        self.segments();
        self.apis();
        let journeys = self.schema.journey_items.clone();
        let named = self.schema.journeys.iter().map(|(name, id)| (*id, name.clone()));
        let mut names: BTreeMap<JourneyId, String> = named.collect();
        for (id, decl) in &journeys {
            let name = names.remove(id).unwrap_or_default();
            let journey =
                if self.is_wanted(decl.span) { self.compile_journey(*id, decl, name) } else { Journey::empty(name) };
            self.program.journeys.push(journey);
        }
        for (id, decl) in &journeys {
            if self.is_wanted(decl.span) {
                self.check_begins(decl, *id);
            }
        }
        self.check_starts();
        let tests = self.schema.test_items.clone();
        let tests: Vec<&ast::TestDecl> = tests.into_iter().filter(|decl| self.is_wanted(decl.span)).collect();
        let tests = tests.into_iter().map(|decl| self.test_case(decl)).collect();
        self.fill_histories();
        tests
    }
}

pub(crate) fn syntax_error(error: flow_grammar::SyntaxError) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(error.code, error.span, error.message);
    diagnostic.help = error.help;
    diagnostic.labels = error.labels.into_iter().map(|(span, text)| Label { span, text }).collect();
    diagnostic.fix = error.fix.map(|fix| Fix { title: fix.title, edits: vec![(fix.span, fix.replacement)] });
    diagnostic
}

/// In the order of the source, each once.
fn in_source(mut references: Vec<(Span, Symbol)>) -> Vec<(Span, Symbol)> {
    references.sort_unstable();
    references.dedup();
    references
}

/// Without what only says again, at the very place where the grammar stumbled, that something is wrong with it.
fn without_echoes(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let stumbled = |one: &&Diagnostic| matches!(one.code, "F0101" | "F0102" | "F0103") && !one.span.is_empty();
    let places: BTreeSet<(FileId, u32)> = found.iter().filter(stumbled).map(|d| (d.span.file, d.span.start)).collect();
    found.retain(|d| d.code.starts_with("F01") || !places.contains(&(d.span.file, d.span.start)));
    found
}

/// In the order of the source, each once: an unrolled loop would say the same for every round.
fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|d| d.span);
    let mut seen = BTreeSet::new();
    diagnostics.retain(|d| seen.insert((d.code, d.span, d.message.clone())));
    diagnostics
}
