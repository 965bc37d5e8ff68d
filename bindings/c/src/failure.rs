//! Failures.

use hotrod_core::session::Applied;
use hotrod_core::vocabulary::Failure;
use hotrod_core::wire::Operation;

use crate::answer::{bytes_list, hotrod_pair_list, pairs};
use crate::arena::{Arena, List};
use crate::generated::codes::hotrod_status;
use crate::text::{hotrod_bytes_list, hotrod_text};

/// Whether a failed operation may have been executed.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_applied {
    /// It was certainly not executed.
    HOTROD_APPLIED_NO = 0,
    /// It may have been executed.
    HOTROD_APPLIED_UNKNOWN = 1,
}

/// A failure of a call or an operation.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_failure {
    /// The kind.
    pub kind: hotrod_status,
    /// Message with the member, the operation, and whether it may have been applied.
    pub message: hotrod_text,
    /// The protocol's name of the failed operation; `data` is NULL if no operation failed.
    pub operation: hotrod_text,
    /// The address of the member to which it was sent last; `data` is NULL for none.
    pub member: hotrod_text,
    /// Status of the server's error response, one of `HOTROD_SERVER_…`; `HOTROD_SERVER_SUCCESS` without a response.
    pub server_status: u8,
    /// Whether the operation may have been executed.
    pub applied: hotrod_applied,
    /// Number of attempts that reached a member.
    pub attempts: u32,
    /// For `HOTROD_ERR_PARTIAL`: the failed parts. All other keys were processed.
    pub parts: hotrod_failed_part_list,
    /// For `HOTROD_ERR_PARTIAL`: entries that the successful parts read.
    pub entries: hotrod_pair_list,
}

/// A part of a bulk operation that failed.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_failed_part {
    /// Keys of the part.
    pub keys: hotrod_bytes_list,
    /// Cause of the failure.
    pub error: *const hotrod_failure,
}

/// A list of failed parts. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_failed_part_list {
    /// Pointer to the first item.
    pub data: *const hotrod_failed_part,
    /// Number of items.
    pub len: usize,
}

impl List for hotrod_failed_part_list {
    type Item = hotrod_failed_part;

    fn of(items: &[hotrod_failed_part]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// Returns C's view of a failure, which points into the failure and the arena.
pub(crate) fn failure(failure: &Failure, arena: &mut Arena) -> hotrod_failure {
    let (parts, entries) = match &failure.partial {
        None => (List::of(&[]), List::of(&[])),
        Some(partial) => {
            let mut parts = Vec::with_capacity(partial.parts.len());
            for (keys, error) in &partial.parts {
                let error = self::failure(error, arena);
                parts.push(hotrod_failed_part { keys: bytes_list(keys, arena), error: arena.keep(error) });
            }
            (arena.list(parts), pairs(&partial.entries, arena))
        }
    };
    hotrod_failure {
        kind: hotrod_status::of(failure.kind),
        message: hotrod_text::of(&failure.message),
        operation: hotrod_text::of_optional(failure.operation.map(Operation::name)),
        member: hotrod_text::of_optional(failure.member.as_deref()),
        server_status: failure.status.map_or(0, |status| status.0),
        applied: match failure.applied {
            Applied::No => hotrod_applied::HOTROD_APPLIED_NO,
            Applied::Unknown => hotrod_applied::HOTROD_APPLIED_UNKNOWN,
        },
        attempts: failure.attempts.into(),
        parts,
        entries,
    }
}

/// A failure and C's view of it.
pub(crate) struct OwnedFailure {
    view: hotrod_failure,
    /// Owns the failure, to which the view points.
    _arena: Arena,
}

impl OwnedFailure {
    pub(crate) fn of(failure: Failure) -> Self {
        let mut arena = Arena::default();
        let kept = arena.keep(failure);
        // SAFETY: the arena neither moves nor changes it.
        let view = self::failure(unsafe { &*kept }, &mut arena);
        Self { view, _arena: arena }
    }

    pub(crate) fn of_null(name: &'static str) -> Self {
        Self::with_status(hotrod_status::HOTROD_ERR_NULL, format!("{name} is NULL"))
    }

    pub(crate) fn with_status(status: hotrod_status, message: String) -> Self {
        let mut kept = Self::of(Failure::misuse(message));
        kept.view.kind = status;
        kept
    }

    pub(crate) fn of_panic() -> Self {
        let mut kept = Self::of(Failure::misuse("libhotrod has a bug: this machine can't be used any more"));
        kept.view.kind = hotrod_status::HOTROD_ERR_PANIC;
        kept.view.applied = hotrod_applied::HOTROD_APPLIED_UNKNOWN;
        kept
    }

    pub(crate) fn kind(&self) -> hotrod_status {
        self.view.kind
    }

    pub(crate) fn as_ptr(&self) -> *const hotrod_failure {
        &raw const self.view
    }
}
