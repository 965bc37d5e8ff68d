//! Operations between their submission and their end.

use alloc::sync::Arc;
use core::time::Duration;

use slotmap::new_key_type;

use crate::cluster::cache::{CacheHandle, CacheId, ReadFrom};
use crate::cluster::features::iteration::IterationId;
use crate::cluster::features::listener::ListenerId;
use crate::cluster::members::MemberId;
use crate::cluster::operations::bulk::BulkId;
use crate::cluster::transport::conversation::{Purpose, SessionId};
use crate::session;
use crate::time::Instant;
use crate::wire::{Effect, Request, RequestOptions};

new_key_type! {
    /// An operation of one machine; never given twice.
    pub struct OperationId;
}

/// An operation to be submitted.
#[derive(Debug, Clone)]
pub struct Call {
    /// The cache.
    pub cache: CacheHandle,
    /// The operation. Its keys and values are shared, not copied.
    pub request: Request,
    /// The only member that may execute it: the one that holds the state it speaks of. `None` for any.
    pub member: Option<MemberId>,
    /// How long to wait for the answer, over all attempts; `None` for
    /// [`Config::operation_timeout`](super::super::Config::operation_timeout).
    pub timeout: Option<Duration>,
}

impl Call {
    /// For any member, with the machine's timeout.
    pub fn new(cache: &CacheHandle, request: Request) -> Self {
        Self { cache: cache.clone(), request, member: None, timeout: None }
    }
}

pub(in crate::cluster) struct Operation {
    pub(in crate::cluster) request: Request,
    pub(in crate::cluster) options: Arc<RequestOptions>,
    pub(in crate::cluster) cache: CacheId,
    pub(in crate::cluster) read_from: ReadFrom,
    pub(in crate::cluster) owner: Owner,
    pub(in crate::cluster) target: Target,
    pub(in crate::cluster) purpose: Purpose,
    pub(in crate::cluster) submitted: Instant,
    pub(in crate::cluster) deadline: Instant,
    /// Attempts that have reached a member.
    pub(in crate::cluster) attempts: u8,
    /// The member that has just failed: another is taken if there is one.
    pub(in crate::cluster) avoid: Option<MemberId>,
    pub(in crate::cluster) place: Place,
}

/// Who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Owner {
    Host,
    /// The host, and its near cache; it asked for the value alone.
    Fetch {
        value_only: bool,
    },
    /// The machine: it asks whether anybody is there.
    Startup,
    /// The machine: it asks what a cache is like.
    Probe,
    /// The machine: a step towards the entries of the probe cache.
    ProbeCache,
    /// The machine: it asks who is at the other end of a session.
    Identity(SessionId),
    /// A bulk operation that this one is a part of.
    Part(BulkId),
    /// A listener that is being registered.
    Listener(ListenerId),
    /// A part of an iteration.
    Iteration(IterationId, usize),
    Nobody,
}

/// Where an operation is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Target {
    /// To the owner of its key, or to any member if it has none.
    Key,
    /// To the member that owns all its keys; another has to forward some.
    Owner(MemberId),
    /// To this member, or else to any.
    Prefer(MemberId),
    /// To this member or none.
    Only(MemberId),
    /// By this session or none.
    Session(SessionId),
}

/// Where an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Place {
    /// Nowhere yet, or no more.
    New,
    /// No member can be tried now.
    Waiting,
    /// In the queue of a session.
    Queued(SessionId),
    /// In flight on a session.
    InFlight(SessionId, session::OperationId),
    /// Its parts are where they are.
    Split(BulkId),
}

impl Operation {
    /// Whether any owner of its key may answer it.
    pub(in crate::cluster) fn reads_from_any_owner(&self) -> bool {
        self.read_from == ReadFrom::AnyOwner && self.request.operation().row().effect == Effect::Reads
    }
}
