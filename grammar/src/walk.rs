//! Goes through a tree, each node before its children and in the order of the source.

use crate::ast::*;

/// What wants to see the nodes of a tree. Every method does nothing unless it is given.
#[allow(unused_variables)]
pub trait Visitor<'a> {
    /// An item.
    fn item(&mut self, item: &'a Item) {}
    /// A clause of a journey's header.
    fn clause(&mut self, clause: &'a Clause) {}
    /// A step, of whatever depth.
    fn step(&mut self, step: &'a Step) {}
    /// A line of a test.
    fn line(&mut self, line: &'a TestLine) {}
    /// An expression, of whatever depth.
    fn expr(&mut self, expr: &'a Expr) {}
    /// The entries of a record, wherever it stands.
    fn record(&mut self, entries: &'a [(Name, Expr)]) {}
    /// An event that is named where only an event can stand.
    fn event(&mut self, event: &'a EventRef) {}
    /// A call of an api.
    fn call(&mut self, call: &'a ApiCall) {}
    /// A declared field or attribute.
    fn field(&mut self, field: &'a FieldDecl) {}
    /// A written type, of whatever depth.
    fn ty(&mut self, ty: &'a TypeExpr) {}
}

/// Shows a visitor all of a file.
pub fn walk<'a>(file: &'a File, visitor: &mut impl Visitor<'a>) {
    for item in &file.items {
        walk_item(item, visitor);
    }
}

/// Shows a visitor one item.
pub fn walk_item<'a>(item: &'a Item, v: &mut impl Visitor<'a>) {
    v.item(item);
    match item {
        Item::Event(decl) => fields(&decl.fields, v),
        Item::User(decl) => fields(&decl.fields, v),
        Item::Type(decl) => fields(&decl.fields, v),
        Item::Segment(decl) => walk_expr(&decl.condition, v),
        Item::Api(decl) => api(decl, v),
        Item::Policy(decl) => decl.rules.iter().for_each(|rule| policy_rule(&rule.kind, v)),
        Item::Journey(decl) => {
            decl.header.iter().for_each(|clause| walk_clause(clause, v));
            steps(&decl.body, v);
        }
        Item::Test(decl) => decl.lines.iter().for_each(|line| test_line(line, v)),
        Item::Channel(_) | Item::Fence(_) | Item::Broken(_) => {}
    }
}

fn fields<'a>(fields: &'a [FieldDecl], v: &mut impl Visitor<'a>) {
    for field in fields {
        v.field(field);
        written_type(&field.ty, v);
        optional(field.default.as_ref(), v);
    }
}

fn written_type<'a>(ty: &'a TypeExpr, v: &mut impl Visitor<'a>) {
    v.ty(ty);
    if let TypeKind::List(of) = &ty.kind {
        written_type(of, v);
    }
}

fn api<'a>(decl: &'a ApiDecl, v: &mut impl Visitor<'a>) {
    fields(&decl.params, v);
    if let Some(answer) = &decl.answer {
        written_type(answer, v);
    }
    if let Some((_, address)) = &decl.request {
        walk_expr(address, v);
    }
    for (_, value) in &decl.headers {
        if let HeaderValue::Text(text) = value {
            walk_expr(text, v);
        }
    }
    record(&decl.body, v);
    optional(decl.timeout.as_ref(), v);
}

fn policy_rule<'a>(kind: &'a PolicyKind, v: &mut impl Visitor<'a>) {
    match kind {
        PolicyKind::QuietHours { from, to, .. } => {
            walk_expr(from, v);
            walk_expr(to, v);
        }
        PolicyKind::Cap { window, .. } => walk_expr(window, v),
        PolicyKind::RequireConsent(_) | PolicyKind::Broken => {}
    }
}

fn walk_clause<'a>(clause: &'a Clause, v: &mut impl Visitor<'a>) {
    v.clause(clause);
    match &clause.kind {
        ClauseKind::On(triggers) => triggers.iter().for_each(|trigger| walk_trigger(&trigger.kind, v)),
        ClauseKind::Enter(parts) => {
            for part in parts {
                if let EnterPart::OncePer(length) = part {
                    walk_expr(length, v);
                }
            }
        }
        ClauseKind::ExitOn(events) => events.iter().for_each(|event| event_match(event, v)),
        ClauseKind::ExitWhen(expr) | ClauseKind::ExitAfter(expr) => walk_expr(expr, v),
        ClauseKind::Goal { event, within } => {
            event_match(event, v);
            optional(within.as_ref(), v);
        }
        ClauseKind::Topic(_)
        | ClauseKind::Holdout(..)
        | ClauseKind::Moved(..)
        | ClauseKind::Ended(_)
        | ClauseKind::Broken => {}
    }
}

fn walk_trigger<'a>(kind: &'a TriggerKind, v: &mut impl Visitor<'a>) {
    match kind {
        TriggerKind::Event(event) => event_match(event, v),
        TriggerKind::Without { event, without, within } => {
            event_match(event, v);
            event_match(without, v);
            walk_expr(within, v);
        }
        TriggerKind::Enter(expr) | TriggerKind::Leave(expr) => walk_expr(expr, v),
        TriggerKind::Change { filter, .. } => optional(filter.as_ref(), v),
        TriggerKind::Date { date, at, .. } => {
            walk_expr(date, v);
            walk_expr(at, v);
        }
        TriggerKind::Every { at, audience, .. } => {
            walk_expr(at, v);
            optional(audience.as_ref(), v);
        }
        TriggerKind::List(_) | TriggerKind::Broken => {}
    }
}

fn event_match<'a>(event: &'a EventMatch, v: &mut impl Visitor<'a>) {
    v.event(&event.event);
    optional(event.filter.as_ref(), v);
}

fn optional<'a>(expr: Option<&'a Expr>, v: &mut impl Visitor<'a>) {
    if let Some(expr) = expr {
        walk_expr(expr, v);
    }
}

fn record<'a>(entries: &'a [(Name, Expr)], v: &mut impl Visitor<'a>) {
    v.record(entries);
    entries.iter().for_each(|(_, value)| walk_expr(value, v));
}

fn steps<'a>(steps: &'a [Step], v: &mut impl Visitor<'a>) {
    steps.iter().for_each(|step| walk_step(step, v));
}

fn branches<'a>(then: Option<&'a Step>, otherwise: Option<&'a Step>, v: &mut impl Visitor<'a>) {
    if let Some(step) = then {
        walk_step(step, v);
    }
    if let Some(step) = otherwise {
        walk_step(step, v);
    }
}

fn bound<'a>(bound: Option<&'a Bound>, v: &mut impl Visitor<'a>) {
    if let Some(Bound::UpTo(expr) | Bound::Until(expr)) = bound {
        walk_expr(expr, v);
    }
}

/// Shows a visitor one step.
pub fn walk_step<'a>(step: &'a Step, v: &mut impl Visitor<'a>) {
    v.step(step);
    match &step.kind {
        StepKind::Wait(length) => walk_expr(length, v),
        StepKind::WaitUntil { until, bound: end, then, otherwise } => {
            match until {
                Until::DaysAt(_, expr) | Until::Expr(expr) => walk_expr(expr, v),
            }
            bound(end.as_ref(), v);
            branches(then.as_deref(), otherwise.as_deref(), v);
        }
        StepKind::WaitFor { events, filter, bound: end, then, otherwise } => {
            events.iter().for_each(|event| v.event(event));
            optional(filter.as_ref(), v);
            bound(end.as_ref(), v);
            branches(then.as_deref(), otherwise.as_deref(), v);
        }
        StepKind::WaitWithin { from, to, .. } => {
            walk_expr(from, v);
            walk_expr(to, v);
        }
        StepKind::WaitBestHour { within, .. } => walk_expr(within, v),
        StepKind::If { condition, then, otherwise } => {
            walk_expr(condition, v);
            branches(Some(then), otherwise.as_deref(), v);
        }
        StepKind::Match { subject, arms, otherwise } => {
            walk_expr(subject, v);
            for arm in arms {
                arm.patterns.iter().for_each(|pattern| walk_expr(pattern, v));
                walk_step(&arm.step, v);
            }
            branches(None, otherwise.as_deref(), v);
        }
        StepKind::Split { arms } => arms.iter().for_each(|arm| walk_step(&arm.step, v)),
        StepKind::Send(send) => {
            if let Content::Text(text) = &send.content {
                walk_expr(text, v);
            }
            optional(send.to.as_ref(), v);
            record(&send.with, v);
        }
        StepKind::Set { value, .. } => walk_expr(value, v),
        StepKind::Fetch { call, otherwise, .. } => {
            api_call(call, v);
            branches(None, otherwise.as_deref(), v);
        }
        StepKind::Call(call) => api_call(call, v),
        StepKind::Emit { fields, .. } => record(fields, v),
        StepKind::Repeat { every, body, .. } => {
            optional(every.as_ref(), v);
            steps(body, v);
        }
        StepKind::For { values, body, .. } => {
            values.iter().for_each(|value| walk_expr(value, v));
            steps(body, v);
        }
        StepKind::Together(blocks) => steps(blocks, v),
        StepKind::Block(body) => steps(body, v),
        StepKind::AddTo(_) | StepKind::RemoveFrom(_) | StepKind::Start(_) | StepKind::End | StepKind::Broken => {}
    }
}

fn api_call<'a>(call: &'a ApiCall, v: &mut impl Visitor<'a>) {
    v.call(call);
    call.args.iter().for_each(|(_, value)| walk_expr(value, v));
}

fn test_line<'a>(line: &'a TestLine, v: &mut impl Visitor<'a>) {
    v.line(line);
    match &line.kind {
        TestLineKind::User(entries) => record(entries, v),
        TestLineKind::Given { args, answer, .. } => {
            args.iter().flatten().for_each(|(_, value)| walk_expr(value, v));
            optional(answer.as_ref(), v);
        }
        TestLineKind::At(when, happening) | TestLineKind::After(when, happening) => {
            walk_expr(when, v);
            match happening {
                Happening::Event(event, entries) => {
                    v.event(event);
                    record(entries, v);
                }
                Happening::User(entries) => record(entries, v),
                Happening::List(_) => {}
            }
        }
        TestLineKind::Expect(expectation) => expect(expectation, v),
        TestLineKind::Broken => {}
    }
}

fn expect<'a>(expectation: &'a Expectation, v: &mut impl Visitor<'a>) {
    let content = |content: &'a Option<Content>, v: &mut _| {
        if let Some(Content::Text(text)) = content {
            walk_expr(text, v);
        }
    };
    match expectation {
        Expectation::Message { content: says, at, after, .. } => {
            content(says, v);
            optional(at.as_ref(), v);
            optional(after.as_ref(), v);
        }
        Expectation::NoMessage { content: says, .. } | Expectation::Skipped { content: says, .. } => content(says, v),
        Expectation::Condition(expr) => walk_expr(expr, v),
        Expectation::Nothing | Expectation::NothingElse => {}
    }
}

fn query<'a>(query: &'a EventQuery, v: &mut impl Visitor<'a>) {
    v.event(&query.event);
    if let Some(Window::Last(expr) | Window::Since(expr)) = &query.window {
        walk_expr(expr, v);
    }
    optional(query.filter.as_deref(), v);
}

/// Shows a visitor one expression.
pub fn walk_expr<'a>(expr: &'a Expr, v: &mut impl Visitor<'a>) {
    v.expr(expr);
    match &expr.kind {
        ExprKind::Text(parts) => {
            for part in parts {
                if let TextPart::Expr(expr) = part {
                    walk_expr(expr, v);
                }
            }
        }
        ExprKind::List(values) | ExprKind::Call(_, values) => values.iter().for_each(|value| walk_expr(value, v)),
        ExprKind::Record(entries) => record(entries, v),
        ExprKind::Field(inner, _)
        | ExprKind::Not(inner)
        | ExprKind::Negate(inner)
        | ExprKind::IsMissing(inner)
        | ExprKind::IsKnown(inner) => walk_expr(inner, v),
        ExprKind::Binary(_, a, b) | ExprKind::In(a, b) | ExprKind::UnitsBetween(_, a, b) => {
            walk_expr(a, v);
            walk_expr(b, v);
        }
        ExprKind::Between(a, b, c) => {
            walk_expr(a, v);
            walk_expr(b, v);
            walk_expr(c, v);
        }
        ExprKind::Occurred(asked) | ExprKind::Aggregate { query: asked, .. } | ExprKind::Pick { query: asked, .. } => {
            query(asked, v);
        }
        ExprKind::Int(_)
        | ExprKind::Number(_)
        | ExprKind::Percent(_)
        | ExprKind::Bool(_)
        | ExprKind::Duration(_)
        | ExprKind::TimeOfDay(_)
        | ExprKind::Date(_)
        | ExprKind::LocalInstant(..)
        | ExprKind::Instant(_)
        | ExprKind::Weekday(_)
        | ExprKind::Missing
        | ExprKind::Name(_)
        | ExprKind::Can(_)
        | ExprKind::Now
        | ExprKind::Today
        | ExprKind::Broken => {}
    }
}
