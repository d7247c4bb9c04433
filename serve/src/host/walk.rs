//! The state as it is at one moment, written down while things go on: nobody waits for more than a little of it, and it is
//! never there twice.
//!
//! What there is little of is written down at once. Ids are only ever added, so those before the moment can be taken later. Messages are
//! shared until they change. Of people, some are taken at a time, and whoever is about to change is taken first ([`super::people`]).

use super::letter::Post;
use super::state::{push_link, push_post, PIECE};
use super::Host;
use std::ops::Range;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walked {
    /// There is more.
    On,
    /// That was all.
    Done,
    /// Some of it was forgotten meanwhile: it has to begin anew.
    Lost,
}

/// What is still to be written down, besides people.
#[derive(Debug)]
pub(super) struct Walk {
    ready: Vec<Vec<u8>>,
    links: Range<usize>,
    post: std::vec::IntoIter<Post>,
    ids: Range<u64>,
}

impl Host {
    /// Begins to write down the state as it is now; what was begun before is dropped.
    pub fn begin_walk(&mut self) {
        self.people.begin_pass(&self.setup);
        self.walk = Some(Walk {
            ready: vec![self.head()],
            links: 0..self.joined.end(),
            post: self.letters.post().into_iter(),
            ids: self.repeats.numbers(),
        });
    }

    /// Whether some state is being written down.
    #[must_use]
    pub fn is_walking(&self) -> bool {
        self.walk.is_some()
    }

    /// Goes on by so many people, messages or ids, and gives what is ready.
    pub fn walk(&mut self, some: usize, mut piece: impl FnMut(Vec<u8>)) -> Walked {
        let Some(mut walk) = self.walk.take() else { return Walked::Lost };
        let went = self.walk_on(&mut walk, some);
        walk.ready.drain(..).chain(self.people.pieces()).for_each(&mut piece);
        match went {
            Walked::On => self.walk = Some(walk),
            Walked::Done | Walked::Lost => self.people.end_pass(),
        }
        went
    }

    fn walk_on(&mut self, walk: &mut Walk, some: usize) -> Walked {
        if some == 0 {
            return Walked::On;
        }
        if !walk.links.is_empty() {
            self.walk_links(walk, some);
        } else if walk.post.len() > 0 {
            let mut piece = Vec::new();
            walk.post.by_ref().take(some).for_each(|post| push_post(&mut piece, &post));
            walk.ready.push(piece);
        } else if !walk.ids.is_empty() {
            let mut piece = Vec::new();
            let Some(next) = self.push_ids(walk.ids.clone(), some.max(PIECE / 16), &mut piece) else {
                return Walked::Lost;
            };
            walk.ids.start = next;
            walk.ready.push(piece);
        } else if self.people.pass_on(some) {
            return Walked::Done;
        }
        Walked::On
    }

    fn walk_links(&self, walk: &mut Walk, some: usize) {
        let end = walk.links.start.saturating_add(some).min(walk.links.end);
        let mut piece = Vec::new();
        self.joined.told(walk.links.start..end).for_each(|link| push_link(&mut piece, link));
        walk.links.start = end;
        walk.ready.extend(Some(piece).filter(|piece| !piece.is_empty()));
    }

    /// Writes down all links now: some of them are to be forgotten.
    pub(super) fn walk_all_links(&mut self) {
        let Some(mut walk) = self.walk.take() else { return };
        let all = walk.links.len();
        self.walk_links(&mut walk, all);
        self.walk = Some(walk);
    }

    /// Does not go on with it.
    pub fn drop_walk(&mut self) {
        self.walk = None;
        self.people.end_pass();
    }
}
