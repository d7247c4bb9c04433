//! Every code that a diagnostic can carry, with its title. A code is never reused.
//!
//! `F01` syntax, `F02` names, `F03` types, `F04` journeys, `F05` templates, `F06` tests,
//! `F07` what stands in a checked program but can hardly be meant, `F08` the project's folder.

use crate::compile_codes::COMPILE_CODES;

macro_rules! codes {
    ($table:ident, $doc:literal; $($name:ident = $code:literal, $title:literal;)*) => {
        $(#[doc = $title] pub const $name: &str = $code;)*
        #[doc = $doc]
        pub const $table: &[(&str, &str)] = &[$(($code, $title)),*];
    };
}

codes! {
    RULE_CODES, "The codes of the rules over a checked program.";
    UNREACHABLE_STEP = "F0701", "a step can never be reached";
    ALWAYS_TRUE = "F0702", "a condition is always true";
    ALWAYS_FALSE = "F0703", "a condition is never true";
    AFTER_EXIT = "F0704", "a message waits for what has already ended the journey";
    CAP_BLOCKS_STEP = "F0705", "a cap lets one of the messages never through";
    JOURNEY_LOOP = "F0706", "journeys start each other for ever at one instant";
    TWO_MESSAGES = "F0707", "two journeys send to one person for one event";
    GOAL_NEVER = "F0708", "a goal can never be reached";
}

codes! {
    PROJECT_CODES, "The codes of the project's folder: flow.toml and the names of templates.";
    CONFIG_SYNTAX = "F0801", "flow.toml is not valid TOML";
    CONFIG_UNKNOWN_KEY = "F0802", "flow.toml has no such key";
    CONFIG_TIMEZONE = "F0803", "no time zone has this name";
    CONFIG_TYPE = "F0804", "a value in flow.toml has the wrong type";
    TEMPLATE_FILE_NAME = "F0805", "the name of a template file cannot be understood";
    TEMPLATE_TWICE = "F0806", "two files hold the same template";
}

/// Every code with its title, ascending.
#[must_use]
pub fn all() -> Vec<(&'static str, &'static str)> {
    let mut codes: Vec<_> =
        [flow_grammar::CODES, COMPILE_CODES, RULE_CODES, PROJECT_CODES].into_iter().flatten().copied().collect();
    codes.sort_unstable();
    codes
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_code_stands_twice() {
        let codes = super::all();
        for pair in codes.windows(2) {
            assert_ne!(pair[0].0, pair[1].0);
        }
    }
}
