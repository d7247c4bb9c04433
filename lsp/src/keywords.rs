//! The words of the language, for colours and completion. A test holds them against the grammar.

/// Every keyword of the grammar (its `kw_…` rules and word lists), in alphabetical order.
pub const KEYWORDS: &[&str] = &[
    "add", "after", "always", "and", "api", "as", "at", "because", "best", "between", "body", "call", "can", "change",
    "channel", "circle", "consent", "contains", "date", "delete", "else", "emit", "end", "ended", "ends", "enter",
    "env", "event", "ever", "every", "everyone", "exit", "expect", "fails", "false", "fence", "fetch", "for", "from",
    "get", "given", "goal", "header", "holdout", "hour", "hours", "if", "in", "is", "journey", "known", "last",
    "leave", "list", "match", "missing", "most", "moved", "no", "not", "nothing", "now", "of", "on", "once", "one",
    "or", "patch", "per", "policy", "post", "put", "quiet", "radius", "remove", "repeat", "require", "restart",
    "segment", "send", "set", "since", "skipped", "split", "start", "starts", "test", "then", "times", "timeout", "to",
    "today", "together", "topic", "true", "type", "until", "up", "user", "via", "wait", "when", "where", "with",
    "within", "without", "yearly",
];

/// The types that need no declaration.
pub const TYPES: &[&str] =
    &["bool", "date", "datetime", "duration", "email", "int", "number", "phone", "text", "time", "timezone", "url"];

/// Names of days, and of several together.
pub const DAYS: &[&str] =
    &["day", "friday", "monday", "saturday", "sunday", "thursday", "tuesday", "wednesday", "weekdays", "weekends"];

/// Names that the grammar keeps for itself.
pub const RESERVED: &[&str] = &[
    "and",
    "between",
    "contains",
    "else",
    "end",
    "false",
    "friday",
    "if",
    "in",
    "is",
    "match",
    "missing",
    "monday",
    "not",
    "now",
    "on",
    "or",
    "repeat",
    "saturday",
    "split",
    "sunday",
    "then",
    "thursday",
    "today",
    "together",
    "true",
    "tuesday",
    "until",
    "wait",
    "wednesday",
    "where",
    "within",
    "without",
];

/// What became of a message.
pub const OUTCOMES: &[&str] = &["bounced", "clicked", "complained", "delivered", "opened", "replied", "unsubscribed"];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The words in quotes of a rule.
    fn rule(grammar: &str, name: &str) -> BTreeSet<String> {
        let from = grammar.find(&format!("\n{name} ")).unwrap_or_else(|| panic!("no rule {name}"));
        let body = &grammar[from + 1..];
        let body = &body[..body.find("\n}").unwrap_or(usize::MAX).min(body.find("}\n").unwrap() + 1)];
        body.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_words_are_those_of_the_grammar() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../grammar/src/flow.pest");
        let grammar = std::fs::read_to_string(path).unwrap();
        let mut words: BTreeSet<String> = BTreeSet::new();
        for line in grammar.lines().filter(|line| line.starts_with("kw_")) {
            words.insert(line.split('"').nth(1).unwrap().to_owned());
        }
        words.extend(rule(&grammar, "http_method"));
        let known: BTreeSet<String> = KEYWORDS.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(words, known);
        let days: BTreeSet<String> = DAYS.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(rule(&grammar, "day_word"), days);
        let reserved: BTreeSet<String> = RESERVED.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(rule(&grammar, "reserved_word"), reserved);
    }
}
