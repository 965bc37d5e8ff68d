//! Identifies servers that do not state who they are, by a cache whose keys are spread so that each member owns another number
//! of them.
//!
//! The member at place `n` of the topology owns `n` keys, of which it has the only copy; the number of entries of a server is in
//! its statistics. All clients choose the same keys, so they do not disturb each other; a client that finds other
//! entries than these clears the cache and puts them again. The entries expire by themselves.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::coverage::Uncovered;
use super::{Discovery, Facts};
use crate::cluster::cache::CacheId;
use crate::cluster::members::MemberId;
use crate::cluster::output::ClusterError;
use crate::cluster::transport::open_session::SessionId;
use crate::cluster::view::View;
use crate::wire::{Body, Expiration, Lifetime, Reply, Request};

/// The largest cluster whose members are identified: for more members the keys become too many.
const MAX_MEMBERS: usize = 64;
/// Lifespan of the entries, in seconds.
const LIFESPAN: u64 = 3_600;
/// How often in a row the entries are checked or put again because another client changes them.
const MAX_FILLS: u32 = 3;
/// A key for each member is found after about as many numbers as there are members; this is far beyond.
const MAX_NUMBERS: u32 = 1_000_000;

const CONFIGURATION: &str = concat!(
    r#"<distributed-cache mode="SYNC" owners="1" statistics="true">"#,
    r#"<encoding media-type="application/octet-stream"/></distributed-cache>"#
);

/// The state of the probe cache.
#[derive(Default)]
pub(super) struct ProbeCache {
    stage: Stage,
    /// The cache, once it is in use.
    cache: Option<CacheId>,
    /// Sessions to identify as soon as the cache has its entries.
    waiting: Vec<SessionId>,
    readings: BTreeMap<SessionId, Reading>,
    was_created: bool,
    fills: u32,
}

#[derive(Debug, Clone, Default)]
enum Stage {
    #[default]
    Unknown,
    /// Waits for the answer to a PING, which brings the view.
    Looking,
    Creating,
    /// Waits for the number of entries.
    Counting,
    Clearing,
    Filling,
    /// The cache has the entries for that view.
    Filled(Arc<View>),
}

/// The numbers of entries that one session has returned.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    /// Entries of its server.
    own: Option<u64>,
    /// Entries of all servers.
    all: Option<u64>,
}

/// The next step in identifying the members of sessions.
#[derive(Debug, PartialEq)]
pub(in crate::cluster) enum Step {
    /// Send a request to the probe cache and pass the answer to [`Discovery::probe_answered`].
    Request(Request),
    /// Send the request that creates the probe cache, to any cache that exists; the answer goes the same way.
    Create(Request),
    /// By each of these sessions send STATS and SIZE to the probe cache; see [`Discovery::reading_begins`].
    Read(Vec<SessionId>),
    /// This session has reached this member.
    Identified { session: SessionId, member: MemberId },
    /// Identify a session from the beginning.
    Identify(SessionId),
    /// The session can't be identified.
    Unidentified { session: SessionId, reason: Uncovered },
    /// The probe cache identifies no session.
    Fail(String),
}

impl Discovery {
    /// Begins to identify the member of a session. `view` is that of the probe cache.
    pub(in crate::cluster) fn identify(
        &mut self,
        session: SessionId,
        view: Option<&Arc<View>>,
        facts: &Facts<'_>,
    ) -> Option<Step> {
        facts.transport.get(session)?;
        let identity = self.identity(session);
        let has_none = facts.config.access.probe_cache.is_none();
        let unidentified = |reason| Some(Step::Unidentified { session, reason: Uncovered::NotTold(reason) });
        if has_none && !identity.is_given() {
            return unidentified("servers do not say who they are, and there is no probe_cache".into());
        }
        // The address is not in this topology: it may be in the next.
        if has_none || identity.has_address() {
            return unidentified(format!("the topology does not name {identity}, which answers"));
        }
        self.probe_cache.identify(session, view)
    }

    /// The probe cache, if it is in use.
    pub(in crate::cluster) fn probe_cache(&self) -> Option<CacheId> {
        self.probe_cache.cache
    }

    pub(in crate::cluster) fn set_probe_cache(&mut self, cache: CacheId) {
        self.probe_cache.cache = Some(cache);
    }

    /// A request to the probe cache, or for it, was answered.
    pub(in crate::cluster) fn probe_answered(
        &mut self,
        result: Result<Reply, ClusterError>,
        view: Option<&Arc<View>>,
        facts: &Facts<'_>,
    ) -> Step {
        let name = facts.config.access.probe_cache.as_deref().unwrap_or_default();
        self.probe_cache.answered(result, view, name)
    }

    /// STATS and SIZE are about to be sent by a session.
    pub(in crate::cluster) fn reading_begins(&mut self, session: SessionId) {
        self.probe_cache.readings.insert(session, Reading::default());
    }

    /// STATS or SIZE was answered by a session.
    pub(in crate::cluster) fn reading_answered(
        &mut self,
        session: SessionId,
        result: Result<Reply, ClusterError>,
    ) -> Option<Step> {
        self.probe_cache.reading(session, result)
    }

    /// Resets the probe cache, which is of no use. Returns the reason for those that it should have identified.
    pub(in crate::cluster) fn probe_failed(&mut self, why: &str, facts: &Facts<'_>) -> Uncovered {
        self.probe_cache = ProbeCache { cache: self.probe_cache.cache, ..ProbeCache::default() };
        let name = facts.config.access.probe_cache.as_deref().unwrap_or_default();
        Uncovered::NotTold(format!("servers do not say who they are, and cache {name:?} does not help: {why}"))
    }

    /// The entries of the probe cache are those of another topology.
    pub(in crate::cluster) fn probe_entries_outdated(&mut self) {
        if let Stage::Filled(_) = self.probe_cache.stage {
            self.probe_cache.stage = Stage::Unknown;
        }
    }
}

impl ProbeCache {
    fn identify(&mut self, session: SessionId, view: Option<&Arc<View>>) -> Option<Step> {
        if !self.waiting.contains(&session) && !self.readings.contains_key(&session) {
            self.waiting.push(session);
        }
        match &self.stage {
            Stage::Unknown => Some(self.look()),
            Stage::Filled(filled) => Some(self.read(&filled.clone(), view)),
            _ => None,
        }
    }

    fn look(&mut self) -> Step {
        self.stage = Stage::Looking;
        Step::Request(Request::Ping {})
    }

    /// A step towards the entries is done.
    fn answered(&mut self, result: Result<Reply, ClusterError>, view: Option<&Arc<View>>, name: &str) -> Step {
        let stage = core::mem::take(&mut self.stage);
        let body = match (result, &stage) {
            (Ok(reply), _) => reply.body,
            (Err(ClusterError::Operation { .. }), Stage::Looking) if !self.was_created => return self.create(name),
            (Err(error), _) => return Step::Fail(error.to_string()),
        };
        match (stage, body) {
            (Stage::Looking, _) => self.count(view),
            (Stage::Creating, _) => self.look(),
            (Stage::Counting, Body::Size(count)) => self.check_count(count, view),
            (Stage::Clearing, _) => self.fill(view),
            (Stage::Filling, _) => self.filled(view),
            _ => Step::Fail("the server answered something else".into()),
        }
    }

    fn create(&mut self, name: &str) -> Step {
        self.was_created = true;
        self.stage = Stage::Creating;
        let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let parameters = Vec::from([
            ("name".to_string(), text(name)),
            ("configuration".to_string(), text(CONFIGURATION)),
            ("flags".to_string(), text("VOLATILE")),
        ]);
        Step::Create(Request::Exec { task: "@@cache@getorcreate".into(), parameters })
    }

    fn count(&mut self, view: Option<&Arc<View>>) -> Step {
        match view.map(|view| (view.segments(), view.members().len())) {
            None | Some((0, _)) => Step::Fail("its keys are not spread over the members".into()),
            Some((_, members)) if members > MAX_MEMBERS => {
                Step::Fail(format!("it tells {MAX_MEMBERS} members apart, and there are {members}"))
            }
            Some(_) => {
                self.stage = Stage::Counting;
                Step::Request(Request::Size {})
            }
        }
    }

    fn check_count(&mut self, count: u64, view: Option<&Arc<View>>) -> Step {
        let Some(members) = view.map(|view| view.members().len()) else { return no_view() };
        if count == entries_of(members) {
            self.filled(view)
        } else if self.fills >= MAX_FILLS {
            Step::Fail("somebody else changes its entries".into())
        } else {
            self.fills += 1;
            self.stage = Stage::Clearing;
            Step::Request(Request::Clear {})
        }
    }

    fn fill(&mut self, view: Option<&Arc<View>>) -> Step {
        let keys = view.and_then(|view| keys_of(view));
        let Some(keys) = keys else { return Step::Fail("a member owns none of its segments".into()) };
        self.stage = Stage::Filling;
        let entries = keys.into_iter().map(|key| (key, Bytes::new())).collect();
        let expiration = Expiration::after(Lifetime::seconds(LIFESPAN));
        Step::Request(Request::PutAll { expiration, entries })
    }

    fn filled(&mut self, view: Option<&Arc<View>>) -> Step {
        let Some(present) = view else { return no_view() };
        self.stage = Stage::Filled(present.clone());
        self.read(present, view)
    }

    /// Has the waiting sessions read, if the entries are those of the present view.
    fn read(&mut self, filled: &Arc<View>, view: Option<&Arc<View>>) -> Step {
        if view != Some(filled) {
            return self.look();
        }
        Step::Read(core::mem::take(&mut self.waiting))
    }

    fn reading(&mut self, session: SessionId, result: Result<Reply, ClusterError>) -> Option<Step> {
        let reading = self.readings.get_mut(&session)?;
        match result.map(|reply| reply.body) {
            Ok(Body::Statistics(pairs)) => reading.own = Some(entries_in(&pairs)),
            Ok(Body::Size(count)) => reading.all = Some(count),
            Ok(_) => {}
            // The cache may have been removed.
            Err(error) => return self.look_again(session, &error.to_string()),
        }
        let Reading { own: Some(own), all: Some(all) } = *reading else { return None };
        self.readings.remove(&session);
        let Stage::Filled(view) = &self.stage else { return Some(Step::Identify(session)) };
        let members = view.members();
        let is_whole = all == entries_of(members.len());
        let place = usize::try_from(own).ok().filter(|place| is_whole && *place > 0);
        match place.and_then(|place| members.get(place - 1)).copied() {
            Some(member) => {
                self.fills = 0;
                Some(Step::Identified { session, member })
            }
            None => self.look_again(session, "servers do not have the entries that they should have"),
        }
    }

    /// The entries are not those that were put: puts them again, a few times.
    fn look_again(&mut self, session: SessionId, why: &str) -> Option<Step> {
        self.readings.remove(&session);
        if self.fills >= MAX_FILLS {
            return Some(Step::Fail(why.into()));
        }
        self.fills += 1;
        self.waiting.push(session);
        self.was_created = false;
        matches!(self.stage, Stage::Filled(_) | Stage::Unknown).then(|| self.look())
    }
}

fn no_view() -> Step {
    Step::Fail("it has no view".into())
}

/// The number of entries for a number of members.
fn entries_of(members: usize) -> u64 {
    let count = members as u64;
    count * (count + 1) / 2
}

/// Keys of which the member at place `n`, counted from 1, owns `n`. `None` if a member owns too little to be found.
fn keys_of(view: &View) -> Option<Vec<Bytes>> {
    let mut missing: BTreeMap<_, usize> = view.members().iter().copied().zip(1..).collect();
    let mut keys = Vec::new();
    for number in 0..MAX_NUMBERS {
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

/// The number of entries of a server, from its statistics.
fn entries_in(statistics: &[(String, String)]) -> u64 {
    let of = |name: &str| statistics.iter().find(|(known, _)| known == name).and_then(|(_, count)| count.parse().ok());
    of("approximateEntriesUnique").or_else(|| of("currentNumberOfEntries")).unwrap_or_default()
}
