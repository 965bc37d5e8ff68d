//! Numbers for identities: those of the machine take 64 bits, numbers of JavaScript 53.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// What has an identity; the same 64 bits may be one of each.
#[derive(Default)]
pub(crate) struct AllIds {
    pub(crate) link: Ids,
    pub(crate) member: Ids,
    pub(crate) operation: Ids,
    pub(crate) listener: Ids,
    pub(crate) iteration: Ids,
}

impl AllIds {
    /// Those of a kind that the vocabulary names.
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

/// Identities of one kind. A number is never given twice.
#[derive(Default)]
pub(crate) struct Ids {
    next: u64,
    numbers: HashMap<u64, u64, BuildHasherDefault<Mix>>,
    meant: HashMap<u64, u64, BuildHasherDefault<Mix>>,
}

impl Ids {
    /// The number of an identity.
    pub(crate) fn number(&mut self, id: u64) -> f64 {
        let next = self.next + 1;
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.next = next;
            self.meant.insert(number, id);
        }
        number as f64
    }

    /// The identity of a number; 0, which none has, of one that means nothing (any more).
    pub(crate) fn id(&self, number: f64) -> u64 {
        self.meant.get(&(number as u64)).copied().unwrap_or_default()
    }

    /// Its last mention: nothing will be said of it any more.
    pub(crate) fn forget(&mut self, id: u64) {
        if let Some(number) = self.numbers.remove(&id) {
            self.meant.remove(&number);
        }
    }
}

/// Both sides count up by themselves: there is nobody to be defended against, and little to mix.
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
