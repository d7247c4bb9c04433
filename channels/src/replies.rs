//! Text messages that people send back: which of them ask to stop, to start again, or for help; and the webhooks by
//! which they come.

use crate::event::Event;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;

/// What a person wants who writes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// To know who writes, and how to stop it.
    Help,
    /// Something else.
    Reply,
}

/// The words that, alone, revoke consent: those that the FCC names (47 CFR 64.1200(a)(10), since 2025), those that
/// carriers and Twilio know, and "arrêt", which Canada's do.
const STOP: [&str; 11] =
    ["stop", "stopall", "stop all", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe", "arret"];
const START: [&str; 4] = ["start", "unstop", "subscribe", "resubscribe"];
const HELP: [&str; 2] = ["help", "info"];

/// What revokes consent inside of a longer text: the FCC asks to honour every reasonable way to say it. A word alone
/// is not enough there ("don't stop", "the end of the month").
const STOP_PHRASES: [&str; 22] = [
    "please stop",
    "stop texting",
    "stop sending",
    "stop messaging",
    "stop contacting",
    "stop these",
    "stop this",
    "stop all",
    "opt me out",
    "opt out",
    "unsubscribe me",
    "unsubscribe from",
    "remove me",
    "take me off",
    "do not text",
    "do not contact",
    "do not message",
    "dont text",
    "dont contact",
    "dont message",
    "no more texts",
    "no more messages",
];
/// "Please don't stop", "how do I not opt out": these take a phrase back.
const NOT: [&str; 5] = ["dont stop", "do not stop", "never stop", "not opt out", "dont unsubscribe"];

/// What a text asks for. A stop is heard also in a longer text; to start again takes a word that stands alone.
#[must_use]
pub fn wish(text: &str) -> Wish {
    let words = plain(text);
    let courteous = words.strip_prefix("please ").unwrap_or(&words);
    let courteous = courteous.strip_suffix(" please").or(courteous.strip_suffix(" now")).unwrap_or(courteous);
    let alone = courteous.strip_suffix(" thanks").or(courteous.strip_suffix(" thank you")).unwrap_or(courteous);
    let has = |phrase: &&str| format!(" {words} ").contains(&format!(" {phrase} "));
    if STOP.contains(&alone) {
        Wish::Stop
    } else if START.contains(&alone) {
        Wish::Start
    } else if HELP.contains(&alone) {
        Wish::Help
    } else if STOP_PHRASES.iter().any(has) && !NOT.iter().any(has) {
        Wish::Stop
    } else {
        Wish::Reply
    }
}

/// Lower case without accents, letters and digits with single spaces between; apostrophes are left out (`don't` is
/// `dont`).
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars().filter(|c| !matches!(c, '\'' | '\u{2019}' | '`')) {
        let c = match c {
            'ê' | 'Ê' | 'é' | 'É' => 'e',
            c => c,
        };
        if c.is_alphanumeric() {
            plain.extend(c.to_lowercase());
        } else if !plain.is_empty() && !plain.ends_with(' ') {
            plain.push(' ');
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// The events that a text from a person is: what it asks for, and that it came. A stop comes first, so that nothing
/// the reply causes is still sent.
#[must_use]
pub fn events(channel: &str, text: &str) -> Vec<Event> {
    let mut reply = Event::outcome(channel, "Replied", None);
    reply.properties.insert("text".to_owned(), text.into());
    let consent = match wish(text) {
        Wish::Stop => Some("Unsubscribed"),
        Wish::Start => Some("Subscribed"),
        Wish::Help | Wish::Reply => None,
    };
    let consent = consent.map(|name| Event::new(name, [("channel", channel.into())]));
    consent.into_iter().chain([reply]).collect()
}

/// A webhook of Twilio: a text that came, or what became of one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text from a number.
    Text {
        /// Twilio's name for it; the same when it is told again.
        id: String,
        /// The number, as in `+15558675309`.
        from: String,
        /// What it says.
        text: String,
    },
    /// What became of a text of ours.
    Status {
        /// Twilio's name for it, as [`Outcome::Accepted`](crate::Outcome::Accepted) has it.
        id: String,
        /// `Delivered` or `Bounced`, and for the latter whether the number itself is of no use.
        what: &'static str,
        /// `hard` or `soft`.
        kind: Option<&'static str>,
        /// The error code.
        code: Option<String>,
    },
}

/// Whether a webhook comes from who has the account's token: `X-Twilio-Signature` is the base64 of the HMAC-SHA1 of the
/// address and the form's fields, sorted by name ("Validating requests" in Twilio's documentation).
#[must_use]
pub fn twilio_signed(token: &SecretString, url: &str, form: &[(String, String)], signature: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.expose_secret().as_bytes()) else { return false };
    mac.update(url.as_bytes());
    let mut fields: Vec<_> = form.iter().collect();
    fields.sort();
    for (name, value) in fields {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    // In constant time.
    BASE64_STANDARD.decode(signature.trim()).is_ok_and(|signature| mac.verify_slice(&signature).is_ok())
}

/// What a webhook of Twilio says; none: nothing final.
#[must_use]
pub fn twilio(form: &[(String, String)]) -> Option<Incoming> {
    let field = |name: &str| form.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
    let id = field("MessageSid").or_else(|| field("SmsSid"))?;
    let code = field("ErrorCode").filter(|code| !code.is_empty());
    match field("MessageStatus").or_else(|| field("SmsStatus"))?.as_str() {
        "received" => Some(Incoming::Text { id, from: field("From")?, text: field("Body").unwrap_or_default() }),
        "delivered" | "read" => Some(Incoming::Status { id, what: "Delivered", kind: None, code: None }),
        "undelivered" | "failed" => {
            // Unknown and unreachable for good (30005, 30006), and those who answered STOP (21610).
            let hard = matches!(code.as_deref(), Some("30005" | "30006" | "21610" | "21614" | "21211"));
            Some(Incoming::Status { id, what: "Bounced", kind: Some(if hard { "hard" } else { "soft" }), code })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wants_no_more_is_heard() {
        for text in [
            "STOP",
            " stop. ",
            "Stop!!",
            "STOPALL",
            "Stop all",
            "quit",
            "END",
            "Revoke",
            "OPT OUT",
            "opt-out",
            "OptOut",
            "cancel",
            "Unsubscribe",
            "ARRÊT",
            "please stop",
            "Stop please",
            "stop, thanks",
            "please stop texting me",
            "Can you take me off your list",
            "Don't text me again",
            "do not contact me",
            "remove me from this list pls",
            "unsubscribe me",
            "I want to opt out",
            "no more messages",
            "stop sending me this",
            "STOP now",
        ] {
            assert_eq!(wish(text), Wish::Stop, "{text}");
        }
        for text in ["START", "unstop", "Subscribe", "start please"] {
            assert_eq!(wish(text), Wish::Start, "{text}");
        }
        for text in ["HELP", "help?", "Info"] {
            assert_eq!(wish(text), Wish::Help, "{text}");
        }
        for text in [
            "",
            "yes",
            "don't stop",
            "please don't stop texting",
            "see you at the bus stop",
            "the end of the month",
            "can I cancel my order 12?",
            "I need help with my order",
            "when do we start",
            "👍",
            "nonstop fun",
        ] {
            assert_eq!(wish(text), Wish::Reply, "{text}");
        }
    }

    #[test]
    fn a_stop_is_an_event_before_the_reply() {
        let names: Vec<_> = events("sms", "STOP").into_iter().map(|event| event.name).collect();
        assert_eq!(names, ["Unsubscribed", "sms Replied"]);
        let names: Vec<_> = events("sms", "thanks").into_iter().map(|event| event.name).collect();
        assert_eq!(names, ["sms Replied"]);
    }

    fn form(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The example of Twilio's documentation and of its libraries' tests.
    #[test]
    fn a_signature_is_twilios() {
        let fields = form(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]);
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let token = SecretString::from("12345".to_owned());
        let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert!(twilio_signed(&token, url, &fields, signature));
        assert!(!twilio_signed(&token, url, &fields[1..], signature));
        assert!(!twilio_signed(&SecretString::from("12346".to_owned()), url, &fields, signature));
        assert!(!twilio_signed(&token, url, &fields, ""));
    }

    #[test]
    fn what_became_of_a_text_is_told_once_it_is_final() {
        let status = |status: &str, code: &str| {
            twilio(&form(&[("MessageSid", "SM1"), ("MessageStatus", status), ("ErrorCode", code)]))
        };
        let told = |what, kind, code: Option<&str>| {
            Some(Incoming::Status { id: "SM1".into(), what, kind, code: code.map(str::to_owned) })
        };
        assert_eq!(status("sent", ""), None);
        assert_eq!(status("delivered", ""), told("Delivered", None, None));
        assert_eq!(status("undelivered", "30005"), told("Bounced", Some("hard"), Some("30005")));
        assert_eq!(status("undelivered", "30003"), told("Bounced", Some("soft"), Some("30003")));
        let came =
            twilio(&form(&[("MessageSid", "SM2"), ("SmsStatus", "received"), ("From", "+1555"), ("Body", "Stop")]));
        assert_eq!(came, Some(Incoming::Text { id: "SM2".into(), from: "+1555".into(), text: "Stop".into() }));
    }
}
