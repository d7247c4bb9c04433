//! Words that people bring from other languages, answered with Flow's own.

use super::literal::unit_of;
use super::{broken, Kids, Lower, Node};
use crate::ast::*;
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;
use crate::spell;

impl Lower<'_> {
    /// Reports a word that is spelled in another way here.
    pub fn spelled(&mut self, pair: &Node<'_>, right: &str) {
        let span = self.span(pair);
        let written = span.text(self.text).split_whitespace().collect::<Vec<_>>().join(" ");
        let message = format!("`{written}` is written `{right}` here");
        self.report(SyntaxError::new(codes::WORD_SPELLING, span, message).fix(span, right));
    }

    // ── Clauses ───────────────────────────────────────────────────────────────────────────────

    /// `when cart_added`
    pub fn when_for_on(&mut self, kids: &mut Kids<'_>) {
        let Some(habit) = kids.take(Rule::habit_when) else { return };
        if self.among_steps {
            let span = self.span(&habit);
            self.reported_clauses.insert(span.start);
            self.step_when(span);
        } else {
            self.spelled(&habit, "on");
        }
    }

    /// `when user.vip then …` as a step.
    pub fn step_when(&mut self, span: Span) {
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, "no step begins with `when`")
                .help("`if COND then …` asks once; `wait until COND up to 2d then …` waits for it"),
        );
    }

    /// `on cart_added then …`
    pub fn then_behind_trigger(&mut self, kids: &mut Kids<'_>) {
        let Some(habit) = kids.take(Rule::habit_then) else { return };
        if self.among_steps {
            return;
        }
        let span = self.span(&habit);
        let next = self.offset(self.start_after(span.end as usize));
        let same_line = !Span::new(self.file, span.end, next).text(self.text).contains('\n');
        let cut = Span::new(self.file, span.start, if same_line { next } else { span.end });
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, "the steps stand right behind the trigger")
                .help("remove the `then`")
                .fix(cut, ""),
        );
    }

    /// `on change user.a, user.b`
    pub fn change_again(&mut self, kids: &mut Kids<'_>, span: Span) -> Option<TriggerKind> {
        let here = Span::new(self.file, span.start, span.start);
        let attribute = self.dotted(kids);
        let changes = kids.take(Rule::habit_changes).map(|pair| self.span(&pair));
        let filter = self.filter(kids);
        let attribute = attribute?;
        let whole = Span::new(self.file, span.start, attribute.span.end);
        if let Some(changes) = changes {
            let right = format!("change user.{}", attribute.text);
            let whole = whole.to(changes);
            self.report(
                SyntaxError::new(codes::WORD_SPELLING, whole, "`change` stands in front of the attribute")
                    .help(format!("write `{right}`"))
                    .fix(whole, right),
            );
            return Some(TriggerKind::Change { attribute, filter });
        }
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, whole, "`change` stands in front of each attribute")
                .help(format!("write `change user.{}`", attribute.text))
                .fix(here, "change "),
        );
        Some(TriggerKind::Change { attribute, filter })
    }

    /// `Monday`, `mon`, `weekday`: the word that is meant.
    pub fn day_spelled(&mut self, pair: &Node<'_>) -> &'static str {
        const DAYS: [&str; 10] = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
            "weekdays",
            "weekends",
            "day",
        ];
        let written = pair.as_str().to_lowercase();
        let beginning = match written.as_str() {
            word if word.starts_with("weekd") || word.starts_with("work") => "weekd",
            word if word.starts_with("weeke") => "weeke",
            "days" => "day",
            word => word.get(..3).unwrap_or(word),
        };
        let right = DAYS.iter().find(|day| day.starts_with(beginning)).copied().unwrap_or("day");
        self.spelled(pair, right);
        right
    }

    // ── Policies ──────────────────────────────────────────────────────────────────────────────

    /// `3`, `three`, `once`
    pub fn counted(&mut self, pair: &Node<'_>) -> i64 {
        const WORDS: [&str; 10] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
        match pair.as_rule() {
            Rule::habit_times => {
                let (count, right) = if pair.as_str() == "once" { (1, "1 message") } else { (2, "2 messages") };
                self.spelled(pair, right);
                count
            }
            Rule::habit_count => {
                let count = (1_i64..).zip(WORDS).find(|(_, word)| *word == pair.as_str()).map_or(1, |(count, _)| count);
                self.spelled(pair, &count.to_string());
                count
            }
            _ => self.integer(pair),
        }
    }

    /// The length of a cap: `per 7d`, `a day`.
    pub fn cap_window(&mut self, kids: &mut Kids<'_>) -> Expr {
        let per = kids.take(Rule::habit_per);
        let Some(unit) = kids.take(Rule::habit_unit) else {
            if let Some(per) = per {
                self.spelled(&per, "per");
            }
            return self.duration(kids);
        };
        let per = per.map(|pair| self.span(&pair));
        let place = self.span(&unit);
        let length = DurationLit { count: 1, unit: unit_of(unit.as_str()).unwrap_or(Unit::Days) };
        let from = per.unwrap_or(place);
        let right = spell::duration(length);
        let right = if per.is_some() { format!("per {right}") } else { right };
        self.unit_alone(from.to(place), right);
        Expr { kind: ExprKind::Duration(length), span: place }
    }

    pub(super) fn unit_alone(&mut self, span: Span, right: String) {
        let written = span.text(self.text).to_owned();
        let message = format!("`{written}` is written `{right}`");
        self.report(SyntaxError::new(codes::DURATION_SPELLING, span, message).fix(span, right));
    }

    // ── Windows ───────────────────────────────────────────────────────────────────────────────

    /// `in the last 7d`, `in 7d`, `in last week`: the length that is meant.
    pub fn habit_window(&mut self, pair: Node<'_>) -> Expr {
        let span = self.span(&pair);
        let negated = pair.clone().into_inner().any(|p| p.as_rule() == Rule::kw_not);
        let mut kids = self.kids(pair);
        let units = [Rule::habit_unit, Rule::duration, Rule::compound_duration];
        let Some(length) = kids.find(|r| units.contains(&r)) else { return broken(span) };
        let place = self.span(&length);
        let unit = length.as_rule() == Rule::habit_unit;
        let value = match length.as_rule() {
            Rule::habit_unit => {
                let one = DurationLit { count: 1, unit: unit_of(length.as_str()).unwrap_or(Unit::Days) };
                Expr { kind: ExprKind::Duration(one), span: place }
            }
            Rule::duration => self.duration_lit(&length),
            _ => self.compound_duration(&length),
        };
        let shown = match &value.kind {
            ExprKind::Duration(length) if unit => spell::duration(*length),
            _ => place.text(self.text).to_owned(),
        };
        // A length that is spelled in another way is mended by itself.
        let end = if unit { place.end } else { place.start };
        let words = if negated { "not in last" } else { "in last" };
        let tail = if unit { shown.clone() } else { String::new() };
        let wrong = Span::new(self.file, span.start, end);
        let message = format!("a window is written `{words} {shown}`");
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, message)
                .help("it begins right behind the name of the event")
                .fix(wrong, format!("{words} {tail}")),
        );
        value
    }

    /// A value that may have `within 7d` behind it, where `in last 7d` is meant.
    pub fn windowed_value(&mut self, kids: &mut Kids<'_>) -> Expr {
        let value = self.value(kids);
        let Some(late) = kids.take(Rule::late_window) else { return value };
        let mut pairs = late.into_inner();
        let mut length = None;
        let mut rest = None;
        let mut place = None;
        for pair in pairs.by_ref() {
            match pair.as_rule() {
                Rule::kw_within => place = Some(self.span(&pair)),
                Rule::window_words => place = place.map(|place: Span| place.to(self.span(&pair))),
                Rule::duration => length = Some(self.duration_lit(&pair)),
                Rule::compound_duration => length = Some(self.compound_duration(&pair)),
                Rule::late_rest => rest = Some(self.span(&pair)),
                _ => {}
            }
        }
        let (Some(place), Some(length)) = (place, length) else { return value };
        let shown = length.span.text(self.text).to_owned();
        let whole = place.to(length.span);
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, whole, format!("a window is written `in last {shown}`"))
                .help("`within` stands behind `goal` and `without`, and in `wait within 09:00 to 18:00`")
                .fix(place, "in last"),
        );
        let end = rest.unwrap_or(whole);
        let mut value = windowed(value, length);
        value.span = value.span.to(end);
        value
    }

    // ── Steps ─────────────────────────────────────────────────────────────────────────────────

    /// `stop`
    pub fn end_spelled(&mut self, kids: &mut Kids<'_>) {
        let Some(habit) = kids.take(Rule::habit_end) else { return };
        let start = self.span(&habit).start as usize;
        let here = self.token_span(start);
        let word = here.text(self.text).to_owned();
        let message = format!("the step that leaves the journey is `end`, not `{word}`");
        self.report(SyntaxError::new(codes::WORD_SPELLING, here, message).fix(here, "end"));
    }

    /// `user.score += 1`
    pub fn set_without_word(&mut self, kids: &mut Kids<'_>, span: Span) -> Option<StepKind> {
        let bare = kids.take(Rule::name).map(|pair| self.name_of(&pair));
        let plain = bare.is_some();
        let attribute = bare.or_else(|| self.dotted(kids));
        let op = kids.take(Rule::set_op).map_or(SetOp::Assign, |pair| self.set_op(&pair));
        let value = self.value(kids);
        let attribute = attribute?;
        let here = Span::new(self.file, span.start, span.start);
        let place = Span::new(self.file, span.start, attribute.span.end);
        let insert = if plain { "set user." } else { "set " };
        self.report(
            SyntaxError::new(codes::EXPECTED, place, "a step that gives an attribute a value begins with `set`")
                .help(format!("write `set user.{} …`", attribute.text))
                .fix(here, insert),
        );
        Some(StepKind::Set { attribute, op, value })
    }

    /// `picks = recommendations(user.id)`
    pub fn fetch_without_word(&mut self, kids: &mut Kids<'_>, span: Span) -> Option<StepKind> {
        let name = self.name(kids);
        let call = kids.take(Rule::api_call).and_then(|pair| self.api_call(pair));
        let otherwise = self.part(kids, Rule::else_part);
        let name = name?;
        let here = Span::new(self.file, span.start, span.start);
        self.report(
            SyntaxError::new(codes::EXPECTED, name.span, "a step that asks an api begins with `fetch`")
                .help(format!("write `fetch {} = …`", name.text))
                .fix(here, "fetch "),
        );
        Some(StepKind::Fetch { name, call: call?, otherwise })
    }

    /// `wait until user.birthday at 09:00`
    pub fn time_behind_moment(&mut self, kids: &mut Kids<'_>, moment: &mut Expr) {
        let Some(habit) = kids.take(Rule::habit_at_time) else { return };
        let span = self.span(&habit);
        let mut kids = self.kids(habit);
        let time = self.value(&mut kids);
        let (place, time) = (moment.span, time.span.text(self.text));
        if matches!(&moment.kind, ExprKind::Name(name) if name.text == "tomorrow") {
            moment.kind = ExprKind::Broken;
        }
        let moment = place.text(self.text);
        let help = if matches!(moment, "today" | "tomorrow") {
            format!("`wait until {time}` is the next {time}; after `wait 1d` it is that of tomorrow")
        } else {
            format!("wait twice: `wait until {moment}  wait until {time}`")
        };
        self.report(
            SyntaxError::new(codes::UNEXPECTED, span, "`wait until` takes a moment, and no time of day behind it")
                .help(help),
        );
    }

    /// `within 2d` and the like, where `up to 2d` is meant.
    pub fn bound_spelled(&mut self, bound: Node<'_>) -> Bound {
        let whole = self.span(&bound);
        let mut kids = self.kids(bound);
        if let Some(habit) = kids.take(Rule::habit_up_to) {
            if whole.text(self.text).starts_with(',') {
                // `wait for purchased, max 2d`: the comma goes, too.
                let before = self.offset(self.end_before(0, whole.start as usize));
                let span = self.span(&habit);
                let message = format!("`, {}` is written `up to` here", span.text(self.text));
                let cut = Span::new(self.file, before, span.end);
                self.report(SyntaxError::new(codes::WORD_SPELLING, span, message).fix(cut, " up to"));
            } else {
                self.spelled(&habit, "up to");
            }
        }
        Bound::UpTo(self.duration(&mut kids))
    }

    /// `wait for purchased until monday 09:00`
    pub fn days_in_bound(&mut self, days: &Node<'_>) -> Expr {
        let span = self.span(days);
        self.report(
            SyntaxError::new(codes::UNEXPECTED, span, "the end of a wait is a time of day, a date or a moment")
                .help("write `up to 7d`, or `until 09:00`: a day of the week can only be waited for by itself"),
        );
        broken(span)
    }

    /// `up to 2h where …`: the condition belongs to the event, in front of the bound.
    pub fn late_filter(&mut self, bound: Span, length: Span, filter: &Expr, filtered: bool) {
        let length = Span::new(self.file, bound.start, length.end).text(self.text).to_owned();
        let whole = Span::new(self.file, bound.start, filter.span.end);
        let condition = filter.span.text(self.text).to_owned();
        let place =
            Span::new(self.file, self.offset(self.start_after(bound.start as usize + length.len())), filter.span.end);
        let error = SyntaxError::new(codes::UNEXPECTED, place, "`where` stands right behind the event")
            .help(format!("write `where {condition} {length}`"));
        self.report(if filtered { error } else { error.fix(whole, format!("where {condition} {length}")) });
    }
}

impl Lower<'_> {
    /// A word that says nothing here; the blanks behind it go with it.
    pub fn needless(&mut self, pair: &Node<'_>, help: &str) {
        let span = self.span(pair);
        let next = self.offset(self.start_after(span.end as usize));
        let written = span.text(self.text).to_owned();
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, format!("`{written}` is not said here"))
                .help(help)
                .fix(Span::new(self.file, span.start, next), ""),
        );
    }

    /// `on a or b`: several events are divided by commas.
    pub fn or_for_comma(&mut self, pair: &Node<'_>) {
        let span = self.span(pair);
        let before = self.offset(self.end_before(0, span.start as usize));
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, "between events stands a comma")
                .help("any of them is enough: `purchased, subscribed`")
                .fix(Span::new(self.file, before, span.end), ","),
        );
    }

    /// `wait for a and b`
    pub fn and_between_events(&mut self, pair: &Node<'_>) {
        let span = self.span(pair);
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, "a wait is for the first of its events, not for all of them")
                .help("wait for one, and then for the other, each with its `up to`; for either of them write `a, b`"),
        );
    }

    /// `wait 2 business days`
    pub fn workdays(&mut self, wait: Span) -> Expr {
        let place = Span::new(self.file, self.offset(self.start_after(wait.start as usize)), wait.end);
        let written = place.text(self.text).split_whitespace().collect::<Vec<_>>().join(" ");
        let count: i64 = written.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(1);
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, place, format!("`{written}`: a day is a day of the calendar")).help(
                format!("write `wait {count}d`, and `wait within 09:00 to 18:00 on weekdays` behind it for a workday"),
            ),
        );
        Expr { kind: ExprKind::Duration(DurationLit { count, unit: Unit::Days }), span: place }
    }

    /// `goal purchased in 3d`; true when it was there.
    pub fn in_for_within(&mut self, kids: &mut Kids<'_>) -> bool {
        let habit = kids.take(Rule::habit_within);
        if let Some(habit) = &habit {
            self.spelled(habit, "within");
        }
        habit.is_some()
    }

    /// `topic "marketing"`
    pub fn topic_name(&mut self, kids: &mut Kids<'_>) -> Option<Name> {
        let Some(quoted) = kids.take(Rule::habit_quoted_name) else { return self.name(kids) };
        Some(self.quoted_name(&quoted))
    }

    /// `start "welcome"`
    pub fn quoted_name(&mut self, pair: &Node<'_>) -> Name {
        let span = self.span(pair);
        let text = span.text(self.text).trim_matches('"').to_owned();
        self.report(SyntaxError::new(codes::KEY_SPELLING, span, "a name has no quotes").fix(span, text.clone()));
        Name { text, span }
    }

    /// `segment big: …`
    pub fn equals_for_colon(&mut self, colon: &Node<'_>) {
        let span = self.span(colon);
        let before = self.offset(self.end_before(0, span.start as usize));
        self.report(
            SyntaxError::new(codes::KEY_SPELLING, span, "between a segment and its condition stands `=`")
                .fix(Span::new(self.file, before, span.end), " ="),
        );
    }

    /// `if x: …`, `if x do …`
    pub fn sign_for_then(&mut self, sign: &Node<'_>) {
        let span = self.span(sign);
        let before = self.offset(self.end_before(0, span.start as usize));
        let written = span.text(self.text).to_owned();
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, format!("`{written}` is written `then` here"))
                .fix(Span::new(self.file, before, span.end), " then"),
        );
    }

    /// `21:00 to 08:00`, or with a dash.
    pub fn time_range(&mut self, kids: &mut Kids<'_>) -> (Expr, Expr) {
        let Some(range) = kids.take(Rule::habit_range) else {
            let from = self.value(kids);
            return (from, self.value(kids));
        };
        let span = self.span(&range);
        let mut ends = range.into_inner().filter(|pair| pair.as_rule() == Rule::time);
        let mut time = |lower: &mut Self| match ends.next() {
            Some(pair) => {
                let place = lower.span(&pair);
                let kind = lower.time_of_day(&pair).map_or(ExprKind::Broken, ExprKind::TimeOfDay);
                Expr { kind, span: place }
            }
            None => broken(span),
        };
        let (from, to) = (time(self), time(self));
        let dash = Span::new(self.file, from.span.end, to.span.start);
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, dash, "between two times of day stands `to`").fix(dash, " to "),
        );
        (from, to)
    }

    /// `on user.birthday at 09:00`
    pub fn date_without_word(&mut self, kids: &mut Kids<'_>, span: Span) -> Option<TriggerKind> {
        let here = Span::new(self.file, span.start, span.start);
        let attribute = self.dotted(kids)?;
        let yearly = kids.has(Rule::kw_yearly) | kids.has(Rule::habit_yearly);
        let at = self.value(kids);
        let place = Span::new(self.file, span.start, attribute.span.end);
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, place, "a trigger on a day begins with `date`")
                .help(format!("write `on date user.{} at …`", attribute.text))
                .fix(here, "date "),
        );
        let user = Name { text: "user".into(), span: Span::new(self.file, span.start, span.start + 4) };
        let user = Expr { span: user.span, kind: ExprKind::Name(user) };
        let date = Expr { span: place, kind: ExprKind::Field(Box::new(user), attribute) };
        Some(TriggerKind::Date { date, yearly, at })
    }

    /// `wait until 09:00 on monday`: the days.
    pub fn days_behind_time(&mut self, kids: &mut Kids<'_>, time: &Expr) -> Option<Days> {
        let habit = kids.take(Rule::habit_on_days)?;
        let span = self.span(&habit);
        let mut kids = self.kids(habit);
        let days = kids.take(Rule::days).map(|pair| self.days(pair))?;
        let whole = time.span.to(span);
        let right = format!("{} {}", days.span.text(self.text), time.span.text(self.text));
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, "the day stands in front of the time")
                .help(format!("write `wait until {right}`"))
                .fix(whole, right),
        );
        Some(days)
    }

    /// `("IT", "ES")`
    pub fn list_in_round_brackets(&mut self, span: Span, first: Expr, more: Node<'_>) -> Expr {
        let inner = Span::new(self.file, span.start + 1, span.end.saturating_sub(1));
        let right = format!("[{}]", inner.text(self.text).trim());
        let mut kids = self.kids(more);
        let mut values = vec![first];
        while let Some(value) = kids.take(Rule::expr) {
            values.push(self.expr(value));
        }
        self.report(SyntaxError::new(codes::WORD_SPELLING, span, "a list stands in square brackets").fix(span, right));
        Expr { kind: ExprKind::List(values), span }
    }

    /// `delay 2h`, `unless …`, `let x = 3`: the whole statement is one finding.
    pub fn step_of_another_language(&mut self, pair: Node<'_>) -> Option<StepKind> {
        let word = pair.into_inner().find(|p| p.as_rule() == Rule::habit_step_word)?;
        let span = self.span(&word);
        let (right, help) = match word.as_str() {
            "delay" | "sleep" | "pause" | "after" => (Some("wait"), "a wait reads `wait 2h`"),
            "quiet" | "at" => (None, "quiet hours and caps stand in `policy { … }`, and hold for all journeys"),
            "loop" => (Some("repeat"), "a loop reads `repeat 3 times { … }`"),
            "every" => (Some("repeat every"), "a loop reads `repeat every 7d up to 4 times { … }`"),
            "unless" => (Some("if not"), "write `if not … then …`"),
            "while" => (None, "write `repeat every 1d up to 7 times { if not … then end … }`, or `wait until …`"),
            "switch" => (None, "write `match user.country { \"IT\" -> … else -> … }`"),
            "let" | "const" | "var" => {
                (None, "a value is kept with `set user.x = …`; an api's answer with `fetch x = …`")
            }
            "import" | "include" => (None, "all files of the folder are one program: nothing is imported"),
            "function" | "def" => {
                (None, "name a condition with `segment`; steps in a journey of their own, for `start`")
            }
            "return" => (None, "the step that leaves the journey is `end`"),
            _ => (None, "write `set user.score += 1`"),
        };
        let message = format!("no step begins with `{}`", word.as_str());
        let error = SyntaxError::new(codes::WORD_SPELLING, span, message).help(help);
        self.report(match right {
            Some(right) => error.fix(span, right),
            None => error,
        });
        None
    }
}

/// The expression whose last event has this window.
fn windowed(mut value: Expr, length: Expr) -> Expr {
    let window = Window::Last(Box::new(length));
    match &mut value.kind {
        ExprKind::Not(inner) | ExprKind::Binary(BinaryOp::And | BinaryOp::Or, _, inner) => {
            let Window::Last(length) = window else { return value };
            let last = std::mem::replace(inner.as_mut(), broken(value.span));
            **inner = windowed(last, *length);
        }
        ExprKind::Name(_) | ExprKind::Field(..) => {
            if let Some(mut query) = super::expression::query_of(&value) {
                query.window = Some(window);
                value.kind = ExprKind::Occurred(query);
            }
        }
        ExprKind::Occurred(query) if query.window.is_none() => query.window = Some(window),
        _ => {}
    }
    value
}
