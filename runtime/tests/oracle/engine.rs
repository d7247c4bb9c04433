//! The engine, driven by the same lines as the oracle.

use crate::case::{end, lines, Case};
use crate::ingest::Line;
use crate::oracle::{Effect, Kind};
use crate::person::Input as Told;
use crate::project::Project;
use flow_compiler::bytecode::{EventId, Program};
use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use flow_compiler::diagnostic::Severity;
use flow_runtime::calendar::Zones;
use flow_runtime::engine::effect::{EffectKind, MessageContent, Why};
use flow_runtime::engine::input::Input;
use flow_runtime::engine::{Engine, Person};
use flow_runtime::pack::Unpack;
use flow_runtime::vm::value::Value;
use flow_runtime::vm::Evaluation;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Compiles a case; the errors, if there are any.
pub fn program(case: &Case) -> Result<Program, Vec<String>> {
    let files = case.sources.iter().map(|(path, text)| SourceFile { path: path.clone(), text: text.clone() }).collect();
    let input = ProjectInput { name: "case".into(), timezone: case.timezone.clone(), files, ..ProjectInput::default() };
    let compiled = compile(&input);
    compiled.program.ok_or_else(|| {
        let errors = compiled.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        errors.map(|d| format!("{} {}", d.code, d.message)).collect()
    })
}

/// What the engine says.
pub fn run(project: &Project, program: Program, case: &Case, how: Evaluation) -> Vec<Effect> {
    let lines = lines(project, case);
    let end = end(case, &lines);
    let program = Arc::new(program);
    let engine = Engine::new(Arc::clone(&program), Arc::new(Zones::bundled()), 1);
    // Where there is no native code, interpreting twice does no harm.
    let how = if cfg!(target_arch = "x86_64") { how } else { Evaluation::Auto };
    let engine = engine.evaluated(how).expect("native code");
    let mut people: Vec<(String, Person)> = Vec::new();
    let mut aliases: BTreeMap<String, String> = BTreeMap::new();
    let mut effects = Vec::new();
    let (mut clock, mut seq) = (i64::MIN, 0);
    for line in lines {
        seq += 1;
        let (id, input) = match line {
            Line::Nothing => continue,
            Line::Clock(time) => {
                clock = clock.max(time);
                continue;
            }
            Line::Input { id, time, input } => {
                clock = clock.max(time);
                (id, input)
            }
            Line::Join { anonymous, known, time, input } => {
                clock = clock.max(time);
                let old = aliases.get(&anonymous).cloned().unwrap_or_else(|| anonymous.clone());
                if old != known {
                    let a = place(&engine, &mut people, &old);
                    let (id, mut other) = people.remove(a);
                    tell(&program, &id, &mut effects, |out| engine.timers(&mut other, clock, out));
                    let k = place(&engine, &mut people, &known);
                    let person = &mut people[k].1;
                    tell(&program, &known, &mut effects, |out| {
                        engine.timers(person, clock, out);
                        engine.merge(person, other, clock, seq, out);
                    });
                    aliases.insert(anonymous, known.clone());
                }
                let Some(input) = input else { continue };
                seq += 1;
                (known, input)
            }
        };
        let id = aliases.get(&id).cloned().unwrap_or(id);
        let who = place(&engine, &mut people, &id);
        let input = input_of(&program, input);
        let person = &mut people[who].1;
        reborn(&engine, person);
        tell(&program, &id, &mut effects, |out| {
            engine.timers(person, clock, out);
            engine.input(person, clock, seq, input, out);
        });
    }
    for (id, person) in &mut people {
        reborn(&engine, person);
        tell(&program, id, &mut effects, |out| engine.timers(person, end + 1, out));
    }
    effects
}

/// Goes through a snapshot: what comes back must be, and do, the same.
fn reborn(engine: &Engine, person: &mut Person) {
    let mut bytes = Vec::new();
    engine.save(person, &mut bytes);
    let mut read = Unpack::new(&bytes);
    let back = engine.restore(&mut read).expect("a person who was saved");
    assert!(read.is_empty());
    assert_eq!(format!("{back:?}"), format!("{person:?}"));
    *person = back;
}

fn place(engine: &Engine, people: &mut Vec<(String, Person)>, id: &str) -> usize {
    people.iter().position(|(other, _)| other == id).unwrap_or_else(|| {
        people.push((id.to_owned(), engine.person(id)));
        people.len() - 1
    })
}

fn input_of(program: &Program, input: Told) -> Input {
    let event_id = |name: &str| {
        let index = program.events.iter().position(|e| e.name == name);
        index.map(|index| EventId(index as u32))
    };
    let channel_id = |name: &str| {
        let index = program.channels.iter().position(|c| c.name == name);
        index.map(|index| flow_compiler::bytecode::ChannelId(index as u32))
    };
    let nothing = Input::Several(Vec::new());
    match input {
        Told::Event { event, time, fields } => {
            let Some(id) = event_id(&event) else { return nothing };
            let values = program.events[id.index()].fields.iter();
            let fields = values.map(|f| fields.get(&f.name).cloned().unwrap_or_default()).collect();
            Input::Event { event: id, time, fields }
        }
        Told::Outcome { channel, outcome, template, soft, time } => {
            let Some(id) = channel_id(&channel) else { return nothing };
            let outcome =
                flow_compiler::bytecode::Outcome::ALL.into_iter().find(|o| o.word() == outcome).expect("an outcome");
            let event = event_id(&format!("{channel}.{}", outcome.word()));
            Input::Outcome {
                event,
                channel: id,
                outcome,
                message: None,
                template: template.map(Into::into),
                soft,
                time,
            }
        }
        Told::Attributes(values) => Input::Attributes(
            values
                .into_iter()
                .filter_map(|(name, value): (String, Value)| {
                    let index = program.attributes.iter().position(|a| a.field.name == name)?;
                    Some((flow_compiler::bytecode::AttrId(index as u32), value))
                })
                .collect(),
        ),
        Told::Consent { topic: None, given } => Input::Consent { topic: None, given },
        Told::Consent { topic: Some(topic), given } => {
            let index = program.topics.iter().position(|t| t.name == topic);
            index.map_or(nothing, |index| Input::Consent {
                topic: Some(flow_compiler::bytecode::TopicId(index as u32)),
                given,
            })
        }
        Told::Suppress { channel, suppressed } => {
            channel_id(&channel).map_or(nothing, |channel| Input::Suppress { channel, suppressed })
        }
        Told::List(name) => {
            let index = program.lists.iter().position(|l| *l == name);
            index.map_or(nothing, |index| Input::List(flow_compiler::bytecode::ListId(index as u32)))
        }
        Told::Several(inputs) => Input::Several(inputs.into_iter().map(|i| input_of(program, i)).collect()),
    }
}

fn tell(
    program: &Program,
    user: &str,
    effects: &mut Vec<Effect>,
    run: impl FnOnce(&mut Vec<flow_runtime::engine::effect::Effect>),
) {
    let mut out = Vec::new();
    run(&mut out);
    let content = |content: &MessageContent| match content {
        MessageContent::Template(name, _) => format!("template {name}"),
        MessageContent::Text(text) => format!("text {text}"),
    };
    for effect in out {
        let (journey, kind) = match effect.kind {
            EffectKind::Message(m) => {
                let channel = program.channels[m.channel.index()].name.clone();
                let transactional = program.topics[m.topic.index()].transactional;
                (m.at.journey, Kind::Message { channel, content: content(&m.content), transactional })
            }
            EffectKind::Skipped(s) => (s.at.journey, Kind::Skipped(s.reason.word().to_owned())),
            EffectKind::Entered { journey, holdout } => (journey, Kind::Entered { holdout }),
            EffectKind::Left { journey, why } => {
                let why = match why {
                    Why::Finished => "finished",
                    Why::Exit(_) => "exit",
                    Why::Restarted => "restarted",
                    Why::Merged => "merged",
                };
                (journey, Kind::Left(why))
            }
            EffectKind::Converted { journey, .. } => (journey, Kind::Converted),
            EffectKind::Audience { audience, added, at } => {
                (at.journey, Kind::Audience { name: program.audiences[audience.index()].clone(), added })
            }
            EffectKind::Delayed { .. } | EffectKind::Reached(_) | EffectKind::Aside(_) | EffectKind::Withdrawn(_) => {
                continue
            }
            EffectKind::Request(_) | EffectKind::Cut => panic!("not in these cases: {:?}", effect.kind),
        };
        let journey = program.journeys[journey.index()].name.clone();
        effects.push(Effect { time: effect.time, user: user.to_owned(), journey, kind });
    }
}
