//! Exits and goals.

use super::effect::{EffectKind, Why, Withdrawal};
use super::history;
use super::instance::Instance;
use super::person::OpenGoal;
use super::run::{Run, Signal};
use super::view::View;
use crate::calendar;
use crate::vm::Moment;
use flow_compiler::bytecode::{Exit, Goal};
use smallvec::SmallVec;
use thin_vec::ThinVec;

impl Run<'_> {
    /// Leaves every journey that an exit ends by this input.
    pub fn exits(&mut self, signal: &Signal) {
        let mut place = 0;
        while let Some(instance) = self.person.instances.get(place) {
            match self.exit_by(instance, signal) {
                Some(exit) => self.leave_at(place, Why::Exit(exit)),
                None => {
                    self.renew_exit_horizon(place, signal);
                    place += 1;
                }
            }
        }
    }

    fn exit_by(&self, instance: &Instance, signal: &Signal) -> Option<u16> {
        self.exit_on(instance, signal).or_else(|| {
            // An entry that a `without` may yet prevent is in flight; what is asked `when` is asked when it begins.
            let asks =
                instance.pending.is_none() && signal.touches(&self.engine.index.journey(instance.journey).when_deps);
            if asks {
                self.exit_when(instance).0
            } else {
                None
            }
        })
    }

    fn exit_on(&self, instance: &Instance, signal: &Signal) -> Option<u16> {
        let happened = signal.event.as_ref()?;
        if self.engine.index.journey(instance.journey).listens.binary_search(&happened.event).is_err() {
            return None;
        }
        let journey = self.engine.program.journeys.get(instance.journey.index())?;
        let exit = journey.exits.iter().position(|exit| match exit {
            Exit::On { event, filter } => {
                *event == happened.event && self.passes(*filter, Some(instance), &happened.fields)
            }
            _ => false,
        })?;
        u16::try_from(exit).ok()
    }

    /// The `exit when` that holds, and until when it is sure that none does.
    pub fn exit_when(&self, instance: &Instance) -> (Option<u16>, i64) {
        let mut horizon = i64::MAX;
        for (number, condition) in &self.engine.index.journey(instance.journey).when {
            let (holds, sure) = self.condition(condition.code, instance);
            if holds {
                return (Some(*number), self.now);
            }
            horizon = horizon.min(sure);
        }
        (None, horizon)
    }

    fn renew_exit_horizon(&mut self, place: usize, signal: &Signal) {
        let Some(instance) = self.person.instances.get(place) else { return };
        let index = self.engine.index.journey(instance.journey);
        if index.when.is_empty() || instance.pending.is_some() || !signal.touches(&index.when_deps) {
            return;
        }
        let (_, horizon) = self.exit_when(instance);
        if let Some(instance) = self.person.instances.get_mut(place) {
            instance.exit_horizon = horizon;
        }
    }

    /// What is due of an instance as a whole: its entry after a `without`, or an exit.
    pub fn fire_whole(&mut self, place: usize) {
        let Some(instance) = self.person.instances.get(place) else { return };
        if instance.pending.is_some() {
            self.enter_pending(place);
            return;
        }
        if instance.exit_due <= self.now {
            let exits = self.engine.program.journeys.get(instance.journey.index()).map_or(&[][..], |j| &j.exits);
            let number = exits.iter().position(|e| matches!(e, Exit::After(_))).unwrap_or(0);
            self.leave_at(place, Why::Exit(u16::try_from(number).unwrap_or(0)));
            return;
        }
        match self.exit_when(instance) {
            (Some(exit), _) => self.leave_at(place, Why::Exit(exit)),
            (None, horizon) => {
                if let Some(instance) = self.person.instances.get_mut(place) {
                    instance.exit_horizon = horizon;
                }
            }
        }
    }

    /// Takes an instance that stands in the list out of its journey.
    pub fn leave_at(&mut self, place: usize, why: Why) {
        if let Some(instance) = self.take_out(place) {
            self.leave(instance, why);
        }
    }

    /// Ends an instance that has been taken out of the list.
    pub fn leave(&mut self, instance: Instance, why: Why) {
        let journey = instance.journey;
        if instance.pending.is_none() {
            self.keep_goals_open(&instance);
            self.tell(EffectKind::Left { journey, why });
            if why != Why::Finished {
                self.withdraw(Withdrawal::Entry { journey, entry: instance.time });
            }
        }
        drop(instance);
        if self.person.instances.is_empty() {
            self.person.instances = ThinVec::new();
        }
        let kept = &self.engine.index.journey(journey).kept_in_flight;
        history::forget_after(self.engine, self.person, kept, self.now);
    }

    fn keep_goals_open(&mut self, instance: &Instance) {
        if instance.converted {
            return;
        }
        let Some(journey) = self.engine.program.journeys.get(instance.journey.index()) else { return };
        for (goal, declared) in journey.goals.iter().enumerate() {
            let Some(deadline) = self.deadline(declared, instance.time) else { continue };
            if deadline >= self.now {
                self.person.rare_mut().goals.push(OpenGoal {
                    journey: instance.journey,
                    goal,
                    entry: (instance.time, instance.order),
                    deadline,
                    trigger: instance.trigger.clone(),
                    holdout: instance.holdout,
                });
            }
        }
    }

    /// Until when a goal counts.
    pub fn deadline(&self, goal: &Goal, entry: i64) -> Option<i64> {
        goal.within.map(|within| calendar::add(self.engine.zone_of(self.person), entry, within))
    }

    /// Counts conversions: of those in flight, and of those who have left within the goal's time.
    pub fn goals(&mut self, signal: &Signal) {
        let Some(happened) = &signal.event else { return };
        let mut met: SmallVec<[usize; 2]> = SmallVec::new();
        for (place, instance) in self.person.instances.iter().enumerate() {
            if instance.converted || instance.pending.is_some() {
                continue;
            }
            if self.engine.index.journey(instance.journey).listens.binary_search(&happened.event).is_err() {
                continue;
            }
            let goals = self.engine.program.journeys.get(instance.journey.index()).map_or(&[][..], |j| &j.goals);
            let meets = goals.iter().any(|goal| {
                goal.event == happened.event
                    && self.deadline(goal, instance.time).is_none_or(|deadline| self.now <= deadline)
                    && self.passes(goal.filter, Some(instance), &happened.fields)
            });
            if meets {
                met.push(place);
            }
        }
        met.into_iter().for_each(|place| self.convert(place));
        self.open_goals(|run, _, open| {
            let view = View::of(run.engine, run.person).after(&open.trigger, open.entry).testing(&happened.fields);
            run.declared(open).is_some_and(|goal| {
                goal.event == happened.event
                    && goal.filter.is_none_or(|filter| run.engine.truth(filter, &view, &mut Moment::at(run.now)))
            })
        });
    }

    /// Counts an entry in flight as a conversion.
    pub(super) fn convert(&mut self, place: usize) {
        let Some(instance) = self.person.instances.get_mut(place) else { return };
        instance.converted = true;
        let (journey, holdout) = (instance.journey, instance.holdout);
        self.tell(EffectKind::Converted { journey, holdout });
    }

    /// Counts the conversions of entries that are over: of each, the first goal that is met. `is_met` is asked with the
    /// goal's place among the person's open goals, only while the goal's time is not over.
    pub(super) fn open_goals(&mut self, is_met: impl Fn(&Self, usize, &OpenGoal) -> bool) {
        if self.person.rare().goals.is_empty() {
            return;
        }
        let goals = std::mem::take(&mut self.person.rare_mut().goals);
        let mut met = Vec::new();
        for (place, open) in goals.iter().enumerate() {
            if open.deadline >= self.now && !met.contains(&open.of()) && is_met(self, place, open) {
                met.push(open.of());
            }
        }
        let still_open = |open: &OpenGoal| open.deadline >= self.now && !met.contains(&open.of());
        let goals = goals.into_iter().filter(still_open).collect();
        self.person.rare_mut().goals = goals;
        for (journey, _, holdout) in met {
            self.tell(EffectKind::Converted { journey, holdout });
        }
    }

    /// What was declared of an open goal.
    pub(super) fn declared(&self, open: &OpenGoal) -> Option<&Goal> {
        self.engine.program.journeys.get(open.journey.index())?.goals.get(open.goal)
    }
}
