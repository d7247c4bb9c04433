//! What parsing has to say about a file.

use crate::span::Span;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// One of [`crate::CODES`].
    pub code: &'static str,
    /// Where.
    pub span: Span,
    /// What is wrong, one sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The change that puts it right.
    pub fix: Option<Fix>,
    /// Other places that matter.
    pub labels: Vec<(Span, String)>,
}

/// A change of the text that puts a mistake right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced; empty: an insertion.
    pub span: Span,
    /// By what.
    pub replacement: String,
    /// What an editor calls it.
    pub title: String,
}

impl SyntaxError {
    /// An error with nothing but its message.
    #[must_use]
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), help: None, fix: None, labels: Vec::new() }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the change that puts it right.
    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        let replacement = replacement.into();
        let title = if replacement.trim().is_empty() {
            "remove it".to_owned()
        } else if span.is_empty() {
            format!("insert `{}`", replacement.trim())
        } else {
            format!("write `{}`", replacement.trim())
        };
        self.fix = Some(Fix { span, replacement, title });
        self
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }
}
