//! Who the members of the cluster are, and how that is known.

use std::net::{IpAddr, UdpSocket};
use std::sync::{PoisonError, RwLock};

use hotrod_core::carriage::{NodeSelector, first_label};
use hotrod_core::cluster::MemberHosts;
use hotrod_core::wire::Member;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::config::Role;
use crate::metrics::Metrics;

/// How the members are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KnownBy {
    /// Not at all: they are what the settings name.
    Settings,
    /// The gateway's own connection has received a topology, since which it may have been lost.
    OwnConnection,
}

impl KnownBy {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::OwnConnection => "own connection",
        }
    }
}

/// The cluster as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Members {
    /// Addresses as the topology has them. While none is known: the settings' seeds with `--front`, nothing otherwise.
    pub(crate) all: Vec<Member>,
    /// The member that this is a sidecar of, as the topology has it; `None` while it isn't known, and with `--front`.
    pub(crate) own: Option<Member>,
    /// Members of the topology whose hosts are outside of `member-hosts`: a front doesn't dial them.
    pub(crate) refused: Vec<Member>,
    /// Where that comes from.
    pub(crate) known_by: KnownBy,
}

/// The members of the cluster, as the gateway's own connection names them, within the hosts that may be dialled.
pub(crate) struct Membership {
    role: Role,
    metrics: Metrics,
    present: watch::Sender<Members>,
    hosts: RwLock<MemberHosts>,
}

impl Membership {
    pub(crate) fn new(role: Role, metrics: Metrics) -> Self {
        let (all, own) = match &role {
            Role::Sidecar { advertised, .. } => (Vec::new(), advertised.clone()),
            Role::Front { seeds, .. } => (seeds.clone(), None),
        };
        let hosts = match &role {
            // A sidecar dials no member of a topology.
            Role::Sidecar { .. } => MemberHosts::any(),
            Role::Front { member_hosts: Some(hosts), .. } => hosts.clone(),
            Role::Front { seeds, .. } => MemberHosts::default_for_seeds(seeds.iter().map(|seed| &seed.host[..])),
        };
        let present = watch::Sender::new(Members { all, own, refused: Vec::new(), known_by: KnownBy::Settings });
        Self { role, metrics, present, hosts: RwLock::new(hosts) }
    }

    /// Notes the address to which a seed's name has resolved: by default members may be in its network.
    pub(crate) fn seed_resolved(&self, seed: &Member, address: IpAddr) {
        if let Role::Front { seeds, member_hosts: None, .. } = &self.role
            && seeds.contains(seed)
        {
            let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
            hosts.add_seed_address(address);
        }
    }

    /// Whether a member that is about to be dialled may be at this address, to which its host has resolved.
    pub(crate) fn may_be_at(&self, member: &Member, address: IpAddr) -> bool {
        self.is_of_the_settings(member)
            || self.hosts.read().unwrap_or_else(PoisonError::into_inner).allows_resolved(address)
    }

    /// Whether the settings name this member, and so allow its address.
    fn is_of_the_settings(&self, member: &Member) -> bool {
        match &self.role {
            Role::Sidecar { .. } => true,
            Role::Front { seeds, .. } => seeds.contains(member),
        }
    }

    pub(crate) fn present(&self) -> Members {
        self.present.borrow().clone()
    }

    /// Tells of every change from now on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Members> {
        self.present.subscribe()
    }

    /// Applies the members of a topology that the gateway's own connection has received. Nothing else decides who they are
    ///
    pub(crate) fn learn(&self, members: &[Member]) {
        if members.is_empty() {
            return;
        }
        let (members, refused): (Vec<Member>, Vec<Member>) = {
            let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
            let may_dial = |member: &Member| self.is_of_the_settings(member) || hosts.allows(&member.host);
            members.iter().cloned().partition(may_dial)
        };
        let own = match &self.role {
            Role::Front { .. } => None,
            Role::Sidecar { advertised: Some(own), .. } => Some(own.clone()),
            Role::Sidecar { upstream, node_name, .. } => own_of(upstream, node_name, &members),
        };
        let new = Members { all: members, own, refused, known_by: KnownBy::OwnConnection };
        let changed = self.present.send_if_modified(|present| {
            let changed = *present != new;
            *present = new;
            changed
        });
        if changed {
            let Members { all, own, refused, .. } = &*self.present.borrow();
            let names = |members: &[Member]| members.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let own = own.as_ref().map(ToString::to_string);
            info!(members = names(all), own, "members of the cluster");
            if let (Role::Sidecar { upstream, .. }, None) = (&self.role, &own) {
                warn!(
                    members = names(all),
                    "hotrod-gateway can't tell which of the members it stands before at {upstream}: sessions can't ask for \
                     it by its address; set --advertise to its address in the topology, or --node-name to its host name"
                );
            }
            if !refused.is_empty() {
                warn!(
                    members = names(refused),
                    "the topology names members outside of member-hosts, which are not dialled; allow them with \
                     --member-hosts if they are of this cluster"
                );
            }
            self.metrics.set_members(all.len());
        }
    }
}

impl Members {
    /// The member that a session asks for.
    pub(crate) fn find(&self, node: NodeSelector<'_>) -> Option<&Member> {
        node.find(&self.all)
    }
}

/// Which of the members listens at `upstream`: a sidecar dials it at another address than others do.
///
/// A reply does not say who sends it. The surest sign comes first; where none fits it stays unknown.
fn own_of(upstream: &Member, node_name: &str, members: &[Member]) -> Option<Member> {
    let only = |fits: &dyn Fn(&Member) -> bool| {
        let mut fitting = members.iter().filter(|member| fits(member));
        fitting.next().filter(|_| fitting.next().is_none()).cloned()
    };
    only(&|member| member == upstream)
        .or_else(|| only(&|member| member.host == node_name || first_label(&member.host) == node_name))
        .or_else(|| only(&|member| member.port == upstream.port && is_here(&member.host)))
        .or_else(|| only(&|_| true))
}

/// Whether a host is an address of this machine, or of this pod: whoever can be bound to is. Names are not looked up.
fn is_here(host: &str) -> bool {
    let address = host.parse().ok().filter(|address: &IpAddr| !address.is_unspecified());
    address.is_some_and(|address| UdpSocket::bind((address, 0)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(text: &str) -> Member {
        let (host, port) = text.rsplit_once(':').unwrap();
        Member { host: host.into(), port: port.parse().unwrap() }
    }

    fn members(texts: &[&str]) -> Vec<Member> {
        texts.iter().map(|text| member(text)).collect()
    }

    fn sidecar(upstream: &str, name: &str, advertised: Option<&str>) -> Membership {
        let advertised = advertised.map(member);
        let role = Role::Sidecar { upstream: member(upstream), node_name: name.into(), advertised };
        Membership::new(role, Metrics::new())
    }

    fn front(seeds: &[&str]) -> Membership {
        let role = Role::Front { seeds: members(seeds), node_name: None, member_hosts: None };
        Membership::new(role, Metrics::new())
    }

    #[test]
    fn a_sidecar_finds_its_member_by_the_surest_sign() {
        let own = |upstream: &str, name: &str, of: &[&str]| {
            let membership = sidecar(upstream, name, None);
            membership.learn(&members(of));
            membership.present().own.map(|own| own.to_string())
        };
        let three = ["pod-0.svc:11222", "pod-1.svc:11222", "pod-2.svc:11222"];
        assert_eq!(own("pod-1.svc:11222", "x", &three).as_deref(), Some("pod-1.svc:11222"), "the same address");
        assert_eq!(own("127.0.0.1:11222", "pod-2", &three).as_deref(), Some("pod-2.svc:11222"), "the same name");
        let here = ["192.0.2.1:11222", "127.0.0.1:11222", "192.0.2.3:11222"];
        assert_eq!(
            own("localhost:11222", "x", &here).as_deref(),
            Some("127.0.0.1:11222"),
            "an address of this machine"
        );
        assert_eq!(own("127.0.0.1:1", "x", &["192.0.2.1:11222"]).as_deref(), Some("192.0.2.1:11222"), "the only one");
        assert_eq!(own("127.0.0.1:1", "x", &["192.0.2.1:11222", "192.0.2.3:11222"]), None);
    }

    #[test]
    fn the_settings_say_best_which_member_it_is() {
        let membership = sidecar("127.0.0.1:1", "x", Some("elsewhere:2"));
        assert_eq!(membership.present().own, Some(member("elsewhere:2")), "also before any topology");
        membership.learn(&members(&["127.0.0.1:1"]));
        assert_eq!(membership.present().own, Some(member("elsewhere:2")));
    }

    #[test]
    fn a_topology_without_members_changes_nothing() {
        let membership = front(&["seed:1"]);
        assert_eq!(membership.present().all, members(&["seed:1"]));
        membership.learn(&members(&["pod-0.seed:1", "seed:2"]));
        membership.learn(&[]);
        assert_eq!(membership.present().all, members(&["seed:2"]));
    }

    /// a front dials no member whose host is outside of the configured ones, whatever a topology says.
    #[test]
    fn members_outside_of_the_hosts_are_not_dialled() {
        let topology = members(&["10.2.3.4:1", "169.254.169.254:80", "127.0.0.1:22", "evil.example.com:1", "seed:1"]);
        let membership = front(&["seed:1"]);
        membership.learn(&topology);
        assert_eq!(membership.present().all, members(&["seed:1"]));
        // The name of the seed has an address in the cluster's network.
        membership.seed_resolved(&member("seed:1"), "10.96.0.7".parse().unwrap());
        membership.learn(&topology);
        let present = membership.present();
        assert_eq!(present.all, members(&["10.2.3.4:1", "seed:1"]));
        assert_eq!(present.refused, members(&["169.254.169.254:80", "127.0.0.1:22", "evil.example.com:1"]));
        // A name within the hosts leads to no local address; a seed may.
        let pod = member("pod-0.seed.svc:1");
        assert!(membership.may_be_at(&pod, "10.2.3.4".parse().unwrap()));
        assert!(!membership.may_be_at(&pod, "127.0.0.1".parse().unwrap()));
        assert!(membership.may_be_at(&member("seed:1"), "127.0.0.1".parse().unwrap()));
        // An address of a member that is no seed adds nothing.
        membership.seed_resolved(&member("evil.example.com:1"), "203.0.113.7".parse().unwrap());
        assert!(!membership.hosts.read().unwrap().allows("203.0.113.8"));
    }

    #[test]
    fn the_settings_say_which_hosts_may_be_dialled() {
        let role = Role::Front {
            seeds: members(&["10.0.0.1:1"]),
            node_name: None,
            member_hosts: Some("*.pods.example.com".parse().unwrap()),
        };
        let membership = Membership::new(role, Metrics::new());
        membership.seed_resolved(&member("10.0.0.1:1"), "10.0.0.1".parse().unwrap());
        membership.learn(&members(&["10.0.0.1:1", "10.0.0.2:1", "a.pods.example.com:1"]));
        assert_eq!(membership.present().all, members(&["10.0.0.1:1", "a.pods.example.com:1"]));
    }
}
