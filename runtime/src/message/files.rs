//! The template files of a project, made ready.

use super::{content, kind_of, Sets};
use crate::render::{Template, Templates};
use flow_compiler::bytecode::{ChannelId, Program};
use flow_compiler::channel::ChannelKind;
use flow_compiler::compile::{ProjectInput, TemplateFile};
use flow_compiler::template::parts::{choose, ending_of};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A template in one language.
#[derive(Debug)]
pub(super) struct Entry {
    pub channel: ChannelId,
    pub locale: Arc<str>,
    /// The language of its text, where the front matter names another than the file.
    pub language: Option<String>,
    pub main: File,
    /// The plain part, where a file of its own holds it.
    pub plain: Option<File>,
}

/// One file, and what it is rendered with.
#[derive(Debug)]
pub(super) struct File {
    pub template: Arc<Template>,
    pub form: Form,
    /// The file around it.
    pub layout: Option<String>,
    pub parts: Arc<Templates>,
}

/// What the text of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Shown as it is.
    Plain,
    /// HTML.
    Html,
    /// MJML.
    Mjml,
}

/// All of them, by name.
pub(super) fn ready(program: &Program, input: &ProjectInput) -> BTreeMap<String, Vec<Entry>> {
    let compile = |file: &TemplateFile| Template::compile(&file.path, file.text.as_deref()?).ok().map(Arc::new);
    let parts: Vec<Option<Arc<Template>>> = input.parts.iter().map(compile).collect();
    let mut sets = Sets::new();
    let mut templates: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    let mut file = |file: &TemplateFile, kind: ChannelKind| {
        let (template, ending) = (compile(file)?, ending_of(&file.path));
        let set = sets.entry((file.locale.clone(), ending.to_owned())).or_insert_with(|| {
            let mut set = Templates::new();
            for (name, at) in choose(&input.parts, &file.locale, ending) {
                if let Some(Some(part)) = parts.get(at) {
                    set.add_part(&name, Arc::clone(part));
                }
            }
            Arc::new(set)
        });
        let parts = Arc::clone(set);
        Some(File { form: form_of(file, kind), layout: template.front_text("layout"), template, parts })
    };
    for main in input.templates.iter().filter(|file| !file.plain) {
        let channel = (0..).zip(&program.channels).find(|(_, channel)| channel.name == main.channel);
        let Some(channel) = channel.map(|(id, _)| ChannelId(id)) else { continue };
        let kind = kind_of(program, channel);
        let same = |file: &&TemplateFile| {
            file.plain && file.name == main.name && file.channel == main.channel && file.locale == main.locale
        };
        let plain = input.templates.iter().find(same).and_then(|plain| file(plain, kind));
        let Some(opened) = file(main, kind) else { continue };
        let language = opened.template.front_text("locale");
        let entry = Entry { channel, locale: main.locale.as_str().into(), language, main: opened, plain };
        templates.entry(main.name.clone()).or_default().push(entry);
    }
    for entries in templates.values_mut() {
        entries.sort_by(|a, b| (a.channel, &a.locale).cmp(&(b.channel, &b.locale)));
    }
    templates
}

/// `.html` and `.mjml` are markup, and so is what an app or a site shows. A `.liquid` file of an email is markup when
/// markup stands in it.
fn form_of(file: &TemplateFile, kind: ChannelKind) -> Form {
    let text = file.text.as_deref().unwrap_or_default();
    match (kind, ending_of(&file.path)) {
        (ChannelKind::Email, "mjml") => Form::Mjml,
        (_, "html" | "htm" | "mjml") | (ChannelKind::Onsite, _) => Form::Html,
        (ChannelKind::Email, "liquid") if content::has_tags(text) => Form::Html,
        _ => Form::Plain,
    }
}
