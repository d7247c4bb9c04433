//! What is asked of a person's history.

use crate::bytecode::{CodeId, EventId, History, Log, Op, Outcome, Query, QueryAnswer, QueryId, QueryWindow, Strategy};
use crate::compile_codes as code;
use crate::context::{index, Bare, Cx, Scope};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind, Path};
use crate::types::{Class, Kind, Ty};
use flow_grammar::ast::{Aggregate, EventQuery, Expr, Name, Window};
use flow_grammar::span::Span;

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// A window with what starts it.
struct Asked {
    window: QueryWindow,
    since: Option<Node>,
}

impl Cx<'_> {
    /// An event alone: since this entry.
    pub fn bare_event(&mut self, event: EventId, span: Span, scope: &Scope) -> Node {
        let Some(window) = self.bare_window(event, span, scope) else { return Node::test(NodeKind::Poison, span) };
        let query = self.query(event, window, None, QueryAnswer::Exists, span);
        Node::test(NodeKind::Query(query, None), span)
    }

    fn bare_window(&mut self, event: EventId, span: Span, scope: &Scope) -> Option<QueryWindow> {
        match scope.bare {
            Bare::Entry => Some(QueryWindow::Entry),
            Bare::Ever => Some(QueryWindow::Ever),
            Bare::Error => {
                let name = self.event_name(event).to_owned();
                let message = format!("`{name}` needs a window: there is no entry here to count from");
                let help = format!("write `{name} ever` or `{name} in last 30d`");
                self.report(Diagnostic::error(code::NEEDS_WINDOW, span, message).help(help));
                None
            }
        }
    }

    /// `purchased in last 30d where …`
    pub fn occurred(&mut self, query: &EventQuery, scope: &Scope) -> Node {
        if let Some(node) = self.outcome_in_window(query, scope) {
            return node;
        }
        match self.checked_query(query, scope, false) {
            Some((event, asked, filter)) => {
                let id = self.query(event, asked.window, filter, QueryAnswer::Exists, query.span);
                let recent = matches!(asked.window, QueryWindow::Last(window) if window <= DAY);
                let yes = self.answered(event).filter(|_| recent).into_iter().collect();
                Node { yes, ..Node::test(NodeKind::Query(id, asked.since.map(Box::new)), query.span) }
            }
            None => Node::test(NodeKind::Poison, query.span),
        }
    }

    /// What is known when this event has just happened.
    pub fn answered(&self, event: EventId) -> Option<Path> {
        match self.program.events.get(event.index())?.outcome? {
            (channel, Outcome::Replied) => Some(Path::Answered(channel)),
            _ => None,
        }
    }

    /// `reminder.clicked where …`: one message's outcome is not counted over time.
    fn outcome_in_window(&mut self, query: &EventQuery, scope: &Scope) -> Option<Node> {
        let word = query.event.outcome.as_ref()?;
        let crate::context::Binding::Message(_) = self.binding(&query.event.name.text)? else { return None };
        if let Some(filter) = &query.filter {
            self.condition(filter, scope);
        }
        let message = format!(
            "`{}.{}` is about one message and takes neither window nor `where`",
            query.event.name.text, word.text
        );
        let help = format!("write `{}.{}` alone", query.event.name.text, word.text);
        self.report(Diagnostic::error(code::WRONG_KIND, query.span, message).help(help));
        Some(Node::test(NodeKind::Poison, query.span))
    }

    /// `count(E …)`, `sum(field of E …)`
    pub fn aggregate(
        &mut self,
        function: Aggregate,
        field: Option<&Name>,
        query: &EventQuery,
        span: Span,
        scope: &Scope,
    ) -> Node {
        let Some((event, asked, filter)) = self.checked_query(query, scope, false) else { return Node::poison(span) };
        let found = match (function, field) {
            (Aggregate::Count, _) => Some((QueryAnswer::Count, Ty::known(Kind::Int))),
            (_, Some(field)) => self.aggregate_of(function, event, field),
            (_, None) => {
                let name = self.event_name(event).to_owned();
                let message = format!("it is not said of what: {name} is an event, not a number");
                let help = format!("name one of its fields: `sum(… of {name})`");
                self.report(Diagnostic::error(code::WRONG_ARGUMENTS, span, message).help(help));
                None
            }
        };
        let Some((answer, ty)) = found else { return Node::poison(span) };
        let id = self.query(event, asked.window, filter, answer, span);
        Node::new(NodeKind::Query(id, asked.since.map(Box::new)), ty, span)
    }

    fn aggregate_of(&mut self, function: Aggregate, event: EventId, name: &Name) -> Option<(QueryAnswer, Ty)> {
        let Some((at, field)) = self.event_field(event, &name.text) else {
            self.unknown_field(event, name);
            return None;
        };
        let kind = Kind::of(&field.ty);
        self.refer_field(name.span, event, &name.text);
        let summed = matches!(function, Aggregate::Sum | Aggregate::Avg);
        let fits = if summed { kind.class() == Class::Number } else { kind.ordered() && kind.class() != Class::Text };
        if !fits {
            let needs = if summed { "a number" } else { "a number, a date, an instant, a time or a duration" };
            let message = format!("`{}` is {}, and {needs} is needed here", name.text, kind.show(&self.program.types));
            let help = "to count events, write `count(…)`";
            self.report(Diagnostic::error(code::TYPE_MISMATCH, name.span, message).help(help));
            return None;
        }
        Some(match function {
            Aggregate::Sum => (QueryAnswer::Sum(at), Ty::known(kind)),
            Aggregate::Min => (QueryAnswer::Min(at), Ty::maybe(kind, true)),
            Aggregate::Max => (QueryAnswer::Max(at), Ty::maybe(kind, true)),
            Aggregate::Avg => (QueryAnswer::Avg(at), Ty::maybe(Kind::Number, true)),
            Aggregate::Count => (QueryAnswer::Count, Ty::known(Kind::Int)),
        })
    }

    /// `last(E …).field`; without a window: ever.
    pub fn pick(&mut self, first: bool, query: &EventQuery, name: &Name, span: Span, scope: &Scope) -> Node {
        let Some((event, asked, filter)) = self.checked_query(query, scope, true) else { return Node::poison(span) };
        let field = self.event_field(event, &name.text).map(|(at, field)| (at, Kind::of(&field.ty)));
        if field.is_some() {
            self.refer_field(name.span, event, &name.text);
        }
        let (answer, kind) = match (field, name.text.as_str()) {
            (Some((at, kind)), _) => {
                (if first { QueryAnswer::FirstField(at) } else { QueryAnswer::LastField(at) }, kind)
            }
            (None, "time") => (if first { QueryAnswer::FirstTime } else { QueryAnswer::LastTime }, Kind::DateTime),
            _ => {
                self.unknown_field(event, name);
                return Node::poison(span);
            }
        };
        let id = self.query(event, asked.window, filter, answer, span);
        Node::new(NodeKind::Query(id, asked.since.map(Box::new)), Ty::maybe(kind, true), span)
    }

    /// Reports what is wrong with a query whose answer nobody can use.
    pub fn check_only_query(&mut self, query: &EventQuery, scope: &Scope) {
        let _ = self.checked_query(query, scope, true);
    }

    fn checked_query(
        &mut self,
        query: &EventQuery,
        scope: &Scope,
        ever: bool,
    ) -> Option<(EventId, Asked, Option<CodeId>)> {
        if !scope.person {
            let problem = Diagnostic::error(code::NOT_CONSTANT, query.span, "what happened cannot be asked here");
            self.report(problem.help("only the parameters can be named here"));
            return None;
        }
        let event = self.event_ref(&query.event);
        let asked = match (&query.window, event) {
            (Some(window), _) => self.window(window, scope),
            (None, _) if ever => Some(Asked { window: QueryWindow::Ever, since: None }),
            (None, Some(event)) => {
                self.bare_window(event, query.span, scope).map(|window| Asked { window, since: None })
            }
            (None, None) => None,
        };
        let filter = match (&query.filter, event) {
            (Some(filter), Some(event)) => {
                let node = self.condition(filter, &scope.of_event(event));
                Some(self.lower_shared(&node))
            }
            _ => None,
        };
        Some((event?, asked?, filter))
    }

    fn window(&mut self, window: &Window, scope: &Scope) -> Option<Asked> {
        match window {
            Window::Ever(_) => Some(Asked { window: QueryWindow::Ever, since: None }),
            Window::Last(length) => {
                let length_is = self.const_duration(length, scope)?.window_millis();
                if length_is <= 0 {
                    let problem =
                        Diagnostic::error(code::OUT_OF_RANGE, length.span, "a window of no length holds nothing");
                    self.report(problem.help("write how far back to look: `in last 30d`"));
                    return None;
                }
                Some(Asked { window: QueryWindow::Last(length_is), since: None })
            }
            Window::Since(start) => {
                let node = self.expr(start, scope);
                let node = self.coerce(node, &Kind::DateTime, true, "`since`");
                if node.is_poison() {
                    return None;
                }
                if crate::lower::moving::reads_now(&node) {
                    let message = format!("`{}` moves with time", self.folded(start.span));
                    let help = "write `in last …` for a window that moves along";
                    self.report(Diagnostic::error(code::CANNOT_FOLLOW, start.span, message).help(help));
                    return None;
                }
                Some(Asked { window: QueryWindow::Since, since: Some(node) })
            }
        }
    }

    /// The `where` of an event: code that sees the event's fields.
    pub fn event_filter(&mut self, filter: &Expr, event: EventId, scope: &Scope) -> CodeId {
        let node = self.condition(filter, &scope.of_event(event));
        self.lower(&node)
    }

    /// The number of a question; equal questions have one.
    fn query(
        &mut self,
        event: EventId,
        window: QueryWindow,
        filter: Option<CodeId>,
        answer: QueryAnswer,
        span: Span,
    ) -> QueryId {
        self.use_event(event);
        if window == QueryWindow::Entry {
            if let Some(journey) = &self.journey {
                self.in_flight.entry(event).or_default().insert(journey.id);
            }
        }
        let same = |q: &Query| q.event == event && q.window == window && q.filter == filter && q.answer == answer;
        if let Some(at) = self.program.queries.iter().position(same) {
            return QueryId(index(at));
        }
        let free = filter.is_some_and(|code| self.is_free(code));
        let strategy = self.strategy(window, filter, free, answer);
        let id = QueryId(index(self.program.queries.len()));
        self.program.queries.push(Query { event, window, filter, free, answer, strategy, span });
        id
    }

    fn strategy(&mut self, window: QueryWindow, filter: Option<CodeId>, free: bool, answer: QueryAnswer) -> Strategy {
        if filter.is_none() && matches!(answer, QueryAnswer::Exists | QueryAnswer::LastTime) {
            return Strategy::Last;
        }
        if window == QueryWindow::Ever && !free {
            let cell = self.program.running;
            self.program.running += 1;
            return Strategy::Running(cell);
        }
        Strategy::Log
    }

    /// Whether a filter reads anything but constants and the event's own fields.
    fn is_free(&self, id: CodeId) -> bool {
        let Some(code) = self.program.codes.get(id.index()) else { return false };
        code.ops.iter().any(|op| match op {
            Op::Attr(..) | Op::Trigger(..) | Op::EntryTime(_) | Op::Slot(..) | Op::Now(_) | Op::Today(_) => true,
            Op::Query(..) | Op::InSegment(..) | Op::InFence(..) | Op::Can(..) | Op::Outcome(..) => true,
            Op::CompareMoving(..) | Op::StepMoving(..) => true,
            _ => self.facts.get(id.index()).is_some_and(|facts| facts.zone),
        })
    }

    /// What must be remembered of each event, from all queries.
    pub fn fill_histories(&mut self) {
        let mut histories: Vec<History> = vec![History::default(); self.program.events.len()];
        for query in &self.program.queries {
            let Some(history) = histories.get_mut(query.event.index()) else { continue };
            match query.strategy {
                Strategy::Last => history.last = true,
                Strategy::Running(_) => {}
                Strategy::Log => {
                    let log = history.log.get_or_insert_with(Log::default);
                    log.fields.extend(self.kept_fields(query));
                    match query.window {
                        QueryWindow::Last(length) => log.window = Some(log.window.unwrap_or(0).max(length)),
                        QueryWindow::Ever | QueryWindow::Since => log.forever = true,
                        QueryWindow::Entry => {
                            let journeys = self.in_flight.get(&query.event).into_iter().flatten().copied();
                            log.in_flight.extend(journeys);
                        }
                    }
                }
            }
        }
        for event in &self.best_hours {
            if let Some(history) = histories.get_mut(event.index()) {
                history.log.get_or_insert_with(Log::default).forever = true;
            }
        }
        self.keep_for_joins(&mut histories);
        for (event, mut history) in self.program.events.iter_mut().zip(histories) {
            if let Some(log) = &mut history.log {
                log.fields.sort_unstable();
                log.fields.dedup();
                log.in_flight.sort_unstable();
                log.in_flight.dedup();
            }
            event.history = history;
        }
    }

    /// The fields that a query reads of each occurrence.
    fn kept_fields(&self, query: &Query) -> Vec<u16> {
        let mut fields = match query.answer {
            QueryAnswer::Sum(at) | QueryAnswer::Min(at) | QueryAnswer::Max(at) | QueryAnswer::Avg(at) => vec![at],
            QueryAnswer::FirstField(at) | QueryAnswer::LastField(at) => vec![at],
            QueryAnswer::Exists | QueryAnswer::Count | QueryAnswer::FirstTime | QueryAnswer::LastTime => Vec::new(),
        };
        if let Some(filter) = query.filter {
            self.fields_read(filter, &mut fields);
        }
        fields
    }

    /// The fields of the event under test that code reads.
    pub fn fields_read(&self, id: CodeId, fields: &mut Vec<u16>) {
        let Some(code) = self.program.codes.get(id.index()) else { return };
        for op in &code.ops {
            match op {
                Op::Field(_, at) => fields.push(*at),
                Op::CompareMoving(_, _, a, b) => {
                    self.fields_read(*a, fields);
                    self.fields_read(*b, fields);
                }
                Op::StepMoving(_, inner, _) => self.fields_read(*inner, fields),
                _ => {}
            }
        }
    }

    /// `can email`
    pub fn can(&mut self, channel: &Name, span: Span, scope: &Scope) -> Node {
        if !scope.person {
            self.not_constant(span);
            return Node::test(NodeKind::Poison, span);
        }
        let Some(id) = self.channel(channel) else { return Node::test(NodeKind::Poison, span) };
        let topic = match &self.journey {
            Some(journey) => journey.topic,
            None => self.topic(""),
        };
        let contact = self.program.channels.get(id.index()).and_then(|c| c.contact);
        let yes = contact.map(Path::Attr).into_iter().collect();
        Node { yes, ..Node::test(NodeKind::Can(id, topic), span) }
    }
}
