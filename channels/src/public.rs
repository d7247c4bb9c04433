//! What people's browsers and providers reach without a key: unsubscribing, opens and clicks, replies, bounces. Pure:
//! a request in, an answer and events out; whoever serves HTTP puts it below its own address.
//!
//! | request | what it does |
//! | --- | --- |
//! | `GET /u/TOKEN` | shows a page that asks; `POST` unsubscribes |
//! | `GET /c/TOKEN` | leads to where the link leads, and is a click |
//! | `GET /o/TOKEN.gif` | a picture, and an opening |
//! | `POST /hooks/twilio/CHANNEL` | a text that came, or what became of one; signed with the account's token |
//! | `POST /hooks/bounces/CHANNEL?token=TOKEN` | a mail that came back, as it is ([`hook_token`]) |

use crate::config::{ConfigError, Settings};
use crate::event::Event;
use crate::links::{self, LinkKey};
use crate::secrets::Secrets;
use crate::{bounce, replies};
use secrecy::SecretString;
use std::collections::BTreeMap;
use toml::Table;
use xxhash_rust::xxh3::xxh3_64;

/// The longest body that is looked at, in bytes: a bounce may carry the mail.
pub const LONGEST_BODY: usize = 1024 * 1024;

/// What the answers depend on.
#[derive(Clone, Debug)]
pub struct Public {
    /// What links are signed with.
    pub key: LinkKey,
    /// What the project is called.
    pub project: String,
    /// The address of the server, as people see it.
    pub base: String,
    /// The tokens of Twilio's accounts, by channel.
    pub twilio: BTreeMap<String, SecretString>,
}

/// A request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// `GET`, `HEAD` or `POST`.
    pub method: &'a str,
    /// The path, beginning with `/`.
    pub path: &'a str,
    /// What follows `?`, without it.
    pub query: &'a str,
    /// The header `X-Twilio-Signature`.
    pub signature: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// The moment, in milliseconds since 1970.
    pub now: i64,
}

/// An answer, and what it means.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What happened. The answer goes out when this is certain.
    pub happened: Vec<Happened>,
}

/// Something that happened, about somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// About whom: the first of these that is known.
    pub who: Vec<Who>,
    /// What.
    pub event: Event,
    /// The same when it is told again.
    pub id: String,
}

/// By what a person is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// By their id.
    Person(String),
    /// By a contact of a channel: the number that a text came from.
    Contact {
        /// The channel.
        channel: String,
        /// The contact.
        contact: String,
    },
    /// By a message that was sent to them.
    Message(String),
    /// By the provider's name for a message that was sent to them.
    Provided(String),
}

/// The token of `POST /hooks/bounces/CHANNEL`: without it, anybody could say that somebody's mail came back.
#[must_use]
pub fn hook_token(key: &LinkKey, channel: &str) -> String {
    key.token("hook", &channel)
}

/// The tokens by which Twilio signs, of the channels that have the backend `twilio`: `auth_token`, or `token` when that is
/// no API key's secret.
///
/// # Errors
/// When a secret is not there.
pub fn twilio_tokens(
    channels: &BTreeMap<String, Table>,
    secrets: &Secrets,
) -> Result<BTreeMap<String, SecretString>, ConfigError> {
    let mut tokens = BTreeMap::new();
    for (name, table) in channels {
        if table.get("backend").and_then(toml::Value::as_str) != Some("twilio") {
            continue;
        }
        let settings = Settings::new(name, table, secrets);
        let plain = if settings.has("key") { None } else { settings.secret("token")? };
        if let Some(token) = settings.secret("auth_token")?.or(plain) {
            tokens.insert(name.clone(), token);
        }
    }
    Ok(tokens)
}

/// Answers a request; none: it is for somebody else.
#[must_use]
pub fn answer(public: &Public, ask: Ask<'_>) -> Option<Answer> {
    let mut parts = ask.path.strip_prefix('/')?.splitn(3, '/');
    match (parts.next()?, parts.next()?, parts.next()) {
        ("u", token, None) => Some(unsubscribe(public, ask, token)),
        ("c", token, None) => Some(click(public, ask, token)),
        ("o", token, None) => Some(open(public, ask, token)),
        ("hooks", "twilio", Some(channel)) => Some(twilio(public, ask, channel)),
        ("hooks", "bounces", Some(channel)) => Some(bounces(public, ask, channel)),
        _ => None,
    }
}

fn unsubscribe(public: &Public, ask: Ask<'_>, token: &str) -> Answer {
    let Some(what) = links::verify_unsubscribe(&public.key, token) else { return no_link() };
    let done = ask.method == "POST";
    if !done && !is_look(ask) {
        return plain(405, "");
    }
    let mut answer = page(200, links::unsubscribe_page(&public.project, &what, done));
    if done {
        let id = format!("unsubscribed:{:016x}:{}", xxh3_64(token.as_bytes()), ask.now);
        answer.happened.push(Happened {
            who: vec![Who::Person(what.person.clone())],
            event: links::unsubscribed(&what),
            id,
        });
    }
    answer
}

fn click(public: &Public, ask: Ask<'_>, token: &str) -> Answer {
    let followed = links::verify_followed(&public.key, token);
    let Some((what, url)) = followed.and_then(|what| Some((what.clone(), what.url?))) else { return no_link() };
    if !is_look(ask) {
        return plain(405, "");
    }
    let headers = vec![("location", url), ("cache-control", "no-store".to_owned())];
    let mut answer = Answer { status: 302, headers, ..Answer::default() };
    // HEAD is what scanners ask.
    if ask.method == "GET" {
        let id = format!("clicked:{:016x}:{}", xxh3_64(token.as_bytes()), ask.now);
        answer.happened.push(Happened {
            who: vec![Who::Person(what.person.clone())],
            event: links::followed(&what),
            id,
        });
    }
    answer
}

fn open(public: &Public, ask: Ask<'_>, token: &str) -> Answer {
    let followed = links::verify_followed(&public.key, token).filter(|what| what.url.is_none());
    let Some(what) = followed else { return no_link() };
    if !is_look(ask) {
        return plain(405, "");
    }
    let headers = vec![("content-type", "image/gif".to_owned()), ("cache-control", "no-store".to_owned())];
    let mut answer = Answer { status: 200, headers, body: links::PIXEL.to_vec(), happened: Vec::new() };
    if ask.method == "GET" {
        // Programs load it each time that the mail is shown: it is opened once.
        let id = format!("opened:{}", what.message);
        answer.happened.push(Happened {
            who: vec![Who::Person(what.person.clone())],
            event: links::followed(&what),
            id,
        });
    }
    answer
}

fn twilio(public: &Public, ask: Ask<'_>, channel: &str) -> Answer {
    let Some(token) = public.twilio.get(channel) else { return plain(404, "there is no such channel\n") };
    let form: Vec<(String, String)> = url::form_urlencoded::parse(ask.body).into_owned().collect();
    // Twilio signs the address that it was given.
    let query = if ask.query.is_empty() { String::new() } else { format!("?{}", ask.query) };
    let url = format!("{}{}{query}", public.base.trim_end_matches('/'), ask.path);
    if ask.method != "POST" || !replies::twilio_signed(token, &url, &form, ask.signature.unwrap_or_default()) {
        return plain(403, "the signature is not Twilio's\n");
    }
    let happened = match replies::twilio(&form) {
        None => Vec::new(),
        Some(replies::Incoming::Text { id, from, text }) => {
            let who = vec![Who::Contact { channel: channel.to_owned(), contact: from }];
            let events = replies::events(channel, &text).into_iter();
            let named = |event: Event| Happened { who: who.clone(), id: format!("{}:{id}", event.name), event };
            events.map(named).collect()
        }
        Some(replies::Incoming::Status { id, what, kind, code }) => {
            let mut event = Event::outcome(channel, what, None);
            for (name, value) in [("type", kind.map(str::to_owned)), ("reason", code)] {
                event.properties.extend(value.map(|value| (name.to_owned(), value.into())));
            }
            vec![Happened { who: vec![Who::Provided(id.clone())], event, id: format!("{what}:{id}") }]
        }
    };
    // An empty answer in Twilio's language: nothing is sent back. Twilio itself confirms a STOP.
    let headers = vec![("content-type", "text/xml".to_owned())];
    Answer { status: 200, headers, body: b"<Response/>".to_vec(), happened }
}

fn bounces(public: &Public, ask: Ask<'_>, channel: &str) -> Answer {
    let token = url::form_urlencoded::parse(ask.query.as_bytes()).find(|(name, _)| name == "token");
    let known = token.and_then(|(_, token)| public.key.open::<String>("hook", &token));
    if known.as_deref() != Some(channel) {
        return plain(403, "the token is not right\n");
    }
    if ask.method != "POST" {
        return plain(405, "");
    }
    let reports = bounce::read(ask.body);
    let happened = reports.iter().enumerate().map(|(place, report)| {
        let event = bounce::event(channel, report);
        let key = event.properties.get("message").and_then(|key| key.as_str()).map(str::to_owned);
        let contact = report.recipient.clone().map(|contact| Who::Contact { channel: channel.to_owned(), contact });
        let who: Vec<Who> = key.map(Who::Message).into_iter().chain(contact).collect();
        Happened { who, event, id: format!("bounce:{:016x}:{place}", xxh3_64(ask.body)) }
    });
    Answer { status: 200, happened: happened.collect(), ..Answer::default() }
}

fn is_look(ask: Ask<'_>) -> bool {
    matches!(ask.method, "GET" | "HEAD")
}

fn no_link() -> Answer {
    page(404, "<!doctype html><meta charset=\"utf-8\"><title>No such link</title><p>This link is not valid.".to_owned())
}

fn page(status: u16, html: String) -> Answer {
    let headers = vec![
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("referrer-policy", "no-referrer".to_owned()),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'".to_owned(),
        ),
    ];
    Answer { status, headers, body: html.into_bytes(), happened: Vec::new() }
}

fn plain(status: u16, text: &str) -> Answer {
    let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
    Answer { status, headers, body: text.as_bytes().to_vec(), happened: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::links::{follow_token, unsubscribe_token, Followed, Unsubscribe};

    fn public() -> Public {
        Public {
            key: LinkKey::of_bytes(&[7; 16]),
            project: "Shop".into(),
            base: "https://mycompany.com/".into(),
            twilio: BTreeMap::from([("sms".to_owned(), SecretString::from("12345".to_owned()))]),
        }
    }

    fn ask<'a>(method: &'a str, path: &'a str) -> Ask<'a> {
        Ask { method, path, now: 5, ..Ask::default() }
    }

    fn told(ask: Ask<'_>) -> (u16, Vec<String>) {
        let answer = answer(&public(), ask).expect("ours");
        let shown = |one: &Happened| format!("{:?} {} {}", one.who, one.event.name, one.id);
        (answer.status, answer.happened.iter().map(shown).collect())
    }

    #[test]
    fn only_a_post_unsubscribes() {
        let what = Unsubscribe { person: "u1".into(), channel: "email".into(), topic: None };
        let path = format!("/u/{}", unsubscribe_token(&public().key, &what));
        assert_eq!(told(ask("GET", &path)), (200, Vec::new()));
        assert_eq!(told(ask("HEAD", &path)), (200, Vec::new()));
        assert_eq!(told(ask("PUT", &path)), (405, Vec::new()));
        let (status, happened) = told(ask("POST", &path));
        assert_eq!((status, happened.len()), (200, 1));
        assert!(happened[0].starts_with("[Person(\"u1\")] Unsubscribed unsubscribed:"), "{happened:?}");
        assert_eq!(told(ask("POST", "/u/AAAA")).0, 404);
        assert!(answer(&public(), ask("GET", "/v1/track")).is_none());
        assert!(answer(&public(), ask("GET", "/u/a/b")).is_none());
    }

    #[test]
    fn clicks_lead_on_and_openings_count_once() {
        let mut what = Followed { person: "u1".into(), channel: "email".into(), message: "00ff".into(), url: None };
        let picture = format!("/o/{}.gif", follow_token(&public().key, &what));
        assert_eq!(told(ask("GET", &picture)), (200, vec!["[Person(\"u1\")] email Opened opened:00ff".to_owned()]));
        what.url = Some("https://shop.example/?a=1".into());
        let token = follow_token(&public().key, &what);
        let path = format!("/c/{token}");
        let led = answer(&public(), ask("GET", &path)).expect("ours");
        assert_eq!((led.status, led.headers[0].1.as_str(), led.happened.len()), (302, "https://shop.example/?a=1", 1));
        assert_eq!(told(ask("HEAD", &path)), (302, Vec::new()));
        // A link is no opening, and the other way round.
        assert_eq!(told(ask("GET", &format!("/o/{token}.gif"))).0, 404);
        assert_eq!(told(ask("GET", &picture.replace("/o/", "/c/"))).0, 404);
    }

    #[test]
    fn twilio_must_sign() {
        use base64::prelude::{Engine as _, BASE64_STANDARD};
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let body = b"Body=Stop&From=%2B1555&MessageSid=SM1&SmsStatus=received";
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(b"12345").expect("a key");
        mac.update(b"https://mycompany.com/hooks/twilio/smsBodyStopFrom+1555MessageSidSM1SmsStatusreceived");
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        let signed = Ask { body, signature: Some(&signature), ..ask("POST", "/hooks/twilio/sms") };
        let who = "[Contact { channel: \"sms\", contact: \"+1555\" }]";
        let wanted = vec![format!("{who} Unsubscribed Unsubscribed:SM1"), format!("{who} sms Replied sms Replied:SM1")];
        assert_eq!(told(signed), (200, wanted));
        assert_eq!(told(Ask { body: b"Body=Stop", ..signed }), (403, Vec::new()));
        assert_eq!(told(Ask { signature: None, ..signed }), (403, Vec::new()));
        assert_eq!(told(Ask { path: "/hooks/twilio/push", ..signed }).0, 404);
    }

    #[test]
    fn the_accounts_token_signs() {
        let table = |text: &str| -> Table { text.parse().expect("a table") };
        let secrets = Secrets::given([("A", "account"), ("K", "key")], ".");
        let channels = BTreeMap::from([
            ("sms".to_owned(), table("backend = 'twilio'\ntoken = '${A}'")),
            ("keyed".to_owned(), table("backend = 'twilio'\nkey = 'SK1'\ntoken = '${K}'\nauth_token = '${A}'")),
            ("mute".to_owned(), table("backend = 'twilio'\nkey = 'SK1'\ntoken = '${K}'")),
            ("email".to_owned(), table("backend = 'console'")),
        ]);
        let tokens = twilio_tokens(&channels, &secrets).expect("all there");
        assert_eq!(tokens.keys().collect::<Vec<_>>(), ["keyed", "sms"]);
        use secrecy::ExposeSecret as _;
        assert!(tokens.values().all(|token| token.expose_secret() == "account"));
    }

    #[test]
    fn a_bounce_needs_its_token() {
        let mail = include_bytes!("../tests/delivery/bounces/unknown.eml");
        let query = format!("token={}", hook_token(&public().key, "email"));
        let right = Ask { body: mail, query: &query, ..ask("POST", "/hooks/bounces/email") };
        let (status, happened) = told(right);
        assert_eq!((status, happened.len()), (200, 1));
        let wanted =
            "[Message(\"00f1a2b3c4d5e6f7\"), Contact { channel: \"email\", contact: \"ada@x.example\" }] email Bounced";
        assert!(happened[0].starts_with(wanted), "{happened:?}");
        assert_eq!(told(Ask { query: "", ..right }), (403, Vec::new()));
        assert_eq!(told(Ask { path: "/hooks/bounces/sms", ..right }), (403, Vec::new()));
    }

    #[test]
    fn an_event_is_a_call() {
        let event = Event::outcome("email", "Opened", Some("00ff"));
        let wanted = r#"{"event":"email Opened","messageId":"opened:00ff","properties":{"message":"00ff"},"timestamp":"1970-01-01T00:00:00.005Z","type":"track","userId":"u1"}"#;
        assert_eq!(event.call("u1", "opened:00ff", 5).to_string(), wanted);
    }
}
