//! Converts failures to Python exceptions.

use hotrod_core::session::Applied;
use hotrod_core::vocabulary::{Failure, FailureKind};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::answers::{byte_list, pairs};
use crate::classes::Classes;

/// Returns the error to raise for a failure.
pub(crate) fn raised(py: Python<'_>, failure: Failure) -> PyErr {
    exception(py, &failure).map_or_else(|error| error, PyErr::from_value)
}

/// Returns a MisuseError.
pub(crate) fn misuse(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raised(py, Failure::misuse(message))
}

/// Creates the exception for a failure.
pub(crate) fn exception<'py>(py: Python<'py>, failure: &Failure) -> PyResult<Bound<'py, PyAny>> {
    let classes = Classes::get(py)?;
    let class = classes.errors.get(failure.kind as usize).and_then(Option::as_ref);
    let class = class.ok_or_else(|| PyRuntimeError::new_err("libhotrod.errors is of another version"))?;
    let details = PyDict::new(py);
    details.set_item("operation", failure.operation.map(hotrod_core::wire::Operation::name))?;
    details.set_item("member", &failure.member)?;
    details.set_item("status", failure.status.map(|status| status.0))?;
    details.set_item("may_have_been_applied", failure.applied == Applied::Unknown)?;
    details.set_item("attempts", failure.attempts)?;
    if let Some(partial) = &failure.partial {
        debug_assert!(failure.kind == FailureKind::Partial);
        let parts = PyList::empty(py);
        for (keys, failure) in &partial.parts {
            parts.append(PyTuple::new(py, [byte_list(py, keys)?, exception(py, failure)?])?)?;
        }
        details.set_item("parts", parts)?;
        details.set_item("entries", pairs(py, &partial.entries)?)?;
    }
    class.bind(py).call((&failure.message,), Some(&details))
}
