//! A log in pieces that end where lines end, so that several threads can read it.

use super::segment::LONGEST_LINE;
use std::io::{self, Read};

/// Cuts what it reads into chunks of whole lines.
pub struct Chunks<R> {
    read: R,
    size: usize,
    /// The beginning of a line whose end has not been read.
    rest: Vec<u8>,
    ended: bool,
}

impl<R: Read> Chunks<R> {
    /// Chunks of about `size` bytes.
    pub fn new(read: R, size: usize) -> Self {
        Self { read, size: size.max(1), rest: Vec::new(), ended: false }
    }

    /// The next chunk; none at the end. Of a line that is too long only as much is kept as shows that it is.
    ///
    /// # Errors
    /// When reading fails.
    pub fn next_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut chunk = std::mem::take(&mut self.rest);
        let mut from = 0;
        loop {
            if self.ended {
                return Ok(Some(chunk).filter(|chunk| !chunk.is_empty()));
            }
            let before = chunk.len();
            let wanted = self.size.saturating_sub(before).max(1);
            let got = self.read.by_ref().take(wanted as u64).read_to_end(&mut chunk)?;
            self.ended = got == 0;
            // Without a line's end so far, only what is new can hold one.
            let last = chunk.iter().skip(from).rposition(|byte| *byte == b'\n').map(|place| from + place + 1);
            if let Some(end) = last.filter(|_| !self.ended) {
                self.rest = chunk.split_off(end);
                return Ok(Some(chunk));
            }
            if !self.ended {
                from = chunk.len();
                if chunk.len() > LONGEST_LINE + 1 {
                    chunk.truncate(LONGEST_LINE + 1);
                    self.skip_line(&mut chunk)?;
                    return Ok(Some(chunk));
                }
                if chunk.len() >= self.size {
                    self.size_up(&chunk);
                }
            }
        }
    }

    /// A line that is longer than a chunk is read in larger steps.
    fn size_up(&mut self, chunk: &[u8]) {
        self.size = (chunk.len() * 2).min(2 * LONGEST_LINE).max(self.size);
    }

    /// Reads on to the end of the line; what follows is kept.
    fn skip_line(&mut self, chunk: &mut Vec<u8>) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = match self.read.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let got = buffer.get(..count).unwrap_or_default();
            if count == 0 {
                self.ended = true;
                return Ok(());
            }
            if let Some(end) = got.iter().position(|byte| *byte == b'\n') {
                chunk.push(b'\n');
                self.rest = got.get(end + 1..).unwrap_or_default().to_vec();
                return Ok(());
            }
        }
    }
}

/// Splits a chunk into about `count` pieces of whole lines, in order.
#[must_use]
pub fn pieces(chunk: &[u8], count: usize) -> Vec<&[u8]> {
    /// Smaller pieces are not worth a task of their own.
    const LEAST: usize = 16 << 10;
    let size = (chunk.len() / count.max(1)).max(LEAST);
    let mut pieces = Vec::new();
    let mut rest = chunk;
    while rest.len() > size {
        let end = rest.iter().skip(size).position(|byte| *byte == b'\n').map_or(rest.len(), |place| size + place + 1);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8], size: usize) -> Vec<Vec<u8>> {
        let mut chunks = Chunks::new(text, size);
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next_chunk().unwrap() {
            all.push(chunk);
        }
        all
    }

    #[test]
    fn chunks_are_whole_lines_whatever_their_size() {
        let text = b"one\ntwo two\n\nthree\nand the last has no end";
        for size in 1..60 {
            let chunks = all(text, size);
            assert_eq!(chunks.concat(), text);
            for chunk in chunks.iter().take(chunks.len() - 1) {
                assert_eq!(chunk.last(), Some(&b'\n'), "{size}");
            }
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        let mut text = vec![b'x'; 3 * LONGEST_LINE];
        text.extend_from_slice(b"\nnext\n");
        for size in [1 << 10, LONGEST_LINE, 10 * LONGEST_LINE] {
            let chunks = all(&text, size).concat();
            let lines: Vec<&[u8]> = chunks.split(|byte| *byte == b'\n').collect();
            assert!(lines.first().unwrap().len() > LONGEST_LINE);
            assert_eq!(lines.get(1), Some(&&b"next"[..]));
        }
    }

    #[test]
    fn pieces_keep_everything_in_order() {
        let text: Vec<u8> = (0..20_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let parts = pieces(&text, 4);
        assert!(parts.len() >= 4);
        assert_eq!(parts.concat(), text);
        assert!(parts.iter().all(|part| part.ends_with(b"\n")));
    }
}
