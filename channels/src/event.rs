//! What comes back from outside, as events that the engine reads.

use flow_runtime::calendar::instant_text;
use serde_json::{Map, Value};

/// An event about a person: the input of a `track` call.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name: `Email Bounced`.
    pub name: String,
    /// Its properties.
    pub properties: Map<String, Value>,
}

impl Event {
    /// An event with properties.
    #[must_use]
    pub fn new<const N: usize>(name: impl Into<String>, properties: [(&str, Value); N]) -> Self {
        let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self { name: name.into(), properties: properties.collect() }
    }

    /// What became of the message `key`, sent by a channel: `Delivered`, `Opened`, `Clicked`, `Bounced`, `Replied`,
    /// `Complained` or `Unsubscribed`. Without a key the latest message of the channel is meant.
    #[must_use]
    pub fn outcome(channel: &str, what: &str, key: Option<&str>) -> Self {
        let mut event = Self::new(format!("{channel} {what}"), []);
        if let Some(key) = key {
            event.properties.insert("message".to_owned(), key.into());
        }
        event
    }

    /// The event as a call of the tracking API. `id` keeps what is told twice from being taken twice.
    #[must_use]
    pub fn call(&self, user: &str, id: &str, time: i64) -> Value {
        serde_json::json!({
            "type": "track", "userId": user, "event": self.name, "properties": self.properties, "messageId": id,
            "timestamp": instant_text(time)
        })
    }
}
