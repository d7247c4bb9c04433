//! Values, and the only definition of what arithmetic and comparison mean.

use flow_compiler::bytecode::Duration;
use rust_decimal::Decimal;
use std::sync::Arc;

/// What a register, an attribute or a field holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Not known.
    #[default]
    Missing,
    /// True or false.
    Bool(bool),
    /// A whole number; arithmetic saturates.
    Int(i64),
    /// An exact decimal.
    Number(Decimal),
    /// A text.
    Text(Arc<str>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Milliseconds since midnight.
    Time(u32),
    /// Milliseconds since 1970-01-01T00:00Z.
    Instant(i64),
    /// A local date and time: days since 1970-01-01 and milliseconds since midnight.
    Local(i32, u32),
    /// A length of time.
    Duration(Duration),
    /// 0 is Monday.
    Weekday(u8),
    /// Several values.
    List(Arc<[Value]>),
    /// The fields of a record, in the order of its type.
    Record(Arc<[Value]>),
}
