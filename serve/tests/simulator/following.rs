//! A file that is followed: lines come once each, whatever becomes of the file and of the server.

use crate::log::SimLog;
use flow_serve::follow::{Notice, Position, Tail, CHUNK, GRACE};
use proptest::prelude::*;

/// A server that follows a file, and what it made certain.
struct Follower {
    log: SimLog,
    tail: Tail<SimLog>,
    now: i64,
    certain: Position,
    taken: String,
    notices: Vec<Notice>,
}

impl Follower {
    fn new(log: &SimLog) -> Self {
        let tail = Tail::new(log.clone(), Position::default());
        let (certain, taken, notices) = (Position::default(), String::new(), Vec::new());
        Self { log: log.clone(), tail, now: 0, certain, taken, notices }
    }

    /// Looks once; whether there was something.
    fn poll(&mut self) -> bool {
        let notices = &mut self.notices;
        let found = self.tail.poll(self.now, &mut |notice| notices.push(notice)).unwrap();
        let Some(found) = found else { return false };
        self.taken += &String::from_utf8(found.lines).unwrap();
        self.certain = found.at;
        self.tail.taken(found.at);
        true
    }

    /// Looks until nothing more comes, also after a rotation.
    fn all(&mut self) -> String {
        for _ in 0..10 {
            while self.poll() {}
            self.now += GRACE;
        }
        std::mem::take(&mut self.taken)
    }

    /// The process dies and begins again; what was found and not certain is forgotten.
    fn crash(&mut self) {
        let _ = self.tail.poll(self.now, &mut |_| {});
        self.tail = Tail::new(self.log.clone(), self.certain);
    }
}

#[test]
fn half_a_line_is_waited_for() {
    let log = SimLog::default();
    let mut follower = Follower::new(&log);
    assert_eq!(follower.all(), "");
    log.write(b"a\nb");
    assert_eq!(follower.all(), "a\n");
    follower.crash();
    log.write(b"b\n");
    assert_eq!(follower.all(), "bb\n");
    // A line that is too long comes cut, and what stands behind it whole.
    log.write(&vec![b'x'; CHUNK + 10]);
    assert_eq!(follower.all(), "");
    follower.crash();
    log.write(&vec![b'x'; 2 * CHUNK]);
    assert_eq!(follower.all(), "");
    log.write(b"x\nc\n");
    assert_eq!(follower.all(), "x".repeat(CHUNK) + "c\n");
    assert_eq!(follower.notices, []);
}

#[test]
fn what_was_rotated_away_is_taken_to_its_end_first() {
    let log = SimLog::default();
    let mut follower = Follower::new(&log);
    log.write(b"a\n");
    follower.poll();
    log.write(b"b\n");
    log.rotate();
    log.write(b"d\n");
    assert!(follower.poll() && !follower.poll());
    // Whoever writes has not noticed yet.
    follower.now += GRACE - 1;
    log.write_to_the_older(b"c\nhalf");
    assert_eq!(follower.all(), "a\nb\nc\nhalfd\n");
    assert_eq!(follower.notices, [Notice::Rotated]);
}

#[test]
fn a_file_is_found_again_that_was_rotated_while_nobody_looked() {
    for copied in [false, true] {
        let log = SimLog::default();
        let mut follower = Follower::new(&log);
        log.write(b"a\n");
        assert_eq!(follower.all(), "a\n");
        log.write(b"b\n");
        if copied {
            log.copy_and_cut();
        } else {
            log.rotate();
        }
        // Nothing but its number tells a file that was renamed from another one that begins the same.
        let new = if copied { "c\nd\n" } else { "a\nd\n" };
        log.write(new.as_bytes());
        follower.crash();
        assert_eq!(follower.all(), format!("b\n{new}"));
        assert_eq!(follower.notices, [Notice::Rotated]);
    }
}

#[test]
fn a_file_that_is_another_one_is_taken_from_its_beginning_and_that_is_told() {
    let log = SimLog::default();
    let mut follower = Follower::new(&log);
    log.write(b"a\nb\nc\n");
    follower.all();
    // Cut, and written anew beyond where it was.
    log.copy_and_cut();
    log.remove_older();
    log.write(b"d\ne\nf\ng\n");
    assert_eq!(follower.all(), "d\ne\nf\ng\n");
    log.rotate();
    log.remove_older();
    log.write(b"h\n");
    follower.crash();
    assert_eq!(follower.all(), "h\n");
    assert_eq!(follower.notices, [Notice::Lost, Notice::Lost]);
}

#[derive(Clone, Debug)]
enum Deed {
    Write(Vec<u8>),
    Rotate,
    Poll,
    Crash,
    Wait(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let byte = prop_oneof![4 => b'a'..=b'c', 1 => Just(b'\n')];
    prop_oneof![
        4 => prop::collection::vec(byte, 1..12).prop_map(Deed::Write),
        1 => Just(Deed::Rotate),
        4 => Just(Deed::Poll),
        2 => Just(Deed::Crash),
        1 => (0..2 * GRACE).prop_map(Deed::Wait),
    ]
}

proptest! {
    /// At most one rotation between two looks until the end: who rotates twice meanwhile must keep what lies between.
    #[test]
    fn every_byte_comes_once_and_in_order(deeds in prop::collection::vec(deed(), 0..40)) {
        let log = SimLog::default();
        let (mut follower, mut taken, mut wanted) = (Follower::new(&log), String::new(), String::new());
        for deed in deeds {
            match deed {
                Deed::Write(bytes) => {
                    log.write(&bytes);
                    wanted += std::str::from_utf8(&bytes).unwrap();
                }
                Deed::Rotate => {
                    taken += &follower.all();
                    log.rotate();
                }
                Deed::Poll => drop(follower.poll()),
                Deed::Crash => follower.crash(),
                Deed::Wait(millis) => follower.now += millis,
            }
        }
        taken += &follower.all();
        log.write(b"\n");
        taken += &follower.all();
        prop_assert_eq!(taken, wanted + "\n");
        prop_assert!(!follower.notices.contains(&Notice::Lost));
    }
}
