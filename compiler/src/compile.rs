//! The way in: the files of a project become a checked [`Program`], or say what is wrong.

use crate::bytecode::Program;
use crate::diagnostic::Diagnostic;
use crate::testcase::TestCase;
use flow_grammar::ast;
use flow_grammar::span::Span;

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
    /// The syntax trees, as [`ProjectInput::files`].
    pub files: Vec<ast::File>,
    /// What was learned about parts of the source.
    pub info: Info,
}

/// What was learned about parts of the source, for listings and editors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// The type of every expression, as an author would write it, in the order of the source.
    pub types: Vec<(Span, String)>,
}

/// Compiles a project. Never fails: what is wrong is among the diagnostics.
#[must_use]
pub fn compile(input: &ProjectInput) -> Compiled {
    let _ = input;
    Compiled::default()
}
