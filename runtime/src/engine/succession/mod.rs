//! A person's state under a new version of the program (contract, section 8.8).
//!
//! Everything that has a name is found again by its name, and a step by its identity; [`steps`] says what becomes of
//! those who wait at each step. Then the one engine of the new version goes on with the person:
//!
//! - a wait keeps its end, unless its length changed: then it ends so long after it began, at once if that is past;
//! - nobody enters because the definition of a segment changed: who is in which one is looked at anew, silently;
//! - history that the new version asks for and the old one did not keep begins with the new version.
//!
//! All timers that are due must have fired before.

mod instances;
mod names;
mod state;
mod steps;

use super::effect::{Effect, Place};
use super::{Engine, Person};
use flow_compiler::bytecode::{ApiId, ChannelId, JourneyId, Program, StepId, TopicId};
use names::Names;
use steps::JourneyMove;

/// What the author says about steps that are gone, besides `moved` and `ended` in the journeys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Who waits at a step of a journey goes on at another: journey, old identity, new identity.
    pub moved: Vec<(String, String, String)>,
    /// Who waits at a step of a journey leaves: journey, identity.
    pub ended: Vec<(String, String)>,
    /// Who is in these journeys, which are gone, leaves.
    pub ended_journeys: Vec<String>,
    /// Waits keep their ends also where their lengths changed.
    pub keep_deadlines: bool,
}

/// What becomes of those who wait at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The step is there as it was.
    Stays(StepId),
    /// A step of the same kind stands in its place.
    Changed(StepId),
    /// The author says where they go on.
    Moved(StepId),
    /// The author says that they leave.
    Ended,
    /// The step is gone, and nobody has said what becomes of them.
    Gone,
}

impl Fate {
    /// The step in the new version.
    #[must_use]
    pub fn step(self) -> Option<StepId> {
        match self {
            Self::Stays(step) | Self::Changed(step) | Self::Moved(step) => Some(step),
            Self::Ended | Self::Gone => None,
        }
    }
}

/// What a new version of a program makes of an older one.
pub struct Succession<'e> {
    old: &'e Engine,
    new: &'e Engine,
    names: Names,
    /// By old journey.
    journeys: Vec<JourneyMove>,
    keep_deadlines: bool,
}

impl<'e> Succession<'e> {
    /// Compares two versions.
    ///
    /// # Errors
    /// With a sentence, when an answer names what there is not.
    pub fn new(old: &'e Engine, new: &'e Engine, answers: &Answers) -> Result<Self, String> {
        steps::check(&old.program, &new.program, answers)?;
        let names = Names::new(&old.program, &new.program);
        let moves = |journey| steps::moves(&new.program, &names, journey, answers);
        let journeys = old.program.journeys.iter().map(moves).collect();
        Ok(Self { old, new, names, journeys, keep_deadlines: answers.keep_deadlines })
    }

    /// What becomes of those who wait at a step; [`Fate::Ended`] too where their journey is gone and the author says that they leave.
    #[must_use]
    pub fn fate(&self, at: Place) -> Fate {
        let journey = self.journeys.get(at.journey.index());
        journey.and_then(|journey| journey.fates.get(at.step.index())).copied().unwrap_or(Fate::Gone)
    }

    /// The journey in the new version.
    #[must_use]
    pub fn journey(&self, journey: JourneyId) -> Option<JourneyId> {
        self.journeys.get(journey.index())?.to
    }

    /// The place in the new version; none: it is gone.
    #[must_use]
    pub fn place(&self, at: Place) -> Option<Place> {
        Some(Place { journey: self.journey(at.journey)?, step: self.fate(at).step()? })
    }

    /// The channel in the new version.
    #[must_use]
    pub fn channel(&self, channel: ChannelId) -> Option<ChannelId> {
        self.names.channels.get(channel.index()).copied().flatten().map(ChannelId)
    }

    /// The topic in the new version.
    #[must_use]
    pub fn topic(&self, topic: TopicId) -> Option<TopicId> {
        self.names.topics.get(topic.index()).copied().flatten().map(TopicId)
    }

    /// The API in the new version, if it is asked with as many arguments.
    #[must_use]
    pub fn api(&self, api: ApiId) -> Option<ApiId> {
        let new = ApiId(self.names.apis.get(api.index()).copied().flatten()?);
        let params = |program: &Program, api: ApiId| program.apis.get(api.index()).map(|api| api.params.len());
        (params(&self.old.program, api) == params(&self.new.program, new)).then_some(new)
    }

    /// The exit in the new version: the one at its place, if it is of the same kind.
    #[must_use]
    pub fn exit(&self, journey: JourneyId, exit: usize) -> Option<usize> {
        let new = self.new.program.journeys.get(self.journey(journey)?.index())?.exits.get(exit)?;
        let old = self.old.program.journeys.get(journey.index())?.exits.get(exit)?;
        (std::mem::discriminant(old) == std::mem::discriminant(new)).then_some(exit)
    }

    /// What the new version cannot know as if it had always run, in sentences.
    #[must_use]
    pub fn losses(&self) -> Vec<String> {
        state::losses(self)
    }

    /// A person under the new version, at an instant that is not before any that they have seen. `seq` is its number
    /// in the order of arrival.
    pub fn person(&self, mut person: Person, now: i64, seq: u64, out: &mut Vec<Effect>) -> Person {
        let ends = instances::ends(self.old, &mut person, now);
        let mut next = state::carry(self, &person);
        let moved = instances::carry(self, &person, &ends, &mut next, now);
        instances::go_on(self.new, &mut next, moved, now, seq, out);
        next
    }
}
