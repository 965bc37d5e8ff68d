//! Shapes of a machine's outputs, and their values.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::answer::Answer;
use super::failure::Failure;
use crate::cluster::Tls;
use crate::wire::IterationEntry;

/// Form of one kind of output: a class, a member of a union, or a struct in each language.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Number of the shape; never reused.
    pub tag: u8,
    /// Name of the variant in Rust.
    pub name: &'static str,
    /// Documentation of the output.
    pub doc: &'static str,
    /// Fields, in the order of their values.
    pub fields: fn() -> Vec<Field>,
}

/// A field of a [`Shape`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name of the field.
    pub name: &'static str,
    /// Documentation of the field.
    pub doc: &'static str,
    /// Kind of its values.
    pub kind: Kind,
    /// Whether the value may be [`Value::None`].
    pub optional: bool,
}

/// Kind of a value; a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Id of a link, member, operation, listener or iteration: 64 bits, never 0.
    Id(&'static str),
    /// A count or a number below 2⁵³.
    Number,
    /// Opaque 64 bits: the version of an entry.
    Opaque,
    /// A signed 64-bit integer.
    Signed,
    /// A truth value.
    Flag,
    /// A duration in microseconds.
    Duration,
    /// Text for users, or a name.
    Text,
    /// Bytes.
    Bytes,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// TLS parameters of a connection.
    Tls,
    /// Result of an operation.
    Answer,
    /// Failure of an operation or a command.
    Failure,
    /// Entries of an iteration.
    Entries,
}

/// Value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Absent value of an optional field.
    None,
    /// Value of [`Kind::Id`].
    Id(u64),
    /// Value of [`Kind::Number`] or [`Kind::Duration`].
    Number(u64),
    /// Value of [`Kind::Opaque`].
    Opaque(u64),
    /// Value of [`Kind::Signed`].
    Signed(i64),
    /// Value of [`Kind::Flag`].
    Flag(bool),
    /// Value of [`Kind::Text`].
    Text(String),
    /// Value of [`Kind::Bytes`].
    Bytes(Bytes),
    /// Value of [`Kind::Word`], with its index.
    Word(usize, &'static str),
    /// Value of [`Kind::Tls`].
    Tls(Box<Tls>),
    /// Value of [`Kind::Answer`].
    Answer(Answer),
    /// Value of [`Kind::Failure`].
    Failure(Box<Failure>),
    /// Value of [`Kind::Entries`].
    Entries(Vec<IterationEntry>),
}
