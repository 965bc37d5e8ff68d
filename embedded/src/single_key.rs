//! Operations on one key. Statuses are those of `CacheRequestProcessor` of the Infinispan server.

use bytes::Bytes;
use hotrod_core::wire::{Body, EntryChange, Expiration, Flags, Previous, Status, Version};

use crate::answer::{Answer, Failure, Outcome};
use crate::cache::Cache;
use crate::cluster::Moment;
use crate::entry::{Content, Entry, Lifetimes};
use crate::event_queues::{ConnectionId, EventQueues};
use crate::members::{MemberId, Members};
use crate::store::{Place, Store};
use crate::transcoding::Transcoding;

/// The origin of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) connection: ConnectionId,
    /// The member that received the request.
    pub(crate) member: MemberId,
    /// Bytes of the receive buffer if it holds only this request, else 0.
    pub(crate) own_buffer: usize,
}

/// Context of an executing operation: its origin, flags and time, and the state that it changes.
pub(crate) struct Job<'a> {
    pub(crate) caller: Caller,
    pub(crate) flags: Flags,
    pub(crate) protocol: Version,
    pub(crate) moment: Moment,
    pub(crate) transcoding: Transcoding,
    pub(crate) cache: &'a mut Cache,
    pub(crate) members: &'a Members,
    pub(crate) queues: &'a mut EventQueues,
    /// Version of the cluster's last written entry.
    pub(crate) last_version: &'a mut u64,
}

/// Condition of a write or removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Always,
    Absent,
    Present,
    Version(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Condition {
    /// Reads the condition from a stream's version field, as `putStream` of the server does.
    pub(crate) fn of_stream(version: u64) -> Self {
        match version {
            0 => Self::Always,
            version if version > i64::MAX as u64 => Self::Absent,
            version => Self::Version(version),
        }
    }
}

impl Job<'_> {
    pub(crate) fn get(&mut self, key: &Bytes) -> Outcome {
        let Some(entry) = self.read(key)? else { return Ok(Answer::NOT_EXISTING) };
        Ok(Answer::with(Body::Value(self.value_of(&entry)?)))
    }

    pub(crate) fn get_with_version(&mut self, key: &Bytes) -> Outcome {
        let Some(entry) = self.read(key)? else { return Ok(Answer::NOT_EXISTING) };
        Ok(Answer::with(Body::VersionedValue { version: entry.version, value: self.value_of(&entry)? }))
    }

    pub(crate) fn get_with_metadata(&mut self, key: &Bytes) -> Outcome {
        self.add_to_bloom(key);
        let Some(entry) = self.read(key)? else { return Ok(Answer::NOT_EXISTING) };
        Ok(Answer::with(Body::ValueWithMetadata {
            metadata: Box::new(entry.metadata()),
            value: self.value_of(&entry)?,
        }))
    }

    pub(crate) fn get_stream(&mut self, key: &Bytes, offset: u32) -> Outcome {
        self.add_to_bloom(key);
        let Some(entry) = self.read(key)? else { return Ok(Answer::NOT_EXISTING) };
        let (offset, value) = (offset as usize, self.value_of(&entry)?);
        let length = value.len();
        if offset > length {
            return Err(Failure::server_error(format!("offset {offset} is past the end of a value of {length} bytes")));
        }
        Ok(Answer::with(Body::ValueWithMetadata { metadata: Box::new(entry.metadata()), value: value.slice(offset..) }))
    }

    pub(crate) fn contains_key(&mut self, key: &Bytes) -> Outcome {
        let place = self.locate(&self.stored_key(key)?, Access::Read)?;
        let exists = self.store()?.get(&place).is_some();
        Ok(if exists { Answer::SUCCESS } else { Answer::NOT_EXISTING })
    }

    pub(crate) fn put(&mut self, key: &Bytes, expiration: Expiration, value: &Bytes, condition: Condition) -> Outcome {
        let (key, value) = (self.stored_key(key)?, self.transcoding.values.for_storage(value)?);
        let place = self.locate(&key, Access::Write)?;
        let present = self.store()?.get(&place).cloned();
        match (condition, &present) {
            (Condition::Absent, Some(present)) => return self.refused(present),
            (Condition::Present, None) => return Ok(Answer::NOT_EXECUTED),
            (Condition::Version(_), None) => return Ok(Answer::NOT_EXISTING),
            (Condition::Version(version), Some(present)) if present.version != version => {
                return self.refused(present);
            }
            _ => {}
        }
        self.write(&place, expiration, &value)?;
        if condition == Condition::Absent { Ok(Answer::SUCCESS) } else { self.executed(present.as_ref()) }
    }

    pub(crate) fn remove(&mut self, key: &Bytes, condition: Condition) -> Outcome {
        let place = self.locate(&self.stored_key(key)?, Access::Write)?;
        let Some(present) = self.store()?.get(&place).cloned() else {
            self.counts().remove_misses += 1;
            return Ok(Answer::NOT_EXISTING);
        };
        if matches!(condition, Condition::Version(version) if version != present.version) {
            self.counts().remove_misses += 1;
            return self.refused(&present);
        }
        self.store_mut()?.remove(&place);
        self.counts().remove_hits += 1;
        self.publish(EntryChange::Removed, &place, 0)?;
        self.executed(Some(&present))
    }

    /// Reads an entry, counts the read, and restarts the entry's idle time.
    pub(crate) fn read(&mut self, key: &Bytes) -> Result<Option<Entry>, Failure> {
        let place = self.locate(&self.stored_key(key)?, Access::Read)?;
        let entry = self.store()?.get(&place).cloned();
        match &entry {
            None => self.counts().misses += 1,
            Some(entry) => {
                self.counts().hits += 1;
                if entry.lifetimes.max_idle.is_some() {
                    let now = self.moment.unix_ms;
                    self.store_mut()?.touch(&place, now);
                }
            }
        }
        Ok(entry)
    }

    /// Writes a value unconditionally.
    pub(crate) fn write(&mut self, place: &Place, expiration: Expiration, value: &Bytes) -> Result<(), Failure> {
        self.write_content(place, expiration, Content::Value(self.to_keep(value)))
    }

    /// Writes an entry unconditionally, and notifies listeners.
    pub(crate) fn write_content(
        &mut self,
        place: &Place,
        expiration: Expiration,
        content: Content,
    ) -> Result<(), Failure> {
        let member = self.caller.member;
        self.cache.make_room_for(member, place, &content)?;
        let now = self.moment.unix_ms;
        let lifetimes = Lifetimes::resolve(expiration, &self.cache.options, self.protocol, now);
        *self.last_version += 1;
        let version = *self.last_version;
        let place = Place { segment: place.segment, key: Bytes::copy_from_slice(&place.key) };
        let entry = Entry::new(content, version, lifetimes, now);
        let previous = self.store_mut()?.insert(&place, entry);
        self.counts().stores += 1;
        let change = if previous.is_some() { EntryChange::Modified } else { EntryChange::Created };
        self.publish(change, &place, version)
    }

    /// Returns the value to store. Copies it, since a slice would keep the whole receive buffer alive; but keeps a slice of
    /// at least three quarters of its buffer, since copying a large value delays all other clients.
    fn to_keep(&self, value: &Bytes) -> Bytes {
        if self.caller.own_buffer > 0 && value.len() >= self.caller.own_buffer / 4 * 3 {
            value.clone()
        } else {
            Bytes::copy_from_slice(value)
        }
    }

    /// Converts a request's key to that of the entry.
    pub(crate) fn stored_key(&self, key: &Bytes) -> Result<Bytes, Failure> {
        self.transcoding.keys.for_storage(key)
    }

    /// Converts the value of an entry for the answer.
    pub(crate) fn value_of(&self, entry: &Entry) -> Result<Bytes, Failure> {
        self.transcoding.values.for_answer(entry.value()?)
    }

    /// Returns the place of a stored key. Counts the access, and checks that an owner that the access needs is alive.
    pub(crate) fn locate(&mut self, key: &Bytes, access: Access) -> Result<Place, Failure> {
        let place = self.store()?.place_of(key, self.transcoding.keys.hashed(key));
        if self.cache.is_local() {
            self.counts().direct_hits += 1;
            return Ok(place);
        }
        let owners = self.cache.ownership.of(place.segment);
        let needed = if access == Access::Write { &owners[..owners.len().min(1)] } else { owners };
        let reachable = needed.iter().any(|owner| self.members.is_alive(*owner));
        let suspected = owners.first().copied();
        if suspected == Some(self.caller.member) {
            self.counts().direct_hits += 1;
        } else {
            self.counts().forwarded += 1;
        }
        if reachable { Ok(place) } else { Err(self.suspected(suspected)) }
    }

    fn suspected(&self, member: Option<MemberId>) -> Failure {
        let member = member.and_then(|member| self.members.all.get(&member));
        let address = member.map_or_else(String::new, |member| {
            let address = &member.address;
            format!(" {}:{}", address.host, address.port)
        });
        let message =
            format!("org.infinispan.remoting.transport.jgroups.SuspectException: Node{address} was suspected");
        Failure { status: Status::NODE_SUSPECTED, message }
    }

    /// Notifies listeners. As in a server, a write whose key can't be converted for one of them fails after its execution.
    pub(crate) fn publish(&mut self, change: EntryChange, place: &Place, version: u64) -> Result<(), Failure> {
        if self.flags.contains(Flags::SKIP_LISTENER_NOTIFICATION) {
            return Ok(());
        }
        let only_of = self.cache.is_local().then_some(self.caller.member);
        self.cache.listeners.publish(change, place, version, only_of, self.queues)
    }

    pub(crate) fn store(&self) -> Result<&Store, Failure> {
        self.cache.store(self.caller.member).ok_or_else(not_running)
    }

    pub(crate) fn store_mut(&mut self) -> Result<&mut Store, Failure> {
        self.cache.store_mut(self.caller.member).ok_or_else(not_running)
    }

    pub(crate) fn counts(&mut self) -> &mut crate::statistics::Counts {
        self.cache.counts_mut(self.caller.member)
    }

    fn add_to_bloom(&mut self, key: &Bytes) {
        if let Some(bloom) = self.cache.listeners.bloom_of(self.caller.connection) {
            bloom.add(key);
        }
    }

    /// Follows `writeSuccess` of the server.
    fn executed(&self, previous: Option<&Entry>) -> Outcome {
        if !self.flags.contains(Flags::FORCE_RETURN_VALUE) {
            return Ok(Answer::SUCCESS);
        }
        let previous = previous.map(|entry| self.previous_of(entry)).transpose()?.map(Box::new);
        Ok(Answer { status: Status::SUCCESS_WITH_PREVIOUS, body: Body::Previous(previous) })
    }

    /// Follows `writeNotExecuted` of the server.
    fn refused(&self, present: &Entry) -> Outcome {
        if !self.flags.contains(Flags::FORCE_RETURN_VALUE) {
            return Ok(Answer::NOT_EXECUTED);
        }
        let present = Some(Box::new(self.previous_of(present)?));
        Ok(Answer { status: Status::NOT_EXECUTED_WITH_PREVIOUS, body: Body::Previous(present) })
    }

    fn previous_of(&self, entry: &Entry) -> Result<Previous, Failure> {
        Ok(Previous { metadata: Some(entry.metadata()), value: self.value_of(entry)? })
    }
}

fn not_running() -> Failure {
    Failure { status: Status::ILLEGAL_LIFECYCLE_STATE, message: "the member is not running".into() }
}
