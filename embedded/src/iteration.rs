//! Iterations: batches of entries, segment by segment.

use std::collections::BTreeMap;

use bytes::Bytes;
use hotrod_core::time::Instant;
use hotrod_core::wire::{Body, IterationBatch, IterationEntry, Status};

use crate::answer::{Answer, Failure, Outcome};
use crate::event_queues::ConnectionId;
use crate::memory::StateMemory;
use crate::single_key::{Caller, Job};
use crate::store::Store;
use crate::transcoding::Transcoding;

/// Estimated memory of an iteration without its segments, in bytes.
const OWN_BYTES: usize = 256;
/// Most bytes of entries in a batch, whatever count was requested; one entry may exceed it.
const BATCH_BYTES: usize = 1 << 20;
/// Filter and converter by a query, which every Infinispan server has.
const QUERY_FILTER: &str = "iteration-filter-converter-factory";

/// An open iteration.
///
/// It has no snapshot. It returns an entry that exists all the time exactly once, and one that is written or removed
/// meanwhile at most once.
pub(crate) struct Iteration {
    pub(crate) caller: Caller,
    pub(crate) cache: String,
    batch: usize,
    with_metadata: bool,
    /// Conversions that the first request declares.
    transcoding: Transcoding,
    /// Unfinished segments, the current one last.
    segments: Vec<u32>,
    /// Last returned key of the current segment.
    after: Option<Bytes>,
    used: Instant,
    /// Bytes counted in [`StateMemory`].
    held: usize,
}

/// Settings of an iteration from its first request.
pub(crate) struct IterationOptions {
    pub(crate) segments: Option<Bytes>,
    pub(crate) batch: u32,
    pub(crate) with_metadata: bool,
}

/// All iterations of the cluster, by their number.
#[derive(Default)]
pub(crate) struct Iterations {
    all: BTreeMap<u64, Iteration>,
    last: u64,
}

impl Iterations {
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Starts an iteration and answers with its id.
    pub(crate) fn start(&mut self, job: &Job<'_>, options: &IterationOptions, states: &mut StateMemory) -> Answer {
        let count = job.cache.options.segments;
        let asked = |segment: &u32| options.segments.as_ref().is_none_or(|mask| is_set(mask, *segment));
        let held = OWN_BYTES + job.cache.name.len() + count as usize * size_of::<u32>();
        states.add(job.caller.connection, held);
        self.last += 1;
        let iteration = Iteration {
            caller: job.caller,
            cache: job.cache.name.clone(),
            batch: options.batch.max(1) as usize,
            with_metadata: options.with_metadata,
            transcoding: job.transcoding.clone(),
            segments: (0..count).rev().filter(asked).collect(),
            after: None,
            used: job.moment.now,
            held,
        };
        self.all.insert(self.last, iteration);
        Answer::with(Body::IterationId(self.last.to_string()))
    }

    /// Returns the cache of an iteration of the caller's member.
    pub(crate) fn cache_of(&self, id: &str, caller: Caller) -> Option<&str> {
        let iteration = self.all.get(&id.parse().ok()?)?;
        (iteration.caller.member == caller.member).then_some(&iteration.cache)
    }

    pub(crate) fn next(&mut self, id: &str, job: &Job<'_>) -> Outcome {
        let iteration = id.parse().ok().and_then(|id: u64| self.all.get_mut(&id));
        let Some(iteration) = iteration else { return Ok(invalid_batch()) };
        iteration.used = job.moment.now;
        Ok(Answer::with(Body::Iteration(iteration.next(job.store()?)?)))
    }

    pub(crate) fn end(&mut self, id: &str, caller: Caller, states: &mut StateMemory) -> Answer {
        let known = self.cache_of(id, caller).is_some();
        let removed = id.parse().ok().filter(|_| known).and_then(|id: u64| self.all.remove(&id));
        let Some(removed) = removed else { return Answer { status: Status::INVALID_ITERATION, body: Body::Nothing } };
        states.take(removed.caller.connection, removed.held);
        Answer::SUCCESS
    }

    pub(crate) fn count_of(&self, connection: ConnectionId) -> usize {
        self.all.values().filter(|iteration| iteration.caller.connection == connection).count()
    }

    pub(crate) fn retain(&mut self, states: &mut StateMemory, keep: impl Fn(Caller, Instant) -> bool) {
        self.all.retain(|_, iteration| {
            let is_kept = keep(iteration.caller, iteration.used);
            if !is_kept {
                states.take(iteration.caller.connection, iteration.held);
            }
            is_kept
        });
    }

    /// Time of the last use of the least recently used iteration.
    pub(crate) fn oldest_use(&self) -> Option<Instant> {
        self.all.values().map(|iteration| iteration.used).min()
    }
}

impl Iteration {
    fn next(&mut self, store: &Store) -> Result<IterationBatch, Failure> {
        let (mut entries, mut finished) = (Vec::new(), Vec::new());
        let mut room = BATCH_BYTES;
        while let Some(segment) = self.segments.last().copied() {
            if !self.read_segment(segment, store, &mut entries, &mut room)? {
                break;
            }
            self.after = None;
            self.segments.pop();
            finished.push(segment);
        }
        Ok(IterationBatch { finished_segments: bits(&finished), entries })
    }

    /// Reads further entries of a segment; returns whether it is finished.
    fn read_segment(
        &mut self,
        segment: u32,
        store: &Store,
        entries: &mut Vec<IterationEntry>,
        room: &mut usize,
    ) -> Result<bool, Failure> {
        let after = self.after.clone();
        for (key, entry) in store.scan(segment, after.as_ref()) {
            if entries.len() == self.batch || *room == 0 {
                return Ok(false);
            }
            let value = self.transcoding.values.for_answer(entry.value()?)?;
            *room = room.saturating_sub(key.len() + value.len());
            self.after = Some(key.clone());
            let metadata = self.with_metadata.then(|| entry.metadata());
            entries.push(IterationEntry { key: self.transcoding.keys.for_answer(key)?, values: vec![value], metadata });
        }
        Ok(true)
    }
}

/// Answer to a request that names an unknown iteration.
pub(crate) fn invalid_batch() -> Answer {
    let batch = IterationBatch { finished_segments: Bytes::new(), entries: Vec::new() };
    Answer { status: Status::INVALID_ITERATION, body: Body::Iteration(batch) }
}

/// Tells the filter of a server with queries from one that there is nowhere.
pub(crate) fn refused_filter(name: &str) -> Failure {
    if name == QUERY_FILTER {
        return Failure::unsupported(format_args!("the iteration's filter '{name}'"));
    }
    Failure::server_error(format!("java.lang.IllegalStateException: ISPN005060: Factory '{name}' not found in server"))
}

fn is_set(mask: &[u8], bit: u32) -> bool {
    mask.get(bit as usize / 8).is_some_and(|byte| byte & 1 << (bit % 8) != 0)
}

/// Returns the bytes of Java's `BitSet`: lowest bit first, without trailing zero bytes.
fn bits(numbers: &[u32]) -> Bytes {
    let mut bytes = Vec::new();
    for number in numbers {
        let index = *number as usize / 8;
        if bytes.len() <= index {
            bytes.resize(index + 1, 0u8);
        }
        bytes[index] |= 1 << (number % 8);
    }
    bytes.into()
}
