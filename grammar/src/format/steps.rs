//! Steps: on one line if they fit, else with their blocks open or their branches on lines of their own.

use super::marks::arm_place;
use super::points::Points;
use super::printer::Printer;
use crate::ast::*;

/// A branch of a step: the word before it, and the step.
struct Branch<'a> {
    word: usize,
    step: &'a Step,
    end: usize,
}

impl Printer<'_> {
    pub fn step(&mut self, step: &Step, (from, to): (usize, usize), indent: usize) {
        if self.fits(from, to) {
            return self.put_all(from, to, indent + 4);
        }
        let mut points = Vec::new();
        match &step.kind {
            StepKind::Block(steps) => self.block(steps, from, to, indent),
            StepKind::If { .. } => self.if_step(step, (from, to), indent),
            StepKind::WaitUntil { until, bound, then, otherwise } => {
                if let Until::Expr(expr) = until {
                    self.expr_points(expr, 1, &mut points);
                }
                self.bound_points(bound.as_ref(), &mut points);
                self.branches((from, to), then.as_deref(), otherwise.as_deref(), indent, &points);
            }
            StepKind::WaitFor { filter, bound, then, otherwise, .. } => {
                if let Some(filter) = filter {
                    self.word_before(filter.span, 0, &mut points);
                    self.expr_points(filter, 1, &mut points);
                }
                self.bound_points(bound.as_ref(), &mut points);
                self.branches((from, to), then.as_deref(), otherwise.as_deref(), indent, &points);
            }
            StepKind::Fetch { call, otherwise, .. } => {
                self.argument_points(&call.args, 0, &mut points);
                self.branches((from, to), None, otherwise.as_deref(), indent, &points);
            }
            StepKind::Match { arms, otherwise, .. } => {
                let mut inner: Vec<(usize, &Step)> =
                    arms.iter().filter_map(|arm| Some((self.at(arm_place(arm)?.0), &arm.step))).collect();
                inner.extend(otherwise.as_ref().map(|step| (self.at(step.span.start).saturating_sub(2), &**step)));
                inner.sort_by_key(|(start, _)| *start);
                self.arms(&inner, (from, to), indent);
            }
            StepKind::Split { arms } => {
                let inner: Vec<(usize, &Step)> =
                    arms.iter().map(|arm| (self.at(arm.share_span.start), &arm.step)).collect();
                self.arms(&inner, (from, to), indent);
            }
            StepKind::Together(blocks) => {
                self.put(from, indent + 4);
                for block in blocks {
                    let (start, end) = self.range(block.span);
                    match &block.kind {
                        StepKind::Block(steps) => self.block(steps, start, end, indent),
                        _ => self.put_all(start, end, indent + 4),
                    }
                }
            }
            StepKind::Repeat { body, .. } | StepKind::For { body, .. } => {
                let limit = body.first().map_or(to, |step| self.at(step.span.start));
                let open = (from..limit).rev().find(|at| self.is(*at, "{")).unwrap_or(from);
                self.put_all(from, open, indent + 4);
                self.block(body, open, to, indent);
            }
            StepKind::Send(send) => {
                self.record_points(&send.with, 0, &mut points);
                self.layout((from, to), indent, indent + 2, &points);
            }
            StepKind::Set { value, .. } => {
                self.expr_points(value, 0, &mut points);
                self.layout((from, to), indent, indent + 2, &points);
            }
            StepKind::Emit { fields, .. } => {
                self.record_points(fields, 0, &mut points);
                self.layout((from, to), indent, indent + 2, &points);
            }
            StepKind::Call(call) => {
                self.argument_points(&call.args, 0, &mut points);
                self.layout((from, to), indent, indent + 2, &points);
            }
            StepKind::Wait(length) => {
                self.expr_points(length, 0, &mut points);
                self.layout((from, to), indent, indent + 2, &points);
            }
            _ => self.put_all(from, to, indent + 4),
        }
    }

    fn block(&mut self, steps: &[Step], open: usize, to: usize, indent: usize) {
        let starts: Vec<usize> = steps.iter().map(|step| self.at(step.span.start)).collect();
        self.open_braces(open, to, &starts, indent, |out, number, range| {
            if let Some(step) = steps.get(number) {
                out.step(step, range, indent + 2);
            }
        });
    }

    fn arms(&mut self, arms: &[(usize, &Step)], (from, to): (usize, usize), indent: usize) {
        let limit = arms.first().map_or(to, |(start, _)| *start);
        let open = (from..limit).rev().find(|at| self.is(*at, "{")).unwrap_or(from);
        self.put_all(from, open, indent + 4);
        let starts: Vec<usize> = arms.iter().map(|(start, _)| *start).collect();
        self.open_braces(open, to, &starts, indent, |out, number, (start, end)| {
            let Some((_, step)) = arms.get(number) else { return };
            let (step_start, step_end) = out.range(step.span);
            out.put_all(start, step_start, indent + 6);
            out.step(step, (step_start, step_end), indent + 2);
            out.put_all(step_end, end, indent + 6);
        });
    }

    fn is_block(step: &Step) -> bool {
        matches!(step.kind, StepKind::Block(_))
    }

    /// Puts the word of a branch behind an open block, or on a line of its own.
    fn else_word(&mut self, word: usize, before: &Step, block_is_open: bool, indent: usize) {
        if !(Self::is_block(before) && block_is_open) {
            self.newline(indent);
        }
        self.put(word, indent);
    }

    /// Whether a branch stands on a line of its own; else it opens behind what is before it.
    fn own_line(&self, word: usize, end: usize, indent: usize) -> bool {
        self.fits_at(indent + 2, word, end) || self.brace(word, end).is_none()
    }

    /// `then S` and `else S` behind a wait or a fetch.
    fn branches(
        &mut self,
        (from, to): (usize, usize),
        then: Option<&Step>,
        otherwise: Option<&Step>,
        indent: usize,
        points: &Points,
    ) {
        let branch = |step| {
            let (start, end) = self.range(step);
            (start.saturating_sub(1), end)
        };
        let list: Vec<Branch<'_>> = [then, otherwise]
            .into_iter()
            .flatten()
            .map(|step| {
                let (word, end) = branch(step.span);
                Branch { word, step, end }
            })
            .collect();
        let Some(first) = list.first() else { return self.layout((from, to), indent, indent + 2, points) };
        let short = list.iter().all(|branch| self.fits_at(indent + 2, branch.word, branch.end));
        let one_block = list.len() == 1 && Self::is_block(first.step);
        let opens = list.len() > 1 || Self::is_block(first.step) || !self.own_line(first.word, first.end, indent);
        if short && !one_block {
            self.layout((from, first.word), indent, indent + 4, points);
            for branch in &list {
                self.newline(indent + 2);
                self.put_all(branch.word, branch.end, indent + 6);
            }
            return;
        }
        let mut before: Option<(&Step, bool)> = None;
        for branch in &list {
            match before {
                None if opens => {
                    self.layout((from, branch.word + 1), indent, indent + 4, points);
                }
                None => {
                    self.layout((from, branch.word), indent, indent + 4, points);
                    self.newline(indent + 2);
                    self.put(branch.word, indent + 4);
                }
                Some((step, open)) => self.else_word(branch.word, step, open, indent),
            }
            let open = self.branch(branch.step, branch.word + 1, branch.end, indent);
            before = Some((branch.step, open));
        }
    }

    /// The step of a branch; says whether it is a block on several lines.
    fn branch(&mut self, step: &Step, from: usize, to: usize, indent: usize) -> bool {
        let fits = self.fits(from, to);
        self.step(step, (from, to), indent);
        !fits
    }

    /// `if … then … else if … else …`, each link on a line of its own unless a block stays open.
    fn if_step(&mut self, step: &Step, (from, to): (usize, usize), indent: usize) {
        let mut at = from;
        let mut link = step;
        while let StepKind::If { condition, then, otherwise } = &link.kind {
            let (then_start, then_end) = self.range(then.span);
            let open = self.if_link(condition, then, (at, then_start, then_end), indent);
            let Some(next) = otherwise.as_deref() else { return };
            self.else_word(then_end, then, open, indent);
            let (next_start, _) = self.range(next.span);
            if !matches!(next.kind, StepKind::If { .. }) {
                self.branch(next, next_start, to, indent);
                return;
            }
            at = next_start;
            link = next;
        }
    }

    fn if_link(
        &mut self,
        condition: &Expr,
        then: &Step,
        (at, start, end): (usize, usize, usize),
        indent: usize,
    ) -> bool {
        if self.fits(at, end) {
            self.put_all(at, end, indent + 4);
            return false;
        }
        let mut points = Vec::new();
        self.expr_points(condition, 0, &mut points);
        if Self::is_block(then) || !self.own_line(start.saturating_sub(1), end, indent) {
            self.layout((at, start), indent, indent + 4, &points);
            return self.branch(then, start, end, indent);
        }
        self.layout((at, start.saturating_sub(1)), indent, indent + 4, &points);
        self.newline(indent + 2);
        self.put(start.saturating_sub(1), indent + 4);
        self.step(then, (start, end), indent + 2);
        false
    }
}
