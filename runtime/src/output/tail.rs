//! The part of a line behind its time.

use super::names::Names;
use crate::calendar::write_instant;
use crate::engine::effect::{
    EffectKind, Message, MessageContent, Place, Request, SkipReason, Skipped, Why, Withdrawal,
};
use crate::message::{Content, RenderFailure};
use crate::vm::text::push_json_text;
use crate::vm::value::Value;

/// A member's name, with all that stands before its value.
macro_rules! member {
    ($name:literal) => {
        concat!(",\"", $name, "\":").as_bytes()
    };
}

/// Of a message, with what it finally says where that is known.
pub fn message(out: &mut Vec<u8>, names: &Names, user: &str, message: &Message, finished: Option<&Content>) {
    text(out, member!("user"), user);
    raw(out, member!("journey"), names.journey(message.at.journey));
    raw(out, member!("channel"), names.channel(message.channel));
    if let Some(to) = &message.to {
        text(out, member!("to"), to);
    }
    let locale = content(out, &message.content);
    if !message.with.is_empty() {
        out.extend_from_slice(member!("with"));
        names.push_with(out, message.at.journey, message.at.step, &message.with);
    }
    if !locale.is_empty() {
        text(out, member!("locale"), locale);
    }
    let topic = names.topic(message.topic);
    if topic != b"\"\"" {
        raw(out, member!("topic"), topic);
    }
    instant(out, member!("entry"), message.entry);
    raw(out, member!("step"), names.step(message.at.journey, message.at.step));
    out.extend_from_slice(member!("id"));
    out.push(b'"');
    push_hex(out, message.id);
    out.push(b'"');
    if let Some(finished) = finished {
        out.extend_from_slice(member!("content"));
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
    text(out, member!("what"), "skipped");
    text(out, member!("user"), user);
    raw(out, member!("journey"), names.journey(message.at.journey));
    raw(out, member!("channel"), names.channel(message.channel));
    content(out, &message.content);
    raw(out, member!("step"), names.step(message.at.journey, message.at.step));
    text(out, member!("reason"), SkipReason::Rendering.word());
    text(out, member!("detail"), &failure.detail);
    out.extend_from_slice(b"}\n");
}

/// Of what is no message; none when the record says it otherwise.
pub fn note(out: &mut Vec<u8>, names: &Names, user: &str, kind: &EffectKind) {
    let what = |out: &mut Vec<u8>, word: &str| {
        text(out, member!("what"), word);
        text(out, member!("user"), user);
    };
    match kind {
        // A message is written by `message`, a question by `asked`, when its answer is known.
        EffectKind::Message(_) | EffectKind::Request(_) | EffectKind::Aside(_) | EffectKind::Withdrawn(_) => return,
        EffectKind::Entered { journey, holdout } => {
            what(out, "entered");
            raw(out, member!("journey"), names.journey(*journey));
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
            instant(out, member!("until"), *until);
            text(out, member!("reason"), "quiet_hours");
        }
        EffectKind::Left { journey, why } => {
            what(out, "left");
            raw(out, member!("journey"), names.journey(*journey));
            match why {
                Why::Finished => text(out, member!("why"), "finished"),
                Why::Exit(number) => raw(out, member!("why"), names.exit(*journey, *number)),
                Why::Restarted => text(out, member!("why"), "restarted"),
                Why::Merged => text(out, member!("why"), "merged"),
            }
        }
        EffectKind::Converted { journey, holdout } => {
            what(out, "converted");
            raw(out, member!("journey"), names.journey(*journey));
            held(out, *holdout);
        }
        EffectKind::Audience { audience, added, at } => {
            what(out, if *added { "added_to" } else { "removed_from" });
            raw(out, member!("audience"), names.audience(*audience));
            place(out, names, *at);
        }
        EffectKind::Cut => what(out, "cut"),
    }
    out.extend_from_slice(b"}\n");
}

/// Of a question to an API and its answer.
pub fn asked(out: &mut Vec<u8>, names: &Names, user: &str, request: &Request, answer: Option<&Value>) {
    text(out, member!("what"), "asked");
    text(out, member!("user"), user);
    place(out, names, request.at);
    raw(out, member!("api"), names.api(request.api));
    out.extend_from_slice(member!("args"));
    names.push_args(out, request.api, &request.args);
    if let Some(answer) = answer {
        out.extend_from_slice(member!("answer"));
        names.push_answer(out, request.api, answer);
    }
    out.extend_from_slice(b"}\n");
}

/// Of an input that came after its time.
pub fn late(out: &mut Vec<u8>, user: &str, time: i64) {
    text(out, member!("what"), "late");
    text(out, member!("user"), user);
    instant(out, member!("happened"), time);
    out.extend_from_slice(b"}\n");
}

/// Of two people who turned out to be one.
pub fn joined(out: &mut Vec<u8>, user: &str, other: &str) {
    text(out, member!("what"), "joined");
    text(out, member!("user"), user);
    text(out, member!("other"), other);
    out.extend_from_slice(b"}\n");
}

/// Of a message that a throttle puts off.
pub fn put_off(out: &mut Vec<u8>, message: &[u8]) {
    text(out, member!("what"), "delayed");
    text(out, member!("reason"), "throttle");
    out.extend_from_slice(message);
}

/// Of a message that a throttle has held until it must not leave any more.
pub fn withdrawn(out: &mut Vec<u8>, why: Withdrawal, message: &[u8]) {
    text(out, member!("what"), "skipped");
    text(out, member!("reason"), why.word());
    out.extend_from_slice(message);
}

fn skip(out: &mut Vec<u8>, names: &Names, skipped: &Skipped) {
    raw(out, member!("journey"), names.journey(skipped.at.journey));
    if let Some(channel) = skipped.channel {
        raw(out, member!("channel"), names.channel(channel));
    }
    content(out, &skipped.content);
    raw(out, member!("step"), names.step(skipped.at.journey, skipped.at.step));
    text(out, member!("reason"), skipped.reason.word());
}

/// Gives the locale, which stands elsewhere.
fn content<'m>(out: &mut Vec<u8>, content: &'m MessageContent) -> &'m str {
    match content {
        MessageContent::Template(name, locale) => {
            text(out, member!("template"), name);
            locale
        }
        MessageContent::Text(words) => {
            text(out, member!("text"), words);
            ""
        }
    }
}

fn place(out: &mut Vec<u8>, names: &Names, at: Place) {
    raw(out, member!("journey"), names.journey(at.journey));
    raw(out, member!("step"), names.step(at.journey, at.step));
}

fn held(out: &mut Vec<u8>, holdout: bool) {
    if holdout {
        raw(out, member!("holdout"), b"true");
    }
}

fn raw(out: &mut Vec<u8>, member: &[u8], json: &[u8]) {
    out.extend_from_slice(member);
    out.extend_from_slice(json);
}

fn text(out: &mut Vec<u8>, member: &[u8], value: &str) {
    out.extend_from_slice(member);
    push_json_text(out, value);
}

fn instant(out: &mut Vec<u8>, member: &[u8], time: i64) {
    out.extend_from_slice(member);
    out.push(b'"');
    write_instant(out, time);
    out.push(b'"');
}

fn push_hex(out: &mut Vec<u8>, id: u64) {
    let digits = std::array::from_fn::<u8, 16, _>(|place| {
        let digit = (id >> (60 - place * 4)) as u8 & 15;
        digit + if digit < 10 { b'0' } else { b'a' - 10 }
    });
    out.extend_from_slice(&digits);
}
