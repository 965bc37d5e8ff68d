//! An entry of a cache and its expiry.

use bytes::Bytes;
use hotrod_core::wire::{Expiration, Lifetime, LifetimeLeft, Metadata, Version};

use crate::options::CacheOptions;

/// Estimated memory of an entry without its key and value, in bytes, so that tiny entries count as well.
const OVERHEAD: u64 = 128;

/// Longest lifetime before protocol 3.0, in milliseconds; a larger number is a point in time.
const THIRTY_DAYS: u64 = 30 * 24 * 3_600_000;

/// A value and its metadata. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: Bytes,
    pub(crate) version: u64,
    pub(crate) created: u64,
    pub(crate) last_used: u64,
    pub(crate) lifetimes: Lifetimes,
}

/// Lifetimes in milliseconds; `None` for unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lifetimes {
    pub(crate) lifespan: Option<u64>,
    pub(crate) max_idle: Option<u64>,
}

impl Lifetimes {
    /// Resolves a request's expiration with the defaults of the cache.
    pub(crate) fn resolve(expiration: Expiration, options: &CacheOptions, version: Version, unix_ms: u64) -> Self {
        Self {
            lifespan: resolve(expiration.lifespan, options.lifespan, version, unix_ms),
            max_idle: resolve(expiration.max_idle, options.max_idle, version, unix_ms),
        }
    }
}

/// Follows `buildMetadata` and `buildMetadata2x` of the server.
fn resolve(lifetime: Lifetime, default: Option<u64>, version: Version, unix_ms: u64) -> Option<u64> {
    match lifetime {
        // Zero of any unit is the default as well.
        Lifetime::Default | Lifetime::For(0, _) => default,
        Lifetime::Infinite => None,
        Lifetime::For(count, unit) => {
            let milliseconds = unit.to_milliseconds(count);
            let absolute = version < Version::V3_0 && milliseconds > THIRTY_DAYS;
            Some(if absolute { milliseconds.saturating_sub(unix_ms) } else { milliseconds })
        }
    }
}

impl Entry {
    pub(crate) fn new(value: Bytes, version: u64, lifetimes: Lifetimes, unix_ms: u64) -> Self {
        Self { value, version, created: unix_ms, last_used: unix_ms, lifetimes }
    }

    /// Time at which the entry expires unless it is used before.
    pub(crate) fn due(&self) -> Option<u64> {
        let old = self.lifetimes.lifespan.map(|lifespan| self.created.saturating_add(lifespan));
        let idle = self.lifetimes.max_idle.map(|max_idle| self.last_used.saturating_add(max_idle));
        old.into_iter().chain(idle).min()
    }

    pub(crate) fn is_expired(&self, unix_ms: u64) -> bool {
        self.due().is_some_and(|due| due <= unix_ms)
    }

    pub(crate) fn metadata(&self) -> Metadata {
        let left = |since, milliseconds: u64| LifetimeLeft {
            since,
            seconds: u32::try_from(milliseconds / 1000).unwrap_or(u32::MAX),
        };
        Metadata {
            version: self.version,
            lifespan: self.lifetimes.lifespan.map(|lifespan| left(self.created, lifespan)),
            max_idle: self.lifetimes.max_idle.map(|max_idle| left(self.last_used, max_idle)),
        }
    }
}

/// Bytes of an entry that count against the limit of its cache.
pub(crate) fn weight(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64 + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotrod_core::wire::TimeUnit;

    const NOW: u64 = 1_800_000_000_000;

    fn lifespan(lifetime: Lifetime, version: Version) -> Option<u64> {
        let options = CacheOptions { lifespan: Some(7), ..CacheOptions::default() };
        Lifetimes::resolve(Expiration::after(lifetime), &options, version, NOW).lifespan
    }

    #[test]
    fn more_than_thirty_days_is_a_date_before_3_0() {
        let date = Lifetime::For(NOW / 1000 + 60, TimeUnit::Seconds);
        assert_eq!(lifespan(date, Version::V2_9), Some(60_000));
        assert_eq!(lifespan(date, Version::V3_0), Some(NOW + 60_000));
        assert_eq!(lifespan(Lifetime::For(31, TimeUnit::Days), Version::V2_0), Some(0), "a date of 1970");
        assert_eq!(lifespan(Lifetime::For(30, TimeUnit::Days), Version::V2_0), Some(THIRTY_DAYS));
    }

    #[test]
    fn zero_is_the_default_and_infinite_is_not() {
        assert_eq!(lifespan(Lifetime::For(0, TimeUnit::Hours), Version::V4_1), Some(7));
        assert_eq!(lifespan(Lifetime::Default, Version::V4_1), Some(7));
        assert_eq!(lifespan(Lifetime::Infinite, Version::V4_1), None);
    }
}
