//! Steps in the words of other languages, answered with Flow's own.

use super::literal::unit_of;
use super::phrases::in_words;
use super::sends::empty;
use super::{broken, Kids, Lower, Node};
use crate::ast::*;
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;
use crate::spell;

impl Lower<'_> {
    /// Reports a statement that is written in another way, with the right one.
    fn reworded(&mut self, span: Span, message: &str, right: &str) {
        let error = SyntaxError::new(codes::WORD_SPELLING, span, message).help(format!("write `{right}`"));
        self.report(error.fix(span, right));
    }

    /// The text of a part.
    fn written(&self, span: Span) -> String {
        in_words(span.text(self.text))
    }

    // ── Waits ─────────────────────────────────────────────────────────────────────────────────

    /// `wait two hours`, `wait a day`
    pub(super) fn wait_in_words(&mut self, pair: &Node<'_>) -> Expr {
        const WORDS: [&str; 11] = ["an", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
        let span = self.span(pair);
        let written = self.written(span);
        let (count, unit) = written.rsplit_once(' ').unwrap_or(("", &written));
        let unit = unit_of(&unit.to_lowercase()).unwrap_or(Unit::Days);
        let length = match (count, unit) {
            ("half an", Unit::Hours) => DurationLit { count: 30, unit: Unit::Minutes },
            ("a" | "an", unit) => DurationLit { count: 1, unit },
            (word, unit) => {
                let count = (0_i64..).zip(WORDS).find(|(_, known)| *known == word).map_or(1, |(count, _)| count);
                DurationLit { count, unit }
            }
        };
        let right = spell::duration(length);
        let message = format!("`{written}` is written `{right}`");
        self.report(SyntaxError::new(codes::DURATION_SPELLING, span, message).fix(span, right));
        Expr { kind: ExprKind::Duration(length), span }
    }

    /// `wait between 09:00 and 18:00`
    pub(super) fn wait_between(&mut self, kids: &mut Kids<'_>) -> Option<StepKind> {
        let word = kids.take(Rule::kw_between).map(|pair| self.span(&pair))?;
        let (from, to) = (kids.take(Rule::time)?, kids.take(Rule::time)?);
        let and = kids.take(Rule::kw_and).map(|pair| self.span(&pair))?;
        let mut time = |pair: Node<'_>| {
            let span = self.span(&pair);
            Expr { kind: self.time_of_day(&pair).map_or(ExprKind::Broken, ExprKind::TimeOfDay), span }
        };
        let (from, to) = (time(from), time(to));
        let days = kids.take(Rule::days).map(|pair| self.days(pair));
        let middle = Span::new(self.file, word.end, and.start).text(self.text).trim().to_owned();
        let message = "a time of the day is waited for with `within … to …`";
        self.reworded(word.to(and), message, &format!("within {middle} to"));
        Some(StepKind::WaitWithin { from, to, days })
    }

    /// `wait up to 2d for purchased`: the bound stands behind the event.
    pub(super) fn bound_in_front(&mut self, kids: &mut Kids<'_>) -> Option<StepKind> {
        let bound = kids.take(Rule::bound_up_to)?;
        let place = self.span(&bound);
        let length = {
            let mut kids = self.kids(bound);
            self.duration(&mut kids)
        };
        let event = kids.take(Rule::event_ref)?;
        let mut end = self.span(&event);
        let event = self.event_ref(event)?;
        if let Some(filter) = kids.pairs().find(|pair| pair.as_rule() == Rule::where_part) {
            end = self.span(filter);
        }
        let filter = self.filter(kids);
        let then = self.part(kids, Rule::wait_then);
        let otherwise = self.part(kids, Rule::else_part);
        let whole = place.to(end);
        let rest = Span::new(self.file, place.end, end.end).text(self.text).trim().to_owned();
        let right = format!("{rest} {}", self.written(place));
        self.reworded(whole, "the bound of a wait stands behind the event", &right);
        Some(StepKind::WaitFor { events: vec![event], filter, bound: Some(Bound::UpTo(length)), then, otherwise })
    }

    /// `wait until next monday`: at which time?
    pub(super) fn next_day(&mut self, pair: Node<'_>) -> Until {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        let day = kids.take(Rule::days).map_or(span, |pair| self.span(&pair)).text(self.text).to_lowercase();
        self.report(
            SyntaxError::new(codes::EXPECTED, span, format!("expected a time of day behind `{day}`"))
                .help(format!("`wait until {day} 09:00` is the next one")),
        );
        Until::Expr(broken(span))
    }

    /// `wait until tomorrow 09:00`
    pub(super) fn tomorrow(&mut self, pair: Node<'_>) -> Until {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        let word = kids.take(Rule::habit_tomorrow_word).map_or("", |pair| pair.as_str()).to_owned();
        let time = self.value(&mut kids);
        let shown = time.span.text(self.text);
        let help = if word == "tonight" {
            format!("`wait until {shown}` is the next {shown}")
        } else {
            format!("`wait until {shown}` is the next {shown}; after `wait 1d` it is that of tomorrow")
        };
        self.report(
            SyntaxError::new(codes::UNEXPECTED, span, format!("`wait until` has no `{word}`: it takes a moment"))
                .help(help),
        );
        Until::Expr(broken(time.span))
    }

    /// `wait 1h and 30m`
    pub(super) fn added_durations(&mut self, value: Expr) -> Expr {
        let ExprKind::Binary(BinaryOp::And, left, right) = &value.kind else { return value };
        let (ExprKind::Duration(_), ExprKind::Duration(_)) = (&left.kind, &right.kind) else { return value };
        let span = value.span;
        let between = Span::new(self.file, left.span.end, right.span.start);
        let message = "two lengths of time are added with `+`";
        self.report(SyntaxError::new(codes::DURATION_SPELLING, between, message).fix(between, " + "));
        match value.kind {
            ExprKind::Binary(_, left, right) => Expr { kind: ExprKind::Binary(BinaryOp::Add, left, right), span },
            kind => Expr { kind, span },
        }
    }

    /// `wait 2d or purchased`: what ends the wait, and what ends it otherwise.
    pub(super) fn or_in_wait(&mut self, value: Expr) -> Expr {
        let ExprKind::Binary(BinaryOp::Or, left, right) = &value.kind else { return value };
        let length = [left, right].into_iter().find(|side| matches!(side.kind, ExprKind::Duration(_)));
        let Some(length) = length else { return value };
        if matches!(left.kind, ExprKind::Broken) || matches!(right.kind, ExprKind::Broken) {
            return broken(value.span);
        }
        let shown = length.span.text(self.text).to_owned();
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, value.span, "a wait is for one thing, and `up to` bounds it")
                .help(format!("write `wait for purchased up to {shown}`")),
        );
        broken(value.span)
    }

    /// `wait until purchased or 2d`: the condition, and its bound.
    pub(super) fn bound_by_or(&mut self, value: Expr) -> (Expr, Option<Bound>) {
        match value.kind {
            ExprKind::Binary(BinaryOp::Or, condition, length) if matches!(length.kind, ExprKind::Duration(_)) => {
                let between = Span::new(self.file, condition.span.end, length.span.start);
                self.report(
                    SyntaxError::new(codes::WORD_SPELLING, between, "a wait is bounded by `up to`")
                        .fix(between, " up to "),
                );
                (*condition, Some(Bound::UpTo(*length)))
            }
            kind => (Expr { kind, span: value.span }, None),
        }
    }

    // ── Branches and loops ────────────────────────────────────────────────────────────────────

    /// `endif`
    pub(super) fn nothing_closes(&mut self, kids: &mut Kids<'_>) {
        let Some(habit) = kids.take(Rule::habit_endif) else { return };
        let span = self.span(&habit);
        let before = self.offset(self.end_before(0, span.start as usize));
        let written = self.written(span);
        let cut = Span::new(self.file, before, span.end);
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, format!("`{written}` is not said here"))
                .help("`then` and `else` take one step, or a block in `{ }`")
                .fix(cut, ""),
        );
    }

    /// `"IT" | "ES" -> …`, `"IT" or "ES" -> …`
    pub(super) fn patterns(&mut self, kids: &mut Kids<'_>) -> Vec<Expr> {
        let mut patterns = Vec::new();
        while let Some(pair) = kids.find(|r| matches!(r, Rule::expr | Rule::habit_bar)) {
            if pair.as_rule() == Rule::habit_bar {
                self.comma_between(self.span(&pair));
            } else {
                let value = self.expr(pair);
                self.or_between_patterns(value, &mut patterns);
            }
        }
        patterns
    }

    fn or_between_patterns(&mut self, value: Expr, patterns: &mut Vec<Expr>) {
        match value.kind {
            ExprKind::Binary(BinaryOp::Or, left, right)
                if matches!(right.kind, ExprKind::Text(_) | ExprKind::Int(_) | ExprKind::Number(_)) =>
            {
                let between = Span::new(self.file, left.span.end, right.span.start);
                self.or_between_patterns(*left, patterns);
                self.comma_between(between);
                patterns.push(*right);
            }
            kind => patterns.push(Expr { kind, span: value.span }),
        }
    }

    fn comma_between(&mut self, place: Span) {
        let before = self.end_before(0, place.start as usize);
        let after = self.start_after(place.end as usize);
        let whole = Span::new(self.file, self.offset(before), self.offset(after));
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, place, "between the values of an arm stands a comma")
                .fix(whole, ", "),
        );
    }

    /// `case "IT":`, `default:`: the word and the sign, in one finding. True when there was such a word.
    pub(super) fn arm_of_switch(&mut self, kids: &mut Kids<'_>, arrow: Option<&Node<'_>>) -> bool {
        let Some(word) = kids.find(|r| matches!(r, Rule::habit_case | Rule::habit_default)) else { return false };
        let span = self.span(&word);
        let Some(arrow) = arrow.map(|pair| self.span(pair)) else {
            if word.as_rule() == Rule::habit_default {
                self.spelled(&word, "else");
            } else {
                self.needless(&word, "an arm begins with its value: `\"IT\" -> …`");
            }
            return true;
        };
        let whole = span.to(arrow);
        let right = if word.as_rule() == Rule::habit_default {
            "else ->".to_owned()
        } else {
            format!("{} ->", Span::new(self.file, span.end, arrow.start).text(self.text).trim())
        };
        let written = self.written(whole);
        let message = format!("`{written}` is written `{right}` here");
        self.report(SyntaxError::new(codes::WORD_SPELLING, whole, message).fix(whole, right));
        true
    }

    /// `repeat daily`, `repeat every day`
    pub(super) fn rounds_by_word(&mut self, kids: &mut Kids<'_>) -> Option<Expr> {
        let word = kids.find(|r| matches!(r, Rule::habit_unit | Rule::habit_daily))?;
        let span = self.span(&word);
        let unit = match word.as_str() {
            "daily" => Unit::Days,
            "weekly" => Unit::Weeks,
            "monthly" => Unit::Months,
            "hourly" => Unit::Hours,
            unit => unit_of(unit).unwrap_or(Unit::Days),
        };
        let length = DurationLit { count: 1, unit };
        let right = spell::duration(length);
        let right = if word.as_rule() == Rule::habit_daily { format!("every {right}") } else { right };
        let message = format!("`{}` is written `{right}` here", word.as_str());
        self.report(SyntaxError::new(codes::DURATION_SPELLING, span, message).fix(span, right));
        Some(Expr { kind: ExprKind::Duration(length), span })
    }

    /// `repeat every 7d 3 times`
    pub(super) fn rounds_without_up_to(&mut self, pair: Node<'_>) -> Option<(i64, Span)> {
        let span = self.span(&pair);
        let here = Span::new(self.file, span.start, span.start);
        let mut kids = self.kids(pair);
        let count = kids.take(Rule::integer)?;
        let place = self.span(&count);
        self.report(SyntaxError::new(codes::EXPECTED, span, "how often stands behind `up to`").fix(here, "up to "));
        Some((self.integer(&count), place))
    }

    /// `repeat 3x`
    pub(super) fn rounds_by_sign(&mut self, pair: &Node<'_>) -> (i64, Span) {
        let span = self.span(pair);
        let digits: String = pair.as_str().chars().take_while(char::is_ascii_digit).collect();
        self.spelled(pair, &format!("{digits} times"));
        (digits.parse().unwrap_or(i64::MAX), span)
    }

    /// `for (x in 10d, 30d) { … }`: the name, and the values.
    pub(super) fn for_in_brackets(&mut self, pair: Node<'_>, values: &mut Vec<Expr>) -> Option<Name> {
        let span = self.span(&pair);
        let inner = Span::new(self.file, span.start + 1, span.end.saturating_sub(1));
        let right = inner.text(self.text).trim().to_owned();
        self.reworded(span, "a `for` has no round brackets", &right);
        let mut kids = self.kids(pair);
        let name = self.name(&mut kids);
        while let Some(value) = kids.take(Rule::expr) {
            values.push(self.expr(value));
        }
        name
    }

    /// `for x in [10d, 30d]`
    pub(super) fn values_in_brackets(&mut self, values: Vec<Expr>) -> Vec<Expr> {
        let [Expr { kind: ExprKind::List(inner), span }] = values.as_slice() else { return values };
        let text = span.text(self.text);
        if inner.is_empty() || !text.starts_with('[') {
            return values;
        }
        let right = text.trim_start_matches('[').trim_end_matches(']').trim().to_owned();
        let (span, inner) = (*span, inner.clone());
        self.reworded(span, "the values of a `for` stand without brackets", &right);
        inner
    }

    // ── Messages and calls ────────────────────────────────────────────────────────────────────

    /// `send email welcome`, `send an sms "Hello"`
    pub(super) fn send_by_channel(&mut self, pair: Node<'_>, step: Span) -> Option<Send> {
        let start = self.span(&pair).start;
        let mut kids = self.kids(pair);
        let channel = kids.take(Rule::name).map(|pair| self.name_of(&pair))?;
        let cut = Span::new(self.file, step.start, channel.span.start);
        let _ = kids.take(Rule::habit_template);
        let content = kids.find(|r| matches!(r, Rule::plain_template | Rule::string));
        let rest = content.as_ref().map_or(channel.span, |pair| self.span(pair));
        let content = content.and_then(|pair| self.content(pair))?;
        let words = Span::new(self.file, step.start, start.max(channel.span.start)).to(channel.span);
        let message = "a message begins with its channel";
        let error = SyntaxError::new(codes::WORD_SPELLING, words, message).help(format!(
            "write `{} {}`",
            channel.text,
            rest.text(self.text)
        ));
        self.report(error.fix(cut.to(Span::new(self.file, rest.start, rest.start)), format!("{} ", channel.text)));
        Some(empty(Route::Channel(channel), content))
    }

    /// `email template welcome`, `email template "welcome"`
    pub(super) fn template_with_word(&mut self, word: Option<Span>, pair: &Node<'_>) -> Option<Content> {
        let place = self.span(pair);
        let name = place.text(self.text).trim_matches('"').to_owned();
        let word = word?;
        let written = word.text(self.text).to_owned();
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, word, format!("`{written}` is not said here"))
                .help("the template stands right behind its channel: `email welcome`")
                .fix(word.to(place), name.clone()),
        );
        Some(Content::Template(Name { text: name, span: place }))
    }

    /// `fetch recommendations(user.id)`: under which name?
    pub(super) fn fetch_without_name(&mut self, pair: Node<'_>) {
        let span = self.span(&pair);
        let call = pair.into_inner().find(|pair| pair.as_rule() == Rule::api_call);
        let call = call.and_then(|pair| self.api_call(pair)).map_or(span, |call| call.span);
        let written = self.written(call);
        self.report(
            SyntaxError::new(codes::EXPECTED, call, "expected a name for the answer in front of the api")
                .help(format!("write `fetch answer = {written}`, or `call …` where the answer does not matter")),
        );
    }

    /// `end journey`
    pub(super) fn end_of_what(&mut self, kids: &mut Kids<'_>) {
        if let Some(habit) = kids.take(Rule::habit_end_what) {
            let start = self.span(&habit).start as usize;
            let place = self.token_span(start);
            let before = self.offset(self.end_before(0, start));
            let cut = Span::new(self.file, before, place.end);
            self.report(
                SyntaxError::new(codes::WORD_SPELLING, place, "`end` stands alone: it leaves the journey").fix(cut, ""),
            );
        }
    }
}
