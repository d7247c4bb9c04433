//! The body of a journey, step by step.

use crate::oracle::{Happened, Kind, Oracle};
use crate::person::{Caused, Fields, Frame, Limit, Sent, Thread, Wait};
use crate::project::coerced;
use flow_compiler::bytecode::{Arith, Duration};
use flow_grammar::ast::{
    Bound, Content, EventRef, Expr, ExprKind, PolicyKind, Route, Send, SetOp, Step, StepKind, Until,
};
use flow_runtime::calendar;
use flow_runtime::vm::value::{arithmetic, equals, Value};

/// Why a wait is looked at.
pub enum Look<'a> {
    /// The step was reached.
    Reached,
    /// An input came.
    Input(&'a [Happened]),
    /// Time passed.
    Time,
}

/// What a look at a wait found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Nothing,
    Then,
    Else,
}

impl<'p> Oracle<'p> {
    /// Goes on until the thread waits, is done, or the journey is left.
    pub fn run(&mut self, who: usize, i: usize, t: usize) {
        loop {
            let now = self.now;
            let instance = &mut self.people[who].instances[i];
            if !instance.alive {
                return;
            }
            let thread = &mut instance.threads[t];
            match thread.frames.last_mut() {
                None => return self.thread_done(who, i, t),
                Some(Frame::Steps(steps)) => match steps.split_first() {
                    None => {
                        thread.frames.pop();
                    }
                    Some((step, rest)) => {
                        *steps = rest;
                        if !self.step(who, i, t, step) {
                            return;
                        }
                    }
                },
                Some(Frame::Repeat { body, every, times, round, start }) => {
                    let (body, every, times, done, start) = (*body, *every, *times, *round, *start);
                    if times.is_some_and(|times| done >= times) {
                        thread.frames.pop();
                        continue;
                    }
                    if let Some(every) = every {
                        let begin = self.scoped(who, Some((i, t)), None, |s| {
                            let Value::Duration(d) = s.value(every) else { panic!("a length of time") };
                            let times = done as i32;
                            let all =
                                Duration { months: d.months * times, days: d.days * times, millis: d.millis * done };
                            calendar::add(s.zone, start, all)
                        });
                        if begin > now {
                            self.people[who].instances[i].threads[t].wait = Some(Wait::Till(begin));
                            return;
                        }
                    }
                    let thread = &mut self.people[who].instances[i].threads[t];
                    if let Some(Frame::Repeat { round, .. }) = thread.frames.last_mut() {
                        *round += 1;
                    }
                    thread.frames.push(Frame::Steps(body));
                }
                Some(Frame::For { name, values, body, bound }) => {
                    if *bound {
                        thread.bound.pop();
                        *bound = false;
                    }
                    let (name, body) = (*name, *body);
                    let Some((first, rest)) = values.split_first() else {
                        thread.frames.pop();
                        continue;
                    };
                    *values = rest;
                    *bound = true;
                    let value = self.scoped(who, Some((i, t)), None, |s| s.value(first));
                    let thread = &mut self.people[who].instances[i].threads[t];
                    thread.bound.push((name.to_owned(), value));
                    thread.frames.push(Frame::Steps(body));
                }
            }
        }
    }

    fn thread_done(&mut self, who: usize, i: usize, t: usize) {
        let Some(parent) = self.people[who].instances[i].threads[t].parent else {
            return self.leave(who, i, "finished");
        };
        // A branch that is done says so once.
        self.people[who].instances[i].threads[t].wait = Some(Wait::Branches(usize::MAX));
        let waiting = &mut self.people[who].instances[i].threads[parent].wait;
        let Some(Wait::Branches(left)) = waiting else { panic!("the parent of a branch waits for it") };
        *left -= 1;
        if *left == 0 {
            *waiting = None;
            self.run(who, i, parent);
        }
    }

    fn push(&mut self, who: usize, i: usize, t: usize, frame: Frame<'p>) -> bool {
        self.people[who].instances[i].threads[t].frames.push(frame);
        true
    }

    fn then(&mut self, who: usize, i: usize, t: usize, step: Option<&'p Step>) -> bool {
        step.is_none_or(|step| self.push(who, i, t, Frame::Steps(std::slice::from_ref(step))))
    }

    /// Takes a step; whether the thread goes on at once.
    fn step(&mut self, who: usize, i: usize, t: usize, step: &'p Step) -> bool {
        let here = Some((i, t));
        match &step.kind {
            StepKind::Wait(length) => {
                let end = self.later(who, self.now, length, here);
                self.wait(who, i, t, Wait::Till(end))
            }
            StepKind::WaitUntil { until, bound, then, otherwise } => {
                let bound = self.limit(who, i, t, bound.as_ref());
                let (then, otherwise) = (then.as_deref(), otherwise.as_deref());
                let clock = match until {
                    Until::DaysAt(days, at) => Some((days.set, self.scoped(who, here, None, |s| s.value(at)))),
                    Until::Expr(expr) => match self.scoped(who, here, None, |s| s.value(expr)) {
                        time @ Value::Time(_) => Some(([true; 7], time)),
                        _ => None,
                    },
                };
                let wait = match (clock, until) {
                    (Some((days, Value::Time(ms))), _) => {
                        Wait::Clock { from: self.now, days, ms, bound, then, otherwise }
                    }
                    (None, Until::Expr(until)) => Wait::Until { until, bound, then, otherwise },
                    other => panic!("days have a time: {other:?}"),
                };
                self.wait(who, i, t, wait)
            }
            StepKind::WaitFor { bound, .. } => {
                let bound = self.limit(who, i, t, bound.as_ref());
                self.wait(who, i, t, Wait::For { since: self.now, step, bound })
            }
            StepKind::WaitWithin { from, to, days } => {
                let end = self.scoped(who, here, None, |s| {
                    let (Value::Time(from), Value::Time(to)) = (s.value(from), s.value(to)) else { panic!("times") };
                    let days = days.as_ref().map_or([true; 7], |d| d.set);
                    calendar::slot_open(s.zone, s.now, from, to, days).unwrap_or(s.now)
                });
                self.wait(who, i, t, Wait::Till(end))
            }
            StepKind::WaitBestHour { channel, within } => {
                let end = self.best_hour(who, i, t, &channel.text, within);
                self.wait(who, i, t, Wait::Till(end))
            }
            StepKind::If { condition, then, otherwise } => {
                let holds = self.scoped(who, here, None, |s| s.holds(condition));
                self.then(who, i, t, if holds { Some(then) } else { otherwise.as_deref() })
            }
            StepKind::Match { subject, arms, otherwise } => {
                let arm = self.scoped(who, here, None, |s| {
                    let subject = s.value(subject);
                    arms.iter().find(|arm| arm.patterns.iter().any(|p| equals(&subject, &s.value(p), s.zone)))
                });
                self.then(who, i, t, arm.map(|a| &a.step).or(otherwise.as_deref()))
            }
            StepKind::Split { arms } => {
                let all = arms.iter().find(|a| a.share.to_string() == "100");
                // Where a hash decides, both ways must come to the same; the conformance cases are made so.
                self.then(who, i, t, Some(&all.or(arms.first()).expect("arms").step))
            }
            StepKind::Send(send) => self.send(who, i, t, step, send, 0),
            StepKind::Set { attribute, op, value } => {
                let value = self.scoped(who, here, None, |s| {
                    let (old, value) = (s.person.attribute(s.project, &attribute.text), s.value(value));
                    match op {
                        SetOp::Assign => value,
                        SetOp::Add => arithmetic(Arith::Add, &old, &value, s.zone),
                        SetOp::Subtract => arithmetic(Arith::Subtract, &old, &value, s.zone),
                    }
                });
                if self.record(who, &attribute.text, value) {
                    self.people[who].queue.push_back(Caused::Changed(attribute.text.clone()));
                }
                true
            }
            StepKind::AddTo(name) => self.audience(who, i, &name.text, true),
            StepKind::RemoveFrom(name) => self.audience(who, i, &name.text, false),
            StepKind::Emit { event, fields } => {
                let declared = self.project.events.get(&event.text).map_or(&[][..], |e| &e.fields);
                let mut values: Fields = declared.iter().map(|f| (f.name.text.clone(), Value::Missing)).collect();
                for (name, expr) in fields {
                    let value = self.scoped(who, here, None, |s| s.value(expr));
                    let ty = declared.iter().find(|f| f.name == *name || f.name.text == name.text).map(|f| &f.ty);
                    values.insert(name.text.clone(), ty.map_or(value.clone(), |ty| coerced(value.clone(), ty)));
                }
                self.people[who].queue.push_back(Caused::Emitted { event: event.text.clone(), fields: values });
                true
            }
            StepKind::Start(journey) => {
                self.people[who].queue.push_back(Caused::Started(journey.text.clone()));
                true
            }
            StepKind::Repeat { every, times, body } => {
                let times = times.map(|(times, _)| times);
                self.push(who, i, t, Frame::Repeat { body, every: every.as_ref(), times, round: 0, start: self.now })
            }
            StepKind::For { name, values, body } => {
                self.push(who, i, t, Frame::For { name: &name.text, values, body, bound: false })
            }
            StepKind::Together(branches) => {
                let instance = &mut self.people[who].instances[i];
                let bound = instance.threads[t].bound.clone();
                instance.threads[t].wait = Some(Wait::Branches(branches.len()));
                // One after the other, so that threads stand in the order in which they were begun.
                for branch in branches {
                    let frames = vec![Frame::Steps(std::slice::from_ref(branch))];
                    let threads = &mut self.people[who].instances[i].threads;
                    threads.push(Thread { parent: Some(t), frames, wait: None, bound: bound.clone() });
                    let begun = threads.len() - 1;
                    self.run(who, i, begun);
                }
                // The last branch that is done takes the parent further.
                false
            }
            StepKind::End => {
                self.leave(who, i, "finished");
                false
            }
            StepKind::Block(steps) => self.push(who, i, t, Frame::Steps(steps)),
            StepKind::Fetch { .. } | StepKind::Call(_) | StepKind::Broken => panic!("not for the oracle"),
        }
    }

    fn audience(&mut self, who: usize, i: usize, name: &str, added: bool) -> bool {
        let journey = self.people[who].instances[i].journey;
        if self.project.journeys[journey].holdout {
            return true;
        }
        let kind = Kind::Audience { name: name.to_owned(), added };
        self.tell(who, journey, kind);
        true
    }

    fn limit(&self, who: usize, i: usize, t: usize, bound: Option<&'p Bound>) -> Limit<'p> {
        match bound {
            None => Limit::None,
            Some(Bound::UpTo(length)) => Limit::At(self.later(who, self.now, length, Some((i, t)))),
            Some(Bound::Until(expr)) => self.scoped(who, Some((i, t)), None, |s| match s.value(expr) {
                Value::Time(ms) => Limit::At(calendar::next_time_of_day(s.zone, s.now, ms)),
                _ => Limit::Follows(expr),
            }),
        }
    }

    /// The instant at which a wait ends for its limit.
    pub fn limit_at(&self, who: usize, i: usize, t: usize, limit: Limit<'p>) -> Option<i64> {
        match limit {
            Limit::None => None,
            Limit::At(at) => Some(at),
            Limit::Follows(expr) => self.scoped(who, Some((i, t)), None, |s| s.value(expr).as_instant(s.zone)),
        }
    }

    /// The first such local moment since the step was reached; it follows the person's zone.
    pub fn clock_at(&self, who: usize, from: i64, days: [bool; 7], ms: u32) -> i64 {
        self.scoped(who, None, None, |s| calendar::next_day_time(s.zone, from, days, ms))
    }

    fn wait(&mut self, who: usize, i: usize, t: usize, wait: Wait<'p>) -> bool {
        self.people[who].instances[i].threads[t].wait = Some(wait);
        match self.look(who, i, t, &Look::Reached) {
            Found::Nothing => false,
            found => self.go_on(who, i, t, found),
        }
    }

    /// Whether a wait is over.
    pub fn look(&self, who: usize, i: usize, t: usize, look: &Look) -> Found {
        let due = |at: Option<i64>| match look {
            Look::Reached | Look::Time => at.is_some_and(|at| at <= self.now),
            // An input ends a wait by time only where it moved the moment into the past.
            Look::Input(_) => at.is_some_and(|at| at < self.now),
        };
        let limit = |bound: Limit<'p>| match (bound, look) {
            (Limit::At(_), Look::Input(_)) => Found::Nothing,
            _ if due(self.limit_at(who, i, t, bound)) => Found::Else,
            _ => Found::Nothing,
        };
        match self.people[who].instances[i].threads[t].wait.as_ref() {
            None | Some(Wait::Branches(_)) => Found::Nothing,
            Some(Wait::Till(at) | Wait::Quiet { until: at, .. }) => {
                if !matches!(look, Look::Input(_)) && due(Some(*at)) {
                    Found::Then
                } else {
                    Found::Nothing
                }
            }
            Some(Wait::Clock { from, days, ms, bound, .. }) => {
                let at = self.clock_at(who, *from, *days, *ms);
                if due(Some(at)) {
                    Found::Then
                } else {
                    limit(*bound)
                }
            }
            Some(Wait::Until { until, bound, .. }) => {
                let over = self.scoped(who, Some((i, t)), None, |s| match s.value(until) {
                    Value::Bool(holds) => holds,
                    moment => due(moment.as_instant(s.zone)),
                });
                if over {
                    Found::Then
                } else {
                    limit(*bound)
                }
            }
            Some(Wait::For { step, bound, .. }) => {
                let StepKind::WaitFor { events, filter, .. } = &step.kind else { panic!("a `wait for`") };
                let came = |h: &Happened| {
                    let none = Fields::new();
                    let fields = if let Happened::Event { fields, .. } = h { fields } else { &none };
                    events.iter().any(|e| self.is_event(who, Some(i), e, h))
                        && filter.as_ref().is_none_or(|f| self.scoped(who, Some((i, t)), Some(fields), |s| s.holds(f)))
                };
                // What became of a message may be known already.
                let known = |e: &EventRef| {
                    let mut messages = self.people[who].instances[i].messages.get(&e.name.text).into_iter().flatten();
                    let outcomes = |m: &usize| &self.people[who].sent[*m].outcomes;
                    e.outcome.as_ref().is_some_and(|o| messages.any(|m| outcomes(m).contains(&o.text)))
                };
                match look {
                    Look::Reached if events.iter().any(known) => Found::Then,
                    Look::Input(happened) if happened.iter().any(came) => Found::Then,
                    _ => limit(*bound),
                }
            }
        }
    }

    /// Leaves a wait that is over; whether the thread goes on.
    fn go_on(&mut self, who: usize, i: usize, t: usize, found: Found) -> bool {
        let wait = self.people[who].instances[i].threads[t].wait.take().expect("a wait");
        let (then, otherwise) = match wait {
            Wait::Until { then, otherwise, .. } | Wait::Clock { then, otherwise, .. } => (then, otherwise),
            Wait::For { step, .. } => match &step.kind {
                StepKind::WaitFor { then, otherwise, .. } => (then.as_deref(), otherwise.as_deref()),
                _ => panic!("a `wait for`"),
            },
            Wait::Quiet { step, channel, .. } => match &step.kind {
                StepKind::Send(send) => return self.send(who, i, t, step, send, channel),
                _ => panic!("a message"),
            },
            Wait::Till(_) | Wait::Branches(_) => (None, None),
        };
        self.then(who, i, t, if found == Found::Then { then } else { otherwise })
    }

    /// Ends a wait and runs on.
    pub fn wake(&mut self, who: usize, i: usize, t: usize, found: Found) {
        if self.go_on(who, i, t, found) {
            self.run(who, i, t);
        }
    }

    /// The waits that an input ends run on.
    pub fn wake_by_input(&mut self, who: usize, happened: &[Happened]) {
        for j in 0..self.project.journeys.len() {
            for i in 0..self.people[who].instances.len() {
                if self.people[who].instances[i].journey != j {
                    continue;
                }
                for t in 0..self.people[who].instances[i].threads.len() {
                    if !self.people[who].instances[i].alive {
                        break;
                    }
                    match self.look(who, i, t, &Look::Input(happened)) {
                        Found::Nothing => {}
                        found => self.wake(who, i, t, found),
                    }
                }
            }
        }
    }

    fn best_hour(&self, who: usize, i: usize, t: usize, channel: &str, within: &Expr) -> i64 {
        let end = self.later(who, self.now, within, Some((i, t)));
        self.scoped(who, Some((i, t)), None, |s| {
            let event = format!("{channel}.opened");
            let opens: Vec<u32> = s.person.log.iter().filter(|o| o.event == event).map(|o| o.hour).collect();
            let score = |at: i64| opens.iter().filter(|h| **h == calendar::hour_of_day(s.zone, at)).count();
            let (mut best, mut at) = (s.now, s.now);
            loop {
                at = calendar::next_hour(s.zone, at);
                if at > end {
                    return best;
                }
                if score(at) > score(best) {
                    best = at;
                }
            }
        })
    }

    /// A message, from one of its channels on; whether the thread goes on.
    fn send(&mut self, who: usize, i: usize, t: usize, step: &'p Step, send: &'p Send, from: usize) -> bool {
        let project = self.project;
        let journey = self.people[who].instances[i].journey;
        let topic = send.topic.as_ref().map_or(project.journeys[journey].topic.as_str(), |t| &t.text);
        let transactional = topic == "transactional";
        let (names, first) = match &send.route {
            Route::Channel(name) => (std::slice::from_ref(name), false),
            Route::FirstOf(names) => (names.as_slice(), true),
            Route::AllOf(names) => (names.as_slice(), false),
        };
        let mut channels: Vec<&str> = names.iter().map(|n| n.text.as_str()).collect();
        if first {
            channels.retain(|c| self.people[who].obstacle(project, c, topic).is_none());
            channels.truncate(1);
        }
        if channels.is_empty() || (first && project.journeys[journey].holdout) {
            if self.exit_when(who, i) {
                self.leave(who, i, "exit");
                return false;
            }
            let reason = if project.journeys[journey].holdout { "holdout" } else { "unreachable" };
            self.tell(who, journey, Kind::Skipped(reason.into()));
            return true;
        }
        let mut fresh = from == 0;
        for (index, channel) in channels.iter().enumerate().skip(from) {
            if self.exit_when(who, i) {
                self.leave(who, i, "exit");
                return false;
            }
            if project.journeys[journey].holdout {
                self.tell(who, journey, Kind::Skipped("holdout".into()));
                continue;
            }
            if let Some(reason) = self.people[who].obstacle(project, channel, topic) {
                self.tell(who, journey, Kind::Skipped(reason.into()));
                continue;
            }
            if !transactional {
                if let Some(until) = self.quiet_until(who, channel) {
                    let wait = Wait::Quiet { until, step, channel: index };
                    self.people[who].instances[i].threads[t].wait = Some(wait);
                    return false;
                }
                if self.capped(who, channel) {
                    self.tell(who, journey, Kind::Skipped("cap".into()));
                    continue;
                }
            }
            let (content, template) = self.scoped(who, Some((i, t)), None, |s| match &send.content {
                Content::Template(name) => (format!("template {}", name.text), Some(name.text.clone())),
                Content::Text(Expr { kind: ExprKind::Text(parts), .. }) => (format!("text {}", s.text(parts)), None),
                Content::Text(other) => panic!("a text: {other:?}"),
            });
            let channel = (*channel).to_owned();
            let person = &mut self.people[who];
            let to = project.contact(&channel).map(|c| person.attribute(project, c)).unwrap_or_default();
            let outcomes = Vec::new();
            person.sent.push(Sent { time: self.now, channel: channel.clone(), template, to, transactional, outcomes });
            if let Some(alias) = &send.alias {
                let bound = person.instances[i].messages.entry(alias.text.clone()).or_default();
                if std::mem::take(&mut fresh) {
                    bound.clear();
                }
                bound.push(person.sent.len() - 1);
            }
            self.tell(who, journey, Kind::Message { channel, content, transactional });
        }
        true
    }

    fn quiet_until(&self, who: usize, channel: &str) -> Option<i64> {
        self.project.rules.iter().find_map(|rule| {
            let PolicyKind::QuietHours { from, to, channels } = rule else { return None };
            if !channels.is_empty() && channels.iter().all(|c| c.text != channel) {
                return None;
            }
            self.scoped(who, None, None, |s| match (s.value(from), s.value(to)) {
                (Value::Time(from), Value::Time(to)) => calendar::quiet_until(s.zone, s.now, from, to),
                other => panic!("times of day: {other:?}"),
            })
        })
    }

    fn capped(&self, who: usize, channel: &str) -> bool {
        self.project.rules.iter().any(|rule| {
            let PolicyKind::Cap { count, channel: only, window, everyone: false } = rule else { return false };
            if only.as_ref().is_some_and(|c| c.text != channel) {
                return false;
            }
            let Value::Duration(window) = self.scoped(who, None, None, |s| s.value(window)) else { return false };
            let counts = |m: &&Sent| {
                !m.transactional
                    && only.as_ref().is_none_or(|c| c.text == m.channel)
                    && m.time > self.now - window.window_millis()
            };
            self.people[who].sent.iter().filter(counts).count() as i64 >= *count
        })
    }
}
