//! `fcm`: notifications by Firebase Cloud Messaging, HTTP v1. It lets in whoever shows a token, which Google gives for a
//! JWT that the service account's key has signed (RFC 7523).

use crate::config::{Read, Settings};
use crate::net::{self, Answer, Http, Options};
use crate::{content, fields, Attempt, Channel, Delivery, Outcome};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{json, Map, Value};
use tokio::sync::Mutex;
use url::Url;

pub(super) const KEYS: &[&str] = &["url", "credentials", "project"];

const URL: &str = "https://fcm.googleapis.com";
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// A token is fetched anew so long before it ends, in seconds.
const EARLY: i64 = 60;
/// For how long a token is asked for, in seconds; Google gives no more.
const LIFE: i64 = 3600;

struct Fcm {
    http: Http,
    send: Url,
    token_url: Url,
    email: String,
    key_id: Option<String>,
    key: EncodingKey,
    token: Mutex<Option<Token>>,
}

struct Token {
    text: SecretString,
    /// Seconds since 1970.
    ends: i64,
}

/// The key file of a service account, as Google gives it out.
#[derive(Deserialize)]
struct Account {
    project_id: String,
    private_key_id: Option<String>,
    private_key: String,
    client_email: String,
    token_uri: String,
}

pub(super) fn open(settings: &Settings<'_>) -> Read<Box<dyn Channel>> {
    let text = settings.needs_secret("credentials")?;
    // What serde says could show a piece of the file.
    let wrong = |_| settings.error("credentials", "this is not the key file (JSON) of a service account");
    let account: Account = serde_json::from_str(text.expose_secret()).map_err(wrong)?;
    let key = EncodingKey::from_rsa_pem(account.private_key.as_bytes())
        .map_err(|_| settings.error("credentials", "its `private_key` is no RSA key"))?;
    let token_url = account.token_uri.parse();
    let token_url = token_url.map_err(|_| settings.error("credentials", "its `token_uri` is no address"))?;
    let project = settings.text("project")?.unwrap_or(account.project_id);
    let base = super::url_or(settings, "url", URL)?;
    Ok(Box::new(Fcm {
        http: Http::open(settings, Options { allow_private: true, ..Options::default() })?,
        send: super::below(settings, &base, &format!("v1/projects/{project}/messages:send"))?,
        token_url,
        email: account.client_email,
        key_id: account.private_key_id,
        key,
        token: Mutex::new(None),
    }))
}

impl Channel for Fcm {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(async {
            let Some(to) = &delivery.to else { return Outcome::rejected("there is no device token") };
            let token = match self.token().await {
                Ok(token) => token,
                Err(outcome) => return outcome,
            };
            let request = self.http.post_json(self.send.clone(), &body(to, delivery));
            match self.http.send(request.bearer_auth(token.expose_secret())).await {
                Ok(answer) => {
                    if answer.status == 401 {
                        *self.token.lock().await = None;
                    }
                    outcome(&answer)
                }
                Err(failed) => failed.outcome(),
            }
        })
    }
}

impl Fcm {
    async fn token(&self) -> Result<SecretString, Outcome> {
        let now = net::now() / 1000;
        // Held while a token is fetched: the others wait for it instead of fetching one each.
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| now < token.ends - EARLY) {
            return Ok(token.text.clone());
        }
        let claims = json!({
            "iss": self.email, "scope": SCOPE, "aud": self.token_url.as_str(), "iat": now, "exp": now + LIFE
        });
        let header = Header { kid: self.key_id.clone(), ..Header::new(Algorithm::RS256) };
        let signed = jsonwebtoken::encode(&header, &claims, &self.key)
            .map_err(|_| Outcome::retry("the key of the service account cannot sign"))?;
        let form = [("grant_type", GRANT), ("assertion", &signed)];
        let request = self.http.post_form(self.token_url.clone(), &form);
        let answer = self.http.send(request).await.map_err(net::Failed::outcome)?;
        let body = answer.json();
        let Some(text) = fields::text(&body, "/access_token").filter(|_| answer.status == 200) else {
            let error = fields::text(&body, "/error").unwrap_or("no reason given");
            return Err(answer.retry(format!("Google gave no token: {} ({error})", answer.status)));
        };
        let text = SecretString::from(text.to_owned());
        let ends = now.saturating_add(fields::int(&body, "/expires_in").unwrap_or(LIFE));
        *kept = Some(Token { text: text.clone(), ends });
        Ok(text)
    }
}

fn body(to: &str, delivery: &Delivery) -> Value {
    let notification = content::notification(&delivery.content);
    let mut shown = Map::new();
    let mut data = Map::from_iter([("message".to_owned(), delivery.key.clone().into())]);
    for (name, text) in
        [("title", Some(notification.title)), ("body", Some(notification.body)), ("image", notification.image)]
    {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            shown.insert(name.to_owned(), text.into());
        }
    }
    let mut message = json!({ "token": to });
    if let Some(link) = notification.link {
        fields::set(&mut message, "webpush", json!({ "fcm_options": { "link": link } }));
        data.insert("link".to_owned(), link.into());
    }
    // A device shows one of two that have the same tag: an attempt that was repeated is seen once.
    fields::set(&mut message, "android", json!({ "notification": { "tag": delivery.key } }));
    fields::set(&mut message, "apns", json!({ "headers": { "apns-collapse-id": delivery.key } }));
    fields::set(&mut message, "notification", shown);
    fields::set(&mut message, "data", data);
    json!({ "message": message })
}

/// `FcmError.errorCode` of the v1 reference ("ErrorCode").
fn outcome(answer: &Answer) -> Outcome {
    let body = answer.json();
    if (200..300).contains(&answer.status) {
        return Outcome::Accepted { provider_id: fields::text(&body, "/name").map(str::to_owned) };
    }
    let details = body.pointer("/error/details").and_then(Value::as_array).into_iter().flatten();
    let code = details.filter_map(|detail| fields::text(detail, "/errorCode")).next();
    let code = code.or(fields::text(&body, "/error/status")).unwrap_or_default();
    let token = fields::text(&body, "/error/message").is_some_and(|text| text.contains("registration token"));
    match code {
        "UNREGISTERED" => Outcome::suppressed("the app was removed from the device (UNREGISTERED)"),
        "INVALID_ARGUMENT" if token => Outcome::suppressed("the device token is not valid (INVALID_ARGUMENT)"),
        "INVALID_ARGUMENT" => Outcome::rejected("FCM did not take the message as it is (INVALID_ARGUMENT)"),
        "SENDER_ID_MISMATCH" => Outcome::suppressed("the device token belongs to another project (SENDER_ID_MISMATCH)"),
        "QUOTA_EXCEEDED" | "RESOURCE_EXHAUSTED" | "UNAVAILABLE" | "INTERNAL" => {
            answer.retry(format!("FCM does not take it now ({code})"))
        }
        "THIRD_PARTY_AUTH_ERROR" | "UNAUTHENTICATED" | "PERMISSION_DENIED" => {
            answer.retry(format!("FCM refused the credentials ({code})"))
        }
        _ => answer.outcome("FCM"),
    }
}
