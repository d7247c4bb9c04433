//! The parts of a finished message.

use super::email;
use super::files::Form;
use crate::render::push_escaped;
use flow_compiler::channel::ChannelKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A finished message, ready for its channel. Which one it is, the kind of the channel says. Nothing here is escaped
/// but what is called `html`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Mail.
    Email {
        /// The subject line.
        subject: String,
        /// What mail programs show after the subject; it stands, hidden, in `html` as well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preheader: Option<String>,
        /// The sender, where the template says another than the channel's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Where answers go.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<String>,
        /// The part in HTML; none: the mail is plain text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        html: Option<String>,
        /// The part in plain text.
        text: String,
        /// For the `List-Unsubscribe` header; none: the message cannot be refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unsubscribe: Option<String>,
    },
    /// A text message.
    Sms {
        /// The text.
        text: String,
    },
    /// A notification.
    Push {
        /// Its title: the template's, else the project's name.
        title: String,
        /// Its text.
        body: String,
        /// What a click opens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<String>,
        /// A picture's address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<String>,
    },
    /// A WhatsApp message.
    Whatsapp {
        /// The text.
        text: String,
        /// The name of the template that WhatsApp has approved, where the text is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approved: Option<String>,
    },
    /// Something that an app or a site shows.
    Onsite {
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// What is shown.
        html: String,
        /// What a click opens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<String>,
        /// A picture's address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<String>,
    },
    /// Anything else.
    Other {
        /// The text.
        text: String,
        /// The front matter.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        fields: BTreeMap<String, String>,
    },
}

/// The longest subject made of a text's first line, in characters.
const SUBJECT_CHARS: usize = 78;

/// What rendering gave.
pub(super) struct Parts {
    pub front: Vec<(String, String)>,
    pub body: String,
    /// The plain part, where a file of its own holds it.
    pub text: Option<String>,
    pub form: Form,
}

impl Content {
    /// A text without a template. By mail, its first line is the subject.
    pub(super) fn of_text(kind: ChannelKind, text: &str, project: &str, unsubscribe: Option<String>) -> Self {
        match kind {
            ChannelKind::Email => {
                let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or(project).trim();
                let (subject, text) = (shortened(first), text.to_owned());
                Self::Email { subject, preheader: None, from: None, reply_to: None, html: None, text, unsubscribe }
            }
            ChannelKind::Onsite => {
                let mut html = String::new();
                push_escaped(&mut html, text);
                Self::short(kind, BTreeMap::new(), html, project)
            }
            _ => Self::short(kind, BTreeMap::new(), text.to_owned(), project),
        }
    }

    /// Front matter and text, put where they belong.
    pub(super) fn of_parts(
        kind: ChannelKind,
        parts: Parts,
        project: &str,
        unsubscribe: Option<String>,
    ) -> Result<Self, String> {
        let mut front: BTreeMap<String, String> =
            parts.front.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        if kind != ChannelKind::Email {
            return Ok(Self::short(kind, front, parts.body, project));
        }
        let subject = front.remove("subject").unwrap_or_else(|| project.to_owned());
        let preheader = front.remove("preheader");
        let (html, text) = match parts.form {
            Form::Plain => (None, parts.body),
            form => {
                let html = if form == Form::Mjml { email::from_mjml(&parts.body)? } else { parts.body };
                let html = email::inlined(&html)?;
                let text = parts.text.map_or_else(|| email::as_text(&html), Ok)?;
                let hidden = preheader.as_ref().map(|preheader| email::with_preheader(&html, preheader));
                (Some(hidden.unwrap_or(html)), text)
            }
        };
        let (from, reply_to) = (front.remove("from"), front.remove("reply_to"));
        Ok(Self::Email { subject, preheader, from, reply_to, html, text, unsubscribe })
    }

    /// Of all kinds but mail.
    fn short(kind: ChannelKind, mut front: BTreeMap<String, String>, body: String, project: &str) -> Self {
        let body = trimmed(body);
        let mut take = |key: &str| front.remove(key);
        match kind {
            ChannelKind::Sms => Self::Sms { text: body },
            ChannelKind::Whatsapp => Self::Whatsapp { text: body, approved: take("approved") },
            ChannelKind::Push => {
                let title = take("title").unwrap_or_else(|| project.to_owned());
                Self::Push { title, body, link: take("link"), image: take("image") }
            }
            ChannelKind::Onsite => {
                let (title, link, image) = (take("title"), take("link"), take("image"));
                Self::Onsite { title, html: body, link, image }
            }
            ChannelKind::Email | ChannelKind::Other => Self::Other { text: body, fields: front },
        }
    }
}

/// The line break at the end of a file is none of the message.
fn trimmed(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    let blanks = text.len() - text.trim_start().len();
    if blanks > 0 {
        text.drain(..blanks);
    }
    text
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= SUBJECT_CHARS {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(SUBJECT_CHARS - 1).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Whether HTML tags stand in a text.
pub(super) fn has_tags(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let name = rest.trim_start_matches(['/', '!']);
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains('>')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_by_mail_has_its_first_line_as_subject() {
        let content = Content::of_text(ChannelKind::Email, "\n Hello Ada!\nHow are you?", "shop", None);
        let Content::Email { subject, text, html: None, .. } = content else { panic!("{content:?}") };
        assert_eq!((subject.as_str(), text.as_str()), ("Hello Ada!", "\n Hello Ada!\nHow are you?"));
        assert_eq!(shortened(&"é".repeat(79)).chars().count(), SUBJECT_CHARS);
    }

    #[test]
    fn content_survives_json() {
        let content = Content::Push { title: "T".into(), body: "B".into(), link: None, image: Some("i".into()) };
        let json = serde_json::to_string(&content).unwrap();
        assert_eq!(json, r#"{"kind":"push","title":"T","body":"B","image":"i"}"#);
        assert_eq!(serde_json::from_str::<Content>(&json).unwrap(), content);
    }

    #[test]
    fn what_is_a_tag() {
        assert!(["<p>", "a <br/> b", "</b>", "<!DOCTYPE html>"].into_iter().all(has_tags));
        assert!(!["a < b", "1<2>0", "<3", "x <- y", "<a"].into_iter().any(has_tags));
    }
}
