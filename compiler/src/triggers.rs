//! The fields of the trigger: which there are, and which of them an instance keeps.

use crate::bytecode::{EventId, TriggerField, Type};
use crate::compile_codes as code;
use crate::context::{Cx, Scope, TriggerAccess};
use crate::diagnostic::Diagnostic;
use crate::names::nearest;
use crate::node::{Node, NodeKind};
use crate::schema::offer;
use crate::types::{Kind, Ty};
use flow_grammar::ast::Name;
use flow_grammar::span::Span;

impl Cx<'_> {
    /// Whether a bare name means a field of the trigger here: one that every trigger has.
    pub fn bare_trigger_field(&self, name: &str, scope: &Scope) -> bool {
        scope.trigger == TriggerAccess::Kept
            && self.journey.as_ref().is_some_and(|journey| {
                !journey.fieldless
                    && !journey.events.is_empty()
                    && journey.events.iter().all(|event| self.event_field(*event, name).is_some())
            })
    }

    /// Whether any trigger has the field.
    pub fn trigger_has(&self, name: &str, scope: &Scope) -> bool {
        scope.trigger == TriggerAccess::Kept
            && self
                .journey
                .as_ref()
                .is_some_and(|j| j.events.iter().any(|event| self.event_field(*event, name).is_some()))
    }

    pub fn trigger_field_names(&self, scope: &Scope) -> Vec<String> {
        if scope.trigger != TriggerAccess::Kept {
            return Vec::new();
        }
        let events = self.journey.iter().flat_map(|j| j.events.iter());
        events
            .filter_map(|e| self.program.events.get(e.index()))
            .flat_map(|e| e.fields.iter().map(|f| f.name.clone()))
            .collect()
    }

    /// `trigger.x`, or a bare `x` that means it.
    pub fn trigger_field(&mut self, name: &Name, span: Span, scope: &Scope) -> Node {
        match scope.trigger {
            TriggerAccess::Kept => match self.keep_trigger_field(name) {
                Some((at, ty)) => Node::new(NodeKind::Trigger(at), ty, span),
                None => Node::poison(span),
            },
            TriggerAccess::Frame(event) => {
                let Some((at, field)) = self.event_field(event, &name.text) else {
                    self.unknown_field(event, name);
                    return Node::poison(span);
                };
                let ty = Ty::maybe(Kind::of(&field.ty), field.optional && field.default.is_none());
                self.refer_field(name.span, event, &name.text);
                Node::new(NodeKind::Field(at), ty, span)
            }
            TriggerAccess::None => {
                let problem = Diagnostic::error(code::NO_TRIGGER_FIELD, span, "there is no trigger here");
                self.report(problem.help("only a journey has a trigger; here the person's attributes can be named"));
                Node::poison(span)
            }
        }
    }

    /// The place of a field among those that instances keep.
    pub fn keep_trigger_field(&mut self, name: &Name) -> Option<(u16, Ty)> {
        let kept = self.keep_key_field(name);
        if let Some(journey) = self.journey.as_mut().filter(|_| kept.is_some()) {
            journey.read.insert(name.text.clone());
        }
        kept
    }

    /// The same for a field that is only part of the key of the entry: it may also be missing.
    pub fn keep_key_field(&mut self, name: &Name) -> Option<(u16, Ty)> {
        self.refer_trigger_field(name);
        let journey = self.journey.as_ref()?;
        if let Some(at) = journey.fields.iter().position(|f| f.name == name.text) {
            let field = journey.fields.get(at)?;
            return Some((u16::try_from(at).ok()?, Ty::maybe(Kind::of(&field.ty), field.optional)));
        }
        let (events, fieldless) = (journey.events.clone(), journey.fieldless);
        let field = self.joined_field(name, &events, fieldless)?;
        let ty = Ty::maybe(Kind::of(&field.ty), field.optional);
        let journey = self.journey.as_mut()?;
        journey.fields.push(field);
        Some((u16::try_from(journey.fields.len() - 1).ok()?, ty))
    }

    /// One field of several events.
    fn joined_field(&mut self, name: &Name, events: &[EventId], fieldless: bool) -> Option<TriggerField> {
        let mut kind: Option<Kind> = None;
        let (mut optional, mut sources) = (fieldless, Vec::new());
        for event in events {
            let Some((at, field)) = self.event_field(*event, &name.text) else {
                optional = true;
                continue;
            };
            let found = Kind::of(&field.ty);
            optional |= field.optional && field.default.is_none();
            let joined = kind.as_ref().map_or(Some(found.clone()), |kind| kind.join(&found));
            if joined.is_none() {
                self.field_types_differ(name, kind.as_ref().unwrap_or(&found).clone(), &found, *event);
                return None;
            }
            kind = joined;
            sources.push((*event, at));
        }
        let Some(kind) = kind else {
            if self.journey.as_ref().is_some_and(|j| j.broken) {
                return None;
            }
            self.no_such_trigger_field(name, events);
            return None;
        };
        let ty: Type = kind.stored();
        Some(TriggerField { name: name.text.clone(), ty, optional, sources })
    }

    fn field_types_differ(&mut self, name: &Name, one: Kind, other: &Kind, event: EventId) {
        let (one, other) = (one.show(&self.program.types), other.show(&self.program.types));
        let message = format!("`{}` is {one} in one trigger and {other} in `{}`", name.text, self.event_name(event));
        let help = "give the field one type in all triggers, or make two journeys";
        self.report(Diagnostic::error(code::TYPE_MISMATCH, name.span, message).help(help));
    }

    fn no_such_trigger_field(&mut self, name: &Name, events: &[EventId]) {
        let names: Vec<String> = events
            .iter()
            .filter_map(|e| self.program.events.get(e.index()))
            .flat_map(|e| e.fields.iter().map(|f| f.name.clone()))
            .collect();
        let near = nearest(&name.text, names.iter().map(String::as_str)).map(str::to_owned);
        let message = format!("no trigger has a field `{}`", name.text);
        let problem = Diagnostic::error(code::NO_TRIGGER_FIELD, name.span, message);
        let unit = match name.text.as_str() {
            "hour" => "1h",
            "day" => "1d",
            "week" => "1w",
            "month" => "1mo",
            "year" => "1y",
            _ => "",
        };
        if near.is_none() && matches!(name.text.as_str(), "time" | "timestamp" | "at") {
            self.report(problem.help("the instant of the entry is `entry.time`"));
            return;
        }
        if near.is_none() && !unit.is_empty() {
            let title = format!("write `{unit}`");
            let fix = crate::diagnostic::Fix { title, edits: vec![(name.span, unit.into())] };
            self.report(Diagnostic {
                fix: Some(fix),
                ..problem.help(format!("a length of time has a number: `{unit}`"))
            });
            return;
        }
        let otherwise =
            if events.is_empty() { "only events have fields" } else { "name a field of the events after `on`" };
        self.report(offer(problem, near, name.span, otherwise));
    }
}
