//! The program's names, written as JSON once.

use crate::vm::text::push_json_text;
use flow_compiler::bytecode::{
    ApiId, AudienceId, ChannelId, Exit, JourneyId, Program, StepId, TopicId,
};

/// Names as JSON texts, quotes included.
#[derive(Debug, Default)]
pub struct Names {
    journeys: Vec<JourneyNames>,
    channels: Vec<Vec<u8>>,
    topics: Vec<Vec<u8>>,
    audiences: Vec<Vec<u8>>,
    apis: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
}

#[derive(Debug, Default)]
struct JourneyNames {
    name: Vec<u8>,
    steps: Vec<Vec<u8>>,
    exits: Vec<Vec<u8>>,
}

const NONE: &[u8] = b"null";

impl Names {
    /// The names of `program`.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        Self {
            journeys: program
                .journeys
                .iter()
                .map(|journey| JourneyNames {
                    name: json(&journey.name),
                    steps: journey.steps.iter().map(|step| json(&step.identity)).collect(),
                    exits: journey.exits.iter().map(|exit| json(&exit_text(program, exit))).collect(),
                })
                .collect(),
            channels: program.channels.iter().map(|channel| json(&channel.name)).collect(),
            topics: program.topics.iter().map(|topic| json(&topic.name)).collect(),
            audiences: program.audiences.iter().map(|name| json(name)).collect(),
            apis: program
                .apis
                .iter()
                .map(|api| (json(&api.name), api.params.iter().map(|param| json(&param.name)).collect()))
                .collect(),
        }
    }

    /// A journey's.
    #[must_use]
    pub fn journey(&self, id: JourneyId) -> &[u8] {
        self.journeys.get(id.index()).map_or(NONE, |journey| &journey.name)
    }

    /// A step's identity.
    #[must_use]
    pub fn step(&self, journey: JourneyId, step: StepId) -> &[u8] {
        self.journeys.get(journey.index()).and_then(|journey| journey.steps.get(step.index())).map_or(NONE, Vec::as_slice)
    }

    /// What an exit of a journey is about.
    #[must_use]
    pub fn exit(&self, journey: JourneyId, exit: u16) -> &[u8] {
        let journey = self.journeys.get(journey.index());
        journey.and_then(|journey| journey.exits.get(usize::from(exit))).map_or(NONE, Vec::as_slice)
    }

    /// A channel's.
    #[must_use]
    pub fn channel(&self, id: ChannelId) -> &[u8] {
        self.channels.get(id.index()).map_or(NONE, Vec::as_slice)
    }

    /// A topic's.
    #[must_use]
    pub fn topic(&self, id: TopicId) -> &[u8] {
        self.topics.get(id.index()).map_or(NONE, Vec::as_slice)
    }

    /// An audience's.
    #[must_use]
    pub fn audience(&self, id: AudienceId) -> &[u8] {
        self.audiences.get(id.index()).map_or(NONE, Vec::as_slice)
    }

    /// An API's, with those of its parameters.
    #[must_use]
    pub fn api(&self, id: ApiId) -> (&[u8], &[Vec<u8>]) {
        self.apis.get(id.index()).map_or((NONE, &[]), |(name, params)| (name, params))
    }
}

/// An exit in a few words.
#[must_use]
pub fn exit_text(program: &Program, exit: &Exit) -> String {
    match exit {
        Exit::On { event, .. } => {
            format!("exit on {}", program.events.get(event.index()).map_or("?", |event| event.name.as_str()))
        }
        Exit::When(_) => "exit when".to_owned(),
        Exit::After(_) => "exit after".to_owned(),
    }
}

fn json(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    push_json_text(&mut out, text);
    out
}
