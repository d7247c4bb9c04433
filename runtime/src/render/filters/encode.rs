//! Addresses and Base64.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// As a part of an address: a blank is `+`.
pub(super) fn url(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                let digit = |value: u8| HEX.get(usize::from(value)).copied().map_or('0', char::from);
                out.push('%');
                out.push(digit(byte >> 4));
                out.push(digit(byte & 15));
            }
        }
    }
    out
}

/// Back. A `%` that no two digits follow stays; bytes that are no text become the sign for that.
pub(super) fn from_url(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let escaped = || {
            let mut ahead = bytes.clone();
            let (high, low) = (ahead.next().and_then(hex)?, ahead.next().and_then(hex)?);
            Some((high << 4 | low, ahead))
        };
        match byte {
            b'+' => out.push(b' '),
            b'%' => match escaped() {
                Some((value, ahead)) => {
                    out.push(value);
                    bytes = ahead;
                }
                None => out.push(b'%'),
            },
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

/// In Base64, or with `-` and `_` for use in addresses.
pub(super) fn base64(text: &str, url: bool) -> String {
    let mut out = String::with_capacity(text.len() / 3 * 4 + 4);
    for chunk in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            if at > chunk.len() {
                out.push('=');
                continue;
            }
            let index = (bits >> (18 - 6 * at)) & 63;
            out.push(match (DIGITS.get(index as usize).copied(), url) {
                (Some(b'+'), true) => '-',
                (Some(b'/'), true) => '_',
                (digit, _) => digit.map_or('A', char::from),
            });
        }
    }
    out
}

/// Back, from both; none when it is no Base64, or no text.
pub(super) fn from_base64(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 255).ok()?);
        }
    }
    String::from_utf8(out).ok()
}
