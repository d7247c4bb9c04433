//! Parses the files of a project, side by side where there are many. Each file is parsed by itself, so what comes
//! out does not depend on how many threads there are.

use crate::compile::SourceFile;
use flow_grammar::span::FileId;
use flow_grammar::{parse, Parse};
use std::thread;

/// Less text than this is parsed sooner than threads are started.
const WORTH_BYTES: usize = 64 << 10;
/// More threads than this do not pay.
const MAX_THREADS: usize = 8;

/// The trees of all files, in their order.
pub(crate) fn parse_all(files: &[SourceFile]) -> Vec<Parse> {
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(files.len()).min(MAX_THREADS);
    if bytes < WORTH_BYTES || threads < 2 {
        return share(files, 0, 1);
    }
    let shares: Vec<Vec<Parse>> = thread::scope(|scope| {
        let begun: Vec<_> = (1..threads)
            .map(|first| thread::Builder::new().spawn_scoped(scope, move || share(files, first, threads)))
            .collect();
        let own = share(files, 0, threads);
        let others = (1..threads).zip(begun).map(|(first, begun)| {
            // A thread that could not be started, or broke, is made up for here.
            let done = begun.ok().and_then(|begun| begun.join().ok());
            done.unwrap_or_else(|| share(files, first, threads))
        });
        std::iter::once(own).chain(others).collect()
    });
    let mut shares: Vec<_> = shares.into_iter().map(Vec::into_iter).collect();
    (0..files.len()).filter_map(|number| shares.get_mut(number % threads)?.next()).collect()
}

/// Every file from `first` on, `step` apart.
fn share(files: &[SourceFile], first: usize, step: usize) -> Vec<Parse> {
    let numbered = (0..).map(FileId).zip(files).skip(first).step_by(step);
    numbered.map(|(id, file)| parse(id, &file.text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_their_order_and_numbers() {
        let text = "on a wait 2h email \"hi\"\n".repeat(1_000);
        let file = |n: usize| SourceFile { path: format!("{n}.flow"), text: format!("event e{n}\n{text}") };
        let files: Vec<SourceFile> = (0..23).map(file).collect();
        let side_by_side = parse_all(&files);
        assert_eq!(side_by_side.len(), files.len());
        for (number, (parsed, alone)) in side_by_side.iter().zip(share(&files, 0, 1)).enumerate() {
            assert_eq!(parsed.file.id, FileId(u32::try_from(number).unwrap()));
            assert_eq!(*parsed, alone);
        }
    }
}
