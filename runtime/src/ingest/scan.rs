//! The short way through a line: a `track` call of the usual form is read straight from its bytes, in one pass, and
//! only what the program wants of it is looked at closely.
//!
//! There is one meaning of a line, and it is not here: [`super::segment`] has it, with `serde_json`. Whatever this file
//! is not certain of (another kind of call, an escape in a text that is wanted, a member named twice, anything that does
//! not fit) it leaves alone by giving none, and the line goes the long way. What it does take, it takes as the long way
//! would; a property test holds the two together. It is written for speed: reading is most of the work of a replay.

use super::json::Rest;
use super::number::few_digits;
use super::schema::{default_of, EventPlan, Schema};
use super::time::is_possible;
use super::{Block, IdRef, MessageKey, NameMap, Record, What};
use crate::calendar::{parse_date, parse_instant, DAY};
use crate::engine::input::{Fields, Input};
use crate::vm::value::Value;
use flow_compiler::bytecode::{ChannelId, EventId, Outcome, Type};
use memchr::memmem;
use rust_decimal::Decimal;

/// What was learned of names and days on the way, for the lines to come.
#[derive(Debug)]
pub(super) struct Scanner<'s> {
    schema: &'s Schema,
    names: NameMap<Known<'s>>,
    calls: Shape<Member>,
    /// By planned event: the places of fields.
    properties: Vec<Shape<Option<u16>>>,
    date: [u8; 10],
    day: i64,
}

/// What an event's name means.
#[derive(Clone, Copy, Debug)]
enum Known<'s> {
    /// With its place among the shapes of properties.
    Planned(&'s EventPlan, usize),
    /// What became of a message, and the program's event for it.
    Outcome(ChannelId, Outcome, Option<EventId>),
    /// Its number among the block's unknown names.
    Unknown(u32),
    /// It says more than that it happened.
    Long,
}

/// The members of a call that matter here.
#[derive(Clone, Copy, Debug)]
enum Member {
    Kind,
    User,
    Anonymous,
    Message,
    Timestamp,
    Event,
    Properties,
    Context,
    /// A page's or a batch's, or one with another meaning than a track's.
    Long,
    Other,
}

impl Member {
    fn of(key: &str) -> Self {
        match key {
            "type" => Self::Kind,
            "userId" => Self::User,
            "anonymousId" => Self::Anonymous,
            "messageId" => Self::Message,
            "timestamp" => Self::Timestamp,
            "event" => Self::Event,
            "properties" => Self::Properties,
            "context" => Self::Context,
            "batch" | "name" => Self::Long,
            _ => Self::Other,
        }
    }
}

/// The keys of the last object of some kind, in order, and what each of them means. Whoever writes a log mostly writes
/// the same keys in the same order, so that a key is known by one comparison.
#[derive(Debug)]
struct Shape<T>(Vec<Hint<T>>);

#[derive(Debug)]
struct Hint<T> {
    /// `"key":`
    text: [u8; Hint::<()>::LONGEST],
    length: usize,
    meaning: T,
}

impl Hint<()> {
    /// Longer keys are read each time.
    const LONGEST: usize = 24;
}

impl<T: Copy> Shape<T> {
    /// So many keys are remembered.
    const MOST: usize = 32;

    /// Goes past a key and its colon, and gives what the key means, which is what `of` says.
    #[inline]
    fn key(&mut self, place: usize, rest: &mut Rest<'_>, of: impl FnOnce(&str) -> T) -> Option<T> {
        if let Some(hint) = self.0.get(place) {
            let text = rest.text.as_bytes().get(rest.at..rest.at + hint.length);
            if text.is_some_and(|text| Some(text) == hint.text.get(..hint.length)) {
                rest.at += hint.length;
                return Some(hint.meaning);
            }
        }
        let start = rest.at;
        let key = rest.string()?;
        rest.byte(b':')?;
        let meaning = of(key);
        self.learn(place, rest.text.as_bytes().get(start..rest.at)?, meaning);
        Some(meaning)
    }

    fn learn(&mut self, place: usize, bytes: &[u8], meaning: T) {
        let mut hint = Hint { text: [0; Hint::<()>::LONGEST], length: bytes.len(), meaning };
        match hint.text.get_mut(..bytes.len()) {
            Some(text) => text.copy_from_slice(bytes),
            // It fits no text.
            None => hint.length = usize::MAX / 2,
        }
        if place < self.0.len() {
            self.0.push(hint);
            self.0.swap_remove(place);
        } else if place == self.0.len() && place < Self::MOST {
            self.0.push(hint);
        }
    }
}

/// What a line turned out to say.
struct Track<'a> {
    name: &'a str,
    time: i64,
    user: Option<&'a str>,
    anonymous: Option<&'a str>,
    message: Option<&'a str>,
    properties: Properties,
}

/// The values of the event's fields, or where they stand.
enum Properties {
    None,
    At(usize),
    Read(Fields),
}

impl<'s> Scanner<'s> {
    pub fn new(schema: &'s Schema) -> Self {
        let (names, calls, properties) = (NameMap::default(), Shape(Vec::new()), Vec::new());
        Self { schema, names, calls, properties, date: *b"0000-00-00", day: 0 }
    }

    /// The record of a line; none: it has to go the long way. `unknown` gives numbers to unknown names.
    pub fn line(
        &mut self,
        line: &str,
        number: u32,
        block: &mut Block,
        unknown: impl FnOnce(&mut Block, &str) -> u32,
    ) -> Option<Record> {
        let mut rest = Rest { text: line, at: 0 };
        let mut known = None;
        let track = self.track(&mut rest, &mut known)?;
        let named = track.user.or(track.anonymous)?;
        let known = match known {
            Some(known) => known,
            None => {
                let known = self.meaning(track.name, |name| unknown(block, name));
                self.names.insert(track.name.into(), known);
                known
            }
        };
        let (who, what) = match known {
            Known::Long => return None,
            Known::Unknown(name) => (IdRef::default(), What::Unknown(name)),
            Known::Outcome(channel, outcome, event) => {
                if let Properties::At(start) = track.properties {
                    rest.at = start;
                    rest.nothing_of_a_message()?;
                }
                let (message, template, soft, time) = (None, None, false, track.time);
                let told = Input::Outcome { event, channel, outcome, message, template, soft, time };
                (block.keep(named), What::Input(told))
            }
            Known::Planned(plan, shape) => {
                let fields = match track.properties {
                    Properties::Read(fields) => fields,
                    Properties::None => self.whole(plan, nothing(plan))?,
                    Properties::At(start) => {
                        rest.at = start;
                        self.properties(&mut rest, plan, shape)?
                    }
                };
                match plan.event.filter(|_| plan.used) {
                    Some(event) => (block.keep(named), What::Input(Input::Event { event, time: track.time, fields })),
                    None => (IdRef::default(), What::Clock),
                }
            }
        };
        let message = track.message.map(MessageKey::of);
        Some(Record { time: track.time, message, line: number, known: track.user.is_some(), who, what })
    }

    fn meaning(&mut self, name: &str, unknown: impl FnOnce(&str) -> u32) -> Known<'s> {
        match self.schema.events.get(name) {
            Some(plan) if plan.event.is_none() || plan.outcome.is_some() || plan.consent.is_some() => Known::Long,
            Some(plan) => {
                self.properties.push(Shape(Vec::new()));
                Known::Planned(plan, self.properties.len() - 1)
            }
            None => match self.schema.outcome(name) {
                Some((channel, outcome, event)) => Known::Outcome(channel, outcome, event),
                None => Known::Unknown(unknown(name)),
            },
        }
    }

    fn track<'a>(&mut self, rest: &mut Rest<'a>, known: &mut Option<Known<'s>>) -> Option<Track<'a>> {
        let (mut name, mut time, mut user, mut anonymous, mut message) = (None, None, None, None, None);
        let mut properties = Properties::None;
        let mut kind = false;
        rest.byte(b'{')?;
        rest.space();
        for place in 0.. {
            match self.calls.key(place, rest, Member::of)? {
                Member::Kind => {
                    kind = true;
                    (rest.string()? == "track").then_some(())?;
                }
                Member::User => rest.id(&mut user)?,
                Member::Anonymous => rest.id(&mut anonymous)?,
                Member::Message => rest.id(&mut message)?,
                Member::Timestamp => once(&mut time, self.instant(rest.string()?).filter(|time| is_possible(*time))?)?,
                Member::Event => {
                    let event = rest.string()?;
                    *known = self.names.get(event).copied();
                    once(&mut name, event)?;
                }
                Member::Properties => {
                    matches!(properties, Properties::None).then_some(())?;
                    properties = match *known {
                        Some(Known::Planned(plan, shape)) => Properties::Read(self.properties(rest, plan, shape)?),
                        Some(Known::Long) => return None,
                        Some(Known::Unknown(_)) => {
                            rest.skip(0)?;
                            // Only that they were there matters.
                            Properties::At(0)
                        }
                        None | Some(Known::Outcome(..)) => {
                            rest.space();
                            let start = rest.at;
                            rest.skip(0)?;
                            Properties::At(start)
                        }
                    };
                }
                Member::Context => {
                    let context = rest.skip(0)?;
                    memmem::find(context.as_bytes(), b"categoryPreferences").is_none().then_some(())?;
                }
                Member::Long => return None,
                Member::Other => {
                    rest.skip(0)?;
                }
            }
            match rest.next()? {
                b',' => rest.space(),
                b'}' => break,
                _ => return None,
            }
        }
        rest.space();
        let name = name.filter(|_| rest.at == rest.text.len())?;
        // Without a type, an event's name says that it is a track: the long way knows.
        let time = time.filter(|_| kind)?;
        Some(Track { name, time, user, anonymous, message, properties })
    }

    /// The values of the event's fields, from an object that begins here.
    fn properties(&mut self, rest: &mut Rest<'_>, plan: &EventPlan, shape: usize) -> Option<Fields> {
        let fields = &plan.fields;
        if fields.is_empty() {
            rest.skip(0)?;
            return Some(Fields::new());
        }
        let mut values = nothing(plan);
        rest.byte(b'{')?;
        rest.space();
        if rest.peek() == Some(b'}') {
            rest.at += 1;
            return self.whole(plan, values);
        }
        let place_of = |key: &str| fields.place(key).and_then(|place| u16::try_from(place).ok());
        for place in 0.. {
            match self.properties.get_mut(shape)?.key(place, rest, place_of)? {
                Some(field) => {
                    let field = usize::from(field);
                    let value = rest.value(&fields.list.get(field)?.ty, self.schema)?;
                    // Named twice, the last one counts: the long way knows.
                    let slot = values.get_mut(field).filter(|slot| slot.is_missing())?;
                    *slot = value;
                }
                None => {
                    rest.skip(0)?;
                }
            }
            match rest.next()? {
                b',' => rest.space(),
                b'}' => return self.whole(plan, values),
                _ => return None,
            }
        }
        None
    }

    /// With defaults, and nothing missing that may not be.
    fn whole(&self, plan: &EventPlan, mut values: Fields) -> Option<Fields> {
        for (slot, field) in values.iter_mut().zip(&plan.fields.list) {
            if slot.is_missing() {
                *slot = default_of(field);
                (field.optional || !slot.is_missing()).then_some(())?;
            }
        }
        Some(values)
    }

    /// An instant; that of the line before has mostly been on the same day.
    fn instant(&mut self, text: &str) -> Option<i64> {
        match <&[u8; 24]>::try_from(text.as_bytes()).ok().and_then(|usual| self.usual_instant(usual)) {
            Some(time) => Some(time),
            None => parse_instant(text),
        }
    }

    /// Of the form `2026-03-02T12:00:00.000Z`.
    fn usual_instant(&mut self, text: &[u8; 24]) -> Option<i64> {
        let [y0, y1, y2, y3, m0, m1, m2, d0, d1, d2, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'.', f0, f1, f2, b'Z'] =
            *text
        else {
            return None;
        };
        let date = [y0, y1, y2, y3, m0, m1, m2, d0, d1, d2];
        let [h0, h1, n0, n1, s0, s1, f0, f1, f2] =
            [h0, h1, n0, n1, s0, s1, f0, f1, f2].map(|byte| u32::from(byte.wrapping_sub(b'0')));
        let (hour, minute, second) = (h0 * 10 + h1, n0 * 10 + n1, s0 * 10 + s1);
        let digits = h0.max(h1).max(n0).max(n1).max(s0).max(s1).max(f0).max(f1).max(f2) < 10;
        if !digits || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        if date != self.date {
            self.day = i64::from(parse_date(std::str::from_utf8(&date).ok()?)?) * DAY;
            self.date = date;
        }
        let seconds = (hour * 60 + minute) * 60 + second;
        Some(self.day + i64::from(seconds) * 1000 + i64::from(f0 * 100 + f1 * 10 + f2))
    }
}

/// The fields of an event of which nothing is known.
fn nothing(plan: &EventPlan) -> Fields {
    std::iter::repeat_n(Value::Missing, plan.fields.len()).collect()
}

/// Fills a place; none when it is full.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

impl<'a> Rest<'a> {
    /// An id that counts as one, or nothing.
    fn id(&mut self, place: &mut Option<&'a str>) -> Option<()> {
        self.space();
        match self.peek()? {
            b'"' => once(place, self.string().filter(|id| !id.is_empty())?),
            b'n' if place.is_none() => self.literal("null"),
            _ => once(place, self.number()?),
        }
    }

    /// Properties that say nothing of the message to which an outcome belongs.
    fn nothing_of_a_message(&mut self) -> Option<()> {
        self.byte(b'{')?;
        self.space();
        if self.peek()? == b'}' {
            return Some(());
        }
        loop {
            self.space();
            (!matches!(self.string()?, "message" | "message_id" | "template" | "type")).then_some(())?;
            self.byte(b':')?;
            self.skip(0)?;
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// A value of a type.
    fn value(&mut self, ty: &Type, schema: &Schema) -> Option<Value> {
        let json = self.skip(0)?;
        match (ty, json.as_bytes().first()?) {
            (Type::Text | Type::Email | Type::Phone | Type::Url, b'"') if !json.contains('\\') => {
                Some(Value::Text(json.get(1..json.len() - 1)?.into()))
            }
            (Type::Int, b'-' | b'0'..=b'9') => match few_digits(json) {
                Some((whole, 0)) => Some(Value::Int(whole)),
                _ => schema.value(ty, json).ok(),
            },
            (Type::Number, b'-' | b'0'..=b'9') => match few_digits(json) {
                Some((0, _)) => Some(Value::Number(Decimal::ZERO)),
                Some((digits, places)) => Some(Value::Number(Decimal::new(digits, places))),
                None => schema.value(ty, json).ok(),
            },
            _ => schema.value(ty, json).ok(),
        }
    }
}

#[cfg(test)]
mod tests;
