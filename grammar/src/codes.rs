//! The codes of syntax errors. A code is never reused; a new kind of mistake gets a new one.

/// Every code with its title, in order.
pub const CODES: &[(&str, &str)] = &[
    // What is not there, or should not be.
    (EXPECTED, "something is missing"),
    (UNEXPECTED, "something is in the way"),
    (UNKNOWN_STEP, "not a step"),
    (UNKNOWN_ITEM, "not an item"),
    (UNCLOSED_BRACE, "a `{` is not closed"),
    (STRAY_BRACE, "a `}` closes nothing"),
    (UNCLOSED_TEXT, "a text does not end on its line"),
    (UNCLOSED_HOLE, "a `{` in a text is not closed"),
    (BAD_ESCAPE, "an escape that does not exist"),
    (LONE_BRACE, "a `}` in a text without its `{`"),
    (LATE_CLAUSE, "a header clause after a step"),
    (LOOSE_STEPS, "steps outside of a journey"),
    (STRAY_ELSE, "`else` or `then` without its `if`"),
    // Limits.
    (TOO_DEEP, "nested too deeply"),
    (TOO_LONG, "the file is too long"),
    (CHAIN_TOO_LONG, "an expression or a chain of `else if` is too long"),
    // Literals.
    (INTEGER_RANGE, "a whole number that is too large"),
    (NUMBER_DIGITS, "a number with too many digits"),
    (BAD_NUMBER, "not a number"),
    (DURATION_RANGE, "a duration that is too long"),
    (BAD_DATE, "a date that does not exist"),
    (BAD_TIME, "a time that does not exist"),
    (BAD_PERCENT, "a percentage that does not exist"),
    (BAD_COORDINATE, "a place that does not exist"),
    // What a sentence cannot mean.
    (CHAINED_COMPARISON, "comparisons in a row"),
    (NOT_AN_EVENT, "a window on something that is no event"),
    (AGGREGATE, "a count, sum, last or the like that is not over events"),
    (TOGETHER, "`together` with fewer than two blocks"),
    (TWICE, "something said twice"),
    // Habits from other languages.
    (OPERATOR_SPELLING, "an operator from another language"),
    (SINGLE_EQUALS, "`=` where `==` is meant"),
    (ELSE_IF_SPELLING, "`elif` where `else if` is meant"),
    (SEMICOLON, "a semicolon"),
    (QUOTES, "quotes that are not `\"`"),
    (COMMENT_SPELLING, "a comment that begins with `//`"),
    (NULL, "`null`"),
    (EVENT_WIRE_NAME, "an event called by its name on the wire"),
    (CAPITALS, "a keyword in capitals"),
    (DURATION_SPELLING, "a duration spelled in another way"),
    (DURATION_FRACTION, "a fraction of a unit of time"),
    (DURATION_QUOTED, "a duration in quotes"),
    (WAIT_FOR_DURATION, "`wait for` with a duration"),
    (BARE_ATTRIBUTE, "an attribute without `user.`"),
    (ARROW_SPELLING, "an arrow or a colon spelled in another way"),
    (KEY_SPELLING, "a key spelled in another way"),
    (TYPE_SPELLING, "a type from another language"),
    (EXIT_STEP, "`exit` as a step"),
    (DATE_SPELLING, "a date or time spelled in another way"),
    (DOUBLE_BRACES, "`{{ }}` in a text"),
    (WORD_SPELLING, "a word that Flow spells in another way"),
];

macro_rules! codes {
    ($($name:ident = $code:literal;)*) => { $(pub(crate) const $name: &str = $code;)* };
}

codes! {
    EXPECTED = "F0101";
    UNEXPECTED = "F0102";
    UNKNOWN_STEP = "F0103";
    UNKNOWN_ITEM = "F0104";
    UNCLOSED_BRACE = "F0105";
    STRAY_BRACE = "F0106";
    UNCLOSED_TEXT = "F0107";
    UNCLOSED_HOLE = "F0108";
    BAD_ESCAPE = "F0109";
    LONE_BRACE = "F0110";
    LATE_CLAUSE = "F0111";
    LOOSE_STEPS = "F0112";
    STRAY_ELSE = "F0113";
    TOO_DEEP = "F0114";
    TOO_LONG = "F0115";
    CHAIN_TOO_LONG = "F0116";
    INTEGER_RANGE = "F0117";
    NUMBER_DIGITS = "F0118";
    BAD_NUMBER = "F0119";
    DURATION_RANGE = "F0120";
    BAD_DATE = "F0121";
    BAD_TIME = "F0122";
    BAD_PERCENT = "F0123";
    BAD_COORDINATE = "F0124";
    CHAINED_COMPARISON = "F0125";
    NOT_AN_EVENT = "F0126";
    AGGREGATE = "F0127";
    TOGETHER = "F0128";
    TWICE = "F0129";
    OPERATOR_SPELLING = "F0130";
    SINGLE_EQUALS = "F0131";
    ELSE_IF_SPELLING = "F0132";
    SEMICOLON = "F0133";
    QUOTES = "F0134";
    COMMENT_SPELLING = "F0135";
    NULL = "F0136";
    EVENT_WIRE_NAME = "F0137";
    CAPITALS = "F0138";
    DURATION_SPELLING = "F0139";
    DURATION_FRACTION = "F0140";
    DURATION_QUOTED = "F0141";
    WAIT_FOR_DURATION = "F0142";
    BARE_ATTRIBUTE = "F0143";
    ARROW_SPELLING = "F0144";
    KEY_SPELLING = "F0145";
    TYPE_SPELLING = "F0146";
    EXIT_STEP = "F0147";
    DATE_SPELLING = "F0148";
    DOUBLE_BRACES = "F0149";
    WORD_SPELLING = "F0150";
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn codes_are_in_order_and_none_is_used_twice() {
        for (i, (code, _)) in CODES.iter().enumerate() {
            assert_eq!(*code, format!("F01{:02}", i + 1));
        }
    }
}
