//! Which step of the new version is which step of the old one.

use super::names::Names;
use super::{Answers, Fate};
use flow_compiler::bytecode::{EventId, Journey, JourneyId, Program, Send, Slot, Step, StepId, StepKind, Trigger};
use std::collections::BTreeMap;
use std::mem::discriminant;

/// What becomes of one journey.
#[derive(Debug)]
pub(super) struct JourneyMove {
    pub to: Option<JourneyId>,
    /// By old step.
    pub fates: Vec<Fate>,
    /// By old slot.
    pub slots: BTreeMap<Slot, Slot>,
    /// By old place of a message.
    pub messages: BTreeMap<u16, u16>,
    /// By old trigger.
    pub triggers: Vec<Option<usize>>,
    /// By old goal.
    pub goals: Vec<Option<usize>>,
}

/// Whether the answers name what there is.
pub(super) fn check(old: &Program, new: &Program, answers: &Answers) -> Result<(), String> {
    let find = |program: &'_ Program, name: &str| program.journeys.iter().position(|journey| journey.name == name);
    let has = |program: &Program, journey: &str, step: &str| {
        let steps = find(program, journey).and_then(|place| program.journeys.get(place)).map(|journey| &journey.steps);
        steps.is_some_and(|steps| steps.iter().any(|known| known.identity == step))
    };
    for (journey, step, to) in &answers.moved {
        if !has(old, journey, step) {
            return Err(format!("the version that people are in has no step `{step}` in `{journey}`"));
        }
        if !has(new, journey, to) {
            return Err(format!("the new version has no step `{to}` in `{journey}`"));
        }
    }
    for (journey, step) in &answers.ended {
        if !has(old, journey, step) {
            return Err(format!("the version that people are in has no step `{step}` in `{journey}`"));
        }
    }
    for journey in &answers.ended_journeys {
        if find(old, journey).is_none() {
            return Err(format!("the version that people are in has no journey `{journey}`"));
        }
        if find(new, journey).is_some() {
            return Err(format!("the journey `{journey}` is in the new version: there is nothing to end"));
        }
    }
    Ok(())
}

/// What becomes of a journey.
pub(super) fn moves(new: &Program, names: &Names, old: &Journey, answers: &Answers) -> JourneyMove {
    let place = new.journeys.iter().position(|journey| journey.name == old.name);
    let Some((place, journey)) = place.and_then(|place| Some((place, new.journeys.get(place)?))) else {
        let ended = answers.ended_journeys.contains(&old.name);
        let fate = if ended { Fate::Ended } else { Fate::Gone };
        return JourneyMove {
            to: None,
            fates: vec![fate; old.steps.len()],
            slots: BTreeMap::new(),
            messages: BTreeMap::new(),
            triggers: vec![None; old.triggers.len()],
            goals: vec![None; old.goals.len()],
        };
    };
    let fates = fates(old, journey, answers);
    let (slots, messages) = places(old, journey, &fates);
    JourneyMove {
        to: u32::try_from(place).ok().map(JourneyId),
        fates,
        slots,
        messages,
        triggers: triggers(names, old, journey),
        goals: goals(names, old, journey),
    }
}

fn fates(old: &Journey, new: &Journey, answers: &Answers) -> Vec<Fate> {
    let same: Vec<Option<usize>> =
        old.steps.iter().map(|step| new.steps.iter().position(|other| other.identity == step.identity)).collect();
    let in_place = in_place(old, new, &same);
    let one = |(at, step): (usize, &Step)| {
        let id = |place: usize| StepId(u32::try_from(place).unwrap_or(u32::MAX));
        let said = said(old, new, answers, &step.identity, false);
        said.or_else(|| same.get(at).copied().flatten().map(|place| Fate::Stays(id(place))))
            .or_else(|| in_place.get(&at).map(|place| Fate::Changed(id(*place))))
            .or_else(|| said_of_next(old, new, answers, at))
            .unwrap_or(Fate::Gone)
    };
    let fates: Vec<Fate> = old.steps.iter().enumerate().map(one).collect();
    // Side by side stays side by side: nobody gets out of a `together` whose other branches are waited for, or into one.
    let stays = |(at, fate): (usize, &Fate)| match fate.step() {
        Some(to) => {
            let left = around(old, at).and_then(|at| fates.get(at)).map(|fate| fate.step());
            let lands = around(new, to.index()).map(|at| StepId(u32::try_from(at).unwrap_or(u32::MAX)));
            match (left, lands) {
                (None, None) => *fate,
                (Some(Some(before)), Some(after)) if before == after => *fate,
                _ => Fate::Gone,
            }
        }
        None => *fate,
    };
    fates.iter().enumerate().map(stays).collect()
}

/// What the author says about a step: on the command line by journey and identity, in the journey by name.
fn said(old: &Journey, new: &Journey, answers: &Answers, identity: &str, waits_before: bool) -> Option<Fate> {
    let place = |identity: &str| new.steps.iter().position(|step| step.identity == identity);
    let moved = answers.moved.iter().filter(|(journey, ..)| *journey == old.name).map(|(_, from, to)| (from, to));
    let mut moved = moved.chain(new.moved.iter().map(|(from, to)| (from, to)));
    if let Some((_, to)) = moved.find(|(from, _)| *from == identity) {
        let at = place(to)?;
        // Who waits to get to a message waits to get to the other.
        let before =
            at.checked_sub(1).filter(|at| waits_before && new.steps.get(*at).is_some_and(|s| is_wait(&s.kind)));
        return u32::try_from(before.unwrap_or(at)).ok().map(|at| Fate::Moved(StepId(at)));
    }
    let ended = answers.ended.iter().any(|(journey, step)| *journey == old.name && step == identity);
    (ended || new.ended.iter().any(|step| step == identity)).then_some(Fate::Ended)
}

/// Waits have no names: what is said of a message is said of the waits right before it too.
fn said_of_next(old: &Journey, new: &Journey, answers: &Answers, at: usize) -> Option<Fate> {
    if !old.steps.get(at).is_some_and(|step| is_wait(&step.kind)) {
        return None;
    }
    for step in old.steps.get(at + 1..)? {
        match &step.kind {
            StepKind::Send(_) if word(&step.identity).is_none() => {
                return said(old, new, answers, &step.identity, true)
            }
            StepKind::Send(_) | StepKind::Set { .. } | StepKind::Emit { .. } | StepKind::Audience { .. } => {}
            kind if is_wait(kind) => {}
            _ => return None,
        }
    }
    None
}

fn is_wait(kind: &StepKind) -> bool {
    matches!(
        kind,
        StepKind::Wait(_)
            | StepKind::WaitMoment { .. }
            | StepKind::WaitDays { .. }
            | StepKind::WaitCondition { .. }
            | StepKind::WaitEvent { .. }
            | StepKind::WaitWithin { .. }
            | StepKind::WaitBestHour { .. }
    )
}

/// The word of an identity that is no name: `wait` of `wait-0123456789abcdef.1`.
fn word(identity: &str) -> Option<&str> {
    let (word, hash) = identity.rsplit_once('-')?;
    let hash = hash.split('.').next()?;
    (hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(word)
}

/// Steps without names whose text changed: between the same neighbours stand as many of the same kind.
fn in_place(old: &Journey, new: &Journey, same: &[Option<usize>]) -> BTreeMap<usize, usize> {
    let shown = |step: &Step| !matches!(step.kind, StepKind::Jump(_) | StepKind::Join | StepKind::RepeatBegin { .. });
    let mut found = BTreeMap::new();
    let (mut run, mut lower): (Vec<usize>, usize) = (Vec::new(), 0);
    let steps = old.steps.iter().enumerate().filter(|(_, step)| shown(step)).map(|(at, _)| at);
    for at in steps.chain([old.steps.len()]) {
        let upper = match same.get(at) {
            Some(None) => {
                run.push(at);
                continue;
            }
            Some(Some(to)) => *to,
            None => new.steps.len(),
        };
        let free = |place: &usize| !same.contains(&Some(*place)) && new.steps.get(*place).is_some_and(shown);
        let between: Vec<usize> = (lower..upper).filter(free).collect();
        found.extend(pairs(old, new, &run, &between));
        run.clear();
        lower = upper + 1;
    }
    found
}

/// Of each kind in their order, where there are as many.
fn pairs(old: &Journey, new: &Journey, run: &[usize], between: &[usize]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let sort = |journey: &Journey, at: usize| {
        let step = journey.steps.get(at)?;
        Some((word(&step.identity)?.to_owned(), discriminant(&step.kind)))
    };
    for at in run {
        let Some(kind) = sort(old, *at) else { continue };
        let alike = |journey: &Journey, list: &[usize]| -> Vec<usize> {
            list.iter().copied().filter(|at| sort(journey, *at).as_ref() == Some(&kind)).collect()
        };
        let (ours, theirs) = (alike(old, run), alike(new, between));
        let place = ours.iter().position(|other| other == at);
        if let (true, Some(to)) = (ours.len() == theirs.len(), place.and_then(|place| theirs.get(place))) {
            pairs.push((*at, *to));
        }
    }
    pairs
}

/// The innermost `together` around a step. Its branches stand between it and where it goes on.
fn around(journey: &Journey, at: usize) -> Option<usize> {
    let before = journey.steps.get(..at).unwrap_or_default();
    before.iter().rposition(|step| matches!(&step.kind, StepKind::Together { join, .. } if join.index() > at))
}

/// Where the new version keeps what the old one has bound.
fn places(old: &Journey, new: &Journey, fates: &[Fate]) -> (BTreeMap<Slot, Slot>, BTreeMap<u16, u16>) {
    let (mut slots, mut messages) = (BTreeMap::new(), BTreeMap::new());
    for (step, fate) in old.steps.iter().zip(fates) {
        let other = fate.step().and_then(|to| new.steps.get(to.index())).map(|step| &step.kind);
        match (&step.kind, other) {
            (
                StepKind::RepeatNext { slot, anchor, .. },
                Some(StepKind::RepeatNext { slot: other, anchor: begun, .. }),
            ) => slots.extend([(*slot, *other), (*anchor, *begun)]),
            (StepKind::Fetch { slot: Some(slot), .. }, Some(StepKind::Fetch { slot: Some(other), .. })) => {
                slots.insert(*slot, *other);
            }
            (StepKind::Send(old), Some(StepKind::Send(new))) => {
                if let (Send { message: Some(old), .. }, Send { message: Some(new), .. }) = (&**old, &**new) {
                    messages.insert(*old, *new);
                }
            }
            _ => {}
        }
    }
    (slots, messages)
}

fn event(names: &Names, event: EventId) -> Option<EventId> {
    names.events.get(event.index()).copied().flatten().map(EventId)
}

/// The trigger at the same place, if it is of the same kind; for a `without`, the one of the same events.
fn triggers(names: &Names, old: &Journey, new: &Journey) -> Vec<Option<usize>> {
    let one = |(place, trigger): (usize, &Trigger)| match trigger {
        Trigger::Without { event: a, without: b, .. } => {
            let wanted = (event(names, *a)?, event(names, *b)?);
            let same = |other: &Trigger| matches!(other, Trigger::Without { event, without, .. } if (*event, *without) == wanted);
            let here = new.triggers.get(place).is_some_and(same).then_some(place);
            here.or_else(|| new.triggers.iter().position(same))
        }
        _ => new.triggers.get(place).filter(|other| discriminant(*other) == discriminant(trigger)).map(|_| place),
    };
    old.triggers.iter().enumerate().map(one).collect()
}

fn goals(names: &Names, old: &Journey, new: &Journey) -> Vec<Option<usize>> {
    let one = |(place, goal): (usize, &flow_compiler::bytecode::Goal)| {
        let wanted = event(names, goal.event)?;
        let here = new.goals.get(place).is_some_and(|goal| goal.event == wanted).then_some(place);
        here.or_else(|| new.goals.iter().position(|goal| goal.event == wanted))
    };
    old.goals.iter().enumerate().map(one).collect()
}
