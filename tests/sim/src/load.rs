//! An application that knows what it has stored, and checks every answer.
//!
//! Each key has one writer with one operation at a time, so that what a read may answer is known: the last value that
//! was acknowledged, or one of those whose outcome nobody knows.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::OperationId;
use hotrod_core::time::Instant;
use hotrod_core::wire::{Body, Expiration, Reply, Request};

use crate::applied::{Fate, fate_of};
use crate::value::value_of;
use crate::world::World;

/// Longer than a client needs to establish a session, however slow its links are.
const ESTABLISHED: Duration = Duration::from_secs(15);

/// What a key may hold.
type Possible = Vec<Option<Bytes>>;

struct Writer {
    /// Of which client, and which of its writers.
    name: String,
    key: Bytes,
    /// Keys that it has left.
    left: u32,
    possible: Possible,
    pending: Option<Pending>,
}

/// What a writer waits for.
struct Pending {
    id: OperationId,
    submitted: Instant,
    asked: Asked,
}

enum Asked {
    Get,
    Put(Bytes),
    PutIfAbsent(Bytes),
    Remove,
}

/// What an application has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations that were answered.
    pub answered: u64,
    /// Of these, those that failed.
    pub failed: u64,
    /// Operations that the machine did not take, because too many waited.
    pub refused: u64,
}

/// The application, at one client.
pub struct Load {
    host: usize,
    writers: Vec<Writer>,
    next_value: u64,
    /// What it has done.
    pub counts: Counts,
}

impl Load {
    /// So many keys of that client's, none of them stored.
    pub fn new(host: usize, keys: usize) -> Self {
        let writers = (0..keys).map(|writer| Writer::new(format!("key {host}-{writer}"))).collect();
        Self { host, writers, next_value: 0, counts: Counts::default() }
    }

    /// Each writer that has nothing in flight does something.
    pub fn submit(&mut self, world: &mut World, random: &mut fastrand::Rng) {
        for index in 0..self.writers.len() {
            if self.writers[index].pending.is_some() || random.bool() {
                continue;
            }
            self.next_value += 1;
            let value = value_of(self.next_value);
            let (key, expiration) = (self.writers[index].key.clone(), Expiration::DEFAULT);
            let (asked, request) = match random.u8(..8) {
                0..4 => (Asked::Get, Request::Get { key }),
                4 | 5 => (Asked::Put(value.clone()), Request::Put { key, expiration, value }),
                6 => (Asked::PutIfAbsent(value.clone()), Request::PutIfAbsent { key, expiration, value }),
                _ => (Asked::Remove, Request::Remove { key }),
            };
            let (now, host) = (world.now(), &mut world.hosts[self.host]);
            // Where a write can arrive late it must not be sent again: it would undo what was stored meanwhile.
            let cache = if world.late_arrivals { &host.asking_previous } else { &host.cache }.clone();
            match host.submit_to(now, &cache, request) {
                Ok(id) => self.writers[index].pending = Some(Pending { id, submitted: now, asked }),
                Err(_) => self.counts.refused += 1,
            }
        }
    }

    /// Takes the answers that have come, and checks them.
    pub fn check(&mut self, world: &mut World) -> Result<(), String> {
        let late_arrivals = world.late_arrivals;
        let host = &mut world.hosts[self.host];
        for writer in &mut self.writers {
            let Some(answer) = writer.pending.as_ref().and_then(|pending| host.answers.remove(&pending.id)) else {
                continue;
            };
            let Some(Pending { submitted, asked, .. }) = writer.pending.take() else { continue };
            self.counts.answered += 1;
            let left_an_attempt = host.may_have_left_an_attempt(submitted);
            match answer {
                Ok(reply) => {
                    // The attempt that was answered may be another.
                    let may_still_come = left_an_attempt && !late_arrivals && matches!(asked, Asked::Put(_));
                    writer.answered(asked, &reply)?;
                    if may_still_come {
                        writer.leave_key();
                    }
                }
                Err(error) => {
                    self.counts.failed += 1;
                    writer.failed(asked, fate_of(&error)?, late_arrivals || left_an_attempt);
                }
            }
        }
        Ok(())
    }

    /// No operation is without an answer.
    pub fn check_all_answered(&self, world: &World) -> Result<(), String> {
        let waiting = self.writers.iter().filter(|writer| writer.pending.is_some()).count();
        let unanswered = world.hosts[self.host].unanswered;
        if waiting > 0 || unanswered > 0 {
            return Err(format!("{waiting} operations without an answer, {unanswered} of all of the client's"));
        }
        Ok(())
    }

    /// Once the faults are over every key is read from its owner, and holds what it must.
    pub fn check_recovered(&mut self, world: &mut World) -> Result<(), String> {
        // The first answers may bring the topology that the others are routed by.
        for writer in &mut self.writers {
            let reply = world
                .call_from(self.host, Request::Get { key: writer.key.clone() })
                .map_err(|error| error.to_string())?;
            writer.answered(Asked::Get, &reply)?;
        }
        // Operations do not wait longer than owner_wait for a session that is being established: they begin it, and go elsewhere.
        // A member's listeners may have a session that is ready before that of its operations.
        world.run_until(ESTABLISHED, |_| false);
        let before = world.hosts[self.host].client.counters();
        for writer in &mut self.writers {
            let reply = world
                .call_from(self.host, Request::Get { key: writer.key.clone() })
                .map_err(|error| error.to_string())?;
            writer.answered(Asked::Get, &reply)?;
        }
        let after = world.hosts[self.host].client.counters();
        let (direct, forwarded) = (after.direct - before.direct, after.forwarded - before.forwarded);
        if direct != self.writers.len() as u64 || forwarded != 0 {
            return Err(format!("in a stable cluster {direct} operations were direct hits and {forwarded} forwarded"));
        }
        Ok(())
    }
}

impl Writer {
    fn new(name: String) -> Self {
        Self { key: Bytes::from(format!("{name}-0")), name, left: 0, possible: vec![None], pending: None }
    }

    /// Goes on with a key that nobody has used.
    fn leave_key(&mut self) {
        self.left += 1;
        self.key = Bytes::from(format!("{}-{}", self.name, self.left));
        self.possible = vec![None];
    }

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
            Asked::PutIfAbsent(value) if reply.status.is_success() => {
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
            Asked::Remove if reply.status.is_success() => {
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
    fn failed(&mut self, asked: Asked, fate: Fate, may_still_come: bool) {
        let written = match asked {
            Asked::Get => return,
            Asked::Put(value) | Asked::PutIfAbsent(value) => Some(value),
            Asked::Remove => None,
        };
        match fate {
            Fate::NotApplied => {}
            Fate::Unknown if !may_still_come => self.possible.push(written),
            // It may still take effect, at any time: nothing can be said of this key any more.
            Fate::Unknown | Fate::MayStillCome => self.leave_key(),
        }
    }
}
