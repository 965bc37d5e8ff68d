//! Converts Python values to request fields.

use bytes::Bytes;
use hotrod_core::vocabulary::{Arguments, FailureKind, lifetime_of_seconds};
use hotrod_core::wire::{
    Change, CounterConfiguration, CounterKind, Expiration, Factory, Lifetime, Modification, Operation, Seen, TimeUnit,
    Xid,
};
use pyo3::exceptions::{PyException, PyOverflowError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString, PyTuple};

use crate::classes::Classes;
use crate::failures::misuse;

/// Minimum length at which `bytes` are kept in Python's memory instead of being copied.
const WORTH_KEEPING: usize = 8 << 10;

/// The arguments of a call, in order.
pub(crate) struct PythonArguments<'a, 'py> {
    arguments: &'a Bound<'py, PyTuple>,
    next: usize,
}

impl<'a, 'py> PythonArguments<'a, 'py> {
    pub(crate) fn new(arguments: &'a Bound<'py, PyTuple>) -> Self {
        Self { arguments, next: 0 }
    }

    /// Returns whether arguments are left.
    pub(crate) fn are_left(&self) -> bool {
        self.next < self.arguments.len()
    }

    fn next(&mut self, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let missing = |_| misuse(self.arguments.py(), format!("argument {name} is missing"));
        let argument = self.arguments.get_item(self.next).map_err(missing)?;
        self.next += 1;
        Ok(argument)
    }

    fn take<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<T>,
    ) -> PyResult<T> {
        let argument = self.next(name)?;
        read(&argument).map_err(|error| wrong(&argument, name, wanted, &error))
    }
}

/// Whether an error has a message for the user already.
fn is_misuse(error: &PyErr, py: Python<'_>) -> bool {
    let class = Classes::get(py).ok().and_then(|classes| classes.errors.get(FailureKind::Misuse as usize)?.as_ref());
    class.is_some_and(|class| error.get_type(py).is(class.bind(py)))
}

/// Error for an argument, caused by `error`. Leaves the value out: it may be a secret. What is no `Exception`, such as
/// KeyboardInterrupt, remains as it is.
fn wrong(argument: &Bound<'_, PyAny>, name: &str, wanted: &str, error: &PyErr) -> PyErr {
    let py = argument.py();
    if !error.is_instance_of::<PyException>(py) {
        return error.clone_ref(py);
    }
    let message = if is_misuse(error, py) {
        format!("argument {name}: {}", error.value(py))
    } else if error.is_instance_of::<PyOverflowError>(py) {
        format!("argument {name}: expected {wanted}, got a number out of range")
    } else {
        let class = argument.get_type().name().map(|name| name.to_string()).unwrap_or_default();
        format!("argument {name}: expected {wanted}, got {class}")
    };
    let misuse = misuse(py, message);
    misuse.set_cause(py, Some(error.clone_ref(py)));
    misuse
}

impl Arguments for PythonArguments<'_, '_> {
    type Error = PyErr;

    fn bytes(&mut self, name: &'static str) -> PyResult<Bytes> {
        self.take(name, "bytes", bytes)
    }

    fn text(&mut self, name: &'static str) -> PyResult<String> {
        self.take(name, "str", |argument| argument.extract())
    }

    fn flag(&mut self, name: &'static str) -> PyResult<bool> {
        self.take(name, "bool", |argument| argument.extract())
    }

    fn number(&mut self, name: &'static str, max: u64) -> PyResult<u64> {
        let number = self.take(name, "an int of 0 or more", |argument| argument.extract::<u64>())?;
        if number > max {
            return Err(misuse(self.arguments.py(), format!("argument {name}: {number} is above {max}")));
        }
        Ok(number)
    }

    fn signed(&mut self, name: &'static str, min: i64, max: i64) -> PyResult<i64> {
        let number = self.take(name, "an int of 64 bits", |argument| argument.extract::<i64>())?;
        if !(min..=max).contains(&number) {
            let message = format!("argument {name}: {number} is not between {min} and {max}");
            return Err(misuse(self.arguments.py(), message));
        }
        Ok(number)
    }

    fn opaque(&mut self, name: &'static str) -> PyResult<u64> {
        self.take(name, "an int, the version of an entry", |argument| argument.extract())
    }

    fn expiration(&mut self, name: &'static str) -> PyResult<Expiration> {
        let argument = self.next(name)?;
        expiration(&argument)
    }

    fn byte_list(&mut self, name: &'static str) -> PyResult<Vec<Bytes>> {
        self.take(name, "a sequence of bytes", byte_list)
    }

    fn entries(&mut self, name: &'static str) -> PyResult<Vec<(Bytes, Bytes)>> {
        self.take(name, "pairs of bytes", |argument| pairs(argument, bytes))
    }

    fn parameters(&mut self, name: &'static str) -> PyResult<Vec<(String, Bytes)>> {
        self.take(name, "pairs of str and bytes", |argument| pairs(argument, |name| name.extract()))
    }

    fn xid(&mut self, name: &'static str) -> PyResult<Xid> {
        self.take(name, "an Xid", |argument| {
            Ok(Xid {
                format_id: argument.getattr("format_id")?.extract()?,
                global_transaction_id: bytes(&argument.getattr("global_transaction_id")?)?,
                branch_qualifier: bytes(&argument.getattr("branch_qualifier")?)?,
            })
        })
    }

    fn modifications(&mut self, name: &'static str) -> PyResult<Vec<Modification>> {
        self.take(name, "a sequence of Modification", |argument| {
            argument.try_iter()?.map(|item| modification(&item?)).collect()
        })
    }

    fn counter(&mut self, name: &'static str) -> PyResult<CounterConfiguration> {
        self.take(name, "a CounterConfiguration", counter)
    }

    fn not_offered(&mut self, operation: Operation) -> PyErr {
        let message = format!("{operation} is not for users: listeners and iterations have calls of their own");
        misuse(self.arguments.py(), message)
    }
}

pub(crate) fn bytes(argument: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    if let Ok(data) = argument.cast::<PyBytes>() {
        let slice = data.as_bytes();
        return Ok(if slice.len() < WORTH_KEEPING {
            Bytes::copy_from_slice(slice)
        } else {
            Bytes::from_owner(PyBackedBytes::from(data.clone()))
        });
    }
    if let Ok(data) = argument.cast::<PyByteArray>() {
        return Ok(data.to_vec().into());
    }
    // The stable ABI of 3.9 has no buffer protocol, so Python makes the copy.
    let copied = argument.cast::<PyMemoryView>()?.call_method0("tobytes")?;
    Ok(Bytes::from_owner(PyBackedBytes::from(copied.cast_into::<PyBytes>()?)))
}

pub(crate) fn byte_list(argument: &Bound<'_, PyAny>) -> PyResult<Vec<Bytes>> {
    argument.try_iter()?.map(|item| bytes(&item?)).collect()
}

pub(crate) fn pairs<T>(
    argument: &Bound<'_, PyAny>,
    first: impl Fn(&Bound<'_, PyAny>) -> PyResult<T>,
) -> PyResult<Vec<(T, Bytes)>> {
    argument
        .try_iter()?
        .map(|item| {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
            Ok((first(&name)?, bytes(&value)?))
        })
        .collect()
}

/// Reads a factory: a name and parameters, or `None`.
pub(crate) fn factory(argument: Option<(String, Vec<Bound<'_, PyAny>>)>) -> PyResult<Option<Factory>> {
    let Some((name, parameters)) = argument else { return Ok(None) };
    Ok(Some(Factory { name, parameters: parameters.iter().map(bytes).collect::<PyResult<_>>()? }))
}

/// Reads two lifetimes: each `None`, seconds, or a count and its unit.
fn expiration(argument: &Bound<'_, PyAny>) -> PyResult<Expiration> {
    let wanted = "a lifespan and a maximum idle time";
    let pair: (Bound<'_, PyAny>, Bound<'_, PyAny>) =
        argument.extract().map_err(|error| wrong(argument, "expiration", wanted, &error))?;
    Ok(Expiration { lifespan: lifetime(&pair.0, "lifespan")?, max_idle: lifetime(&pair.1, "max_idle")? })
}

fn lifetime(argument: &Bound<'_, PyAny>, name: &str) -> PyResult<Lifetime> {
    let py = argument.py();
    if argument.is_none() {
        return Ok(Lifetime::Default);
    }
    if let Ok((count, unit)) = argument.extract::<(Bound<'_, PyAny>, String)>() {
        let unit = TimeUnit::from_symbol(&unit);
        let unknown = || misuse(py, format!("argument {name}: the units are s, ms, ns, us, min, h and d"));
        let unit = unit.ok_or_else(unknown)?;
        let count = count.extract().map_err(|error| wrong(&count, name, "a whole number of 0 or more", &error))?;
        return Ok(Lifetime::For(count, unit));
    }
    let seconds: f64 = argument.extract().map_err(|error| wrong(argument, name, "seconds", &error))?;
    lifetime_of_seconds(seconds).map_err(|error| misuse(py, format!("argument {name}: {error}")))
}

fn modification(argument: &Bound<'_, PyAny>) -> PyResult<Modification> {
    let seen = argument.getattr("seen")?;
    let seen = match seen.cast::<PyString>().map(std::string::ToString::to_string) {
        Ok(word) if word == "not_read" => Seen::NotRead,
        Ok(word) if word == "non_existing" => Seen::NonExisting,
        _ => Seen::Version(seen.extract().map_err(|_| {
            misuse(seen.py(), "seen is \"not_read\", \"non_existing\" or the version of the entry, an int")
        })?),
    };
    let value = argument.getattr("value")?;
    let change = if value.is_none() {
        Change::Remove
    } else {
        let lifespan = lifetime(&argument.getattr("lifespan")?, "lifespan")?;
        let max_idle = lifetime(&argument.getattr("max_idle")?, "max_idle")?;
        Change::Put { expiration: Expiration { lifespan, max_idle }, value: bytes(&value)? }
    };
    Ok(Modification { key: bytes(&argument.getattr("key")?)?, seen, change })
}

fn counter(argument: &Bound<'_, PyAny>) -> PyResult<CounterConfiguration> {
    let py = argument.py();
    let kind: String = argument.getattr("kind")?.extract()?;
    let number = |field: &str| -> PyResult<i64> {
        let value = argument.getattr(field)?;
        let wanted = || misuse(py, format!("{field} of a counter of the kind {kind} is an int of 64 bits"));
        value.extract().map_err(|_| wanted())
    };
    let counter_kind = match kind.as_str() {
        "unbounded_strong" => CounterKind::UnboundedStrong,
        "bounded_strong" => CounterKind::BoundedStrong { lower: number("lower")?, upper: number("upper")? },
        "weak" => {
            let concurrency = u32::try_from(number("concurrency")?);
            let wanted = |_| misuse(py, "concurrency of a weak counter is an int of 32 bits, 1 or more");
            CounterKind::Weak { concurrency: concurrency.map_err(wanted)? }
        }
        other => {
            let message = format!("the kinds of counters are unbounded_strong, bounded_strong and weak, not {other:?}");
            return Err(misuse(py, message));
        }
    };
    let initial_value = number("initial_value")?;
    Ok(CounterConfiguration {
        kind: counter_kind,
        persistent: argument.getattr("persistent")?.extract()?,
        initial_value,
    })
}
