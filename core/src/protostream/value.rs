//! The values that a `WrappedMessage` holds.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// A value in a `WrappedMessage`. Texts and bytes are borrowed, from the decoded bytes or from the caller.
///
/// One variant per field of the wrapper: equal numbers of different types are different keys.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Java's `null`. As an element of a container it has a field; a whole value of null has no bytes.
    Null,
    /// Java's `double`.
    Double(f64),
    /// Java's `float`.
    Float(f32),
    /// Java's `long`.
    Int64(i64),
    /// Not written by Java's client.
    UInt64(u64),
    /// Java's `int`.
    Int32(i32),
    /// Not written by Java's client.
    Fixed64(u64),
    /// Not written by Java's client.
    Fixed32(u32),
    /// Java's `boolean`.
    Bool(bool),
    /// Java's `String`.
    String(&'a str),
    /// Java's `byte[]`.
    Bytes(&'a [u8]),
    /// Not written by Java's client.
    UInt32(u32),
    /// Not written by Java's client.
    SFixed32(i32),
    /// Not written by Java's client.
    SFixed64(i64),
    /// Not written by Java's client.
    SInt32(i32),
    /// Not written by Java's client.
    SInt64(i64),
    /// Java's `char`, a UTF-16 code unit.
    Char(u16),
    /// Java's `short`.
    Short(i16),
    /// Java's `byte`.
    Byte(i8),
    /// Java's `java.util.Date`: milliseconds since 1970-01-01T00:00:00Z.
    DateMillis(i64),
    /// Java's `java.time.Instant`.
    Instant {
        /// Seconds since 1970-01-01T00:00:00Z.
        seconds: i64,
        /// Nanoseconds after `seconds`: 0 to 999,999,999.
        nanos: u32,
    },
    /// A constant of an enum.
    Enum {
        /// Type of the enum.
        of: TypeName<'a>,
        /// Number of the constant.
        number: i32,
    },
    /// A message of an application.
    Message {
        /// Type of the message.
        of: TypeName<'a>,
        /// The encoded message.
        bytes: &'a [u8],
    },
    /// A list, set or array.
    Container(Box<Container<'a>>),
}

/// The type of a message, an enum or a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TypeName<'a> {
    /// Full name with its package, such as `shop.Item`.
    Name(&'a str),
    /// Number that the schema gives to the type (`@TypeId`), at most 2,147,483,647. A type that has one is always
    /// written by its number.
    Id(u32),
}

/// A list, set or array with its elements.
#[derive(Debug, Clone, PartialEq)]
pub struct Container<'a> {
    /// Type of the container, such as [`ARRAY_LIST`](Self::ARRAY_LIST).
    pub of: TypeName<'a>,
    /// The container's own fields, an encoded message. Empty for all containers of Java's class library.
    pub bytes: &'a [u8],
    /// The elements, in order.
    pub elements: Vec<Value<'a>>,
}

impl<'a> Container<'a> {
    /// `java.util.ArrayList`: what Java's client needs to receive a `List`.
    pub const ARRAY_LIST: TypeName<'static> = TypeName::Name("org.infinispan.protostream.commons.ArrayList");
    /// `java.util.HashSet`.
    pub const HASH_SET: TypeName<'static> = TypeName::Name("org.infinispan.protostream.commons.HashSet");
    /// `Object[]`.
    pub const OBJECT_ARRAY: TypeName<'static> = TypeName::Name("org.infinispan.protostream.commons.ObjectArray");

    /// A container without fields of its own.
    pub fn new(of: TypeName<'a>, elements: Vec<Value<'a>>) -> Self {
        Self { of, bytes: &[], elements }
    }
}

impl<'a> From<Container<'a>> for Value<'a> {
    fn from(container: Container<'a>) -> Self {
        Self::Container(Box::new(container))
    }
}
