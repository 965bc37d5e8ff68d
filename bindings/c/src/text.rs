//! Bytes and text with a length.

use std::ffi::c_char;
use std::{ptr, slice, str};

use hotrod_core::vocabulary::Failure;

use crate::arena::List;

/// Bytes that somebody else owns; NULL and 0 are no bytes. It has the layout of POSIX's `struct iovec`.
///
/// A function reads them during the call only.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_bytes {
    /// The first of them.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

/// Text in UTF-8 that somebody else owns, without a zero at its end; NULL and 0 are no text.
///
/// A function reads it during the call only. `hotrod_text_of` makes one of a C string.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_text {
    /// The first byte.
    pub data: *const c_char,
    /// How many bytes.
    pub len: usize,
}

/// Several pieces of bytes: keys, or values. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_bytes_list {
    /// The first of them.
    pub data: *const hotrod_bytes,
    /// How many.
    pub len: usize,
}

impl List for hotrod_bytes_list {
    type Item = hotrod_bytes;

    fn of(items: &[hotrod_bytes]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// Several texts. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_text_list {
    /// The first of them.
    pub data: *const hotrod_text,
    /// How many.
    pub len: usize,
}

impl List for hotrod_text_list {
    type Item = hotrod_text;

    fn of(items: &[hotrod_text]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// Small numbers. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_number_list {
    /// The first of them.
    pub data: *const u16,
    /// How many.
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

    /// To be read as long as `bytes` are there. Never NULL: no bytes are something else than none.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { data: if bytes.is_empty() { c"".as_ptr().cast() } else { bytes.as_ptr() }, len: bytes.len() }
    }

    /// # Safety
    /// `data` points to `len` bytes that stay as they are during `'a`.
    pub(crate) unsafe fn as_slice<'a>(self) -> &'a [u8] {
        // SAFETY: as asked of the caller.
        unsafe { list(self.data, self.len) }
    }
}

impl hotrod_text {
    pub(crate) const NONE: Self = Self { data: ptr::null(), len: 0 };

    /// To be read as long as `text` is there. Never NULL: an empty text is something else than none.
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
        // SAFETY: as asked of the caller.
        let bytes = unsafe { list::<u8>(self.data.cast(), self.len) };
        str::from_utf8(bytes).map_err(|error| Failure::misuse(format!("{name}: {error}")))
    }
}

/// A list of C's; NULL is an empty one.
///
/// # Safety
/// `data` is NULL or points to `len` items that stay as they are during `'a`.
pub(crate) unsafe fn list<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if data.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: it is not NULL, and the rest is asked of the caller.
    unsafe { slice::from_raw_parts(data, len) }
}
