//! Copies JavaScript memory before any JavaScript can run again.
//!
//! A getter, a Proxy or `toString` of the caller may resize, transfer or reuse an ArrayBuffer, so a pointer into one
//! is valid only until the next call of Node-API that can run JavaScript. No type of this module keeps such a pointer
//! where JavaScript can run, and no other module of this crate reads that memory.

use std::borrow::Cow;
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use napi::bindgen_prelude::{Array, Error, FromNapiValue, Result, Status, TypeName, ValidateNapiValue, ValueType};
use napi::sys;

/// Upper bound of the capacity reserved before elements are read: the length of a sparse array proves nothing.
const RESERVED: usize = 1024;

/// Bytes of a Buffer or another view, copied on conversion.
pub struct Copied(pub Bytes);

/// Bytes of a Buffer or another view: borrowed, or copied from memory that other threads can write.
///
/// Only for functions whose other arguments are numbers and strings, so that no JavaScript runs until they return.
pub struct Borrowed<'a>(Cow<'a, [u8]>);

/// The elements of an array, read one by one.
pub struct List<T>(pub Vec<T>);

impl AsRef<[u8]> for Borrowed<'_> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl FromNapiValue for Copied {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        // SAFETY: Node-API gives both for the duration of this call, in which no JavaScript runs.
        let view = unsafe { View::of(env, value)? };
        // SAFETY: no JavaScript has run since `View::of`.
        Ok(Self(unsafe { view.copy() }.into()))
    }
}

impl FromNapiValue for Borrowed<'_> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        // SAFETY: as for `Copied`.
        let view = unsafe { View::of(env, value)? };
        Ok(Self(if view.is_shared {
            // SAFETY: no JavaScript has run since `View::of`.
            Cow::Owned(unsafe { view.copy() })
        } else {
            // SAFETY: the memory belongs to this thread's isolate, the argument keeps it alive, and no JavaScript runs
            // until the function returns (see the type).
            Cow::Borrowed(unsafe { view.slice() })
        }))
    }
}

impl<T: FromNapiValue> FromNapiValue for List<T> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        // SAFETY: as for every value of Node-API.
        let array = unsafe { Array::from_napi_value(env, value)? };
        let mut items = Vec::with_capacity(RESERVED.min(array.len() as usize));
        for index in 0..array.len() {
            let missing = || Error::new(Status::InvalidArg, format!("element {index} is missing"));
            items.push(array.get::<T>(index)?.ok_or_else(missing)?);
        }
        Ok(Self(items))
    }
}

/// Pointer and length of a view; valid until JavaScript runs.
struct View {
    data: *const u8,
    len: usize,
    /// Other threads may write to it (SharedArrayBuffer).
    is_shared: bool,
}

impl View {
    /// # Safety
    /// `env` and `value` are those of the running call.
    unsafe fn of(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let (mut data, mut len, mut buffer) = (ptr::null_mut(), 0, ptr::null_mut());
        let (mut kind, mut offset) = (0, 0);
        // SAFETY: asked of the caller; each place is a local of the type that Node-API writes.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &raw mut kind,
                &raw mut len,
                &raw mut data,
                &raw mut buffer,
                &raw mut offset,
            )
        };
        if status == sys::Status::napi_ok {
            len = len.checked_mul(element_size(kind)?).ok_or_else(not_bytes)?;
        } else {
            // SAFETY: as above.
            let status = unsafe {
                sys::napi_get_dataview_info(env, value, &raw mut len, &raw mut data, &raw mut buffer, &raw mut offset)
            };
            if status != sys::Status::napi_ok {
                return Err(not_bytes());
            }
        }
        let (mut is_array_buffer, mut is_detached) = (false, false);
        // SAFETY: as above.
        let statuses = unsafe {
            [
                sys::napi_is_arraybuffer(env, buffer, &raw mut is_array_buffer),
                sys::napi_is_detached_arraybuffer(env, buffer, &raw mut is_detached),
            ]
        };
        if statuses != [sys::Status::napi_ok; 2] || is_detached {
            return Err(not_bytes());
        }
        Ok(Self { data: data.cast_const().cast(), len, is_shared: !is_array_buffer })
    }

    /// # Safety
    /// No JavaScript has run since [`View::of`].
    unsafe fn copy(&self) -> Vec<u8> {
        if !self.is_shared {
            // SAFETY: asked of the caller; no other thread has this memory.
            return unsafe { self.slice() }.to_vec();
        }
        // Another thread may write meanwhile: each byte is read once.
        // SAFETY: shared memory never shrinks, and `AtomicU8` has the layout of a byte.
        (0..self.len).map(|at| unsafe { (*self.data.add(at).cast::<AtomicU8>()).load(Ordering::Relaxed) }).collect()
    }

    /// # Safety
    /// No JavaScript runs from [`View::of`] to the slice's end, and the memory is not shared.
    unsafe fn slice<'a>(&self) -> &'a [u8] {
        if self.len == 0 {
            // Node-API may return any pointer for an empty view.
            return &[];
        }
        // SAFETY: asked of the caller; Node-API gave pointer and length of the same moment.
        unsafe { slice::from_raw_parts(self.data, self.len) }
    }
}

fn not_bytes() -> Error {
    Error::new(Status::InvalidArg, "expected a Buffer or Uint8Array that was not transferred".to_owned())
}

/// Returns the element size of a typed array; an error for an unknown element type.
fn element_size(kind: sys::napi_typedarray_type) -> Result<usize> {
    match kind {
        sys::TypedarrayType::int8_array
        | sys::TypedarrayType::uint8_array
        | sys::TypedarrayType::uint8_clamped_array => Ok(1),
        sys::TypedarrayType::int16_array | sys::TypedarrayType::uint16_array => Ok(2),
        sys::TypedarrayType::int32_array | sys::TypedarrayType::uint32_array | sys::TypedarrayType::float32_array => {
            Ok(4)
        }
        sys::TypedarrayType::float64_array
        | sys::TypedarrayType::bigint64_array
        | sys::TypedarrayType::biguint64_array => Ok(8),
        _ => Err(not_bytes()),
    }
}

// Traits that napi-derive requires of argument types; `from_napi_value` validates by itself.

impl TypeName for Copied {
    fn type_name() -> &'static str {
        "Buffer"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ValidateNapiValue for Copied {}

impl TypeName for Borrowed<'_> {
    fn type_name() -> &'static str {
        "Buffer"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ValidateNapiValue for Borrowed<'_> {}

impl<T> TypeName for List<T> {
    fn type_name() -> &'static str {
        "Array"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl<T> ValidateNapiValue for List<T> {}
