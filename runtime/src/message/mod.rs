//! What a message finally says: from what the engine hands over to the parts that a channel delivers.
//!
//! [`Messages`] holds the templates of a project, made ready once. [`Messages::content`] is a function: the same message
//! gives the same content. What it needs of the person it finds in the message ([`Seen`](crate::engine::effect::Seen)),
//! which the engine fills in when it was told to ([`Engine::for_rendering`]).

mod content;
mod source;

pub use content::Content;

use crate::engine::effect::{Message, MessageContent};
use crate::engine::Engine;
use crate::render::{render, Context, Rendered, Template, Templates};
use flow_compiler::bytecode::{ChannelId, Program};
use flow_compiler::channel::ChannelKind;
use flow_compiler::compile::{ProjectInput, TemplateFile};
use flow_grammar::LineIndex;
use source::Names;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Makes the link by which the person with this id gets no more messages like this one.
pub type UnsubscribeLink = Arc<dyn Fn(&str, &Message) -> String + Send + Sync>;

/// The templates of a project, made ready.
pub struct Messages {
    /// By name.
    templates: BTreeMap<String, Vec<Entry>>,
    parts: Templates,
    names: Names,
    unsubscribe: UnsubscribeLink,
}

/// One file.
#[derive(Debug)]
struct Entry {
    channel: ChannelId,
    locale: Arc<str>,
    template: Template,
    form: Form,
}

/// What the text of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Shown as it is.
    Plain,
    /// HTML.
    Html,
}

/// Why a message could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderFailure {
    /// One sentence, with the template's path, line and column where there is one.
    pub detail: String,
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
        let mut messages = Self {
            templates: BTreeMap::new(),
            parts: Templates::new(),
            names: Names::new(program),
            unsubscribe: link_below(&input.public_url),
        };
        let ready = |file: &TemplateFile| Template::compile(&file.path, file.text.as_deref()?).ok();
        for part in &input.parts {
            if let Some(template) = ready(part) {
                messages.parts.add_part(&part.path, template);
            }
        }
        for file in &input.templates {
            let channel = (0..).zip(&program.channels).find(|(_, channel)| channel.name == file.channel);
            let (Some((id, _)), Some(template)) = (channel, ready(file)) else { continue };
            let channel = ChannelId(id);
            let form = form_of(file, kind_of(program, channel));
            let entry = Entry { channel, locale: file.locale.as_str().into(), template, form };
            messages.templates.entry(file.name.clone()).or_default().push(entry);
        }
        messages
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
        let entry = self
            .entry(name, message.channel, locale)
            .ok_or_else(|| RenderFailure { detail: format!("the template `{name}` was not read") })?;
        let seen = message
            .seen
            .as_deref()
            .ok_or_else(|| RenderFailure { detail: "what the template can name was not kept".to_owned() })?;
        let link = unsubscribe.as_deref().unwrap_or_default();
        let source = source::Values::new(program, &self.names, seen, message, user, time, link);
        let context = Context { now: time, zone: &seen.zone, locale, escape: entry.form == Form::Html };
        let rendered = render(&entry.template, &self.parts, &source, &context).map_err(|error| RenderFailure {
            detail: placed(&error.path, &self.source_of(entry, &error.path), error.span.start, &error.kind.message()),
        })?;
        let Rendered { front, body } = rendered;
        Ok(Content::of_parts(kind, front, body, entry.form == Form::Html, &program.name, unsubscribe))
    }

    fn entry(&self, name: &str, channel: ChannelId, locale: &str) -> Option<&Entry> {
        self.templates.get(name)?.iter().find(|entry| entry.channel == channel && *entry.locale == *locale)
    }

    /// The text of the file with this path, for counting its lines.
    fn source_of(&self, entry: &Entry, path: &str) -> String {
        let template = if entry.template.path() == path { Some(&entry.template) } else { self.parts.at_path(path) };
        template.map(|template| template.source().to_owned()).unwrap_or_default()
    }

    /// Messages that need no consent cannot be refused.
    fn unsubscribe_link(&self, program: &Program, user: &str, message: &Message) -> Option<String> {
        let topic = program.topics.get(message.topic.index());
        let transactional = topic.is_some_and(|topic| topic.transactional);
        (!transactional).then(|| (self.unsubscribe)(user, message))
    }
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

/// `.html` and `.mjml` are markup, and so is what an app or a site shows. A `.liquid` file of an email is markup when
/// markup stands in it.
fn form_of(file: &TemplateFile, kind: ChannelKind) -> Form {
    let ending = file.path.rsplit('.').next().unwrap_or_default();
    let text = file.text.as_deref().unwrap_or_default();
    match (kind, ending) {
        (_, "html" | "htm" | "mjml") | (ChannelKind::Onsite, _) => Form::Html,
        (ChannelKind::Email, "liquid") if content::has_tags(text) => Form::Html,
        _ => Form::Plain,
    }
}

/// `templates/a.email.html:3:7: what is wrong`
fn placed(path: &str, source: &str, offset: u32, message: &str) -> String {
    let place = LineIndex::new(source).line_column(source, offset);
    format!("{path}:{}:{}: {message}", place.line, place.column)
}
