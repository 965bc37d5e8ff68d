//! Answers of operations.

use hotrod_core::vocabulary::{Answer, Chunk, Entry, ServerInfo, Versioned};
use hotrod_core::wire::{IterationEntry, LifetimeLeft, Metadata};

use crate::arena::{Arena, List};
use crate::arguments::{counter_configuration, hotrod_counter_configuration, hotrod_xid_list, xid};
use crate::text::{hotrod_bytes, hotrod_bytes_list, hotrod_number_list, hotrod_text, hotrod_text_list};

/// A key and a value.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_pair {
    /// The key.
    pub key: hotrod_bytes,
    /// The value.
    pub value: hotrod_bytes,
}

/// A list of keys and values. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_pair_list {
    /// Pointer to the first item.
    pub data: *const hotrod_pair,
    /// Number of items.
    pub len: usize,
}

impl List for hotrod_pair_list {
    type Item = hotrod_pair;

    fn of(items: &[hotrod_pair]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// A text and its name.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_text_pair {
    /// The name.
    pub name: hotrod_text,
    /// The text.
    pub text: hotrod_text,
}

/// A list of texts by name. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_text_pair_list {
    /// Pointer to the first item.
    pub data: *const hotrod_text_pair,
    /// Number of items.
    pub len: usize,
}

impl List for hotrod_text_pair_list {
    type Item = hotrod_text_pair;

    fn of(items: &[hotrod_text_pair]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// A lifetime and its start.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_lifetime_left {
    /// Whether a limited lifetime is known; if not, the fields below are 0.
    pub is_set: bool,
    /// The lifetime, in seconds.
    pub seconds: u32,
    /// Start of the lifetime: milliseconds since 1970 by the server's clock.
    pub since_ms: u64,
}

/// Version and lifetimes of an entry.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_metadata {
    /// Whether `version` is set: older protocol versions do not always report it.
    pub has_version: bool,
    /// Changes with every write; opaque, for comparison and conditional operations.
    pub version: u64,
    /// Time to live after the write.
    pub lifespan: hotrod_lifetime_left,
    /// Time to live after the last use.
    pub max_idle: hotrod_lifetime_left,
}

/// An entry without its key.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_entry {
    /// The value.
    pub value: hotrod_bytes,
    /// Version and lifetimes.
    pub metadata: hotrod_metadata,
}

/// An entry of an iteration.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_iteration_entry {
    /// The key.
    pub key: hotrod_bytes,
    /// The value, or the projections that the filter-converter returned.
    pub values: hotrod_bytes_list,
    /// Whether `metadata` is set: it was requested.
    pub has_metadata: bool,
    /// Version and lifetimes.
    pub metadata: hotrod_metadata,
}

/// A list of entries of an iteration. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_iteration_entry_list {
    /// Pointer to the first item.
    pub data: *const hotrod_iteration_entry,
    /// Number of items.
    pub len: usize,
}

impl List for hotrod_iteration_entry_list {
    type Item = hotrod_iteration_entry;

    fn of(items: &[hotrod_iteration_entry]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// The outcome of an operation with a condition.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_conditional {
    /// Whether the condition held and the operation was executed.
    pub executed: bool,
    /// Whether `previous` is set: only with `HOTROD_FLAG_FORCE_RETURN_VALUE`.
    pub has_previous: bool,
    /// The previous entry, or the current one if the operation was not executed.
    pub previous: hotrod_entry,
}

/// The outcome of an operation on a given version of an entry.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_versioned {
    /// Whether the entry had the version and the operation was executed.
    pub executed: bool,
    /// Whether there was an entry. If so, and the operation was not executed, it has another version.
    pub exists: bool,
}

/// The values of a multimap key.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_values_with_metadata {
    /// The values.
    pub values: hotrod_bytes_list,
    /// Version and lifetimes.
    pub metadata: hotrod_metadata,
}

/// Capabilities of a server.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_server_info {
    /// Storage media type of keys; empty if not reported.
    pub key_type: hotrod_text,
    /// Storage media type of values; empty if not reported.
    pub value_type: hotrod_text,
    /// The server's newest protocol version, as its byte (3.0 and later); 0 if not reported.
    pub server_version: u8,
    /// Request opcodes that the server supports (3.0 and later).
    pub operations: hotrod_number_list,
}

/// A chunk of a streamed value.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_chunk {
    /// Identifies the stream in requests for further chunks.
    pub stream_id: i32,
    /// Whether this is the last chunk.
    pub complete: bool,
    /// Whether `metadata` is set: in the first chunk.
    pub has_metadata: bool,
    /// Version and lifetimes of the entry.
    pub metadata: hotrod_metadata,
    /// The bytes.
    pub chunk: hotrod_bytes,
}

/// Type of an answer, which selects the member of `as`. Each operation documents its own.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_answer_type {
    /// Success; no member is set.
    HOTROD_ANSWER_NOTHING = 0,
    /// Yes or no: `flag`.
    HOTROD_ANSWER_FLAG = 1,
    /// A count: `size`.
    HOTROD_ANSWER_SIZE = 2,
    /// A signed number: `number`.
    HOTROD_ANSWER_NUMBER = 3,
    /// A value: `value`; not found if there is no entry.
    HOTROD_ANSWER_VALUE = 4,
    /// An entry, or the previous one: `entry`; not found if there is none, or it was not requested.
    HOTROD_ANSWER_ENTRY = 5,
    /// The outcome of an operation with a condition: `conditional`.
    HOTROD_ANSWER_CONDITIONAL = 6,
    /// The outcome of an operation on a given version: `versioned`.
    HOTROD_ANSWER_VERSIONED = 7,
    /// Keys and values: `entries`.
    HOTROD_ANSWER_ENTRIES = 8,
    /// Keys, or the values of a multimap key: `values`.
    HOTROD_ANSWER_VALUES = 9,
    /// The values of a multimap key: `values_with_metadata`; not found if there are none.
    HOTROD_ANSWER_VALUES_WITH_METADATA = 10,
    /// Names: `names`.
    HOTROD_ANSWER_NAMES = 11,
    /// Texts by name: `text_map`.
    HOTROD_ANSWER_TEXT_MAP = 12,
    /// Capabilities of the server: `server`.
    HOTROD_ANSWER_SERVER = 13,
    /// A chunk of a streamed value: `chunk`; not found if there is no entry.
    HOTROD_ANSWER_CHUNK = 14,
    /// Transactions: `xids`.
    HOTROD_ANSWER_XIDS = 15,
    /// Configuration of a counter: `counter`; not found if it does not exist.
    HOTROD_ANSWER_COUNTER = 16,
}

/// The content of an answer, by its type.
#[repr(C)]
#[derive(Clone, Copy)]
pub union hotrod_answer_content {
    /// Set for `HOTROD_ANSWER_FLAG`.
    pub flag: bool,
    /// Set for `HOTROD_ANSWER_SIZE`.
    pub size: u64,
    /// Set for `HOTROD_ANSWER_NUMBER`.
    pub number: i64,
    /// Set for `HOTROD_ANSWER_VALUE`.
    pub value: hotrod_bytes,
    /// Set for `HOTROD_ANSWER_ENTRY`.
    pub entry: hotrod_entry,
    /// Set for `HOTROD_ANSWER_CONDITIONAL`.
    pub conditional: hotrod_conditional,
    /// Set for `HOTROD_ANSWER_VERSIONED`.
    pub versioned: hotrod_versioned,
    /// Set for `HOTROD_ANSWER_ENTRIES`.
    pub entries: hotrod_pair_list,
    /// Set for `HOTROD_ANSWER_VALUES`.
    pub values: hotrod_bytes_list,
    /// Set for `HOTROD_ANSWER_VALUES_WITH_METADATA`.
    pub values_with_metadata: hotrod_values_with_metadata,
    /// Set for `HOTROD_ANSWER_NAMES`.
    pub names: hotrod_text_list,
    /// Set for `HOTROD_ANSWER_TEXT_MAP`.
    pub text_map: hotrod_text_pair_list,
    /// Set for `HOTROD_ANSWER_SERVER`.
    pub server: hotrod_server_info,
    /// Set for `HOTROD_ANSWER_CHUNK`.
    pub chunk: hotrod_chunk,
    /// Set for `HOTROD_ANSWER_XIDS`.
    pub xids: hotrod_xid_list,
    /// Set for `HOTROD_ANSWER_COUNTER`.
    pub counter: hotrod_counter_configuration,
}

/// The answer of an operation.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_answer {
    /// Type of the answer.
    pub r#type: hotrod_answer_type,
    /// False if the entry, value or counter does not exist: then no member of `as` is set.
    pub found: bool,
    /// Content: the member for `type`.
    pub r#as: hotrod_answer_content,
}

/// Returns C's view of an answer, which points into the answer and the arena.
pub(crate) fn answer(answer: &Answer, arena: &mut Arena) -> hotrod_answer {
    use hotrod_answer_content as Content;
    use hotrod_answer_type as Type;
    let (r#type, content) = match answer {
        Answer::Value(value) => {
            (Type::HOTROD_ANSWER_VALUE, value.as_ref().map(|value| Content { value: hotrod_bytes::of(value) }))
        }
        Answer::Nothing => (Type::HOTROD_ANSWER_NOTHING, Some(Content { flag: true })),
        Answer::Flag(flag) => (Type::HOTROD_ANSWER_FLAG, Some(Content { flag: *flag })),
        Answer::Size(size) => (Type::HOTROD_ANSWER_SIZE, Some(Content { size: *size })),
        Answer::Number(number) => (Type::HOTROD_ANSWER_NUMBER, Some(Content { number: *number })),
        Answer::Entry(found) => {
            (Type::HOTROD_ANSWER_ENTRY, found.as_ref().map(|found| Content { entry: entry(found) }))
        }
        Answer::Conditional { executed, previous } => {
            let (executed, has_previous) = (*executed, previous.is_some());
            let previous = previous.as_ref().map_or(NO_ENTRY, entry);
            let conditional = hotrod_conditional { executed, has_previous, previous };
            (Type::HOTROD_ANSWER_CONDITIONAL, Some(Content { conditional }))
        }
        Answer::Versioned(outcome) => {
            let executed = *outcome == Versioned::Done;
            let versioned = hotrod_versioned { executed, exists: *outcome != Versioned::Missing };
            (Type::HOTROD_ANSWER_VERSIONED, Some(Content { versioned }))
        }
        lists => answer_of_lists(lists, arena),
    };
    let found = content.is_some();
    hotrod_answer { r#type, found, r#as: content.unwrap_or(Content { entry: NO_ENTRY }) }
}

fn answer_of_lists(answer: &Answer, arena: &mut Arena) -> (hotrod_answer_type, Option<hotrod_answer_content>) {
    use hotrod_answer_content as Content;
    use hotrod_answer_type as Type;
    match answer {
        Answer::Entries(entries) => (Type::HOTROD_ANSWER_ENTRIES, Some(Content { entries: pairs(entries, arena) })),
        Answer::Values(values) => (Type::HOTROD_ANSWER_VALUES, Some(Content { values: bytes_list(values, arena) })),
        Answer::ValuesWithMetadata(found) => {
            let content = found.as_ref().map(|(found, values)| {
                let (values, metadata) = (bytes_list(values, arena), metadata(found));
                Content { values_with_metadata: hotrod_values_with_metadata { values, metadata } }
            });
            (Type::HOTROD_ANSWER_VALUES_WITH_METADATA, content)
        }
        Answer::Names(names) => {
            let names = arena.list(names.iter().map(|name| hotrod_text::of(name)).collect());
            (Type::HOTROD_ANSWER_NAMES, Some(Content { names }))
        }
        Answer::TextMap(texts) => {
            let pair = |(name, text): &(String, String)| hotrod_text_pair {
                name: hotrod_text::of(name),
                text: hotrod_text::of(text),
            };
            (Type::HOTROD_ANSWER_TEXT_MAP, Some(Content { text_map: arena.list(texts.iter().map(pair).collect()) }))
        }
        Answer::Server(info) => (Type::HOTROD_ANSWER_SERVER, Some(Content { server: server(info, arena) })),
        Answer::Chunk(found) => {
            (Type::HOTROD_ANSWER_CHUNK, found.as_ref().map(|found| Content { chunk: chunk(found) }))
        }
        Answer::Xids(xids) => {
            let xids = arena.list(xids.iter().map(xid).collect());
            (Type::HOTROD_ANSWER_XIDS, Some(Content { xids }))
        }
        Answer::Counter(found) => {
            let content = found.as_ref().map(|found| Content { counter: counter_configuration(found) });
            (Type::HOTROD_ANSWER_COUNTER, content)
        }
        // `answer` handles the other variants.
        _ => (Type::HOTROD_ANSWER_NOTHING, None),
    }
}

const NO_LIFETIME: hotrod_lifetime_left = hotrod_lifetime_left { is_set: false, seconds: 0, since_ms: 0 };
const NO_METADATA: hotrod_metadata =
    hotrod_metadata { has_version: false, version: 0, lifespan: NO_LIFETIME, max_idle: NO_LIFETIME };
const NO_ENTRY: hotrod_entry = hotrod_entry { value: hotrod_bytes::NONE, metadata: NO_METADATA };

fn lifetime_left(left: Option<LifetimeLeft>) -> hotrod_lifetime_left {
    left.map_or(NO_LIFETIME, |LifetimeLeft { since, seconds }| hotrod_lifetime_left {
        is_set: true,
        seconds,
        since_ms: since,
    })
}

fn metadata(metadata: &Metadata) -> hotrod_metadata {
    hotrod_metadata {
        has_version: true,
        version: metadata.version,
        lifespan: lifetime_left(metadata.lifespan),
        max_idle: lifetime_left(metadata.max_idle),
    }
}

fn entry(entry: &Entry) -> hotrod_entry {
    let metadata = hotrod_metadata {
        has_version: entry.version.is_some(),
        version: entry.version.unwrap_or_default(),
        lifespan: lifetime_left(entry.lifespan),
        max_idle: lifetime_left(entry.max_idle),
    };
    hotrod_entry { value: hotrod_bytes::of(&entry.value), metadata }
}

fn server(info: &ServerInfo, arena: &mut Arena) -> hotrod_server_info {
    hotrod_server_info {
        key_type: hotrod_text::of(&info.key_type),
        value_type: hotrod_text::of(&info.value_type),
        server_version: info.server_version.unwrap_or_default(),
        operations: arena.list(info.operations.clone()),
    }
}

fn chunk(chunk: &Chunk) -> hotrod_chunk {
    hotrod_chunk {
        stream_id: chunk.stream_id,
        complete: chunk.complete,
        has_metadata: chunk.metadata.is_some(),
        metadata: chunk.metadata.as_ref().map_or(NO_METADATA, metadata),
        chunk: hotrod_bytes::of(&chunk.chunk),
    }
}

pub(crate) fn iteration_entry(entry: &IterationEntry, arena: &mut Arena) -> hotrod_iteration_entry {
    hotrod_iteration_entry {
        key: hotrod_bytes::of(&entry.key),
        values: bytes_list(&entry.values, arena),
        has_metadata: entry.metadata.is_some(),
        metadata: entry.metadata.as_ref().map_or(NO_METADATA, metadata),
    }
}

pub(crate) fn bytes_list(values: &[bytes::Bytes], arena: &mut Arena) -> hotrod_bytes_list {
    arena.list(values.iter().map(|value| hotrod_bytes::of(value)).collect())
}

pub(crate) fn pairs(pairs: &[(bytes::Bytes, bytes::Bytes)], arena: &mut Arena) -> hotrod_pair_list {
    let pair = |(key, value): &(bytes::Bytes, bytes::Bytes)| hotrod_pair {
        key: hotrod_bytes::of(key),
        value: hotrod_bytes::of(value),
    };
    arena.list(pairs.iter().map(pair).collect())
}
