//! Dialling: at which endpoint a member is asked for.

use super::discovery::access::Endpoint;
use super::machine::Cluster;
use super::members::MemberId;
use crate::time::Instant;

impl Cluster {
    /// The endpoint at which a member is dialled; `None` if it may not be dialled, or none is known.
    pub(super) fn endpoint_of(&self, member: MemberId) -> Option<Endpoint> {
        let known = self.members.get(member).filter(|known| !self.is_outside(known))?;
        let access = &self.config.access;
        if known.is_seed {
            return Some(access.seed_endpoint(&known.address));
        }
        if access.path.is_searched() {
            return access
                .endpoint(&known.address)
                .or_else(|| self.jar.of(member).map(|(endpoint, _)| endpoint.clone()));
        }
        access.endpoint(&known.address).or_else(|| {
            // Another gateway after each failure, and none that has asked to wait if there is another.
            let seeds = self.seeds();
            let in_turn = seeds.iter().cycle().skip(known.failures as usize % seeds.len().max(1)).take(seeds.len());
            let seeds = in_turn.filter_map(|seed| self.members.get(*seed));
            let mut endpoints = seeds.map(|seed| access.seed_endpoint(&seed.address));
            let first = endpoints.next()?;
            let is_free = |endpoint: &Endpoint| self.transport.paused_until(member, endpoint, self.now).is_none();
            Some(if is_free(&first) { first } else { endpoints.find(is_free).unwrap_or(first) })
        })
    }

    /// Time before which no endpoint may be asked for a member; `None` if one may be asked now.
    pub(super) fn paused_until(&self, member: MemberId) -> Option<Instant> {
        self.transport.paused_until(member, &self.endpoint_of(member)?, self.now)?;
        self.transport.first_pause(member, self.now)
    }
}
