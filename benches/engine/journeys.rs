//! What an event costs in projects of many journeys.

use super::{engine, event_of, happen, least, HOUR, START};
use flow_runtime::vm::value::Value;

const EVENT: &str = "event viewed { category: text  price: number }\nevent bought\nchannel email\n";
const PEOPLE: usize = 2_000;

/// Nanoseconds of an event.
fn cost(text: String) -> f64 {
    let engine = engine(text);
    let viewed = event_of(&engine, "viewed");
    let (mut out, mut fresh) = (Vec::new(), Vec::new());
    let time = least(|| {
        fresh.clear();
        fresh.extend((0..PEOPLE).map(|number| engine.person(&format!("u{number}"))));
        for (number, person) in fresh.iter_mut().enumerate() {
            let category = Value::text(&format!("c{}", number % 1_000));
            let price = Value::Int(i64::try_from(number % 100).unwrap());
            happen(&engine, person, START + HOUR, viewed, vec![category, price], &mut out);
            out.clear();
        }
    });
    time / PEOPLE as f64
}

fn journeys(count: usize, header: impl Fn(usize) -> String) -> String {
    let journeys = (0..count).map(|number| {
        let header = header(number);
        format!("journey j{number} {{ {header} exit on bought wait 2h email \"hi\" }}\n")
    });
    format!("{EVENT}{}", journeys.collect::<String>())
}

pub fn run() {
    println!("journeys: nanoseconds an event of a new person, entries included, by number of journeys\n");
    println!("| | 10 | 100 | 1,000 | 1,000 to 10 |\n| --- | --- | --- | --- | --- |");
    let row = |name: &str, text: &dyn Fn(usize) -> String| {
        let costs = [10, 100, 1_000].map(|count| cost(text(count)));
        let [few, some, many] = costs;
        println!("| {name} | {few:.0} | {some:.0} | {many:.0} | {:.1} |", many / few);
    };
    row("10 listen to it, the others to another", &|count| {
        journeys(count, |number| if number < 10 { "on viewed where price > 1000".into() } else { "on bought".into() })
    });
    row("each listens to it, with a category of its own", &|count| {
        journeys(count, |number| format!("on viewed where category == \"c{number}\" and price > 10"))
    });
    row("each listens to it, with a price of its own", &|count| {
        journeys(count, |number| format!("on viewed where price > {} and category == \"none\"", 1_000 + number))
    });
    println!();
}
