//! What an entry learns when its person turns out to be somebody else too: the other did things since it began, which
//! would have ended it, or a wait of it, had both been known as one.
//!
//! Seen are events with a time after the entry's, or after the beginning of the wait. A goal is met only while its time
//! is not over. Which of two things at one millisecond came first, nobody knows of two ids; what happened at the very time
//! of the entry is not seen.

use super::effect::Why;
use super::history::EventHistory;
use super::index::step_at;
use super::instance::{Instance, Thread, Waits};
use super::person::{OpenGoal, Person};
use super::run::Run;
use super::view::View;
use super::waits::Next;
use crate::vm::Moment;
use flow_compiler::bytecode::{CodeId, EventId, Exit, StepKind, Trigger, WaitedEvent};
use smallvec::SmallVec;
use thin_vec::ThinVec;

/// What two people did before they were one, and how many open goals were the known one's.
pub(super) struct Apart {
    /// Of the known person; kept only if the other is in flight.
    ours: ThinVec<EventHistory>,
    /// Of the other; kept only if the known one is in flight.
    theirs: ThinVec<EventHistory>,
    goals: usize,
}

impl Apart {
    /// To be made before they are united.
    pub fn of(known: &Person, other: &Person) -> Self {
        let asks = |person: &Person| !person.instances.is_empty() || !person.rare().goals.is_empty();
        let history = |of: &Person, asking: &Person| if asks(asking) { of.history.clone() } else { ThinVec::new() };
        Self { ours: history(known, other), theirs: history(other, known), goals: known.rare().goals.len() }
    }
}

/// A stretch of time, open at its beginning, closed at its end.
#[derive(Clone, Copy)]
struct Stretch {
    after: i64,
    until: i64,
}

impl Run<'_> {
    /// Shows every entry what the other person did; those with numbers up to `last` are the known person's own.
    pub fn catch_up(&mut self, apart: &Apart, last: u64) {
        self.open_goals(|run, place, open| {
            run.is_met(open, if place < apart.goals { &apart.theirs } else { &apart.ours })
        });
        let numbers: SmallVec<[u64; 4]> = self.person.instances.iter().map(|i| i.number).collect();
        for number in numbers {
            let news = if number <= last { &apart.theirs } else { &apart.ours };
            if !news.is_empty() {
                self.catch_up_entry(number, news);
            }
        }
    }

    fn catch_up_entry(&mut self, number: u64, news: &[EventHistory]) {
        let Some(place) = self.place_of(number) else { return };
        let Some(instance) = self.person.instances.get(place) else { return };
        if instance.pending.is_some() {
            if self.is_followed(instance, news) || self.left_by(instance, news).is_some() {
                self.take_out(place);
            }
            return;
        }
        if self.has_converted(instance, news) {
            self.convert(place);
        }
        let Some(instance) = self.person.instances.get(place) else { return };
        if let Some(exit) = self.left_by(instance, news) {
            self.leave_at(place, Why::Exit(exit));
            return;
        }
        let ended: SmallVec<[(u16, Next); 1]> =
            instance.threads.iter().filter_map(|t| Some((t.id, self.ended_by(instance, t, news)?))).collect();
        for (thread, next) in ended {
            // Going on can end the entry.
            let Some(place) = self.place_of(number) else { return };
            self.wait_on(place, thread, Some(next));
        }
    }

    /// Whether what must not follow has followed.
    fn is_followed(&self, instance: &Instance, news: &[EventHistory]) -> bool {
        let journey = self.engine.program.journeys.get(instance.journey.index());
        let trigger = instance.pending.and_then(|(trigger, _)| journey?.triggers.get(trigger));
        let Some(Trigger::Without { without, without_filter, .. }) = trigger else { return false };
        let since = Stretch { after: instance.time, until: i64::MAX };
        self.happened(*without, *without_filter, since, news, self.view(instance))
    }

    /// The exit that has ended it, if one has: of several, the first that is declared.
    fn left_by(&self, instance: &Instance, news: &[EventHistory]) -> Option<u16> {
        let journey = self.engine.program.journeys.get(instance.journey.index())?;
        let since = Stretch { after: instance.time, until: i64::MAX };
        let exit = journey.exits.iter().position(|exit| match exit {
            Exit::On { event, filter } => self.happened(*event, *filter, since, news, self.view(instance)),
            Exit::When(_) | Exit::After(_) => false,
        })?;
        u16::try_from(exit).ok()
    }

    /// Whether a goal has been met for the first time.
    fn has_converted(&self, instance: &Instance, news: &[EventHistory]) -> bool {
        let journey = self.engine.program.journeys.get(instance.journey.index());
        let goals = journey.map_or(&[][..], |journey| &journey.goals);
        !instance.converted
            && goals.iter().any(|goal| {
                let until = self.deadline(goal, instance.time).unwrap_or(i64::MAX);
                let since = Stretch { after: instance.time, until };
                self.now <= until && self.happened(goal.event, goal.filter, since, news, self.view(instance))
            })
    }

    /// Where a wait for an event goes on.
    fn ended_by(&self, instance: &Instance, thread: &Thread, news: &[EventHistory]) -> Option<Next> {
        if thread.waits != Waits::AsStepSays {
            return None;
        }
        let step = step_at(&self.engine.program, instance.journey, thread.step)?;
        let StepKind::WaitEvent { events, then, .. } = step else { return None };
        let since = Stretch { after: thread.since, until: thread.bound };
        let came = events.iter().any(|waited| match waited {
            WaitedEvent::Event { event, filter } => self.happened(*event, *filter, since, news, self.view(instance)),
            WaitedEvent::Outcome(..) => false,
        });
        came.then_some(Next::Go(*then))
    }

    fn is_met(&self, open: &OpenGoal, news: &[EventHistory]) -> bool {
        let view = View::of(self.engine, self.person).after(&open.trigger, open.entry);
        let since = Stretch { after: open.entry.0, until: open.deadline };
        self.declared(open).is_some_and(|goal| self.happened(goal.event, goal.filter, since, news, view))
    }

    fn view<'v>(&'v self, instance: &'v Instance) -> View<'v> {
        View::of(self.engine, self.person).within(instance)
    }

    /// Whether an event that passes a filter is among the news of a stretch of time.
    fn happened(
        &self,
        event: EventId,
        filter: Option<CodeId>,
        Stretch { after, until }: Stretch,
        news: &[EventHistory],
        view: View<'_>,
    ) -> bool {
        let place = self.engine.index.history_of(event);
        let Some(history) = place.and_then(|place| news.get(place)) else { return false };
        let inside = |time: i64| time > after && time <= until;
        let Some(filter) = filter else {
            return history.last().is_some_and(|at| inside(at.0)) || history.log().iter().any(|o| inside(o.at.0));
        };
        history
            .log()
            .iter()
            .filter(|o| inside(o.at.0))
            .any(|o| self.engine.truth(filter, &view.remembering(event, &o.fields), &mut Moment::at(self.now)))
    }
}
