//! Connection attempts to a host with several addresses (RFC 8305, Happy Eyeballs Version 2).
//!
//! ```
//! use hotrod_core::happy_eyeballs::{ATTEMPT_DELAY, ConnectionAttempts};
//! use hotrod_core::time::Instant;
//!
//! // The name has two IPv6 addresses and one IPv4 address; the first of them is silent.
//! let mut attempts = ConnectionAttempts::new(&[true, true, false]);
//! let start = Instant::EPOCH;
//! assert_eq!(attempts.poll_attempt(start), Some(0));
//! assert_eq!(attempts.poll_attempt(start), None);
//!
//! // After the delay the other family is tried, while the first attempt goes on.
//! assert_eq!(attempts.poll_timeout(), Some(start + ATTEMPT_DELAY));
//! assert_eq!(attempts.poll_attempt(start + ATTEMPT_DELAY), Some(2));
//!
//! // An attempt that fails makes the next one due at once.
//! attempts.handle_failed();
//! assert_eq!(attempts.poll_attempt(start + ATTEMPT_DELAY), Some(1));
//! ```

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Instant;

/// Time between the begin of an attempt and that of the next one, while none has failed (Connection Attempt Delay; RFC 8305, 5).
pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Decides when a connection to which address of a host is begun.
///
/// The host resolves the name, begins the connections, keeps the first one that is established, and closes the others.
#[derive(Debug, Clone)]
pub struct ConnectionAttempts {
    /// Addresses that have not been tried, in order.
    waiting: VecDeque<usize>,
    /// Number of attempts whose outcome is open.
    running: usize,
    /// Time of the next attempt.
    due: Instant,
}

impl ConnectionAttempts {
    /// Takes the addresses in the resolver's order: whether each is an IPv6 address.
    ///
    /// The order alternates between the families, beginning with that of the first address (RFC 8305, 4).
    pub fn new(is_ipv6: &[bool]) -> Self {
        let preferred = is_ipv6.first().copied().unwrap_or_default();
        let of_family =
            |wanted| is_ipv6.iter().enumerate().filter(move |(_, family)| **family == wanted).map(|(i, _)| i);
        let (mut first, mut second) = (of_family(preferred), of_family(!preferred));
        let mut waiting = VecDeque::with_capacity(is_ipv6.len());
        while waiting.len() < is_ipv6.len() {
            waiting.extend(first.next());
            waiting.extend(second.next());
        }
        Self { waiting, running: 0, due: Instant::EPOCH }
    }

    /// Returns the index of the address to which a connection is to be begun now; call it again until it returns `None`.
    pub fn poll_attempt(&mut self, now: Instant) -> Option<usize> {
        if now < self.due {
            return None;
        }
        let address = self.waiting.pop_front()?;
        self.running += 1;
        self.due = now + ATTEMPT_DELAY;
        Some(address)
    }

    /// Returns the time of the next attempt; `None` when every address has been tried.
    pub fn poll_timeout(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.due)
    }

    /// Reports that an attempt has failed: the next one is due now.
    pub fn handle_failed(&mut self) {
        self.running = self.running.saturating_sub(1);
        self.due = Instant::EPOCH;
    }

    /// Returns whether every attempt has failed, or there is no address.
    pub fn is_exhausted(&self) -> bool {
        self.waiting.is_empty() && self.running == 0
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn order(is_ipv6: &[bool]) -> Vec<usize> {
        let mut attempts = ConnectionAttempts::new(is_ipv6);
        let mut order = Vec::new();
        while let Some(due) = attempts.poll_timeout() {
            order.extend(attempts.poll_attempt(due));
        }
        order
    }

    #[test]
    fn families_alternate_from_that_of_the_first_address() {
        assert_eq!(order(&[]), []);
        assert_eq!(order(&[false, false]), [0, 1]);
        assert_eq!(order(&[true, true, true, false, false]), [0, 3, 1, 4, 2]);
        assert_eq!(order(&[false, true, true, true]), [0, 1, 2, 3]);
    }

    #[test]
    fn one_attempt_is_begun_in_each_delay() {
        let mut attempts = ConnectionAttempts::new(&[false, false, false]);
        let mut begun = Vec::new();
        for millis in (0..1000).step_by(50) {
            let now = Instant::from_micros(millis * 1000);
            while let Some(address) = attempts.poll_attempt(now) {
                begun.push((address, millis));
            }
        }
        assert_eq!(begun, [(0, 0), (1, 250), (2, 500)]);
        assert!(!attempts.is_exhausted(), "all of them may be established yet");
    }

    #[test]
    fn a_failure_makes_the_next_attempt_due() {
        let mut attempts = ConnectionAttempts::new(&[false, false]);
        let now = Instant::from_micros(7);
        assert_eq!(attempts.poll_attempt(now), Some(0));
        attempts.handle_failed();
        assert!(!attempts.is_exhausted());
        assert_eq!(attempts.poll_attempt(now), Some(1));
        attempts.handle_failed();
        assert!(attempts.is_exhausted());
        assert_eq!((attempts.poll_timeout(), attempts.poll_attempt(now)), (None, None));
    }

    #[test]
    fn a_host_without_an_address_is_exhausted() {
        assert!(ConnectionAttempts::new(&[]).is_exhausted());
    }
}
