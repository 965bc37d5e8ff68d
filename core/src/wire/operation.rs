//! The table of operations: one row each, from which requests, their encoder and decoder, names and documentation come.
//!
//! Source of the rows: `HotRodOperation` and hotrod.gr of the server; first versions from the protocol's documentation.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::arguments::{Argument, ArgumentKind, Arguments};
use super::expiration::Expiration;
use super::fields::{self, Context, Field};
use super::oversize::{Fits, Oversize};
use super::reader::{Read, Reader};
use super::types::{AuthResponse, CounterConfiguration, Factory, ListenerOptions, Modification, Xid};
use super::{Flags, Version};
use crate::send_buffer::SendBuffer;

/// Where an operation may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Routing {
    /// To the primary owner of its key.
    Key,
    /// To any member.
    Any,
    /// To the member that holds the state it speaks of (an iteration, a stream, a listener, an authentication).
    Same,
}

/// What executing an operation a second time does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing: it only reads.
    Reads,
    /// The same state as once, if nobody else writes in between.
    Overwrites,
    /// Something else than once: it counts, compares, or its answer differs.
    Changes,
}

/// The form of an operation's successful answer; see [`Body`](super::Body).
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
    /// Its name.
    pub name: &'static str,
    /// Its form on the wire, in the words of hotrod.gr.
    pub shape: &'static str,
    /// What it takes from users.
    pub argument: ArgumentKind,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The operation.
    pub operation: Operation,
    /// Its name, as in the protocol's documentation.
    pub name: &'static str,
    /// Its name in programs.
    pub variant: &'static str,
    /// Its opcode in a request.
    pub request_opcode: u8,
    /// Its opcode in a reply.
    pub reply_opcode: u8,
    /// The first version that has it.
    pub since: Version,
    /// Where it may be sent.
    pub routing: Routing,
    /// What executing it again does.
    pub effect: Effect,
    /// The fields after the header, in order.
    pub fields: &'static [FieldInfo],
    /// The form of its answer.
    pub reply: ReplyShape,
    /// What it does.
    pub doc: &'static str,
}

macro_rules! operations {
    ($(
        #[doc = $doc:literal]
        $name:literal $variant:ident $request:literal -> $reply:literal, $since:ident, $routing:ident, $effect:ident,
        { $($field:ident: $kind:ident = $type:ty),* } -> $shape:ident;
    )*) => {
        /// An operation of the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Operation {
            $(#[doc = $doc] $variant,)*
        }

        /// The table, in the order of [`Operation`].
        static ROWS: &[Row] = &[$(Row {
            operation: Operation::$variant,
            name: $name,
            variant: stringify!($variant),
            request_opcode: $request,
            reply_opcode: $reply,
            since: Version::$since,
            routing: Routing::$routing,
            effect: Effect::$effect,
            fields: &[$(FieldInfo {
                name: stringify!($field),
                shape: <fields::$kind as Field>::SHAPE,
                argument: <$type as Argument>::KIND,
            }),*],
            reply: ReplyShape::$shape,
            doc: $doc.trim_ascii_start(),
        }),*];

        /// An operation and its fields.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs)] // fields are named as in hotrod.gr
        pub enum Request {
            $(#[doc = $doc] $variant { $($field: $type),* },)*
        }

        impl Request {
            /// The operation.
            pub fn operation(&self) -> Operation {
                match self {
                    $(Self::$variant { .. } => Operation::$variant,)*
                }
            }

            /// The key by which the operation is routed, if it is routed by one.
            pub fn routing_key(&self) -> Option<&Bytes> {
                match self {
                    $(Self::$variant { $($field),* } => operations!(@key $routing $($field)*),)*
                }
            }

            /// The expiration that the operation sets.
            pub fn expiration(&self) -> Option<Expiration> {
                match self {
                    $(Self::$variant { $($field),* } => operations!(@expiration $($field $kind)*),)*
                }
            }

            /// Whether every field fits into its place on the wire.
            pub fn fits(&self) -> Result<(), Oversize> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $($field.fits(stringify!($field))?;)*
                    })*
                }
                Ok(())
            }

            /// Bytes of its keys and values: about the size of its message, if it is a large one.
            pub fn value_bytes(&self) -> usize {
                match self {
                    $(Self::$variant { $($field),* } => 0 $(+ Fits::bytes($field))*,)*
                }
            }

            pub(crate) fn take<A: Arguments>(operation: Operation, arguments: &mut A) -> Result<Self, A::Error> {
                Ok(match operation {
                    $(Operation::$variant => Self::$variant {
                        $($field: <$type as Argument>::take(arguments, operation, stringify!($field))?),*
                    },)*
                })
            }

            pub(crate) fn write(&self, context: Context, out: &mut SendBuffer) {
                let _ = context;
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(<fields::$kind as Field>::write($field, context, out);)*
                    })*
                }
            }

            pub(crate) fn read(operation: Operation, context: Context, reader: &mut Reader<'_>) -> Read<Self> {
                Ok(match operation {
                    $(Operation::$variant => {
                        let operations!(@nested $($field)*) = operations!(@read context reader $($field $kind)*)?;
                        Self::$variant { $($field),* }
                    })*
                })
            }
        }
    };
    (@key Key $first:ident $($rest:ident)*) => {{ $(let _ = $rest;)* Some($first) }};
    (@key $other:ident $($field:ident)*) => {{ $(let _ = $field;)* None }};
    (@nested) => { () };
    (@nested $first:ident $($rest:ident)*) => { ($first, operations!(@nested $($rest)*)) };
    (@read $context:ident $reader:ident) => {{ let _ = $reader; Read::Ok(()) }};
    (@read $context:ident $reader:ident $field:ident $kind:ident $($rest:ident $rest_kind:ident)*) => {
        $reader.then(
            |reader| <fields::$kind as Field>::read($context, stringify!($field), reader),
            |reader, _| operations!(@read $context reader $($rest $rest_kind)*),
        )
    };
    (@expiration) => { None };
    (@expiration $field:ident Lifetimes $($rest:ident $kind:ident)*) => {{ $(let _ = $rest;)* Some(*$field) }};
    (@expiration $field:ident $other:ident $($rest:ident $kind:ident)*) => {{
        let _ = $field;
        operations!(@expiration $($rest $kind)*)
    }};
}

operations! {
    /// Stores a value, whether or not there is one.
    "PUT" Put 0x01 -> 0x02, V2_0, Key, Overwrites, { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes } -> Previous;
    /// Reads a value.
    "GET" Get 0x03 -> 0x04, V2_0, Key, Reads, { key: Key = Bytes } -> Value;
    /// Stores a value if there is none.
    "PUT_IF_ABSENT" PutIfAbsent 0x05 -> 0x06, V2_0, Key, Changes, { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes } -> Previous;
    /// Stores a value if there is one.
    "REPLACE" Replace 0x07 -> 0x08, V2_0, Key, Changes, { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes } -> Previous;
    /// Stores a value if the entry still has that version.
    "REPLACE_IF_UNMODIFIED" ReplaceIfUnmodified 0x09 -> 0x0A, V2_0, Key, Changes, { key: Key = Bytes, expiration: Lifetimes = Expiration, entry_version: EntryVersion = u64, value: Value = Bytes } -> Previous;
    /// Removes an entry.
    "REMOVE" Remove 0x0B -> 0x0C, V2_0, Key, Changes, { key: Key = Bytes } -> Previous;
    /// Removes an entry if it still has that version.
    "REMOVE_IF_UNMODIFIED" RemoveIfUnmodified 0x0D -> 0x0E, V2_0, Key, Changes, { key: Key = Bytes, entry_version: EntryVersion = u64 } -> Previous;
    /// Tells whether there is an entry.
    "CONTAINS_KEY" ContainsKey 0x0F -> 0x10, V2_0, Key, Reads, { key: Key = Bytes } -> Nothing;
    /// Reads a value and its version.
    "GET_WITH_VERSION" GetWithVersion 0x11 -> 0x12, V2_0, Key, Reads, { key: Key = Bytes } -> VersionedValue;
    /// Removes all entries.
    "CLEAR" Clear 0x13 -> 0x14, V2_0, Any, Overwrites, {} -> Nothing;
    /// Tells the statistics of the cache and the server.
    "STATS" Stats 0x15 -> 0x16, V2_0, Any, Reads, {} -> Statistics;
    /// Asks whether the server and the cache are there; also what the server can do.
    "PING" Ping 0x17 -> 0x18, V2_0, Any, Reads, {} -> Ping;
    /// Reads up to that many entries, 0 for all.
    "BULK_GET" BulkGet 0x19 -> 0x1A, V2_0, Any, Reads, { count: VInt = u32 } -> MarkedEntries;
    /// Reads a value, its version and its lifetimes.
    "GET_WITH_METADATA" GetWithMetadata 0x1B -> 0x1C, V2_0, Key, Reads, { key: Key = Bytes } -> ValueWithMetadata;
    /// Reads all keys; scope 0 default, 1 global, 2 local.
    "BULK_GET_KEYS" BulkGetKeys 0x1D -> 0x1E, V2_0, Any, Reads, { scope: VInt = u32 } -> MarkedKeys;
    /// Runs a query (a serialized `QueryRequest`).
    "QUERY" Query 0x1F -> 0x20, V2_0, Any, Changes, { query: Value = Bytes } -> Value;
    /// Asks which SASL mechanisms the server offers.
    "AUTH_MECH_LIST" AuthMechList 0x21 -> 0x22, V2_0, Same, Reads, {} -> Mechanisms;
    /// A step of a SASL authentication.
    "AUTH" Auth 0x23 -> 0x24, V2_0, Same, Changes, { mechanism: Name = String, response: Response = AuthResponse } -> Challenge;
    /// Adds a listener; its events carry the id of this request's message.
    "ADD_CLIENT_LISTENER" AddClientListener 0x25 -> 0x26, V2_0, Any, Changes, { listener_id: Blob = Bytes, options: Listener = ListenerOptions } -> Nothing;
    /// Removes a listener.
    "REMOVE_CLIENT_LISTENER" RemoveClientListener 0x27 -> 0x28, V2_0, Same, Changes, { listener_id: Blob = Bytes } -> Nothing;
    /// Counts the entries.
    "SIZE" Size 0x29 -> 0x2A, V2_0, Any, Reads, {} -> Size;
    /// Runs a task in the server; at most 127 parameters.
    "EXEC" Exec 0x2B -> 0x2C, V2_1, Any, Changes, { task: Name = String, parameters: TaskParameters = Vec<(String, Bytes)> } -> Value;
    /// Stores many values.
    "PUT_ALL" PutAll 0x2D -> 0x2E, V2_1, Any, Overwrites, { expiration: Lifetimes = Expiration, entries: Entries = Vec<(Bytes, Bytes)> } -> Nothing;
    /// Reads many values.
    "GET_ALL" GetAll 0x2F -> 0x30, V2_1, Any, Reads, { keys: Keys = Vec<Bytes> } -> Entries;
    /// Starts an iteration over some segments (a bit each) or all.
    "ITERATION_START" IterationStart 0x31 -> 0x32, V2_3, Any, Changes, { segments: SegmentMask = Option<Bytes>, filter_converter: OptionalFactory = Option<Factory>, batch_size: VInt = u32, include_metadata: FlagSince24 = bool } -> IterationId;
    /// Reads the next entries of an iteration.
    "ITERATION_NEXT" IterationNext 0x33 -> 0x34, V2_3, Same, Changes, { iteration_id: Name = String } -> Iteration;
    /// Ends an iteration.
    "ITERATION_END" IterationEnd 0x35 -> 0x36, V2_3, Same, Changes, { iteration_id: Name = String } -> Nothing;
    /// Reads a value from an offset on, with its version and lifetimes. Servers up to 16 announce the rest of the value and send all of it: only offset 0 leaves the stream in step.
    "GET_STREAM" GetStream 0x37 -> 0x38, V2_6, Key, Reads, { key: Key = Bytes, offset: VInt = u32 } -> ValueWithMetadata;
    /// Stores a value given in chunks: version 0 as PUT, -1 as PUT_IF_ABSENT, another as REPLACE_IF_UNMODIFIED. At 4.1 servers refuse it: START_PUT_STREAM has taken its place.
    "PUT_STREAM" PutStream 0x39 -> 0x3A, V2_6, Key, Changes, { key: Key = Bytes, expiration: Lifetimes = Expiration, entry_version: EntryVersion = u64, chunks: Chunks = Vec<Bytes> } -> Previous;
    /// Prepares a transaction, with a timeout of 60 s.
    "PREPARE_TX" PrepareTx 0x3B -> 0x3C, V2_7, Any, Changes, { xid: TransactionId = Xid, one_phase_commit: Flag = bool, modifications: Modifications = Vec<Modification> } -> XaCode;
    /// Commits a prepared transaction.
    "COMMIT_TX" CommitTx 0x3D -> 0x3E, V2_7, Any, Changes, { xid: TransactionId = Xid } -> XaCode;
    /// Rolls a transaction back.
    "ROLLBACK_TX" RollbackTx 0x3F -> 0x40, V2_7, Any, Changes, { xid: TransactionId = Xid } -> XaCode;
    /// Adds a near-cache listener that tells only of keys that a bloom filter of so many bits may hold.
    "ADD_BLOOM_FILTER_NEAR_CACHE_LISTENER" AddBloomFilterListener 0x41 -> 0x42, V3_1, Any, Changes, { listener_id: Blob = Bytes, bloom_bits: VInt = u32 } -> Nothing;
    /// Replaces the bloom filter of this connection's near-cache listener.
    "UPDATE_BLOOM_FILTER" UpdateBloomFilter 0x43 -> 0x44, V3_1, Same, Changes, { bloom_filter: Value = Bytes } -> Nothing;
    /// Makes a counter.
    "COUNTER_CREATE" CounterCreate 0x4B -> 0x4C, V2_7, Any, Changes, { counter: Name = String, configuration: Counter = CounterConfiguration } -> Nothing;
    /// Tells how a counter was made.
    "COUNTER_GET_CONFIGURATION" CounterGetConfiguration 0x4D -> 0x4E, V2_7, Any, Reads, { counter: Name = String } -> CounterConfiguration;
    /// Tells whether there is such a counter. Its reply is 0x51: 0x50 is taken by errors.
    "COUNTER_IS_DEFINED" CounterIsDefined 0x4F -> 0x51, V2_7, Any, Reads, { counter: Name = String } -> Nothing;
    /// Adds to a counter and tells its new value (0 for a weak one).
    "COUNTER_ADD_AND_GET" CounterAddAndGet 0x52 -> 0x53, V2_7, Any, Changes, { counter: Name = String, delta: Long = i64 } -> CounterValue;
    /// Sets a counter back to its initial value.
    "COUNTER_RESET" CounterReset 0x54 -> 0x55, V2_7, Any, Overwrites, { counter: Name = String } -> Nothing;
    /// Tells the value of a counter.
    "COUNTER_GET" CounterGet 0x56 -> 0x57, V2_7, Any, Reads, { counter: Name = String } -> CounterValue;
    /// Sets a strong counter if it has the expected value, and tells the value it had.
    "COUNTER_CAS" CounterCompareAndSwap 0x58 -> 0x59, V2_7, Any, Changes, { counter: Name = String, expected: Long = i64, update: Long = i64 } -> CounterValue;
    /// Adds a listener to a counter; status not executed: this connection already carries counter events.
    "COUNTER_ADD_LISTENER" CounterAddListener 0x5A -> 0x5B, V2_7, Any, Changes, { counter: Name = String, listener_id: Blob = Bytes } -> Nothing;
    /// Removes a listener from a counter; status not executed: this connection still carries counter events.
    "COUNTER_REMOVE_LISTENER" CounterRemoveListener 0x5C -> 0x5D, V2_7, Same, Changes, { counter: Name = String, listener_id: Blob = Bytes } -> Nothing;
    /// Drops the value of a counter; its configuration stays.
    "COUNTER_REMOVE" CounterRemove 0x5E -> 0x5F, V2_7, Any, Overwrites, { counter: Name = String } -> Nothing;
    /// Tells the names of all counters.
    "COUNTER_GET_NAMES" CounterGetNames 0x64 -> 0x65, V2_7, Any, Reads, {} -> CounterNames;
    /// Reads the values of a multimap key.
    "GET_MULTIMAP" GetMultimap 0x67 -> 0x68, V2_9, Key, Reads, { key: Key = Bytes, supports_duplicates: FlagSince40 = bool } -> Values;
    /// Reads the values of a multimap key, with version and lifetimes.
    "GET_MULTIMAP_WITH_METADATA" GetMultimapWithMetadata 0x69 -> 0x6A, V2_9, Key, Reads, { key: Key = Bytes, supports_duplicates: FlagSince40 = bool } -> ValuesWithMetadata;
    /// Adds a value to a multimap key; the expiration is sent and not used by the server.
    "PUT_MULTIMAP" PutMultimap 0x6B -> 0x6C, V2_9, Key, Changes, { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes, supports_duplicates: FlagSince40 = bool } -> Nothing;
    /// Removes a multimap key with all its values.
    "REMOVE_KEY_MULTIMAP" RemoveKeyMultimap 0x6D -> 0x6E, V2_9, Key, Changes, { key: Key = Bytes, supports_duplicates: FlagSince40 = bool } -> Boolean;
    /// Removes a value from a multimap key.
    "REMOVE_ENTRY_MULTIMAP" RemoveEntryMultimap 0x6F -> 0x70, V2_9, Key, Changes, { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes, supports_duplicates: FlagSince40 = bool } -> Boolean;
    /// Counts the entries of a multimap.
    "SIZE_MULTIMAP" SizeMultimap 0x71 -> 0x72, V2_9, Any, Reads, { supports_duplicates: FlagSince40 = bool } -> Size;
    /// Tells whether a multimap key has that value.
    "CONTAINS_ENTRY_MULTIMAP" ContainsEntryMultimap 0x73 -> 0x74, V2_9, Key, Reads, { key: Key = Bytes, expiration: Lifetimes = Expiration, value: Value = Bytes, supports_duplicates: FlagSince40 = bool } -> Boolean;
    /// Tells whether a multimap has that key.
    "CONTAINS_KEY_MULTIMAP" ContainsKeyMultimap 0x75 -> 0x76, V2_9, Key, Reads, { key: Key = Bytes, supports_duplicates: FlagSince40 = bool } -> Boolean;
    /// Tells whether any key of a multimap has that value.
    "CONTAINS_VALUE_MULTIMAP" ContainsValueMultimap 0x77 -> 0x78, V2_9, Any, Reads, { expiration: Lifetimes = Expiration, value: Value = Bytes, supports_duplicates: FlagSince40 = bool } -> Boolean;
    /// Drops what the server remembers of a finished transaction.
    "FORGET_TX" ForgetTx 0x79 -> 0x7A, V2_9, Any, Changes, { xid: TransactionId = Xid } -> Nothing;
    /// Asks for the prepared transactions that nobody finished.
    "FETCH_TX_RECOVERY" FetchTxRecovery 0x7B -> 0x7C, V2_9, Any, Reads, {} -> Xids;
    /// Prepares a transaction; the timeout is in milliseconds.
    "PREPARE_TX_2" PrepareTx2 0x7D -> 0x7E, V2_9, Any, Changes, { xid: TransactionId = Xid, one_phase_commit: Flag = bool, recoverable: Flag = bool, timeout: Long = i64, modifications: Modifications = Vec<Modification> } -> XaCode;
    /// Sets a strong counter and tells the value it had.
    "COUNTER_GET_AND_SET" CounterGetAndSet 0x7F -> 0x80, V2_9, Any, Changes, { counter: Name = String, value: Long = i64 } -> CounterValue;
    /// Ends the reading of a streamed value early.
    "END_GET_STREAM" EndGetStream 0xE5 -> 0xE4, V4_1, Same, Changes, { stream_id: Int = i32 } -> Nothing;
    /// Reads the next chunk of a streamed value.
    "NEXT_GET_STREAM" NextGetStream 0xE7 -> 0xE6, V4_1, Same, Changes, { stream_id: Int = i32 } -> StreamChunk;
    /// Starts to read a value in chunks of that many bytes.
    "START_GET_STREAM" StartGetStream 0xE9 -> 0xE8, V4_1, Key, Changes, { key: Key = Bytes, chunk_length: VInt = u32 } -> StreamStart;
    /// Ends the writing of a streamed value early; nothing is stored.
    "END_PUT_STREAM" EndPutStream 0xEB -> 0xEA, V4_1, Same, Changes, { stream_id: Int = i32 } -> Nothing;
    /// Writes the next chunk of a streamed value, of at least one byte; with the last one the value is stored.
    "NEXT_PUT_STREAM" NextPutStream 0xED -> 0xEC, V4_1, Same, Changes, { stream_id: Int = i32, last: Flag = bool, chunk: Value = Bytes } -> Previous;
    /// Starts to write a value in chunks: version 0 as PUT, -1 as PUT_IF_ABSENT, another as REPLACE_IF_UNMODIFIED.
    "START_PUT_STREAM" StartPutStream 0xEF -> 0xEE, V4_1, Key, Changes, { key: Key = Bytes, expiration: Lifetimes = Expiration, entry_version: EntryVersion = u64 } -> PutStreamId;
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

impl Operation {
    /// Whether a server reads this operation's requests in this version as the table has them.
    ///
    /// It reads most operations in every version. But chunks have another form from 4.1 on: streams of either form are in
    /// the other one's versions no requests (Infinispan 16.0.7 throws in the middle of them).
    pub(crate) fn is_read_at(self, version: Version) -> bool {
        match self {
            Self::PutStream => version < Version::V4_1,
            _ if self.row().since == Version::V4_1 => version >= Version::V4_1,
            _ => true,
        }
    }
}

impl core::fmt::Display for Operation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl Request {
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
