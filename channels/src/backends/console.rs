//! `console`: shows each message on standard output, for people.

use crate::config::{Read, Settings};
use crate::{Attempt, Channel, Delivery, Outcome};
use flow_runtime::calendar::instant_text;
use flow_runtime::message::Content;
use std::io::Write as _;

struct Console;

pub(super) fn open(_: &Settings<'_>) -> Read<Box<dyn Channel>> {
    Ok(Box::new(Console))
}

impl Channel for Console {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(async {
            match std::io::stdout().lock().write_all(shown(delivery).as_bytes()) {
                Ok(()) => Outcome::accepted(),
                Err(error) => Outcome::retry(format!("standard output is closed: {error}")),
            }
        })
    }
}

/// A head line, then the message, set in.
fn shown(delivery: &Delivery) -> String {
    let to = delivery.to.as_deref().unwrap_or(&delivery.user);
    let head = format!(
        "{} {} to {to} ({}, {})",
        instant_text(delivery.time),
        delivery.channel,
        delivery.journey,
        delivery.step
    );
    let mut text = harmless(&head).replace('\n', " ");
    text.push('\n');
    for part in parts(&delivery.content) {
        for line in harmless(part).lines() {
            text.push_str("    ");
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// What people would read, HTML left out where there is a text beside it.
fn parts(content: &Content) -> Vec<&str> {
    let parts = match content {
        Content::Email { subject, text, .. } => vec![Some(subject), Some(text)],
        Content::Sms { text } | Content::Whatsapp { text, .. } | Content::Other { text, .. } => vec![Some(text)],
        Content::Push { title, body, link, .. } => vec![Some(title), Some(body), link.as_ref()],
        Content::Onsite { title, html, link, .. } => vec![title.as_ref(), Some(html), link.as_ref()],
    };
    parts.into_iter().flatten().map(String::as_str).collect()
}

/// Control characters could move a terminal's cursor or change its title.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::delivery;

    #[test]
    fn people_see_what_is_sent_and_no_control_characters() {
        let text = shown(&delivery(Content::Email {
            subject: "Hi \u{1b}[2J".to_owned(),
            preheader: None,
            from: None,
            reply_to: None,
            html: Some("<p>Hi</p>".to_owned()),
            text: "Dear Ada,\nhello".to_owned(),
            unsubscribe: None,
        }));
        let wanted = "2026-03-02T12:00:00.000Z email to ada@example.com (cart, reminder)\n    \
                      Hi \u{fffd}[2J\n    Dear Ada,\n    hello\n";
        assert_eq!(text, wanted);
    }
}
