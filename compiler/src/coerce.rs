//! Where a value of a certain type is needed.

use crate::bytecode::{Const, Duration, TypeId};
use crate::compile_codes as code;
use crate::context::{Cx, Scope};
use crate::diagnostic::Diagnostic;
use crate::names::nearest;
use crate::node::{Node, NodeKind};
use crate::operators::to_instant;
use crate::schema::offer;
use crate::types::{Class, Kind, Ty};
use flow_grammar::ast::{Expr, ExprKind, Name, TextPart};
use flow_grammar::span::Span;
use std::collections::BTreeMap;

/// A text that is a number as programs write it.
pub(crate) fn written_number(text: &str) -> Option<String> {
    let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    (digits(whole) && digits(fraction)).then(|| text.to_owned())
}

impl Cx<'_> {
    /// An expression that must be true or false.
    pub fn condition(&mut self, expr: &Expr, scope: &Scope) -> Node {
        let node = self.expr(expr, scope);
        self.as_condition(node)
    }

    pub fn as_condition(&mut self, node: Node) -> Node {
        match node.ty.kind {
            Kind::Bool if node.ty.optional && !node.is_poison() => or_false(node),
            Kind::Bool => node,
            Kind::Poison => node,
            _ => {
                let message = format!("a condition is needed here, and this is {}", self.show_a(&node.ty));
                let written = self.folded(node.span);
                let help = if node.ty.optional {
                    format!("compare it with something: `{written} == …`, or ask `{written} is known`")
                } else {
                    format!("compare it with something: `{written} == …`")
                };
                self.report(Diagnostic::error(code::TYPE_MISMATCH, node.span, message).help(help));
                Node::poison(node.span)
            }
        }
    }

    /// A value that must be there.
    pub fn required(&mut self, node: Node, what: &str) -> Node {
        if !node.ty.optional || node.is_poison() {
            return node;
        }
        let written = self.folded(node.span);
        let message = format!("`{written}` may be missing, and {what} needs a value");
        let closed = matches!(node.kind, NodeKind::Arith(..) | NodeKind::Negate(_));
        let written = if closed { format!("({written})") } else { written };
        let instead = match (&node.ty.kind, what) {
            (Kind::OneOf(values), _) => values.first().map_or_else(|| "\"…\"".into(), |v| format!("{v:?}")),
            (kind, _) => kind.example().to_owned(),
        };
        let mut help = format!("say what to use instead: `{written} ?? {instead}`");
        if node.path().is_some() {
            help.push_str(&format!(", or ask first: `if {written} is known then …`"));
        }
        self.report(Diagnostic::error(code::MAY_BE_MISSING, node.span, message).help(help));
        Node { ty: Ty::known(node.ty.kind.clone()), ..node }
    }

    /// A value of a type; `optional` tells whether it may be missing.
    pub fn coerce(&mut self, node: Node, want: &Kind, optional: bool, what: &str) -> Node {
        if !self.assignable(&node, want, what) {
            return Node::poison(node.span);
        }
        let node = if optional { node } else { self.required(node, what) };
        if *want == Kind::DateTime {
            return to_instant(node);
        }
        node
    }

    fn assignable(&mut self, node: &Node, want: &Kind, what: &str) -> bool {
        let fits = match (&node.ty.kind, want) {
            (Kind::Poison, _) | (_, Kind::Poison) | (Kind::Int, Kind::Number) => true,
            (have, want) if have == want => true,
            (Kind::OneOf(have), Kind::OneOf(values)) => have.iter().all(|v| values.contains(v)),
            (have, Kind::OneOf(values)) if have.class() == Class::Text => match node.as_text() {
                Some(text) if values.iter().any(|v| v == text) => true,
                Some(text) => {
                    let (text, values) = (text.to_owned(), values.clone());
                    self.outside_one_of(&text, &values, node.span);
                    return false;
                }
                None => false,
            },
            (have, Kind::Timezone) if have.class() == Class::Text => match node.as_text() {
                Some(text) if is_zone(text) => true,
                Some(text) => {
                    let text = text.to_owned();
                    self.unknown_zone(&text, node.span);
                    return false;
                }
                None => false,
            },
            (have, Kind::Text | Kind::Email | Kind::Phone | Kind::Url) => have.class() == Class::Text,
            (Kind::Date | Kind::Local, Kind::DateTime) => true,
            (Kind::List(have), Kind::List(item)) => return self.items_assignable(node, have, item, what),
            _ => false,
        };
        if !fits {
            self.mismatch(node, want, what);
        }
        fits
    }

    fn items_assignable(&mut self, node: &Node, have: &Kind, item: &Kind, what: &str) -> bool {
        if let Some(Const::List(values)) = node.as_const() {
            let nodes: Vec<Node> = values.iter().map(|v| Node::constant(v.clone(), have.clone(), node.span)).collect();
            return nodes.iter().all(|n| self.assignable(n, item, what));
        }
        let element = Node::new(NodeKind::Poison, Ty::known(have.clone()), node.span);
        self.assignable(&element, item, what)
    }

    fn mismatch(&mut self, node: &Node, want: &Kind, what: &str) {
        let timely = matches!(want.class(), Class::Moment | Class::Time | Class::Duration | Class::Weekday);
        if let (Some(text), true) = (node.as_text(), timely) {
            let text = text.to_owned();
            self.text_for_time(&text, want, node.span);
            return;
        }
        let have = self.show_a(&node.ty);
        let wanted = self.show_a(&Ty::known(want.clone()));
        let message = format!("{what} needs {wanted}, and this is {have}");
        if let Some(right) = self.written_as(node, want) {
            let found = Diagnostic::error(code::TYPE_MISMATCH, node.span, message).help(format!("write `{right}`"));
            self.report(found.fix(format!("write `{right}`"), node.span, right));
            return;
        }
        let help = match (&node.ty.kind, want) {
            (Kind::Number, Kind::Int) => "make it whole with `round(…)`, `floor(…)` or `ceil(…)`".to_owned(),
            (have, Kind::Text) if have.printable() => "write it into a text: `\"{…}\"`".into(),
            (Kind::DateTime, Kind::Date) => "take its day with `date(…)`".into(),
            (have, Kind::Int | Kind::Number) if have.class() == Class::Text => {
                "turn it into a number with `number(…)`".into()
            }
            (Kind::Int | Kind::Number, Kind::Duration) => {
                let written = self.folded(node.span);
                format!("say of what: `{written}h` are hours, `{written}d` days, `{written}m` minutes")
            }
            (Kind::Int, Kind::Time) => "a time of day reads `09:00`".into(),
            _ => format!("give {wanted}"),
        };
        self.report(Diagnostic::error(code::TYPE_MISMATCH, node.span, message).help(help));
    }

    /// A number in quotes where a number is needed, and the other way round: as it is meant.
    fn written_as(&self, node: &Node, want: &Kind) -> Option<String> {
        let written = self.folded(node.span);
        match (node.as_const()?, want) {
            (Const::Text(text), Kind::Int) => text.parse::<i64>().ok().map(|_| text.clone()),
            (Const::Text(text), Kind::Number) => written_number(text),
            (Const::Int(_) | Const::Number(_), Kind::Text | Kind::Phone) => {
                written_number(&written).map(|number| format!("\"{number}\""))
            }
            (Const::Text(text), Kind::Bool) => matches!(text.as_str(), "true" | "false").then(|| text.clone()),
            _ => None,
        }
    }

    fn unknown_zone(&mut self, text: &str, span: Span) {
        let names: Vec<String> = jiff::tz::TimeZoneDatabase::bundled().available().map(|n| n.to_string()).collect();
        let near = nearest(text, names.iter().map(String::as_str)).map(|n| format!("{n:?}"));
        let message = format!("`{text:?}` is no time zone");
        let problem = Diagnostic::error(code::OUTSIDE_ONE_OF, span, message);
        self.report(offer(problem, near, span, "write its name in the zone data, like \"Europe/Rome\""));
    }

    // Constants.

    /// A value that is written out: the default of a field, a value in a test.
    pub fn constant(&mut self, expr: &Expr, want: &Kind, optional: bool) -> Option<Const> {
        match (&expr.kind, want) {
            (ExprKind::Broken, _) => None,
            (ExprKind::Missing, _) if optional => Some(Const::Missing),
            (ExprKind::Missing, _) => {
                let problem =
                    Diagnostic::error(code::MAY_BE_MISSING, expr.span, "a value is needed here, it cannot be missing");
                let example = want.example();
                self.report(problem.help(format!("give {}, like `{example}`", self.show_a(&Ty::known(want.clone())))));
                None
            }
            (ExprKind::Record(fields), Kind::Record(id)) => self.record(fields, *id, expr.span),
            (ExprKind::List(items), Kind::List(item)) => {
                let values: Vec<Option<Const>> = items.iter().map(|i| self.constant(i, item, false)).collect();
                values.into_iter().collect::<Option<Vec<_>>>().map(Const::List)
            }
            (ExprKind::Record(_), _) => {
                let message = format!("a {} is needed here, and this is a record", want.show(&self.program.types));
                self.report(Diagnostic::error(code::TYPE_MISMATCH, expr.span, message).help("write a single value"));
                None
            }
            _ => self.written_value(expr, want),
        }
    }

    fn written_value(&mut self, expr: &Expr, want: &Kind) -> Option<Const> {
        if !is_written(expr) {
            self.not_constant(expr.span);
            return None;
        }
        let scope = Scope { person: false, ..Scope::outside() };
        let node = self.expr(expr, &scope);
        if node.is_poison() {
            return None;
        }
        if node.as_const().is_none() {
            self.not_constant(expr.span);
            return None;
        }
        if !self.assignable(&node, want, "this") {
            return None;
        }
        let value = node.as_const()?.clone();
        Some(self.stored_const(value, want))
    }

    /// A constant as values of a type are stored.
    fn stored_const(&self, value: Const, want: &Kind) -> Const {
        match (value, want) {
            (Const::Int(value), Kind::Number) => Const::Number(value.into()),
            (Const::Date(day), Kind::DateTime) => self.project_instant(day, 0),
            (Const::Local(day, time), Kind::DateTime) => self.project_instant(day, time),
            (value, _) => value,
        }
    }

    /// A local date and time in the project's zone.
    fn project_instant(&self, day: i32, time: u32) -> Const {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(&self.input.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        let epoch = jiff::civil::date(1970, 1, 1);
        let moment = epoch
            .checked_add(jiff::Span::new().days(day))
            .ok()
            .map(|date| date.to_datetime(jiff::civil::Time::midnight()))
            .and_then(|midnight| midnight.checked_add(jiff::Span::new().milliseconds(time)).ok())
            .and_then(|local| zone.to_ambiguous_timestamp(local).compatible().ok());
        moment.map_or(Const::Missing, |t| Const::Instant(t.as_millisecond()))
    }

    pub fn not_constant(&mut self, span: Span) {
        let message = format!("`{}` is not a value that is written out", self.folded(span));
        self.report(Diagnostic::error(code::NOT_CONSTANT, span, message).help("write the value itself"));
    }

    fn record(&mut self, given: &[(Name, Expr)], id: TypeId, span: Span) -> Option<Const> {
        let record = self.program.types.get(id.index())?.clone();
        let values = self.given_fields(given, &record.fields, &record.name, span)?;
        Some(Const::Record(values))
    }

    /// Values for the fields of an event or record, in their order, with defaults; a required one that is
    /// not given is an error.
    pub fn given_fields(
        &mut self,
        given: &[(Name, Expr)],
        fields: &[crate::bytecode::Field],
        owner: &str,
        span: Span,
    ) -> Option<Vec<Const>> {
        let mut ok = self.known_fields(given, fields.iter().map(|f| f.name.as_str()), owner);
        let mut values = Vec::new();
        for field in fields {
            let value = match given.iter().find(|(name, _)| name.text == field.name) {
                Some((_, expr)) => self.constant(expr, &Kind::of(&field.ty), field.optional),
                None if field.default.is_some() => field.default.clone(),
                None if field.optional => Some(Const::Missing),
                None => {
                    self.field_missing(&field.name, owner, &Kind::of(&field.ty), span);
                    None
                }
            };
            ok &= value.is_some();
            values.push(value.unwrap_or(Const::Missing));
        }
        ok.then_some(values)
    }

    pub fn field_missing(&mut self, field: &str, owner: &str, kind: &Kind, span: Span) {
        if self.is_broken(span) {
            return;
        }
        let message = format!("`{owner}` needs `{field}`");
        let help = format!("add `{field}: {}`", kind.example());
        self.report(Diagnostic::error(code::FIELD_MISSING, span, message).help(help));
    }

    /// Whether all given names are fields, each given once.
    pub fn known_fields<'f>(
        &mut self,
        given: &[(Name, Expr)],
        fields: impl Iterator<Item = &'f str> + Clone,
        owner: &str,
    ) -> bool {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        let mut ok = true;
        for (name, _) in given {
            if !fields.clone().any(|f| f == name.text) {
                let near = nearest(&name.text, fields.clone()).map(str::to_owned);
                let message = format!("`{owner}` has no field `{}`", name.text);
                let problem = Diagnostic::error(code::UNKNOWN_FIELD, name.span, message);
                self.report(offer(problem, near, name.span, "name one of its fields"));
                ok = false;
            } else if let Some(place) = first.insert(&name.text, name.span) {
                let message = format!("`{}` is given twice", name.text);
                let problem = Diagnostic::error(code::DECLARED_TWICE, name.span, message);
                self.report(problem.label(place, "given here first").help("remove one of the two"));
                ok = false;
            }
        }
        ok
    }

    /// A duration that is written out.
    pub fn const_duration(&mut self, expr: &Expr, scope: &Scope) -> Option<Duration> {
        match self.const_of(expr, &Kind::Duration, scope)? {
            Const::Duration(value) => Some(value),
            _ => None,
        }
    }

    /// A time of day that is written out, in milliseconds since midnight.
    pub fn const_time(&mut self, expr: &Expr, scope: &Scope) -> Option<u32> {
        match self.const_of(expr, &Kind::Time, scope)? {
            Const::Time(value) => Some(value),
            _ => None,
        }
    }

    fn const_of(&mut self, expr: &Expr, want: &Kind, scope: &Scope) -> Option<Const> {
        let node = self.expr(expr, scope);
        if node.is_poison() || !self.assignable(&node, want, "this") {
            return None;
        }
        if node.as_const().is_none() {
            self.not_constant(expr.span);
        }
        node.as_const().cloned()
    }
}

/// A bool that may be missing, as a condition: where it is missing, it does not hold, as no comparison with a missing
/// value does.
fn or_false(node: Node) -> Node {
    let (span, no) = (node.span, node.no.clone());
    let yes = node.yes.iter().cloned().chain(node.paths()).collect();
    let otherwise = Box::new(Node::constant(Const::Bool(false), Kind::Bool, span));
    Node { yes, no, ..Node::test(NodeKind::Coalesce(Box::new(node), otherwise), span) }
}

/// Whether an expression is a value that is written out.
fn is_written(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Text(parts) => parts.iter().all(|part| matches!(part, TextPart::Literal(_))),
        ExprKind::List(items) => items.iter().all(is_written),
        ExprKind::Negate(inner) => is_written(inner),
        _ => crate::expression::literal(expr).is_some(),
    }
}

/// Whether the zone data has a zone of this name.
pub(crate) fn is_zone(name: &str) -> bool {
    jiff::tz::TimeZoneDatabase::bundled().get(name).is_ok()
}
