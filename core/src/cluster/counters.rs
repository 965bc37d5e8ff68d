//! What a cluster machine has done, as plain numbers.

use core::time::Duration;

/// Counts since the machine was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Operations that were completed, the machine's own not included.
    pub operations: u64,
    /// Of these, those that failed.
    pub failures: u64,
    /// Operations sent to the primary owner of their key, or to any owner where that was asked for.
    pub direct: u64,
    /// Operations with a key sent to another member, which has to forward them.
    pub forwarded: u64,
    /// Times an operation was sent again.
    pub retries: u64,
    /// Links asked for.
    pub connects: u64,
    /// Links that failed or were lost.
    pub disconnects: u64,
    /// Topologies taken over.
    pub topologies: u64,
    /// Listeners that were registered anew after their member was lost.
    pub listener_failovers: u64,
    /// Reads answered by a near cache.
    pub near_hits: u64,
    /// Reads that a near cache could not answer.
    pub near_misses: u64,
    /// Bytes that the host has sent.
    pub bytes_sent: u64,
    /// Bytes that the host has received.
    pub bytes_received: u64,
    /// How long the completed operations took, over all their attempts.
    pub latency: Latency,
}

/// A histogram of durations: bucket `n` counts those below 2ⁿ µs that are not in an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    /// The counts; the last bucket holds everything longer as well (2³⁰ µs are 18 minutes).
    pub buckets: [u64; 32],
}

impl Latency {
    pub(super) fn record(&mut self, micros: u64) {
        let bucket = (u64::BITS - micros.leading_zeros()) as usize;
        self.buckets[bucket.min(self.buckets.len() - 1)] += 1;
    }

    /// A bound that the given share of all durations stays below: 0.99 for the 99th percentile. `None` before the first.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let total: u64 = self.buckets.iter().sum();
        let wanted = share * total as f64;
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|count| {
            seen += count;
            total > 0 && seen as f64 >= wanted
        })?;
        Some(Duration::from_micros(1 << bucket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_stands_below_its_bucket_and_above_the_one_before() {
        for micros in [0u64, 1, 2, 3, 4, 1000, 1023, 1024, 1 << 29] {
            let mut latency = Latency::default();
            latency.record(micros);
            let bucket = latency.buckets.iter().position(|count| *count == 1).unwrap();
            assert!(micros < 1 << bucket, "{micros} in {bucket}");
            assert!(bucket == 0 || micros >= 1 << (bucket - 1), "{micros} in {bucket}");
        }
        let mut latency = Latency::default();
        latency.record(1_000_000_000_000);
        assert_eq!(latency.buckets[31], 1);
    }

    #[test]
    fn quantiles_are_bounds() {
        let mut latency = Latency::default();
        assert_eq!(latency.quantile(0.5), None);
        for _ in 0..99 {
            latency.record(100);
        }
        latency.record(100_000);
        assert_eq!(latency.quantile(0.5), Some(Duration::from_micros(128)));
        assert_eq!(latency.quantile(1.0), Some(Duration::from_micros(131_072)));
    }
}
