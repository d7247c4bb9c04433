//! Values, time and the interpreter of expression code.

pub mod functions;
mod fused;
mod horizon;
pub mod interpret;
#[cfg(all(feature = "jit", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
mod jit;
mod native;
pub mod number;
pub mod text;
pub mod value;

use flow_compiler::bytecode::{AttrId, ChannelId, MessageSlot, Outcome, QueryId, Slot, TopicId};
pub use interpret::Machine;
pub use native::Evaluation;
use rust_decimal::Decimal;
use value::Value;

/// When a code is evaluated, and how long its value is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The present, in milliseconds since 1970-01-01T00:00Z.
    pub now: i64,
    /// The earliest instant after `now` at which, nothing else happening, the value could be another one;
    /// `i64::MAX`: never. Evaluation only lowers it.
    pub horizon: i64,
}

impl Moment {
    /// A moment whose value holds for ever, until evaluation says otherwise.
    #[must_use]
    pub fn at(now: i64) -> Self {
        Self { now, horizon: i64::MAX }
    }

    /// Says that the value may change at `instant`.
    pub fn until(&mut self, instant: i64) {
        if instant > self.now && instant < self.horizon {
            self.horizon = instant;
        }
    }
}

/// A thing that code reads as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// An attribute, or its default.
    Attribute(AttrId),
    /// A field of the trigger.
    Trigger(u16),
    /// A field of the event under test.
    Field(u16),
}

/// Where that stands which code reads, in lists. What a list does not hold is missing.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'a> {
    /// The fields of the event under test.
    pub fields: &'a [Value],
    /// The fields of the trigger.
    pub trigger: &'a [Value],
    /// The person's attributes.
    pub attributes: &'a [Value],
    /// What an attribute is that is missing there.
    pub defaults: &'a [Value],
}

/// What code can read of a person. What does not apply in a place (a trigger outside of a journey) is missing: whoever
/// knows something says so.
pub trait Facts {
    /// An attribute, or its default.
    fn attribute(&self, _: AttrId) -> Value {
        Value::Missing
    }
    /// A field of the trigger.
    fn trigger(&self, _: u16) -> Value {
        Value::Missing
    }
    /// A field of the event under test.
    fn field(&self, _: u16) -> Value {
        Value::Missing
    }
    /// Any of these.
    fn read(&self, read: Read) -> Value {
        match read {
            Read::Attribute(attribute) => self.attribute(attribute),
            Read::Trigger(field) => self.trigger(field),
            Read::Field(field) => self.field(field),
        }
    }
    /// The same without a copy, where the value stands somewhere.
    fn peek(&self, _: Read) -> Option<&Value> {
        None
    }
    /// Where all that [`Facts::read`] gives stands, but for the person's id; none: it does not stand in lists.
    fn lists(&self) -> Option<Lists<'_>> {
        None
    }
    /// The time of the entry.
    fn entry_time(&self) -> Value {
        Value::Missing
    }
    /// A value bound in the journey.
    fn slot(&self, _: Slot) -> Value {
        Value::Missing
    }
    /// The answer to a question about history, and until when it holds.
    fn query(&self, _: QueryId, _since: Option<i64>, _: &mut Moment) -> Value {
        Value::Missing
    }
    /// Whether a message of the topic could be sent on the channel.
    fn can(&self, _: ChannelId, _: TopicId) -> bool {
        false
    }
    /// Whether this became of a message bound with `as`.
    fn outcome(&self, _: MessageSlot, _: Outcome) -> bool {
        false
    }
    /// The latest location: degrees north and east.
    fn location(&self) -> Option<(Decimal, Decimal)> {
        None
    }
    /// The person's time zone.
    fn zone(&self) -> &jiff::tz::TimeZone;
}
