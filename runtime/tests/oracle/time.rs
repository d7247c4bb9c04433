//! What time alone causes: the oracle looks at everything, again and again.

use crate::oracle::Happened;
use crate::oracle::{Kind, Oracle};
use crate::person::{Occurrence, Pending, Person, Wait};
use crate::steps::{Found, Look};
use flow_grammar::ast::{ClauseKind, TriggerKind};
use flow_runtime::calendar;
use flow_runtime::vm::value::Value;

impl Oracle<'_> {
    /// Lets time pass up to an instant; the timers due at that instant itself are not fired yet.
    pub fn advance(&mut self, to: i64) {
        if self.people.is_empty() {
            self.now = self.now.max(to);
        }
        while self.now < to {
            for who in 0..self.people.len() {
                // One who turned out to be somebody else is nobody.
                if !self.people[who].id.is_empty() {
                    self.timers(who);
                }
            }
            self.now = self.next_look().min(to);
        }
    }

    /// Lets time pass up to and including an instant.
    pub fn finish(&mut self, until: i64) {
        self.advance(until + 1);
    }

    /// The next instant at which it may be worth a look. Everything changes at a multiple of the grain (or just
    /// after it), at the end of a wait, or at an event plus a length of time that the program names.
    fn next_look(&self) -> i64 {
        let now = self.now;
        let mut next = (now.div_euclid(self.grain) + 1) * self.grain;
        let mut at = |instant: i64| {
            for instant in [instant, instant.saturating_add(1)] {
                if instant > now && instant < next {
                    next = instant;
                }
            }
        };
        at(now.div_euclid(self.grain) * self.grain);
        for (who, person) in self.people.iter().enumerate() {
            for occurrence in &person.log {
                self.project.lengths.iter().for_each(|length| at(occurrence.time.saturating_add(*length)));
            }
            person.pending.iter().for_each(|p| at(p.due));
            for (i, instance) in person.instances.iter().enumerate().filter(|(_, i)| i.alive) {
                for exit in &self.project.journeys[instance.journey].exits {
                    if let ClauseKind::ExitAfter(length) = exit {
                        at(self.later(who, instance.entry.time, length, Some((i, 0))));
                    }
                }
                for (t, thread) in instance.threads.iter().enumerate() {
                    let mut limit = |bound| self.limit_at(who, i, t, bound).into_iter().for_each(&mut at);
                    if let Some(Wait::Clock { bound, .. } | Wait::For { bound, .. } | Wait::Until { bound, .. }) =
                        thread.wait
                    {
                        limit(bound);
                    }
                    match &thread.wait {
                        Some(Wait::Till(end) | Wait::Quiet { until: end, .. }) => at(*end),
                        Some(Wait::Clock { from, days, ms, .. }) => at(self.clock_at(who, *from, *days, *ms)),
                        Some(Wait::Until { until, .. }) => {
                            let moment = self.scoped(who, Some((i, t)), None, |s| s.value(until).as_instant(s.zone));
                            moment.into_iter().for_each(&mut at);
                        }
                        _ => {}
                    }
                }
            }
        }
        next
    }

    /// Everything that the present instant causes: for each journey the people who are in it, exits first, then
    /// those whom time brings in.
    fn timers(&mut self, who: usize) {
        for j in 0..self.project.journeys.len() {
            while let Some((i, due)) = self.due(who, j) {
                match due {
                    None => self.leave(who, i, "exit"),
                    Some((t, found)) => self.wake(who, i, t, found),
                }
                self.drain(who);
            }
            self.enter_by_time(who, j);
        }
    }

    /// The first instance of a journey that has something to do: an exit, or a thread.
    fn due(&self, who: usize, j: usize) -> Option<(usize, Option<(usize, Found)>)> {
        let person = &self.people[who];
        person.instances.iter().enumerate().filter(|(_, i)| i.alive && i.journey == j).find_map(|(i, instance)| {
            let after = self.project.journeys[j].exits.iter().any(|exit| {
                matches!(exit, ClauseKind::ExitAfter(length)
                    if self.later(who, instance.entry.time, length, Some((i, 0))) <= self.now)
            });
            if after || self.exit_when(who, i) {
                return Some((i, None));
            }
            let found = (0..instance.threads.len()).map(|t| (t, self.look(who, i, t, &Look::Time)));
            found.into_iter().find(|(_, found)| *found != Found::Nothing).map(|due| (i, Some(due)))
        })
    }

    fn enter_by_time(&mut self, who: usize, j: usize) {
        while let Some(p) = self.people[who].pending.iter().position(|p| p.journey == j && p.due <= self.now) {
            let pending = self.people[who].pending.remove(p);
            self.begin(who, j, pending.key, Some(pending.fields));
            self.drain(who);
        }
        let moved = self.segment_moves_of(who, j);
        let fires = self.project.journeys[j].triggers.iter().enumerate().any(|(t, trigger)| match &trigger.kind {
            TriggerKind::Enter(_) | TriggerKind::Leave(_) => moved.contains(&(j, t)),
            TriggerKind::Every { days, at, audience } => self.scoped(who, None, None, |s| {
                let Value::Time(at) = s.value(at) else { panic!("a time of day") };
                let today = calendar::to_local(s.zone, s.now).0;
                let now = (today - 1..=today + 1).any(|day| {
                    days.set[usize::from(calendar::weekday(day))] && calendar::at_date(s.zone, day, at) == s.now
                });
                now && audience.as_ref().is_none_or(|a| s.holds(a))
            }),
            TriggerKind::Date { date, yearly, at } => self.scoped(who, None, None, |s| {
                let (Value::Time(at), Some((date, _))) = (s.value(at), s.value(date).as_local(s.zone)) else {
                    return false;
                };
                if !yearly {
                    return calendar::at_date(s.zone, date, at) == s.now;
                }
                let (first, month, day) = calendar::civil(date);
                let this = calendar::civil(calendar::to_local(s.zone, s.now).0).0;
                (this - 1..=this + 1).filter(|year| *year >= first).any(|year| {
                    let back = calendar::day_of(year, month, day).or_else(|| calendar::day_of(year, month, day - 1));
                    calendar::at_date(s.zone, back.expect("29 February at most"), at) == s.now
                })
            }),
            _ => false,
        });
        if fires {
            self.enter(who, j, None);
            self.drain(who);
        }
    }

    /// Two people turn out to be one.
    pub fn merge(&mut self, known: usize, anonymous: usize) {
        let project = self.project;
        let other = std::mem::take(&mut self.people[anonymous]);
        let person = &mut self.people[known];
        let ours = person.log.clone();
        let own = person.instances.len();
        person.log.extend(other.log.iter().cloned());
        person.log.sort_by_key(|o| o.seq);
        // A bounce concerns the contact that the other had.
        let contact = |person: &Person, channel: &str| project.contact(channel).map(|c| person.attribute(project, c));
        let bounced: Vec<(String, Option<Value>)> =
            other.bounced.iter().map(|channel| (channel.clone(), contact(&other, channel))).collect();
        for (name, _) in &other.changes {
            // A default is nothing that was said.
            if person.said(name).is_missing() {
                let value = other.said(name);
                person.changes.push((name.clone(), value));
            }
        }
        let bounced = bounced.into_iter().filter(|(channel, had)| contact(person, channel) == *had);
        let bounced: Vec<String> = bounced.map(|(channel, _)| channel).collect();
        person.bounced.extend(bounced);
        person.closed.extend(other.closed);
        // Who was inside as a guest does not come in again.
        for (at, holds) in other.satisfied {
            *person.satisfied.entry(at).or_default() |= holds;
        }
        person.consent.extend(other.consent.into_iter().filter(|(_, given)| !given));
        let shift = person.sent.len();
        person.sent.extend(other.sent);
        person.entries.extend(other.entries);
        person.entries.sort_by_key(|(_, _, time)| *time);
        let theirs = other.pending.into_iter().filter(|p| self.prevails(known, p.journey, &p.key, p.since));
        let theirs: Vec<Pending> = theirs.collect();
        for mut instance in other.instances {
            instance.messages.values_mut().flatten().for_each(|m| *m += shift);
            if instance.alive && !self.prevails(known, instance.journey, &instance.key, instance.entry.time) {
                instance.alive = false;
                self.tell(known, instance.journey, Kind::Left("merged"));
            }
            self.people[known].instances.push(instance);
        }
        let over = |p: &Pending, news: &[Occurrence]| self.is_over(known, p, &since(news, p.since, i64::MAX));
        let mut kept: Vec<Pending> = self.people[known].pending.clone();
        kept.retain(|p| !over(p, &other.log));
        kept.extend(theirs.into_iter().filter(|p| !over(p, &ours)));
        self.people[known].pending = kept;
        for i in 0..self.people[known].instances.len() {
            self.learn(known, i, if i < own { &other.log } else { &ours });
        }
        self.drain(known);
    }

    /// Whether an entry of the other stays: of two that cannot be side by side the older does, of two of one time the
    /// known one's.
    fn prevails(&mut self, known: usize, j: usize, key: &[Value], time: i64) -> bool {
        if self.project.journeys[j].always {
            return true;
        }
        let person = &mut self.people[known];
        if let Some(place) = person.pending.iter().position(|p| p.journey == j && p.key == key) {
            let younger = person.pending[place].since > time;
            if younger {
                person.pending.remove(place);
            }
            return younger;
        }
        let rival = person.instances.iter().position(|i| i.alive && i.journey == j && i.key == key);
        let Some(place) = rival else { return true };
        let younger = person.instances[place].entry.time > time;
        if younger {
            self.leave(known, place, "merged");
        }
        younger
    }

    /// An entry is told what the other did since.
    fn learn(&mut self, who: usize, i: usize, news: &[Occurrence]) {
        let instance = &self.people[who].instances[i];
        let (j, entry) = (instance.journey, instance.entry.time);
        let journey = &self.project.journeys[j];
        let met = !instance.converted
            && journey.goals.iter().any(|(goal, within)| {
                let until = match within {
                    None if instance.alive => i64::MAX,
                    None => return false,
                    Some(within) => self.later(who, entry, within, Some((i, 0))),
                };
                // What turns out too late is not counted.
                if until < self.now {
                    return false;
                }
                self.matches(who, i, goal, &since(news, entry, until))
            });
        if met {
            self.people[who].instances[i].converted = true;
            self.tell(who, j, Kind::Converted);
        }
        if !self.people[who].instances[i].alive {
            return;
        }
        let seen = since(news, entry, i64::MAX);
        let on = journey.exits.iter().any(
            |exit| matches!(exit, ClauseKind::ExitOn(events) if events.iter().any(|e| self.matches(who, i, e, &seen))),
        );
        if on {
            self.leave(who, i, "exit");
            return;
        }
        for t in 0..self.people[who].instances[i].threads.len() {
            let instance = &self.people[who].instances[i];
            let (true, Some(Wait::For { since: begun, .. })) = (instance.alive, &instance.threads[t].wait) else {
                continue;
            };
            let seen = since(news, *begun, i64::MAX);
            if self.look(who, i, t, &Look::Input(&seen)) == Found::Then {
                self.wake(who, i, t, Found::Then);
            }
        }
    }
}

/// What happened after one instant, and not after another.
fn since(log: &[Occurrence], after: i64, until: i64) -> Vec<Happened> {
    let inside = log.iter().filter(|o| o.time > after && o.time <= until);
    inside.map(|o| Happened::Event { name: o.event.clone(), fields: o.fields.clone() }).collect()
}
