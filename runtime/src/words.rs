//! What came about, in plain words: for the timelines of failed tests and of `flowc why`.

use crate::calendar;
use crate::engine::aside::{Aside, Refusal};
use crate::engine::effect::{EffectKind, MessageContent, Place, SkipReason, Skipped, Why};
use crate::output::names::exit_text;
use crate::vm::text::push_json;
use crate::vm::value::Value;
use flow_compiler::bytecode::{AttrId, ChannelId, CodeId, EventId, Exit, JourneyId, Program};
use flow_grammar::span::Span;
use jiff::tz::TimeZone;

/// A moment on a local clock: `2026-03-02 10:00`.
#[must_use]
pub fn local(zone: &TimeZone, time: i64) -> String {
    let (day, ms) = calendar::to_local(zone, time);
    let mut text = String::new();
    calendar::push_date(&mut text, day);
    text.push(' ');
    calendar::push_time(&mut text, ms);
    text
}

/// Something that came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The words.
    pub text: String,
    /// A condition in the source, and the place in the text where it belongs.
    pub quoted: Option<(usize, Span)>,
    /// What in the source is behind it.
    pub place: Option<Span>,
    /// Of which journey.
    pub journey: Option<JourneyId>,
}

/// A text with a condition of the source set in between backticks at a place; `source` gives what stands at a span.
#[must_use]
pub fn with_quote<'s>(text: &str, quoted: Option<(usize, Span)>, source: impl FnOnce(Span) -> &'s str) -> String {
    /// Of a longer condition, the beginning is enough to find it by.
    const LONGEST: usize = 60;
    let Some((at, span)) = quoted else { return text.to_owned() };
    let mut words = source(span).split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = words.char_indices().nth(LONGEST) {
        words.truncate(cut);
        words.push('…');
    }
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    format!("{before}`{words}`{after}")
}

/// A program's names, and what is said with them.
#[derive(Clone, Copy, Debug)]
pub struct Words<'p>(&'p Program);

impl<'p> Words<'p> {
    /// Of a program.
    #[must_use]
    pub fn new(program: &'p Program) -> Self {
        Self(program)
    }

    /// Where a step was written.
    #[must_use]
    pub fn step(&self, at: Place) -> Option<Span> {
        Some(self.0.journeys.get(at.journey.index())?.steps.get(at.step.index())?.span)
    }

    /// `email cart_reminder`
    #[must_use]
    pub fn message(&self, channel: ChannelId, content: &MessageContent) -> String {
        let channel = self.channel(channel);
        match content {
            MessageContent::Template(name, _) => format!("{channel} {name}"),
            MessageContent::Text(text) => format!("{channel} \"{text}\""),
        }
    }

    /// A channel's name.
    #[must_use]
    pub fn channel(&self, id: ChannelId) -> &'p str {
        self.0.channels.get(id.index()).map_or("?", |channel| channel.name.as_str())
    }

    /// An event's name.
    #[must_use]
    pub fn event(&self, id: EventId) -> &'p str {
        self.0.events.get(id.index()).map_or("?", |event| event.name.as_str())
    }

    /// An attribute's name.
    #[must_use]
    pub fn attribute(&self, id: AttrId) -> &'p str {
        self.0.attributes.get(id.index()).map_or("?", |attribute| attribute.field.name.as_str())
    }

    /// A list's name.
    #[must_use]
    pub fn list(&self, id: flow_compiler::bytecode::ListId) -> &'p str {
        self.0.lists.get(id.index()).map_or("?", String::as_str)
    }

    fn journey(&self, id: JourneyId) -> &'p str {
        self.0.journeys.get(id.index()).map_or("?", |journey| journey.name.as_str())
    }

    /// An effect; none for what says nothing to people. `clock` writes a moment.
    #[must_use]
    pub fn effect(&self, kind: &EffectKind, clock: &dyn Fn(i64) -> String) -> Option<Told> {
        Some(match kind {
            EffectKind::Message(message) => self.at(message.at, self.message(message.channel, &message.content)),
            EffectKind::Skipped(skipped) => self.at(skipped.at, self.skipped(skipped)),
            EffectKind::Delayed { at, until } => self.at(*at, format!("quiet until {}", clock(*until))),
            EffectKind::Entered { journey, holdout } => {
                let held = if *holdout { " (holdout)" } else { "" };
                self.of(*journey, format!("enters {}{held}", self.journey(*journey)))
            }
            EffectKind::Left { journey, why } => self.left(*journey, *why),
            EffectKind::Converted { journey, .. } => {
                self.of(*journey, format!("converts in {}", self.journey(*journey)))
            }
            EffectKind::Audience { audience, added, at } => {
                let name = self.0.audiences.get(audience.index()).map_or("?", String::as_str);
                let text = if *added { format!("is added to {name}") } else { format!("is removed from {name}") };
                self.at(*at, text)
            }
            EffectKind::Request(request) => {
                let name = self.0.apis.get(request.api.index()).map_or("?", |api| api.name.as_str());
                self.at(request.at, format!("asks {name}"))
            }
            EffectKind::Reached(_) | EffectKind::Withdrawn(_) => return None,
            EffectKind::Cut => Told { text: "a chain of causes is cut".to_owned(), ..Told::default() },
            EffectKind::Aside(aside) => self.aside(aside, clock),
        })
    }

    fn skipped(&self, skipped: &Skipped) -> String {
        let what = match (skipped.channel, &skipped.content) {
            (Some(channel), content) => self.message(channel, content),
            (None, MessageContent::Template(text, _) | MessageContent::Text(text)) => text.to_string(),
        };
        format!("skipped {what}: {} ({})", skipped.reason.word(), self.reason(skipped.reason))
    }

    /// What the record's word for it means.
    fn reason(&self, reason: SkipReason) -> String {
        let words = match reason {
            SkipReason::Holdout => "people in the holdout get nothing",
            SkipReason::NoContact => "the contact is not known",
            SkipReason::InvalidContact => "the contact is none",
            SkipReason::Suppressed => "a bounce, a complaint or an unsubscribe closed the channel",
            SkipReason::NoConsent => "the topic's consent is not there",
            SkipReason::Cap(cap) => return self.cap(cap),
            SkipReason::Unreachable => "no channel reaches the person",
            SkipReason::MissingValue => "a value went missing during quiet hours",
            SkipReason::Rendering => "its text cannot be made",
        };
        words.to_owned()
    }

    /// `at most 3 messages per 7d`
    fn cap(&self, number: u16) -> String {
        let Some(cap) = self.0.policy.caps.get(usize::from(number)) else { return String::new() };
        let what = cap.channel.map_or("messages", |channel| self.channel(channel));
        format!("at most {} {what} per {}", cap.count, window(cap.window))
    }

    fn left(&self, journey: JourneyId, why: Why) -> Told {
        let name = self.journey(journey);
        let exit = |number: u16| self.0.journeys.get(journey.index())?.exits.get(usize::from(number));
        match why {
            Why::Finished => self.of(journey, format!("leaves {name}: finished")),
            Why::Restarted => self.of(journey, format!("leaves {name}: started over")),
            Why::Merged => self.of(journey, format!("leaves {name}: merged")),
            Why::Exit(number) => match exit(number) {
                Some(Exit::When(condition)) => {
                    self.condition(self.of(journey, format!("leaves {name}: exit when ")), condition.code, "")
                }
                Some(exit) => self.of(journey, format!("leaves {name}: {}", exit_text(self.0, exit))),
                None => self.of(journey, format!("leaves {name}")),
            },
        }
    }

    fn aside(&self, aside: &Aside, clock: &dyn Fn(i64) -> String) -> Told {
        match aside {
            Aside::Happened { event, fields, .. } => {
                Told { text: self.event(*event).to_owned() + &self.fields(*event, fields), ..Told::default() }
            }
            Aside::Changed { attribute, value } => {
                let text = format!("user.{} is {}", self.attribute(*attribute), value_text(value));
                Told { text, ..Told::default() }
            }
            Aside::NotEntered { journey, why } => {
                let text = format!("does not enter {}: ", self.journey(*journey));
                match why {
                    Refusal::Where(condition) => self.condition(self.of(*journey, text), *condition, " does not hold"),
                    Refusal::InFlight => self.of(*journey, text + "is in it already"),
                    Refusal::Entered(time) => self.of(*journey, format!("{text}entered at {}", clock(*time))),
                }
            }
            Aside::Decided { at, condition, holds } => {
                let told = Told { journey: Some(at.journey), ..Told::default() };
                self.condition(told, *condition, if *holds { " holds" } else { " does not hold" })
            }
        }
    }

    /// `{ cart_id: "c1", cart_value: 80 }`: what is known of an event.
    fn fields(&self, event: EventId, values: &[Value]) -> String {
        let declared = self.0.events.get(event.index()).map_or(&[][..], |event| &event.fields);
        let known = declared.iter().zip(values).filter(|(_, value)| **value != Value::Missing);
        let known: Vec<_> = known.map(|(field, value)| format!("{}: {}", field.name, value_text(value))).collect();
        if known.is_empty() {
            return String::new();
        }
        format!(" {{ {} }}", known.join(", "))
    }

    /// Adds a condition of the source to what is told.
    fn condition(&self, told: Told, code: CodeId, after: &str) -> Told {
        let spans = self.0.codes.get(code.index()).map_or(&[][..], |code| &code.spans);
        let file = spans.first().map(|span| span.file);
        let span = spans.iter().copied().filter(|span| Some(span.file) == file).reduce(Span::to);
        let quoted = span.map(|span| (told.text.len(), span));
        Told { text: told.text + after, quoted, place: span, ..told }
    }

    fn at(&self, at: Place, text: String) -> Told {
        Told { place: self.step(at), ..self.of(at.journey, text) }
    }

    fn of(&self, journey: JourneyId, text: String) -> Told {
        Told { text, journey: Some(journey), ..Told::default() }
    }
}

/// A window in its largest whole unit: `7d`, `36h`.
fn window(millis: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(calendar::DAY, "d"), (calendar::HOUR, "h"), (60_000, "m"), (1_000, "s")];
    let whole = UNITS.into_iter().find(|(unit, _)| millis % unit == 0);
    whole.map_or_else(|| format!("{millis} ms"), |(unit, name)| format!("{}{name}", millis / unit))
}

fn value_text(value: &Value) -> String {
    let mut text = Vec::new();
    push_json(&mut text, value);
    String::from_utf8(text).unwrap_or_default()
}
