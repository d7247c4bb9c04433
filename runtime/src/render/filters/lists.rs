//! Filters over lists. A value that is no list is a list of one, a missing one a list of none; lists in lists are
//! laid flat.

use super::super::compare;
use super::super::data::{int, Data};
use super::super::markup::push_escaped;
use super::super::run::Run;
use super::{numbers, texts, Call, Outcome, RenderError};
use flow_grammar::liquid::filters::FilterKind;
use std::collections::BTreeSet;

pub(super) fn apply<'a>(run: &mut Run<'a>, kind: FilterKind, input: Data<'a>, call: Call<'a>) -> Outcome<'a> {
    use FilterKind as F;
    let zone = run.context.zone;
    match kind {
        F::First => return Ok(if matches!(input, Data::Text(_)) { Data::Nil } else { input.field("first") }),
        F::Last => return Ok(if input.has_names() { Data::Nil } else { input.at(-1) }),
        _ => {}
    }
    let mut values = flat(run, &input, &call)?;
    let property = call.first.as_ref().filter(|first| !matches!(first, Data::Nil));
    let property = property.map(|first| compare::text_of(first, zone).into_owned());
    let of = |value: &Data<'a>| match &property {
        Some(name) => value.field(name),
        None => value.clone(),
    };
    let fits = |value: &Data<'a>| match &call.second {
        None | Some(Data::Nil) => of(value).is_truthy(),
        Some(wanted) => compare::equals(&of(value), wanted, zone),
    };
    Ok(match kind {
        F::Compact => {
            values.retain(|value| !matches!(of(value), Data::Nil));
            Data::list(values)
        }
        F::Concat => {
            let more = match &call.first {
                Some(more @ (Data::List(_) | Data::Range(..))) => flat(run, more, &call)?,
                _ => Vec::new(),
            };
            values.extend(more);
            run.check_list(values.len(), call.span)?;
            Data::list(values)
        }
        F::Where => {
            values.retain(fits);
            Data::list(values)
        }
        F::Reject => {
            values.retain(|value| !fits(value));
            Data::list(values)
        }
        F::Find => values.into_iter().find(fits).unwrap_or_default(),
        F::FindIndex => values.iter().position(fits).map_or(Data::Nil, int),
        F::Has => Data::Bool(values.iter().any(fits)),
        F::Join => {
            let glue = call.first.as_ref().map_or(" ".into(), |glue| compare::text_of(glue, zone));
            join(run, &values, &glue, &call)?
        }
        F::Map => Data::list(values.iter().map(of).collect()),
        F::Reverse => {
            values.reverse();
            Data::list(values)
        }
        F::Sort => {
            let mut keyed: Vec<_> = values.into_iter().map(|value| (of(&value), value)).collect();
            keyed.sort_by(|a, b| compare::total(&a.0, &b.0, zone));
            Data::list(keyed.into_iter().map(|(_, value)| value).collect())
        }
        F::SortNatural => {
            let key = |value: &Data<'a>| match of(value) {
                Data::Nil => (true, String::new()),
                other => (false, compare::text_of(&other, zone).to_lowercase()),
            };
            values.sort_by_cached_key(key);
            Data::list(values)
        }
        F::Sum => numbers::sum(values.iter().map(of)),
        F::Uniq => {
            let mut seen = BTreeSet::new();
            values.retain(|value| seen.insert(numbers::key(&of(value), zone)));
            Data::list(values)
        }
        _ => Data::list(values),
    })
}

/// The part of a list.
pub(super) fn slice<'a>(run: &mut Run<'a>, input: &Data<'a>, call: &Call<'a>) -> Outcome<'a> {
    let values = flat(run, input, call)?;
    Ok(Data::list(match texts::slice_bounds(call, values.len()) {
        Some((from, length)) => values.into_iter().skip(from).take(length).collect(),
        None => Vec::new(),
    }))
}

fn join<'a>(run: &mut Run<'a>, values: &[Data<'a>], glue: &str, call: &Call<'a>) -> Outcome<'a> {
    let is_markup = |value: &Data<'a>| matches!(value, Data::Text(text) if text.markup);
    // Where one part is markup the whole is; what is none is escaped on the way in.
    let markup = values.iter().any(is_markup);
    let mut out = String::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            if markup && !call.first.as_ref().is_some_and(is_markup) {
                push_escaped(&mut out, glue);
            } else {
                out.push_str(glue);
            }
        }
        if markup && !is_markup(value) {
            push_escaped(&mut out, &compare::text_of(value, run.context.zone));
        } else {
            compare::push(&mut out, value, run.context.zone);
        }
        run.check_text(out.len(), call.span)?;
    }
    run.charge(out.len(), call.span)?;
    Ok(Data::made(&out, markup))
}

/// The elements of a value, lists in it laid flat.
fn flat<'a>(run: &mut Run<'a>, input: &Data<'a>, call: &Call<'a>) -> Result<Vec<Data<'a>>, RenderError> {
    let mut values = Vec::new();
    let mut open = vec![input.clone()];
    while let Some(value) = open.pop() {
        match &value {
            Data::List(_) | Data::Range(..) => {
                let size = value.size().unwrap_or(0);
                run.check_list(size.saturating_add(values.len()).saturating_add(open.len()), call.span)?;
                for at in (0..size).rev() {
                    open.push(value.at(i64::try_from(at).unwrap_or(i64::MAX)));
                }
            }
            Data::Nil if values.is_empty() && open.is_empty() && matches!(input, Data::Nil) => {}
            _ => values.push(value),
        }
        run.check_list(values.len(), call.span)?;
    }
    // Each element is a handful of bytes of work.
    run.charge(values.len().saturating_mul(16), call.span)?;
    Ok(values)
}
