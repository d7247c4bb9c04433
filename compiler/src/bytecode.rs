//! The program that the engine runs: what is left of a project when every question is settled.
//!
//! A [`Program`] holds no names that still have to be looked up and no types that still have to be
//! checked. Expressions are register code ([`Code`]), bodies of journeys are lists of [`Step`]s
//! with jump targets. Everything is an index into one of the program's tables; `verify` proves once
//! that every index is in range, so that the engine's look-ups cannot miss.
//!
//! # Code
//!
//! Each operation names the register it writes first. Registers hold one value each; a value may
//! be *missing*. Code has no side effects and always ends: jumps go forward only. Its result is
//! what [`Op::Return`] names.
//!
//! Conditions whose value changes when only time passes say so while they are evaluated: the
//! operations marked *(moves)* tell the evaluator the earliest instant at which their value could
//! be another one, so that the engine can set a timer for exactly then.

use flow_grammar::span::Span;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// The place in its table.
            #[must_use]
            pub fn index(self) -> usize { self.0 as usize }
        }
    )*};
}
index! {
    /// Into [`Program::events`].
    EventId,
    /// Into [`Program::attributes`].
    AttrId,
    /// Into [`Program::channels`].
    ChannelId,
    /// Into [`Program::topics`].
    TopicId,
    /// Into [`Program::types`].
    TypeId,
    /// Into [`Program::segments`].
    SegmentId,
    /// Into [`Program::apis`].
    ApiId,
    /// Into [`Program::audiences`].
    AudienceId,
    /// Into [`Program::lists`].
    ListId,
    /// Into [`Program::journeys`].
    JourneyId,
    /// Into [`Program::queries`].
    QueryId,
    /// Into [`Program::codes`].
    CodeId,
    /// Into [`Program::constants`].
    ConstId,
    /// Into [`Journey::steps`].
    StepId,
}

/// A register of a [`Code`].
pub type Reg = u16;
/// A place for a value bound in a journey (`fetch`, a counter), in `0..Journey::slots`.
pub type Slot = u16;
/// A place for a message bound with `as`, in `0..Journey::messages`.
pub type MessageSlot = u16;

/// A checked project, ready to run. Build one with `compile`; it is immutable from then on.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The project's name.
    pub name: String,
    /// IANA name of the zone of people whose zone is not known.
    pub timezone: String,
    /// The attribute that holds a person's zone (`timezone`, of type timezone), if declared.
    pub timezone_attr: Option<AttrId>,
    /// The attribute that holds a person's locale (`locale`), if declared.
    pub locale_attr: Option<AttrId>,
    /// `user.id`, if the program reads it: the attribute whose value is the person's id (the engine answers
    /// it; no trait sets it).
    pub id_attr: Option<AttrId>,
    /// Declared and inferred events, then those that Flow knows itself.
    pub events: Vec<Event>,
    /// The attributes of a person.
    pub attributes: Vec<Attribute>,
    /// The channels.
    pub channels: Vec<Channel>,
    /// The topics that the program names; see [`Program::transactional`].
    pub topics: Vec<Topic>,
    /// Record types.
    pub types: Vec<RecordType>,
    /// Named segments and fences, and the anonymous ones of `on enter (COND)`.
    pub segments: Vec<Segment>,
    /// The APIs.
    pub apis: Vec<Api>,
    /// Advertising audiences.
    pub audiences: Vec<String>,
    /// Imported lists.
    pub lists: Vec<String>,
    /// Templates by (name, channel): the locales there are (`""` for none).
    pub templates: BTreeMap<(String, ChannelId), Vec<String>>,
    /// What is asked of a person's history, each distinct question once.
    pub queries: Vec<Query>,
    /// Policies over all journeys.
    pub policy: Policy,
    /// The journeys, as declared.
    pub journeys: Vec<Journey>,
    /// All expression code.
    pub codes: Vec<Code>,
    /// All constants.
    pub constants: Vec<Const>,
    /// How many running totals a person keeps ([`Strategy::Running`]).
    pub running: u32,
}

/// A value written in the program.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Const {
    Missing,
    Bool(bool),
    Int(i64),
    Number(Decimal),
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Milliseconds since midnight.
    Time(u32),
    /// Milliseconds since 1970-01-01T00:00Z.
    Instant(i64),
    /// A local date and time without a zone: days since 1970-01-01 and milliseconds since midnight.
    Local(i32, u32),
    Duration(Duration),
    /// 0 is Monday.
    Weekday(u8),
    List(Vec<Const>),
    /// The fields in the order of their type.
    Record(Vec<Const>),
}

/// A length of time: calendar steps, then an exact part. All three may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Duration {
    /// Calendar months (a year is 12).
    pub months: i32,
    /// Calendar days (a week is 7).
    pub days: i32,
    /// Milliseconds.
    pub millis: i64,
}

impl Duration {
    /// The length as a window has it: days of 24 hours, months of 30 and years of 365 days. Milliseconds.
    #[must_use]
    pub fn window_millis(self) -> i64 {
        const DAY: i64 = 86_400_000;
        let (years, months) = (i64::from(self.months / 12), i64::from(self.months % 12));
        (years * 365 + months * 30 + i64::from(self.days)).saturating_mul(DAY).saturating_add(self.millis)
    }
}

/// The type of a value, without whether it may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Type {
    Text,
    Int,
    Number,
    Bool,
    Date,
    Time,
    DateTime,
    Duration,
    Email,
    Phone,
    Url,
    Timezone,
    Weekday,
    OneOf(Vec<String>),
    List(Box<Type>),
    Record(TypeId),
}

/// A field of an event or record, or a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What the program calls it.
    pub name: String,
    /// What the wire calls it.
    pub wire: String,
    /// Its type.
    pub ty: Type,
    /// Whether it may be missing.
    pub optional: bool,
    /// The value when it is not given.
    pub default: Option<Const>,
}

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What the program calls it (`email.opened` for the outcome events).
    pub name: String,
    /// What the wire calls it.
    pub wire: String,
    /// Its fields, in declared order; values of an event stand in this order.
    pub fields: Vec<Field>,
    /// Whether it was declared, inferred, or is one that Flow knows itself.
    pub origin: Origin,
    /// For an outcome event: the channel and what happened.
    pub outcome: Option<(ChannelId, Outcome)>,
    /// What the engine must remember of it.
    pub history: History,
    /// Whether anything in the program looks at it; an event that nobody looks at only moves the clock.
    pub used: bool,
}

/// Where a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Origin {
    Declared,
    Inferred,
    BuiltIn,
}

/// How long an event is remembered, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The last time (and order) of it is kept, whatever the log does.
    pub last: bool,
    /// A log of its occurrences.
    pub log: Option<Log>,
}

/// A log of occurrences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// Which fields are kept, ascending indices into the event's fields.
    pub fields: Vec<u16>,
    /// Occurrences younger than this are kept, in milliseconds; none: no window asks.
    pub window: Option<i64>,
    /// All are kept.
    pub forever: bool,
    /// Those since the oldest entry in flight of these journeys are kept.
    pub in_flight: Vec<JourneyId>,
    /// Occurrences younger than this are kept of everybody, in milliseconds: who did it can turn out to be somebody in
    /// flight, and what they did since that entry counts then.
    pub joined: Option<i64>,
}

/// An attribute of a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The attribute's field (name, wire name, type, default).
    pub field: Field,
    /// Journeys with `on change` of it, and other uses, want to hear of a change.
    pub watched: bool,
}

/// A channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// The attribute that holds the contact; none: no contact is needed.
    pub contact: Option<AttrId>,
}

/// A topic of consent.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// `transactional`: needs no consent and ignores caps and quiet hours.
    pub transactional: bool,
    /// Whether consent must have been given (`require consent for`), not only not withdrawn.
    pub required: bool,
}

/// A declared `type`.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordType {
    /// Its name.
    pub name: String,
    /// Its fields; values stand in this order.
    pub fields: Vec<Field>,
}

/// A set of people, by a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its name, or the text of the condition for an anonymous one.
    pub name: String,
    /// Who is in it.
    pub condition: Condition,
    /// Whether any journey enters or leaves by it: only then does the engine follow it.
    pub followed: bool,
    /// Where it was declared.
    pub span: Span,
}

/// Code of type bool that the engine may have to follow over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The code.
    pub code: CodeId,
    /// What its value depends on, besides time.
    pub deps: Deps,
}

/// What a code's value depends on: when none of these changes and no instant that the evaluation
/// named is reached, the value stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deps {
    /// Events whose history is read, ascending.
    pub events: Vec<EventId>,
    /// Attributes that are read, ascending; the zone attribute where the calendar is used.
    pub attributes: Vec<AttrId>,
    /// Whether `can` is asked: contacts, consent, suppression.
    pub reach: bool,
    /// Whether outcomes of messages bound with `as` are read.
    pub outcomes: bool,
    /// Whether time alone can change the value.
    pub moves: bool,
}

/// A circle on the earth.
#[derive(Clone, Debug, PartialEq)]
pub struct Fence {
    /// Degrees north.
    pub latitude: Decimal,
    /// Degrees east.
    pub longitude: Decimal,
    /// Metres.
    pub radius: Decimal,
}

/// Something outside that can be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// Its name.
    pub name: String,
    /// What a call gives, in order.
    pub params: Vec<Field>,
    /// What it answers, and whether that may be missing.
    pub answer: Option<(Type, bool)>,
    /// HTTP method, in capitals, and the address as code over the parameters (as [`Op::Field`]).
    pub request: Option<(String, CodeId)>,
    /// Header names with the environment variable (`Err`) or the code of the text (`Ok`).
    pub headers: Vec<(String, Result<CodeId, String>)>,
    /// The JSON body's fields.
    pub body: Vec<(String, CodeId)>,
    /// Milliseconds.
    pub timeout: i64,
}

/// A question to a person's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Of which event.
    pub event: EventId,
    /// In which stretch of time.
    pub window: QueryWindow,
    /// Which of them; evaluated with the event's kept fields as [`Op::Field`] (indices into the event's
    /// fields), and with the journey's trigger when `free` is set.
    pub filter: Option<CodeId>,
    /// Whether the filter reads anything but constants and the event's own fields.
    pub free: bool,
    /// What is asked.
    pub answer: QueryAnswer,
    /// How the engine finds the answer.
    pub strategy: Strategy,
    /// Where it was asked first.
    pub span: Span,
}

/// The window of a query. Every window is closed at `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryWindow {
    /// After this entry (by time, then by order).
    Entry,
    /// Later than `now` minus these milliseconds.
    Last(i64),
    /// All.
    Ever,
    /// At or after an instant that the operation gives.
    Since,
}

/// What a query answers. Fields are indices into the event's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum QueryAnswer {
    /// A bool.
    Exists,
    /// An int.
    Count,
    Sum(u16),
    Min(u16),
    Max(u16),
    Avg(u16),
    /// A field of the first (or last) one, by (time, order).
    FirstField(u16),
    LastField(u16),
    /// The time of the first (or last) one.
    FirstTime,
    LastTime,
}

/// How a query finds its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// From the last occurrence alone ([`History::last`]): `Exists` and `LastTime` without a filter.
    Last,
    /// From a running total kept per person, in this cell of `0..Program::running()`: `ever` with a filter
    /// that is not free.
    Running(u32),
    /// From the log.
    Log,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Outcome {
    Delivered,
    Opened,
    Clicked,
    Bounced,
    Replied,
    Complained,
    Unsubscribed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Delivered,
        Self::Opened,
        Self::Clicked,
        Self::Bounced,
        Self::Replied,
        Self::Complained,
        Self::Unsubscribed,
    ];
    /// The word for it, as in `reminder.clicked`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Opened => "opened",
            Self::Clicked => "clicked",
            Self::Bounced => "bounced",
            Self::Replied => "replied",
            Self::Complained => "complained",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// Register code of one expression.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Code {
    /// The operations.
    pub ops: Vec<Op>,
    /// Where each operation comes from, as long as `ops`.
    pub spans: Vec<Span>,
    /// How many registers it needs.
    pub registers: u16,
}

/// One operation. "Missing" operands follow the language: a comparison with a missing value is
/// false, arithmetic with one is missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `dst = constant`
    Const(Reg, ConstId),
    /// `dst = src`
    Copy(Reg, Reg),
    /// `dst =` the person's attribute, or its default.
    Attr(Reg, AttrId),
    /// `dst =` a field of the trigger: index into [`Journey::trigger_fields`].
    Trigger(Reg, u16),
    /// `dst =` a field of the event under test (in a `where`), of the arguments (in an API), index into its fields.
    Field(Reg, u16),
    /// `dst =` the time of the entry.
    EntryTime(Reg),
    /// `dst =` a value bound in the journey.
    Slot(Reg, Slot),
    /// `dst = record.field`; missing when the record is.
    Member(Reg, Reg, u16),
    /// `dst =` the present instant *(moves; only inside [`Op::CompareMoving`], a step function or where nobody follows the value)*
    Now(Reg),
    /// `dst =` the local date *(moves: at local midnight)*
    Today(Reg),
    /// `dst = not src`
    Not(Reg, Reg),
    /// `dst = -src`
    Negate(Reg, Reg),
    /// `dst = a op b`; see [`Arith`].
    Arith(Arith, Reg, Reg, Reg),
    /// `dst = a cmp b`, a bool.
    Compare(Compare, Reg, Reg, Reg),
    /// `dst = a cmp b` where at least one side moves with `now`: each side is a code of its own, whose value
    /// never falls as `now` grows (or never rises). *(moves: at the exact instant at which the order of the two changes)*
    CompareMoving(Compare, Reg, CodeId, CodeId),
    /// `dst =` a step function of `now`: code whose value changes at local hours or midnights only. The code
    /// is evaluated at `now`. *(moves: the evaluator finds the next change)*
    StepMoving(Reg, CodeId, StepGrain),
    /// `dst = value in list`: whether any element equals it.
    In(Reg, Reg, Reg),
    /// `dst = a contains b`: a text in a text, or an element in a list.
    Contains(Reg, Reg, Reg),
    /// `dst = a starts with b`
    StartsWith(Reg, Reg, Reg),
    /// `dst = a ends with b`
    EndsWith(Reg, Reg, Reg),
    /// `dst =` whether `src` is known (not missing).
    IsKnown(Reg, Reg),
    /// `dst =` a list of the `count` registers from `first`.
    List(Reg, Reg, u16),
    /// `dst =` a text: the parts of an interpolation, `count` registers from `first`, formatted. Missing if
    /// any part is (which the checker excludes).
    Concat(Reg, Reg, u16),
    /// `dst = function(count registers from first)`
    Call(Function, Reg, Reg, u16),
    /// `dst =` the answer of a query; the register holds the start of [`QueryWindow::Since`] *(moves with a window)*
    Query(Reg, QueryId, Option<Reg>),
    /// `dst =` whether the person satisfies the segment now *(moves)*
    InSegment(Reg, SegmentId),
    /// `dst =` whether the latest location lies in the fence: (by the latest `location` event).
    InFence(Reg, Box<Fence>),
    /// `dst =` whether a message of the topic could be sent on the channel.
    Can(Reg, ChannelId, TopicId),
    /// `dst =` whether this became of the message bound with `as`.
    Outcome(Reg, MessageSlot, Outcome),
    /// `dst =` whole units from the first time to the second; see `docs/decisions.md`.
    Between(Unit, Reg, Reg, Reg),
    /// Go on at an operation further down.
    Jump(u32),
    /// Go on there when the register holds true.
    JumpIf(Reg, u32),
    /// Go on there when it does not hold true.
    JumpIfNot(Reg, u32),
    /// Go on there when the register holds a value.
    JumpIfKnown(Reg, u32),
    /// The result.
    Return(Reg),
}

/// When a step function of `now` can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum StepGrain {
    /// At local midnights only.
    Day,
    /// At full local hours (and midnights).
    Hour,
    /// At any millisecond: the evaluator searches.
    Millisecond,
}

/// The units that `… between` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

/// Arithmetic. By the operands' types: int and number (mixed: number), duration with duration,
/// date or instant plus or minus duration, date minus date and instant minus instant (a duration: whole days,
/// exact milliseconds), duration times int. Ints saturate, division gives a number or, by zero, missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Arith {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Comparison. Of int with number, date with instant (its local midnight) too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Program {
    /// Whether messages of a topic need no consent and pass caps and quiet hours.
    #[must_use]
    pub fn is_transactional(&self, topic: TopicId) -> bool {
        self.topics.get(topic.index()).is_some_and(|topic| topic.transactional)
    }
}

impl Compare {
    /// The same comparison with its sides exchanged: `100 < x` is `x > 100`.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }
}

/// Functions of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Function {
    /// `lower(text)`
    Lower,
    /// `upper(text)`
    Upper,
    /// `trim(text)`
    Trim,
    /// `length(text or list)`: code points or elements; int
    Length,
    /// `round(number [, places])`: int without places, else number; half away from zero
    Round,
    /// `floor(number)`: int
    Floor,
    /// `ceil(number)`: int
    Ceil,
    /// `abs(number)`
    Abs,
    /// `min(a, b)`
    Min,
    /// `max(a, b)`
    Max,
    /// `text(x)`: as an interpolation writes it
    Text,
    /// `int(text)`; missing when it is none
    Int,
    /// `number(text)`; missing when it is none
    Number,
    /// `date(instant)`: the local date
    Date,
    /// `time(instant)`: the local time of day
    Time,
    /// `year(x)`, `month(x)`, `day(x)` of a date or instant; int
    Year,
    /// See [`Function::Year`].
    Month,
    /// See [`Function::Year`].
    Day,
    /// `hour(x)`, `minute(x)` of an instant or time; int
    Hour,
    /// See [`Function::Hour`].
    Minute,
    /// `weekday(x)` of a date or instant
    Weekday,
    /// A date as the instant of its local midnight; a local date and time as its instant.
    ToInstant,
    /// The first element of a list, missing when empty: `first of` / `list.first`
    First,
}

/// Policies over all journeys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Quiet hours, in declared order.
    pub quiet: Vec<QuietHours>,
    /// Caps for each person.
    pub caps: Vec<Cap>,
    /// Throttles over everybody.
    pub throttles: Vec<Cap>,
}

/// Hours in which nothing is sent on some channels.
#[derive(Clone, Debug, PartialEq)]
pub struct QuietHours {
    /// First millisecond of the local day that is quiet.
    pub from: u32,
    /// First that is not; before `from`: of the next day.
    pub to: u32,
    /// The channels; empty: all.
    pub channels: Vec<ChannelId>,
}

/// At most so many in a rolling window.
#[derive(Clone, Debug, PartialEq)]
pub struct Cap {
    /// How many.
    pub count: u32,
    /// On which channel; none: on all together.
    pub channel: Option<ChannelId>,
    /// Milliseconds.
    pub window: i64,
    /// Where it was declared.
    pub span: Span,
}

/// A journey.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    /// Its name.
    pub name: String,
    /// Its title, or the empty text.
    pub title: String,
    /// What starts it.
    pub triggers: Vec<Trigger>,
    /// The fields of the trigger that anything in the journey reads. An instance keeps them.
    pub trigger_fields: Vec<TriggerField>,
    /// Who may enter, and how often.
    pub enter: Enter,
    /// What ends it at once.
    pub exits: Vec<Exit>,
    /// What counts as a conversion.
    pub goals: Vec<Goal>,
    /// The topic of its messages, unless a send has its own.
    pub topic: TopicId,
    /// The share of people who get nothing, in percent (0 to 100).
    pub holdout: Option<Decimal>,
    /// The steps. Execution begins at step 0; running past the last one ends.
    pub steps: Vec<Step>,
    /// How many value slots an instance needs.
    pub slots: u16,
    /// How many message slots an instance needs.
    pub messages: u16,
    /// `moved OLD to NEW`, by the steps' names.
    pub moved: Vec<(String, String)>,
    /// `ended OLD`.
    pub ended: Vec<String>,
    /// Where it was declared.
    pub span: Span,
}

impl Journey {
    /// A journey that does nothing and nobody enters, in the place of one that is not looked at.
    pub(crate) fn empty(name: String) -> Self {
        Self {
            name,
            title: String::new(),
            triggers: Vec::new(),
            trigger_fields: Vec::new(),
            enter: Enter::default(),
            exits: Vec::new(),
            goals: Vec::new(),
            topic: TopicId(0),
            holdout: None,
            steps: Vec::new(),
            slots: 0,
            messages: 0,
            moved: Vec::new(),
            ended: Vec::new(),
            span: Span::default(),
        }
    }
}

/// A field that instances of a journey keep of their trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerField {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it may be missing.
    pub optional: bool,
    /// Which field it is of each event that can be the trigger.
    pub sources: Vec<(EventId, u16)>,
}

/// What puts a person into a journey.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// An event; the filter sees its fields as [`Op::Field`].
    Event {
        /// Which.
        event: EventId,
        /// `where`
        filter: Option<CodeId>,
    },
    /// An event that another does not follow.
    Without {
        /// Which.
        event: EventId,
        /// `where`
        filter: Option<CodeId>,
        /// What must not follow.
        without: EventId,
        /// `where` of that; sees the trigger's fields as [`Op::Trigger`] too.
        without_filter: Option<CodeId>,
        /// For how long.
        within: Duration,
    },
    /// The person starts to satisfy the segment.
    Enter(SegmentId),
    /// The person stops satisfying it.
    Leave(SegmentId),
    /// The attribute took another value.
    Change {
        /// Which.
        attribute: AttrId,
        /// `where`
        filter: Option<CodeId>,
    },
    /// A day of the person's own.
    Date {
        /// Code of the date (type date, may be missing).
        date: CodeId,
        /// What it depends on.
        deps: Deps,
        /// Each year again.
        yearly: bool,
        /// Milliseconds since local midnight.
        at: u32,
    },
    /// A schedule in the person's zone.
    Every {
        /// Monday first.
        days: [bool; 7],
        /// Milliseconds since local midnight.
        at: u32,
        /// For whom.
        audience: Option<CodeId>,
    },
    /// Put on a list.
    List(ListId),
}

/// Who may enter, and how often.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Enter {
    /// `per FIELD…`: indices into [`Journey::trigger_fields`]; each combination of values counts on its own.
    pub key: Vec<u16>,
    /// What a trigger does while the person (with that key) is in flight.
    pub mode: EnterMode,
    /// How often at all.
    pub again: Again,
}

/// What a trigger does while the person is in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EnterMode {
    /// Nothing.
    #[default]
    One,
    /// It starts the journey over.
    Restart,
    /// One more instance begins.
    Always,
}

/// How often a person (with one key) may enter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// As often as they are not in flight.
    #[default]
    Yes,
    /// Once.
    Never,
    /// Again when so much time has passed since the last entry, in calendar steps.
    After(Duration),
}

/// What ends a journey at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Exit {
    /// An event; the filter sees its fields and the trigger's.
    On {
        /// Which.
        event: EventId,
        /// `where`
        filter: Option<CodeId>,
    },
    /// A condition.
    When(Condition),
    /// A time after the entry.
    After(Duration),
}

/// What counts as a conversion.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// The event.
    pub event: EventId,
    /// `where`; sees the event's fields and the trigger's.
    pub filter: Option<CodeId>,
    /// How long after the entry; none: while in flight.
    pub within: Option<Duration>,
}

/// A step of a journey, with what is needed to tell people about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is done.
    pub kind: StepKind,
    /// A stable identity: the `as` name, else a hash of content and position among equals.
    pub identity: String,
    /// Where it was written.
    pub span: Span,
}

/// What a step does. Unless a target is named, the next step follows. Targets may be one past the
/// last step, which ends the thread.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// Waits; the code gives a duration.
    Wait(CodeId),
    /// Waits until a moment; the code gives an instant, date, local date and time, or time of day (the next such). While it is missing
    /// the wait goes on; when what it reads changes, it is computed anew.
    WaitMoment {
        /// The moment.
        at: CodeId,
        /// What it depends on.
        deps: Deps,
        /// How long at most; then `otherwise`.
        bound: Option<Until>,
        /// Where to go when the moment came.
        then: StepId,
        /// Where to go when the bound ended it.
        otherwise: StepId,
    },
    /// Waits until the next such local day and time.
    WaitDays {
        /// Monday first.
        days: [bool; 7],
        /// Milliseconds since local midnight.
        at: u32,
    },
    /// Waits until a condition holds.
    WaitCondition {
        /// The condition.
        condition: Condition,
        /// How long at most.
        bound: Option<Until>,
        /// Where to go when it holds.
        then: StepId,
        /// Where to go when the bound ended it.
        otherwise: StepId,
    },
    /// Waits for an event.
    WaitEvent {
        /// Any of these.
        events: Vec<WaitedEvent>,
        /// How long at most.
        bound: Option<Until>,
        /// Where to go when it came.
        then: StepId,
        /// Where to go when it did not.
        otherwise: StepId,
    },
    /// Waits for a time slot; inside it, goes on.
    WaitWithin {
        /// Milliseconds since local midnight, inclusive.
        from: u32,
        /// Exclusive; before `from`: of the next day.
        to: u32,
        /// The days on which the slot opens, Monday first.
        days: [bool; 7],
    },
    /// Waits for the hour in which the person opened most.
    WaitBestHour {
        /// Messages of which channel.
        channel: ChannelId,
        /// How far ahead.
        within: Duration,
    },
    /// Goes to `otherwise` unless the condition holds.
    Branch {
        /// The condition.
        condition: CodeId,
        /// Where to go when it does not.
        otherwise: StepId,
    },
    /// Goes elsewhere.
    Jump(StepId),
    /// Goes to one of several arms, by a stable hash.
    Split {
        /// Which split of the journey it is (part of what is hashed).
        identity: String,
        /// Name, share in percent, target.
        arms: Vec<(String, Decimal, StepId)>,
    },
    /// A message.
    Send(Box<Send>),
    /// Sets an attribute.
    Set {
        /// Which.
        attribute: AttrId,
        /// The new value (`+=` and `-=` are in the code).
        value: CodeId,
    },
    /// Asks an API and waits for the answer.
    Fetch {
        /// Which.
        api: ApiId,
        /// Its arguments, in the order of its parameters.
        args: Vec<CodeId>,
        /// Where the answer goes; none for `call`.
        slot: Option<Slot>,
        /// Where to go when there is no answer.
        otherwise: StepId,
    },
    /// Adds to, or removes from, an advertising audience.
    Audience {
        /// Which.
        audience: AudienceId,
        /// Added rather than removed.
        add: bool,
    },
    /// Something happens.
    Emit {
        /// Which event.
        event: EventId,
        /// Its fields, in the event's order; none: missing or its default.
        fields: Vec<Option<CodeId>>,
    },
    /// Starts another journey for this person.
    Start(JourneyId),
    /// Sets up a loop: `slot` = 0 rounds done, `anchor` = now.
    RepeatBegin {
        /// Rounds done, an int.
        slot: Slot,
        /// The start of the first round, an instant.
        anchor: Slot,
    },
    /// Counts a round; when there are more, waits until `anchor + rounds × every` (if that lies
    /// ahead) and goes to `body`.
    RepeatNext {
        /// Rounds done.
        slot: Slot,
        /// The start of the first round.
        anchor: Slot,
        /// From the start of one round to the next (code of a duration); none: at once.
        every: Option<CodeId>,
        /// How many rounds at most.
        times: Option<u32>,
        /// The first step of a round.
        body: StepId,
    },
    /// Runs the branches side by side, in order; goes on at `join` when all are done.
    Together {
        /// The first steps of the branches; each ends with [`StepKind::Join`].
        branches: Vec<StepId>,
        /// Where to go on.
        join: StepId,
    },
    /// The end of a branch of a `together`.
    Join,
    /// Leaves the journey.
    End,
}

/// How long a wait may last.
#[derive(Clone, Debug, PartialEq)]
pub enum Until {
    /// Code of a duration, from the moment at which the wait began.
    For(CodeId),
    /// Code of an instant or date; computed anew when what it reads changes; while missing, no end.
    Moment(CodeId, Deps),
}

/// An event that a wait is for.
#[derive(Clone, Debug, PartialEq)]
pub enum WaitedEvent {
    /// An event; the filter sees its fields.
    Event {
        /// Which.
        event: EventId,
        /// `where`
        filter: Option<CodeId>,
    },
    /// Something becomes of a message bound with `as` (anew, or since it was sent).
    Outcome(MessageSlot, Outcome),
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// The channels, in order of preference.
    pub channels: Vec<ChannelId>,
    /// On all of them, not on the first that works.
    pub all: bool,
    /// What.
    pub content: Content,
    /// Another contact than the channel's; code of a text.
    pub to: Option<CodeId>,
    /// What the template may use besides.
    pub with: Vec<Given>,
    /// The names that the journey has bound there, for the template.
    pub bound: Vec<Bound>,
    /// Whose consent it needs.
    pub topic: TopicId,
    /// Where its outcomes are kept.
    pub message: Option<MessageSlot>,
}

/// A value that a send hands to its template.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// What the template calls it.
    pub name: String,
    /// The value.
    pub code: CodeId,
    /// Its type.
    pub ty: Type,
}

/// A name that the journey has bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub value: BoundValue,
    /// Its type.
    pub ty: Type,
}

/// What a bound name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum BoundValue {
    /// A value of a `for`.
    Const(Const),
    /// What a `fetch` answered.
    Slot(Slot),
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A template's name.
    Template(String),
    /// Code of the text.
    Text(CodeId),
}
