//! The native part of the Python package `libhotrod`: the machine, and conversions of its arguments and outputs.
//!
//! Makes no protocol decisions.

mod answers;
mod arguments;
mod attempts;
mod classes;
mod failures;
mod machine;
mod outputs;
mod protostream;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<machine::Machine>()?;
    module.add_class::<attempts::ConnectionAttempts>()?;
    module.add_function(wrap_pyfunction!(protostream::encode_protostream, module)?)?;
    module.add_function(wrap_pyfunction!(protostream::decode_protostream, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
