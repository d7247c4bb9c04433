//! A new version while the server runs: the project is read again, the plan is looked at, and everybody goes on in it, with the
//! channels that it says. Calls wait meanwhile, and none is lost.

use crate::plan::{count, Plan};
use crate::server::Outside;
use crate::setup::Setup;
use flow_runtime::engine::succession::Answers;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A program that was made ready, and what its messages and questions leave by.
pub struct Version {
    /// The program.
    pub setup: Arc<Setup>,
    /// What leaves by what.
    pub outside: Outside,
}

/// Reads the project again; a sentence says why it cannot be served. Called within the server's runtime.
pub type Again = dyn Fn() -> Result<Version, String> + Send + Sync;

/// What somebody who deploys says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// Which version is meant, as [`identity_text`] writes it; none: the one that stands there.
    pub identity: Option<String>,
    /// Journey, step, step: who waits at one goes on at the other.
    pub moved: Vec<(String, String, String)>,
    /// Journey, step: who waits there leaves.
    pub ended: Vec<(String, String)>,
    /// Who is in these journeys, which are gone, leaves.
    pub ended_journeys: Vec<String>,
    /// Waits keep their ends also where their lengths changed.
    pub keep_deadlines: bool,
}

impl Wanted {
    /// What becomes of those at steps that are gone.
    #[must_use]
    pub fn answers(&self) -> Answers {
        Answers {
            moved: self.moved.clone(),
            ended: self.ended.clone(),
            ended_journeys: self.ended_journeys.clone(),
            keep_deadlines: self.keep_deadlines,
        }
    }
}

/// How a version is called.
#[must_use]
pub fn identity_text(setup: &Setup) -> String {
    format!("{:032x}", setup.identity)
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// Everybody goes on in it: the plan, and a sentence.
    Done(String),
    /// It cannot be while people wait at steps that are gone: the plan, and a sentence.
    Stranded(String),
    /// It cannot be: a sentence.
    Refused(String),
}

/// What is told of a plan that was followed.
#[must_use]
pub fn done(plan: &Plan, people: u64, same: bool) -> String {
    if same {
        return "people are in this version already; its templates and channels were read again\n".to_owned();
    }
    format!("{plan}deployed: {} on in this version\n", count(people, "person goes", "people go"))
}

/// What is told of a plan that cannot be followed.
#[must_use]
pub fn stranded(people: u64) -> String {
    format!("{} at steps that are gone; nothing was changed\n", count(people, "person waits", "people wait"))
}
