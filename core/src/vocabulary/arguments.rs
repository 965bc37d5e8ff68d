//! Requests from what a host's language gives.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::wire::{
    AuthResponse, CounterConfiguration, Expiration, Factory, Lifetime, ListenerOptions, Modification, Operation,
    Request, Xid,
};

/// The fields of a request as values of the host's language; each is asked for once, in the order of the fields.
pub trait Arguments {
    /// What is wrong with a value, in the host's manner.
    type Error;

    /// The next field, which is bytes.
    fn bytes(&mut self, name: &'static str) -> Result<Bytes, Self::Error>;
    /// The next field, which is text.
    fn text(&mut self, name: &'static str) -> Result<String, Self::Error>;
    /// The next field, which is yes or no.
    fn flag(&mut self, name: &'static str) -> Result<bool, Self::Error>;
    /// The next field, which is a number from 0 to `max`.
    fn number(&mut self, name: &'static str, max: u64) -> Result<u64, Self::Error>;
    /// The next field, which is a number from `min` to `max`.
    fn signed(&mut self, name: &'static str, min: i64, max: i64) -> Result<i64, Self::Error>;
    /// The next field, which is the version of an entry: 64 bits that mean nothing.
    fn opaque(&mut self, name: &'static str) -> Result<u64, Self::Error>;
    /// The next field, which is when an entry expires.
    fn expiration(&mut self, name: &'static str) -> Result<Expiration, Self::Error>;
    /// The next field, which is a list of bytes.
    fn byte_list(&mut self, name: &'static str) -> Result<Vec<Bytes>, Self::Error>;
    /// The next field, which is a list of keys and values.
    fn entries(&mut self, name: &'static str) -> Result<Vec<(Bytes, Bytes)>, Self::Error>;
    /// The next field, which is a list of names and values.
    fn parameters(&mut self, name: &'static str) -> Result<Vec<(String, Bytes)>, Self::Error>;
    /// The next field, which is the identity of a transaction.
    fn xid(&mut self, name: &'static str) -> Result<Xid, Self::Error>;
    /// The next field, which is a list of what a transaction changes.
    fn modifications(&mut self, name: &'static str) -> Result<Vec<Modification>, Self::Error>;
    /// The next field, which is how a counter is made.
    fn counter(&mut self, name: &'static str) -> Result<CounterConfiguration, Self::Error>;
    /// The operation is not for users: the machine does it where it is needed.
    fn not_offered(&mut self, operation: Operation) -> Self::Error;
}

/// What a field of a request takes; a closed set, each a method of [`Arguments`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is the method of that name
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
    /// Of operations that are not for users.
    NotOffered,
}

/// A type of a request's field.
pub trait Argument: Sized {
    /// What it takes.
    const KIND: ArgumentKind;

    /// Takes the next field.
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
    /// Its name in programs: `put_if_absent`.
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

    /// Whether users submit it. The others are the machine's own: authentication, listeners and iterations have
    /// commands of their own.
    pub fn is_offered(self) -> bool {
        !matches!(
            self,
            Self::AuthMechList
                | Self::Auth
                | Self::AddClientListener
                | Self::RemoveClientListener
                | Self::AddBloomFilterListener
                | Self::UpdateBloomFilter
                | Self::IterationStart
                | Self::IterationNext
                | Self::IterationEnd
                | Self::CounterAddListener
                | Self::CounterRemoveListener
        )
    }
}

impl Request {
    /// An operation with the arguments of a call.
    pub fn from_arguments<A: Arguments>(operation: Operation, arguments: &mut A) -> Result<Self, A::Error> {
        if !operation.is_offered() {
            return Err(arguments.not_offered(operation));
        }
        Self::take(operation, arguments)
    }
}

/// A lifetime that can't be: not a number, or less than nothing.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} seconds is no lifetime: it has to be a number above 0, or infinity for no end")]
pub struct NotALifetime(pub f64);

/// A lifetime of so many seconds, rounded up to milliseconds; infinity for no end.
pub fn lifetime_of_seconds(seconds: f64) -> Result<Lifetime, NotALifetime> {
    if seconds == f64::INFINITY {
        return Ok(Lifetime::Infinite);
    }
    // A lifetime of 0 would be no end on the wire, which nobody means.
    if seconds.is_nan() || seconds <= 0.0 {
        return Err(NotALifetime(seconds));
    }
    let milliseconds = seconds * 1000.0;
    let whole = milliseconds as u64;
    // Half a microsecond is what multiplication may add.
    let part = milliseconds - whole as f64 > 0.000_5;
    Ok(Lifetime::milliseconds((whole + u64::from(part)).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_rounded_up_and_never_endless_by_accident() {
        assert_eq!(lifetime_of_seconds(1.5), Ok(Lifetime::milliseconds(1500)));
        assert_eq!(lifetime_of_seconds(0.1), Ok(Lifetime::milliseconds(100)));
        assert_eq!(lifetime_of_seconds(0.0001), Ok(Lifetime::milliseconds(1)));
        assert_eq!(lifetime_of_seconds(1e-9), Ok(Lifetime::milliseconds(1)));
        assert_eq!(lifetime_of_seconds(f64::INFINITY), Ok(Lifetime::Infinite));
        for wrong in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert!(lifetime_of_seconds(wrong).is_err(), "{wrong}");
        }
    }
}
