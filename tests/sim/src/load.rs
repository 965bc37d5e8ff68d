//! An application that knows what it has stored, and checks every answer.
//!
//! Each key has one writer with one operation at a time, so that what a read may answer is known: the last value that
//! was acknowledged, or one of those whose outcome nobody knows.

use std::collections::BTreeMap;

use bytes::Bytes;
use hotrod_core::cluster::{ClusterError, OperationId};
use hotrod_core::session::{Applied, OperationError};
use hotrod_core::wire::{Body, Expiration, Reply, Request, Status};

use crate::world::World;

/// What a key may hold.
type Possible = Vec<Option<Bytes>>;

struct Writer {
    key: Bytes,
    possible: Possible,
    pending: Option<(OperationId, Asked)>,
}

enum Asked {
    Get,
    Put(Bytes),
    PutIfAbsent(Bytes),
    Remove,
}

/// The application.
pub struct Load {
    writers: Vec<Writer>,
    next_value: u64,
    /// Operations that were answered.
    pub answered: u64,
    /// Of these, those that failed.
    pub failed: u64,
}

impl Load {
    /// So many keys, none of them stored.
    pub fn new(keys: usize) -> Self {
        let writer = |n| Writer { key: Bytes::from(format!("key {n}")), possible: vec![None], pending: None };
        Self { writers: (0..keys).map(writer).collect(), next_value: 0, answered: 0, failed: 0 }
    }

    /// Each writer that has nothing in flight does something.
    pub fn submit(&mut self, world: &mut World, random: &mut fastrand::Rng) -> Result<(), String> {
        for index in 0..self.writers.len() {
            if self.writers[index].pending.is_some() || random.bool() {
                continue;
            }
            self.next_value += 1;
            let value = Bytes::from(format!("value {}", self.next_value));
            let (key, expiration) = (self.writers[index].key.clone(), Expiration::DEFAULT);
            let (asked, request) = match random.u8(..8) {
                0..4 => (Asked::Get, Request::Get { key }),
                4 | 5 => (Asked::Put(value.clone()), Request::Put { key, expiration, value }),
                6 => (Asked::PutIfAbsent(value.clone()), Request::PutIfAbsent { key, expiration, value }),
                _ => (Asked::Remove, Request::Remove { key }),
            };
            let id = world.submit(request);
            self.writers[index].pending = Some((id, asked));
        }
        Ok(())
    }

    /// Takes the answers that have come, and checks them.
    pub fn check(&mut self, world: &mut World) -> Result<(), String> {
        for writer in &mut self.writers {
            let Some(answer) = writer.pending.as_ref().and_then(|(id, _)| world.answers.remove(id)) else { continue };
            let Some((_, asked)) = writer.pending.take() else { continue };
            self.answered += 1;
            match answer {
                Ok(reply) => writer.answered(asked, &reply)?,
                Err(error) => {
                    self.failed += 1;
                    writer.failed(asked, &error)?;
                }
            }
        }
        Ok(())
    }

    /// No operation is without an answer.
    pub fn check_all_answered(&self, world: &World) -> Result<(), String> {
        let waiting = self.writers.iter().filter(|writer| writer.pending.is_some()).count();
        if waiting > 0 || world.client.in_flight() > 0 {
            return Err(format!("{waiting} operations without an answer, {} in the machine", world.client.in_flight()));
        }
        Ok(())
    }

    /// Once the faults are over every key is read from its owner, and holds what it must.
    pub fn check_recovered(&mut self, world: &mut World) -> Result<(), String> {
        // The first answers may bring the topology that the others are routed by.
        for writer in &mut self.writers {
            let reply = world.call(Request::Get { key: writer.key.clone() }).map_err(|error| error.to_string())?;
            writer.answered(Asked::Get, &reply)?;
        }
        let before = world.counted();
        let mut answers = BTreeMap::new();
        for writer in &mut self.writers {
            let reply = world.call(Request::Get { key: writer.key.clone() }).map_err(|error| error.to_string())?;
            writer.answered(Asked::Get, &reply)?;
            answers.insert(writer.key.clone(), reply);
        }
        let after = world.counted();
        let (direct, forwarded) = (after.direct - before.direct, after.forwarded - before.forwarded);
        if direct != self.writers.len() as u64 || forwarded != 0 {
            return Err(format!("in a stable cluster {direct} operations were direct hits and {forwarded} forwarded"));
        }
        Ok(())
    }
}

impl Writer {
    fn answered(&mut self, asked: Asked, reply: &Reply) -> Result<(), String> {
        let key = self.key.clone();
        let wrong = |what: String, possible: &Possible| Err(format!("{key:?}: {what}, possible were {possible:?}"));
        match asked {
            Asked::Get => {
                let value = match &reply.body {
                    Body::Value(value) => Some(value.clone()),
                    _ => None,
                };
                if !self.possible.contains(&value) {
                    return wrong(format!("read {value:?}"), &self.possible);
                }
                // What may still come of an operation of unknown outcome is over by now, or was read.
            }
            Asked::Put(value) => {
                self.possible.retain(|_| false);
                self.possible.push(Some(value));
            }
            Asked::PutIfAbsent(value) if reply.status == Status::SUCCESS => {
                if !self.possible.contains(&None) {
                    return wrong("was absent".into(), &self.possible);
                }
                self.possible = vec![Some(value)];
            }
            Asked::PutIfAbsent(_) => {
                if self.possible.iter().all(Option::is_none) {
                    return wrong("was present".into(), &self.possible);
                }
                self.possible.retain(Option::is_some);
            }
            Asked::Remove if reply.status == Status::SUCCESS => {
                if self.possible.iter().all(Option::is_none) {
                    return wrong("was removed".into(), &self.possible);
                }
                self.possible = vec![None];
            }
            Asked::Remove => {
                if !self.possible.contains(&None) {
                    return wrong("was not there to remove".into(), &self.possible);
                }
                self.possible = vec![None];
            }
        }
        Ok(())
    }

    /// The outcome is unknown, unless the error says that it was not applied.
    fn failed(&mut self, asked: Asked, error: &ClusterError) -> Result<(), String> {
        let applied = match error {
            ClusterError::Operation { error: OperationError::Disconnected { applied, .. }, .. }
            | ClusterError::Operation { error: OperationError::TimedOut { applied, .. }, .. }
            | ClusterError::Unreachable { applied, .. } => *applied,
            ClusterError::Operation { error: OperationError::Server { .. }, .. } => Applied::Unknown,
            other => return Err(format!("unexpected: {other}")),
        };
        if applied == Applied::No {
            return Ok(());
        }
        match asked {
            Asked::Get => {}
            Asked::Put(value) | Asked::PutIfAbsent(value) => self.possible.push(Some(value)),
            Asked::Remove => self.possible.push(None),
        }
        Ok(())
    }
}
