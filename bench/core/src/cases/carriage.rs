//! A GET over each carriage: what it costs the client, the whole cluster machine included.
//!
//! The other end is a machine in memory, whose work is not measured.

mod endpoint;
mod pair;
mod shared;

use super::{Case, Unit};
use crate::meter::Measured;
use endpoint::Speaks;
pub use pair::Pair;

pub const IN_FLIGHT: usize = 64;

/// A carriage.
#[derive(Clone, Copy)]
pub struct Carried {
    /// The name of its case.
    pub case: &'static str,
    properties: &'static str,
    speaks: Speaks,
    prepare: fn() -> Box<dyn FnMut()>,
}

/// Raw first: the others are beside it.
pub const CARRIAGES: [Carried; 6] = [
    Carried {
        case: "carriage.raw.get64",
        properties: "carriage=raw",
        speaks: Speaks::HotRod,
        prepare: || gets(CARRIAGES[0]),
    },
    Carried {
        case: "carriage.upgrade.get64",
        properties: "carriage=upgrade&access=header",
        speaks: Speaks::Http1,
        prepare: || gets(CARRIAGES[1]),
    },
    Carried {
        case: "carriage.connect.get64",
        properties: "carriage=connect&access=header",
        speaks: Speaks::Http1,
        prepare: || gets(CARRIAGES[2]),
    },
    Carried {
        case: "carriage.connect-http2.get64",
        properties: "carriage=connect-http2&access=header",
        speaks: Speaks::Http2,
        prepare: || gets(CARRIAGES[3]),
    },
    Carried {
        case: "carriage.extended-connect.get64",
        properties: "carriage=extended-connect&access=header",
        speaks: Speaks::Http2,
        prepare: || gets(CARRIAGES[4]),
    },
    Carried {
        case: "carriage.frames.get64",
        properties: "carriage=frames&access=header",
        speaks: Speaks::Frames,
        prepare: || gets(CARRIAGES[5]),
    },
];

pub fn cases() -> Vec<Case> {
    let case = |carried: Carried| Case {
        unit: Unit { name: "op", suffix: "", count: IN_FLIGHT as u64 },
        simulated: Some(50),
        measured: Measured::Part,
        ..Case::new(carried.case, carried.prepare)
    };
    CARRIAGES.map(case).into_iter().chain(shared::cases()).collect()
}

/// GETs of small values, so many in flight together.
fn gets(carried: Carried) -> Box<dyn FnMut()> {
    let mut pair = Pair::new(carried, 1).measure_client();
    Box::new(move || pair.get(IN_FLIGHT))
}
