//! The hosts of members that are dialled.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::net::IpAddr;

use super::endpoint::Endpoint;
use super::member_hosts::MemberHosts;
use crate::cluster::config::Config;

/// The limit in force.
pub(super) struct Permitted {
    /// The hosts of the settings, or those that the names of the seeds cover.
    named: MemberHosts,
    /// Those, and the hosts that the present addresses of the seeds cover.
    hosts: MemberHosts,
    /// Whether the hosts come from the seeds alone: then the addresses that seeds resolve to are added.
    grows: bool,
    /// The last address of each seed's endpoint, by family: a name may have one of each.
    last: BTreeMap<(Endpoint, bool), IpAddr>,
    is_enforced: bool,
}

impl Permitted {
    pub(super) fn new(config: &Config) -> Self {
        let seeds = || config.seeds.iter().chain(config.sites.iter().flat_map(|site| &site.seeds));
        let mut hosts = match &config.member_hosts {
            Some(hosts) => hosts.clone(),
            None => MemberHosts::default_for_seeds(seeds().map(|seed| seed.host.as_str())),
        };
        if let Some(template) = &config.access.template {
            template.add_named_hosts(&mut hosts);
        }
        Self {
            named: hosts.clone(),
            hosts,
            grows: config.member_hosts.is_none(),
            last: BTreeMap::new(),
            is_enforced: config.limits_members(),
        }
    }

    pub(super) fn allows(&self, host: &str) -> bool {
        !self.is_enforced || self.hosts.allows(host)
    }

    pub(super) fn is_enforced(&self) -> bool {
        self.is_enforced
    }

    pub(super) fn grows(&self) -> bool {
        self.grows
    }

    /// Adds the hosts that the address of a seed's endpoint covers. Those of an earlier address are withdrawn, unless it is
    /// one of `open`: the addresses of the seeds' open links.
    pub(super) fn set_seed_address(&mut self, endpoint: Endpoint, address: IpAddr, open: impl Iterator<Item = IpAddr>) {
        let address = address.to_canonical();
        if self.last.insert((endpoint, address.is_ipv6()), address) == Some(address) {
            return;
        }
        self.hosts = self.named.clone();
        self.last.values().copied().chain(open).for_each(|address| self.hosts.add_seed_address(address));
    }

    /// The permitted hosts, for people.
    pub(super) fn hosts(&self) -> String {
        self.hosts.to_string()
    }
}

impl Config {
    /// Whether members outside [`member_hosts`](Self::member_hosts) are left alone: where that is set, and where a link
    /// has something to show or to protect (credentials, TLS).
    pub fn limits_members(&self) -> bool {
        self.member_hosts.is_some() || self.tls.is_some() || self.session.authentication.is_some()
    }
}
