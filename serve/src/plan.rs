//! What a new version of the program means for those who are under way: looked at before anything is changed.

use crate::host::Host;
use crate::setup::Setup;
use flow_compiler::bytecode::{JourneyId, StepId};
use flow_runtime::engine::effect::Place;
use flow_runtime::engine::succession::{Answers, Fate, Succession};
use std::collections::BTreeMap;
use std::fmt;

/// For each journey, the people at each step and where the new version puts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// By journey, as the version that was has them.
    pub journeys: Vec<JourneyPlan>,
    /// Journeys that there are for the first time.
    pub new: Vec<String>,
    /// Messages that wait for a channel that is gone.
    pub stranded_messages: u64,
    /// What is not known to the new version as if it had always run, in sentences.
    pub losses: Vec<String>,
}

/// One journey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JourneyPlan {
    /// Its name.
    pub name: String,
    /// Whether the new version has it.
    pub stays: bool,
    /// The steps at which somebody waits, in their order.
    pub steps: Vec<StepPlan>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPlan {
    /// Its stable identity.
    pub identity: String,
    /// How it reads.
    pub label: String,
    /// How many wait there.
    pub people: u64,
    /// What becomes of them.
    pub fate: Fate,
    /// How the step reads in the new version at which they go on.
    pub to: Option<String>,
}

impl Plan {
    /// Looks at everybody.
    ///
    /// # Errors
    /// With a sentence, when an answer names what there is not.
    pub fn new(host: &Host, new: &Setup, answers: &Answers) -> Result<Self, String> {
        let old = host.setup();
        let succession = Succession::new(&old.engine, &new.engine, answers)?;
        let mut waiting: BTreeMap<Place, u64> = BTreeMap::new();
        for at in host.everybody().flat_map(|person| person.waits_at()) {
            *waiting.entry(at).or_default() += 1;
        }
        let label = |setup: &Setup, journey: JourneyId, step: StepId| {
            setup.labels.get(journey.index()).and_then(|labels| labels.get(step.index())).cloned().unwrap_or_default()
        };
        let journeys = (0..).map(JourneyId).zip(&old.program().journeys).map(|(id, journey)| {
            let first = Place { journey: id, step: StepId(0) };
            let last = Place { journey: id, step: StepId(u32::MAX) };
            let steps = waiting.range(first..=last).map(|(at, people)| {
                let fate = succession.fate(*at);
                let to = succession.place(*at).map(|to| label(new, to.journey, to.step));
                let identity = journey.steps.get(at.step.index()).map(|step| step.identity.clone());
                let identity = identity.unwrap_or_default();
                StepPlan { identity, label: label(old, id, at.step), people: *people, fate, to }
            });
            JourneyPlan { name: journey.name.clone(), stays: succession.journey(id).is_some(), steps: steps.collect() }
        });
        let fresh = new.program().journeys.iter().map(|journey| journey.name.clone());
        let known = |name: &String| old.program().journeys.iter().any(|journey| journey.name == *name);
        let letters = host.letters().waiting.values();
        Ok(Self {
            journeys: journeys.collect(),
            new: fresh.filter(|name| !known(name)).collect(),
            stranded_messages: letters.filter(|letter| succession.channel(letter.channel).is_none()).count() as u64,
            losses: succession.losses(),
        })
    }

    /// How many wait at steps that are gone, and nobody has said what becomes of them.
    #[must_use]
    pub fn stranded(&self) -> u64 {
        let steps = self.journeys.iter().flat_map(|journey| &journey.steps);
        steps.filter(|step| step.fate == Fate::Gone).map(|step| step.people).sum()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for journey in &self.journeys {
            let people: u64 = journey.steps.iter().map(|step| step.people).sum();
            let gone = if journey.stays { "" } else { ", which is gone" };
            writeln!(f, "{}{gone}: {}", journey.name, count(people, "person waits", "people wait"))?;
            for step in &journey.steps {
                writeln!(f, "  {:>7}  {}", step.people, step.label)?;
                writeln!(f, "           {}", becomes(step, journey))?;
            }
        }
        for name in &self.new {
            writeln!(f, "{name}: new")?;
        }
        if self.stranded_messages > 0 {
            let messages = count(self.stranded_messages, "message waits", "messages wait");
            writeln!(f, "{messages} for a channel that is gone: dead letters")?;
        }
        for loss in &self.losses {
            writeln!(f, "note: {loss}")?;
        }
        Ok(())
    }
}

fn becomes(step: &StepPlan, journey: &JourneyPlan) -> String {
    let to = step.to.as_deref().unwrap_or_default();
    match step.fate {
        Fate::Stays(_) => "stays".to_owned(),
        Fate::Changed(_) => format!("becomes   {to}"),
        Fate::Moved(_) => format!("moved to  {to}"),
        Fate::Ended => "leaves".to_owned(),
        Fate::Gone if !journey.stays => {
            format!("GONE: say what becomes of them, --ended-journey {}", journey.name)
        }
        Fate::Gone => format!(
            "GONE: say what becomes of them, in the journey (`moved OLD to NEW`, `ended OLD`) or with --moved {0}:{1}=NEW or \
             --ended {0}:{1}",
            journey.name, step.identity
        ),
    }
}

/// A count with its noun.
#[must_use]
pub fn count(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
