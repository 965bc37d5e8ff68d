//! One seed from its beginning to its end.

use std::time::Duration;

use hotrod_core::cluster::Config;

use crate::carried::Carried;
use crate::faults::Faults;
use crate::load::Load;
use crate::shared::Shared;
use crate::tally::Tally;
use crate::world::{BALANCER, World, address};

/// How long there are faults.
/// How long servers and links fail, in simulated time.
pub const LOADED: Duration = Duration::from_secs(40);
/// How long it takes at most until a client has found out that a quiet link leads nowhere, and has another: a PING after
/// 30 s, its answer missing for 10 s, a pause of 10 s.
const RECOVERY: Duration = Duration::from_secs(60);

/// What a run has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operations that were answered.
    pub operations: u64,
    /// Of these, those that failed; each said what may have become of it.
    pub failures: u64,
    /// Operations that were not accepted, because a limit was reached.
    pub refused: u64,
    /// Histories of shared keys that were found linearizable.
    pub histories: u64,
    /// Faults that were injected.
    pub faults: Tally,
    /// Everything that was said and sent, and when, as one number.
    pub trace: u64,
}

/// Runs one seed: applications under load while servers and links fail. The error tells what did not hold.
pub fn run(seed: u64, carriage: Carried) -> Result<Summary, String> {
    Run::new(seed, carriage).finish(LOADED)
}

/// The same, prints every output of the clients and every fault, and lets servers and links fail for that long.
pub fn run_aloud(seed: u64, carriage: Carried, loaded: Duration) -> Result<Summary, String> {
    let mut run = Run::new(seed, carriage);
    run.world.trace.is_printed = true;
    run.finish(loaded)
}

struct Run {
    random: fastrand::Rng,
    world: World,
    loads: Vec<Load>,
    shared: Shared,
    faults: Faults,
}

impl Run {
    fn new(seed: u64, carriage: Carried) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let clients = random.usize(2..=3);
        let configs = (0..clients).map(|_| carriage.apply(config(&mut random))).collect();
        let mut world = World::of(random.u16(2..=4), seed, configs);
        world.late_arrivals = random.bool();
        world.clumsy_hosts = random.bool();
        if random.bool() {
            world.watch_remade_cache();
        }
        Self {
            loads: (0..clients).map(|client| Load::new(client, 4)).collect(),
            shared: Shared::new(3),
            faults: Faults::new(&mut random),
            world,
            random,
        }
    }

    fn finish(mut self, loaded: Duration) -> Result<Summary, String> {
        let end = self.world.now() + loaded;
        while self.world.now() < end {
            self.step()?;
        }
        self.faults.end(&mut self.world);
        self.recover()?;
        self.close()?;
        Ok(self.summary())
    }

    fn step(&mut self) -> Result<(), String> {
        for load in &mut self.loads {
            load.submit(&mut self.world, &mut self.random);
        }
        self.shared.submit(&mut self.world, &mut self.random);
        self.world.read_remade_cache();
        self.faults.maybe(&mut self.world, &mut self.random);
        // A short pause has clients ask while others still wait; a long one lets timers run.
        let longest = if self.random.bool() { 4_000 } else { 200_000 };
        self.world.run_for(Duration::from_micros(self.random.u64(100..longest)));
        self.check()
    }

    fn check(&mut self) -> Result<(), String> {
        for load in &mut self.loads {
            load.check(&mut self.world)?;
        }
        self.shared.check(&mut self.world)?;
        self.faults.check(&mut self.world)?;
        self.world.listen();
        self.world.keep_watching();
        self.world.hosts.iter_mut().for_each(|host| host.events.clear());
        self.world.check()
    }

    /// The faults are over: everything is answered, and each client finds its way back.
    fn recover(&mut self) -> Result<(), String> {
        self.world.run_for(RECOVERY);
        self.check()?;
        self.shared.check_all_answered()?;
        for load in &mut self.loads {
            load.check_all_answered(&self.world)?;
            load.check_recovered(&mut self.world)?;
        }
        self.shared.check_recovered(&mut self.world)?;
        self.world.check_listeners()?;
        self.world.check_remade_cache()?;
        self.world.run_for(Duration::from_secs(5));
        self.check()?;
        // The listeners that it registers anew may begin sessions.
        self.world.run_for(Duration::from_secs(5));
        self.world.check()?;
        self.world.check_links()
    }

    /// A client that is closed answers what it was asked, and leaves nothing behind.
    fn close(&mut self) -> Result<(), String> {
        for load in &mut self.loads {
            load.submit(&mut self.world, &mut self.random);
        }
        let now = self.world.now();
        self.world.hosts.iter_mut().for_each(|host| host.client.close(now));
        self.world.run_for(Duration::from_secs(20));
        self.check()?;
        for (index, load) in self.loads.iter().enumerate() {
            load.check_all_answered(&self.world)?;
            if !self.world.hosts[index].client.is_closed() {
                return Err(format!("client {index} is closed and not done"));
            }
        }
        let left = self.world.open_connections();
        if left > 0 { Err(format!("{left} connections after the end")) } else { Ok(()) }
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary {
            histories: self.shared.histories,
            faults: self.world.tally,
            trace: self.world.trace.finish(),
            ..Summary::default()
        };
        for counts in self.loads.iter().map(|load| load.counts).chain([self.shared.counts]) {
            summary.operations += counts.answered;
            summary.failures += counts.failed;
            summary.refused += counts.refused;
        }
        summary
    }
}

/// Settings of a client; one in four has limits so low that they are reached.
fn config(random: &mut fastrand::Rng) -> Config {
    let mut config = Config::new(vec![address(BALANCER)]);
    if random.u8(..4) == 0 {
        config.max_waiting = random.usize(2..6);
        config.session.max_in_flight = random.usize(1..4);
        config.session.max_send_bytes = 2 << 10;
    }
    config.connect_ahead = random.u8(..4) > 0;
    config
}
