//! The body of a journey while it is laid out as a list of steps.

use crate::bytecode::{Step, StepId, StepKind};
use crate::context::{index, Cx};
use crate::node::Known;
use flow_grammar::ast::{self, MatchArm};
use flow_grammar::span::Span;
use std::collections::BTreeMap;

/// The steps so far, and what is known at their end.
#[derive(Default)]
pub(crate) struct Body {
    pub steps: Vec<Step>,
    pub known: Known,
    /// Whether everybody has left before this place.
    pub left: bool,
    counts: BTreeMap<String, u32>,
    /// Whether the limit on steps was reported.
    pub overfull: bool,
}

/// What is known at the end of one of several ways.
pub(crate) struct End {
    pub known: Known,
    pub left: bool,
}

impl Body {
    /// The number of the next step.
    pub fn here(&self) -> StepId {
        StepId(index(self.steps.len()))
    }

    /// Adds a step; its targets are set later with [`Body::aim`].
    pub fn push(&mut self, kind: StepKind, identity: &str, span: Span) -> usize {
        let count = self.counts.entry(identity.to_owned()).or_insert(0);
        let identity = if *count == 0 { identity.to_owned() } else { format!("{identity}.{count}") };
        *count += 1;
        self.steps.push(Step { kind, identity, span });
        self.steps.len() - 1
    }

    /// Adds a step that people never see: a jump and the like.
    pub fn glue(&mut self, kind: StepKind, word: &str, span: Span) -> usize {
        self.push(kind, word, span)
    }

    /// Lets a step go on here: where else it can go, or, for a jump, at all.
    pub fn aim(&mut self, step: usize) {
        let here = self.here();
        self.aim_at(step, here);
    }

    pub fn aim_at(&mut self, step: usize, target: StepId) {
        let Some(step) = self.steps.get_mut(step) else { return };
        match &mut step.kind {
            StepKind::Jump(to) | StepKind::Branch { otherwise: to, .. } | StepKind::Fetch { otherwise: to, .. } => {
                *to = target
            }
            StepKind::WaitMoment { otherwise, .. }
            | StepKind::WaitCondition { otherwise, .. }
            | StepKind::WaitEvent { otherwise, .. } => *otherwise = target,
            StepKind::Together { join, .. } => *join = target,
            _ => {}
        }
    }

    /// Lets a wait go on here when what it waited for came.
    pub fn aim_then(&mut self, step: usize) {
        let here = self.here();
        if let Some(
            StepKind::WaitMoment { then, .. } | StepKind::WaitCondition { then, .. } | StepKind::WaitEvent { then, .. },
        ) = self.steps.get_mut(step).map(|s| &mut s.kind)
        {
            *then = here;
        }
    }

    /// Ends one way and begins the next with what was known before.
    pub fn end_way(&mut self, before: &Known, left: bool) -> End {
        let end = End { known: std::mem::replace(&mut self.known, before.clone()), left: self.left };
        self.left = left;
        end
    }

    /// What is known where several ways meet.
    pub fn meet(&mut self, ends: Vec<End>) {
        let mut open = ends.into_iter().filter(|end| !end.left).map(|end| end.known);
        match open.next() {
            None => self.left = true,
            Some(first) => {
                self.left = false;
                self.known = open.fold(first, |all, one| all.both(&one));
            }
        }
    }
}

/// A target that is set later.
pub(crate) const LATER: StepId = StepId(u32::MAX);

impl Cx<'_> {
    /// The identity of a step without a name: the word for it and a hash of its own text, without the steps in it.
    pub fn identity(&self, word: &str, step: &ast::Step) -> String {
        let inner = nested(step).into_iter().map(|inner| inner.span.start).min();
        let end = inner.unwrap_or(step.span.end);
        let head = self.folded(Span::new(step.span.file, step.span.start, end));
        format!("{word}-{:016x}", fnv(&head))
    }
}

/// The steps directly inside a step.
pub(crate) fn nested(step: &ast::Step) -> Vec<&ast::Step> {
    use ast::StepKind as K;
    match &step.kind {
        K::WaitUntil { then, otherwise, .. } | K::WaitFor { then, otherwise, .. } => {
            then.iter().chain(otherwise).map(AsRef::as_ref).collect()
        }
        K::If { then, otherwise, .. } => std::iter::once(then).chain(otherwise).map(AsRef::as_ref).collect(),
        K::Match { arms, otherwise, .. } => arms_of(arms).chain(otherwise.iter().map(AsRef::as_ref)).collect(),
        K::Split { arms } => arms.iter().map(|arm| &arm.step).collect(),
        K::Fetch { otherwise, .. } => otherwise.iter().map(AsRef::as_ref).collect(),
        K::Repeat { body, .. } | K::For { body, .. } | K::Together(body) | K::Block(body) => body.iter().collect(),
        _ => Vec::new(),
    }
}

fn arms_of(arms: &[MatchArm]) -> impl Iterator<Item = &ast::Step> {
    arms.iter().map(|arm| &arm.step)
}

/// FNV-1a, which stays the same from version to version.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
