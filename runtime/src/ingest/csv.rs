//! Events from CSV: some columns are the call's members, all others are properties.
//!
//! A row becomes the call that an SDK would have sent, so that what fits, and what is said about what
//! does not, is the same.

use super::decode::push_cell;
use super::schema::Schema;
use super::segment::Reader;
use super::Block;
use crate::calendar::parse_instant;
use crate::vm::text::push_json_text;
use std::io::{self, Read};

/// Which column holds which member of a call; what is not given has its usual names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping(Vec<(String, String)>);

/// The members that a column can hold, with the names by which a column is known for one.
const MEMBERS: [(&str, &[&str]); 6] = [
    ("type", &[]),
    ("event", &["event"]),
    ("userId", &["userId", "user_id"]),
    ("anonymousId", &["anonymousId", "anonymous_id"]),
    ("timestamp", &["timestamp", "time"]),
    ("messageId", &["messageId", "message_id"]),
];

impl Mapping {
    /// `event=name,userId=customer,timestamp=created_at`
    ///
    /// # Errors
    /// With a sentence, when it cannot be understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let known = MEMBERS.map(|(member, _)| member);
            match part.split_once('=') {
                Some((member, column)) if known.contains(&member.trim()) => {
                    pairs.push((member.trim().to_owned(), column.trim().to_owned()));
                }
                Some((member, _)) => {
                    return Err(format!("`{member}` cannot be mapped; these can: {}", known.join(", ")))
                }
                None => return Err(format!("`{part}` maps nothing; write MEMBER=COLUMN, as userId=customer")),
            }
        }
        Ok(Self(pairs))
    }

    /// What each column of the header is: a member of the call, or a property.
    fn columns(&self, header: &csv::StringRecord) -> Result<Vec<Option<&'static str>>, String> {
        for (member, column) in &self.0 {
            if !header.iter().any(|name| name == column) {
                return Err(format!("there is no column `{column}` for {member}; there are {}", names(header)));
            }
        }
        let given = |member: &str| self.0.iter().find(|(name, _)| name == member).map(|(_, column)| column.as_str());
        let member_of = |column: &str| {
            MEMBERS.iter().find(|(member, usual)| given(member).map_or(usual.contains(&column), |name| name == column))
        };
        let columns: Vec<_> = header.iter().map(|column| member_of(column).map(|(member, _)| *member)).collect();
        for wanted in ["event", "timestamp"] {
            if !columns.contains(&Some(wanted)) {
                let there = names(header);
                return Err(format!(
                    "no column holds the {wanted}; there are {there} (--map {wanted}=COLUMN tells which)"
                ));
            }
        }
        Ok(columns)
    }
}

fn names(header: &csv::StringRecord) -> String {
    header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Rows of a CSV file as records.
pub struct Rows<R> {
    csv: csv::Reader<R>,
    header: csv::StringRecord,
    columns: Vec<Option<&'static str>>,
    /// The line after the last block's.
    line: u64,
}

impl<R: Read> Rows<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When it cannot be read, or a column that must be there is not.
    pub fn new(read: R, mapping: &Mapping) -> io::Result<Self> {
        let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(read);
        let header = csv.headers().map_err(io::Error::other)?.clone();
        let columns =
            mapping.columns(&header).map_err(|message| io::Error::new(io::ErrorKind::InvalidData, message))?;
        Ok(Self { csv, header, columns, line: 0 })
    }

    /// The next rows, at most `count`; none at the end.
    ///
    /// # Errors
    /// When reading fails.
    pub fn next_block(&mut self, schema: &Schema, count: usize) -> io::Result<Option<Block>> {
        let mut reader = Reader::new(schema);
        let mut row = csv::ByteRecord::new();
        let mut json = Vec::new();
        let mut rows = 0;
        let start = self.line;
        while rows < count && self.csv.read_byte_record(&mut row).map_err(io::Error::other)? {
            rows += 1;
            let line = row.position().map_or(self.line, |position| position.line().saturating_sub(1));
            reader.line = u32::try_from(line.saturating_sub(start)).unwrap_or(u32::MAX);
            self.line = line.saturating_add(1);
            match csv::StringRecord::from_byte_record(row.clone()) {
                Ok(row) => {
                    json.clear();
                    self.call(schema, &row, &mut json);
                    reader.line(&json);
                }
                Err(_) => {
                    let text: Vec<_> = row.iter().map(String::from_utf8_lossy).collect();
                    reader.dead(None, "the line is not UTF-8".to_owned(), super::Original::Text(text.join(",").into()));
                }
            }
        }
        reader.block.lines = self.line.saturating_sub(start);
        Ok((rows > 0).then_some(reader.block))
    }

    /// The call that the row is.
    fn call(&self, schema: &Schema, row: &csv::StringRecord, json: &mut Vec<u8>) {
        json.push(b'{');
        let cells = || self.header.iter().zip(&self.columns).zip(row.iter()).filter(|(_, cell)| !cell.is_empty());
        let mut event = None;
        for ((_, member), cell) in cells() {
            let Some(member) = member else { continue };
            if json.len() > 1 {
                json.push(b',');
            }
            push_json_text(json, member);
            json.push(b':');
            match *member {
                // A time without a zone is taken as UTC: exports of databases have it so.
                "timestamp" if parse_instant(cell).is_none() && parse_instant(&format!("{cell}Z")).is_some() => {
                    push_json_text(json, &format!("{cell}Z"));
                }
                _ => push_json_text(json, cell),
            }
            if *member == "event" {
                event = schema.events.get(cell);
            }
        }
        json.extend_from_slice(if json.len() > 1 { b",\"properties\":{" } else { b"\"properties\":{" });
        let mut first = true;
        for ((name, _), cell) in cells().filter(|((_, member), _)| member.is_none()) {
            if !std::mem::take(&mut first) {
                json.push(b',');
            }
            push_json_text(json, name);
            json.push(b':');
            let fields = event.map(|plan| &plan.fields);
            let field = fields.and_then(|fields| fields.list.get(fields.place(name)?));
            push_cell(json, field.map(|field| &field.ty), cell);
        }
        json.extend_from_slice(b"}}");
    }
}
