//! Attempts under way: messages at their channels, questions at their APIs.

use crate::core::Event;
use crate::host::letter::Letter;
use crate::host::{Asked, Question};
use crate::live::Handle;
use crate::log::{say, Level};
use crate::outbox::key_text;
use crate::record::Record;
use crate::setup::Setup;
use crate::trace::{Origin, Traces};
use flow_channels::audiences::{self, Audience, Change};
use flow_channels::fetch::{self, Apis};
use flow_channels::{Channel, Delivery, Outcome};
use flow_compiler::bytecode::Program;
use flow_runtime::message::Content;
use flow_runtime::vm::Machine;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle as Runtime;
use xxhash_rust::xxh3::xxh3_128;

/// No attempt takes longer, whatever the channel thinks.
const LONGEST: Duration = Duration::from_secs(120);

/// Where messages and questions leave.
pub struct Desk {
    channels: Vec<Arc<dyn Channel>>,
    apis: Arc<Apis>,
    audiences: Arc<BTreeMap<String, Audience>>,
    runtime: Runtime,
    traces: Traces,
}

impl Desk {
    /// With the channels in the order of the program.
    #[must_use]
    pub fn new(
        channels: Vec<Arc<dyn Channel>>,
        apis: Apis,
        audiences: BTreeMap<String, Audience>,
        runtime: Runtime,
        traces: Traces,
    ) -> Self {
        Self { channels, apis: Arc::new(apis), audiences: Arc::new(audiences), runtime, traces }
    }

    /// Goes on with others. Attempts under way end by those that were.
    pub fn renew(&mut self, channels: Vec<Arc<dyn Channel>>, apis: Apis, audiences: BTreeMap<String, Audience>) {
        (self.channels, self.apis, self.audiences) = (channels, Arc::new(apis), Arc::new(audiences));
    }

    /// Tells changes of audiences, `upto` so many since the first of all. Who is not configured hears nothing.
    pub fn tell(&self, upto: u64, changes: Vec<Change>, back: &Handle) {
        let (audiences, back) = (Arc::clone(&self.audiences), back.clone());
        self.runtime.spawn(async move {
            let mut outcome = Outcome::accepted();
            for (number, batch) in audiences::batches(&changes, audiences::LARGEST_BATCH).into_iter().enumerate() {
                let name = batch.pointer("/data/audience").and_then(serde_json::Value::as_str).unwrap_or_default();
                let Some(audience) = audiences.get(name) else { continue };
                // The same batch after a crash has the same key.
                let key = format!("{:032x}", xxh3_128(format!("{upto} {number} {batch}").as_bytes()));
                match audience.send(&key, &batch).await {
                    Outcome::Accepted { .. } => {}
                    Outcome::Rejected { reason, .. } => {
                        say(Level::Error, "an audience was not taken", &[("audience", &name), ("reason", &reason)]);
                    }
                    retry @ Outcome::Retry { .. } => {
                        outcome = retry;
                        break;
                    }
                }
            }
            back.tell(Event::Told { upto, outcome });
        });
    }

    /// Begins an attempt; what comes of it comes back as an event.
    pub fn deliver(&self, program: &Program, letter: &Letter, attempt: u32, back: &Handle, origin: &Origin) {
        let (key, back) = (letter.key, back.clone());
        let (Some(channel), Ok(content)) = (self.channels.get(letter.channel.index()).cloned(), &letter.content) else {
            back.tell(Event::Finished { key, outcome: Outcome::retry("there is no such channel") });
            return;
        };
        let delivery = delivery(program, letter, attempt, content.clone());
        let span = self.traces.attempt(origin, &delivery.channel, &delivery.journey, attempt);
        self.runtime.spawn(async move {
            let attempt = tokio::spawn(async move {
                let attempt = tokio::time::timeout(LONGEST, channel.deliver(&delivery)).await;
                attempt.unwrap_or_else(|_| Outcome::retry("it took too long"))
            });
            let outcome = attempt.await.unwrap_or_else(|_| Outcome::retry("the channel failed"));
            span.came_to(&outcome);
            back.tell(Event::Finished { key, outcome });
        });
    }

    /// Asks an API; the answer, or that there is none, comes back as an event.
    pub fn ask(&self, setup: &Arc<Setup>, (user, request): Question, asked: &Asked, back: &Handle) {
        let (setup, apis, asked, back) = (Arc::clone(setup), Arc::clone(&self.apis), asked.clone(), back.clone());
        self.runtime.spawn(async move {
            // The same question after a crash has the same key.
            let key = format!("{:032x}", xxh3_128(format!("{request} {user}").as_bytes()));
            let task = tokio::spawn(async move {
                let machine = Machine::new(setup.program());
                let (api, args, time) = (asked.api, asked.args.as_slice(), crate::clock::now());
                let question = fetch::Question { machine: &machine, schema: &setup.schema, api, args, key: &key, time };
                let answer = apis.ask(question).await;
                if answer.is_err() {
                    // Why not may name the person: the address holds what the question is about.
                    let name = setup.program().apis.get(api.index()).map(|api| api.name.clone()).unwrap_or_default();
                    say(Level::Warning, "an API did not answer", &[("api", &name)]);
                }
                answer.ok()
            });
            let answer = task.await.unwrap_or_default();
            let now = crate::clock::now();
            back.tell(Event::Record(Record::Answer { now, user, request, answer }));
        });
    }
}

/// A message as channels see it.
pub(crate) fn delivery(program: &Program, letter: &Letter, attempt: u32, content: Content) -> Delivery {
    let journey = program.journeys.get(letter.journey.index());
    let topic = program.topics.get(letter.topic.index());
    let step = journey.and_then(|journey| journey.steps.get(letter.step.index()));
    let unsubscribe = match &content {
        Content::Email { unsubscribe, .. } => unsubscribe.clone(),
        _ => None,
    };
    Delivery {
        key: key_text(letter.key),
        channel: program.channels.get(letter.channel.index()).map(|c| c.name.clone()).unwrap_or_default(),
        user: letter.user.clone(),
        to: letter.to.clone(),
        journey: journey.map(|journey| journey.name.clone()).unwrap_or_default(),
        step: step.map(|step| step.identity.to_string()).unwrap_or_default(),
        topic: topic.map(|topic| topic.name.clone()).filter(|name| !name.is_empty()),
        marketing: !program.is_transactional(letter.topic),
        time: letter.time,
        attempt,
        unsubscribe,
        content,
    }
}
