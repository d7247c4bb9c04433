//! Questions about the past: what an event costs, and what is kept, by the length of the history.

use super::{engine, event_of, happen, once, START};
use flow_runtime::vm::value::Value;

/// Events of one person in a steady window: as many leave it as come.
fn cost(condition: &str, window: usize) -> f64 {
    const DAY: i64 = 86_400_000;
    let text = format!(
        "event viewed {{ price: number }}\nevent bought\nchannel email\n\
         journey j {{ on viewed where {condition} enter once email \"hi\" }}"
    );
    let engine = engine(text);
    let viewed = event_of(&engine, "viewed");
    let mut person = engine.person("ada");
    let mut out = Vec::new();
    let step = DAY / i64::try_from(window).unwrap();
    let mut now = START;
    let mut more = |count: usize| {
        let time = once(|| {
            for number in 0..count {
                now += step.max(1);
                let price = Value::Int(i64::try_from(number % 7).unwrap());
                happen(&engine, &mut person, now, viewed, vec![price], &mut out);
                out.clear();
            }
        });
        time / count as f64
    };
    more(window + 10);
    (0..3).map(|_| more(100_000_000 / window.max(1_000))).fold(f64::MAX, f64::min)
}

pub fn run() {
    println!("windows: nanoseconds an event, by events in the window\n");
    println!("| question | 100 | 1,000 | 10,000 |\n| --- | --- | --- | --- |");
    for condition in [
        "count(viewed in last 1d) > 1000000",
        "count(viewed ever) > 1000000",
        "not viewed in last 1d",
        "sum(price of viewed ever) > 100000000",
        "max(price of viewed in last 1d) > 100",
        "sum(price of viewed in last 1d) > 100000000",
        "count(viewed in last 1d where price > 100) > 5",
    ] {
        let costs = [100, 1_000, 10_000].map(|window| cost(condition, window));
        println!("| `{condition}` | {:.0} | {:.0} | {:.0} |", costs[0], costs[1], costs[2]);
    }
    println!();
}
