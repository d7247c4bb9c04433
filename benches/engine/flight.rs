//! Many people who wait at once: what each takes, and what their timers cost when all are due in one second.

use super::{engine, event_of, happen, once, resident, HOUR, START};
use flow_runtime::engine::effect::EffectKind;
use flow_runtime::vm::value::Value;

pub fn run(people: usize) {
    let engine = engine(
        "event added { value: number }\nevent bought\nchannel email\n\
         journey j { on added where value > 10 exit on bought wait 2h email \"hi\" wait 22h email \"there\" }"
            .to_owned(),
    );
    let added = event_of(&engine, "added");
    let mut out = Vec::new();
    let before = resident();
    let mut all: Vec<_> = (0..people).map(|number| engine.person(&format!("user-{number:09}"))).collect();
    let known = resident();
    let entered = once(|| {
        for (number, person) in all.iter_mut().enumerate() {
            let now = START + i64::try_from(number * 1_000 / people).unwrap();
            happen(&engine, person, now, added, vec![Value::Int(60)], &mut out);
            out.clear();
        }
    }) / people as f64;
    let waiting = resident();
    let mut messages = 0;
    let fired = once(|| {
        for person in &mut all {
            engine.timers(person, START + 2 * HOUR + 1_000, &mut out);
            messages += out.iter().filter(|effect| matches!(effect.kind, EffectKind::Message(_))).count();
            out.clear();
        }
    }) / people as f64;
    assert_eq!(messages, people);
    let each = |bytes: usize| bytes as f64 / people as f64;
    println!("flight: {people} people who wait in one journey\n");
    println!("| | |\n| --- | --- |");
    println!("| bytes of a person who is known, id of 14 letters included | {:.0} |", each(known - before));
    println!("| bytes more while in the journey | {:.0} |", each(waiting - known));
    println!("| nanoseconds to enter | {entered:.0} |");
    println!("| nanoseconds a timer, all due in one second, message included | {fired:.0} |\n");
}
