//! `whatsapp`: Meta's Cloud API. Free text reaches a person only within 24 hours of their last message; outside of that
//! it takes a template that Meta has approved, which the front matter names (`approved`). Meta wants the values of its
//! places `{{1}}`, `{{2}}`… alone: they are found by laying the text beside the approved one, which `templates` holds.

use crate::config::{Read, Settings};
use crate::net::{Answer, Http, Options};
use crate::{content, fields, Attempt, Channel, Delivery, Outcome};
use flow_runtime::message::Content;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use url::Url;

pub(super) const KEYS: &[&str] = &["url", "version", "phone_number_id", "token", "language", "templates"];

const URL: &str = "https://graph.facebook.com";
const VERSION: &str = "v23.0";
/// How long after a person's last message free text may be sent, in milliseconds.
pub const FREE_TEXT: i64 = 24 * 3600 * 1000;

struct Whatsapp {
    http: Http,
    messages: Url,
    token: SecretString,
    language: String,
    /// The approved texts, by name.
    templates: BTreeMap<String, String>,
}

pub(super) fn open(settings: &Settings<'_>) -> Read<Box<dyn Channel>> {
    let base = super::url_or(settings, "url", URL)?;
    let version = settings.text("version")?.unwrap_or_else(|| VERSION.to_owned());
    let number = settings.needs("phone_number_id", "\"106540352242922\"")?;
    let templates = settings.secret_texts("templates")?.into_iter();
    Ok(Box::new(Whatsapp {
        http: Http::open(settings, Options { allow_private: true, ..Options::default() })?,
        messages: super::below(settings, &base, &format!("{version}/{number}/messages"))?,
        token: settings.needs_secret("token")?,
        language: settings.text("language")?.unwrap_or_else(|| "en_US".to_owned()),
        templates: templates.map(|(name, text)| (name, text.expose_secret().to_owned())).collect(),
    }))
}

impl Channel for Whatsapp {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(async {
            let Some(to) = &delivery.to else { return Outcome::rejected("there is no number") };
            let body = match self.body(to, delivery) {
                Ok(body) => body,
                Err(reason) => return Outcome::rejected(reason),
            };
            let request = self.http.post_json(self.messages.clone(), &body);
            match self.http.send(request.bearer_auth(self.token.expose_secret())).await {
                Ok(answer) => outcome(&answer),
                Err(failed) => failed.outcome(),
            }
        })
    }
}

impl Whatsapp {
    /// The request, as the reference of the messages endpoint has it. The key comes back in the status webhooks.
    fn body(&self, to: &str, delivery: &Delivery) -> Result<Value, String> {
        let to: String = to.chars().filter(char::is_ascii_digit).collect();
        let text = content::text(&delivery.content);
        let mut body = json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": to,
            "biz_opaque_callback_data": delivery.key
        });
        let Content::Whatsapp { approved: Some(name), .. } = &delivery.content else {
            fields::set(&mut body, "type", "text");
            fields::set(&mut body, "text", json!({ "body": text, "preview_url": false }));
            return Ok(body);
        };
        let mut template = json!({ "name": name, "language": { "code": self.language } });
        let values = match self.templates.get(name) {
            Some(approved) => values(approved, &text)
                .ok_or_else(|| format!("the text is not the one that `templates` holds for `{name}`"))?,
            None => Vec::new(),
        };
        if !values.is_empty() {
            let values: Vec<Value> = values.iter().map(|value| json!({ "type": "text", "text": value })).collect();
            fields::set(&mut template, "components", json!([{ "type": "body", "parameters": values }]));
        }
        fields::set(&mut body, "type", "template");
        fields::set(&mut body, "template", template);
        Ok(body)
    }
}

/// What stands in a text where the approved one has its places, in the order of their numbers; none: the texts differ
/// elsewhere. Blanks and line ends count as one blank each.
fn values(approved: &str, text: &str) -> Option<Vec<String>> {
    let (approved, text) = (blanks(approved), blanks(text));
    let mut parts = approved.split("{{");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found: BTreeMap<usize, &str> = BTreeMap::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let (number, fixed) = part.split_once("}}")?;
        // The last piece ends the text; the others end where they come first.
        let at = if parts.peek().is_some() && !fixed.is_empty() {
            rest.find(fixed)?
        } else {
            rest.len().checked_sub(fixed.len()).filter(|at| rest.get(*at..) == Some(fixed))?
        };
        found.insert(number.trim().parse().ok()?, rest.get(..at)?);
        rest = rest.get(at + fixed.len()..)?;
    }
    (rest.is_empty()).then(|| found.into_values().map(str::to_owned).collect())
}

fn blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The error codes of Meta's page "Error codes" for the Cloud API.
fn outcome(answer: &Answer) -> Outcome {
    let body = answer.json();
    if (200..300).contains(&answer.status) {
        return Outcome::Accepted { provider_id: fields::text(&body, "/messages/0/id").map(str::to_owned) };
    }
    let Some(code) = fields::int(&body, "/error/code") else { return answer.outcome("WhatsApp") };
    let said = |what: &str| format!("{what} (error {code})");
    match code {
        131_047 => Outcome::rejected(said(
            "more than 24 hours have passed since the person's last message: send an approved template",
        )),
        131_050 => Outcome::suppressed(said("the person wants no marketing messages")),
        131_026 => Outcome::rejected(said("the message cannot be delivered to that number")),
        131_049 | 130_472 => Outcome::rejected(said("Meta did not let the message through to that person")),
        132_000..=132_018 => Outcome::rejected(said("the template or its values are not right")),
        131_021 | 131_030 => Outcome::rejected(said("that number cannot be sent to")),
        131_008 | 131_009 | 131_051 | 100 => Outcome::rejected(said("WhatsApp did not understand the request")),
        // Limits of rate and spam, maintenance, wrong credentials, unpaid bills.
        0
        | 1
        | 2
        | 3
        | 4
        | 10
        | 190
        | 200..=299
        | 368
        | 80_007
        | 130_429
        | 131_000
        | 131_005
        | 131_016
        | 131_031
        | 131_042
        | 131_045
        | 131_048
        | 131_056
        | 131_057
        | 133_004
        | 133_010 => answer.retry(said("WhatsApp does not take it now")),
        _ => match answer.outcome("WhatsApp") {
            Outcome::Rejected { suppress, .. } => Outcome::Rejected { reason: said("WhatsApp refused it"), suppress },
            other => other,
        },
    }
}

/// Whether free text may be sent at `now` to a person whose last message came at `last`, in milliseconds.
#[must_use]
pub fn free_text(last: Option<i64>, now: i64) -> bool {
    last.is_some_and(|last| now.saturating_sub(last) < FREE_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_the_approved_text_has_its_places() {
        let found = |approved: &str, text: &str| values(approved, text).map(|values| values.join("|"));
        assert_eq!(found("Hi {{1}}, {{2}} off!", "Hi Ada,\n10% off!").as_deref(), Some("Ada|10%"));
        assert_eq!(found("{{2}} for {{1}}", "a cap for Ada").as_deref(), Some("Ada|a cap"));
        assert_eq!(found("Your code is {{1}}", "Your code is 12, or 13").as_deref(), Some("12, or 13"));
        assert_eq!(found("We miss you.", "We miss you.").as_deref(), Some(""));
        for (approved, text) in [("Hi {{1}}!", "Hello Ada!"), ("Hi {{1}}!", "Hi Ada"), ("a {{1", "a b"), ("a", "b")] {
            assert_eq!(found(approved, text), None, "{approved}");
        }
    }

    #[test]
    fn free_text_ends_after_a_day() {
        assert!(free_text(Some(0), FREE_TEXT - 1));
        assert!(!free_text(Some(0), FREE_TEXT));
        assert!(!free_text(None, 0));
    }
}
