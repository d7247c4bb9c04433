//! The part of a line behind its time.

use super::names::Names;
use crate::calendar::write_instant;
use crate::engine::effect::{
    EffectKind, Message, MessageContent, Place, Request, SkipReason, Skipped, Why, Withdrawal,
};
use crate::message::{Content, RenderFailure};
use crate::vm::text::push_json_text;
use crate::vm::value::Value;

/// Of a message, with what it finally says where that is known.
pub fn message(out: &mut Vec<u8>, names: &Names, user: &str, message: &Message, finished: Option<&Content>) {
    text(out, "user", user);
    raw(out, "journey", names.journey(message.at.journey));
    raw(out, "channel", names.channel(message.channel));
    if let Some(to) = &message.to {
        text(out, "to", to);
    }
    let locale = content(out, &message.content);
    if !message.with.is_empty() {
        key(out, "with");
        names.push_with(out, message.at.journey, message.at.step, &message.with);
    }
    if !locale.is_empty() {
        text(out, "locale", locale);
    }
    let topic = names.topic(message.topic);
    if topic != b"\"\"" {
        raw(out, "topic", topic);
    }
    instant(out, "entry", message.entry);
    raw(out, "step", names.step(message.at.journey, message.at.step));
    key(out, "id");
    out.push(b'"');
    push_hex(out, message.id);
    out.push(b'"');
    if let Some(finished) = finished {
        key(out, "content");
        let start = out.len();
        // Texts and names have no value that JSON lacks, and a vector takes everything.
        if serde_json::to_writer(&mut *out, finished).is_err() {
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    }
    out.extend_from_slice(b"}\n");
}

/// Of a message that could not be rendered.
pub fn failed(out: &mut Vec<u8>, names: &Names, user: &str, message: &Message, failure: &RenderFailure) {
    text(out, "what", "skipped");
    text(out, "user", user);
    raw(out, "journey", names.journey(message.at.journey));
    raw(out, "channel", names.channel(message.channel));
    content(out, &message.content);
    raw(out, "step", names.step(message.at.journey, message.at.step));
    text(out, "reason", SkipReason::Rendering.word());
    text(out, "detail", &failure.detail);
    out.extend_from_slice(b"}\n");
}

/// Of what is no message; none when the record says it otherwise.
pub fn note(out: &mut Vec<u8>, names: &Names, user: &str, kind: &EffectKind) {
    let what = |out: &mut Vec<u8>, word: &str| {
        text(out, "what", word);
        text(out, "user", user);
    };
    match kind {
        // A message is written by `message`, a question by `asked`, when its answer is known.
        EffectKind::Message(_) | EffectKind::Request(_) | EffectKind::Aside(_) | EffectKind::Withdrawn(_) => return,
        EffectKind::Entered { journey, holdout } => {
            what(out, "entered");
            raw(out, "journey", names.journey(*journey));
            held(out, *holdout);
        }
        EffectKind::Reached(at) => {
            what(out, "reached");
            place(out, names, *at);
        }
        EffectKind::Skipped(skipped) => {
            what(out, "skipped");
            skip(out, names, skipped);
        }
        EffectKind::Delayed { at, until } => {
            what(out, "delayed");
            place(out, names, *at);
            instant(out, "until", *until);
            text(out, "reason", "quiet_hours");
        }
        EffectKind::Left { journey, why } => {
            what(out, "left");
            raw(out, "journey", names.journey(*journey));
            match why {
                Why::Finished => text(out, "why", "finished"),
                Why::Exit(number) => raw(out, "why", names.exit(*journey, *number)),
                Why::Restarted => text(out, "why", "restarted"),
                Why::Merged => text(out, "why", "merged"),
            }
        }
        EffectKind::Converted { journey, holdout } => {
            what(out, "converted");
            raw(out, "journey", names.journey(*journey));
            held(out, *holdout);
        }
        EffectKind::Audience { audience, added, at } => {
            what(out, if *added { "added_to" } else { "removed_from" });
            raw(out, "audience", names.audience(*audience));
            place(out, names, *at);
        }
        EffectKind::Cut => what(out, "cut"),
    }
    out.extend_from_slice(b"}\n");
}

/// Of a question to an API and its answer.
pub fn asked(out: &mut Vec<u8>, names: &Names, user: &str, request: &Request, answer: Option<&Value>) {
    text(out, "what", "asked");
    text(out, "user", user);
    place(out, names, request.at);
    raw(out, "api", names.api(request.api));
    key(out, "args");
    names.push_args(out, request.api, &request.args);
    if let Some(answer) = answer {
        key(out, "answer");
        names.push_answer(out, request.api, answer);
    }
    out.extend_from_slice(b"}\n");
}

/// Of an input that came after its time.
pub fn late(out: &mut Vec<u8>, user: &str, time: i64) {
    text(out, "what", "late");
    text(out, "user", user);
    instant(out, "happened", time);
    out.extend_from_slice(b"}\n");
}

/// Of two people who turned out to be one.
pub fn joined(out: &mut Vec<u8>, user: &str, other: &str) {
    text(out, "what", "joined");
    text(out, "user", user);
    text(out, "other", other);
    out.extend_from_slice(b"}\n");
}

/// Of a message that a throttle puts off.
pub fn put_off(out: &mut Vec<u8>, message: &[u8]) {
    text(out, "what", "delayed");
    text(out, "reason", "throttle");
    out.extend_from_slice(message);
}

/// Of a message that a throttle has held until it must not leave any more.
pub fn withdrawn(out: &mut Vec<u8>, why: Withdrawal, message: &[u8]) {
    text(out, "what", "skipped");
    text(out, "reason", why.word());
    out.extend_from_slice(message);
}

fn skip(out: &mut Vec<u8>, names: &Names, skipped: &Skipped) {
    raw(out, "journey", names.journey(skipped.at.journey));
    if let Some(channel) = skipped.channel {
        raw(out, "channel", names.channel(channel));
    }
    content(out, &skipped.content);
    raw(out, "step", names.step(skipped.at.journey, skipped.at.step));
    text(out, "reason", skipped.reason.word());
}

/// Gives the locale, which stands elsewhere.
fn content<'m>(out: &mut Vec<u8>, content: &'m MessageContent) -> &'m str {
    match content {
        MessageContent::Template(name, locale) => {
            text(out, "template", name);
            locale
        }
        MessageContent::Text(words) => {
            text(out, "text", words);
            ""
        }
    }
}

fn place(out: &mut Vec<u8>, names: &Names, at: Place) {
    raw(out, "journey", names.journey(at.journey));
    raw(out, "step", names.step(at.journey, at.step));
}

fn held(out: &mut Vec<u8>, holdout: bool) {
    if holdout {
        raw(out, "holdout", b"true");
    }
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn raw(out: &mut Vec<u8>, name: &str, json: &[u8]) {
    key(out, name);
    out.extend_from_slice(json);
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    key(out, name);
    push_json_text(out, value);
}

fn instant(out: &mut Vec<u8>, name: &str, time: i64) {
    key(out, name);
    out.push(b'"');
    write_instant(out, time);
    out.push(b'"');
}

fn push_hex(out: &mut Vec<u8>, id: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for shift in (0..16).rev() {
        let digit = (id >> (shift * 4)) as usize & 15;
        out.extend(DIGITS.get(digit));
    }
}
