//! `apns`: notifications by Apple's push service, over HTTP/2, with a token that the team's key has signed.

use crate::config::{Read, Settings};
use crate::net::{self, Answer, Http, Options};
use crate::{content, fields, Attempt, Channel, Delivery, Outcome};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{json, Value};
use std::sync::{Mutex, PoisonError};

pub(super) const KEYS: &[&str] = &["url", "key", "key_id", "team", "topic", "sandbox"];

const URL: &str = "https://api.push.apple.com";
const SANDBOX: &str = "https://api.sandbox.push.apple.com";
/// Apple wants a token younger than an hour, and not a new one within 20 minutes; in seconds.
const TOKEN_LIFE: i64 = 40 * 60;
/// For how long Apple keeps a notification for a device that is off, in seconds.
const KEEP: i64 = 24 * 3600;

struct Apns {
    http: Http,
    url: url::Url,
    key: EncodingKey,
    key_id: String,
    team: String,
    topic: String,
    token: Mutex<Option<(i64, SecretString)>>,
}

pub(super) fn open(settings: &Settings<'_>) -> Read<Box<dyn Channel>> {
    let pem = settings.needs_secret("key")?;
    let key = EncodingKey::from_ec_pem(pem.expose_secret().as_bytes())
        .map_err(|_| settings.error("key", "this is no `.p8` key as Apple gives it out"))?;
    let url = super::url_or(settings, "url", if settings.flag("sandbox", false)? { SANDBOX } else { URL })?;
    // Without TLS there is nothing that agrees on HTTP/2, which is all that Apple speaks.
    let options = Options { allow_private: true, prior_knowledge: url.scheme() == "http" };
    Ok(Box::new(Apns {
        http: Http::open(settings, options)?,
        url,
        key,
        key_id: settings.needs("key_id", "\"ABC123DEFG\"")?,
        team: settings.needs("team", "\"DEF123GHIJ\"")?,
        topic: settings.needs("topic", "\"com.example.shop\"")?,
        token: Mutex::new(None),
    }))
}

impl Channel for Apns {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(self.push(delivery))
    }
}

impl Apns {
    async fn push(&self, delivery: &Delivery) -> Outcome {
        let Some(to) = delivery.to.as_deref() else { return Outcome::rejected("there is no device token") };
        // It becomes part of a path.
        if to.is_empty() || !to.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Outcome::suppressed("the device token is not hexadecimal");
        }
        let Ok(url) = self.url.join(&format!("/3/device/{to}")) else { return Outcome::rejected("`url` has no path") };
        let Some(token) = self.token(net::now() / 1000) else { return Outcome::retry("the key cannot sign") };
        let request = self.http.post_json(url, &body(delivery)).bearer_auth(token.expose_secret());
        let request = request
            .header("apns-topic", &self.topic)
            .header("apns-push-type", "alert")
            .header("apns-priority", "10")
            .header("apns-expiration", net::now() / 1000 + KEEP)
            // A device shows one of two that have the same one: an attempt that was repeated is seen once.
            .header("apns-collapse-id", delivery.key.chars().take(64).collect::<String>());
        match self.http.send(request).await {
            Ok(answer) => {
                if answer.status == 403 {
                    *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
                }
                outcome(&answer)
            }
            Err(failed) => failed.outcome(),
        }
    }

    fn token(&self, now: i64) -> Option<SecretString> {
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, token)) = kept.as_ref().filter(|(made, _)| (0..TOKEN_LIFE).contains(&(now - made))) {
            return Some(token.clone());
        }
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::ES256) };
        let signed = jsonwebtoken::encode(&header, &json!({ "iss": self.team, "iat": now }), &self.key).ok()?;
        let token = SecretString::from(signed);
        *kept = Some((now, token.clone()));
        Some(token)
    }
}

fn body(delivery: &Delivery) -> Value {
    let notification = content::notification(&delivery.content);
    let mut aps = json!({ "alert": { "title": notification.title, "body": notification.body }, "sound": "default" });
    if notification.image.is_some() {
        // The app's notification service extension fetches the picture.
        fields::set(&mut aps, "mutable-content", 1);
    }
    let mut body = json!({ "aps": aps, "message": delivery.key });
    for (name, text) in [("link", notification.link), ("image", notification.image)] {
        if let Some(text) = text {
            fields::set(&mut body, name, text);
        }
    }
    body
}

/// The reasons of Apple's page "Handling notification responses from APNs".
fn outcome(answer: &Answer) -> Outcome {
    if answer.status == 200 {
        return Outcome::accepted();
    }
    let body = answer.json();
    let reason = fields::text(&body, "/reason").unwrap_or_default();
    match reason {
        "Unregistered" | "ExpiredToken" => {
            Outcome::suppressed(format!("the app was removed from the device ({reason})"))
        }
        "BadDeviceToken" => Outcome::suppressed("the device token is not valid (BadDeviceToken)"),
        "DeviceTokenNotForTopic" => Outcome::suppressed("the device token is another app's (DeviceTokenNotForTopic)"),
        "ExpiredProviderToken"
        | "InvalidProviderToken"
        | "MissingProviderToken"
        | "BadCertificate"
        | "BadCertificateEnvironment"
        | "Forbidden" => answer.retry(format!("Apple refused the credentials ({reason})")),
        "TooManyRequests"
        | "TooManyProviderTokenUpdates"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "Shutdown"
        | "IdleTimeout" => answer.retry(format!("Apple does not take it now ({reason})")),
        "" => answer.outcome("Apple"),
        _ => match answer.outcome("Apple") {
            Outcome::Rejected { suppress, .. } => {
                Outcome::Rejected { reason: format!("Apple refused it ({reason})"), suppress }
            }
            other => other,
        },
    }
}
