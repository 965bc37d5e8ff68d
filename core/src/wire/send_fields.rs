//! Writers of the grammar's primitives for a [`SendBuffer`].

use bytes::Bytes;

use super::primitives::{put_vint, put_vlong, zigzag};
use crate::send_buffer::SendBuffer;

impl SendBuffer {
    pub(crate) fn put_vint(&mut self, value: u32) {
        self.put_with(|tail| put_vint(tail, value));
    }

    pub(crate) fn put_vlong(&mut self, value: u64) {
        self.put_with(|tail| put_vlong(tail, value));
    }

    /// Appends a vInt length and `bytes`.
    pub(crate) fn put_array(&mut self, bytes: &Bytes) {
        self.put_vint(bytes.len() as u32);
        self.put_raw(bytes);
    }

    /// Appends a zigzag length, -1 for `None`, and the bytes.
    pub(crate) fn put_optional_array(&mut self, bytes: Option<&Bytes>) {
        self.put_vint(zigzag(bytes.map_or(-1, |bytes| bytes.len() as i32)));
        if let Some(bytes) = bytes {
            self.put_raw(bytes);
        }
    }

    /// Appends a vInt length and the UTF-8 bytes of `text`.
    pub(crate) fn put_text(&mut self, text: &str) {
        self.put_vint(text.len() as u32);
        self.put_slice(text.as_bytes());
    }
}
