//! Made by `cargo run -p hotrod-c-generate` from spec/vocabulary.json; not to be edited.

use hotrod_core::cluster::Counters;
use hotrod_core::vocabulary::FailureKind;

/// How a call went, and of which kind a failure is. 0 is success; a number is never given to another meaning.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_status {
    /// It is done.
    HOTROD_OK = 0,
    /// The caller did something wrong: an argument, a URI, the order of calls. Nothing was sent.
    HOTROD_ERR_MISUSE = 1,
    /// Too much is going on: not now. Nothing was sent.
    HOTROD_ERR_FULL = 2,
    /// The client is closed.
    HOTROD_ERR_CLOSED = 3,
    /// The server answered with an error; its status and words are given.
    HOTROD_ERR_SERVER = 4,
    /// No answer came in time.
    HOTROD_ERR_TIMED_OUT = 5,
    /// The connection was lost, or the server broke the protocol, before the answer came.
    HOTROD_ERR_DISCONNECTED = 6,
    /// No member could be reached in time.
    HOTROD_ERR_UNREACHABLE = 7,
    /// A server was reached and did not accept the session: wrong credentials, another protocol.
    HOTROD_ERR_HANDSHAKE = 8,
    /// The operation can't be sent: the server's protocol version does not have it, or a field is too large.
    HOTROD_ERR_REFUSED = 9,
    /// The member that holds the state that the operation speaks of is gone.
    HOTROD_ERR_MEMBER_GONE = 10,
    /// Servers lost an iteration again and again.
    HOTROD_ERR_ITERATION_LOST = 11,
    /// Some parts of a bulk operation failed, and the others did not.
    HOTROD_ERR_PARTIAL = 12,
    /// There is no counter of that name.
    HOTROD_ERR_NO_SUCH_COUNTER = 13,
    /// A counter would leave its bounds; it was not changed.
    HOTROD_ERR_OUT_OF_BOUNDS = 14,
    /// The server answered with something that the operation does not have for an answer.
    HOTROD_ERR_UNEXPECTED_ANSWER = 15,
    /// A pointer that has to point to something is NULL. Nothing was done.
    HOTROD_ERR_NULL = 100,
    /// The library has a bug, and caught it: this machine can only be freed from now on.
    HOTROD_ERR_PANIC = 101,
    /// Another thread is in a call on this machine. Nothing was done.
    HOTROD_ERR_BUSY = 102,
}

impl hotrod_status {
    /// Of a kind of failure.
    pub(crate) fn of(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Misuse => Self::HOTROD_ERR_MISUSE,
            FailureKind::Full => Self::HOTROD_ERR_FULL,
            FailureKind::Closed => Self::HOTROD_ERR_CLOSED,
            FailureKind::Server => Self::HOTROD_ERR_SERVER,
            FailureKind::TimedOut => Self::HOTROD_ERR_TIMED_OUT,
            FailureKind::Disconnected => Self::HOTROD_ERR_DISCONNECTED,
            FailureKind::Unreachable => Self::HOTROD_ERR_UNREACHABLE,
            FailureKind::Handshake => Self::HOTROD_ERR_HANDSHAKE,
            FailureKind::Refused => Self::HOTROD_ERR_REFUSED,
            FailureKind::MemberGone => Self::HOTROD_ERR_MEMBER_GONE,
            FailureKind::IterationLost => Self::HOTROD_ERR_ITERATION_LOST,
            FailureKind::Partial => Self::HOTROD_ERR_PARTIAL,
            FailureKind::NoSuchCounter => Self::HOTROD_ERR_NO_SUCH_COUNTER,
            FailureKind::OutOfBounds => Self::HOTROD_ERR_OUT_OF_BOUNDS,
            FailureKind::UnexpectedAnswer => Self::HOTROD_ERR_UNEXPECTED_ANSWER,
            _ => Self::HOTROD_ERR_UNEXPECTED_ANSWER,
        }
    }
}

/// Flag of a cache's requests: Answer with the value that was there before.
pub const HOTROD_FLAG_FORCE_RETURN_VALUE: u32 = 1;
/// Flag of a cache's requests: Use the cache's default lifespan when none is given (2.0 and 2.1; later versions say
/// it in the time unit).
pub const HOTROD_FLAG_DEFAULT_LIFESPAN: u32 = 2;
/// Flag of a cache's requests: Use the cache's default maximum idle time when none is given (2.0 and 2.1).
pub const HOTROD_FLAG_DEFAULT_MAX_IDLE: u32 = 4;
/// Flag of a cache's requests: Don't load from a cache store.
pub const HOTROD_FLAG_SKIP_CACHE_LOAD: u32 = 8;
/// Flag of a cache's requests: Don't index.
pub const HOTROD_FLAG_SKIP_INDEXING: u32 = 16;
/// Flag of a cache's requests: Don't notify listeners.
pub const HOTROD_FLAG_SKIP_LISTENER_NOTIFICATION: u32 = 32;
/// The server's status: success.
pub const HOTROD_SERVER_SUCCESS: u8 = 0;
/// The server's status: not executed.
pub const HOTROD_SERVER_NOT_EXECUTED: u8 = 1;
/// The server's status: key does not exist.
pub const HOTROD_SERVER_KEY_DOES_NOT_EXIST: u8 = 2;
/// The server's status: success, with the previous value.
pub const HOTROD_SERVER_SUCCESS_WITH_PREVIOUS: u8 = 3;
/// The server's status: not executed, with the present value.
pub const HOTROD_SERVER_NOT_EXECUTED_WITH_PREVIOUS: u8 = 4;
/// The server's status: invalid iteration.
pub const HOTROD_SERVER_INVALID_ITERATION: u8 = 5;
/// The server's status: success, object storage.
pub const HOTROD_SERVER_SUCCESS_OBJECT_STORAGE: u8 = 6;
/// The server's status: success, with the previous value, object storage.
pub const HOTROD_SERVER_SUCCESS_WITH_PREVIOUS_OBJECT_STORAGE: u8 = 7;
/// The server's status: not executed, with the present value, object storage.
pub const HOTROD_SERVER_NOT_EXECUTED_WITH_PREVIOUS_OBJECT_STORAGE: u8 = 8;
/// The server's status: invalid magic or message id.
pub const HOTROD_SERVER_INVALID_MAGIC_OR_MESSAGE_ID: u8 = 129;
/// The server's status: unknown operation.
pub const HOTROD_SERVER_UNKNOWN_OPERATION: u8 = 130;
/// The server's status: unknown version.
pub const HOTROD_SERVER_UNKNOWN_VERSION: u8 = 131;
/// The server's status: request parsing error.
pub const HOTROD_SERVER_PARSE_ERROR: u8 = 132;
/// The server's status: server error.
pub const HOTROD_SERVER_SERVER_ERROR: u8 = 133;
/// The server's status: operation timed out in the server.
pub const HOTROD_SERVER_TIMED_OUT: u8 = 134;
/// The server's status: node suspected.
pub const HOTROD_SERVER_NODE_SUSPECTED: u8 = 135;
/// The server's status: illegal lifecycle state.
pub const HOTROD_SERVER_ILLEGAL_LIFECYCLE_STATE: u8 = 136;

/// What a machine has done since it was made.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_counters {
    /// Operations that were completed, the machine's own not included.
    pub operations: u64,
    /// Of these, those that failed.
    pub failures: u64,
    /// Operations sent to the primary owner of their key, or to any owner where that was asked for.
    pub direct: u64,
    /// Operations with a key sent to another member, which has to forward them.
    pub forwarded: u64,
    /// Times an operation was sent again.
    pub retries: u64,
    /// Links asked for.
    pub connects: u64,
    /// Sessions opened to find out which member answers.
    pub tries: u64,
    /// Links that failed or were lost.
    pub disconnects: u64,
    /// Topologies taken over.
    pub topologies: u64,
    /// Listeners that were registered anew after their member was lost.
    pub listener_failovers: u64,
    /// Reads answered by a near cache.
    pub near_hits: u64,
    /// Reads that a near cache could not answer.
    pub near_misses: u64,
    /// Bytes that the host has sent.
    pub bytes_sent: u64,
    /// Bytes that the host has received.
    pub bytes_received: u64,
    /// How long completed operations took: bucket n counts those below 2 to the power of n microseconds that are
    /// not in an earlier one; the last holds everything longer as well.
    pub latency: [u64; 32],
}

impl From<Counters> for hotrod_counters {
    fn from(counters: Counters) -> Self {
        Self {
            operations: counters.operations,
            failures: counters.failures,
            direct: counters.direct,
            forwarded: counters.forwarded,
            retries: counters.retries,
            connects: counters.connects,
            tries: counters.tries,
            disconnects: counters.disconnects,
            topologies: counters.topologies,
            listener_failovers: counters.listener_failovers,
            near_hits: counters.near_hits,
            near_misses: counters.near_misses,
            bytes_sent: counters.bytes_sent,
            bytes_received: counters.bytes_received,
            latency: counters.latency.buckets,
        }
    }
}
