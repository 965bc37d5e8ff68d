//! ProtoStream values: each as the name of its kind and a content of Python's own types; documented in `_native.pyi`.

use hotrod_core::protostream::{Container, Content, ContentKind, Kind, Limits, TypeName, Value, decode, encode};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBytes, PyString, PyTuple};

/// A content that owns what [`Content`] borrows.
enum Owned {
    Content(Content<'static>),
    Text(PyBackedStr),
    Bytes(PyBackedBytes),
    Enum(OwnedType, i32),
    Message(OwnedType, PyBackedBytes),
    Container(OwnedType, PyBackedBytes, Vec<(Kind, Self)>),
}

#[derive(FromPyObject)]
enum OwnedType {
    Name(PyBackedStr),
    Id(u32),
}

/// An element of a container in Python.
type Element<'py> = (PyBackedStr, Bound<'py, PyAny>);

impl OwnedType {
    fn borrow(&self) -> TypeName<'_> {
        match self {
            Self::Name(name) => TypeName::Name(name),
            Self::Id(id) => TypeName::Id(*id),
        }
    }
}

impl Owned {
    /// Core refuses a content that is not that of the kind; here the kind only says what to look for.
    fn of(kind: Kind, content: &Bound<'_, PyAny>, depth: usize) -> PyResult<Self> {
        Ok(Self::Content(match kind.content() {
            ContentKind::Nothing => Content::Nothing,
            ContentKind::Float => Content::Float(content.extract()?),
            ContentKind::Signed => Content::Signed(content.extract()?),
            ContentKind::Unsigned => Content::Unsigned(content.extract()?),
            ContentKind::Flag => Content::Flag(content.extract()?),
            ContentKind::Instant => {
                let (seconds, nanos) = content.extract()?;
                Content::Instant { seconds, nanos }
            }
            ContentKind::Text => return Ok(Self::Text(content.extract()?)),
            ContentKind::Bytes => return Ok(Self::Bytes(content.extract()?)),
            ContentKind::Enum => {
                let (of, number) = content.extract()?;
                return Ok(Self::Enum(of, number));
            }
            ContentKind::Message => {
                let (of, bytes) = content.extract()?;
                return Ok(Self::Message(of, bytes));
            }
            ContentKind::Container => return Self::container(content, depth),
            _ => return Err(PyValueError::new_err("a kind of ProtoStream value that this version does not know")),
        }))
    }

    fn container(content: &Bound<'_, PyAny>, depth: usize) -> PyResult<Self> {
        if depth == Limits::default().depth {
            return Err(PyValueError::new_err("containers are nested too deeply"));
        }
        let (of, bytes, elements): (OwnedType, PyBackedBytes, Vec<Element<'_>>) = content.extract()?;
        let owned = |(kind, content): &Element<'_>| {
            let kind = kind_of(kind)?;
            Ok((kind, Self::of(kind, content, depth + 1)?))
        };
        Ok(Self::Container(of, bytes, elements.iter().map(owned).collect::<PyResult<_>>()?))
    }

    fn value(&self, kind: Kind) -> PyResult<Value<'_>> {
        let content = match self {
            Self::Content(content) => content.clone(),
            Self::Text(text) => Content::Text(text),
            Self::Bytes(bytes) => Content::Bytes(bytes),
            Self::Enum(of, number) => Content::Enum { of: of.borrow(), number: *number },
            Self::Message(of, bytes) => Content::Message { of: of.borrow(), bytes },
            Self::Container(of, bytes, elements) => {
                let elements = elements.iter().map(|(kind, element)| element.value(*kind)).collect::<PyResult<_>>()?;
                let mut container = Container::new(of.borrow(), elements);
                container.bytes = bytes;
                Content::Container(Box::new(container))
            }
        };
        Value::new(kind, content).map_err(value_error)
    }
}

fn kind_of(name: &str) -> PyResult<Kind> {
    Kind::from_name(name).ok_or_else(|| PyValueError::new_err(format!("{name:?} is no kind of ProtoStream value")))
}

fn value_error(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

#[pyfunction]
pub(crate) fn encode_protostream<'py>(
    py: Python<'py>,
    kind: &str,
    content: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let kind = kind_of(kind)?;
    let owned = Owned::of(kind, content, 0)?;
    let bytes = encode(&owned.value(kind)?).map_err(value_error)?;
    Ok(PyBytes::new(py, &bytes))
}

#[pyfunction]
pub(crate) fn decode_protostream<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
    let value = decode(data, &Limits::default()).map_err(value_error)?;
    to_python(py, value)
}

fn to_python<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyTuple>> {
    let kind = value.kind().name();
    match value.into_content() {
        Content::Nothing => (kind, py.None()).into_pyobject(py),
        Content::Float(number) => (kind, number).into_pyobject(py),
        Content::Signed(number) => (kind, number).into_pyobject(py),
        Content::Unsigned(number) => (kind, number).into_pyobject(py),
        Content::Flag(truth) => (kind, truth).into_pyobject(py),
        Content::Text(text) => (kind, text).into_pyobject(py),
        Content::Bytes(bytes) => (kind, PyBytes::new(py, bytes)).into_pyobject(py),
        Content::Instant { seconds, nanos } => (kind, (seconds, nanos)).into_pyobject(py),
        Content::Enum { of, number } => (kind, (type_name(py, of)?, number)).into_pyobject(py),
        Content::Message { of, bytes } => (kind, (type_name(py, of)?, PyBytes::new(py, bytes))).into_pyobject(py),
        Content::Container(container) => {
            let Container { of, bytes, elements } = *container;
            let elements: Vec<_> =
                elements.into_iter().map(|element| to_python(py, element)).collect::<PyResult<_>>()?;
            (kind, (type_name(py, of)?, PyBytes::new(py, bytes), elements)).into_pyobject(py)
        }
        _ => Err(PyValueError::new_err("a kind of ProtoStream value that this version does not know")),
    }
}

fn type_name<'py>(py: Python<'py>, of: TypeName<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match of {
        TypeName::Name(name) => PyString::new(py, name).into_any(),
        TypeName::Id(id) => id.into_pyobject(py)?.into_any(),
    })
}
