//! Large values: they go over a second session with the same member, where its endpoint asks for that.
//!
//! A server behind a gateway reads and answers one message after the other, so that a small operation would wait for a large
//! one: head-of-line blocking (spec/hotrod-over-http.md, "Lanes").

use lru::LruCache;

use super::Transport;
use super::link::Link;
use super::open_session::Purpose;
use crate::carriage::{Carriage, Choice};
use crate::cluster::cache::CacheId;
use crate::cluster::config::Config;
use crate::cluster::members::MemberId;
use crate::cluster::operations::table::Operation;
use crate::routing::key_hash;
use crate::wire::{AnswerSize, Body, Reply};

/// Maximum number of remembered keys with large values.
const MOST_KEYS: usize = 1024;

/// Keys whose values were large when they were last seen, by the hash of cache and key.
pub(super) struct LargeKeys(LruCache<(CacheId, i32), ()>);

impl Default for LargeKeys {
    fn default() -> Self {
        // A bounded one would allocate for its limit at once; most clients need none.
        Self(LruCache::unbounded())
    }
}

impl LargeKeys {
    fn note(&mut self, cache: CacheId, key: &[u8], is_large: bool) {
        let name = (cache, key_hash(key));
        if is_large {
            self.0.put(name, ());
            if self.0.len() > MOST_KEYS {
                self.0.pop_lru();
            }
        } else if !self.0.is_empty() {
            self.0.pop(&name);
        }
    }

    fn has(&mut self, cache: CacheId, key: &[u8]) -> bool {
        !self.0.is_empty() && self.0.get(&(cache, key_hash(key))).is_some()
    }
}

impl Transport {
    /// Bytes above which a message to a member goes over another session; 0 if none does.
    fn large_value_threshold(&self, config: &Config, member: MemberId) -> usize {
        if config.carriage.choice == Choice::Only(Carriage::Raw) {
            return 0;
        }
        let first = self.first_session(member).and_then(|session| self.sessions.get(session));
        let carried = first.and_then(|open| self.links.get(open.link)).and_then(Link::carried);
        carried.and_then(|carried| carried.terms()).map_or(0, |terms| terms.lane_threshold as usize)
    }

    /// The purpose of the session that takes an operation to a member.
    pub(in crate::cluster) fn purpose_of(
        &mut self,
        config: &Config,
        member: MemberId,
        operation: &Operation,
    ) -> Purpose {
        let threshold = self.large_value_threshold(config, member);
        if operation.purpose != Purpose::Operations || threshold == 0 {
            return operation.purpose;
        }
        let request = &operation.request;
        let has_many = request.operation().row().answer_size == AnswerSize::Many;
        let key = request.routing_key();
        let is_large = has_many
            || request.value_bytes() > threshold
            || key.is_some_and(|key| self.large_keys.has(operation.cache.id(), key));
        if is_large { Purpose::LargeValues } else { Purpose::Operations }
    }

    /// Remembers whether the value of a key is large, where there is a threshold.
    pub(in crate::cluster) fn note_reply(
        &mut self,
        config: &Config,
        member: MemberId,
        operation: &Operation,
        reply: &Reply,
    ) {
        let threshold = self.large_value_threshold(config, member);
        if threshold == 0 {
            return;
        }
        let Some(key) = operation.request.routing_key() else { return };
        let size = match &reply.body {
            Body::Value(value) | Body::VersionedValue { value, .. } | Body::ValueWithMetadata { value, .. } => {
                value.len()
            }
            _ => operation.request.value_bytes(),
        };
        self.large_keys.note(operation.cache.id(), key, size > threshold);
    }
}
