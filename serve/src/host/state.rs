//! The state as bytes and back: what a snapshot holds.
//!
//! It comes in pieces: first what there is little of, then ids, messages and people, some at a time.

use super::kept::Stays;
use super::letter::{Letters, Post};
use super::rules::Tombstones;
use super::{Asked, Host, Reject, Tally};
use crate::follow::Position;
use crate::record::read_identity;
use crate::setup::Setup;
use flow_compiler::bytecode::{ApiId, JourneyId, StepId};
use flow_runtime::engine::effect::Place;
use flow_runtime::engine::Person;
use flow_runtime::ingest::hash_of;
use flow_runtime::ingest::identity::Target;
use flow_runtime::ingest::repeats::Repeats;
use flow_runtime::pack::{self, Damaged, Read, Unpack};
use std::sync::Arc;

/// How the state is written.
const VERSION: u8 = 7;
/// A piece is closed when it is longer, in bytes.
pub(super) const PIECE: usize = 1 << 20;

/// What a piece begins with says what it holds: the little that is written at once …
const HEAD: u8 = 0;
/// … ids of calls …
const IDS: u8 = 1;
/// … ids that mean another person …
const LINKS: u8 = 2;
/// … messages …
const POST: u8 = 3;
/// … and people.
pub(super) const PEOPLE: u8 = 4;

impl Host {
    /// Gives the state, piece by piece.
    ///
    /// # Errors
    /// What `piece` gives.
    pub fn save<E>(&self, mut piece: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        piece(&self.head())?;
        let mut out = Vec::new();
        let mut closed = |out: &mut Vec<u8>, least: usize| {
            if out.len() > least {
                piece(out)?;
                out.clear();
            }
            Ok(())
        };
        for link in self.joined.all() {
            push_link(&mut out, link);
            closed(&mut out, PIECE)?;
        }
        closed(&mut out, 0)?;
        for post in self.letters.post() {
            push_post(&mut out, &post);
            closed(&mut out, PIECE)?;
        }
        closed(&mut out, 0)?;
        let mut ids = self.repeats.numbers();
        while let Some(next) = self.push_ids(ids.clone(), PIECE / 16, &mut out).filter(|next| *next > ids.start) {
            ids.start = next;
            closed(&mut out, 0)?;
        }
        out.clear();
        for (place, slot) in (0..).zip(self.people.iter()) {
            slot.save(&self.setup.engine, place, &mut out);
            closed(&mut out, PIECE)?;
        }
        closed(&mut out, 0)
    }

    /// Everything of which there is not very much.
    pub(super) fn head(&self) -> Vec<u8> {
        let mut out = vec![HEAD, VERSION];
        out.extend_from_slice(&self.setup.identity.to_le_bytes());
        pack::bytes(&mut out, &self.setup.source);
        pack::instant(&mut out, self.clock.unwrap_or(i64::MIN));
        pack::instant(&mut out, self.floor);
        pack::uint(&mut out, self.seq);
        pack::uint(&mut out, self.order);
        self.throttles.save(&mut out);
        self.letters.save(&mut out);
        self.stays.save(&mut out);
        self.save_asked(&mut out);
        pack::size(&mut out, self.followed.len());
        for (file, at) in &self.followed {
            pack::text(&mut out, file);
            at.pack(&mut out);
        }
        self.tombstones.save(&mut out);
        self.counts.save(&mut out);
        self.save_tally(&mut out);
        self.repeats.save(&mut out);
        out
    }

    /// Appends some ids of calls, and gives the number behind them; none: they were forgotten meanwhile.
    pub(super) fn push_ids(&self, numbers: std::ops::Range<u64>, some: usize, out: &mut Vec<u8>) -> Option<u64> {
        let some = some.min(usize::try_from(numbers.end - numbers.start).unwrap_or(some));
        out.push(IDS);
        self.repeats.save_ids(numbers.start, some, out)
    }

    /// The state of what [`Self::save`] gave, or a walk ([`super::walk`]). Where it is of another version than the one that is at hand, that
    /// version is made of what the store keeps of it.
    ///
    /// # Errors
    /// When the pieces are something else.
    pub fn restore<'p>(wanted: &Arc<Setup>, pieces: impl Iterator<Item = &'p [u8]>) -> Read<Self> {
        let mut restoring = Restoring::new(wanted);
        for piece in pieces {
            restoring.take(piece)?;
        }
        restoring.done()
    }

    /// Gives the state but people, ids and messages, and what is left to read.
    fn restore_head(wanted: &Arc<Setup>, read: &mut Unpack<'_>) -> Read<Self> {
        if read.byte()? != VERSION {
            return Err(Damaged("state of this version"));
        }
        let (identity, source) = (read_identity(read)?, read.bytes()?);
        let mut host = match Self::first(wanted, identity, source) {
            Ok(host) => host,
            Err(why) => return Ok(Self { failed: Some(why), ..Self::new(Arc::clone(wanted)) }),
        };
        host.clock = Some(read.instant()?).filter(|clock| *clock != i64::MIN);
        host.floor = read.instant()?;
        host.seq = read.uint()?;
        host.order = read.uint()?;
        let engine = &host.setup.engine;
        host.throttles.restore(read, |name| engine.zone_named(name))?;
        host.letters = Letters::restore(read)?;
        host.stays = Stays::restore(read)?;
        host.restore_asked(read)?;
        for _ in 0..read.count()? {
            host.followed.insert(read.text()?.to_owned(), Position::unpack(read)?);
        }
        host.tombstones = Tombstones::restore(read)?;
        host.counts.restore(read)?;
        host.restore_tally(read)?;
        Ok(host)
    }

    fn save_asked(&self, out: &mut Vec<u8>) {
        pack::size(out, self.asked.len());
        for ((user, request), asked) in &self.asked {
            pack::text(out, user);
            pack::uint(out, *request);
            for id in [asked.api.0, asked.at.journey.0, asked.at.step.0] {
                pack::uint(out, u64::from(id));
            }
            pack::values(out, &asked.args);
        }
    }

    fn restore_asked(&mut self, read: &mut Unpack<'_>) -> Read<()> {
        for _ in 0..read.count()? {
            let question = (read.text()?.to_owned(), read.uint()?);
            let api = ApiId(read.small()?);
            let at = Place { journey: JourneyId(read.small()?), step: StepId(read.small()?) };
            self.asked.insert(question, Asked { api, args: read.values()?, at });
        }
        Ok(())
    }

    fn save_tally(&self, out: &mut Vec<u8>) {
        let Tally { accepted, repeated, unknown, rejected, forgotten, joined, put_off } = &self.tally;
        for count in [accepted, repeated, unknown, rejected, forgotten, joined, put_off] {
            pack::uint(out, *count);
        }
        pack::size(out, self.rejects.len());
        for reject in &self.rejects {
            pack::instant(out, reject.received);
            pack::text(out, &reject.reason);
            pack::text(out, &reject.input);
        }
    }

    fn restore_tally(&mut self, read: &mut Unpack<'_>) -> Read<()> {
        let Tally { accepted, repeated, unknown, rejected, forgotten, joined, put_off } = &mut self.tally;
        for count in [accepted, repeated, unknown, rejected, forgotten, joined, put_off] {
            *count = read.uint()?;
        }
        self.rejects = read
            .list(|read| {
                let received = read.instant()?;
                Ok(Reject { received, reason: read.text()?.to_owned(), input: read.text()?.to_owned() })
            })?
            .into();
        Ok(())
    }
}

/// Appends an id that means another person.
pub(super) fn push_link(out: &mut Vec<u8>, (id, target): (&str, &Target)) {
    if out.is_empty() {
        out.push(LINKS);
    }
    pack::text(out, id);
    pack::text(out, &target.id);
}

/// Appends a message.
pub(super) fn push_post(out: &mut Vec<u8>, post: &Post) {
    if out.is_empty() {
        out.push(POST);
    }
    post.pack(out);
}

/// A state that is being read.
pub struct Restoring {
    wanted: Arc<Setup>,
    host: Option<Host>,
    /// What the head says of the ids of calls.
    repeats: Vec<u8>,
    ids: Vec<u8>,
    people: Vec<(u64, Person, u64, bool)>,
}

impl Restoring {
    /// Nothing yet.
    #[must_use]
    pub fn new(wanted: &Arc<Setup>) -> Self {
        let wanted = Arc::clone(wanted);
        Self { wanted, host: None, repeats: Vec::new(), ids: Vec::new(), people: Vec::new() }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// When it is none.
    pub fn take(&mut self, piece: &[u8]) -> Read<()> {
        let (kind, rest) = piece.split_first().ok_or(Damaged("piece of the state"))?;
        let mut read = Unpack::new(rest);
        let Some(host) = &mut self.host else {
            if *kind != HEAD {
                return Err(Damaged("state"));
            }
            self.host = Some(Host::restore_head(&self.wanted, &mut read)?);
            self.repeats = read.rest().to_vec();
            return Ok(());
        };
        // Nothing is made of it without its version.
        if host.failed.is_some() {
            return Ok(());
        }
        match *kind {
            IDS => self.ids.extend_from_slice(rest),
            LINKS => {
                while !read.is_empty() {
                    let (id, target) = (read.text()?, read.text()?);
                    host.joined.point(id, Target { id: target.into(), hash: hash_of(target) });
                }
            }
            POST => {
                while !read.is_empty() {
                    host.letters.put_back(Post::unpack(&mut read)?);
                }
            }
            PEOPLE => {
                while !read.is_empty() {
                    let (place, first, known) = (read.uint()?, read.uint()?, read.bool()?);
                    self.people.push((place, host.setup.engine.restore(&mut read)?, first, known));
                }
            }
            _ => return Err(Damaged("piece of the state")),
        }
        Ok(())
    }

    /// The state.
    ///
    /// # Errors
    /// When it is none.
    pub fn done(self) -> Read<Host> {
        let mut host = self.host.ok_or(Damaged("state"))?;
        if host.failed.is_none() {
            host.repeats = Repeats::restore(&mut Unpack::new(&self.repeats), &self.ids)?;
            host.people.restore(&host.setup.engine, self.people);
        }
        Ok(host)
    }
}
