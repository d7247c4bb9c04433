//! A delivery as one line of JSON: what `file` writes, `exec` reads and `webhook` posts.

use crate::Delivery;
use flow_runtime::calendar::instant_text;
use serde::Serialize;
use serde_json::{Map, Value};

/// The delivery as a JSON object: `key`, `channel`, `user`, `to`, `journey`, `step`, `topic`, `marketing`, `time`,
/// `attempt`, `unsubscribe`, and `content`, whose `kind` tells its other fields. What is not there is left out.
#[must_use]
pub fn json(delivery: &Delivery) -> Value {
    let all = [
        ("key", Value::from(delivery.key.as_str())),
        ("channel", delivery.channel.as_str().into()),
        ("user", delivery.user.as_str().into()),
        ("to", delivery.to.as_deref().into()),
        ("journey", delivery.journey.as_str().into()),
        ("step", delivery.step.as_str().into()),
        ("topic", delivery.topic.as_deref().into()),
        ("marketing", delivery.marketing.into()),
        ("time", instant_text(delivery.time).into()),
        ("attempt", delivery.attempt.into()),
        ("unsubscribe", delivery.unsubscribe.as_deref().into()),
        ("content", to_value(&delivery.content)),
    ];
    let known = all.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(known.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}

fn to_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
