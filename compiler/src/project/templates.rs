//! The names of template files: `<template>.<channel>[.<locale>].<ext>`.

use super::Project;
use crate::channel::ChannelKind;
use crate::codes::{TEMPLATE_FILE_NAME, TEMPLATE_TWICE};
use crate::compile::{SourceFile, TemplateFile};
use crate::diagnostic::Diagnostic;
use crate::template::parts::ending_of;
use flow_grammar::span::Span;
use std::collections::BTreeMap;

/// The ending of plain text.
const PLAIN: &str = "txt";

/// Takes the paths in; the folder below `templates/` is for the author's order only. Files whose
/// names begin with `_` are parts that templates include, and are left alone.
pub(super) fn read(project: &mut Project, mut paths: Vec<String>, mut texts: BTreeMap<String, String>) {
    paths.sort_unstable();
    let mut seen: BTreeMap<(String, String, String, bool), String> = BTreeMap::new();
    for path in paths {
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        if name.starts_with('_') {
            let part = TemplateFile { name, path, ..TemplateFile::default() };
            let part = with_text(project, part, &mut texts);
            project.input.parts.push(part);
            continue;
        }
        let Some(template) = parse(&name, &path) else {
            report(project, path, |span| not_understood(span, &name));
            continue;
        };
        let parted = matches!(ChannelKind::of(&template.channel, None), ChannelKind::Email | ChannelKind::Other);
        let plain = parted && ending_of(&path) == PLAIN;
        let key = (template.name.clone(), template.channel.clone(), template.locale.clone(), plain);
        match seen.get(&key) {
            Some(first) => report(project, path, |span| twice(span, &name, first)),
            None => {
                let template = with_text(project, template, &mut texts);
                seen.insert(key, path);
                project.input.templates.push(template);
            }
        }
    }
    // Beside markup, plain text is the other part of the same mail.
    for template in &mut project.input.templates {
        let beside = (template.name.clone(), template.channel.clone(), template.locale.clone(), false);
        let own = (template.name.clone(), template.channel.clone(), template.locale.clone(), true);
        template.plain = ending_of(&template.path) == PLAIN && seen.contains_key(&own) && seen.contains_key(&beside);
    }
}

/// A file whose text was read becomes one that diagnostics can point into.
fn with_text(project: &mut Project, mut template: TemplateFile, texts: &mut BTreeMap<String, String>) -> TemplateFile {
    if let Some(text) = texts.remove(&template.path) {
        template.file = project.other(SourceFile { path: template.path.clone(), text: text.clone() });
        template.text = Some(text);
    }
    template
}

fn parse(file_name: &str, path: &str) -> Option<TemplateFile> {
    let parts: Vec<&str> = file_name.split('.').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let (name, channel, locale) = match parts.as_slice() {
        [name, channel, _] => (*name, *channel, ""),
        [name, channel, locale, _] if is_locale(locale) => (*name, *channel, *locale),
        _ => return None,
    };
    Some(TemplateFile {
        name: name.to_owned(),
        channel: channel.to_owned(),
        locale: locale.to_owned(),
        path: path.to_owned(),
        ..TemplateFile::default()
    })
}

/// `it`, `it-IT`, `pt_BR`, `zh-Hant-TW`
fn is_locale(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A finding about the file as a whole: its text was not read, so the place is its start.
fn report(project: &mut Project, path: String, finding: impl FnOnce(Span) -> Diagnostic) {
    let id = project.other(SourceFile { path, text: String::new() });
    project.diagnostics.push(finding(Span::new(id, 0, 0)));
}

fn not_understood(span: Span, name: &str) -> Diagnostic {
    let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or("reminder");
    Diagnostic::warning(TEMPLATE_FILE_NAME, span, format!("`{name}` is not the name of a template")).help(format!(
        "call it `<template>.<channel>.<ext>` or `<template>.<channel>.<locale>.<ext>`, such as `{stem}.email.liquid`"
    ))
}

fn twice(span: Span, name: &str, first: &str) -> Diagnostic {
    Diagnostic::error(TEMPLATE_TWICE, span, format!("`{name}` holds the same template as `{first}`"))
        .help("keep one of the two files")
}
