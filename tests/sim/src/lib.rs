//! The cluster machine and the embedded cluster in one process: no sockets, no threads, time and chance from a seed.
//!
//! A run is repeated exactly by its seed. [`world::World`] joins client and servers by a [`network`] that delays, splits, stalls
//! and cuts; [`load`] is an application that checks every answer; [`faults`] are what happens to the servers meanwhile.

#![allow(clippy::missing_panics_doc)] // a panic here is a failed test

pub mod faults;
pub mod load;
pub mod network;
pub mod world;

use std::time::Duration;

/// What a run has done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summary {
    /// Operations that were answered.
    pub operations: u64,
    /// Of these, those that failed; each said what may have become of it.
    pub failures: u64,
    /// Faults that were injected.
    pub faults: u64,
}

/// Runs one seed: an application under load while servers and links fail. The error tells what did not hold.
pub fn run(seed: u64) -> Result<Summary, String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = world::World::new(3, seed);
    let mut load = load::Load::new(8);
    let mut faults = faults::Faults::default();
    let end = world.now() + Duration::from_secs(60);
    while world.now() < end {
        load.submit(&mut world, &mut random)?;
        faults.maybe(&mut world, &mut random);
        let pause = Duration::from_millis(random.u64(1..200));
        world.run_for(pause);
        load.check(&mut world)?;
        world.check()?;
    }
    // The faults are over: everything is answered, and the client finds its way back.
    faults.end(&mut world);
    world.run_for(Duration::from_secs(40));
    load.check(&mut world)?;
    load.check_all_answered(&world)?;
    load.check_recovered(&mut world)?;
    world.check()?;
    Ok(Summary { operations: load.answered, failures: load.failed, faults: faults.count })
}
