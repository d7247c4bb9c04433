//! The parts of a finished message.

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

impl Content {
    /// A text without a template. By mail, its first line is the subject.
    pub(super) fn of_text(kind: ChannelKind, text: &str, project: &str, unsubscribe: Option<String>) -> Self {
        let mut front = Vec::new();
        if kind == ChannelKind::Email {
            let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or(project).trim();
            front.push(("subject".to_owned(), shortened(first)));
        }
        let body = match kind {
            ChannelKind::Onsite => {
                let mut html = String::new();
                crate::render::push_escaped(&mut html, text);
                html
            }
            _ => text.to_owned(),
        };
        Self::of_parts(kind, front, body, false, project, unsubscribe)
    }

    /// Front matter and text, put where they belong.
    pub(super) fn of_parts(
        kind: ChannelKind,
        front: Vec<(String, String)>,
        body: String,
        html: bool,
        project: &str,
        unsubscribe: Option<String>,
    ) -> Self {
        let mut front: BTreeMap<String, String> = front.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let mut take = |key: &str| front.remove(key);
        match kind {
            ChannelKind::Email => {
                let subject = take("subject").unwrap_or_else(|| project.to_owned());
                let (html, text) = if html { (Some(body.clone()), body) } else { (None, body) };
                let (preheader, from, reply_to) = (take("preheader"), take("from"), take("reply_to"));
                Self::Email { subject, preheader, from, reply_to, html, text, unsubscribe }
            }
            ChannelKind::Sms => Self::Sms { text: trimmed(body) },
            ChannelKind::Whatsapp => Self::Whatsapp { text: trimmed(body) },
            ChannelKind::Push => {
                let title = take("title").unwrap_or_else(|| project.to_owned());
                Self::Push { title, body: trimmed(body), link: take("link"), image: take("image") }
            }
            ChannelKind::Onsite => {
                let (title, link, image) = (take("title"), take("link"), take("image"));
                Self::Onsite { title, html: trimmed(body), link, image }
            }
            ChannelKind::Other => Self::Other { text: trimmed(body), fields: front },
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
