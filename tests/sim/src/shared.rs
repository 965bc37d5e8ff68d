//! An application of several clients that all write and read the same keys.
//!
//! Each client has one operation on a key at a time. Each key is used for a while and then left for another, so that its
//! history is short enough to be searched.
//!
//! Writes ask for the value that was there before. That is more to check, and it makes each take effect at most once:
//! a machine sends a plain PUT again when it may have been executed, and that undoes what others have stored meanwhile.

use std::collections::BTreeMap;

use bytes::Bytes;
use hotrod_core::cluster::{ClusterError, OperationId};
use hotrod_core::wire::{Body, Expiration, Reply, Request};

use crate::applied::{Fate, fate_of};
use crate::history::{Answer, Asked, History, ValueId};
use crate::load::Counts;
use crate::value::{number_of, value_of};
use crate::world::World;

/// Operations in a key's history, after which it is left.
const LONGEST: usize = 20;
/// Writes of unknown outcome in a key's history, after which it is left.
const MOST_UNKNOWN: usize = 3;

/// A key that several clients use.
struct SharedKey {
    key: Bytes,
    history: History,
    /// What each client has asked.
    pending: BTreeMap<usize, (OperationId, usize, Asked)>,
    /// Versions as the server has told them.
    versions: BTreeMap<ValueId, u64>,
}

/// The application.
pub struct Shared {
    keys: Vec<SharedKey>,
    next_key: u64,
    next_value: ValueId,
    /// What it has done.
    pub counts: Counts,
    /// Histories that were checked.
    pub histories: u64,
}

impl Shared {
    /// So many keys in use at a time.
    pub fn new(keys: u64) -> Self {
        let mut shared =
            Self { keys: Vec::new(), next_key: keys, next_value: 0, counts: Counts::default(), histories: 0 };
        shared.keys = (0..keys).map(SharedKey::new).collect();
        shared
    }

    /// Clients that have nothing in flight on a key do something, now and then.
    pub fn submit(&mut self, world: &mut World, random: &mut fastrand::Rng) {
        for index in 0..self.keys.len() {
            for client in 0..world.hosts.len() {
                let key = &self.keys[index];
                if !key.pending.contains_key(&client) && !key.is_used_up() && random.u8(..3) == 0 {
                    self.next_value += 1;
                    let asked = key.choose(self.next_value, random);
                    self.ask(world, index, client, asked);
                }
            }
        }
    }

    fn ask(&mut self, world: &mut World, index: usize, client: usize, asked: Asked) {
        let key = &mut self.keys[index];
        let (now, host) = (world.now(), &mut world.hosts[client]);
        let cache = host.asking_previous.clone();
        match host.submit_to(now, &cache, key.request(asked)) {
            Ok(id) => {
                let operation = key.history.invoke(client, asked);
                key.pending.insert(client, (id, operation, asked));
            }
            // Too much waits: a limit at work.
            Err(_) => self.counts.refused += 1,
        }
    }

    /// Takes the answers that have come, and checks the histories that are complete.
    pub fn check(&mut self, world: &mut World) -> Result<(), String> {
        for key in &mut self.keys {
            key.take_answers(world, &mut self.counts)?;
            if key.is_used_up() && key.pending.is_empty() {
                key.check()?;
                self.histories += 1;
                *key = SharedKey::new(self.next_key);
                self.next_key += 1;
            }
        }
        Ok(())
    }

    /// No operation is without an answer.
    pub fn check_all_answered(&self) -> Result<(), String> {
        let waiting: usize = self.keys.iter().map(|key| key.pending.len()).sum();
        if waiting > 0 { Err(format!("{waiting} operations on shared keys without an answer")) } else { Ok(()) }
    }

    /// Once the faults are over every client reads every key, and what it reads has to fit what was done before.
    pub fn check_recovered(&mut self, world: &mut World) -> Result<(), String> {
        for key in &mut self.keys {
            for client in 0..world.hosts.len() {
                let operation = key.history.invoke(client, Asked::Get);
                let reply = world.call_from(client, key.request(Asked::Get)).map_err(|error| error.to_string())?;
                let answer = key.understand(Asked::Get, &reply)?;
                key.history.answer(operation, answer);
            }
            key.check()?;
            self.histories += 1;
        }
        Ok(())
    }
}

impl SharedKey {
    fn new(number: u64) -> Self {
        Self {
            key: format!("shared {number}").into(),
            history: History::default(),
            pending: BTreeMap::new(),
            versions: BTreeMap::new(),
        }
    }

    fn is_used_up(&self) -> bool {
        self.history.len() >= LONGEST || self.history.unknown() >= MOST_UNKNOWN + self.pending.len()
    }

    fn check(&self) -> Result<(), String> {
        self.history.check().map_err(|error| format!("{:?}: {error}", self.key))
    }

    fn choose(&self, value: ValueId, random: &mut fastrand::Rng) -> Asked {
        let known = random.choice(self.versions.keys().copied());
        match (random.u8(..12), known) {
            (0..4, _) => Asked::Get,
            (4 | 5, _) => Asked::Put(value),
            (7, _) => Asked::Replace(value),
            (8 | 9, Some(known)) => Asked::ReplaceIfUnmodified(known, value),
            (10, Some(known)) => Asked::RemoveIfUnmodified(known),
            (11, _) => Asked::Remove,
            (6, _) | (_, None) => Asked::PutIfAbsent(value),
            _ => Asked::Get,
        }
    }

    fn request(&self, asked: Asked) -> Request {
        let (key, expiration) = (self.key.clone(), Expiration::DEFAULT);
        let version_of = |value: ValueId| self.versions.get(&value).copied().unwrap_or_default();
        match asked {
            Asked::Get => Request::GetWithVersion { key },
            Asked::Put(value) => Request::Put { key, expiration, value: value_of(value) },
            Asked::PutIfAbsent(value) => Request::PutIfAbsent { key, expiration, value: value_of(value) },
            Asked::Replace(value) => Request::Replace { key, expiration, value: value_of(value) },
            Asked::ReplaceIfUnmodified(expected, value) => {
                let (entry_version, value) = (version_of(expected), value_of(value));
                Request::ReplaceIfUnmodified { key, expiration, entry_version, value }
            }
            Asked::Remove => Request::Remove { key },
            Asked::RemoveIfUnmodified(expected) => {
                Request::RemoveIfUnmodified { key, entry_version: version_of(expected) }
            }
        }
    }

    fn take_answers(&mut self, world: &mut World, counts: &mut Counts) -> Result<(), String> {
        for (client, host) in world.hosts.iter_mut().enumerate() {
            let Some((id, operation, asked)) = self.pending.get(&client).copied() else { continue };
            let Some(result) = host.answers.remove(&id) else { continue };
            self.pending.remove(&client);
            counts.answered += 1;
            match result {
                Ok(reply) => {
                    let answer = self.understand(asked, &reply)?;
                    self.history.answer(operation, answer);
                }
                Err(error) => {
                    counts.failed += 1;
                    self.fail(operation, &error)?;
                }
            }
        }
        Ok(())
    }

    fn fail(&mut self, operation: usize, error: &ClusterError) -> Result<(), String> {
        if fate_of(error)? == Fate::NotApplied {
            self.history.not_applied(operation);
        }
        Ok(())
    }

    fn understand(&mut self, asked: Asked, reply: &Reply) -> Result<Answer, String> {
        let (value, version) = match &reply.body {
            Body::Nothing | Body::Previous(None) => (None, None),
            Body::VersionedValue { version, value } => (Some(value), Some(*version)),
            Body::Previous(Some(previous)) => {
                (Some(&previous.value), previous.metadata.as_ref().map(|metadata| metadata.version))
            }
            other => return Err(format!("{:?}: an answer of another kind: {other:?}", self.key)),
        };
        let before = value.map(number_of).transpose()?;
        if let (Some(value), Some(version)) = (before, version) {
            self.versions.insert(value, version);
        }
        // To a read, that nothing is there is an answer as good as another.
        let done = asked == Asked::Get || reply.status.is_success();
        Ok(Answer { done, before })
    }
}
