//! What of a case is measured: all of it, or a part, where the rest is the other end's work.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::allocations;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
static NANOSECONDS: AtomicU64 = AtomicU64::new(0);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// What of a case is measured.
#[derive(Clone, Copy)]
pub enum Measured {
    /// All that it does.
    All,
    /// What it does in [`part`].
    Part,
}

impl Measured {
    /// Time spent in what is measured.
    pub fn time(self) -> Duration {
        match self {
            Self::All => STARTED.elapsed(),
            Self::Part => Duration::from_nanos(NANOSECONDS.load(Relaxed)),
        }
    }

    /// Allocations made in what is measured.
    pub fn allocations(self) -> u64 {
        match self {
            Self::All => allocations::calls(),
            Self::Part => ALLOCATIONS.load(Relaxed),
        }
    }

    /// The function in which callgrind counts, if that is not all.
    pub fn function(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Part => Some("*counted_part*"),
        }
    }
}

/// Does what is measured of a case.
pub fn part<T>(work: impl FnOnce() -> T) -> T {
    let (allocations, started) = (allocations::calls(), Instant::now());
    let result = counted_part(work);
    NANOSECONDS.fetch_add(started.elapsed().as_nanos() as u64, Relaxed);
    ALLOCATIONS.fetch_add(allocations::calls() - allocations, Relaxed);
    result
}

/// Does `work` as [`part`], if it is to be measured.
pub fn part_if<T>(is_measured: bool, work: impl FnOnce() -> T) -> T {
    if is_measured { part(work) } else { work() }
}

/// A function of its own, for callgrind knows it by its name.
#[inline(never)]
fn counted_part<T>(work: impl FnOnce() -> T) -> T {
    work()
}
