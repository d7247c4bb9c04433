//! Whether what came about is what a test expects.
//!
//! Lines are taken in order. A happening is given to the person at once, with all timers before it fired. A message
//! that is expected is looked for when the test is over, so that tests may name happenings first and messages
//! later; only where the next line counts from a message whose time is not named, the person is led on until it
//! has come.

use super::play::{message, says, skipped, Play};
use super::timeline;
use super::{Failure, Verdict};
use crate::calendar;
use crate::engine::effect::{Effect, Message};
use crate::engine::Engine;
use crate::ingest::schema::Schema;
use crate::words::{self, Words};
use flow_compiler::bytecode::{ChannelId, Duration};
use flow_compiler::testcase::{Expectation, ExpectedContent, TestCase, TestLine, TestLineKind, TestTime};
use flow_grammar::span::Span;

/// A test whose first line names no day begins here: 2026-01-01T00:00Z.
const BEGIN: i64 = 1_767_225_600_000;
/// How long timers are fired after the last happening, as `flowc run` does after the last input.
const REST: Duration = Duration { months: 12, days: 0, millis: 0 };

/// Runs one test.
pub fn judge(engine: &Engine, schema: &Schema, case: &TestCase) -> Verdict {
    let mut judge = Judge {
        case,
        play: Play::new(engine, schema, case),
        cursor: BEGIN,
        happened: i64::MIN,
        at_message: false,
        open: None,
        wanted: Vec::new(),
        matched: Vec::new(),
        failures: Vec::new(),
        given_up: false,
        times: vec![None; case.lines.len()],
    };
    for (number, line) in case.lines.iter().enumerate() {
        judge.line(number, line);
    }
    judge.finish()
}

struct Judge<'e> {
    case: &'e TestCase,
    play: Play<'e>,
    /// The time of the line before.
    cursor: i64,
    /// The time of the last happening.
    happened: i64,
    /// Whether the line before is a message, after which the timers of its instant have been fired.
    at_message: bool,
    /// The line before is this expected message, whose time is not known.
    open: Option<usize>,
    wanted: Vec<Wanted<'e>>,
    /// The effects that are messages which were expected.
    matched: Vec<usize>,
    failures: Vec<(usize, Failure)>,
    /// An expected message did not come, and what follows counts from it.
    given_up: bool,
    /// When each line is.
    times: Vec<Option<i64>>,
}

/// A message that is expected.
struct Wanted<'e> {
    line: usize,
    channel: ChannelId,
    content: Option<&'e ExpectedContent>,
    from: i64,
    until: i64,
    settled: bool,
}

impl<'e> Judge<'e> {
    fn line(&mut self, number: usize, line: &'e TestLine) {
        match &line.kind {
            TestLineKind::At(time, happening) => {
                let absolute = !matches!(time, TestTime::TimeOfDay(_));
                if !absolute {
                    self.close();
                }
                let at = self.play.moment(*time, self.cursor);
                self.close_before(at);
                self.happening(number, at, happening);
            }
            TestLineKind::After(duration, happening) => {
                self.close();
                let at = self.later(*duration);
                self.happening(number, at, happening);
            }
            TestLineKind::Expect(expectation) => self.expect(number, expectation),
        }
    }

    fn happening(&mut self, number: usize, at: i64, happening: &flow_compiler::testcase::Happening) {
        self.play.happen(at, happening);
        self.happened = self.happened.max(at);
        self.moved(number, at, false);
    }

    fn moved(&mut self, number: usize, time: i64, at_message: bool) {
        self.cursor = time;
        self.at_message = at_message;
        if let Some(slot) = self.times.get_mut(number) {
            *slot = Some(time);
        }
    }

    fn later(&self, duration: Duration) -> i64 {
        self.play.in_zone(|zone| calendar::add(zone, self.cursor, duration))
    }

    fn expect(&mut self, number: usize, expectation: &'e Expectation) {
        match expectation {
            Expectation::Message { channel, content, at, after } => {
                if at.is_none_or(|at| matches!(at, TestTime::TimeOfDay(_))) || after.is_some() {
                    self.close();
                }
                let exact = match (at, after) {
                    (Some(at), _) => Some(self.play.moment(*at, self.cursor)),
                    (None, Some(after)) => Some(self.later(*after)),
                    (None, None) => None,
                };
                let (from, until) = exact.map_or((self.cursor, i64::MAX), |exact| (exact, exact));
                self.open = exact.is_none().then_some(self.wanted.len());
                let content = content.as_ref();
                self.wanted.push(Wanted { line: number, channel: *channel, content, from, until, settled: false });
                if let Some(exact) = exact {
                    self.moved(number, exact, true);
                }
            }
            Expectation::Condition(condition) => {
                self.close();
                let before = if self.at_message { self.cursor.saturating_add(1) } else { self.cursor };
                self.play.fire(before);
                if !self.given_up && !self.play.holds(*condition, self.cursor) {
                    let local = self.local(self.cursor);
                    self.fail(number, format!("this does not hold at {local}"), Vec::new());
                }
                if let Some(slot) = self.times.get_mut(number) {
                    *slot = Some(self.cursor);
                }
            }
            Expectation::Nothing
            | Expectation::NothingElse
            | Expectation::NoMessage { .. }
            | Expectation::Skipped { .. } => {}
        }
    }

    /// Leads the person on until the expected message has come whose time is not named.
    fn close(&mut self) {
        let Some(open) = self.open.take().filter(|_| !self.given_up) else { return };
        let before = self.play.clone();
        let limit = self.later(REST);
        let exact = self.wanted.iter().filter(|wanted| wanted.until < i64::MAX).map(|wanted| wanted.until).max();
        if let Some(exact) = exact {
            self.play.fire(exact.saturating_add(1));
        }
        loop {
            for number in 0..=open {
                self.settle(number);
            }
            if self.wanted.get(open).is_none_or(|wanted| wanted.settled) {
                return;
            }
            match self.play.next_due().filter(|due| *due <= limit) {
                Some(due) => self.play.fire(due.saturating_add(1)),
                None => break,
            }
        }
        // What comes later counts from a message that never came: from here on only the timeline is told.
        self.play = before;
        self.given_up = true;
    }

    /// An expected message whose time is not named must come before the next happening, if it stands before it.
    fn close_before(&mut self, at: i64) {
        let Some(open) = self.open.take() else { return };
        if let Some(wanted) = self.wanted.get_mut(open) {
            wanted.until = wanted.until.min(at);
        }
    }

    /// Looks for an expected message among those that have come.
    fn settle(&mut self, number: usize) {
        let Some(wanted) = self.wanted.get(number).filter(|wanted| !wanted.settled) else { return };
        let fits = |(place, effect): &(usize, &Effect)| {
            message(effect, self.case.journey).is_some_and(|message| {
                message.channel == wanted.channel
                    && (wanted.from..=wanted.until).contains(&effect.time)
                    && says(&message.content, wanted.content)
                    && !self.matched.contains(place)
            })
        };
        let Some((place, effect)) = self.play.effects.iter().enumerate().find(fits) else { return };
        let (time, line) = (effect.time, wanted.line);
        self.matched.push(place);
        if let Some(wanted) = self.wanted.get_mut(number) {
            wanted.settled = true;
        }
        if self.times.get(line).is_some_and(Option::is_none) {
            if number + 1 == self.wanted.len() {
                self.moved(line, time, true);
            } else if let Some(slot) = self.times.get_mut(line) {
                *slot = Some(time);
            }
        }
    }

    fn finish(mut self) -> Verdict {
        let exact = self.wanted.iter().filter(|wanted| wanted.until < i64::MAX).map(|wanted| wanted.until).max();
        let limit = self.play.in_zone(|zone| calendar::add(zone, self.happened, REST)).max(exact.unwrap_or(i64::MIN));
        self.play.fire(limit.saturating_add(1));
        for number in 0..self.wanted.len() {
            self.settle(number);
        }
        let case = self.case;
        for (number, line) in case.lines.iter().enumerate() {
            if let TestLineKind::Expect(expectation) = &line.kind {
                self.conclude(number, expectation);
            }
        }
        self.failures.sort_by_key(|(line, _)| *line);
        if self.given_up {
            // What follows the message that did not come was not judged.
            self.failures.truncate(1);
        }
        let wrong: Vec<usize> = self.failures.iter().map(|(line, _)| *line).collect();
        let strict = case
            .lines
            .iter()
            .any(|line| matches!(line.kind, TestLineKind::Expect(Expectation::Nothing | Expectation::NothingElse)));
        let words = Words::new(self.play.engine.program());
        let local = |time| self.local(time);
        let expected = timeline::expected(case, &self.times, &wrong, &words, &local);
        let surplus = |place: usize| strict && !wrong.is_empty() && !self.matched.contains(&place);
        let actual = timeline::actual(case, &self.play.effects, surplus, &words, &local);
        Verdict { failures: self.failures.into_iter().map(|(_, failure)| failure).collect(), expected, actual }
    }

    /// Judges what is judged at the end.
    fn conclude(&mut self, number: usize, expectation: &Expectation) {
        let words = Words::new(self.play.engine.program());
        let journey = self.case.journey;
        let came = |of: &dyn Fn(usize, &Message) -> bool| -> Vec<(Span, String)> {
            let messages = self.play.effects.iter().enumerate().filter_map(|(place, effect)| {
                let message = message(effect, journey).filter(|message| of(place, message))?;
                let what = words.message(message.channel, &message.content);
                Some((words.step(message.at)?, format!("{what} came at {}", self.local(effect.time))))
            });
            messages.collect()
        };
        let (message, steps) = match expectation {
            Expectation::Message { channel, content, .. } => {
                let Some(wanted) = self.wanted.iter().find(|wanted| wanted.line == number && !wanted.settled) else {
                    return;
                };
                let what = timeline::awaited(&words, *channel, content.as_ref());
                let when = match (wanted.from == wanted.until, wanted.until) {
                    (true, _) => format!("{what} at {}", self.local(wanted.until)),
                    (false, i64::MAX) => what,
                    (false, until) => format!("{what} up to {}", self.local(until)),
                };
                self.missing(when, *channel, content.as_ref(), &words)
            }
            Expectation::Nothing => {
                let steps = came(&|_, _| true);
                if steps.is_empty() {
                    return;
                }
                (format!("expected nothing, but {}", list(&steps)), steps)
            }
            Expectation::NothingElse => {
                let steps = came(&|place, _| !self.matched.contains(&place));
                if steps.is_empty() {
                    return;
                }
                (format!("expected nothing else, but {}", list(&steps)), steps)
            }
            Expectation::NoMessage { channel, content } => {
                let steps = came(&|_, message| message.channel == *channel && says(&message.content, content.as_ref()));
                if steps.is_empty() {
                    return;
                }
                (
                    format!(
                        "expected no {}, but {}",
                        timeline::awaited(&words, *channel, content.as_ref()),
                        list(&steps)
                    ),
                    steps,
                )
            }
            Expectation::Skipped { channel, content, because } => {
                let of = |effect: &Effect| {
                    skipped(effect, journey).is_some_and(|skip| {
                        skip.channel.is_none_or(|of| of == *channel) && says(&skip.content, content.as_ref())
                    })
                };
                let with_reason = |effect: &&Effect| {
                    let reason = skipped(effect, journey).map(|skip| skip.reason.word());
                    of(effect) && because.as_deref().is_none_or(|because| reason == Some(because))
                };
                if self.play.effects.iter().any(|effect| with_reason(&effect)) {
                    return;
                }
                let what = timeline::awaited(&words, *channel, content.as_ref());
                let other =
                    self.play.effects.iter().filter(|effect| of(effect)).filter_map(|effect| skipped(effect, journey));
                let steps: Vec<_> = other
                    .filter_map(|skip| {
                        Some((words.step(skip.at)?, format!("it was skipped because {}", skip.reason.word())))
                    })
                    .collect();
                let because = because.as_ref().map(|because| format!(" because {because}")).unwrap_or_default();
                let but = steps.first().map_or_else(|| "it was not".to_owned(), |(_, text)| text.clone());
                (format!("expected {what} to be skipped{because}, but {but}"), steps)
            }
            Expectation::Condition(_) => return,
        };
        self.fail(number, message, steps);
    }

    /// Why an expected message may not have come.
    fn missing(
        &self,
        wanted: String,
        channel: ChannelId,
        content: Option<&ExpectedContent>,
        words: &Words<'_>,
    ) -> (String, Vec<(Span, String)>) {
        let journey = self.case.journey;
        let mut steps = Vec::new();
        for (place, effect) in self.play.effects.iter().enumerate() {
            let at = self.local(effect.time);
            if let Some(message) = message(effect, journey) {
                if message.channel == channel && says(&message.content, content) && !self.matched.contains(&place) {
                    steps.extend(words.step(message.at).map(|span| (span, format!("it came at {at}"))));
                }
            } else if let Some(skip) = skipped(effect, journey) {
                if skip.channel.is_none_or(|of| of == channel) && says(&skip.content, content) {
                    let why = format!("it was skipped at {at}: {}", skip.reason.word());
                    steps.extend(words.step(skip.at).map(|span| (span, why)));
                }
            }
        }
        let but = steps.first().map_or_else(|| "it did not come".to_owned(), |(_, text)| text.clone());
        (format!("expected {wanted}, but {but}"), steps)
    }

    fn fail(&mut self, line: usize, message: String, mut steps: Vec<(Span, String)>) {
        steps.dedup_by_key(|(span, _)| *span);
        let span = self.case.lines.get(line).map_or(self.case.span, |line| line.span);
        self.failures.push((line, Failure { span, message, steps }));
    }

    /// A moment on the person's clock.
    fn local(&self, time: i64) -> String {
        self.play.in_zone(|zone| words::local(zone, time))
    }
}

/// The first of several messages in words, and how many more there are.
fn list(steps: &[(Span, String)]) -> String {
    match steps {
        [] => String::new(),
        [(_, only)] => only.clone(),
        [(_, first), rest @ ..] => format!("{first}, and {} more", rest.len()),
    }
}
