//! The items besides journeys and tests: segments, fences, apis, policies.

use crate::bytecode::{ApiId, Cap, Code, CodeId, Fence, Op, QuietHours, SegmentId};
use crate::compile_codes as code;
use crate::context::{Cx, Frame, Scope};
use crate::diagnostic::Diagnostic;
use crate::lower::CodeFacts;
use crate::schema::SegmentItem;
use crate::types::Kind;
use flow_grammar::ast::{self, Expr, HeaderValue, Name, PolicyKind, PolicyRule};
use flow_grammar::span::Span;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// How long an api may take when it does not say.
const DEFAULT_TIMEOUT_MILLIS: i64 = 10_000;

impl<'a> Cx<'a> {
    // Segments.

    pub fn segments(&mut self) {
        for (id, item) in self.schema.segment_items.clone() {
            match item {
                SegmentItem::Condition(decl) => {
                    let scope = Scope { segment: Some(id), ..Scope::outside() };
                    let node = self.condition(&decl.condition, &scope);
                    let condition = self.followed(&node);
                    if let Some(segment) = self.program.segments.get_mut(id.index()) {
                        segment.condition = condition;
                    }
                }
                SegmentItem::Fence(decl) => self.fence(id, decl),
            }
        }
        self.segment_cycles();
        self.segment_deps();
    }

    fn fence(&mut self, id: SegmentId, decl: &ast::FenceDecl) {
        let inside = |value: Decimal, limit: i64| value.abs() <= Decimal::from(limit);
        let fits = inside(decl.latitude, 90) && inside(decl.longitude, 180) && decl.radius_metres > Decimal::ZERO;
        if !fits {
            let problem =
                Diagnostic::error(code::OUT_OF_RANGE, decl.shape_span, "there is no such circle on the earth");
            self.report(problem.help("write latitude (-90 to 90), longitude (-180 to 180) and a radius"));
        }
        let fence = Fence { latitude: decl.latitude, longitude: decl.longitude, radius: decl.radius_metres };
        let span = decl.shape_span;
        let ops = vec![Op::InFence(0, Box::new(fence)), Op::Return(0)];
        let code = self.push_code(Code { ops, spans: vec![span, span], registers: 1 }, CodeFacts::default());
        if let Some(location) = self.schema.events.get("location").copied() {
            self.use_event(location);
        }
        if let Some(segment) = self.program.segments.get_mut(id.index()) {
            segment.condition.code = code;
        }
    }

    /// What segments depend on, once all of them have their code.
    fn segment_deps(&mut self) {
        for (id, _) in self.schema.segment_items.clone() {
            let Some(code) = self.program.segments.get(id.index()).map(|s| s.condition.code) else { continue };
            let deps = self.deps(code);
            if let Some(segment) = self.program.segments.get_mut(id.index()) {
                segment.condition.deps = deps;
            }
        }
    }

    /// A segment that is needed to know itself.
    fn segment_cycles(&mut self) {
        let mut reported: BTreeSet<SegmentId> = BTreeSet::new();
        for (id, _) in self.schema.segment_items.clone() {
            let Some(cycle) = self.cycle_from(id) else { continue };
            if cycle.iter().any(|(segment, _)| reported.contains(segment)) {
                continue;
            }
            reported.extend(cycle.iter().map(|(segment, _)| *segment));
            let name = self.program.segments.get(id.index()).map_or_else(String::new, |s| s.name.clone());
            let span = cycle.first().map_or(Span::default(), |(_, span)| *span);
            let mut problem = Diagnostic::error(code::SEGMENT_CYCLE, span, format!("`{name}` depends on itself"));
            for (_, span) in cycle.iter().skip(1) {
                problem = problem.label(*span, "and this leads back");
            }
            self.report(problem.help("define one of the segments without the other"));
        }
    }

    /// The uses that lead from a segment back to it.
    fn cycle_from(&self, start: SegmentId) -> Option<Vec<(SegmentId, Span)>> {
        let mut seen = BTreeSet::new();
        let mut path = Vec::new();
        self.leads_to(start, start, &mut seen, &mut path).then_some(path)
    }

    fn leads_to(
        &self,
        at: SegmentId,
        goal: SegmentId,
        seen: &mut BTreeSet<SegmentId>,
        path: &mut Vec<(SegmentId, Span)>,
    ) -> bool {
        for (next, span) in self.segment_uses.get(&at).into_iter().flatten() {
            path.push((at, *span));
            if *next == goal || (seen.insert(*next) && self.leads_to(*next, goal, seen, path)) {
                return true;
            }
            path.pop();
        }
        false
    }

    // Apis.

    pub fn apis(&mut self) {
        for (id, decl) in self.schema.api_items.clone() {
            self.api(id, decl);
        }
    }

    fn api(&mut self, id: ApiId, decl: &'a ast::ApiDecl) {
        let scope = Scope { person: false, frame: Some(Frame::Params(id)), ..Scope::outside() };
        let request =
            decl.request.as_ref().map(|(method, url)| (method.text.to_uppercase(), self.text_code(url, &scope)));
        let headers = decl
            .headers
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    HeaderValue::Env(variable) => Err(variable.text.clone()),
                    HeaderValue::Text(text) => Ok(self.text_code(text, &scope)),
                };
                (name.value.clone(), value)
            })
            .collect();
        let body = decl
            .body
            .iter()
            .map(|(name, value)| {
                let node = self.expr(value, &scope);
                (name.text.clone(), self.lower(&node))
            })
            .collect();
        let timeout = decl.timeout.as_ref().and_then(|timeout| self.positive_duration(timeout, &scope));
        if let Some(api) = self.program.apis.get_mut(id.index()) {
            api.request = request;
            api.headers = headers;
            api.body = body;
            api.timeout = timeout.map_or(DEFAULT_TIMEOUT_MILLIS, |t| t.window_millis());
        }
    }

    fn text_code(&mut self, text: &Expr, scope: &Scope) -> CodeId {
        let node = self.expr(text, scope);
        let node = self.coerce(node, &Kind::Text, false, "this");
        self.lower(&node)
    }

    // Policies.

    pub fn policies(&mut self) {
        for decl in self.schema.policy_items.clone() {
            for rule in &decl.rules {
                self.policy_rule(rule);
            }
        }
    }

    fn policy_rule(&mut self, rule: &PolicyRule) {
        match &rule.kind {
            PolicyKind::QuietHours { from, to, channels } => self.quiet_hours(from, to, channels),
            PolicyKind::Cap { count, channel, window, everyone } => {
                self.cap(*count, channel.as_ref(), window, *everyone, rule.span)
            }
            PolicyKind::RequireConsent(topics) => {
                for name in topics {
                    if name.text == "transactional" {
                        let problem =
                            Diagnostic::error(code::WRONG_KIND, name.span, "transactional messages need no consent");
                        self.report(problem.help("name another topic, or remove it here"));
                        continue;
                    }
                    self.refer(name.span, crate::symbols::Symbol::Topic(name.text.clone()));
                    let id = self.topic(&name.text);
                    if let Some(topic) = self.program.topics.get_mut(id.index()) {
                        topic.required = true;
                    }
                }
            }
            PolicyKind::Broken => {}
        }
    }

    fn quiet_hours(&mut self, from: &Expr, to: &Expr, channels: &[Name]) {
        let outside = Scope::outside();
        let (begin, end) = (self.const_time(from, &outside), self.const_time(to, &outside));
        let ids: Vec<_> = channels.iter().filter_map(|name| self.channel(name)).collect();
        if begin.is_some() && begin == end {
            let span = from.span.to(to.span);
            let problem =
                Diagnostic::error(code::QUIET_HOURS_EMPTY, span, "quiet hours begin and end at the same time");
            self.report(problem.help("write when they begin and when they are over: `21:00 to 08:00`"));
        }
        let (Some(from), Some(to)) = (begin, end) else { return };
        if ids.len() == channels.len() {
            self.program.policy.quiet.push(QuietHours { from, to, channels: ids });
        }
    }

    fn cap(&mut self, count: i64, channel: Option<&Name>, window: &Expr, everyone: bool, span: Span) {
        if count <= 0 {
            let problem = Diagnostic::error(code::CAP_OF_ZERO, span, "a cap of 0 lets no message through");
            self.report(problem.help("write at least 1; to send nothing, remove the steps"));
        }
        let window = self.positive_duration(window, &Scope::outside());
        let id = match channel {
            Some(name) => match self.channel(name) {
                Some(id) => Some(id),
                None => return,
            },
            None => None,
        };
        let Some(window) = window else { return };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let cap = Cap { count, channel: id, window: window.window_millis(), span };
        let caps = if everyone { &mut self.program.policy.throttles } else { &mut self.program.policy.caps };
        caps.push(cap);
    }
}
