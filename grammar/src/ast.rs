//! The syntax tree: what was written, with the place of every part.
//!
//! The tree says nothing about meaning: a bare name may be a field, an attribute, an event or a
//! segment, and only the compiler knows which. What could not be understood stays in the tree as a
//! `Broken` node, so that its neighbours keep their meaning and nobody reports it twice.

use crate::span::{FileId, Span};
use rust_decimal::Decimal;

/// A name with its place. `text` is in Unicode normal form C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name as written.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// A string literal without interpolation, unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StringLit {
    /// The characters that the literal stands for.
    pub value: String,
    /// Its place, quotes included.
    pub span: Span,
}

/// One `.flow` file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Which file of the project it is.
    pub id: FileId,
    /// Its items, in order.
    pub items: Vec<Item>,
}

/// A thing that stands at the top of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `event NAME = "wire name" { fields }`
    Event(EventDecl),
    /// `user { fields }`
    User(UserDecl),
    /// `type NAME { fields }`
    Type(TypeDecl),
    /// `channel NAME to user.ATTR`
    Channel(ChannelDecl),
    /// `segment NAME = CONDITION`
    Segment(SegmentDecl),
    /// `fence NAME = circle LAT, LON radius DISTANCE`
    Fence(FenceDecl),
    /// `api NAME(params) -> TYPE { … }`
    Api(ApiDecl),
    /// `policy { … }`
    Policy(PolicyDecl),
    /// `journey NAME { … }`, or a file's bare flow
    Journey(JourneyDecl),
    /// `test "…" { … }`
    Test(TestDecl),
    /// What could not be understood; it has been reported.
    Broken(Span),
}

impl Item {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Event(decl) => decl.span,
            Self::User(decl) => decl.span,
            Self::Type(decl) => decl.span,
            Self::Channel(decl) => decl.span,
            Self::Segment(decl) => decl.span,
            Self::Fence(decl) => decl.span,
            Self::Api(decl) => decl.span,
            Self::Policy(decl) => decl.span,
            Self::Journey(decl) => decl.span,
            Self::Test(decl) => decl.span,
            Self::Broken(span) => *span,
        }
    }
}

/// `event cart_added = "Product Added" { cart_id: text }`
#[derive(Clone, Debug, PartialEq)]
pub struct EventDecl {
    /// The text of the `##` lines above.
    pub doc: Option<String>,
    /// What the program calls the event.
    pub name: Name,
    /// What the wire calls it, when that differs.
    pub wire: Option<StringLit>,
    /// Its fields.
    pub fields: Vec<FieldDecl>,
    /// The whole item.
    pub span: Span,
}

/// `user { … }`; a project may have several, which are united.
#[derive(Clone, Debug, PartialEq)]
pub struct UserDecl {
    /// The attributes.
    pub fields: Vec<FieldDecl>,
    /// The whole item.
    pub span: Span,
}

/// `type product { name: text }`
#[derive(Clone, Debug, PartialEq)]
pub struct TypeDecl {
    /// The text of the `##` lines above.
    pub doc: Option<String>,
    /// The type's name.
    pub name: Name,
    /// Its fields.
    pub fields: Vec<FieldDecl>,
    /// The whole item.
    pub span: Span,
}

/// `category: text?`, `lead_score: int = 0`, `order_id = "orderId": text`
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDecl {
    /// The text of the `##` lines above.
    pub doc: Option<String>,
    /// What the program calls the field.
    pub name: Name,
    /// What the wire calls it, when that differs.
    pub wire: Option<StringLit>,
    /// Its type.
    pub ty: TypeExpr,
    /// The value of a person or event that does not say.
    pub default: Option<Expr>,
    /// The whole field.
    pub span: Span,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// The type without its `?`.
    pub kind: TypeKind,
    /// Whether `?` follows: the value may be missing.
    pub optional: bool,
    /// The whole type, `?` included.
    pub span: Span,
}

/// The kinds of type.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // each is the keyword of its name
pub enum TypeKind {
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
    /// `one of "a", "b"`
    OneOf(Vec<StringLit>),
    /// `list of T`
    List(Box<TypeExpr>),
    /// A declared `type`.
    Named(Name),
    Broken,
}

/// `channel email to user.email`
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelDecl {
    /// The text of the `##` lines above.
    pub doc: Option<String>,
    /// The channel's name.
    pub name: Name,
    /// The attribute that holds the contact (`email` of `user.email`).
    pub contact: Option<Name>,
    /// The whole item.
    pub span: Span,
}

/// `segment dormant_30 = login ever and not login in last 30d`
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentDecl {
    /// The text of the `##` lines above.
    pub doc: Option<String>,
    /// The segment's name.
    pub name: Name,
    /// Who is in it.
    pub condition: Expr,
    /// The whole item.
    pub span: Span,
}

/// `fence milan_store = circle 45.4642, 9.1900 radius 500m`
#[derive(Clone, Debug, PartialEq)]
pub struct FenceDecl {
    /// The text of the `##` lines above.
    pub doc: Option<String>,
    /// The fence's name.
    pub name: Name,
    /// Degrees north, −90 to 90.
    pub latitude: Decimal,
    /// Degrees east, −180 to 180.
    pub longitude: Decimal,
    /// Metres (`500m`, `1.5km` was converted).
    pub radius_metres: Decimal,
    /// The coordinates and the radius.
    pub shape_span: Span,
    /// The whole item.
    pub span: Span,
}

/// `api recommendations(user_id: text) -> list of product { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct ApiDecl {
    /// The text of the `##` lines above.
    pub doc: Option<String>,
    /// The name by which steps call it.
    pub name: Name,
    /// What a call must give.
    pub params: Vec<FieldDecl>,
    /// What it answers; none: the answer is not looked at (`call` only).
    pub answer: Option<TypeExpr>,
    /// `get`, `post`, `put`, `patch` or `delete`, and the address (interpolates the parameters).
    pub request: Option<(Name, Expr)>,
    /// `header "Name" = VALUE`.
    pub headers: Vec<(StringLit, HeaderValue)>,
    /// `body { k: v }`, sent as JSON.
    pub body: Vec<(Name, Expr)>,
    /// `timeout 2s`.
    pub timeout: Option<Expr>,
    /// The whole item.
    pub span: Span,
}

/// What a header of an `api` carries.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderValue {
    /// `env NAME`: read from the environment by whoever makes the request, never kept.
    Env(Name),
    /// A text, which may interpolate the parameters.
    Text(Expr),
}

/// `policy { … }`; a project may have several, which are united.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyDecl {
    /// Its rules, in order.
    pub rules: Vec<PolicyRule>,
    /// The whole item.
    pub span: Span,
}

/// One rule of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyRule {
    /// What it asks.
    pub kind: PolicyKind,
    /// The whole rule.
    pub span: Span,
}

/// The kinds of policy rule.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyKind {
    /// `quiet hours 21:00 to 08:00 [on sms, push]`; no channels: all of them.
    QuietHours {
        /// Time of day at which they begin.
        from: Expr,
        /// Time of day at which they are over.
        to: Expr,
        /// The channels meant.
        channels: Vec<Name>,
    },
    /// `at most 3 messages per 7d`, `at most 1 sms per 1d`, `at most 5000 email per 1h for everyone`
    Cap {
        /// How many.
        count: i64,
        /// `None`: `messages` (or `message`), whatever the channel.
        channel: Option<Name>,
        /// The rolling window.
        window: Expr,
        /// `for everyone`: a throttle over all people together.
        everyone: bool,
    },
    /// `require consent for marketing`: these topics need a consent that was given, not only one
    /// that was not withdrawn.
    RequireConsent(Vec<Name>),
    /// Not understood; reported.
    Broken,
}

/// A journey, or the bare flow of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct JourneyDecl {
    /// The text of the `##` lines above.
    pub doc: Option<String>,
    /// `None` for a bare flow, which is named after its file.
    pub name: Option<Name>,
    /// The title in quotes.
    pub title: Option<StringLit>,
    /// Triggers and rules, in order.
    pub header: Vec<Clause>,
    /// The steps, in order.
    pub body: Vec<Step>,
    /// The whole item.
    pub span: Span,
}

/// One clause of a journey's header.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// What it says.
    pub kind: ClauseKind,
    /// The whole clause.
    pub span: Span,
}

/// The kinds of header clause.
#[derive(Clone, Debug, PartialEq)]
pub enum ClauseKind {
    /// `on TRIGGER, TRIGGER …`
    On(Vec<Trigger>),
    /// `enter …`, its parts as written
    Enter(Vec<EnterPart>),
    /// `exit on EVENT [where COND]`; several events with `,`, of which the `where` belongs to each
    ExitOn(Vec<EventMatch>),
    /// `exit when COND`
    ExitWhen(Expr),
    /// `exit after DUR`
    ExitAfter(Expr),
    /// `goal EVENT [where COND] [within DUR]`
    Goal {
        /// What counts as a conversion.
        event: EventMatch,
        /// How long after the entry it still counts.
        within: Option<Expr>,
    },
    /// `topic NAME`
    Topic(Name),
    /// `holdout 5%`; the number is the percentage (5)
    Holdout(Decimal, Span),
    /// `moved OLD to NEW`: people who wait at the step OLD of the version before go on at NEW.
    Moved(Name, Name),
    /// `ended OLD`: people who wait at the step OLD of the version before leave.
    Ended(Name),
    /// Not understood; reported.
    Broken,
}

/// What puts a person into a journey.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// What it is.
    pub kind: TriggerKind,
    /// The whole trigger.
    pub span: Span,
}

/// The kinds of trigger.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerKind {
    /// `on EVENT [where COND]`
    Event(EventMatch),
    /// `on EVENT [where COND] without EVENT2 [where COND] within DUR`
    Without {
        /// What begins the wait.
        event: EventMatch,
        /// What must not follow.
        without: EventMatch,
        /// For how long.
        within: Expr,
    },
    /// `on enter SEG`, `on enter (COND)`
    Enter(Expr),
    /// `on leave SEG`, `on leave (COND)`
    Leave(Expr),
    /// `on change user.ATTR [where COND]`
    Change {
        /// The attribute.
        attribute: Name,
        /// A condition on the new state.
        filter: Option<Expr>,
    },
    /// `on date EXPR [yearly] at TIME`
    Date {
        /// A date.
        date: Expr,
        /// Each year again.
        yearly: bool,
        /// A time of day.
        at: Expr,
    },
    /// `on every monday at 09:00 [for SEG]`
    Every {
        /// On which days.
        days: Days,
        /// A time of day.
        at: Expr,
        /// For whom: a segment's name or a condition.
        audience: Option<Expr>,
    },
    /// `on list "NAME"`
    List(StringLit),
    /// Not understood; reported.
    Broken,
}

/// Days of the week, Monday first. `day` (every day) has all seven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days {
    /// `[monday, …, sunday]`
    pub set: [bool; 7],
    /// The words.
    pub span: Span,
}

/// One part of `enter …`.
#[derive(Clone, Debug, PartialEq)]
pub enum EnterPart {
    /// `once`: the first time ever.
    Once(Span),
    /// `once per DUR`.
    OncePer(Expr),
    /// `per FIELD`, several with `,`.
    Per(Vec<Name>),
    /// `restart`
    Restart(Span),
    /// `always`
    Always(Span),
}

/// An event as an expression or clause names it: `purchased`, or `email.opened`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRef {
    /// The event, or, with `outcome`, the channel or a message bound with `as`.
    pub name: Name,
    /// `opened` of `email.opened`.
    pub outcome: Option<Name>,
}

impl EventRef {
    /// The whole reference.
    #[must_use]
    pub fn span(&self) -> Span {
        self.outcome.as_ref().map_or(self.name.span, |o| self.name.span.to(o.span))
    }
}

/// `EVENT [where COND]`
#[derive(Clone, Debug, PartialEq)]
pub struct EventMatch {
    /// Which event.
    pub event: EventRef,
    /// A condition in which its fields are in scope.
    pub filter: Option<Expr>,
}

/// One step of a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// The whole step.
    pub span: Span,
}

/// The kinds of step.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// `wait DUR`
    Wait(Expr),
    /// `wait until …`: the compiler tells by the type of `until` whether it is a condition, a
    /// moment, a date or a time of day.
    WaitUntil {
        /// What is waited for.
        until: Until,
        /// `up to DUR`
        bound: Option<Bound>,
        /// `then S`
        then: Option<Box<Step>>,
        /// `else S`
        otherwise: Option<Box<Step>>,
    },
    /// `wait for EVENT [, EVENT…] [where COND] up to DUR [then S] [else S]`
    WaitFor {
        /// Any of these; the `where` is after the last.
        events: Vec<EventRef>,
        /// The condition, which holds for each.
        filter: Option<Expr>,
        /// How long.
        bound: Option<Bound>,
        /// `then S`
        then: Option<Box<Step>>,
        /// `else S`
        otherwise: Option<Box<Step>>,
    },
    /// `wait within 09:00 to 18:00 [on weekdays]`
    WaitWithin {
        /// Time of day at which the slot opens.
        from: Expr,
        /// Time of day at which it closes.
        to: Expr,
        /// On which days; none: every day.
        days: Option<Days>,
    },
    /// `wait for best hour of CHANNEL within DUR`
    WaitBestHour {
        /// Whose opens are looked at.
        channel: Name,
        /// How far ahead.
        within: Expr,
    },
    /// `if COND then S [else S]`
    If {
        /// The condition.
        condition: Expr,
        /// Taken when it holds.
        then: Box<Step>,
        /// Taken when not.
        otherwise: Option<Box<Step>>,
    },
    /// `match EXPR { … }`
    Match {
        /// What is compared.
        subject: Expr,
        /// The arms, in order.
        arms: Vec<MatchArm>,
        /// `else -> S`
        otherwise: Option<Box<Step>>,
    },
    /// `split { 50% control: S … }`
    Split {
        /// The arms, in order.
        arms: Vec<SplitArm>,
    },
    /// A message.
    Send(Send),
    /// `set user.ATTR = EXPR`, `+=`, `-=`
    Set {
        /// The attribute.
        attribute: Name,
        /// How the value is used.
        op: SetOp,
        /// The value.
        value: Expr,
    },
    /// `fetch NAME = API(args) [else S]`
    Fetch {
        /// What the answer is called from here on.
        name: Name,
        /// The call.
        call: ApiCall,
        /// Taken when there is no answer.
        otherwise: Option<Box<Step>>,
    },
    /// `call API(args)`
    Call(ApiCall),
    /// `add to AUDIENCE`
    AddTo(Name),
    /// `remove from AUDIENCE`
    RemoveFrom(Name),
    /// `emit EVENT { k: v }`
    Emit {
        /// The event.
        event: Name,
        /// Its fields.
        fields: Vec<(Name, Expr)>,
    },
    /// `start JOURNEY`
    Start(Name),
    /// `repeat every DUR [up to N times] { … }`, `repeat N times { … }`
    Repeat {
        /// From the start of a round to the start of the next.
        every: Option<Expr>,
        /// How many rounds at most.
        times: Option<(i64, Span)>,
        /// What a round does.
        body: Vec<Step>,
    },
    /// `for x in 10d, 30d { … }`
    For {
        /// The name of the value.
        name: Name,
        /// The values, in order.
        values: Vec<Expr>,
        /// What is done for each.
        body: Vec<Step>,
    },
    /// `together { … } { … }`
    Together(Vec<Step>),
    /// `end`
    End,
    /// `{ S S … }`
    Block(Vec<Step>),
    /// Not understood; reported.
    Broken,
}

/// What a `wait until` names.
#[derive(Clone, Debug, PartialEq)]
pub enum Until {
    /// `monday 09:00`, `weekdays 09:00`: the days and a time of day.
    DaysAt(Days, Expr),
    /// Anything else.
    Expr(Expr),
}

/// The end of a wait.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// `up to DUR`
    UpTo(Expr),
    /// `until EXPR`
    Until(Expr),
}

/// `"ES", "FR" -> S`
#[derive(Clone, Debug, PartialEq)]
pub struct MatchArm {
    /// Any of these values.
    pub patterns: Vec<Expr>,
    /// What is done.
    pub step: Step,
}

/// `50% control: S`
#[derive(Clone, Debug, PartialEq)]
pub struct SplitArm {
    /// The percentage (50).
    pub share: Decimal,
    /// Where the percentage stands.
    pub share_span: Span,
    /// The arm's name; without one it is named by its number, from 1.
    pub name: Option<Name>,
    /// What is done.
    pub step: Step,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// By which channel.
    pub route: Route,
    /// What.
    pub content: Content,
    /// `to EXPR`: another contact than the channel's.
    pub to: Option<Expr>,
    /// `with { k: v }`: what the template may use besides.
    pub with: Vec<(Name, Expr)>,
    /// `topic T`, in place of the journey's.
    pub topic: Option<Name>,
    /// `as NAME`
    pub alias: Option<Name>,
}

/// The way of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// `email TEMPLATE`
    Channel(Name),
    /// `send TEMPLATE via push or email`: the first on which the person can be reached.
    FirstOf(Vec<Name>),
    /// `send TEMPLATE via push and email`: every one.
    AllOf(Vec<Name>),
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A template's name.
    Template(Name),
    /// The text itself (an `ExprKind::Text`).
    Text(Expr),
}

/// `=`, `+=`, `-=`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOp {
    /// `=`
    Assign,
    /// `+=`
    Add,
    /// `-=`
    Subtract,
}

/// `API(user.id, limit: 3)`
#[derive(Clone, Debug, PartialEq)]
pub struct ApiCall {
    /// Which.
    pub api: Name,
    /// Arguments, by place or by name.
    pub args: Vec<(Option<Name>, Expr)>,
    /// The whole call.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The whole expression.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `"Hi {user.first_name ?? "there"}"`
    Text(Vec<TextPart>),
    /// `12`
    Int(i64),
    /// `59.90`
    Number(Decimal),
    /// `50%` (the value is 50)
    Percent(Decimal),
    /// `true`, `false`
    Bool(bool),
    /// `2h`, `2 hours`
    Duration(DurationLit),
    /// `09:00`, in milliseconds since midnight
    TimeOfDay(u32),
    /// `2026-11-27`
    Date(CivilDate),
    /// `2026-11-27 09:00`, local; the time in milliseconds since midnight
    LocalInstant(CivilDate, u32),
    /// `2026-11-27T09:00Z`, `2026-11-27T09:00+02:00`: milliseconds since 1970-01-01T00:00Z
    Instant(i64),
    /// `monday` … `sunday`, 0 to 6
    Weekday(u8),
    /// `["IT", "ES"]`
    List(Vec<Expr>),
    /// `{ name: "Boots", price: 80 }`; in tests only
    Record(Vec<(Name, Expr)>),
    /// `missing`; in tests only
    Missing,
    /// A bare name.
    Name(Name),
    /// `user.email`, `trigger.cart_id`, `reminder.clicked`, `product.name`
    Field(Box<Expr>, Name),
    /// `lower(x)`
    Call(Name, Vec<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `-x`
    Negate(Box<Expr>),
    /// `a + b` and the like; `a ?? b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `x in ["IT", "ES"]`; `x not in …` is a `Not` around it
    In(Box<Expr>, Box<Expr>),
    /// `x between a and b`, both ends included
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `x is missing`
    IsMissing(Box<Expr>),
    /// `x is known`
    IsKnown(Box<Expr>),
    /// `purchased in last 30d where …`: an event with a window, a `where`, or both. A bare event is
    /// a `Name`, and a bare `email.opened` a `Field`.
    Occurred(EventQuery),
    /// `count(E …)`, `sum(field of E …)`
    Aggregate {
        /// What is computed.
        function: Aggregate,
        /// `order_value` of `sum(order_value of purchased)`; none for `count`.
        field: Option<Name>,
        /// Over which events.
        query: EventQuery,
    },
    /// `last(E …)`, `first(E …)`; a `Field` around it names what is wanted of the event
    Pick {
        /// `first` rather than `last`.
        first: bool,
        /// Among which events.
        query: EventQuery,
    },
    /// `can email`
    Can(Name),
    /// `days between a and b` (also `hours`, `minutes`, `weeks`, `months`, `years`)
    UnitsBetween(Unit, Box<Expr>, Box<Expr>),
    /// `now`
    Now,
    /// `today`
    Today,
    /// Not understood; reported.
    Broken,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// Characters, unescaped.
    Literal(String),
    /// `{expr}`
    Expr(Box<Expr>),
}

/// `2h`: a count and a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationLit {
    /// How many; not negative.
    pub count: i64,
    /// Of what.
    pub unit: Unit,
}

/// The units of time. `s m h` are exact, the others are steps in the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// A day of the (proleptic Gregorian) calendar, valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate {
    /// 1 to 9999
    pub year: u16,
    /// 1 to 12
    pub month: u8,
    /// 1 to 31
    pub day: u8,
}

/// The operators between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOp {
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    /// `a ?? b`
    Coalesce,
    Contains,
    /// `a starts with b`
    StartsWith,
    /// `a ends with b`
    EndsWith,
}

/// The functions over events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Aggregate {
    Count,
    Sum,
    Min,
    Max,
    Avg,
}

/// `E [WINDOW] [where COND]`
#[derive(Clone, Debug, PartialEq)]
pub struct EventQuery {
    /// Which event.
    pub event: EventRef,
    /// When; none: since this entry.
    pub window: Option<Window>,
    /// A condition in which the event's fields are in scope.
    pub filter: Option<Box<Expr>>,
    /// The whole query.
    pub span: Span,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// `in last DUR`
    Last(Box<Expr>),
    /// `ever`
    Ever(Span),
    /// `since EXPR`
    Since(Box<Expr>),
}

/// `test "…" [for JOURNEY] { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct TestDecl {
    /// What must be true.
    pub name: StringLit,
    /// Whose messages are looked at; none: all.
    pub journey: Option<Name>,
    /// Its lines, in order.
    pub lines: Vec<TestLine>,
    /// The whole item.
    pub span: Span,
}

/// A line of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct TestLine {
    /// What it says.
    pub kind: TestLineKind,
    /// The whole line.
    pub span: Span,
}

/// The kinds of test line.
#[derive(Clone, Debug, PartialEq)]
pub enum TestLineKind {
    /// `user { email: "ada@example.com" }`: who the person is, before anything happens
    User(Vec<(Name, Expr)>),
    /// `given recommendations(user_id: "u1") = […]`, `given recommendations = […]`,
    /// `given recommendations fails`
    Given {
        /// The API.
        api: Name,
        /// The arguments that the answer is for; none: any.
        args: Option<Vec<(Option<Name>, Expr)>>,
        /// The answer; none: it fails.
        answer: Option<Expr>,
    },
    /// `at 2026-03-02 10:00 HAPPENING`
    At(Expr, Happening),
    /// `after 1h HAPPENING`: counted from the line before
    After(Expr, Happening),
    /// `expect …`
    Expect(Expectation),
    /// Not understood; reported.
    Broken,
}

/// What happens in a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// `cart_added { cart_id: "c1" }`, `email.clicked`
    Event(EventRef, Vec<(Name, Expr)>),
    /// `user { country: "IT" }`: attributes change
    User(Vec<(Name, Expr)>),
    /// `list "vip_guests"`: the person is put on the list
    List(StringLit),
}

/// What a test expects.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// `expect nothing`: no message at all.
    Nothing,
    /// `expect nothing else`: no message but those expected above.
    NothingElse,
    /// `expect email cart_reminder at 12:00`
    Message {
        /// The channel.
        channel: Name,
        /// The template or the finished text; none: any.
        content: Option<Content>,
        /// `at TIME`, `at 2026-03-02 12:00`
        at: Option<Expr>,
        /// `after DUR`, counted from the line before
        after: Option<Expr>,
    },
    /// `expect no email [cart_reminder]`
    NoMessage {
        /// The channel.
        channel: Name,
        /// The template or the finished text; none: any.
        content: Option<Content>,
    },
    /// `expect skipped email [cart_reminder] [because REASON]`
    Skipped {
        /// The channel.
        channel: Name,
        /// The template or the finished text; none: any.
        content: Option<Content>,
        /// `cap`, `no_contact`, `no_consent`, `suppressed`, `holdout` …
        because: Option<Name>,
    },
    /// `expect user.lead_score == 10`: a condition at the time of the line before
    Condition(Expr),
}
