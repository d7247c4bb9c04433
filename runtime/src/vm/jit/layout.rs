//! Where the parts of a [`Value`] stand in memory.
//!
//! `Value` is `repr(C, u8)`: a byte that says which kind it is, and at [`PAYLOAD`] what it holds. `rust_decimal` is built with
//! `c-repr`, so that the parts of a decimal have their places too. Where an `Arc<str>` has its pointer and its length nobody
//! promises; it is the same for all of them, so that it is looked up once in some examples. If any of this is not as
//! expected, there is no native code on this machine, and everything is interpreted.

use super::super::value::Value;
use rust_decimal::Decimal;
use std::sync::LazyLock;

/// Bytes from one value of a list to the next.
pub const SIZE: i32 = 24;
/// Where a value holds what it holds.
pub const PAYLOAD: i32 = 8;
/// Where a decimal has its sign (bit 31), its scale (bits 16 to 20) and the upper third of its digits (bits 32 to 63).
pub const DECIMAL_FLAGS: i32 = PAYLOAD;
/// Where it has the lower two thirds of its digits.
pub const DECIMAL_DIGITS: i32 = PAYLOAD + 8;

/// What is looked up once.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Where a text has its pointer.
    pub text_pointer: i32,
    /// Where it has its length, in bytes.
    pub text_length: i32,
    /// How far the bytes of a text are from where its pointer leads.
    pub text_start: i32,
}

/// The layout, if native code can rely on it.
pub fn layout() -> Option<Layout> {
    static FOUND: LazyLock<Option<Layout>> = LazyLock::new(find);
    *FOUND
}

/// The byte that says which kind a value is.
pub fn tag(value: &Value) -> u8 {
    // SAFETY: an enum that is `repr(C, u8)` begins with its discriminant, a `u8`.
    unsafe { *std::ptr::from_ref(value).cast::<u8>() }
}

fn find() -> Option<Layout> {
    if size_of::<Value>() != SIZE as usize || align_of::<Value>() != 8 || size_of::<usize>() != 8 {
        return None;
    }
    let decimal = Value::Number(Decimal::from_parts(1, 2, 3, true, 4));
    if words(&decimal)? != [3 << 32 | 1 << 31 | 4 << 16, 2 << 32 | 1] {
        return None;
    }
    let examples = ["", "a", "Italia", "a text that is longer than all that an enum could hold in place"];
    let mut found = None;
    for example in examples {
        let value = Value::text(example);
        let Value::Text(text) = &value else { return None };
        let [first, second] = words(&value)?;
        let (length, address) = (example.len() as u64, text.as_ptr() as u64);
        // An address is never as small as these lengths.
        let (text_pointer, text_length, pointer) = match (first == length, second == length) {
            (false, true) => (PAYLOAD, PAYLOAD + 8, first),
            (true, false) => (PAYLOAD + 8, PAYLOAD, second),
            _ => return None,
        };
        let text_start = i32::try_from(address.checked_sub(pointer)?).ok()?;
        let this = (text_pointer, text_length, text_start);
        if *found.get_or_insert(this) != this {
            return None;
        }
    }
    let (text_pointer, text_length, text_start) = found?;
    Some(Layout { text_pointer, text_length, text_start })
}

/// The sixteen bytes that a number or a text holds.
fn words(value: &Value) -> Option<[u64; 2]> {
    if !matches!(value, Value::Number(_) | Value::Text(_)) {
        return None;
    }
    let start = std::ptr::from_ref(value).cast::<u8>();
    // SAFETY: a value has `SIZE` bytes, as was checked, and both kinds have no gaps in theirs.
    Some(unsafe { start.add(PAYLOAD as usize).cast::<[u64; 2]>().read_unaligned() })
}
