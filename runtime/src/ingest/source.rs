//! Where blocks of records come from.

use super::csv::Rows;
use super::lines::{pieces, Chunk, Chunks};
use super::schema::Schema;
use super::{segment, Block, Record, What};
use rayon::prelude::*;
use std::io::{self, Read};
use std::sync::mpsc::{channel, sync_channel, Receiver, Sender};

/// Gives blocks in the order of arrival.
pub trait Source: Send {
    /// The next blocks; none at the end.
    ///
    /// # Errors
    /// When reading fails.
    fn next_blocks(&mut self, schema: &Schema) -> io::Result<Option<Vec<Block>>>;

    /// Takes back blocks whose records were taken: their memory can be used again.
    fn give_back(&mut self, _used: Vec<Block>) {}
}

/// Calls as lines of JSON. One thread reads, all parse.
pub struct Lines {
    chunks: Receiver<io::Result<Chunk>>,
    /// Buffers go back to be filled again.
    used: Sender<Chunk>,
    blocks: Vec<Block>,
    line: u64,
}

impl Lines {
    /// Lines of `read`, in chunks of about `size` bytes.
    #[must_use]
    pub fn new(read: Box<dyn Read + Send>, size: usize) -> Self {
        // One chunk is worked on while the next one lies ready and a third is read.
        let (sender, chunks) = sync_channel(1);
        let (used, free) = channel();
        std::thread::spawn(move || {
            let mut reader = Chunks::new(read, size);
            while let Some(chunk) = reader.next_chunk(free.try_recv().unwrap_or_default()).transpose() {
                let failed = chunk.is_err();
                if sender.send(chunk).is_err() || failed {
                    return;
                }
            }
        });
        Self { chunks, used, blocks: Vec::new(), line: 0 }
    }
}

impl Source for Lines {
    fn next_blocks(&mut self, schema: &Schema) -> io::Result<Option<Vec<Block>>> {
        /// So many pieces for each thread even out pieces that take longer.
        const PIECES: usize = 4;
        let Ok(chunk) = self.chunks.recv() else { return Ok(None) };
        let chunk = chunk?;
        let pieces = pieces(chunk.bytes(), rayon::current_num_threads() * PIECES);
        let mut free = std::mem::take(&mut self.blocks);
        free.resize_with(pieces.len(), Block::default);
        let work = pieces.into_par_iter().zip(free);
        let mut blocks: Vec<Block> = work.map(|(piece, block)| segment::read_into(block, schema, piece)).collect();
        for block in &mut blocks {
            block.first_line = self.line;
            self.line += block.lines;
        }
        // The one who reads may be done, and want no more.
        let _ = self.used.send(chunk);
        Ok(Some(blocks))
    }

    fn give_back(&mut self, used: Vec<Block>) {
        self.blocks = used;
    }
}

/// Rows of a CSV file.
impl<R: Read + Send> Source for Rows<R> {
    fn next_blocks(&mut self, schema: &Schema) -> io::Result<Option<Vec<Block>>> {
        const ROWS: usize = 8_192;
        Ok(self.next_block(schema, ROWS)?.map(|block| vec![block]))
    }
}

/// All records of another source, by time; those of one time stay in the order of arrival.
pub struct Sorted<S> {
    source: S,
    records: Option<std::vec::IntoIter<(usize, Record)>>,
    blocks: Vec<Block>,
}

impl<S: Source> Sorted<S> {
    /// Sorts what `source` gives.
    pub fn new(source: S) -> Self {
        Self { source, records: None, blocks: Vec::new() }
    }

    fn all(&mut self, schema: &Schema) -> io::Result<Vec<(usize, Record)>> {
        let mut records = Vec::new();
        while let Some(blocks) = self.source.next_blocks(schema)? {
            for mut block in blocks {
                let number = self.blocks.len();
                records.extend(std::mem::take(&mut block.records).into_iter().map(|record| (number, record)));
                self.blocks.push(block);
            }
        }
        // What has no time is told first.
        records.par_sort_by_key(|(_, record)| match record.what {
            What::Dead(_) => i64::MIN,
            _ => record.time,
        });
        Ok(records)
    }
}

impl<S: Source> Source for Sorted<S> {
    fn next_blocks(&mut self, schema: &Schema) -> io::Result<Option<Vec<Block>>> {
        const RECORDS: usize = 8_192;
        if self.records.is_none() {
            self.records = Some(self.all(schema)?.into_iter());
        }
        let mut block = Block::default();
        for (number, record) in self.records.iter_mut().flatten().take(RECORDS) {
            if let Some(from) = self.blocks.get(number) {
                block.adopt(from, record);
            }
        }
        Ok((!block.records.is_empty()).then(|| vec![block]))
    }
}
