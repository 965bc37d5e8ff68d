//! Requests from the values that a host's language gives: one method of [`Arguments`] for each kind of argument.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::expiration::Expiration;
use super::operation::{Operation, Request};
use super::types::{AuthResponse, CounterConfiguration, Factory, ListenerOptions, Modification, Xid};

/// Values of a host's language for the fields of a request, asked for once each, in the order of the fields.
pub trait Arguments {
    /// The host language's error for a value of the wrong type or out of range.
    type Error;

    /// Takes the next field as bytes.
    fn bytes(&mut self, name: &'static str) -> Result<Bytes, Self::Error>;
    /// Takes the next field as text.
    fn text(&mut self, name: &'static str) -> Result<String, Self::Error>;
    /// Takes the next field as a boolean.
    fn flag(&mut self, name: &'static str) -> Result<bool, Self::Error>;
    /// Takes the next field as a number from 0 to `max`.
    fn number(&mut self, name: &'static str, max: u64) -> Result<u64, Self::Error>;
    /// Takes the next field as a number from `min` to `max`.
    fn signed(&mut self, name: &'static str, min: i64, max: i64) -> Result<i64, Self::Error>;
    /// Takes the next field as the version of an entry: 64 opaque bits.
    fn opaque(&mut self, name: &'static str) -> Result<u64, Self::Error>;
    /// Takes the next field as lifespan and maximum idle time.
    fn expiration(&mut self, name: &'static str) -> Result<Expiration, Self::Error>;
    /// Takes the next field as a list of byte strings.
    fn byte_list(&mut self, name: &'static str) -> Result<Vec<Bytes>, Self::Error>;
    /// Takes the next field as a list of keys and values.
    fn entries(&mut self, name: &'static str) -> Result<Vec<(Bytes, Bytes)>, Self::Error>;
    /// Takes the next field as a list of names and values.
    fn parameters(&mut self, name: &'static str) -> Result<Vec<(String, Bytes)>, Self::Error>;
    /// Takes the next field as the identity of a transaction.
    fn xid(&mut self, name: &'static str) -> Result<Xid, Self::Error>;
    /// Takes the next field as the list of a transaction's modifications.
    fn modifications(&mut self, name: &'static str) -> Result<Vec<Modification>, Self::Error>;
    /// Takes the next field as the configuration of a counter.
    fn counter(&mut self, name: &'static str) -> Result<CounterConfiguration, Self::Error>;
    /// Makes the error for an operation that users do not submit.
    fn not_offered(&mut self, operation: Operation) -> Self::Error;
}

/// The argument that a field of a request takes: each is a method of [`Arguments`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is named after its method
pub enum ArgumentKind {
    Bytes,
    Text,
    Flag,
    Number,
    Signed,
    Opaque,
    Expiration,
    ByteList,
    Entries,
    Parameters,
    Xid,
    Modifications,
    Counter,
    /// No argument: the field belongs to an operation that users do not submit.
    NotOffered,
}

/// Type of a request's field.
pub trait Argument: Sized {
    /// The argument that the type takes.
    const KIND: ArgumentKind;

    /// Reads the next field.
    fn take<A: Arguments>(arguments: &mut A, operation: Operation, name: &'static str) -> Result<Self, A::Error>;
}

macro_rules! arguments {
    ($($type:ty: $kind:ident, |$arguments:ident, $operation:ident, $name:ident| $taken:expr;)*) => {$(
        impl Argument for $type {
            const KIND: ArgumentKind = ArgumentKind::$kind;

            fn take<A: Arguments>($arguments: &mut A, $operation: Operation, $name: &'static str) -> Result<Self, A::Error> {
                let _ = ($operation, $name);
                $taken
            }
        }
    )*};
}

arguments! {
    Bytes: Bytes, |arguments, _operation, name| arguments.bytes(name);
    String: Text, |arguments, _operation, name| arguments.text(name);
    bool: Flag, |arguments, _operation, name| arguments.flag(name);
    u32: Number, |arguments, _operation, name| Ok(arguments.number(name, u32::MAX.into())? as u32);
    i32: Signed, |arguments, _operation, name| Ok(arguments.signed(name, i32::MIN.into(), i32::MAX.into())? as i32);
    i64: Signed, |arguments, _operation, name| arguments.signed(name, i64::MIN, i64::MAX);
    u64: Opaque, |arguments, _operation, name| arguments.opaque(name);
    Expiration: Expiration, |arguments, _operation, name| arguments.expiration(name);
    Vec<Bytes>: ByteList, |arguments, _operation, name| arguments.byte_list(name);
    Vec<(Bytes, Bytes)>: Entries, |arguments, _operation, name| arguments.entries(name);
    Vec<(String, Bytes)>: Parameters, |arguments, _operation, name| arguments.parameters(name);
    Xid: Xid, |arguments, _operation, name| arguments.xid(name);
    Vec<Modification>: Modifications, |arguments, _operation, name| arguments.modifications(name);
    CounterConfiguration: Counter, |arguments, _operation, name| arguments.counter(name);
    AuthResponse: NotOffered, |arguments, operation, _name| Err(arguments.not_offered(operation));
    ListenerOptions: NotOffered, |arguments, operation, _name| Err(arguments.not_offered(operation));
    Option<Factory>: NotOffered, |arguments, operation, _name| Err(arguments.not_offered(operation));
    Option<Bytes>: NotOffered, |arguments, operation, _name| Err(arguments.not_offered(operation));
}

impl Operation {
    /// Returns the name in programs: `put_if_absent`.
    pub fn program_name(self) -> String {
        let mut name = String::new();
        for letter in self.row().variant.chars() {
            if !name.is_empty() && (letter.is_ascii_uppercase() || letter.is_ascii_digit()) {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

impl Request {
    /// Makes a request of an operation and the arguments of a call.
    pub fn from_arguments<A: Arguments>(operation: Operation, arguments: &mut A) -> Result<Self, A::Error> {
        if !operation.is_offered() {
            return Err(arguments.not_offered(operation));
        }
        Self::take(operation, arguments)
    }
}
