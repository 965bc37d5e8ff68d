//! Poisonous requests: a server cuts the connection at each, as Infinispan does at one above its `max-content-length`.

use bytes::Bytes;
use hotrod_core::cluster::OperationId;
use hotrod_core::wire::{Expiration, Request};

use crate::world::World;

/// The byte of which poisonous values consist. No other value has it.
const POISON: u8 = 0xf7;
/// As many in a row are poison: a message id may have a few.
const DEADLY: usize = 12;
/// A size by which a request is suspicious after one loss.
pub const LARGE: usize = 1_100_000;
/// A size that says nothing.
pub const SMALL: usize = 96;

/// Requests that were sent and have no answer yet.
#[derive(Default)]
pub struct Poisons {
    pending: Vec<(usize, OperationId)>,
    sent: u64,
}

/// A write that no connection survives.
pub fn request(number: u64, size: usize, may_be_repeated: bool) -> Request {
    let (key, value) = (Bytes::from(format!("poison {number}")), Bytes::from(vec![POISON; size]));
    let expiration = Expiration::DEFAULT;
    if may_be_repeated {
        Request::Put { key, expiration, value }
    } else {
        Request::PutIfAbsent { key, expiration, value }
    }
}

/// Whether bytes on their way to a server have poison in them.
pub fn is_in(bytes: &[u8]) -> bool {
    bytes.chunk_by(|one, other| one == other).any(|run| run[0] == POISON && run.len() >= DEADLY)
}

impl Poisons {
    /// Has a client send one.
    pub fn send(&mut self, world: &mut World, random: &mut fastrand::Rng) -> bool {
        let host = random.usize(..world.hosts.len());
        let size = if random.bool() { LARGE } else { SMALL };
        self.sent += 1;
        let (now, request) = (world.now(), request(self.sent, size, random.bool()));
        let cache = world.hosts[host].cache.clone();
        let sent = world.hosts[host].submit_to(now, &cache, request);
        self.pending.extend(sent.iter().map(|id| (host, *id)));
        sent.is_ok()
    }

    /// None of them is ever answered by a server.
    pub fn check(&mut self, world: &mut World) -> Result<(), String> {
        let mut answered = Ok(());
        self.pending.retain(|(host, id)| match world.hosts[*host].answers.remove(id) {
            None => true,
            Some(Err(_)) => false,
            Some(Ok(reply)) => {
                answered = Err(format!("poison was answered: {reply:?}"));
                false
            }
        });
        answered
    }
}
