//! Allocations of an operation, counted by the allocator itself. One thread does all the work.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::meter::Measured;

const WARM_UP: u64 = 100;
const WARM: u64 = 1_000;

static CALLS: AtomicU64 = AtomicU64::new(0);
static HELD: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocated(size: usize) {
    CALLS.fetch_add(1, Relaxed);
    let held = HELD.fetch_add(size as u64, Relaxed) + size as u64;
    PEAK.fetch_max(held, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; counting touches atomics only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as u64, Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_sub(layout.size() as u64, Relaxed);
        allocated(size);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What one call allocates.
pub struct Allocated {
    /// Allocations, growing ones included.
    pub calls: f64,
    /// The most that a call held beyond what was held before it.
    pub peak_bytes: f64,
}

/// Allocations ever made.
pub fn calls() -> u64 {
    CALLS.load(Relaxed)
}

/// Bytes that are held now.
pub fn held() -> u64 {
    HELD.load(Relaxed)
}

/// What each of so many calls allocates.
pub fn of(work: &mut dyn FnMut(), times: u64, measured: Measured) -> Allocated {
    let (calls, held) = (measured.allocations(), HELD.load(Relaxed));
    PEAK.store(held, Relaxed);
    (0..times).for_each(|_| work());
    Allocated {
        calls: (measured.allocations() - calls) as f64 / times as f64,
        peak_bytes: PEAK.load(Relaxed).saturating_sub(held) as f64,
    }
}

/// What a call allocates once the work has run for a while.
pub fn warm(work: &mut dyn FnMut(), measured: Measured) -> Allocated {
    (0..WARM_UP).for_each(|_| work());
    of(work, WARM, measured)
}
