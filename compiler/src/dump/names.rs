//! Ids back to names, and codes back to the text they came from.

use super::one_line;
use crate::bytecode::{
    ApiId, AttrId, AudienceId, ChannelId, CodeId, Content, EventId, Journey, JourneyId, ListId, Program, SegmentId,
    Send, Step, StepKind, TopicId, Trigger, Until, WaitedEvent,
};
use crate::compile::SourceFile;
use crate::graph::constant;
use crate::show;
use flow_grammar::span::Span;

/// Longer source texts are cut.
const LONGEST: usize = 72;

/// A program with the source that it came from.
pub struct Names<'p> {
    /// The program.
    pub program: &'p Program,
    files: &'p [SourceFile],
}

impl<'p> Names<'p> {
    /// Of a program and the files that it was compiled from.
    #[must_use]
    pub fn new(program: &'p Program, files: &'p [SourceFile]) -> Self {
        Self { program, files }
    }

    /// The source text of a span, on one line.
    #[must_use]
    pub fn text(&self, span: Span) -> String {
        let text = self.files.get(span.file.0 as usize).map_or("", |file| span.text(&file.text));
        let text = one_line(text);
        match text.char_indices().nth(LONGEST) {
            Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
            None => text,
        }
    }

    /// A code as the text that it came from; a constant as its value.
    #[must_use]
    pub fn code(&self, id: CodeId) -> String {
        if let Some(value) = constant(self.program, id) {
            return show::constant(value);
        }
        let Some(code) = self.program.codes.get(id.index()) else { return format!("code {}", id.0) };
        let whole = code.spans.iter().copied().filter(|span| !span.is_empty()).reduce(|a, b| {
            if a.file == b.file {
                a.to(b)
            } else {
                a
            }
        });
        whole.map_or_else(|| format!("code {}", id.0), |span| self.text(span))
    }

    /// An event's name.
    #[must_use]
    pub fn event(&self, id: EventId) -> &'p str {
        self.program.events.get(id.index()).map_or("?", |event| &event.name)
    }

    /// An attribute's name.
    #[must_use]
    pub fn attribute(&self, id: AttrId) -> &'p str {
        self.program.attributes.get(id.index()).map_or("?", |attribute| &attribute.field.name)
    }

    /// A channel's name.
    #[must_use]
    pub fn channel(&self, id: ChannelId) -> &'p str {
        self.program.channels.get(id.index()).map_or("?", |channel| &channel.name)
    }

    /// A topic's name.
    #[must_use]
    pub fn topic(&self, id: TopicId) -> &'p str {
        self.program.topics.get(id.index()).map_or("?", |topic| &topic.name)
    }

    /// A segment's name.
    #[must_use]
    pub fn segment(&self, id: SegmentId) -> &'p str {
        self.program.segments.get(id.index()).map_or("?", |segment| &segment.name)
    }

    /// An API's name.
    #[must_use]
    pub fn api(&self, id: ApiId) -> &'p str {
        self.program.apis.get(id.index()).map_or("?", |api| &api.name)
    }

    /// An audience's name.
    #[must_use]
    pub fn audience(&self, id: AudienceId) -> &'p str {
        self.program.audiences.get(id.index()).map_or("?", |name| name)
    }

    /// A list's name.
    #[must_use]
    pub fn list(&self, id: ListId) -> &'p str {
        self.program.lists.get(id.index()).map_or("?", |name| name)
    }

    /// A journey's name.
    #[must_use]
    pub fn journey(&self, id: JourneyId) -> &'p str {
        self.program.journeys.get(id.index()).map_or("?", |journey| &journey.name)
    }

    /// A trigger, as its clause reads.
    #[must_use]
    pub fn trigger(&self, trigger: &Trigger) -> String {
        match trigger {
            Trigger::Event { event, filter } => self.matched(self.event(*event), *filter),
            Trigger::Without { event, filter, without, without_filter, within } => format!(
                "{} without {} within {}",
                self.matched(self.event(*event), *filter),
                self.matched(self.event(*without), *without_filter),
                show::duration(*within)
            ),
            Trigger::Enter(segment) => format!("enter {}", self.segment(*segment)),
            Trigger::Leave(segment) => format!("leave {}", self.segment(*segment)),
            Trigger::Change { attribute, filter } => {
                self.matched(&format!("change user.{}", self.attribute(*attribute)), *filter)
            }
            Trigger::Date { date, yearly, at, .. } => {
                let yearly = if *yearly { " yearly" } else { "" };
                format!("date {}{yearly} at {}", self.code(*date), show::time(*at))
            }
            Trigger::Every { days, at, audience } => {
                let audience = audience.map(|code| format!(" for {}", self.code(code))).unwrap_or_default();
                format!("every {} at {}{audience}", show::days(*days), show::time(*at))
            }
            Trigger::List(list) => format!("list {:?}", self.list(*list)),
        }
    }

    /// Something with its `where`.
    fn matched(&self, what: &str, filter: Option<CodeId>) -> String {
        filter.map_or_else(|| what.to_owned(), |code| format!("{what} where {}", self.code(code)))
    }

    /// What a step does, in a few words, without its targets.
    #[must_use]
    pub fn step(&self, journey: &Journey, step: &Step) -> String {
        match &step.kind {
            StepKind::Wait(code) => format!("wait {}", self.code(*code)),
            StepKind::WaitMoment { at, bound, .. } => {
                format!("wait until {}{}", self.code(*at), self.bound(bound.as_ref()))
            }
            StepKind::WaitDays { days, at } => format!("wait until {} {}", show::days(*days), show::time(*at)),
            StepKind::WaitCondition { condition, bound, .. } => {
                format!("wait until {}{}", self.code(condition.code), self.bound(bound.as_ref()))
            }
            StepKind::WaitEvent { events, bound, .. } => {
                let events: Vec<String> = events.iter().map(|event| self.waited(journey, event)).collect();
                format!("wait for {}{}", events.join(", "), self.bound(bound.as_ref()))
            }
            StepKind::WaitWithin { from, to, days } => {
                let days = if *days == [true; 7] { String::new() } else { format!(" on {}", show::days(*days)) };
                format!("wait within {} to {}{days}", show::time(*from), show::time(*to))
            }
            StepKind::WaitBestHour { channel, within } => {
                format!("wait for best hour of {} within {}", self.channel(*channel), show::duration(*within))
            }
            StepKind::Branch { condition, .. } => format!("if {}", self.code(*condition)),
            StepKind::Jump(_) => "go on".to_owned(),
            StepKind::Split { .. } => "split".to_owned(),
            StepKind::Send(send) => self.send(send),
            StepKind::Set { .. } => self.text(step.span),
            StepKind::Fetch { api, args, slot, .. } => {
                let args: Vec<String> = args.iter().map(|code| self.code(*code)).collect();
                let word = if slot.is_some() { "fetch" } else { "call" };
                format!("{word} {}({})", self.api(*api), args.join(", "))
            }
            StepKind::Audience { audience, add: true } => format!("add to {}", self.audience(*audience)),
            StepKind::Audience { audience, add: false } => format!("remove from {}", self.audience(*audience)),
            StepKind::Emit { event, .. } => format!("emit {}", self.event(*event)),
            StepKind::Start(journey) => format!("start {}", self.journey(*journey)),
            StepKind::RepeatBegin { .. } => "repeat".to_owned(),
            StepKind::RepeatNext { every, times, .. } => {
                let every = every.map(|code| format!(" every {}", self.code(code))).unwrap_or_default();
                let times = times.map(|n| format!(" up to {n} times")).unwrap_or_default();
                format!("next round{every}{times}")
            }
            StepKind::Together { .. } => "together".to_owned(),
            StepKind::Join => "join".to_owned(),
            StepKind::End => "end".to_owned(),
        }
    }

    /// ` up to 2d`, ` until user.due - 5d`
    fn bound(&self, bound: Option<&Until>) -> String {
        match bound {
            Some(Until::For(code)) => format!(" up to {}", self.code(*code)),
            Some(Until::Moment(code, _)) => format!(", until {}", self.code(*code)),
            None => String::new(),
        }
    }

    fn waited(&self, journey: &Journey, event: &WaitedEvent) -> String {
        match event {
            WaitedEvent::Event { event, filter } => self.matched(self.event(*event), *filter),
            WaitedEvent::Outcome(slot, outcome) => {
                let named = journey.steps.iter().find(|step| match &step.kind {
                    StepKind::Send(send) => send.message == Some(*slot),
                    _ => false,
                });
                let name = named.map_or("?", |step| step.identity.as_str());
                format!("{name}.{}", outcome.word())
            }
        }
    }

    /// `email cart_reminder`, `send offer via push or email`
    #[must_use]
    pub fn send(&self, send: &Send) -> String {
        let content = match &send.content {
            Content::Template(name) => name.clone(),
            Content::Text(code) => self.code(*code),
        };
        match send.channels.as_slice() {
            [channel] => format!("{} {content}", self.channel(*channel)),
            channels => {
                let names: Vec<&str> = channels.iter().map(|channel| self.channel(*channel)).collect();
                format!("send {content} via {}", names.join(if send.all { " and " } else { " or " }))
            }
        }
    }
}
