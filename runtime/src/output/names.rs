//! The program's names, written as JSON once.

use crate::vm::text::{push_json, push_json_text};
use crate::vm::value::Value;
use flow_compiler::bytecode::{
    ApiId, AudienceId, ChannelId, Exit, Field, JourneyId, Program, Step, StepId, StepKind, TopicId, Type,
};

/// Names as JSON texts, quotes included.
#[derive(Debug, Default)]
pub struct Names {
    journeys: Vec<JourneyNames>,
    channels: Vec<Vec<u8>>,
    topics: Vec<Vec<u8>>,
    audiences: Vec<Vec<u8>>,
    apis: Vec<ApiNames>,
    types: Vec<Vec<FieldName>>,
}

/// A name, and the type of what it names.
type FieldName = (Vec<u8>, Type);

#[derive(Debug)]
struct ApiNames {
    name: Vec<u8>,
    params: Vec<FieldName>,
    answer: Option<Type>,
}

#[derive(Debug, Default)]
struct JourneyNames {
    name: Vec<u8>,
    steps: Vec<StepNames>,
    exits: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct StepNames {
    identity: Vec<u8>,
    /// What a send hands to its template.
    with: Vec<FieldName>,
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
                    steps: journey.steps.iter().map(step_names).collect(),
                    exits: journey.exits.iter().map(|exit| json(&exit_text(program, exit))).collect(),
                })
                .collect(),
            channels: program.channels.iter().map(|channel| json(&channel.name)).collect(),
            topics: program.topics.iter().map(|topic| json(&topic.name)).collect(),
            audiences: program.audiences.iter().map(|name| json(name)).collect(),
            apis: program
                .apis
                .iter()
                .map(|api| ApiNames {
                    name: json(&api.name),
                    params: fields(&api.params, |param| &param.name),
                    answer: api.answer.as_ref().map(|(ty, _)| ty.clone()),
                })
                .collect(),
            types: program.types.iter().map(|ty| fields(&ty.fields, |field| &field.wire)).collect(),
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
        self.names_of(journey, step).map_or(NONE, |step| &step.identity)
    }

    fn names_of(&self, journey: JourneyId, step: StepId) -> Option<&StepNames> {
        self.journeys.get(journey.index())?.steps.get(step.index())
    }

    /// Appends what a send handed to its template as a JSON object.
    pub fn push_with(&self, out: &mut Vec<u8>, journey: JourneyId, step: StepId, values: &[Value]) {
        let names = self.names_of(journey, step).map(|step| step.with.as_slice()).unwrap_or_default();
        self.push_object(out, names, values);
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

    /// An API's.
    #[must_use]
    pub fn api(&self, id: ApiId) -> &[u8] {
        self.apis.get(id.index()).map_or(NONE, |api| &api.name)
    }

    /// Appends the arguments of an API as a JSON object.
    pub fn push_args(&self, out: &mut Vec<u8>, id: ApiId, args: &[Value]) {
        let params = self.apis.get(id.index()).map(|api| api.params.as_slice()).unwrap_or_default();
        self.push_object(out, params, args);
    }

    /// Appends the answer of an API as JSON that can be read again.
    pub fn push_answer(&self, out: &mut Vec<u8>, id: ApiId, answer: &Value) {
        match self.apis.get(id.index()).and_then(|api| api.answer.as_ref()) {
            Some(ty) => self.push_value(out, ty, answer),
            None => push_json(out, answer),
        }
    }

    /// A value does not know the names of its fields; its type does.
    fn push_value(&self, out: &mut Vec<u8>, ty: &Type, value: &Value) {
        match (ty, value) {
            (Type::List(element), Value::List(values)) => {
                let mut open = b'[';
                for value in values.iter() {
                    out.push(std::mem::replace(&mut open, b','));
                    self.push_value(out, element, value);
                }
                out.extend_from_slice(if open == b'[' { b"[]" } else { b"]" });
            }
            (Type::Record(id), Value::Record(values)) => {
                self.push_object(out, self.types.get(id.index()).map(Vec::as_slice).unwrap_or_default(), values);
            }
            _ => push_json(out, value),
        }
    }

    fn push_object(&self, out: &mut Vec<u8>, names: &[FieldName], values: &[Value]) {
        let mut open = b'{';
        for ((name, ty), value) in names.iter().zip(values) {
            out.push(std::mem::replace(&mut open, b','));
            out.extend_from_slice(name);
            out.push(b':');
            self.push_value(out, ty, value);
        }
        out.extend_from_slice(if open == b'{' { b"{}" } else { b"}" });
    }
}

fn fields(fields: &[Field], name: impl Fn(&Field) -> &String) -> Vec<FieldName> {
    fields.iter().map(|field| (json(name(field)), field.ty.clone())).collect()
}

fn step_names(step: &Step) -> StepNames {
    let with = match &step.kind {
        StepKind::Send(send) => send.with.iter().map(|given| (json(&given.name), given.ty.clone())).collect(),
        _ => Vec::new(),
    };
    StepNames { identity: json(&step.identity), with }
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
