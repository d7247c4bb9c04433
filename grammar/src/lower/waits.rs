//! Waits, and what bounds them.

use super::{Kids, Lower, Node};
use crate::ast::*;
use crate::codes;
use crate::error::SyntaxError;
use crate::parser::Rule;
use crate::span::Span;

impl Lower<'_> {
    /// What stands behind `wait`.
    pub(super) fn wait(&mut self, pair: Node<'_>) -> Option<StepKind> {
        let rule = pair.as_rule();
        let span = self.span(&pair);
        if rule == Rule::habit_wait_words {
            return Some(StepKind::Wait(self.wait_in_words(&pair)));
        }
        let mut kids = self.kids(pair);
        match rule {
            Rule::wait_until => {
                if let Some(till) = kids.take(Rule::habit_till) {
                    self.spelled(&till, "until");
                }
                let days = [Rule::until_days, Rule::habit_next_day, Rule::habit_tomorrow];
                let mut until = match kids.find(|r| days.contains(&r)) {
                    Some(pair) if pair.as_rule() == Rule::until_days => self.until_days(pair),
                    Some(pair) if pair.as_rule() == Rule::habit_next_day => self.next_day(pair),
                    Some(pair) => self.tomorrow(pair),
                    None => Until::Expr(self.value(&mut kids)),
                };
                if let Until::Expr(moment) = &mut until {
                    self.time_behind_moment(&mut kids, moment);
                    if let Some(days) = self.days_behind_time(&mut kids, moment) {
                        until = Until::DaysAt(days, moment.clone());
                    }
                }
                let (mut bound, late) = self.bound(&mut kids);
                if let Some((bound, length, late)) = late {
                    self.late_filter(bound, length, &late, false);
                }
                if bound.is_none() {
                    if let Until::Expr(condition) = until {
                        let (condition, by_or) = self.bound_by_or(condition);
                        until = Until::Expr(condition);
                        bound = by_or;
                    }
                }
                let then = self.part(&mut kids, Rule::wait_then);
                let otherwise = self.part(&mut kids, Rule::else_part);
                Some(StepKind::WaitUntil { until, bound, then, otherwise })
            }
            Rule::wait_for | Rule::habit_wait_event => {
                if rule == Rule::habit_wait_event {
                    let here = Span::new(self.file, span.start, span.start);
                    self.report(
                        SyntaxError::new(
                            codes::EXPECTED,
                            self.token_span(span.start as usize),
                            "an event is waited for with `wait for`",
                        )
                        .fix(here, "for "),
                    );
                }
                let mut events = Vec::new();
                while let Some(pair) = kids.take(Rule::event_ref) {
                    events.extend(self.event_ref(pair));
                }
                self.met_step = false;
                let mut filter = self.filter(&mut kids);
                // What bounds the wait may stand behind what was taken for its condition.
                if self.met_step {
                    return None;
                }
                let (bound, late) = self.bound(&mut kids);
                if let Some((bound, length, late)) = late {
                    self.late_filter(bound, length, &late, filter.is_some());
                    filter = filter.or(Some(late));
                }
                let then = self.part(&mut kids, Rule::wait_then);
                let otherwise = self.part(&mut kids, Rule::else_part);
                if events.is_empty() {
                    return None;
                }
                Some(StepKind::WaitFor { events, filter, bound, then, otherwise })
            }
            Rule::habit_wait_between => self.wait_between(&mut kids),
            Rule::habit_bound_first => self.bound_in_front(&mut kids),
            Rule::habit_workdays => Some(StepKind::Wait(self.workdays(span))),
            Rule::habit_wait_for_duration => {
                let here = self.token_span(span.start as usize);
                let value = self.duration(&mut kids);
                let value = self.or_in_wait(value);
                if matches!(value.kind, ExprKind::Broken) {
                    return None;
                }
                self.report(
                    SyntaxError::new(codes::WAIT_FOR_DURATION, here, "`wait for` waits for an event")
                        .help("a duration stands right behind `wait`: `wait 2h`")
                        .fix(Span::new(self.file, here.start, here.end + 1), ""),
                );
                Some(StepKind::Wait(value))
            }
            Rule::wait_within => {
                let (from, to) = self.time_range(&mut kids);
                let days = kids.take(Rule::days).map(|pair| self.days(pair));
                Some(StepKind::WaitWithin { from, to, days })
            }
            Rule::wait_best_hour => {
                let channel = self.name(&mut kids);
                let within = self.duration(&mut kids);
                Some(StepKind::WaitBestHour { channel: channel?, within })
            }
            Rule::wait_duration => {
                let value = self.duration(&mut kids);
                let value = self.added_durations(value);
                Some(StepKind::Wait(self.or_in_wait(value)))
            }
            _ => None,
        }
    }

    /// `monday 09:00`
    fn until_days(&mut self, pair: Node<'_>) -> Until {
        let mut kids = self.kids(pair);
        if let Some(next) = kids.take(Rule::habit_next) {
            self.needless(&next, "`wait until monday 09:00` is the next one already");
        }
        let days = kids.take(Rule::days).map(|pair| self.days(pair));
        if let Some(at) = kids.take(Rule::habit_at) {
            let here = self.span(&at);
            self.report(
                SyntaxError::new(codes::UNEXPECTED, here, "the time stands right behind the day")
                    .help("write `wait until monday 09:00`")
                    .fix(Span::new(self.file, here.start, here.end + 1), ""),
            );
        }
        let time = self.value(&mut kids);
        match days {
            Some(days) => Until::DaysAt(days, time),
            None => Until::Expr(time),
        }
    }

    /// The bound of a wait, and the `where` behind it that belongs in front: the places of the bound and of its
    /// length, and the condition.
    fn bound(&mut self, kids: &mut Kids<'_>) -> (Option<Bound>, Option<(Span, Span, Expr)>) {
        let Some(bound) = kids.take(Rule::bound).and_then(|pair| pair.into_inner().next()) else { return (None, None) };
        let span = self.span(&bound);
        let rule = bound.as_rule();
        if rule == Rule::habit_bound {
            return (Some(self.bound_spelled(bound)), None);
        }
        let mut kids = self.kids(bound);
        if rule == Rule::bound_until {
            let moment = match kids.take(Rule::habit_until_days) {
                Some(days) => self.days_in_bound(&days),
                None => self.value(&mut kids),
            };
            return (Some(Bound::Until(moment)), None);
        }
        let (length, late) = self.value_then_where(&mut kids);
        // `up to 2d or email welcome`: what is missing behind the `or` has been told.
        let length = match length.kind {
            ExprKind::Binary(BinaryOp::Or | BinaryOp::And, left, right) if matches!(right.kind, ExprKind::Broken) => {
                *left
            }
            kind => Expr { kind, span: length.span },
        };
        let place = length.span;
        (Some(Bound::UpTo(self.unquoted(length))), late.map(|late| (span, place, late)))
    }
}
