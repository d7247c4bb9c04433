//! Clauses of a header in the words of other languages, answered with Flow's own.

use super::literal::unit_of;
use super::{Kids, Lower, Node};
use crate::ast::*;
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;
use crate::spell;

impl Lower<'_> {
    /// `goal: purchased`
    pub fn sign_behind_word(&mut self, pair: &Node<'_>) {
        let span = self.span(pair);
        let before = self.offset(self.end_before(0, span.start as usize));
        let word = self.text.get(..before as usize).unwrap_or("");
        let word = word.rsplit(|c| !unicode_ident::is_xid_continue(c)).next().unwrap_or("").to_owned();
        let written = span.text(self.text).to_owned();
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, span, format!("no `{written}` stands behind `{word}`"))
                .fix(Span::new(self.file, before, span.end), ""),
        );
    }

    /// `holdout 5`, `holdout 5 %`
    pub fn share_without_sign(&mut self, pair: &Node<'_>) -> Option<ClauseKind> {
        let span = self.span(pair);
        let digits = pair.as_str().trim_end_matches(|c: char| !c.is_ascii_digit());
        let share = self.decimal(digits, span)?;
        let error = SyntaxError::new(codes::BAD_PERCENT, span, "a share is a percentage, like `5%`");
        // `0.05` could be meant as it stands, or as a share of one.
        let certain = share >= rust_decimal::Decimal::ONE;
        self.report(if certain { error.fix(span, format!("{digits}%")) } else { error });
        certain.then_some(ClauseKind::Holdout(share, span))
    }

    /// `enter once a day`
    pub fn once_a_day(&mut self, kids: &mut Kids<'_>) -> Option<Expr> {
        let unit = kids.take(Rule::habit_unit)?;
        let place = self.span(&unit);
        let length = DurationLit { count: 1, unit: unit_of(unit.as_str()).unwrap_or(Unit::Days) };
        let from = kids.take(Rule::habit_once_per).map(|pair| self.span(&pair));
        let right = spell::duration(length);
        match from {
            Some(from) => self.unit_alone(from.to(place), format!("per {right}")),
            None => self.unit_alone(place, right),
        }
        Some(Expr { kind: ExprKind::Duration(length), span: place })
    }

    /// `on list vips`
    pub fn list_named(&mut self, kids: &mut Kids<'_>) -> Option<StringLit> {
        let Some(bare) = kids.take(Rule::habit_bare_list) else { return self.string(kids) };
        let span = self.span(&bare);
        let value = span.text(self.text).to_owned();
        let error = SyntaxError::new(codes::QUOTES, span, "the name of a list stands in quotes");
        self.report(error.fix(span, format!("\"{value}\"")));
        Some(StringLit { value, span })
    }

    /// `on monday at 09:00`, `on daily at 09:00`
    pub fn days_without_every(&mut self, kids: &mut Kids<'_>, span: Span) -> Option<TriggerKind> {
        let here = Span::new(self.file, span.start, span.start);
        let daily = kids.take(Rule::habit_each_day);
        let before = self.errors.len();
        let days = match &daily {
            Some(pair) => Some(Days { set: [true; 7], span: self.span(pair) }),
            None => kids.take(Rule::days).map(|pair| self.days(pair)),
        };
        let days = days?;
        // `on mondays`: one finding, with the day as it is written.
        let spelled = self.errors.get(before).and_then(|error| error.fix.clone()).filter(|fix| fix.span == days.span);
        let (place, right) = match (daily.is_some(), spelled) {
            (true, _) => (days.span, "every day".to_owned()),
            (false, Some(fix)) => (days.span, format!("every {}", fix.replacement)),
            (false, None) => (here, "every ".to_owned()),
        };
        if place == days.span {
            self.errors.truncate(before);
        }
        let at = self.value(kids);
        let audience = kids.has(Rule::kw_for).then(|| self.value(kids));
        self.report(
            SyntaxError::new(codes::WORD_SPELLING, days.span, "a schedule begins with `every`")
                .help("write `on every monday at 09:00`, or `on every day at 09:00`")
                .fix(place, right),
        );
        Some(TriggerKind::Every { days, at, audience })
    }
}
