//! What an input says about the person: attributes, history, consent, outcomes of messages.

use super::aside::Aside;
use super::effect::Withdrawal;
use super::history;
use super::input::{Fields, Input};
use super::person::{Recent, Suppressed};
use super::reach;
use super::run::{Caused, Happened, Run, Signal};
use crate::calendar;
use crate::vm::value::Value;
use flow_compiler::bytecode::{AttrId, ChannelId, EventId, Outcome, TopicId};

/// An outcome as an input tells it.
struct Told {
    event: Option<EventId>,
    channel: ChannelId,
    outcome: Outcome,
    message: Option<u64>,
    template: Option<Box<str>>,
    soft: bool,
    time: i64,
}

impl Run<'_> {
    /// Takes an input into the person's state; gives what it changed.
    pub fn update(&mut self, input: Input) -> Signal {
        self.person.order += 1;
        let mut signal = Signal::default();
        self.apply(input, &mut signal);
        signal
    }

    /// The same for what a step caused.
    pub fn update_caused(&mut self, caused: Caused) -> Signal {
        self.person.order += 1;
        let mut signal = Signal::default();
        match caused {
            Caused::Event(event, fields) => self.happen(event, self.now, fields, &mut signal),
            Caused::Changed(attribute) => self.noted(attribute, &mut signal),
            Caused::Start(journey) => signal.start = Some(journey),
        }
        signal
    }

    fn apply(&mut self, input: Input, signal: &mut Signal) {
        match input {
            Input::Event { event, time, fields } => self.happen(event, time, fields, signal),
            Input::Outcome { event, channel, outcome, message, template, soft, time } => {
                self.outcome(Told { event, channel, outcome, message, template, soft, time }, signal);
            }
            Input::Attributes(changes) => {
                for (attribute, value) in changes {
                    if self.set_attribute(attribute, value) {
                        self.noted(attribute, signal);
                    }
                }
            }
            Input::Consent { topic, given } => {
                signal.reach = true;
                self.consent(topic, given);
            }
            Input::Suppress { channel, suppressed } => {
                signal.reach = true;
                self.suppress(channel, suppressed, false);
            }
            Input::List(list) => signal.list = Some(list),
            Input::Answer { request, answer } => signal.answer = Some((request, answer)),
            Input::Several(inputs) => inputs.into_iter().for_each(|input| self.apply(input, signal)),
        }
    }

    fn happen(&mut self, event: EventId, time: i64, fields: Fields, signal: &mut Signal) {
        if let Some((location, lat, lon)) = self.engine.index.location {
            if location == event {
                self.locate(time, fields.get(lat), fields.get(lon));
            }
        }
        let at = (time, self.person.order);
        history::record(self.engine, self.person, event, at, self.now, &fields);
        self.aside(|| Aside::Happened { event, time, fields: fields.clone() });
        signal.event = Some(Happened { event, fields });
    }

    /// A location that is older than the one known is no news.
    fn locate(&mut self, time: i64, latitude: Option<&Value>, longitude: Option<&Value>) {
        let (Some(Value::Number(latitude)), Some(Value::Number(longitude))) = (latitude, longitude) else { return };
        let known = self.person.rare().location;
        if known.is_none_or(|(before, ..)| before <= time) {
            self.person.rare_mut().location = Some((time, *latitude, *longitude));
        }
    }

    /// Sets an attribute; says whether it has another value now. Missing, or a zone that does not exist,
    /// takes the value away.
    pub fn set_attribute(&mut self, attribute: AttrId, value: Value) -> bool {
        let before = self.engine.attribute(self.person, attribute);
        let known = before != Value::Missing;
        let zone = (self.engine.program.timezone_attr == Some(attribute)).then(|| match &value {
            Value::Text(name) => self.engine.zones.get(name),
            _ => None,
        });
        let value = if matches!(zone, Some(None)) { Value::Missing } else { value };
        *history::at_place(&mut self.person.attributes, attribute.index()) = value;
        if let Some(zone) = zone {
            self.person.zone = zone;
        }
        let changed = self.engine.attribute(self.person, attribute) != before;
        if changed && known {
            self.contact_changed(attribute);
        }
        changed
    }

    /// Nothing was sent yet to what an attribute holds now.
    fn contact_changed(&mut self, attribute: AttrId) {
        let channels = (0..).map(ChannelId).zip(&self.engine.program.channels);
        for (channel, _) in channels.filter(|(_, channel)| channel.contact == Some(attribute)) {
            if !self.person.rare().unused.contains(&channel) {
                self.person.rare_mut().unused.push(channel);
            }
        }
    }

    /// Puts down that an attribute has another value.
    fn noted(&mut self, attribute: AttrId, signal: &mut Signal) {
        if !signal.attributes.contains(&attribute) {
            signal.attributes.push(attribute);
        }
        if self.explained {
            let value = self.engine.attribute(self.person, attribute);
            self.aside(|| Aside::Changed { attribute, value });
        }
        let contact_of =
            |c: &ChannelId| self.engine.program.channels.get(c.index()).is_some_and(|c| c.contact == Some(attribute));
        let channels = &self.engine.program.channels;
        if channels.iter().any(|c| c.contact == Some(attribute)) {
            signal.reach = true;
            if self.person.rare().suppressed.iter().any(|s| s.bounced && contact_of(&s.channel)) {
                let engine = self.engine;
                self.person.rare_mut().suppressed.retain(|s| {
                    let channel = engine.program.channels.get(s.channel.index());
                    !(s.bounced && channel.is_some_and(|c| c.contact == Some(attribute)))
                });
            }
        }
    }

    fn consent(&mut self, topic: Option<TopicId>, given: bool) {
        let topics: Vec<TopicId> = match topic {
            Some(topic) => vec![topic],
            None => {
                let all = 0..u32::try_from(self.engine.program.topics.len()).unwrap_or(u32::MAX);
                all.map(TopicId).filter(|t| !self.engine.program.is_transactional(*t)).collect()
            }
        };
        for topic in topics {
            let consent = &mut self.person.rare_mut().consent;
            consent.retain(|(t, _)| *t != topic);
            consent.push((topic, given));
            if !given {
                self.withdraw(Withdrawal::Topic(topic));
            }
        }
    }

    fn suppress(&mut self, channel: ChannelId, suppressed: bool, bounced: bool) {
        let list = &mut self.person.rare_mut().suppressed;
        let entry = Suppressed { channel, bounced };
        if !suppressed {
            list.retain(|s| s.channel != channel);
        } else if !list.contains(&entry) {
            list.push(entry);
            self.withdraw(Withdrawal::Channel(channel));
        }
    }

    fn outcome(&mut self, told: Told, signal: &mut Signal) {
        let message = self.told_message(&told);
        if told.outcome == Outcome::Opened && self.engine.index.best_hour {
            self.count_open(told.channel, told.time);
        }
        match told.outcome {
            Outcome::Bounced if !told.soft && !self.is_past_contact(told.channel, message.as_ref()) => {
                signal.reach = true;
                self.suppress(told.channel, true, true);
            }
            Outcome::Complained | Outcome::Unsubscribed => {
                signal.reach = true;
                self.suppress(told.channel, true, false);
            }
            _ => {}
        }
        if let Some(id) = message.as_ref().map(|m| m.id).or(told.message) {
            signal.outcome = Some((id, told.outcome));
            let bound = self.person.instances.iter_mut().flat_map(|i| i.messages.iter_mut());
            bound.filter(|m| m.ids.contains(&id)).for_each(|m| m.add(told.outcome));
        }
        if let Some(event) = told.event {
            let template = message.and_then(|m| m.template).or_else(|| told.template.map(Into::into));
            let fields = self.outcome_fields(event, template.map_or(Value::Missing, Value::Text));
            self.happen(event, told.time, fields, signal);
        }
    }

    /// The message that an outcome belongs to: the one it names, else the latest that fits.
    fn told_message(&self, told: &Told) -> Option<Recent> {
        let fits = |m: &&Recent| match told.message {
            Some(id) => m.id == id,
            None => {
                m.channel == told.channel
                    && m.time <= told.time
                    && told.template.as_deref().is_none_or(|t| m.template.as_deref() == Some(t))
            }
        };
        self.person.rare().messages.iter().rev().find(fits).cloned()
    }

    /// Whether a message went to another contact than the channel has now: its bounce says nothing of this one.
    fn is_past_contact(&self, channel: ChannelId, message: Option<&Recent>) -> bool {
        match message.and_then(|message| message.to.as_deref()) {
            Some(to) => reach::contact(self.engine, self.person, channel).is_some_and(|now| *now != *to),
            None => self.person.rare().unused.contains(&channel),
        }
    }

    fn outcome_fields(&self, event: EventId, template: Value) -> Fields {
        let Some(event) = self.engine.program.events.get(event.index()) else { return Fields::default() };
        event.fields.iter().map(|f| if f.name == "template" { template.clone() } else { Value::Missing }).collect()
    }

    fn count_open(&mut self, channel: ChannelId, time: i64) {
        let hour = calendar::hour_of_day(self.engine.zone_of(self.person), time);
        let opens = &mut self.person.rare_mut().opens;
        let place = opens.iter().position(|(c, _)| *c == channel).unwrap_or_else(|| {
            opens.push((channel, [0; 24]));
            opens.len() - 1
        });
        let count = opens.get_mut(place).and_then(|(_, hours)| hours.get_mut(usize::try_from(hour).unwrap_or(0)));
        if let Some(count) = count {
            *count = count.saturating_add(1);
        }
    }
}
