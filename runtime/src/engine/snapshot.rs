//! One person's state as bytes and back, exactly, for the same program.
//!
//! The first byte is [`VERSION`]. A change of what a person is made of needs a new one, and the old one stays readable
//! here, or its number is refused: a snapshot of an older make is then rebuilt from the journal.

use super::history::{EventHistory, Occurrence, Running};
use super::instance::{Bound, Instance, Thread, Waits};
use super::person::{Clocked, Entered, Membership, OpenGoal, Person, Rare, Recent, Suppressed};
use super::Engine;
use crate::pack::{self, Damaged, Read, Unpack};
use crate::vm::value::Value;
use flow_compiler::bytecode::{ChannelId, JourneyId, StepId, TopicId};
use std::sync::Arc;

/// How a person is written.
pub const VERSION: u8 = 2;

impl Engine {
    /// Appends a person's state.
    pub fn save(&self, person: &Person, out: &mut Vec<u8>) {
        out.push(VERSION);
        pack::text(out, &person.id);
        pack::uint(out, person.order);
        pack::instant(out, person.next_due);
        pack::values(out, &person.attributes);
        list(out, &person.history, history);
        list(out, &person.running, running);
        list(out, &person.instances, instance);
        pack::uint(out, person.numbers);
        pack::bool(out, person.has_rare());
        if person.has_rare() {
            rare(out, person.rare());
        }
    }

    /// Reads a person's state, as [`Self::save`] of an engine with the same program wrote it.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn restore(&self, read: &mut Unpack<'_>) -> Read<Person> {
        if read.byte()? != VERSION {
            return Err(Damaged("person of this version"));
        }
        let mut person = Person::new(read.text()?);
        person.order = read.uint()?;
        person.next_due = read.instant()?;
        person.attributes = read.values()?.into();
        person.history = read.list(read_history)?.into();
        person.running = read.list(read_running)?.into();
        person.instances = read.list(read_instance)?.into();
        person.numbers = read.uint()?;
        if read.bool()? {
            *person.rare_mut() = read_rare(read)?;
        }
        let zone = self.program.timezone_attr.and_then(|zone| person.attributes.get(zone.index()));
        if let Some(Value::Text(name)) = zone {
            person.zone = self.zones.get(name);
        }
        Ok(person)
    }
}

fn list<'t, T: 't, L>(out: &mut Vec<u8>, list: L, one: impl Fn(&mut Vec<u8>, &T))
where
    L: IntoIterator<Item = &'t T, IntoIter: ExactSizeIterator>,
{
    let list = list.into_iter();
    pack::size(out, list.len());
    for element in list {
        one(out, element);
    }
}

fn at(out: &mut Vec<u8>, at: Option<(i64, u64)>) {
    pack::bool(out, at.is_some());
    if let Some((time, order)) = at {
        pack::instant(out, time);
        pack::uint(out, order);
    }
}

fn read_at(read: &mut Unpack<'_>) -> Read<Option<(i64, u64)>> {
    Ok(if read.bool()? { Some((read.instant()?, read.uint()?)) } else { None })
}

fn history(out: &mut Vec<u8>, history: &EventHistory) {
    at(out, history.last());
    list(out, history.log(), |out, occurrence| {
        pack::instant(out, occurrence.at.0);
        pack::uint(out, occurrence.at.1);
        pack::values(out, &occurrence.fields);
    });
}

fn read_history(read: &mut Unpack<'_>) -> Read<EventHistory> {
    let last = read_at(read)?;
    let log = read.list(|read| {
        let at = (read.instant()?, read.uint()?);
        Ok(Occurrence { at, fields: read.values()?.into() })
    })?;
    Ok(EventHistory::new(last, log.into()))
}

fn running(out: &mut Vec<u8>, running: &Running) {
    pack::uint(out, running.count);
    pack::value(out, &running.value);
    at(out, running.at);
}

fn read_running(read: &mut Unpack<'_>) -> Read<Running> {
    Ok(Running { count: read.uint()?, value: read.value()?, at: read_at(read)? })
}

fn instance(out: &mut Vec<u8>, instance: &Instance) {
    pack::uint(out, u64::from(instance.journey.0));
    pack::uint(out, instance.number);
    pack::instant(out, instance.time);
    pack::uint(out, instance.order);
    at(out, instance.pending.map(|(trigger, due)| (due, trigger as u64)));
    pack::values(out, &instance.trigger);
    pack::bool(out, instance.holdout);
    pack::bool(out, instance.converted);
    pack::values(out, &instance.slots);
    list(out, &instance.messages, |out, bound| {
        list(out, &bound.ids, |out, id| pack::uint(out, *id));
        out.push(bound.outcomes);
    });
    list(out, &instance.threads, thread);
    pack::uint(out, u64::from(instance.begun));
    pack::uint(out, u64::from(instance.sent));
    pack::instant(out, instance.exit_due);
    pack::instant(out, instance.exit_horizon);
}

fn read_instance(read: &mut Unpack<'_>) -> Read<Instance> {
    Ok(Instance {
        journey: JourneyId(read.small()?),
        number: read.uint()?,
        time: read.instant()?,
        order: read.uint()?,
        pending: read_at(read)?.map(|(due, trigger)| (trigger as usize, due)),
        trigger: read.values()?.into(),
        holdout: read.bool()?,
        converted: read.bool()?,
        slots: read.values()?.into(),
        messages: read.list(|read| Ok(Bound { ids: read.list(Unpack::uint)?.into(), outcomes: read.byte()? }))?.into(),
        threads: read.list(read_thread)?.into(),
        begun: read.small()?,
        sent: read.small()?,
        exit_due: read.instant()?,
        exit_horizon: read.instant()?,
    })
}

fn thread(out: &mut Vec<u8>, thread: &Thread) {
    pack::uint(out, u64::from(thread.id));
    pack::uint(out, thread.parent.map_or(0, |parent| u64::from(parent) + 1));
    pack::uint(out, u64::from(thread.step.0));
    pack::instant(out, thread.since);
    pack::instant(out, thread.due);
    pack::instant(out, thread.bound);
    let (kind, number) = match thread.waits {
        Waits::AsStepSays => (0, 0),
        Waits::Quiet(channel) => (1, u64::from(channel)),
        Waits::Answer(request) => (2, request),
        Waits::Branches(count) => (3, u64::from(count)),
    };
    out.push(kind);
    pack::uint(out, number);
}

fn read_thread(read: &mut Unpack<'_>) -> Read<Thread> {
    Ok(Thread {
        id: read.small()?,
        parent: match read.small::<u32>()? {
            0 => None,
            parent => Some(u16::try_from(parent - 1).map_err(|_| Damaged("thread"))?),
        },
        step: StepId(read.small()?),
        since: read.instant()?,
        due: read.instant()?,
        bound: read.instant()?,
        waits: match read.byte()? {
            0 => read.uint().map(|_| Waits::AsStepSays)?,
            1 => Waits::Quiet(read.small()?),
            2 => Waits::Answer(read.uint()?),
            3 => Waits::Branches(read.small()?),
            _ => return Err(Damaged("wait")),
        },
    })
}

fn rare(out: &mut Vec<u8>, rare: &Rare) {
    list(out, &rare.entered, |out, entered| {
        pack::uint(out, u64::from(entered.journey.0));
        pack::values(out, &entered.key);
        pack::instant(out, entered.time);
    });
    list(out, &rare.goals, |out, goal| {
        pack::uint(out, u64::from(goal.journey.0));
        pack::size(out, goal.goal);
        pack::instant(out, goal.entry.0);
        pack::uint(out, goal.entry.1);
        pack::instant(out, goal.deadline);
        pack::values(out, &goal.trigger);
        pack::bool(out, goal.holdout);
    });
    list(out, &rare.segments, |out, segment| {
        pack::bool(out, segment.inside);
        pack::instant(out, segment.horizon);
    });
    list(out, &rare.clocked, |out, clocked| {
        pack::instant(out, clocked.due);
        pack::instant(out, clocked.fired);
    });
    list(out, &rare.suppressed, |out, suppressed| {
        pack::uint(out, u64::from(suppressed.channel.0));
        pack::bool(out, suppressed.bounced);
    });
    list(out, &rare.consent, |out, (topic, given)| {
        pack::uint(out, u64::from(topic.0));
        pack::bool(out, *given);
    });
    list(out, &rare.sends, |out, (time, channel)| {
        pack::instant(out, *time);
        pack::uint(out, u64::from(channel.0));
    });
    list(out, &rare.messages, |out, recent| {
        pack::uint(out, recent.id);
        pack::uint(out, u64::from(recent.channel.0));
        pack::text_or_none(out, recent.template.as_deref());
        pack::text_or_none(out, recent.to.as_deref());
        pack::instant(out, recent.time);
    });
    list(out, &rare.unused, |out, channel| pack::uint(out, u64::from(channel.0)));
    list(out, &rare.opens, |out, (channel, hours)| {
        pack::uint(out, u64::from(channel.0));
        for hour in hours {
            pack::uint(out, u64::from(*hour));
        }
    });
    pack::bool(out, rare.location.is_some());
    if let Some((time, latitude, longitude)) = rare.location {
        pack::instant(out, time);
        pack::decimal(out, latitude);
        pack::decimal(out, longitude);
    }
}

fn read_rare(read: &mut Unpack<'_>) -> Read<Rare> {
    Ok(Rare {
        entered: read.list(|read| {
            Ok(Entered { journey: JourneyId(read.small()?), key: read.values()?.into(), time: read.instant()? })
        })?,
        goals: read.list(|read| {
            Ok(OpenGoal {
                journey: JourneyId(read.small()?),
                goal: read.small()?,
                entry: (read.instant()?, read.uint()?),
                deadline: read.instant()?,
                trigger: read.values()?.into(),
                holdout: read.bool()?,
            })
        })?,
        segments: read.list(|read| Ok(Membership { inside: read.bool()?, horizon: read.instant()? }))?,
        clocked: read.list(|read| Ok(Clocked { due: read.instant()?, fired: read.instant()? }))?.into(),
        suppressed: read.list(|read| Ok(Suppressed { channel: ChannelId(read.small()?), bounced: read.bool()? }))?,
        consent: read.list(|read| Ok((TopicId(read.small()?), read.bool()?)))?,
        sends: read.list(|read| Ok((read.instant()?, ChannelId(read.small()?))))?,
        messages: read.list(|read| {
            let (id, channel) = (read.uint()?, ChannelId(read.small()?));
            let (template, to) = (read.text_or_none()?.map(Arc::from), read.text_or_none()?.map(Arc::from));
            Ok(Recent { id, channel, template, to, time: read.instant()? })
        })?,
        unused: read.list(|read| Ok(ChannelId(read.small()?)))?,
        opens: read.list(|read| {
            let channel = ChannelId(read.small()?);
            let mut hours = [0; 24];
            for hour in &mut hours {
                *hour = read.small()?;
            }
            Ok((channel, hours))
        })?,
        location: match read.bool()? {
            true => Some((read.instant()?, read.decimal()?, read.decimal()?)),
            false => None,
        },
    })
}
