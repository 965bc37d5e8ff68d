//! ProtoStream values: what caches of `application/x-protostream` store.

use std::ptr;

use hotrod_core::protostream::{
    self, Container, Content, ContentKind, DecodeError, EncodeError, Kind, Limits, TypeName, Value,
};
use hotrod_core::vocabulary::Failure;

use crate::boundary::{enter_without, put_unless_null};
use crate::failure::OwnedFailure;
use crate::generated::codes::hotrod_status;
use crate::machine::hotrod_error;
use crate::text::{hotrod_bytes, hotrod_text, list};

/// The type of a message, an enum or a container.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_protostream_type {
    /// Full name with its package, such as `shop.Item`; `data` is NULL if the type has a number.
    pub name: hotrod_text,
    /// Number that the schema assigns (`@TypeId`), at most 2,147,483,647. A type that has one must be written by it, at
    /// least in keys: Java's client does so.
    pub id: u32,
}

/// A point in time.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_protostream_instant {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Nanoseconds after `seconds`: 0 to 999,999,999.
    pub nanos: u32,
}

/// A constant of an enum.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_protostream_constant {
    /// Type of the enum.
    pub r#type: hotrod_protostream_type,
    /// Number of the constant.
    pub number: i32,
}

/// A message of an application.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_protostream_message {
    /// Type of the message.
    pub r#type: hotrod_protostream_type,
    /// The encoded message, for a Protocol Buffers library.
    pub bytes: hotrod_bytes,
}

/// A list, set or array.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_protostream_container {
    /// Type of the container, such as `HOTROD_PROTOSTREAM_ARRAY_LIST`.
    pub r#type: hotrod_protostream_type,
    /// The container's own fields, an encoded message. Empty for all containers of Java's class library.
    pub bytes: hotrod_bytes,
    /// The elements, in order.
    pub elements: hotrod_protostream_value_list,
}

/// A list of ProtoStream values. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_protostream_value_list {
    /// Pointer to the first item.
    pub data: *const hotrod_protostream_value,
    /// Number of items.
    pub len: usize,
}

/// The content of a ProtoStream value, by its kind.
#[repr(C)]
#[derive(Clone, Copy)]
pub union hotrod_protostream_content {
    /// For floating-point numbers: `HOTROD_PROTOSTREAM_DOUBLE`, `_FLOAT`.
    pub real: f64,
    /// For numbers with a sign: `_INT64`, `_INT32`, `_SFIXED64`, `_SFIXED32`, `_SINT64`, `_SINT32`, `_SHORT`, `_BYTE`,
    /// `_DATE_MILLIS`.
    pub integer: i64,
    /// For numbers without a sign: `_UINT64`, `_UINT32`, `_FIXED64`, `_FIXED32`, `_CHAR`.
    pub unsigned_integer: u64,
    /// For `_BOOL`.
    pub flag: bool,
    /// For `_STRING`.
    pub text: hotrod_text,
    /// For `_BYTES`.
    pub bytes: hotrod_bytes,
    /// For `_INSTANT`.
    pub instant: hotrod_protostream_instant,
    /// For `_ENUM`.
    pub constant: hotrod_protostream_constant,
    /// For `_MESSAGE`.
    pub message: hotrod_protostream_message,
    /// For `_CONTAINER`.
    pub container: hotrod_protostream_container,
}

/// A value of `application/x-protostream`. Texts, bytes and elements are borrowed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_protostream_value {
    /// A `hotrod_protostream_kind`. Equal numbers of different kinds are different keys.
    pub kind: u32,
    /// Field of its kind.
    pub r#as: hotrod_protostream_content,
}

/// Failure of a call: its status and message.
struct Problem {
    status: hotrod_status,
    message: String,
}

impl Problem {
    fn misuse(message: impl Into<String>) -> Self {
        Self { status: hotrod_status::HOTROD_ERR_MISUSE, message: message.into() }
    }

    fn null(name: &str) -> Self {
        Self { status: hotrod_status::HOTROD_ERR_NULL, message: format!("{name} is NULL") }
    }

    fn capacity(needed: usize, unit: &str) -> Self {
        let message = format!("{needed} {unit} are needed");
        Self { status: hotrod_status::HOTROD_ERR_CAPACITY, message }
    }
}

impl From<EncodeError> for Problem {
    fn from(error: EncodeError) -> Self {
        Self::misuse(error.to_string())
    }
}

impl From<DecodeError> for Problem {
    fn from(error: DecodeError) -> Self {
        Self { status: hotrod_status::HOTROD_ERR_DECODE, message: error.to_string() }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::misuse(failure.message)
    }
}

/// Runs a call, and sets `error` on failure.
///
/// # Safety
/// `error` is NULL or valid for writes.
unsafe fn run(error: *mut *mut hotrod_error, call: impl FnOnce() -> Result<(), Problem>) -> hotrod_status {
    enter_without(|| match call() {
        Ok(()) => hotrod_status::HOTROD_OK,
        Err(Problem { status, message }) => {
            let failure = OwnedFailure::with_status(status, message);
            // SAFETY: required of the caller.
            unsafe { hotrod_error::put(error, failure) };
            status
        }
    })
}

/// Decodes a value of `application/x-protostream`. Texts and bytes of `*value` point into `data`, which must outlive them.
///
/// Elements of containers, of inner ones too, are written to the caller's array `elements`, which has room for `capacity` of
/// them and must outlive `*value`; the list of a container is a part of the array. Pass NULL and 0 for values that are no
/// containers. `count`, if it is not NULL, is set to the number of all elements, also when they do not fit: the status is
/// then `HOTROD_ERR_CAPACITY`, and nothing else is written. At most 32 containers within each other and 1,048,576
/// elements are read.
///
/// The status is `HOTROD_ERR_DECODE` for bytes that are no valid value. On failure `error`, if it is not NULL, is set to an
/// error that the caller owns; its message contains nothing of the value. Any thread may call it.
///
/// # Safety
/// The pointers are NULL or valid for their types; `elements` is valid for `capacity` values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_protostream_decode(
    data: hotrod_bytes,
    value: *mut hotrod_protostream_value,
    elements: *mut hotrod_protostream_value,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut hotrod_error,
) -> hotrod_status {
    let call = || {
        if value.is_null() {
            return Err(Problem::null("value"));
        }
        if elements.is_null() && capacity > 0 {
            return Err(Problem::null("elements"));
        }
        // SAFETY: the bytes are valid during the call.
        let decoded = protostream::decode(unsafe { data.as_slice() }, &Limits::default())?;
        let needed = count_elements(&decoded);
        // SAFETY: NULL, or valid for writes.
        unsafe { put_unless_null(count, needed) };
        if needed > capacity {
            return Err(Problem::capacity(needed, "elements"));
        }
        let mut room = Room { next: elements };
        // SAFETY: the room is sufficient, and `value` is not NULL and valid for writes.
        unsafe { value.write(room.view(decoded)) };
        Ok(())
    };
    // SAFETY: NULL, or valid for writes.
    unsafe { run(error, call) }
}

/// Encodes a value as `application/x-protostream`, byte for byte as Java's client does.
///
/// Writes to `out`, which has room for `capacity` bytes, and sets `*length` to their number. If they do not fit, the status
/// is `HOTROD_ERR_CAPACITY`, `*length` is the needed capacity, and nothing is written to `out`; `out` may be NULL if
/// `capacity` is 0. The status is `HOTROD_ERR_MISUSE` for a kind that does not exist, a number out of the range of its kind,
/// a text that is not UTF-8, null as a whole value, and more than 32 containers within each other. On failure `error`, if
/// it is not NULL, is set to an error that the caller owns; its message contains nothing of the value. Any thread may call
/// it.
///
/// # Safety
/// The pointers are NULL or valid for their types; `out` is valid for `capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_protostream_encode(
    value: *const hotrod_protostream_value,
    out: *mut u8,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut hotrod_error,
) -> hotrod_status {
    let call = || {
        // SAFETY: NULL, or a value.
        let Some(value) = (unsafe { value.as_ref() }) else { return Err(Problem::null("value")) };
        // SAFETY: the value is valid during the call.
        let bytes = protostream::encode(&unsafe { read(value, 0) }?)?;
        // SAFETY: required of the caller.
        unsafe { put_bytes(&bytes, out, capacity, length) }
    };
    // SAFETY: NULL, or valid for writes.
    unsafe { run(error, call) }
}

/// Writes the bytes that stand before an encoded message of `payload_length` bytes: the prefix and the payload together are
/// what `hotrod_protostream_encode` writes for `HOTROD_PROTOSTREAM_MESSAGE`. A serializer can so write its payload behind the
/// prefix, without a copy.
///
/// The prefix has at most 20 bytes more than the type's name. `out`, `capacity`, `*length` and failures are as for
/// `hotrod_protostream_encode`. Any thread may call it.
///
/// # Safety
/// The pointers are NULL or valid for their types; `out` is valid for `capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_protostream_wrap_message(
    r#type: hotrod_protostream_type,
    payload_length: usize,
    out: *mut u8,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut hotrod_error,
) -> hotrod_status {
    let call = || {
        // SAFETY: the name is valid during the call.
        let of = unsafe { type_name(r#type) }?;
        // The last byte of an empty message is the length of its payload, 0. A whole number is one byte, its tag, and then
        // the number in the form of a length.
        let mut prefix = protostream::encode(&Value::Message { of, bytes: &[] })?;
        prefix.pop();
        prefix.extend_from_slice(&protostream::encode(&Value::UInt64(payload_length as u64))?[1..]);
        // SAFETY: required of the caller.
        unsafe { put_bytes(&prefix, out, capacity, length) }
    };
    // SAFETY: NULL, or valid for writes.
    unsafe { run(error, call) }
}

/// # Safety
/// `out` is NULL or valid for `capacity` bytes, `length` NULL or valid for writes.
unsafe fn put_bytes(bytes: &[u8], out: *mut u8, capacity: usize, length: *mut usize) -> Result<(), Problem> {
    if length.is_null() {
        return Err(Problem::null("length"));
    }
    if out.is_null() && capacity > 0 {
        return Err(Problem::null("out"));
    }
    // SAFETY: not NULL, and valid for writes.
    unsafe { length.write(bytes.len()) };
    if bytes.len() > capacity {
        return Err(Problem::capacity(bytes.len(), "bytes"));
    }
    // SAFETY: `out` has room for `capacity` bytes, and the vector is not a part of it.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), out, bytes.len()) };
    Ok(())
}

fn count_elements(value: &Value<'_>) -> usize {
    match value {
        Value::Container(container) => {
            container.elements.len() + container.elements.iter().map(count_elements).sum::<usize>()
        }
        _ => 0,
    }
}

/// The part of the caller's array that has no elements yet.
struct Room {
    next: *mut hotrod_protostream_value,
}

impl Room {
    /// Returns C's view of a value, and writes its elements to the room.
    ///
    /// # Safety
    /// The room is sufficient for all elements of the value.
    unsafe fn view(&mut self, value: Value<'_>) -> hotrod_protostream_value {
        let kind = value.kind().number();
        let content = match value.into_content() {
            Content::Float(real) => hotrod_protostream_content { real },
            Content::Signed(integer) => hotrod_protostream_content { integer },
            Content::Unsigned(unsigned_integer) => hotrod_protostream_content { unsigned_integer },
            Content::Flag(flag) => hotrod_protostream_content { flag },
            Content::Text(text) => hotrod_protostream_content { text: hotrod_text::of(text) },
            Content::Bytes(bytes) => hotrod_protostream_content { bytes: hotrod_bytes::of(bytes) },
            Content::Instant { seconds, nanos } => {
                hotrod_protostream_content { instant: hotrod_protostream_instant { seconds, nanos } }
            }
            Content::Enum { of, number } => {
                let constant = hotrod_protostream_constant { r#type: view_of_type(of), number };
                hotrod_protostream_content { constant }
            }
            Content::Message { of, bytes } => {
                let bytes = hotrod_bytes::of(bytes);
                let message = hotrod_protostream_message { r#type: view_of_type(of), bytes };
                hotrod_protostream_content { message }
            }
            Content::Container(container) => {
                // SAFETY: required of the caller.
                let container = unsafe { self.container(*container) };
                hotrod_protostream_content { container }
            }
            _ => hotrod_protostream_content { unsigned_integer: 0 },
        };
        hotrod_protostream_value { kind, r#as: content }
    }

    /// # Safety
    /// As for [`view`](Self::view).
    unsafe fn container(&mut self, container: Container<'_>) -> hotrod_protostream_container {
        let Container { of, bytes, elements } = container;
        let (first, len) = (self.next, elements.len());
        if len > 0 {
            // SAFETY: the room is sufficient; the items of inner containers follow.
            self.next = unsafe { first.add(len) };
        }
        for (index, element) in elements.into_iter().enumerate() {
            // SAFETY: as above.
            unsafe { first.add(index).write(self.view(element)) };
        }
        let data = if len > 0 { first.cast_const() } else { ptr::null() };
        let elements = hotrod_protostream_value_list { data, len };
        hotrod_protostream_container { r#type: view_of_type(of), bytes: hotrod_bytes::of(bytes), elements }
    }
}

fn view_of_type(of: TypeName<'_>) -> hotrod_protostream_type {
    match of {
        TypeName::Name(name) => hotrod_protostream_type { name: hotrod_text::of(name), id: 0 },
        TypeName::Id(id) => hotrod_protostream_type { name: hotrod_text::NONE, id },
    }
}

/// # Safety
/// The name stays as it is during `'a`.
unsafe fn type_name<'a>(of: hotrod_protostream_type) -> Result<TypeName<'a>, Problem> {
    if of.name.data.is_null() {
        return Ok(TypeName::Id(of.id));
    }
    // SAFETY: required of the caller.
    Ok(TypeName::Name(unsafe { of.name.as_str("type") }?))
}

/// Reads a value within `depth` containers.
///
/// # Safety
/// The field of `as` that belongs to the kind is set, and all that it points to stays as it is during `'a`.
unsafe fn read<'a>(value: &hotrod_protostream_value, depth: usize) -> Result<Value<'a>, Problem> {
    let hotrod_protostream_value { kind, r#as } = value;
    let kind = Kind::from_number(*kind).ok_or_else(|| Problem::misuse(format!("kind: there is no kind {kind}")))?;
    // SAFETY: required of the caller. A bool is read as a byte: C may have stored another one than 0 and 1.
    let content = unsafe {
        match kind.content() {
            ContentKind::Float => Content::Float(r#as.real),
            ContentKind::Signed => Content::Signed(r#as.integer),
            ContentKind::Unsigned => Content::Unsigned(r#as.unsigned_integer),
            ContentKind::Flag => Content::Flag((&raw const r#as.flag).cast::<u8>().read() != 0),
            ContentKind::Text => Content::Text(r#as.text.as_str("text")?),
            ContentKind::Bytes => Content::Bytes(r#as.bytes.as_slice()),
            ContentKind::Instant => Content::Instant { seconds: r#as.instant.seconds, nanos: r#as.instant.nanos },
            ContentKind::Enum => Content::Enum { of: type_name(r#as.constant.r#type)?, number: r#as.constant.number },
            ContentKind::Message => {
                let hotrod_protostream_message { r#type, bytes } = r#as.message;
                Content::Message { of: type_name(r#type)?, bytes: bytes.as_slice() }
            }
            ContentKind::Container => {
                if depth == Limits::default().depth {
                    return Err(EncodeError::TooDeep.into());
                }
                let hotrod_protostream_container { r#type, bytes, elements } = r#as.container;
                let items = list(elements.data, elements.len);
                let elements = items.iter().map(|item| read(item, depth + 1)).collect::<Result<_, _>>()?;
                Content::Container(Box::new(Container { of: type_name(r#type)?, bytes: bytes.as_slice(), elements }))
            }
            ContentKind::Nothing => Content::Nothing,
            _ => return Err(Problem::misuse("kind: this version does not know its content")),
        }
    };
    Ok(Value::new(kind, content)?)
}
