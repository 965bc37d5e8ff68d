//! Operations between their submission and their end.

use alloc::sync::Arc;
use core::time::Duration;

use slotmap::new_key_type;

use super::cache::{CacheHandle, CacheId};
use super::link::LinkId;
use super::member::MemberId;
use crate::session;
use crate::time::Instant;
use crate::wire::{Effect, Flags, Request, RequestOptions};

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
    /// [`Config::operation_timeout`](super::Config::operation_timeout).
    pub timeout: Option<Duration>,
}

impl Call {
    /// For any member, with the machine's timeout.
    pub fn new(cache: &CacheHandle, request: Request) -> Self {
        Self { cache: cache.clone(), request, member: None, timeout: None }
    }
}

pub(super) struct Operation {
    pub(super) request: Request,
    pub(super) options: Arc<RequestOptions>,
    pub(super) cache: CacheId,
    pub(super) owner: Owner,
    pub(super) pinned: Option<MemberId>,
    pub(super) submitted: Instant,
    pub(super) deadline: Instant,
    /// Attempts that have reached a member.
    pub(super) attempts: u8,
    /// The member that has just failed: another is taken if there is one.
    pub(super) avoid: Option<MemberId>,
    /// How the last attempt failed.
    pub(super) failure: Option<session::OperationError>,
    pub(super) place: Place,
}

/// Who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Host,
    /// The machine: it asks what a cache is like.
    Probe,
}

/// Where an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere yet, or no more.
    New,
    /// No member can be tried now.
    Waiting,
    /// In the queue of a link.
    Queued(LinkId),
    /// In the session of a link.
    InFlight(LinkId, session::OperationId),
}

impl Operation {
    /// Whether executing it twice equals once, its answer included.
    pub(super) fn may_be_repeated(&self) -> bool {
        match self.request.operation().row().effect {
            Effect::Reads => true,
            Effect::Overwrites => !self.options.flags.contains(Flags::FORCE_RETURN_VALUE),
            Effect::Changes => false,
        }
    }
}
