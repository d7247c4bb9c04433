//! Where templates meet the journeys that send them.

use super::front::literal;
use super::trees::{Sent, Trees};
use super::{limits, Provided, Shape, Variable};
use crate::bytecode::{ChannelId, RecordType, TopicId};
use crate::channel::ChannelKind;
use crate::codes as code;
use crate::context::{Binding, Cx, Scope};
use crate::diagnostic::{Diagnostic, Label};
use crate::node::Path;
use crate::types::{Kind, Ty};
use flow_grammar::ast::{self, Name};
use flow_grammar::span::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The link by which a person gets no more messages of a topic.
const UNSUBSCRIBE: &str = "unsubscribe_url";

impl Cx<'_> {
    /// Checks the templates that a send can use against what is there at that place, and has the journey keep the
    /// fields of the trigger that they show.
    pub fn check_templates(
        &mut self,
        send: &ast::Send,
        channels: &[ChannelId],
        with: &[(String, Ty)],
        topic: TopicId,
        scope: &Scope,
    ) {
        let ast::Content::Template(name) = &send.content else { return };
        let trees = Rc::clone(&self.trees);
        let mut used = BTreeSet::new();
        let mut found = Vec::new();
        for channel in channels {
            let contact = send.to.is_none().then_some(*channel);
            let provided = self.provided(contact, with, scope);
            let on = self.channel_name(*channel).to_owned();
            self.sent.add(&name.text, &on, provided.clone());
            for sent in trees.of(&name.text, self.channel_name(*channel)) {
                let report = trees.check(sent, &provided);
                used.extend(report.trigger);
                found.extend(report.found);
                found.extend(self.topic_agrees(sent, topic));
                if self.kind_of(*channel) == ChannelKind::Email && !self.program.is_transactional(topic) {
                    found.extend(unsubscribe(&trees, sent));
                }
            }
        }
        for mut found in found {
            found.labels.push(Label { span: name.span, text: "sent here".to_owned() });
            self.diagnostics.push(found);
        }
        for field in used {
            self.keep_trigger_field(&Name { text: field, span: name.span });
        }
    }

    /// The topic of a send that names none, in a journey that names none: that of its templates.
    pub fn topic_of_template(&mut self, send: &ast::Send, channels: &[ChannelId]) -> Option<TopicId> {
        let ast::Content::Template(name) = &send.content else { return None };
        let trees = Rc::clone(&self.trees);
        let named = channels.iter().find_map(|channel| {
            trees.of(&name.text, self.channel_name(*channel)).find_map(|sent| literal(&sent.tree, "topic", sent.text()))
        });
        named.map(|topic| self.topic(&topic))
    }

    fn topic_agrees(&self, sent: &Sent, topic: TopicId) -> Option<Diagnostic> {
        let line = sent.tree.front("topic")?;
        let own = literal(&sent.tree, "topic", sent.text())?;
        let here = self.program.topics.get(topic.index()).map_or("", |topic| topic.name.as_str());
        (own != here).then(|| {
            let message = format!("this template is about `{own}`, and is sent as `{here}`");
            let help = "give the journey that topic, or remove it here";
            Diagnostic::error(code::FRONT_VALUE, line.span, message).help(help)
        })
    }

    /// What kind of thing a channel carries.
    pub fn kind_of(&self, channel: ChannelId) -> ChannelKind {
        let Some(channel) = self.program.channels.get(channel.index()) else { return ChannelKind::Other };
        let contact = channel.contact.and_then(|id| self.program.attributes.get(id.index()));
        ChannelKind::of(&channel.name, contact.map(|attribute| &attribute.field.ty))
    }

    /// What can be said of the templates by themselves.
    pub fn templates_alone(&mut self) {
        let found = self.trees.alone(|name| {
            self.schema.channels.get(name).map_or_else(|| ChannelKind::of(name, None), |id| self.kind_of(*id))
        });
        self.diagnostics.extend(found);
    }

    /// What a channel limits, of a text that stands in the journey; and to whom WhatsApp takes free text.
    pub fn check_limits(&mut self, send: &ast::Send, channels: &[(ChannelId, &Name)], scope: &Scope) {
        for (channel, name) in channels {
            let kind = self.kind_of(*channel);
            if let ast::Content::Text(text) = &send.content {
                let parts: Vec<&str> = match &text.kind {
                    ast::ExprKind::Text(parts) => parts.iter().filter_map(written).collect(),
                    _ => Vec::new(),
                };
                let found = limits::inline(kind, &parts, text.span);
                self.diagnostics.extend(found);
            }
            if kind == ChannelKind::Whatsapp
                && !scope.known.has(&Path::Answered(*channel))
                && self.is_free_text(send, *channel)
            {
                let message = "free text by WhatsApp is taken only within 24 hours of the person's last message";
                let help = format!(
                    "ask first, `if {0}.replied in last 24h then …`, or send a template with `approved: …` in its front matter",
                    name.text
                );
                self.report(Diagnostic::error(code::WHATSAPP_FREE_TEXT, name.span, message).help(help));
            }
        }
    }

    /// Whether a send's words are not those that WhatsApp has approved.
    fn is_free_text(&self, send: &ast::Send, channel: ChannelId) -> bool {
        match &send.content {
            ast::Content::Text(_) => true,
            ast::Content::Template(name) => {
                self.trees.of(&name.text, self.channel_name(channel)).any(|sent| sent.tree.front("approved").is_none())
            }
        }
    }

    /// What a template that is sent here can name.
    pub fn provided(&self, contact: Option<ChannelId>, with: &[(String, Ty)], scope: &Scope) -> Provided {
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
            (UNSUBSCRIBE.to_owned(), Variable::known(Shape::Text)),
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

/// The part of a text that is written out.
fn written(part: &ast::TextPart) -> Option<&str> {
    match part {
        ast::TextPart::Literal(text) => Some(text),
        ast::TextPart::Expr(_) => None,
    }
}

/// Mail that can be refused must say how, in each of its parts.
fn unsubscribe(trees: &Trees, sent: &Sent) -> Option<Diagnostic> {
    if trees.names(sent, UNSUBSCRIBE) {
        return None;
    }
    let span = Span::new(sent.file.file, sent.tree.span.start, sent.tree.span.start);
    let message = "this mail has no link to unsubscribe";
    let help = "put `{{ unsubscribe_url }}` into it, or into its layout; a topic `transactional` needs none";
    Some(Diagnostic::warning(code::NO_UNSUBSCRIBE, span, message).help(help))
}

fn shape(kind: &Kind, types: &[RecordType]) -> Shape {
    match kind {
        Kind::Poison => Shape::Any,
        kind => Shape::of(&kind.stored(), types),
    }
}
