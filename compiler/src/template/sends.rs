//! Where templates meet the journeys that send them.

use super::{check, part_name, Parts, Provided, Shape, Variable};
use crate::bytecode::{ChannelId, RecordType};
use crate::compile::{syntax_error, TemplateFile};
use crate::context::{Binding, Cx, Scope};
use crate::diagnostic::Label;
use crate::node::Path;
use crate::types::{Kind, Ty};
use flow_grammar::ast::{self, Name};
use flow_grammar::liquid::{parse_template, Template};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The templates of a project whose text is at hand, parsed.
#[derive(Default)]
pub(crate) struct Trees {
    /// By name and channel: each locale's.
    sent: BTreeMap<(String, String), Vec<Template>>,
    /// The files that `render` names.
    parts: BTreeMap<String, Template>,
}

impl Trees {
    /// Parses the templates, and gives what is wrong with their writing.
    pub fn parse(templates: &[TemplateFile], parts: &[TemplateFile]) -> (Self, Vec<crate::diagnostic::Diagnostic>) {
        let mut trees = Self::default();
        let mut found = Vec::new();
        let mut read = |template: &TemplateFile| {
            let parse = parse_template(template.file, template.text.as_deref()?);
            found.extend(parse.errors.into_iter().map(syntax_error));
            Some(parse.template)
        };
        for template in templates {
            if let Some(tree) = read(template) {
                trees.sent.entry((template.name.clone(), template.channel.clone())).or_default().push(tree);
            }
        }
        for part in parts {
            if let Some(tree) = read(part) {
                trees.parts.insert(part_name(&part.path), tree);
            }
        }
        (trees, found)
    }
}

impl Cx<'_> {
    /// Checks the templates that a send can use against what is there at that place, and has the journey keep the
    /// fields of the trigger that they show.
    pub fn check_templates(&mut self, send: &ast::Send, channels: &[ChannelId], with: &[(String, Ty)], scope: &Scope) {
        let ast::Content::Template(name) = &send.content else { return };
        let trees = Rc::clone(&self.trees);
        let mut used = BTreeSet::new();
        for channel in channels {
            let key = (name.text.clone(), self.channel_name(*channel).to_owned());
            let Some(templates) = trees.sent.get(&key) else { continue };
            let contact = send.to.is_none().then_some(*channel);
            let provided = self.provided(contact, with, scope);
            let parts: Parts<'_> = trees.parts.iter().map(|(name, tree)| (name.clone(), tree)).collect();
            for template in templates {
                let report = check::run(template, &parts, &provided);
                used.extend(report.trigger);
                for mut found in report.found {
                    found.labels.push(Label { span: name.span, text: "sent here".to_owned() });
                    self.diagnostics.push(found);
                }
            }
        }
        for field in used {
            self.keep_trigger_field(&Name { text: field, span: name.span });
        }
    }

    /// What a template that is sent here can name.
    fn provided(&self, contact: Option<ChannelId>, with: &[(String, Ty)], scope: &Scope) -> Provided {
        let types = &self.program.types;
        let mut provided = Provided::default();
        // A channel without its contact is not sent on.
        let contact = contact.and_then(|id| self.program.channels.get(id.index())?.contact);
        let attributes = (0..).zip(&self.program.attributes).map(|(at, attribute)| {
            let id = crate::bytecode::AttrId(at);
            let known = contact == Some(id) || scope.known.has(&Path::Attr(id));
            let optional = attribute.field.optional && attribute.field.default.is_none() && !known;
            (attribute.field.name.clone(), Variable::maybe(Shape::of(&attribute.field.ty, types), optional))
        });
        let user = if self.schema.undeclared { Shape::Any } else { Shape::record("user", attributes) };
        let trigger = self.trigger_shape(scope);
        for (prefix, shape) in [("trigger", &trigger), ("user", &user)] {
            let Shape::Record(record) = shape else { continue };
            let written = record.fields.keys().map(|name| (name.clone(), format!("{prefix}.{name}")));
            provided.spelled.extend(written);
        }
        let project = [("name".to_owned(), Variable::known(Shape::Text))];
        provided.everywhere = BTreeMap::from([
            ("user".to_owned(), Variable::known(user)),
            ("now".to_owned(), Variable::known(Shape::Moment)),
            ("unsubscribe_url".to_owned(), Variable::known(Shape::Text)),
            ("project".to_owned(), Variable::known(Shape::record("project", project.into_iter()))),
        ]);
        provided.variables.insert("trigger".to_owned(), Variable::known(trigger));
        for bound in self.journey.iter().flat_map(|journey| &journey.bound) {
            let variable = match &bound.binding {
                Binding::Const(_, kind) => Variable::known(shape(kind, types)),
                Binding::Slot(slot, ty) => {
                    Variable::maybe(shape(&ty.kind, types), ty.optional && !scope.known.has(&Path::Slot(*slot)))
                }
                Binding::Message(_) => continue,
            };
            provided.variables.insert(bound.name.clone(), variable);
        }
        let given = with.iter().map(|(name, ty)| (name.clone(), Variable::maybe(shape(&ty.kind, types), ty.optional)));
        provided.variables.extend(given);
        provided
    }

    /// The trigger's fields, as far as they have one type.
    fn trigger_shape(&self, scope: &Scope) -> Shape {
        let Some(journey) = self.journey.as_ref().filter(|journey| !journey.broken && !self.schema.undeclared) else {
            return Shape::Any;
        };
        let types = &self.program.types;
        let mut fields = BTreeMap::new();
        for name in self.trigger_field_names(scope) {
            let found: Vec<_> = journey.events.iter().map(|event| self.event_field(*event, &name)).collect();
            let mut optional = journey.fieldless || found.iter().any(Option::is_none);
            let mut joined: Option<Shape> = None;
            for (_, field) in found.into_iter().flatten() {
                optional |= field.optional && field.default.is_none();
                let shape = Shape::of(&field.ty, types);
                joined = Some(joined.map_or(shape.clone(), |joined| joined.joined(&shape)));
            }
            let kept = journey.fields.iter().position(|field| field.name == name);
            let known =
                kept.and_then(|at| u16::try_from(at).ok()).is_some_and(|at| scope.known.has(&Path::Trigger(at)));
            fields.insert(name, Variable::maybe(joined.unwrap_or(Shape::Any), optional && !known));
        }
        Shape::record("trigger", fields.into_iter())
    }
}

fn shape(kind: &Kind, types: &[RecordType]) -> Shape {
    match kind {
        Kind::Poison => Shape::Any,
        kind => Shape::of(&kind.stored(), types),
    }
}
