//! What the value of a code depends on.

use crate::bytecode::{AttrId, CodeId, Condition, Deps, EventId, Op, QueryWindow, SegmentId};
use crate::compile_codes as code;
use crate::context::Cx;
use crate::diagnostic::Diagnostic;
use crate::lower::moving;
use crate::node::Node;
use std::collections::BTreeSet;

/// Dependencies while they are gathered.
#[derive(Default)]
struct Gather {
    events: BTreeSet<EventId>,
    attributes: BTreeSet<AttrId>,
    codes: BTreeSet<CodeId>,
    segments: BTreeSet<SegmentId>,
    reach: bool,
    outcomes: bool,
    moves: bool,
}

impl Cx<'_> {
    /// Everything that a code's value depends on, also through segments and queries.
    pub fn deps(&mut self, id: CodeId) -> Deps {
        let mut gather = Gather::default();
        self.gather(id, &mut gather);
        for attribute in &gather.attributes {
            if let Some(attribute) = self.program.attributes.get_mut(attribute.index()) {
                attribute.watched = true;
            }
        }
        Deps {
            events: gather.events.into_iter().collect(),
            attributes: gather.attributes.into_iter().collect(),
            reach: gather.reach,
            outcomes: gather.outcomes,
            moves: gather.moves,
        }
    }

    fn gather(&self, id: CodeId, into: &mut Gather) {
        if !into.codes.insert(id) {
            return;
        }
        if self.facts.get(id.index()).is_some_and(|facts| facts.zone) {
            into.attributes.extend(self.program.timezone_attr);
        }
        let Some(code) = self.program.codes.get(id.index()) else { return };
        for op in &code.ops {
            self.gather_op(op, into);
        }
    }

    fn gather_op(&self, op: &Op, into: &mut Gather) {
        match op {
            Op::Attr(_, attribute) => {
                into.attributes.insert(*attribute);
            }
            Op::Now(_) | Op::Today(_) => into.moves = true,
            Op::CompareMoving(_, _, a, b) => {
                into.moves = true;
                self.gather(*a, into);
                self.gather(*b, into);
            }
            Op::StepMoving(_, inner, _) => {
                into.moves = true;
                self.gather(*inner, into);
            }
            Op::Query(_, query, _) => {
                let Some(query) = self.program.queries.get(query.index()) else { return };
                into.events.insert(query.event);
                into.moves |= matches!(query.window, QueryWindow::Last(_));
                if let Some(filter) = query.filter {
                    self.gather(filter, into);
                }
            }
            Op::InSegment(_, segment) => {
                let found = self.program.segments.get(segment.index());
                if let (Some(found), true) = (found, into.segments.insert(*segment)) {
                    self.gather(found.condition.code, into);
                }
            }
            Op::InFence(..) => into.events.extend(self.schema.events.get("location").copied()),
            Op::Can(_, channel, _) => {
                into.reach = true;
                into.attributes.extend(self.program.channels.get(channel.index()).and_then(|c| c.contact));
            }
            Op::Outcome(..) => into.outcomes = true,
            _ => {}
        }
    }

    /// A condition that the engine follows over time.
    pub fn followed(&mut self, node: &Node) -> Condition {
        if let Some(span) = moving::residue(node) {
            let written = self.folded(span);
            let message = format!("`{written}` moves with time in a way that cannot be followed");
            let help =
                "compare it: `now > … + 2h`; or use `hour(now)`, `weekday(now)`, `today` or `days between … and now`";
            self.report(Diagnostic::error(code::CANNOT_FOLLOW, span, message).help(help));
        }
        let code = self.lower(node);
        let deps = self.deps(code);
        Condition { code, deps }
    }
}
