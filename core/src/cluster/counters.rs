//! Counters of the machine.

use core::time::Duration;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident;)*) => {
        /// Counts since the machine was made.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: u64,)*
            /// Durations of completed operations, over all their attempts.
            pub latency: Latency,
        }

        impl Counters {
            /// Name and documentation of every counter.
            pub const NAMES: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), concat!($($doc, "\n"),+)),)*];

            /// The values, in the order of [`NAMES`](Self::NAMES).
            pub fn values(&self) -> impl Iterator<Item = u64> {
                [$(self.$name),*].into_iter()
            }
        }
    };
}

counters! {
    /// Completed operations, without the client's own.
    operations;
    /// Failed operations among them.
    failures;
    /// Direct hits: operations sent to the primary owner of their key, or to any owner where the settings allow it.
    direct;
    /// Operations with a key sent to another member, which forwards them.
    forwarded;
    /// Operations with a key whose owner is not known, because it is not certain how the server converts the key to the cache's
    /// media type ([`Event::KeysNotRouted`](super::Event::KeysNotRouted)).
    unrouted;
    /// Retries of operations.
    retries;
    /// Links requested from the host.
    connects;
    /// Sessions opened by discovery to find members.
    tries;
    /// Sessions that failed or were lost; each has a link of its own, unless the carriage shares links.
    disconnects;
    /// Applied topologies.
    topologies;
    /// Listeners registered again after the loss of their member.
    listener_failovers;
    /// Reads answered by a near cache.
    near_hits;
    /// Reads that a near cache could not answer.
    near_misses;
    /// Bytes that the host has sent.
    bytes_sent;
    /// Bytes that the host has received.
    bytes_received;
}

/// A histogram of durations: bucket `n` counts those below 2ⁿ µs that are not in an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    /// Number of durations by bucket; the last one also has all longer ones (2³⁰ µs are 18 minutes).
    pub buckets: [u64; 32],
}

impl Latency {
    pub(super) fn record(&mut self, micros: u64) {
        let bucket = (u64::BITS - micros.leading_zeros()) as usize;
        self.buckets[bucket.min(self.buckets.len() - 1)] += 1;
    }

    /// Upper bound of a quantile: 0.99 for the 99th percentile. `None` before the first duration.
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
