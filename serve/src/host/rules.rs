//! Forgetting a person: what is removed, and what stays so that they are not met again by accident.

use super::letter::Letter;
use super::{Host, Todo};
use flow_compiler::bytecode::{ChannelId, TopicId};
use flow_runtime::engine::effect::SkipReason;
use flow_runtime::engine::{Leave, Person};
use flow_runtime::ingest::hash_of;
use flow_runtime::pack::{self, Read, Unpack};
use flow_runtime::vm::value::Value;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeSet;

/// What is left of people who were forgotten: hashes under a secret of the store (HMAC-SHA-256, cut to 128 bits), so
/// that without it nobody can try out names.
#[derive(Debug, Default)]
pub(super) struct Tombstones {
    /// The store's secret.
    pub secret: [u8; 16],
    /// Of their ids.
    ids: BTreeSet<[u8; 16]>,
    /// Of their contacts on channels that they did not want any more.
    contacts: BTreeSet<[u8; 16]>,
}

impl Tombstones {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut hash = [0; 16];
        // A key of any length will do for HMAC.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) {
            for part in parts {
                mac.update(&(part.len() as u64).to_le_bytes());
                mac.update(part);
            }
            hash.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(byte, from)| *byte = from);
        }
        hash
    }

    pub fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.secret);
        for set in [&self.ids, &self.contacts] {
            pack::size(out, set.len());
            set.iter().for_each(|hash| out.extend_from_slice(hash));
        }
    }

    pub fn restore(read: &mut Unpack<'_>) -> Read<Self> {
        let mut hash = |read: &mut Unpack<'_>| {
            let mut hash = [0; 16];
            for byte in &mut hash {
                *byte = read.byte()?;
            }
            Ok(hash)
        };
        let secret = hash(read)?;
        let ids = read.list(&mut hash)?.into_iter().collect();
        Ok(Self { secret, ids, contacts: read.list(&mut hash)?.into_iter().collect() })
    }
}

impl Host {
    /// Removes a person and all that is known of them. Their ids leave a hash behind: later inputs about them are
    /// dropped. So does a contact that they did not want to be used: it is not used for somebody else either.
    pub(super) fn forget(&mut self, user: &str, todo: &mut Vec<Todo>) {
        let who = self.whom(user);
        let mut ids: Vec<String> = vec![user.to_owned(), who.id.to_string()];
        ids.extend(self.joined.all().filter(|(id, _)| *self.whom(id).id == *who.id).map(|(id, _)| id.to_owned()));
        let hashes: Vec<_> = ids.iter().map(|id| self.tombstones.hash(&[id.as_bytes()])).collect();
        self.tombstones.ids.extend(hashes);
        if let Some(place) = self.people.find(&who.id, hash_of(&who.id)) {
            let unwanted = self.people.get(place).map(|person| self.unwanted(person)).unwrap_or_default();
            self.tombstones.contacts.extend(unwanted);
            self.people.remove(place);
        }
        self.walk_all_links();
        self.joined.forget(&who.id);
        self.throttles
            .forget(|bytes| Letter::unpack(&mut Unpack::new(bytes)).is_ok_and(|letter| letter.user == *who.id));
        let gone = self.letters.waiting.values().filter(|letter| *letter.user == *who.id).map(|letter| letter.key);
        todo.extend(gone.map(Todo::Stop));
        self.letters.forget(&who.id);
        self.stays.forget(&who.id);
        self.asked.retain(|(user, _), _| **user != *who.id);
        self.rejects.retain(|reject| !ids.iter().any(|id| reject.input.contains(id.as_str())));
    }

    /// The hashes of the contacts that may not be used.
    fn unwanted(&self, person: &Person) -> Vec<[u8; 16]> {
        let engine = &self.setup.engine;
        let mut unwanted = Vec::new();
        for (number, channel) in (0..).zip(&self.setup.program().channels) {
            let judged = engine.may_leave(person, ChannelId(number), TopicId(0), 0);
            let contact = channel.contact.map(|attribute| engine.attribute(person, attribute));
            if let (Leave::Never(SkipReason::Suppressed), Some(Value::Text(contact))) = (judged, contact) {
                unwanted.push(self.tombstones.hash(&[channel.name.as_bytes(), contact.as_bytes()]));
            }
        }
        unwanted
    }

    /// Whether the person was forgotten.
    pub(super) fn is_forgotten(&self, id: &str) -> bool {
        !self.tombstones.ids.is_empty() && self.tombstones.ids.contains(&self.tombstones.hash(&[id.as_bytes()]))
    }

    /// Whether somebody who was forgotten did not want to be reached there.
    pub(super) fn is_unwanted(&self, letter: &Letter) -> bool {
        if self.tombstones.contacts.is_empty() {
            return false;
        }
        let channel = self.setup.program().channels.get(letter.channel.index());
        let parts = channel.zip(letter.to.as_deref());
        parts.is_some_and(|(channel, to)| {
            self.tombstones.contacts.contains(&self.tombstones.hash(&[channel.name.as_bytes(), to.as_bytes()]))
        })
    }
}
