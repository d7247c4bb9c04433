//! The oracle: one input after the other, in the order of the contract's section 8.3.

use crate::evaluate::{event_name, Scope};
use crate::person::{Caused, Entry, Fields, Input, Instance, Occurrence, Pending, Person, Thread};
use crate::project::{coerced, Project};
use flow_grammar::ast::{ClauseKind, EventMatch, EventRef, Expr, TriggerKind};
use flow_runtime::calendar;
use flow_runtime::vm::value::Value;
use std::collections::BTreeMap;

/// More inputs than this at one instant, and the case says nothing.
pub const CHAIN: usize = 60;

/// What came about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    pub time: i64,
    pub user: String,
    pub journey: String,
    pub kind: Kind,
}

/// The kinds of effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Entered { holdout: bool },
    Left(&'static str),
    Converted,
    Skipped(String),
    Audience { name: String, added: bool },
    Message { channel: String, content: String, transactional: bool },
}

/// What happened by one input.
#[derive(Clone, Debug)]
pub enum Happened {
    Event {
        name: String,
        fields: Fields,
    },
    /// What became of a message, by its place among those sent.
    Outcome {
        message: usize,
        word: String,
    },
    Changed(String),
    Listed(String),
    Started(String),
}

/// All people, and what came about.
pub struct Oracle<'p> {
    pub project: &'p Project,
    pub people: Vec<Person<'p>>,
    /// The clock.
    pub now: i64,
    /// How many inputs were taken.
    pub seq: u64,
    pub effects: Vec<Effect>,
    /// From one look at everything to the next.
    pub grain: i64,
    /// A chain of causes became too long to be told.
    pub cut: bool,
    pub chain: usize,
    pub aliases: BTreeMap<String, String>,
}

impl<'p> Oracle<'p> {
    pub fn new(project: &'p Project, grain: i64) -> Self {
        Self {
            project,
            people: Vec::new(),
            now: i64::MIN,
            seq: 0,
            effects: Vec::new(),
            grain,
            cut: false,
            chain: 0,
            aliases: BTreeMap::new(),
        }
    }

    /// Takes an input of the outside world.
    pub fn input(&mut self, id: &str, time: i64, input: Input) {
        self.advance(time);
        let who = self.person(id);
        self.take(who, Some(input), Vec::new());
        self.drain(who);
    }

    /// The person of that id.
    pub fn person(&mut self, id: &str) -> usize {
        let id = self.aliases.get(id).map_or(id, String::as_str).to_owned();
        if let Some(who) = self.people.iter().position(|p| p.id == id) {
            return who;
        }
        self.people.push(Person { id, ..Person::default() });
        self.people.len() - 1
    }

    /// Evaluates in the place of an instance and thread, or outside of any journey.
    pub fn scoped<T>(
        &self,
        who: usize,
        place: Option<(usize, usize)>,
        event: Option<&Fields>,
        look: impl FnOnce(&Scope) -> T,
    ) -> T {
        let person = &self.people[who];
        let zone = person.zone(self.project);
        let instance = place.map(|(i, _)| &person.instances[i]);
        let thread = place.map(|(i, t)| &person.instances[i].threads[t]);
        look(&Scope {
            project: self.project,
            person,
            zone: &zone,
            now: self.now,
            topic: instance.map_or("", |i| &self.project.journeys[i.journey].topic),
            entry: instance.map(|i| &i.entry),
            bound: thread.map_or(&[], |t| &t.bound),
            messages: instance.map(|i| &i.messages),
            event,
        })
    }

    /// An instant and a length of time, in the person's calendar.
    pub fn later(&self, who: usize, start: i64, length: &Expr, place: Option<(usize, usize)>) -> i64 {
        self.scoped(who, place, None, |s| match s.value(length) {
            Value::Duration(length) => calendar::add(s.zone, start, length),
            other => panic!("a length of time: {other:?}"),
        })
    }

    pub fn tell(&mut self, who: usize, journey: usize, kind: Kind) {
        let (user, journey) = (self.people[who].id.clone(), self.project.journeys[journey].name.clone());
        self.effects.push(Effect { time: self.now, user, journey, kind });
    }

    /// Takes what steps caused, until all is at rest.
    pub fn drain(&mut self, who: usize) {
        self.chain = 0;
        while let Some(caused) = self.people[who].queue.pop_front() {
            self.chain += 1;
            if self.chain > CHAIN {
                self.cut = true;
                self.people[who].queue.clear();
                return;
            }
            match caused {
                Caused::Changed(attribute) => self.take(who, None, vec![Happened::Changed(attribute)]),
                Caused::Started(journey) => self.take(who, None, vec![Happened::Started(journey)]),
                Caused::Emitted { event, fields } => {
                    self.take(who, Some(Input::Event { event, time: self.now, fields }), Vec::new());
                }
            }
        }
    }

    /// One input: what is known; exits and goals; waits; segments; entries.
    fn take(&mut self, who: usize, input: Option<Input>, mut happened: Vec<Happened>) {
        self.seq += 1;
        // One who was not seen before satisfies nothing.
        let new = self.people[who].satisfied.is_empty();
        let before = if new { BTreeMap::new() } else { self.segment_values(who) };
        if let Some(input) = input {
            self.update(who, input, &mut happened);
        }
        self.goals_and_exits(who, &happened);
        self.end_pending(who, &happened);
        self.wake_by_input(who, &happened);
        let moved = self.segment_moves(who, &before, &happened);
        for journey in 0..self.project.journeys.len() {
            self.enter_by_input(who, journey, &happened, &moved);
        }
    }

    fn update(&mut self, who: usize, input: Input, happened: &mut Vec<Happened>) {
        let (seq, project) = (self.seq, self.project);
        let zone = self.people[who].zone(project);
        let person = &mut self.people[who];
        match input {
            Input::Event { event, time, fields } => {
                let hour = calendar::hour_of_day(&zone, time);
                person.log.push(Occurrence { event: event.clone(), time, seq, hour, fields: fields.clone() });
                happened.push(Happened::Event { name: event, fields });
            }
            Input::Outcome { channel, outcome, template, soft, time } => {
                let event = format!("{channel}.{outcome}");
                let hour = calendar::hour_of_day(&zone, time);
                person.log.push(Occurrence { event: event.clone(), time, seq, hour, fields: Fields::new() });
                happened.push(Happened::Event { name: event, fields: Fields::new() });
                let meant = person.sent.iter().rposition(|m| {
                    m.channel == channel && m.time <= time && (template.is_none() || m.template == template)
                });
                // A bounce says nothing of a contact that the message did not go to.
                let now = project.contact(&channel).map(|c| person.attribute(project, c)).unwrap_or_default();
                let past = meant.is_some_and(|m| person.sent[m].to != now);
                if let Some(message) = meant {
                    person.sent[message].outcomes.push(outcome.clone());
                    happened.push(Happened::Outcome { message, word: outcome.clone() });
                }
                match outcome.as_str() {
                    "bounced" if !soft && !past => person.bounced.push(channel),
                    "complained" | "unsubscribed" => person.closed.push(channel),
                    _ => {}
                }
            }
            Input::Attributes(values) => {
                for (name, value) in values {
                    if self.record(who, &name, value) {
                        happened.push(Happened::Changed(name));
                    }
                }
            }
            Input::Consent { topic, given } => person.consent.push((topic, given)),
            Input::Suppress { channel, suppressed: true } => person.closed.push(channel),
            Input::Suppress { channel, suppressed: false } => person.closed.retain(|c| *c != channel),
            Input::List(name) => happened.push(Happened::Listed(name)),
            Input::Several(inputs) => {
                for input in inputs {
                    self.update(who, input, happened);
                }
            }
        }
    }

    /// Notes the value of an attribute; whether it is another one.
    pub fn record(&mut self, who: usize, name: &str, value: Value) -> bool {
        let project = self.project;
        let value = project.attributes.get(name).map_or(value.clone(), |f| coerced(value.clone(), &f.ty));
        let person = &mut self.people[who];
        let before = person.attribute(project, name);
        person.changes.push((name.to_owned(), value));
        let changed = before != person.attribute(project, name);
        if changed {
            // A new contact lifts a bounce.
            person.bounced.retain(|channel| project.contact(channel) != Some(name));
        }
        changed
    }

    /// Whether an event is the one that a clause or wait names.
    pub fn is_event(&self, who: usize, instance: Option<usize>, event: &EventRef, happened: &Happened) -> bool {
        match (happened, &event.outcome) {
            (Happened::Event { name, .. }, _) => *name == event_name(event),
            (Happened::Outcome { message, word }, Some(outcome)) => {
                let messages = instance.map(|i| &self.people[who].instances[i].messages);
                *word == outcome.text
                    && messages.and_then(|m| m.get(&event.name.text)).is_some_and(|all| all.contains(message))
            }
            _ => false,
        }
    }

    pub fn matches(&self, who: usize, instance: usize, wanted: &EventMatch, happened: &[Happened]) -> bool {
        happened.iter().any(|h| {
            let none = Fields::new();
            let fields = if let Happened::Event { fields, .. } = h { fields } else { &none };
            self.is_event(who, Some(instance), &wanted.event, h)
                && wanted
                    .filter
                    .as_ref()
                    .is_none_or(|f| self.scoped(who, Some((instance, 0)), Some(fields), |s| s.holds(f)))
        })
    }

    fn goals_and_exits(&mut self, who: usize, happened: &[Happened]) {
        let project = self.project;
        for (j, journey) in project.journeys.iter().enumerate() {
            for i in 0..self.people[who].instances.len() {
                let instance = &self.people[who].instances[i];
                if instance.journey != j {
                    continue;
                }
                let met = !instance.converted
                    && journey.goals.iter().any(|(goal, within)| {
                        let counts = match within {
                            None => instance.alive,
                            Some(within) => self.now <= self.later(who, instance.entry.time, within, Some((i, 0))),
                        };
                        counts && self.matches(who, i, goal, happened)
                    });
                if met {
                    self.people[who].instances[i].converted = true;
                    self.tell(who, j, Kind::Converted);
                }
                if !self.people[who].instances[i].alive {
                    continue;
                }
                let on = journey.exits.iter().any(|exit| {
                    matches!(exit, ClauseKind::ExitOn(events) if events.iter().any(|e| self.matches(who, i, e, happened)))
                });
                if on || self.exit_when(who, i) {
                    self.leave(who, i, "exit");
                }
            }
        }
    }

    /// Whether an `exit when` holds.
    pub fn exit_when(&self, who: usize, i: usize) -> bool {
        let journey = &self.project.journeys[self.people[who].instances[i].journey];
        journey
            .exits
            .iter()
            .any(|exit| matches!(exit, ClauseKind::ExitWhen(c) if self.scoped(who, Some((i, 0)), None, |s| s.holds(c))))
    }

    pub fn leave(&mut self, who: usize, i: usize, why: &'static str) {
        let instance = &mut self.people[who].instances[i];
        instance.alive = false;
        let journey = instance.journey;
        self.tell(who, journey, Kind::Left(why));
    }

    /// `A without B`: B has come.
    fn end_pending(&mut self, who: usize, happened: &[Happened]) {
        let over = |pending: &Pending| self.is_over(who, pending, happened);
        let kept = self.people[who].pending.iter().filter(|p| !over(p)).cloned().collect();
        self.people[who].pending = kept;
    }

    /// Whether what must not follow, or an exit, is among what happened.
    pub fn is_over(&self, who: usize, pending: &Pending, happened: &[Happened]) -> bool {
        let journey = &self.project.journeys[pending.journey];
        let TriggerKind::Without { without, .. } = &journey.triggers[pending.trigger].kind else { return false };
        let exits = journey.exits.iter().flat_map(|exit| match exit {
            ClauseKind::ExitOn(events) => events.as_slice(),
            _ => &[],
        });
        let ends: Vec<&EventMatch> = exits.chain([without]).collect();
        happened.iter().any(|h| {
            let Happened::Event { fields, .. } = h else { return false };
            let entry = Entry { time: self.now, seq: self.seq, trigger: Some(pending.fields.clone()) };
            ends.iter().any(|end| {
                self.is_event(who, None, &end.event, h)
                    && end.filter.as_ref().is_none_or(|f| {
                        self.scoped(who, None, Some(fields), |s| Scope { entry: Some(&entry), ..*s }.holds(f))
                    })
            })
        })
    }

    /// The conditions of `on enter` and `on leave` with their present values.
    fn segment_values(&self, who: usize) -> BTreeMap<(usize, usize), bool> {
        let mut values = BTreeMap::new();
        for (j, journey) in self.project.journeys.iter().enumerate() {
            for (t, trigger) in journey.triggers.iter().enumerate() {
                if let TriggerKind::Enter(condition) | TriggerKind::Leave(condition) = &trigger.kind {
                    values.insert((j, t), self.scoped(who, None, None, |s| s.holds(condition)));
                }
            }
        }
        values
    }

    /// The triggers `on enter` and `on leave` that an input makes fire. What was so before the input already, because
    /// time passed, is left to the timers of the instant, where the condition does not ask for such inputs.
    fn segment_moves(
        &mut self,
        who: usize,
        before: &BTreeMap<(usize, usize), bool>,
        happened: &[Happened],
    ) -> Vec<(usize, usize)> {
        let values = self.segment_values(who);
        let project = self.project;
        let asks = |(j, t): (usize, usize)| match &project.journeys[j].triggers[t].kind {
            TriggerKind::Enter(condition) | TriggerKind::Leave(condition) => happened.iter().any(|h| match h {
                Happened::Event { name, .. } | Happened::Changed(name) => names(project, condition, name),
                _ => false,
            }),
            _ => false,
        };
        let by_input =
            |(at, holds): (&(usize, usize), &bool)| (before.get(at) != Some(holds) || asks(*at)).then_some(*at);
        let moved: Vec<_> = values.iter().filter_map(by_input).collect();
        self.moves(who, &values, |at| moved.contains(&at))
    }

    /// Those of one journey that time makes fire.
    pub fn segment_moves_of(&mut self, who: usize, journey: usize) -> Vec<(usize, usize)> {
        let values = self.segment_values(who);
        self.moves(who, &values, |(j, _)| j == journey)
    }

    fn moves(
        &mut self,
        who: usize,
        values: &BTreeMap<(usize, usize), bool>,
        wanted: impl Fn((usize, usize)) -> bool,
    ) -> Vec<(usize, usize)> {
        let mut moves = Vec::new();
        for (at, holds) in values.iter().filter(|(at, _)| wanted(**at)) {
            let held = self.people[who].satisfied.insert(*at, *holds).unwrap_or(false);
            let trigger = &self.project.journeys[at.0].triggers[at.1].kind;
            if *holds != held && *holds == matches!(trigger, TriggerKind::Enter(_)) {
                moves.push(*at);
            }
        }
        moves
    }

    fn enter_by_input(&mut self, who: usize, j: usize, happened: &[Happened], moved: &[(usize, usize)]) {
        let project = self.project;
        if happened.iter().any(|h| matches!(h, Happened::Started(name) if *name == project.journeys[j].name)) {
            self.enter(who, j, None);
            return;
        }
        for (t, trigger) in project.journeys[j].triggers.iter().enumerate() {
            let fires = |event: &EventMatch| {
                happened.iter().find_map(|h| {
                    let Happened::Event { fields, .. } = h else { return None };
                    let fits = self.is_event(who, None, &event.event, h)
                        && event.filter.as_ref().is_none_or(|f| self.scoped(who, None, Some(fields), |s| s.holds(f)));
                    fits.then(|| fields.clone())
                })
            };
            let holds =
                |filter: &Option<Expr>| filter.as_ref().is_none_or(|f| self.scoped(who, None, None, |s| s.holds(f)));
            match &trigger.kind {
                TriggerKind::Event(event) => {
                    if let Some(fields) = fires(event) {
                        self.enter(who, j, Some(fields));
                        return;
                    }
                }
                TriggerKind::Without { event, within, .. } => {
                    if let Some(fields) = fires(event) {
                        self.begin_pending(who, j, t, fields, within);
                        return;
                    }
                }
                TriggerKind::Enter(_) | TriggerKind::Leave(_) if moved.contains(&(j, t)) => {
                    self.enter(who, j, None);
                    return;
                }
                TriggerKind::Change { attribute, filter }
                    if happened.iter().any(|h| matches!(h, Happened::Changed(a) if *a == attribute.text))
                        && holds(filter) =>
                {
                    self.enter(who, j, None);
                    return;
                }
                TriggerKind::List(name)
                    if happened.iter().any(|h| matches!(h, Happened::Listed(n) if *n == name.value)) =>
                {
                    self.enter(who, j, None);
                    return;
                }
                _ => {}
            }
        }
    }

    fn key(&self, j: usize, trigger: Option<&Fields>) -> Vec<Value> {
        let per = &self.project.journeys[j].per;
        per.iter().map(|f| trigger.and_then(|t| t.get(f)).cloned().unwrap_or_default()).collect()
    }

    /// Whether the `enter` rules let somebody in; a `restart` makes room.
    fn admitted(&mut self, who: usize, j: usize, key: &[Value]) -> bool {
        let journey = &self.project.journeys[j];
        let person = &self.people[who];
        let mut before = person.entries.iter().filter(|(other, k, _)| *other == j && k == key);
        if journey.once && before.clone().next().is_some() {
            return false;
        }
        if let (Some(length), Some((_, _, last))) = (&journey.once_per, before.next_back()) {
            let last = *last;
            let again = self.scoped(who, None, None, |s| match s.value(length) {
                Value::Duration(length) => calendar::add(s.zone, last, length),
                _ => i64::MAX,
            });
            if self.now < again {
                return false;
            }
        }
        if journey.always {
            return true;
        }
        let here = |i: &&Instance| i.alive && i.journey == j && i.key == key;
        if journey.restart {
            while let Some(i) = self.people[who].instances.iter().position(|i| here(&i)) {
                self.leave(who, i, "restarted");
            }
            self.people[who].pending.retain(|p| p.journey != j || p.key != key);
            return true;
        }
        !person.instances.iter().any(|i| here(&i)) && !person.pending.iter().any(|p| p.journey == j && p.key == key)
    }

    fn begin_pending(&mut self, who: usize, journey: usize, trigger: usize, fields: Fields, within: &Expr) {
        let key = self.key(journey, Some(&fields));
        if self.admitted(who, journey, &key) {
            let due = self.later(who, self.now, within, None);
            self.people[who].pending.push(Pending { journey, trigger, key, fields, since: self.now, due });
        }
    }

    /// A trigger fired: in, if the rules allow it.
    pub fn enter(&mut self, who: usize, j: usize, trigger: Option<Fields>) {
        let key = self.key(j, trigger.as_ref());
        if self.admitted(who, j, &key) {
            self.begin(who, j, key, trigger);
        }
    }

    /// In.
    pub fn begin(&mut self, who: usize, j: usize, key: Vec<Value>, trigger: Option<Fields>) {
        let project = self.project;
        let (now, seq) = (self.now, self.seq);
        let person = &mut self.people[who];
        person.entries.push((j, key.clone(), now));
        let mut thread = Thread::default();
        thread.frames.push(crate::person::Frame::Steps(&project.journeys[j].body));
        person.instances.push(Instance {
            journey: j,
            alive: true,
            entry: Entry { time: now, seq, trigger },
            key,
            converted: false,
            threads: vec![thread],
            messages: BTreeMap::new(),
        });
        let i = person.instances.len() - 1;
        self.tell(who, j, Kind::Entered { holdout: project.journeys[j].holdout });
        if self.exit_when(who, i) {
            self.leave(who, i, "exit");
        } else {
            self.run(who, i, 0);
        }
    }
}

/// Whether a condition names an event or attribute, or a segment that does.
fn names(project: &Project, condition: &Expr, name: &str) -> bool {
    let text = format!("{condition:?}");
    let named = |name: &str| text.contains(&format!("\"{name}\""));
    named(name) || project.segments.iter().any(|(segment, inner)| named(segment) && names(project, inner, name))
}
