//! Users and lists: tables with a column that names the person, in CSV or as JSON objects, one a line.

use super::decode::{found, object, push_cell, text, Misfit};
use super::schema::Schema;
use super::time::input_time;
use super::{Block, Dead, IdRef, Original, Record, What};
use crate::engine::input::Input;
use crate::vm::text::push_json_text;
use flow_compiler::bytecode::ListId;
use std::io::{self, BufRead, BufReader, Read};

/// The time of a row that has none: just before the first input of the run.
pub const UNTIMED: i64 = i64::MIN;

/// The names of the column that names the person.
const WHO: [&str; 2] = ["user_id", "userId"];

/// Reads a table. Each row gives the person's attributes, and puts them on the list, if it is one.
///
/// # Errors
/// When it cannot be read, or no column names the person.
pub fn read(schema: &Schema, input: impl Read, list: Option<ListId>) -> io::Result<Block> {
    let mut input = BufReader::new(input);
    let mut table = Table { schema, list, block: Block::default(), line: 0 };
    let first = loop {
        let head = input.fill_buf()?;
        match head.first() {
            Some(byte) if byte.is_ascii_whitespace() => {
                table.line += u32::from(*byte == b'\n');
                input.consume(1);
            }
            Some(byte) => break *byte,
            None => return Ok(table.block),
        }
    };
    if first == b'{' {
        for line in input.split(b'\n') {
            table.json(line?.trim_ascii());
            table.line += 1;
        }
    } else {
        table.csv(input)?;
    }
    table.block.lines = u64::from(table.line);
    Ok(table.block)
}

struct Table<'s> {
    schema: &'s Schema,
    list: Option<ListId>,
    block: Block,
    line: u32,
}

impl Table<'_> {
    fn csv(&mut self, input: impl Read) -> io::Result<()> {
        let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let header = csv.headers().map_err(io::Error::other)?.clone();
        if !header.iter().any(|name| WHO.contains(&name.trim_start_matches('\u{feff}'))) {
            let names = header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("no column is called `user_id`; there are {names}"),
            ));
        }
        let mut json = Vec::new();
        let mut row = csv::StringRecord::new();
        while csv.read_record(&mut row).map_err(io::Error::other)? {
            let line = row.position().map_or(0, |position| position.line().saturating_sub(1));
            self.line = u32::try_from(line).unwrap_or(u32::MAX);
            json.clear();
            json.push(b'{');
            for (name, cell) in header.iter().zip(row.iter()).filter(|(_, cell)| !cell.is_empty()) {
                if json.len() > 1 {
                    json.push(b',');
                }
                let name = name.trim_start_matches('\u{feff}');
                push_json_text(&mut json, name);
                json.push(b':');
                let attributes = &self.schema.attributes;
                let field = attributes.place(name).and_then(|place| attributes.list.get(place));
                push_cell(&mut json, field.map(|field| &field.ty), cell);
            }
            json.push(b'}');
            self.json(&json);
        }
        Ok(())
    }

    fn json(&mut self, line: &[u8]) {
        if line.is_empty() {
            return;
        }
        let mut record = Record {
            time: UNTIMED,
            message: None,
            line: self.line,
            known: true,
            who: IdRef::default(),
            what: What::Clock,
        };
        let dead = |reason: String, input| What::Dead(Box::new(Dead { reason, input }));
        match std::str::from_utf8(line) {
            Err(_) => {
                let input = Original::Text(String::from_utf8_lossy(line).into());
                record.what = dead("the line is not UTF-8".to_owned(), input);
            }
            Ok(json) => match serde_json::from_str::<&serde_json::value::RawValue>(json) {
                Err(error) => record.what = dead(format!("the line is not JSON: {error}"), Original::Text(json.into())),
                Ok(_) => match self.row(json) {
                    Ok((time, who, what)) => (record.time, record.who, record.what) = (time, who, what),
                    Err(misfit) => record.what = dead(misfit.to_string(), Original::Json(json.into())),
                },
            },
        }
        self.block.records.push(record);
    }

    fn row(&mut self, json: &str) -> Result<(i64, IdRef, What), Misfit> {
        let (mut who, mut time) = (None, UNTIMED);
        object(
            json,
            |key, json| {
                if key == "timestamp" {
                    if json != "null" && self.list.is_some() {
                        time = input_time(json).map_err(|misfit| misfit.below(key))?;
                    }
                    return Ok(());
                }
                who = match json.as_bytes().first() {
                    Some(b'"') => text(json).map(std::borrow::Cow::into_owned),
                    Some(b'-' | b'0'..=b'9') => Some(json.to_owned()),
                    _ => return Err(Misfit::new("a text or a number", found(json)).below(key)),
                };
                Ok(())
            },
            |key| key == "timestamp" || WHO.contains(&key),
        )?;
        let Some(who) = who.filter(|who| !who.is_empty()) else {
            return Err(Misfit::new("a text or a number", "nothing").below("user_id"));
        };
        let attributes = Input::Attributes(self.schema.traits(json)?);
        let input = match self.list {
            Some(list) => Input::Several(vec![attributes, Input::List(list)]),
            None => attributes,
        };
        Ok((time, self.block.keep(&who), What::Input(input)))
    }
}
