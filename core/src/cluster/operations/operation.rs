//! Operations as they are submitted: the call, the owner of its result, the target.

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;
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
    /// The only member that may execute it, because it holds the state that the operation names. `None` for any.
    pub member: Option<MemberId>,
    /// How long to wait for the answer, over all attempts; `None` for
    /// [`Config::operation_timeout`](super::super::Config::operation_timeout).
    pub timeout: Option<Duration>,
    /// The bytes that servers store for the [keys of the request](Request::keys), one for each, by which it is routed. Empty: the
    /// machine derives them, as far as it can. For applications that know how servers convert a key where that depends on a schema.
    /// Operations on multimaps ignore them: servers store the keys of those as they are.
    pub storage_keys: Box<[Bytes]>,
}

impl Call {
    /// A call for any member, with the machine's timeout.
    pub fn new(cache: &CacheHandle, request: Request) -> Self {
        Self { cache: cache.clone(), request, member: None, timeout: None, storage_keys: Box::default() }
    }
}

/// The receiver of an operation's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Owner {
    Host,
    /// The host, and its near cache. `value_only` if the host requested no metadata.
    Fetch {
        value_only: bool,
    },
    /// The machine's startup.
    Startup,
    /// The machine: a PING of a cache, or a keep-alive.
    Ping,
    /// Discovery: a step towards the entries of the probe cache.
    ProbeCache,
    /// Discovery: STATS or SIZE of the probe cache, to identify the server of this session.
    ProbeReading(SessionId),
    /// The bulk operation of which this one is a part.
    Part(BulkId),
    /// A listener that is being registered.
    Listener(ListenerId),
    /// The machine: a check that a listener still exists.
    Check(ListenerId),
    /// A part of an iteration.
    Iteration(IterationId, usize),
    Nobody,
}

/// The member or session that an operation goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Target {
    /// The owner of its key, or any member if it has none.
    Key,
    /// The member that owns all its keys; another has to forward some.
    Owner(MemberId),
    /// This member, or else any.
    Prefer(MemberId),
    /// This member or none.
    Only(MemberId),
    /// This session or none.
    Session(SessionId),
}
