//! Lists, as a pointer to the first item and a count.

use crate::answer::{hotrod_iteration_entry, hotrod_pair, hotrod_text_pair};
use crate::arguments::{hotrod_modification, hotrod_parameter, hotrod_xid};
use crate::failure::hotrod_failed_part;
use crate::text::{hotrod_bytes, hotrod_text};

/// A list of C's.
pub(crate) trait List: Copy {
    type Item: 'static;
    /// To be read as long as the items are there.
    fn of(items: &[Self::Item]) -> Self;
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

/// Keys and values. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_pair_list {
    /// The first of them.
    pub data: *const hotrod_pair,
    /// How many.
    pub len: usize,
}

impl List for hotrod_pair_list {
    type Item = hotrod_pair;

    fn of(items: &[hotrod_pair]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// Texts by name. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_text_pair_list {
    /// The first of them.
    pub data: *const hotrod_text_pair,
    /// How many.
    pub len: usize,
}

impl List for hotrod_text_pair_list {
    type Item = hotrod_text_pair;

    fn of(items: &[hotrod_text_pair]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// Named values. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_parameter_list {
    /// The first of them.
    pub data: *const hotrod_parameter,
    /// How many.
    pub len: usize,
}

impl List for hotrod_parameter_list {
    type Item = hotrod_parameter;

    fn of(items: &[hotrod_parameter]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// What a transaction changes. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_modification_list {
    /// The first of them.
    pub data: *const hotrod_modification,
    /// How many.
    pub len: usize,
}

impl List for hotrod_modification_list {
    type Item = hotrod_modification;

    fn of(items: &[hotrod_modification]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// Transactions. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_xid_list {
    /// The first of them.
    pub data: *const hotrod_xid,
    /// How many.
    pub len: usize,
}

impl List for hotrod_xid_list {
    type Item = hotrod_xid;

    fn of(items: &[hotrod_xid]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// Entries of an iteration. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_iteration_entry_list {
    /// The first of them.
    pub data: *const hotrod_iteration_entry,
    /// How many.
    pub len: usize,
}

impl List for hotrod_iteration_entry_list {
    type Item = hotrod_iteration_entry;

    fn of(items: &[hotrod_iteration_entry]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// Parts of a bulk operation that failed. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_failed_part_list {
    /// The first of them.
    pub data: *const hotrod_failed_part,
    /// How many.
    pub len: usize,
}

impl List for hotrod_failed_part_list {
    type Item = hotrod_failed_part;

    fn of(items: &[hotrod_failed_part]) -> Self {
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
