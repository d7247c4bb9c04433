//! What is known of a person besides their journeys: attributes, history, consent, what caps and `once` remember.

use super::names::{carried, field, same_type};
use super::Succession;
use crate::engine::history::{self, at_place, EventHistory, Occurrence, Running};
use crate::engine::person::{Clocked, Entered, OpenGoal, Person, Rare, Recent, Suppressed};
use crate::engine::view::View;
use crate::vm::value::Value;
use crate::vm::Moment;
use flow_compiler::bytecode::{
    AttrId, ChannelId, Event, EventId, Journey, JourneyId, Op, Program, Query, QueryAnswer, Strategy, TopicId,
};
use std::collections::VecDeque;

/// The person with all that has a place in the new version, but in no journey.
pub(super) fn carry(succession: &Succession<'_>, person: &Person) -> Person {
    let mut next = Person::new(&person.id);
    (next.order, next.numbers) = (person.order, person.numbers);
    attributes(succession, person, &mut next);
    for (old, new) in (0..).zip(&succession.names.events) {
        if let Some(new) = new {
            event(succession, person, EventId(old), EventId(*new), &mut next);
        }
    }
    totals(succession, person, &mut next);
    if person.has_rare() {
        *next.rare_mut() = rare(succession, person.rare());
    }
    next
}

fn attributes(succession: &Succession<'_>, person: &Person, next: &mut Person) {
    let (old, new) = (&*succession.old.program, &*succession.new.program);
    for (place, value) in person.attributes.iter().enumerate().filter(|(_, value)| **value != Value::Missing) {
        let Some(to) = succession.names.attributes.get(place).copied().flatten().map(AttrId) else { continue };
        let (Some(from), Some(declared)) = (old.attributes.get(place), new.attributes.get(to.index())) else {
            continue;
        };
        *at_place(&mut next.attributes, to.index()) = carried(value, (old, &from.field.ty), (new, &declared.field.ty));
    }
    let zone = new.timezone_attr.and_then(|zone| next.attributes.get(zone.index()));
    if let Some(Value::Text(name)) = zone {
        next.zone = succession.new.zones.get(name);
    }
}

/// What is remembered of an event, as far as it was.
fn event(succession: &Succession<'_>, person: &Person, old: EventId, new: EventId, next: &mut Person) {
    let (before, after) = (succession.old, succession.new);
    let known = before.index.history_of(old).and_then(|place| person.history.get(place));
    let (Some(known), Some(place)) = (known, after.index.history_of(new)) else { return };
    let (Some(was), Some(is)) = (before.program.events.get(old.index()), after.program.events.get(new.index())) else {
        return;
    };
    let last = known.last().max(known.log().back().map(|occurrence| occurrence.at));
    let mut log = VecDeque::new();
    if let Some(fields) = after.index.kept_fields(new) {
        let value = |occurrence: &Occurrence, wanted: u16| {
            let from = field(is, wanted, was)?;
            let value = occurrence.fields.get(history::kept_field(&before.index, old, from)?)?;
            let types = (was.fields.get(from as usize)?, is.fields.get(wanted as usize)?);
            Some(carried(value, (&before.program, &types.0.ty), (&after.program, &types.1.ty)))
        };
        let carry = |occurrence: &Occurrence| Occurrence {
            at: occurrence.at,
            fields: fields.iter().map(|wanted| value(occurrence, *wanted).unwrap_or_default()).collect(),
        };
        log = known.log().iter().map(carry).collect();
        // Only the last was remembered: that it happened is known, not with what.
        if let (true, Some(at)) = (was.history.log.is_none(), last) {
            log.push_back(Occurrence { at, fields: vec![Value::Missing; fields.len()].into() });
        }
    }
    *at_place(&mut next.history, place) = EventHistory::new(last.filter(|_| is.history.last), log);
}

/// Running totals: those of the same question, or what the log can still tell.
fn totals(succession: &Succession<'_>, person: &Person, next: &mut Person) {
    for query in &succession.new.program.queries {
        let Strategy::Running(cell) = query.strategy else { continue };
        let total = match same_question(succession, query) {
            Some(old) => person.running.get(old as usize).cloned(),
            None => from_log(succession, next, query),
        };
        if let Some(total) = total {
            *at_place(&mut next.running, cell as usize) = total;
        }
    }
}

/// The cell of the old version that answers the same.
fn same_question(succession: &Succession<'_>, wanted: &Query) -> Option<u32> {
    let (old, new) = (&*succession.old.program, &*succession.new.program);
    let same = |query: &&Query| {
        let event = succession.names.events.get(query.event.index()).copied().flatten().map(EventId);
        let events = old.events.get(query.event.index()).zip(new.events.get(wanted.event.index()));
        event == Some(wanted.event)
            && query.window == wanted.window
            && events.is_some_and(|events| {
                same_answer(query.answer, wanted.answer, events) && same_filter((old, query), (new, wanted), events)
            })
    };
    old.queries.iter().filter(same).find_map(|query| match query.strategy {
        Strategy::Running(cell) => Some(cell),
        _ => None,
    })
}

fn same_answer(a: QueryAnswer, b: QueryAnswer, (old, new): (&Event, &Event)) -> bool {
    use QueryAnswer as A;
    let same = |a: u16, b: u16| field(old, a, new) == Some(b);
    match (a, b) {
        (A::Sum(a), A::Sum(b)) | (A::Min(a), A::Min(b)) | (A::Max(a), A::Max(b)) | (A::Avg(a), A::Avg(b)) => same(a, b),
        (A::FirstField(a), A::FirstField(b)) | (A::LastField(a), A::LastField(b)) => same(a, b),
        (a, b) => a == b,
    }
}

/// A filter of a running total reads constants and the event's own fields alone.
fn same_filter((old, a): (&Program, &Query), (new, b): (&Program, &Query), events: (&Event, &Event)) -> bool {
    let (Some(a), Some(b)) = (a.filter, b.filter) else { return a.filter.is_none() && b.filter.is_none() };
    let (Some(a), Some(b)) = (old.codes.get(a.index()), new.codes.get(b.index())) else { return false };
    let same = |(a, b): (&Op, &Op)| match (a, b) {
        (Op::Const(to, x), Op::Const(other, y)) => {
            to == other && old.constants.get(x.index()) == new.constants.get(y.index())
        }
        (Op::Field(to, x), Op::Field(other, y)) => to == other && field(events.0, *x, events.1) == Some(*y),
        (a, b) => a == b,
    };
    a.ops.len() == b.ops.len() && a.ops.iter().zip(&b.ops).all(same)
}

fn from_log(succession: &Succession<'_>, person: &Person, query: &Query) -> Option<Running> {
    let engine = succession.new;
    let log = person.history.get(engine.index.history_of(query.event)?)?.log();
    let kept = engine.index.kept_fields(query.event)?;
    let declared = engine.program.events.get(query.event.index())?;
    let mut total = Running::default();
    for occurrence in log {
        let mut fields = vec![Value::Missing; declared.fields.len()];
        for (place, value) in kept.iter().zip(&*occurrence.fields) {
            if let Some(field) = fields.get_mut(*place as usize) {
                *field = value.clone();
            }
        }
        let counts = query.filter.is_none_or(|filter| {
            let view = View::of(engine, person).testing(&fields);
            engine.truth(filter, &view, &mut Moment::at(occurrence.at.0))
        });
        if counts {
            history::add(&mut total, query.answer, occurrence.at, &fields);
        }
    }
    Some(total)
}

fn rare(succession: &Succession<'_>, rare: &Rare) -> Rare {
    let channel = |channel: ChannelId| succession.channel(channel);
    let mut next = Rare { location: rare.location, ..Rare::default() };
    for entered in &rare.entered {
        carry_entry(succession, entered, &mut next.entered);
    }
    next.goals = rare.goals.iter().filter_map(|goal| open_goal(succession, goal)).collect();
    next.suppressed =
        rare.suppressed.iter().filter_map(|s| Some(Suppressed { channel: channel(s.channel)?, ..*s })).collect();
    next.unused = rare.unused.iter().filter_map(|unused| channel(*unused)).collect();
    let topic = |(topic, given): &(TopicId, bool)| Some((succession.topic(*topic)?, *given));
    next.consent = rare.consent.iter().filter_map(topic).collect();
    next.sends = rare.sends.iter().filter_map(|(time, by)| Some((*time, channel(*by)?))).collect();
    let message = |message: &Recent| Some(Recent { channel: channel(message.channel)?, ..message.clone() });
    next.messages = rare.messages.iter().filter_map(message).collect();
    next.opens = rare.opens.iter().filter_map(|(by, hours)| Some((channel(*by)?, *hours))).collect();
    // When they are due next is looked at anew; that one has fired stays known.
    for (place, (journey, trigger)) in succession.old.index.clocked.iter().enumerate() {
        let Some(clocked) = rare.clocked.get(place) else { continue };
        let moved = succession.journeys.get(journey.index());
        let at = moved.and_then(|moved| Some((moved.to?, moved.triggers.get(*trigger).copied().flatten()?)));
        if let Some(place) = succession.new.index.clocked.iter().position(|new| Some(*new) == at) {
            *at_place(&mut next.clocked, place) = Clocked { due: i64::MAX, fired: clocked.fired };
        }
    }
    next
}

/// What `once` remembers. Where the key has other fields now, what they have in common counts.
fn carry_entry(succession: &Succession<'_>, entered: &Entered, entries: &mut Vec<Entered>) {
    let Some(to) = succession.journey(entered.journey) else { return };
    let (old, new) = (&succession.old.program.journeys, &succession.new.program.journeys);
    let (Some(old), Some(new)) = (old.get(entered.journey.index()), new.get(to.index())) else { return };
    let names = |journey: &Journey| -> Vec<Option<String>> {
        let name = |field: &u16| journey.trigger_fields.get(*field as usize).map(|field| field.name.clone());
        journey.enter.key.iter().map(name).collect()
    };
    let known = names(old);
    let value = |name: &Option<String>| entered.key.get(known.iter().position(|known| known == name)?).cloned();
    let Some(key) = names(new).iter().map(value).collect::<Option<Box<[Value]>>>() else { return };
    match entries.iter_mut().find(|entry| entry.journey == to && entry.key == key) {
        Some(entry) => entry.time = entry.time.max(entered.time),
        None => entries.push(Entered { journey: to, key, time: entered.time }),
    }
}

fn open_goal(succession: &Succession<'_>, goal: &OpenGoal) -> Option<OpenGoal> {
    let moved = succession.journeys.get(goal.journey.index())?;
    Some(OpenGoal {
        journey: moved.to?,
        goal: moved.goals.get(goal.goal).copied().flatten()?,
        trigger: trigger(succession, goal.journey, &goal.trigger)?,
        ..goal.clone()
    })
}

/// What an entry knows of its trigger.
pub(super) fn trigger(succession: &Succession<'_>, journey: JourneyId, values: &[Value]) -> Option<Box<[Value]>> {
    let (before, after) = (&*succession.old.program, &*succession.new.program);
    let old = before.journeys.get(journey.index())?;
    let new = after.journeys.get(succession.journey(journey)?.index())?;
    let fields = new.trigger_fields.iter().map(|wanted| {
        let place = old.trigger_fields.iter().position(|field| field.name == wanted.name)?;
        let (field, value) = (old.trigger_fields.get(place)?, values.get(place)?);
        Some(carried(value, (before, &field.ty), (after, &wanted.ty)))
    });
    Some(fields.map(Option::unwrap_or_default).collect())
}

/// What is asked of the past and was not kept.
pub(super) fn losses(succession: &Succession<'_>) -> Vec<String> {
    let (old, new) = (&*succession.old.program, &*succession.new.program);
    let mut losses = Vec::new();
    for (attribute, to) in old.attributes.iter().zip(&succession.names.attributes) {
        let declared = to.and_then(|to| new.attributes.get(to as usize));
        let name = &attribute.field.name;
        match declared {
            None => {
                losses.push(format!("what is known as user.{name} is forgotten: the new version has no such attribute"))
            }
            Some(declared) if !same_type((old, &attribute.field.ty), (new, &declared.field.ty)) => {
                losses.push(format!("user.{name} has another type: values that do not fit it are forgotten"));
            }
            Some(_) => {}
        }
    }
    for (event, to) in old.events.iter().zip(&succession.names.events) {
        let Some(declared) = to.and_then(|to| new.events.get(to as usize)) else { continue };
        if asks_more(event, declared) {
            losses.push(format!(
                "more of the past of {} is asked for than was kept: it is known from now on",
                declared.name
            ));
        }
    }
    for query in &new.queries {
        let is_new = matches!(query.strategy, Strategy::Running(_)) && same_question(succession, query).is_none();
        if let (true, Some(event)) = (is_new, new.events.get(query.event.index())) {
            losses
                .push(format!("a total over all {} is asked for anew: it counts what is still remembered", event.name));
        }
    }
    losses.dedup();
    losses
}

fn asks_more(old: &Event, new: &Event) -> bool {
    let Some(wanted) = &new.history.log else {
        return new.history.last && !old.history.last && old.history.log.is_none();
    };
    let Some(kept) = &old.history.log else { return true };
    let fields =
        wanted.fields.iter().all(|wanted| field(new, *wanted, old).is_some_and(|field| kept.fields.contains(&field)));
    let longer = kept.window.unwrap_or(0) < wanted.window.unwrap_or(0);
    !fields || (!kept.forever && (wanted.forever || longer))
}
