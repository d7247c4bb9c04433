//! What should have happened: the plain replay over files of the calls that the journal holds.

use crate::disk::SimDisk;
use flow_runtime::calendar::instant_text;
use flow_runtime::ingest::source::Lines;
use flow_runtime::message::Content;
use flow_runtime::replay::{self, Before, Options, Sinks};
use flow_serve::host::letter::Letter;
use flow_serve::host::{Host, GRACE};
use flow_serve::journal;
use flow_serve::record::{Delivered, Record};
use flow_serve::setup::Setup;
use flow_serve::snapshot;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

/// What a message is, wherever it is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    user: String,
    journey: String,
    channel: String,
    to: String,
    text: String,
}

pub fn said(setup: &Setup, letter: &Letter) -> Said {
    let program = setup.program();
    let text = match letter.content.clone().expect("a content") {
        Content::Email { text, .. } | Content::Sms { text } => text,
        other => panic!("not in these programs: {other:?}"),
    };
    Said {
        user: letter.user.clone(),
        journey: program.journeys[letter.journey.index()].name.clone(),
        channel: program.channels[letter.channel.index()].name.clone(),
        to: letter.to.clone().unwrap_or_default(),
        text,
    }
}

/// All that the journal ever held.
pub fn records(disk: &SimDisk) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    journal::scan(disk, 0, u64::MAX, |_, record| {
        records.push(record);
        Ok(())
    })
    .map_err(|failure| failure.to_string())?;
    Ok(records)
}

/// The calls, as one text.
pub fn text(records: &[Record]) -> String {
    let lines = records.iter().filter_map(|record| match record {
        Record::Inputs { lines, .. } => Some(String::from_utf8_lossy(lines)),
        _ => None,
    });
    lines.collect()
}

/// The state is what all records from the first on make of it, whatever was snapshot, cut and started in between.
pub fn same_state(setup: &Arc<Setup>, host: &Host, records: &[Record]) -> Result<(), String> {
    let mut again = Host::new(Arc::clone(setup));
    let mut todo = Vec::new();
    for record in records {
        again.apply(record, &mut todo);
    }
    if bytes(&again) == bytes(host) {
        return Ok(());
    }
    Err(format!("the state is not what the journal makes of it\n{again:#?}\n{host:#?}"))
}

/// A snapshot that took a while is the state at the moment at which it was begun.
pub fn same_snapshot(setup: &Arc<Setup>, disk: &SimDisk, next: u64) -> Result<(), String> {
    let found = snapshot::all(disk).map_err(|failure| failure.to_string())?;
    if found.last() != Some(&next) {
        return Err(format!("a snapshot of frame {next} was made, and there is {found:?}"));
    }
    let (host, _) = snapshot::newest(disk, setup, |_| {}).map_err(|failure| failure.to_string())?;
    let mut records = Vec::new();
    let scanned = journal::scan(disk, 0, next, |_, record| {
        records.push(record);
        Ok(())
    });
    scanned.map_err(|failure| failure.to_string())?;
    same_state(setup, &host, &records)
}

fn bytes(host: &Host) -> Vec<u8> {
    let mut all = Vec::new();
    let done: Result<(), ()> = host.save(|piece| {
        all.extend_from_slice(piece);
        Ok(())
    });
    done.expect("nothing fails");
    all
}

/// The messages of a replay over the calls that the journal holds.
pub fn replay(setup: &Arc<Setup>, records: &[Record], until: i64) -> Result<Wanted, String> {
    let mut log = String::new();
    let clock = |time: i64| {
        format!(
            "{{\"type\":\"track\",\"event\":\"the clock\",\"userId\":\"-\",\"timestamp\":\"{}\"}}\n",
            instant_text(time)
        )
    };
    let mut host = Host::new(Arc::clone(setup));
    let mut todo = Vec::new();
    for record in records {
        match record {
            Record::Inputs { received, lines } => {
                log += &clock(received - GRACE);
                log += &String::from_utf8_lossy(lines);
            }
            Record::Tick { now } => log += &clock(*now),
            Record::Deploy { now, .. } => log += &clock(*now + 1),
            Record::Outcome { now, key, result: Delivered::Dead { suppress: true, .. } } => {
                if let Some(letter) = host.letters().waiting.get(key) {
                    let (user, program) = (letter.user.clone(), host.setup().program());
                    let channel = program.channels[letter.channel.index()].name.clone();
                    log += &format!(
                        "{{\"type\":\"track\",\"event\":\"{channel} bounced\",\"anonymousId\":\"{user}\",\"timestamp\":\"{}\",\
                         \"properties\":{{\"message\":\"{key:016x}\"}}}}\n",
                        instant_text(*now)
                    );
                }
            }
            _ => {}
        }
        host.apply(record, &mut todo);
        todo.clear();
    }
    let (mut out, mut record) = (Vec::new(), Vec::new());
    let sinks = Sinks { messages: Box::new(&mut out), record: Some(Box::new(&mut record)), dead: None };
    let options = Options { until: Some(until), threads: Some(1), ..Options::default() };
    let mut source = Lines::new(Box::new(Cursor::new(log.into_bytes())), 1 << 16);
    replay::run(&setup.engine, &setup.schema, &mut source, Before::default(), sinks, &options, || {})
        .map_err(|failure| failure.to_string())?;
    let text = |bytes| String::from_utf8(bytes).map_err(|error| error.to_string());
    let messages = text(out)?.lines().map(message).collect::<Result<_, _>>()?;
    Ok(Wanted { messages, record: text(record)? })
}

/// What the plain replay gives.
pub struct Wanted {
    /// The messages, by their keys.
    pub messages: BTreeMap<u64, Said>,
    record: String,
}

impl Wanted {
    /// Whether the replay let go of a message that waited for a throttle. A throttle counts when messages really leave: after a time in which the
    /// machine was off, another one waits than in the replay, and what becomes of its person meanwhile differs.
    pub fn withdrew(&self, key: u64) -> bool {
        let id = format!("\"{key:016x}\"");
        self.record.lines().any(|line| line.contains(&id) && line.contains("\"what\":\"skipped\""))
    }
}

fn message(line: &str) -> Result<(u64, Said), String> {
    let json: serde_json::Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
    let get = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let key = u64::from_str_radix(&get("id"), 16).map_err(|error| format!("{error}: {line}"))?;
    let said =
        Said { user: get("user"), journey: get("journey"), channel: get("channel"), to: get("to"), text: get("text") };
    Ok((key, said))
}
