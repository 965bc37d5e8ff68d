//! The shapes of what a machine says, and the values in them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::answer::Answer;
use super::failure::Failure;
use crate::cluster::Tls;
use crate::wire::IterationEntry;

/// The form of one kind of output: in each language a class, a member of a union, or a struct.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Its number at the border; never given to another.
    pub tag: u8,
    /// Its name, as in Rust.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Its fields, in the order of their values.
    pub fields: fn() -> Vec<Field>,
}

/// A field of a [`Shape`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What values it has.
    pub kind: Kind,
    /// Whether it may have none.
    pub optional: bool,
}

/// What a value is; a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The identity of a link, a member, an operation, a listener or an iteration: 64 bits, never 0.
    Id(&'static str),
    /// A count or a number below 2⁵³.
    Number,
    /// 64 bits that mean nothing by themselves: the version of an entry.
    Opaque,
    /// A signed number of 64 bits.
    Signed,
    /// Yes or no.
    Flag,
    /// A span of time, in microseconds.
    Duration,
    /// Text for people, or a name.
    Text,
    /// Bytes.
    Bytes,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// How to establish TLS.
    Tls,
    /// What an operation answers.
    Answer,
    /// How something failed.
    Failure,
    /// Entries of an iteration.
    Entries,
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// None, of an optional field.
    None,
    /// Of [`Kind::Id`].
    Id(u64),
    /// Of [`Kind::Number`] and [`Kind::Duration`].
    Number(u64),
    /// Of [`Kind::Opaque`].
    Opaque(u64),
    /// Of [`Kind::Signed`].
    Signed(i64),
    /// Of [`Kind::Flag`].
    Flag(bool),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Bytes`].
    Bytes(Bytes),
    /// Of [`Kind::Word`]: which one.
    Word(usize, &'static str),
    /// Of [`Kind::Tls`].
    Tls(Box<Tls>),
    /// Of [`Kind::Answer`].
    Answer(Answer),
    /// Of [`Kind::Failure`].
    Failure(Box<Failure>),
    /// Of [`Kind::Entries`].
    Entries(Vec<IterationEntry>),
}

/// Declares an enum whose variants cross the border: each with its number, its documentation and its fields.
macro_rules! declare {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $variant:ident = $tag:literal $({
                    $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)*
                })?,
            )*
        }
        $(further $(#[doc = $inner_doc:literal])+ $inner:ident($inner_type:ty))?
    ) => {
        $(#[$meta])*
        pub enum $name {
            $(
                $(#[doc = $doc])+
                $variant $({
                    $($(#[doc = $field_doc])+ $field: $type,)*
                })?,
            )*
            $($(#[doc = $inner_doc])+ $inner($inner_type),)?
        }

        impl $name {
            /// The forms that it has at the border.
            pub const SHAPES: &'static [crate::vocabulary::Shape] = &[$(crate::vocabulary::Shape {
                tag: $tag,
                name: stringify!($variant),
                doc: concat!($($doc, "\n"),+),
                fields: || {
                    #[allow(unused_mut)]
                    let mut fields = alloc::vec::Vec::new();
                    $($(<$type as crate::vocabulary::Crossing>::fields(
                        stringify!($field),
                        concat!($($field_doc, "\n"),+),
                        &mut fields,
                    );)*)?
                    fields
                },
            }),*];

            /// The [number](crate::vocabulary::Shape::tag) of its shape.
            pub fn tag(&self) -> u8 {
                match self {
                    $(Self::$variant { .. } => $tag,)*
                    $(Self::$inner(inner) => <$inner_type>::tag(inner),)?
                }
            }

            /// Appends its values, in the order of the shape's fields.
            pub fn cross(self, context: &crate::vocabulary::Context<'_>, values: &mut alloc::vec::Vec<crate::vocabulary::Value>) {
                match self {
                    $(Self::$variant $({ $($field),* })? => {
                        $(
                            let mut subject = crate::vocabulary::Subject::default();
                            $(crate::vocabulary::Crossing::describe(&$field, &mut subject);)*
                            let context = context.of(subject);
                            $(crate::vocabulary::Crossing::cross($field, &context, values);)*
                        )?
                    })*
                    $(Self::$inner(inner) => <$inner_type>::cross(inner, context, values),)?
                }
            }
        }
    };
}
pub(crate) use declare;
