//! An allocator that counts, for each thread on its own: the tests run side by side.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What a thread has allocated since it began.
#[derive(Debug, Clone, Copy, Default)]
pub struct Count {
    /// Allocations, growing ones included.
    pub calls: u64,
    /// Bytes asked for, whether or not they were given back since.
    pub bytes: u64,
    /// Bytes asked for and not given back.
    pub held: i64,
    /// The most that was held at a time since [`measure`] began.
    pub peak: i64,
}

thread_local! {
    static COUNT: Cell<Count> = const { Cell::new(Count { calls: 0, bytes: 0, held: 0, peak: 0 }) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(allocated: usize, freed: usize) {
    // A thread that ends frees what it held after its count is gone.
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

// SAFETY: every call goes to the system's allocator as it came; counting touches a thread-local cell without a
// destructor, which never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What `work` allocates, and what comes of it: still held, so it is part of `held`.
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
