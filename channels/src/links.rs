//! Signed addresses: unsubscribing, and open and click tracking. Pure; whoever serves HTTP puts them below its own
//! address: `/u/TOKEN`, `/c/TOKEN`, `/o/TOKEN.gif`.

mod html;

pub use html::track;

use crate::event::Event;
use base64::prelude::{Engine as _, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The shortest secret that links are signed with, in bytes.
pub const SHORTEST_SECRET: usize = 16;
/// How much of the HMAC a token holds, in bytes: 128 bits cannot be guessed, and addresses stay short.
const SIGNATURE: usize = 16;

/// What links are signed with. Shows nothing of itself.
#[derive(Clone, Debug)]
pub struct LinkKey(SecretSlice<u8>);

impl LinkKey {
    /// From a secret.
    ///
    /// # Errors
    /// A sentence, when it is too short to be one.
    pub fn new(secret: &SecretString) -> Result<Self, String> {
        let bytes = secret.expose_secret().trim().as_bytes();
        if bytes.len() < SHORTEST_SECRET {
            return Err(format!("the secret of links needs at least {SHORTEST_SECRET} bytes: openssl rand -hex 32"));
        }
        Ok(Self(bytes.to_vec().into()))
    }

    /// From random bytes that nobody else knows.
    #[must_use]
    pub fn of_bytes(bytes: &[u8; 16]) -> Self {
        Self(bytes.to_vec().into())
    }

    /// `purpose` keeps a token for one thing from being shown for another.
    fn sign(&self, purpose: &str, payload: &[u8]) -> Vec<u8> {
        // An HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()) else { return Vec::new() };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(payload);
        mac.finalize().into_bytes().iter().take(SIGNATURE).copied().collect()
    }

    /// A value as a token.
    #[must_use]
    pub fn token(&self, purpose: &str, value: &impl Serialize) -> String {
        let payload = serde_json::to_vec(value).unwrap_or_default();
        let mut bytes = self.sign(purpose, &payload);
        bytes.extend_from_slice(&payload);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The value of a token that was made with this key for this purpose; none: it was not.
    #[must_use]
    pub fn open<T: for<'de> Deserialize<'de>>(&self, purpose: &str, token: &str) -> Option<T> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signature, payload) = bytes.split_at_checked(SIGNATURE)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).ok()?;
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(payload);
        // In constant time.
        mac.verify_truncated_left(signature).ok()?;
        serde_json::from_slice(payload).ok()
    }
}

/// Who does not want what any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// The id of the person.
    #[serde(rename = "p")]
    pub person: String,
    /// By which channel.
    #[serde(rename = "c")]
    pub channel: String,
    /// About which topic; none: the whole channel.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

/// Something of a message that is followed: its opening, or a link in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// The id of the person.
    #[serde(rename = "p")]
    pub person: String,
    /// By which channel.
    #[serde(rename = "c")]
    pub channel: String,
    /// The key of the message.
    #[serde(rename = "m")]
    pub message: String,
    /// Where the link leads; none: it is the opening.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

const UNSUBSCRIBE: &str = "unsubscribe";
const FOLLOW: &str = "follow";

/// The token of `/u/TOKEN`.
#[must_use]
pub fn unsubscribe_token(key: &LinkKey, what: &Unsubscribe) -> String {
    key.token(UNSUBSCRIBE, what)
}

/// What a token of `/u/TOKEN` asks for; none: we did not make it.
#[must_use]
pub fn verify_unsubscribe(key: &LinkKey, token: &str) -> Option<Unsubscribe> {
    key.open(UNSUBSCRIBE, token)
}

/// The whole address, below the address of the server.
#[must_use]
pub fn unsubscribe_url(key: &LinkKey, base: &str, what: &Unsubscribe) -> String {
    format!("{}/u/{}", base.trim_end_matches('/'), unsubscribe_token(key, what))
}

/// The event that unsubscribing is.
#[must_use]
pub fn unsubscribed(what: &Unsubscribe) -> Event {
    match &what.topic {
        Some(topic) => Event::new("Unsubscribed", [("topic", topic.as_str().into())]),
        None => Event::new("Unsubscribed", [("channel", what.channel.as_str().into())]),
    }
}

/// The token of `/c/TOKEN` and `/o/TOKEN.gif`.
#[must_use]
pub fn follow_token(key: &LinkKey, what: &Followed) -> String {
    key.token(FOLLOW, what)
}

/// What a token of `/c/TOKEN` or `/o/TOKEN.gif` stands for; none: we did not make it. Since only what we signed is
/// followed, the address is no open redirect.
#[must_use]
pub fn verify_followed(key: &LinkKey, token: &str) -> Option<Followed> {
    key.open(FOLLOW, token.strip_suffix(".gif").unwrap_or(token))
}

/// The event that following is.
#[must_use]
pub fn followed(what: &Followed) -> Event {
    match &what.url {
        Some(url) => {
            let mut event = Event::outcome(&what.channel, "Clicked", Some(&what.message));
            event.properties.insert("url".to_owned(), url.as_str().into());
            event
        }
        None => Event::outcome(&what.channel, "Opened", Some(&what.message)),
    }
}

/// The picture of `/o/TOKEN.gif`: one transparent point.
pub const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\
\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;";

/// What GET shows at `/u/TOKEN`: mail scanners follow links, so that only the button, a POST, unsubscribes. With
/// `done`, what the POST shows.
#[must_use]
pub fn unsubscribe_page(project: &str, what: &Unsubscribe, done: bool) -> String {
    let project = escaped(project);
    let about = match &what.topic {
        Some(topic) => format!("<b>{}</b> messages", escaped(topic)),
        None => format!("messages by <b>{}</b>", escaped(&what.channel)),
    };
    let body = if done {
        format!("<h1>You are unsubscribed</h1><p>{project} sends you no more {about}.</p>")
    } else {
        format!(
            "<h1>Unsubscribe?</h1><p>{project} will send you no more {about}.</p>\
             <form method=\"post\"><button name=\"List-Unsubscribe\" value=\"One-Click\">Unsubscribe</button></form>"
        )
    };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>Unsubscribe</title><style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:15vh auto;\
         padding:0 1rem;color:#222;background:#fff}}button{{font:inherit;padding:.6rem 1.4rem;border:0;\
         border-radius:.4rem;background:#1a56db;color:#fff;cursor:pointer}}button:focus-visible{{outline:3px solid \
         #f90;outline-offset:2px}}</style></head><body><main>{body}</main></body></html>"
    )
}

pub(crate) fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(text: &str) -> LinkKey {
        LinkKey::new(&SecretString::from(text.to_owned())).expect("long enough")
    }

    fn what() -> Unsubscribe {
        Unsubscribe { person: "u1".into(), channel: "email".into(), topic: Some("marketing".into()) }
    }

    #[test]
    fn a_token_is_good_for_what_it_was_made_for() {
        let (ours, theirs) = (key("0123456789abcdef"), key("fedcba9876543210"));
        let token = unsubscribe_token(&ours, &what());
        assert_eq!(verify_unsubscribe(&ours, &token), Some(what()));
        assert_eq!(verify_unsubscribe(&theirs, &token), None);
        assert_eq!(verify_followed(&ours, &token), None);
        assert!(LinkKey::new(&SecretString::from("short".to_owned())).is_err());
        assert!(!format!("{ours:?}").contains("0123"));
    }

    proptest! {
        #[test]
        fn a_changed_token_is_none(at in 0_usize..60, to in "[A-Za-z0-9_-]", person in ".{0,30}") {
            let ours = key("0123456789abcdef");
            let made = Unsubscribe { person, ..what() };
            let token = unsubscribe_token(&ours, &made);
            prop_assert_eq!(verify_unsubscribe(&ours, &token), Some(made));
            let mut changed = token.clone();
            changed.replace_range(at..=at, &to);
            // The last character may carry bits that mean nothing; no other may change.
            prop_assert!(changed == token || verify_unsubscribe(&ours, &changed).is_none());
            prop_assert!(verify_unsubscribe(&ours, &token[..at]).is_none());
        }
    }

    #[test]
    fn events_are_what_the_engine_reads() {
        let names = |event: Event| (event.name, serde_json::Value::Object(event.properties).to_string());
        assert_eq!(names(unsubscribed(&what())), ("Unsubscribed".into(), r#"{"topic":"marketing"}"#.into()));
        let whole = Unsubscribe { topic: None, ..what() };
        assert_eq!(names(unsubscribed(&whole)), ("Unsubscribed".into(), r#"{"channel":"email"}"#.into()));
        let mut link = Followed {
            person: "u1".into(),
            channel: "email".into(),
            message: "00ff".into(),
            url: Some("https://x/".into()),
        };
        assert_eq!(names(followed(&link)).0, "email Clicked");
        link.url = None;
        assert_eq!(names(followed(&link)), ("email Opened".into(), r#"{"message":"00ff"}"#.into()));
    }

    #[test]
    fn the_page_asks_first_and_escapes() {
        let page = unsubscribe_page("<Shop>", &Unsubscribe { topic: Some("a<b>\"".into()), ..what() }, false);
        assert!(
            page.contains("<form method=\"post\">")
                && page.contains("&lt;Shop&gt;")
                && page.contains("a&lt;b&gt;&quot;")
        );
        assert!(!unsubscribe_page("Shop", &what(), true).contains("<form"));
    }
}
