//! `exec`: programs that answer, and programs that do not.

use crate::support::{delivery, folder, opened, run, scratch, skip_unless, sms};
use flow_channels::{Channel, Delivery, Outcome};
use std::time::Duration;

fn program(timeout: &str) -> Option<Box<dyn Channel>> {
    skip_unless(run("python3", &["--version"], b""), "python3")?;
    let script = folder().join("peers/answers.py");
    let command = format!("backend = 'exec'\ncommand = ['python3', '{}']\ntimeout = '{timeout}'", script.display());
    Some(opened(&command, &[]))
}

fn message(n: usize, text: &str) -> Delivery {
    Delivery { key: format!("key-{n}"), ..delivery(Some("+1555"), sms(text)) }
}

#[tokio::test]
async fn a_program_answers_for_each_message() {
    let Some(channel) = program("20s") else { return };
    let later = Outcome::Retry { reason: "the provider is down".into(), after: Some(Duration::from_secs(90)) };
    let (first, second) = (message(1, "later"), message(2, "never"));
    let (first, second) = tokio::join!(channel.deliver(&first), channel.deliver(&second));
    assert_eq!((first, second), (later, Outcome::suppressed("no such number")));
    // One program serves all of them.
    let mut ids = std::collections::BTreeSet::new();
    for n in 0..5 {
        let Outcome::Accepted { provider_id } = channel.deliver(&message(n, "accept")).await else { panic!() };
        ids.insert(provider_id.expect("an id"));
    }
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn a_program_that_fails_costs_a_retry_and_no_more() {
    for bad in ["crash", "babble", "flood", "hang"] {
        let Some(channel) = program("3s") else { return };
        let outcome = channel.deliver(&message(1, bad)).await;
        assert!(matches!(outcome, Outcome::Retry { .. }), "{bad}: {outcome:?}");
        // Sooner or later it is started anew, and does its work.
        let mut outcome = Outcome::accepted();
        for _ in 0..20 {
            outcome = channel.deliver(&message(2, "accept")).await;
            match &outcome {
                Outcome::Retry { after: Some(after), .. } => tokio::time::sleep(*after).await,
                _ => break,
            }
        }
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{bad}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_a_retry() {
    let channel = opened("backend = 'exec'\ncommand = ['no-such-program']", &[]);
    let outcome = channel.deliver(&message(1, "accept")).await;
    assert!(
        matches!(&outcome, Outcome::Retry { reason, .. } if reason.contains("`no-such-program` cannot be started"))
    );
}

/// The programs of the documentation, as they stand there.
#[tokio::test]
async fn the_examples_deliver() {
    for (language, script) in [("python3", "deliver.py"), ("node", "deliver.mjs")] {
        if skip_unless(run(language, &["--version"], b""), language).is_none() {
            continue;
        }
        let path = folder().join("../../examples/exec").join(script);
        let written = scratch(&format!("exec-{language}")).join("sent.txt");
        let command =
            format!("backend = 'exec'\ncommand = ['{language}', '{}', '{}']", path.display(), written.display());
        let channel = opened(&command, &[]);
        assert!(matches!(channel.deliver(&message(1, "Hi Ada")).await, Outcome::Accepted { .. }), "{language}");
        let twice = channel.deliver(&message(1, "Hi Ada")).await;
        assert!(matches!(twice, Outcome::Accepted { .. }), "{language}");
        let nobody = Delivery { to: None, ..message(2, "Hi") };
        assert!(matches!(channel.deliver(&nobody).await, Outcome::Rejected { .. }), "{language}");
        assert_eq!(std::fs::read_to_string(&written).unwrap(), "+1555: Hi Ada\n", "{language}: sent once");
    }
}
