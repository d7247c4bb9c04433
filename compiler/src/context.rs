//! What all parts of the compilation share: the program as it grows, the names so far, and what
//! there is to say.

use crate::bytecode::{
    ApiId, ChannelId, CodeId, Const, ConstId, EventId, JourneyId, MessageSlot, Outcome, Program, SegmentId, Slot,
    TopicId, TriggerField,
};
use crate::compile::ProjectInput;
use crate::diagnostic::Diagnostic;
use crate::lower::CodeFacts;
use crate::node::{Known, Node};
use crate::others::Elsewhere;
use crate::schema::Schema;
use crate::template::Trees;
use crate::types::{Kind, Ty};
use flow_grammar::span::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The compilation of one project.
pub(crate) struct Cx<'a> {
    pub input: &'a ProjectInput,
    /// The templates, parsed.
    pub trees: Rc<Trees>,
    pub program: Program,
    pub schema: Schema<'a>,
    /// The file whose journeys and tests are looked at; none: all.
    pub only: Option<FileId>,
    /// The item of that file whose journey or test is looked at; none: all of them.
    pub only_item: Option<Span>,
    /// What the other files do, where they are not looked at.
    pub elsewhere: Elsewhere,
    pub diagnostics: Vec<Diagnostic>,
    /// Where the grammar found mistakes.
    pub syntax_errors: Vec<Span>,
    /// Types of expressions, for listings.
    pub types: BTreeMap<Span, String>,
    /// What names stand for, for editors.
    pub references: Vec<(Span, crate::symbols::Symbol)>,
    /// Beside [`Program::codes`].
    pub facts: Vec<CodeFacts>,
    /// What the places that send templates provide.
    pub sent: crate::template::Senders,
    /// Codes and constants by what they are, so that equal ones are one.
    pub shared_codes: BTreeMap<String, CodeId>,
    pub constants: BTreeMap<String, ConstId>,
    /// The journey at hand.
    pub journey: Option<JourneyCx>,
    /// Whether the name at hand should be that of a segment or fence.
    pub segment_wanted: bool,
    /// `start` steps, to be checked against the journeys that they start.
    pub starts: Vec<(Span, JourneyId)>,
    /// Journeys whose in-flight history a query needs, by event.
    pub in_flight: BTreeMap<EventId, BTreeSet<JourneyId>>,
    /// Outcome events whose whole history `best hour` looks at.
    pub best_hours: BTreeSet<EventId>,
    /// Segments that are read by name in each segment's condition, with the place.
    pub segment_uses: BTreeMap<SegmentId, Vec<(SegmentId, Span)>>,
}

/// The journey that is being compiled.
pub(crate) struct JourneyCx {
    pub id: JourneyId,
    pub topic: TopicId,
    /// Events whose fields the trigger has.
    pub events: Vec<EventId>,
    /// Whether it can also begin without an event.
    pub fieldless: bool,
    /// Whether a trigger could not be understood: then a name may be a field of it, and nobody reports it twice.
    pub broken: bool,
    pub fields: Vec<TriggerField>,
    /// Those of them whose value is read, not only part of the key of the entry.
    pub read: BTreeSet<String>,
    pub slots: u16,
    pub messages: u16,
    pub bound: Vec<Bound>,
    /// Whether something in the header ends it however long a wait is.
    pub bounded: bool,
}

/// A name bound in a journey.
pub(crate) struct Bound {
    pub name: String,
    pub binding: Binding,
    pub span: Span,
    /// Bound in the other branch of a choice: it may be bound again.
    pub sibling: bool,
}

/// What a name bound in a journey stands for.
#[derive(Clone, Debug)]
pub(crate) enum Binding {
    /// A value of a `for`.
    Const(Const, Kind),
    /// The answer of a `fetch`; the flag: it is always there.
    Slot(Slot, Ty),
    /// A message.
    Message(MessageSlot),
}

/// What an expression may refer to.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// The fields of the innermost `where`, or the parameters of an api.
    pub frame: Option<Frame>,
    /// Whose fields `trigger.x` means.
    pub trigger: TriggerAccess,
    /// What an event without a window means.
    pub bare: Bare,
    /// Whether anything about the person may be read (not in an api).
    pub person: bool,
    /// The segment that is being defined.
    pub segment: Option<SegmentId>,
    pub known: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Event(EventId),
    Params(ApiId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TriggerAccess {
    /// There is no trigger.
    None,
    /// The event under test is the trigger.
    Frame(EventId),
    /// The fields that the instance keeps.
    Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    /// Since this entry.
    Entry,
    /// An error: there is no entry.
    Error,
    /// Ever (in tests).
    Ever,
}

impl Scope {
    /// A place without an entry: segments, schedules, dates.
    pub fn outside() -> Self {
        Self {
            frame: None,
            trigger: TriggerAccess::None,
            bare: Bare::Error,
            person: true,
            segment: None,
            known: Known::default(),
        }
    }
    /// Inside a journey, after the entry.
    pub fn inside(known: Known) -> Self {
        Self { trigger: TriggerAccess::Kept, bare: Bare::Entry, known, ..Self::outside() }
    }
    /// The `where` of an event in this place.
    pub fn of_event(&self, event: EventId) -> Self {
        let mut scope = self.clone();
        scope.frame = Some(Frame::Event(event));
        scope.known.leave_frame();
        scope
    }
    /// The same place when more is known.
    pub fn knowing(&self, paths: &[crate::node::Path]) -> Self {
        let mut scope = self.clone();
        scope.known = self.known.with(paths);
        scope
    }
}

impl Cx<'_> {
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether something in this place could not be understood: what seems to be missing may stand there.
    pub fn is_broken(&self, place: Span) -> bool {
        let inside = |span: Span| span.file == place.file && place.start <= span.start && span.end <= place.end;
        self.syntax_errors.iter().any(|span| inside(*span))
    }

    /// The source that a span covers.
    pub fn text(&self, span: Span) -> &str {
        self.input.files.get(span.file.0 as usize).map_or("", |file| span.text(&file.text))
    }

    /// The source that a span covers, on one line.
    pub fn folded(&self, span: Span) -> String {
        self.text(span).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub fn show(&self, ty: &Ty) -> String {
        ty.show(&self.program.types)
    }

    /// A type in a sentence: `a number`, `an email that may be missing`.
    pub fn show_a(&self, ty: &Ty) -> String {
        let may = if ty.optional { " that may be missing" } else { "" };
        let shown = ty.kind.show(&self.program.types);
        let article = match (&ty.kind, shown.chars().next()) {
            (Kind::OneOf(_) | Kind::Poison, _) => "",
            (_, Some('a' | 'e' | 'i' | 'o' | 'u')) => "an ",
            _ => "a ",
        };
        format!("{article}{shown}{may}")
    }

    /// Remembers an expression's type for listings.
    pub fn note_type(&mut self, node: &Node) {
        if !node.is_poison() {
            let shown = node.ty.show(&self.program.types);
            self.types.insert(node.span, shown);
        }
    }

    pub fn topic(&mut self, name: &str) -> TopicId {
        if let Some(id) = self.schema.topics.get(name) {
            return *id;
        }
        let id = TopicId(index(self.program.topics.len()));
        let topic =
            crate::bytecode::Topic { name: name.into(), transactional: name == "transactional", required: false };
        self.program.topics.push(topic);
        self.schema.topics.insert(name.into(), id);
        id
    }

    pub fn channel_name(&self, id: ChannelId) -> &str {
        self.program.channels.get(id.index()).map_or("", |c| &c.name)
    }

    /// The event that tells what became of any message of a channel.
    pub fn outcome_event(&mut self, channel: ChannelId, outcome: Outcome) -> EventId {
        let name = format!("{}.{}", self.channel_name(channel), outcome.word());
        let id = match self.schema.events.get(&name) {
            Some(id) => *id,
            None => self.add_outcome_event(name, channel, outcome),
        };
        self.use_event(id);
        id
    }

    fn add_outcome_event(&mut self, name: String, channel: ChannelId, outcome: Outcome) -> EventId {
        let template = crate::bytecode::Field {
            name: "template".into(),
            wire: "template".into(),
            ty: crate::bytecode::Type::Text,
            optional: true,
            default: None,
        };
        let id = EventId(index(self.program.events.len()));
        self.program.events.push(crate::bytecode::Event {
            name: name.clone(),
            wire: name.clone(),
            fields: vec![template],
            origin: crate::bytecode::Origin::BuiltIn,
            outcome: Some((channel, outcome)),
            history: crate::bytecode::History::default(),
            used: false,
        });
        self.schema.events.insert(name, id);
        id
    }

    pub fn use_event(&mut self, id: EventId) {
        if let Some(event) = self.program.events.get_mut(id.index()) {
            event.used = true;
        }
    }
}

/// A length as an index; tables beyond four thousand million entries do not occur.
pub(crate) fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
