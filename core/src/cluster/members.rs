//! The members: their addresses, and their failures.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use slotmap::{SlotMap, new_key_type};

use super::discovery::endpoint::Endpoint;
use super::output::MemberFailure;
use super::transport::Transport;
use crate::session::Disconnect;
use crate::time::Instant;
use crate::wire;

new_key_type! {
    /// A member, or a seed that has not been identified as a member; never given twice.
    pub struct MemberId;
}

/// The state of a member.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberInfo {
    /// Its identity in this machine.
    pub id: MemberId,
    /// The address that the member advertises, or that of a seed.
    pub address: wire::Member,
    /// Whether a session with it is ready.
    pub ready: bool,
    /// Endpoint that was dialled for its first session, ready or being established; `None` while there is none.
    pub endpoint: Option<Endpoint>,
    /// Whether it is a seed. A seed that no topology names is left once a member is ready.
    pub is_seed: bool,
    /// Number of sessions that take operations or listeners, ready or being established: each has a link of its own, unless
    /// the carriage shares links.
    pub links: usize,
    /// Number of operations in flight.
    pub in_flight: usize,
    /// Number of operations answered on the present sessions.
    pub answered: u64,
    /// Reason of the last failure; `None` after the next answer.
    pub failure: Option<Arc<Disconnect>>,
}

pub(super) struct Member {
    pub(super) address: wire::Member,
    /// Consecutive failures. An answer to an operation resets them; an established link or session does not.
    pub(super) failures: u32,
    /// Consecutive failures of further sessions, while another one was ready. The first answer of a new session resets them.
    pub(super) further_failures: u32,
    /// End of the back-off; no session is begun before.
    pub(super) retry_at: Option<Instant>,
    /// Time before which no session is drained because its server announces its stop.
    pub(super) stays_until: Option<Instant>,
    pub(super) failure: Option<Arc<Disconnect>>,
    /// Time of the last announcement that an endpoint of its sessions will end.
    drained_at: Option<Instant>,
    /// Consecutive announcements, without the first.
    drains: u32,
    pub(super) is_seed: bool,
    /// Time at which it became known.
    pub(super) named_at: Instant,
    /// Whether the application was notified that the member is not dialled.
    pub(super) is_reported_outside: bool,
    /// Index of the last site that named the member.
    pub(super) site: usize,
}

impl Member {
    pub(super) fn may_be_tried(&self, now: Instant) -> bool {
        self.retry_at.is_none_or(|retry_at| now >= retry_at)
    }

    /// Consecutive failures, those of further sessions included.
    pub(super) fn all_failures(&self) -> u32 {
        self.failures.saturating_add(self.further_failures)
    }

    /// Notes that the endpoint of a session that was begun at `begun` will end. Returns the number of further announcements,
    /// each less than `window` after the one before; `None` for sessions of the same announcement, and for the first one.
    pub(super) fn note_drain(&mut self, begun: Instant, now: Instant, window: Duration) -> Option<u32> {
        match self.drained_at {
            Some(last) if begun < last => return None,
            Some(last) if now - last < window => self.drains = self.drains.saturating_add(1),
            _ => self.drains = 0,
        }
        self.drained_at = Some(now);
        (self.drains > 0).then_some(self.drains)
    }

    /// Time before which no session is sought for it where it can't be dialled; `None` if one may be now. A single failure
    /// does not hold up the search: the member may be found elsewhere.
    pub(super) fn held_back_until(&self, now: Instant) -> Option<Instant> {
        self.retry_at.filter(|retry_at| self.failures != 1 && now < *retry_at)
    }
}

/// All members, by identity and by address.
#[derive(Default)]
pub(super) struct Members {
    all: SlotMap<MemberId, Member>,
    by_address: BTreeMap<wire::Member, MemberId>,
    /// The site of the settings' seeds first, then the others.
    sites: Vec<Site>,
    /// Index of the site in use.
    site: usize,
    /// The members of the newest topology; none before the first.
    current: Vec<MemberId>,
}

/// A site and the seeds by which it is found.
struct Site {
    name: String,
    seeds: Vec<MemberId>,
}

impl Members {
    /// Adds a site; the first one is in use.
    pub(super) fn add_site(&mut self, name: String, seeds: &[wire::Member]) {
        let site = self.sites.len();
        let seeds = seeds.iter().map(|address| self.seed(address, site)).collect();
        self.sites.push(Site { name, seeds });
    }

    /// Index of the site in use.
    pub(super) fn site(&self) -> usize {
        self.site
    }

    pub(super) fn site_count(&self) -> usize {
        self.sites.len()
    }

    pub(super) fn site_name(&self, site: usize) -> &str {
        self.sites.get(site).map_or("", |site| &site.name)
    }

    pub(super) fn site_named(&self, name: &str) -> Option<usize> {
        self.sites.iter().position(|site| site.name == name)
    }

    /// The seeds of the site in use.
    pub(super) fn seeds(&self) -> &[MemberId] {
        self.sites.get(self.site).map_or(&[], |site| &site.seeds)
    }

    /// The seeds of all sites.
    pub(super) fn all_seeds(&self) -> impl Iterator<Item = MemberId> {
        self.sites.iter().flat_map(|site| site.seeds.iter().copied())
    }

    /// Switches to another site, whose seeds begin without failures. There is no current member until its first topology.
    pub(super) fn switch_site(&mut self, site: usize) {
        self.site = site;
        self.current.clear();
        for seed in self.seeds().to_vec() {
            if let Some(member) = self.all.get_mut(seed) {
                (member.failures, member.further_failures) = (0, 0);
                (member.retry_at, member.site) = (None, site);
            }
        }
    }

    /// The members of the newest topology; none before the first.
    pub(super) fn current(&self) -> &[MemberId] {
        &self.current
    }

    pub(super) fn set_current(&mut self, members: &[MemberId]) {
        self.current.clear();
        self.current.extend_from_slice(members);
    }

    /// The member with an address, added if it is new; it is one of the site in use from now on.
    pub(super) fn named(&mut self, address: &wire::Member, now: Instant) -> MemberId {
        self.member_of_site(address, self.site, now)
    }

    fn member_of_site(&mut self, address: &wire::Member, site: usize, now: Instant) -> MemberId {
        if let Some(id) = self.by_address.get(address) {
            if let Some(member) = self.all.get_mut(*id) {
                member.site = site;
            }
            return *id;
        }
        let id = self.all.insert(Member {
            address: address.clone(),
            failures: 0,
            further_failures: 0,
            retry_at: None,
            stays_until: None,
            failure: None,
            drained_at: None,
            drains: 0,
            is_seed: false,
            named_at: now,
            is_reported_outside: false,
            site,
        });
        self.by_address.insert(address.clone(), id);
        id
    }

    /// The member with a seed's address, never forgotten. One that several sites name counts to the first at the beginning.
    fn seed(&mut self, address: &wire::Member, site: usize) -> MemberId {
        let known = self.by_address.get(address).copied();
        let id = known.unwrap_or_else(|| self.member_of_site(address, site, Instant::EPOCH));
        if let Some(member) = self.all.get_mut(id) {
            member.is_seed = true;
        }
        id
    }

    /// Number of known members, seeds included.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, id: MemberId) -> Option<&Member> {
        self.all.get(id)
    }

    /// Whether a member has failed since its last answer.
    pub(super) fn has_failed(&self, id: MemberId) -> bool {
        self.all.get(id).is_some_and(|member| member.failure.is_some())
    }

    /// The last failure of each member that has failed since its last answer.
    pub(super) fn failures(&self) -> impl Iterator<Item = (MemberId, MemberFailure)> {
        self.all.iter().filter_map(|(id, member)| {
            Some((id, MemberFailure { server: member.address.clone(), reason: member.failure.clone()? }))
        })
    }

    pub(super) fn get_mut(&mut self, id: MemberId) -> Option<&mut Member> {
        self.all.get_mut(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (MemberId, &Member)> {
        self.all.iter()
    }

    /// Forgets a member, unless it is a seed or has a session.
    pub(super) fn forget(&mut self, id: MemberId, transport: &Transport) {
        if self.all.get(id).is_some_and(|member| !member.is_seed && !transport.has_session(id))
            && let Some(member) = self.all.remove(id)
        {
            self.by_address.remove(&member.address);
        }
    }

    /// Forgets members that are not needed: clusters on which pods come and go have any number of addresses.
    pub(super) fn retain(&mut self, transport: &Transport, needed: impl Fn(MemberId) -> bool) {
        let gone: Vec<MemberId> = self.all.keys().filter(|id| !needed(*id)).collect();
        gone.into_iter().for_each(|id| self.forget(id, transport));
    }
}
