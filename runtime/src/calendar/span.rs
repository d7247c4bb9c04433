//! The stretch of time around an instant in which a zone's clock runs undisturbed.
//!
//! Every question to a zone comes down to this one, and most questions of a run concern the same few
//! stretches. Each thread keeps those that it met last; what is kept never changes an answer.

use jiff::tz::TimeZone;
use jiff::Timestamp;
use std::cell::RefCell;

/// A stretch of time with one offset. Its edges are clock changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The first instant; `i64::MIN` when no change comes before.
    pub start: i64,
    /// The first instant after it; `i64::MAX` when no change follows.
    pub end: i64,
    /// Milliseconds from UTC to local time.
    pub offset: i64,
}

/// How many stretches a thread keeps.
const KEPT: usize = 256;
/// Instants that lie within 2^33 ms (99 days) of each other share a place.
const STRIDE_BITS: u32 = 33;

struct Kept {
    /// Where the zone's name lies in memory. The clone of the zone beside it keeps that place taken.
    key: usize,
    _zone: TimeZone,
    span: Span,
}

thread_local! {
    static SPANS: RefCell<Vec<Option<Kept>>> = const { RefCell::new(Vec::new()) };
}

/// The undisturbed stretch around an instant.
pub(super) fn span(zone: &TimeZone, instant: i64) -> Span {
    let Some(name) = zone.iana_name() else {
        return match zone.to_fixed_offset() {
            Ok(offset) => Span { start: i64::MIN, end: i64::MAX, offset: i64::from(offset.seconds()) * 1000 },
            Err(_) => find(zone, instant),
        };
    };
    if *zone == TimeZone::UTC {
        return Span { start: i64::MIN, end: i64::MAX, offset: 0 };
    }
    let key = name.as_ptr() as usize;
    let stride = usize::try_from((instant >> STRIDE_BITS) & 0xff).unwrap_or(0);
    let place = ((key >> 4) ^ (key >> 12) ^ stride.wrapping_mul(29)) % KEPT;
    let kept = SPANS.try_with(|spans| {
        let mut spans = spans.try_borrow_mut().ok()?;
        if spans.is_empty() {
            spans.resize_with(KEPT, || None);
        }
        let slot = spans.get_mut(place)?;
        match slot {
            Some(kept) if kept.key == key && kept.span.start <= instant && instant < kept.span.end => Some(kept.span),
            _ => {
                let span = find(zone, instant);
                *slot = Some(Kept { key, _zone: zone.clone(), span });
                Some(span)
            }
        }
    });
    kept.ok().flatten().unwrap_or_else(|| find(zone, instant))
}

fn find(zone: &TimeZone, instant: i64) -> Span {
    let instant = instant.clamp(Timestamp::MIN.as_millisecond() + 1, Timestamp::MAX.as_millisecond() - 1);
    let at = Timestamp::from_millisecond(instant).unwrap_or(Timestamp::UNIX_EPOCH);
    // Changes fall on full seconds, so "before the next millisecond" includes the present one.
    let just_after = Timestamp::from_millisecond(instant + 1).unwrap_or(at);
    Span {
        start: zone.preceding(just_after).next().map_or(i64::MIN, |change| change.timestamp().as_millisecond()),
        end: zone.following(at).next().map_or(i64::MAX, |change| change.timestamp().as_millisecond()),
        offset: i64::from(zone.to_offset(at).seconds()) * 1000,
    }
}
