//! Expressions: from syntax to checked [`Node`]s.

use crate::bytecode::{AttrId, Const, Duration, Function, SegmentId, Type};
use crate::compile_codes as code;
use crate::context::{Binding, Cx, Frame, Scope, TriggerAccess};
use crate::diagnostic::{Diagnostic, Fix};
use crate::names::nearest;
use crate::node::{Node, NodeKind};
use crate::schema::offer;
use crate::symbols::Symbol;
use crate::types::{Kind, Ty};
use flow_grammar::ast::{self, CivilDate, Expr, ExprKind, Name, TextPart};
use flow_grammar::span::Span;
use rust_decimal::Decimal;

impl Cx<'_> {
    /// Checks an expression.
    pub fn expr(&mut self, expr: &Expr, scope: &Scope) -> Node {
        let node = self.expr_inner(expr, scope).narrowed(&scope.known);
        self.note_type(&node);
        node
    }

    fn expr_inner(&mut self, expr: &Expr, scope: &Scope) -> Node {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Text(parts) => self.text_literal(parts, span, scope),
            ExprKind::Name(name) => self.bare_name(name, scope),
            ExprKind::Field(base, name) => self.field_of(base, name, span, scope),
            ExprKind::Call(name, args) => self.call_function(name, args, span, scope),
            ExprKind::Not(inner) => {
                let inner = self.condition(inner, scope);
                let (yes, no) = (inner.no.clone(), inner.yes.clone());
                Node { yes, no, ..Node::test(NodeKind::Not(Box::new(inner)), span) }
            }
            ExprKind::Negate(inner) => self.negate(inner, span, scope),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, span, scope),
            ExprKind::In(value, list) => self.is_in(value, list, span, scope),
            ExprKind::Between(value, low, high) => self.between(value, low, high, span, scope),
            ExprKind::IsMissing(inner) => {
                let known = self.is_known(inner, span, scope);
                let (yes, no) = (known.no.clone(), known.yes.clone());
                Node { yes, no, ..Node::test(NodeKind::Not(Box::new(known)), span) }
            }
            ExprKind::IsKnown(inner) => self.is_known(inner, span, scope),
            ExprKind::Occurred(query) => self.occurred(query, scope),
            ExprKind::Aggregate { function, field, query } => {
                self.aggregate(*function, field.as_ref(), query, span, scope)
            }
            ExprKind::Pick { query, .. } => {
                self.check_only_query(query, scope);
                let message = "this names an event, and a value is needed here";
                let help = format!("name what of it: `{}.time`, or one of its fields", self.folded(span));
                self.report(Diagnostic::error(code::WRONG_KIND, span, message).help(help));
                Node::poison(span)
            }
            ExprKind::Can(channel) => self.can(channel, span, scope),
            ExprKind::UnitsBetween(unit, a, b) => self.units_between(*unit, a, b, span, scope),
            ExprKind::List(items) => self.list(items, span, scope),
            ExprKind::Record(_) | ExprKind::Missing => {
                let problem =
                    Diagnostic::error(code::NOT_CONSTANT, span, "records and `missing` can be written in tests only");
                self.report(problem.help("an expression gives single values and lists"));
                Node::poison(span)
            }
            ExprKind::Now => Node::new(NodeKind::Now, Ty::known(Kind::DateTime), span),
            ExprKind::Today => Node::new(NodeKind::Today, Ty::known(Kind::Date), span),
            ExprKind::Broken => Node::poison(span),
            _ => literal(expr).map_or_else(|| Node::poison(span), |(value, kind)| Node::constant(value, kind, span)),
        }
    }

    fn text_literal(&mut self, parts: &[TextPart], span: Span, scope: &Scope) -> Node {
        let mut nodes = Vec::new();
        for part in parts {
            nodes.push(match part {
                TextPart::Literal(text) => Node::constant(Const::Text(text.clone()), Kind::Text, span),
                TextPart::Expr(expr) => {
                    let node = self.expr(expr, scope);
                    self.printable(node)
                }
            });
        }
        if nodes.iter().all(|n| n.as_const().is_some() && n.as_text().is_some()) {
            let text: String = nodes.iter().filter_map(Node::as_text).collect();
            return Node::constant(Const::Text(text), Kind::Text, span);
        }
        Node::new(NodeKind::Concat(nodes), Ty::known(Kind::Text), span)
    }

    fn printable(&mut self, node: Node) -> Node {
        if !node.ty.kind.printable() {
            let message = format!("a {} cannot be written into a text", self.show(&node.ty));
            let help = "name one of its fields, or give it to a template with `with { … }`";
            self.report(Diagnostic::error(code::TYPE_MISMATCH, node.span, message).help(help));
            return Node::poison(node.span);
        }
        self.required(node, "a text")
    }

    fn list(&mut self, items: &[Expr], span: Span, scope: &Scope) -> Node {
        let mut kind = Kind::Poison;
        let mut nodes = Vec::new();
        for item in items {
            let node = self.expr(item, scope);
            let node = self.required(node, "a list");
            match kind.join(&node.ty.kind) {
                Some(joined) => kind = joined,
                None => {
                    let (have, want) = (self.show(&node.ty), kind.show(&self.program.types));
                    let message = format!("the list holds {want}, and this is {have}");
                    self.report(
                        Diagnostic::error(code::TYPE_MISMATCH, node.span, message).help("all elements are of one type"),
                    );
                }
            }
            nodes.push(node);
        }
        let ty = Ty::known(Kind::List(Box::new(kind)));
        let constants: Option<Vec<Const>> = nodes.iter().map(|n| n.as_const().cloned()).collect();
        match constants {
            Some(values) => Node::new(NodeKind::Const(Const::List(values)), ty, span),
            None => Node::new(NodeKind::List(nodes), ty, span),
        }
    }

    fn is_known(&mut self, inner: &Expr, span: Span, scope: &Scope) -> Node {
        let inner = self.expr(inner, scope);
        if inner.is_poison() {
            return Node::test(NodeKind::Poison, span);
        }
        let yes = inner.paths();
        Node { yes, ..Node::test(NodeKind::IsKnown(Box::new(inner)), span) }
    }

    // Names.

    /// A bare name, in the order that the language gives.
    fn bare_name(&mut self, name: &Name, scope: &Scope) -> Node {
        let span = name.span;
        if let Some(node) = self.frame_field(name, scope) {
            match scope.frame {
                Some(Frame::Event(event)) => self.refer_field(span, event, &name.text),
                Some(Frame::Params(api)) => {
                    let owner = self.program.apis.get(api.index()).map_or_else(String::new, |api| api.name.clone());
                    self.refer(span, Symbol::Parameter(owner, name.text.clone()));
                }
                None => {}
            }
            return node;
        }
        self.refer_local(name);
        match self.binding(&name.text) {
            Some(Binding::Const(value, kind)) => return Node::constant(value, kind, span),
            Some(Binding::Slot(slot, ty)) => return Node::new(NodeKind::Slot(slot), ty, span),
            Some(Binding::Message(_)) => return self.message_alone(name),
            None => {}
        }
        if scope.person {
            if let Some(node) = self.middle_name(name, scope) {
                return node;
            }
            if let Some(id) = self.schema.segments.get(&name.text).copied() {
                return self.segment_named(id, span, scope);
            }
        }
        let word = name.text.as_str();
        if word == "weekdays" || word == "weekends" {
            let days = if word == "weekdays" { 0..5 } else { 5..7 };
            let value = Const::List(days.map(Const::Weekday).collect());
            return Node::constant(value, Kind::List(Box::new(Kind::Weekday)), span);
        }
        self.unknown_name(name, scope)
    }

    /// A field of the innermost `where`, or a parameter.
    fn frame_field(&self, name: &Name, scope: &Scope) -> Option<Node> {
        let (at, field) = match scope.frame? {
            Frame::Event(event) => self.event_field(event, &name.text)?,
            Frame::Params(api) => {
                let params = &self.program.apis.get(api.index())?.params;
                let at = params.iter().position(|p| p.name == name.text)?;
                (u16::try_from(at).ok()?, params.get(at)?)
            }
        };
        let ty = Ty::maybe(Kind::of(&field.ty), field.optional && field.default.is_none());
        Some(Node::new(NodeKind::Field(at), ty, name.span))
    }

    /// A field that every trigger has, a user attribute, or an event; an error when two of them fit.
    fn middle_name(&mut self, name: &Name, scope: &Scope) -> Option<Node> {
        let trigger = self.bare_trigger_field(&name.text, scope);
        let attribute = self.schema.attributes.contains_key(&name.text);
        let event = self.schema.events.get(&name.text).copied();
        if usize::from(trigger) + usize::from(attribute) + usize::from(event.is_some()) > 1 {
            return Some(self.ambiguous(name, trigger, attribute, event.is_some()));
        }
        if trigger {
            return Some(self.trigger_field(name, name.span, scope));
        }
        if attribute {
            return Some(self.user_attribute(name, name.span));
        }
        event.map(|id| {
            self.use_event(id);
            self.refer(name.span, Symbol::Event(name.text.clone()));
            self.bare_event(id, name.span, scope)
        })
    }

    fn ambiguous(&mut self, name: &Name, trigger: bool, attribute: bool, event: bool) -> Node {
        let word = &name.text;
        let kinds = [(trigger, "a field of the trigger"), (attribute, "a user attribute"), (event, "an event")];
        let kinds: Vec<&str> = kinds.iter().filter(|(fits, _)| *fits).map(|(_, text)| *text).collect();
        let ways = [
            (trigger, format!("`trigger.{word}`")),
            (attribute, format!("`user.{word}`")),
            (event, format!("`{word} ever`")),
        ];
        let ways: Vec<String> = ways.into_iter().filter(|(fits, _)| *fits).map(|(_, text)| text).collect();
        let message = format!("`{word}` is {}", kinds.join(" and "));
        let help = format!("write {}", ways.join(" or "));
        self.report(Diagnostic::error(code::AMBIGUOUS_NAME, name.span, message).help(help));
        Node::poison(name.span)
    }

    fn unknown_name(&mut self, name: &Name, scope: &Scope) -> Node {
        let word = &name.text;
        let may_be_a_field = scope.trigger == TriggerAccess::Kept && self.journey.as_ref().is_some_and(|j| j.broken);
        if may_be_a_field || self.schema.broken.contains(word) {
            return Node::poison(name.span);
        }
        if scope.frame.is_none() && self.trigger_has(word, scope) {
            let message = format!("`{word}` is a field of some triggers, not of all");
            let help = format!("write `trigger.{word}`, which is missing for the others");
            self.report(Diagnostic::error(code::NO_TRIGGER_FIELD, name.span, message).help(help));
            return Node::poison(name.span);
        }
        let near = self.name_like(word, scope);
        if near.is_none() && (self.meant_time(name) || (scope.person && self.meant_value(name))) {
            return Node::poison(name.span);
        }
        if self.segment_wanted && scope.frame.is_none() {
            let message = format!("there is no segment or fence `{word}`");
            let help = format!("declare it: `segment {word} = …`, or write the condition: `on enter (…)`");
            self.report(offer(Diagnostic::error(code::UNKNOWN_NAME, name.span, message), near, name.span, &help));
            return Node::poison(name.span);
        }
        let message = format!("nothing is called `{word}` here");
        let otherwise = if let Some(Frame::Event(event)) = scope.frame {
            format!("it is no field of `{}`, user attribute, event or segment", self.event_name(event))
        } else if scope.person {
            "it is no field of the triggers, user attribute, event or segment".into()
        } else {
            "only the parameters can be named here".into()
        };
        self.report(offer(Diagnostic::error(code::UNKNOWN_NAME, name.span, message), near, name.span, &otherwise));
        Node::poison(name.span)
    }

    /// Words for times that have a spelling of their own; says so.
    fn meant_time(&mut self, name: &Name) -> bool {
        let right = match name.text.to_lowercase().as_str() {
            "noon" | "midday" => "12:00",
            "midnight" => "00:00",
            day @ ("monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday") => {
                return self.written_so(name, day);
            }
            "tomorrow" | "yesterday" => {
                let message = format!("there is no `{}`", name.text);
                let help =
                    "`wait until 09:00` is the next 09:00, `wait 1d` the same time tomorrow; `today + 1d` is a date";
                self.report(Diagnostic::error(code::UNKNOWN_NAME, name.span, message).help(help));
                return true;
            }
            _ => return false,
        };
        self.written_so(name, right)
    }

    fn written_so(&mut self, name: &Name, right: &str) -> bool {
        let message = format!("`{}` is written `{right}`", name.text);
        let fix = Fix { title: format!("write `{right}`"), edits: vec![(name.span, right.to_owned())] };
        let found = Diagnostic::error(code::UNKNOWN_NAME, name.span, message).help(format!("write `{right}`"));
        self.report(Diagnostic { fix: Some(fix), ..found });
        true
    }

    fn name_like(&self, word: &str, scope: &Scope) -> Option<String> {
        let mut all: Vec<String> = Vec::new();
        match scope.frame {
            Some(Frame::Event(event)) => {
                all.extend(
                    self.program.events.get(event.index()).iter().flat_map(|e| e.fields.iter().map(|f| f.name.clone())),
                );
            }
            Some(Frame::Params(api)) => {
                all.extend(
                    self.program.apis.get(api.index()).iter().flat_map(|a| a.params.iter().map(|f| f.name.clone())),
                );
            }
            None => {}
        }
        if !scope.person {
            return nearest(word, all.iter().map(String::as_str)).map(str::to_owned);
        }
        if let Some(journey) = &self.journey {
            all.extend(journey.bound.iter().map(|bound| bound.name.clone()));
        }
        all.extend(self.trigger_field_names(scope));
        all.extend(self.schema.attributes.keys().cloned());
        all.extend(self.schema.segments.keys().cloned());
        if let Some(event) = self.event_like(word) {
            let by_wire = nearest(word, [event.as_str()]).is_none();
            if by_wire {
                return Some(event);
            }
            all.push(event);
        }
        nearest(word, all.iter().map(String::as_str)).map(str::to_owned)
    }

    fn message_alone(&mut self, name: &Name) -> Node {
        let message = format!("`{}` is a message, not a condition", name.text);
        let help = format!("ask what became of it: `{}.opened`, `{}.clicked`", name.text, name.text);
        self.report(Diagnostic::error(code::WRONG_KIND, name.span, message).help(help));
        Node::poison(name.span)
    }

    pub fn user_attribute(&mut self, name: &Name, span: Span) -> Node {
        match self.attribute(name) {
            Some(id) => self.attribute_node(id, span),
            None => Node::poison(span),
        }
    }

    pub fn attribute_node(&self, id: AttrId, span: Span) -> Node {
        let Some(attribute) = self.program.attributes.get(id.index()) else { return Node::poison(span) };
        let field = &attribute.field;
        let ty = Ty::maybe(Kind::of(&field.ty), field.optional && field.default.is_none());
        Node::new(NodeKind::Attr(id), ty, span)
    }

    fn segment_named(&mut self, id: SegmentId, span: Span, scope: &Scope) -> Node {
        if let Some(inside) = scope.segment {
            self.segment_uses.entry(inside).or_default().push((id, span));
        }
        let name = self.program.segments.get(id.index()).map_or_else(String::new, |segment| segment.name.clone());
        self.refer(span, Symbol::Segment(name));
        Node::test(NodeKind::InSegment(id), span)
    }

    // `a.b`

    fn field_of(&mut self, base: &Expr, name: &Name, span: Span, scope: &Scope) -> Node {
        match &base.kind {
            ExprKind::Name(owner) => {
                if let Some(node) = self.field_of_name(owner, name, span, scope) {
                    return node;
                }
            }
            ExprKind::Pick { first, query } => return self.pick(*first, query, name, span, scope),
            _ => {}
        }
        let base = self.expr(base, scope);
        self.member(base, name, span)
    }

    fn field_of_name(&mut self, owner: &Name, name: &Name, span: Span, scope: &Scope) -> Option<Node> {
        let word = owner.text.as_str();
        match word {
            "user" if scope.person => return Some(self.user_attribute(name, span)),
            "trigger" if scope.person => return Some(self.trigger_field(name, span, scope)),
            _ => {}
        }
        if let Some(binding) = self.binding(word) {
            if let Binding::Message(_) = binding {
                self.refer_local(owner);
            }
            return match binding {
                Binding::Message(slot) => Some(match self.outcome(name) {
                    Some(outcome) => Node::test(NodeKind::Outcome(slot, outcome), span),
                    None => Node::poison(span),
                }),
                _ => None,
            };
        }
        let taken = self.frame_field(owner, scope).is_some()
            || self.bare_trigger_field(word, scope)
            || self.schema.attributes.get(word).is_some_and(|id| self.is_record(*id));
        if taken || !scope.person {
            return None;
        }
        if word == "entry" && name.text == "time" && scope.trigger == TriggerAccess::Kept {
            return Some(Node::new(NodeKind::EntryTime, Ty::known(Kind::DateTime), span));
        }
        let event = self.schema.events.get(word).copied();
        if self.is_channel(word)
            && (event.is_none() || crate::bytecode::Outcome::ALL.iter().any(|o| o.word() == name.text))
        {
            let channel = self.channel(owner);
            let outcome = self.outcome(name);
            let (Some(channel), Some(outcome)) = (channel, outcome) else { return Some(Node::poison(span)) };
            let event = self.outcome_event(channel, outcome);
            return Some(self.bare_event(event, span, scope));
        }
        event.map(|id| {
            self.use_event(id);
            let message = format!("`{word}` can happen many times, so it has no single `{}`", name.text);
            let help = format!("write `last({word}).{}` or `first({word}).{}`", name.text, name.text);
            self.report(Diagnostic::error(code::WRONG_KIND, span, message).help(help));
            Node::poison(span)
        })
    }

    fn is_record(&self, id: AttrId) -> bool {
        self.program.attributes.get(id.index()).is_some_and(|a| matches!(a.field.ty, Type::Record(_) | Type::List(_)))
    }

    fn member(&mut self, base: Node, name: &Name, span: Span) -> Node {
        match &base.ty.kind {
            Kind::Poison => Node::poison(span),
            Kind::Record(id) => {
                let Some(record) = self.program.types.get(id.index()) else { return Node::poison(span) };
                let found = record.fields.iter().position(|f| f.name == name.text);
                match found.and_then(|at| Some((u16::try_from(at).ok()?, record.fields.get(at)?))) {
                    Some((at, field)) => {
                        let ty = Ty::maybe(Kind::of(&field.ty), field.optional || base.ty.optional);
                        let id = *id;
                        self.refer_member(name.span, id, &name.text);
                        Node::new(NodeKind::Member(Box::new(base), at), ty, span)
                    }
                    None => {
                        let near =
                            nearest(&name.text, record.fields.iter().map(|f| f.name.as_str())).map(str::to_owned);
                        let message = format!("`{}` has no field `{}`", record.name, name.text);
                        let problem = Diagnostic::error(code::UNKNOWN_FIELD, name.span, message);
                        self.report(offer(problem, near, name.span, "name one of its fields"));
                        Node::poison(span)
                    }
                }
            }
            Kind::List(item) if name.text == "first" => {
                let ty = Ty::maybe((**item).clone(), true);
                Node::new(NodeKind::Call(Function::First, vec![base]), ty, span)
            }
            _ => {
                self.no_such_field(&base, name, span);
                Node::poison(span)
            }
        }
    }
}

/// The value of a literal.
pub(crate) fn literal(expr: &Expr) -> Option<(Const, Kind)> {
    Some(match &expr.kind {
        ExprKind::Int(value) => (Const::Int(*value), Kind::Int),
        ExprKind::Number(value) => (Const::Number(*value), Kind::Number),
        ExprKind::Percent(value) => (Const::Number((*value / Decimal::ONE_HUNDRED).normalize()), Kind::Number),
        ExprKind::Bool(value) => (Const::Bool(*value), Kind::Bool),
        ExprKind::Duration(value) => (Const::Duration(duration(*value)), Kind::Duration),
        ExprKind::TimeOfDay(value) => (Const::Time(*value), Kind::Time),
        ExprKind::Date(value) => (Const::Date(day_number(*value)), Kind::Date),
        ExprKind::LocalInstant(date, time) => (Const::Local(day_number(*date), *time), Kind::Local),
        ExprKind::Instant(value) => (Const::Instant(*value), Kind::DateTime),
        ExprKind::Weekday(value) => (Const::Weekday(*value), Kind::Weekday),
        _ => return None,
    })
}

/// The length that a literal means.
pub(crate) fn duration(literal: ast::DurationLit) -> Duration {
    let count = literal.count;
    let small = |factor: i64| i32::try_from(count.saturating_mul(factor)).unwrap_or(i32::MAX);
    let exact = |millis: i64| Duration { millis: count.saturating_mul(millis), ..Duration::default() };
    match literal.unit {
        ast::Unit::Seconds => exact(1_000),
        ast::Unit::Minutes => exact(60_000),
        ast::Unit::Hours => exact(3_600_000),
        ast::Unit::Days => Duration { days: small(1), ..Duration::default() },
        ast::Unit::Weeks => Duration { days: small(7), ..Duration::default() },
        ast::Unit::Months => Duration { months: small(1), ..Duration::default() },
        ast::Unit::Years => Duration { months: small(12), ..Duration::default() },
    }
}

/// Days since 1970-01-01.
pub(crate) fn day_number(date: CivilDate) -> i32 {
    let (year, month, day) = (i32::from(date.year), i32::from(date.month), i32::from(date.day));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
