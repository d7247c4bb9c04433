//! Recorded answers of APIs, so that a replay needs no network.
//!
//! One JSON object a line: `{"api": "recommendations", "args": {"user_id": "u1"}, "answer": [...]}`. Without `args`
//! it fits any, and so it goes for `user` and `time`; the first that fits is given. Without `answer` (or with `null`)
//! the call fails. A record (`--record`) holds such lines too, and can be given back as it is.

use crate::calendar::parse_instant;
use crate::engine::effect::{Effect, EffectKind, Request};
use crate::engine::input::Input;
use crate::engine::{Engine, Person};
use crate::ingest::decode::Misfit;
use crate::ingest::schema::{Fields, Schema};
use crate::vm::value::Value;
use flow_compiler::bytecode::{ApiId, Program};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

/// Answers by API.
#[derive(Debug, Default)]
pub struct Answers {
    apis: Vec<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    /// Those for particular arguments, by their JSON; each with its place in the file.
    exact: HashMap<Vec<u8>, Vec<(usize, Entry)>>,
    any: Vec<(usize, Entry)>,
}

#[derive(Debug)]
struct Entry {
    user: Option<Arc<str>>,
    time: Option<i64>,
    answer: Option<Value>,
}

/// A line of the file that is of no use, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Counted from 1.
    pub line: usize,
    /// A sentence.
    pub reason: String,
}

#[derive(Deserialize)]
struct Line<'a> {
    api: Option<String>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
    #[serde(borrow)]
    answer: Option<&'a RawValue>,
    user: Option<String>,
    time: Option<String>,
}

impl Answers {
    /// Reads answers. A line about an API that the program does not have is passed over; an answer that does not
    /// fit the declared type is no answer, and told.
    ///
    /// # Errors
    /// When reading fails.
    pub fn read(program: &Program, schema: &Schema, input: impl Read) -> io::Result<(Self, Vec<Unfit>)> {
        let mut answers = Self { apis: program.apis.iter().map(|_| Entries::default()).collect() };
        let mut unfit = Vec::new();
        for (place, line) in BufReader::new(input).split(b'\n').enumerate() {
            let line = line?;
            if line.trim_ascii().is_empty() {
                continue;
            }
            if let Err(reason) = answers.line(program, schema, place, &line) {
                unfit.push(Unfit { line: place + 1, reason });
            }
        }
        Ok((answers, unfit))
    }

    fn line(&mut self, program: &Program, schema: &Schema, place: usize, line: &[u8]) -> Result<(), String> {
        let line: Line<'_> = serde_json::from_slice(line).map_err(|error| format!("it is not an answer: {error}"))?;
        // A record holds other lines too.
        let Some(name) = line.api else { return Ok(()) };
        let Some(number) = program.apis.iter().position(|api| api.name == name) else { return Ok(()) };
        let Some((api, entries)) = program.apis.get(number).zip(self.apis.get_mut(number)) else { return Ok(()) };
        let below = |part: &'static str| move |misfit: Misfit| misfit.below(part).to_string();
        let time = line.time.map(|text| parse_instant(&text).ok_or(format!("time: \"{text}\" is no date and time")));
        let mut unfit = Ok(());
        let answer = match (&api.answer, line.answer) {
            (Some((ty, _)), Some(raw)) => match schema.value(ty, raw.get()) {
                Ok(value) => Some(value).filter(|value| *value != Value::Missing),
                Err(misfit) => {
                    unfit = Err(below("answer")(misfit));
                    None
                }
            },
            (None, Some(raw)) if raw.get() != "null" => Some(Value::Bool(true)),
            _ => None,
        };
        let entry = Entry { user: line.user.map(Into::into), time: time.transpose()?, answer };
        match line.args {
            None => entries.any.push((place, entry)),
            Some(raw) if raw.get() == "null" => entries.any.push((place, entry)),
            Some(raw) if raw.get().starts_with('[') => {
                let args = serde_json::from_str::<Vec<&RawValue>>(raw.get()).map_err(|error| error.to_string())?;
                let types = api.params.iter().map(|param| &param.ty);
                let values = types.zip(args).map(|(ty, raw)| schema.value(ty, raw.get()));
                let values: Vec<_> = values.collect::<Result<_, _>>().map_err(below("args"))?;
                entries.exact.entry(key(&values)).or_default().push((place, entry));
            }
            Some(raw) => {
                let fields = Fields::new(api.params.clone());
                let values = schema.fields(&fields, raw.get(), |_| None).map_err(below("args"))?;
                entries.exact.entry(key(&values)).or_default().push((place, entry));
            }
        }
        unfit
    }

    /// The answer to a question, if one was recorded.
    #[must_use]
    pub fn find(&self, api: ApiId, args: &[Value], user: &str, time: i64) -> Option<Value> {
        let entries = self.apis.get(api.index())?;
        let fits = |entry: &Entry| {
            entry.user.as_deref().is_none_or(|name| name == user) && entry.time.is_none_or(|at| at == time)
        };
        let exact = if entries.exact.is_empty() { None } else { entries.exact.get(&key(args)) };
        let exact = exact.into_iter().flatten().find(|(_, entry)| fits(entry));
        let any = entries.any.iter().find(|(_, entry)| fits(entry));
        exact.into_iter().chain(any).min_by_key(|(place, _)| *place)?.1.answer.clone()
    }
}

/// Answers what the effects from place `from` on ask, and what the answers lead to asking. `find` knows the answer to a
/// question of a person at a time. What an answer brings about goes back to what the question went back to. Gives the
/// answers, in the order of the questions.
pub fn answer_all(
    engine: &Engine,
    person: &mut Person,
    seq: u64,
    effects: &mut Vec<Effect>,
    from: usize,
    mut find: impl FnMut(&Request, &str, i64) -> Option<Value>,
) -> Vec<Option<Value>> {
    let mut answers = Vec::new();
    let mut next = from;
    while let Some(effect) = effects.get(next) {
        next += 1;
        let EffectKind::Request(request) = &effect.kind else { continue };
        let (time, cause) = (effect.time, effect.cause);
        let answer = find(request, person.id(), time);
        let input = Input::Answer { request: request.id, answer: answer.clone() };
        let end = effects.len();
        engine.input(person, time, seq, input, effects);
        for effect in effects.iter_mut().skip(end) {
            effect.cause = cause;
        }
        answers.push(answer);
    }
    answers
}

/// Arguments as the key of a table.
fn key(args: &[Value]) -> Vec<u8> {
    let mut key = Vec::new();
    for arg in args {
        crate::vm::text::push_json(&mut key, arg);
        key.push(b'\n');
    }
    key
}
