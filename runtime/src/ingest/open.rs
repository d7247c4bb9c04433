//! Opening what holds inputs: a file or standard input, plain or compressed.

use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// A file to read, with what is known about its length.
pub struct Opened {
    /// What stands in it, decompressed.
    pub read: Box<dyn Read + Send>,
    /// How many bytes it has on disk; none for standard input.
    pub size: Option<u64>,
    /// How many of those have been read.
    pub done: Arc<AtomicU64>,
}

/// Opens a path; `-` is standard input. `.gz` and `.zst` are known by their first bytes, whatever the name.
///
/// # Errors
/// When it cannot be read.
pub fn open(path: &Path) -> io::Result<Opened> {
    let done = Arc::new(AtomicU64::new(0));
    if path.as_os_str() == "-" {
        let counted = Counted { inner: io::stdin(), done: Arc::clone(&done) };
        return Ok(Opened { read: plain(counted)?, size: None, done });
    }
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    let size = meta.is_file().then_some(meta.len());
    let counted = Counted { inner: file, done: Arc::clone(&done) };
    Ok(Opened { read: plain(counted)?, size, done })
}

/// Takes compression away.
///
/// # Errors
/// When the first bytes cannot be read.
pub fn plain(mut read: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::new();
    read.by_ref().take(4).read_to_end(&mut head)?;
    let gzip = head.starts_with(&[0x1f, 0x8b]);
    let zstd = head == [0x28, 0xb5, 0x2f, 0xfd];
    let whole: Chain<Cursor<Vec<u8>>, _> = Cursor::new(head).chain(read);
    Ok(if gzip {
        Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, whole)))
    } else if zstd {
        Box::new(zstd::Decoder::new(whole)?)
    } else {
        Box::new(whole)
    })
}

struct Counted<R> {
    inner: R,
    done: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.done.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: Vec<u8>) -> Vec<u8> {
        let mut all = Vec::new();
        plain(Cursor::new(bytes)).unwrap().read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn knows_compression_by_the_first_bytes() {
        assert_eq!(read(b"{}\n".to_vec()), b"{}\n");
        assert_eq!(read(b"".to_vec()), b"");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"hello").unwrap();
        let mut twice = gzip.finish().unwrap();
        twice.extend(twice.clone());
        assert_eq!(read(twice), b"hellohello");
        assert_eq!(read(zstd::encode_all(&b"hello"[..], 1).unwrap()), b"hello");
    }
}
