//! Projects that declare nothing: what their names stand for, from how they are used.
//!
//! Two walks over the syntax. The first finds which names are events; the second gives every field
//! and attribute a variable and unites it with what it is compared with, added to or set to. What
//! is then still open is a text. Everything may be missing.

mod solve;
mod walk;

use crate::bytecode::{Field, Origin, Type};
use crate::compile_codes as code;
use crate::context::Cx;
use crate::diagnostic::Diagnostic;
use flow_grammar::ast;
use flow_grammar::span::Span;
use solve::{Owner, Solver};
use std::collections::BTreeMap;

/// Adds the events, fields and attributes that a project without declarations uses.
pub(crate) fn infer(cx: &mut Cx, files: &[ast::File]) {
    let mut walker = walk::Walker::new(cx);
    walker.files(files);
    let (events, solver, first) = walker.finish();
    let mut names: Vec<String> = Vec::new();
    for event in events.keys() {
        let fields = fields_of(&solver, &Owner::Event(event.clone()));
        names.push(shown(event, &fields));
        if !cx.schema.events.contains_key(event) {
            cx.add_event(event, event, fields, Origin::Inferred);
        }
    }
    let mut attributes = fields_of(&solver, &Owner::User);
    if !attributes.is_empty() {
        names.push(shown("user", &attributes));
    }
    if !attributes.iter().any(|field| field.name == "timezone") {
        attributes.push(field("timezone", Type::Timezone));
    }
    for field in attributes {
        cx.add_attribute(field);
    }
    if let (Some(first), false) = (first, names.is_empty()) {
        let message = format!("inferred from use: {}", names.join(", "));
        let help = "declare them with `event` and `user` to have them checked";
        cx.report(Diagnostic::note(code::INFERRED, first, message).help(help));
    }
}

fn shown(name: &str, fields: &[Field]) -> String {
    if fields.is_empty() {
        return format!("event `{name}`");
    }
    let fields: Vec<String> =
        fields.iter().map(|f| format!("{}: {}?", f.name, crate::types::Kind::of(&f.ty).show(&[]))).collect();
    let owner = if name == "user" { "`user".to_owned() } else { format!("event `{name}") };
    format!("{owner} {{ {} }}`", fields.join("  "))
}

fn field(name: &str, ty: Type) -> Field {
    Field { name: name.into(), wire: name.into(), ty, optional: true, default: None }
}

fn fields_of(solver: &Solver, owner: &Owner) -> Vec<Field> {
    let found: BTreeMap<String, Type> = solver.solved(owner);
    found
        .into_iter()
        .filter(|(name, _)| !(*owner == Owner::User && name == "id"))
        .map(|(name, ty)| field(&name, ty))
        .collect()
}

/// The place that stands for the whole of what was inferred: the first use.
pub(crate) fn earlier(first: Option<Span>, span: Span) -> Option<Span> {
    Some(first.map_or(span, |f| if (span.file, span.start) < (f.file, f.start) { span } else { f }))
}
