//! Operations between their submission and their end.

use core::time::Duration;

use slotmap::new_key_type;

use crate::cluster::cache::CacheHandle;
use crate::cluster::features::iteration::IterationId;
use crate::cluster::features::listener::ListenerId;
use crate::cluster::members::MemberId;
use crate::cluster::operations::bulk::BulkId;
use crate::cluster::transport::open_session::SessionId;
use crate::wire::Request;

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
