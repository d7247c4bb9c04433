//! Journeys: triggers, rules and steps.

use super::code::{Codes, Context};
use super::{below, deps, segment_is_known};
use crate::bytecode::{
    BoundValue, EventId, Exit, Journey, Program, Send, Slot, StepId, StepKind, Trigger, TriggerField, Until,
    WaitedEvent,
};
use crate::graph;

type Checked = Result<(), String>;

pub(super) fn check<'p>(program: &'p Program, codes: &mut Codes<'p>, journey: &'p Journey) -> Checked {
    let index = program.journeys.iter().position(|other| std::ptr::eq(other, journey)).unwrap_or_default();
    let mut check =
        Check { program, codes, journey, context: Context { journey: Some((index, journey)), fields: None } };
    below("topic", journey.topic.index(), program.topics.len())?;
    journey.trigger_fields.iter().try_for_each(|field| check.trigger_field(field))?;
    journey.enter.key.iter().try_for_each(|n| below("key field", usize::from(*n), journey.trigger_fields.len()))?;
    journey.triggers.iter().try_for_each(|trigger| check.trigger(trigger).map_err(|e| format!("trigger: {e}")))?;
    journey.exits.iter().try_for_each(|exit| check.exit(exit).map_err(|e| format!("exit: {e}")))?;
    for goal in &journey.goals {
        check.matched(goal.event, goal.filter).map_err(|e| format!("goal: {e}"))?;
    }
    for (at, step) in journey.steps.iter().enumerate() {
        check.step(at, &step.kind).map_err(|e| format!("step {at}: {e}"))?;
    }
    Ok(())
}

struct Check<'c, 'p> {
    program: &'p Program,
    codes: &'c mut Codes<'p>,
    journey: &'p Journey,
    context: Context<'p>,
}

impl<'p> Check<'_, 'p> {
    fn trigger_field(&self, field: &TriggerField) -> Checked {
        super::type_is_known(self.program, &field.ty)?;
        field.sources.iter().try_for_each(|(event, n)| below("source", usize::from(*n), self.fields(*event)?))
    }

    fn fields(&self, event: EventId) -> Result<usize, String> {
        let events = &self.program.events;
        events
            .get(event.index())
            .map(|e| e.fields.len())
            .ok_or_else(|| format!("event {} of {}", event.0, events.len()))
    }

    /// An event with its filter, which may see the journey too.
    fn matched(&mut self, event: EventId, filter: Option<crate::bytecode::CodeId>) -> Checked {
        let context = Context { fields: Some(self.fields(event)?), ..self.context };
        filter.map_or(Ok(()), |code| self.codes.check(code, context))
    }

    fn trigger(&mut self, trigger: &Trigger) -> Checked {
        match trigger {
            Trigger::Event { event, filter } => self.matched(*event, *filter),
            Trigger::Without { event, filter, without, without_filter, .. } => {
                self.matched(*event, *filter)?;
                self.matched(*without, *without_filter)
            }
            Trigger::Enter(segment) | Trigger::Leave(segment) => segment_is_known(self.program, *segment),
            Trigger::Change { attribute, filter } => {
                below("attribute", attribute.index(), self.program.attributes.len())?;
                filter.map_or(Ok(()), |code| self.codes.check(code, self.context))
            }
            Trigger::Date { date, deps: on, .. } => {
                deps(self.program, on)?;
                self.codes.check(*date, Context::default())
            }
            Trigger::Every { audience, .. } => {
                audience.map_or(Ok(()), |code| self.codes.check(code, Context::default()))
            }
            Trigger::List(list) => below("list", list.index(), self.program.lists.len()),
        }
    }

    fn exit(&mut self, exit: &Exit) -> Checked {
        match exit {
            Exit::On { event, filter } => self.matched(*event, *filter),
            Exit::When(condition) => {
                deps(self.program, &condition.deps)?;
                self.codes.check(condition.code, self.context)
            }
            Exit::After(_) => Ok(()),
        }
    }

    fn step(&mut self, at: usize, kind: &StepKind) -> Checked {
        self.targets(at, kind)?;
        self.operands(kind)?;
        if let StepKind::WaitEvent { events, .. } = kind {
            for event in events {
                match event {
                    WaitedEvent::Event { event, filter } => self.matched(*event, *filter)?,
                    WaitedEvent::Outcome(slot, _) => self.message(*slot)?,
                }
            }
            let bound = bound(kind);
            return graph::bound_code(bound).map_or(Ok(()), |code| self.codes.check(code, self.context));
        }
        graph::codes(kind).into_iter().try_for_each(|code| self.codes.check(code, self.context))
    }

    /// Targets lie ahead and are at most one past the last step; only a further round goes back.
    fn targets(&self, at: usize, kind: &StepKind) -> Checked {
        let len = self.journey.steps.len();
        let ahead = |to: &StepId| {
            if to.index() <= at {
                return Err(format!("goes back to {}", to.0));
            }
            below("target", to.index(), len + 1)
        };
        match kind {
            StepKind::WaitMoment { then, otherwise, .. }
            | StepKind::WaitCondition { then, otherwise, .. }
            | StepKind::WaitEvent { then, otherwise, .. } => {
                ahead(then)?;
                ahead(otherwise)
            }
            StepKind::Branch { otherwise, .. } | StepKind::Fetch { otherwise, .. } => ahead(otherwise),
            StepKind::Jump(to) => ahead(to),
            StepKind::Split { arms, .. } => arms.iter().try_for_each(|(_, _, to)| ahead(to)),
            StepKind::Together { branches, join } => {
                ahead(join)?;
                branches.iter().try_for_each(ahead)?;
                self.branches_end(branches, *join)
            }
            StepKind::RepeatNext { body, .. } if body.index() > at => Err("a loop's body lies ahead".to_owned()),
            StepKind::Join if graph::edges(self.journey, step_id(at)).is_empty() => {
                Err("a join outside `together`".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Each branch of a `together` ends with a join, right before the next branch or the end.
    fn branches_end(&self, branches: &[StepId], join: StepId) -> Checked {
        for end in branches.iter().skip(1).chain([&join]) {
            let last = end.index().checked_sub(1).and_then(|last| self.journey.steps.get(last));
            if last.is_none_or(|step| step.kind != StepKind::Join) {
                return Err(format!("the branch before {} does not end with a join", end.0));
            }
        }
        Ok(())
    }

    fn operands(&self, kind: &StepKind) -> Checked {
        let program = self.program;
        match kind {
            StepKind::WaitMoment { deps: on, .. } => deps(program, on)?,
            StepKind::WaitCondition { condition, .. } => deps(program, &condition.deps)?,
            StepKind::WaitBestHour { channel, .. } => below("channel", channel.index(), program.channels.len())?,
            StepKind::Send(send) => self.send(send)?,
            StepKind::Set { attribute, .. } => below("attribute", attribute.index(), program.attributes.len())?,
            StepKind::Fetch { api, args, slot, .. } => {
                below("api", api.index(), program.apis.len())?;
                let wanted = program.apis.get(api.index()).map_or(0, |api| api.params.len());
                if args.len() != wanted {
                    return Err(format!("{} arguments for {wanted} parameters", args.len()));
                }
                slot.map_or(Ok(()), |slot| self.slot(slot))?;
            }
            StepKind::Audience { audience, .. } => below("audience", audience.index(), program.audiences.len())?,
            StepKind::Emit { event, fields } => {
                let wanted = self.fields(*event)?;
                if fields.len() != wanted {
                    return Err(format!("{} values for {wanted} fields", fields.len()));
                }
            }
            StepKind::Start(journey) => below("journey", journey.index(), program.journeys.len())?,
            StepKind::RepeatBegin { slot, anchor } | StepKind::RepeatNext { slot, anchor, .. } => {
                self.slot(*slot)?;
                self.slot(*anchor)?;
            }
            _ => {}
        }
        match bound(kind) {
            Some(Until::Moment(_, on)) => deps(program, on),
            _ => Ok(()),
        }
    }

    fn send(&self, send: &Send) -> Checked {
        for channel in &send.channels {
            below("channel", channel.index(), self.program.channels.len())?;
        }
        below("topic", send.topic.index(), self.program.topics.len())?;
        for bound in &send.bound {
            if let BoundValue::Slot(slot) = bound.value {
                self.slot(slot)?;
            }
        }
        send.message.map_or(Ok(()), |slot| self.message(slot))
    }

    fn slot(&self, slot: Slot) -> Checked {
        below("slot", usize::from(slot), usize::from(self.journey.slots))
    }

    fn message(&self, slot: Slot) -> Checked {
        below("message", usize::from(slot), usize::from(self.journey.messages))
    }
}

fn bound(kind: &StepKind) -> Option<&Until> {
    match kind {
        StepKind::WaitMoment { bound, .. }
        | StepKind::WaitCondition { bound, .. }
        | StepKind::WaitEvent { bound, .. } => bound.as_ref(),
        _ => None,
    }
}

fn step_id(at: usize) -> StepId {
    StepId(u32::try_from(at).unwrap_or(u32::MAX))
}
