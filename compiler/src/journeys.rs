//! Journeys: their headers.

use crate::bytecode::{
    Again, Enter, EnterMode, EventId, Exit, Goal, Journey, JourneyId, ListId, SegmentId, Step, TopicId, Trigger,
};
use crate::compile_codes as code;
use crate::context::{index, Cx, JourneyCx, Scope, TriggerAccess};
use crate::diagnostic::Diagnostic;
use crate::lower::moving;
use crate::names::nearest;
use crate::node::{Known, Node};
use crate::schema::offer;
use crate::types::Kind;
use flow_grammar::ast::{self, Clause, ClauseKind, EnterPart, EventMatch, Expr, ExprKind, Name, TriggerKind};
use flow_grammar::span::Span;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// A trigger with what its events turned out to be.
struct Found<'a> {
    trigger: &'a ast::Trigger,
    event: Option<EventId>,
    without: Option<EventId>,
}

impl Cx<'_> {
    /// Compiles one journey.
    pub fn compile_journey(&mut self, id: JourneyId, decl: &ast::JourneyDecl, name: String) -> Journey {
        let found = self.find_triggers(&decl.header);
        let topic = self.journey_topic(&decl.header);
        let events: Vec<EventId> = found.iter().filter_map(|f| f.event).collect();
        let eventless = |kind: &TriggerKind| {
            !matches!(kind, TriggerKind::Event(_) | TriggerKind::Without { .. } | TriggerKind::Broken)
        };
        let ends = |kind: &ClauseKind| {
            matches!(kind, ClauseKind::ExitOn(_) | ClauseKind::ExitWhen(_) | ClauseKind::ExitAfter(_))
        };
        self.journey = Some(JourneyCx {
            id,
            topic,
            events,
            fieldless: found.iter().any(|f| eventless(&f.trigger.kind)),
            broken: found.iter().any(|f| f.event.is_none() && !eventless(&f.trigger.kind)),
            fields: Vec::new(),
            read: BTreeSet::new(),
            slots: 0,
            messages: 0,
            bound: Vec::new(),
            bounded: decl.header.iter().any(|clause| ends(&clause.kind)),
        });
        let begun = self.known_at_entry(&found);
        let title = decl.title.as_ref().map_or_else(String::new, |t| t.value.clone());
        let mut journey = Journey { title, topic, span: decl.span, ..Journey::empty(name) };
        for trigger in found {
            let lowered = self.trigger(&trigger);
            journey.triggers.extend(lowered);
        }
        self.clauses(&decl.header, &mut journey);
        journey.steps = self.body(&decl.body, begun);
        self.check_moved(&decl.header, &journey.steps);
        if let Some(done) = self.journey.take() {
            journey.trigger_fields = done.fields;
            // Where nobody reads it, a key that is missing is one more key.
            for field in &mut journey.trigger_fields {
                field.optional |= !done.read.contains(&field.name);
            }
            journey.slots = done.slots;
            journey.messages = done.messages;
        }
        journey
    }

    /// Where every trigger is an answer by one channel, the person has just written.
    fn known_at_entry(&self, triggers: &[Found<'_>]) -> Known {
        let mut answers = triggers.iter().map(|found| match &found.trigger.kind {
            TriggerKind::Event(_) => self.answered(found.event?),
            _ => None,
        });
        let mut known = Known::default();
        if let Some(Some(first)) = answers.next() {
            if answers.all(|other| other.as_ref() == Some(&first)) {
                known.add(first);
            }
        }
        known
    }

    /// `moved OLD to NEW` must lead to a step that there is.
    fn check_moved(&mut self, header: &[Clause], steps: &[Step]) {
        for clause in header {
            let ClauseKind::Moved(_, new) = &clause.kind else { continue };
            if steps.iter().any(|step| step.identity == new.text) || self.is_broken(clause.span) {
                continue;
            }
            let named = self.journey.iter().flat_map(|journey| journey.bound.iter().map(|bound| bound.name.as_str()));
            let near = nearest(&new.text, named).map(str::to_owned);
            let message = format!("no step of this journey is called `{}`", new.text);
            let problem = Diagnostic::error(code::UNKNOWN_NAME, new.span, message);
            self.report(offer(problem, near, new.span, "give the step its name with `as`"));
        }
    }

    fn find_triggers<'d>(&mut self, header: &'d [Clause]) -> Vec<Found<'d>> {
        let mut found = Vec::new();
        for clause in header {
            let ClauseKind::On(triggers) = &clause.kind else { continue };
            for trigger in triggers {
                let (event, without) = match &trigger.kind {
                    TriggerKind::Event(event) => (self.event_ref(&event.event), None),
                    TriggerKind::Without { event, without, .. } => {
                        (self.event_ref(&event.event), self.event_ref(&without.event))
                    }
                    _ => (None, None),
                };
                found.push(Found { trigger, event, without });
            }
        }
        found
    }

    fn journey_topic(&mut self, header: &[Clause]) -> TopicId {
        let named = header.iter().find_map(|clause| match &clause.kind {
            ClauseKind::Topic(name) => Some(name),
            _ => None,
        });
        if let Some(name) = named {
            self.refer(name.span, crate::symbols::Symbol::Topic(name.text.clone()));
        }
        let named = named.map(|name| name.text.clone());
        self.topic(named.as_deref().unwrap_or(""))
    }

    // Triggers.

    fn trigger(&mut self, found: &Found) -> Option<Trigger> {
        let outside = Scope::outside();
        match &found.trigger.kind {
            TriggerKind::Event(event) => {
                let id = found.event?;
                Some(Trigger::Event { event: id, filter: self.trigger_filter(event.filter.as_ref(), id) })
            }
            TriggerKind::Without { event, without, within } => {
                let filter = found.event.and_then(|id| self.trigger_filter(event.filter.as_ref(), id));
                let scope = Scope { trigger: TriggerAccess::Kept, ..Scope::outside() };
                let without_filter = match (&without.filter, found.without) {
                    (Some(filter), Some(id)) => Some(self.event_filter(filter, id, &scope)),
                    _ => None,
                };
                let within = self.positive_duration(within, &outside);
                Some(Trigger::Without {
                    event: found.event?,
                    filter,
                    without: found.without?,
                    without_filter,
                    within: within?,
                })
            }
            TriggerKind::Enter(condition) => Some(Trigger::Enter(self.followed_segment(condition))),
            TriggerKind::Leave(condition) => Some(Trigger::Leave(self.followed_segment(condition))),
            TriggerKind::Change { attribute, filter } => {
                let id = self.attribute(attribute);
                let filter = filter.as_ref().map(|filter| {
                    let node = self.condition(filter, &outside);
                    self.lower(&node)
                });
                let id = id?;
                if let Some(attribute) = self.program.attributes.get_mut(id.index()) {
                    attribute.watched = true;
                }
                Some(Trigger::Change { attribute: id, filter })
            }
            TriggerKind::Date { date, yearly, at } => self.date_trigger(date, *yearly, at),
            TriggerKind::Every { days, at, audience } => {
                let at = self.const_time(at, &outside);
                let audience = audience.as_ref().map(|audience| {
                    let node = self.condition(audience, &outside);
                    self.lower(&node)
                });
                Some(Trigger::Every { days: days.set, at: at?, audience })
            }
            TriggerKind::List(name) => Some(Trigger::List(self.list_id(&name.value))),
            TriggerKind::Broken => None,
        }
    }

    fn trigger_filter(&mut self, filter: Option<&Expr>, event: EventId) -> Option<crate::bytecode::CodeId> {
        let scope = Scope { trigger: TriggerAccess::Frame(event), ..Scope::outside() };
        filter.map(|filter| self.event_filter(filter, event, &scope))
    }

    /// The segment that a journey enters or leaves by: a named one, or one of its own.
    fn followed_segment(&mut self, condition: &Expr) -> SegmentId {
        let named = match &condition.kind {
            ExprKind::Name(name) => self.schema.segments.get(&name.text).copied(),
            _ => None,
        };
        if named.is_some() {
            let name = self.text(condition.span).to_owned();
            self.refer(condition.span, crate::symbols::Symbol::Segment(name));
        }
        let id = named.unwrap_or_else(|| {
            self.segment_wanted = true;
            let id = self.anonymous_segment(condition);
            self.segment_wanted = false;
            id
        });
        if let Some(segment) = self.program.segments.get_mut(id.index()) {
            segment.followed = true;
        }
        id
    }

    fn anonymous_segment(&mut self, condition: &Expr) -> SegmentId {
        let name = self.folded(condition.span);
        let node = self.condition(condition, &Scope::outside());
        let condition_of = self.followed(&node);
        let id = self.add_segment(&name, condition.span);
        if let Some(segment) = self.program.segments.get_mut(id.index()) {
            segment.condition = condition_of;
        }
        id
    }

    fn date_trigger(&mut self, date: &Expr, yearly: bool, at: &Expr) -> Option<Trigger> {
        let outside = Scope::outside();
        let node = self.expr(date, &outside);
        let node = self.coerce(node, &Kind::Date, true, "`on date`");
        self.stands_still(
            &node,
            "the day of a trigger",
            "name an attribute or a date; for every day there is `on every day at …`",
        );
        let at = self.const_time(at, &outside);
        if node.is_poison() {
            return None;
        }
        let date = self.lower(&node);
        let deps = self.deps(date);
        Some(Trigger::Date { date, deps, yearly, at: at? })
    }

    /// A moment that runs away with time is never reached.
    pub fn stands_still(&mut self, node: &Node, what: &str, help: &str) {
        if moving::moves(node) {
            let message =
                format!("{what} is computed anew as time goes on, and `{}` moves along", self.folded(node.span));
            self.report(Diagnostic::error(code::CANNOT_FOLLOW, node.span, message).help(help));
        }
    }

    pub fn list_id(&mut self, name: &str) -> ListId {
        let at = self.program.lists.iter().position(|list| list == name).unwrap_or_else(|| {
            self.program.lists.push(name.to_owned());
            self.program.lists.len() - 1
        });
        ListId(index(at))
    }

    /// A constant duration that is longer than nothing.
    pub fn positive_duration(&mut self, expr: &Expr, scope: &Scope) -> Option<crate::bytecode::Duration> {
        let value = self.const_duration(expr, scope)?;
        if value.window_millis() <= 0 {
            let problem = Diagnostic::error(code::OUT_OF_RANGE, expr.span, "the duration must be longer than nothing");
            self.report(problem.help("write how long, like `2h`"));
            return None;
        }
        Some(value)
    }

    // Rules.

    fn clauses(&mut self, header: &[Clause], journey: &mut Journey) {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        let mut parts: Vec<&EnterPart> = Vec::new();
        for clause in header {
            let single = match &clause.kind {
                ClauseKind::Topic(_) => Some("topic"),
                ClauseKind::Holdout(..) => Some("holdout"),
                ClauseKind::ExitAfter(_) => Some("exit after"),
                _ => None,
            };
            if let Some(place) = single.and_then(|word| first.insert(word, clause.span)) {
                let message = format!("`{}` stands there twice", single.unwrap_or(""));
                let problem = Diagnostic::error(code::CLAUSE_TWICE, clause.span, message);
                self.report(problem.label(place, "the first").help("keep one of the two"));
            }
            if let ClauseKind::Enter(more) = &clause.kind {
                parts.extend(more);
            }
            self.clause(&clause.kind, journey);
        }
        journey.enter = self.enter(&parts);
    }

    fn clause(&mut self, kind: &ClauseKind, journey: &mut Journey) {
        let inside = Scope::inside(Known::default());
        match kind {
            ClauseKind::ExitOn(events) => {
                for event in events {
                    let found = self.event_match(event, &inside);
                    journey.exits.extend(found.map(|(event, filter)| Exit::On { event, filter }));
                }
            }
            ClauseKind::ExitWhen(condition) => {
                let node = self.condition(condition, &inside);
                journey.exits.push(Exit::When(self.followed(&node)));
            }
            ClauseKind::ExitAfter(length) => {
                journey.exits.extend(self.positive_duration(length, &inside).map(Exit::After));
            }
            ClauseKind::Goal { event, within } => {
                let found = self.event_match(event, &inside);
                let within = within.as_ref().and_then(|within| self.positive_duration(within, &inside));
                journey.goals.extend(found.map(|(event, filter)| Goal { event, filter, within }));
            }
            ClauseKind::Holdout(share, span) => journey.holdout = self.holdout(*share, *span),
            ClauseKind::Moved(old, new) => journey.moved.push((old.text.clone(), new.text.clone())),
            ClauseKind::Ended(old) => journey.ended.push(old.text.clone()),
            ClauseKind::On(_) | ClauseKind::Enter(_) | ClauseKind::Topic(_) | ClauseKind::Broken => {}
        }
    }

    fn event_match(&mut self, event: &EventMatch, scope: &Scope) -> Option<(EventId, Option<crate::bytecode::CodeId>)> {
        let id = self.event_ref(&event.event)?;
        let filter = event.filter.as_ref().map(|filter| self.event_filter(filter, id, scope));
        Some((id, filter))
    }

    fn holdout(&mut self, share: Decimal, span: Span) -> Option<Decimal> {
        if share >= Decimal::ZERO && share <= Decimal::ONE_HUNDRED {
            return Some(share);
        }
        let message = format!("a holdout of {share}% is no share of all people");
        self.report(
            Diagnostic::error(code::OUT_OF_RANGE, span, message).help("write a share from 0% to 100%, like `5%`"),
        );
        None
    }

    fn enter(&mut self, parts: &[&EnterPart]) -> Enter {
        let mut enter = Enter::default();
        let (mut again, mut mode): (Option<Span>, Option<Span>) = (None, None);
        for part in parts {
            match part {
                EnterPart::Once(span) => {
                    self.one_rule(&mut again, *span);
                    enter.again = Again::Never;
                }
                EnterPart::OncePer(length) => {
                    self.one_rule(&mut again, length.span);
                    let length = self.positive_duration(length, &Scope::outside());
                    enter.again = length.map_or(Again::Yes, Again::After);
                }
                EnterPart::Restart(span) => {
                    self.one_rule(&mut mode, *span);
                    enter.mode = EnterMode::Restart;
                }
                EnterPart::Always(span) => {
                    self.one_rule(&mut mode, *span);
                    enter.mode = EnterMode::Always;
                }
                EnterPart::Per(fields) => self.entry_key(fields, &mut enter),
            }
        }
        enter
    }

    /// Two rules about the same thing contradict each other.
    fn one_rule(&mut self, first: &mut Option<Span>, span: Span) {
        if let Some(place) = first {
            let message = format!("`{}` contradicts what `enter` says before", self.folded(span));
            let problem = Diagnostic::error(code::ENTER_RULES, span, message);
            let help = "keep one: `once` or `once per …`, and `restart` or `always`";
            self.report(problem.label(*place, "said here first").help(help));
        }
        *first = Some(span);
    }

    fn entry_key(&mut self, fields: &[Name], enter: &mut Enter) {
        for field in fields {
            if let Some((at, _)) = self.keep_key_field(field) {
                if enter.key.contains(&at) {
                    let message = format!("`{}` stands there twice", field.text);
                    self.report(
                        Diagnostic::error(code::CLAUSE_TWICE, field.span, message).help("name each field once"),
                    );
                } else {
                    enter.key.push(at);
                }
            }
        }
    }

    /// Journeys that a step starts must not read what only an event can give.
    pub fn check_starts(&mut self) {
        for (span, id) in std::mem::take(&mut self.starts) {
            let Some(journey) = self.program.journeys.get(id.index()) else { continue };
            let Some(field) = journey.trigger_fields.iter().find(|f| !f.optional) else { continue };
            let message = format!("`{}` reads the trigger's `{}`, and `start` gives it none", journey.name, field.name);
            let name = field.name.clone();
            let place = self.schema.journey_items.iter().find(|(other, _)| *other == id);
            let place = place.and_then(|(_, decl)| decl.name.as_ref()).map_or(journey.span, |name| name.span);
            let help = format!("emit an event that has `{name}` and let the journey begin with it");
            self.report(
                Diagnostic::error(code::START_NEEDS_TRIGGER, span, message).label(place, "the journey").help(help),
            );
        }
    }

    /// A journey that nothing begins.
    pub fn check_begins(&mut self, decl: &ast::JourneyDecl, id: JourneyId) {
        let has_trigger =
            decl.header.iter().any(|clause| matches!(clause.kind, ClauseKind::On(_) | ClauseKind::Broken));
        let empty = decl.header.is_empty() && decl.body.is_empty();
        let lost = empty && self.syntax_errors.iter().any(|span| span.file == decl.span.file);
        let started = self.starts.iter().any(|(_, started)| *started == id) || self.elsewhere.started.contains(&id);
        if has_trigger || started || lost || self.is_broken(decl.span) {
            return;
        }
        let span = decl.name.as_ref().map_or(decl.span, |name| name.span);
        let problem = Diagnostic::error(code::NO_TRIGGER, span, "nothing begins this journey");
        self.report(problem.help("add `on …`, or start it from another journey"));
    }
}
