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
mod world;

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
    let (mut messages, mut crashes, count) = (0, 0, seeds.end - seeds.start);
    for seed in seeds {
        match live(seed, Sabotage::Nothing) {
            Ok((sent, died)) => {
                messages += sent;
                crashes += died;
            }
            Err(what) => panic!("FLOW_SIM_SEED={seed}: {what}"),
        }
    }
    println!("{count} seeds, {messages} messages, {crashes} crashes");
    // A simulation in which nothing happens shows nothing.
    assert!(count < 100 || messages as u64 > count && crashes > count);
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
