//! The clauses of a journey's header.

use super::habit_items::in_small_letters;
use super::operand::weekday_of;
use super::{Kids, Lower, Node};
use crate::ast::*;
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;

/// Whether a pair is a clause.
pub(super) fn is_clause(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::on_clause
            | Rule::enter_clause
            | Rule::exit_clause
            | Rule::goal_clause
            | Rule::topic_clause
            | Rule::holdout_clause
            | Rule::moved_clause
            | Rule::ended_clause
    )
}

impl Lower<'_> {
    /// A clause; `None` when it turned out to be a step (`exit` alone).
    pub fn clause(&mut self, pair: Node<'_>) -> Option<Clause> {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut kids = self.kids(pair);
        if rule == Rule::exit_clause && kids.has(Rule::habit_exit) {
            return None;
        }
        let kind = self.clause_kind(rule, &mut kids).unwrap_or(ClauseKind::Broken);
        Some(Clause { kind, span })
    }

    fn clause_kind(&mut self, rule: Rule, kids: &mut Kids<'_>) -> Option<ClauseKind> {
        match rule {
            Rule::on_clause => {
                self.when_for_on(kids);
                let mut triggers = Vec::new();
                while let Some(pair) = kids.take(Rule::trigger) {
                    triggers.push(self.trigger(pair));
                }
                self.then_behind_trigger(kids);
                Some(ClauseKind::On(triggers))
            }
            Rule::enter_clause => {
                let mut parts = Vec::new();
                while let Some(pair) = kids.take(Rule::enter_part) {
                    parts.extend(self.enter_part(pair));
                }
                (!parts.is_empty()).then_some(ClauseKind::Enter(parts))
            }
            Rule::exit_clause => self.exit(kids),
            Rule::goal_clause => {
                let event = self.next_event_match(kids);
                let habit = self.in_for_within(kids);
                let within = (kids.has(Rule::kw_within) || habit).then(|| self.duration(kids));
                Some(ClauseKind::Goal { event: event?, within })
            }
            Rule::topic_clause => self.topic_name(kids).map(ClauseKind::Topic),
            Rule::holdout_clause => {
                let pair = kids.find(|r| matches!(r, Rule::percent | Rule::habit_percent))?;
                if pair.as_rule() == Rule::habit_percent {
                    return self.share_without_sign(&pair);
                }
                let span = self.span(&pair);
                self.percent(&pair).map(|share| ClauseKind::Holdout(share, span))
            }
            Rule::moved_clause => {
                let (old, new) = (self.name(kids), self.name(kids));
                Some(ClauseKind::Moved(old?, new?))
            }
            Rule::ended_clause => self.name(kids).map(ClauseKind::Ended),
            _ => None,
        }
    }

    fn exit(&mut self, kids: &mut Kids<'_>) -> Option<ClauseKind> {
        let known = [Rule::exit_on, Rule::exit_events, Rule::exit_when, Rule::exit_after];
        let pair = kids.find(|r| known.contains(&r))?;
        let rule = pair.as_rule();
        let mut kids = self.kids(pair);
        match rule {
            Rule::exit_on | Rule::exit_events => {
                let mut events = Vec::new();
                while let Some(pair) = kids.take(Rule::event_match) {
                    events.extend(self.event_match(pair));
                }
                (!events.is_empty()).then_some(ClauseKind::ExitOn(events))
            }
            Rule::exit_when => Some(ClauseKind::ExitWhen(self.windowed_value(&mut kids))),
            Rule::exit_after => Some(ClauseKind::ExitAfter(self.duration(&mut kids))),
            _ => None,
        }
    }

    fn enter_part(&mut self, pair: Node<'_>) -> Option<EnterPart> {
        let part = pair.into_inner().next()?;
        let span = self.span(&part);
        let rule = part.as_rule();
        let mut kids = self.kids(part);
        Some(match rule {
            Rule::enter_once_per => {
                if let Some(once) = self.once_a_day(&mut kids) {
                    return Some(EnterPart::OncePer(once));
                }
                if let Some(habit) = kids.take(Rule::habit_once_per) {
                    self.spelled(&habit, "per");
                }
                EnterPart::OncePer(self.duration(&mut kids))
            }
            Rule::enter_once => EnterPart::Once(span),
            Rule::enter_restart => EnterPart::Restart(span),
            Rule::enter_always => EnterPart::Always(span),
            _ => {
                let names = kids.take(Rule::names);
                let names = self.names(names);
                if names.is_empty() {
                    return None;
                }
                EnterPart::Per(names)
            }
        })
    }

    fn trigger(&mut self, pair: Node<'_>) -> Trigger {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        let kind = kids.next().and_then(|pair| self.trigger_kind(pair)).unwrap_or(TriggerKind::Broken);
        Trigger { kind, span }
    }

    fn trigger_kind(&mut self, pair: Node<'_>) -> Option<TriggerKind> {
        let rule = pair.as_rule();
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        match rule {
            Rule::enter_trigger | Rule::leave_trigger => {
                if let Some(habit) = kids.take(Rule::habit_leave) {
                    self.spelled(&habit, "leave");
                }
                if let Some(word) = kids.take(Rule::habit_segment) {
                    self.needless(&word, "a segment is called by its name alone");
                }
                let value = self.windowed_value(&mut kids);
                Some(if rule == Rule::enter_trigger { TriggerKind::Enter(value) } else { TriggerKind::Leave(value) })
            }
            Rule::habit_date => self.date_without_word(&mut kids, span),
            Rule::habit_change => self.change_again(&mut kids, span),
            Rule::change_trigger => {
                let attribute = kids.take(Rule::attribute).and_then(|pair| self.attribute(pair, false));
                let filter = self.filter(&mut kids);
                Some(TriggerKind::Change { attribute: attribute?, filter })
            }
            Rule::date_trigger => {
                let date = self.value(&mut kids);
                let yearly = kids.has(Rule::kw_yearly) | kids.has(Rule::habit_yearly);
                let at = self.value(&mut kids);
                Some(TriggerKind::Date { date, yearly, at })
            }
            Rule::every_trigger => {
                let days = kids.take(Rule::days).map(|pair| self.days(pair));
                let at = self.value(&mut kids);
                let audience = kids.has(Rule::kw_for).then(|| self.value(&mut kids));
                Some(TriggerKind::Every { days: days?, at, audience })
            }
            Rule::list_trigger => self.list_named(&mut kids).map(TriggerKind::List),
            Rule::habit_days => self.days_without_every(&mut kids, span),
            Rule::event_trigger => {
                let event = self.next_event_match(&mut kids);
                let Some(part) = kids.take(Rule::without_part) else { return event.map(TriggerKind::Event) };
                let mut kids = self.kids(part);
                let without = self.next_event_match(&mut kids);
                self.in_for_within(&mut kids);
                let within = self.duration(&mut kids);
                Some(TriggerKind::Without { event: event?, without: without?, within })
            }
            _ => None,
        }
    }

    /// `where COND`
    pub fn filter(&mut self, kids: &mut Kids<'_>) -> Option<Expr> {
        let pair = kids.take(Rule::where_part)?;
        let behind = self.start_after(self.span(&pair).end as usize);
        let mut kids = self.kids(pair);
        if let Some(habit) = kids.take(Rule::habit_if_where) {
            let start = self.span(&habit).start as usize;
            let word = self.token_span(start);
            self.report(
                SyntaxError::new(codes::WORD_SPELLING, word, "`if` is written `where` here")
                    .help("`if` is a step; `where` says which of the events are meant")
                    .fix(word, "where"),
            );
            let mut kids = self.kids(habit);
            return Some(self.value(&mut kids));
        }
        let habit = kids.take(Rule::habit_where);
        // `exit on a`, and `when x then …` on the next line: that is meant as a step.
        let is_step = |lower: &Self, span: Span| {
            let line = lower.text.get(..span.start as usize).and_then(|head| head.rsplit('\n').next());
            line.is_some_and(|line| line.trim().is_empty()) && lower.token_at(behind) == "then"
        };
        match habit {
            Some(habit) if is_step(self, self.span(&habit)) => {
                self.step_when(self.span(&habit));
                let _ = self.value(&mut kids);
                self.met_step = true;
                return None;
            }
            Some(habit) => self.spelled(&habit, "where"),
            None => {}
        }
        Some(self.value(&mut kids))
    }

    fn next_event_match(&mut self, kids: &mut Kids<'_>) -> Option<EventMatch> {
        let pair = kids.take(Rule::event_match)?;
        self.event_match(pair)
    }

    fn event_match(&mut self, pair: Node<'_>) -> Option<EventMatch> {
        let mut kids = self.kids(pair);
        let event = kids.take(Rule::event_ref).and_then(|pair| self.event_ref(pair));
        let filter = self.filter(&mut kids);
        Some(EventMatch { event: event?, filter })
    }

    /// `purchased`, `email.opened`; a name on the wire is answered with a declaration.
    pub fn event_ref(&mut self, pair: Node<'_>) -> Option<EventRef> {
        let span = self.span(&pair);
        let mut kids = self.kids(pair);
        if kids.find(|r| matches!(r, Rule::habit_quoted_event | Rule::habit_title_event)).is_some() {
            return Some(EventRef { name: self.wire_name(span), outcome: None });
        }
        let name = self.name(&mut kids)?;
        let outcome = self.dotted(&mut kids);
        Some(EventRef { name, outcome })
    }

    /// The event that a name on the wire means.
    fn wire_name(&mut self, span: Span) -> Name {
        let wire = span.text(self.text).trim_matches('"').to_owned();
        let text = in_small_letters(&wire);
        self.report(
            SyntaxError::new(codes::EVENT_WIRE_NAME, span, "an event is called by a name in small letters")
                .help(format!("declare `event {text} = \"{wire}\"`, and write `{text}` here"))
                .fix(span, text.clone()),
        );
        Name { text, span }
    }

    /// `monday, friday`, `weekdays`, `day`
    pub fn days(&mut self, pair: Node<'_>) -> Days {
        let span = self.span(&pair);
        let mut set = [false; 7];
        let mut kids = self.kids(pair);
        while let Some(word) = kids.find(|r| matches!(r, Rule::day_word | Rule::habit_day)) {
            let day = match word.as_rule() {
                Rule::day_word => word.as_str(),
                _ => self.day_spelled(&word),
            };
            let range = match day {
                "day" => 0..=6,
                "weekdays" => 0..=4,
                "weekends" => 5..=6,
                day => {
                    let day = usize::from(weekday_of(day).unwrap_or(0));
                    day..=day
                }
            };
            for (i, day) in set.iter_mut().enumerate() {
                *day |= range.contains(&i);
            }
        }
        Days { set, span }
    }
}
