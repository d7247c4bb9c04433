//! A journey's steps as a graph: where each step can go on, and which codes it evaluates.
//!
//! Everything that looks at journeys as a whole (verification, listings, the report, the rules)
//! learns here what follows what, so that it is written once.

use crate::bytecode::{CodeId, Const, Content, Journey, Program, StepId, StepKind, Until, WaitedEvent};

/// Why one step can follow another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgeKind {
    /// Simply the next one.
    Next,
    /// The condition held, the moment or the event came.
    Then,
    /// It did not hold, or did not come in time.
    Otherwise,
    /// An arm of a split, by its name.
    Arm(String),
    /// A branch of a `together`, from 1.
    Branch(usize),
    /// All branches of a `together` are done.
    Join,
    /// One more round.
    Again,
}

/// One step that can follow another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The step that follows; one past the last: the journey ends.
    pub to: StepId,
    /// When it does.
    pub kind: EdgeKind,
}

/// The steps that can follow the step at `at`.
#[must_use]
pub fn edges(journey: &Journey, at: StepId) -> Vec<Edge> {
    let next = StepId(at.0 + 1);
    let edge = |to, kind| Edge { to, kind };
    let Some(step) = journey.steps.get(at.index()) else { return Vec::new() };
    match &step.kind {
        StepKind::WaitMoment { bound, then, otherwise, .. }
        | StepKind::WaitCondition { bound, then, otherwise, .. }
        | StepKind::WaitEvent { bound, then, otherwise, .. } => {
            let came = edge(*then, EdgeKind::Then);
            match bound {
                Some(_) => vec![came, edge(*otherwise, EdgeKind::Otherwise)],
                None => vec![came],
            }
        }
        StepKind::Branch { otherwise, .. } => vec![edge(next, EdgeKind::Then), edge(*otherwise, EdgeKind::Otherwise)],
        StepKind::Fetch { otherwise, .. } if *otherwise == next => vec![edge(next, EdgeKind::Next)],
        StepKind::Fetch { otherwise, .. } => vec![edge(next, EdgeKind::Next), edge(*otherwise, EdgeKind::Otherwise)],
        StepKind::Jump(to) => vec![edge(*to, EdgeKind::Next)],
        StepKind::Split { arms, .. } => {
            arms.iter().map(|(name, _, to)| edge(*to, EdgeKind::Arm(name.clone()))).collect()
        }
        StepKind::RepeatNext { times: Some(0 | 1), .. } => vec![edge(next, EdgeKind::Next)],
        StepKind::RepeatNext { body, times: Some(_), .. } => {
            vec![edge(*body, EdgeKind::Again), edge(next, EdgeKind::Next)]
        }
        StepKind::RepeatNext { body, times: None, .. } => vec![edge(*body, EdgeKind::Again)],
        StepKind::Together { branches, .. } => {
            branches.iter().enumerate().map(|(n, to)| edge(*to, EdgeKind::Branch(n + 1))).collect()
        }
        StepKind::Join => enclosing_join(journey, at).map(|to| edge(to, EdgeKind::Join)).into_iter().collect(),
        StepKind::End => Vec::new(),
        StepKind::Wait(_)
        | StepKind::WaitDays { .. }
        | StepKind::WaitWithin { .. }
        | StepKind::WaitBestHour { .. }
        | StepKind::Send(_)
        | StepKind::Set { .. }
        | StepKind::Audience { .. }
        | StepKind::Emit { .. }
        | StepKind::Start(_)
        | StepKind::RepeatBegin { .. } => vec![edge(next, EdgeKind::Next)],
    }
}

/// Where the innermost `together` around a step goes on.
fn enclosing_join(journey: &Journey, at: StepId) -> Option<StepId> {
    let before = journey.steps.get(..at.index()).unwrap_or_default();
    before.iter().rev().find_map(|step| match &step.kind {
        StepKind::Together { join, .. } if *join > at => Some(*join),
        _ => None,
    })
}

/// Whether each step can be reached from the first. What stands after a `together` can be reached
/// only when every branch can come to its end.
#[must_use]
pub fn reachable(journey: &Journey) -> Vec<bool> {
    let mut reached = vec![false; journey.steps.len()];
    let mut todo = vec![StepId(0)];
    // Joins that are met before all branches of their `together` have come to an end.
    while let Some(at) = todo.pop() {
        let Some(seen) = reached.get_mut(at.index()) else { continue };
        if std::mem::replace(seen, true) {
            continue;
        }
        let is_join = journey.steps.get(at.index()).is_some_and(|step| step.kind == StepKind::Join);
        if is_join && !all_branches_end(journey, at, &reached) {
            continue;
        }
        todo.extend(edges(journey, at).into_iter().map(|edge| edge.to));
    }
    reached
}

/// Whether every branch of the `together` around the join at `at` has a join that was reached.
fn all_branches_end(journey: &Journey, at: StepId, reached: &[bool]) -> bool {
    let around = journey.steps.get(..at.index()).unwrap_or_default().iter().rev().find_map(|step| match &step.kind {
        StepKind::Together { branches, join } if *join > at => Some((branches, *join)),
        _ => None,
    });
    let Some((branches, join)) = around else { return true };
    let ends = branches.iter().skip(1).copied().chain([join]);
    // A branch's own join is its last step.
    ends.map(|end| end.index().wrapping_sub(1)).all(|last| reached.get(last).copied().unwrap_or(false))
}

/// The codes that a step evaluates.
#[must_use]
pub fn codes(kind: &StepKind) -> Vec<CodeId> {
    match kind {
        StepKind::Wait(code) | StepKind::Branch { condition: code, .. } | StepKind::Set { value: code, .. } => {
            vec![*code]
        }
        StepKind::WaitMoment { at, bound, .. } => [*at].into_iter().chain(bound_code(bound.as_ref())).collect(),
        StepKind::WaitCondition { condition, bound, .. } => {
            [condition.code].into_iter().chain(bound_code(bound.as_ref())).collect()
        }
        StepKind::WaitEvent { events, bound, .. } => {
            let filters = events.iter().filter_map(|event| match event {
                WaitedEvent::Event { filter, .. } => *filter,
                WaitedEvent::Outcome(..) => None,
            });
            filters.chain(bound_code(bound.as_ref())).collect()
        }
        StepKind::Send(send) => {
            let text = match &send.content {
                Content::Text(code) => Some(*code),
                Content::Template(_) => None,
            };
            text.into_iter().chain(send.to).chain(send.with.iter().map(|given| given.code)).collect()
        }
        StepKind::Fetch { args, .. } => args.clone(),
        StepKind::Emit { fields, .. } => fields.iter().flatten().copied().collect(),
        StepKind::RepeatNext { every, .. } => every.iter().copied().collect(),
        StepKind::WaitDays { .. }
        | StepKind::WaitWithin { .. }
        | StepKind::WaitBestHour { .. }
        | StepKind::Jump(_)
        | StepKind::Split { .. }
        | StepKind::Audience { .. }
        | StepKind::Start(_)
        | StepKind::RepeatBegin { .. }
        | StepKind::Together { .. }
        | StepKind::Join
        | StepKind::End => Vec::new(),
    }
}

/// The code of a wait's bound.
#[must_use]
pub fn bound_code(bound: Option<&Until>) -> Option<CodeId> {
    bound.map(|until| match until {
        Until::For(code) | Until::Moment(code, _) => *code,
    })
}

/// The value of a code that is nothing but a constant.
#[must_use]
pub fn constant(program: &Program, code: CodeId) -> Option<&Const> {
    use crate::bytecode::Op;
    match program.codes.get(code.index())?.ops.as_slice() {
        [Op::Const(to, value), Op::Return(from)] if to == from => program.constants.get(value.index()),
        _ => None,
    }
}
