//! Two people who turn out to be one: the only function of two states.
//!
//! History is united, and every entry learns what the other did since ([`super::news`]). Of two instances of one journey
//! (with one key) the older stays, unless the journey lets several run. The stricter consent and the union of what caps
//! count hold; of an attribute known twice, the known person's value.

use super::effect::Why;
use super::history::{self, at_place};
use super::instance::Instance;
use super::news::Apart;
use super::person::{Clocked, Person, Rare, RECENT_LIMIT};
use super::reach;
use super::run::{Run, Signal};
use crate::vm::value::Value;
use flow_compiler::bytecode::{AttrId, EnterMode};
use thin_vec::ThinVec;

impl Run<'_> {
    /// Joins another person into this one; what changes for them is taken like an input.
    pub fn merge(mut self, mut other: Person) {
        let first = self.person.order == 0 && other.order == 0;
        let apart = Apart::of(self.person, &other);
        let ours = self.person.numbers.max(other.numbers);
        history::unite(self.engine, self.person, &mut other);
        self.unite_attributes(&other);
        let mut theirs = std::mem::take(other.rare_mut());
        // A bounce concerns the contact that the other had.
        let contact = |person: &Person, channel| reach::contact(self.engine, person, channel);
        theirs.suppressed.retain(|s| !s.bounced || contact(self.person, s.channel) == contact(&other, s.channel));
        self.unite_rare(theirs);
        self.person.order = self.person.order.max(other.order) + 1;
        self.person.numbers = self.person.numbers.max(other.numbers);
        self.unite_instances(std::mem::take(&mut other.instances));
        let signal = Signal { everything: true, ..Signal::default() };
        if first {
            self.set_clocks(None);
        }
        self.catch_up(&apart, ours);
        self.take(&signal);
        self.settle();
        self.person.next_due = self.earliest();
    }

    fn unite_attributes(&mut self, other: &Person) {
        for (number, value) in other.attributes.iter().enumerate() {
            let ours = at_place(&mut self.person.attributes, number);
            if *ours == Value::Missing && *value != Value::Missing {
                *ours = value.clone();
                let attribute = AttrId(u32::try_from(number).unwrap_or(u32::MAX));
                if self.engine.program.timezone_attr == Some(attribute) {
                    self.person.zone.clone_from(&other.zone);
                }
            }
        }
    }

    fn unite_rare(&mut self, theirs: Rare) {
        let ours = self.person.rare_mut();
        for entered in theirs.entered {
            match ours.entered.iter_mut().find(|e| e.journey == entered.journey && e.key == entered.key) {
                Some(entry) => entry.time = entry.time.max(entered.time),
                None => ours.entered.push(entered),
            }
        }
        ours.goals.extend(theirs.goals);
        for (place, membership) in theirs.segments.into_iter().enumerate() {
            match ours.segments.get_mut(place) {
                Some(segment) => segment.inside |= membership.inside,
                None => ours.segments.push(membership),
            }
        }
        for (place, clocked) in theirs.clocked.into_iter().enumerate() {
            let clock: &mut Clocked = at_place(&mut ours.clocked, place);
            clock.fired = clock.fired.max(clocked.fired);
        }
        for suppressed in theirs.suppressed {
            if !ours.suppressed.contains(&suppressed) {
                ours.suppressed.push(suppressed);
            }
        }
        for (topic, given) in theirs.consent {
            match ours.consent.iter_mut().find(|(t, _)| *t == topic) {
                Some((_, consent)) => *consent &= given,
                None => ours.consent.push((topic, given)),
            }
        }
        ours.sends.extend(theirs.sends);
        ours.sends.sort_by_key(|(time, _)| *time);
        ours.messages.extend(theirs.messages);
        ours.messages.sort_by_key(|message| message.time);
        let old = ours.messages.len().saturating_sub(RECENT_LIMIT);
        ours.messages.drain(..old);
        for (channel, hours) in theirs.opens {
            match ours.opens.iter_mut().find(|(c, _)| *c == channel) {
                Some((_, ours)) => ours.iter_mut().zip(hours).for_each(|(a, b)| *a = a.saturating_add(b)),
                None => ours.opens.push((channel, hours)),
            }
        }
        if theirs.location.map(|l| l.0) > ours.location.map(|l| l.0) {
            ours.location = theirs.location;
        }
    }

    fn unite_instances(&mut self, theirs: ThinVec<Instance>) {
        for mut instance in theirs {
            instance.number = self.person.number();
            let Some(place) = self.rival(&instance) else {
                self.put_back(instance);
                continue;
            };
            let older = self.person.instances.get(place).is_some_and(|ours| ours.time <= instance.time);
            let gone = if older { Some(instance) } else { self.replace(place, instance) };
            if let Some(gone) = gone {
                self.leave(gone, Why::Merged);
            }
        }
    }

    fn replace(&mut self, place: usize, instance: Instance) -> Option<Instance> {
        let gone = self.take_out(place);
        self.put_back(instance);
        gone
    }

    /// The instance that cannot go on beside another.
    fn rival(&self, instance: &Instance) -> Option<usize> {
        let journey = self.engine.program.journeys.get(instance.journey.index())?;
        if journey.enter.mode == EnterMode::Always {
            return None;
        }
        let key = |i: &Instance, f: u16| i.trigger.get(f as usize).cloned();
        self.person.instances.iter().position(|ours| {
            ours.journey == instance.journey && journey.enter.key.iter().all(|f| key(ours, *f) == key(instance, *f))
        })
    }
}
