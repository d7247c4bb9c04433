//! Frames: checksummed pieces of a file, of which each is whole or is not there.
//!
//! ```text
//! mark "FLWf" | length of the payload, u32 | number, u64 | CRC-32 of length, number and payload, u32 | payload
//! ```
//!
//! All little-endian. The number counts frames, so that a frame that was moved, or left over from an earlier file, is
//! not taken for another. CRC-32 is IEEE 802.3's.

use std::io::{self, Read};

/// What every frame begins with.
const MARK: [u8; 4] = *b"FLWf";
/// The bytes before the payload.
pub const HEAD: usize = 20;
/// A longer payload is no frame of ours.
pub const LONGEST: usize = 1 << 30;

/// Appends a frame with the payload that `write` gives.
pub fn push(out: &mut Vec<u8>, number: u64, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    write(out);
    let length = u32::try_from(out.len() - start - HEAD).unwrap_or(u32::MAX).to_le_bytes();
    let number = number.to_le_bytes();
    let sum = checksum(length, number, out.get(start + HEAD..).unwrap_or_default());
    if let Some(head) = out.get_mut(start..start + HEAD) {
        let parts = MARK.into_iter().chain(length).chain(number).chain(sum.to_le_bytes());
        head.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
    }
}

fn checksum(length: [u8; 4], number: [u8; 8], payload: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&length);
    sum.update(&number);
    sum.update(payload);
    sum.finalize()
}

/// A frame that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its number.
    pub number: u64,
    /// What it holds.
    pub payload: &'a [u8],
    /// How long it is, head and all.
    pub length: usize,
}

/// The frame at the beginning of these bytes, if a whole one stands there.
#[must_use]
pub fn first(bytes: &[u8]) -> Option<Frame<'_>> {
    let (mark, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let size = u32::from_le_bytes(*length) as usize;
    if *mark != MARK || size > LONGEST {
        return None;
    }
    let payload = rest.get(..size)?;
    let whole = checksum(*length, *number, payload) == u32::from_le_bytes(*sum);
    whole.then(|| Frame { number: u64::from_le_bytes(*number), payload, length: HEAD + size })
}

/// What comes next where frames are read from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole frame with this number; its payload was put where the caller said.
    Frame(u64),
    /// Something else.
    Damage,
    /// Nothing.
    End,
}

/// Reads the next frame, and puts its payload into `payload`.
///
/// # Errors
/// When reading fails.
pub fn read(from: &mut impl Read, payload: &mut Vec<u8>) -> io::Result<Next> {
    payload.clear();
    let mut head = Vec::with_capacity(HEAD);
    from.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(Next::End);
    }
    let parts = || {
        let (mark, rest) = head.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        Some((mark, length, number, rest.first_chunk::<4>()?))
    };
    let Some((mark, length, number, sum)) = parts() else { return Ok(Next::Damage) };
    let size = u32::from_le_bytes(*length) as usize;
    if *mark != MARK || size > LONGEST {
        return Ok(Next::Damage);
    }
    from.take(size as u64).read_to_end(payload)?;
    let whole = payload.len() == size && checksum(*length, *number, payload) == u32::from_le_bytes(*sum);
    Ok(if whole { Next::Frame(u64::from_le_bytes(*number)) } else { Next::Damage })
}

/// Whether a whole frame with a number from `least` on stands anywhere in these bytes.
#[must_use]
pub fn any(bytes: &[u8], least: u64) -> bool {
    let marks = bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    marks.filter_map(|(at, _)| first(bytes.get(at..)?)).any(|frame| frame.number >= least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_frame_are_those_of_the_format() {
        let mut out = Vec::new();
        push(&mut out, 7, |out| out.extend_from_slice(b"hello"));
        assert_eq!(&out[..16], b"FLWf\x05\0\0\0\x07\0\0\0\0\0\0\0");
        assert_eq!(first(&out), Some(Frame { number: 7, payload: b"hello", length: 25 }));
        for place in 0..out.len() {
            let mut bent = out.clone();
            bent[place] ^= 0x10;
            assert_eq!(first(&bent), None, "byte {place}");
            assert_eq!(first(&out[..place]), None, "cut at {place}");
            let mut payload = Vec::new();
            assert_eq!(read(&mut &*bent, &mut payload).unwrap(), Next::Damage, "byte {place}");
            let cut = if place == 0 { Next::End } else { Next::Damage };
            assert_eq!(read(&mut &out[..place], &mut payload).unwrap(), cut, "cut at {place}");
        }
        let (mut bytes, mut payload) = (&*out, Vec::new());
        assert_eq!(read(&mut bytes, &mut payload).unwrap(), Next::Frame(7));
        assert_eq!((&*payload, bytes), (&b"hello"[..], &b""[..]));
    }
}
