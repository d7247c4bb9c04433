//! What is remembered because two ids can turn out to be one person.
//!
//! A guest leaves a cart, buys under the id of another device, and then signs in: from then on what they bought counts
//! for the entry that the guest began. So what an entry listens to is kept of everybody, for as long as an entry can
//! last: of an event without a `where` its last time is enough, of others those fields that the `where` reads.

use crate::bytecode::{CodeId, EventId, Exit, History, Journey, Log, StepKind, Trigger, WaitedEvent};
use crate::context::Cx;
use crate::report;

/// How far back is looked for an entry that can last for ever: 90 days, in milliseconds.
const LOOK_BACK: i64 = 90 * 86_400_000;

impl Cx<'_> {
    /// Adds to what is remembered of events what joining two people asks for.
    pub fn keep_for_joins(&self, histories: &mut [History]) {
        for journey in &self.program.journeys {
            let mut stay = None;
            let mut stay = || *stay.get_or_insert_with(|| self.longest_stay(journey));
            for (event, filter) in listened(journey) {
                let Some(history) = histories.get_mut(event.index()) else { continue };
                match filter {
                    None => history.last = true,
                    Some(filter) => {
                        let log = history.log.get_or_insert_with(Log::default);
                        self.fields_read(filter, &mut log.fields);
                        log.joined = log.joined.max(Some(stay()));
                    }
                }
            }
        }
        for log in histories.iter_mut().filter_map(|history| history.log.as_mut()) {
            let asking = log.in_flight.iter().filter_map(|id| self.program.journeys.get(id.index()));
            let longest = asking.map(|journey| self.longest_stay(journey)).max();
            log.joined = log.joined.max(longest);
        }
    }

    fn longest_stay(&self, journey: &Journey) -> i64 {
        report::longest_stay(&self.program, &self.input.files, journey).unwrap_or(LOOK_BACK)
    }
}

/// Whether entries of a journey listen to an event, so that it is remembered for joins.
pub(crate) fn listens_to(journey: &Journey, event: EventId) -> bool {
    listened(journey).iter().any(|(listened, _)| *listened == event)
}

/// Events that end an entry, or a wait of it, with their `where`s.
fn listened(journey: &Journey) -> Vec<(EventId, Option<CodeId>)> {
    let mut found = Vec::new();
    for trigger in &journey.triggers {
        if let Trigger::Without { without, without_filter, .. } = trigger {
            found.push((*without, *without_filter));
        }
    }
    for exit in &journey.exits {
        if let Exit::On { event, filter } = exit {
            found.push((*event, *filter));
        }
    }
    found.extend(journey.goals.iter().map(|goal| (goal.event, goal.filter)));
    for step in &journey.steps {
        let StepKind::WaitEvent { events, .. } = &step.kind else { continue };
        found.extend(events.iter().filter_map(|waited| match waited {
            WaitedEvent::Event { event, filter } => Some((*event, *filter)),
            WaitedEvent::Outcome(..) => None,
        }));
    }
    found
}
