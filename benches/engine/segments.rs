//! People in twenty segments: what each takes, and what a quiet day costs.

use super::{engine, event_of, happen, once, resident, Lots, START};
use flow_runtime::vm::value::Value;

const DAY: i64 = 86_400_000;

pub fn run(people: usize) {
    let mut text = "event viewed { price: number }\nevent bought { price: number }\nchannel email\n".to_owned();
    for number in 0..20 {
        let days = 20 + number;
        let condition = match number % 4 {
            0 => format!("count(viewed in last {days}d) > {number}"),
            1 => format!("viewed ever and not viewed in last {days}d"),
            2 => format!("bought in last {days}d"),
            _ => format!("sum(price of bought ever) > {}", number * 40),
        };
        text.push_str(&format!(
            "segment s{number} = {condition}\njourney j{number} {{ on enter s{number} wait 90d email \"hi\" }}\n"
        ));
    }
    let engine = engine(text);
    let (viewed, bought) = (event_of(&engine, "viewed"), event_of(&engine, "bought"));
    let mut out = Vec::new();
    let before = resident();
    let mut lots = Lots(1);
    let mut all: Vec<_> = (0..people).map(|number| engine.person(&format!("user-{number:09}"))).collect();
    // Ten days in which everybody does something five times.
    let time = once(|| {
        for day in 0..5 {
            for person in &mut all {
                let now = START + day * 2 * DAY + i64::try_from(lots.below(2 * DAY as u64)).unwrap();
                let event = if lots.below(4) == 0 { bought } else { viewed };
                happen(&engine, person, now, event, vec![Value::Int(10)], &mut out);
                out.clear();
            }
        }
    });
    let event = time / (people * 5) as f64;
    let bytes = (resident() - before) as f64 / people as f64;
    println!("segments: {people} people, 20 followed segments, each with a journey\n");
    println!("| | |\n| --- | --- |\n| nanoseconds an event | {event:.0} |\n| bytes a person | {bytes:.0} |");
    // Nothing happens for a day: a heap would name those who are due; here it is asked of each.
    for (name, from) in [("a day on which windows end", 25), ("a day on which nothing ends", 60)] {
        let (start, end) = (START + from * DAY, START + (from + 1) * DAY);
        all.iter_mut().for_each(|person| engine.timers(person, start, &mut out));
        out.clear();
        let due = all.iter().filter(|person| engine.next_due(person).is_some_and(|due| due < end)).count();
        let time = once(|| {
            for person in all.iter_mut().filter(|person| engine.next_due(person).is_some_and(|due| due < end)) {
                engine.timers(person, end, &mut out);
                out.clear();
            }
        });
        println!("| {name}: people for whom something changes | {due} |");
        println!("| the same: nanoseconds for each of all people | {:.0} |", time / people as f64);
    }
    println!();
}
