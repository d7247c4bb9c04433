//! The tree as text, for `flowc dump --ast` and for tests: one line a node, children indented,
//! expressions with all their brackets. The same tree gives the same text.

mod expression;
mod journeys;

use crate::ast::*;
use expression::{entries, expr, quoted, type_expr};
use std::fmt::Write;

/// Renders a file's tree.
#[must_use]
pub fn dump(file: &File) -> String {
    let mut out = Dump::default();
    for item in &file.items {
        out.item(item);
    }
    out.text
}

#[derive(Default)]
struct Dump {
    text: String,
    indent: usize,
}

impl Dump {
    fn line(&mut self, text: impl AsRef<str>) {
        let _ = writeln!(self.text, "{}{}", "  ".repeat(self.indent), text.as_ref());
    }

    fn nested(&mut self, body: impl FnOnce(&mut Self)) {
        self.indent += 1;
        body(self);
        self.indent -= 1;
    }

    fn doc(&mut self, doc: Option<&String>) {
        for line in doc.iter().flat_map(|doc| doc.lines()) {
            self.line(format!("## {line}"));
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Event(decl) => {
                self.doc(decl.doc.as_ref());
                self.line(format!("event {}{}", decl.name.text, wire(decl.wire.as_ref())));
                self.fields(&decl.fields);
            }
            Item::User(decl) => {
                self.line("user");
                self.fields(&decl.fields);
            }
            Item::Type(decl) => {
                self.doc(decl.doc.as_ref());
                self.line(format!("type {}", decl.name.text));
                self.fields(&decl.fields);
            }
            Item::Channel(decl) => {
                self.doc(decl.doc.as_ref());
                let to = decl.contact.as_ref().map_or(String::new(), |c| format!(" to user.{}", c.text));
                self.line(format!("channel {}{to}", decl.name.text));
            }
            Item::Segment(decl) => {
                self.doc(decl.doc.as_ref());
                self.line(format!("segment {} = {}", decl.name.text, expr(&decl.condition)));
            }
            Item::Fence(decl) => {
                self.doc(decl.doc.as_ref());
                self.line(format!(
                    "fence {} = circle {}, {} radius {}m",
                    decl.name.text, decl.latitude, decl.longitude, decl.radius_metres
                ));
            }
            Item::Api(decl) => self.api(decl),
            Item::Policy(decl) => {
                self.line("policy");
                self.nested(|out| {
                    for rule in &decl.rules {
                        out.line(policy_rule(&rule.kind));
                    }
                });
            }
            Item::Journey(decl) => self.journey(decl),
            Item::Test(decl) => self.test(decl),
            Item::Broken(_) => self.line("broken"),
        }
    }

    fn fields(&mut self, fields: &[FieldDecl]) {
        self.nested(|out| {
            for field in fields {
                out.doc(field.doc.as_ref());
                out.line(field_decl(field));
            }
        });
    }

    fn api(&mut self, decl: &ApiDecl) {
        self.doc(decl.doc.as_ref());
        let params: Vec<_> = decl.params.iter().map(field_decl).collect();
        let answer = decl.answer.as_ref().map_or(String::new(), |ty| format!(" -> {}", type_expr(ty)));
        self.line(format!("api {}({}){answer}", decl.name.text, params.join(", ")));
        self.nested(|out| {
            if let Some((method, url)) = &decl.request {
                out.line(format!("{} {}", method.text, expr(url)));
            }
            for (name, value) in &decl.headers {
                let value = match value {
                    HeaderValue::Env(name) => format!("env {}", name.text),
                    HeaderValue::Text(text) => expr(text),
                };
                out.line(format!("header {} = {value}", quoted(&name.value)));
            }
            if !decl.body.is_empty() {
                out.line(format!("body {}", entries(&decl.body)));
            }
            if let Some(timeout) = &decl.timeout {
                out.line(format!("timeout {}", expr(timeout)));
            }
        });
    }
}

fn wire(wire: Option<&StringLit>) -> String {
    wire.map_or(String::new(), |wire| format!(" = {}", quoted(&wire.value)))
}

fn field_decl(field: &FieldDecl) -> String {
    let default = field.default.as_ref().map_or(String::new(), |value| format!(" = {}", expr(value)));
    format!("{}{}: {}{default}", field.name.text, wire(field.wire.as_ref()), type_expr(&field.ty))
}

fn names(names: &[Name]) -> String {
    names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(", ")
}

fn policy_rule(kind: &PolicyKind) -> String {
    match kind {
        PolicyKind::QuietHours { from, to, channels } => {
            let on = if channels.is_empty() { String::new() } else { format!(" on {}", names(channels)) };
            format!("quiet hours {} to {}{on}", expr(from), expr(to))
        }
        PolicyKind::Cap { count, channel, window, everyone } => {
            let what = channel.as_ref().map_or("messages", |name| name.text.as_str());
            let whom = if *everyone { " for everyone" } else { "" };
            format!("at most {count} {what} per {}{whom}", expr(window))
        }
        PolicyKind::RequireConsent(topics) => format!("require consent for {}", names(topics)),
        PolicyKind::Broken => "broken".to_owned(),
    }
}
