//! What was expected and what came, line by line.

use super::Entry;
use crate::calendar;
use crate::engine::effect::{Effect, EffectKind, MessageContent, Place, Why};
use crate::output::names::exit_text;
use flow_compiler::bytecode::{AttrId, ChannelId, JourneyId, Program};
use flow_compiler::testcase::{Expectation, ExpectedContent, Happening, TestCase, TestLineKind};
use flow_grammar::span::Span;
use jiff::tz::TimeZone;

/// A moment on a local clock: `2026-03-02 10:00`.
pub fn local(zone: &TimeZone, time: i64) -> String {
    let (day, ms) = calendar::to_local(zone, time);
    let mut text = String::new();
    calendar::push_date(&mut text, day);
    text.push(' ');
    calendar::push_time(&mut text, ms);
    text
}

/// The program's names.
pub struct Words<'p>(&'p Program);

impl<'p> Words<'p> {
    pub fn new(program: &'p Program) -> Self {
        Self(program)
    }

    pub fn step(&self, at: Place) -> Option<Span> {
        Some(self.0.journeys.get(at.journey.index())?.steps.get(at.step.index())?.span)
    }

    pub fn message(&self, channel: ChannelId, content: &MessageContent) -> String {
        match content {
            MessageContent::Template(name, _) => format!("{} {name}", self.channel(channel)),
            MessageContent::Text(text) => format!("{} \"{text}\"", self.channel(channel)),
        }
    }

    pub fn expected(&self, channel: ChannelId, content: Option<&ExpectedContent>) -> String {
        match content {
            None => self.channel(channel).to_owned(),
            Some(ExpectedContent::Template(name)) => format!("{} {name}", self.channel(channel)),
            Some(ExpectedContent::Text(text)) => format!("{} \"{text}\"", self.channel(channel)),
        }
    }

    fn channel(&self, id: ChannelId) -> &'p str {
        self.0.channels.get(id.index()).map_or("?", |channel| channel.name.as_str())
    }

    fn journey(&self, id: JourneyId) -> &'p str {
        self.0.journeys.get(id.index()).map_or("?", |journey| journey.name.as_str())
    }

    fn attribute(&self, id: AttrId) -> &'p str {
        self.0.attributes.get(id.index()).map_or("?", |attribute| attribute.field.name.as_str())
    }

    fn happening(&self, happening: &Happening) -> String {
        match happening {
            Happening::Event(event, _) => {
                self.0.events.get(event.index()).map_or_else(String::new, |event| event.name.clone())
            }
            Happening::Attributes(values) => {
                let names: Vec<_> = values.iter().map(|(attribute, _)| self.attribute(*attribute)).collect();
                format!("user {}", names.join(", "))
            }
            Happening::List(list) => format!("list \"{}\"", self.0.lists.get(list.index()).map_or("?", String::as_str)),
        }
    }
}

/// What the test says, in order of time; what has no time of its own stands at the end.
pub fn expected(
    case: &TestCase,
    times: &[Option<i64>],
    wrong: &[usize],
    words: &Words<'_>,
    local: &dyn Fn(i64) -> String,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (number, line) in case.lines.iter().enumerate() {
        let text = match &line.kind {
            TestLineKind::At(_, happening) | TestLineKind::After(_, happening) => words.happening(happening),
            TestLineKind::Expect(Expectation::Message { channel, content, .. }) => {
                format!("expect {}", words.expected(*channel, content.as_ref()))
            }
            TestLineKind::Expect(Expectation::Nothing) => "expect nothing".to_owned(),
            TestLineKind::Expect(Expectation::NothingElse) => "expect nothing else".to_owned(),
            TestLineKind::Expect(Expectation::NoMessage { channel, content }) => {
                format!("expect no {}", words.expected(*channel, content.as_ref()))
            }
            TestLineKind::Expect(Expectation::Skipped { channel, content, because }) => {
                let because = because.as_ref().map(|because| format!(" because {because}")).unwrap_or_default();
                format!("expect skipped {}{because}", words.expected(*channel, content.as_ref()))
            }
            TestLineKind::Expect(Expectation::Condition(_)) => "expect a condition".to_owned(),
        };
        let time = times.get(number).copied().flatten();
        entries.push(Entry {
            time: time.unwrap_or(i64::MAX),
            local: time.map(local).unwrap_or_default(),
            text,
            step: None,
            wrong: wrong.contains(&number),
        });
    }
    entries.sort_by_key(|entry| entry.time);
    entries
}

/// What came about. `surplus` says which messages nobody expected.
pub fn actual(
    case: &TestCase,
    effects: &[Effect],
    surplus: impl Fn(usize) -> bool,
    words: &Words<'_>,
    local: &dyn Fn(i64) -> String,
) -> Vec<Entry> {
    let of = |journey: JourneyId| case.journey.is_none_or(|only| only == journey);
    let mut entries = Vec::new();
    for (place, effect) in effects.iter().enumerate() {
        let mut wrong = false;
        let (text, step) = match &effect.kind {
            EffectKind::Message(message) if of(message.at.journey) => {
                wrong = surplus(place);
                (words.message(message.channel, &message.content), words.step(message.at))
            }
            EffectKind::Skipped(skip) if of(skip.at.journey) => {
                let what = match (skip.channel, &skip.content) {
                    (Some(channel), content) => words.message(channel, content),
                    (None, MessageContent::Template(text, _) | MessageContent::Text(text)) => text.to_string(),
                };
                (format!("skipped {what}: {}", skip.reason.word()), words.step(skip.at))
            }
            EffectKind::Delayed { at, until } if of(at.journey) => {
                (format!("quiet until {}", local(*until)), words.step(*at))
            }
            EffectKind::Entered { journey, holdout } if of(*journey) => {
                let held = if *holdout { " (holdout)" } else { "" };
                (format!("enters {}{held}", words.journey(*journey)), None)
            }
            EffectKind::Left { journey, why } if of(*journey) => {
                let exits = words.0.journeys.get(journey.index()).map(|journey| journey.exits.as_slice());
                let why = match why {
                    Why::Finished => "finished".to_owned(),
                    Why::Restarted => "started over".to_owned(),
                    Why::Merged => "merged".to_owned(),
                    Why::Exit(number) => exits
                        .and_then(|exits| exits.get(usize::from(*number)))
                        .map_or_else(String::new, |exit| exit_text(words.0, exit)),
                };
                (format!("leaves {}: {why}", words.journey(*journey)), None)
            }
            EffectKind::Cut => ("a chain of causes is cut".to_owned(), None),
            _ => continue,
        };
        entries.push(Entry { time: effect.time, local: local(effect.time), text, step, wrong });
    }
    entries
}
