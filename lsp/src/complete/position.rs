//! Which of the suggestions fit a place.

use super::{List, What};
use crate::functions::FUNCTIONS;
use crate::index::values;
use crate::keywords::{DAYS, OUTCOMES, TYPES};
use flow_compiler::symbols::Symbol;
use flow_grammar::ast::{Item, TypeExpr, TypeKind};

impl List<'_> {
    pub(super) fn fill(&mut self) {
        if self.cursor.in_text.is_some() {
            return self.text_values();
        }
        let last = self.cursor.back(0);
        if last == "." {
            return self.members();
        }
        if self.after_word(last) || self.in_bracket() {
            return;
        }
        if self.compared() {
            return;
        }
        if self.begins_statement(last) {
            return self.statement();
        }
        if !self.follows(last) {
            self.value();
        }
        self.statement_words();
    }

    /// `user.`, `trigger.`, `email.`, `last(purchased).`
    fn members(&mut self) {
        match self.cursor.back(1) {
            "user" => self.attributes(),
            "trigger" => {
                for event in self.trigger_events() {
                    self.fields(&event, true);
                }
            }
            "entry" => self.push("time", What::Field, "datetime"),
            ")" => {
                let words = self.cursor.words();
                let event = words.iter().rev().take(12).find(|word| self.is_event(word)).map(|word| (*word).to_owned());
                if let Some(event) = event {
                    self.fields(&event, true);
                    self.push("time", What::Field, "datetime");
                }
            }
            word if self.is_channel(word) => self.outcomes(),
            word => match self.type_of_local(word) {
                Some(ty) => {
                    self.fields(&ty, false);
                    self.push("first", What::Field, "of a list");
                }
                None => self.outcomes(),
            },
        }
    }

    fn outcomes(&mut self) {
        for outcome in OUTCOMES {
            self.push(outcome, What::Value, "what became of the message");
        }
    }

    /// The record type of what a `fetch` bound, or of an attribute.
    fn type_of_local(&self, word: &str) -> Option<String> {
        let words = self.cursor.words();
        let fetch = words.windows(4).rev().find_map(|w| match w {
            ["fetch", name, "=", api] if *name == word => Some((*api).to_owned()),
            _ => None,
        })?;
        for file in &self.world.compiled.files {
            for item in &file.items {
                if let Item::Api(decl) = item {
                    if decl.name.text == fetch {
                        return record_of(decl.answer.as_ref()?);
                    }
                }
            }
        }
        None
    }

    /// Behind a word that says what must follow.
    fn after_word(&mut self, last: &str) -> bool {
        let before = self.cursor.back(1);
        match last {
            "on" if before == "exit" => self.events_and_outcomes(),
            "on" if self.cursor.item().first() == Some(&"policy") => self.channels(),
            "on" if before.contains(':') => self.keywords(DAYS),
            "on" => {
                self.events();
                self.keywords(&["enter", "leave", "change", "date", "every", "list"]);
            }
            "for" if before == "wait" => {
                self.events_and_outcomes();
                self.snippet("best hour", "best hour of ${1:email} within ${2:1d}", "when this person opens most");
            }
            "for" if before.starts_with('"') && self.cursor.item().is_empty() => self.journeys(),
            "for" if self.cursor.item().first() == Some(&"policy") => self.keywords(&["everyone"]),
            "goal" | "without" => self.events_and_outcomes(),
            "emit" => self.events(),
            "enter" if before == "on" => self.segments(),
            "leave" => self.segments(),
            "enter" => self.keywords(&["once", "per", "restart", "always"]),
            "per" if matches!(before, "enter" | "once" | "restart") => {
                for event in self.trigger_events() {
                    self.fields(&event, true);
                }
            }
            "every" if before != "repeat" => self.keywords(DAYS),
            "can" | "via" => self.channels(),
            "or" | "and" if self.cursor.back_to(|word| word == "via").is_some_and(|words| words.len() < 8) => {
                self.channels();
            }
            "send" => self.templates(None),
            "start" => self.journeys(),
            "call" | "given" => self.apis(),
            "=" if self.cursor.back(2) == "fetch" => self.apis(),
            "topic" => {
                self.all(What::Topic, |symbol| matches!(symbol, Symbol::Topic(_)));
                self.push("transactional", What::Topic, "needs no consent, ignores caps and quiet hours");
            }
            "to" if before == "add" => self.audiences(),
            "from" if before == "remove" => self.audiences(),
            "set" | "change" => self.push("user.", What::Keyword, "an attribute"),
            "to" if self.cursor.back(2) == "channel" => self.push("user.", What::Keyword, "an attribute"),
            "exit" => self.keywords(&["on", "when", "after"]),
            "wait" => self.keywords(&["until", "for", "within"]),
            "is" => self.keywords(&["missing", "known"]),
            "up" => self.keywords(&["to"]),
            "repeat" => self.keywords(&["every"]),
            "expect" => {
                self.keywords(&["nothing", "no", "skipped"]);
                self.channels();
            }
            "no" | "skipped" => self.channels(),
            "because" => {
                for reason in
                    ["holdout", "no_contact", "invalid_contact", "suppressed", "no_consent", "cap", "unreachable"]
                {
                    self.push(reason, What::Value, "why nothing was sent");
                }
            }
            "->" if self.in_declaration() => self.types(),
            "of" if before == "list" => self.types(),
            "of" if before == "hour" => self.channels(),
            "of" => self.events(),
            word if self.is_channel(word) && self.sends() => {
                let word = word.to_owned();
                self.templates(Some(&word));
            }
            _ => return false,
        }
        true
    }

    fn audiences(&mut self) {
        self.all(What::Topic, |symbol| matches!(symbol, Symbol::Audience(_)));
    }

    fn events_and_outcomes(&mut self) {
        self.events();
        self.channels();
        self.all_locals("message");
    }

    /// Whether the channel before the cursor is the beginning of a message.
    fn sends(&self) -> bool {
        let before = self.cursor.back(1);
        !matches!(before, "can" | "via" | "on" | "or" | "and" | "of" | "for" | "." | "channel" | "(" | ",")
    }

    fn in_declaration(&self) -> bool {
        let item = self.cursor.item();
        matches!(item.first(), None | Some(&("event" | "user" | "type" | "api")))
            && !self.cursor.words().iter().rev().take(30).any(|word| *word == "journey")
    }

    fn types(&mut self) {
        for ty in TYPES {
            self.push(ty, What::Type, "");
        }
        self.all(What::Type, |symbol| matches!(symbol, Symbol::Type(_)));
        self.snippet("one of", "one of \"${1:a}\", \"${2:b}\"", "one of some texts");
        self.snippet("list of", "list of ${1:text}", "several of a type");
    }

    /// Keys and values in braces and brackets.
    fn in_bracket(&mut self) -> bool {
        let Some((sign, head)) = self.cursor.bracket() else { return false };
        let last = self.cursor.back(0).to_owned();
        let word = head.first().copied().unwrap_or("");
        if sign == "(" {
            if matches!(word, "count" | "last" | "first") && last == "(" {
                self.events();
                return true;
            }
            let api = Symbol::Api(word.to_owned());
            if self.world.index.definition(&api).is_some() && matches!(last.as_str(), "(" | ",") {
                let word = word.to_owned();
                self.all(What::Field, |s| matches!(s, Symbol::Parameter(of, _) if *of == word));
                if head.get(1) != Some(&"api") {
                    self.value();
                }
                return true;
            }
            return false;
        }
        if sign != "{" {
            return false;
        }
        let declares = matches!(self.cursor.item().first(), Some(&("event" | "user" | "type")));
        if declares && self.cursor.depth() == 1 {
            match last.as_str() {
                ":" => self.types(),
                "=" => self.default_values(),
                _ => {}
            }
            return true;
        }
        let record_of_user = word == "user";
        let record_of_event = self.is_event(word) && head.get(1) != Some(&"event");
        if !record_of_user && !record_of_event {
            return false;
        }
        match last.as_str() {
            "{" | "," if record_of_user => self.attributes(),
            "{" | "," => self.fields(word, true),
            ":" => {
                let key = self.cursor.back(1).to_owned();
                let owner = if record_of_user { None } else { Some(word.to_owned()) };
                if let Some(ty) = self.type_of_name(&key, owner.as_deref()) {
                    self.values_of(&ty);
                }
                self.value();
            }
            _ => return false,
        }
        true
    }

    /// The values of the `one of` that is being declared.
    fn default_values(&mut self) {
        let words = self.cursor.words();
        for word in words.iter().rev().skip(1).take_while(|word| word.starts_with('"') || **word == ",") {
            if *word != "," {
                self.push(word, What::Value, "");
            }
        }
        self.keywords(&["true", "false"]);
    }

    fn type_of_name(&self, name: &str, event: Option<&str>) -> Option<TypeExpr> {
        let symbols = match event {
            Some(event) => vec![Symbol::EventField(event.to_owned(), name.to_owned())],
            None => vec![Symbol::Attribute(name.to_owned())],
        };
        symbols.iter().find_map(|symbol| self.world.index.definition(symbol)?.ty.clone())
    }

    /// The type of the attribute or field whose name ends so many pieces before the cursor.
    fn type_behind(&self, places: usize) -> Option<TypeExpr> {
        let name = self.cursor.back(places);
        if self.cursor.back(places + 1) == "." {
            match self.cursor.back(places + 2) {
                "user" => return self.type_of_name(name, None),
                "trigger" => {
                    return self.trigger_events().iter().find_map(|event| self.type_of_name(name, Some(event)));
                }
                _ => {}
            }
        }
        let of_where = self.where_event().and_then(|event| self.type_of_name(name, Some(&event)));
        let of_trigger = || self.trigger_events().iter().find_map(|event| self.type_of_name(name, Some(event)));
        of_where.or_else(of_trigger).or_else(|| self.type_of_name(name, None))
    }

    fn values_of(&mut self, ty: &TypeExpr) {
        for value in values(ty) {
            let label = if self.cursor.in_text.is_some() { value } else { format!("\"{value}\"") };
            self.push(&label, What::Value, "");
        }
        match ty.kind {
            TypeKind::Bool => self.keywords(&["true", "false"]),
            TypeKind::Timezone => self.zones(),
            _ => {}
        }
    }

    fn zones(&mut self) {
        let quoted = self.cursor.in_text.is_some();
        for zone in jiff::tz::db().available() {
            let label = if quoted { zone.to_string() } else { format!("\"{zone}\"") };
            self.push(&label, What::Value, "time zone");
        }
    }

    /// In a text: the values that its other side can have.
    fn text_values(&mut self) {
        let last = self.cursor.back(0).to_owned();
        let ty = match last.as_str() {
            "==" | "!=" | "=" => self.type_behind(1),
            ":" => {
                let head = self.cursor.bracket().map(|(_, head)| head).unwrap_or_default();
                let owner = head.first().copied().filter(|word| *word != "user").map(str::to_owned);
                self.type_of_name(self.cursor.back(1), owner.as_deref())
            }
            "[" | "," => self.listed(),
            _ => self.arm(),
        };
        if let Some(ty) = ty {
            self.values_of(&ty);
        }
    }

    /// `x in ["`
    fn listed(&self) -> Option<TypeExpr> {
        let (sign, head) = self.cursor.bracket()?;
        if sign != "[" || head.first() != Some(&"in") {
            return self.arm();
        }
        let words = self.cursor.words();
        let places = words.iter().rev().position(|word| *word == "[")? + 2;
        self.type_behind(places)
    }

    /// `match user.country { "`
    fn arm(&self) -> Option<TypeExpr> {
        let (sign, head) = self.cursor.bracket()?;
        let at = head.iter().position(|word| *word == "match")?;
        if sign != "{" || at == 0 {
            return None;
        }
        let name = head.first()?;
        match (head.get(1), head.get(2)) {
            (Some(&"."), Some(&"user")) => self.type_of_name(name, None),
            _ => {
                let of = self.trigger_events();
                of.iter()
                    .find_map(|event| self.type_of_name(name, Some(event)))
                    .or_else(|| self.type_of_name(name, None))
            }
        }
    }

    /// Behind a comparison: the values that there are.
    fn compared(&mut self) -> bool {
        let ty = match self.cursor.back(0) {
            "==" | "!=" | "+=" | "-=" => self.type_behind(1),
            "=" if self.cursor.back(4) == "set" => self.type_behind(1),
            "[" | "," => self.listed(),
            "{" => self.arm(),
            _ => return false,
        };
        let Some(ty) = ty else { return false };
        self.values_of(&ty);
        self.value();
        true
    }

    fn begins_statement(&self, last: &str) -> bool {
        let top = self.cursor.item().is_empty();
        matches!(last, "" | "}" | "then" | "else" | "->" | "end")
            || (last == "{" && !top)
            || (self.cursor.first_in_line() && !matches!(last, "and" | "or" | "," | "(" | "==" | "where" | "="))
    }

    /// What a statement can begin with.
    fn statement(&mut self) {
        match self.cursor.item().first().copied() {
            None | Some("}") => self.top(),
            Some("journey") => self.step(),
            Some("test") => {
                self.keywords(&["user", "given", "at", "after", "expect"]);
                self.snippet("at", "at ${1:2026-03-02 10:00} $0", "something happens then");
            }
            Some("policy") => {
                self.snippet("quiet hours", "quiet hours ${1:21:00} to ${2:08:00}", "no messages then");
                self.snippet("at most", "at most ${1:3} messages per ${2:7d}", "a cap");
                self.snippet("require consent", "require consent for ${1:marketing}", "a consent that was given");
            }
            Some("api") => self.keywords(&["get", "post", "put", "patch", "delete", "header", "body", "timeout"]),
            _ => self.step(),
        }
    }

    fn top(&mut self) {
        self.snippet(
            "journey",
            "journey ${1:name} \"${2:What it is for}\" {\n  on ${3:event}\n\n  $0\n}",
            "a campaign",
        );
        self.snippet("event", "event ${1:name} = \"${2:Wire Name}\" {\n  ${3:field}: ${4:text}\n}", "what happens");
        self.snippet("user", "user {\n  $0\n}", "what is known of a person");
        self.snippet("segment", "segment ${1:name} = $0", "people who satisfy a condition");
        self.snippet("channel", "channel ${1:email} to user.${2:email}", "a way to a person");
        self.snippet("test", "test \"${1:what must be true}\" {\n  $0\n}", "a test");
        self.snippet(
            "api",
            "api ${1:name}(${2:user_id}: text) -> ${3:text} {\n  get \"${4:https://}\"\n}",
            "a service",
        );
        self.snippet("policy", "policy {\n  $0\n}", "what holds for all journeys");
        self.keywords(&["type", "fence"]);
        self.step();
    }

    fn step(&mut self) {
        self.keywords(&[
            "wait", "if", "match", "split", "send", "set", "fetch", "call", "add", "remove", "emit", "start", "repeat",
            "for", "together", "end", "else", "on", "enter", "exit", "goal", "topic", "holdout",
        ]);
        self.channels();
        self.snippet("wait for", "wait for ${1:event} up to ${2:2d} then ${0:end}", "until something happens");
        self.snippet("if then", "if ${1:condition} then {\n  $0\n}", "a choice");
        self.snippet("split", "split {\n  50% ${1:control}: ${2:end}\n  50% ${3:variant}: $0\n}", "by chance");
    }

    /// Words that can only stand behind others. Says whether nothing else can stand here.
    fn follows(&mut self, last: &str) -> bool {
        let number = last.starts_with(|c: char| c.is_ascii_digit());
        let closed = last == ")" || last == "]" || last.starts_with('"');
        let is_name = last.chars().all(crate::lex::is_word) && !crate::keywords::KEYWORDS.contains(&last)
            || matches!(last, "missing" | "known" | "ever" | "now" | "today" | "true" | "false");
        if !(number || closed || is_name) {
            return false;
        }
        self.keywords(&["and", "or", "then"]);
        if is_name || closed {
            self.keywords(&["in", "between", "contains", "is"]);
        }
        if self.is_event(last) {
            self.keywords(&["where", "ever", "since", "without", "within"]);
            self.snippet("in last", "in last ${1:30d}", "a window of time");
        }
        true
    }

    /// The words of the statement at hand that have not been said.
    fn statement_words(&mut self) {
        const FOLLOW: [(&str, &[&str]); 9] = [
            ("wait", &["up to", "until", "then", "else", "where"]),
            ("if", &["then", "else"]),
            ("on", &["where", "without", "within", "yearly", "at", "for"]),
            ("goal", &["where", "within"]),
            ("exit", &["where"]),
            ("enter", &["once", "per", "restart", "always"]),
            ("fetch", &["else"]),
            ("repeat", &["up to", "times"]),
            ("send", &["via", "to", "with", "topic", "as"]),
        ];
        let starts = |word: &str| FOLLOW.iter().any(|(first, _)| *first == word) || self.is_channel(word);
        let Some(words) = self.cursor.back_to(starts) else { return };
        let first = self.cursor.back(words.len()).to_owned();
        if let Some((_, follow)) = FOLLOW.iter().find(|(word, _)| *word == first) {
            self.keywords(follow);
        } else {
            self.keywords(&["to", "with", "topic", "as"]);
        }
    }

    fn all_locals(&mut self, detail: &str) {
        let world = self.world;
        let words = self.cursor.words();
        for span in world.index.locals() {
            let name = world.slice(*span);
            // Bound before, in this journey.
            let head = words.iter().rposition(|word| *word == "journey").unwrap_or(0);
            if words.iter().skip(head).any(|word| *word == name) {
                self.push(name, What::Local, detail);
            }
        }
    }

    /// Anything that a condition or value may name.
    fn value(&mut self) {
        if let Some(event) = self.where_event() {
            self.fields(&event, true);
        }
        self.all_locals("bound in this journey");
        for event in self.trigger_events() {
            self.fields(&event, true);
        }
        self.push("trigger.", What::Keyword, "the fields of the entry's event");
        self.push("user.", What::Keyword, "the person's attributes");
        self.attributes();
        self.events();
        self.segments();
        for function in FUNCTIONS {
            self.push(function.name, What::Function, &function.signature());
        }
        self.keywords(&["not", "can", "now", "today", "true", "false"]);
    }
}

fn record_of(ty: &TypeExpr) -> Option<String> {
    match &ty.kind {
        TypeKind::Named(name) => Some(name.text.clone()),
        TypeKind::List(of) => record_of(of),
        _ => None,
    }
}
