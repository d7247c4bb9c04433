//! The functions of values: what they take and what they give.

use crate::bytecode::{Const, Function, Unit};
use crate::compile_codes as code;
use crate::context::{Cx, Scope};
use crate::diagnostic::Diagnostic;
use crate::habits::{function_meant, instead_of_function};
use crate::names::nearest;
use crate::node::{Node, NodeKind};
use crate::operators::to_instant;
use crate::schema::offer;
use crate::types::{Class, Kind, Ty};
use flow_grammar::ast::{self, Expr, Name};
use flow_grammar::span::Span;

/// What an argument must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Text,
    TextOrList,
    Number,
    /// A number, a moment, a time or a duration.
    Ordered,
    /// A date or an instant.
    Moment,
    /// An instant (a date becomes one).
    Instant,
    InstantOrTime,
    Printable,
    List,
}

/// Name, function, fewest and most arguments, what the first takes.
const FUNCTIONS: &[(&str, Function, usize, usize, Takes)] = &[
    ("lower", Function::Lower, 1, 1, Takes::Text),
    ("upper", Function::Upper, 1, 1, Takes::Text),
    ("trim", Function::Trim, 1, 1, Takes::Text),
    ("length", Function::Length, 1, 1, Takes::TextOrList),
    ("round", Function::Round, 1, 2, Takes::Number),
    ("floor", Function::Floor, 1, 1, Takes::Number),
    ("ceil", Function::Ceil, 1, 1, Takes::Number),
    ("abs", Function::Abs, 1, 1, Takes::Number),
    ("min", Function::Min, 2, 2, Takes::Ordered),
    ("max", Function::Max, 2, 2, Takes::Ordered),
    ("text", Function::Text, 1, 1, Takes::Printable),
    ("int", Function::Int, 1, 1, Takes::Text),
    ("number", Function::Number, 1, 1, Takes::Text),
    ("date", Function::Date, 1, 1, Takes::Instant),
    ("time", Function::Time, 1, 1, Takes::Instant),
    ("year", Function::Year, 1, 1, Takes::Moment),
    ("month", Function::Month, 1, 1, Takes::Moment),
    ("day", Function::Day, 1, 1, Takes::Moment),
    ("hour", Function::Hour, 1, 1, Takes::InstantOrTime),
    ("minute", Function::Minute, 1, 1, Takes::InstantOrTime),
    ("weekday", Function::Weekday, 1, 1, Takes::Moment),
    ("first", Function::First, 1, 1, Takes::List),
];

/// What a function is called.
pub(crate) fn name_of(function: Function) -> &'static str {
    FUNCTIONS.iter().find(|known| known.1 == function).map_or("this", |known| known.0)
}

/// Whether a function has this name.
pub(crate) fn is_function(name: &str) -> bool {
    FUNCTIONS.iter().any(|known| known.0 == name)
}

impl Cx<'_> {
    pub fn call_function(&mut self, name: &Name, args: &[Expr], span: Span, scope: &Scope) -> Node {
        let nodes: Vec<Node> = args.iter().map(|arg| self.expr(arg, scope)).collect();
        let Some((_, function, fewest, most, takes)) = FUNCTIONS.iter().find(|f| f.0 == name.text) else {
            self.unknown_function(name, args.len(), span);
            return Node::poison(span);
        };
        if nodes.len() < *fewest || nodes.len() > *most {
            let count = if fewest == most { fewest.to_string() } else { format!("{fewest} or {most}") };
            let message = format!(
                "`{}` takes {count} argument{}, and here are {}",
                name.text,
                if *most == 1 { "" } else { "s" },
                nodes.len()
            );
            let letters = ["a", "b"].get(..*fewest).unwrap_or_default().join(", ");
            let help = format!("write it like `{}({letters})`", name.text);
            self.report(Diagnostic::error(code::WRONG_ARGUMENTS, span, message).help(help));
            return Node::poison(span);
        }
        if nodes.iter().any(Node::is_poison) {
            return Node::poison(span);
        }
        self.apply(*function, &name.text, *takes, nodes, span)
    }

    fn unknown_function(&mut self, name: &Name, arguments: usize, span: Span) {
        if self.called_in_vain(name, arguments, span) {
            return;
        }
        let instead = instead_of_function(&name.text);
        let near = nearest(&name.text, FUNCTIONS.iter().map(|f| f.0)).filter(|_| instead.is_none());
        let near = function_meant(&name.text).or(near).map(str::to_owned);
        let message = format!("there is no function `{}`", name.text);
        let help = if self.schema.apis.contains_key(&name.text) {
            format!("an api is asked by a step: `fetch answer = {}(…)`", name.text)
        } else if let Some(instead) = instead {
            instead.to_owned()
        } else {
            "there are lower, upper, trim, length, round, floor, ceil, abs, min, max, text, int, number, date, time, year, month, day, hour, minute and weekday".into()
        };
        self.report(offer(Diagnostic::error(code::UNKNOWN_FUNCTION, name.span, message), near, name.span, &help));
    }

    fn apply(&mut self, function: Function, name: &str, takes: Takes, mut args: Vec<Node>, span: Span) -> Node {
        let Some(first) = args.first() else { return Node::poison(span) };
        if !accepts(takes, &first.ty.kind) {
            self.wrong_argument(name, takes, &first.clone());
            return Node::poison(span);
        }
        if let Some(second) = args.get(1).cloned() {
            let fits = match function {
                Function::Round => second.ty.kind == Kind::Int,
                _ => first.ty.kind.join(&second.ty.kind).is_some(),
            };
            if !fits {
                let message = format!("`{name}` does not take {} here", self.show(&second.ty));
                let help = if function == Function::Round {
                    "the second argument is a number of places"
                } else {
                    "both arguments are of one type"
                };
                self.report(Diagnostic::error(code::WRONG_ARGUMENTS, second.span, message).help(help));
                return Node::poison(span);
            }
        }
        let optional = args.iter().any(|a| a.ty.optional);
        let kind = result(function, &args);
        if takes == Takes::Instant || takes == Takes::InstantOrTime || kind == Kind::DateTime {
            args = args.into_iter().map(to_instant).collect();
        } else if takes == Takes::Moment {
            args = args.into_iter().map(|a| if a.ty.kind == Kind::Local { to_instant(a) } else { a }).collect();
        }
        let gives_missing = matches!(function, Function::Int | Function::Number | Function::First);
        Node::new(NodeKind::Call(function, args), Ty::maybe(kind, optional || gives_missing), span)
    }

    fn wrong_argument(&mut self, name: &str, takes: Takes, arg: &Node) {
        let wants = match takes {
            Takes::Text => "a text",
            Takes::TextOrList => "a text or a list",
            Takes::Number => "a number",
            Takes::Ordered => "numbers, dates, instants, times or durations",
            Takes::Moment => "a date or an instant",
            Takes::Instant => "an instant",
            Takes::InstantOrTime => "an instant or a time of day",
            Takes::Printable => "a single value",
            Takes::List => "a list",
        };
        if let (Some(written), true) =
            (arg.as_text(), matches!(takes, Takes::Moment | Takes::Instant | Takes::InstantOrTime))
        {
            let written = written.to_owned();
            self.text_for_time(&written, &Kind::DateTime, arg.span);
            return;
        }
        let message = format!("`{name}` takes {wants}, and this is {}", self.show_a(&arg.ty));
        let help = match (name, arg.ty.kind.class()) {
            ("int", Class::Number) => "use `round`, `floor` or `ceil`",
            ("number", Class::Number) => "it is a number already",
            _ => "give it such a value, or leave the function out",
        };
        self.report(Diagnostic::error(code::WRONG_ARGUMENTS, arg.span, message).help(help));
    }

    /// `days between a and b`
    pub fn units_between(&mut self, unit: ast::Unit, a: &Expr, b: &Expr, span: Span, scope: &Scope) -> Node {
        let (a, b) = (self.expr(a, scope), self.expr(b, scope));
        if a.is_poison() || b.is_poison() {
            return Node::poison(span);
        }
        for node in [&a, &b] {
            if node.ty.kind.class() == Class::Moment {
                continue;
            }
            if let Some(written) = node.as_text().map(str::to_owned) {
                self.text_for_time(&written, &Kind::Date, node.span);
            } else {
                let message =
                    format!("time is counted between dates and instants, and this is {}", self.show_a(&node.ty));
                self.report(
                    Diagnostic::error(code::TYPE_MISMATCH, node.span, message).help("name a date or an instant"),
                );
            }
            return Node::poison(span);
        }
        let optional = a.ty.optional || b.ty.optional;
        let dates = a.ty.kind == Kind::Date && b.ty.kind == Kind::Date;
        let [a, b] = [a, b].map(|n| if dates { n } else { to_instant(n) });
        let kind = NodeKind::Units(stored_unit(unit), Box::new(a), Box::new(b));
        Node::new(kind, Ty::maybe(Kind::Int, optional), span)
    }
}

fn accepts(takes: Takes, kind: &Kind) -> bool {
    let class = kind.class();
    match takes {
        Takes::Text => class == Class::Text,
        Takes::TextOrList => matches!(class, Class::Text | Class::List),
        Takes::Number => class == Class::Number,
        Takes::Ordered => matches!(class, Class::Number | Class::Moment | Class::Time | Class::Duration),
        Takes::Moment | Takes::Instant => class == Class::Moment,
        Takes::InstantOrTime => matches!(class, Class::Moment | Class::Time),
        Takes::Printable => kind.printable(),
        Takes::List => class == Class::List,
    }
}

fn result(function: Function, args: &[Node]) -> Kind {
    let first = args.first().map_or(Kind::Poison, |a| a.ty.kind.clone());
    match function {
        Function::Lower | Function::Upper | Function::Trim | Function::Text => Kind::Text,
        Function::Length | Function::Floor | Function::Ceil | Function::Int => Kind::Int,
        Function::Year | Function::Month | Function::Day | Function::Hour | Function::Minute => Kind::Int,
        Function::Round => {
            if args.len() == 1 {
                Kind::Int
            } else {
                Kind::Number
            }
        }
        Function::Abs => first,
        Function::Min | Function::Max => args.get(1).and_then(|b| first.join(&b.ty.kind)).unwrap_or(Kind::Poison),
        Function::Number => Kind::Number,
        Function::Date => Kind::Date,
        Function::Time => Kind::Time,
        Function::Weekday => Kind::Weekday,
        Function::ToInstant => Kind::DateTime,
        Function::First => match first {
            Kind::List(item) => *item,
            _ => Kind::Poison,
        },
    }
}

fn stored_unit(unit: ast::Unit) -> Unit {
    match unit {
        ast::Unit::Seconds => Unit::Seconds,
        ast::Unit::Minutes => Unit::Minutes,
        ast::Unit::Hours => Unit::Hours,
        ast::Unit::Days => Unit::Days,
        ast::Unit::Weeks => Unit::Weeks,
        ast::Unit::Months => Unit::Months,
        ast::Unit::Years => Unit::Years,
    }
}

/// Whether a constant duration is longer than nothing.
pub(crate) fn takes_time(value: Option<&Const>) -> bool {
    match value {
        Some(Const::Duration(d)) => d.months > 0 || d.days > 0 || d.millis > 0,
        _ => true,
    }
}
