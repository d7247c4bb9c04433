//! The server in a simulated world: the real store, engine and outbox over a disk, a clock and channels that fail.
//!
//! `FLOW_SIM_SEEDS=5000` lives through more seeds than usual, `FLOW_SIM_SEED=17` through one of them again.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod disk;
mod following;
mod journal;
mod log;
mod oracle;
mod programs;
mod random;
mod walking;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use world::{live, Sabotage};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn nothing_is_lost_and_nothing_is_sent_twice() {
    let seeds = match number("FLOW_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("FLOW_SIM_SEEDS").unwrap_or(300),
    };
    let count = seeds.end - seeds.start;
    let (next, messages, crashes) = (AtomicU64::new(seeds.start), AtomicU64::new(0), AtomicU64::new(0));
    // Each seed is a world of its own: as many at a time as there are processors.
    let lives = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds.end {
            return;
        }
        match live(seed, Sabotage::Nothing) {
            Ok((sent, died)) => {
                messages.fetch_add(sent as u64, Ordering::Relaxed);
                crashes.fetch_add(died, Ordering::Relaxed);
            }
            Err(what) => panic!("FLOW_SIM_SEED={seed}: {what}"),
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |count| count.get()) {
            scope.spawn(lives);
        }
    });
    let (messages, crashes) = (messages.into_inner(), crashes.into_inner());
    println!("{count} seeds, {messages} messages, {crashes} crashes");
    // A simulation in which nothing happens shows nothing.
    assert!(count < 100 || messages > count && crashes > count);
}

/// A simulation that finds nothing when there is something to be found is worth nothing.
#[test]
fn what_is_broken_on_purpose_is_found() {
    let all = [
        Sabotage::Unsynced,
        Sabotage::OutcomesLost,
        Sabotage::ClockFollowed,
        Sabotage::HandedAgain,
        Sabotage::PlaceForgotten,
    ];
    for sabotage in all {
        let found = (0..200).find_map(|seed| live(seed, sabotage).err());
        match found {
            Some(what) => println!("{sabotage:?}: {}", what.lines().next().unwrap_or_default()),
            None => panic!("{sabotage:?} was not found"),
        }
    }
}
