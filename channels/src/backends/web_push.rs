//! `web_push`: notifications to browsers: encrypted for the one browser (RFC 8291), sent to the push service that its
//! subscription names (RFC 8030), signed with the site's key (VAPID, RFC 8292). The contact is the subscription as
//! `JSON.stringify(subscription)` gives it.

use crate::config::{Read, Settings};
use crate::net::{self, Answer, Http, Options};
use crate::{content, fields, Attempt, Channel, Delivery, Outcome};
use base64::prelude::{Engine as _, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{json, Value};
use url::Url;
use web_push_native::p256::{pkcs8::EncodePrivateKey as _, PublicKey, SecretKey};
use web_push_native::Auth;

pub(super) const KEYS: &[&str] = &["key", "subject", "keep", "allow_private"];

/// For how long a push service keeps a message for a browser that is off, in seconds.
const KEEP: u64 = 24 * 3600;
/// How long a signature is good for, in seconds; RFC 8292 allows a day.
const SIGNATURE_LIFE: i64 = 12 * 3600;
/// What push services take, in bytes, less what the encryption adds.
const LONGEST: usize = 3993;

struct WebPush {
    http: Http,
    key: EncodingKey,
    /// The public key, as browsers were given it.
    public: String,
    subject: String,
    keep: u64,
}

#[derive(Deserialize)]
struct Subscription {
    endpoint: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

pub(super) fn open(settings: &Settings<'_>) -> Read<Box<dyn Channel>> {
    let private = settings.needs_secret("key")?;
    let help = "make one with: npx web-push generate-vapid-keys";
    let wrong = || settings.error_help("key", "the key must be 32 bytes in URL-safe base64", help);
    let bytes = decode(private.expose_secret()).ok_or_else(wrong)?;
    let secret = SecretKey::from_slice(&bytes).map_err(|_| wrong())?;
    let der = secret.to_pkcs8_der().map_err(|_| wrong())?;
    let subject = settings.needs("subject", "\"mailto:push@shop.example\"")?;
    if !subject.starts_with("mailto:") && !subject.starts_with("https:") {
        return Err(settings.error("subject", "`subject` must begin with `mailto:` or `https:`"));
    }
    // The addresses come from people's browsers, which could name anything.
    let options = Options { allow_private: settings.flag("allow_private", false)?, ..Options::default() };
    Ok(Box::new(WebPush {
        http: Http::open(settings, options)?,
        key: EncodingKey::from_ec_der(der.as_bytes()),
        public: BASE64_URL_SAFE_NO_PAD.encode(secret.public_key().to_sec1_bytes()),
        subject,
        keep: settings.duration("keep")?.map_or(KEEP, |keep| keep.as_secs()),
    }))
}

impl Channel for WebPush {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(async {
            let Some(to) = &delivery.to else { return Outcome::rejected("there is no subscription") };
            let Some((endpoint, public, auth)) = subscription(to) else {
                return Outcome::suppressed("the contact is no push subscription");
            };
            let text = body(delivery).to_string();
            if text.len() > LONGEST {
                return Outcome::rejected(format!("the notification has {} bytes; {LONGEST} may be sent", text.len()));
            }
            let Some(signature) = self.signature(&endpoint, net::now() / 1000) else {
                return Outcome::retry("the key cannot sign");
            };
            let Ok(sealed) = web_push_native::encrypt(text.into_bytes(), &public, &auth) else {
                return Outcome::rejected("the notification cannot be encrypted");
            };
            let request = self.http.request(reqwest::Method::POST, endpoint);
            let request = request
                .header("authorization", signature)
                .header("content-encoding", "aes128gcm")
                .header("content-type", "application/octet-stream")
                .header("ttl", self.keep)
                .header("urgency", "normal")
                // Of two with one topic that wait for a browser, it is given one (RFC 8030, section 5.4).
                .header("topic", topic(&delivery.key))
                .body(sealed);
            match self.http.send(request).await {
                Ok(answer) => outcome(&answer),
                Err(failed) => failed.outcome(),
            }
        })
    }
}

impl WebPush {
    fn signature(&self, endpoint: &Url, now: i64) -> Option<String> {
        let audience = endpoint.origin().ascii_serialization();
        let claims = json!({ "aud": audience, "exp": now + SIGNATURE_LIFE, "sub": self.subject });
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.key).ok()?;
        Some(format!("vapid t={token}, k={}", self.public))
    }
}

fn subscription(text: &str) -> Option<(Url, PublicKey, Auth)> {
    let found: Subscription = serde_json::from_str(text).ok()?;
    let public = PublicKey::from_sec1_bytes(&decode(&found.keys.p256dh)?).ok()?;
    let auth = decode(&found.keys.auth).filter(|auth| auth.len() == 16)?;
    Some((found.endpoint.parse().ok()?, public, Auth::clone_from_slice(&auth)))
}

/// Some browsers and tools pad, some do not.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).ok()
}

/// At most 32 characters of URL-safe base64.
fn topic(key: &str) -> String {
    key.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(32).collect()
}

fn body(delivery: &Delivery) -> Value {
    let notification = content::notification(&delivery.content);
    let mut body = json!({ "title": notification.title, "body": notification.body, "message": delivery.key });
    for (name, text) in [("link", notification.link), ("image", notification.image)] {
        if let Some(text) = text {
            fields::set(&mut body, name, text);
        }
    }
    body
}

/// RFC 8030, section 7.3, and what the services of the browsers answer.
fn outcome(answer: &Answer) -> Outcome {
    match answer.status {
        404 | 410 => Outcome::suppressed(format!("the browser's subscription has ended ({})", answer.status)),
        413 => Outcome::rejected("the push service finds the notification too long (413)"),
        _ => answer.outcome("the push service"),
    }
}
