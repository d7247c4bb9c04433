//! Advertising audiences: who was added or removed, as hashed identifiers in batches, for a webhook.

use crate::backends::{self, webhook_outcome, Sender, WEBHOOK_KEYS};
use crate::config::{ConfigError, Settings};
use crate::secrets::Secrets;
use crate::{fields, net, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use sha2::{Digest as _, Sha256};
use toml::Table;
use url::Url;

/// The most people of a batch; the advertising networks take 10,000.
pub const LARGEST_BATCH: usize = 10_000;

/// Where the changes of an audience go: the table `[audiences.NAME]` of `flow.toml`, with the keys of the backend
/// `webhook`.
pub struct Audience {
    sender: Sender,
    url: Url,
}

/// Opens the audience `name` from its table `[audiences.name]`.
///
/// # Errors
/// When a key is not known, a value is of no use, or a secret is not there.
pub fn open(name: &str, table: &Table, secrets: &Secrets) -> Result<Audience, ConfigError> {
    let settings = Settings::of("audiences", name, table, secrets);
    settings.only(&[WEBHOOK_KEYS, net::KEYS])?;
    let url = backends::url(&settings, "url")?;
    let url = url.ok_or_else(|| settings.missing("url", "\"https://ads.example/audiences\""))?;
    Ok(Audience { sender: Sender::open(&settings)?, url })
}

impl Audience {
    /// Posts one of [`batches`], once, under an idempotency key. It is tried again as a webhook is.
    pub async fn send(&self, key: &str, batch: &Value) -> Outcome {
        webhook_outcome(self.sender.post(self.url.clone(), key, batch).await)
    }
}

/// A person put into an audience, or taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The audience.
    pub audience: String,
    /// Put in; else taken out.
    pub added: bool,
    /// The person's id.
    pub user: String,
    /// Their mail address.
    pub email: Option<String>,
    /// Their number.
    pub phone: Option<String>,
}

/// The hexadecimal SHA-256 of a mail address as the networks want it: without spaces around it, in lower case.
#[must_use]
pub fn hashed_email(email: &str) -> String {
    hashed(&email.trim().to_lowercase())
}

/// The hexadecimal SHA-256 of a number in the form of E.164, without the spaces and marks that people write; none: it
/// does not begin with the country's code, and would be another number there.
#[must_use]
pub fn hashed_phone(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let whole = phone.trim().starts_with('+') && (7..=15).contains(&digits.len());
    whole.then(|| hashed(&format!("+{digits}")))
}

fn hashed(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bodies of webhooks that tell the changes: for each audience and direction, batches of at most `size`, in the
/// order in which they came about. Of several changes of one person in one audience the last holds. Nothing in them
/// names a person but by hashes.
#[must_use]
pub fn batches(changes: &[Change], size: usize) -> Vec<Value> {
    let mut last: Vec<&Change> = Vec::new();
    for change in changes.iter().rev() {
        if !last.iter().any(|other| other.audience == change.audience && other.user == change.user) {
            last.push(change);
        }
    }
    last.reverse();
    let mut groups: Vec<((&str, bool), Vec<Value>)> = Vec::new();
    for change in last {
        let group = (change.audience.as_str(), change.added);
        let place = groups.iter().position(|(other, _)| *other == group).unwrap_or(groups.len());
        if place == groups.len() {
            groups.push((group, Vec::new()));
        }
        if let Some((_, people)) = groups.get_mut(place) {
            people.push(person(change));
        }
    }
    let size = size.clamp(1, LARGEST_BATCH);
    let batches = groups.iter().flat_map(|((audience, added), people)| {
        people.chunks(size).map(move |people| {
            let action = if *added { "add" } else { "remove" };
            json!({ "type": "audience.changed", "data": { "audience": audience, "action": action, "people": people } })
        })
    });
    batches.collect()
}

fn person(change: &Change) -> Value {
    let mut person = json!({ "external_id": hashed(&change.user) });
    if let Some(email) = &change.email {
        fields::set(&mut person, "email_sha256", hashed_email(email));
    }
    if let Some(phone) = change.phone.as_deref().and_then(hashed_phone) {
        fields::set(&mut person, "phone_sha256", phone);
    }
    person
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_hashed_as_networks_want_them() {
        // echo -n ada@example.com | sha256sum; echo -n +393331234567 | sha256sum
        let email = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";
        assert_eq!(hashed_email(" Ada@Example.COM "), email);
        let phone = "78f00e1ca317fb2af02c89b17b8b07382ff70336aba0997ad1f3ef3645b4e682";
        assert_eq!(hashed_phone("+39 333 123-4567").as_deref(), Some(phone));
        assert!(hashed_phone("333 1234567").is_none());
    }

    #[test]
    fn the_last_change_of_a_person_holds_and_batches_are_bounded() {
        let change = |user: &str, added| Change {
            audience: "buyers".into(),
            added,
            user: user.into(),
            email: Some("a@b.example".into()),
            phone: None,
        };
        let changes = [change("1", true), change("2", true), change("1", false), change("3", true), change("4", true)];
        let batches = batches(&changes, 2);
        let shown: Vec<_> = batches
            .iter()
            .map(|batch| {
                let data = &batch["data"];
                (data["action"].as_str().expect("a text"), data["people"].as_array().expect("a list").len())
            })
            .collect();
        assert_eq!(shown, [("add", 2), ("add", 1), ("remove", 1)]);
        let text = serde_json::to_string(&batches).expect("JSON");
        assert!(!text.contains("a@b.example"));
    }
}
