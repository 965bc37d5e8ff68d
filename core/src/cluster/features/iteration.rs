//! Iterations: each segment from its owner, every entry once, through changes of the cluster.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use slotmap::new_key_type;

use crate::cluster::cache::CacheHandle;
use crate::cluster::features::seen::{ANY_SEGMENT, Seen};
use crate::cluster::features::segments::SegmentSet;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::operation::{Call, Owner, Target};
use crate::cluster::output::{ClusterError, Output, SubmitError};
use crate::cluster::transport::open_session::Purpose;
use crate::routing::segment_of;
use crate::session::{Applied, OperationError};
use crate::time::Instant;
use crate::wire::{Body, Factory, IterationBatch, IterationEntry, Operation, Reply, Request};

new_key_type! {
    /// An iteration; never given twice.
    pub struct IterationId;
}

/// Options of an iteration.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct IterationOptions {
    /// Only these segments: one bit each, least significant first. `None` for all.
    pub segments: Option<Bytes>,
    /// A filter-converter on the server.
    pub filter_converter: Option<Factory>,
    /// Entries in a batch of one member; 0 counts as 1,000.
    pub batch_size: u32,
    /// Whether entries come with version and lifetimes (2.5 and later).
    pub include_metadata: bool,
    /// Deadline of each batch; `None` for [`Config::operation_timeout`](super::super::Config::operation_timeout).
    pub timeout: Option<Duration>,
}

pub(in crate::cluster) struct Iteration {
    cache: CacheHandle,
    options: IterationOptions,
    parts: Vec<Part>,
    /// Batches that the host has not taken, with the index of their part: at most one of each part.
    batches: VecDeque<(usize, Vec<IterationEntry>)>,
    /// Whether the host waits for a batch.
    wanted: bool,
    failed: Option<ClusterError>,
    /// Failures since the last batch.
    failures: u8,
    seen: Seen,
}

/// The iteration over the segments of one member.
struct Part {
    /// Unfinished segments; `None` where keys are not spread by hash.
    segments: Option<SegmentSet>,
    /// Entries that its server has sent again, since the last new one or the last finished segment.
    repeated: usize,
    state: PartState,
}

enum PartState {
    Starting,
    /// The last batch has not been taken.
    Idle(Source),
    Fetching(Source),
    Done,
}

/// The iteration of a part in its server.
#[derive(Clone)]
struct Source {
    member: MemberId,
    id: String,
}

const DEFAULT_BATCH: u32 = 1000;

impl Cluster {
    /// Begins an iteration over the entries of a cache, on all members at once. [`next_entries`](Self::next_entries) requests
    /// the entries.
    pub fn iterate(
        &mut self,
        now: Instant,
        cache: &CacheHandle,
        mut options: IterationOptions,
    ) -> Result<IterationId, SubmitError> {
        self.now = now;
        self.may_submit(cache)?;
        if options.batch_size == 0 {
            options.batch_size = DEFAULT_BATCH;
        }
        let segments = options.segments.as_deref().map(SegmentSet::from_bytes);
        let id = self.iterations.insert(Iteration {
            cache: cache.clone(),
            options,
            parts: Vec::new(),
            batches: VecDeque::new(),
            wanted: false,
            failed: None,
            failures: 0,
            seen: Seen::default(),
        });
        self.plan(id, segments);
        Ok(id)
    }

    /// Requests the next entries: one [`Output::Entries`] comes for it, without entries at the end. Returns false if there is
    /// no such iteration (any more), or a request is open.
    pub fn next_entries(&mut self, now: Instant, id: IterationId) -> bool {
        self.now = now;
        match self.iterations.get_mut(id) {
            Some(iteration) if !iteration.wanted => iteration.wanted = true,
            _ => return false,
        }
        self.hand_out(id);
        true
    }

    /// Ends an iteration before its end.
    pub fn end_iteration(&mut self, now: Instant, id: IterationId) {
        self.now = now;
        let Some(iteration) = self.iterations.remove(id) else { return };
        for part in &iteration.parts {
            if let PartState::Idle(source) | PartState::Fetching(source) = &part.state {
                self.end_source(&iteration.cache, source.clone());
            }
        }
    }

    /// Begins a part for each owner of these segments, by the present view.
    fn plan(&mut self, id: IterationId, segments: Option<SegmentSet>) {
        let Some(iteration) = self.iterations.get(id) else { return };
        let cache = iteration.cache.clone();
        let view = self.caches.view(cache.id()).filter(|view| view.segments() > 0).cloned();
        let mut by_member: BTreeMap<Option<MemberId>, Option<SegmentSet>> = BTreeMap::new();
        match view {
            None => drop(by_member.insert(None, segments)),
            Some(view) => {
                let segments = segments.unwrap_or_else(|| SegmentSet::all(view.segments()));
                for segment in segments.iter() {
                    let owner = view.owners_of_segment(segment).next();
                    by_member.entry(owner).or_default().get_or_insert_default().insert(segment);
                }
            }
        }
        for (member, segments) in by_member {
            self.start_part(id, member, segments);
        }
    }

    fn start_part(&mut self, id: IterationId, member: Option<MemberId>, segments: Option<SegmentSet>) {
        let Some(iteration) = self.iterations.get_mut(id) else { return };
        let request = Request::IterationStart {
            segments: segments.as_ref().map(SegmentSet::to_bytes),
            filter_converter: iteration.options.filter_converter.clone(),
            batch_size: iteration.options.batch_size,
            include_metadata: iteration.options.include_metadata,
        };
        let part = iteration.parts.len();
        iteration.parts.push(Part { segments, repeated: 0, state: PartState::Starting });
        self.ask_part(id, part, request, member.map_or(Target::Key, Target::Prefer));
    }

    fn ask_part(&mut self, id: IterationId, part: usize, request: Request, target: Target) {
        let Some(iteration) = self.iterations.get(id) else { return };
        let call = Call { timeout: iteration.options.timeout, ..Call::new(&iteration.cache, request) };
        let operation = self.take_in(call, Owner::Iteration(id, part), target, Purpose::Operations);
        self.dispatch(operation);
    }

    fn fetch(&mut self, id: IterationId, part: usize, source: Source) {
        let Some(iteration) = self.iterations.get_mut(id) else { return };
        let (member, request) = (source.member, Request::IterationNext { iteration_id: source.id.clone() });
        iteration.parts[part].state = PartState::Fetching(source);
        self.ask_part(id, part, request, Target::Only(member));
    }

    /// Ends a part in its server, if that has a ready session; else the server drops it after its own timeout.
    fn end_source(&mut self, cache: &CacheHandle, source: Source) {
        if !self.is_closing() && self.has_ready_session(source.member) {
            let call = Call::new(cache, Request::IterationEnd { iteration_id: source.id });
            let operation = self.take_in(call, Owner::Nobody, Target::Only(source.member), Purpose::Operations);
            self.dispatch(operation);
        }
    }

    /// Handles the answer of a part.
    pub(in crate::cluster) fn part_answered(
        &mut self,
        id: IterationId,
        part: usize,
        cache: &CacheHandle,
        member: Option<MemberId>,
        result: Result<Reply, ClusterError>,
    ) {
        let Some(iteration) = self.iterations.get_mut(id) else {
            // The iteration was ended meanwhile: end it in the server too.
            if let (Ok(Reply { body: Body::IterationId(id), .. }), Some(member)) = (result, member) {
                self.end_source(cache, Source { member, id });
            }
            return;
        };
        let state = core::mem::replace(&mut iteration.parts[part].state, PartState::Done);
        match (result, state, member) {
            (Ok(Reply { body: Body::IterationId(source), .. }), _, Some(member)) => {
                self.fetch(id, part, Source { member, id: source });
            }
            (Ok(Reply { body: Body::Iteration(batch), status, .. }), PartState::Fetching(source), _)
                if status.is_success() =>
            {
                self.take_batch(id, part, source, batch);
            }
            (Err(error), ..) => self.fail_part(id, part, Some(error)),
            // The server has dropped the iteration.
            (Ok(_), ..) => self.fail_part(id, part, None),
        }
    }

    fn take_batch(&mut self, id: IterationId, part: usize, source: Source, batch: IterationBatch) {
        let Some(iteration) = self.iterations.get_mut(id) else { return };
        if batch.entries.is_empty() {
            iteration.failures = 0;
            iteration.finish_segments(part, None);
            let cache = iteration.cache.clone();
            self.end_source(&cache, source);
            return self.hand_out(id);
        }
        let cache = self.caches.get(iteration.cache.id());
        let segments = cache.view.as_ref().map_or(0, |view| view.segments() as u32);
        let form = cache.stored_form(&iteration.cache.options().key_type).filter(|_| segments > 0);
        let segment = |key: &[u8]| {
            let stored = form.and_then(|form| form.of(key));
            stored.map_or(ANY_SEGMENT, |stored| segment_of(&stored, segments))
        };
        let sent = batch.entries.len();
        let mut entries = batch.entries;
        entries.retain(|entry| iteration.seen.insert(segment(&entry.key), &entry.key));
        if iteration.finish_segments(part, Some(&SegmentSet::from_bytes(&batch.finished_segments))) {
            iteration.parts[part].repeated = 0;
        }
        if entries.is_empty() {
            return self.skip_batch(id, part, source, sent);
        }
        // Repeated entries are no progress: servers that always fail at the same place would be asked for ever.
        iteration.failures = 0;
        iteration.parts[part].repeated = 0;
        iteration.parts[part].state = PartState::Idle(source);
        iteration.batches.push_back((part, entries));
        self.hand_out(id);
    }

    /// Goes on after a batch without a new entry. A part that began again sends each returned entry once; a server that sends
    /// more makes no progress.
    fn skip_batch(&mut self, id: IterationId, part: usize, source: Source, sent: usize) {
        let Some(iteration) = self.iterations.get_mut(id) else { return };
        let returned = iteration.seen.len();
        let repeated = &mut iteration.parts[part].repeated;
        *repeated = repeated.saturating_add(sent);
        if *repeated <= returned {
            return self.fetch(id, part, source);
        }
        let cache = iteration.cache.clone();
        self.end_source(&cache, source);
        self.fail_part(id, part, None);
    }

    /// Begins new parts for the unfinished segments of a failed one, or fails the iteration.
    fn fail_part(&mut self, id: IterationId, part: usize, error: Option<ClusterError>) {
        let most = self.config.max_retries;
        let Some(iteration) = self.iterations.get_mut(id) else { return };
        iteration.failures = iteration.failures.saturating_add(1);
        let is_final = match &error {
            None | Some(ClusterError::MemberGone { .. }) => false,
            Some(ClusterError::Operation { error, .. }) => match error {
                OperationError::Server { status, .. } => !status.is_retryable(),
                OperationError::Disconnected { .. } | OperationError::GivenUp { .. } => false,
                OperationError::TimedOut { .. } => true,
            },
            Some(_) => true,
        };
        if is_final || iteration.failures > most || !iteration.seen.is_complete() {
            let iteration_next = Operation::IterationNext;
            iteration.failed = Some(
                error.unwrap_or(ClusterError::IterationLost { operation: iteration_next, times: iteration.failures }),
            );
            return self.hand_out(id);
        }
        let segments = iteration.parts[part].segments.take();
        self.plan(id, segments);
        // All parts may be done now.
        self.hand_out(id);
    }

    /// Fails all iterations: the segments and entries of another site are not the rest of theirs.
    pub(in crate::cluster) fn fail_iterations(&mut self) {
        let all: Vec<IterationId> = self.iterations.keys().collect();
        for id in all {
            if let Some(iteration) = self.iterations.get_mut(id) {
                let (operation, applied) = (Operation::IterationNext, Applied::No);
                iteration.failed.get_or_insert(ClusterError::MemberGone { operation, applied });
                iteration.batches.clear();
            }
            self.hand_out(id);
        }
    }

    /// Outputs the next batch or the end, if the host waits for it.
    fn hand_out(&mut self, id: IterationId) {
        let Some(iteration) = self.iterations.get_mut(id) else { return };
        if !iteration.wanted {
            return;
        }
        let is_over = iteration.parts.iter().all(|part| matches!(part.state, PartState::Done));
        if let Some((part, entries)) = iteration.batches.pop_front() {
            iteration.wanted = false;
            self.outputs.push_back(Output::Entries { id, result: Ok(entries) });
            let state = core::mem::replace(&mut iteration.parts[part].state, PartState::Done);
            match state {
                // The next batch comes while the host is busy with this one.
                PartState::Idle(source) => self.fetch(id, part, source),
                other => iteration.parts[part].state = other,
            }
        } else if iteration.failed.is_some() || is_over {
            let result = iteration.failed.take().map_or(Ok(Vec::new()), Err);
            self.outputs.push_back(Output::Entries { id, result });
            let now = self.now;
            self.end_iteration(now, id);
        }
    }
}

impl Iteration {
    /// Notes finished segments; `None` for all segments of the part. Returns whether there are any.
    fn finish_segments(&mut self, part: usize, finished: Option<&SegmentSet>) -> bool {
        let Some(open) = &mut self.parts[part].segments else { return false };
        let finished: Vec<usize> =
            open.iter().filter(|segment| finished.is_none_or(|set| set.contains(*segment))).collect();
        for &segment in &finished {
            open.remove(segment);
            self.seen.finish(segment as u32);
        }
        !finished.is_empty()
    }
}
