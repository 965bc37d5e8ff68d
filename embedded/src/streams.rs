//! Streams: values read and written in chunks (4.1).

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use hotrod_core::time::Instant;
use hotrod_core::wire::{Body, Expiration, Status};

use crate::answer::{Answer, Failure, Outcome};
use crate::event_queues::ConnectionId;
use crate::memory::StateMemory;
use crate::single_key::{Caller, Condition, Job};

/// Estimated memory of a stream without its value, in bytes.
const OWN_BYTES: usize = 256;

struct Stream {
    caller: Caller,
    used: Instant,
    /// Bytes counted in [`StateMemory`].
    held: usize,
    kind: Kind,
}

enum Kind {
    Get { rest: Bytes, chunk: usize },
    Put { key: Bytes, expiration: Expiration, condition: Condition, value: BytesMut },
}

/// All streams of the cluster, by their number.
#[derive(Default)]
pub(crate) struct Streams {
    all: BTreeMap<i32, Stream>,
    next: i32,
}

/// A chunk for the client.
struct Chunk {
    bytes: Bytes,
    complete: bool,
}

impl Streams {
    pub(crate) fn start_get(
        &mut self,
        job: &mut Job<'_>,
        key: &Bytes,
        chunk_length: u32,
        states: &mut StateMemory,
    ) -> Outcome {
        let Some(entry) = job.read(key)? else { return Ok(Answer::NOT_EXISTING) };
        let metadata = entry.metadata();
        let rest = job.value_of(&entry)?;
        let length = rest.len();
        let id = self.insert(job, Kind::Get { rest, chunk: chunk_length.max(1) as usize }, length, states);
        let Some(Chunk { bytes, complete }) = self.next_chunk(id, job) else { return Err(unknown(id)) };
        Ok(Answer::with(Body::StreamStart { stream_id: id, complete, metadata: Box::new(metadata), chunk: bytes }))
    }

    pub(crate) fn next_get(&mut self, job: &Job<'_>, id: i32) -> Outcome {
        let Some(Chunk { bytes, complete }) = self.next_chunk(id, job) else { return Err(unknown(id)) };
        Ok(Answer::with(Body::StreamChunk { stream_id: id, complete, chunk: bytes }))
    }

    pub(crate) fn start_put(
        &mut self,
        job: &Job<'_>,
        key: &Bytes,
        expiration: Expiration,
        condition: Condition,
        states: &mut StateMemory,
    ) -> Answer {
        let (key, value) = (Bytes::copy_from_slice(key), BytesMut::new());
        let length = key.len();
        let id = self.insert(job, Kind::Put { key, expiration, condition, value }, length, states);
        Answer::with(Body::PutStreamId(id))
    }

    /// Appends a chunk, and stores the value with the last one. A value larger than `limit` bytes ends the stream.
    pub(crate) fn next_put(
        &mut self,
        job: &mut Job<'_>,
        (id, last, chunk): (i32, bool, &Bytes),
        limit: usize,
        states: &mut StateMemory,
    ) -> Outcome {
        if chunk.is_empty() {
            let message = "org.infinispan.server.hotrod.RequestParsingException: \
                           Retained chunk requires a chunk length greater than 0";
            return Err(Failure { status: Status::PARSE_ERROR, message: message.into() });
        }
        let Some(stream) = self.of_member(id, job.caller) else { return Err(unknown(id)) };
        stream.used = job.moment.now;
        let Kind::Put { value, .. } = &mut stream.kind else { return Err(unknown(id)) };
        if value.len() + chunk.len() > limit {
            self.remove(id, states);
            return Err(Failure::server_error(format!("a value of more than {limit} bytes")));
        }
        value.extend_from_slice(chunk);
        stream.held += chunk.len();
        states.add(stream.caller.connection, chunk.len());
        if !last {
            return Ok(Answer::SUCCESS);
        }
        match self.remove(id, states) {
            Some(Kind::Put { key, expiration, condition, value }) => {
                job.put(&key, expiration, &value.freeze(), condition)
            }
            _ => Err(unknown(id)),
        }
    }

    /// Ends a stream of either kind. Succeeds also if there is none.
    pub(crate) fn end(&mut self, id: i32, caller: Caller, states: &mut StateMemory) -> Answer {
        if self.of_member(id, caller).is_some() {
            self.remove(id, states);
        }
        Answer::SUCCESS
    }

    fn remove(&mut self, id: i32, states: &mut StateMemory) -> Option<Kind> {
        let stream = self.all.remove(&id)?;
        states.take(stream.caller.connection, stream.held);
        Some(stream.kind)
    }

    pub(crate) fn count_of(&self, connection: ConnectionId) -> usize {
        self.all.values().filter(|stream| stream.caller.connection == connection).count()
    }

    pub(crate) fn retain(&mut self, states: &mut StateMemory, keep: impl Fn(Caller, Instant) -> bool) {
        self.all.retain(|_, stream| {
            let is_kept = keep(stream.caller, stream.used);
            if !is_kept {
                states.take(stream.caller.connection, stream.held);
            }
            is_kept
        });
    }

    /// Time of the last use of the least recently used stream.
    pub(crate) fn oldest_use(&self) -> Option<Instant> {
        self.all.values().map(|stream| stream.used).min()
    }

    fn insert(&mut self, job: &Job<'_>, kind: Kind, length: usize, states: &mut StateMemory) -> i32 {
        let held = OWN_BYTES + length;
        states.add(job.caller.connection, held);
        while self.all.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        self.all.insert(id, Stream { caller: job.caller, used: job.moment.now, held, kind });
        id
    }

    fn next_chunk(&mut self, id: i32, job: &Job<'_>) -> Option<Chunk> {
        let stream = self.of_member(id, job.caller)?;
        stream.used = job.moment.now;
        let Kind::Get { rest, chunk } = &mut stream.kind else { return None };
        let bytes = rest.split_to(rest.len().min(*chunk));
        Some(Chunk { bytes, complete: rest.is_empty() })
    }

    fn of_member(&mut self, id: i32, caller: Caller) -> Option<&mut Stream> {
        self.all.get_mut(&id).filter(|stream| stream.caller.member == caller.member)
    }
}

fn unknown(id: i32) -> Failure {
    parse_error(&format!("StreamId {id} is not present on the server"))
}

fn parse_error(message: &str) -> Failure {
    Failure { status: Status::PARSE_ERROR, message: format!("java.io.StreamCorruptedException: {message}") }
}
