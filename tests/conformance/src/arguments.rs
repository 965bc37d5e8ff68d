//! Arguments of operations, from JSON.

use std::slice;

use bytes::Bytes;
use hotrod_core::vocabulary::Arguments;
use hotrod_core::wire::{
    Change, CounterConfiguration, CounterKind, Expiration, Factory, Lifetime, Modification, Operation, Seen, TimeUnit,
    Xid,
};
use serde_json::Value;

use crate::values::unhex;

/// The arguments of one call, in order. What is wrong with one is told by its name.
pub struct JsonArguments<'a>(slice::Iter<'a, Value>);

type Taken<T> = Result<T, String>;

impl<'a> JsonArguments<'a> {
    /// Of a list.
    pub fn new(arguments: &'a [Value]) -> Self {
        Self(arguments.iter())
    }

    fn next<T>(&mut self, name: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Taken<T> {
        self.0.next().and_then(read).ok_or_else(|| format!("argument {name} is missing or has another form"))
    }
}

impl Arguments for JsonArguments<'_> {
    type Error = String;

    fn bytes(&mut self, name: &'static str) -> Taken<Bytes> {
        self.next(name, bytes)
    }

    fn text(&mut self, name: &'static str) -> Taken<String> {
        self.next(name, text)
    }

    fn flag(&mut self, name: &'static str) -> Taken<bool> {
        self.next(name, Value::as_bool)
    }

    fn number(&mut self, name: &'static str, max: u64) -> Taken<u64> {
        self.next(name, |value| value.as_u64().filter(|number| *number <= max))
    }

    fn signed(&mut self, name: &'static str, min: i64, max: i64) -> Taken<i64> {
        self.next(name, |value| signed(value).filter(|number| (min..=max).contains(number)))
    }

    fn opaque(&mut self, name: &'static str) -> Taken<u64> {
        self.next(name, opaque)
    }

    fn expiration(&mut self, name: &'static str) -> Taken<Expiration> {
        self.next(name, expiration)
    }

    fn byte_list(&mut self, name: &'static str) -> Taken<Vec<Bytes>> {
        self.next(name, byte_list)
    }

    fn entries(&mut self, name: &'static str) -> Taken<Vec<(Bytes, Bytes)>> {
        self.next(name, |value| pairs(value, bytes))
    }

    fn parameters(&mut self, name: &'static str) -> Taken<Vec<(String, Bytes)>> {
        self.next(name, |value| pairs(value, text))
    }

    fn xid(&mut self, name: &'static str) -> Taken<Xid> {
        self.next(name, |value| {
            Some(Xid {
                format_id: signed(&value["format_id"])? as i32,
                global_transaction_id: bytes(&value["global_transaction_id"])?,
                branch_qualifier: bytes(&value["branch_qualifier"])?,
            })
        })
    }

    fn modifications(&mut self, name: &'static str) -> Taken<Vec<Modification>> {
        self.next(name, |value| value.as_array()?.iter().map(modification).collect())
    }

    fn counter(&mut self, name: &'static str) -> Taken<CounterConfiguration> {
        self.next(name, |value| {
            let kind = match value["kind"].as_str()? {
                "unbounded_strong" => CounterKind::UnboundedStrong,
                "bounded_strong" => {
                    CounterKind::BoundedStrong { lower: signed(&value["lower"])?, upper: signed(&value["upper"])? }
                }
                "weak" => CounterKind::Weak { concurrency: value["concurrency"].as_u64()? as u32 },
                _ => return None,
            };
            let (persistent, initial_value) = (value["persistent"].as_bool()?, signed(&value["initial_value"])?);
            Some(CounterConfiguration { kind, persistent, initial_value })
        })
    }

    fn not_offered(&mut self, operation: Operation) -> String {
        format!("{operation} is not for users")
    }
}

pub(crate) fn bytes(value: &Value) -> Option<Bytes> {
    Some(unhex(value.as_str()?)?.into())
}

pub(crate) fn text(value: &Value) -> Option<String> {
    Some(value.as_str()?.into())
}

pub(crate) fn byte_list(value: &Value) -> Option<Vec<Bytes>> {
    value.as_array()?.iter().map(bytes).collect()
}

pub(crate) fn pairs<T>(value: &Value, first: fn(&Value) -> Option<T>) -> Option<Vec<(T, Bytes)>> {
    value.as_array()?.iter().map(|pair| Some((first(&pair[0])?, bytes(&pair[1])?))).collect()
}

pub(crate) fn factory(value: &Value) -> Option<Factory> {
    Some(Factory { name: text(&value["name"])?, parameters: byte_list(&value["parameters"])? })
}

fn signed(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn opaque(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}

fn expiration(value: &Value) -> Option<Expiration> {
    Some(Expiration { lifespan: lifetime(&value["lifespan"])?, max_idle: lifetime(&value["max_idle"])? })
}

fn lifetime(value: &Value) -> Option<Lifetime> {
    match value.as_str() {
        Some("default") => Some(Lifetime::Default),
        Some("infinite") => Some(Lifetime::Infinite),
        _ => {
            let unit = TimeUnit::from_symbol(value["unit"].as_str()?)?;
            Some(Lifetime::For(opaque(&value["count"])?, unit))
        }
    }
}

fn modification(value: &Value) -> Option<Modification> {
    let seen = match value["seen"].as_str()? {
        "not_read" => Seen::NotRead,
        "non_existing" => Seen::NonExisting,
        version => Seen::Version(version.parse().ok()?),
    };
    let change = match &value["change"] {
        Value::String(_) => Change::Remove,
        put => Change::Put { expiration: expiration(&put["expiration"])?, value: bytes(&put["value"])? },
    };
    Some(Modification { key: bytes(&value["key"])?, seen, change })
}
