//! A snapshot that is made while things go on is of the moment at which it was begun, whatever happens meanwhile.

use crate::disk::SimDisk;
use crate::random::Random;
use crate::{oracle, programs};
use flow_runtime::calendar::instant_text;
use flow_runtime::engine::succession::Answers;
use flow_serve::disk::Disk;
use flow_serve::host::walk::Walked;
use flow_serve::record::{Command, Deployment, Record};
use flow_serve::snapshot::Writer;
use flow_serve::store::Store;

const BEGIN: i64 = 1_774_598_400_000;

/// Something that changes people, ids, messages, or all of them.
fn record(random: &mut Random, now: i64) -> Record {
    let who = random.below(12);
    let time = instant_text(now);
    let line = match random.below(6) {
        0 => format!(r#"{{"type":"alias","userId":"u{}","previousId":"u{who}","timestamp":"{time}"}}"#, who / 2),
        1 => format!(
            r#"{{"type":"identify","userId":"u{}","anonymousId":"a{who}","traits":{{"email":"u{who}@shop.example","phone":"+391"}},"timestamp":"{time}"}}"#,
            random.below(12)
        ),
        2 => format!(r#"{{"type":"track","event":"login","anonymousId":"a{who}","timestamp":"{time}"}}"#),
        3 => format!(r#"{{"type":"track","event":"purchased","userId":"u{who}","timestamp":"{time}"}}"#),
        4 if random.percent(30) => return Record::Command { now, command: Command::Forget(format!("u{who}")) },
        5 if random.percent(50) => return Record::Tick { now },
        _ => format!(
            r#"{{"type":"track","event":"cart_added","userId":"u{who}","messageId":"m{now}","properties":{{"cart_id":"c","cart_value":80}},"timestamp":"{time}"}}"#
        ),
    };
    Record::Inputs { received: now, lines: line.into_bytes() }
}

fn lived(seed: u64) {
    let mut random = Random::new(seed);
    let versions = programs::versions(seed);
    let disk = SimDisk::default();
    let (mut store, _) = Store::open(disk.clone(), versions[0].clone(), [7; 16]).unwrap();
    let (mut now, mut made) = (BEGIN, 0);
    let mut writer = None;
    for _ in 0..120 {
        now += *random.one(&[1, 60_000, 3_600_000]);
        let mut next = record(&mut random, now);
        if random.percent(3) {
            let is = store.host().setup().identity;
            let new = versions.iter().find(|version| version.identity != is).unwrap();
            let deployment =
                Deployment { identity: new.identity, source: new.source.clone(), answers: Answers::default() };
            next = Record::Deploy { now, deployment };
        }
        store.commit(&[next], &mut Vec::new()).unwrap();
        assert_eq!(store.host().failed(), None);
        if writer.is_none() {
            let (disk, next) = store.begin_snapshot().unwrap();
            writer = Some((Writer::begin(disk, next).unwrap(), next));
        }
        let some = random.below(3) as usize;
        let walked = writer.as_mut().map(|(writer, _)| store.walk(some, |piece| writer.put(&piece).unwrap()));
        if let (Some(Walked::Done), Some((writer, next))) = (walked, writer.take_if(|_| walked != Some(Walked::On))) {
            writer.finish().unwrap();
            oracle::same_snapshot(&versions[0], &disk.history(), next)
                .unwrap_or_else(|what| panic!("seed {seed}: {what}"));
            made += 1;
        }
    }
    assert!(made > 1, "seed {seed}: {made}");
}

#[test]
fn a_snapshot_is_of_the_moment_at_which_it_was_begun() {
    (0..60).for_each(lived);
}

#[test]
fn nothing_of_who_was_forgotten_is_in_the_next_snapshots() {
    let setup = programs::setup(0);
    let disk = SimDisk::default();
    let (mut store, _) = Store::open(disk.clone(), setup, [7; 16]).unwrap();
    let call = |line: String| Record::Inputs { received: BEGIN, lines: line.into_bytes() };
    let time = instant_text(BEGIN);
    for (user, device) in [("ada-lovelace", "device-of-ada"), ("grace-hopper", "device-of-grace")] {
        let line = format!(
            r#"{{"type":"identify","userId":"{user}","anonymousId":"{device}","traits":{{"email":"{user}@shop.example"}},"timestamp":"{time}"}}"#
        );
        store.commit(&[call(line)], &mut Vec::new()).unwrap();
        // At most two mails an hour for everyone: the third waits.
        for number in 0..3 {
            let line = format!(
                r#"{{"type":"track","event":"purchased","userId":"{user}","messageId":"{user}{number}","timestamp":"{time}"}}"#
            );
            store.commit(&[call(line)], &mut Vec::new()).unwrap();
        }
    }
    store
        .commit(&[Record::Command { now: BEGIN, command: Command::Forget("ada-lovelace".into()) }], &mut Vec::new())
        .unwrap();
    store.snapshot().unwrap();
    let name = disk.list().unwrap().into_iter().find(|name| name.starts_with("snapshot")).unwrap();
    let text = String::from_utf8_lossy(&Disk::read(&disk, &name).unwrap()).into_owned();
    assert!(
        !text.contains("ada"),
        "{:?}",
        text.find("ada").map(|at| text[at.saturating_sub(60)..].chars().take(120).collect::<String>())
    );
    assert!(text.contains("device-of-grace") && text.contains("grace-hopper@shop.example"));
}
