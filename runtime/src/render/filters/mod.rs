//! What the filters mean. Each is total: a value of a kind that it does not know is taken as the nearest one that it
//! does, as Shopify's do.

mod encode;
mod json;
mod lists;
mod numbers;
mod texts;

use super::compare;
use super::data::Data;
use super::moment;
use super::run::Run;
use super::{Limit, RenderError};
use flow_grammar::liquid::filters::FilterKind;
use flow_grammar::span::Span;
pub(super) use numbers::whole;

/// The arguments of one use of a filter.
pub(super) struct Call<'a> {
    pub first: Option<Data<'a>>,
    pub second: Option<Data<'a>>,
    pub allow_false: bool,
    pub span: Span,
}

/// Why a filter gave up: a bound.
type Outcome<'a> = Result<Data<'a>, RenderError>;

/// The value after a filter.
pub(super) fn apply<'a>(run: &mut Run<'a>, kind: FilterKind, input: Data<'a>, call: Call<'a>) -> Outcome<'a> {
    use FilterKind as F;
    match kind {
        F::Raw => Ok(input),
        F::Default => Ok(or_default(input, call)),
        F::Date => date(run, input, &call),
        F::Json => {
            let mut out = String::new();
            json::push(&mut out, &input, run.context.zone);
            run.charge(out.len(), call.span)?;
            run.check_text(out.len(), call.span)?;
            Ok(Data::made(&out, false))
        }
        F::Size => Ok(match &input {
            Data::Text(_) | Data::List(_) | Data::Range(..) | Data::Object(_) | Data::Record(_) => match input.size() {
                Some(size) => super::data::int(size),
                None => input.field("size"),
            },
            _ => Data::Int(0),
        }),
        F::Abs
        | F::AtLeast
        | F::AtMost
        | F::Ceil
        | F::DividedBy
        | F::Fixed
        | F::Floor
        | F::Minus
        | F::Modulo
        | F::Plus
        | F::Round
        | F::Times => Ok(numbers::apply(run, kind, &input, &call)),
        F::Compact
        | F::Concat
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
        | F::Where => lists::apply(run, kind, input, call),
        F::Slice if matches!(input, Data::List(_)) => lists::slice(run, &input, &call),
        _ => texts::apply(run, kind, &input, &call),
    }
}

/// Whether [`push`] knows the filter.
pub(super) fn goes_straight(kind: FilterKind) -> bool {
    use FilterKind as F;
    matches!(
        kind,
        F::Append
            | F::Prepend
            | F::Upcase
            | F::Downcase
            | F::Capitalize
            | F::Escape
            | F::Strip
            | F::Lstrip
            | F::Rstrip
            | F::Truncate
            | F::Fixed
    )
}

/// Appends what a filter makes, as [`apply`] would, and says whether it is markup.
pub(super) fn push<'a>(
    run: &mut Run<'a>,
    out: &mut String,
    kind: FilterKind,
    input: &Data<'a>,
    call: &Call<'a>,
) -> Result<bool, RenderError> {
    if kind == FilterKind::Fixed {
        numbers::push_fixed(out, input, call, run.context.locale);
        return Ok(false);
    }
    texts::push(run, out, kind, input, call)
}

fn or_default<'a>(input: Data<'a>, call: Call<'a>) -> Data<'a> {
    let absent = match &input {
        Data::Nil => true,
        Data::Bool(false) => !call.allow_false,
        other => other.is_empty(),
    };
    if absent {
        call.first.unwrap_or_else(|| Data::text(""))
    } else {
        input
    }
}

fn date<'a>(run: &mut Run<'a>, input: Data<'a>, call: &Call<'a>) -> Outcome<'a> {
    let format = compare::text_of(call.first.as_ref().unwrap_or(&Data::Nil), run.context.zone).into_owned();
    if format.is_empty() {
        return Ok(input);
    }
    let Some(moment) = moment::of(&input, run.context) else { return Ok(input) };
    run.charge(format.len(), call.span)?;
    let Some(text) = super::strftime::format(&moment, &format, run.context.locale) else {
        return Err(RenderError { kind: Limit::Text, span: call.span, path: run.path() });
    };
    run.check_text(text.len(), call.span)?;
    Ok(Data::made(&text, false))
}
