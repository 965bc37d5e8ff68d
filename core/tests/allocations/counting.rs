//! A counting allocator, per thread: tests run in parallel.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Allocations of a thread since its start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Count {
    /// Number of allocations, reallocations included.
    pub calls: u64,
    /// Allocated bytes, freed or not.
    pub bytes: u64,
    /// Allocated bytes that are not freed.
    pub held: i64,
    /// Maximum of `held` since the start of [`measure`].
    pub peak: i64,
}

thread_local! {
    static COUNT: Cell<Count> = const { Cell::new(Count { calls: 0, bytes: 0, held: 0, peak: 0 }) };
}

thread_local! {
    /// Bytes that freed memory must not contain, and the number of times it did.
    static WATCH: Cell<(Option<[u8; 32]>, u64)> = const { Cell::new((None, 0)) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(allocated: usize, freed: usize) {
    // A thread that ends frees memory after its counters are dropped.
    let _ = COUNT.try_with(|cell| {
        let mut count = cell.get();
        if allocated > 0 {
            count.calls += 1;
        }
        count.bytes += allocated as u64;
        count.held += allocated as i64 - freed as i64;
        count.peak = count.peak.max(count.held);
        cell.set(count);
    });
}

fn is_watching() -> bool {
    WATCH.try_with(|watch| watch.get().0.is_some()).unwrap_or(false)
}

/// Searches freed memory for the watched bytes.
///
/// # Safety
///
/// The memory must be valid and initialised.
unsafe fn look_at(pointer: *const u8, size: usize) {
    let _ = WATCH.try_with(|watch| {
        let (Some(secret), found) = watch.get() else { return };
        // SAFETY: guaranteed by the caller.
        let bytes = unsafe { std::slice::from_raw_parts(pointer, size) };
        let more = bytes.windows(secret.len()).filter(|window| *window == secret).count();
        watch.set((Some(secret), found + more as u64));
    });
}

// SAFETY: every call is passed to the system's allocator unchanged; counting uses a thread-local cell without a
// destructor, which never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { if is_watching() { System.alloc_zeroed(layout) } else { System.alloc(layout) } }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        if is_watching() {
            // SAFETY: while watching, memory is zeroed when it is allocated, and grows by `alloc` and `dealloc`.
            unsafe { look_at(pointer, layout.size()) };
        }
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        if !is_watching() {
            // SAFETY: as above.
            return unsafe { System.realloc(pointer, layout, size) };
        }
        // SAFETY: as above; both are at least as long as the copied bytes.
        unsafe {
            let new = System.alloc_zeroed(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                std::ptr::copy_nonoverlapping(pointer, new, size.min(layout.size()));
                look_at(pointer, layout.size());
                System.dealloc(pointer, layout);
            }
            new
        }
    }
}

/// Number of times that memory with `secret` in it is freed while `work` runs. `work` frees only memory that it has
/// allocated.
pub fn given_back_with(secret: [u8; 32], work: impl FnOnce()) -> u64 {
    WATCH.set((Some(secret), 0));
    work();
    WATCH.replace((None, 0)).1
}

/// Allocations of `work`, and its result, which is still allocated and so a part of `held`.
pub fn measure<T>(work: impl FnOnce() -> T) -> (Count, T) {
    let before = COUNT.get();
    COUNT.set(Count { peak: before.held, ..before });
    let result = work();
    let after = COUNT.get();
    let count = Count {
        calls: after.calls - before.calls,
        bytes: after.bytes - before.bytes,
        held: after.held - before.held,
        peak: after.peak - before.held,
    };
    (count, result)
}
