//! Parsing a file again after a change: of a journey or test alone, where the change is inside of its braces.
//!
//! The first look (`scan`) goes through the whole text again: it takes a hundredth of the time. When it leaves the text
//! outside of one item as it was, the grammar need not see it: an item in braces ends with its `}`, whatever follows,
//! and what stands before it has not changed either. The items behind it move. Where that is not sure, all is parsed.

use super::{sorted, with_stack, Lower, Parse};
use crate::ast::{File, Item};
use crate::error::SyntaxError;
use crate::moved::Move;
use crate::parser::{FlowParser, Rule};
use crate::scan::{scan, Scan};
use crate::span::{FileId, Span};
use pest::Parser;

/// What parsing a file leaves for the next time.
pub struct Memo {
    scan: Scan,
    /// What was reported after the first look: of the file, then of each item.
    errors: Vec<Vec<SyntaxError>>,
    /// Whether every body was closed: one that is not has to do with what follows.
    closed: bool,
    /// The number of the item that alone was parsed again, if that was so.
    alone: Option<usize>,
}

impl Memo {
    /// The number of the only item that the last parse looked at; none: at all of them.
    #[must_use]
    pub fn alone(&self) -> Option<usize> {
        self.alone
    }
}

/// Parses a file, and keeps what makes the next time shorter.
#[must_use]
pub fn parse_first(file: FileId, source: &str) -> (Parse, Memo) {
    with_stack(|| whole(file, scan(file, source)))
}

/// Parses a file that was parsed before with another text, which gave the tree `before`. The same as [`super::parse`].
#[must_use]
pub fn parse_again(before: File, memo: Memo, source: &str) -> (Parse, Memo) {
    let file = before.id;
    with_stack(|| {
        let scan = scan(file, source);
        let place = Place::of(&before, &memo, &scan);
        match place.and_then(|place| Some((part(file, &place, &memo, &scan)?, place))) {
            Some((part, place)) => {
                let again = put_together(before, memo, scan, part, &place);
                debug_assert_eq!(
                    again.0,
                    super::parse(file, source),
                    "a part was parsed in another way than the whole"
                );
                again
            }
            None => whole(file, scan),
        }
    })
}

fn whole(file: FileId, scan: Scan) -> (Parse, Memo) {
    let (items, errors, closed) = {
        let mut lower = Lower::new(file, &scan);
        let items = lower.whole();
        let closed = lower.unclosed == 0 && lower.unclosed_at.is_empty();
        let mut rest = lower.errors;
        let mut errors: Vec<Vec<SyntaxError>> =
            lower.reported_before.iter().rev().map(|before| rest.split_off((*before).min(rest.len()))).collect();
        errors.push(rest);
        errors.reverse();
        (items, errors, closed)
    };
    together(file, items, Memo { scan, errors, closed, alone: None })
}

fn together(file: FileId, items: Vec<Item>, memo: Memo) -> (Parse, Memo) {
    let errors = sorted(memo.scan.errors.clone(), memo.errors.iter().flatten().cloned().collect());
    (Parse { file: File { id: file, items }, errors }, memo)
}

/// How many bytes the beginnings of two texts have in common, and how many their ends, none counted twice.
#[must_use]
pub fn in_common(old: &str, new: &str) -> (usize, usize) {
    let same = |(a, b): &(u8, u8)| a == b;
    let start = old.bytes().zip(new.bytes()).take_while(same).count();
    let rest = old.len().min(new.len()) - start;
    let end = old.bytes().rev().zip(new.bytes().rev()).take(rest).take_while(same).count();
    (start, end)
}

/// The item that a change is inside of.
struct Place {
    /// Its number.
    number: usize,
    rule: Rule,
    /// Where it stood.
    old: Span,
    /// Where the brace that opens its body stands.
    body: u32,
    /// Where it stands.
    new: Span,
}

/// An item that was parsed by itself, and what was reported in it.
struct Part {
    item: Item,
    errors: Vec<SyntaxError>,
}

impl Place {
    fn of(before: &File, memo: &Memo, scan: &Scan) -> Option<Self> {
        let (old, new) = (&memo.scan.text, &scan.text);
        let known = memo.errors.len() == before.items.len() + 1;
        if !memo.closed || !known || new.is_empty() || memo.scan.blanked.len() + scan.blanked.len() > 0 {
            return None;
        }
        let (start, end) = in_common(old, new);
        let (from, to) = (u32::try_from(start).ok()?, u32::try_from(old.len() - end).ok()?);
        let inside = |item: &Item| item.span().start < from && to < item.span().end;
        let number = before.items.iter().position(inside)?;
        let item = before.items.get(number)?;
        let span = item.span();
        let (rule, head) = match item {
            Item::Journey(journey) => {
                let name = journey.name.as_ref()?.span.end;
                (Rule::journey, journey.title.as_ref().map_or(name, |title| title.span.end))
            }
            Item::Test(test) => (Rule::test, test.journey.as_ref().map_or(test.name.span.end, |name| name.span.end)),
            _ => return None,
        };
        // Behind the brace that opens the body.
        let body = head + u32::try_from(old.get(head as usize..)?.find('{')?).ok()?;
        if from <= body {
            return None;
        }
        let by = i64::try_from(new.len()).ok()? - i64::try_from(old.len()).ok()?;
        let after = Span { end: u32::try_from(i64::from(span.end) + by).ok()?, ..span };
        let place = Self { number, rule, old: span, body, new: after };
        place.comments_are_the_same(&memo.scan, scan).then_some(place)
    }

    /// Whether comments outside of the item stand where they stood.
    fn comments_are_the_same(&self, old: &Scan, new: &Scan) -> bool {
        let by = i64::from(self.new.end) - i64::from(self.old.end);
        let outside = |scan: &Scan, item: Span, by: i64| -> Vec<(i64, i64)> {
            let comments = scan.comments.iter().filter(move |(from, to)| *to <= item.start || *from >= item.end);
            let moved = |at: u32| if at >= item.end { i64::from(at) + by } else { i64::from(at) };
            comments.map(|(from, to)| (moved(*from), moved(*to))).collect()
        };
        outside(old, self.old, by) == outside(new, self.new, 0)
    }
}

/// Parses the item alone; none: it does not end where it should.
fn part(file: FileId, place: &Place, memo: &Memo, scan: &Scan) -> Option<Part> {
    let into = |span: Span| span.start < place.old.end && place.old.start < span.end;
    let elsewhere = memo.errors.iter().enumerate().filter(|(number, _)| *number != place.number + 1);
    // What was found elsewhere and points into the item cannot stay as it is.
    let points_into = |error: &SyntaxError| {
        let at_head = error.span.end <= place.body;
        (into(error.span) && !at_head)
            || error.labels.iter().any(|label| into(label.0))
            || error.fix.as_ref().is_some_and(|fix| into(fix.span))
    };
    if elsewhere.flat_map(|(_, errors)| errors).any(points_into) {
        return None;
    }
    let text = scan.text.get(place.new.start as usize..place.new.end as usize).filter(|text| text.ends_with('}'))?;
    let pair = FlowParser::parse(place.rule, text).ok()?.next()?;
    if pair.as_span().end() != text.len() {
        return None;
    }
    let mut lower = Lower::new(file, scan);
    lower.base = place.new.start as usize;
    let item = lower.item(pair);
    let closed = lower.unclosed == 0 && lower.unclosed_at.is_empty();
    (closed && !matches!(item, Item::Broken(_))).then(|| Part { item, errors: lower.finish() })
}

fn put_together(before: File, memo: Memo, scan: Scan, part: Part, place: &Place) -> (Parse, Memo) {
    let by = i64::from(place.new.end) - i64::from(place.old.end);
    let Memo { mut errors, closed, .. } = memo;
    let later = |span: &mut Span| {
        if span.start >= place.old.end {
            span.go(by);
        }
    };
    for error in errors.iter_mut().flatten() {
        later(&mut error.span);
        error.labels.iter_mut().for_each(|label| later(&mut label.0));
        if let Some(fix) = &mut error.fix {
            later(&mut fix.span);
        }
    }
    if let Some(errors) = errors.get_mut(place.number + 1) {
        *errors = part.errors;
    }
    let mut items = before.items;
    for item in items.iter_mut().skip(place.number + 1) {
        item.go(by);
    }
    if let Some(item) = items.get_mut(place.number) {
        *item = part.item;
    }
    together(before.id, items, Memo { scan, errors, closed, alone: Some(place.number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of the item that is parsed alone after a change.
    fn alone(old: &str, new: &str) -> Option<usize> {
        let (parsed, memo) = parse_first(FileId(0), old);
        let scan = scan(FileId(0), new);
        let place = Place::of(&parsed.file, &memo, &scan)?;
        part(FileId(0), &place, &memo, &scan)?;
        assert_eq!(parse_again(parsed.file, memo, new).0, crate::lower::parse(FileId(0), new));
        Some(place.number)
    }

    #[test]
    fn what_stands_in_braces_is_parsed_alone() {
        let file = |steps: &str| {
            format!(
                "event a\njourney j {{ on a  {steps} }}\n# so\njourney k {{ on a }}\ntest \"t\" {{ expect nothing }}\n"
            )
        };
        assert_eq!(alone(&file("wait 2h"), &file("wait 12h")), Some(1));
        assert_eq!(alone(&file("wait 2h"), &file("wait 2h if")), Some(1));
        assert_eq!(alone(&file("wait 2h if"), &file("wait 2h if user.x then end")), Some(1));
        assert_eq!(alone(&file("wait 2h"), &file("wait 2h # why\n")), Some(1));
        // What upsets others is parsed with them.
        assert_eq!(alone(&file("wait 2h"), &file("wait 2h {")), None);
        assert_eq!(alone(&file("wait 2h"), &file("wait 2h }")), None);
        assert_eq!(alone(&file("wait 2h"), &file("wait 2h # }")), None);
        assert_eq!(alone(&file("wait 2h {"), &file("wait 2h")), None);
        assert_eq!(alone(&file("wait 2h"), &file("wait 2h } journey l { on a")), None);
        assert_eq!(alone("on a\nwait 2h\n", "on a\nwait 12h\n"), None);
    }
}
