//! Rendering: a walk over a template that is ready.

use super::code::{
    Comparison, Condition, Cycle, Expr, Filter, Filtered, For, Node, Path, Render, Root, Sizes, Step, Template,
};
use super::compare;
use super::data::{int, Data, Source};
use super::filters;
use super::{
    escape_from, push_escaped, Context, Limit, RenderError, Templates, MAX_DEPTH, MAX_LIST, MAX_ROUNDS, MAX_TEXT_BYTES,
    MAX_WORK,
};
use crate::vm::number;
use flow_grammar::liquid::{filters::FilterKind, Joiner};
use flow_grammar::span::Span;
use smallvec::{smallvec, SmallVec};

/// What a template says: its front matter, then its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The front matter, in order; its values are plain text.
    pub front: Vec<(String, String)>,
    /// The text.
    pub body: String,
}

/// Renders a template.
///
/// # Errors
///
/// When a bound is exceeded.
pub fn render<'a>(
    template: &'a Template,
    templates: &'a Templates,
    source: &'a dyn Source,
    context: &'a Context<'a>,
) -> Result<Rendered, RenderError> {
    let mut run = Run::new(template, templates, source, context);
    let mut rendered = Rendered::default();
    run.escape = false;
    for (key, value) in &template.front {
        run.nodes(value)?;
        rendered.front.push((key.to_string(), std::mem::take(&mut run.out)));
        run.reset(template.sizes);
    }
    run.escape = context.escape;
    run.out.reserve(template.source.len());
    run.nodes(&template.body)?;
    rendered.body = run.out;
    Ok(rendered)
}

/// How a piece ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// A loop that runs.
#[derive(Clone, Copy)]
struct Loop {
    index: usize,
    length: usize,
    /// The columns of a `tablerow`.
    columns: Option<usize>,
}

/// The state of one file.
struct Frame<'a> {
    template: &'a Template,
    slots: SmallVec<[Option<Data<'a>>; 8]>,
    counters: SmallVec<[Option<i64>; 4]>,
    cycles: SmallVec<[usize; 4]>,
    groups: Vec<(String, usize)>,
    resumes: SmallVec<[usize; 8]>,
    loops: SmallVec<[Loop; 4]>,
    /// What was handed to the file; none: it is the template itself.
    handed: Option<Vec<(&'a str, Data<'a>)>>,
}

impl<'a> Frame<'a> {
    fn new(template: &'a Template, handed: Option<Vec<(&'a str, Data<'a>)>>) -> Self {
        let Sizes { slots, counters, cycles, resumes } = template.sizes;
        Self {
            template,
            slots: smallvec![None; slots],
            counters: smallvec![None; counters],
            cycles: smallvec![0; cycles],
            groups: Vec::new(),
            resumes: smallvec![0; resumes],
            loops: SmallVec::new(),
            handed,
        }
    }
}

pub(super) struct Run<'a> {
    templates: &'a Templates,
    source: &'a dyn Source,
    pub(super) context: &'a Context<'a>,
    pub(super) escape: bool,
    frame: Frame<'a>,
    out: String,
    depth: usize,
    rounds: usize,
    work: usize,
}

type Outcome<T> = Result<T, RenderError>;

impl<'a> Run<'a> {
    fn new(template: &'a Template, templates: &'a Templates, source: &'a dyn Source, context: &'a Context<'a>) -> Self {
        Self {
            templates,
            source,
            context,
            escape: context.escape,
            frame: Frame::new(template, None),
            out: String::new(),
            depth: 0,
            rounds: 0,
            work: 0,
        }
    }

    fn reset(&mut self, sizes: Sizes) {
        if sizes.slots + sizes.counters + sizes.cycles + sizes.resumes > 0 {
            self.frame = Frame::new(self.frame.template, None);
        }
    }

    pub(super) fn path(&self) -> String {
        self.frame.template.path.to_string()
    }

    fn fail<T>(&self, kind: Limit, span: Span) -> Outcome<T> {
        Err(RenderError { kind, span, path: self.path() })
    }

    /// Counts what a filter reads or writes.
    pub(super) fn charge(&mut self, bytes: usize, span: Span) -> Outcome<()> {
        self.work = self.work.saturating_add(bytes);
        if self.work > MAX_WORK {
            self.fail(Limit::Work, span)
        } else {
            Ok(())
        }
    }

    pub(super) fn check_text(&self, bytes: usize, span: Span) -> Outcome<()> {
        if bytes > MAX_TEXT_BYTES {
            self.fail(Limit::Text, span)
        } else {
            Ok(())
        }
    }

    pub(super) fn check_list(&self, length: usize, span: Span) -> Outcome<()> {
        if length > MAX_LIST {
            self.fail(Limit::List, span)
        } else {
            Ok(())
        }
    }

    fn nodes(&mut self, nodes: &'a [Node]) -> Outcome<Flow> {
        for node in nodes {
            let flow = self.node(node)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// The nodes of a block.
    fn block(&mut self, nodes: &'a [Node]) -> Outcome<Flow> {
        if self.depth >= MAX_DEPTH {
            return self.fail(Limit::Depth, nodes.first().map(Node::span).unwrap_or_default());
        }
        self.depth += 1;
        let flow = self.nodes(nodes);
        self.depth -= 1;
        flow
    }

    fn node(&mut self, node: &'a Node) -> Outcome<Flow> {
        match node {
            Node::Text(span) => {
                self.out.push_str(span.text(&self.frame.template.source));
                self.check_text(self.out.len(), *span)?;
            }
            Node::Output(value) => self.output(value)?,
            Node::Assign { slot, value } => {
                let value = self.filtered(value)?;
                self.set(*slot, value);
            }
            Node::If { branches, otherwise } => {
                for (condition, negated, body) in branches {
                    if self.condition(condition) != *negated {
                        return self.block(body);
                    }
                }
                return self.block(otherwise);
            }
            Node::Case { subject, arms, otherwise } => return self.case(subject, arms, otherwise),
            Node::For(node) => return self.each(node),
            Node::Capture { slot, body, span } => {
                let outer = std::mem::take(&mut self.out);
                let flow = self.block(body);
                let text = std::mem::replace(&mut self.out, outer);
                let flow = flow?;
                self.charge(text.len(), *span)?;
                self.set(*slot, Data::made(&text, self.escape));
                return Ok(flow);
            }
            Node::Count { counter, up } => self.count(*counter, *up),
            Node::Cycle(cycle) => self.cycle(cycle)?,
            Node::Render(render) => self.render(render)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn set(&mut self, slot: usize, value: Data<'a>) {
        if let Some(place) = self.frame.slots.get_mut(slot) {
            *place = Some(value);
        }
    }

    fn output(&mut self, value: &'a Filtered) -> Outcome<()> {
        if let Some((last, before)) = value.filters.split_last().filter(|(last, _)| filters::goes_straight(last.kind)) {
            return self.straight(value, last, before);
        }
        let data = self.filtered(value)?;
        // `raw` is the last word only where it stands last.
        let raw = value.filters.last().is_some_and(|filter| filter.kind == FilterKind::Raw);
        self.write(&data, raw, value.span)
    }

    /// What the last filter makes is written where it belongs, without being a value in between.
    fn straight(&mut self, value: &'a Filtered, last: &'a Filter, before: &'a [Filter]) -> Outcome<()> {
        let mut data = self.value(&value.value);
        for filter in before {
            data = self.apply(filter, data)?;
        }
        let call = self.call(last);
        let start = self.out.len();
        let mut out = std::mem::take(&mut self.out);
        let made = filters::push(self, &mut out, last.kind, &data, &call);
        self.out = out;
        if self.escape && !made? {
            escape_from(&mut self.out, start);
        }
        self.check_text(self.out.len(), value.span)
    }

    fn write(&mut self, data: &Data<'a>, raw: bool, span: Span) -> Outcome<()> {
        match data {
            Data::Text(text) if self.escape && !raw && !text.markup => push_escaped(&mut self.out, text.as_str()),
            Data::List(_) | Data::Object(_) | Data::Record(_) if self.escape && !raw => {
                let text = compare::text_of(data, self.context.zone);
                push_escaped(&mut self.out, &text);
            }
            // Nothing else has characters that HTML means something by.
            _ => compare::push(&mut self.out, data, self.context.zone),
        }
        self.check_text(self.out.len(), span)
    }

    fn case(&mut self, subject: &'a Expr, arms: &'a [(Vec<Expr>, Vec<Node>)], otherwise: &'a [Node]) -> Outcome<Flow> {
        let subject = self.value(subject);
        let mut found = false;
        for (values, body) in arms {
            // An arm is taken once for each of its values that fits.
            for value in values {
                let value = self.value(value);
                if compare::equals(&subject, &value, self.context.zone) {
                    found = true;
                    let flow = self.block(body)?;
                    if flow != Flow::Next {
                        return Ok(flow);
                    }
                    break;
                }
            }
        }
        if found {
            Ok(Flow::Next)
        } else {
            self.block(otherwise)
        }
    }

    fn count(&mut self, counter: usize, up: bool) {
        let Some(place) = self.frame.counters.get_mut(counter) else { return };
        let value = place.unwrap_or(0);
        let (shown, next) =
            if up { (value, value.saturating_add(1)) } else { (value.saturating_sub(1), value.saturating_sub(1)) };
        *place = Some(next);
        compare::push(&mut self.out, &Data::Int(shown), self.context.zone);
    }

    fn cycle(&mut self, cycle: &'a Cycle) -> Outcome<()> {
        let group =
            cycle.group.as_ref().map(|group| compare::text_of(&self.value(group), self.context.zone).into_owned());
        let place = match group {
            None => self.frame.cycles.get_mut(cycle.place),
            Some(group) => {
                let groups = &mut self.frame.groups;
                let at = groups.iter().position(|(known, _)| *known == group).unwrap_or_else(|| {
                    groups.push((group, 0));
                    groups.len() - 1
                });
                groups.get_mut(at).map(|(_, turn)| turn)
            }
        };
        let Some(place) = place else { return Ok(()) };
        let turn = if *place < cycle.values.len() { *place } else { 0 };
        *place = turn + 1;
        let value = cycle.values.get(turn).map(|value| self.value(value)).unwrap_or_default();
        self.write(&value, false, cycle.span)
    }

    fn each(&mut self, node: &'a For) -> Outcome<Flow> {
        let over = self.value(&node.over);
        let (over, size) = match over {
            Data::Nil => (Data::Nil, 0),
            Data::Text(text) if text.as_str().is_empty() => (Data::Nil, 0),
            Data::Text(_) => (Data::list(vec![over]), 1),
            Data::Object(_) | Data::Record(_) => {
                let pairs = over.pairs();
                let size = pairs.len();
                (Data::list(pairs), size)
            }
            other => {
                let size = other.size().unwrap_or(0);
                (other, size)
            }
        };
        let from = match &node.offset {
            Some(offset) => self.natural(offset),
            None if node.resumed => self.frame.resumes.get(node.resume).copied().unwrap_or(0),
            None => 0,
        };
        let limit = node.limit.as_ref().map_or(usize::MAX, |limit| self.natural(limit));
        let to = size.min(from.saturating_add(limit));
        if let Some(resume) = self.frame.resumes.get_mut(node.resume) {
            *resume = to.max(from);
        }
        let length = to.saturating_sub(from);
        if length == 0 {
            if node.table.is_some() {
                self.out.push_str("<tr class=\"row1\">\n</tr>\n");
            }
            return self.block(&node.otherwise);
        }
        let columns =
            node.table.as_ref().map(|columns| columns.as_ref().map_or(length, |columns| self.natural(columns)).max(1));
        if columns.is_some() {
            self.out.push_str("<tr class=\"row1\">\n");
        }
        self.frame.loops.push(Loop { index: 0, length, columns });
        let flow = self.rounds(node, &over, from, length);
        self.frame.loops.pop();
        let flow = flow?;
        if columns.is_some() {
            self.out.push_str("</tr>\n");
        }
        Ok(flow)
    }

    fn rounds(&mut self, node: &'a For, over: &Data<'a>, from: usize, length: usize) -> Outcome<Flow> {
        for index in 0..length {
            self.rounds += 1;
            if self.rounds > MAX_ROUNDS {
                return self.fail(Limit::Rounds, node.span);
            }
            let place = if node.reversed { from + length - 1 - index } else { from + index };
            self.set(node.slot, over.at(i64::try_from(place).unwrap_or(i64::MAX)));
            let mut columns = None;
            if let Some(this) = self.frame.loops.last_mut() {
                this.index = index;
                columns = this.columns;
            }
            if let Some(columns) = columns {
                self.out.push_str("<td class=\"col");
                compare::push(&mut self.out, &int(index % columns + 1), self.context.zone);
                self.out.push_str("\">");
            }
            let flow = self.block(&node.body)?;
            if let Some(columns) = columns {
                self.out.push_str("</td>");
                if index % columns + 1 == columns && index + 1 < length && flow != Flow::Break {
                    self.out.push_str("</tr>\n<tr class=\"row");
                    compare::push(&mut self.out, &int(index / columns + 2), self.context.zone);
                    self.out.push_str("\">");
                }
            }
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    /// A count: what is no number, or less than nothing, is none.
    fn natural(&mut self, expr: &'a Expr) -> usize {
        let value = self.value(expr);
        usize::try_from(filters::whole(&value)).unwrap_or(0)
    }

    fn render(&mut self, node: &'a Render) -> Outcome<()> {
        let templates = self.templates;
        let Some(template) = templates.part(&node.file) else { return self.fail(Limit::File, node.span) };
        if self.depth >= MAX_DEPTH {
            return self.fail(Limit::Depth, node.span);
        }
        let mut handed: Vec<(&'a str, Data<'a>)> = Vec::with_capacity(node.named.len() + 1);
        for (name, value) in &node.named {
            let value = self.value(value);
            handed.push((name, value));
        }
        let Some((subject, name, each)) = &node.subject else { return self.file(template, handed, None) };
        let value = self.value(subject);
        let length = value.size().filter(|_| *each && !value.has_names());
        let Some(length) = length else {
            if !matches!(value, Data::Nil) || !*each {
                handed.insert(0, (name, value));
            }
            return self.file(template, handed, None);
        };
        for index in 0..length {
            self.rounds += 1;
            if self.rounds > MAX_ROUNDS {
                return self.fail(Limit::Rounds, node.span);
            }
            let mut handed = handed.clone();
            handed.insert(0, (name, value.at(i64::try_from(index).unwrap_or(i64::MAX))));
            self.file(template, handed, Some(Loop { index, length, columns: None }))?;
        }
        Ok(())
    }

    fn file(&mut self, template: &'a Template, handed: Vec<(&'a str, Data<'a>)>, round: Option<Loop>) -> Outcome<()> {
        let mut frame = Frame::new(template, Some(handed));
        frame.loops.extend(round);
        let outer = std::mem::replace(&mut self.frame, frame);
        self.depth += 1;
        let flow = self.nodes(&template.body);
        self.depth -= 1;
        self.frame = outer;
        flow.map(|_| ())
    }

    fn condition(&mut self, condition: &'a Condition) -> bool {
        let mut held = false;
        for (part, joiner) in &condition.parts {
            held = self.comparison(part);
            // From the right: what follows an `or` that holds, or an `and` that does not, decides nothing.
            match joiner {
                Some(Joiner::And) if !held => return false,
                Some(Joiner::Or) if held => return true,
                _ => {}
            }
        }
        held
    }

    fn comparison(&mut self, part: &'a Comparison) -> bool {
        let left = self.value(&part.left);
        match &part.right {
            None => left.is_truthy(),
            Some((operator, right)) => {
                let right = self.value(right);
                compare::holds(*operator, &left, &right, self.context.zone)
            }
        }
    }

    fn filtered(&mut self, node: &'a Filtered) -> Outcome<Data<'a>> {
        let mut value = self.value(&node.value);
        for filter in &node.filters {
            value = self.apply(filter, value)?;
        }
        Ok(value)
    }

    fn apply(&mut self, filter: &'a Filter, value: Data<'a>) -> Outcome<Data<'a>> {
        let call = self.call(filter);
        filters::apply(self, filter.kind, value, call)
    }

    fn call(&mut self, filter: &'a Filter) -> filters::Call<'a> {
        let first = filter.args.first().map(|arg| self.value(arg));
        let second = filter.args.get(1).map(|arg| self.value(arg));
        let allow_false = filter.allow_false.as_ref().is_some_and(|arg| self.value(arg).is_truthy());
        filters::Call { first, second, allow_false, span: filter.span }
    }

    fn value(&mut self, expr: &'a Expr) -> Data<'a> {
        match expr {
            Expr::Nil => Data::Nil,
            Expr::Blank => Data::Blank,
            Expr::Empty => Data::Empty,
            Expr::Bool(value) => Data::Bool(*value),
            Expr::Int(value) => Data::Int(*value),
            Expr::Number(value) => Data::Number(*value),
            Expr::Text(text) => Data::text(text),
            Expr::Range(ends) => {
                let (from, to) = (self.value(&ends.0), self.value(&ends.1));
                Data::Range(filters::whole(&from), filters::whole(&to))
            }
            Expr::Path(path) => self.variable(path),
        }
    }

    fn variable(&mut self, path: &'a Path) -> Data<'a> {
        let mut steps = path.steps.iter();
        let mut value = match &path.root {
            Root::Slot(slot) => self.frame.slots.get(*slot).cloned().flatten().unwrap_or_default(),
            Root::Maybe { slot, counter, name } => {
                let set = slot.and_then(|slot| self.frame.slots.get(slot).cloned().flatten());
                let counted = || counter.and_then(|counter| self.frame.counters.get(counter).copied().flatten());
                set.or_else(|| counted().map(Data::Int)).unwrap_or_else(|| self.named(name))
            }
            Root::Provided(name) => self.named(name),
            Root::Computed => match steps.next() {
                Some(Step::Field(name)) => self.named(name),
                Some(Step::Index(index)) => match self.value(index) {
                    Data::Text(name) => self.named(name.as_str()),
                    _ => Data::Nil,
                },
                None => Data::Nil,
            },
            Root::Loop => return self.loop_value(&path.steps),
        };
        for step in steps {
            value = match step {
                Step::Field(name) => value.field(name),
                Step::Index(index) => match self.value(index) {
                    Data::Int(index) => value.at(index),
                    Data::Number(index) => value.at(number::to_int(index)),
                    Data::Text(name) => value.field(name.as_str()),
                    _ => Data::Nil,
                },
            };
        }
        value
    }

    fn named(&self, name: &str) -> Data<'a> {
        let source = self.source;
        match &self.frame.handed {
            None => source.get(name).unwrap_or_default(),
            Some(handed) => match handed.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => value.clone(),
                None => source.everywhere(name).unwrap_or_default(),
            },
        }
    }

    /// `forloop.index`, `forloop.parentloop.first`
    fn loop_value(&self, steps: &[Step]) -> Data<'a> {
        let mut loops = self.frame.loops.iter().rev();
        let Some(mut this) = loops.next() else { return Data::Nil };
        let mut value = None;
        for step in steps {
            let Step::Field(name) = step else { return Data::Nil };
            if value.is_some() {
                return Data::Nil;
            }
            if name.as_ref() == "parentloop" {
                match loops.next() {
                    Some(outer) => this = outer,
                    None => return Data::Nil,
                }
            } else {
                value = Some(this.field(name));
            }
        }
        // A loop by itself is only something that there is.
        value.unwrap_or(Data::Bool(true))
    }
}

impl Loop {
    fn field<'a>(&self, name: &str) -> Data<'a> {
        let Self { index, length, columns } = *self;
        let columns = columns.unwrap_or(length).max(1);
        match name {
            "index" => int(index + 1),
            "index0" => int(index),
            "rindex" => int(length - index),
            "rindex0" => int(length - index - 1),
            "first" => Data::Bool(index == 0),
            "last" => Data::Bool(index + 1 == length),
            "length" => int(length),
            "col" => int(index % columns + 1),
            "col0" => int(index % columns),
            "col_first" => Data::Bool(index % columns == 0),
            "col_last" => Data::Bool(index % columns + 1 == columns),
            "row" => int(index / columns + 1),
            _ => Data::Nil,
        }
    }
}

impl Node {
    fn span(&self) -> Span {
        match self {
            Self::Text(span) | Self::Capture { span, .. } => *span,
            Self::Output(value) | Self::Assign { value, .. } => value.span,
            Self::For(node) => node.span,
            Self::Cycle(node) => node.span,
            Self::Render(node) => node.span,
            Self::If { .. } | Self::Case { .. } | Self::Count { .. } | Self::Break | Self::Continue => Span::default(),
        }
    }
}
