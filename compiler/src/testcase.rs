//! `test` items, checked: constants in place of expressions, ids in place of names.

use crate::bytecode::{ApiId, AttrId, ChannelId, CodeId, Const, Duration, EventId, JourneyId, ListId};
use flow_grammar::span::Span;

/// A test.
#[derive(Clone, Debug, PartialEq)]
pub struct TestCase {
    /// What must be true.
    pub name: String,
    /// Whose messages are looked at; none: all journeys'.
    pub journey: Option<JourneyId>,
    /// Attributes of the person before anything happens.
    pub user: Vec<(AttrId, Const)>,
    /// Recorded answers, in order; the first that fits is given.
    pub given: Vec<Given>,
    /// What happens and what is expected, in order.
    pub lines: Vec<TestLine>,
    /// The whole item.
    pub span: Span,
}

/// A recorded answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Whose.
    pub api: ApiId,
    /// For which arguments, in the order of the parameters; none: any.
    pub args: Option<Vec<Const>>,
    /// The answer; none: the call fails.
    pub answer: Option<Const>,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct TestLine {
    /// What it says.
    pub kind: TestLineKind,
    /// Where.
    pub span: Span,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum TestLineKind {
    /// `at TIME …`
    At(TestTime, Happening),
    /// `after DUR …`, counted from the line before, in the person's zone.
    After(Duration, Happening),
    /// `expect …`
    Expect(Expectation),
}

/// A moment in a test. What is local is local to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestTime {
    /// Milliseconds since 1970-01-01T00:00Z.
    Instant(i64),
    /// Days since 1970-01-01 and milliseconds since midnight.
    Local(i32, u32),
    /// Milliseconds since midnight: the first such moment at or after the time of the line before.
    TimeOfDay(u32),
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// An event with its fields in the event's order. For an outcome event (`email.clicked`) the latest message
    /// of that channel is meant.
    Event(EventId, Vec<Const>),
    /// Attributes change.
    Attributes(Vec<(AttrId, Const)>),
    /// The person is put on a list.
    List(ListId),
}

/// What is expected.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// No message at all.
    Nothing,
    /// No message but those expected.
    NothingElse,
    /// A message, after those expected before.
    Message {
        /// On which channel.
        channel: ChannelId,
        /// What; none: anything.
        content: Option<ExpectedContent>,
        /// When.
        at: Option<TestTime>,
        /// How long after the line before.
        after: Option<Duration>,
    },
    /// No such message in the whole test.
    NoMessage {
        /// On which channel.
        channel: ChannelId,
        /// What; none: anything.
        content: Option<ExpectedContent>,
    },
    /// A message that was not sent.
    Skipped {
        /// On which channel.
        channel: ChannelId,
        /// What; none: anything.
        content: Option<ExpectedContent>,
        /// The reason's word, as the record has it; none: any.
        because: Option<String>,
    },
    /// A condition about the person at the time of the line before.
    Condition(CodeId),
}

/// What an expected message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedContent {
    /// A template's name.
    Template(String),
    /// The finished text.
    Text(String),
}
