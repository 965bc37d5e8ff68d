//! What is measured.

pub mod carriage;
pub mod cluster;
pub mod frames;
mod hpack;
mod session;
mod values;
mod wire;

use crate::meter::Measured;

/// One thing to measure.
pub struct Case {
    /// The name that its figures begin with.
    pub name: &'static str,
    /// Makes what a call needs; the calls that follow are measured.
    pub prepare: fn() -> Box<dyn FnMut()>,
    /// What time and instructions are told per.
    pub unit: Unit,
    /// How many calls callgrind simulates, and three times as many; `None` where that takes minutes.
    pub simulated: Option<u64>,
    /// What of it is measured.
    pub measured: Measured,
    /// Allocations are those of the first call: later ones find its buffer, and would hide how that has grown.
    pub counts_first: bool,
}

/// What a call does, in pieces that a figure is told per.
pub struct Unit {
    pub name: &'static str,
    pub suffix: &'static str,
    pub count: u64,
}

const OPERATION: Unit = Unit { name: "op", suffix: "", count: 1 };

impl Case {
    const fn new(name: &'static str, prepare: fn() -> Box<dyn FnMut()>) -> Self {
        Self { name, prepare, unit: OPERATION, simulated: Some(1_000), measured: Measured::All, counts_first: false }
    }
}

/// Every case, in the order of the table.
pub fn all() -> Vec<Case> {
    let all = [
        wire::cases(),
        session::cases(),
        cluster::cases(),
        values::cases(),
        hpack::cases(),
        carriage::cases(),
        frames::cases(),
    ];
    all.into_iter().flatten().collect()
}
