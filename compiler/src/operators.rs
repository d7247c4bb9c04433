//! Operators: what they take, what they give, and what is known afterwards.

use crate::bytecode::{Arith, Compare, Const, Function};
use crate::compile_codes as code;
use crate::context::{Cx, Scope};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind};
use crate::types::{Class, Kind, Ty};
use flow_grammar::ast::{BinaryOp, Expr, ExprKind};
use flow_grammar::span::Span;

impl Cx<'_> {
    pub fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr, span: Span, scope: &Scope) -> Node {
        match op {
            BinaryOp::And => self.and(left, right, span, scope),
            BinaryOp::Or => self.or(left, right, span, scope),
            BinaryOp::Coalesce => self.coalesce(left, right, span, scope),
            _ => {
                let left = self.expr(left, scope);
                let right = self.expr(right, scope);
                self.operate(op, left, right, span)
            }
        }
    }

    /// An operator between two checked values.
    pub fn operate(&mut self, op: BinaryOp, left: Node, right: Node, span: Span) -> Node {
        match op {
            BinaryOp::Equal => self.compare(Compare::Equal, left, right, span),
            BinaryOp::NotEqual => self.compare(Compare::NotEqual, left, right, span),
            BinaryOp::Less => self.compare(Compare::Less, left, right, span),
            BinaryOp::LessOrEqual => self.compare(Compare::LessOrEqual, left, right, span),
            BinaryOp::Greater => self.compare(Compare::Greater, left, right, span),
            BinaryOp::GreaterOrEqual => self.compare(Compare::GreaterOrEqual, left, right, span),
            BinaryOp::Add => self.arith(Arith::Add, left, right, span),
            BinaryOp::Subtract => self.arith(Arith::Subtract, left, right, span),
            BinaryOp::Multiply => self.arith(Arith::Multiply, left, right, span),
            BinaryOp::Divide => self.arith(Arith::Divide, left, right, span),
            BinaryOp::Contains => self.contains(left, right, span),
            BinaryOp::StartsWith => self.affix(NodeKind::StartsWith, "starts with", left, right, span),
            BinaryOp::EndsWith => self.affix(NodeKind::EndsWith, "ends with", left, right, span),
            BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce => Node::poison(span),
        }
    }

    fn and(&mut self, left: &Expr, right: &Expr, span: Span, scope: &Scope) -> Node {
        let left = self.condition(left, scope);
        let right = self.condition(right, &scope.knowing(&left.yes));
        let yes = left.yes.iter().chain(&right.yes).cloned().collect();
        let no = left.no.iter().filter(|p| right.no.contains(p)).cloned().collect();
        Node { yes, no, ..Node::test(NodeKind::And(Box::new(left), Box::new(right)), span) }
    }

    fn or(&mut self, left: &Expr, right: &Expr, span: Span, scope: &Scope) -> Node {
        let left = self.condition(left, scope);
        let right = self.condition(right, &scope.knowing(&left.no));
        let yes = left.yes.iter().filter(|p| right.yes.contains(p)).cloned().collect();
        let no = left.no.iter().chain(&right.no).cloned().collect();
        Node { yes, no, ..Node::test(NodeKind::Or(Box::new(left), Box::new(right)), span) }
    }

    fn coalesce(&mut self, left: &Expr, right: &Expr, span: Span, scope: &Scope) -> Node {
        let left = self.expr(left, scope);
        let right = self.expr(right, scope);
        if left.is_poison() || right.is_poison() {
            return Node::poison(span);
        }
        let fits = |kind: &Kind| match (kind, right.as_text()) {
            (Kind::OneOf(values), Some(text)) => values.iter().any(|v| v == text),
            _ => false,
        };
        let kind = if fits(&left.ty.kind) { Some(left.ty.kind.clone()) } else { left.ty.kind.join(&right.ty.kind) };
        let Some(kind) = kind else {
            let printable = right.ty.kind.class() == Class::Text && left.ty.kind.printable();
            let help = if printable {
                format!("to show it, make it a text: `text({}) ?? …`", self.folded(left.span))
            } else {
                "both sides must be of one type".to_owned()
            };
            return self.do_not_fit("??", &left, &right, span, &help);
        };
        let optional = left.ty.optional && right.ty.optional;
        let (left, right) = (self.as_moment(left, &kind), self.as_moment(right, &kind));
        Node::new(NodeKind::Coalesce(Box::new(left), Box::new(right)), Ty::maybe(kind, optional), span)
    }

    /// Makes a date an instant where the whole is one.
    fn as_moment(&self, node: Node, kind: &Kind) -> Node {
        if *kind == Kind::DateTime {
            to_instant(node)
        } else {
            node
        }
    }

    /// `left op right`, a bool; missing sides make it false.
    pub fn compare(&mut self, op: Compare, left: Node, right: Node, span: Span) -> Node {
        let order = !matches!(op, Compare::Equal | Compare::NotEqual);
        if !self.comparable(&left, &right, order, span) {
            return Node::test(NodeKind::Poison, span);
        }
        let paths: Vec<_> = left.paths().into_iter().chain(right.paths()).collect();
        let (yes, no) = if op == Compare::NotEqual { (Vec::new(), paths) } else { (paths, Vec::new()) };
        let (left, right) = same_moment(left, right);
        Node { yes, no, ..Node::test(NodeKind::Compare(op, Box::new(left), Box::new(right)), span) }
    }

    /// Whether two values can be compared; says why not.
    fn comparable(&mut self, left: &Node, right: &Node, order: bool, span: Span) -> bool {
        let (a, b) = (&left.ty.kind, &right.ty.kind);
        if a.is_poison() || b.is_poison() {
            return false;
        }
        if a.class() != b.class() {
            self.not_comparable(left, right, span);
            return false;
        }
        if matches!(a.class(), Class::List | Class::Record) || (order && !(a.ordered() && b.ordered())) {
            let message = format!("values of type {} cannot be compared like this", self.show(&left.ty));
            let help = match a.class() {
                Class::List => "use `contains` or `in`",
                Class::Record => "compare one of its fields",
                _ => "use `==`, `!=` or `in`",
            };
            self.report(Diagnostic::error(code::BAD_OPERANDS, span, message).help(help));
            return false;
        }
        self.inside_one_of(left, right) && self.inside_one_of(right, left)
    }

    /// A text compared with a one-of must be one of its values.
    fn inside_one_of(&mut self, one_of: &Node, other: &Node) -> bool {
        match (&one_of.ty.kind, other.as_text()) {
            (Kind::OneOf(values), Some(text)) if !values.iter().any(|v| v == text) => {
                let values = values.clone();
                self.outside_one_of(text, &values, other.span);
                false
            }
            _ => true,
        }
    }

    pub fn outside_one_of(&mut self, text: &str, values: &[String], span: Span) {
        let near = crate::names::nearest(text, values.iter().map(String::as_str)).map(|near| format!("{near:?}"));
        let all: Vec<String> = values.iter().map(|v| format!("{v:?}")).collect();
        let message = format!("`{text:?}` is not one of the values there are");
        let problem = Diagnostic::error(code::OUTSIDE_ONE_OF, span, message);
        let otherwise = format!("there are {}", all.join(", "));
        self.report(crate::schema::offer(problem, near, span, &otherwise));
    }

    fn not_comparable(&mut self, left: &Node, right: &Node, span: Span) {
        for (text, other) in [(left, right), (right, left)] {
            let timely =
                matches!(other.ty.kind.class(), Class::Moment | Class::Time | Class::Duration | Class::Weekday);
            if let (Some(written), true) = (text.as_text(), timely) {
                let written = written.to_owned();
                self.text_for_time(&written, &other.ty.kind.clone(), text.span);
                return;
            }
        }
        for (text, other) in [(left, right), (right, left)] {
            let number = text.as_text().and_then(crate::coerce::written_number);
            if let (Some(number), Class::Number) = (number, other.ty.kind.class()) {
                let (a, b) = (self.show(&left.ty), self.show(&right.ty));
                let message = format!("a comparison does not take {a} and {b}");
                let found = Diagnostic::error(code::BAD_OPERANDS, span, message);
                let help = format!("a number has no quotes: `{number}`");
                self.report(found.help(help).fix(format!("write `{number}`"), text.span, number));
                return;
            }
        }
        let help = match (left.ty.kind.class(), right.ty.kind.class()) {
            (Class::Text, Class::Number) => {
                "write the number without quotes, or turn the text into one with `number(…)`"
            }
            (Class::Number, Class::Text) => "write the number without quotes, or turn it into a text with `text(…)`",
            (Class::Moment, Class::Time) | (Class::Time, Class::Moment) => {
                "take the time of the day with `time(…)` or `hour(…)`"
            }
            (Class::List, _) => "use `contains`",
            (Class::Bool, Class::Number) => "how often something happened is `count(purchased in last 30d)`",
            _ => "compare values of one type",
        };
        let _ = self.do_not_fit("a comparison", left, right, span, help);
    }

    /// A date or time written in quotes.
    pub fn text_for_time(&mut self, written: &str, wanted: &Kind, span: Span) {
        let wanted_name = wanted.show(&self.program.types);
        let message = format!("`{written:?}` is a text, and a {wanted_name} is needed here");
        let digits = written.starts_with(|c: char| c.is_ascii_digit());
        let plain = digits && written.chars().all(|c| c.is_ascii_digit() || "-: TZ+".contains(c));
        let word = *wanted == Kind::Weekday && written.ends_with("day");
        let problem = Diagnostic::error(code::TEXT_FOR_TIME, span, message);
        let example = if wanted.class() == Class::Moment { "2026-11-27" } else { wanted.example() };
        self.report(if plain || word {
            problem.help(format!("write `{written}` without quotes")).fix("remove the quotes", span, written)
        } else {
            problem.help(format!("write it without quotes, like `{example}`"))
        });
    }

    fn do_not_fit(&mut self, what: &str, left: &Node, right: &Node, span: Span, help: &str) -> Node {
        let (a, b) = (self.show(&left.ty), self.show(&right.ty));
        let what = if what.starts_with("a ") { what.to_owned() } else { format!("`{what}`") };
        let message = format!("{what} does not take {a} and {b}");
        self.report(Diagnostic::error(code::BAD_OPERANDS, span, message).help(help));
        Node::poison(span)
    }

    /// `x between low and high`: `low <= x and x <= high`.
    pub fn between(&mut self, value: &Expr, low: &Expr, high: &Expr, span: Span, scope: &Scope) -> Node {
        let value = self.expr(value, scope);
        let (low, high) = (self.expr(low, scope), self.expr(high, scope));
        let fits = self.comparable(&value, &low, true, span) && self.comparable(&value, &high, true, span);
        if !fits {
            return Node::test(NodeKind::Poison, span);
        }
        let yes = value.paths().into_iter().chain(low.paths()).chain(high.paths()).collect();
        let mixed = [&value, &low, &high].iter().any(|n| n.ty.kind != Kind::Date);
        let [value, low, high] = [value, low, high].map(|n| if mixed { to_instant(n) } else { n });
        let kind = NodeKind::Between(Box::new(value), Box::new(low), Box::new(high));
        Node { yes, ..Node::test(kind, span) }
    }

    pub fn is_in(&mut self, value: &Expr, list: &Expr, span: Span, scope: &Scope) -> Node {
        let elements = match &list.kind {
            ExprKind::List(items) => items.as_slice(),
            _ => &[],
        };
        let value = self.expr(value, scope);
        let list = self.expr(list, scope);
        let Some(item) = self.list_item(&list, "in") else { return Node::test(NodeKind::Poison, span) };
        if !self.elements_inside(&value, &list, elements) || !self.element_fits(&value, &list, &item, span) {
            return Node::test(NodeKind::Poison, span);
        }
        let yes = value.paths();
        let (value, list) = same_elements(value, list, &item);
        Node { yes, ..Node::test(NodeKind::In(Box::new(value), Box::new(list)), span) }
    }

    fn list_item(&mut self, list: &Node, what: &str) -> Option<Kind> {
        match &list.ty.kind {
            Kind::List(item) => Some((**item).clone()),
            Kind::Poison => None,
            _ => {
                let message = format!("`{what}` needs a list, and this is {}", self.show_a(&list.ty));
                let help = "write the values in brackets: `[\"IT\", \"ES\"]`";
                self.report(Diagnostic::error(code::TYPE_MISMATCH, list.span, message).help(help));
                None
            }
        }
    }

    /// Each text in a list that a one-of is looked for in must be one of its values.
    fn elements_inside(&mut self, value: &Node, list: &Node, elements: &[Expr]) -> bool {
        let (Kind::OneOf(values), Some(Const::List(texts))) = (&value.ty.kind, list.as_const()) else { return true };
        let (values, mut inside) = (values.clone(), true);
        for (place, text) in texts.clone().into_iter().enumerate() {
            match text {
                Const::Text(text) if !values.contains(&text) => {
                    let span = elements.get(place).map_or(list.span, |element| element.span);
                    self.outside_one_of(&text, &values, span);
                    inside = false;
                }
                _ => {}
            }
        }
        inside
    }

    fn element_fits(&mut self, value: &Node, list: &Node, item: &Kind, span: Span) -> bool {
        let element = Node::new(NodeKind::Poison, Ty::known(item.clone()), list.span);
        self.comparable(value, &element, false, span)
    }

    fn contains(&mut self, left: Node, right: Node, span: Span) -> Node {
        let fits = match left.ty.kind.clone() {
            Kind::Poison => false,
            Kind::List(item) => {
                let element = Node::new(NodeKind::Poison, Ty::known(*item), left.span);
                self.comparable(&right, &element, false, span)
            }
            kind if kind.class() == Class::Text => self.texts("contains", &left, &right, span),
            _ => {
                let _ = self.do_not_fit(
                    "contains",
                    &left,
                    &right,
                    span,
                    "it looks for a text in a text, or an element in a list",
                );
                false
            }
        };
        if !fits {
            return Node::test(NodeKind::Poison, span);
        }
        let yes = left.paths().into_iter().chain(right.paths()).collect();
        Node { yes, ..Node::test(NodeKind::Contains(Box::new(left), Box::new(right)), span) }
    }

    fn affix(
        &mut self,
        make: fn(Box<Node>, Box<Node>) -> NodeKind,
        what: &str,
        left: Node,
        right: Node,
        span: Span,
    ) -> Node {
        if !self.texts(what, &left, &right, span) {
            return Node::test(NodeKind::Poison, span);
        }
        let yes = left.paths().into_iter().chain(right.paths()).collect();
        Node { yes, ..Node::test(make(Box::new(left), Box::new(right)), span) }
    }

    fn texts(&mut self, what: &str, left: &Node, right: &Node, span: Span) -> bool {
        if left.is_poison() || right.is_poison() {
            return false;
        }
        let fits = left.ty.kind.class() == Class::Text && right.ty.kind.class() == Class::Text;
        if !fits {
            let _ = self.do_not_fit(what, left, right, span, "both sides must be texts");
        }
        fits
    }

    pub fn negate(&mut self, inner: &Expr, span: Span, scope: &Scope) -> Node {
        let inner = self.expr(inner, scope);
        match (inner.as_const(), inner.ty.kind.class()) {
            (_, Class::Poison) => Node::poison(span),
            (Some(Const::Int(value)), _) => Node::constant(Const::Int(value.saturating_neg()), Kind::Int, span),
            (Some(Const::Number(value)), _) => Node::constant(Const::Number(-*value), Kind::Number, span),
            (_, Class::Number | Class::Duration) => {
                let ty = inner.ty.clone();
                Node::new(NodeKind::Negate(Box::new(inner)), ty, span)
            }
            _ => {
                let message = format!("`-` needs a number, and this is {}", self.show_a(&inner.ty));
                self.report(
                    Diagnostic::error(code::BAD_OPERANDS, span, message).help("write a number or a duration after it"),
                );
                Node::poison(span)
            }
        }
    }

    /// `left op right`; missing sides make it missing.
    pub fn arith(&mut self, op: Arith, left: Node, right: Node, span: Span) -> Node {
        if left.is_poison() || right.is_poison() {
            return Node::poison(span);
        }
        let missing = left.ty.optional || right.ty.optional;
        let (kind, left, right) = match (op, left.ty.kind.class(), right.ty.kind.class()) {
            (Arith::Divide, Class::Number, Class::Number) => (Kind::Number, left, right),
            (_, Class::Number, Class::Number) => {
                let both_int = left.ty.kind == Kind::Int && right.ty.kind == Kind::Int;
                (if both_int { Kind::Int } else { Kind::Number }, left, right)
            }
            (Arith::Add | Arith::Subtract, Class::Duration, Class::Duration) => (Kind::Duration, left, right),
            (Arith::Add | Arith::Subtract, Class::Moment, Class::Duration) => {
                let (kind, moment) = shifted(left, &right);
                (kind, moment, right)
            }
            (Arith::Add, Class::Duration, Class::Moment) => {
                let (kind, moment) = shifted(right, &left);
                (kind, moment, left)
            }
            (Arith::Subtract, Class::Moment, Class::Moment) => {
                let (left, right) = same_moment(left, right);
                (Kind::Duration, left, right)
            }
            (Arith::Multiply, Class::Duration, Class::Number) if right.ty.kind == Kind::Int => {
                (Kind::Duration, left, right)
            }
            (Arith::Multiply, Class::Number, Class::Duration) if left.ty.kind == Kind::Int => {
                (Kind::Duration, right, left)
            }
            _ => return self.no_arith(op, &left, &right, span),
        };
        let optional = missing || (op == Arith::Divide && !nonzero(&right));
        Node::new(NodeKind::Arith(op, Box::new(left), Box::new(right)), Ty::maybe(kind, optional), span)
    }

    fn no_arith(&mut self, op: Arith, left: &Node, right: &Node, span: Span) -> Node {
        let sign = match op {
            Arith::Add => "+",
            Arith::Subtract => "-",
            Arith::Multiply => "*",
            Arith::Divide => "/",
        };
        let help = match (op, left.ty.kind.class(), right.ty.kind.class()) {
            (Arith::Add, Class::Text, _) | (Arith::Add, _, Class::Text) => {
                "put texts together by interpolation: \"{a} {b}\""
            }
            (_, Class::Moment, Class::Number) => "say of what: `3d`, `2h`",
            (_, Class::Duration, _) | (_, _, Class::Duration) => {
                "durations are added to durations, dates and instants, and multiplied by whole numbers"
            }
            _ => "it works on numbers, durations, dates and instants",
        };
        self.do_not_fit(sign, left, right, span, help)
    }
}

fn nonzero(divisor: &Node) -> bool {
    match divisor.as_const() {
        Some(Const::Int(value)) => *value != 0,
        Some(Const::Number(value)) => !value.is_zero(),
        _ => false,
    }
}

/// A moment plus or minus a duration: a date stays one when only calendar steps are taken.
fn shifted(moment: Node, by: &Node) -> (Kind, Node) {
    let whole = matches!(by.as_const(), Some(Const::Duration(d)) if d.millis == 0);
    if moment.ty.kind == Kind::Date && whole {
        return (Kind::Date, moment);
    }
    (Kind::DateTime, to_instant(moment))
}

/// A date or a local date and time as an instant; anything else as it is.
pub(crate) fn to_instant(node: Node) -> Node {
    if !matches!(node.ty.kind, Kind::Date | Kind::Local) {
        return node;
    }
    let (ty, span) = (Ty::maybe(Kind::DateTime, node.ty.optional), node.span);
    Node::new(NodeKind::Call(Function::ToInstant, vec![node]), ty, span)
}

/// Two dates stay dates; otherwise both sides become instants.
fn same_moment(left: Node, right: Node) -> (Node, Node) {
    if left.ty.kind == Kind::Date && right.ty.kind == Kind::Date {
        return (left, right);
    }
    (to_instant(left), to_instant(right))
}

/// A value and the list it is looked for in, of one kind where it is a moment.
fn same_elements(value: Node, list: Node, item: &Kind) -> (Node, Node) {
    if *item == Kind::DateTime && value.ty.kind == Kind::Date {
        return (to_instant(value), list);
    }
    (value, list)
}
