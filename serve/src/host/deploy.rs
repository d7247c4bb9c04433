//! A new version of the program over the same people (contract, section 8.8). What becomes of a person, the engine
//! says ([`flow_runtime::engine::succession`]); here is what the server keeps besides.

use super::letter::Letter;
use super::{Asked, Host, Todo};
use crate::record::Deployment;
use crate::setup::Setup;
use flow_compiler::bytecode::{AudienceId, ChannelId, JourneyId, StepId, TopicId};
use flow_runtime::engine::effect::Place;
use flow_runtime::engine::succession::{Fate, Succession};
use flow_runtime::pack::Unpack;
use flow_runtime::replay::summary::{Counts, JourneyCounts};
use flow_runtime::replay::throttle::Ticket;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is gone has no place: nothing is found there.
const NOWHERE: u32 = u32::MAX;

/// Why a message is given up whose channel the new version does not have.
const GONE: &str = "not sent: its channel is gone";

impl Host {
    /// Puts a version at hand. See [`crate::store::Store`].
    pub(crate) fn prepare(&mut self, setup: &Arc<Setup>) {
        self.wanted = Arc::clone(setup);
        if self.setup.identity == setup.identity {
            self.setup = Arc::clone(setup);
        }
    }

    /// Goes on with another version. One that cannot be made ready or does not fit stops everything: such a record is
    /// only ever written after it was tried.
    pub(super) fn deploy(&mut self, now: i64, deployment: &Deployment, todo: &mut Vec<Todo>) {
        // All that is due at this very moment belongs to the version that was.
        self.advance(now.saturating_add(1), todo);
        let old = Arc::clone(&self.setup);
        let new = match self.wanted.version(deployment.identity, &deployment.source) {
            Ok(new) => new,
            Err(why) => return self.failed = Some(why),
        };
        match Succession::new(&old.engine, &new.engine, &deployment.answers) {
            Ok(succession) => self.succeed(&new, &succession, todo),
            Err(why) => self.failed = Some(why),
        }
    }

    fn succeed(&mut self, new: &Arc<Setup>, succession: &Succession<'_>, todo: &mut Vec<Todo>) {
        let channel = |channel: ChannelId| succession.channel(channel);
        let moved = |ticket: &Ticket, bytes: &[u8]| {
            let letter = Letter::unpack(&mut Unpack::new(bytes)).ok()?;
            let mut moved = Vec::new();
            moved_letter(succession, letter).pack(&mut moved);
            let ticket = Ticket {
                channel: succession.channel(ticket.channel).unwrap_or(ChannelId(NOWHERE)),
                topic: succession.topic(ticket.topic).unwrap_or(TopicId(NOWHERE)),
                journey: succession.journey(ticket.journey).unwrap_or(JourneyId(NOWHERE)),
                ..ticket.clone()
            };
            Some((ticket, moved))
        };
        let (throttles, gone) = self.throttles.succeed(&new.program().policy.throttles, channel, moved);
        self.throttles = throttles;
        self.counts = counts(&self.counts, &self.setup, new, succession);
        self.move_letters(new, succession);
        for bytes in gone {
            if let Ok(letter) = Letter::unpack(&mut Unpack::new(&bytes)) {
                self.letters.add(Letter { content: Err(GONE.to_owned()), ..letter });
            }
        }
        self.asked = std::mem::take(&mut self.asked)
            .into_iter()
            .filter_map(|(question, asked)| {
                let (api, at) = (succession.api(asked.api)?, succession.place(asked.at)?);
                Some((question, Asked { api, at, ..asked }))
            })
            .collect();
        self.setup = Arc::clone(new);
        let now = self.clock.unwrap_or_default();
        for place in self.people.places() {
            let Some(person) = self.people.slot(place).and_then(|slot| slot.person.take()) else { continue };
            self.seq += 1;
            let person = succession.person(person, now, self.seq, &mut self.effects);
            if let Some(slot) = self.people.slot(place) {
                slot.person = Some(person);
            }
            self.settle(place, todo);
        }
        self.hand_over(now, todo);
    }

    fn move_letters(&mut self, new: &Arc<Setup>, succession: &Succession<'_>) {
        let totals = std::mem::take(&mut self.letters.totals);
        self.letters.totals = vec![(0, 0); new.program().channels.len()];
        for (number, total) in (0..).zip(totals) {
            let place = succession.channel(ChannelId(number)).and_then(|to| self.letters.totals.get_mut(to.index()));
            if let Some(place) = place {
                *place = total;
            }
        }
        self.letters.change(|letter| moved_letter(succession, letter));
        let gone: Vec<u64> = self
            .letters
            .waiting
            .values()
            .filter(|letter| letter.channel.0 == NOWHERE)
            .map(|letter| letter.key)
            .collect();
        for key in gone {
            if let Some(letter) = self.letters.waiting.remove(&key) {
                let letter = Letter::clone(&letter);
                self.letters.add(Letter { content: Err(GONE.to_owned()), ..letter });
            }
        }
    }
}

fn moved_letter(succession: &Succession<'_>, letter: Letter) -> Letter {
    let at = succession.place(Place { journey: letter.journey, step: letter.step });
    let at = at.unwrap_or(Place {
        journey: succession.journey(letter.journey).unwrap_or(JourneyId(NOWHERE)),
        step: StepId(NOWHERE),
    });
    Letter {
        channel: succession.channel(letter.channel).unwrap_or(ChannelId(NOWHERE)),
        topic: succession.topic(letter.topic).unwrap_or(TopicId(NOWHERE)),
        journey: at.journey,
        step: at.step,
        ..letter
    }
}

/// What happened so far, where the new version has a place for it.
fn counts(old: &Counts, was: &Setup, is: &Setup, succession: &Succession<'_>) -> Counts {
    let mut new = Counts {
        cut: old.cut,
        asked: old.asked,
        unanswered: old.unanswered,
        late: old.late,
        ..Counts::new(is.program())
    };
    for (number, counted) in (0..).zip(&old.journeys) {
        let id = JourneyId(number);
        let to = succession.journey(id).and_then(|to| new.journeys.get_mut(to.index()));
        if let Some(to) = to {
            journey(counted, id, to, succession);
        }
    }
    for (name, count) in was.program().audiences.iter().zip(&old.audiences) {
        let place = is.program().audiences.iter().position(|other| other == name);
        let place = place.and_then(|place| u32::try_from(place).ok()).map(AudienceId);
        if let Some(to) = place.and_then(|place| new.audiences.get_mut(place.index())) {
            *to = *count;
        }
    }
    new
}

fn journey(old: &JourneyCounts, id: JourneyId, new: &mut JourneyCounts, succession: &Succession<'_>) {
    let step = |number: u32| match succession.fate(Place { journey: id, step: StepId(number) }) {
        Fate::Stays(to) | Fate::Changed(to) => Some(to),
        _ => None,
    };
    let each = |from: &[u64], to: &mut [u64]| {
        for (number, count) in (0..).zip(from) {
            if let Some(place) = step(number).and_then(|to_step| to.get_mut(to_step.index())) {
                *place += count;
            }
        }
    };
    each(&old.reached, &mut new.reached);
    each(&old.sent, &mut new.sent);
    let skipped = old.skipped.iter().filter_map(|((at, reason), count)| Some(((step(*at)?.0, *reason), *count)));
    new.skipped = skipped.collect::<BTreeMap<_, _>>();
    (new.entered, new.holdout) = (old.entered, old.holdout);
    (new.converted, new.converted_holdout) = (old.converted, old.converted_holdout);
    (new.finished, new.restarted, new.merged, new.delayed) = (old.finished, old.restarted, old.merged, old.delayed);
    for (exit, count) in old.exits.iter().enumerate() {
        match succession.exit(id, exit).and_then(|exit| new.exits.get_mut(exit)) {
            Some(place) => *place += count,
            // They are not in flight, by whichever exit they left.
            None => new.finished += count,
        }
    }
}
