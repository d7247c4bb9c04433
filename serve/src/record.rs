//! What the journal holds: everything that came from outside. The state is a function of it.

use crate::follow::Position;
use flow_channels::Kept;
use flow_runtime::engine::succession::Answers;
use flow_runtime::pack::{self, Damaged, Read, Unpack};
use flow_runtime::vm::value::Value;

/// One thing from outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// The first version of the program.
    Program {
        /// What it is recognised by; see [`crate::setup::Setup::identity`].
        identity: u128,
        /// See [`crate::source`].
        source: Vec<u8>,
    },
    /// A new version goes on with everybody.
    Deploy {
        /// When.
        now: i64,
        /// Which, and what becomes of those at steps that are gone.
        deployment: Deployment,
    },
    /// The secret of the store, made with it.
    Secret([u8; 16]),
    /// Calls that were accepted.
    Inputs {
        /// When, by the machine's clock, milliseconds since 1970.
        received: i64,
        /// The calls, one a line, each with its time.
        lines: Vec<u8>,
    },
    /// So far a file was taken that is followed: the calls of [`Self::Inputs`] in the same frame stood before.
    Followed {
        /// Which.
        file: String,
        /// How far.
        at: Position,
    },
    /// Rows of a list or of users, one a line.
    Rows {
        /// When, by the machine's clock.
        received: i64,
        /// The name of the list; none: these are users.
        list: Option<String>,
        /// JSON lines.
        lines: Vec<u8>,
    },
    /// Time has passed: all timers before this instant are due.
    Tick {
        /// The machine's clock.
        now: i64,
    },
    /// What an API answered.
    Answer {
        /// When.
        now: i64,
        /// Whose question it was.
        user: String,
        /// Which question.
        request: u64,
        /// What; none: it failed.
        answer: Option<Value>,
    },
    /// What came of handing over a message.
    Outcome {
        /// When.
        now: i64,
        /// Which message.
        key: u64,
        /// What.
        result: Delivered,
    },
    /// Messages are being handed over, of which a crash must not make a second attempt.
    Begun {
        /// When.
        now: i64,
        /// Which.
        keys: Vec<u64>,
    },
    /// Changes of audiences were told.
    Told {
        /// When.
        now: i64,
        /// How many since the first of all.
        upto: u64,
    },
    /// What somebody who operates it wants.
    Command {
        /// When.
        now: i64,
        /// What.
        command: Command,
    },
}

/// A new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// What it is recognised by.
    pub identity: u128,
    /// See [`crate::source`].
    pub source: Vec<u8>,
    /// What the author says besides what stands in the journeys.
    pub answers: Answers,
}

/// What came of handing over a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The channel took it, and calls it so.
    Accepted(Option<String>),
    /// It stays with us.
    Kept(Kept),
    /// It did not, and is to be asked again.
    Failed(String),
    /// It never will.
    Dead {
        /// Why not.
        reason: String,
        /// Whether the contact is of no use any more.
        suppress: bool,
    },
}

/// What somebody who operates it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Nothing leaves by this channel, or by any, or from this journey, until it is resumed.
    Pause(Scope),
    /// It leaves again.
    Resume(Scope),
    /// A dead letter is tried again.
    Retry(u64),
    /// A dead letter is given up.
    Discard(u64),
    /// A person and all that is known of them is removed.
    Forget(String),
    /// A task is taken, or given on.
    Assign {
        /// Which.
        key: String,
        /// To whom.
        to: String,
        /// By whom.
        by: String,
    },
    /// A task is done.
    Complete {
        /// Which.
        key: String,
        /// By whom.
        by: String,
        /// What came of it.
        result: Option<String>,
    },
    /// Somebody has seen a message in their inbox, or all of them.
    Read {
        /// Whose inbox.
        person: String,
        /// Which message.
        key: Option<String>,
    },
}

/// What is paused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All messages.
    Everything,
    /// Those of a channel.
    Channel(String),
    /// Those of a journey.
    Journey(String),
}

impl Record {
    /// Appends it.
    pub fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Program { identity, source } => {
                out.push(0);
                out.extend_from_slice(&identity.to_le_bytes());
                pack::bytes(out, source);
            }
            Self::Deploy { now, deployment } => {
                out.push(8);
                pack::instant(out, *now);
                deployment.pack(out);
            }
            Self::Secret(secret) => {
                out.push(7);
                out.extend_from_slice(secret);
            }
            Self::Inputs { received, lines } => {
                out.push(1);
                pack::instant(out, *received);
                pack::bytes(out, lines);
            }
            Self::Followed { file, at } => {
                out.push(10);
                pack::text(out, file);
                at.pack(out);
            }
            Self::Rows { received, list, lines } => {
                out.push(2);
                pack::instant(out, *received);
                pack::text_or_none(out, list.as_deref());
                pack::bytes(out, lines);
            }
            Self::Tick { now } => {
                out.push(3);
                pack::instant(out, *now);
            }
            Self::Answer { now, user, request, answer } => {
                out.push(4);
                pack::instant(out, *now);
                pack::text(out, user);
                pack::uint(out, *request);
                pack::bool(out, answer.is_some());
                if let Some(answer) = answer {
                    pack::value(out, answer);
                }
            }
            Self::Outcome { now, key, result } => {
                out.push(5);
                pack::instant(out, *now);
                pack::uint(out, *key);
                result.pack(out);
            }
            Self::Begun { now, keys } => {
                out.push(11);
                pack::instant(out, *now);
                pack::size(out, keys.len());
                keys.iter().for_each(|key| pack::uint(out, *key));
            }
            Self::Told { now, upto } => {
                out.push(9);
                pack::instant(out, *now);
                pack::uint(out, *upto);
            }
            Self::Command { now, command } => {
                out.push(6);
                pack::instant(out, *now);
                command.pack(out);
            }
        }
    }

    /// Reads what [`Self::pack`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn unpack(read: &mut Unpack<'_>) -> Read<Self> {
        Ok(match read.byte()? {
            0 => Self::Program { identity: read_identity(read)?, source: read.bytes()?.to_vec() },
            8 => Self::Deploy { now: read.instant()?, deployment: Deployment::unpack(read)? },
            1 => Self::Inputs { received: read.instant()?, lines: read.bytes()?.to_vec() },
            2 => Self::Rows {
                received: read.instant()?,
                list: read.text_or_none()?.map(str::to_owned),
                lines: read.bytes()?.to_vec(),
            },
            3 => Self::Tick { now: read.instant()? },
            4 => {
                let (now, user, request) = (read.instant()?, read.text()?.to_owned(), read.uint()?);
                let answer = if read.bool()? { Some(read.value()?) } else { None };
                Self::Answer { now, user, request, answer }
            }
            5 => Self::Outcome { now: read.instant()?, key: read.uint()?, result: Delivered::unpack(read)? },
            6 => Self::Command { now: read.instant()?, command: Command::unpack(read)? },
            10 => Self::Followed { file: read.text()?.to_owned(), at: Position::unpack(read)? },
            11 => Self::Begun { now: read.instant()?, keys: read.list(Unpack::uint)? },
            9 => Self::Told { now: read.instant()?, upto: read.uint()? },
            7 => {
                let mut secret = [0; 16];
                for byte in &mut secret {
                    *byte = read.byte()?;
                }
                Self::Secret(secret)
            }
            _ => return Err(Damaged("record of this version")),
        })
    }

    /// The machine's clock when it was taken; none where it does not matter.
    #[must_use]
    pub fn time(&self) -> Option<i64> {
        match self {
            Self::Program { .. } | Self::Secret(_) | Self::Followed { .. } => None,
            Self::Inputs { received, .. } | Self::Rows { received, .. } => Some(*received),
            Self::Tick { now }
            | Self::Answer { now, .. }
            | Self::Outcome { now, .. }
            | Self::Command { now, .. }
            | Self::Begun { now, .. }
            | Self::Told { now, .. }
            | Self::Deploy { now, .. } => Some(*now),
        }
    }
}

/// Reads what tells programs apart.
///
/// # Errors
/// When there are too few bytes.
pub fn read_identity(read: &mut Unpack<'_>) -> Read<u128> {
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = read.byte()?;
    }
    Ok(u128::from_le_bytes(bytes))
}

impl Deployment {
    fn pack(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.identity.to_le_bytes());
        pack::bytes(out, &self.source);
        let Answers { moved, ended, ended_journeys, keep_deadlines } = &self.answers;
        pack::size(out, moved.len());
        for (journey, from, to) in moved {
            [journey, from, to].into_iter().for_each(|text| pack::text(out, text));
        }
        pack::size(out, ended.len());
        for (journey, step) in ended {
            [journey, step].into_iter().for_each(|text| pack::text(out, text));
        }
        pack::size(out, ended_journeys.len());
        ended_journeys.iter().for_each(|journey| pack::text(out, journey));
        pack::bool(out, *keep_deadlines);
    }

    fn unpack(read: &mut Unpack<'_>) -> Read<Self> {
        let text = |read: &mut Unpack<'_>| read.text().map(str::to_owned);
        Ok(Self {
            identity: read_identity(read)?,
            source: read.bytes()?.to_vec(),
            answers: Answers {
                moved: read.list(|read| Ok((text(read)?, text(read)?, text(read)?)))?,
                ended: read.list(|read| Ok((text(read)?, text(read)?)))?,
                ended_journeys: read.list(text)?,
                keep_deadlines: read.bool()?,
            },
        })
    }
}

impl Delivered {
    fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Accepted(id) => {
                out.push(0);
                pack::text_or_none(out, id.as_deref());
            }
            Self::Kept(kept) => out.extend([3, u8::from(*kept == Kept::Task)]),
            Self::Failed(reason) => {
                out.push(1);
                pack::text(out, reason);
            }
            Self::Dead { reason, suppress } => {
                out.push(2);
                pack::text(out, reason);
                pack::bool(out, *suppress);
            }
        }
    }

    fn unpack(read: &mut Unpack<'_>) -> Read<Self> {
        Ok(match read.byte()? {
            0 => Self::Accepted(read.text_or_none()?.map(str::to_owned)),
            1 => Self::Failed(read.text()?.to_owned()),
            2 => Self::Dead { reason: read.text()?.to_owned(), suppress: read.bool()? },
            3 => Self::Kept(if read.bool()? { Kept::Task } else { Kept::Inbox }),
            _ => return Err(Damaged("outcome")),
        })
    }
}

impl Command {
    fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Pause(scope) => {
                out.push(0);
                scope.pack(out);
            }
            Self::Resume(scope) => {
                out.push(1);
                scope.pack(out);
            }
            Self::Retry(key) => {
                out.push(2);
                pack::uint(out, *key);
            }
            Self::Discard(key) => {
                out.push(3);
                pack::uint(out, *key);
            }
            Self::Forget(user) => {
                out.push(4);
                pack::text(out, user);
            }
            Self::Assign { key, to, by } => {
                out.push(5);
                [key, to, by].into_iter().for_each(|text| pack::text(out, text));
            }
            Self::Complete { key, by, result } => {
                out.push(6);
                [key, by].into_iter().for_each(|text| pack::text(out, text));
                pack::text_or_none(out, result.as_deref());
            }
            Self::Read { person, key } => {
                out.push(7);
                pack::text(out, person);
                pack::text_or_none(out, key.as_deref());
            }
        }
    }

    fn unpack(read: &mut Unpack<'_>) -> Read<Self> {
        Ok(match read.byte()? {
            0 => Self::Pause(Scope::unpack(read)?),
            1 => Self::Resume(Scope::unpack(read)?),
            2 => Self::Retry(read.uint()?),
            3 => Self::Discard(read.uint()?),
            4 => Self::Forget(read.text()?.to_owned()),
            5 => {
                Self::Assign { key: read.text()?.to_owned(), to: read.text()?.to_owned(), by: read.text()?.to_owned() }
            }
            6 => Self::Complete {
                key: read.text()?.to_owned(),
                by: read.text()?.to_owned(),
                result: read.text_or_none()?.map(str::to_owned),
            },
            7 => Self::Read { person: read.text()?.to_owned(), key: read.text_or_none()?.map(str::to_owned) },
            _ => return Err(Damaged("command")),
        })
    }
}

impl Scope {
    /// Appends it.
    pub fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Everything => out.push(0),
            Self::Channel(name) => {
                out.push(1);
                pack::text(out, name);
            }
            Self::Journey(name) => {
                out.push(2);
                pack::text(out, name);
            }
        }
    }

    /// Reads what [`Self::pack`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn unpack(read: &mut Unpack<'_>) -> Read<Self> {
        Ok(match read.byte()? {
            0 => Self::Everything,
            1 => Self::Channel(read.text()?.to_owned()),
            2 => Self::Journey(read.text()?.to_owned()),
            _ => return Err(Damaged("scope")),
        })
    }
}
