//! The journal and the snapshots, byte by byte.

use crate::disk::SimDisk;
use crate::programs;
use flow_serve::disk::Disk;
use flow_serve::journal::{self, Failure};
use flow_serve::record::Record;
use flow_serve::store::Store;
use flow_serve::timeline::timeline;

fn tick(now: i64) -> Record {
    Record::Tick { now }
}

/// Three commits; the bytes of the segment after each of them.
fn three() -> (String, Vec<Vec<u8>>) {
    let disk = SimDisk::default();
    let mut open = journal::open(disk.clone(), 0, |_, _| Ok(())).unwrap();
    let name = disk.list().unwrap()[0].clone();
    let mut after = vec![disk.read(&name).unwrap()];
    for number in 1..4 {
        let lines = vec![b'x'; 20 * number as usize];
        open.commit(&[tick(number), Record::Inputs { received: number, lines }]).unwrap();
        after.push(disk.read(&name).unwrap());
    }
    (name, after)
}

/// How many commits are read from a segment with these bytes, and how many there are after one more.
fn read(name: &str, bytes: Vec<u8>) -> Result<usize, Failure> {
    let disk = SimDisk::default();
    disk.put(name, bytes);
    let mut numbers = Vec::new();
    let mut open = journal::open(disk.clone(), 0, |number, _| {
        numbers.push(number);
        Ok(())
    })?;
    numbers.dedup();
    open.commit(&[tick(99)])?;
    let mut again = 0;
    journal::open(disk, 0, |_, record| {
        again += usize::from(matches!(record, Record::Tick { .. }));
        Ok(())
    })?;
    assert_eq!(again, numbers.len() + 1, "what was committed after a start is there at the next");
    Ok(numbers.len())
}

#[test]
fn a_torn_end_is_cut_at_every_byte() {
    let (name, after) = three();
    let whole = after.last().unwrap();
    for length in 0..=whole.len() {
        let wanted = after.iter().rposition(|bytes| bytes.len() <= length).unwrap_or(0);
        assert_eq!(read(&name, whole[..length].to_vec()).unwrap(), wanted, "cut at {length}");
        // The file was made longer, and what should stand there never came.
        let mut zeros = whole[..length].to_vec();
        zeros.resize(whole.len(), 0);
        assert_eq!(read(&name, zeros).unwrap(), wanted, "zeros from {length}");
    }
}

#[test]
fn a_damaged_middle_refuses_to_start_and_says_where() {
    let (name, after) = three();
    let whole = after.last().unwrap();
    let last = after[2].len();
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        let read = read(&name, bytes);
        if place >= last {
            // Nothing tells the last frame from one that was being written when the machine stopped.
            assert_eq!(read.unwrap(), 2, "byte {place}");
            continue;
        }
        let begin = after.iter().map(Vec::len).rfind(|end| *end <= place).unwrap_or(0);
        match read {
            Err(Failure::Damaged { file, offset, .. }) => assert_eq!((file, offset), (name.clone(), begin as u64)),
            other => panic!("byte {place}: {other:?}"),
        }
    }
}

#[test]
fn a_missing_segment_refuses_to_start() {
    let (name, after) = three();
    let disk = SimDisk::default();
    disk.put(&name.replace('0', "1"), after[0].clone());
    let refused = journal::open(disk, 0, |_, _| Ok(())).err().unwrap();
    assert!(refused.to_string().contains("missing"), "{refused}");
}

#[test]
fn a_damaged_snapshot_falls_back_to_the_older_one() {
    let setup = programs::setup(0);
    let disk = SimDisk::default();
    let (mut store, _) = Store::open(disk.clone(), setup.clone(), [7; 16]).unwrap();
    let line = br#"{"type":"track","event":"login","userId":"u1","timestamp":"2026-03-02T10:00:00Z"}"#;
    for received in [1_772_445_600_000, 1_772_445_700_000, 1_772_445_800_000] {
        store.commit(&[Record::Inputs { received, lines: line.to_vec() }], &mut Vec::new()).unwrap();
        store.snapshot().unwrap();
    }
    let names: Vec<_> = disk.list().unwrap().into_iter().filter(|name| name.starts_with("snapshot")).collect();
    assert_eq!(names.len(), 2, "two are kept");
    let mut bytes = disk.read(&names[1]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    disk.put(&names[1], bytes);
    drop(store);
    let (store, found) = Store::open(disk.clone(), setup.clone(), [7; 16]).unwrap();
    assert_eq!((found.warnings.len(), found.records, store.host().tally().accepted), (1, 1, 3));
    assert!(found.warnings[0].contains(&names[1]), "{:?}", found.warnings);
    // Both: then nothing is guessed.
    let mut bytes = disk.read(&names[0]).unwrap();
    bytes.truncate(middle);
    disk.put(&names[0], bytes);
    drop(store);
    assert!(Store::open(disk, setup, [7; 16]).is_err());
}

#[test]
fn a_timeline_says_since_when_it_is_kept() {
    let setup = programs::setup(1);
    let disk = SimDisk::default();
    let (mut store, _) = Store::open(disk.clone(), setup.clone(), [7; 16]).unwrap();
    let mut told = Vec::new();
    for hour in 10..14 {
        let line =
            format!(r#"{{"type":"track","event":"login","userId":"u1","timestamp":"2026-03-02T{hour}:00:00Z"}}"#);
        let received = 1_772_445_600_000 + (hour - 10) * 3_600_000;
        store.rotate();
        store.commit(&[Record::Inputs { received, lines: line.into_bytes() }], &mut Vec::new()).unwrap();
        told.push(timeline(&disk, &setup, store.next(), "u1").unwrap());
        store.snapshot().unwrap();
    }
    let since: Vec<_> = told.iter().map(|told| told.since.as_deref()).collect();
    // Two snapshots are kept, and the journal since the older.
    assert_eq!(since, [None, None, Some("2026-03-02T10:00:00.000Z"), Some("2026-03-02T11:00:00.000Z")]);
    assert!(told.iter().all(|told| !told.happenings.is_empty()));
    assert!(told[3].happenings.iter().all(|one| one.time.as_str() >= "2026-03-02T11:00:00.000Z"), "{:?}", told[3]);
}

#[test]
fn another_program_is_refused() {
    let disk = SimDisk::default();
    drop(Store::open(disk.clone(), programs::setup(0), [7; 16]).unwrap());
    let refused = Store::open(disk.clone(), programs::setup(1), [7; 16]).err().unwrap().to_string();
    assert!(refused.contains("another version of the program"), "{refused}");
    let (store, _) = Store::open(disk.clone(), programs::setup(0), [7; 16]).unwrap();
    store.snapshot().unwrap();
    drop(store);
    let refused = Store::open(disk, programs::setup(1), [7; 16]).err().unwrap().to_string();
    assert!(refused.contains("another version of the program"), "{refused}");
}
