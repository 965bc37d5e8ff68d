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

thread_local! {
    /// Bytes that no memory may hold when it is given back, and how often it did.
    static WATCH: Cell<(Option<[u8; 32]>, u64)> = const { Cell::new((None, 0)) };
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

fn is_watching() -> bool {
    WATCH.try_with(|watch| watch.get().0.is_some()).unwrap_or(false)
}

/// Looks for the watched bytes in memory that is given back.
///
/// # Safety
///
/// The memory is the caller's and initialised.
unsafe fn look_at(pointer: *const u8, size: usize) {
    let _ = WATCH.try_with(|watch| {
        let (Some(secret), found) = watch.get() else { return };
        // SAFETY: the caller's promise.
        let bytes = unsafe { std::slice::from_raw_parts(pointer, size) };
        let more = bytes.windows(secret.len()).filter(|window| *window == secret).count();
        watch.set((Some(secret), found + more as u64));
    });
}

// SAFETY: every call goes to the system's allocator as it came; counting touches a thread-local cell without a
// destructor, which never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
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
        // SAFETY: as above; both are at least as long as what is copied.
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

/// How often memory is given back with `secret` in it while `work` runs. All that `work` gives back it has allocated.
pub fn given_back_with(secret: [u8; 32], work: impl FnOnce()) -> u64 {
    WATCH.set((Some(secret), 0));
    work();
    WATCH.replace((None, 0)).1
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
