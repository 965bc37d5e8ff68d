//! What is measured.

mod session;
mod wire;

/// One thing to measure.
pub struct Case {
    /// The name that its figures begin with.
    pub name: &'static str,
    /// Makes what a call needs; the calls that follow are measured.
    pub prepare: fn() -> Box<dyn FnMut()>,
    /// What the figures are told per.
    pub unit: Unit,
    /// How many calls callgrind simulates, and three times as many.
    pub simulated: u64,
    /// Too long for a simulator.
    pub is_long: bool,
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
        Self { name, prepare, unit: OPERATION, simulated: 1_000, is_long: false }
    }
}

/// Every case, in the order of the table.
pub fn all() -> Vec<Case> {
    wire::cases().into_iter().chain(session::cases()).collect()
}
