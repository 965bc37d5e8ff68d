//! Lanes: what is large goes over a second session to the same member, where its endpoint asks for that.
//!
//! A server behind a gateway takes no second message before the first has ended, and answers one after the other. A small
//! operation must not wait for a large one at either end (spec/hotrod-over-http.md, "Lanes").

use lru::LruCache;

use crate::carriage::{Carriage, Choice};
use crate::cluster::cache::CacheId;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::operations::operation::OperationId;
use crate::cluster::operations::table::Operation;
use crate::cluster::transport::conversation::Purpose;
use crate::cluster::transport::link::Link;
use crate::routing::key_hash;
use crate::wire::{Body, Reply, ReplyShape};

/// Keys that are remembered to have large values.
const MOST_KEYS: usize = 1024;

/// Keys whose values were large when they were last seen, by the hash of cache and key.
pub(in crate::cluster) struct LargeKeys(LruCache<(CacheId, i32), ()>);

impl Default for LargeKeys {
    fn default() -> Self {
        // Filled only where there are lanes: one with a limit takes all of its room at once.
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

impl Cluster {
    /// Octets above which a message to a member should have another session; 0 if none should.
    fn lane_threshold(&self, member: MemberId) -> usize {
        if self.config.carriage.choice == Choice::Only(Carriage::Raw) {
            return 0;
        }
        let first = self.members.get(member).and_then(|known| self.sessions.get(*known.sessions.first()?));
        let carried = first.and_then(|open| self.links.get(open.link)).and_then(Link::carried);
        carried.and_then(|carried| carried.terms()).map_or(0, |terms| terms.lane_threshold as usize)
    }

    /// What the session is for that an operation takes; `same` is for those that have to take the member's first.
    pub(in crate::cluster) fn lane(&mut self, member: MemberId, id: OperationId, same: bool) -> Purpose {
        let threshold = self.lane_threshold(member);
        let Some(operation) = self.operations.get(id) else { return Purpose::Operations };
        if operation.purpose != Purpose::Operations || same || threshold == 0 {
            return operation.purpose;
        }
        let request = &operation.request;
        let has_many = matches!(
            request.operation().row().reply,
            ReplyShape::MarkedEntries | ReplyShape::MarkedKeys | ReplyShape::Entries
        );
        let key = request.routing_key();
        let is_large = has_many
            || request.value_bytes() > threshold
            || key.is_some_and(|key| self.large_keys.has(operation.cache, key));
        if is_large { Purpose::Bulk } else { Purpose::Operations }
    }

    /// Remembers whether the value of a key is large, where it matters.
    pub(in crate::cluster) fn note_size(&mut self, member: MemberId, operation: &Operation, reply: &Reply) {
        let threshold = self.lane_threshold(member);
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
        self.large_keys.note(operation.cache, key, size > threshold);
    }
}
