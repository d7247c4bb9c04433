//! The one type for everything that the compiler has to say. The terminal, JSON, SARIF and the editor show
//! views of it.

use flow_grammar::span::Span;
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The program does not run.
    Error,
    /// The program runs, but hardly as meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// `F0301`; never reused. The table is in `codes.rs`, the pages are in `errors/`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The place that is wrong.
    pub span: Span,
    /// One sentence, lower case, without a full stop; what the user wrote stands in backticks.
    pub message: String,
    /// Other places that matter, with a few words each.
    pub labels: Vec<Label>,
    /// One line that can be followed.
    pub help: Option<String>,
    /// A mend, where it is certain.
    pub fix: Option<Fix>,
}

/// A place that matters to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there.
    pub text: String,
}

/// A change to the source that mends a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What it does, as an editor's menu shows it.
    pub title: String,
    /// Replacements; they do not overlap.
    pub edits: Vec<(Span, String)>,
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            span,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// A note.
    #[must_use]
    pub fn note(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, span, message) }
    }

    /// The one line that can be followed: the help, else what the mend does.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref().or_else(|| self.fix.as_ref().map(|fix| fix.title.as_str()))
    }

    /// Points at one more place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Offers a mend at one place.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits: vec![(span, replacement.into())] });
        self
    }
}
