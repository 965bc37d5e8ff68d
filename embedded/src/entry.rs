//! An entry of a cache and its expiry.

use bytes::Bytes;
use hotrod_core::wire::{Expiration, Lifetime, LifetimeLeft, Metadata, TimeUnit, Version};

use crate::answer::Failure;
use crate::options::CacheOptions;

/// Estimated memory of an entry without its key and value, in bytes, so that tiny entries count as well.
const OVERHEAD: u64 = 128;

/// Longest lifetime before protocol 3.0, in milliseconds; a larger number is a point in time.
const THIRTY_DAYS: u64 = 30 * 24 * 3_600_000;

/// Content and metadata of a key. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) content: Content,
    pub(crate) version: u64,
    pub(crate) created: u64,
    pub(crate) last_used: u64,
    pub(crate) lifetimes: Lifetimes,
}

/// Content of an entry. A cache has both kinds side by side, as an Infinispan cache has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Value(Bytes),
    /// Values of a multimap key, at least one, in the order in which they were added.
    Bucket(Vec<Bytes>),
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

/// Follows `buildMetadata` and `buildMetadata2x` of the server, and its signed arithmetic: a negative lifetime is
/// unlimited, and one that ends after 2^63 ms has ended.
fn resolve(lifetime: Lifetime, default: Option<u64>, version: Version, unix_ms: u64) -> Option<u64> {
    let (count, unit) = match lifetime {
        Lifetime::Default => return default,
        Lifetime::Infinite => return None,
        Lifetime::For(count, unit) => (i64::try_from(count).ok()?, unit),
    };
    let milliseconds = whole_milliseconds(count as u64, unit);
    let absolute = version < Version::V3_0 && milliseconds > THIRTY_DAYS;
    let lifetime = if absolute { milliseconds.saturating_sub(unix_ms) } else { milliseconds };
    let ends_in_range = unix_ms.checked_add(lifetime).is_some_and(|end| i64::try_from(end).is_ok());
    Some(if ends_in_range { lifetime } else { 0 })
}

/// Converts as Java's `TimeUnit.toMillis`: rounded down, at most 2^63-1.
fn whole_milliseconds(count: u64, unit: TimeUnit) -> u64 {
    let milliseconds = match unit {
        TimeUnit::Nanoseconds => count / 1_000_000,
        TimeUnit::Microseconds => count / 1_000,
        _ => unit.to_milliseconds(count),
    };
    milliseconds.min(i64::MAX as u64)
}

impl Content {
    /// Bytes that count against the limit of the cache.
    pub(crate) fn weight(&self, key: &[u8]) -> u64 {
        match self {
            Self::Value(value) => weight(key, value),
            Self::Bucket(values) => values.iter().map(|value| weight(key, value)).sum(),
        }
    }
}

impl Entry {
    pub(crate) fn new(content: Content, version: u64, lifetimes: Lifetimes, unix_ms: u64) -> Self {
        Self { content, version, created: unix_ms, last_used: unix_ms, lifetimes }
    }

    /// Returns the value; fails for a multimap key, as the server does.
    pub(crate) fn value(&self) -> Result<&Bytes, Failure> {
        match &self.content {
            Content::Value(value) => Ok(value),
            Content::Bucket(_) => Err(other_kind("org.infinispan.multimap.impl.Bucket", "[B")),
        }
    }

    /// Returns the values of a multimap key; fails for any other.
    pub(crate) fn bucket(&self) -> Result<&[Bytes], Failure> {
        match &self.content {
            Content::Bucket(values) => Ok(values),
            Content::Value(_) => Err(other_kind("[B", "org.infinispan.multimap.impl.Bucket")),
        }
    }

    /// Bytes that count against the limit of the cache.
    pub(crate) fn weight(&self, key: &[u8]) -> u64 {
        self.content.weight(key)
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

fn other_kind(found: &str, needed: &str) -> Failure {
    Failure::server_error(format!("java.lang.ClassCastException: class {found} cannot be cast to class {needed}"))
}

/// Bytes of a key and a value that count against the limit of their cache.
fn weight(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64 + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn neither_zero_nor_infinite_is_the_default() {
        assert_eq!(lifespan(Lifetime::For(0, TimeUnit::Hours), Version::V4_1), Some(0));
        assert_eq!(lifespan(Lifetime::Default, Version::V4_1), Some(7));
        assert_eq!(lifespan(Lifetime::Infinite, Version::V4_1), None);
    }
}
