//! Randomness, and the back-off between attempts to reach a member.

use core::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// The machine's only source of randomness, from the host's seed.
pub(super) struct Entropy(ChaCha20Rng);

impl Entropy {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// A seed for a session.
    pub(super) fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Exponential back-off with jitter after `failures` consecutive failures: doubled each time up to `longest`, then a
    /// random time between half of that and all of it, so that clients do not come back all at once.
    pub(super) fn pause(&mut self, failures: u32, first: Duration, longest: Duration) -> Duration {
        let doubled = first.saturating_mul(1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
        let most = doubled.min(longest);
        most / 2 + (most / 2).mul_f64(f64::from(self.0.next_u32()) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_the_longest() {
        let mut entropy = Entropy::new([7; 32]);
        let (first, longest) = (Duration::from_millis(100), Duration::from_secs(10));
        for failures in 1..100 {
            let most = first.saturating_mul(1 << (failures - 1).min(20)).min(longest);
            let pause = entropy.pause(failures, first, longest);
            assert!(pause >= most / 2 && pause <= most, "{failures}: {pause:?}");
        }
    }
}
