//! The state as bytes and back: what a snapshot holds.
//!
//! It comes in pieces: first everything but the people, then people, some at a time.

use super::kept::Stays;
use super::letter::Letters;
use super::rules::Tombstones;
use super::{Asked, Host, Reject, Tally};
use crate::follow::Position;
use crate::record::read_identity;
use crate::setup::Setup;
use flow_compiler::bytecode::{ApiId, JourneyId, StepId};
use flow_runtime::engine::effect::Place;
use flow_runtime::ingest::hash_of;
use flow_runtime::ingest::identity::Target;
use flow_runtime::ingest::repeats::Repeats;
use flow_runtime::pack::{self, Damaged, Read, Unpack};
use std::sync::Arc;

/// How the state is written.
const VERSION: u8 = 6;
/// A piece is closed when it is longer.
const PIECE: usize = 1 << 20;

impl Host {
    /// Gives the state, piece by piece.
    ///
    /// # Errors
    /// What `piece` gives.
    pub fn save<E>(&self, mut piece: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.setup.identity.to_le_bytes());
        pack::bytes(&mut out, &self.setup.source);
        pack::instant(&mut out, self.clock.unwrap_or(i64::MIN));
        pack::instant(&mut out, self.floor);
        pack::uint(&mut out, self.seq);
        pack::uint(&mut out, self.order);
        let joined = self.joined.all();
        pack::size(&mut out, joined.len());
        for (id, target) in joined {
            pack::text(&mut out, id);
            pack::text(&mut out, &target.id);
        }
        self.repeats.save(&mut out);
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
        piece(&out)?;
        out.clear();
        for slot in self.people.iter() {
            let Some(person) = &slot.person else { continue };
            pack::uint(&mut out, slot.first);
            pack::bool(&mut out, slot.known);
            self.setup.engine.save(person, &mut out);
            if out.len() > PIECE {
                piece(&out)?;
                out.clear();
            }
        }
        piece(&out)
    }

    /// The state that [`Self::save`] gave.
    ///
    /// # Errors
    /// When the pieces are something else. What cannot be made ready shows in [`Self::failed`].
    pub fn restore<'p>(wanted: &Arc<Setup>, mut pieces: impl Iterator<Item = &'p [u8]>) -> Read<Self> {
        let mut read = Unpack::new(pieces.next().ok_or(Damaged("state"))?);
        if read.byte()? != VERSION {
            return Err(Damaged("state of this version"));
        }
        let (identity, source) = (read_identity(&mut read)?, read.bytes()?);
        let mut host = match Self::first(wanted, identity, source) {
            Ok(host) => host,
            Err(why) => return Ok(Self { failed: Some(why), ..Self::new(Arc::clone(wanted)) }),
        };
        host.clock = Some(read.instant()?).filter(|clock| *clock != i64::MIN);
        host.floor = read.instant()?;
        host.seq = read.uint()?;
        host.order = read.uint()?;
        for _ in 0..read.count()? {
            let (id, target) = (read.text()?, read.text()?);
            host.joined.point(id, Target { id: target.into(), hash: hash_of(target) });
        }
        host.repeats = Repeats::restore(&mut read)?;
        let engine = &host.setup.engine;
        host.throttles.restore(&mut read, |name| engine.zone_named(name))?;
        host.letters = Letters::restore(&mut read)?;
        host.stays = Stays::restore(&mut read)?;
        host.restore_asked(&mut read)?;
        for _ in 0..read.count()? {
            host.followed.insert(read.text()?.to_owned(), Position::unpack(&mut read)?);
        }
        host.tombstones = Tombstones::restore(&mut read)?;
        host.counts.restore(&mut read)?;
        host.restore_tally(&mut read)?;
        for piece in pieces {
            let mut read = Unpack::new(piece);
            while !read.is_empty() {
                let (first, known) = (read.uint()?, read.bool()?);
                let person = host.setup.engine.restore(&mut read)?;
                let hash = hash_of(person.id());
                let place = host.people.add(person, hash, first, known);
                host.people.look(&host.setup.engine, place);
            }
        }
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
