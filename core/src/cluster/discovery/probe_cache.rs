//! Who answers where no answer says it: a cache whose keys are spread so that each member owns another number of them.
//!
//! The member at place `n` of the topology owns `n` keys, of which it has the only copy; how many entries a server has it says in
//! its statistics. All clients choose the same keys, so they do not disturb each other; a client that finds other
//! entries than these clears the cache and puts them again. The entries expire by themselves.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::coverage::Uncovered;
use crate::cluster::cache::CacheId;
use crate::cluster::machine::Cluster;
use crate::cluster::operations::operation::{Call, Owner, Target};
use crate::cluster::output::ClusterError;
use crate::cluster::transport::open_session::{Purpose, SessionId};
use crate::cluster::view::View;
use crate::wire::{Body, Expiration, Lifetime, Reply, Request};

/// Members that are told apart: for more the keys become too many.
const MOST_MEMBERS: usize = 64;
/// How long the entries live, in seconds.
const LIFESPAN: u64 = 3_600;
/// How often the entries are looked at or put again in a row because somebody else changes them.
const MOST_FILLS: u32 = 3;
/// A key for each member is found after about as many numbers as there are members; this is far beyond.
const MOST_NUMBERS: u32 = 1_000_000;

const CONFIGURATION: &str = concat!(
    r#"<distributed-cache mode="SYNC" owners="1" statistics="true">"#,
    r#"<encoding media-type="application/octet-stream"/></distributed-cache>"#
);

/// What is known of the probe cache.
#[derive(Default)]
pub(in crate::cluster) struct ProbeCache {
    stage: Stage,
    cache: Option<CacheId>,
    /// Sessions that are asked as soon as the entries are there.
    waiting: Vec<SessionId>,
    readings: BTreeMap<SessionId, Reading>,
    was_made: bool,
    fills: u32,
}

#[derive(Debug, Clone, Default)]
enum Stage {
    #[default]
    Unknown,
    /// Its view is asked for.
    Looking,
    /// It is being made.
    Making,
    /// Its entries are counted.
    Counting,
    Clearing,
    Filling,
    /// It has the entries of that view.
    Filled(Arc<View>),
}

/// What was read by one session.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    /// Entries of the server.
    own: Option<u64>,
    /// Entries of all.
    all: Option<u64>,
}

impl Cluster {
    /// Finds out by the probe cache who is at the other end of a session.
    pub(in crate::cluster) fn ask_who_is_there(&mut self, session: SessionId) {
        let Some(open) = self.transport.get(session) else { return };
        let has_none = self.config.access.probe_cache.is_none();
        if has_none && !open.identity.says_something() {
            let reason = "servers do not say who they are, and there is no probe_cache".into();
            return self.cannot_be_told(session, Uncovered::NotTold(reason));
        }
        // One that has an address is not in this topology: it may be in the next.
        if has_none || open.identity.has_address() {
            let reason = format!("the topology does not name {}, which answers", open.identity.text());
            return self.cannot_be_told(session, Uncovered::NotTold(reason));
        }
        if !self.probe.waiting.contains(&session) && !self.probe.readings.contains_key(&session) {
            self.probe.waiting.push(session);
        }
        match &self.probe.stage {
            Stage::Unknown => self.look_for_probe_cache(),
            Stage::Filled(view) => {
                let view = view.clone();
                self.ask_waiting(&view);
            }
            _ => {}
        }
    }

    fn look_for_probe_cache(&mut self) {
        let Some(name) = self.config.access.probe_cache.clone() else { return };
        self.probe.cache = Some(self.caches.named(&name).0);
        self.probe.stage = Stage::Looking;
        self.ask_probe_cache(Request::Ping {}, Owner::ProbeCache, Target::Key);
    }

    fn ask_probe_cache(&mut self, request: Request, owner: Owner, target: Target) {
        let Some(cache) = self.probe.cache else { return };
        let cache = self.caches.plain(cache);
        let id = self.take_in(Call::new(&cache, request), owner, target, Purpose::Operations);
        self.dispatch(id);
    }

    /// A step towards the entries is done.
    pub(in crate::cluster) fn handle_probe_cache(&mut self, result: Result<Reply, ClusterError>) {
        let stage = core::mem::take(&mut self.probe.stage);
        let body = match (result, &stage) {
            (Ok(reply), _) => reply.body,
            (Err(ClusterError::Operation { .. }), Stage::Looking) if !self.probe.was_made => {
                return self.make_probe_cache();
            }
            (Err(error), _) => return self.no_probe_cache(&error.to_string()),
        };
        match (stage, body) {
            (Stage::Looking, _) => self.count_entries(),
            (Stage::Making, _) => self.look_for_probe_cache(),
            (Stage::Counting, Body::Size(count)) => self.entries_are_counted(count),
            (Stage::Clearing, _) => self.fill_probe_cache(),
            (Stage::Filling, _) => self.probe_cache_is_filled(),
            _ => self.no_probe_cache("the server answered something else"),
        }
    }

    fn make_probe_cache(&mut self) {
        let Some(name) = self.config.access.probe_cache.clone() else { return };
        self.probe.was_made = true;
        self.probe.stage = Stage::Making;
        let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let parameters = Vec::from([
            ("name".to_string(), text(&name)),
            ("configuration".to_string(), text(CONFIGURATION)),
            ("flags".to_string(), text("VOLATILE")),
        ]);
        let request = Request::Exec { task: "@@cache@getorcreate".into(), parameters };
        // It is asked of a cache that is there: the application's first.
        let Some(first) = self.caches.after(None) else { return };
        let first = self.caches.plain(first);
        let id = self.take_in(Call::new(&first, request), Owner::ProbeCache, Target::Key, Purpose::Operations);
        self.dispatch(id);
    }

    fn count_entries(&mut self) {
        match self.probe_view().map(|view| (view.segments(), view.members().len())) {
            None | Some((0, _)) => self.no_probe_cache("its keys are not spread over the members"),
            Some((_, members)) if members > MOST_MEMBERS => {
                self.no_probe_cache(&format!("it tells {MOST_MEMBERS} members apart, and there are {members}"));
            }
            Some(_) => {
                self.probe.stage = Stage::Counting;
                self.ask_probe_cache(Request::Size {}, Owner::ProbeCache, Target::Key);
            }
        }
    }

    fn entries_are_counted(&mut self, count: u64) {
        let Some(view) = self.probe_view() else { return self.no_probe_cache("it has no view") };
        if count == entries_of(view.members().len()) {
            self.probe_cache_is_filled();
        } else if self.probe.fills >= MOST_FILLS {
            self.no_probe_cache("somebody else changes its entries");
        } else {
            self.probe.fills += 1;
            self.probe.stage = Stage::Clearing;
            self.ask_probe_cache(Request::Clear {}, Owner::ProbeCache, Target::Key);
        }
    }

    fn fill_probe_cache(&mut self) {
        let keys = self.probe_view().and_then(|view| keys_of(&view));
        let Some(keys) = keys else { return self.no_probe_cache("a member owns none of its segments") };
        self.probe.stage = Stage::Filling;
        let entries = keys.into_iter().map(|key| (key, Bytes::new())).collect();
        let expiration = Expiration::after(Lifetime::seconds(LIFESPAN));
        self.ask_probe_cache(Request::PutAll { expiration, entries }, Owner::ProbeCache, Target::Key);
    }

    fn probe_cache_is_filled(&mut self) {
        let Some(view) = self.probe_view() else { return self.no_probe_cache("it has no view") };
        self.probe.stage = Stage::Filled(view.clone());
        self.ask_waiting(&view);
    }

    fn probe_view(&self) -> Option<Arc<View>> {
        self.caches.view(self.probe.cache?).cloned()
    }

    /// Has the sessions that wait for it say how many entries their servers have.
    fn ask_waiting(&mut self, view: &Arc<View>) {
        if self.probe_view().is_none_or(|present| present != *view) {
            // The members have changed since.
            self.probe.stage = Stage::Unknown;
            return self.look_for_probe_cache();
        }
        for session in core::mem::take(&mut self.probe.waiting) {
            if self.transport.get(session).is_none() {
                continue;
            }
            self.probe.readings.insert(session, Reading::default());
            let owner = Owner::Identity(session);
            self.ask_probe_cache(Request::Stats {}, owner, Target::Session(session));
            self.ask_probe_cache(Request::Size {}, owner, Target::Session(session));
        }
    }

    /// A session has said how many entries there are: its server's own, or of all.
    pub(in crate::cluster) fn handle_reading(&mut self, session: SessionId, result: Result<Reply, ClusterError>) {
        let Some(reading) = self.probe.readings.get_mut(&session) else { return };
        match result.map(|reply| reply.body) {
            Ok(Body::Statistics(pairs)) => reading.own = Some(entries_in(&pairs)),
            Ok(Body::Size(count)) => reading.all = Some(count),
            Ok(_) => {}
            // It may have been removed.
            Err(error) => return self.look_again(session, &error.to_string()),
        }
        let Reading { own: Some(own), all: Some(all) } = *reading else { return };
        self.probe.readings.remove(&session);
        let Stage::Filled(view) = &self.probe.stage else { return self.ask_who_is_there(session) };
        let members = view.members();
        let is_whole = all == entries_of(members.len());
        let place = usize::try_from(own).ok().filter(|place| is_whole && *place > 0);
        let found = place.and_then(|place| members.get(place - 1)).copied();
        match found {
            Some(found) => {
                self.probe.fills = 0;
                self.is_told_by_probe(session, found);
            }
            None => self.look_again(session, "servers do not have the entries that they should have"),
        }
    }

    /// The entries are not those that were put: they are put again, a few times.
    fn look_again(&mut self, session: SessionId, why: &str) {
        self.probe.readings.remove(&session);
        if self.probe.fills >= MOST_FILLS {
            return self.no_probe_cache(why);
        }
        self.probe.fills += 1;
        self.probe.waiting.push(session);
        self.probe.was_made = false;
        if matches!(self.probe.stage, Stage::Filled(_) | Stage::Unknown) {
            self.look_for_probe_cache();
        }
    }

    pub(in crate::cluster) fn probe_cache(&self) -> Option<CacheId> {
        self.probe.cache
    }

    /// Its entries are of other members than there are now.
    pub(in crate::cluster) fn leave_probe_cache(&mut self) {
        if let Some(cache) = self.probe.cache {
            self.caches.get_mut(cache).view = None;
        }
        if let Stage::Filled(_) = self.probe.stage {
            self.probe.stage = Stage::Unknown;
        }
    }

    fn no_probe_cache(&mut self, why: &str) {
        self.leave_probe_cache();
        let name = self.config.access.probe_cache.clone().unwrap_or_default();
        self.probe = ProbeCache { cache: self.probe.cache, ..ProbeCache::default() };
        let reason =
            Uncovered::NotTold(format!("servers do not say who they are, and cache {name:?} does not help: {why}"));
        for session in self.search.candidates.clone() {
            self.cannot_be_told(session, reason.clone());
        }
        self.release_unneeded();
    }
}

/// The number of entries for so many members.
fn entries_of(members: usize) -> u64 {
    let count = members as u64;
    count * (count + 1) / 2
}

/// Keys of which the member at place `n`, counted from 1, owns `n`. `None` if a member owns too little to be found.
fn keys_of(view: &View) -> Option<Vec<Bytes>> {
    let mut missing: BTreeMap<_, usize> = view.members().iter().copied().zip(1..).collect();
    let mut keys = Vec::new();
    for number in 0..MOST_NUMBERS {
        let key = Bytes::from(number.to_string());
        let owner = view.owners_of(&key).next()?;
        if let Some(left) = missing.get_mut(&owner) {
            keys.push(key);
            *left -= 1;
            if *left == 0 {
                missing.remove(&owner);
            }
        }
        if missing.is_empty() {
            return Some(keys);
        }
    }
    None
}

/// How many entries a server has, which it says in its statistics.
fn entries_in(statistics: &[(String, String)]) -> u64 {
    let of = |name: &str| statistics.iter().find(|(known, _)| known == name).and_then(|(_, count)| count.parse().ok());
    of("approximateEntriesUnique").or_else(|| of("currentNumberOfEntries")).unwrap_or_default()
}
