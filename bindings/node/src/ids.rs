//! Maps the machine's 64-bit identities to JavaScript numbers, which have 53 bits.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// One map for each kind of identity: the same 64 bits may identify one of each kind.
#[derive(Default)]
pub(crate) struct AllIds {
    pub(crate) link: Ids,
    pub(crate) member: Ids,
    pub(crate) operation: Ids,
    pub(crate) listener: Ids,
    pub(crate) iteration: Ids,
}

impl AllIds {
    /// Returns the map of a kind, as the vocabulary names it.
    pub(crate) fn of(&mut self, kind: &str) -> &mut Ids {
        match kind {
            "link" => &mut self.link,
            "member" => &mut self.member,
            "listener" => &mut self.listener,
            "iteration" => &mut self.iteration,
            _ => &mut self.operation,
        }
    }
}

/// Identities of one kind. A number is never reused.
#[derive(Default)]
pub(crate) struct Ids {
    next: u64,
    numbers: HashMap<u64, u64, BuildHasherDefault<Mix>>,
    identities: HashMap<u64, u64, BuildHasherDefault<Mix>>,
}

impl Ids {
    /// Returns the number of an identity, and assigns one if it has none.
    pub(crate) fn number(&mut self, id: u64) -> f64 {
        let next = self.next + 1;
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.next = next;
            self.identities.insert(number, id);
        }
        number as f64
    }

    /// Returns the identity of a number; 0, which is no identity, for an unknown number.
    pub(crate) fn id(&self, number: f64) -> u64 {
        self.identities.get(&(number as u64)).copied().unwrap_or_default()
    }

    /// Removes an identity after its last output.
    pub(crate) fn forget(&mut self, id: u64) {
        if let Some(number) = self.numbers.remove(&id) {
            self.identities.remove(&number);
        }
    }
}

/// A multiplicative hasher: keys are counters of this process, so no attacker chooses them.
#[derive(Default)]
struct Mix(u64);

impl std::hash::Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}
