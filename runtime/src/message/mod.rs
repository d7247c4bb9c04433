//! What a message finally says: from what the engine hands over to the parts that a channel delivers.
//!
//! [`Messages`] holds the templates of a project, made ready once. [`Messages::content`] is a function: the same message
//! gives the same content. What it needs of the person it finds in the message ([`Seen`](crate::engine::effect::Seen)),
//! which the engine fills in when it was told to ([`Engine::for_rendering`]).

mod content;
mod email;
mod files;
pub mod sample;
mod source;

pub use content::Content;

use crate::engine::effect::{Message, MessageContent};
use crate::engine::Engine;
use crate::render::{render, Context, RenderError, Source, Templates};
use content::Parts;
use files::{Entry, File, Form};
use flow_compiler::bytecode::{ChannelId, Program};
use flow_compiler::channel::ChannelKind;
use flow_compiler::compile::ProjectInput;
use flow_grammar::LineIndex;
use jiff::tz::TimeZone;
use source::{Layout, Names, Values};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Makes the link by which the person with this id gets no more messages like this one.
pub type UnsubscribeLink = Arc<dyn Fn(&str, &Message) -> String + Send + Sync>;

/// The templates of a project, made ready.
pub struct Messages {
    /// By name.
    templates: BTreeMap<String, Vec<Entry>>,
    names: Names,
    unsubscribe: UnsubscribeLink,
}

/// Why a message could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderFailure {
    /// One sentence, with the template's path, line and column where there is one.
    pub detail: String,
}

impl RenderFailure {
    fn new(detail: impl Into<String>) -> Self {
        Self { detail: detail.into() }
    }
}

impl fmt::Display for RenderFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for RenderFailure {}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("templates", &self.templates).finish_non_exhaustive()
    }
}

impl Messages {
    /// Makes the templates of a project ready. What is wrong with one was reported when the project was compiled; it
    /// is left out.
    #[must_use]
    pub fn new(program: &Program, input: &ProjectInput) -> Self {
        Self {
            templates: files::ready(program, input),
            names: Names::new(program),
            unsubscribe: link_below(&input.public_url),
        }
    }

    /// The templates that there are: name, channel and language (`""`: none is named).
    pub fn templates(&self) -> impl Iterator<Item = (&str, ChannelId, &str)> {
        let all = self.templates.iter();
        all.flat_map(|(name, entries)| entries.iter().map(|entry| (name.as_str(), entry.channel, &*entry.locale)))
    }

    /// With links to unsubscribe of one's own making (signed ones, say).
    #[must_use]
    pub fn with_unsubscribe(mut self, link: UnsubscribeLink) -> Self {
        self.unsubscribe = link;
        self
    }

    /// What a message says that `engine` handed over at `time` (milliseconds since 1970) for the person called `user`.
    ///
    /// # Errors
    /// When a bound of [`crate::render`] is exceeded, or the engine was not made [`Engine::for_rendering`].
    pub fn content(&self, engine: &Engine, user: &str, time: i64, message: &Message) -> Result<Content, RenderFailure> {
        let program = engine.program();
        let kind = kind_of(program, message.channel);
        let unsubscribe = self.unsubscribe_link(program, user, message);
        let (name, locale) = match &message.content {
            MessageContent::Text(text) => return Ok(Content::of_text(kind, text, &program.name, unsubscribe)),
            MessageContent::Template(name, locale) => (name, locale),
        };
        let seen = message.seen.as_deref();
        let seen = seen.ok_or_else(|| RenderFailure::new("what the template can name was not kept"))?;
        let link = unsubscribe.as_deref().unwrap_or_default();
        let source = Values::of_message(program, &self.names, seen, message, user, time, link);
        let place = (name.as_ref(), message.channel, locale.as_ref());
        self.render(program, place, &source, &seen.zone, time, unsubscribe.clone())
    }

    /// What the template `(name, channel, locale)` says with these values.
    ///
    /// # Errors
    /// When a bound of [`crate::render`] is exceeded.
    pub fn render(
        &self,
        program: &Program,
        (name, channel, locale): (&str, ChannelId, &str),
        source: &dyn Source,
        zone: &TimeZone,
        now: i64,
        unsubscribe: Option<String>,
    ) -> Result<Content, RenderFailure> {
        let entries = self.templates.get(name).map(Vec::as_slice).unwrap_or_default();
        let entry = entries.iter().find(|entry| entry.channel == channel && *entry.locale == *locale);
        let entry = entry.ok_or_else(|| RenderFailure::new(format!("the template `{name}` was not read")))?;
        let locale = entry.language.as_deref().unwrap_or(locale);
        let (front, body) = filled(&entry.main, source, zone, now, locale)?;
        let text = entry.plain.as_ref().map(|plain| filled(plain, source, zone, now, locale)).transpose()?;
        let parts = Parts { front, body, text: text.map(|(_, text)| text), form: entry.main.form };
        let failure = |detail| RenderFailure::new(format!("{}: {detail}", entry.main.template.path()));
        Content::of_parts(kind_of(program, channel), parts, &program.name, unsubscribe).map_err(failure)
    }

    /// Messages that need no consent cannot be refused.
    fn unsubscribe_link(&self, program: &Program, user: &str, message: &Message) -> Option<String> {
        (!program.is_transactional(message.topic)).then(|| (self.unsubscribe)(user, message))
    }
}

/// The front matter and the text of a file, inside of its layout where it has one.
fn filled(
    file: &File,
    source: &dyn Source,
    zone: &TimeZone,
    now: i64,
    locale: &str,
) -> Result<(Vec<(String, String)>, String), RenderFailure> {
    let context = Context { now, zone, locale, escape: file.form != Form::Plain };
    let failure = |error: RenderError| {
        let found =
            if file.template.path() == error.path { Some(&*file.template) } else { file.parts.at_path(&error.path) };
        let text = found.map(|template| template.source()).unwrap_or_default();
        RenderFailure::new(placed(&error.path, text, error.span.start, &error.kind.message()))
    };
    let rendered = render(&file.template, &file.parts, source, &context).map_err(failure)?;
    let (front, body) = (rendered.front, rendered.body);
    let Some(layout) = file.layout.as_deref().and_then(|name| file.parts.part(name)) else { return Ok((front, body)) };
    let within = Layout { inner: source, content: &body, front: &front, locale };
    let whole = render(layout, &file.parts, &within, &context).map_err(failure)?.body;
    Ok((front, whole))
}

/// The kind of a channel of the program.
#[must_use]
pub fn kind_of(program: &Program, channel: ChannelId) -> ChannelKind {
    let Some(channel) = program.channels.get(channel.index()) else { return ChannelKind::Other };
    let contact = channel.contact.and_then(|id| program.attributes.get(id.index())).map(|found| &found.field.ty);
    ChannelKind::of(&channel.name, contact)
}

/// Links below the project's address; where it has none, below one that leads nowhere.
fn link_below(public_url: &str) -> UnsubscribeLink {
    let base = if public_url.is_empty() { "https://unsubscribe.invalid" } else { public_url }.to_owned();
    Arc::new(move |_, message| format!("{base}/unsubscribe/{:016x}", message.id))
}

/// `templates/a.email.html:3:7: what is wrong`
fn placed(path: &str, source: &str, offset: u32, message: &str) -> String {
    let place = LineIndex::new(source).line_column(source, offset);
    format!("{path}:{}:{}: {message}", place.line, place.column)
}

/// The files that `render` and `layout` can name, of all of which the best is chosen for each template.
type Sets = BTreeMap<(String, String), Arc<Templates>>;
