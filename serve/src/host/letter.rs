//! Messages on their way out: what is handed over and has no outcome yet, and what had to be given up.

use crate::record::{Delivered, Scope};
use flow_compiler::bytecode::{ChannelId, JourneyId, Program, StepId, TopicId};
use flow_runtime::message::Content;
use flow_runtime::pack::{self, Damaged, Read, Unpack};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// So many messages that were taken by their channels are remembered, for looking at.
pub const RECENT: usize = 1_000;
/// So many messages that were given up are kept, to be tried again; then the oldest goes, and is counted.
pub const DEAD: usize = 10_000;

/// A message that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The idempotency key.
    pub key: u64,
    /// By which channel.
    pub channel: ChannelId,
    /// To whom.
    pub user: String,
    /// The contact, if the channel has one.
    pub to: Option<String>,
    /// From which journey.
    pub journey: JourneyId,
    /// From which step.
    pub step: StepId,
    /// Whose consent it needed.
    pub topic: TopicId,
    /// When it was handed over, milliseconds since 1970.
    pub time: i64,
    /// What it says; or why that could not be made.
    pub content: Result<Content, String>,
    /// How many attempts have failed.
    pub failed: u32,
    /// What the last of them said.
    pub reason: Option<String>,
}

/// A message that a channel took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub letter: Arc<Letter>,
    /// When.
    pub at: i64,
    /// The provider's name for it.
    pub provider_id: Option<String>,
}

/// All messages that are not over, and the latest that are.
#[derive(Debug, Default)]
pub struct Letters {
    /// Without an outcome, by key.
    pub waiting: BTreeMap<u64, Arc<Letter>>,
    /// Of those, the ones that are being handed over and must not be a second time, should nobody learn what came of it.
    begun: BTreeSet<u64>,
    /// Given up, by key, with the reason in the letter.
    pub dead: BTreeMap<u64, Arc<Letter>>,
    /// The keys of those, oldest first.
    given_up: VecDeque<u64>,
    /// How many were given up and are not kept any more.
    pub dropped: u64,
    /// The latest that were taken, oldest first.
    pub recent: VecDeque<Taken>,
    /// What may not leave.
    pub paused: BTreeSet<Scope>,
    /// By channel: how many were taken, how many given up.
    pub totals: Vec<(u64, u64)>,
}

impl Letter {
    /// Appends it.
    pub fn pack(&self, out: &mut Vec<u8>) {
        pack::uint(out, self.key);
        for id in [self.channel.0, self.journey.0, self.step.0, self.topic.0] {
            pack::uint(out, u64::from(id));
        }
        pack::text(out, &self.user);
        pack::text_or_none(out, self.to.as_deref());
        pack::instant(out, self.time);
        match &self.content {
            Ok(content) => {
                out.push(0);
                // A content is texts and maps with texts as keys: it is always JSON.
                pack::bytes(out, &serde_json::to_vec(content).unwrap_or_default());
            }
            Err(reason) => {
                out.push(1);
                pack::text(out, reason);
            }
        }
        pack::uint(out, u64::from(self.failed));
        pack::text_or_none(out, self.reason.as_deref());
    }

    /// Reads what [`Self::pack`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn unpack(read: &mut Unpack<'_>) -> Read<Self> {
        let key = read.uint()?;
        let (channel, journey) = (ChannelId(read.small()?), JourneyId(read.small()?));
        let (step, topic) = (StepId(read.small()?), TopicId(read.small()?));
        Ok(Self {
            key,
            channel,
            journey,
            step,
            topic,
            user: read.text()?.to_owned(),
            to: read.text_or_none()?.map(str::to_owned),
            time: read.instant()?,
            content: match read.byte()? {
                0 => Ok(serde_json::from_slice(read.bytes()?).map_err(|_| Damaged("message"))?),
                _ => Err(read.text()?.to_owned()),
            },
            failed: read.small()?,
            reason: read.text_or_none()?.map(str::to_owned),
        })
    }
}

impl Letters {
    /// Nothing yet.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        Self { totals: vec![(0, 0); program.channels.len()], ..Self::default() }
    }

    /// Takes a message that leaves now. One that could not be made is given up at once.
    pub fn add(&mut self, mut letter: Letter) {
        match &letter.content {
            Ok(_) => {
                self.waiting.insert(letter.key, Arc::new(letter));
            }
            Err(reason) => {
                letter.reason = Some(reason.clone());
                self.give_up(Arc::new(letter));
            }
        }
    }

    /// Notes that these are being handed over.
    pub fn begin(&mut self, keys: &[u64]) {
        self.begun.extend(keys.iter().filter(|key| self.waiting.contains_key(key)));
    }

    /// Whether a message was being handed over, and nobody knows what came of it.
    #[must_use]
    pub fn is_uncertain(&self, key: u64) -> bool {
        self.begun.contains(&key)
    }

    /// Changes all of them.
    pub fn change(&mut self, change: impl Fn(Letter) -> Letter) {
        for letters in [&mut self.waiting, &mut self.dead] {
            letters.values_mut().for_each(|letter| *letter = Arc::new(change(Letter::clone(letter))));
        }
        for taken in &mut self.recent {
            taken.letter = Arc::new(change(Letter::clone(&taken.letter)));
        }
    }

    fn give_up(&mut self, letter: Arc<Letter>) {
        self.count(letter.channel, false);
        self.given_up.push_back(letter.key);
        self.dead.insert(letter.key, letter);
        while self.dead.len() > DEAD {
            let Some(oldest) = self.given_up.pop_front() else { break };
            self.dropped += u64::from(self.dead.remove(&oldest).is_some());
        }
    }

    /// Takes one away from those that were given up.
    pub fn take_dead(&mut self, key: u64) -> Option<Arc<Letter>> {
        let letter = self.dead.remove(&key)?;
        self.given_up.retain(|other| *other != key);
        Some(letter)
    }

    /// Takes what came of handing one over, and gives the message back if that ends it.
    pub fn outcome(&mut self, key: u64, now: i64, result: &Delivered) -> Option<Arc<Letter>> {
        self.begun.remove(&key);
        if let Delivered::Failed(reason) = result {
            let letter = Arc::make_mut(self.waiting.get_mut(&key)?);
            letter.failed = letter.failed.saturating_add(1);
            letter.reason = Some(reason.clone());
            return None;
        }
        let mut letter = self.waiting.remove(&key)?;
        match result {
            Delivered::Kept(_) => self.count(letter.channel, true),
            Delivered::Accepted(id) => {
                if self.recent.len() >= RECENT {
                    self.recent.pop_front();
                }
                self.recent.push_back(Taken { letter: Arc::clone(&letter), at: now, provider_id: id.clone() });
                self.count(letter.channel, true);
            }
            Delivered::Failed(reason) | Delivered::Dead { reason, .. } => {
                Arc::make_mut(&mut letter).reason = Some(reason.clone());
                self.give_up(Arc::clone(&letter));
            }
        }
        Some(letter)
    }

    /// Tries a dead letter again; says whether there is one.
    pub fn retry(&mut self, key: u64) -> bool {
        if self.dead.get(&key).is_none_or(|letter| letter.content.is_err()) {
            return false;
        }
        let Some(mut letter) = self.take_dead(key) else { return false };
        Arc::make_mut(&mut letter).failed = 0;
        self.waiting.insert(key, letter).is_none()
    }

    /// Whether something that was paused holds the message.
    #[must_use]
    pub fn is_paused(&self, program: &Program, letter: &Letter) -> bool {
        if self.paused.is_empty() {
            return false;
        }
        let channel = program.channels.get(letter.channel.index()).map(|channel| channel.name.clone());
        let journey = program.journeys.get(letter.journey.index()).map(|journey| journey.name.clone());
        self.paused.contains(&Scope::Everything)
            || channel.is_some_and(|name| self.paused.contains(&Scope::Channel(name)))
            || journey.is_some_and(|name| self.paused.contains(&Scope::Journey(name)))
    }

    /// Removes all that goes or went to a person.
    pub fn forget(&mut self, user: &str) {
        self.waiting.retain(|_, letter| letter.user != user);
        self.begun.retain(|key| self.waiting.contains_key(key));
        self.dead.retain(|_, letter| letter.user != user);
        self.given_up.retain(|key| self.dead.contains_key(key));
        self.recent.retain(|taken| taken.letter.user != user);
    }

    fn count(&mut self, channel: ChannelId, taken: bool) {
        if let Some((good, bad)) = self.totals.get_mut(channel.index()) {
            *(if taken { good } else { bad }) += 1;
        }
    }

    /// Appends everything but the messages, for a snapshot.
    pub fn save(&self, out: &mut Vec<u8>) {
        pack::size(out, self.begun.len());
        self.begun.iter().for_each(|key| pack::uint(out, *key));
        pack::uint(out, self.dropped);
        pack::size(out, self.paused.len());
        self.paused.iter().for_each(|scope| scope.pack(out));
        pack::size(out, self.totals.len());
        for (taken, dead) in &self.totals {
            pack::uint(out, *taken);
            pack::uint(out, *dead);
        }
    }

    /// The messages as they are now, to be written down later ([`Post::pack`]).
    #[must_use]
    pub fn post(&self) -> Vec<Post> {
        let waiting = self.waiting.values().map(|letter| Post::Waiting(Arc::clone(letter)));
        let dead =
            self.given_up.iter().filter_map(|key| self.dead.get(key)).map(|letter| Post::Dead(Arc::clone(letter)));
        waiting.chain(dead).chain(self.recent.iter().cloned().map(Post::Taken)).collect()
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn restore(read: &mut Unpack<'_>) -> Read<Self> {
        Ok(Self {
            begun: read.list(Unpack::uint)?.into_iter().collect(),
            dropped: read.uint()?,
            paused: read.list(Scope::unpack)?.into_iter().collect(),
            totals: read.list(|read| Ok((read.uint()?, read.uint()?)))?,
            ..Self::default()
        })
    }

    /// Puts a message back that was written down.
    pub fn put_back(&mut self, post: Post) {
        match post {
            Post::Waiting(letter) => {
                self.waiting.insert(letter.key, letter);
            }
            Post::Dead(letter) => {
                self.given_up.push_back(letter.key);
                self.dead.insert(letter.key, letter);
            }
            Post::Taken(taken) => self.recent.push_back(taken),
        }
    }
}

/// A message, and where it is.
#[derive(Debug)]
pub enum Post {
    /// It has no outcome.
    Waiting(Arc<Letter>),
    /// It was given up.
    Dead(Arc<Letter>),
    /// It was taken.
    Taken(Taken),
}

impl Post {
    /// Appends it.
    pub fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Waiting(letter) => {
                out.push(0);
                letter.pack(out);
            }
            Self::Dead(letter) => {
                out.push(1);
                letter.pack(out);
            }
            Self::Taken(taken) => {
                out.push(2);
                taken.letter.pack(out);
                pack::instant(out, taken.at);
                pack::text_or_none(out, taken.provider_id.as_deref());
            }
        }
    }

    /// Reads what [`Self::pack`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn unpack(read: &mut Unpack<'_>) -> Read<Self> {
        let which = read.byte()?;
        let letter = Arc::new(Letter::unpack(read)?);
        Ok(match which {
            0 => Self::Waiting(letter),
            1 => Self::Dead(letter),
            2 => {
                let (at, provider_id) = (read.instant()?, read.text_or_none()?.map(str::to_owned));
                Self::Taken(Taken { letter, at, provider_id })
            }
            _ => return Err(Damaged("place of a message")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_have_a_bound_and_the_oldest_go() {
        let mut letters = Letters::default();
        let letter = |key: u64| Letter {
            key,
            channel: ChannelId(0),
            user: "u".into(),
            to: None,
            journey: JourneyId(0),
            step: StepId(0),
            topic: TopicId(0),
            time: 0,
            content: Ok(Content::Sms { text: "hi".into() }),
            failed: 0,
            reason: None,
        };
        let dead = Delivered::Dead { reason: "no".into(), suppress: false };
        // Keys are hashes: their order says nothing of their age.
        let keys: Vec<u64> = (0..DEAD as u64 + 3).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        for key in &keys {
            letters.add(letter(*key));
            letters.outcome(*key, 0, &dead);
        }
        assert_eq!((letters.dead.len(), letters.dropped), (DEAD, 3));
        assert!(keys[..3].iter().all(|key| !letters.dead.contains_key(key)));
        assert!(letters.retry(keys[3]) && !letters.retry(keys[3]) && !letters.retry(keys[0]));
        // Given up once more, it is the youngest.
        letters.outcome(keys[3], 0, &dead);
        letters.add(letter(1));
        letters.outcome(1, 0, &dead);
        assert!(letters.dead.contains_key(&keys[3]) && !letters.dead.contains_key(&keys[4]));
        let mut bytes = Vec::new();
        letters.save(&mut bytes);
        let mut again = Letters::restore(&mut Unpack::new(&bytes)).unwrap();
        for post in letters.post() {
            let mut bytes = Vec::new();
            post.pack(&mut bytes);
            again.put_back(Post::unpack(&mut Unpack::new(&bytes)).unwrap());
        }
        assert_eq!((again.given_up, again.dropped), (letters.given_up, 4));
    }
}
