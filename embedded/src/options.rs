//! Settings of a cluster and its caches.

use std::str::FromStr;
use std::time::Duration;

use hotrod_core::wire::{Limits, MediaType};

use crate::deadlines::Deadlines;

/// Settings of a [`Cluster`](crate::Cluster).
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Caches beside `default`, `dist`, `repl` and `local`, or other settings for one of these.
    pub caches: Vec<NamedCache>,
    /// Limits of requests. Default: those of the protocol core, but 4 KiB for names.
    pub limits: Limits,
    /// Connections to one member at a time. Default 10,000.
    pub max_connections: usize,
    /// Sessions on one link at a time; tunnels and the sessions inside them count. Default 200.
    pub max_sessions: usize,
    /// Bytes of memory that one link may occupy: requests that are not executed, answers, events, listeners, iterations and
    /// streams of all its sessions. A link that exceeds it ends. Default 512 MiB.
    pub max_link_bytes: usize,
    /// The same for all links together. If they exceed it, the link that occupies most ends. Default 1 GiB.
    pub max_held_bytes: usize,
    /// Deadlines of clients. Default: none.
    pub deadlines: Deadlines,
    /// Unsent bytes above which the node reads nothing more from a client. Default 4 MiB; one answer may exceed it.
    pub max_send_bytes: usize,
    /// Bytes of queued events above which a client is disconnected. Default 16 MiB.
    pub max_event_bytes: usize,
    /// Open iterations and streams of a client. Default 256.
    pub max_open_states: usize,
    /// Listeners of a client in each cache, and counters that it listens to. Default 1,024 of each.
    pub max_listeners: usize,
    /// Caches of the cluster, and counters. Default 4,096 of each.
    pub max_definitions: usize,
    /// Idle timeout of iterations and streams. Default 5 minutes, as in Infinispan.
    pub state_timeout: Duration,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        let mut limits = Limits::default();
        limits.name = 4 << 10;
        Self {
            caches: Vec::new(),
            limits,
            max_connections: 10_000,
            max_sessions: 200,
            max_link_bytes: 512 << 20,
            max_held_bytes: 1 << 30,
            deadlines: Deadlines::default(),
            max_send_bytes: 4 << 20,
            max_event_bytes: 16 << 20,
            max_open_states: 256,
            max_listeners: 1024,
            max_definitions: 4096,
            state_timeout: Duration::from_secs(300),
        }
    }
}

/// Distribution of a cache's entries over the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheMode {
    /// Each member has entries of its own; clients receive no topology.
    Local,
    /// Each member owns all segments.
    Replicated,
    /// Each segment has some owners.
    Distributed {
        /// Owners of a segment, at least 1; all members if there are fewer.
        owners: usize,
    },
}

/// Settings of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheOptions {
    /// Distribution over the members. Default: distributed, two owners.
    pub mode: CacheMode,
    /// Segments, at least 1. Default 256.
    pub segments: u32,
    /// Entries above which writes fail with a server error. Default: unlimited.
    pub max_entries: u64,
    /// Bytes of entries, keys and overhead included, above which writes fail with a server error. Default 1 GiB.
    pub max_bytes: u64,
    /// Default lifespan of entries, in milliseconds; `None` for unlimited. Default: `None`.
    pub lifespan: Option<u64>,
    /// Default maximum idle time of entries, in milliseconds; `None` for unlimited. Default: `None`.
    pub max_idle: Option<u64>,
    /// Media type in which keys are stored; keys that a request declares otherwise are converted, or refused as a server refuses
    /// them. Default: unspecified, which stores keys as they are and refuses JSON.
    pub key_type: MediaType,
    /// As [`key_type`](Self::key_type), of values.
    pub value_type: MediaType,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            mode: CacheMode::Distributed { owners: 2 },
            segments: 256,
            max_entries: u64::MAX,
            max_bytes: 1 << 30,
            lifespan: None,
            max_idle: None,
            key_type: MediaType::Unspecified,
            value_type: MediaType::Unspecified,
        }
    }
}

impl CacheOptions {
    /// Settings of a mode, with defaults for the rest.
    pub fn of_mode(mode: CacheMode) -> Self {
        Self { mode, ..Self::default() }
    }
}

/// A cache's name and settings. Parsed from `NAME[:key=value,…]`.
///
/// Keys: `mode` (`dist`, `repl`, `local`), `owners`, `segments`, `max-entries`, `max-bytes`, `lifespan` and `max-idle`
/// (`250ms`, `30s`, `5min`, `2h`), `key-type` and `value-type` (`text/plain`), `media-type` for both of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCache {
    /// Name of the cache.
    pub name: String,
    /// Settings of the cache.
    pub options: CacheOptions,
}

/// A text that is not of the form `NAME[:key=value,…]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidCache(String);

impl FromStr for NamedCache {
    type Err = InvalidCache;

    fn from_str(text: &str) -> Result<Self, InvalidCache> {
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        if name.is_empty() {
            return Err(InvalidCache("a cache needs a name: NAME[:key=value,…]".into()));
        }
        let mut options = CacheOptions::default();
        for setting in settings.split(',').filter(|setting| !setting.is_empty()) {
            let (key, value) = setting
                .split_once('=')
                .ok_or_else(|| InvalidCache(format!("{setting:?} of cache {name} is not key=value")))?;
            set(&mut options, key, value)
                .ok_or_else(|| InvalidCache(format!("cache {name} can't be made with {key}={value}")))?;
        }
        Ok(Self { name: name.into(), options })
    }
}

fn set(options: &mut CacheOptions, key: &str, value: &str) -> Option<()> {
    match key {
        "mode" => options.mode = mode(value, options.mode)?,
        "owners" => options.mode = CacheMode::Distributed { owners: positive(value)?.try_into().ok()? },
        "segments" => options.segments = positive(value)?.try_into().ok().filter(|count| *count <= 1 << 16)?,
        "max-entries" => options.max_entries = positive(value)?,
        "max-bytes" => options.max_bytes = positive(value)?,
        "lifespan" => options.lifespan = Some(milliseconds(value)?),
        "max-idle" => options.max_idle = Some(milliseconds(value)?),
        "key-type" => options.key_type = value.parse().ok()?,
        "value-type" => options.value_type = value.parse().ok()?,
        "media-type" => {
            options.key_type = value.parse().ok()?;
            options.value_type = options.key_type.clone();
        }
        _ => return None,
    }
    Some(())
}

fn mode(name: &str, present: CacheMode) -> Option<CacheMode> {
    match (name, present) {
        ("dist", CacheMode::Distributed { .. }) => Some(present),
        ("dist", _) => Some(CacheMode::Distributed { owners: 2 }),
        ("repl", _) => Some(CacheMode::Replicated),
        ("local", _) => Some(CacheMode::Local),
        _ => None,
    }
}

fn positive(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    positive(count)?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_described_in_one_word() {
        let cache: NamedCache = "sessions:owners=1,segments=20,lifespan=30s,max-idle=250ms".parse().unwrap();
        assert_eq!(cache.name, "sessions");
        assert_eq!(cache.options.mode, CacheMode::Distributed { owners: 1 });
        assert_eq!((cache.options.segments, cache.options.lifespan), (20, Some(30_000)));
        assert_eq!(cache.options.max_idle, Some(250));
        let typed: NamedCache = "x:key-type=text/plain,value-type=application/json".parse().unwrap();
        assert_eq!((typed.options.key_type, typed.options.value_type), (MediaType::TEXT, MediaType::JSON));
        assert_eq!("x:mode=local".parse::<NamedCache>().unwrap().options.mode, CacheMode::Local);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", ":mode=dist", "x:mode", "x:mode=none", "x:owners=0", "x:lifespan=5", "x:key-type=text", "x:colour=red"]
        {
            assert!(text.parse::<NamedCache>().is_err(), "{text}");
        }
    }
}
