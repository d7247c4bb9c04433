//! Inputs and timers: the order in which they are taken, and what comes of them.

use super::letter::Letter;
use super::{Asked, Host, Leaving, Reject, Row, Todo, GRACE, REJECTS};
use flow_runtime::engine::effect::{Effect, EffectKind, Message, Withdrawal};
use flow_runtime::engine::input::Input;
use flow_runtime::engine::Person;
use flow_runtime::ingest::identity::Target;
use flow_runtime::ingest::table::{self, UNTIMED};
use flow_runtime::ingest::{hash_of, segment, Block, Dead, Join, Original, Record, What};
use flow_runtime::pack::Unpack;
use flow_runtime::replay::throttle::Ticket;
use std::sync::Arc;

/// So much of an input that could not be taken is kept.
const SHOWN: usize = 2_000;
/// So many people are looked at before anything happens to the first: few enough for the processor's cache.
const AT_ONCE: usize = 256;

impl Host {
    /// Takes calls, one a line.
    pub(super) fn inputs(&mut self, received: i64, lines: &[u8], todo: &mut Vec<Todo>) {
        self.advance(received.saturating_sub(GRACE), todo);
        let mut block = segment::read(&self.setup.schema, lines);
        let mut records = std::mem::take(&mut block.records).into_iter();
        while !records.as_slice().is_empty() {
            let some = records.as_slice().get(..AT_ONCE).unwrap_or(records.as_slice());
            self.warm(some);
            let count = some.len();
            for record in records.by_ref().take(count) {
                self.record(received, record, &block, todo);
            }
        }
    }

    /// With many people, nearly every look at one waits for memory: all of them are looked at before anything is done.
    fn warm(&self, records: &[Record]) {
        let hashes: Vec<u64> = records.iter().map(|record| record.who.hash).collect();
        let ids = self.repeats.warm(records.iter().filter_map(|record| record.message));
        // Only that it was looked at matters.
        std::hint::black_box((ids, self.people.warm(&hashes)));
    }

    /// Takes rows of a list or of users.
    pub(super) fn table(&mut self, received: i64, list: Option<&str>, lines: &[u8], todo: &mut Vec<Todo>) {
        self.advance(received.saturating_sub(GRACE), todo);
        let list = list.and_then(|name| self.setup.schema.list(name));
        let Ok(mut block) = table::read(&self.setup.schema, lines, list) else { return };
        for mut record in std::mem::take(&mut block.records) {
            if record.time == UNTIMED || record.time > received {
                record.time = received;
            }
            record.known = true;
            self.record(received, record, &block, todo);
        }
    }

    /// Settles what depends on the order of arrival.
    fn record(&mut self, received: i64, record: Record, block: &Block, todo: &mut Vec<Todo>) {
        let clock = self.clock.unwrap_or(record.time);
        if record.message.is_some_and(|key| self.repeats.seen(key, clock)) {
            self.tally.repeated += 1;
            return;
        }
        if let What::Dead(dead) = &record.what {
            self.reject(received, dead);
            return;
        }
        self.advance(record.time, todo);
        let named = block.id(record.who);
        let target = self.joined.target_of(named, record.who.hash).cloned();
        let (id, hash) = target.as_ref().map_or((named, record.who.hash), |target| (&*target.id, target.hash));
        if self.is_forgotten(id) {
            self.tally.forgotten += 1;
            return;
        }
        match record.what {
            What::Dead(_) => {}
            What::Unknown(_) => self.tally.unknown += 1,
            What::Clock => self.tally.accepted += 1,
            What::Input(input) => {
                self.tally.accepted += 1;
                self.take((id, hash), record.known, record.time, input, todo);
            }
            What::Join(join) => {
                self.tally.accepted += 1;
                self.join(&join, &Target { id: id.into(), hash }, block, todo);
                if let Some(input) = join.input {
                    self.take((id, hash), record.known, record.time, input, todo);
                }
            }
        }
    }

    /// Whom an id means.
    pub(super) fn whom(&self, id: &str) -> Target {
        self.joined.target(id).cloned().unwrap_or_else(|| Target { id: id.into(), hash: hash_of(id) })
    }

    fn take(&mut self, (id, hash): (&str, u64), known: bool, time: i64, input: Input, todo: &mut Vec<Todo>) {
        self.seq += 1;
        let place = self.place(id, hash);
        if let Some(slot) = self.people.slot(place) {
            slot.known |= known;
        }
        self.counts.late += u64::from(self.clock.is_some_and(|clock| time < clock));
        self.give(place, input, todo);
    }

    fn place(&mut self, id: &str, hash: u64) -> u32 {
        match self.people.find(id, hash) {
            Some(place) => place,
            None => self.people.add(self.setup.engine.person(id), hash, self.seq, false),
        }
    }

    /// Gives somebody who is there an input of ours.
    pub(super) fn tell(&mut self, user: &str, input: Input, todo: &mut Vec<Todo>) {
        let who = self.whom(user);
        if let Some(place) = self.people.find(&who.id, who.hash) {
            self.seq += 1;
            self.give(place, input, todo);
        }
    }

    fn give(&mut self, place: u32, input: Input, todo: &mut Vec<Todo>) {
        let now = self.clock.unwrap_or_default();
        if let Some(person) = self.people.slot(place).and_then(|slot| slot.person.as_mut()) {
            self.setup.engine.input(person, now, self.seq, input, &mut self.effects);
        }
        self.settle(place, todo);
        self.hand_over(now, todo);
    }

    /// Makes two ids mean one person, who is `known`.
    fn join(&mut self, join: &Join, known: &Target, block: &Block, todo: &mut Vec<Todo>) {
        let name = block.id(join.from);
        if !self.joined.is_new(name, known) {
            return;
        }
        if let Some(place) = self.people.find(name, hash_of(name)) {
            if !join.unites(self.people.look_at(place).is_some_and(|slot| slot.known)) {
                return;
            }
            self.unite(place, known, todo);
        }
        self.tally.joined += 1;
        self.joined.point(name, known.clone());
    }

    fn unite(&mut self, from: u32, known: &Target, todo: &mut Vec<Todo>) {
        let Some(gone) = self.people.remove(from) else { return };
        self.seq += 1;
        let place = self.place(&known.id, known.hash);
        let now = self.clock.unwrap_or_default();
        if let (Some(slot), Some(other)) = (self.people.slot(place), gone.person) {
            slot.first = slot.first.min(gone.first);
            let theirs = (other.id().to_owned(), 0)..=(other.id().to_owned(), u64::MAX);
            let questions: Vec<_> = self.asked.range(theirs).map(|(question, _)| question.clone()).collect();
            for question in questions {
                if let Some(asked) = self.asked.remove(&question) {
                    self.asked.insert((known.id.to_string(), question.1), asked);
                }
            }
            if let Some(person) = &mut slot.person {
                self.setup.engine.merge(person, other, now, self.seq, &mut self.effects);
            }
        }
        self.settle(place, todo);
        self.hand_over(now, todo);
    }

    /// Lets time pass: all timers before an instant are fired, in the order of time over everybody.
    pub(super) fn advance(&mut self, now: i64, todo: &mut Vec<Todo>) {
        if self.clock.is_some_and(|clock| now <= clock) {
            return;
        }
        let mut places = Vec::new();
        while let Some((due, place)) = self.people.pop_due(now) {
            places.push(place);
            while let Some((_, place)) = self.people.pop_due(due.saturating_add(1)) {
                places.push(place);
            }
            // Those of one instant in one order, whatever has been snapshot and started in between.
            places.sort_unstable();
            for place in places.drain(..) {
                if let Some(person) = self.people.slot(place).and_then(|slot| slot.person.as_mut()) {
                    self.setup.engine.timers(person, due.saturating_add(1), &mut self.effects);
                }
                self.settle(place, todo);
            }
            self.hand_over(due, todo);
        }
        self.clock = Some(now);
    }

    /// Writes down what came about for a person.
    pub(super) fn settle(&mut self, place: u32, todo: &mut Vec<Todo>) {
        if !self.effects.is_empty() {
            let mut effects = std::mem::take(&mut self.effects);
            effects.drain(..).for_each(|effect| self.effect(place, effect, todo));
            self.effects = effects;
        }
        self.people.look(&self.setup.engine, place);
    }

    fn effect(&mut self, place: u32, effect: Effect, todo: &mut Vec<Todo>) {
        let Some(slot) = self.people.look_at(place) else { return };
        let (first, user) = (slot.first, slot.person.as_ref().map(Person::id).unwrap_or_default());
        self.counts.count(&effect);
        if let Some(watch) = self.watch.as_mut().filter(|watch| watch.is_about(user)) {
            watch.effect(&self.setup, &effect);
        }
        match effect.kind {
            EffectKind::Message(message) => {
                self.order += 1;
                let ticket = slot.person.as_ref().and_then(|one| Ticket::of(&self.setup.engine, one, &message));
                let letter = self.letter(user, effect.time, &message);
                let what = Leaving::Letter(Box::new(letter), ticket);
                self.rows.push(Row { cause: effect.cause, person: first, order: self.order, what });
            }
            EffectKind::Withdrawn(what) => {
                self.order += 1;
                let what = Leaving::Withdrawn(what);
                self.rows.push(Row { cause: effect.cause, person: first, order: self.order, what });
            }
            EffectKind::Request(request) => {
                let question = (user.to_owned(), request.id);
                let asked = Asked { api: request.api, args: request.args, at: request.at };
                self.asked.insert(question.clone(), asked);
                todo.push(Todo::Ask(question));
            }
            EffectKind::Audience { audience, added, .. } => self.audience(place, audience, added),
            _ => {}
        }
    }

    fn letter(&self, user: &str, time: i64, message: &Message) -> Letter {
        let content = self.setup.messages.content(&self.setup.engine, user, time, message);
        Letter {
            key: message.id,
            channel: message.channel,
            user: user.to_owned(),
            to: message.to.as_deref().map(str::to_owned),
            journey: message.at.journey,
            step: message.at.step,
            topic: message.topic,
            time,
            content: content.map_err(|failure| failure.detail),
            failed: 0,
            reason: None,
        }
    }

    /// Hands over the messages of one instant, in their order, through the throttles.
    pub(super) fn hand_over(&mut self, instant: i64, todo: &mut Vec<Todo>) {
        if self.rows.is_empty() {
            return;
        }
        self.release(instant, todo);
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by_key(|row| (row.cause, row.person, row.order));
        for row in rows.drain(..) {
            let (mut letter, ticket) = match row.what {
                Leaving::Letter(letter, ticket) => (*letter, ticket),
                Leaving::Withdrawn(what) => {
                    self.withdraw(row.person, what);
                    continue;
                }
            };
            if let Some(ticket) = ticket {
                let time = instant.max(self.floor);
                let mut bytes = Vec::new();
                letter.pack(&mut bytes);
                if !self.throttles.pass((time, row.cause, row.person, row.order), &ticket, &bytes) {
                    self.tally.put_off += 1;
                    continue;
                }
                letter.time = time;
            }
            self.leave(letter, todo);
        }
        self.rows = rows;
    }

    /// Gives up what a throttle holds and what must not leave any more.
    fn withdraw(&mut self, person: u64, what: Withdrawal) {
        for bytes in self.throttles.withdraw(person, what) {
            if let Ok(letter) = Letter::unpack(&mut Unpack::new(&bytes)) {
                self.letters.add(Letter { content: Err(format!("not sent: {}", what.word())), ..letter });
            }
        }
    }

    /// Lets go what throttles have put off up to an instant.
    pub(super) fn release(&mut self, until: i64, todo: &mut Vec<Todo>) {
        if self.throttles.waiting() == 0 {
            return;
        }
        let setup = Arc::clone(&self.setup);
        let quiet = |ticket: &Ticket, at| ticket.quiet_until(&setup.engine, at);
        while let Some((time, bytes)) = self.throttles.release(until, self.floor, quiet) {
            if let Ok(letter) = Letter::unpack(&mut Unpack::new(&bytes)) {
                if !self.is_forgotten(&letter.user) {
                    self.leave(Letter { time, ..letter }, todo);
                }
            }
        }
    }

    fn leave(&mut self, mut letter: Letter, todo: &mut Vec<Todo>) {
        if self.is_unwanted(&letter) {
            letter.content = Err("not sent: suppressed".to_owned());
        }
        let key = letter.key;
        if letter.content.is_ok() {
            todo.push(Todo::Send(key));
        }
        self.letters.add(letter);
    }

    fn reject(&mut self, received: i64, dead: &Dead) {
        self.tally.rejected += 1;
        if self.rejects.len() >= REJECTS {
            self.rejects.pop_front();
        }
        let (Original::Json(input) | Original::Text(input)) = &dead.input;
        let end = input.char_indices().map(|(at, _)| at).take_while(|at| *at <= SHOWN).last().unwrap_or_default();
        let input = if input.len() > SHOWN { input.get(..end).unwrap_or_default() } else { input };
        self.rejects.push_back(Reject { received, reason: dead.reason.clone(), input: input.to_owned() });
    }
}
