//! Whether a person can be reached: contact, suppression, consent.

use super::effect::SkipReason;
use super::person::Person;
use super::Engine;
use crate::calendar;
use crate::vm::value::Value;
use flow_compiler::bytecode::{ChannelId, Program, TopicId, Type};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Why a message of the topic could not go to the channel's own contact; none: it could.
pub(super) fn obstacle(engine: &Engine, person: &Person, channel: ChannelId, topic: TopicId) -> Option<SkipReason> {
    contact_obstacle(engine, person, channel)
        .or_else(|| suppressed(person, channel).then_some(SkipReason::Suppressed))
        .or_else(|| (!consents(engine, person, topic)).then_some(SkipReason::NoConsent))
}

/// The contact of a channel, when it has one and it is known.
pub(super) fn contact(engine: &Engine, person: &Person, channel: ChannelId) -> Option<Arc<str>> {
    let attribute = engine.program.channels.get(channel.index())?.contact?;
    match engine.attribute(person, attribute) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn contact_obstacle(engine: &Engine, person: &Person, channel: ChannelId) -> Option<SkipReason> {
    let attribute = engine.program.channels.get(channel.index())?.contact?;
    let ty = engine.program.attributes.get(attribute.index()).map(|a| &a.field.ty);
    match contact(engine, person, channel) {
        None => Some(SkipReason::NoContact),
        Some(text) => (!is_valid(&text, ty)).then_some(SkipReason::InvalidContact),
    }
}

/// Whether a text can be a contact of that type at all. Deliverability is for the backend to find out; this
/// keeps out what no backend could take.
pub(super) fn is_valid(contact: &str, ty: Option<&Type>) -> bool {
    match ty {
        Some(Type::Email) => is_email(contact),
        Some(Type::Phone) => is_phone(contact),
        _ => !contact.trim().is_empty(),
    }
}

/// One `@` with something before it, a dotted or plain host after it, no blanks or control characters.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let clean = |c: char| !c.is_whitespace() && !c.is_control() && !"<>,;\"()".contains(c);
    !local.is_empty()
        && !local.contains('@')
        && text.len() <= 254
        && text.chars().all(clean)
        && host.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
}

/// Seven to fifteen digits (E.164 allows fifteen), with an optional `+` and the usual separators.
fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let rest = text.strip_prefix('+').unwrap_or(text);
    (7..=15).contains(&digits) && rest.chars().all(|c| c.is_ascii_digit() || " -().".contains(c))
}

/// Whether the channel is suppressed for the person.
pub(super) fn suppressed(person: &Person, channel: ChannelId) -> bool {
    person.rare().suppressed.iter().any(|s| s.channel == channel)
}

/// Whether the topic's consent is there.
pub(super) fn consents(engine: &Engine, person: &Person, topic: TopicId) -> bool {
    let Some(declared) = engine.program.topics.get(topic.index()) else { return true };
    if declared.transactional {
        return true;
    }
    let said = person.rare().consent.iter().find(|(t, _)| *t == topic);
    said.map_or(!declared.required, |(_, given)| *given)
}

/// The end of the quiet hours on a channel, when it is quiet for the person.
pub(super) fn quiet_until(engine: &Engine, person: &Person, channel: ChannelId, now: i64) -> Option<i64> {
    quiet_in(&engine.program, engine.zone_of(person), channel, now)
}

/// The same for a time zone; hours that follow one another count as one.
fn quiet_in(program: &Program, zone: &TimeZone, channel: ChannelId, now: i64) -> Option<i64> {
    let mut until = None;
    let quiet = &program.policy.quiet;
    let quiet: Vec<_> = quiet.iter().filter(|q| q.channels.is_empty() || q.channels.contains(&channel)).collect();
    // Each rule can extend the time at most once before all of them together cover the whole day.
    for _ in 0..=quiet.len() {
        let at = until.unwrap_or(now);
        match quiet.iter().find_map(|q| calendar::quiet_until(zone, at, q.from, q.to)) {
            Some(end) => until = Some(end),
            None => break,
        }
    }
    until
}

/// Whether a message that was handed over before may leave now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// It may.
    Now,
    /// It is quiet until this instant.
    At(i64),
    /// The person has said no meanwhile.
    Never(SkipReason),
}

impl Engine {
    /// The end of the quiet hours on a channel, when it is quiet in that time zone.
    #[must_use]
    pub fn quiet_until(&self, zone: &TimeZone, channel: ChannelId, now: i64) -> Option<i64> {
        quiet_in(&self.program, zone, channel, now)
    }

    /// Judges again a message whose delivery has taken long: what the person has said since, and quiet hours. Caps and
    /// exits were judged when it was handed over.
    #[must_use]
    pub fn may_leave(&self, person: &Person, channel: ChannelId, topic: TopicId, now: i64) -> Leave {
        if suppressed(person, channel) {
            return Leave::Never(SkipReason::Suppressed);
        }
        if !consents(self, person, topic) {
            return Leave::Never(SkipReason::NoConsent);
        }
        if self.program.is_transactional(topic) {
            return Leave::Now;
        }
        quiet_until(self, person, channel, now).map_or(Leave::Now, Leave::At)
    }
}
