//! Python classes of values, imported once when the first machine is created.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

/// Classes of `libhotrod.types`, `libhotrod.outputs` and `libhotrod.errors`.
pub(crate) struct Classes {
    pub(crate) entry: Py<PyAny>,
    pub(crate) lifetime: Py<PyAny>,
    pub(crate) metadata: Py<PyAny>,
    pub(crate) conditional: Py<PyAny>,
    pub(crate) versioned: [Py<PyAny>; 3],
    pub(crate) values_with_metadata: Py<PyAny>,
    pub(crate) server_info: Py<PyAny>,
    pub(crate) chunk: Py<PyAny>,
    pub(crate) xid: Py<PyAny>,
    pub(crate) counter_configuration: Py<PyAny>,
    pub(crate) iteration_entry: Py<PyAny>,
    pub(crate) tls: Py<PyAny>,
    pub(crate) coverage: Py<PyAny>,
    pub(crate) member: Py<PyAny>,
    pub(crate) view: Py<PyAny>,
    /// Outputs by their tag.
    pub(crate) outputs: Vec<Option<Py<PyAny>>>,
    /// Errors by their code.
    pub(crate) errors: Vec<Option<Py<PyAny>>>,
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

impl Classes {
    pub(crate) fn get(py: Python<'_>) -> PyResult<&'static Self> {
        CLASSES.get_or_try_init(py, || Self::find(py))
    }

    fn find(py: Python<'_>) -> PyResult<Self> {
        let types = py.import("libhotrod.types")?;
        let class = |name: &str| types.getattr(name).map(Bound::unbind);
        let versioned = types.getattr("Versioned")?;
        let outcome = |name: &str| versioned.getattr(name).map(Bound::unbind);
        Ok(Self {
            entry: class("Entry")?,
            lifetime: class("Lifetime")?,
            metadata: class("Metadata")?,
            conditional: class("Conditional")?,
            versioned: [outcome("DONE")?, outcome("MODIFIED")?, outcome("MISSING")?],
            values_with_metadata: class("ValuesWithMetadata")?,
            server_info: class("ServerInfo")?,
            chunk: class("Chunk")?,
            xid: class("Xid")?,
            counter_configuration: class("CounterConfiguration")?,
            iteration_entry: class("IterationEntry")?,
            tls: class("Tls")?,
            coverage: class("Coverage")?,
            member: class("Member")?,
            view: class("View")?,
            outputs: by_number(&py.import("libhotrod.outputs")?, "OUTPUTS")?,
            errors: by_number(&py.import("libhotrod.errors")?, "ERRORS")?,
        })
    }
}

/// Reads a table of classes by small numbers.
fn by_number(module: &Bound<'_, PyModule>, name: &str) -> PyResult<Vec<Option<Py<PyAny>>>> {
    let mut classes = Vec::new();
    for (number, class) in module.getattr(name)?.cast_into::<PyDict>()? {
        let number: u8 = number.extract()?;
        let length = classes.len().max(usize::from(number) + 1);
        classes.resize_with(length, || None);
        classes[usize::from(number)] = Some(class.unbind());
    }
    Ok(classes)
}

/// Creates an instance.
pub(crate) fn make<'py>(
    py: Python<'py>,
    class: &Py<PyAny>,
    fields: impl IntoIterator<Item = Bound<'py, PyAny>, IntoIter: ExactSizeIterator>,
) -> PyResult<Bound<'py, PyAny>> {
    class.bind(py).call1(PyTuple::new(py, fields)?)
}
