//! The native part of the Python package `libhotrod`: the machine, and the shapes of what crosses to it and back.
//!
//! No protocol decision is made here.

mod answers;
mod arguments;
mod classes;
mod failures;
mod machine;
mod outputs;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<machine::Machine>()?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
