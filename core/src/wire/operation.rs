//! The table of operations. Each row gives an operation its request, encoder and decoder, its names in all languages, and
//! its columns: what every other layer must know of it.
//!
//! Every row fills every column: one that leaves a column out, or names a field that the request does not have, does not
//! compile. [`columns`] explains the values. Source of the rows: `HotRodOperation` and hotrod.gr of the server; first
//! versions from the protocol's documentation.

mod columns;
#[macro_use]
mod declare;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::arguments::{Argument, ArgumentKind, Arguments};
use super::expiration::Expiration;
use super::fields::{self, Context, Field};
use super::oversize::{Fits, Oversize};
use super::reader::{Read, Reader};
use super::types::{AuthResponse, Change, CounterConfiguration, Factory, ListenerOptions, Modification, Xid};
use super::{Flags, Version};
use crate::send_buffer::SendBuffer;

use self::columns::Keyed;
pub use self::columns::{
    AnswerSize, Effect, ListenerEffect, NearCacheEffect, Offer, Outcome, Routing, TransactionStep, Versions,
};

/// Form of an operation's successful answer; see [`Body`](super::Body).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // each is the variant of Body of that name
pub enum ReplyShape {
    Nothing,
    Value,
    VersionedValue,
    ValueWithMetadata,
    Previous,
    Statistics,
    Ping,
    MarkedEntries,
    MarkedKeys,
    Entries,
    Mechanisms,
    Challenge,
    Size,
    IterationId,
    Iteration,
    PutStreamId,
    StreamStart,
    StreamChunk,
    XaCode,
    Xids,
    CounterConfiguration,
    CounterValue,
    CounterNames,
    Values,
    ValuesWithMetadata,
    Boolean,
}

/// A field of a request, for documentation and tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// Name, as in hotrod.gr.
    pub name: &'static str,
    /// Form on the wire, in the words of hotrod.gr.
    pub shape: &'static str,
    /// Argument that users give for it.
    pub argument: ArgumentKind,
}

/// A row of the table.
///
/// Columns that name a field of the request are methods of [`Request`]: [`routing_key`](Request::routing_key),
/// [`near_cache`](Request::near_cache), [`listener`](Request::listener), [`transaction`](Request::transaction) and
/// [`split_by`](Request::split_by).
///
/// No column has a default. The table's macro makes each row of a literal like this one, which leaves columns out:
///
/// ```compile_fail,E0063
/// use hotrod_core::wire::{Operation, Row};
///
/// let row = Row { operation: Operation::Get, name: "GET", variant: "Get", doc: "Reads a value." };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The operation.
    pub operation: Operation,
    /// Name in the protocol's documentation: `PUT_IF_ABSENT`.
    pub name: &'static str,
    /// Name in Rust: `PutIfAbsent`.
    pub variant: &'static str,
    /// Opcode in a request.
    pub request_opcode: u8,
    /// Opcode in a reply.
    pub reply_opcode: u8,
    /// First version that has the operation.
    pub since: Version,
    /// Member that the operation may be sent to.
    pub routing: Routing,
    /// Effect of executing it a second time.
    pub effect: Effect,
    /// Fields after the header, in order.
    pub fields: &'static [FieldInfo],
    /// Form of its answer.
    pub reply: ReplyShape,
    /// Size of its answer.
    pub answer_size: AnswerSize,
    /// Place of its outcome in a reply that is no error.
    pub outcome: Outcome,
    /// Whether a server executes it in a session that is not authenticated.
    pub before_authentication: bool,
    /// Versions in which servers read its requests in the form of the table.
    pub versions: Versions,
    /// Form in which drivers offer it to users.
    pub offer: Offer,
    /// Documentation.
    pub doc: &'static str,
}

operations! {
    /// Stores a value, whether or not there is one.
    "PUT" Put 0x01 -> 0x02, V2_0 { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes } -> Previous {
        routing: Key(key), effect: Overwrites, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads a value.
    "GET" Get 0x03 -> 0x04, V2_0 { key: Key = Bytes } -> Value {
        routing: Key(key), effect: Reads, near_cache: Read(key), listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Stores a value if there is none.
    "PUT_IF_ABSENT" PutIfAbsent 0x05 -> 0x06, V2_0 { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes } -> Previous {
        routing: Key(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Condition, before_authentication: false, versions: Every, offer: Method
    }
    /// Stores a value if there is one.
    "REPLACE" Replace 0x07 -> 0x08, V2_0 { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes } -> Previous {
        routing: Key(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Condition, before_authentication: false, versions: Every, offer: Method
    }
    /// Stores a value if the entry still has that version.
    "REPLACE_IF_UNMODIFIED" ReplaceIfUnmodified 0x09 -> 0x0A, V2_0 { key: Key = Bytes, expiration: Lifetimes = Expiration, entry_version: EntryVersion = u64, value: Value = Bytes } -> Previous {
        routing: Key(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Version, before_authentication: false, versions: Every, offer: Method
    }
    /// Removes an entry.
    "REMOVE" Remove 0x0B -> 0x0C, V2_0 { key: Key = Bytes } -> Previous {
        routing: Key(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Condition, before_authentication: false, versions: Every, offer: Method
    }
    /// Removes an entry if it still has that version.
    "REMOVE_IF_UNMODIFIED" RemoveIfUnmodified 0x0D -> 0x0E, V2_0 { key: Key = Bytes, entry_version: EntryVersion = u64 } -> Previous {
        routing: Key(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Version, before_authentication: false, versions: Every, offer: Method
    }
    /// Tests whether there is an entry.
    "CONTAINS_KEY" ContainsKey 0x0F -> 0x10, V2_0 { key: Key = Bytes } -> Nothing {
        routing: Key(key), effect: Reads, near_cache: Read(key), listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Flag, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads a value and its version.
    "GET_WITH_VERSION" GetWithVersion 0x11 -> 0x12, V2_0 { key: Key = Bytes } -> VersionedValue {
        routing: Key(key), effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Removes all entries.
    "CLEAR" Clear 0x13 -> 0x14, V2_0 {} -> Nothing {
        routing: Any, effect: Overwrites, near_cache: Everything, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads the statistics of the cache and the server.
    "STATS" Stats 0x15 -> 0x16, V2_0 {} -> Statistics {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Tests whether the server and the cache exist; returns the operations that the server knows.
    "PING" Ping 0x17 -> 0x18, V2_0 {} -> Ping {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: true, versions: Every, offer: Method
    }
    /// Reads up to `count` entries, 0 for all.
    "BULK_GET" BulkGet 0x19 -> 0x1A, V2_0 { count: VInt = u32 } -> MarkedEntries {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Many, outcome: Body, before_authentication: false, versions: Every, offer: Collection
    }
    /// Reads a value, its version and its lifetimes.
    "GET_WITH_METADATA" GetWithMetadata 0x1B -> 0x1C, V2_0 { key: Key = Bytes } -> ValueWithMetadata {
        routing: Key(key), effect: Reads, near_cache: Read(key), listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads all keys; scope 0 default, 1 global, 2 local.
    "BULK_GET_KEYS" BulkGetKeys 0x1D -> 0x1E, V2_0 { scope: VInt = u32 } -> MarkedKeys {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Many, outcome: Body, before_authentication: false, versions: Every, offer: Collection
    }
    /// Runs a query, given as a serialized `QueryRequest`; returns a serialized `QueryResponse`.
    "QUERY" Query 0x1F -> 0x20, V2_0 { query: Value = Bytes } -> Value {
        routing: Any, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads the names of the SASL mechanisms that the server offers.
    "AUTH_MECH_LIST" AuthMechList 0x21 -> 0x22, V2_0 {} -> Mechanisms {
        routing: Same, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: true, versions: Every, offer: Internal
    }
    /// Sends a response of a SASL authentication.
    "AUTH" Auth 0x23 -> 0x24, V2_0 { mechanism: Name = String, response: Response = AuthResponse } -> Challenge {
        routing: Same, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: true, versions: Every, offer: Internal
    }
    /// Adds a listener; its events carry the id of this request's message.
    "ADD_CLIENT_LISTENER" AddClientListener 0x25 -> 0x26, V2_0 { listener_id: Blob = Bytes, options: Listener = ListenerOptions } -> Nothing {
        routing: Any, effect: Changes, near_cache: Nothing, listener: Adds(listener_id, RemoveClientListener { listener_id }), transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Internal
    }
    /// Removes a listener.
    "REMOVE_CLIENT_LISTENER" RemoveClientListener 0x27 -> 0x28, V2_0 { listener_id: Blob = Bytes } -> Nothing {
        routing: Same, effect: Changes, near_cache: Nothing, listener: Removes(listener_id), transaction: None, split: Whole,
        answer_size: Small, outcome: Flag, before_authentication: false, versions: Every, offer: Internal
    }
    /// Counts the entries in the whole cluster.
    "SIZE" Size 0x29 -> 0x2A, V2_0 {} -> Size {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Runs a task in the server; at most 127 parameters.
    "EXEC" Exec 0x2B -> 0x2C, V2_1 { task: Name = String, parameters: TaskParameters = Vec<(String, Bytes)> } -> Value {
        routing: Any, effect: Changes, near_cache: Everything, listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Stores many values.
    "PUT_ALL" PutAll 0x2D -> 0x2E, V2_1 { expiration: Lifetimes = Expiration, entries: Entries = Vec<(Bytes, Bytes)> } -> Nothing {
        routing: Any, effect: Overwrites, near_cache: Entries(entries), listener: None, transaction: None, split: ByOwner(entries, expiration),
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Collection
    }
    /// Reads many values; keys without an entry are left out.
    "GET_ALL" GetAll 0x2F -> 0x30, V2_1 { keys: Keys = Vec<Bytes> } -> Entries {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: ByOwner(keys),
        answer_size: Many, outcome: Body, before_authentication: false, versions: Every, offer: Collection
    }
    /// Starts an iteration over some segments (a bit each) or all.
    "ITERATION_START" IterationStart 0x31 -> 0x32, V2_3 { segments: SegmentMask = Option<Bytes>, filter_converter: OptionalFactory = Option<Factory>, batch_size: VInt = u32, include_metadata: FlagSince24 = bool } -> IterationId {
        routing: Any, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Internal
    }
    /// Reads the next entries of an iteration.
    "ITERATION_NEXT" IterationNext 0x33 -> 0x34, V2_3 { iteration_id: Name = String } -> Iteration {
        routing: Same, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Many, outcome: Body, before_authentication: false, versions: Every, offer: Internal
    }
    /// Ends an iteration.
    "ITERATION_END" IterationEnd 0x35 -> 0x36, V2_3 { iteration_id: Name = String } -> Nothing {
        routing: Same, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Flag, before_authentication: false, versions: Every, offer: Internal
    }
    /// Reads a value from an offset on, with its version and lifetimes. Servers up to 16 announce the rest of the value and send all of it: only offset 0 leaves the stream in step.
    "GET_STREAM" GetStream 0x37 -> 0x38, V2_6 { key: Key = Bytes, offset: VInt = u32 } -> ValueWithMetadata {
        routing: Key(key), effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: Every, offer: Stream
    }
    /// Stores a value given in chunks: version 0 as PUT, -1 as PUT_IF_ABSENT, another as REPLACE_IF_UNMODIFIED. At 4.1 servers refuse it: START_PUT_STREAM has taken its place.
    "PUT_STREAM" PutStream 0x39 -> 0x3A, V2_6 { key: Key = Bytes, expiration: Lifetimes = Expiration, entry_version: EntryVersion = u64, chunks: Chunks = Vec<Bytes> } -> Previous {
        routing: Key(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Condition, before_authentication: false, versions: Before(V4_1), offer: Stream
    }
    /// Prepares a transaction, with a timeout of 60 s.
    "PREPARE_TX" PrepareTx 0x3B -> 0x3C, V2_7 { xid: TransactionId = Xid, one_phase_commit: Flag = bool, modifications: Modifications = Vec<Modification> } -> XaCode {
        routing: Any, effect: Changes, near_cache: Everything, listener: None, transaction: Prepares(xid, one_phase_commit), split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Commits a prepared transaction.
    "COMMIT_TX" CommitTx 0x3D -> 0x3E, V2_7 { xid: TransactionId = Xid } -> XaCode {
        routing: Any, effect: Changes, near_cache: Everything, listener: None, transaction: Ends(xid), split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Rolls a transaction back.
    "ROLLBACK_TX" RollbackTx 0x3F -> 0x40, V2_7 { xid: TransactionId = Xid } -> XaCode {
        routing: Any, effect: Changes, near_cache: Nothing, listener: None, transaction: Ends(xid), split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Adds a near-cache listener whose events are of the keys that a bloom filter of `bloom_bits` bits may hold.
    "ADD_BLOOM_FILTER_NEAR_CACHE_LISTENER" AddBloomFilterListener 0x41 -> 0x42, V3_1 { listener_id: Blob = Bytes, bloom_bits: VInt = u32 } -> Nothing {
        routing: Any, effect: Changes, near_cache: Nothing, listener: Adds(listener_id, RemoveClientListener { listener_id }), transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Internal
    }
    /// Replaces the bloom filter of this connection's near-cache listener.
    "UPDATE_BLOOM_FILTER" UpdateBloomFilter 0x43 -> 0x44, V3_1 { bloom_filter: Value = Bytes } -> Nothing {
        routing: Same, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Internal
    }
    /// Creates a counter; returns false if there is one of that name.
    "COUNTER_CREATE" CounterCreate 0x4B -> 0x4C, V2_7 { counter: Name = String, configuration: Counter = CounterConfiguration } -> Nothing {
        routing: Any, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Flag, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads the configuration of a counter.
    "COUNTER_GET_CONFIGURATION" CounterGetConfiguration 0x4D -> 0x4E, V2_7 { counter: Name = String } -> CounterConfiguration {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Tests whether there is a counter of that name. Its reply is 0x51: 0x50 is taken by errors.
    "COUNTER_IS_DEFINED" CounterIsDefined 0x4F -> 0x51, V2_7 { counter: Name = String } -> Nothing {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Flag, before_authentication: false, versions: Every, offer: Method
    }
    /// Adds to a counter and returns its new value (0 for a weak one).
    "COUNTER_ADD_AND_GET" CounterAddAndGet 0x52 -> 0x53, V2_7 { counter: Name = String, delta: Long = i64 } -> CounterValue {
        routing: Any, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Counter, before_authentication: false, versions: Every, offer: Method
    }
    /// Sets a counter back to its initial value.
    "COUNTER_RESET" CounterReset 0x54 -> 0x55, V2_7 { counter: Name = String } -> Nothing {
        routing: Any, effect: Overwrites, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Counter, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads the value of a counter.
    "COUNTER_GET" CounterGet 0x56 -> 0x57, V2_7 { counter: Name = String } -> CounterValue {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Counter, before_authentication: false, versions: Every, offer: Method
    }
    /// Sets a strong counter if it has the expected value; returns the value it had.
    "COUNTER_CAS" CounterCompareAndSwap 0x58 -> 0x59, V2_7 { counter: Name = String, expected: Long = i64, update: Long = i64 } -> CounterValue {
        routing: Any, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Counter, before_authentication: false, versions: Every, offer: Method
    }
    /// Adds a listener to a counter; status not executed: this connection already carries counter events.
    "COUNTER_ADD_LISTENER" CounterAddListener 0x5A -> 0x5B, V2_7 { counter: Name = String, listener_id: Blob = Bytes } -> Nothing {
        routing: Any, effect: Changes, near_cache: Nothing, listener: Adds(listener_id, CounterRemoveListener { counter, listener_id }), transaction: None, split: Whole,
        answer_size: Small, outcome: Flag, before_authentication: false, versions: Every, offer: Internal
    }
    /// Removes a listener from a counter; status not executed: this connection still carries counter events.
    "COUNTER_REMOVE_LISTENER" CounterRemoveListener 0x5C -> 0x5D, V2_7 { counter: Name = String, listener_id: Blob = Bytes } -> Nothing {
        routing: Same, effect: Changes, near_cache: Nothing, listener: Removes(listener_id), transaction: None, split: Whole,
        answer_size: Small, outcome: Flag, before_authentication: false, versions: Every, offer: Internal
    }
    /// Removes the value of a counter; its configuration stays. Returns false if there is none.
    "COUNTER_REMOVE" CounterRemove 0x5E -> 0x5F, V2_7 { counter: Name = String } -> Nothing {
        routing: Any, effect: Overwrites, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Flag, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads the names of all counters.
    "COUNTER_GET_NAMES" CounterGetNames 0x64 -> 0x65, V2_7 {} -> CounterNames {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads the values of a multimap key.
    "GET_MULTIMAP" GetMultimap 0x67 -> 0x68, V2_9 { key: Key = Bytes, supports_duplicates: FlagSince40 = bool } -> Values {
        routing: StoredKey(key), effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads the values of a multimap key, with version and lifetimes.
    "GET_MULTIMAP_WITH_METADATA" GetMultimapWithMetadata 0x69 -> 0x6A, V2_9 { key: Key = Bytes, supports_duplicates: FlagSince40 = bool } -> ValuesWithMetadata {
        routing: StoredKey(key), effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Adds a value to a multimap key; the expiration is sent and not used by the server.
    "PUT_MULTIMAP" PutMultimap 0x6B -> 0x6C, V2_9 { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes, supports_duplicates: FlagSince40 = bool } -> Nothing {
        routing: StoredKey(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Removes a multimap key with all its values; returns false if there were none.
    "REMOVE_KEY_MULTIMAP" RemoveKeyMultimap 0x6D -> 0x6E, V2_9 { key: Key = Bytes, supports_duplicates: FlagSince40 = bool } -> Boolean {
        routing: StoredKey(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Removes a value from a multimap key; returns false if the key did not have it.
    "REMOVE_ENTRY_MULTIMAP" RemoveEntryMultimap 0x6F -> 0x70, V2_9 { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes, supports_duplicates: FlagSince40 = bool } -> Boolean {
        routing: StoredKey(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Counts the values of all keys of a multimap.
    "SIZE_MULTIMAP" SizeMultimap 0x71 -> 0x72, V2_9 { supports_duplicates: FlagSince40 = bool } -> Size {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Tests whether a multimap key has that value.
    "CONTAINS_ENTRY_MULTIMAP" ContainsEntryMultimap 0x73 -> 0x74, V2_9 { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes, supports_duplicates: FlagSince40 = bool } -> Boolean {
        routing: StoredKey(key), effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Tests whether a multimap has that key.
    "CONTAINS_KEY_MULTIMAP" ContainsKeyMultimap 0x75 -> 0x76, V2_9 { key: Key = Bytes, supports_duplicates: FlagSince40 = bool } -> Boolean {
        routing: StoredKey(key), effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Tests whether any key of a multimap has that value.
    "CONTAINS_VALUE_MULTIMAP" ContainsValueMultimap 0x77 -> 0x78, V2_9 { expiration: Lifetimes = Expiration, value: Value = Bytes, supports_duplicates: FlagSince40 = bool } -> Boolean {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Removes the server's state of a finished transaction.
    "FORGET_TX" ForgetTx 0x79 -> 0x7A, V2_9 { xid: TransactionId = Xid } -> Nothing {
        routing: Any, effect: Changes, near_cache: Nothing, listener: None, transaction: Ends(xid), split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Reads the ids of the prepared transactions that are neither committed nor rolled back.
    "FETCH_TX_RECOVERY" FetchTxRecovery 0x7B -> 0x7C, V2_9 {} -> Xids {
        routing: Any, effect: Reads, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Prepares a transaction; the timeout is in milliseconds.
    "PREPARE_TX_2" PrepareTx2 0x7D -> 0x7E, V2_9 { xid: TransactionId = Xid, one_phase_commit: Flag = bool, recoverable: Flag = bool, timeout: Long = i64, modifications: Modifications = Vec<Modification> } -> XaCode {
        routing: Any, effect: Changes, near_cache: Everything, listener: None, transaction: Prepares(xid, one_phase_commit), split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: Every, offer: Method
    }
    /// Sets a strong counter; returns the value it had.
    "COUNTER_GET_AND_SET" CounterGetAndSet 0x7F -> 0x80, V2_9 { counter: Name = String, value: Long = i64 } -> CounterValue {
        routing: Any, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Counter, before_authentication: false, versions: Every, offer: Method
    }
    /// Ends the reading of a streamed value early.
    "END_GET_STREAM" EndGetStream 0xE5 -> 0xE4, V4_1 { stream_id: Int = i32 } -> Nothing {
        routing: Same, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Flag, before_authentication: false, versions: From(V4_1), offer: Stream
    }
    /// Reads the next chunk of a streamed value.
    "NEXT_GET_STREAM" NextGetStream 0xE7 -> 0xE6, V4_1 { stream_id: Int = i32 } -> StreamChunk {
        routing: Same, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: From(V4_1), offer: Stream
    }
    /// Starts to read a value in chunks of `chunk_length` bytes.
    "START_GET_STREAM" StartGetStream 0xE9 -> 0xE8, V4_1 { key: Key = Bytes, chunk_length: VInt = u32 } -> StreamStart {
        routing: Key(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Body, before_authentication: false, versions: From(V4_1), offer: Stream
    }
    /// Ends the writing of a streamed value early; nothing is stored.
    "END_PUT_STREAM" EndPutStream 0xEB -> 0xEA, V4_1 { stream_id: Int = i32 } -> Nothing {
        routing: Same, effect: Changes, near_cache: Nothing, listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Flag, before_authentication: false, versions: From(V4_1), offer: Stream
    }
    /// Writes the next chunk of a streamed value, of at least one byte; with the last one the value is stored.
    "NEXT_PUT_STREAM" NextPutStream 0xED -> 0xEC, V4_1 { stream_id: Int = i32, last: Flag = bool, chunk: Value = Bytes } -> Previous {
        routing: Same, effect: Changes, near_cache: Everything, listener: None, transaction: None, split: Whole,
        answer_size: Value, outcome: Condition, before_authentication: false, versions: From(V4_1), offer: Stream
    }
    /// Starts to write a value in chunks: version 0 as PUT, -1 as PUT_IF_ABSENT, another as REPLACE_IF_UNMODIFIED.
    "START_PUT_STREAM" StartPutStream 0xEF -> 0xEE, V4_1 { key: Key = Bytes, expiration: Lifetimes = Expiration, entry_version: EntryVersion = u64 } -> PutStreamId {
        routing: Key(key), effect: Changes, near_cache: Key(key), listener: None, transaction: None, split: Whole,
        answer_size: Small, outcome: Body, before_authentication: false, versions: From(V4_1), offer: Stream
    }
}

/// Row numbers by opcode, for one kind of message; 255 for none.
const fn by_opcode(replies: bool) -> [u8; 256] {
    let mut index = [u8::MAX; 256];
    let mut row = 0;
    while row < ROWS.len() {
        let opcode = if replies { ROWS[row].reply_opcode } else { ROWS[row].request_opcode };
        assert!(index[opcode as usize] == u8::MAX, "two operations with one opcode");
        index[opcode as usize] = row as u8;
        row += 1;
    }
    index
}

static BY_REQUEST_OPCODE: [u8; 256] = by_opcode(false);
static BY_REPLY_OPCODE: [u8; 256] = by_opcode(true);

impl Operation {
    /// Every row of the table.
    pub fn table() -> &'static [Row] {
        ROWS
    }

    /// This operation's row.
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The name, as in the protocol's documentation.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The operation of a request's opcode.
    pub fn from_request_opcode(opcode: u8) -> Option<Self> {
        ROWS.get(usize::from(BY_REQUEST_OPCODE[usize::from(opcode)])).map(|row| row.operation)
    }

    /// The operation of a reply's opcode.
    pub fn from_reply_opcode(opcode: u8) -> Option<Self> {
        ROWS.get(usize::from(BY_REPLY_OPCODE[usize::from(opcode)])).map(|row| row.operation)
    }
}

impl core::fmt::Display for Operation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl Request {
    /// Returns the keys by whose owners the operation is routed: one, those of a bulk operation in their order, or none.
    pub fn keys(&self) -> Box<[Bytes]> {
        self.routing_key().map_or_else(|| self.split_keys(), |key| Box::new([key.clone()]))
    }

    /// Returns the milliseconds of a lifetime that servers of this version read as a time since 1970.
    pub(crate) fn lifetime_read_as_date(&self, version: Version) -> Option<u64> {
        let (Self::PrepareTx { modifications, .. } | Self::PrepareTx2 { modifications, .. }) = self else {
            return self.expiration()?.read_as_date(version);
        };
        modifications.iter().find_map(|modification| match modification.change {
            Change::Remove => None,
            Change::Put { expiration, .. } => expiration.read_as_date(version),
        })
    }

    /// The flags that this request needs in its header beside those the user sets.
    pub(crate) fn flags(&self, version: Version) -> Flags {
        if version >= Version::V2_2 {
            return Flags::NONE;
        }
        self.expiration().map_or(Flags::NONE, |expiration| expiration.flags(version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_their_operation_points() {
        for (index, row) in ROWS.iter().enumerate() {
            assert_eq!(row.operation as usize, index);
            assert_eq!(Operation::from_request_opcode(row.request_opcode), Some(row.operation));
            assert_eq!(Operation::from_reply_opcode(row.reply_opcode), Some(row.operation));
        }
    }

    /// gotcha 12, 18 and 19: the opcodes that other clients got wrong.
    #[test]
    fn opcodes_that_do_not_follow_the_pattern() {
        assert_eq!(Operation::CounterIsDefined.row().reply_opcode, 0x51);
        assert_eq!(Operation::CounterGetAndSet.row().reply_opcode, 0x80);
        assert_eq!(Operation::StartGetStream.row().reply_opcode, 0xE8);
        assert_eq!(Operation::from_request_opcode(0x45), None);
        assert_eq!(Operation::from_reply_opcode(0x50), None);
    }
}
