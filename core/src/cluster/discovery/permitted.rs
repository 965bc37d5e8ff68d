//! Which of the members that a topology names are dialled.

use alloc::string::ToString;
use alloc::sync::Arc;
use core::net::IpAddr;

use super::member_hosts::MemberHosts;
use crate::cluster::config::Config;
use crate::cluster::discovery::access::Endpoint;
use crate::cluster::machine::Cluster;
use crate::cluster::members::{Member, MemberId};
use crate::cluster::output::{Event, Output};
use crate::session::Disconnect;
use crate::wire;

/// The limit in force.
pub(in crate::cluster) struct Permitted {
    hosts: MemberHosts,
    /// The user has named none: the addresses of seeds are added as they become known.
    grows: bool,
    is_enforced: bool,
}

impl Permitted {
    pub(in crate::cluster) fn new(config: &Config) -> Self {
        let seeds = || config.seeds.iter().chain(config.sites.iter().flat_map(|site| &site.seeds));
        let mut hosts = match &config.member_hosts {
            Some(hosts) => hosts.clone(),
            None => MemberHosts::default_for_seeds(seeds().map(|seed| seed.host.as_str())),
        };
        if let Some(template) = &config.access.template {
            template.add_named_hosts(&mut hosts);
        }
        Self { hosts, grows: config.member_hosts.is_none(), is_enforced: config.limits_members() }
    }
}

impl Config {
    /// Whether members outside [`member_hosts`](Self::member_hosts) are left alone: where that is set, and where a link
    /// has something to show or to protect (credentials, TLS).
    pub fn limits_members(&self) -> bool {
        self.member_hosts.is_some() || self.tls.is_some() || self.session.authentication.is_some()
    }
}

impl Cluster {
    /// Adds the address of a seed's endpoint to the permitted hosts, where the user has set none.
    pub(in crate::cluster) fn note_peer(&mut self, endpoint: &Endpoint, address: IpAddr) {
        // Through a proxy the address is the proxy's.
        if !self.permitted.grows || self.config.proxy.is_some() {
            return;
        }
        let mut seeds = self.sites.iter().flat_map(|site| &site.seeds).filter_map(|seed| self.members.get(*seed));
        if seeds.any(|seed| self.config.access.seed_endpoint(&seed.address) == *endpoint) {
            self.permitted.hosts.add_seed_address(address);
        }
    }

    /// Whether a topology may name that host.
    pub fn allows_member_host(&self, host: &str) -> bool {
        !self.permitted.is_enforced || self.permitted.hosts.allows(host)
    }

    /// Whether a member would be dialled at a host that nobody but the server has named.
    pub(in crate::cluster) fn is_outside(&self, member: &Member) -> bool {
        if !self.permitted.is_enforced || member.is_seed {
            return false;
        }
        let (access, address) = (&self.config.access, &member.address);
        // The application has named these.
        if access.explicit.contains_key(address) {
            return false;
        }
        let by_template = access.template.as_ref().and_then(|template| template.endpoint(address));
        if by_template.is_none() && access.discovered.contains_key(address) {
            return false;
        }
        // Without an endpoint of its own it is reached at the seeds.
        let endpoint = by_template.or_else(|| access.endpoint(address));
        endpoint.is_some_and(|endpoint| !self.permitted.hosts.allows(&endpoint.host))
    }

    /// Notifies the application, once for each member, of members that are not dialled.
    pub(in crate::cluster) fn report_members_outside(&mut self, members: &[MemberId]) {
        for &id in members {
            let Some(known) = self.members.get(id).filter(|known| !known.is_reported_outside) else { continue };
            if !self.is_outside(known) {
                continue;
            }
            let (address, reason) = (known.address.clone(), Arc::new(self.not_allowed(&known.address)));
            if let Some(known) = self.members.get_mut(id) {
                known.is_reported_outside = true;
                known.failure = Some(reason.clone());
            }
            let reason = reason.to_string();
            self.outputs.push_back(Output::Event(Event::MemberNotAllowed { member: id, address, reason }));
        }
    }

    pub(in crate::cluster) fn not_allowed(&self, address: &wire::Member) -> Disconnect {
        Disconnect::MemberNotAllowed { member: address.to_string(), allowed: self.permitted.hosts.to_string() }
    }
}
