//! What stays with the server instead of leaving: tasks for people, inboxes of sites, and changes of audiences that nobody
//! was told yet.

use super::{Host, Todo};
use crate::deliver::delivery;
use crate::host::letter::Letter;
use flow_channels::audiences::{Change, LARGEST_BATCH};
use flow_channels::event::Event;
use flow_channels::inbox::{self, Inbox};
use flow_channels::tasks::{self, Refused, Tasks};
use flow_channels::Kept;
use flow_compiler::bytecode::{AttrId, AudienceId, Type};
use flow_runtime::pack::{self, Damaged, Read, Unpack};
use flow_runtime::vm::value::Value;
use std::collections::{BTreeMap, VecDeque};

/// So long tasks that are done can be seen, in milliseconds: 30 days.
const DONE: i64 = 30 * 24 * 3_600_000;
/// So many changes of audiences are kept while nobody takes them; then the oldest go, and are counted.
const CHANGES: usize = 1_000_000;

/// What stays.
#[derive(Debug, Default)]
pub struct Stays {
    tasks: Tasks,
    inboxes: BTreeMap<String, Inbox>,
    changes: VecDeque<Change>,
    /// How many changes there were before the first that waits.
    told: u64,
    /// Goes up with each change of an inbox.
    version: u64,
}

impl Stays {
    /// All tasks.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// A person's inbox, if they ever got anything there.
    #[must_use]
    pub fn inbox(&self, person: &str) -> Option<&Inbox> {
        self.inboxes.get(person)
    }

    /// Goes up with each change of an inbox.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The next changes of audiences to tell, and how many were told when these are.
    #[must_use]
    pub fn changes(&self) -> (u64, Vec<Change>) {
        let next: Vec<Change> = self.changes.iter().take(LARGEST_BATCH).cloned().collect();
        (self.told + next.len() as u64, next)
    }

    /// Whether nobody is to be told anything.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.changes.is_empty()
    }

    pub(super) fn save(&self, out: &mut Vec<u8>) {
        // Texts and maps with texts as keys are always JSON.
        let json = serde_json::to_vec(&(&self.tasks, &self.inboxes, &self.changes, self.told));
        pack::bytes(out, &json.unwrap_or_default());
    }

    pub(super) fn restore(read: &mut Unpack<'_>) -> Read<Self> {
        let json = serde_json::from_slice(read.bytes()?);
        let (tasks, inboxes, changes, told) = json.map_err(|_| Damaged("list of tasks and inboxes"))?;
        Ok(Self { tasks, inboxes, changes, told, version: 0 })
    }

    pub(super) fn forget(&mut self, user: &str) {
        self.tasks.forget(i64::MIN, Some(user));
        self.inboxes.remove(user);
        let before = self.changes.len();
        self.changes.retain(|change| change.user != user);
        self.told += (before - self.changes.len()) as u64;
        self.version += 1;
    }
}

impl Host {
    /// What stays with the server.
    #[must_use]
    pub fn stays(&self) -> &Stays {
        &self.stays
    }

    /// A message that ends here.
    pub(super) fn keep(&mut self, kept: Kept, letter: &Letter, now: i64) {
        let Ok(content) = &letter.content else { return };
        let delivery = delivery(self.setup.program(), letter, 1, content.clone());
        match kept {
            Kept::Task => {
                self.stays.tasks.add(tasks::task(&delivery));
                self.stays.tasks.forget(now.saturating_sub(DONE), None);
            }
            Kept::Inbox => {
                let inbox = self.stays.inboxes.entry(letter.user.clone()).or_default();
                inbox.add(inbox::item(&delivery));
                inbox.expire(now);
                self.stays.version += 1;
            }
        }
    }

    /// Gives a task to somebody.
    pub(super) fn assign(&mut self, key: &str, to: &str, by: &str) {
        // What cannot be was told to whoever asked; between that and now somebody else may have been faster.
        let _: Result<(), Refused> = self.stays.tasks.assign(key, to, by);
    }

    /// Completes a task: an event about its person.
    pub(super) fn complete(&mut self, now: i64, key: &str, by: &str, result: Option<&str>, todo: &mut Vec<Todo>) {
        let Some(user) = self.stays.tasks.get(key).map(|task| task.user.clone()) else { return };
        if let Ok(event) = self.stays.tasks.complete(key, by, now, result) {
            self.happened(now, &user, &[(event, format!("completed:{key}"))], todo);
        }
    }

    /// Somebody has seen what is in their inbox: these messages were opened.
    pub(super) fn read_inbox(&mut self, now: i64, person: &str, key: Option<&str>, todo: &mut Vec<Todo>) {
        let Some(inbox) = self.stays.inboxes.get_mut(person) else { return };
        let channels: BTreeMap<String, String> =
            inbox.items().iter().map(|item| (item.key.clone(), item.channel.clone())).collect();
        let opened = inbox.read(key).into_iter().map(|key| {
            let channel = channels.get(&key).map_or("", String::as_str);
            (Event::outcome(channel, "Opened", Some(&key)), format!("opened:{key}"))
        });
        let opened: Vec<_> = opened.collect();
        self.stays.version += 1;
        self.happened(now, person, &opened, todo);
    }

    fn happened(&mut self, now: i64, user: &str, events: &[(Event, String)], todo: &mut Vec<Todo>) {
        let line = |(event, id): &(Event, String)| format!("{}\n", event.call(user, id, now));
        let lines: String = events.iter().map(line).collect();
        self.inputs(now, lines.as_bytes(), todo);
    }

    /// An audience is to be told.
    pub(super) fn audience(&mut self, place: u32, audience: AudienceId, added: bool) {
        let program = self.setup.program();
        let Some(person) = self.people.get(place) else { return };
        let of = |wanted: &Type| {
            let number = (0..).zip(&program.attributes).find(|(_, attribute)| attribute.field.ty == *wanted)?.0;
            match self.setup.engine.attribute(person, AttrId(number)) {
                Value::Text(text) => Some(text.to_string()),
                _ => None,
            }
        };
        let change = Change {
            audience: program.audiences.get(audience.index()).cloned().unwrap_or_default(),
            added,
            user: person.id().to_owned(),
            email: of(&Type::Email),
            phone: of(&Type::Phone),
        };
        if self.stays.changes.len() >= CHANGES {
            self.stays.changes.pop_front();
            self.stays.told += 1;
        }
        self.stays.changes.push_back(change);
    }

    /// So many changes of audiences were told.
    pub(super) fn told(&mut self, upto: u64) {
        let count = usize::try_from(upto.saturating_sub(self.stays.told)).unwrap_or(usize::MAX);
        self.stays.changes.drain(..count.min(self.stays.changes.len()));
        self.stays.told = self.stays.told.max(upto);
    }
}
