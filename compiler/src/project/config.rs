//! `flow.toml`.

use super::Project;
use crate::codes::{CONFIG_SYNTAX, CONFIG_TIMEZONE, CONFIG_TYPE, CONFIG_UNKNOWN_KEY};
use crate::compile::SourceFile;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use flow_grammar::span::{FileId, Span};
use std::num::NonZeroU32;
use std::ops::Range;
use toml::de::{DeTable, DeValue};
use toml::Spanned;

/// The tables that `flow.toml` may hold.
const TABLES: [&str; 4] = ["audiences", "channels", "project", "serve"];
/// The keys of `[project]`.
const PROJECT_KEYS: [&str; 3] = ["name", "public_url", "timezone"];

/// The keys of `[serve]`.
const SERVE_KEYS: [&str; 2] = ["follow", "rate"];

/// Reads the file into the project; what is wrong with it is reported and left out.
pub(super) fn read(project: &mut Project, file: SourceFile) {
    let id = project.other(file.clone());
    let (root, errors) = DeTable::parse_recoverable(&file.text);
    let mut reader = Reader { project, id };
    for error in errors {
        reader.syntax(&error);
    }
    for (key, value) in root.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("project", DeValue::Table(table)) => reader.project_table(table),
            ("channels", DeValue::Table(table)) => {
                let tables = reader.tables("channels", table);
                reader.project.channels.extend(tables);
            }
            ("audiences", DeValue::Table(table)) => {
                let tables = reader.tables("audiences", table);
                reader.project.audiences.extend(tables);
            }
            ("serve", DeValue::Table(table)) => reader.serve_table(table),
            (name @ ("audiences" | "channels" | "project" | "serve"), other) => {
                reader.wrong_type(name, value.span(), "a table", other)
            }
            (name, _) => reader.unknown(key.span(), &format!("flow.toml has no table `{name}`"), name, &TABLES),
        }
    }
}

struct Reader<'p> {
    project: &'p mut Project,
    id: FileId,
}

impl Reader<'_> {
    fn project_table(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("name", DeValue::String(text)) => self.project.input.name = text.clone().into_owned(),
                ("timezone", DeValue::String(text)) => self.timezone(text, value.span()),
                ("public_url", DeValue::String(text)) => {
                    text.trim_end_matches('/').clone_into(&mut self.project.input.public_url);
                }
                (name @ ("name" | "public_url" | "timezone"), other) => {
                    self.wrong_type(name, value.span(), "a text", other)
                }
                (name, _) => self.unknown(key.span(), &format!("`[project]` has no key `{name}`"), name, &PROJECT_KEYS),
            }
        }
    }

    fn serve_table(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("follow", DeValue::Array(files)) => files.iter().for_each(|file| self.follow(file)),
                ("follow", _) => self.follow(value),
                ("rate", DeValue::Integer(number)) if number.as_str().parse::<NonZeroU32>().is_ok() => {
                    self.project.rate = number.as_str().parse().ok();
                }
                ("rate", other) => self.wrong_type("rate", value.span(), "a number of calls a second", other),
                (name, _) => self.unknown(key.span(), &format!("`[serve]` has no key `{name}`"), name, &SERVE_KEYS),
            }
        }
    }

    fn follow(&mut self, file: &Spanned<DeValue<'_>>) {
        match file.get_ref() {
            DeValue::String(path) => self.project.follow.push(path.to_string()),
            other => self.wrong_type("follow", file.span(), "a text", other),
        }
    }

    fn timezone(&mut self, name: &str, at: Range<usize>) {
        let zones = jiff::tz::db();
        if zones.get(name).is_ok() {
            name.clone_into(&mut self.project.input.timezone);
            return;
        }
        // The span holds the quotes; the name stands between them.
        let inside = (at.start + 1).min(at.end)..at.end.saturating_sub(1);
        let mut found =
            Diagnostic::error(CONFIG_TIMEZONE, self.span(inside), format!("no time zone is called `{name}`"));
        let known: Vec<String> = zones.available().map(|zone| zone.to_string()).collect();
        found = match nearest(name, known.iter().map(String::as_str)) {
            Some(zone) => found.help(format!("did you mean `{zone}`?")),
            None => found.help("give a name of the zone data, such as `Europe/Rome` or `UTC`"),
        };
        self.project.diagnostics.push(found);
    }

    /// The tables `[kind.NAME]`.
    fn tables(&mut self, kind: &str, table: &DeTable<'_>) -> Vec<(String, toml::Table)> {
        let mut tables = Vec::new();
        for (name, value) in table {
            match value.get_ref() {
                DeValue::Table(inner) => tables.push((name.get_ref().to_string(), plain_table(inner))),
                other => self.wrong_type(&format!("{kind}.{}", name.get_ref()), value.span(), "a table", other),
            }
        }
        tables
    }

    fn syntax(&mut self, error: &toml::de::Error) {
        let span = self.span(error.span().unwrap_or(0..0));
        let message = format!("flow.toml is not valid TOML: {}", error.message());
        let help = "texts stand between quotes, and tables between brackets: `name = \"shop\"`, `[project]`";
        self.project.diagnostics.push(Diagnostic::error(CONFIG_SYNTAX, span, message).help(help));
    }

    fn wrong_type(&mut self, name: &str, at: Range<usize>, wanted: &str, is: &DeValue<'_>) {
        let message = format!("`{name}` must be {wanted}, not {}", with_article(is));
        let span = self.span(at);
        let help = if wanted == "a table" {
            format!("write `[{name}]`, and its keys below")
        } else if name == "rate" {
            "write a whole number above 0, such as `rate = 5000`".to_owned()
        } else {
            format!("write {wanted} between quotes")
        };
        self.project.diagnostics.push(Diagnostic::error(CONFIG_TYPE, span, message).help(help));
    }

    fn unknown(&mut self, at: Range<usize>, message: &str, name: &str, known: &[&'static str]) {
        let found = Diagnostic::warning(CONFIG_UNKNOWN_KEY, self.span(at), message);
        self.project.diagnostics.push(match nearest(name, known.iter().copied()) {
            Some(near) => found.help(format!("did you mean `{near}`?")),
            None => found.help(format!("known here: {}", known.join(", "))),
        });
    }

    fn span(&self, at: Range<usize>) -> Span {
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span::new(self.id, offset(at.start), offset(at.end))
    }
}

fn with_article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

fn plain_table(table: &DeTable<'_>) -> toml::Table {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), plain(value))).collect()
}

fn plain(value: &Spanned<DeValue<'_>>) -> toml::Value {
    match value.get_ref() {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(int) => {
            let parsed = i64::from_str_radix(int.as_str(), int.radix());
            parsed.map_or_else(|_| toml::Value::String(int.to_string()), toml::Value::Integer)
        }
        DeValue::Float(float) => {
            let parsed = float.as_str().parse();
            parsed.map_or_else(|_| toml::Value::String(float.to_string()), toml::Value::Float)
        }
        DeValue::Boolean(yes) => toml::Value::Boolean(*yes),
        DeValue::Datetime(time) => toml::Value::Datetime(*time),
        DeValue::Array(items) => toml::Value::Array(items.iter().map(plain).collect()),
        DeValue::Table(table) => toml::Value::Table(plain_table(table)),
    }
}
