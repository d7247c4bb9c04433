//! Reading `[channels.NAME]` of `flow.toml`: every key is known or an error with the nearest name, and secrets come
//! from the environment or a file.

use crate::secrets::Secrets;
use flow_compiler::nearest::nearest;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use toml::{Table, Value};

/// What is wrong with the configuration of a channel. Holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where: `channels.email.url`.
    pub place: String,
    /// What, as a sentence.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flow.toml, {}: {}", self.place, self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl std::error::Error for ConfigError {}

/// The result of reading something of the configuration.
pub type Read<T> = Result<T, ConfigError>;

/// The table of one channel.
#[derive(Debug)]
pub struct Settings<'a> {
    place: String,
    table: &'a Table,
    secrets: &'a Secrets,
}

impl<'a> Settings<'a> {
    /// The settings of a channel.
    #[must_use]
    pub fn new(channel: &str, table: &'a Table, secrets: &'a Secrets) -> Self {
        Self::of("channels", channel, table, secrets)
    }

    /// The settings of the table `[kind.name]`.
    #[must_use]
    pub fn of(kind: &str, name: &str, table: &'a Table, secrets: &'a Secrets) -> Self {
        Self { place: format!("{kind}.{name}"), table, secrets }
    }

    /// An error at a key.
    pub fn error(&self, key: &str, message: impl Into<String>) -> ConfigError {
        ConfigError { place: format!("{}.{key}", self.place), message: message.into(), help: None }
    }

    /// An error at a key, with a way to mend it.
    pub fn error_help(&self, key: &str, message: impl Into<String>, help: impl Into<String>) -> ConfigError {
        ConfigError { help: Some(help.into()), ..self.error(key, message) }
    }

    /// Refuses keys that are none of these.
    pub(crate) fn only(&self, known: &[&[&'static str]]) -> Read<()> {
        let known: Vec<&str> = known.concat();
        let Some(key) = self.table.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        let help = match nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        let whose = match self.table.get("backend").and_then(Value::as_str) {
            Some(backend) => format!("the backend `{backend}`"),
            None => format!("`[{}]`", self.place),
        };
        Err(self.error_help(key, format!("{whose} has no key `{key}`"), help))
    }

    /// Whether the key is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A text, with `${NAME}` filled in from the environment.
    pub fn text(&self, key: &str) -> Read<Option<String>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let Value::String(text) = value else { return Err(self.wrong(key, "a text", value)) };
        Ok(Some(self.fill(key, text)?.expose_secret().to_owned()))
    }

    /// A text that must be there.
    pub fn needs(&self, key: &str, example: &str) -> Read<String> {
        self.text(key)?.filter(|text| !text.is_empty()).ok_or_else(|| self.missing(key, example))
    }

    /// The error that a key is not there.
    pub(crate) fn missing(&self, key: &str, example: &str) -> ConfigError {
        self.error_help(key, format!("`{key}` is missing"), format!("write `{key} = {example}`"))
    }

    /// A secret: `"${NAME}"`, also with text around it, or `{ file = "path" }`. It cannot stand in the file itself.
    pub fn secret(&self, key: &str) -> Read<Option<SecretString>> {
        let mend = || format!("write `{key} = \"${{NAME}}\"` or `{key} = {{ file = \"path\" }}`");
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.contains("${") => {
                Err(self.error_help(key, format!("`{key}` is a secret and must not stand in flow.toml"), mend()))
            }
            Some(Value::String(text)) => self.fill(key, text).map(Some),
            Some(Value::Table(table)) => match (table.get("file"), table.len()) {
                (Some(Value::String(path)), 1) => self.secrets.file(path).map(Some).map_err(|m| self.error(key, m)),
                _ => Err(self.error_help(key, "a secret's table holds `file` alone", mend())),
            },
            Some(other) => Err(self.wrong(key, "a secret", other)),
        }
    }

    /// A secret that must be there.
    pub fn needs_secret(&self, key: &str) -> Read<SecretString> {
        match self.secret(key)? {
            Some(secret) if secret.expose_secret().is_empty() => Err(self.error(key, format!("`{key}` is empty"))),
            Some(secret) => Ok(secret),
            None => Err(self.missing(key, "\"${NAME}\"")),
        }
    }

    /// A truth value.
    pub fn flag(&self, key: &str, otherwise: bool) -> Read<bool> {
        match self.table.get(key) {
            None => Ok(otherwise),
            Some(Value::Boolean(yes)) => Ok(*yes),
            Some(other) => Err(self.wrong(key, "`true` or `false`", other)),
        }
    }

    /// A whole number of at least 1.
    pub fn number(&self, key: &str) -> Read<Option<NonZeroU32>> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Integer(n)) => match u32::try_from(*n).ok().and_then(NonZeroU32::new) {
                Some(n) => Ok(Some(n)),
                None => Err(self.error(key, format!("`{key}` must be a whole number from 1, not {n}"))),
            },
            Some(other) => Err(self.wrong(key, "a whole number", other)),
        }
    }

    /// A time such as `"500ms"`, `"10s"`, `"5m"`, `"2h"` or `"1d"`.
    pub fn duration(&self, key: &str) -> Read<Option<Duration>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let wrong = || self.error_help(key, format!("`{text}` is no time"), "write `500ms`, `10s`, `5m`, `2h` or `1d`");
        duration(&text).filter(|time| !time.is_zero()).map(Some).ok_or_else(wrong)
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Read<Option<Vec<String>>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let Value::Array(items) = value else { return Err(self.wrong(key, "a list of texts", value)) };
        let text = |item: &Value| match item {
            Value::String(text) => Ok(self.fill(key, text)?.expose_secret().to_owned()),
            other => Err(self.wrong(key, "a list of texts", other)),
        };
        items.iter().map(text).collect::<Read<Vec<_>>>().map(Some)
    }

    /// A table of texts, such as headers; their values may be secrets.
    pub fn secret_texts(&self, key: &str) -> Read<Vec<(String, SecretString)>> {
        let Some(value) = self.table.get(key) else { return Ok(Vec::new()) };
        let Value::Table(table) = value else { return Err(self.wrong(key, "a table of texts", value)) };
        let text = |(name, item): (&String, &Value)| match item {
            Value::String(text) => Ok((name.clone(), self.fill(key, text)?)),
            other => Err(self.wrong(&format!("{key}.{name}"), "a text", other)),
        };
        table.iter().map(text).collect()
    }

    /// A path, seen from the project's folder.
    pub fn path(&self, key: &str) -> Read<Option<PathBuf>> {
        Ok(self.text(key)?.map(|path| self.secrets.path(&path)))
    }

    /// The project's folder.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.secrets.path("")
    }

    /// Whether the text of the key is filled in from the environment.
    #[must_use]
    pub fn mentions_environment(&self, key: &str) -> bool {
        self.table.get(key).and_then(Value::as_str).is_some_and(|text| text.contains("${"))
    }

    /// One of a few words.
    pub fn choice(&self, key: &str, words: &[&'static str]) -> Read<Option<&'static str>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        if let Some(word) = words.iter().find(|word| **word == text) {
            return Ok(Some(word));
        }
        let help = match nearest(&text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", words.join(", ")),
        };
        Err(self.error_help(key, format!("`{key}` cannot be `{text}`"), help))
    }

    fn fill(&self, key: &str, text: &str) -> Read<SecretString> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                return Err(self.error(key, "`${` without its `}`"));
            };
            let Some(value) = self.secrets.variable(name) else {
                let help = format!("set it: `export {name}=…`");
                return Err(self.error_help(key, format!("the environment has no `{name}`"), help));
            };
            filled.push_str(value.expose_secret());
            rest = after;
        }
        filled.push_str(rest);
        Ok(SecretString::from(filled))
    }

    fn wrong(&self, key: &str, wanted: &str, is: &Value) -> ConfigError {
        self.error(key, format!("`{key}` must be {wanted}, not {}", with_article(is)))
    }
}

fn with_article(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "a truth value",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// `500ms`, `10s`, `5m`, `2h`, `1d`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let millis = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().expect("a table")
    }

    #[test]
    fn a_secret_cannot_stand_in_the_file() {
        let secrets = Secrets::given([("KEY", "hunter2")], ".");
        let table = table("a = 'hunter2'\nb = 'x-${KEY}'\nc = '${NO}'\nd = { flie = 'x' }\ne = 3");
        let settings = Settings::new("sms", &table, &secrets);
        let said = |key| settings.secret(key).map(|s| s.map(|s| s.expose_secret().to_owned()));
        let error = |key| said(key).expect_err("wrong").to_string();
        assert_eq!(said("b"), Ok(Some("x-hunter2".to_owned())));
        assert_eq!(
            error("a"),
            "flow.toml, channels.sms.a: `a` is a secret and must not stand in flow.toml \
             (write `a = \"${NAME}\"` or `a = { file = \"path\" }`)"
        );
        assert!(!error("a").contains("hunter2"));
        assert_eq!(error("c"), "flow.toml, channels.sms.c: the environment has no `NO` (set it: `export NO=…`)");
        assert!(error("d").contains("holds `file` alone"), "{}", error("d"));
        assert!(error("e").contains("must be a secret, not a whole number"), "{}", error("e"));
    }

    #[test]
    fn times_are_read() {
        for (text, millis) in [("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000), ("1 d", 86_400_000)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "10", "s", "-1s", "1.5s", "99999999999999999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
