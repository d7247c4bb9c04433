//! Waits: for how long, until when, for what.

use crate::body::{Body, LATER};
use crate::bytecode::{Const, Outcome, StepKind, Until, WaitedEvent};
use crate::compile_codes as code;
use crate::context::{Binding, Cx, Scope};
use crate::diagnostic::Diagnostic;
use crate::node::{Known, Node, Path};
use crate::operators::to_instant;
use crate::types::{Class, Kind};
use flow_grammar::ast::{self, Bound, Days, EventRef, Expr, Name, Step};
use flow_grammar::span::Span;

/// `then` and `else` of a wait.
type Ways<'s> = (Option<&'s Step>, Option<&'s Step>);

const EVERY_DAY: [bool; 7] = [true; 7];

impl Cx<'_> {
    pub fn wait(&mut self, length: &Expr, step: &Step, body: &mut Body) {
        let scope = self.here(body);
        let node = self.expr(length, &scope);
        let node = if node.ty.kind.class() == Class::Moment || node.ty.kind == Kind::Time || node.ty.kind == Kind::Bool
        {
            self.wait_until_meant(&node)
        } else {
            self.coerce(node, &Kind::Duration, false, "`wait`")
        };
        if let Some(Const::Duration(length)) = node.as_const() {
            if length.window_millis() < 0 {
                let problem = Diagnostic::error(code::OUT_OF_RANGE, node.span, "nobody can wait for less than no time");
                self.report(problem.help("write how long, like `2h`"));
            }
        }
        let code = self.lower(&node);
        body.push(StepKind::Wait(code), &self.identity("wait", step), step.span);
        body.known.fade();
    }

    fn wait_until_meant(&mut self, node: &Node) -> Node {
        let message = format!("`wait` needs a duration, and this is {}", self.show_a(&node.ty));
        let help = format!("write `wait until {}`", self.folded(node.span));
        self.report(Diagnostic::error(code::TYPE_MISMATCH, node.span, message).help(help));
        Node::poison(node.span)
    }

    pub fn wait_until(&mut self, until: &ast::Until, bound: Option<&Bound>, ways: Ways, step: &Step, body: &mut Body) {
        match until {
            ast::Until::DaysAt(days, at) => self.wait_days(days, at, bound, ways, step, body),
            ast::Until::Expr(expr) => {
                let scope = self.here(body);
                let node = self.expr(expr, &scope);
                match node.ty.kind.class() {
                    Class::Poison => self.wait_unknown(bound, ways, step, body),
                    Class::Moment | Class::Time => self.wait_moment(node, bound, ways, step, body),
                    Class::Duration => {
                        let message = format!(
                            "`wait until` needs a moment or a condition, and this is {}",
                            self.show_a(&node.ty)
                        );
                        let help = format!("write `wait {}`", self.folded(node.span));
                        self.report(Diagnostic::error(code::TYPE_MISMATCH, node.span, message).help(help));
                        self.wait_unknown(bound, ways, step, body);
                    }
                    _ if node.ty.kind != Kind::Bool => {
                        let message = format!(
                            "`wait until` needs a moment or a condition, and this is {}",
                            self.show_a(&node.ty)
                        );
                        let written = self.folded(node.span);
                        let help = match node.ty.kind {
                            Kind::Weekday => "say at what time: `wait until monday 09:00`".to_owned(),
                            Kind::Int | Kind::Number => {
                                "a time of day reads `09:00`, a date `2026-11-27`; a duration stands right behind `wait`"
                                    .to_owned()
                            }
                            _ if node.ty.optional => {
                                format!("compare it with something: `{written} == …`, or ask `{written} is known`")
                            }
                            _ => format!("compare it with something: `{written} == …`"),
                        };
                        self.report(Diagnostic::error(code::TYPE_MISMATCH, node.span, message).help(help));
                        self.wait_unknown(bound, ways, step, body);
                    }
                    _ => {
                        let node = self.as_condition(node);
                        self.wait_condition(&node, bound, ways, step, body);
                    }
                }
            }
        }
    }

    /// The rest of a wait whose beginning was reported.
    fn wait_unknown(&mut self, bound: Option<&Bound>, ways: Ways, step: &Step, body: &mut Body) {
        let scope = self.here(body);
        self.bound_of(bound, &scope);
        body.known.fade();
        let code = self.const_code(Const::Missing, step.span);
        let at =
            body.push(StepKind::Branch { condition: code, otherwise: LATER }, &self.identity("wait", step), step.span);
        let known = body.known.clone();
        self.two_ways(at, ways, (known.clone(), known), step.span, body);
    }

    fn wait_days(&mut self, days: &Days, at: &Expr, bound: Option<&Bound>, ways: Ways, step: &Step, body: &mut Body) {
        let scope = self.here(body);
        let time = self.const_time(at, &scope);
        if bound.is_some() || ways.1.is_some() {
            self.bound_of(bound, &scope);
            let problem = Diagnostic::error(
                code::NO_BOUND_NEEDED,
                step.span,
                "a day and time always comes: it takes no bound and no `else`",
            );
            self.report(problem.help("remove them"));
        }
        let identity = self.identity("wait-until", step);
        body.push(StepKind::WaitDays { days: days.set, at: time.unwrap_or(0) }, &identity, step.span);
        body.known.fade();
        for way in [ways.0, ways.1].into_iter().flatten() {
            self.step(way, body);
        }
    }

    fn wait_moment(&mut self, node: Node, bound: Option<&Bound>, ways: Ways, step: &Step, body: &mut Body) {
        self.stands_still(&node, "the moment of a `wait until`", "for a length of time write `wait 2h`");
        let scope = self.here(body);
        let bound = self.bound_of(bound, &scope);
        let bounded = bound.is_some();
        let known_after = node.paths();
        let at = self.lower(&node);
        let mut deps = self.deps(at);
        if node.ty.kind != Kind::DateTime {
            self.add_zone(&mut deps);
        }
        let kind = StepKind::WaitMoment { at, deps, bound, then: LATER, otherwise: LATER };
        let at = body.push(kind, &self.identity("wait-until", step), step.span);
        body.known.fade();
        // The moment came, so what it was made of is there.
        let facts = facts_after(body, &known_after, bounded);
        self.two_ways(at, ways, facts, step.span, body);
    }

    fn add_zone(&mut self, deps: &mut crate::bytecode::Deps) {
        let Some(zone) = self.program.timezone_attr else { return };
        if let Err(at) = deps.attributes.binary_search(&zone) {
            deps.attributes.insert(at, zone);
        }
        if let Some(attribute) = self.program.attributes.get_mut(zone.index()) {
            attribute.watched = true;
        }
    }

    fn wait_condition(&mut self, node: &Node, bound: Option<&Bound>, ways: Ways, step: &Step, body: &mut Body) {
        let scope = self.here(body);
        if !node.is_poison() {
            self.needs_bound(bound, step, "this condition may never hold");
        }
        let bound = self.bound_of(bound, &scope);
        let bounded = bound.is_some();
        let condition = self.followed(node);
        let kind = StepKind::WaitCondition { condition, bound, then: LATER, otherwise: LATER };
        let at = body.push(kind, &self.identity("wait-until", step), step.span);
        body.known.fade();
        let facts = facts_after(body, &node.yes, bounded);
        self.two_ways(at, ways, facts, step.span, body);
    }

    pub fn wait_for(
        &mut self,
        events: &[EventRef],
        filter: Option<&Expr>,
        bound: Option<&Bound>,
        ways: Ways,
        step: &Step,
        body: &mut Body,
    ) {
        let scope = self.here(body);
        self.needs_bound(bound, step, "the event may never come");
        let events: Vec<WaitedEvent> = events.iter().filter_map(|event| self.waited(event, filter, &scope)).collect();
        let answered = self.all_answered(&events, body);
        let bound = self.bound_of(bound, &scope);
        let kind = StepKind::WaitEvent { events, bound, then: LATER, otherwise: LATER };
        let at = body.push(kind, &self.identity("wait-for", step), step.span);
        body.known.fade();
        let known = body.known.clone();
        let came = answered.map_or_else(|| known.clone(), |path| known.with(&[path]));
        self.two_ways(at, ways, (came, known), step.span, body);
    }

    /// Whether all of what is waited for are answers by one channel.
    fn all_answered(&self, events: &[WaitedEvent], body: &Body) -> Option<Path> {
        let mut answers = events.iter().map(|event| match event {
            WaitedEvent::Event { event, .. } => self.answered(*event),
            WaitedEvent::Outcome(slot, Outcome::Replied) => body.steps.iter().find_map(|step| match &step.kind {
                StepKind::Send(send) if send.message == Some(*slot) => match send.channels.as_slice() {
                    [channel] => Some(Path::Answered(*channel)),
                    _ => None,
                },
                _ => None,
            }),
            WaitedEvent::Outcome(..) => None,
        });
        let first = answers.next()??;
        answers.all(|other| other.as_ref() == Some(&first)).then_some(first)
    }

    fn waited(&mut self, reference: &EventRef, filter: Option<&Expr>, scope: &Scope) -> Option<WaitedEvent> {
        if let (Some(Binding::Message(slot)), Some(word)) = (self.binding(&reference.name.text), &reference.outcome) {
            self.refer_local(&reference.name);
            if let Some(filter) = filter {
                let problem = Diagnostic::error(
                    code::WRONG_KIND,
                    filter.span,
                    "the outcome of one message has no fields to ask for",
                );
                self.report(problem.help("remove the `where`, or ask in an `if` afterwards"));
            }
            return self.outcome(word).map(|outcome| WaitedEvent::Outcome(slot, outcome));
        }
        let event = self.event_ref(reference)?;
        let filter = filter.map(|filter| self.event_filter(filter, event, scope));
        Some(WaitedEvent::Event { event, filter })
    }

    /// A wait that may never end must be bounded by itself or by the journey.
    fn needs_bound(&mut self, bound: Option<&Bound>, step: &Step, why: &str) {
        if bound.is_some() || self.journey.as_ref().is_some_and(|j| j.bounded) {
            return;
        }
        let end = crate::body::nested(step).into_iter().map(|inner| inner.span.start).min().unwrap_or(step.span.end);
        let head = self.text(Span::new(step.span.file, step.span.start, end)).trim_end();
        let head = head.strip_suffix("then").or(head.strip_suffix("else")).unwrap_or(head).trim_end();
        let span = Span::new(step.span.file, step.span.start, step.span.start + crate::context::index(head.len()));
        let message = format!("{why}, and nothing else ends this wait");
        self.report(
            Diagnostic::error(code::WAIT_WITHOUT_BOUND, span, message)
                .help("add `up to 2d`, or give the journey an `exit after …`"),
        );
    }

    fn bound_of(&mut self, bound: Option<&Bound>, scope: &Scope) -> Option<Until> {
        match bound? {
            Bound::UpTo(length) => {
                let node = self.expr(length, scope);
                let node = self.coerce(node, &Kind::Duration, false, "`up to`");
                Some(Until::For(self.lower(&node)))
            }
            Bound::Until(moment) => {
                let node = self.expr(moment, scope);
                // A date means its local midnight, a time of day the next such moment, as in `wait until`.
                let local = matches!(node.ty.kind, Kind::Date | Kind::Time);
                let node = if local { node } else { self.coerce(node, &Kind::DateTime, true, "`until`") };
                self.stands_still(&node, "the end of a wait", "for a length of time write `up to 2h`");
                let code = self.lower(&if local { node } else { to_instant(node) });
                let mut deps = self.deps(code);
                if local {
                    self.add_zone(&mut deps);
                }
                Some(Until::Moment(code, deps))
            }
        }
    }

    pub fn wait_within(&mut self, from: &Expr, to: &Expr, days: Option<&Days>, step: &Step, body: &mut Body) {
        let scope = self.here(body);
        let (open, close) = (self.const_time(from, &scope), self.const_time(to, &scope));
        if open.is_some() && open == close {
            let problem = Diagnostic::error(
                code::QUIET_HOURS_EMPTY,
                from.span.to(to.span),
                "the slot opens and closes at the same time",
            );
            self.report(problem.help("write a slot like `09:00 to 18:00`"));
        }
        let days = days.map_or(EVERY_DAY, |days| days.set);
        let (Some(from), Some(to)) = (open, close) else { return };
        body.push(StepKind::WaitWithin { from, to, days }, &self.identity("wait-within", step), step.span);
        body.known.fade();
    }

    pub fn wait_best_hour(&mut self, channel: &Name, within: &Expr, step: &Step, body: &mut Body) {
        let scope = self.here(body);
        let channel = self.channel(channel);
        let within = self.positive_duration(within, &scope);
        let (Some(channel), Some(within)) = (channel, within) else { return };
        let opened = self.outcome_event(channel, Outcome::Opened);
        self.best_hours.insert(opened);
        body.push(StepKind::WaitBestHour { channel, within }, &self.identity("wait-best-hour", step), step.span);
        body.known.fade();
    }
}

/// What is known when a wait came true, and when its bound ended it; without one, only the first happens.
fn facts_after(body: &Body, paths: &[Path], bounded: bool) -> (Known, Known) {
    let came = body.known.with(paths);
    let ended = if bounded { body.known.clone() } else { came.clone() };
    (came, ended)
}
