//! The columns of the table of operations that classify an operation, and the meaning of each value.
//!
//! Every row fills every column. A column whose values name a field of the request, such as the key that a write
//! changes, is read from the request; the other columns are fields of [`Row`](super::Row).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bytes::Bytes;

use super::super::Version;
use super::super::types::Xid;
use super::Operation;

/// Member that an operation may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Routing {
    /// The primary owner of the operation's key; another member forwards it.
    Key,
    /// As [`Key`](Self::Key), of a key that servers store as it is, whatever media type the request declares.
    StoredKey,
    /// Any member.
    Any,
    /// The member that holds the state that the operation refers to: an iteration, a stream, a listener, an
    /// authentication.
    Same,
}

/// Effect of executing an operation a second time; decides whether it may be retried after its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// None: the operation only reads.
    Reads,
    /// The same state as after the first time, unless another client writes in between.
    Overwrites,
    /// Another state or another answer: the operation counts, compares, or reports what it replaced.
    Changes,
}

/// Effect of a request on near caches of its cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NearCacheEffect<'a> {
    /// The operation changes no entry, and no near cache answers it.
    Nothing,
    /// A near cache may answer the operation with its entry of this key. The reply is then a value, a value with
    /// metadata, or nothing but a status.
    Read(&'a Bytes),
    /// The operation may change the entry of this key.
    Key(&'a Bytes),
    /// The operation may change the entries of these keys.
    Entries(&'a [(Bytes, Bytes)]),
    /// The operation may change any entry: all are removed, it runs code in the server, or another request named its
    /// key (a transaction, a stream).
    Everything,
}

/// Effect of a request on the listeners of its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerEffect<'a> {
    /// The operation neither registers nor removes a listener.
    None,
    /// The operation registers the listener of this id; [`Request::listener_removal`](super::Request::listener_removal)
    /// undoes it.
    Adds(&'a Bytes),
    /// The operation removes the listener of this id.
    Removes(&'a Bytes),
}

/// Step of a transaction that a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStep<'a> {
    /// The request belongs to no transaction.
    None,
    /// The request prepares the transaction: the member that answers holds its state until it is ended.
    Prepares(&'a Xid),
    /// The request ends the transaction: it commits, rolls back, forgets, or prepares and commits in one phase.
    Ends(&'a Xid),
}

impl<'a> TransactionStep<'a> {
    /// Returns the transaction that the request belongs to.
    pub fn xid(self) -> Option<&'a Xid> {
        match self {
            Self::None => None,
            Self::Prepares(xid) | Self::Ends(xid) => Some(xid),
        }
    }
}

/// Size of an operation's successful answer; decides whether small operations should overtake it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerSize {
    /// Numbers, names and settings: no values of the cache.
    Small,
    /// The value or values of one key, a chunk of a value, or the result of a query or task: as large as users make
    /// them.
    Value,
    /// Entries of many keys: expected to be large.
    Many,
}

/// Place of an operation's outcome in a reply that is no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The body alone: a missing one means that there is no entry, and the status says nothing else.
    Body,
    /// The status: whether the operation was executed, or whether the thing exists.
    Flag,
    /// The status: whether the operation's condition held. The body is the previous entry.
    Condition,
    /// The status: whether the entry still had the expected version, has another one, or is missing.
    Version,
    /// The status, if there is no body: there is no such counter, or the counter has reached its bound.
    Counter,
}

/// Protocol versions in which servers read an operation's requests in the form of the table.
///
/// Servers read most operations in every version, also before [`Row::since`](super::Row::since). Chunked values have
/// another form from 4.1 on: Infinispan 16.0.7 throws in the middle of requests that have the other version's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Versions {
    /// All.
    Every,
    /// All before this one.
    Before(Version),
    /// This one and all newer.
    From(Version),
}

/// Form in which the drivers of all languages offer an operation to their users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Offer {
    /// Not offered: the machine submits it. Authentication, listeners and iterations have commands of their own.
    Internal,
    /// A method, generated in each language from its fields and answer.
    Method,
    /// A method that takes or returns many keys or entries: written by hand in languages whose maps and lists it uses.
    Collection,
    /// A step of a stream, all of whose steps one member executes: drivers offer the whole stream.
    Stream,
}

impl Operation {
    /// Whether users submit the operation; see [`Offer::Internal`] for the others.
    pub fn is_offered(self) -> bool {
        self.row().offer != Offer::Internal
    }

    /// Whether a server reads the operation's requests in `version` as the table has them.
    pub(crate) fn is_read_at(self, version: Version) -> bool {
        match self.row().versions {
            Versions::Every => true,
            Versions::Before(end) => version < end,
            Versions::From(first) => version >= first,
        }
    }
}

/// An item of a bulk operation: a key, or a key and its value.
pub(super) trait Keyed: Clone {
    fn key(&self) -> &Bytes;
}

impl Keyed for Bytes {
    fn key(&self) -> &Bytes {
        self
    }
}

impl Keyed for (Bytes, Bytes) {
    fn key(&self) -> &Bytes {
        &self.0
    }
}

/// Groups items by the owners of their keys, in the order in which they stand.
pub(super) fn by_owner<T: Keyed, O: Ord>(items: &[T], mut owner_of: impl FnMut(&Bytes) -> O) -> BTreeMap<O, Vec<T>> {
    let mut parts: BTreeMap<O, Vec<T>> = BTreeMap::new();
    for item in items {
        parts.entry(owner_of(item.key())).or_default().push(item.clone());
    }
    parts
}
