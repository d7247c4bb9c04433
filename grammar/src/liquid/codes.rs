//! The codes of what can be wrong with the writing of a template. A code is never reused.

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal;)*) => {
        $(#[doc = $title] pub const $name: &str = $code;)*
        /// Every code of a template's syntax, with its title, in order.
        pub const LIQUID_CODES: &[(&str, &str)] = &[$(($code, $title)),*];
    };
}

codes! {
    UNCLOSED_TAG = "F0810", "a `{{` or `{%` is not closed";
    MARKUP = "F0811", "what stands in a tag cannot be understood";
    UNKNOWN_TAG = "F0812", "no tag has this name";
    UNCLOSED_BLOCK = "F0813", "a block of a template is not closed";
    STRAY_TAG = "F0814", "a tag without its block";
    TOO_DEEP = "F0815", "a template is nested too deeply";
    TOO_LONG = "F0816", "a template is too long";
    FRONT_MATTER = "F0817", "a line of the front matter cannot be understood";
    NUMBER_RANGE = "F0818", "a number in a template has too many digits";
}
