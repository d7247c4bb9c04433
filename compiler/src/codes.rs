//! Every code that a diagnostic can carry, with its title. A code is never reused.
//!
//! `F01` syntax, `F02` names, `F03` types, `F04` journeys, `F05` templates, `F06` tests,
//! `F07` what stands in a checked program but can hardly be meant, `F08` the project's folder.

use crate::compile_codes::COMPILE_CODES;
use crate::diagnostic::Severity;

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
    REACHES_NOBODY = "F0709", "a message reaches nobody";
    TOO_LATE = "F0710", "the journey has ended before this step";
    NAME_STYLE = "F0711", "a name is not in small letters";
    SENT_AT_ONCE = "F0712", "a loop sends a message several times at one instant";
    NOTHING_LEFT = "F0713", "nothing is left for an else";
    CAP_USED_UP = "F0714", "a cap keeps a message from all who got those before it";
    ALWAYS_QUIET = "F0715", "quiet hours are never over";
}

codes! {
    ALLOW_CODES, "The codes of `# allow` lines.";
    ALLOW_UNCLEAR = "F0731", "an `allow` names no code or gives no reason";
    ALLOW_NOTHING = "F0732", "an `allow` allows nothing";
    ALLOW_ERROR = "F0733", "an error cannot be allowed";
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

codes! {
    TEMPLATE_CODES, "The codes of what a template names and does with it. Those of its writing are the grammar's.";
    TEMPLATE_NAME = "F0820", "nothing in a template has this name";
    TEMPLATE_FIELD = "F0821", "what a template names has no such field";
    TEMPLATE_FILTER = "F0822", "no filter has this name";
    TEMPLATE_ARGUMENTS = "F0823", "the arguments of a filter do not fit";
    TEMPLATE_FILTER_TYPE = "F0824", "a value in a template has another type than is needed";
    TEMPLATE_MISSING = "F0825", "a template shows what may be missing";
    TEMPLATE_COMPARE = "F0826", "a template compares what can never agree";
    TEMPLATE_NO_FILE = "F0827", "there is no such file to render";
    TEMPLATE_FRONT_KEY = "F0828", "the front matter has no such key";
    TEMPLATE_MARKUP = "F0829", "MJML does not allow this";
    TEMPLATE_MARKUP_IGNORED = "F0830", "MJML ignores this";
    SMS_SEGMENTS = "F0831", "a text message takes several segments";
    SMS_UCS2 = "F0832", "a character makes a text message longer than it need be";
    SMS_TOO_LONG = "F0833", "a text message is longer than operators take";
    PUSH_LENGTH = "F0834", "a notification is longer than phones show";
    PUSH_TOO_LARGE = "F0835", "a notification is larger than is taken";
    WHATSAPP_FREE_TEXT = "F0836", "free text by WhatsApp may come too late";
    NO_UNSUBSCRIBE = "F0837", "a mail has no link to unsubscribe";
    NO_SUBJECT = "F0838", "a mail has no subject";
    FRONT_VALUE = "F0839", "a value in the front matter is none of its kind";
}

/// Every code with its title, ascending.
#[must_use]
pub fn all() -> Vec<(&'static str, &'static str)> {
    let mut codes: Vec<_> = [
        flow_grammar::CODES,
        flow_grammar::liquid::LIQUID_CODES,
        COMPILE_CODES,
        RULE_CODES,
        ALLOW_CODES,
        PROJECT_CODES,
        TEMPLATE_CODES,
    ]
    .into_iter()
    .flatten()
    .copied()
    .collect();
    codes.sort_unstable();
    codes
}

/// The codes that are no errors. What they name runs.
const WARNINGS: &[&str] = &[
    UNREACHABLE_STEP,
    ALWAYS_TRUE,
    ALWAYS_FALSE,
    AFTER_EXIT,
    CAP_BLOCKS_STEP,
    TWO_MESSAGES,
    GOAL_NEVER,
    REACHES_NOBODY,
    TOO_LATE,
    NAME_STYLE,
    SENT_AT_ONCE,
    NOTHING_LEFT,
    CAP_USED_UP,
    ALWAYS_QUIET,
    ALLOW_UNCLEAR,
    ALLOW_NOTHING,
    ALLOW_ERROR,
    CONFIG_UNKNOWN_KEY,
    TEMPLATE_FILE_NAME,
];

/// How bad what a code names is.
#[must_use]
pub fn severity(code: &str) -> Severity {
    if code == crate::compile_codes::INFERRED {
        Severity::Note
    } else if WARNINGS.contains(&code) {
        Severity::Warning
    } else {
        Severity::Error
    }
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
