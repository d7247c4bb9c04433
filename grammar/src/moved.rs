//! Moves what stands behind a change to where it stands now. Every part of the tree is named here, so that none can be
//! forgotten: a new field or variant does not compile without it.

use crate::ast::*;
use crate::span::Span;
use rust_decimal::Decimal;

/// Something with places in it.
pub(crate) trait Move {
    /// Adds `by` bytes to every place.
    fn go(&mut self, by: i64);
}

impl Move for Span {
    fn go(&mut self, by: i64) {
        // What has no place stays without one.
        if self.end == 0 {
            return;
        }
        let moved = |at: u32| u32::try_from(i64::from(at) + by).unwrap_or(u32::MAX);
        (self.start, self.end) = (moved(self.start), moved(self.end));
    }
}

impl<T: Move> Move for Vec<T> {
    fn go(&mut self, by: i64) {
        self.iter_mut().for_each(|one| one.go(by));
    }
}

impl<T: Move> Move for Option<T> {
    fn go(&mut self, by: i64) {
        self.iter_mut().for_each(|one| one.go(by));
    }
}

impl<T: Move> Move for Box<T> {
    fn go(&mut self, by: i64) {
        self.as_mut().go(by);
    }
}

impl<A: Move, B: Move> Move for (A, B) {
    fn go(&mut self, by: i64) {
        self.0.go(by);
        self.1.go(by);
    }
}

/// What has no place.
macro_rules! nowhere {
    ($($name:ty),* $(,)?) => { $(impl Move for $name { fn go(&mut self, _: i64) {} })* };
}

macro_rules! records {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl Move for $name {
            fn go(&mut self, by: i64) {
                let Self { $($field),* } = self;
                $($field.go(by);)*
            }
        }
    )*};
}

macro_rules! choices {
    ($($name:ident { $($variant:ident $(($($part:ident),*))? $({ $($field:ident),* })?),* $(,)? })*) => {$(
        impl Move for $name {
            fn go(&mut self, by: i64) {
                match self {
                    $(Self::$variant $(($($part),*))? $({ $($field),* })? => {
                        let _ = by;
                        $($($part.go(by);)*)?
                        $($($field.go(by);)*)?
                    })*
                }
            }
        }
    )*};
}

nowhere!(String, bool, i64, u8, u16, u32, Decimal, [bool; 7], SetOp, DurationLit, Unit, CivilDate, BinaryOp, Aggregate);

records! {
    Name { text, span }
    StringLit { value, span }
    EventDecl { doc, name, wire, fields, span }
    UserDecl { fields, span }
    TypeDecl { doc, name, fields, span }
    FieldDecl { doc, name, wire, ty, default, span }
    TypeExpr { kind, optional, span }
    ChannelDecl { doc, name, contact, span }
    SegmentDecl { doc, name, condition, span }
    FenceDecl { doc, name, latitude, longitude, radius_metres, shape_span, span }
    ApiDecl { doc, name, params, answer, request, headers, body, timeout, span }
    PolicyDecl { rules, span }
    PolicyRule { kind, span }
    JourneyDecl { doc, name, title, header, body, span }
    Clause { kind, span }
    Trigger { kind, span }
    Days { set, span }
    EventRef { name, outcome }
    EventMatch { event, filter }
    Step { kind, span }
    MatchArm { patterns, step }
    SplitArm { share, share_span, name, step }
    Send { route, content, to, with, topic, alias }
    ApiCall { api, args, span }
    Expr { kind, span }
    EventQuery { event, window, filter, span }
    TestDecl { name, journey, lines, span }
    TestLine { kind, span }
}

choices! {
    Item { Event(a), User(a), Type(a), Channel(a), Segment(a), Fence(a), Api(a), Policy(a), Journey(a), Test(a), Broken(a) }
    TypeKind { Text, Int, Number, Bool, Date, Time, DateTime, Duration, Email, Phone, Url, Timezone, OneOf(a), List(a), Named(a), Broken }
    HeaderValue { Env(a), Text(a) }
    PolicyKind { QuietHours { from, to, channels }, Cap { count, channel, window, everyone }, RequireConsent(a), Broken }
    ClauseKind { On(a), Enter(a), ExitOn(a), ExitWhen(a), ExitAfter(a), Goal { event, within }, Topic(a), Holdout(a, b), Moved(a, b), Ended(a), Broken }
    TriggerKind { Event(a), Without { event, without, within }, Enter(a), Leave(a), Change { attribute, filter }, Date { date, yearly, at }, Every { days, at, audience }, List(a), Broken }
    EnterPart { Once(a), OncePer(a), Per(a), Restart(a), Always(a) }
    StepKind { Wait(a), WaitUntil { until, bound, then, otherwise }, WaitFor { events, filter, bound, then, otherwise }, WaitWithin { from, to, days }, WaitBestHour { channel, within }, If { condition, then, otherwise }, Match { subject, arms, otherwise }, Split { arms }, Send(a), Set { attribute, op, value }, Fetch { name, call, otherwise }, Call(a), AddTo(a), RemoveFrom(a), Emit { event, fields }, Start(a), Repeat { every, times, body }, For { name, values, body }, Together(a), End, Block(a), Broken }
    Until { DaysAt(a, b), Expr(a) }
    Bound { UpTo(a), Until(a) }
    Route { Channel(a), FirstOf(a), AllOf(a) }
    Content { Template(a), Text(a) }
    ExprKind { Text(a), Int(a), Number(a), Percent(a), Bool(a), Duration(a), TimeOfDay(a), Date(a), LocalInstant(a, b), Instant(a), Weekday(a), List(a), Record(a), Missing, Name(a), Field(a, b), Call(a, b), Not(a), Negate(a), Binary(a, b, c), In(a, b), Between(a, b, c), IsMissing(a), IsKnown(a), Occurred(a), Aggregate { function, field, query }, Pick { first, query }, Can(a), UnitsBetween(a, b, c), Now, Today, Broken }
    TextPart { Literal(a), Expr(a) }
    Window { Last(a), Ever(a), Since(a) }
    TestLineKind { User(a), Given { api, args, answer }, At(a, b), After(a, b), Expect(a), Broken }
    Happening { Event(a, b), User(a), List(a) }
    Expectation { Nothing, NothingElse, Message { channel, content, at, after }, NoMessage { channel, content }, Skipped { channel, content, because }, Condition(a) }
}
