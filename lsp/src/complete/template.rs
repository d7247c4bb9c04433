//! Completion in templates: what the checker knows at the place of the cursor.

use super::{List, What};
use flow_compiler::project::Project;
use flow_compiler::template::{offers, part_name, Offer, FRONT_KEYS, MARK};
use flow_grammar::liquid::{BLOCKS, TAGS};
use flow_grammar::span::FileId;

/// Where somebody stands in a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the beginning of a line of the front matter.
    FrontKey,
    /// Behind `{%`.
    Tag,
    /// Where the name of a file to render stands; the flag: within quotes.
    File(bool),
    /// Where a name, a field or a filter stands.
    Value,
    /// Within the quotes of a text that a value can be compared with.
    Quoted,
    /// In the text.
    Text,
}

impl Place {
    /// The place at `at`, and where the word at it begins.
    pub fn at(text: &str, at: usize) -> (Self, usize) {
        let head = text.get(..at).unwrap_or(text);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let word = head.len() - head.chars().rev().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
        let Some(open) = open_braces(head) else {
            let line = head.rsplit('\n').next().unwrap_or(head);
            let first = line.chars().all(is_word);
            return (if first && in_front(head) { Self::FrontKey } else { Self::Text }, word);
        };
        let inside = head.get(open + 2..).unwrap_or("");
        let inside = inside.strip_prefix('-').unwrap_or(inside);
        let tag = head.get(open..).is_some_and(|rest| rest.starts_with("{%"));
        // An odd number of quotes: within a text.
        let quote = ['"', '\''].into_iter().find(|quote| inside.matches(*quote).count() % 2 == 1);
        let words = inside.split_whitespace().collect::<Vec<_>>();
        let renders = tag && matches!(words.first(), Some(&("render" | "include")));
        if let Some(quote) = quote {
            let start = head.rfind(quote).map_or(word, |at| at + 1);
            let place = if renders && words.len() <= 2 {
                Self::File(true)
            } else if words.len() > 2 || tag {
                Self::Quoted
            } else {
                Self::Text
            };
            return (place, start);
        }
        let before = head.get(open + 2..word).unwrap_or("").trim_start_matches('-').trim();
        let place = match before {
            "" if tag => Self::Tag,
            "render" | "include" if renders => Self::File(false),
            _ => Self::Value,
        };
        (place, word)
    }
}

/// Where the `{{` or `{%` stands that is open at the end of a text.
fn open_braces(head: &str) -> Option<usize> {
    let open = head.rfind("{{").max(head.rfind("{%"))?;
    let closed = head.rfind("}}").max(head.rfind("%}"));
    (closed.is_none_or(|closed| closed < open)).then_some(open)
}

/// Whether the front matter is open at the end of a text.
fn in_front(head: &str) -> bool {
    head.starts_with("---\n") && !head.get(4..).is_some_and(|rest| rest.starts_with("---") || rest.contains("\n---"))
}

/// The blocks that are open at the end of a text, the innermost last.
fn open_blocks(head: &str) -> Vec<&str> {
    let mut open = Vec::new();
    for tag in head.split("{%").skip(1) {
        let word = tag.trim_start_matches('-').trim_start();
        let word = word.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("");
        if BLOCKS.contains(&word) {
            open.push(word);
        } else if let Some(of) = word.strip_prefix("end") {
            if open.last() == Some(&of) {
                open.pop();
            }
        }
    }
    open
}

/// The text with the mark in the place of what stands in the quotes that begin at `start`, and the quote and what is open
/// there closed.
fn marked_text(text: &str, start: usize, at: usize) -> String {
    let (head, rest) = (text.get(..start).unwrap_or(""), text.get(at..).unwrap_or(""));
    let quote = head.chars().last().unwrap_or('"');
    let line = rest.find('\n').unwrap_or(rest.len());
    // What is typed may have its quote already, or that of the next text of the tag may follow.
    let rest = match rest.get(..line).and_then(|line| line.find([quote, '}', '%'])) {
        Some(end) if rest.get(end..).is_some_and(|rest| rest.starts_with(quote)) => {
            rest.get(end + quote.len_utf8()..).unwrap_or("")
        }
        Some(end) => rest.get(end..).unwrap_or(""),
        None => rest,
    };
    let closed =
        rest.trim_start().starts_with(['%', '}', '-']) || rest.lines().next().is_some_and(|l| l.contains("%}"));
    let closing = match open_braces(head) {
        Some(open) if head.get(open..).is_some_and(|rest| rest.starts_with("{%")) => " %}",
        _ => " }}",
    };
    format!("{head}{MARK}{quote}{}{rest}", if closed { "" } else { closing })
}

/// The text with the mark in the place of the word at the cursor, and what is open there closed.
fn marked(text: &str, start: usize, at: usize) -> String {
    let (head, rest) = (text.get(..start).unwrap_or(""), text.get(at..).unwrap_or(""));
    let rest = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    let closing = match open_braces(head) {
        Some(open) if head.get(open..).is_some_and(|rest| rest.starts_with("{%")) => "%}",
        _ => "}}",
    };
    let next = rest.find("{{").into_iter().chain(rest.find("{%")).min().unwrap_or(rest.len());
    let closed = rest.find(closing).is_some_and(|at| at < next);
    if closed {
        return format!("{head}{MARK}{rest}");
    }
    // What stands behind it on the line is text again, or not finished.
    format!("{head}{MARK} {closing}{rest}")
}

impl List<'_> {
    /// What can stand at a place of a template.
    pub(super) fn template(&mut self, place: &Place, file: FileId, start: usize, at: usize) {
        let source = self.world.source(file);
        match place {
            Place::Text => {}
            Place::FrontKey => {
                for key in FRONT_KEYS {
                    self.push(key, What::Field, "of the front matter");
                }
            }
            Place::Quoted => {
                let marked = marked_text(source, start, at);
                for offer in offers(&self.world.project.input, &self.world.compiled.sent, file, &marked) {
                    if let Offer::Value(value) = &offer {
                        self.push(value, What::Value, "");
                    }
                }
            }
            Place::Tag => self.tags(source.get(..start).unwrap_or("")),
            Place::File(quoted) => self.files(*quoted),
            Place::Value => {
                let found =
                    offers(&self.world.project.input, &self.world.compiled.sent, file, &marked(source, start, at));
                for offer in found {
                    match &offer {
                        Offer::Variable(name, variable) => self.push(name, What::Local, &variable.show()),
                        Offer::Field(name, variable) => self.push(name, What::Field, &variable.show()),
                        Offer::Filter(kind, takes) => self.push(kind.name(), What::Function, takes),
                        Offer::Value(_) => {}
                    }
                }
                if source.get(..start).is_some_and(|head| head.trim_end().ends_with("in") || is_for(head)) {
                    self.keywords(&["in", "limit", "offset", "reversed"]);
                }
            }
        }
    }

    fn tags(&mut self, head: &str) {
        if let Some(block) = open_blocks(head).last() {
            self.push(&format!("end{block}"), What::Keyword, "");
        }
        self.keywords(&TAGS);
    }

    fn files(&mut self, quoted: bool) {
        let parts: Vec<(String, String)> = parts(&self.world.project);
        for (name, path) in parts {
            let label = if quoted { name } else { format!("\"{name}\"") };
            self.push(&label, What::Template, &path);
        }
    }
}

fn is_for(head: &str) -> bool {
    let tag = open_braces(head).and_then(|open| head.get(open + 2..)).unwrap_or("");
    let words: Vec<&str> = tag.trim_start_matches('-').split_whitespace().collect();
    matches!(words.as_slice(), ["for" | "tablerow", _])
}

/// The files that `render` can name, each once.
fn parts(project: &Project) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> =
        project.input.parts.iter().map(|part| (part_name(&part.path), part.path.clone())).collect();
    parts.dedup_by(|a, b| a.0 == b.0);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(marked: &str) -> (Place, String) {
        let at = marked.find('|').unwrap();
        let text = marked.replacen('|', "", 1);
        let (place, start) = Place::at(&text, at);
        (place, text[start..at].to_owned())
    }

    #[test]
    fn places() {
        assert_eq!(at("a {{ us| }}"), (Place::Value, "us".into()));
        assert_eq!(at("a {{ user.fi|"), (Place::Value, "fi".into()));
        assert_eq!(at("a {{ x }} b|"), (Place::Text, "b".into()));
        assert_eq!(at("{% i| %}"), (Place::Tag, "i".into()));
        assert_eq!(at("{%- if u| %}"), (Place::Value, "u".into()));
        assert_eq!(at("{% render \"fo| %}"), (Place::File(true), "fo".into()));
        assert_eq!(at("{% render | %}"), (Place::File(false), String::new()));
        assert_eq!(at("---\nsub|\n---\n"), (Place::FrontKey, "sub".into()));
        assert_eq!(at("---\nsubject: a|\n---\n"), (Place::Text, "a".into()));
        assert_eq!(at("---\nsubject: a\n---\nb|"), (Place::Text, "b".into()));
        assert_eq!(at("{{ \"a| }}"), (Place::Text, "a".into()));
        assert_eq!(at("{% if x == \"a| %}"), (Place::Quoted, "a".into()));
        assert_eq!(at("{% when 'a', 'b|"), (Place::Quoted, "b".into()));
    }

    #[test]
    fn a_text_is_closed_behind_the_mark() {
        assert_eq!(marked_text("{% if x == \"a\" %} b", 12, 13), format!("{{% if x == \"{MARK}\" %}} b"));
        assert_eq!(marked_text("{% if x == \"a %} b", 12, 13), format!("{{% if x == \"{MARK}\"%}} b"));
        assert_eq!(marked_text("{% if x == \"a\nb", 12, 13), format!("{{% if x == \"{MARK}\" %}}\nb"));
    }

    #[test]
    fn what_is_open_is_closed_behind_the_mark() {
        assert_eq!(marked("a {{ us }} b", 5, 7), format!("a {{{{ {MARK} }}}} b"));
        assert_eq!(marked("a {{ us\n{{ b }}", 5, 7), format!("a {{{{ {MARK} }}}}\n{{{{ b }}}}"));
        assert_eq!(marked("{% if us", 6, 8), format!("{{% if {MARK} %}}"));
    }
}
