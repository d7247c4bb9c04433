//! What a `missing_…` rule of the grammar asks for, in human words.

use crate::parser::Rule;

/// What was expected at a place.
pub(crate) struct Expected {
    /// Fits into "expected …".
    pub words: &'static str,
    /// The text that puts it right, where there is only one.
    pub insert: Option<&'static str>,
}

/// The words for a `missing_…` rule; `None` for every other rule.
pub(crate) fn expected(rule: Rule) -> Option<Expected> {
    let words = |words| Some(Expected { words, insert: None });
    let exactly = |words, insert| Some(Expected { words, insert: Some(insert) });
    match rule {
        Rule::missing_answer => words("`= ANSWER` or `fails`"),
        Rule::missing_arguments => exactly("`(` and the arguments", "()"),
        Rule::missing_arrow => exactly("`->`", " ->"),
        Rule::missing_at => exactly("`at` and a time of day", " at"),
        Rule::missing_at_time => words("`at` and a time of day, like `at 09:00`"),
        Rule::missing_attribute => words("an attribute, like `user.email`"),
        Rule::missing_block => words("`{`"),
        Rule::missing_bracket => exactly("`]`", "]"),
        Rule::missing_call => words("the name of an api and its arguments, like `recommendations(user.id)`"),
        Rule::missing_circle => words("`circle LATITUDE, LONGITUDE radius DISTANCE`"),
        Rule::missing_close => exactly("`}`", " }"),
        Rule::missing_colon => exactly("`:`", ":"),
        Rule::missing_comma => exactly("`,`", ","),
        Rule::missing_consent => exactly("`consent`", " consent"),
        Rule::missing_content => words("a template or a text in quotes"),
        Rule::missing_days => words("a day, like `monday`, `weekdays` or `day`"),
        Rule::missing_distance => words("a distance, like `500m` or `1.5km`"),
        Rule::missing_duration => words("a duration, like `30d`"),
        Rule::missing_enter => words("`once`, `once per 14d`, `per FIELD`, `restart` or `always`"),
        Rule::missing_equals => exactly("`=`", " ="),
        Rule::missing_event => words("the name of an event"),
        Rule::missing_everyone => exactly("`everyone`", " everyone"),
        Rule::missing_exit => words("`on EVENT`, `when CONDITION` or `after DURATION`"),
        Rule::missing_field_type => words("`:` and a type, like `: text`"),
        Rule::missing_fields => words("`{` and the fields"),
        Rule::missing_for => exactly("`for`", " for"),
        Rule::missing_header => words("a text in quotes or `env NAME`"),
        Rule::missing_hours => exactly("`hours`", " hours"),
        Rule::missing_in => exactly("`in` and the values", " in"),
        Rule::missing_integer => words("a whole number"),
        Rule::missing_is => words("`missing` or `known`"),
        Rule::missing_messages => words("`messages` or the name of a channel"),
        Rule::missing_length => words("how long to wait, like `2h`, or `until` or `for` something"),
        Rule::missing_most => exactly("`most`", " most"),
        Rule::missing_name => words("a name"),
        Rule::missing_number => words("a number"),
        Rule::missing_of => exactly("`of`", " of"),
        Rule::missing_operand | Rule::missing_value => words("a value"),
        Rule::missing_params => words("`(` and the parameters"),
        Rule::missing_paren => exactly("`)`", ")"),
        Rule::missing_per => exactly("`per` and a duration", " per"),
        Rule::missing_percent => words("a percentage, like `5%`"),
        Rule::missing_radius => exactly("`radius` and a distance", " radius"),
        Rule::missing_record => words("`{` and values, like `{ key: value }`"),
        Rule::missing_repeat => words("`every DURATION` or `N times`"),
        Rule::missing_set_op => words("`=`, `+=` or `-=`"),
        Rule::missing_step => words("a step"),
        Rule::missing_string => words("a text in quotes"),
        Rule::missing_then => exactly("`then`", " then"),
        Rule::missing_times => exactly("`times`", " times"),
        Rule::missing_to => exactly("`to`", " to"),
        Rule::missing_trigger => words("a trigger, like `cart_added` or `enter SEGMENT`"),
        Rule::missing_type => words("a type, like `text` or `number?`"),
        Rule::missing_via => exactly("`via` and channels", " via"),
        Rule::missing_within => exactly("`within` and a duration", " within"),
        _ => None,
    }
}

/// Whether the text that puts a missing thing right is certain to do so, by what follows on the line.
pub(crate) fn fits(rule: Rule, rest: &str) -> bool {
    let Some(next) = rest.chars().next() else {
        return matches!(
            rule,
            Rule::missing_arguments | Rule::missing_bracket | Rule::missing_everyone | Rule::missing_paren
        );
    };
    let word = next == '_' || unicode_ident::is_xid_start(next);
    let digit = next.is_ascii_digit();
    match rule {
        Rule::missing_then | Rule::missing_arrow => word || next == '{',
        Rule::missing_at | Rule::missing_hours | Rule::missing_most | Rule::missing_per => digit,
        Rule::missing_radius | Rule::missing_within => digit,
        Rule::missing_comma => digit || next == '-',
        Rule::missing_times => next == '{',
        Rule::missing_to => word || digit,
        Rule::missing_consent | Rule::missing_for | Rule::missing_of => word,
        Rule::missing_via => word && !["to ", "with ", "as ", "topic "].iter().any(|word| rest.starts_with(word)),
        Rule::missing_everyone => next == '}',
        Rule::missing_equals => word || digit || next == '"' || next == '-' || next == '[',
        Rule::missing_colon => word || digit || matches!(next, '"' | '-' | '[' | '{'),
        Rule::missing_in => digit || matches!(next, '"' | '['),
        Rule::missing_arguments => word || next == '}',
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_rule_has_words_and_no_other_has() {
        for rule in Rule::all_rules() {
            let name = format!("{rule:?}");
            assert_eq!(name.starts_with("missing_"), expected(*rule).is_some(), "{name}");
        }
    }
}
