//! The program as the server needs it: compiled, with its templates, and a name of its own.

use crate::source;
use flow_channels::links::{unsubscribe_url, LinkKey, Unsubscribe};
use flow_compiler::bytecode::Program;
use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use flow_compiler::dump::Names;
use flow_runtime::calendar::Zones;
use flow_runtime::engine::aside::Explained;
use flow_runtime::engine::Engine;
use flow_runtime::ingest::schema::Schema;
use flow_runtime::message::{Messages, UnsubscribeLink};
use std::collections::BTreeSet;
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
    /// The project as the store keeps it ([`crate::source`]).
    pub source: Vec<u8>,
    /// The source files, where the engine explains itself.
    pub files: Vec<SourceFile>,
    base: Base,
}

/// What all versions of a program have in common.
#[derive(Clone)]
struct Base {
    zones: Arc<Zones>,
    links: Option<Arc<LinkKey>>,
    explained: Explained,
}

impl std::fmt::Debug for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Base")
    }
}

impl Setup {
    /// Makes a program ready. With a key, links to unsubscribe are signed, where the project says its address.
    #[must_use]
    pub fn new(program: Program, input: &ProjectInput, zones: Zones, seed: u64, links: Option<Arc<LinkKey>>) -> Self {
        Self::over(program, input, seed, Base { zones: Arc::new(zones), links, explained: Explained::Nobody })
    }

    /// Another version: this one, or made of what the store keeps of it.
    ///
    /// # Errors
    /// With a sentence, when that does not become a program here.
    pub fn version(self: &Arc<Self>, identity: u128, source: &[u8]) -> Result<Arc<Self>, String> {
        if identity == self.identity {
            return Ok(Arc::clone(self));
        }
        Self::of_source(source, self.base.clone()).map(Arc::new)
    }

    /// The same version, whose engine tells of some people what it took and what did not happen and why.
    ///
    /// # Errors
    /// See [`Self::version`].
    pub fn explaining(&self, ids: BTreeSet<String>) -> Result<Arc<Self>, String> {
        let base = Base { explained: Explained::These(ids), ..self.base.clone() };
        Self::of_source(&self.source, base).map(Arc::new)
    }

    fn of_source(source: &[u8], base: Base) -> Result<Self, String> {
        let (input, seed) = source::unpack(source).map_err(|error| error.to_string())?;
        let program = compile(&input).program;
        let program = program
            .ok_or("a version of the program in the store is none for this flowc: use the flowc that wrote it")?;
        Ok(Self::over(program, &input, seed, base))
    }

    fn over(program: Program, input: &ProjectInput, seed: u64, base: Base) -> Self {
        let identity = identity(input, seed);
        let names = Names::new(&program, &input.files);
        let labels =
            program.journeys.iter().map(|j| j.steps.iter().map(|step| names.step(j, step)).collect()).collect();
        let (program, zones) = (Arc::new(program), Arc::clone(&base.zones));
        let mut messages = Messages::new(&program, input);
        if let Some(key) = base.links.clone().filter(|_| !input.public_url.is_empty()) {
            messages = messages.with_unsubscribe(signed(&program, &input.public_url, key));
        }
        let schema = Schema::new(&program, Arc::clone(&zones));
        let mut engine = Engine::new(program, zones, seed).for_rendering();
        let mut files = Vec::new();
        if base.explained != Explained::Nobody {
            engine = engine.explaining(base.explained.clone());
            files.clone_from(&input.files);
        }
        Self { engine, files, schema, messages, labels, identity, source: source::pack(input, seed), base }
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

/// Templates and the project's name do not count: what messages say is decided when they are handed over, and never
/// afterwards, and a folder may be moved.
fn identity(input: &ProjectInput, seed: u64) -> u128 {
    let mut state = Xxh3::with_seed(seed);
    let mut part = |text: &str| {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        state.update(&(text.len() as u64).to_le_bytes());
        state.update(text.as_bytes());
    };
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
