//! What was expected and what came, line by line.

use super::Entry;
use crate::engine::aside::Aside;
use crate::engine::effect::{Effect, EffectKind};
use crate::words::Words;
use flow_compiler::bytecode::ChannelId;
use flow_compiler::testcase::{Expectation, ExpectedContent, Happening, TestCase, TestLineKind};

/// What the test says, in order of time; what has no time of its own stands at the end.
pub fn expected(
    case: &TestCase,
    times: &[Option<i64>],
    wrong: &[usize],
    words: &Words<'_>,
    local: &dyn Fn(i64) -> String,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (number, line) in case.lines.iter().enumerate() {
        let text = match &line.kind {
            TestLineKind::At(_, happening) | TestLineKind::After(_, happening) => occurrence(words, happening),
            TestLineKind::Expect(Expectation::Message { channel, content, .. }) => {
                format!("expect {}", awaited(words, *channel, content.as_ref()))
            }
            TestLineKind::Expect(Expectation::Nothing) => "expect nothing".to_owned(),
            TestLineKind::Expect(Expectation::NothingElse) => "expect nothing else".to_owned(),
            TestLineKind::Expect(Expectation::NoMessage { channel, content }) => {
                format!("expect no {}", awaited(words, *channel, content.as_ref()))
            }
            TestLineKind::Expect(Expectation::Skipped { channel, content, because }) => {
                let because = because.as_ref().map(|because| format!(" because {because}")).unwrap_or_default();
                format!("expect skipped {}{because}", awaited(words, *channel, content.as_ref()))
            }
            TestLineKind::Expect(Expectation::Condition(_)) => "expect a condition".to_owned(),
        };
        let time = times.get(number).copied().flatten();
        entries.push(Entry {
            time: time.unwrap_or(i64::MAX),
            local: time.map(local).unwrap_or_default(),
            text,
            quoted: None,
            step: None,
            wrong: wrong.contains(&number),
        });
    }
    entries.sort_by_key(|entry| entry.time);
    entries
}

/// What came about. `surplus` says which messages nobody expected.
pub fn actual(
    case: &TestCase,
    effects: &[Effect],
    surplus: impl Fn(usize) -> bool,
    words: &Words<'_>,
    local: &dyn Fn(i64) -> String,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (place, effect) in effects.iter().enumerate() {
        // What the test itself makes happen stands on the other side.
        if matches!(&effect.kind, EffectKind::Aside(aside) if matches!(**aside, Aside::Happened { .. } | Aside::Changed { .. }))
        {
            continue;
        }
        let Some(told) = words.effect(&effect.kind, local) else { continue };
        if told.journey.is_some() && case.journey.is_some() && told.journey != case.journey {
            continue;
        }
        entries.push(Entry {
            time: effect.time,
            local: local(effect.time),
            text: told.text,
            quoted: told.quoted,
            step: told.place,
            wrong: matches!(effect.kind, EffectKind::Message(_)) && surplus(place),
        });
    }
    entries
}

fn occurrence(words: &Words<'_>, happening: &Happening) -> String {
    match happening {
        Happening::Event(event, _) => words.event(*event).to_owned(),
        Happening::Attributes(values) => {
            let names: Vec<_> = values.iter().map(|(attribute, _)| words.attribute(*attribute)).collect();
            format!("user {}", names.join(", "))
        }
        Happening::List(list) => format!("list \"{}\"", words.list(*list)),
    }
}

/// `email cart_reminder`, or the channel alone.
pub fn awaited(words: &Words<'_>, channel: ChannelId, content: Option<&ExpectedContent>) -> String {
    let channel = words.channel(channel);
    match content {
        None => channel.to_owned(),
        Some(ExpectedContent::Template(name)) => format!("{channel} {name}"),
        Some(ExpectedContent::Text(text)) => format!("{channel} \"{text}\""),
    }
}
