//! The two walks.

use super::solve::{Owner, Shape, Solver};
use crate::context::Cx;
use crate::types::{Class, Kind};
use flow_grammar::ast::{
    self, Aggregate, BinaryOp, Clause, ClauseKind, EventMatch, EventQuery, EventRef, Expr, ExprKind, Item, Name,
};
use flow_grammar::ast::{Step, StepKind, TestLineKind, TextPart, TriggerKind, Window};
use flow_grammar::span::Span;
use std::collections::{BTreeMap, BTreeSet};

/// The first walk only looks for events; the second knows them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Events,
    Types,
}

pub(crate) struct Walker<'c, 'a> {
    cx: &'c mut Cx<'a>,
    pass: Pass,
    events: BTreeMap<String, Span>,
    solver: Solver,
    first: Option<Span>,
    /// Attributes that are written `user.x` somewhere.
    explicit: BTreeSet<String>,
    /// The events of the innermost `where`.
    frame: Vec<String>,
    /// The events that begin the journey at hand, when only events do.
    triggers: Vec<String>,
    fieldless: bool,
    bound: BTreeSet<String>,
}

impl<'c, 'a> Walker<'c, 'a> {
    pub fn new(cx: &'c mut Cx<'a>) -> Self {
        Self {
            cx,
            pass: Pass::Events,
            events: BTreeMap::new(),
            solver: Solver::default(),
            first: None,
            explicit: BTreeSet::new(),
            frame: Vec::new(),
            triggers: Vec::new(),
            fieldless: false,
            bound: BTreeSet::new(),
        }
    }

    pub fn files(&mut self, files: &[ast::File]) {
        for pass in [Pass::Events, Pass::Types] {
            self.pass = pass;
            for item in files.iter().flat_map(|file| &file.items) {
                self.item(item);
            }
        }
    }

    pub fn finish(self) -> (BTreeMap<String, Span>, Solver, Option<Span>) {
        (self.events, self.solver, self.first)
    }

    fn saw(&mut self, span: Span) {
        self.first = super::earlier(self.first, span);
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Channel(decl) => {
                if let Some(contact) = &decl.contact {
                    self.attribute(contact);
                }
            }
            Item::Segment(decl) => {
                self.condition(&decl.condition);
            }
            Item::Journey(decl) => self.journey(decl),
            Item::Test(decl) => decl.lines.iter().for_each(|line| self.test_line(&line.kind)),
            _ => {}
        }
    }

    fn attribute(&mut self, name: &Name) -> Shape {
        self.explicit.insert(name.text.clone());
        self.saw(name.span);
        self.solver.field(Owner::User, &name.text)
    }

    fn event(&mut self, reference: &EventRef) -> Option<String> {
        if reference.outcome.is_some() {
            return None;
        }
        let name = &reference.name;
        if !self.cx.schema.events.contains_key(&name.text) && !self.cx.schema.segments.contains_key(&name.text) {
            self.events.entry(name.text.clone()).or_insert(name.span);
            self.saw(name.span);
        }
        Some(name.text.clone())
    }

    /// An expression in which the fields of some events are in scope.
    fn filter(&mut self, events: Vec<String>, filter: Option<&Expr>) {
        let Some(filter) = filter else { return };
        let before = std::mem::replace(&mut self.frame, events);
        self.condition(filter);
        self.frame = before;
    }

    fn event_match(&mut self, event: &EventMatch) {
        let name = self.event(&event.event);
        self.filter(name.into_iter().collect(), event.filter.as_ref());
    }

    fn journey(&mut self, decl: &ast::JourneyDecl) {
        self.triggers.clear();
        self.fieldless = false;
        self.bound.clear();
        for clause in &decl.header {
            if let ClauseKind::On(triggers) = &clause.kind {
                triggers.iter().for_each(|trigger| self.trigger_events(&trigger.kind));
            }
        }
        decl.header.iter().for_each(|clause| self.clause(clause));
        decl.body.iter().for_each(|step| self.step(step));
        self.triggers.clear();
        self.bound.clear();
    }

    fn trigger_events(&mut self, kind: &TriggerKind) {
        match kind {
            TriggerKind::Event(event) | TriggerKind::Without { event, .. } => {
                let name = self.event(&event.event);
                self.triggers.extend(name);
            }
            _ => self.fieldless = true,
        }
    }

    fn clause(&mut self, clause: &Clause) {
        match &clause.kind {
            ClauseKind::On(triggers) => triggers.iter().for_each(|trigger| self.trigger(&trigger.kind)),
            ClauseKind::ExitOn(events) => events.iter().for_each(|event| self.event_match(event)),
            ClauseKind::ExitWhen(condition) => self.condition(condition),
            ClauseKind::Goal { event, .. } => self.event_match(event),
            ClauseKind::Enter(parts) => {
                for part in parts {
                    if let ast::EnterPart::Per(fields) = part {
                        fields.iter().for_each(|field| {
                            self.trigger_field(field);
                        });
                    }
                }
            }
            _ => {}
        }
    }

    fn trigger(&mut self, kind: &TriggerKind) {
        match kind {
            TriggerKind::Event(event) => self.event_match(event),
            TriggerKind::Without { event, without, .. } => {
                self.event_match(event);
                self.event_match(without);
            }
            TriggerKind::Enter(condition) | TriggerKind::Leave(condition) => self.condition(condition),
            TriggerKind::Change { attribute, filter } => {
                self.attribute(attribute);
                if let Some(filter) = filter {
                    self.condition(filter);
                }
            }
            TriggerKind::Date { date, .. } => self.expect(date, Kind::Date),
            TriggerKind::Every { audience, .. } => {
                if let Some(audience) = audience {
                    self.condition(audience);
                }
            }
            TriggerKind::List(_) | TriggerKind::Broken => {}
        }
    }

    fn trigger_field(&mut self, name: &Name) -> Shape {
        let mut all = Shape::Unknown;
        for event in self.triggers.clone() {
            self.saw(name.span);
            let shape = self.field(event, &name.text);
            self.solver.unite(&shape, &all);
            all = shape;
        }
        all
    }

    fn field(&mut self, event: String, name: &str) -> Shape {
        self.solver.field(Owner::Event(event), name)
    }

    // Steps.

    fn step(&mut self, step: &Step) {
        match &step.kind {
            StepKind::Wait(length) => self.expect(length, Kind::Duration),
            StepKind::WaitUntil { until, bound, .. } => {
                if let ast::Until::Expr(expr) = until {
                    self.until(expr);
                }
                self.bound(bound.as_ref());
            }
            StepKind::WaitFor { events, filter, bound, .. } => {
                let names = events.iter().filter_map(|event| self.event(event)).collect();
                self.filter(names, filter.as_ref());
                self.bound(bound.as_ref());
            }
            StepKind::If { condition, .. } => self.condition(condition),
            StepKind::Match { subject, arms, .. } => {
                let subject = self.shape(subject);
                for pattern in arms.iter().flat_map(|arm| &arm.patterns) {
                    let pattern = self.shape(pattern);
                    self.solver.unite(&subject, &pattern);
                }
            }
            StepKind::Send(send) => {
                self.bound.extend(send.alias.iter().map(|alias| alias.text.clone()));
                if let ast::Content::Text(text) = &send.content {
                    self.shape(text);
                }
                send.to.iter().chain(send.with.iter().map(|(_, value)| value)).for_each(|value| {
                    self.shape(value);
                });
            }
            StepKind::Set { attribute, op, value } => {
                let attribute = self.attribute(attribute);
                let value = self.shape(value);
                let adds = *op != ast::SetOp::Assign;
                let number = self.solver.kind(&value).is_some_and(|kind| kind.class() == Class::Duration);
                if !(adds && number) {
                    self.solver.unite(&attribute, &value);
                }
            }
            StepKind::Fetch { name, call, .. } => {
                self.arguments(call);
                self.bound.insert(name.text.clone());
            }
            StepKind::Call(call) => self.arguments(call),
            StepKind::Emit { event, fields } => {
                let name = self.event(&EventRef { name: event.clone(), outcome: None });
                self.given(name, fields);
            }
            StepKind::For { name, values, .. } => {
                self.bound.insert(name.text.clone());
                values.iter().for_each(|value| {
                    self.shape(value);
                });
            }
            StepKind::Repeat { every: Some(every), .. } => self.expect(every, Kind::Duration),
            _ => {}
        }
        crate::body::nested(step).into_iter().for_each(|inner| self.step(inner));
    }

    fn bound(&mut self, bound: Option<&ast::Bound>) {
        match bound {
            Some(ast::Bound::UpTo(length)) => self.expect(length, Kind::Duration),
            Some(ast::Bound::Until(moment)) => self.expect(moment, Kind::Date),
            None => {}
        }
    }

    /// A moment or a condition: names alone are attributes that hold dates, when they are written so.
    fn until(&mut self, expr: &Expr) {
        let named = matches!(&expr.kind, ExprKind::Field(base, _) if matches!(&base.kind, ExprKind::Name(n) if n.text == "user" || n.text == "trigger"));
        if named {
            let shape = self.shape(expr);
            if self.solver.kind(&shape).is_none() {
                self.solver.unite(&shape, &Shape::Known(Kind::Date));
            }
        } else {
            self.condition(expr);
        }
    }

    fn arguments(&mut self, call: &ast::ApiCall) {
        let params = self.cx.schema.apis.get(&call.api.text).and_then(|id| self.cx.program.apis.get(id.index()));
        let params = params.map(|api| api.params.clone()).unwrap_or_default();
        for (place, (name, value)) in call.args.iter().enumerate() {
            let param = match name {
                Some(name) => params.iter().find(|p| p.name == name.text),
                None => params.get(place),
            };
            let shape = self.shape(value);
            if let Some(param) = param {
                self.solver.unite(&shape, &Shape::Known(Kind::of(&param.ty)));
            }
        }
    }

    fn given(&mut self, event: Option<String>, fields: &[(Name, Expr)]) {
        for (name, value) in fields {
            let value = self.shape(value);
            if let Some(event) = &event {
                let field = self.field(event.clone(), &name.text);
                self.solver.unite(&field, &value);
            }
        }
    }

    fn test_line(&mut self, line: &TestLineKind) {
        match line {
            TestLineKind::User(fields) => self.user_values(fields),
            TestLineKind::At(_, happening) | TestLineKind::After(_, happening) => match happening {
                ast::Happening::Event(event, fields) => {
                    let name = self.event(event);
                    self.given(name, fields);
                }
                ast::Happening::User(fields) => self.user_values(fields),
                ast::Happening::List(_) => {}
            },
            TestLineKind::Expect(ast::Expectation::Condition(condition)) => self.condition(condition),
            _ => {}
        }
    }

    fn user_values(&mut self, fields: &[(Name, Expr)]) {
        for (name, value) in fields {
            let attribute = self.attribute(name);
            let value = self.shape(value);
            self.solver.unite(&attribute, &value);
        }
    }

    // Expressions.

    fn expect(&mut self, expr: &Expr, kind: Kind) {
        let shape = self.shape(expr);
        if self.solver.kind(&shape).is_none() {
            self.solver.unite(&shape, &Shape::Known(kind));
        }
    }

    /// An expression where true or false is needed: an unknown bare name is an event.
    fn condition(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Not(inner) => self.condition(inner),
            ExprKind::Binary(BinaryOp::And | BinaryOp::Or, left, right) => {
                self.condition(left);
                self.condition(right);
            }
            ExprKind::Name(name) => self.bare_condition(name),
            _ => {
                let shape = self.shape(expr);
                self.solver.unite(&shape, &Shape::Known(Kind::Bool));
            }
        }
    }

    fn bare_condition(&mut self, name: &Name) {
        let word = &name.text;
        let segment = self.cx.schema.segments.contains_key(word);
        if self.bound.contains(word) || segment {
            return;
        }
        let in_where = !self.frame.is_empty() && !self.events.contains_key(word);
        if in_where && self.pass == Pass::Types {
            let shape = self.name(name);
            self.solver.unite(&shape, &Shape::Known(Kind::Bool));
        } else if self.frame.is_empty() {
            self.event(&EventRef { name: name.clone(), outcome: None });
        }
    }

    /// A bare name where a value is needed.
    fn name(&mut self, name: &Name) -> Shape {
        let word = &name.text;
        let known =
            self.bound.contains(word) || self.cx.schema.segments.contains_key(word) || self.events.contains_key(word);
        if self.pass == Pass::Events || known || word == "weekdays" || word == "weekends" {
            return Shape::Unknown;
        }
        self.saw(name.span);
        if !self.frame.is_empty() {
            let mut all = Shape::Unknown;
            for event in self.frame.clone() {
                let shape = self.field(event, word);
                self.solver.unite(&shape, &all);
                all = shape;
            }
            return all;
        }
        if self.triggers.is_empty() || self.fieldless || self.explicit.contains(word) {
            return self.solver.field(Owner::User, word);
        }
        self.trigger_field(name)
    }

    fn query(&mut self, query: &EventQuery) -> Option<String> {
        let name = self.event(&query.event);
        if let Some(Window::Since(start)) = &query.window {
            self.expect(start, Kind::DateTime);
        }
        self.filter(name.clone().into_iter().collect(), query.filter.as_deref());
        name
    }

    /// What is known of an expression's type.
    fn shape(&mut self, expr: &Expr) -> Shape {
        match &expr.kind {
            ExprKind::Text(parts) => {
                for part in parts {
                    if let TextPart::Expr(inner) = part {
                        self.shape(inner);
                    }
                }
                Shape::Known(Kind::Text)
            }
            ExprKind::Name(name) => self.name(name),
            ExprKind::Field(base, name) => self.member(base, name),
            ExprKind::Call(name, args) => self.call(name, args),
            ExprKind::Negate(inner) => {
                let shape = self.shape(inner);
                self.solver.unite(&shape, &Shape::Known(Kind::Number));
                shape
            }
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right),
            ExprKind::In(value, list) => {
                let (value, list) = (self.shape(value), self.shape(list));
                if let Some(Kind::List(item)) = self.solver.kind(&list) {
                    self.solver.unite(&value, &Shape::Known(*item));
                }
                Shape::Known(Kind::Bool)
            }
            ExprKind::Between(value, low, high) => {
                let value = self.shape(value);
                for bound in [low, high] {
                    let bound = self.shape(bound);
                    self.solver.unite(&value, &bound);
                }
                Shape::Known(Kind::Bool)
            }
            ExprKind::IsMissing(inner) | ExprKind::IsKnown(inner) => {
                self.shape(inner);
                Shape::Known(Kind::Bool)
            }
            ExprKind::Occurred(query) => {
                self.query(query);
                Shape::Known(Kind::Bool)
            }
            ExprKind::Aggregate { function, field, query } => self.aggregate(*function, field.as_ref(), query),
            ExprKind::UnitsBetween(_, a, b) => {
                self.expect(a, Kind::Date);
                self.expect(b, Kind::Date);
                Shape::Known(Kind::Number)
            }
            ExprKind::List(items) => {
                let mut all = Shape::Unknown;
                for item in items {
                    let shape = self.shape(item);
                    self.solver.unite(&shape, &all);
                    all = shape;
                }
                self.solver.kind(&all).map_or(Shape::Unknown, |kind| Shape::Known(Kind::List(Box::new(kind))))
            }
            ExprKind::Not(inner) => {
                self.condition(inner);
                Shape::Known(Kind::Bool)
            }
            ExprKind::Can(_) => Shape::Known(Kind::Bool),
            ExprKind::Now => Shape::Known(Kind::DateTime),
            ExprKind::Today => Shape::Known(Kind::Date),
            _ => crate::expression::literal(expr).map_or(Shape::Unknown, |(_, kind)| Shape::Known(kind)),
        }
    }

    fn member(&mut self, base: &Expr, name: &Name) -> Shape {
        match &base.kind {
            ExprKind::Name(owner) if owner.text == "user" => self.attribute(name),
            ExprKind::Name(owner) if owner.text == "trigger" => self.trigger_field(name),
            ExprKind::Pick { query, .. } => {
                let event = self.query(query);
                match event {
                    Some(event) if name.text != "time" => self.field(event, &name.text),
                    _ => Shape::Known(Kind::DateTime),
                }
            }
            _ => Shape::Unknown,
        }
    }

    fn aggregate(&mut self, function: Aggregate, field: Option<&Name>, query: &EventQuery) -> Shape {
        let event = self.query(query);
        if let (Some(event), Some(field)) = (event, field) {
            let shape = self.field(event, &field.text);
            if self.solver.kind(&shape).is_none() {
                self.solver.unite(&shape, &Shape::Known(Kind::Number));
            }
            if matches!(function, Aggregate::Min | Aggregate::Max) {
                return shape;
            }
        }
        Shape::Known(Kind::Number)
    }

    fn call(&mut self, name: &Name, args: &[Expr]) -> Shape {
        let (takes, gives) = match name.text.as_str() {
            "lower" | "upper" | "trim" => (Some(Kind::Text), Kind::Text),
            "text" => (None, Kind::Text),
            "length" => (Some(Kind::Text), Kind::Number),
            "int" | "number" => (Some(Kind::Text), Kind::Number),
            "date" => (Some(Kind::DateTime), Kind::Date),
            "time" => (Some(Kind::DateTime), Kind::Time),
            "hour" | "minute" => (Some(Kind::DateTime), Kind::Number),
            "year" | "month" | "day" => (Some(Kind::Date), Kind::Number),
            "weekday" => (Some(Kind::Date), Kind::Weekday),
            _ => (Some(Kind::Number), Kind::Number),
        };
        for arg in args {
            match &takes {
                Some(kind) => self.expect(arg, kind.clone()),
                None => {
                    self.shape(arg);
                }
            }
        }
        Shape::Known(gives)
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Shape {
        use BinaryOp as B;
        if matches!(op, B::And | B::Or) {
            self.condition(left);
            self.condition(right);
            return Shape::Known(Kind::Bool);
        }
        let (a, b) = (self.shape(left), self.shape(right));
        match op {
            B::Coalesce => {
                self.solver.unite(&a, &b);
                if matches!(a, Shape::Unknown) {
                    b
                } else {
                    a
                }
            }
            B::Contains | B::StartsWith | B::EndsWith => {
                for side in [a, b] {
                    if self.solver.kind(&side).is_none() {
                        self.solver.unite(&side, &Shape::Known(Kind::Text));
                    }
                }
                Shape::Known(Kind::Bool)
            }
            B::Add | B::Subtract | B::Multiply | B::Divide => self.arith(&a, &b),
            _ => {
                self.solver.unite(&a, &b);
                Shape::Known(Kind::Bool)
            }
        }
    }

    /// What is added to a duration is a date; what is added to a number is one.
    fn arith(&mut self, a: &Shape, b: &Shape) -> Shape {
        let (kind_a, kind_b) = (self.solver.kind(a), self.solver.kind(b));
        let duration = |kind: &Option<Kind>| *kind == Some(Kind::Duration);
        match (duration(&kind_a), duration(&kind_b)) {
            (true, true) => Shape::Known(Kind::Duration),
            (false, true) | (true, false) => {
                let (moment, kind) = if duration(&kind_b) { (a, kind_a) } else { (b, kind_b) };
                if kind.is_none() {
                    self.solver.unite(moment, &Shape::Known(Kind::Date));
                }
                moment.clone()
            }
            (false, false) => {
                for (shape, kind) in [(a, &kind_a), (b, &kind_b)] {
                    if kind.is_none() {
                        self.solver.unite(shape, &Shape::Known(Kind::Number));
                    }
                }
                Shape::Known(Kind::Number)
            }
        }
    }
}
