//! Converts answers to Python values.

use bytes::Bytes;
use hotrod_core::vocabulary::{Answer, Chunk, Entry, Versioned};
use hotrod_core::wire::{CounterConfiguration, CounterKind, IterationEntry, LifetimeLeft, Metadata, Xid};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyList, PyTuple};

use crate::classes::{Classes, make};

type Made<'py> = PyResult<Bound<'py, PyAny>>;

pub(crate) fn bytes<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyAny> {
    PyBytes::new(py, bytes).into_any()
}

pub(crate) fn none(py: Python<'_>) -> Bound<'_, PyAny> {
    py.None().into_bound(py)
}

/// Converts any value that PyO3 supports.
pub(crate) fn any<'py, T: IntoPyObjectExt<'py>>(py: Python<'py>, value: T) -> Made<'py> {
    value.into_bound_py_any(py)
}

fn flag(py: Python<'_>, flag: bool) -> Bound<'_, PyAny> {
    PyBool::new(py, flag).to_owned().into_any()
}

fn optional<'py, T>(py: Python<'py>, value: Option<T>, made: impl FnOnce(T) -> Made<'py>) -> Made<'py> {
    value.map_or_else(|| Ok(none(py)), made)
}

fn list<'py, T>(py: Python<'py>, items: &[T], made: impl Fn(&T) -> Made<'py>) -> Made<'py> {
    let items = items.iter().map(made).collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, items)?.into_any())
}

pub(crate) fn pairs<'py>(py: Python<'py>, entries: &[(Bytes, Bytes)]) -> Made<'py> {
    list(py, entries, |(key, value)| Ok(PyTuple::new(py, [bytes(py, key), bytes(py, value)])?.into_any()))
}

pub(crate) fn byte_list<'py>(py: Python<'py>, items: &[Bytes]) -> Made<'py> {
    list(py, items, |item| Ok(bytes(py, item)))
}

pub(crate) fn answer<'py>(py: Python<'py>, answer: &Answer) -> Made<'py> {
    let classes = Classes::get(py)?;
    match answer {
        Answer::Nothing => Ok(none(py)),
        Answer::Flag(value) => Ok(flag(py, *value)),
        Answer::Size(size) => any(py, *size),
        Answer::Number(number) => any(py, *number),
        Answer::Value(value) => Ok(value.as_ref().map_or_else(|| none(py), |value| bytes(py, value))),
        Answer::Entry(found) => optional(py, found.as_ref(), |found| entry(py, classes, found)),
        Answer::Conditional { executed, previous } => {
            let previous = optional(py, previous.as_ref(), |previous| entry(py, classes, previous))?;
            make(py, &classes.conditional, [flag(py, *executed), previous])
        }
        Answer::Versioned(outcome) => {
            let index = match outcome {
                Versioned::Done => 0,
                Versioned::Modified => 1,
                Versioned::Missing => 2,
            };
            Ok(classes.versioned[index].bind(py).clone())
        }
        Answer::Entries(entries) => pairs(py, entries),
        Answer::Values(values) => byte_list(py, values),
        Answer::ValuesWithMetadata(found) => optional(py, found.as_ref(), |(found, values)| {
            make(py, &classes.values_with_metadata, [byte_list(py, values)?, metadata(py, classes, found)?])
        }),
        Answer::Names(names) => any(py, names),
        Answer::TextMap(texts) => {
            let map = PyDict::new(py);
            texts.iter().try_for_each(|(name, text)| map.set_item(name, text))?;
            Ok(map.into_any())
        }
        Answer::Server(server) => make(
            py,
            &classes.server_info,
            [
                any(py, &server.key_type)?,
                any(py, &server.value_type)?,
                any(py, server.server_version)?,
                any(py, &server.operations)?,
            ],
        ),
        Answer::Chunk(found) => optional(py, found.as_ref(), |found| chunk(py, classes, found)),
        Answer::Xids(xids) => list(py, xids, |found| xid(py, classes, found)),
        Answer::Counter(found) => optional(py, found.as_ref(), |found| counter(py, classes, found)),
        _ => Err(PyRuntimeError::new_err("an answer of this shape is not supported")),
    }
}

fn lifetime<'py>(py: Python<'py>, classes: &Classes, left: Option<LifetimeLeft>) -> Made<'py> {
    optional(py, left, |left| {
        // Python uses seconds since 1970.
        make(py, &classes.lifetime, [any(py, left.since as f64 / 1000.0)?, any(py, left.seconds)?])
    })
}

fn metadata<'py>(py: Python<'py>, classes: &Classes, found: &Metadata) -> Made<'py> {
    let (lifespan, max_idle) = (lifetime(py, classes, found.lifespan)?, lifetime(py, classes, found.max_idle)?);
    make(py, &classes.metadata, [any(py, found.version)?, lifespan, max_idle])
}

fn entry<'py>(py: Python<'py>, classes: &Classes, entry: &Entry) -> Made<'py> {
    let (lifespan, max_idle) = (lifetime(py, classes, entry.lifespan)?, lifetime(py, classes, entry.max_idle)?);
    make(py, &classes.entry, [bytes(py, &entry.value), any(py, entry.version)?, lifespan, max_idle])
}

fn chunk<'py>(py: Python<'py>, classes: &Classes, chunk: &Chunk) -> Made<'py> {
    let found = optional(py, chunk.metadata.as_ref(), |found| metadata(py, classes, found))?;
    make(py, &classes.chunk, [any(py, chunk.stream_id)?, flag(py, chunk.complete), found, bytes(py, &chunk.chunk)])
}

fn xid<'py>(py: Python<'py>, classes: &Classes, xid: &Xid) -> Made<'py> {
    let (global, branch) = (bytes(py, &xid.global_transaction_id), bytes(py, &xid.branch_qualifier));
    make(py, &classes.xid, [any(py, xid.format_id)?, global, branch])
}

fn counter<'py>(py: Python<'py>, classes: &Classes, counter: &CounterConfiguration) -> Made<'py> {
    let (kind, lower, upper, concurrency) = match counter.kind {
        CounterKind::UnboundedStrong => ("unbounded_strong", None, None, None),
        CounterKind::BoundedStrong { lower, upper } => ("bounded_strong", Some(lower), Some(upper), None),
        CounterKind::Weak { concurrency } => ("weak", None, None, Some(concurrency)),
    };
    let fields = [
        any(py, kind)?,
        any(py, counter.initial_value)?,
        any(py, lower)?,
        any(py, upper)?,
        any(py, concurrency)?,
        flag(py, counter.persistent),
    ];
    make(py, &classes.counter_configuration, fields)
}

pub(crate) fn iteration<'py>(py: Python<'py>, entries: &[IterationEntry]) -> Made<'py> {
    let classes = Classes::get(py)?;
    list(py, entries, |entry| {
        let found = optional(py, entry.metadata.as_ref(), |found| metadata(py, classes, found))?;
        make(py, &classes.iteration_entry, [bytes(py, &entry.key), byte_list(py, &entry.values)?, found])
    })
}
