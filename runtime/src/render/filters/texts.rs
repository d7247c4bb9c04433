//! Filters over texts. They count characters (Unicode scalar values), never bytes.
//!
//! What `capture` made, where values are escaped, is markup and stays so; what is put into it is escaped on the way.

use super::super::compare;
use super::super::data::Data;
use super::super::markup::{escaped_once, push_escaped, strip_html};
use super::super::run::Run;
use super::{encode, numbers, Call, Outcome};
use flow_grammar::liquid::filters::FilterKind;
use std::borrow::Cow;

/// `truncate` without a length.
const TRUNCATED_LENGTH: i64 = 50;
/// `truncatewords` without a number.
const TRUNCATED_WORDS: i64 = 15;

pub(super) fn apply<'a>(run: &mut Run<'a>, kind: FilterKind, input: &Data<'a>, call: &Call<'a>) -> Outcome<'a> {
    use FilterKind as F;
    let zone = run.context.zone;
    let text = compare::text_of(input, zone);
    let text = text.as_ref();
    let markup = matches!(input, Data::Text(text) if text.markup);
    run.charge(text.len().saturating_add(1), call.span)?;
    let first = argument(call.first.as_ref(), markup, zone);
    let second = argument(call.second.as_ref(), markup, zone);
    let is_nil = matches!(input, Data::Nil);
    let made = match kind {
        F::Truncate | F::Truncatewords | F::UrlEncode | F::UrlDecode | F::Escape if is_nil => return Ok(Data::Nil),
        F::Append => format!("{text}{first}"),
        F::Prepend => format!("{first}{text}"),
        F::Upcase => text.to_uppercase(),
        F::Downcase => text.to_lowercase(),
        F::Capitalize => capitalize(text),
        F::Strip => text.trim().to_owned(),
        F::Lstrip => text.trim_start().to_owned(),
        F::Rstrip => text.trim_end().to_owned(),
        F::StripHtml => strip_html(text),
        F::StripNewlines => text.replace("\r\n", "").replace('\n', ""),
        F::NewlineToBr => {
            let escaped = run.escape && !markup;
            let text = if escaped { escape(text) } else { text.to_owned() };
            return finish(run, &text.replace("\r\n", "\n").replace('\n', "<br />\n"), run.escape, call);
        }
        F::Escape => return finish(run, &escape(text), run.escape, call),
        F::EscapeOnce => return finish(run, &escaped_once(text), run.escape, call),
        F::Remove => replace(run, text, &first, "", call)?,
        F::Replace => replace(run, text, &first, &second, call)?,
        F::RemoveFirst => text.replacen(first.as_ref(), "", 1),
        F::ReplaceFirst => text.replacen(first.as_ref(), &second, 1),
        F::RemoveLast => replace_last(text, &first, ""),
        F::ReplaceLast => replace_last(text, &first, &second),
        F::Slice => slice(text, call),
        F::Split => return split(run, text, &first, markup, call),
        F::Truncate => {
            let length = call.first.as_ref().map_or(TRUNCATED_LENGTH, numbers::whole);
            truncate(text, length, ending(call, &second))
        }
        F::Truncatewords => {
            let words = call.first.as_ref().map_or(TRUNCATED_WORDS, numbers::whole);
            truncate_words(text, words, ending(call, &second))
        }
        F::UrlEncode => return finish(run, &encode::url(text), false, call),
        F::UrlDecode => return finish(run, &encode::from_url(text), false, call),
        F::Base64Encode => return finish(run, &encode::base64(text, false), false, call),
        F::Base64UrlSafeEncode => return finish(run, &encode::base64(text, true), false, call),
        F::Base64Decode | F::Base64UrlSafeDecode => {
            return finish(run, &encode::from_base64(text).unwrap_or_default(), false, call)
        }
        _ => return Ok(input.clone()),
    };
    finish(run, &made, markup, call)
}

/// The filters that write straight into the message; the same as above, without a text in between.
pub(super) fn push<'a>(
    run: &mut Run<'a>,
    out: &mut String,
    kind: FilterKind,
    input: &Data<'a>,
    call: &Call<'a>,
) -> Result<bool, super::RenderError> {
    use FilterKind as F;
    if matches!(input, Data::Nil) && matches!(kind, F::Truncate | F::Escape) {
        return Ok(false);
    }
    let zone = run.context.zone;
    let text = compare::text_of(input, zone);
    let text = text.as_ref();
    let markup = matches!(input, Data::Text(text) if text.markup);
    let start = out.len();
    match kind {
        F::Append => {
            out.push_str(text);
            out.push_str(&argument(call.first.as_ref(), markup, zone));
        }
        F::Prepend => {
            out.push_str(&argument(call.first.as_ref(), markup, zone));
            out.push_str(text);
        }
        F::Upcase => out.extend(text.chars().flat_map(char::to_uppercase)),
        F::Downcase => push_lower(out, text),
        F::Capitalize => {
            let mut letters = text.chars();
            out.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            push_lower(out, letters.as_str());
        }
        F::Strip => out.push_str(text.trim()),
        F::Lstrip => out.push_str(text.trim_start()),
        F::Rstrip => out.push_str(text.trim_end()),
        F::Escape => push_escaped(out, text),
        F::Truncate => {
            let length = call.first.as_ref().map_or(TRUNCATED_LENGTH, numbers::whole);
            let second = argument(call.second.as_ref(), markup, zone);
            push_truncated(out, text, length, ending(call, &second));
        }
        _ => out.push_str(text),
    }
    run.charge(text.len().saturating_add(1).saturating_add(out.len() - start), call.span)?;
    run.check_text(out.len() - start, call.span)?;
    Ok(if kind == F::Escape { run.escape } else { markup })
}

/// Lower case; the end of a Greek word needs to see the whole of it.
fn push_lower(out: &mut String, text: &str) {
    if text.is_ascii() {
        out.extend(text.chars().map(|c| c.to_ascii_lowercase()));
    } else {
        out.push_str(&text.to_lowercase());
    }
}

fn finish<'a>(run: &mut Run<'a>, text: &str, markup: bool, call: &Call<'a>) -> Outcome<'a> {
    run.charge(text.len(), call.span)?;
    run.check_text(text.len(), call.span)?;
    Ok(Data::made(text, markup))
}

/// An argument as a text; what is put into markup is escaped.
fn argument<'d>(data: Option<&'d Data<'_>>, markup: bool, zone: &jiff::tz::TimeZone) -> Cow<'d, str> {
    let Some(data) = data else { return Cow::Borrowed("") };
    let text = compare::text_of(data, zone);
    if markup && !matches!(data, Data::Text(text) if text.markup) {
        Cow::Owned(escape(&text))
    } else {
        text
    }
}

fn ending<'e>(call: &Call<'_>, second: &'e str) -> &'e str {
    if call.second.is_some() {
        second
    } else {
        "..."
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(&mut out, text);
    out
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    first.to_uppercase().chain(letters.as_str().to_lowercase().chars()).collect()
}

fn replace(run: &mut Run<'_>, text: &str, from: &str, to: &str, call: &Call<'_>) -> Result<String, super::RenderError> {
    // What it would become is known before it is made.
    let grown = text.matches(from).count().saturating_mul(to.len()).saturating_add(text.len());
    run.check_text(grown, call.span)?;
    Ok(text.replace(from, to))
}

fn replace_last(text: &str, from: &str, to: &str) -> String {
    match text.rfind(from) {
        Some(at) => {
            let (before, rest) = text.split_at(at);
            format!("{before}{to}{}", rest.get(from.len()..).unwrap_or_default())
        }
        None => text.to_owned(),
    }
}

/// The beginning and length of a slice of something of this size; none: it lies outside.
pub(super) fn slice_bounds(call: &Call<'_>, size: usize) -> Option<(usize, usize)> {
    let offset = call.first.as_ref().map_or(0, numbers::whole);
    let length = call.second.as_ref().map_or(1, numbers::whole);
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let from = if offset < 0 { offset.saturating_add(size) } else { offset };
    if from < 0 || from > size || length < 0 {
        return None;
    }
    Some((usize::try_from(from).ok()?, usize::try_from(length).ok()?))
}

fn slice(text: &str, call: &Call<'_>) -> String {
    match slice_bounds(call, text.chars().count()) {
        Some((from, length)) => text.chars().skip(from).take(length).collect(),
        None => String::new(),
    }
}

fn split<'a>(run: &mut Run<'a>, text: &str, by: &str, markup: bool, call: &Call<'a>) -> Outcome<'a> {
    let mut parts: Vec<Data<'a>> = if by == " " {
        text.split_whitespace().map(|part| Data::made(part, markup)).collect()
    } else if by.is_empty() {
        text.chars().map(|part| Data::made(part.encode_utf8(&mut [0; 4]), markup)).collect()
    } else {
        text.split(by).map(|part| Data::made(part, markup)).collect()
    };
    while parts.last().is_some_and(Data::is_empty) {
        parts.pop();
    }
    run.check_list(parts.len(), call.span)?;
    Ok(Data::list(parts))
}

fn truncate(text: &str, length: i64, ending: &str) -> String {
    let mut out = String::new();
    push_truncated(&mut out, text, length, ending);
    out
}

fn push_truncated(out: &mut String, text: &str, length: i64, ending: &str) {
    let length = usize::try_from(length).unwrap_or(0);
    if text.chars().count() <= length {
        out.push_str(text);
        return;
    }
    let kept = length.saturating_sub(ending.chars().count());
    out.extend(text.chars().take(kept).chain(ending.chars()));
}

fn truncate_words(text: &str, words: i64, ending: &str) -> String {
    let words = usize::try_from(words).unwrap_or(0).max(1);
    if text.split_whitespace().nth(words).is_none() {
        return text.to_owned();
    }
    let kept: Vec<&str> = text.split_whitespace().take(words).collect();
    format!("{}{ending}", kept.join(" "))
}
