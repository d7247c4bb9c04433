//! For whom a template is rendered: made-up people, or those of a file.

use super::shown::Shown;
use super::Wanted;
use flow_compiler::bytecode::{ChannelId, Program};
use flow_compiler::compile::ProjectInput;
use flow_compiler::nearest::nearest;
use flow_runtime::calendar::Zones;
use flow_runtime::engine::Engine;
use flow_runtime::ingest::open::open;
use flow_runtime::ingest::schema::Schema;
use flow_runtime::ingest::{table, What};
use flow_runtime::message::sample::{self, Sample, MOMENT};
use flow_runtime::message::Messages;
use flow_runtime::vm::value::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// One to whom it is shown.
struct Person {
    id: String,
    attributes: Box<[Value]>,
    person: flow_runtime::engine::Person,
}

/// Everything that is wanted, rendered.
pub fn shown(wanted: &Wanted, program: Program, input: &ProjectInput) -> Result<Vec<Shown>, String> {
    let (program, zones) = (Arc::new(program), Arc::new(Zones::bundled()));
    let engine = Engine::new(Arc::clone(&program), Arc::clone(&zones), 0);
    let messages = Messages::new(&program, input);
    let files = files(wanted, &program, &messages)?;
    let people = match &wanted.user {
        Some(path) => read(path, &engine, &Schema::new(&program, zones))?,
        None => Vec::new(),
    };
    let mut out = Vec::new();
    let channels: BTreeSet<ChannelId> = files.iter().map(|(channel, _)| *channel).collect();
    for channel in channels {
        let locales: Vec<&str> = files.iter().filter(|(c, _)| *c == channel).map(|(_, locale)| *locale).collect();
        let one = One { engine: &engine, messages: &messages, name: &wanted.name, channel };
        if wanted.user.is_some() {
            for person in &people {
                let own = engine.locale(&person.person, &wanted.name, channel);
                let locale = wanted.locale.clone().unwrap_or_else(|| own.to_string());
                out.push(one.show(&locale, 0, Some(person), Sample::Full));
            }
            continue;
        }
        let places = sample::senders(&program, &wanted.name, channel).count().max(1);
        for locale in if wanted.all { &locales[..] } else { locales.get(..1).unwrap_or_default() } {
            for place in 0..if wanted.all { places } else { 1 } {
                out.push(one.show(locale, place, None, Sample::Full));
                if wanted.all {
                    out.push(one.show(locale, place, None, Sample::Scarce));
                }
            }
        }
    }
    Ok(out)
}

/// The channels and languages that there are of a template and are wanted.
fn files<'m>(wanted: &Wanted, program: &Program, messages: &'m Messages) -> Result<Vec<(ChannelId, &'m str)>, String> {
    let name_of = |id: ChannelId| program.channels.get(id.index()).map_or("", |channel| channel.name.as_str());
    let named: Vec<_> = messages.templates().filter(|(name, ..)| *name == wanted.name).collect();
    if named.is_empty() {
        let names: BTreeSet<&str> = messages.templates().map(|(name, ..)| name).collect();
        let near = nearest(&wanted.name, names.iter().copied());
        return Err(match near {
            Some(near) => format!("there is no template `{}`; did you mean `{near}`?", wanted.name),
            None if names.is_empty() => "the project has no templates".to_owned(),
            None => {
                let names: Vec<&str> = names.into_iter().take(12).collect();
                format!("there is no template `{}`; there are {}", wanted.name, names.join(", "))
            }
        });
    }
    let fits = |(_, channel, locale): &(&str, ChannelId, &str)| {
        wanted.channel.as_deref().is_none_or(|wanted| wanted == name_of(*channel))
            && wanted.locale.as_deref().is_none_or(|wanted| wanted == *locale)
    };
    let fitting: Vec<_> =
        named.iter().filter(|one| fits(one)).map(|(_, channel, locale)| (*channel, *locale)).collect();
    if fitting.is_empty() {
        let there: Vec<String> = named
            .iter()
            .map(|(name, channel, locale)| {
                format!("{name}.{}{}{locale}", name_of(*channel), if locale.is_empty() { "" } else { "." })
            })
            .collect();
        return Err(format!("of `{}` there are {}", wanted.name, there.join(", ")));
    }
    Ok(fitting)
}

fn read(path: &Path, engine: &Engine, schema: &Schema) -> Result<Vec<Person>, String> {
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no file {}", path.display()),
        _ => format!("cannot read {}: {error}", path.display()),
    };
    let opened = open(path).map_err(told)?;
    let mut block = table::read(schema, opened.read, None).map_err(told)?;
    let mut people = Vec::new();
    for record in std::mem::take(&mut block.records) {
        match record.what {
            What::Input(input) => {
                let id = block.id(record.who).to_owned();
                let mut person = engine.person(&id);
                engine.input(&mut person, MOMENT, 0, input, &mut Vec::new());
                people.push(Person { id, attributes: engine.attributes(&person), person });
            }
            What::Dead(dead) => return Err(format!("{}, line {}: {}", path.display(), record.line + 1, dead.reason)),
            What::Clock | What::Unknown(_) | What::Join(_) => {}
        }
    }
    if people.is_empty() {
        return Err(format!("there is nobody in {}", path.display()));
    }
    Ok(people)
}

/// One template on one channel.
struct One<'a> {
    engine: &'a Engine,
    messages: &'a Messages,
    name: &'a str,
    channel: ChannelId,
}

impl One<'_> {
    fn show(&self, locale: &str, place: usize, person: Option<&Person>, sample: Sample) -> Shown {
        let program = self.engine.program();
        let channel = program.channels.get(self.channel.index()).map_or("", |channel| channel.name.as_str());
        let places: Vec<_> = sample::senders(program, self.name, self.channel).collect();
        let at = places.get(place).copied();
        let attributes = person.map(|person| person.attributes.clone());
        let message = sample::message(self.engine, (self.name, self.channel, locale), at, attributes, sample);
        let user = person.map_or("ada", |person| person.id.as_str());
        let content = self.messages.content(self.engine, user, MOMENT, &message).map_err(|failure| failure.detail);
        let journey = at.filter(|_| places.len() > 1).and_then(|at| program.journeys.get(at.journey.index()));
        let mut title = format!("{} by {channel}", self.name);
        let mut stem = format!("{}.{channel}", self.name);
        let mut add = |words: String, part: &str| {
            title.push_str(&words);
            let plain = |c: char| if c.is_alphanumeric() || "-_@".contains(c) { c } else { '-' };
            stem.push('.');
            stem.extend(part.chars().map(plain));
        };
        if !locale.is_empty() {
            add(format!(", in {locale}"), locale);
        }
        if let Some(journey) = journey {
            add(format!(", from {}", journey.name), &format!("{}-{}", journey.name, place + 1));
        }
        match (person, sample) {
            (Some(person), _) => add(format!(", to {}", person.id), &person.id),
            (None, Sample::Scarce) => add(", what may be missing is missing".to_owned(), "scarce"),
            (None, Sample::Full) => {}
        }
        Shown { title, stem, channel: channel.to_owned(), content }
    }
}
