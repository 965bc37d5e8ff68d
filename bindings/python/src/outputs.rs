//! Converts outputs to Python values.

use hotrod_core::cluster::Tls;
use hotrod_core::vocabulary::Value;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::answers::{self, any, bytes, none};
use crate::classes::{Classes, make};
use crate::failures::exception;

/// Creates an output of a shape.
pub(crate) fn output<'py>(py: Python<'py>, tag: u8, values: &[Value]) -> PyResult<Bound<'py, PyAny>> {
    let class = Classes::get(py)?.outputs.get(usize::from(tag)).and_then(Option::as_ref);
    let class = class.ok_or_else(|| PyRuntimeError::new_err("libhotrod.outputs is of another version"))?;
    let fields = values.iter().map(|crossed| value(py, crossed)).collect::<PyResult<Vec<_>>>()?;
    make(py, class, fields)
}

fn value<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::None => Ok(none(py)),
        Value::Id(number) | Value::Number(number) | Value::Opaque(number) => any(py, *number),
        Value::Signed(number) => any(py, *number),
        Value::Flag(flag) => any(py, *flag),
        Value::Text(text) => any(py, text),
        Value::Bytes(data) => Ok(bytes(py, data)),
        Value::Word(_, word) => any(py, *word),
        Value::Tls(how) => tls(py, how),
        Value::Answer(answer) => answers::answer(py, answer),
        Value::Failure(failure) => exception(py, failure),
        Value::Entries(entries) => answers::iteration(py, entries),
    }
}

/// Creates the settings of TLS.
pub(crate) fn tls<'py>(py: Python<'py>, tls: &Tls) -> PyResult<Bound<'py, PyAny>> {
    let certificate = tls.client_certificate.as_ref().map(|pair| (&pair.certificate, &pair.key));
    let password = tls.client_certificate.as_ref().and_then(|pair| Some(pair.key_password.as_ref()?.expose()));
    let fields = [
        any(py, &tls.server_name)?,
        any(py, &tls.alpn)?,
        any(py, &tls.trust_ca)?,
        any(py, certificate)?,
        any(py, password)?,
    ];
    make(py, &Classes::get(py)?.tls, fields)
}
