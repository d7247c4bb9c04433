//! The program as the server needs it: compiled, with its templates, and a name of its own.

use flow_channels::links::{unsubscribe_url, LinkKey, Unsubscribe};
use flow_compiler::bytecode::Program;
use flow_compiler::compile::ProjectInput;
use flow_compiler::dump::Names;
use flow_runtime::calendar::Zones;
use flow_runtime::engine::Engine;
use flow_runtime::ingest::schema::Schema;
use flow_runtime::message::{Messages, UnsubscribeLink};
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// A program made ready to serve. Immutable.
#[derive(Debug)]
pub struct Setup {
    /// The engine.
    pub engine: Engine,
    /// For reading calls.
    pub schema: Schema,
    /// For rendering messages.
    pub messages: Messages,
    /// How each step of each journey reads, for looking at.
    pub labels: Vec<Vec<String>>,
    /// Tells programs apart: a hash of all that can change what a program does.
    pub identity: u128,
}

impl Setup {
    /// Makes a program ready. With a key, links to unsubscribe are signed, where the project says its address.
    #[must_use]
    pub fn new(program: Program, input: &ProjectInput, zones: Zones, seed: u64, links: Option<Arc<LinkKey>>) -> Self {
        let identity = identity(input, seed);
        let names = Names::new(&program, &input.files);
        let labels =
            program.journeys.iter().map(|j| j.steps.iter().map(|step| names.step(j, step)).collect()).collect();
        let (program, zones) = (Arc::new(program), Arc::new(zones));
        let mut messages = Messages::new(&program, input);
        if let Some(key) = links.filter(|_| !input.public_url.is_empty()) {
            messages = messages.with_unsubscribe(signed(&program, &input.public_url, key));
        }
        let schema = Schema::new(&program, Arc::clone(&zones));
        let engine = Engine::new(program, zones, seed).for_rendering();
        Self { engine, schema, messages, labels, identity }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        self.engine.program()
    }
}

/// Links that lead to the page of [`crate::http`].
fn signed(program: &Program, base: &str, key: Arc<LinkKey>) -> UnsubscribeLink {
    let channels: Vec<String> = program.channels.iter().map(|channel| channel.name.clone()).collect();
    let topics: Vec<String> = program.topics.iter().map(|topic| topic.name.clone()).collect();
    let base = base.to_owned();
    Arc::new(move |person, message| {
        let what = Unsubscribe {
            person: person.to_owned(),
            channel: channels.get(message.channel.index()).cloned().unwrap_or_default(),
            topic: topics.get(message.topic.index()).cloned().filter(|name| !name.is_empty()),
        };
        unsubscribe_url(&key, &base, &what)
    })
}

/// Templates do not count: what they say is decided when a message is handed over, and never afterwards.
fn identity(input: &ProjectInput, seed: u64) -> u128 {
    let mut state = Xxh3::with_seed(seed);
    let mut part = |text: &str| {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        state.update(&(text.len() as u64).to_le_bytes());
        state.update(text.as_bytes());
    };
    part(&input.name);
    part(&input.timezone);
    for file in &input.files {
        part(&file.path);
        part(&file.text);
    }
    for template in &input.templates {
        part(&template.name);
        part(&template.channel);
        part(&template.locale);
    }
    state.digest128()
}
