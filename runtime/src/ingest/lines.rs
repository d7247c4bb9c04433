//! A log in pieces that end where lines end, so that several threads can read it.

use super::segment::LONGEST_LINE;
use memchr::{memchr, memrchr};
use std::io::{self, Read};

/// Whole lines, in a buffer that can be used again.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Always initialised to its end; only the first `len` bytes count.
    buffer: Vec<u8>,
    len: usize,
}

impl Chunk {
    /// What was read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// The part that nothing has been read into, of at least one byte and up to `size` in all.
    fn room(&mut self, size: usize) -> &mut [u8] {
        let size = size.max(self.len + 1);
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        self.buffer.get_mut(self.len..size).unwrap_or_default()
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.room(self.len + bytes.len());
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.len += bytes.len();
    }
}

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

    /// The next chunk, in the buffer of an old one; none at the end. Of a line that is too long only as much is kept
    /// as shows that it is.
    ///
    /// # Errors
    /// When reading fails.
    pub fn next_chunk(&mut self, mut chunk: Chunk) -> io::Result<Option<Chunk>> {
        chunk.len = 0;
        chunk.push(&std::mem::take(&mut self.rest));
        loop {
            if self.ended {
                return Ok(Some(chunk).filter(|chunk| chunk.len > 0));
            }
            // Without a line's end so far, only what is new can hold one.
            let from = chunk.len;
            self.fill(&mut chunk)?;
            let new = chunk.bytes().get(from..).unwrap_or_default();
            if let Some(end) = memrchr(b'\n', new).map(|place| from + place + 1).filter(|_| !self.ended) {
                self.rest = chunk.bytes().get(end..).unwrap_or_default().to_vec();
                chunk.len = end;
                return Ok(Some(chunk));
            }
            if !self.ended {
                if chunk.len > LONGEST_LINE + 1 {
                    chunk.len = LONGEST_LINE + 1;
                    self.skip_line(&mut chunk)?;
                    return Ok(Some(chunk));
                }
                // A line that is longer than a chunk is read in larger steps.
                self.size = (chunk.len * 2).min(2 * LONGEST_LINE).max(self.size);
            }
        }
    }

    /// Reads until the chunk has its size, or to the end.
    fn fill(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        while chunk.len < self.size {
            match self.read.read(chunk.room(self.size)) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(());
                }
                Ok(count) => chunk.len += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads on to the end of the line; what follows is kept.
    fn skip_line(&mut self, chunk: &mut Chunk) -> io::Result<()> {
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
            if let Some(end) = memchr(b'\n', got) {
                chunk.push(b"\n");
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
        let end = rest.get(size..).and_then(|rest| memchr(b'\n', rest)).map_or(rest.len(), |place| size + place + 1);
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
        let mut used = Chunk::default();
        while let Some(chunk) = chunks.next_chunk(std::mem::take(&mut used)).unwrap() {
            all.push(chunk.bytes().to_vec());
            used = chunk;
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
