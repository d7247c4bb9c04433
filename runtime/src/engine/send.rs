//! A message: whether it may go, when, and what it is.
//!
//! Everything is judged at the moment of the send, in this order: exit, holdout, contact, suppression,
//! consent, quiet hours, caps.

use super::chance;
use super::effect::{EffectKind, Message, MessageContent, Place, Seen, SkipReason, Why};
use super::index::template_of;
use super::instance::{Bound, Instance, Waits};
use super::person::{Person, Recent, RECENT_LIMIT};
use super::reach;
use super::run::Run;
use super::steps::Then;
use super::Engine;
use crate::vm::value::Value;
use flow_compiler::bytecode::{BoundValue, ChannelId, Content, Send, StepId};
use smallvec::SmallVec;
use std::sync::Arc;

/// What a judgement comes to.
enum Verdict {
    Go(Option<Arc<str>>),
    Later(i64),
    Never(SkipReason),
}

impl Run<'_> {
    /// Sends on the one channel, on the first that can reach the person, or on all.
    pub fn send(&mut self, instance: &mut Instance, thread: u16, step: StepId, send: &Send) -> Then {
        if let (Some(exit), _) = self.exit_when(instance) {
            return Then::Leave(Why::Exit(exit));
        }
        let at = Place { journey: instance.journey, step };
        if instance.holdout {
            let wanted = if send.all { send.channels.len() } else { 1 };
            for channel in send.channels.iter().take(wanted) {
                let content = self.content(instance, send, Some(*channel));
                self.skip(at, Some(*channel), content, SkipReason::Holdout);
            }
            return Then::Go(StepId(step.0 + 1));
        }
        // After quiet hours, channels of an `and` that have had theirs are not asked again.
        let begin = match instance.thread_mut(thread).map(|t| (t.step, t.waits)) {
            Some((at, Waits::Quiet(channel))) if at == step => channel as usize,
            _ => 0,
        };
        if let Some(thread) = instance.thread_mut(thread) {
            thread.waits = Waits::AsStepSays;
        }
        let channels = self.route(send);
        if channels.is_empty() {
            let content = self.content(instance, send, None);
            self.skip(at, None, content, SkipReason::Unreachable);
        }
        let mut first = begin == 0;
        for (place, channel) in channels.into_iter().enumerate().skip(begin) {
            match self.judge(instance, send, channel) {
                Verdict::Go(to) => {
                    self.hand_over(instance, at, send, channel, to, first);
                    first = false;
                }
                Verdict::Never(reason) => {
                    let content = self.content(instance, send, Some(channel));
                    self.skip(at, Some(channel), content, reason);
                }
                Verdict::Later(until) => {
                    self.tell(EffectKind::Delayed { at, until });
                    let waits = Waits::Quiet(u8::try_from(place).unwrap_or(u8::MAX));
                    return Then::Wait { due: until, bound: until, waits };
                }
            }
        }
        Then::Go(StepId(step.0 + 1))
    }

    /// The channels to try. One of several: the first on which `can` holds.
    fn route(&self, send: &Send) -> SmallVec<[ChannelId; 4]> {
        if send.all || send.channels.len() < 2 {
            return send.channels.as_slice().into();
        }
        let reaches = |c: &&ChannelId| reach::obstacle(self.engine, self.person, **c, send.topic).is_none();
        send.channels.iter().find(reaches).copied().into_iter().collect()
    }

    fn judge(&self, instance: &Instance, send: &Send, channel: ChannelId) -> Verdict {
        let to = match self.contact(instance, send, channel) {
            Ok(to) => to,
            Err(reason) => return Verdict::Never(reason),
        };
        if reach::suppressed(self.person, channel) {
            return Verdict::Never(SkipReason::Suppressed);
        }
        if !reach::consents(self.engine, self.person, send.topic) {
            return Verdict::Never(SkipReason::NoConsent);
        }
        if self.engine.program.is_transactional(send.topic) {
            return Verdict::Go(to);
        }
        if let Some(until) = reach::quiet_until(self.engine, self.person, channel, self.now) {
            return Verdict::Later(until);
        }
        match self.cap_reached(channel) {
            Some(cap) => Verdict::Never(SkipReason::Cap(cap)),
            None if self.lacks_a_value(instance, send) => Verdict::Never(SkipReason::MissingValue),
            None => Verdict::Go(to),
        }
    }

    /// The contact: that of `to`, else the channel's.
    fn contact(&self, instance: &Instance, send: &Send, channel: ChannelId) -> Result<Option<Arc<str>>, SkipReason> {
        let program = &self.engine.program;
        let attribute = program.channels.get(channel.index()).and_then(|c| c.contact);
        let ty = attribute.and_then(|a| program.attributes.get(a.index())).map(|a| &a.field.ty);
        let contact = match (send.to, attribute) {
            (None, None) => return Ok(None),
            (None, Some(_)) => reach::contact(self.engine, self.person, channel),
            (Some(code), _) => match self.value(code, Some(instance)) {
                Value::Text(text) => Some(text),
                _ => None,
            },
        };
        let contact = contact.ok_or(SkipReason::NoContact)?;
        if reach::is_valid(&contact, ty) {
            Ok(Some(contact))
        } else {
            Err(SkipReason::InvalidContact)
        }
    }

    /// The checker has proved that the text is whole when the send is reached; quiet hours can come between.
    fn lacks_a_value(&self, instance: &Instance, send: &Send) -> bool {
        matches!(&send.content, Content::Text(code) if self.value(*code, Some(instance)) == Value::Missing)
    }

    /// The number of a cap that is reached.
    fn cap_reached(&self, channel: ChannelId) -> Option<u16> {
        let sends = &self.person.rare().sends;
        let reached = self.engine.program.policy.caps.iter().position(|cap| {
            if cap.channel.is_some_and(|c| c != channel) {
                return false;
            }
            let open = self.now.saturating_sub(cap.window);
            let counted =
                sends.iter().filter(|(time, c)| *time > open && cap.channel.is_none_or(|wanted| wanted == *c));
            counted.count() >= cap.count as usize
        });
        reached.and_then(|cap| u16::try_from(cap).ok())
    }

    /// `first`: of the messages of this send.
    fn hand_over(
        &mut self,
        instance: &mut Instance,
        at: Place,
        send: &Send,
        channel: ChannelId,
        to: Option<Arc<str>>,
        first: bool,
    ) {
        let content = self.content(instance, send, Some(channel));
        let id = self.message_id(instance, at, channel);
        instance.sent += 1;
        let with = send.with.iter().map(|given| self.value(given.code, Some(instance))).collect();
        let seen = self.engine.keeps_seen.then(|| Box::new(self.seen(instance, send)));
        if let Some(bound) = send.message.and_then(|slot| instance.messages.get_mut(slot as usize)) {
            if first {
                *bound = Bound::default();
            }
            bound.ids.push(id);
        }
        self.remember_message(send, channel, id, to.as_ref());
        let message = Message { id, at, channel, to, content, with, seen, topic: send.topic, entry: instance.time };
        self.tell(EffectKind::Message(Box::new(message)));
    }

    /// All that a template can name now.
    fn seen(&self, instance: &Instance, send: &Send) -> Seen {
        let bound = send.bound.iter().map(|bound| match &bound.value {
            BoundValue::Const(value) => Value::from_const(value),
            BoundValue::Slot(slot) => instance.slots.get(*slot as usize).cloned().unwrap_or_default(),
        });
        Seen {
            attributes: self.engine.attributes(self.person),
            trigger: instance.trigger.clone(),
            bound: bound.collect(),
            zone: self.engine.zone_of(self.person).clone(),
        }
    }

    /// A hash of journey, person, entry and step, and of how many messages the entry has sent before, so that the
    /// rounds of a loop differ. Never 0.
    fn message_id(&self, instance: &Instance, at: Place, channel: ChannelId) -> u64 {
        let program = &self.engine.program;
        let journey = program.journeys.get(at.journey.index());
        let step = journey.and_then(|j| j.steps.get(at.step.index())).map_or("", |s| &s.identity);
        let channel = program.channels.get(channel.index()).map_or("", |c| &c.name);
        let (mut time, mut number, mut sent) = (itoa::Buffer::new(), itoa::Buffer::new(), itoa::Buffer::new());
        let entry = [time.format(instance.time), "/", number.format(instance.number), "/", sent.format(instance.sent)];
        let parts: [&[&str]; 5] =
            [&[journey.map_or("", |j| &j.name)], &[self.person.id()], &entry, &[step], &[channel]];
        chance::hash_of(0, parts.into_iter()).max(1)
    }

    fn remember_message(&mut self, send: &Send, channel: ChannelId, id: u64, to: Option<&Arc<str>>) {
        let window = self.engine.index.longest_cap;
        if window > 0 && !self.engine.program.is_transactional(send.topic) {
            let open = self.now.saturating_sub(window);
            let sends = &mut self.person.rare_mut().sends;
            sends.retain(|(time, _)| *time > open);
            sends.push((self.now, channel));
        }
        if !self.person.rare().unused.is_empty() {
            self.person.rare_mut().unused.retain(|unused| *unused != channel);
        }
        if self.engine.index.outcomes {
            let template = template_of(&send.content).map(Arc::from);
            let time = self.now;
            let messages = &mut self.person.rare_mut().messages;
            if messages.len() >= RECENT_LIMIT {
                messages.remove(0);
            }
            messages.push(Recent { id, channel, template, to: to.cloned(), time });
        }
    }

    fn content(&self, instance: &Instance, send: &Send, channel: Option<ChannelId>) -> MessageContent {
        match &send.content {
            Content::Template(name) => MessageContent::Template(
                Arc::from(name.as_str()),
                channel.map_or_else(|| Arc::from(""), |c| locale(self.engine, self.person, name, c)),
            ),
            Content::Text(code) => match self.value(*code, Some(instance)) {
                Value::Text(text) => MessageContent::Text(text),
                _ => MessageContent::Text(Arc::from("")),
            },
        }
    }
}

/// See [`super::Engine::locale`].
pub(super) fn locale(engine: &Engine, person: &Person, template: &str, channel: ChannelId) -> Arc<str> {
    let program = &engine.program;
    let Some(locales) = program.templates.get(&(template.to_owned(), channel)) else { return Arc::from("") };
    let wanted = match program.locale_attr.map(|a| engine.attribute(person, a)) {
        Some(Value::Text(text)) => text.replace('_', "-"),
        _ => String::new(),
    };
    let language = wanted.split('-').next().unwrap_or("");
    let has = |locale: &str| locales.iter().find(|l| l.replace('_', "-").eq_ignore_ascii_case(locale));
    let found = has(&wanted).or_else(|| has(language)).or_else(|| has("")).or_else(|| locales.first());
    Arc::from(found.map_or("", String::as_str))
}
