//! Converts JavaScript values to request fields.

use bytes::Bytes;
use hotrod_core::vocabulary::{Arguments, Failure, lifetime_of_seconds};
use hotrod_core::wire::{
    Change, CounterConfiguration, CounterKind, Expiration, Lifetime, Modification, Operation, Seen, TimeUnit, Xid,
};
use napi::bindgen_prelude::{Array, BigInt, Either, Either3, FromNapiValue, Object};

use crate::memory::{Copied, List};

const BYTES: &str = "a Buffer or Uint8Array that was not transferred";

/// The arguments of a call, in order.
pub(crate) struct JavaScriptArguments<'a, 'env> {
    arguments: &'a Array<'env>,
    next: u32,
}

type Converted<T> = Result<T, Failure>;

fn wrong(name: &str, wanted: &str) -> Failure {
    // Leaves the value out: it may be a secret.
    Failure::misuse(format!("argument {name}: expected {wanted}"))
}

impl<'a, 'env> JavaScriptArguments<'a, 'env> {
    pub(crate) fn new(arguments: &'a Array<'env>) -> Self {
        Self { arguments, next: 0 }
    }

    /// Returns whether arguments are left.
    pub(crate) fn are_left(&self) -> bool {
        self.next < self.arguments.len()
    }

    fn take<T: FromNapiValue>(&mut self, name: &str, wanted: &str) -> Converted<T> {
        let argument = self.arguments.get::<T>(self.next);
        self.next += 1;
        argument.ok().flatten().ok_or_else(|| wrong(name, wanted))
    }

    /// Checks the type first: Node-API reads numbers and strings as objects without fields.
    fn object(&mut self, name: &str, wanted: &str) -> Converted<Object<'env>> {
        match self.take::<Either3<f64, String, Object<'env>>>(name, wanted)? {
            Either3::C(object) => Ok(object),
            Either3::A(_) | Either3::B(_) => Err(wrong(name, wanted)),
        }
    }
}

impl Arguments for JavaScriptArguments<'_, '_> {
    type Error = Failure;

    fn bytes(&mut self, name: &'static str) -> Converted<Bytes> {
        self.take::<Copied>(name, BYTES).map(|data| data.0)
    }

    fn text(&mut self, name: &'static str) -> Converted<String> {
        self.take(name, "a string")
    }

    fn flag(&mut self, name: &'static str) -> Converted<bool> {
        self.take(name, "a boolean")
    }

    fn number(&mut self, name: &'static str, max: u64) -> Converted<u64> {
        let number: f64 = self.take(name, "a number")?;
        if number.fract() != 0.0 || !(0.0..=max as f64).contains(&number) {
            return Err(wrong(name, &format!("a whole number from 0 to {max}, got {number}")));
        }
        Ok(number as u64)
    }

    fn signed(&mut self, name: &'static str, min: i64, max: i64) -> Converted<i64> {
        let number = signed(self.take(name, "a bigint or a whole number")?, name)?;
        if !(min..=max).contains(&number) {
            return Err(wrong(name, &format!("a number from {min} to {max}, got {number}")));
        }
        Ok(number)
    }

    fn opaque(&mut self, name: &'static str) -> Converted<u64> {
        opaque(self.take(name, "a bigint, the version of an entry")?, name)
    }

    fn expiration(&mut self, name: &'static str) -> Converted<Expiration> {
        let object = self.object(name, "{ lifespan, maxIdle }")?;
        only(&object, name, &["lifespan", "maxIdle"])?;
        expiration(&object)
    }

    fn byte_list(&mut self, name: &'static str) -> Converted<Vec<Bytes>> {
        let list: List<Copied> = self.take(name, "an array of Buffers or Uint8Arrays")?;
        Ok(list.0.into_iter().map(|item| item.0).collect())
    }

    fn entries(&mut self, name: &'static str) -> Converted<Vec<(Bytes, Bytes)>> {
        let list: List<(Copied, Copied)> = self.take(name, "an array of [key, value]")?;
        Ok(list.0.into_iter().map(|(key, value)| (key.0, value.0)).collect())
    }

    fn parameters(&mut self, name: &'static str) -> Converted<Vec<(String, Bytes)>> {
        let list: List<(String, Copied)> = self.take(name, "an array of [name, value]")?;
        Ok(list.0.into_iter().map(|(name, value)| (name, value.0)).collect())
    }

    fn xid(&mut self, name: &'static str) -> Converted<Xid> {
        let wanted = "{ formatId, globalTransactionId, branchQualifier }";
        let object = self.object(name, wanted)?;
        only(&object, name, &["formatId", "globalTransactionId", "branchQualifier"])?;
        Ok(Xid {
            format_id: field(&object, "formatId", wanted)?,
            global_transaction_id: field::<Copied>(&object, "globalTransactionId", wanted)?.0,
            branch_qualifier: field::<Copied>(&object, "branchQualifier", wanted)?.0,
        })
    }

    fn modifications(&mut self, name: &'static str) -> Converted<Vec<Modification>> {
        let list: List<Object<'_>> = self.take(name, "an array of modifications")?;
        list.0.iter().map(modification).collect()
    }

    fn counter(&mut self, name: &'static str) -> Converted<CounterConfiguration> {
        let object = self.object(name, "a counter's configuration")?;
        only(&object, name, &["kind", "initialValue", "lower", "upper", "concurrency", "persistent"])?;
        counter(&object)
    }

    fn not_offered(&mut self, operation: Operation) -> Failure {
        Failure::misuse(format!("{operation} is not for users: listeners and iterations have calls of their own"))
    }
}

/// Refuses fields that the object does not have, such as misspelled ones.
fn only(object: &Object<'_>, name: &str, known: &[&str]) -> Converted<()> {
    let fields = Object::keys(object).map_err(|_| wrong(name, "an object"))?;
    match fields.iter().find(|field| !known.contains(&field.as_str())) {
        None => Ok(()),
        Some(field) => {
            Err(Failure::misuse(format!("argument {name}: there is no {field:?} here; there are {}", known.join(", "))))
        }
    }
}

fn field<T: FromNapiValue>(object: &Object<'_>, name: &str, wanted: &str) -> Converted<T> {
    object.get::<T>(name).ok().flatten().ok_or_else(|| wrong(name, wanted))
}

/// Reads a field that may be missing or null.
fn optional<T: FromNapiValue>(object: &Object<'_>, name: &str, wanted: &str) -> Converted<Option<T>> {
    object.get::<Option<T>>(name).map(Option::flatten).map_err(|_| wrong(name, wanted))
}

fn signed(number: Either<BigInt, f64>, name: &str) -> Converted<i64> {
    match number {
        Either::A(number) if number.words.is_empty() => Ok(0),
        Either::A(number) => match number.get_i64() {
            (value, true) => Ok(value),
            _ => Err(wrong(name, "a bigint of 64 bits")),
        },
        Either::B(number) if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0 => Ok(number as i64),
        Either::B(_) => Err(wrong(name, "a whole number, or a bigint for more than 53 bits")),
    }
}

fn opaque(number: Either<BigInt, f64>, name: &str) -> Converted<u64> {
    match number {
        Either::A(number) if number.words.is_empty() => Ok(0),
        Either::A(number) => match number.get_u64() {
            (false, value, true) => Ok(value),
            _ => Err(wrong(name, "a bigint from 0 to 2n ** 64n - 1n")),
        },
        other @ Either::B(_) => {
            u64::try_from(signed(other, name)?).map_err(|_| wrong(name, "a number that is not negative"))
        }
    }
}

fn expiration(object: &Object<'_>) -> Converted<Expiration> {
    Ok(Expiration { lifespan: lifetime(object, "lifespan")?, max_idle: lifetime(object, "maxIdle")? })
}

/// Reads a lifetime: nothing, milliseconds, or a count and its unit.
fn lifetime(object: &Object<'_>, name: &str) -> Converted<Lifetime> {
    let wanted = "milliseconds, Infinity, or { count, unit } with the unit s, ms, us, ns, min, h or d";
    match optional::<Either3<f64, Object<'_>, ()>>(object, name, wanted)? {
        None | Some(Either3::C(())) => Ok(Lifetime::Default),
        Some(Either3::A(milliseconds)) => lifetime_of_seconds(milliseconds / 1000.0).map_err(|_| wrong(name, wanted)),
        Some(Either3::B(span)) => {
            only(&span, name, &["count", "unit"])?;
            let unit: String = field(&span, "unit", wanted)?;
            let unit = TimeUnit::from_symbol(&unit);
            Ok(Lifetime::For(opaque(field(&span, "count", wanted)?, name)?, unit.ok_or_else(|| wrong(name, wanted))?))
        }
    }
}

fn modification(object: &Object<'_>) -> Converted<Modification> {
    let wanted = "a modification: { key, value, seen, lifespan, maxIdle }";
    only(object, "modifications", &["key", "value", "seen", "lifespan", "maxIdle"])?;
    let seen = match optional::<Either3<String, BigInt, f64>>(object, "seen", "a version or a word")? {
        None => Seen::NotRead,
        Some(Either3::A(word)) => match word.as_str() {
            "not_read" => Seen::NotRead,
            "non_existing" => Seen::NonExisting,
            _ => return Err(wrong("seen", "a version, \"not_read\" or \"non_existing\"")),
        },
        Some(Either3::B(version)) => Seen::Version(opaque(Either::A(version), "seen")?),
        Some(Either3::C(version)) => Seen::Version(opaque(Either::B(version), "seen")?),
    };
    let change = match optional::<Copied>(object, "value", "a Buffer, or null to remove the entry")? {
        None => Change::Remove,
        Some(value) => Change::Put { expiration: expiration(object)?, value: value.0 },
    };
    Ok(Modification { key: field::<Copied>(object, "key", wanted)?.0, seen, change })
}

fn counter(object: &Object<'_>) -> Converted<CounterConfiguration> {
    let wanted = "\"unbounded_strong\", \"bounded_strong\" or \"weak\"";
    let number = |name: &str| signed(field(object, name, "a bigint or a whole number")?, name);
    let kind = match field::<String>(object, "kind", wanted)?.as_str() {
        "unbounded_strong" => CounterKind::UnboundedStrong,
        "bounded_strong" => CounterKind::BoundedStrong { lower: number("lower")?, upper: number("upper")? },
        "weak" => CounterKind::Weak { concurrency: field(object, "concurrency", "a number")? },
        _ => return Err(wrong("kind", wanted)),
    };
    let persistent = optional(object, "persistent", "a boolean")?.unwrap_or_default();
    let initial_value = optional(object, "initialValue", "a bigint or a whole number")?;
    let initial_value = initial_value.map_or(Ok(0), |value| signed(value, "initialValue"))?;
    Ok(CounterConfiguration { kind, persistent, initial_value })
}
