//! Of the triggers of one event, those that it can be.
//!
//! A thousand journeys may listen to one event, each `where category == "…"` of its own. Asked one after the other,
//! each event would cost what the project holds. Where many triggers begin with such a comparison of one field, they
//! stand in a table by its text, and an event finds those that it can be with one look.

use super::index::TriggerAt;
use crate::vm::interpret::Prepared;
use crate::vm::value::Value;
use flow_compiler::bytecode::{Program, Trigger};
use std::collections::HashMap;
use std::sync::Arc;

/// Fewer are asked one by one.
const LEAST: usize = 8;

/// Triggers by the text of a field.
type Table = HashMap<Arc<str>, Vec<TriggerAt>>;

/// The triggers of one event.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    /// Those that any occurrence can be, in order.
    any: Vec<TriggerAt>,
    /// The others, each in order: the field, and by its text.
    keyed: Option<(u16, Table)>,
}

impl Triggers {
    /// Of these triggers, which stand in order.
    pub fn new(program: &Program, prepared: &Prepared, triggers: Vec<TriggerAt>) -> Self {
        let keys = |at: &TriggerAt| keys_of(program, prepared, *at);
        let mut counts: Vec<(u16, usize)> = Vec::new();
        for (field, _) in triggers.iter().filter_map(keys) {
            match counts.iter_mut().find(|(counted, _)| *counted == field) {
                Some((_, count)) => *count += 1,
                None => counts.push((field, 1)),
            }
        }
        let most = counts.into_iter().max_by_key(|(field, count)| (*count, std::cmp::Reverse(*field)));
        let Some((best, _)) = most.filter(|(_, count)| *count >= LEAST) else {
            return Self { any: triggers, keyed: None };
        };
        let (mut any, mut table) = (Vec::new(), Table::new());
        for at in triggers {
            match keys(&at).filter(|(field, _)| *field == best) {
                Some((_, mut texts)) => {
                    texts.sort_unstable();
                    texts.dedup();
                    texts.into_iter().for_each(|text| table.entry(text).or_default().push(at));
                }
                None => any.push(at),
            }
        }
        Self { any, keyed: Some((best, table)) }
    }

    /// Those that an occurrence with these fields can be, in order.
    pub fn of<'t>(&'t self, fields: &[Value]) -> impl Iterator<Item = TriggerAt> + 't {
        let text = |field: u16| fields.get(usize::from(field)).and_then(Value::as_text);
        let keyed = self.keyed.as_ref().and_then(|(field, table)| table.get(text(*field)?));
        let (mut any, mut keyed) = (self.any.as_slice(), keyed.map_or(&[][..], Vec::as_slice));
        std::iter::from_fn(move || {
            let from = match (any.first(), keyed.first()) {
                (Some(one), Some(other)) if other < one => &mut keyed,
                (None, _) => &mut keyed,
                _ => &mut any,
            };
            let (first, rest) = from.split_first()?;
            *from = rest;
            Some(*first)
        })
    }
}

/// The field and the texts without one of which the trigger's filter cannot hold.
fn keys_of(program: &Program, prepared: &Prepared, (journey, place): TriggerAt) -> Option<(u16, Vec<Arc<str>>)> {
    match program.journeys.get(journey.index())?.triggers.get(place)? {
        Trigger::Event { filter, .. } | Trigger::Without { filter, .. } => prepared.keys((*filter)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_compiler::compile::{compile, ProjectInput, SourceFile};

    #[test]
    fn an_event_finds_the_triggers_that_it_can_be_and_all_that_any_event_can_be() {
        let mut text = "event viewed { category: text?  price: number? }\nchannel email\n".to_owned();
        let mut journey = |name: String, filter: &str| {
            text.push_str(&format!("journey {name} {{ on viewed {filter} email \"hi\" }}\n"));
        };
        for number in 0..10 {
            journey(format!("j{number}"), &format!("where category == \"c{number}\" and price > {number}"));
        }
        journey("all".into(), "");
        journey("either".into(), "where category == \"c1\" or price > 5");
        journey("two".into(), "where price > 1 and category in [\"c1\", \"c2\"]");
        journey("list".into(), "where category in [\"c1\", \"c2\"]");
        let input = ProjectInput {
            name: "a".into(),
            timezone: "UTC".into(),
            files: vec![SourceFile { path: "a.flow".into(), text }],
            ..ProjectInput::default()
        };
        let compiled = compile(&input);
        let program = compiled.program.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let index = super::super::index::Index::new(&program, &Prepared::new(&program));
        let event = program.events.iter().position(|event| event.name == "viewed").unwrap();
        let found = |category: Value| -> Vec<String> {
            let event = flow_compiler::bytecode::EventId(u32::try_from(event).unwrap());
            let found = index.triggers_of_event(event, &[category]);
            found.map(|(journey, _)| program.journeys[journey.index()].name.clone()).collect()
        };
        assert_eq!(found(Value::text("c1")), ["j1", "all", "either", "two", "list"]);
        assert_eq!(found(Value::text("c2")), ["j2", "all", "either", "two", "list"]);
        assert_eq!(found(Value::text("c3")), ["j3", "all", "either", "two"]);
        assert_eq!(found(Value::text("other")), ["all", "either", "two"]);
        assert_eq!(found(Value::Missing), ["all", "either", "two"]);
    }
}
