//! Tasks for people: somebody calls, somebody visits. A task comes about by a send, is taken by somebody, and its
//! completion is an event that a journey can wait for. Pure; whoever serves HTTP keeps them.

use crate::content::notification;
use crate::event::Event;
use crate::Delivery;
use flow_runtime::message::Content;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The event of a task that was done.
pub const COMPLETED: &str = "Task Completed";

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The key of the message that it came from.
    pub key: String,
    /// The person whom it is about.
    pub user: String,
    /// The channel.
    pub channel: String,
    /// The journey.
    pub journey: String,
    /// When it came about, in milliseconds since 1970.
    pub time: i64,
    /// What to do, in a line.
    pub title: String,
    /// What to do.
    pub text: String,
    /// What else the template says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// How far it is.
    pub state: State,
}

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Nobody has it.
    Open,
    /// Somebody has it.
    Assigned {
        /// Who.
        to: String,
    },
    /// It is done.
    Completed {
        /// By whom.
        by: String,
        /// When, in milliseconds since 1970.
        at: i64,
        /// What came of it, in a word: `reached`, `no_answer`.
        result: Option<String>,
    },
}

/// Why something could not be done to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such task.
    Unknown,
    /// It is done already.
    Completed,
    /// Somebody else has it.
    Taken,
}

/// A delivery as a task, which nobody has yet. The front matter's `title` is its own.
#[must_use]
pub fn task(delivery: &Delivery) -> Task {
    let shown = notification(&delivery.content);
    let mut fields = match &delivery.content {
        Content::Other { fields, .. } => fields.clone(),
        _ => BTreeMap::new(),
    };
    fields.remove("title");
    let title = match shown.title.as_str() {
        "" => shown.body.lines().next().unwrap_or_default().to_owned(),
        title => title.to_owned(),
    };
    Task {
        key: delivery.key.clone(),
        user: delivery.user.clone(),
        channel: delivery.channel.clone(),
        journey: delivery.journey.clone(),
        time: delivery.time,
        title,
        text: shown.body,
        fields,
        state: State::Open,
    }
}

/// All tasks, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tasks(BTreeMap<String, Task>);

impl Tasks {
    /// Puts a task in; one that is there already stays as it is. True: it is new.
    pub fn add(&mut self, task: Task) -> bool {
        let is_new = !self.0.contains_key(&task.key);
        self.0.entry(task.key.clone()).or_insert(task);
        is_new
    }

    /// The tasks that are not done, the oldest first; only those of `assignee`, when there is one, and those that
    /// nobody has.
    #[must_use]
    pub fn open(&self, assignee: Option<&str>) -> Vec<&Task> {
        let meant = |task: &&Task| match &task.state {
            State::Open => true,
            State::Assigned { to } => assignee.is_none_or(|name| name == to),
            State::Completed { .. } => false,
        };
        let mut open: Vec<&Task> = self.0.values().filter(meant).collect();
        open.sort_by_key(|task| (task.time, &task.key));
        open
    }

    /// Gives a task to somebody. Who has it already gives it on; it cannot be taken from them.
    ///
    /// # Errors
    /// When that cannot be.
    pub fn assign(&mut self, key: &str, to: &str, by: &str) -> Result<(), Refused> {
        let task = self.0.get_mut(key).ok_or(Refused::Unknown)?;
        match &task.state {
            State::Completed { .. } => return Err(Refused::Completed),
            State::Assigned { to: holder } if holder != by && holder != to => return Err(Refused::Taken),
            State::Assigned { .. } | State::Open => {}
        }
        task.state = State::Assigned { to: to.to_owned() };
        Ok(())
    }

    /// Completes a task. The event is about the task's person.
    ///
    /// # Errors
    /// When that cannot be.
    pub fn complete(&mut self, key: &str, by: &str, at: i64, result: Option<&str>) -> Result<Event, Refused> {
        let task = self.0.get_mut(key).ok_or(Refused::Unknown)?;
        match &task.state {
            State::Completed { .. } => return Err(Refused::Completed),
            State::Assigned { to } if to != by => return Err(Refused::Taken),
            State::Assigned { .. } | State::Open => {}
        }
        task.state = State::Completed { by: by.to_owned(), at, result: result.map(str::to_owned) };
        let texts =
            [("message", &task.key), ("task", &task.title), ("channel", &task.channel), ("journey", &task.journey)];
        let mut event = Event::new(COMPLETED, texts.map(|(name, text)| (name, text.as_str().into())));
        event.properties.insert("by".to_owned(), by.into());
        if let Some(result) = result {
            event.properties.insert("result".to_owned(), result.into());
        }
        Ok(event)
    }

    /// Lets go what was done before `before` (milliseconds since 1970), and all tasks about a person who is erased.
    pub fn forget(&mut self, before: i64, erased: Option<&str>) {
        self.0.retain(|_, task| {
            let old = matches!(task.state, State::Completed { at, .. } if at < before);
            !old && erased != Some(task.user.as_str())
        });
    }

    /// The task of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Task> {
        self.0.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::delivery;

    fn a_task(key: &str) -> Task {
        let fields = [("title", "Call Ada"), ("image", "https://x/")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let content = Content::Other { text: "Ask about the cart".into(), fields: fields.into() };
        Task { key: key.to_owned(), ..task(&delivery(content)) }
    }

    #[test]
    fn a_task_is_taken_and_done_once() {
        let mut tasks = Tasks::default();
        assert!(tasks.add(a_task("1")) && !tasks.add(a_task("1")) && tasks.add(a_task("2")));
        assert_eq!(tasks.assign("2", "bob", "bob"), Ok(()));
        assert_eq!(tasks.open(None).len(), 2);
        assert_eq!(tasks.open(Some("eve")).iter().map(|task| task.key.as_str()).collect::<Vec<_>>(), ["1"]);
        assert_eq!(tasks.assign("2", "eve", "eve"), Err(Refused::Taken));
        assert_eq!(tasks.assign("2", "eve", "bob"), Ok(()));
        assert_eq!(tasks.complete("2", "bob", 5, None), Err(Refused::Taken));
        let event = tasks.complete("2", "eve", 5, Some("reached")).expect("done");
        assert_eq!(event.name, "Task Completed");
        let wanted =
            r#"{"by":"eve","channel":"email","journey":"cart","message":"2","result":"reached","task":"Call Ada"}"#;
        let sorted: BTreeMap<_, _> = event.properties.into_iter().collect();
        assert_eq!(serde_json::to_string(&sorted).expect("JSON"), wanted);
        assert_eq!(tasks.complete("2", "eve", 6, None), Err(Refused::Completed));
        assert_eq!(tasks.assign("2", "eve", "eve"), Err(Refused::Completed));
        assert_eq!(tasks.complete("3", "eve", 6, None), Err(Refused::Unknown));
        tasks.forget(6, None);
        assert!(tasks.get("2").is_none() && tasks.get("1").is_some());
        tasks.forget(0, Some("u1"));
        assert!(tasks.get("1").is_none());
    }
}
