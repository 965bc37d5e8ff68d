//! The members: who they are, and whether they can be reached.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use slotmap::{SlotMap, new_key_type};

use super::transport::Transport;
use crate::session::Disconnect;
use crate::time::Instant;
use crate::wire;

new_key_type! {
    /// A member, or a seed before it is known which member it is; never given twice.
    pub struct MemberId;
}

/// A member as the machine sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberInfo {
    /// Which one.
    pub id: MemberId,
    /// Its address: the one that it advertises, or that of a seed.
    pub address: wire::Member,
    /// Whether a session with it is ready.
    pub ready: bool,
    /// Whether it is a seed. One that is no member under that address is left when the members are known.
    pub is_seed: bool,
    /// Sessions with it that are open or being established: each on a link of its own, unless the carriage shares links.
    pub links: usize,
    /// Operations in flight there.
    pub in_flight: usize,
    /// Operations that it has answered on its present sessions.
    pub answered: u64,
    /// Why it could not be reached the last time, if it was not reached since.
    pub failure: Option<Arc<Disconnect>>,
}

pub(super) struct Member {
    pub(super) address: wire::Member,
    /// Failures in a row; over with the first answer to an operation, not with a link that can be established.
    pub(super) failures: u32,
    /// Before that it is not tried.
    pub(super) retry_at: Option<Instant>,
    /// Before that no session is left because it says that it will stop.
    pub(super) stays_until: Option<Instant>,
    pub(super) failure: Option<Arc<Disconnect>>,
    pub(super) is_seed: bool,
    /// The application knows that it is not dialled.
    pub(super) is_reported_outside: bool,
    /// The site that it was named for last.
    pub(super) site: usize,
}

impl Member {
    pub(super) fn may_be_tried(&self, now: Instant) -> bool {
        self.retry_at.is_none_or(|retry_at| now >= retry_at)
    }
}

/// All members, by identity and by address.
#[derive(Default)]
pub(super) struct Members {
    all: SlotMap<MemberId, Member>,
    by_address: BTreeMap<wire::Member, MemberId>,
}

impl Members {
    /// The member of that address, of that site.
    pub(super) fn named(&mut self, address: &wire::Member, site: usize) -> MemberId {
        if let Some(id) = self.by_address.get(address) {
            if let Some(member) = self.all.get_mut(*id) {
                member.site = site;
            }
            return *id;
        }
        let id = self.all.insert(Member {
            address: address.clone(),
            failures: 0,
            retry_at: None,
            stays_until: None,
            failure: None,
            is_seed: false,
            is_reported_outside: false,
            site,
        });
        self.by_address.insert(address.clone(), id);
        id
    }

    /// The member of a seed's address; it is never forgotten. One that several sites name is of the first at first.
    pub(super) fn seed(&mut self, address: &wire::Member, site: usize) -> MemberId {
        let known = self.by_address.get(address).copied();
        let id = known.unwrap_or_else(|| self.named(address, site));
        if let Some(member) = self.all.get_mut(id) {
            member.is_seed = true;
        }
        id
    }

    pub(super) fn get(&self, id: MemberId) -> Option<&Member> {
        self.all.get(id)
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
