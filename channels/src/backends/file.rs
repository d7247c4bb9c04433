//! `file`: one JSON object a line, appended to a file.

use crate::config::{Read, Settings};
use crate::{line, Attempt, Channel, Delivery, Outcome};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::Mutex;

pub(super) const KEYS: &[&str] = &["path"];

struct Lines(Mutex<File>);

pub(super) fn open(settings: &Settings<'_>) -> Read<Box<dyn Channel>> {
    let path = settings.path("path")?.ok_or_else(|| settings.missing("path", "\"out/messages.jsonl\""))?;
    let opened = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let opened = opened.and_then(|()| OpenOptions::new().create(true).append(true).open(&path));
    let file = opened
        .map_err(|error| settings.error("path", format!("`{}` cannot be written to: {error}", path.display())))?;
    Ok(Box::new(Lines(Mutex::new(file))))
}

impl Channel for Lines {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Attempt<'a> {
        Box::pin(async {
            let mut text = line::json(delivery).to_string();
            text.push('\n');
            let Ok(mut file) = self.0.lock() else { return Outcome::retry("the file was lost") };
            // One call for the whole line: appending keeps lines whole, also when several processes write.
            match file.write_all(text.as_bytes()) {
                Ok(()) => Outcome::accepted(),
                Err(error) => Outcome::retry(format!("the file cannot be written to: {error}")),
            }
        })
    }
}
