//! Filters: what they take, and what they give.

use super::check::Check;
use super::offers::MARK;
use super::shape::{Class, Shape, Variable};
use super::values::suggest;
use crate::codes as code;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use flow_grammar::liquid::filters::FilterKind;
use flow_grammar::liquid::{ExprKind, Filter, Filtered};
use std::rc::Rc;

/// What a filter takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Anything,
    /// A text, or what has one: a number, a date.
    Writing,
    Text,
    Number,
    List,
    /// A list or a text.
    Parts,
    Moment,
}

impl Takes {
    fn fits(self, class: Class) -> bool {
        match self {
            Self::Anything => true,
            Self::Writing => !matches!(class, Class::List | Class::Record | Class::Bool),
            Self::Text => matches!(class, Class::Text | Class::Any),
            Self::Number => matches!(class, Class::Number | Class::Any),
            Self::List => matches!(class, Class::List | Class::Any),
            Self::Parts => matches!(class, Class::List | Class::Text | Class::Record | Class::Any),
            Self::Moment => matches!(class, Class::Moment | Class::Time | Class::Text | Class::Number | Class::Any),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Anything => "anything",
            Self::Writing | Self::Text => "a text",
            Self::Number => "a number",
            Self::List => "a list",
            Self::Parts => "a text or a list",
            Self::Moment => "a date",
        }
    }
}

/// What a filter takes, and what its arguments are.
fn takes(kind: FilterKind) -> (Takes, Takes) {
    use FilterKind as F;
    match kind {
        F::Abs | F::Ceil | F::Floor | F::Fixed | F::Round => (Takes::Number, Takes::Number),
        F::AtLeast | F::AtMost | F::DividedBy | F::Minus | F::Modulo | F::Plus | F::Times => {
            (Takes::Number, Takes::Number)
        }
        F::Append
        | F::Prepend
        | F::Replace
        | F::ReplaceFirst
        | F::ReplaceLast
        | F::Remove
        | F::RemoveFirst
        | F::RemoveLast => (Takes::Writing, Takes::Writing),
        F::Escape | F::EscapeOnce | F::UrlEncode | F::Truncate | F::Truncatewords => (Takes::Writing, Takes::Anything),
        F::Base64Decode
        | F::Base64Encode
        | F::Base64UrlSafeDecode
        | F::Base64UrlSafeEncode
        | F::Capitalize
        | F::Downcase
        | F::Lstrip
        | F::NewlineToBr
        | F::Rstrip
        | F::Strip
        | F::StripHtml
        | F::StripNewlines
        | F::Upcase
        | F::UrlDecode => (Takes::Text, Takes::Anything),
        F::Split => (Takes::Text, Takes::Text),
        F::Concat => (Takes::List, Takes::List),
        F::Compact
        | F::Find
        | F::FindIndex
        | F::First
        | F::Has
        | F::Join
        | F::Last
        | F::Map
        | F::Reject
        | F::Reverse
        | F::Sort
        | F::SortNatural
        | F::Sum
        | F::Uniq
        | F::Where => (Takes::List, Takes::Anything),
        F::Size => (Takes::Parts, Takes::Anything),
        F::Slice => (Takes::Parts, Takes::Number),
        F::Date => (Takes::Moment, Takes::Text),
        F::Default | F::Json | F::Raw => (Takes::Anything, Takes::Anything),
    }
}

/// What a filter takes, in words, if it takes something of this shape.
pub(super) fn fitting(kind: FilterKind, shape: &Shape) -> Option<&'static str> {
    let (takes, _) = takes(kind);
    takes.fits(shape.class()).then(|| takes.words())
}

impl Check<'_> {
    pub(super) fn filter(&mut self, input: Variable, filter: &Filter, whole: &Filtered) -> Variable {
        let args: Vec<Variable> = filter.args.iter().map(|arg| self.value(arg)).collect();
        for (_, value) in &filter.named {
            self.value(value);
        }
        if filter.name.text == MARK {
            self.tell_filters(&input);
            return Variable::any();
        }
        let Some(kind) = FilterKind::from_name(&filter.name.text) else {
            self.no_filter(filter);
            return Variable::any();
        };
        self.arguments(kind, filter);
        let (wants, wants_args) = takes(kind);
        if !wants.fits(input.shape.class()) {
            self.wrong_input(kind, wants, &input, filter, whole);
            return Variable::any();
        }
        for (arg, variable) in filter.args.iter().zip(&args) {
            if !wants_args.fits(variable.shape.class()) {
                let message = format!(
                    "`{}` needs {} here, and this is {}",
                    kind.name(),
                    wants_args.words(),
                    variable.shape.words()
                );
                let help = format!("write {} there", wants_args.words());
                self.found.push(Diagnostic::error(code::TEMPLATE_FILTER_TYPE, arg.span, message).help(help));
            } else if kind != FilterKind::Default && wants_args != Takes::Anything {
                self.needed(variable, arg.span);
            }
        }
        self.gives(kind, input, &args, filter)
    }

    /// What a filter gives.
    fn gives(&mut self, kind: FilterKind, input: Variable, args: &[Variable], filter: &Filter) -> Variable {
        use FilterKind as F;
        let optional = input.optional;
        let element = match &input.shape {
            Shape::List(element) => element.as_ref().clone(),
            _ => Variable::any(),
        };
        let shape = match kind {
            F::Raw => return input,
            F::Default => {
                let Some(other) = args.first() else { return Variable { optional: false, ..input } };
                let shape = if optional || other.shape == input.shape {
                    input.shape.joined(&other.shape)
                } else {
                    input.shape.clone()
                };
                return Variable { shape, optional: optional && other.optional };
            }
            F::Json | F::Has => return Variable::known(if kind == F::Has { Shape::Bool } else { Shape::Text }),
            // Of what is missing there are none.
            F::Size | F::Sum => return Variable::known(if kind == F::Size { Shape::Int } else { Shape::Number }),
            F::Ceil | F::Floor => Shape::Int,
            F::Round if filter.args.is_empty() => Shape::Int,
            F::Round | F::Abs => input.shape,
            F::AtLeast | F::AtMost | F::Minus | F::Plus | F::Times => {
                args.first().map_or(Shape::Number, |other| input.shape.joined(&other.shape))
            }
            F::DividedBy | F::Modulo => {
                let zero =
                    !matches!(filter.args.first().map(|arg| &arg.kind), Some(ExprKind::Int(1..) | ExprKind::Number(_)));
                let negative = matches!(filter.args.first().map(|arg| &arg.kind), Some(ExprKind::Int(..=-1)));
                let shape = args.first().map_or(Shape::Number, |other| input.shape.joined(&other.shape));
                return Variable { shape, optional: optional || (zero && !negative) };
            }
            F::Split => Shape::list(Shape::Text),
            F::Concat => match args.first() {
                Some(more) => input.shape.joined(&more.shape),
                None => input.shape,
            },
            F::Compact => Shape::List(Rc::new(Variable { optional: false, ..element })),
            F::Reject | F::Where | F::Reverse | F::Sort | F::SortNatural | F::Uniq => {
                self.property(&element, filter);
                input.shape
            }
            F::Slice if input.shape.class() == Class::List => input.shape,
            F::Map => {
                let field = self.property(&element, filter).unwrap_or_else(Variable::any);
                Shape::List(Rc::new(field))
            }
            F::Find => {
                self.property(&element, filter);
                return Variable { optional: true, ..element };
            }
            F::FindIndex => return Variable { shape: Shape::Int, optional: true },
            F::First | F::Last => return Variable { optional: true, ..element },
            _ => Shape::Text,
        };
        Variable { shape, optional }
    }

    /// The property that a filter names, in the elements of a list.
    fn property(&mut self, element: &Variable, filter: &Filter) -> Option<Variable> {
        let name = filter.args.first()?;
        let (ExprKind::Text(text), Shape::Record(record)) = (&name.kind, &element.shape) else { return None };
        if let Some(field) = record.fields.get(text) {
            return Some(field.clone());
        }
        let message = format!("`{}` has no `{text}`", record.name);
        let found = Diagnostic::error(code::TEMPLATE_FIELD, name.span, message);
        let near =
            nearest(text, record.fields.keys().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
        self.found.push(match near {
            Some(help) => found.help(help),
            None => found,
        });
        None
    }

    fn wrong_input(&mut self, kind: FilterKind, wants: Takes, input: &Variable, filter: &Filter, whole: &Filtered) {
        let message = format!("`{}` takes {}, and this is {}", kind.name(), wants.words(), input.shape.words());
        let found = Diagnostic::error(code::TEMPLATE_FILTER_TYPE, filter.name.span, message);
        let found = found.label(whole.value.span, input.shape.words());
        self.found.push(match (wants, input.shape.class()) {
            (Takes::Number, Class::Text) if matches!(whole.value.kind, ExprKind::Text(_)) => {
                found.help("write the number without quotes")
            }
            (Takes::List, Class::Text) => found.help("make a list of the text first, with `| split: \",\"`"),
            (Takes::Text | Takes::Writing, Class::List) => {
                found.help("make a text of the list first, with `| join: \", \"`")
            }
            _ => found.help(format!("hand over {}, or leave the filter out", wants.words())),
        });
    }

    fn no_filter(&mut self, filter: &Filter) {
        let message = format!("no filter is called `{}`", filter.name.text);
        let found = Diagnostic::error(code::TEMPLATE_FILTER, filter.name.span, message);
        let near = nearest(&filter.name.text, FilterKind::ALL.iter().map(|kind| kind.name()));
        self.found.push(match filter.name.text.as_str() {
            "money" | "money_with_currency" | "number_with_delimiter" => {
                found.help("write the number with `| fixed: 2`, and the currency beside it")
            }
            _ => suggest(found, near, filter.name.span),
        });
    }

    fn arguments(&mut self, kind: FilterKind, filter: &Filter) {
        let (least, most) = kind.arity();
        let count = filter.args.len();
        if count < least || count > most {
            let wanted = match (least, most) {
                (0, 0) => "no argument".to_owned(),
                (a, b) if a == b => format!("{a} argument{}", if a == 1 { "" } else { "s" }),
                (a, b) => format!("{a} to {b} arguments"),
            };
            let message = format!(
                "`{}` takes {wanted}, and {count} {} given",
                kind.name(),
                if count == 1 { "is" } else { "are" }
            );
            let help = match most {
                0 => format!("write `| {}`", kind.name()),
                _ => format!("write the arguments behind a colon: `| {}: …`", kind.name()),
            };
            self.found.push(Diagnostic::error(code::TEMPLATE_ARGUMENTS, filter.span, message).help(help));
        }
        for (name, _) in &filter.named {
            if !kind.named().contains(&name.text.as_str()) {
                let message = format!("`{}` has no argument `{}`", kind.name(), name.text);
                let found = Diagnostic::error(code::TEMPLATE_ARGUMENTS, name.span, message);
                self.found.push(suggest(found, nearest(&name.text, kind.named().iter().copied()), name.span));
            }
        }
    }
}
