//! `webhook`: a POST of the message as JSON, signed as the Standard Webhooks specification says.

use crate::config::{Read, Settings};
use crate::net::{self, Answer, Failed, Http, Options};
use crate::{line, Attempt, Channel, Delivery, Outcome};
use base64::prelude::{Engine as _, BASE64_STANDARD};
use flow_runtime::calendar::instant_text;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_json::{json, Value};
use sha2::Sha256;
use std::sync::atomic::{AtomicBool, Ordering};
use url::Url;

pub(crate) const KEYS: &[&str] = &["url", "secret", "secret_before", "headers", "allow_private"];

/// What a message is called in the body.
const EVENT: &str = "message.sent";

/// The channel: what is posted is a message.
struct Webhook {
    sender: Sender,
    /// None: each message goes to the address that is its contact.
    url: Option<Url>,
    /// The one address answered 410: it is not asked again before the next start.
    gone: AtomicBool,
}

/// Posts signed JSON.
pub(crate) struct Sender {
    http: Http,
    keys: Vec<SecretSlice<u8>>,
    headers: Vec<(String, SecretString)>,
}

pub(super) fn open(settings: &Settings<'_>) -> Read<Box<dyn Channel>> {
    let (sender, url) = (Sender::open(settings)?, super::url(settings, "url")?);
    Ok(Box::new(Webhook { sender, url, gone: AtomicBool::new(false) }))
}

/// `whsec_` and base64 of 24 to 64 bytes, says the specification.
fn signing_key(settings: &Settings<'_>, name: &str, secret: &SecretString) -> Read<SecretSlice<u8>> {
    let text = secret.expose_secret();
    let key = BASE64_STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).unwrap_or_default();
    if (24..=64).contains(&key.len()) {
        return Ok(SecretSlice::from(key));
    }
    let help = "make one with: echo whsec_$(openssl rand -base64 32)";
    Err(settings.error_help(name, "the secret must be `whsec_` and 24 to 64 bytes in base64", help))
}

/// The signatures of a body: `v1,` and base64 of the HMAC-SHA256 of `id.timestamp.body`, one a key.
fn signatures(keys: &[SecretSlice<u8>], id: &str, timestamp: i64, body: &str) -> String {
    let signature = |key: &SecretSlice<u8>| {
        // An HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret()).ok()?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    };
    keys.iter().filter_map(signature).collect::<Vec<_>>().join(" ")
}

impl Sender {
    pub(crate) fn open(settings: &Settings<'_>) -> Read<Self> {
        let options = Options { allow_private: settings.flag("allow_private", false)?, ..Options::default() };
        let mut keys = vec![signing_key(settings, "secret", &settings.needs_secret("secret")?)?];
        // While the receiver changes its secret, both are signed with.
        if let Some(secret) = settings.secret("secret_before")? {
            keys.push(signing_key(settings, "secret_before", &secret)?);
        }
        Ok(Self { http: Http::open(settings, options)?, keys, headers: settings.secret_texts("headers")? })
    }

    /// Posts `body` under the idempotency key `id`.
    pub(crate) async fn post(&self, url: Url, id: &str, body: &Value) -> Result<Answer, Failed> {
        self.http.check(&url)?;
        // The time of the attempt, so that receivers can refuse what is old.
        let (timestamp, body) = (net::now() / 1000, body.to_string());
        let mut request = self.http.request(reqwest::Method::POST, url).header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value.expose_secret());
        }
        let request = request
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures(&self.keys, id, timestamp, &body))
            .body(body);
        self.http.send(request).await
    }
}

impl Webhook {
    async fn post(&self, delivery: &Delivery) -> Outcome {
        if self.gone.load(Ordering::Relaxed) {
            return Outcome::rejected("the address answered 410 (gone), and is switched off until the next start");
        }
        let url = match (&self.url, &delivery.to) {
            (Some(url), _) => url.clone(),
            (None, Some(to)) => match to.parse() {
                Ok(url) => url,
                Err(error) => return Outcome::suppressed(format!("the contact is no address: {error}")),
            },
            (None, None) => return Outcome::rejected("there is no address: neither `url` nor a contact"),
        };
        let body = json!({ "type": EVENT, "timestamp": instant_text(delivery.time), "data": line::json(delivery) });
        let answer = self.sender.post(url, &delivery.key, &body).await;
        if answer.as_ref().is_ok_and(|answer| answer.status == 410) {
            self.gone.store(self.url.is_some(), Ordering::Relaxed);
            let reason = "the address answered 410 (gone)".to_owned();
            return Outcome::Rejected { reason, suppress: self.url.is_none() };
        }
        outcome(answer)
    }
}

/// Whatever is no success is tried again, as the specification says.
pub(crate) fn outcome(answer: Result<Answer, Failed>) -> Outcome {
    match answer {
        Err(failed) => failed.outcome(),
        Ok(answer) if (200..300).contains(&answer.status) => Outcome::accepted(),
        Ok(answer) => answer.retry(format!("the address answered {}", answer.status)),
    }
}

impl Channel for Webhook {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(self.post(delivery))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification ("Verifying webhook authenticity") and of its libraries' tests.
    #[test]
    fn a_signature_is_the_specifications() {
        let key = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let signed = signatures(&[key.into()], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
