//! Outputs as a flat array: the tag of each shape, then its values. machine.js builds the objects, which is faster than
//! building them through Node-API.

use hotrod_core::vocabulary::{Answer, Kind, Machine as Core, Shape, Value};
use napi::bindgen_prelude::{Array, BigInt, BufferSlice, Env, Error, Null, Result};

use crate::ids::AllIds;
use crate::shapes::{
    ChunkShape, ConditionalShape, CounterShape, EntryShape, FailureShape, IterationEntryShape, ServerInfoShape,
    TlsShape, ValuesWithMetadataShape, XidShape, buffers, outcome, pairs,
};

/// Precomputed properties of a shape.
pub(crate) struct KnownShape {
    /// For each value, the kind of identity that it is.
    ids: Vec<Option<&'static str>>,
    /// Whether this output is the last with the identity in its first value.
    is_last: bool,
}

/// Returns the shapes by tag.
pub(crate) fn known_shapes() -> Vec<Option<KnownShape>> {
    let mut known: Vec<Option<KnownShape>> = Vec::new();
    for shape in Core::shapes() {
        let length = known.len().max(usize::from(shape.tag) + 1);
        known.resize_with(length, || None);
        known[usize::from(shape.tag)] = Some(KnownShape::of(shape));
    }
    known
}

impl KnownShape {
    fn of(shape: &Shape) -> Self {
        let fields = (shape.fields)();
        let id = |kind| if let Kind::Id(of) = kind { Some(of) } else { None };
        let ids = fields.iter().map(|field| id(field.kind)).collect();
        Self { ids, is_last: matches!(shape.name, "Completed" | "Close" | "ListenerFailed" | "Entries") }
    }
}

/// Appends an output to the array.
pub(crate) fn append(
    env: Env,
    array: &mut Array<'_>,
    known: &KnownShape,
    tag: u8,
    values: &mut Vec<Value>,
    ids: &mut AllIds,
) -> Result<()> {
    // After a non-empty batch the iteration continues.
    let goes_on = matches!(values.get(1), Some(Value::Entries(entries)) if !entries.is_empty());
    let last = match (values.first(), known.ids.first()) {
        (Some(Value::Id(id)), Some(Some(of))) if known.is_last && !goes_on => Some((*of, *id)),
        _ => None,
    };
    let mut at = array.len();
    array.set(at, u32::from(tag))?;
    for (index, value) in values.drain(..).enumerate() {
        at += 1;
        match (value, known.ids[index]) {
            (Value::Id(id), Some(of)) => array.set(at, ids.of(of).number(id))?,
            (value, _) => set(env, array, at, value)?,
        }
    }
    last.into_iter().for_each(|(of, id)| ids.of(of).forget(id));
    Ok(())
}

fn set(env: Env, array: &mut Array<'_>, at: u32, value: Value) -> Result<()> {
    match value {
        Value::None => array.set(at, Null),
        Value::Id(number) | Value::Number(number) => array.set(at, number as f64),
        Value::Opaque(number) => array.set(at, BigInt::from(number)),
        Value::Signed(number) => array.set(at, BigInt::from(number)),
        Value::Flag(flag) => array.set(at, flag),
        Value::Text(text) => array.set(at, text),
        Value::Bytes(bytes) => array.set(at, &BufferSlice::copy_from(&env, &bytes)?),
        Value::Word(_, word) => array.set(at, word),
        Value::Tls(tls) => array.set(at, TlsShape::from(*tls)),
        Value::Answer(answer) => set_answer(env, array, at, answer),
        Value::Failure(failure) => array.set(at, FailureShape::from(*failure)),
        Value::Entries(entries) => {
            array.set(at, entries.into_iter().map(IterationEntryShape::from).collect::<Vec<_>>())
        }
    }
}

fn set_answer(env: Env, array: &mut Array<'_>, at: u32, answer: Answer) -> Result<()> {
    match answer {
        Answer::Nothing | Answer::Value(None) | Answer::Entry(None) | Answer::ValuesWithMetadata(None) => {
            array.set(at, Null)
        }
        Answer::Chunk(None) | Answer::Counter(None) => array.set(at, Null),
        Answer::Flag(flag) => array.set(at, flag),
        Answer::Size(size) => array.set(at, size as f64),
        Answer::Number(number) => array.set(at, BigInt::from(number)),
        Answer::Value(Some(value)) => array.set(at, &BufferSlice::copy_from(&env, &value)?),
        Answer::Entry(Some(entry)) => array.set(at, EntryShape::from(entry)),
        Answer::Conditional { executed, previous } => {
            array.set(at, ConditionalShape { executed, previous: previous.map(Into::into) })
        }
        Answer::Versioned(versioned) => array.set(at, outcome(versioned)),
        Answer::Entries(entries) => array.set(at, pairs(&entries)),
        Answer::Values(values) => array.set(at, buffers(&values)),
        Answer::ValuesWithMetadata(Some((metadata, values))) => {
            array.set(at, ValuesWithMetadataShape { values: buffers(&values), metadata: metadata.into() })
        }
        Answer::Names(names) => array.set(at, names),
        Answer::TextMap(texts) => array.set(at, texts),
        Answer::Server(server) => array.set(at, ServerInfoShape::from(server)),
        Answer::Chunk(Some(chunk)) => array.set(at, ChunkShape::from(chunk)),
        Answer::Xids(xids) => array.set(at, xids.into_iter().map(XidShape::from).collect::<Vec<_>>()),
        Answer::Counter(Some(counter)) => array.set(at, CounterShape::from(counter)),
        _ => Err(Error::from_reason("an answer of this shape is not supported")),
    }
}
