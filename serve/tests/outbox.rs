//! Which message leaves when.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use flow_channels::pace::Limits;
use flow_channels::retry::Schedule;
use flow_channels::{Outcome, Policy};
use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use flow_runtime::calendar::{instant_text, Zones};
use flow_serve::host::{Host, Todo};
use flow_serve::outbox::Outbox;
use flow_serve::record::Record;
use flow_serve::setup::Setup;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

const PROGRAM: &str = "event login { n: int }
user { email: email? }
channel email to user.email
journey hello { on login  enter always  topic transactional  email \"{trigger.n}\" }
";
/// 2026-03-02T10:00:00Z
const BEGIN: i64 = 1_772_445_600_000;
const HOUR: i64 = 3_600_000;

struct World {
    host: Host,
    outbox: Outbox,
    number: u64,
}

impl World {
    fn new(concurrency: u32) -> Self {
        let file = SourceFile { path: "a.flow".into(), text: PROGRAM.into() };
        let input = ProjectInput { timezone: "UTC".into(), files: vec![file], ..ProjectInput::default() };
        let program = compile(&input).program.unwrap();
        let host = Host::new(Arc::new(Setup::new(program, &input, Zones::bundled(), 1, None)));
        let limits = Limits { concurrency: NonZeroU32::new(concurrency).unwrap(), rate: None };
        let (first, longest) = (Duration::from_secs(5), Duration::from_secs(60));
        let retry = Schedule::Exponential { first, longest, attempts: 9 };
        Self {
            host,
            outbox: Outbox::new([Policy { limits, retry, one_provider: true, kept: None, again: true }]),
            number: 0,
        }
    }

    /// So many messages come about; their keys.
    fn messages(&mut self, count: u64, now: i64) -> Vec<u64> {
        let time = instant_text(now);
        let mut lines = format!(
            "{{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{{\"email\":\"u@x.example\"}},\"timestamp\":\"{time}\"}}\n"
        );
        for _ in 0..count {
            self.number += 1;
            lines += &format!(
                "{{\"type\":\"track\",\"event\":\"login\",\"userId\":\"u\",\"properties\":{{\"n\":{}}},\"timestamp\":\"{time}\"}}\n",
                self.number
            );
        }
        let mut todo = Vec::new();
        self.host.apply(&Record::Inputs { received: now, lines: lines.into_bytes() }, &mut todo);
        let keys = todo.iter().filter_map(|todo| if let Todo::Send(key) = todo { Some(*key) } else { None });
        let keys: Vec<u64> = keys.collect();
        for key in &keys {
            self.outbox.add(&self.host.letters().waiting[key], now);
        }
        keys
    }

    /// What begins now.
    fn start(&mut self, now: i64) -> Vec<u64> {
        self.outbox.start(&self.host, now, &mut Vec::new()).iter().map(|start| start.key).collect()
    }

    fn finish(&mut self, key: u64, outcome: Outcome, now: i64) {
        let record = self.outbox.finished(&self.host, key, outcome, now).unwrap();
        self.host.apply(&record, &mut Vec::new());
    }
}

#[test]
fn a_fresh_message_does_not_wait_behind_a_flood_of_late_ones() {
    let mut world = World::new(8);
    let late = world.messages(500, BEGIN);
    // A day's sleep, as it were; then something new happens.
    let now = BEGIN + 24 * HOUR;
    let begun = world.start(now);
    assert_eq!(begun.len(), 4, "half of the attempts at most are for what is late");
    assert!(begun.iter().all(|key| late.contains(key)));
    let fresh = world.messages(3, now + 10);
    let begun = world.start(now + 10);
    assert_eq!(begun.len(), 3);
    assert!(begun.iter().all(|key| fresh.contains(key)), "nothing late is taken before");
}

#[test]
fn what_is_late_leaves_too_while_fresh_messages_come() {
    let mut world = World::new(2);
    let late = world.messages(10, BEGIN);
    let now = BEGIN + 24 * HOUR;
    world.messages(20, now);
    let mut order = Vec::new();
    while order.len() < 10 {
        for key in world.start(now) {
            order.push(late.contains(&key));
            world.finish(key, Outcome::accepted(), now);
        }
    }
    assert!(order.iter().filter(|late| **late).count() >= 1, "{order:?}");
    assert!(order.windows(4).all(|four| four.iter().filter(|late| **late).count() <= 1), "{order:?}");
}

#[test]
fn a_provider_that_asks_to_be_left_alone_is_left_alone_by_the_whole_channel() {
    let mut world = World::new(8);
    let first = world.messages(1, BEGIN);
    assert_eq!(world.start(BEGIN), first);
    let asked = Outcome::Retry { reason: "429".into(), after: Some(Duration::from_secs(30)) };
    world.finish(first[0], asked, BEGIN + 100);
    world.messages(5, BEGIN + 200);
    assert_eq!(world.start(BEGIN + 200), [0_u64; 0]);
    assert_eq!(world.outbox.next_wake(), Some(BEGIN + 30_100));
    assert_eq!(world.start(BEGIN + 30_100).len(), 5);
}
