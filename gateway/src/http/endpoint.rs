//! Requested members, NODE, and refusals (spec/hotrod-over-http.md, "Refusals").

use hotrod_core::carriage::{Knowledge, Mode, Node, NodeSelector, Refusal};
use hotrod_core::wire::Member;

use crate::config::Role;
use crate::gateway::Shared;
use crate::membership::KnownBy;
use crate::upstream::{NoUpstream, Upstream};

/// The refusal of a session that gets no member.
pub(super) fn refusal_of(refusal: &NoUpstream) -> Refusal {
    match refusal {
        NoUpstream::Full | NoUpstream::Memory(_) | NoUpstream::SourceFull(_) => Refusal::temporary(429),
        NoUpstream::Draining | NoUpstream::NotKnownYet | NoUpstream::Unreachable { .. } => Refusal::temporary(503),
        NoUpstream::OffersExternal { .. } => Refusal::new(403),
        NoUpstream::UnknownMember(_) => Refusal::new(404),
        NoUpstream::AnotherMember { own, .. } => Refusal::another_member(own.clone()),
    }
}

/// NODE of a session's member.
pub(super) fn node_at(shared: &Shared, upstream: &Upstream) -> Node {
    let member = upstream.member();
    let members = shared.membership.present();
    let knowledge = match members.known_by {
        KnownBy::Settings => Knowledge::NONE,
        KnownBy::OwnConnection => Knowledge::OWN_CONNECTION,
    };
    let (mode, advertised) = match &shared.config.role {
        Role::Sidecar { .. } => (Mode::SIDECAR, members.own),
        Role::Front { .. } => (Mode::FRONT, Some(member.clone())),
    };
    let (host, port) = advertised.map_or((String::new(), 0), |Member { host, port }| (host, port));
    Node { mode, knowledge, name: upstream.name().into(), host, port }
}

/// The member that a session requests: by `Hot-Rod-Node`, else by the target of CONNECT unless that is the gateway itself.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestedMember {
    node: Option<String>,
    authority: Option<String>,
}

impl RequestedMember {
    pub(super) fn of(shared: &Shared, node: Option<&str>, target: Option<&str>) -> Self {
        let is_member = |target: &&str| {
            let is_known = shared.membership.present().find(NodeSelector::Authority(target)).is_some();
            is_known || !is_own_authority(shared, target)
        };
        let authority = target.filter(|_| node.is_none()).filter(is_member);
        Self { node: node.map(ToString::to_string), authority: authority.map(ToString::to_string) }
    }

    /// The member requested for the outer tunnel if the session requests none.
    pub(super) fn or(self, outer: &Self) -> Self {
        if self.node.is_none() && self.authority.is_none() { outer.clone() } else { self }
    }

    /// Memory of the names, in bytes.
    pub(super) fn memory(&self) -> usize {
        [&self.node, &self.authority].into_iter().flatten().map(String::len).sum()
    }

    pub(super) fn wanted(&self) -> NodeSelector<'_> {
        match (&self.node, &self.authority) {
            (Some(node), _) => NodeSelector::Node(node),
            (None, Some(authority)) => NodeSelector::Authority(authority),
            (None, None) => NodeSelector::Any,
        }
    }
}

/// Whether an authority leads to the port at which this gateway listens.
fn is_own_authority(shared: &Shared, authority: &str) -> bool {
    authority.rsplit_once(':').is_some_and(|(_, port)| port.parse() == Ok(shared.address.port()))
}
