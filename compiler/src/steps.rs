//! Steps: laid out in a flat list, with jumps in place of blocks.

use crate::body::{Body, End, LATER};
use crate::bytecode::{Arith, Const, EventId, Step, StepId, StepKind};
use crate::compile_codes as code;
use crate::context::{Binding, Cx, Scope};
use crate::diagnostic::Diagnostic;
use crate::functions::takes_time;
use crate::node::{Known, Node, Path};
use crate::types::Kind;
use flow_grammar::ast::{self, Expr, MatchArm, Name, SetOp, SplitArm};
use flow_grammar::span::Span;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// More steps than any journey needs, also with its loops unrolled.
const MAX_STEPS: usize = 20_000;

impl Cx<'_> {
    /// The steps of a journey.
    /// The steps of a journey, where so much is known at their beginning.
    pub fn body(&mut self, steps: &[ast::Step], known: Known) -> Vec<Step> {
        let mut body = Body::default();
        body.known = known;
        self.steps(steps, &mut body);
        body.steps
    }

    fn steps(&mut self, steps: &[ast::Step], body: &mut Body) {
        for step in steps {
            self.step(step, body);
        }
    }

    pub fn here(&self, body: &Body) -> Scope {
        Scope::inside(body.known.clone())
    }

    pub fn step(&mut self, step: &ast::Step, body: &mut Body) {
        use ast::StepKind as K;
        if self.is_full(step.span, body) {
            return;
        }
        match &step.kind {
            K::Wait(length) => self.wait(length, step, body),
            K::WaitUntil { until, bound, then, otherwise } => {
                self.wait_until(until, bound.as_ref(), (then.as_deref(), otherwise.as_deref()), step, body);
            }
            K::WaitFor { events, filter, bound, then, otherwise } => {
                self.wait_for(
                    events,
                    filter.as_ref(),
                    bound.as_ref(),
                    (then.as_deref(), otherwise.as_deref()),
                    step,
                    body,
                );
            }
            K::WaitWithin { from, to, days } => self.wait_within(from, to, days.as_ref(), step, body),
            K::WaitBestHour { channel, within } => self.wait_best_hour(channel, within, step, body),
            K::If { condition, then, otherwise } => self.if_step(condition, then, otherwise.as_deref(), step, body),
            K::Match { subject, arms, otherwise } => self.match_step(subject, arms, otherwise.as_deref(), step, body),
            K::Split { arms } => self.split(arms, step, body),
            K::Send(send) => self.send(send, step, body),
            K::Set { attribute, op, value } => self.set(attribute, *op, value, step, body),
            K::Fetch { name, call, otherwise } => self.fetch(name, call, otherwise.as_deref(), step, body),
            K::Call(call) => self.call_api(call, step, body),
            K::AddTo(name) => self.audience(name, true, step, body),
            K::RemoveFrom(name) => self.audience(name, false, step, body),
            K::Emit { event, fields } => self.emit(event, fields, step, body),
            K::Start(name) => {
                if let Some(id) = self.journey_named(name) {
                    self.starts.push((name.span, id));
                    body.push(StepKind::Start(id), &self.identity("start", step), step.span);
                }
            }
            K::Repeat { every, times, body: round } => self.repeat(every.as_ref(), *times, round, step, body),
            K::For { name, values, body: round } => self.for_each(name, values, round, body),
            K::Together(branches) => self.together(branches, step, body),
            K::End => {
                body.push(StepKind::End, &self.identity("end", step), step.span);
                body.left = true;
            }
            K::Block(steps) => self.steps(steps, body),
            K::Broken => {}
        }
    }

    fn is_full(&mut self, span: Span, body: &mut Body) -> bool {
        let full = body.steps.len() >= MAX_STEPS;
        if full && !body.overfull {
            body.overfull = true;
            let message = format!("the journey has more than {MAX_STEPS} steps");
            self.report(
                Diagnostic::error(code::TOO_LARGE, span, message)
                    .help("use `repeat` in place of `for`, or make two journeys"),
            );
        }
        full
    }

    /// One way through: what the branch of a choice does, and what is known at its end.
    fn way(&mut self, step: Option<&ast::Step>, known: Known, before: &Known, body: &mut Body) -> End {
        body.known = known;
        if let Some(step) = step {
            self.step(step, body);
        }
        body.end_way(before, false)
    }

    /// `then` and `else` of a step that was just laid out: the targets, and what is known after.
    pub fn two_ways(
        &mut self,
        at: usize,
        ways: (Option<&ast::Step>, Option<&ast::Step>),
        facts: (Known, Known),
        span: Span,
        body: &mut Body,
    ) {
        let (before, dead) = (body.known.clone(), body.left);
        body.left = false;
        let mark = self.bound_so_far();
        body.aim_then(at);
        let first = self.way(ways.0, facts.0, &before, body);
        let jump = match (ways.1, first.left) {
            (Some(_), false) => Some(body.glue(StepKind::Jump(LATER), "jump", span)),
            _ => None,
        };
        body.aim(at);
        self.set_siblings(mark, true);
        let second = self.way(ways.1, facts.1, &before, body);
        self.set_siblings(mark, false);
        if let Some(jump) = jump {
            body.aim(jump);
        }
        body.meet(vec![first, second]);
        body.left |= dead;
    }

    fn if_step(
        &mut self,
        condition: &Expr,
        then: &ast::Step,
        otherwise: Option<&ast::Step>,
        step: &ast::Step,
        body: &mut Body,
    ) {
        let scope = self.here(body);
        let node = self.condition(condition, &scope);
        let code = self.lower(&node);
        let identity = self.identity("if", step);
        let at = body.push(StepKind::Branch { condition: code, otherwise: LATER }, &identity, condition.span);
        let facts = (body.known.with(&node.yes), body.known.with(&node.no));
        self.two_ways(at, (Some(then), otherwise), facts, step.span, body);
    }

    fn match_step(
        &mut self,
        subject: &Expr,
        arms: &[MatchArm],
        otherwise: Option<&ast::Step>,
        step: &ast::Step,
        body: &mut Body,
    ) {
        let scope = self.here(body);
        let subject = self.expr(subject, &scope);
        let (before, dead) = (body.known.clone(), body.left);
        body.left = false;
        let mark = self.bound_so_far();
        let (mut ends, mut jumps) = (Vec::new(), Vec::new());
        for arm in arms {
            let Some(test) = self.arm_test(&subject, arm, &scope) else { continue };
            let code = self.lower(&test);
            let identity = self.identity("match", step);
            let at = body.push(StepKind::Branch { condition: code, otherwise: LATER }, &identity, test.span);
            let known = before.with(&test.yes);
            let end = self.way(Some(&arm.step), known, &before, body);
            self.set_siblings(mark, true);
            if !end.left {
                jumps.push(body.glue(StepKind::Jump(LATER), "jump", arm.step.span));
            }
            body.aim(at);
            ends.push(end);
        }
        let last = self.way(otherwise, before.clone(), &before, body);
        ends.push(last);
        self.set_siblings(mark, false);
        jumps.into_iter().for_each(|jump| body.aim(jump));
        body.meet(ends);
        body.left |= dead;
    }

    /// `subject == a or subject == b`
    fn arm_test(&mut self, subject: &Node, arm: &MatchArm, scope: &Scope) -> Option<Node> {
        let mut test: Option<Node> = None;
        for pattern in &arm.patterns {
            let value = self.expr(pattern, scope);
            let span = pattern.span;
            let equal = self.compare(crate::bytecode::Compare::Equal, subject.clone(), value, span);
            test = Some(match test {
                None => equal,
                Some(before) => {
                    let yes = before.yes.iter().filter(|p| equal.yes.contains(p)).cloned().collect();
                    let whole = before.span.to(span);
                    let kind = crate::node::NodeKind::Or(Box::new(before), Box::new(equal));
                    Node { yes, ..Node::test(kind, whole) }
                }
            });
        }
        test
    }

    fn split(&mut self, arms: &[SplitArm], step: &ast::Step, body: &mut Body) {
        self.check_shares(arms, step);
        let names: Vec<String> = (1..)
            .zip(arms)
            .map(|(number, arm)| arm.name.as_ref().map_or_else(|| format!("{number}"), |n| n.text.clone()))
            .collect();
        self.check_arm_names(arms);
        let identity = self.identity("split", step);
        let at = body.push(StepKind::Split { identity: String::new(), arms: Vec::new() }, &identity, step.span);
        let (before, dead) = (body.known.clone(), body.left);
        body.left = false;
        let mark = self.bound_so_far();
        let (mut ends, mut jumps, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        for (arm, name) in arms.iter().zip(&names) {
            targets.push((name.clone(), arm.share, body.here()));
            let end = self.way(Some(&arm.step), before.clone(), &before, body);
            self.set_siblings(mark, true);
            if !end.left {
                jumps.push(body.glue(StepKind::Jump(LATER), "jump", arm.step.span));
            }
            ends.push(end);
        }
        self.set_siblings(mark, false);
        jumps.into_iter().for_each(|jump| body.aim(jump));
        body.meet(ends);
        body.left |= dead;
        let which = split_identity(body, &names);
        if let Some(Step { kind: StepKind::Split { identity, arms }, .. }) = body.steps.get_mut(at) {
            *arms = targets;
            *identity = which;
        }
    }

    fn check_shares(&mut self, arms: &[SplitArm], step: &ast::Step) {
        let total: Decimal = arms.iter().map(|arm| arm.share).sum();
        if total != Decimal::ONE_HUNDRED && !self.is_broken(step.span) {
            let word = u32::try_from("split".len()).unwrap_or_default();
            let span = Span::new(step.span.file, step.span.start, step.span.start + word);
            let message = format!("the shares of this split add up to {}%", total.normalize());
            let mut problem =
                Diagnostic::error(code::SHARES, span, message).help("change them so that they add up to 100%");
            for arm in arms {
                problem = problem.label(arm.share_span, format!("{}%", arm.share.normalize()));
            }
            self.report(problem);
        }
    }

    fn check_arm_names(&mut self, arms: &[SplitArm]) {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        for name in arms.iter().filter_map(|arm| arm.name.as_ref()) {
            if let Some(place) = first.insert(&name.text, name.span) {
                let message = format!("`{}` names two arms of this split", name.text);
                let problem = Diagnostic::error(code::DECLARED_TWICE, name.span, message);
                self.report(problem.label(place, "the first").help("give each arm a name of its own"));
            }
        }
    }

    fn set(&mut self, attribute: &Name, op: SetOp, value: &Expr, step: &ast::Step, body: &mut Body) {
        let scope = self.here(body);
        let id = self.attribute(attribute);
        let value_node = self.expr(value, &scope);
        let Some(id) = id else { return };
        if self.program.id_attr == Some(id) {
            let problem = Diagnostic::error(code::WRONG_KIND, attribute.span, "a person's id cannot be set");
            self.report(problem.help("set another attribute"));
            return;
        }
        let Some(field) = self.program.attributes.get(id.index()).map(|a| a.field.clone()) else { return };
        let current = self.attribute_node(id, attribute.span).narrowed(&scope.known);
        let span = attribute.span.to(value.span);
        let node = match op {
            SetOp::Assign => value_node,
            SetOp::Add => self.arith(Arith::Add, current, value_node, span),
            SetOp::Subtract => self.arith(Arith::Subtract, current, value_node, span),
        };
        let what = format!("`user.{}`", attribute.text);
        let node = self.coerce(node, &Kind::of(&field.ty), field.optional, &what);
        if node.ty.optional {
            body.known.remove(&Path::Attr(id));
        } else {
            body.known.add(Path::Attr(id));
        }
        let code = self.lower(&node);
        body.push(StepKind::Set { attribute: id, value: code }, &self.identity("set", step), step.span);
    }

    fn audience(&mut self, name: &Name, add: bool, step: &ast::Step, body: &mut Body) {
        self.refer(name.span, crate::symbols::Symbol::Audience(name.text.clone()));
        let at = self.program.audiences.iter().position(|a| *a == name.text).unwrap_or_else(|| {
            self.program.audiences.push(name.text.clone());
            self.program.audiences.len() - 1
        });
        let audience = crate::bytecode::AudienceId(crate::context::index(at));
        body.push(StepKind::Audience { audience, add }, &self.identity("audience", step), step.span);
    }

    fn emit(&mut self, event: &Name, given: &[(Name, Expr)], step: &ast::Step, body: &mut Body) {
        let scope = self.here(body);
        let Some(id) = self.event(event) else {
            given.iter().for_each(|(_, value)| {
                self.expr(value, &scope);
            });
            return;
        };
        let fields = self.emitted_fields(id, given, event.span, &scope);
        body.push(StepKind::Emit { event: id, fields }, &self.identity("emit", step), step.span);
    }

    fn emitted_fields(
        &mut self,
        event: EventId,
        given: &[(Name, Expr)],
        span: Span,
        scope: &Scope,
    ) -> Vec<Option<crate::bytecode::CodeId>> {
        let Some(found) = self.program.events.get(event.index()).cloned() else { return Vec::new() };
        self.refer_keys(event, given);
        self.known_fields(given, found.fields.iter().map(|f| f.name.as_str()), &found.name);
        let mut codes = Vec::new();
        for field in &found.fields {
            let value = given.iter().find(|(name, _)| name.text == field.name);
            codes.push(match value {
                Some((_, value)) => {
                    let node = self.expr(value, scope);
                    let optional = field.optional || field.default.is_some();
                    let node = self.coerce(node, &Kind::of(&field.ty), optional, &format!("`{}`", field.name));
                    Some(self.lower(&node))
                }
                None => {
                    if !field.optional && field.default.is_none() {
                        self.field_missing(&field.name, &found.name, &Kind::of(&field.ty), span);
                    }
                    None
                }
            });
        }
        codes
    }

    // Loops.

    fn repeat(
        &mut self,
        every: Option<&Expr>,
        times: Option<(i64, Span)>,
        round: &[ast::Step],
        step: &ast::Step,
        body: &mut Body,
    ) {
        let scope = self.here(body);
        let every_node = every.map(|every| {
            let node = self.expr(every, &scope);
            self.coerce(node, &Kind::Duration, false, "`repeat every`")
        });
        let times = times.and_then(|(count, span)| self.rounds(count, span));
        let still = every_node.as_ref().is_none_or(|node| !takes_time(node.as_const()));
        if times.is_none() && still && !round.iter().any(advances) && !self.is_broken(step.span) {
            let head = Span::new(step.span.file, step.span.start, every.map_or(step.span.start + 6, |e| e.span.end));
            let problem = Diagnostic::error(
                code::LOOP_WITHOUT_WAIT,
                head,
                "this loop never ends and does not wait in every round",
            );
            self.report(
                problem.help("write `repeat every 7d`, `repeat 3 times`, or begin a round with a `wait` for some time"),
            );
        }
        let every = every_node.map(|node| self.lower(&node));
        let (slot, anchor) = (self.new_slot(step.span), self.new_slot(step.span));
        let identity = self.identity("repeat", step);
        body.glue(StepKind::RepeatBegin { slot, anchor }, "repeat-begin", step.span);
        body.known.fade();
        let first = body.here();
        let dead = body.left;
        body.left = false;
        self.steps(round, body);
        let leaves = body.left;
        body.push(StepKind::RepeatNext { slot, anchor, every, times, body: first }, &identity, step.span);
        body.known.fade();
        body.left = dead || leaves || times.is_none();
    }

    fn rounds(&mut self, count: i64, span: Span) -> Option<u32> {
        match u32::try_from(count) {
            Ok(count) if count > 0 => Some(count),
            _ => {
                let message = format!("`{count}` is no number of rounds");
                self.report(Diagnostic::error(code::OUT_OF_RANGE, span, message).help("write how many, from 1 on"));
                Some(1)
            }
        }
    }

    fn for_each(&mut self, name: &Name, values: &[Expr], round: &[ast::Step], body: &mut Body) {
        let scope = self.here(body);
        let mark = self.bound_so_far();
        for value in values {
            let node = self.expr(value, &scope);
            if !node.is_poison() && node.as_const().is_none() {
                self.not_constant(value.span);
            }
            let constant = node.as_const().cloned().unwrap_or(Const::Missing);
            self.forget_bound(mark);
            self.bind(name, Binding::Const(constant, node.ty.kind.clone()));
            self.steps(round, body);
            if body.overfull {
                break;
            }
        }
        self.unbind(mark, &name.text);
    }

    fn together(&mut self, branches: &[ast::Step], step: &ast::Step, body: &mut Body) {
        let identity = self.identity("together", step);
        let at = body.push(StepKind::Together { branches: Vec::new(), join: LATER }, &identity, step.span);
        let dead = body.left;
        let mut targets: Vec<StepId> = Vec::new();
        let (mut known, mut leaves) = (body.known.clone(), false);
        for (number, branch) in branches.iter().enumerate() {
            targets.push(body.here());
            if number > 0 {
                body.known.fade();
            }
            body.left = false;
            self.step(branch, body);
            leaves |= body.left;
            body.glue(StepKind::Join, "join", branch.span);
        }
        known.fade();
        body.known.fade();
        body.left = dead || leaves;
        body.aim(at);
        if let Some(Step { kind: StepKind::Together { branches, .. }, .. }) = body.steps.get_mut(at) {
            *branches = targets;
        }
    }

    // Bound names.

    pub fn bound_so_far(&self) -> usize {
        self.journey.as_ref().map_or(0, |j| j.bound.len())
    }

    fn forget_bound(&mut self, mark: usize) {
        if let Some(journey) = &mut self.journey {
            journey.bound.truncate(mark);
        }
    }

    fn unbind(&mut self, mark: usize, name: &str) {
        let Some(journey) = &mut self.journey else { return };
        let mut at = 0;
        journey.bound.retain(|bound| {
            at += 1;
            at <= mark || bound.name != name
        });
    }

    /// Names bound in one branch may be bound again in the other.
    fn set_siblings(&mut self, mark: usize, sibling: bool) {
        if let Some(journey) = &mut self.journey {
            journey.bound.iter_mut().skip(mark).for_each(|bound| bound.sibling = sibling);
        }
    }
}

/// What people are divided by: the arms' names and which such split it is, not the shares.
fn split_identity(body: &Body, names: &[String]) -> String {
    let names = names.join("|");
    let same = |step: &&Step| matches!(&step.kind, StepKind::Split { arms, .. } if arms.iter().map(|a| a.0.as_str()).collect::<Vec<_>>().join("|") == names);
    match body.steps.iter().filter(same).count() {
        0 => names,
        count => format!("{names}.{count}"),
    }
}

/// Whether time passes in a step, whichever way is taken, or everybody leaves.
fn advances(step: &ast::Step) -> bool {
    use ast::StepKind as K;
    match &step.kind {
        K::Wait(length) => crate::expression::literal(length).is_none_or(|(value, _)| takes_time(Some(&value))),
        K::WaitFor { .. } | K::End | K::Broken => true,
        K::If { then, otherwise, .. } => advances(then) && otherwise.as_deref().is_some_and(advances),
        K::Match { arms, otherwise, .. } => {
            arms.iter().all(|arm| advances(&arm.step)) && otherwise.as_deref().is_some_and(advances)
        }
        K::Split { arms } => arms.iter().all(|arm| advances(&arm.step)),
        K::Block(steps) | K::For { body: steps, .. } | K::Together(steps) => steps.iter().any(advances),
        K::Repeat { every, times, body } => {
            times.is_none() || body.iter().any(advances) || (every.is_some() && times.is_some_and(|(n, _)| n > 1))
        }
        _ => false,
    }
}
