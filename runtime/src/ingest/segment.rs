//! Segment-spec calls, one JSON object a line, or several in a batch.
//!
//! A line is looked at without building a tree of it: its members stay slices of the line until the
//! program turns out to want them.

use super::decode::{found, is_null, object, text, Misfit};
use super::scan::Scanner;
use super::schema::{EventPlan, Schema};
use super::time::input_time;
use super::{Block, Dead, IdRef, Join, MessageKey, NameMap, Original, Record, What};
use crate::engine::input::Input;
use flow_compiler::bytecode::{ChannelId, EventId, Outcome};
use memchr::memchr;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A longer line is not looked at.
pub const LONGEST_LINE: usize = 1 << 20;
/// So much of it stands in the dead letter.
const LONG_LINE_SHOWN: usize = 1_000;
/// Some editors begin a file with it.
const MARK: &str = "\u{feff}";

/// Reads lines of a log. What it gives depends on the lines alone.
#[must_use]
pub fn read(schema: &Schema, bytes: &[u8]) -> Block {
    read_into(Block::default(), schema, bytes)
}

/// The same, in the memory of a block that nobody needs any more.
#[must_use]
pub fn read_into(mut used: Block, schema: &Schema, bytes: &[u8]) -> Block {
    used.clear();
    let mut reader = Reader { block: used, ..Reader::new(schema) };
    // Looked at once for all lines, which costs next to nothing; one by one only where one is not.
    let text = std::str::from_utf8(bytes).ok();
    let mut start = 0;
    while start < bytes.len() {
        let rest = bytes.get(start..).unwrap_or_default();
        let length = memchr(b'\n', rest).unwrap_or(rest.len());
        match text.and_then(|text| text.get(start..start + length)) {
            Some(line) => reader.text(line),
            None => reader.line(rest.get(..length).unwrap_or_default()),
        }
        start += length + 1;
        reader.line = reader.line.saturating_add(1);
    }
    reader.block.lines = u64::from(reader.line);
    reader.block
}

/// Reads calls that stand in something else than lines.
pub(super) struct Reader<'s> {
    pub schema: &'s Schema,
    pub block: Block,
    unknown: NameMap<u32>,
    scanner: Scanner<'s>,
    pub line: u32,
}

impl<'s> Reader<'s> {
    pub fn new(schema: &'s Schema) -> Self {
        Self { schema, block: Block::default(), unknown: NameMap::default(), scanner: Scanner::new(schema), line: 0 }
    }

    /// Takes in a line.
    pub fn line(&mut self, line: &[u8]) {
        match std::str::from_utf8(line) {
            Ok(line) => self.text(line),
            Err(_) if line.len() > LONGEST_LINE => self.too_long(line),
            Err(_) => {
                let line = line.trim_ascii();
                let line = if self.line == 0 { line.strip_prefix(MARK.as_bytes()).unwrap_or(line) } else { line };
                let original = Original::Text(String::from_utf8_lossy(line).into());
                self.dead(None, "the line is not UTF-8".to_owned(), original);
            }
        }
    }

    /// Takes in a line that is UTF-8.
    fn text(&mut self, line: &str) {
        if line.len() > LONGEST_LINE {
            self.too_long(line.as_bytes());
            return;
        }
        let line = line.trim_ascii();
        let line = if self.line == 0 { line.strip_prefix(MARK).unwrap_or(line) } else { line };
        if line.is_empty() {
            return;
        }
        let number = |block: &mut Block, name: &str| number_of(&mut self.unknown, block, name);
        match self.scanner.line(line, self.line, &mut self.block, number) {
            Some(record) => self.block.records.push(record),
            None => self.json(line),
        }
    }

    fn too_long(&mut self, line: &[u8]) {
        let start = String::from_utf8_lossy(line.get(..LONG_LINE_SHOWN).unwrap_or(line));
        let reason = format!("the line is longer than {LONGEST_LINE} bytes; its beginning stands here");
        self.dead(None, reason, Original::Text(start.into()));
    }

    /// The long way, which takes whatever JSON can say.
    pub(super) fn json(&mut self, json: &str) {
        match serde_json::from_str::<Line<'_>>(json) {
            Ok(Line::Call(call)) => match call.batch {
                Some(batch) if !is_null(batch) => self.batch(batch.get(), json),
                _ => self.call(&call, json, None),
            },
            Ok(Line::Several) => self.batch(json, json),
            Err(error) => {
                let reason = match json.as_bytes().first() {
                    Some(b'{' | b'[') => format!("the line is not JSON: {error}"),
                    _ => "the line is not a JSON object".to_owned(),
                };
                let original = match serde_json::from_str::<&RawValue>(json) {
                    Ok(_) => Original::Json(json.into()),
                    Err(_) => Original::Text(json.into()),
                };
                self.dead(None, reason, original);
            }
        }
    }

    fn batch(&mut self, list: &str, whole: &str) {
        let Ok(calls) = serde_json::from_str::<Vec<&RawValue>>(list) else {
            let reason = format!("batch: expected a list, found {}", found(list));
            self.dead(None, reason, Original::Json(whole.into()));
            return;
        };
        for (place, raw) in calls.into_iter().enumerate() {
            match serde_json::from_str::<Line<'_>>(raw.get()) {
                Ok(Line::Call(call)) => self.call(&call, raw.get(), Some(place)),
                _ => {
                    let reason = format!("batch[{place}]: expected an object, found {}", found(raw.get()));
                    self.dead(None, reason, Original::Json(raw.get().into()));
                }
            }
        }
    }

    /// Sets a call aside.
    pub fn dead(&mut self, message: Option<MessageKey>, reason: String, input: Original) {
        let what = What::Dead(Box::new(Dead { reason, input }));
        self.block.records.push(Record {
            time: i64::MIN,
            message,
            line: self.line,
            known: false,
            who: IdRef::default(),
            what,
        });
    }

    fn call(&mut self, call: &Call<'_>, json: &str, place: Option<usize>) {
        let message = id(call.message_id, "messageId").ok().flatten().map(|id| MessageKey::of(&id));
        match self.read(call) {
            Ok((time, known, who, what)) => {
                self.block.records.push(Record { time, message, line: self.line, known, who, what });
            }
            Err(misfit) => {
                let reason = match place {
                    Some(place) => misfit.below(&format!("batch[{place}]")).to_string(),
                    None => misfit.to_string(),
                };
                self.dead(message, reason, Original::Json(json.into()));
            }
        }
    }

    fn read(&mut self, call: &Call<'_>) -> Result<(i64, bool, IdRef, What), Misfit> {
        let kind = call.kind()?;
        let time = call.time()?;
        let user = id(call.user_id, "userId")?;
        let anonymous = id(call.anonymous_id, "anonymousId")?;
        let Some(named) = user.as_ref().or(anonymous.as_ref()) else {
            return Err(Misfit::new("`userId` or `anonymousId`", "neither"));
        };
        let other = match kind {
            Kind::Identify if user.is_some() => anonymous.as_ref(),
            Kind::Alias => {
                let previous = id(call.previous_id, "previousId")?;
                if user.is_none() {
                    return Err(Misfit::new("a text or a number", "nothing").below("userId"));
                }
                let Some(previous) = previous.or(anonymous.clone()) else {
                    return Err(Misfit::new("a text or a number", "nothing").below("previousId"));
                };
                let from = self.block.keep(&previous);
                let who = self.block.keep(named);
                let input = self.consents(call, Vec::new())?;
                return Ok((time, true, who, What::Join(Box::new(Join { from, alias: true, input }))));
            }
            _ => None,
        };
        let what = match kind {
            Kind::Identify => Some(self.identify(call)?),
            Kind::Group => self.group(call)?,
            Kind::Track => {
                let name = call.name_of_event()?;
                return self.event(call, &name, named, user.is_some(), time);
            }
            Kind::Page => return self.event(call, "page", named, user.is_some(), time),
            Kind::Screen => return self.event(call, "screen", named, user.is_some(), time),
            Kind::Alias => None,
        };
        let who = self.block.keep(named);
        let what = match (other, what) {
            (Some(other), input) => {
                let from = self.block.keep(other);
                What::Join(Box::new(Join { from, alias: false, input }))
            }
            (None, Some(input)) => What::Input(input),
            (None, None) => What::Clock,
        };
        Ok((time, user.is_some(), who, what))
    }

    fn identify(&self, call: &Call<'_>) -> Result<Input, Misfit> {
        let json = call.traits.map_or("null", RawValue::get);
        let below = |misfit: Misfit| misfit.below("traits");
        let attributes = self.schema.traits(json).map_err(below)?;
        let mut inputs = vec![Input::Attributes(attributes)];
        object(
            json,
            |_, json| self.topics(json, &mut inputs).map_err(|misfit| misfit.below("consent")),
            |key| key == "consent",
        )
        .map_err(below)?;
        self.consents(call, inputs).map(|input| input.unwrap_or(Input::Attributes(Vec::new())))
    }

    fn group(&self, call: &Call<'_>) -> Result<Option<Input>, Misfit> {
        let json = call.traits.map_or("null", RawValue::get);
        let attributes = self.schema.traits(json).map_err(|misfit| misfit.below("traits"))?;
        let inputs = if attributes.is_empty() { Vec::new() } else { vec![Input::Attributes(attributes)] };
        self.consents(call, inputs)
    }

    fn event(
        &mut self,
        call: &Call<'_>,
        name: &str,
        who: &str,
        known: bool,
        time: i64,
    ) -> Result<(i64, bool, IdRef, What), Misfit> {
        let schema = self.schema;
        let mut inputs = self.consent_of_context(call)?;
        let mut unknown = None;
        if let Some(plan) = schema.events.get(name) {
            self.planned(plan, call, time, &mut inputs)?;
            if plan.event.is_none() && inputs.is_empty() {
                unknown = Some(self.unknown(name));
            }
        } else if let Some(number) = self.unknown.get(name) {
            unknown = Some(*number);
        } else if let Some(outcome) = schema.outcome(name) {
            inputs.push(schema.told(outcome, call, time)?);
        } else {
            unknown = Some(self.unknown(name));
        }
        let what = match one(inputs) {
            Some(input) => What::Input(input),
            None => match unknown {
                // Nobody looks at whose it is.
                Some(name) => return Ok((time, known, IdRef::default(), What::Unknown(name))),
                None => return Ok((time, known, IdRef::default(), What::Clock)),
            },
        };
        Ok((time, known, self.block.keep(who), what))
    }

    fn planned(&self, plan: &EventPlan, call: &Call<'_>, time: i64, inputs: &mut Vec<Input>) -> Result<(), Misfit> {
        if let Some(event) = plan.event.filter(|_| plan.used || !plan.fields.is_empty()) {
            let json = call.properties.map_or("null", RawValue::get);
            let name = call.name.map(RawValue::get);
            let outside = |wire: &str| name.filter(|_| wire == "name");
            let fields = self.schema.fields(&plan.fields, json, |field| outside(&field.wire));
            let fields = fields.map_err(|misfit| misfit.below("properties"))?;
            if plan.used {
                inputs.push(Input::Event { event, time, fields: fields.into() });
            }
        }
        if let Some(outcome) = plan.outcome {
            inputs.push(self.schema.told(outcome, call, time)?);
        }
        if let Some(given) = plan.consent {
            inputs.extend(self.schema.asked(given, call)?);
        }
        Ok(())
    }

    fn unknown(&mut self, name: &str) -> u32 {
        number_of(&mut self.unknown, &mut self.block, name)
    }

    /// What the call's context says about consent, with what else it says.
    fn consents(&self, call: &Call<'_>, mut inputs: Vec<Input>) -> Result<Option<Input>, Misfit> {
        inputs.extend(self.consent_of_context(call)?);
        Ok(one(inputs))
    }

    fn consent_of_context(&self, call: &Call<'_>) -> Result<Vec<Input>, Misfit> {
        let mut inputs = Vec::new();
        let Some(context) = call.context.filter(|context| context.get().contains("\"categoryPreferences\"")) else {
            return Ok(inputs);
        };
        object(
            context.get(),
            |_, consent| {
                object(consent, |_, topics| self.topics(topics, &mut inputs), |key| key == "categoryPreferences")
                    .map_err(|misfit| misfit.below("consent.categoryPreferences"))
            },
            |key| key == "consent",
        )
        .map_err(|misfit| misfit.below("context"))?;
        Ok(inputs)
    }

    /// `{ "<topic>": true|false }`; topics that the program does not name concern nobody.
    fn topics(&self, json: &str, inputs: &mut Vec<Input>) -> Result<(), Misfit> {
        object(
            json,
            |topic, json| {
                let given = match json {
                    "true" => true,
                    "false" => false,
                    _ => return Err(Misfit::new("true or false", found(json)).below(topic)),
                };
                if let Some(topic) = self.schema.topics.get(topic) {
                    inputs.push(Input::Consent { topic: Some(*topic), given });
                }
                Ok(())
            },
            |_| true,
        )
    }
}

impl Schema {
    /// What became of a message.
    fn told(
        &self,
        (channel, outcome, event): (ChannelId, Outcome, Option<EventId>),
        call: &Call<'_>,
        time: i64,
    ) -> Result<Input, Misfit> {
        let (mut message, mut template, mut soft) = (None, None, false);
        object(
            call.properties.map_or("null", RawValue::get),
            |key, json| {
                let Some(value) = text(json) else { return Ok(()) };
                match key {
                    "template" => template = Some(value.into()),
                    "type" => soft = value.eq_ignore_ascii_case("soft"),
                    // An id that is not one of ours (a provider's own) says nothing.
                    _ => message = message_id(&value).or(message),
                }
                Ok(())
            },
            |key| matches!(key, "message" | "message_id" | "template" | "type"),
        )
        .map_err(|misfit| misfit.below("properties"))?;
        Ok(Input::Outcome { event, channel, outcome, message, template, soft, time })
    }

    /// `Subscribed` and `Unsubscribed`.
    fn asked(&self, given: bool, call: &Call<'_>) -> Result<Option<Input>, Misfit> {
        let (mut topic, mut channel) = (None::<String>, None::<String>);
        object(
            call.properties.map_or("null", RawValue::get),
            |key, json| {
                if json != "null" {
                    let name = text(json).ok_or_else(|| Misfit::new("a text", found(json)).below(key))?;
                    if key == "topic" {
                        topic = Some(name.into_owned())
                    } else {
                        channel = Some(name.into_owned())
                    }
                }
                Ok(())
            },
            |key| matches!(key, "topic" | "channel"),
        )
        .map_err(|misfit| misfit.below("properties"))?;
        Ok(self.consent(given, topic.as_deref(), channel.as_deref()))
    }
}

/// The number of a name that the program does not know.
fn number_of(numbers: &mut NameMap<u32>, block: &mut Block, name: &str) -> u32 {
    if let Some(number) = numbers.get(name) {
        return *number;
    }
    let number = u32::try_from(block.names.len()).unwrap_or(u32::MAX);
    block.names.push(name.into());
    numbers.insert(name.into(), number);
    number
}

fn message_id(text: &str) -> Option<u64> {
    (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// Several inputs as one.
fn one(mut inputs: Vec<Input>) -> Option<Input> {
    match inputs.len() {
        0 | 1 => inputs.pop(),
        _ => Some(Input::Several(inputs)),
    }
}

/// An id: a text or a number; an empty text is none.
fn id<'a>(raw: Option<&'a RawValue>, name: &str) -> Result<Option<Cow<'a, str>>, Misfit> {
    let Some(json) = raw.map(RawValue::get) else { return Ok(None) };
    match json.as_bytes().first() {
        Some(b'"') => match text(json) {
            Some(id) => Ok(Some(id).filter(|id| !id.is_empty())),
            None => Err(Misfit::new("a text or a number", found(json)).below(name)),
        },
        Some(b'-' | b'0'..=b'9') => Ok(Some(Cow::Borrowed(json))),
        Some(b'n') => Ok(None),
        _ => Err(Misfit::new("a text or a number", found(json)).below(name)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Track,
    Identify,
    Alias,
    Page,
    Screen,
    Group,
}

/// The members of a call, as they stand in the line.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    kind: Option<&'a RawValue>,
    event: Option<&'a RawValue>,
    user_id: Option<&'a RawValue>,
    anonymous_id: Option<&'a RawValue>,
    previous_id: Option<&'a RawValue>,
    timestamp: Option<&'a RawValue>,
    original_timestamp: Option<&'a RawValue>,
    received_at: Option<&'a RawValue>,
    message_id: Option<&'a RawValue>,
    properties: Option<&'a RawValue>,
    traits: Option<&'a RawValue>,
    context: Option<&'a RawValue>,
    name: Option<&'a RawValue>,
    batch: Option<&'a RawValue>,
}

impl<'a> Call<'a> {
    fn kind(&self) -> Result<Kind, Misfit> {
        const KINDS: &str = "track, identify, alias, page, screen or group";
        let json = match self.kind.map(RawValue::get) {
            // The bodies of `/v1/track` have no type.
            None | Some("null") if self.event.is_some() => return Ok(Kind::Track),
            None => "null",
            Some(json) => json,
        };
        match json {
            "\"track\"" => Ok(Kind::Track),
            "\"identify\"" => Ok(Kind::Identify),
            "\"alias\"" => Ok(Kind::Alias),
            "\"page\"" => Ok(Kind::Page),
            "\"screen\"" => Ok(Kind::Screen),
            "\"group\"" => Ok(Kind::Group),
            _ => Err(Misfit::new(KINDS, found(json)).below("type")),
        }
    }

    fn time(&self) -> Result<i64, Misfit> {
        let named = [
            (self.timestamp, "timestamp"),
            (self.original_timestamp, "originalTimestamp"),
            (self.received_at, "receivedAt"),
        ];
        for (raw, name) in named {
            let Some(json) = raw.map(RawValue::get).filter(|json| *json != "null") else { continue };
            return input_time(json).map_err(|misfit| misfit.below(name));
        }
        Err(Misfit::new("a date and time (RFC 3339)", "nothing").below("timestamp"))
    }

    fn name_of_event(&self) -> Result<Cow<'a, str>, Misfit> {
        let json = self.event.map_or("null", RawValue::get);
        text(json).ok_or_else(|| Misfit::new("the name of an event", found(json)).below("event"))
    }
}

/// What a line (or a part of a batch) can be.
#[allow(clippy::large_enum_variant, reason = "one at a time, and nearly always the large one")]
enum Line<'a> {
    Call(Call<'a>),
    Several,
}

impl<'de> serde::Deserialize<'de> for Line<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Line<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut call = Call::default();
                while let Some(member) = map.next_key::<Member>()? {
                    let place = match member {
                        Member::Kind => &mut call.kind,
                        Member::Event => &mut call.event,
                        Member::UserId => &mut call.user_id,
                        Member::AnonymousId => &mut call.anonymous_id,
                        Member::PreviousId => &mut call.previous_id,
                        Member::Timestamp => &mut call.timestamp,
                        Member::OriginalTimestamp => &mut call.original_timestamp,
                        Member::ReceivedAt => &mut call.received_at,
                        Member::MessageId => &mut call.message_id,
                        Member::Properties => &mut call.properties,
                        Member::Traits => &mut call.traits,
                        Member::Context => &mut call.context,
                        Member::Name => &mut call.name,
                        Member::Batch => &mut call.batch,
                        Member::Other => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                            continue;
                        }
                    };
                    *place = Some(map.next_value()?);
                }
                Ok(Line::Call(call))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(Line::Several)
            }
        }
        deserializer.deserialize_any(Members)
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum Member {
    #[serde(rename = "type")]
    Kind,
    #[serde(rename = "event")]
    Event,
    #[serde(rename = "userId")]
    UserId,
    #[serde(rename = "anonymousId")]
    AnonymousId,
    #[serde(rename = "previousId")]
    PreviousId,
    #[serde(rename = "timestamp")]
    Timestamp,
    #[serde(rename = "originalTimestamp")]
    OriginalTimestamp,
    #[serde(rename = "receivedAt")]
    ReceivedAt,
    #[serde(rename = "messageId")]
    MessageId,
    #[serde(rename = "properties")]
    Properties,
    #[serde(rename = "traits")]
    Traits,
    #[serde(rename = "context")]
    Context,
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "batch")]
    Batch,
    #[serde(other)]
    Other,
}
