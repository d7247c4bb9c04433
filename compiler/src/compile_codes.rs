//! The codes of what names, types, journeys, templates and tests can get wrong. A code is never reused.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $title:literal;)*) => {
        $($(#[$doc])* #[doc = $title] pub const $name: &str = $code;)*
        /// Every code of this part of the compiler, with its title.
        pub const COMPILE_CODES: &[(&str, &str)] = &[$(($code, $title)),*];
    };
}

codes! {
    UNKNOWN_NAME = "F0201", "nothing has this name";
    UNKNOWN_EVENT = "F0202", "no event has this name";
    UNKNOWN_FIELD = "F0203", "the event or record has no such field";
    UNKNOWN_ATTRIBUTE = "F0204", "no user attribute has this name";
    UNKNOWN_CHANNEL = "F0205", "no channel has this name";
    UNKNOWN_JOURNEY = "F0206", "no journey has this name";
    UNKNOWN_TYPE = "F0207", "no type has this name";
    UNKNOWN_API = "F0208", "no api has this name";
    UNKNOWN_FUNCTION = "F0209", "no function has this name";
    DECLARED_TWICE = "F0210", "the name is declared twice";
    AMBIGUOUS_NAME = "F0211", "the name fits two things";
    WRONG_KIND = "F0212", "the name means something else than is needed here";
    INFERRED = "F0213", "what was inferred from use";
    SEGMENT_CYCLE = "F0214", "a segment depends on itself";
    WIRE_NAME_TWICE = "F0215", "two declarations share a name on the wire";
    UNKNOWN_OUTCOME = "F0216", "a message has no such outcome";
    NO_TRIGGER_FIELD = "F0217", "no trigger has this field";

    TYPE_MISMATCH = "F0301", "the value has another type than is needed here";
    MAY_BE_MISSING = "F0302", "the value may be missing where one is needed";
    OUTSIDE_ONE_OF = "F0303", "the text is not one of the values there are";
    NEEDS_WINDOW = "F0304", "an event needs a window where there is no entry";
    CANNOT_FOLLOW = "F0305", "a value that moves with time cannot be followed here";
    WRONG_ARGUMENTS = "F0306", "the arguments do not fit";
    NOT_CONSTANT = "F0307", "a fixed value is needed here";
    BAD_OPERANDS = "F0308", "the operator does not work on these types";
    TEXT_FOR_TIME = "F0309", "a date or time is written without quotes";
    TYPE_CYCLE = "F0310", "a type contains itself";

    SHARES = "F0401", "the shares of a split do not add up to 100%";
    LOOP_WITHOUT_WAIT = "F0402", "a loop without an end never waits";
    WAIT_WITHOUT_BOUND = "F0403", "a wait has no bound and nothing else ends it";
    ENTER_RULES = "F0404", "the parts of `enter` contradict each other";
    CAP_OF_ZERO = "F0405", "a cap of zero lets nothing through";
    QUIET_HOURS_EMPTY = "F0406", "quiet hours begin and end at the same time";
    START_NEEDS_TRIGGER = "F0407", "a started journey reads fields that nobody gives it";
    CLAUSE_TWICE = "F0408", "the clause stands there twice";
    OUT_OF_RANGE = "F0409", "the number is outside its range";
    BOUND_TWICE = "F0410", "the name is already bound";
    FIELD_MISSING = "F0411", "a required field is not given";
    NO_TRIGGER = "F0412", "a journey without a trigger never begins";
    TOO_LARGE = "F0413", "the program is larger than Flow allows";
    NO_BOUND_NEEDED = "F0415", "a wait that always ends takes no bound";
    NO_ANSWER = "F0414", "the api answers nothing that could be bound";

    UNKNOWN_TEMPLATE = "F0501", "there is no such template for the channel";

    TEST_VALUE = "F0601", "a test needs a value that is written out";
    TEST_REASON = "F0602", "a message is not skipped for such a reason";
    TEST_TIME = "F0603", "a test has no such moment";
}
