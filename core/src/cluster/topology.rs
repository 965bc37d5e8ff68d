//! Applying a topology: who is a member, sessions to new ones ahead of need, and the release of those that left.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::cache::CacheId;
use super::discovery::endpoint::Endpoint;
use super::machine::Cluster;
use super::members::MemberId;
use super::output::{Event, Output};
use super::transport::open_session::{Purpose, SessionId};
use super::view::{Ownership, View};
use crate::wire::Topology;

/// Facts about endpoints above which those of unused endpoints are forgotten: each known member may have four of its own
/// endpoint and as many of the one before. Where pods come and go endpoints are without number.
const FACTS_PER_MEMBER: usize = 8;
const FACTS_AT_LEAST: usize = 64;

/// Infinispan's MurmurHash3, the only function that spreads keys.
const MURMUR3: u8 = 3;

impl Cluster {
    /// Applies a topology to a cache; operations in flight go on under the old view.
    pub(super) fn apply_topology(&mut self, cache: CacheId, session: SessionId, topology: Topology) {
        if self.transport.get(session).is_none_or(|open| open.site() != self.members.site()) {
            // A late topology of the site that was left.
            return;
        }
        let members: Vec<MemberId> =
            topology.members.iter().map(|address| self.members.named(address, self.now)).collect();
        let spread = topology.hash.filter(|hash| hash.function == MURMUR3 && !hash.owners.is_empty());
        let ownership = spread.map(|hash| Ownership::new(hash.segments, hash.owners));
        let view = View { id: topology.id, members, ownership };
        // The view of the probe cache keeps no member alive.
        let is_probe = self.discovery.probe_cache() == Some(cache);
        let view = if is_probe { Arc::new(view) } else { self.caches.share(view) };
        let event = Event::Topology { cache, id: topology.id, members: view.members.len() };
        let others = !is_probe && !view.members.is_empty() && self.members.current() != view.members;
        let are_others = others && !is_same_set(self.members.current(), &view.members);
        if others {
            self.members.set_current(&view.members);
        }
        let before = self.caches.get_mut(cache).set_view(view.clone());
        self.counters.topologies += 1;
        self.outputs.push_back(Output::Event(event));
        if others {
            self.choose_access(session);
        }
        self.report_members_outside(&view.members);
        if others {
            if are_others {
                self.discovery.restart_search();
                self.operations.sizes_mut().forget_refused();
                self.drop_probe_view();
            }
            self.recognise_strangers();
        }
        if before.as_ref().is_some_and(|before| before.id != view.id) {
            // The cache may be another one of the same name.
            self.check_soon();
        }
        // The old view is dropped here: it keeps no member alive any more.
        let differs = before.is_none_or(|before| before.members != view.members);
        if others || differs {
            self.open_ahead();
            self.release_unneeded();
            self.report_coverage();
        }
    }

    /// Begins sessions with members that have none, ahead of need; with members in back-off when that is over.
    pub(super) fn open_ahead(&mut self) {
        if !self.config.connect_ahead || self.is_closing() {
            return;
        }
        for index in 0..self.members.current().len() {
            let member = self.members.current()[index];
            if self.transport.session_count() >= self.config.max_links_ahead {
                return;
            }
            let Some(known) = self.members.get(member).filter(|_| !self.transport.has_lasting_session(member)) else {
                continue;
            };
            if !self.can_be_dialled(member, known) {
                continue;
            }
            if known.may_be_tried(self.now) {
                self.begin_session(member, Purpose::Operations);
            } else if let Some(at) = known.retry_at {
                self.operations.retry_by(at);
            }
        }
        self.search();
    }

    /// Drains sessions with members that left. Seeds that no topology names are left once a member can be reached.
    pub(super) fn release_unneeded(&mut self) {
        if self.members.current().is_empty() {
            return;
        }
        let needed = self.needed_members();
        let keeps_seeds = !self.reaches_a_member();
        let seeds = self.members.seeds().to_vec();
        for session in self.transport.all_sessions() {
            let Some(open) = self.transport.get(session) else { continue };
            let member = open.member();
            let is_needed = needed.contains(&member)
                || keeps_seeds && seeds.contains(&member)
                || self.discovery.is_candidate(session)
                || open.purpose() == Purpose::Suspects && seeds.contains(&member);
            if !is_needed {
                self.drain(session);
            }
        }
        self.members.retain(&self.transport, |member| needed.contains(&member));
        self.forget_lost_members();
        self.discovery.retain_members(|member| needed.contains(&member));
    }

    /// Has the other parts forget members that are no longer known.
    pub(super) fn forget_lost_members(&mut self) {
        let members = &self.members;
        self.transport.retain_members(|member| members.get(member).is_some());
        // Not each time: it looks at every member, and this is called for every session that becomes ready.
        if self.transport.endpoint_facts() > FACTS_PER_MEMBER * self.members.len() + FACTS_AT_LEAST {
            let ids = self.members.iter().map(|(id, _)| id);
            let used: BTreeSet<Endpoint> = ids.filter_map(|id| self.endpoint_of(id)).collect();
            self.transport.retain_endpoints(|endpoint| used.contains(endpoint));
        }
    }

    /// The members of all views in use.
    fn needed_members(&self) -> BTreeSet<MemberId> {
        let mut needed: BTreeSet<MemberId> = self.members.current().iter().copied().collect();
        self.caches.distinct_views().for_each(|view| needed.extend(view.members.iter().copied()));
        needed
    }
}

fn is_same_set(some: &[MemberId], others: &[MemberId]) -> bool {
    // Not member by member: a topology may name thousands.
    let set = |members: &[MemberId]| members.iter().copied().collect::<BTreeSet<_>>();
    some.len() == others.len() && set(some) == set(others)
}
