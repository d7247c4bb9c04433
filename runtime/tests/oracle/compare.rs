//! The engine against the oracle, on generated programs and inputs.

use crate::case::{foretell, Case};
use crate::inputs::{inputs, GRAIN};
use crate::oracle::{Effect, Kind};
use crate::programs::program;
use crate::project::Project;
use crate::random::Random;
use crate::tree::{print, smaller, Node};
use crate::{conformance, engine};
use flow_runtime::calendar;
use flow_runtime::vm::Evaluation;
use std::collections::BTreeMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// How many cases a usual run looks at.
const CASES: u64 = 300;

/// What became of a comparison.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Same(usize),
    /// The compiler does not take the program.
    Rejected(Vec<String>),
    /// A chain of causes is too long to be told.
    Cut,
    Differs(String),
}

struct Sample {
    program: Vec<Node>,
    timezone: String,
    inputs: Vec<String>,
    until: i64,
}

impl Sample {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let program = program(&mut random);
        let (timezone, inputs, until) = inputs(&mut random);
        Self { program, timezone, inputs, until }
    }

    fn case(&self) -> Case {
        Case {
            sources: vec![("case.flow".into(), print(&self.program))],
            timezone: self.timezone.clone(),
            inputs: self.inputs.clone(),
            until: Some(self.until),
        }
    }
}

fn compare(case: &Case, grain: Option<i64>) -> Outcome {
    let compiled = match catch_unwind(|| engine::program(case)) {
        Ok(Ok(program)) => program,
        Ok(Err(errors)) => return Outcome::Rejected(errors),
        Err(_) => return Outcome::Differs("the compiler panics".into()),
    };
    let project = match Project::read(&case.sources, &case.timezone) {
        Ok(project) => project,
        Err(error) => return Outcome::Differs(error),
    };
    if let Err(error) = flow_compiler::verify::verify(&compiled) {
        return Outcome::Differs(format!("the program is not sound: {error}"));
    }
    let told = match catch_unwind(AssertUnwindSafe(|| foretell(&project, case, grain))) {
        Ok(Some(told)) => told,
        Ok(None) => return Outcome::Cut,
        Err(_) => return Outcome::Differs("the oracle panics".into()),
    };
    let told = by_person(told);
    for how in [Evaluation::Interpret, Evaluation::Jit] {
        let program = compiled.clone();
        let Ok(done) = catch_unwind(AssertUnwindSafe(|| engine::run(&project, program, case, how))) else {
            return Outcome::Differs(format!("the engine panics ({how:?})"));
        };
        let done = by_person(done);
        if told != done {
            return Outcome::Differs(format!("({how:?})\n{}", timeline(&told, &done)));
        }
    }
    Outcome::Same(told.values().map(|(all, _)| all.len()).sum())
}

/// Everything in order of time, and the messages as they came.
type Story = (Vec<String>, Vec<String>);

fn by_person(effects: Vec<Effect>) -> BTreeMap<String, Story> {
    let mut people: BTreeMap<String, Story> = BTreeMap::new();
    for effect in effects {
        let line = format!("{} {} {:?}", calendar::instant_text(effect.time), effect.journey, effect.kind);
        let (all, messages) = people.entry(effect.user).or_default();
        if matches!(effect.kind, Kind::Message { .. }) && env::var_os("FLOW_ORACLE_UNORDERED").is_none() {
            messages.push(line.clone());
        }
        all.push(line);
    }
    for (all, _) in people.values_mut() {
        all.sort();
        // Whether a message by two channels that was held back is told once or twice, nobody has said.
        all.dedup_by(|a, b| a == b && a.contains("Skipped(\"holdout\")"));
    }
    people
}

fn timeline(told: &BTreeMap<String, Story>, done: &BTreeMap<String, Story>) -> String {
    let mut out = String::new();
    let none = Story::default();
    for id in told.keys().chain(done.keys().filter(|id| !told.contains_key(*id))) {
        let (told, done) = (told.get(id).unwrap_or(&none), done.get(id).unwrap_or(&none));
        let (a, b) = if told.0 == done.0 { (&told.1, &done.1) } else { (&told.0, &done.0) };
        if a == b {
            continue;
        }
        out.push_str(&format!("{id}: + only the oracle, - only the engine\n"));
        let (mut i, mut j, mut lines) = (0, 0, Vec::new());
        while i < a.len() || j < b.len() {
            match (a.get(i), b.get(j)) {
                (Some(x), Some(y)) if x == y => {
                    lines.push(format!("    {x}\n"));
                    i += 1;
                    j += 1;
                }
                (Some(x), y) if y.is_none_or(|y| !b[j..].contains(x) || (a[i..].contains(y) && x < y)) => {
                    lines.push(format!("  + {x}\n"));
                    i += 1;
                }
                (_, Some(y)) => {
                    lines.push(format!("  - {y}\n"));
                    j += 1;
                }
                _ => break,
            }
        }
        // The beginning of the trouble is enough.
        let first = lines.iter().position(|line| !line.starts_with("    ")).unwrap_or(0);
        lines.iter().skip(first.saturating_sub(8)).take(24).for_each(|line| out.push_str(line));
    }
    out
}

/// Leaves out whatever can be left out while the two still differ.
fn shrink(sample: &mut Sample) {
    let differs = |sample: &Sample| matches!(compare(&sample.case(), Some(GRAIN)), Outcome::Differs(_));
    loop {
        let mut changed = false;
        let mut index = 0;
        while index < sample.inputs.len() {
            let line = sample.inputs.remove(index);
            if differs(sample) {
                changed = true;
            } else {
                sample.inputs.insert(index, line);
                index += 1;
            }
        }
        'again: loop {
            for program in smaller(&sample.program) {
                let before = std::mem::replace(&mut sample.program, program);
                if differs(sample) {
                    changed = true;
                    continue 'again;
                }
                sample.program = before;
            }
            break;
        }
        if !changed {
            return;
        }
    }
}

fn show(seed: u64, sample: &Sample, difference: &str) -> String {
    let case = sample.case();
    format!("seed {seed}, zone {}\n{}\n{}\n{difference}", case.timezone, case.sources[0].1, case.inputs.join("\n"),)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|v| v.parse().expect("a number"))
}

#[test]
fn the_engine_does_what_the_oracle_says() {
    let one = number("FLOW_ORACLE_SEED");
    let (first, cases) =
        (one.or(number("FLOW_ORACLE_FIRST")).unwrap_or(1), number("FLOW_ORACLE_CASES").unwrap_or(CASES));
    let cases = if one.is_some() { 1 } else { cases };
    let most = number("FLOW_ORACLE_MOST").unwrap_or(5) as usize;
    let (mut rejected, mut cut, mut told, mut silent, mut wrong) = (0, 0, 0, 0, Vec::new());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    // Differences that are known already, each by words that its smallest case has: `word&word;word`.
    let known = env::var("FLOW_ORACLE_KNOWN").unwrap_or_default();
    let known: Vec<Vec<&str>> = known.split(';').filter(|k| !k.is_empty()).map(|k| k.split('&').collect()).collect();
    let (mut skipped, mut looked) = (0, cases);
    for seed in first..first + cases {
        let mut sample = Sample::new(seed);
        match compare(&sample.case(), Some(GRAIN)) {
            Outcome::Same(0) => silent += 1,
            Outcome::Same(effects) => told += effects,
            Outcome::Cut => cut += 1,
            Outcome::Rejected(errors) => {
                rejected += 1;
                *reasons.entry(errors.into_iter().next().unwrap_or_default()).or_default() += 1;
            }
            Outcome::Differs(_) => {
                if number("FLOW_ORACLE_SHRINK") != Some(0) {
                    shrink(&mut sample);
                }
                let Outcome::Differs(difference) = compare(&sample.case(), Some(GRAIN)) else {
                    unreachable!("it differed")
                };
                let shown = show(seed, &sample, &difference);
                if known.iter().any(|words| words.iter().all(|word| shown.contains(word))) {
                    skipped += 1;
                    continue;
                }
                wrong.push(shown);
                looked = seed + 1 - first;
                if wrong.len() >= most {
                    break;
                }
            }
        }
    }
    let cases = if wrong.len() >= most { looked } else { cases };
    println!("{cases} cases: {rejected} rejected, {cut} cut, {silent} without effects, {told} effects the same, {skipped} known");
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    for (reason, times) in reasons.iter().take(12) {
        println!("  rejected {times} times: {reason}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(one.is_some() || (rejected + cut) * 2 <= cases, "too few programs are taken");
}

#[test]
fn the_engine_does_what_the_oracle_says_on_conformance_cases() {
    let mut wrong = Vec::new();
    for folder in conformance::folders() {
        let case = conformance::read(&folder);
        match compare(&case, None) {
            Outcome::Same(_) => {}
            other => wrong.push(format!(
                "{}: {}",
                folder.display(),
                match other {
                    Outcome::Differs(text) => text,
                    other => format!("{other:?}"),
                }
            )),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases that were wrong once: `NAME.flow` with `NAME.jsonl`, whose first line may be `{"timezone": …}`.
/// `FLOW_ORACLE_FOLDER` looks at another folder of such cases.
#[test]
fn what_was_wrong_once_stays_right() {
    let folder = env::var_os("FLOW_ORACLE_FOLDER")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/regressions"), PathBuf::from);
    let mut wrong = Vec::new();
    let mut paths: Vec<_> =
        fs::read_dir(folder).map_or_else(|_| Vec::new(), |e| e.map(|e| e.expect("an entry").path()).collect());
    paths.sort();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "flow")) {
        let source = fs::read_to_string(path).expect("a program");
        let lines = fs::read_to_string(path.with_extension("jsonl")).expect("its inputs");
        let mut inputs: Vec<String> = lines.lines().filter(|l| !l.trim().is_empty()).map(str::to_owned).collect();
        let head: serde_json::Value = serde_json::from_str(&inputs[0]).expect("JSON");
        let timezone = head.get("timezone").and_then(|v| v.as_str()).map(str::to_owned);
        if timezone.is_some() {
            inputs.remove(0);
        }
        let mut case = Case {
            sources: vec![("case.flow".into(), source)],
            timezone: timezone.unwrap_or_else(|| "UTC".into()),
            inputs,
            until: None,
        };
        let project = Project::read(&case.sources, &case.timezone).expect("a program");
        let read = crate::case::lines(&project, &case);
        case.until = Some(crate::case::last(&read) + 10 * calendar::DAY);
        match compare(&case, Some(GRAIN)) {
            Outcome::Same(_) => {}
            other => wrong.push(format!(
                "{}: {}",
                path.display(),
                match other {
                    Outcome::Differs(text) => text,
                    other => format!("{other:?}"),
                }
            )),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
