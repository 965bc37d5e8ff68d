//! Bytes and text with a length.

use std::ffi::c_char;
use std::{ptr, slice, str};

use hotrod_core::vocabulary::Failure;

use crate::arena::List;

/// Borrowed bytes; NULL and 0 mean no bytes. The layout is that of POSIX's `struct iovec`.
///
/// A function reads them during the call only.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_bytes {
    /// Pointer to the first item.
    pub data: *const u8,
    /// Number of items.
    pub len: usize,
}

/// Borrowed text in UTF-8, without a terminating zero; NULL and 0 mean no text.
///
/// A function reads it during the call only. `hotrod_text_of` converts a C string.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_text {
    /// Pointer to the first byte.
    pub data: *const c_char,
    /// Number of bytes.
    pub len: usize,
}

/// A list of byte strings: keys, or values. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_bytes_list {
    /// Pointer to the first item.
    pub data: *const hotrod_bytes,
    /// Number of items.
    pub len: usize,
}

impl List for hotrod_bytes_list {
    type Item = hotrod_bytes;

    fn of(items: &[hotrod_bytes]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// A list of texts. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_text_list {
    /// Pointer to the first item.
    pub data: *const hotrod_text,
    /// Number of items.
    pub len: usize,
}

impl List for hotrod_text_list {
    type Item = hotrod_text;

    fn of(items: &[hotrod_text]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// A list of small numbers. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_number_list {
    /// Pointer to the first item.
    pub data: *const u16,
    /// Number of items.
    pub len: usize,
}

impl List for hotrod_number_list {
    type Item = u16;

    fn of(items: &[u16]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

impl hotrod_bytes {
    pub(crate) const NONE: Self = Self { data: ptr::null(), len: 0 };

    /// Borrows `bytes` without a lifetime. Never NULL: an empty value differs from no value.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { data: if bytes.is_empty() { c"".as_ptr().cast() } else { bytes.as_ptr() }, len: bytes.len() }
    }

    /// # Safety
    /// `data` points to `len` bytes that stay as they are during `'a`.
    pub(crate) unsafe fn as_slice<'a>(self) -> &'a [u8] {
        // SAFETY: required of the caller.
        unsafe { list(self.data, self.len) }
    }
}

impl hotrod_text {
    pub(crate) const NONE: Self = Self { data: ptr::null(), len: 0 };

    /// Borrows `text` without a lifetime. Never NULL: an empty text differs from no text.
    pub(crate) fn of(text: &str) -> Self {
        let hotrod_bytes { data, len } = hotrod_bytes::of(text.as_bytes());
        Self { data: data.cast(), len }
    }

    pub(crate) fn of_optional(text: Option<&str>) -> Self {
        text.map_or(Self::NONE, Self::of)
    }

    /// # Safety
    /// `data` points to `len` bytes that stay as they are during `'a`.
    pub(crate) unsafe fn as_str<'a>(self, name: &str) -> Result<&'a str, Failure> {
        // SAFETY: required of the caller.
        let bytes = unsafe { list::<u8>(self.data.cast(), self.len) };
        str::from_utf8(bytes).map_err(|error| Failure::misuse(format!("{name}: {error}")))
    }
}

/// Returns a C list as a slice; NULL is an empty list.
///
/// # Safety
/// `data` is NULL or points to `len` items that stay as they are during `'a`.
pub(crate) unsafe fn list<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if data.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: not NULL; the rest is required of the caller.
    unsafe { slice::from_raw_parts(data, len) }
}
