//! Where a member is dialled.

use alloc::string::{String, ToString};
use core::net::IpAddr;

use super::access::{Access, AccessPath};
use super::{Discovery, Facts};
use crate::cluster::members::{Member, MemberId};
use crate::session::Disconnect;
use crate::time::Instant;
use crate::wire;

/// Where and how to dial a member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Host name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The name to ask for in TLS (SNI) and to find in the server's certificate; `None` for the host's settings, or the
    /// host.
    pub server_name: Option<String>,
}

impl Endpoint {
    /// `host:port`, an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        wire::Member { host: self.host.clone(), port: self.port }.to_string()
    }
}

impl From<&wire::Member> for Endpoint {
    fn from(member: &wire::Member) -> Self {
        Self { host: member.host.clone(), port: member.port, server_name: None }
    }
}

impl Discovery {
    /// The endpoint at which a member is dialled; `None` if it is not known, or may not be dialled.
    pub(in crate::cluster) fn endpoint_of(&self, facts: &Facts<'_>, member: MemberId) -> Option<Endpoint> {
        let access = &facts.config.access;
        let known = facts.members.get(member).filter(|known| !self.is_outside(access, known))?;
        if known.is_seed {
            return Some(access.seed_endpoint(&known.address));
        }
        let own = self.own_endpoint(access, &known.address);
        if self.path.is_searched() {
            return own.or_else(|| self.jar.of(member).map(|(endpoint, _)| endpoint.clone()));
        }
        own.or_else(|| gateway_for(member, known, facts))
    }

    /// The endpoint that is a member's own; `None` if it is reached at the seeds.
    fn own_endpoint(&self, access: &Access, address: &wire::Member) -> Option<Endpoint> {
        let is_dialled = || self.path == AccessPath::Direct && access.template.is_none();
        access
            .configured_endpoint(address)
            .or_else(|| self.discovered.get(address).cloned())
            .or_else(|| is_dialled().then(|| address.into()))
    }

    /// The time until which no endpoint may be dialled for a member; `None` if one may be now.
    pub(in crate::cluster) fn paused_until(&self, facts: &Facts<'_>, member: MemberId) -> Option<Instant> {
        facts.transport.paused_until(member, &self.endpoint_of(facts, member)?, facts.now)?;
        facts.transport.first_pause(member, facts.now)
    }

    /// Whether a session for this member can be requested: by its address or a cookie, or from any member at a seed.
    pub(in crate::cluster) fn can_be_dialled(&self, access: &Access, id: MemberId, member: &Member) -> bool {
        if self.is_outside(access, member) {
            return false;
        }
        let has_endpoint =
            || access.has_configured_endpoint(&member.address) || self.discovered.contains_key(&member.address);
        !self.path.is_searched() || member.is_seed || has_endpoint() || self.jar.of(id).is_some()
    }

    /// Whether a topology may name this host.
    pub(in crate::cluster) fn allows_host(&self, host: &str) -> bool {
        self.permitted.allows(host)
    }

    /// Whether a member would be dialled at a host that only a server has named, and that is not permitted.
    pub(in crate::cluster) fn is_outside(&self, access: &Access, member: &Member) -> bool {
        if !self.permitted.is_enforced() || member.is_seed {
            return false;
        }
        let address = &member.address;
        // The application has named these.
        if access.explicit.contains_key(address) {
            return false;
        }
        if access.template_endpoint(address).is_none() && self.discovered.contains_key(address) {
            return false;
        }
        // Without an endpoint of its own it is reached at the seeds.
        let endpoint = self.own_endpoint(access, address);
        endpoint.is_some_and(|endpoint| !self.permitted.allows(&endpoint.host))
    }

    /// The error of a member that is [outside](Self::is_outside).
    pub(in crate::cluster) fn not_allowed(&self, address: &wire::Member) -> Disconnect {
        Disconnect::MemberNotAllowed { member: address.to_string(), allowed: self.permitted.hosts() }
    }

    /// Whether the addresses that seeds resolve to permit hosts.
    pub(in crate::cluster) fn permits_seed_addresses(&self) -> bool {
        self.permitted.grows()
    }

    /// Permits the hosts that the address of a seed covers; `open` are the addresses of the seeds' open links.
    pub(in crate::cluster) fn permit_seed_address(
        &mut self,
        endpoint: Endpoint,
        address: IpAddr,
        open: impl Iterator<Item = IpAddr>,
    ) {
        self.permitted.set_seed_address(endpoint, address, open);
    }
}

/// The gateway by which a member is reached: another after each failure of the member, and none that has asked to wait if
/// there is another.
fn gateway_for(id: MemberId, member: &Member, facts: &Facts<'_>) -> Option<Endpoint> {
    let seeds = facts.members.seeds();
    let in_turn = seeds.iter().cycle().skip(member.all_failures() as usize % seeds.len().max(1)).take(seeds.len());
    let seeds = in_turn.filter_map(|seed| facts.members.get(*seed));
    let mut endpoints = seeds.map(|seed| facts.config.access.seed_endpoint(&seed.address));
    let first = endpoints.next()?;
    let is_free = |endpoint: &Endpoint| facts.transport.paused_until(id, endpoint, facts.now).is_none();
    Some(if is_free(&first) { first } else { endpoints.find(is_free).unwrap_or(first) })
}
