//! What happens to the servers and the network while the application works.

use std::time::Duration;

use hotrod_core::time::Instant;

use crate::world::World;

/// Faults of one run. Never more than one member is dead at a time: two owners keep what was stored.
#[derive(Default)]
pub struct Faults {
    /// How many there were.
    pub count: u64,
    /// When the others notice that a member is dead.
    noticed_at: Option<Instant>,
    hung: Option<(u16, Instant)>,
}

impl Faults {
    /// Lets something happen, now and then.
    pub fn maybe(&mut self, world: &mut World, random: &mut fastrand::Rng) {
        self.heal(world);
        if random.u8(..10) > 0 {
            return;
        }
        let ports: Vec<u16> = world.by_port.keys().copied().collect();
        let Some(&port) = ports.get(random.usize(..ports.len().max(1))) else { return };
        let can_lose_one = ports.len() > 2 && self.noticed_at.is_none();
        match random.u8(..6) {
            0 if can_lose_one => {
                world.crash(port, random.bool());
                self.noticed_at = Some(world.now() + Duration::from_millis(random.u64(10..5_000)));
            }
            1 if can_lose_one => world.leave(port),
            2 if ports.len() < 6 => {
                world.join();
            }
            3 if self.hung.is_none() => {
                world.set_hung(port, true);
                self.hung = Some((port, world.now() + Duration::from_millis(random.u64(100..20_000))));
            }
            4 | 5 => world.cut_one(),
            _ => return,
        }
        self.count += 1;
    }

    fn heal(&mut self, world: &mut World) {
        if self.noticed_at.is_some_and(|at| at <= world.now()) {
            self.noticed_at = None;
            world.exclude_crashed();
        }
        if let Some((port, _)) = self.hung.take_if(|(_, until)| *until <= world.now()) {
            world.set_hung(port, false);
        }
    }

    /// Everything that can heal does.
    pub fn end(&mut self, world: &mut World) {
        self.noticed_at = None;
        world.exclude_crashed();
        if let Some((port, _)) = self.hung.take() {
            world.set_hung(port, false);
        }
    }
}
