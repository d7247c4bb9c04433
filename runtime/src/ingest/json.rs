//! The short way through JSON: texts without escapes, values that are gone past, and nothing that is not certain.
//!
//! Whoever reads with it gives up where it gives none, and takes a longer way (`serde_json`), which knows all that JSON can say.

use crate::vm::text::unescaped;

/// Deeper values are left to the longer way.
const DEEPEST: usize = 32;

/// What of a line has not been read. Every function gives none for what it does not take; then nothing is
/// promised about the place.
#[derive(Clone, Debug)]
pub struct Rest<'a> {
    /// All of it.
    pub text: &'a str,
    /// How much of it was read, in bytes.
    pub at: usize,
}

impl<'a> Rest<'a> {
    /// The next byte.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes past spaces.
    #[inline]
    pub fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The next byte that is no space.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "it goes past bytes, and does not give all of them")]
    pub fn next(&mut self) -> Option<u8> {
        self.space();
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Goes past spaces and this byte.
    #[inline]
    pub fn byte(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    /// What was read since a place.
    #[inline]
    pub fn since(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    /// A text without escapes.
    #[inline]
    pub fn string(&mut self) -> Option<&'a str> {
        self.byte(b'"')?;
        let start = self.at;
        self.at += unescaped(self.text.as_bytes().get(start..)?);
        let text = self.since(start)?;
        (self.peek()? == b'"').then_some(())?;
        self.at += 1;
        Some(text)
    }

    /// A number, as JSON writes one.
    pub fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        self.since(start)
    }

    /// At least one digit.
    #[inline]
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// Goes past this word.
    pub fn literal(&mut self, word: &str) -> Option<()> {
        self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes()).then_some(())?;
        self.at += word.len();
        Some(())
    }

    /// Goes past a value, and gives it as it stands.
    pub fn skip(&mut self, depth: usize) -> Option<&'a str> {
        self.space();
        let start = self.at;
        match self.peek()? {
            b'"' => self.skip_string()?,
            b'-' | b'0'..=b'9' => drop(self.number()?),
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            b'{' if depth < DEEPEST => self.skip_members(b'}', depth)?,
            b'[' if depth < DEEPEST => self.skip_members(b']', depth)?,
            _ => return None,
        }
        self.since(start)
    }

    fn skip_members(&mut self, end: u8, depth: usize) -> Option<()> {
        self.at += 1;
        self.space();
        if self.peek()? == end {
            self.at += 1;
            return Some(());
        }
        loop {
            if end == b'}' {
                self.space();
                self.skip_string()?;
                self.byte(b':')?;
            }
            self.skip(depth + 1)?;
            match self.next()? {
                b',' => {}
                byte if byte == end => return Some(()),
                _ => return None,
            }
        }
    }

    /// A text that nobody looks at. Its escapes must be right all the same.
    fn skip_string(&mut self) -> Option<()> {
        (self.peek()? == b'"').then_some(())?;
        self.at += 1;
        loop {
            self.at += unescaped(self.text.as_bytes().get(self.at..)?);
            let special = self.peek()?;
            self.at += 1;
            match special {
                b'"' => return Some(()),
                b'\\' => {
                    let letter = self.peek()?;
                    self.at += 1;
                    match letter {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
                            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                            self.at += 4;
                        }
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
    }
}
