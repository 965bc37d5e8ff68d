//! What happens to the servers and the network while the application works.
//!
//! An acknowledged write has to survive all of it, so never more than one member is dead, or leaves, at a time: two
//! owners have each entry, and the other one takes over before the next member may go. Everything else can be combined.

use std::time::Duration;

use hotrod_core::time::Instant;

use crate::poison::Poisons;
use crate::tally::Kind;
use crate::world::World;
use crate::world_faults::Change;

/// The kinds that are chosen by chance here. The others happen by the way.
const CHOICES: [Kind; 18] = [
    Kind::Crash,
    Kind::SilentCrash,
    Kind::RestartWithData,
    Kind::RestartEmpty,
    Kind::Leave,
    Kind::Join,
    Kind::Stop,
    Kind::Hang,
    Kind::Slow,
    Kind::Partition,
    Kind::PartitionWithResets,
    Kind::Cut,
    Kind::HalfOpenAtServer,
    Kind::HalfOpenAtClient,
    Kind::ChangeMidReply,
    Kind::Poison,
    Kind::Remake,
    Kind::Remove,
];

/// The most members that there are.
const MOST_MEMBERS: usize = 6;

/// How something ends that lasts for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// The others notice that this member is dead; it may come back later, with nothing.
    Excluded {
        port: u16,
        comes_back: bool,
    },
    RestartedWithData(u16),
    RestartedEmpty(u16),
    Serves(u16),
    Awake(u16),
    Fast(u16),
    CacheMade,
    Reunited {
        client: usize,
        resets: bool,
    },
}

/// Faults of one run.
pub struct Faults {
    /// Those that this run has. Few at a time reach states that all of them together do not.
    kinds: Vec<Kind>,
    /// What ends when.
    lasting: Vec<(Instant, End)>,
    poisons: Poisons,
}

impl Faults {
    /// Some of the kinds.
    pub fn new(random: &mut fastrand::Rng) -> Self {
        let kinds = CHOICES.into_iter().filter(|_| random.bool()).collect();
        Self { kinds, lasting: Vec::new(), poisons: Poisons::default() }
    }

    /// Lets something happen, now and then.
    pub fn maybe(&mut self, world: &mut World, random: &mut fastrand::Rng) {
        self.heal(world, Some(world.now()));
        if random.u8(..8) > 0 {
            return;
        }
        let ports: Vec<u16> = world.by_port.keys().copied().collect();
        let (Some(kind), Some(port)) = (random.choice(self.kinds.iter().copied()), random.choice(ports)) else {
            return;
        };
        if self.inject(kind, port, world, random) {
            world
                .trace
                .explain(world.now(), format_args!("fault {kind:?}, at the member of port {port} if it has one"));
            world.tally.add(kind);
        }
    }

    /// Everything that can heal does.
    pub fn end(&mut self, world: &mut World) {
        world.armed = None;
        // What was excluded may come back by that.
        while !self.lasting.is_empty() {
            self.heal(world, None);
        }
    }

    /// What was sent to do harm has done no good.
    pub fn check(&mut self, world: &mut World) -> Result<(), String> {
        self.poisons.check(world)
    }

    fn inject(&mut self, kind: Kind, port: u16, world: &mut World, random: &mut fastrand::Rng) -> bool {
        let can_lose_one = world.by_port.len() > 2 && world.nobody_is_dead();
        let can_grow = world.by_port.len() < MOST_MEMBERS;
        match kind {
            Kind::Crash | Kind::SilentCrash | Kind::RestartWithData | Kind::RestartEmpty if can_lose_one => {
                self.crash(kind, port, world, random);
            }
            Kind::Leave if can_lose_one => world.leave(port),
            Kind::Join if can_grow => {
                world.join();
            }
            Kind::Stop if !self.has(|end| matches!(end, End::Serves(_))) => {
                world.set_stopping(port, true);
                self.until(world.now(), random.u64(100..8_000), End::Serves(port));
            }
            Kind::Hang if !self.has(|end| matches!(end, End::Awake(_))) => {
                world.set_hung(port, true);
                self.until(world.now(), random.u64(100..20_000), End::Awake(port));
            }
            Kind::Slow if !self.has(|end| matches!(end, End::Fast(_))) => {
                world.set_slow(port, Duration::from_millis(random.u64(50..4_000)));
                self.until(world.now(), random.u64(100..20_000), End::Fast(port));
            }
            Kind::Partition | Kind::PartitionWithResets => {
                let client = random.usize(..world.hosts.len());
                if self.has(|end| matches!(end, End::Reunited { client: parted, .. } if *parted == client)) {
                    return false;
                }
                let some: Vec<u16> = world.by_port.keys().copied().filter(|_| random.bool()).collect();
                world.part(client, &some);
                let resets = kind == Kind::PartitionWithResets;
                self.until(world.now(), random.u64(100..25_000), End::Reunited { client, resets });
            }
            Kind::Poison => return self.poisons.send(world, random),
            Kind::Remake | Kind::Remove if !world.remove_cache() => return false,
            Kind::Remake => world.make_cache(),
            Kind::Remove => self.until(world.now(), random.u64(100..15_000), End::CacheMade),
            Kind::Cut => return world.cut_one(),
            Kind::HalfOpenAtServer => return world.cut_at_client(),
            Kind::HalfOpenAtClient => return world.cut_at_server(),
            Kind::ChangeMidReply => {
                // Counted when it happens.
                let leaves = random.bool() || !can_grow;
                world.armed.get_or_insert(if leaves { Change::Leave(port) } else { Change::Join });
                return false;
            }
            _ => return false,
        }
        true
    }

    fn crash(&mut self, kind: Kind, port: u16, world: &mut World, random: &mut fastrand::Rng) {
        world.crash(port, kind == Kind::SilentCrash || kind != Kind::Crash && random.bool());
        let comes_back = kind == Kind::RestartEmpty;
        let end = if kind == Kind::RestartWithData {
            End::RestartedWithData(port)
        } else {
            End::Excluded { port, comes_back }
        };
        self.until(world.now(), random.u64(10..5_000), end);
    }

    fn has(&self, which: impl Fn(&End) -> bool) -> bool {
        self.lasting.iter().any(|(_, end)| which(end))
    }

    fn until(&mut self, now: Instant, milliseconds: u64, end: End) {
        self.lasting.push((now + Duration::from_millis(milliseconds), end));
    }

    /// Ends what is over by then; `None` for all.
    fn heal(&mut self, world: &mut World, by: Option<Instant>) {
        let over = |(at, _): &mut (Instant, End)| by.is_none_or(|by| *at <= by);
        let ends: Vec<End> = self.lasting.extract_if(.., over).map(|(_, end)| end).collect();
        for end in ends {
            match end {
                End::Excluded { port, comes_back } => {
                    world.exclude_crashed();
                    if comes_back {
                        self.until(world.now(), 1_000, End::RestartedEmpty(port));
                    }
                }
                End::RestartedWithData(port) => world.restart_with_data(port),
                End::RestartedEmpty(port) => world.restart_empty(port),
                End::Serves(port) => world.set_stopping(port, false),
                End::Awake(port) => world.set_hung(port, false),
                End::CacheMade => world.make_cache(),
                End::Fast(port) => world.set_slow(port, Duration::ZERO),
                End::Reunited { client, resets } => world.reunite(client, resets),
            }
        }
    }
}
