//! Replies as the types that methods return.

use bytes::Bytes;
use hotrod_core::vocabulary::{self, Answer, Refusal};
use hotrod_core::wire::{Body, CounterConfiguration, Metadata, Operation, Ping, Previous, Reply, Xid};

use crate::{Conditional, Entry, Versioned};

/// A type that a method of an operation returns.
pub(crate) trait FromReply: Sized {
    /// Converts the reply to `operation`.
    fn from_reply(operation: Operation, reply: Reply) -> Result<Self, Refusal>;
}

macro_rules! from_answer {
    ($($type:ty: $answer:pat => $made:expr;)*) => {$(
        impl FromReply for $type {
            fn from_reply(operation: Operation, reply: Reply) -> Result<Self, Refusal> {
                match Answer::of(operation, reply)? {
                    $answer => Ok($made),
                    _ => Err(Refusal::UnexpectedAnswer),
                }
            }
        }
    )*};
}

from_answer! {
    (): Answer::Nothing => ();
    bool: Answer::Flag(flag) => flag;
    u64: Answer::Size(size) => size;
    i64: Answer::Number(number) => number;
    Bytes: Answer::Value(Some(value)) => value;
    Option<Bytes>: Answer::Value(value) => value;
    Option<Entry>: Answer::Entry(entry) => entry.map(|entry| {
        let metadata = metadata(&entry).unwrap_or_default();
        Entry { value: entry.value, metadata }
    });
    Option<(Bytes, u64)>: Answer::Entry(entry) => entry.map(|entry| (entry.value, entry.version.unwrap_or_default()));
    Option<Previous>: Answer::Entry(entry) => entry.map(previous);
    Conditional: Answer::Conditional { executed, previous: entry } => {
        Conditional { executed, previous: entry.map(previous) }
    };
    Versioned: Answer::Versioned(outcome) => match outcome {
        vocabulary::Versioned::Done => Self::Done,
        vocabulary::Versioned::Modified => Self::Modified,
        vocabulary::Versioned::Missing => Self::Missing,
    };
    Vec<(Bytes, Bytes)>: Answer::Entries(entries) => entries;
    Vec<Bytes>: Answer::Values(values) => values;
    Option<(Metadata, Vec<Bytes>)>: Answer::ValuesWithMetadata(found) => found;
    Vec<String>: Answer::Names(names) => names;
    Vec<(String, String)>: Answer::TextMap(texts) => texts;
    Vec<Xid>: Answer::Xids(xids) => xids;
    Option<vocabulary::Chunk>: Answer::Chunk(chunk) => chunk;
    Option<CounterConfiguration>: Answer::Counter(configuration) => configuration;
}

/// The media types stay parsed, unlike those of [`Answer::Server`].
impl FromReply for Ping {
    fn from_reply(_operation: Operation, reply: Reply) -> Result<Self, Refusal> {
        match reply.body {
            Body::Ping(ping) => Ok(*ping),
            _ => Err(Refusal::UnexpectedAnswer),
        }
    }
}

fn previous(entry: vocabulary::Entry) -> Previous {
    Previous { metadata: metadata(&entry), value: entry.value }
}

/// Version and lifetimes come together or not at all.
fn metadata(entry: &vocabulary::Entry) -> Option<Metadata> {
    entry.version.map(|version| Metadata { version, lifespan: entry.lifespan, max_idle: entry.max_idle })
}
