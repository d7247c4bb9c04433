//! Tests of a project in a second.

use super::compiled;
use flow_runtime::calendar::Zones;
use flow_runtime::engine::Engine;
use flow_runtime::ingest::schema::Schema;
use flow_runtime::testing;
use std::sync::Arc;

pub fn run(count: usize) {
    let mut text = "event added { value: number }\nevent bought\nuser { email: email? }\nchannel email to user.email\n\
        journey j { on added where value > 10 exit on bought wait 2h email \"hi\" wait 22h email \"there\" }\n"
        .to_owned();
    for number in 0..count {
        text.push_str(&format!(
            "test \"t{number}\" {{ user {{ email: \"ada@example.com\" }} at 2026-03-02 10:00 added {{ value: 80 }} \
             expect email \"hi\" at 12:00 expect email \"there\" after 22h expect nothing else }}\n"
        ));
    }
    let compiled = compiled(text);
    let program = Arc::new(compiled.program.unwrap());
    let zones = Arc::new(Zones::bundled());
    let engine = Engine::new(Arc::clone(&program), Arc::clone(&zones), 0);
    let schema = Schema::new(&program, zones);
    let tests: Vec<_> = compiled.tests.iter().collect();
    // All threads work here, so that it is the clock that counts.
    let begin = std::time::Instant::now();
    {
        let failed =
            testing::run(&engine, &schema, &tests).iter().filter(|verdict| !verdict.failures.is_empty()).count();
        assert_eq!(failed, 0);
    }
    let time = begin.elapsed();
    println!("tests: {count} tests of two messages run at {:.0} a second\n", count as f64 / time.as_secs_f64());
}
