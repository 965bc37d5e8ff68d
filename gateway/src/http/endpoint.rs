//! Who a session asks for, who answers, and how refusals are told (spec/hotrod-over-http.md, "Refusals").

use hotrod_core::carriage::{Knowledge, Mode, Node, ServerLink};
use hotrod_core::http2::StreamId;
use hotrod_core::wire::Member;

use crate::config::Role;
use crate::gateway::Shared;
use crate::membership::{KnownBy, Wanted};
use crate::upstream::{NoUpstream, Upstream};

/// Seconds after which a refused session may be asked for again.
const RETRY_AFTER: u32 = 1;

/// How a session is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status of HTTP.
    pub(crate) status: u16,
    /// The seconds of Retry-After.
    pub(crate) retry_after: Option<u32>,
    /// The name of the member that is here.
    pub(crate) node: Option<String>,
}

impl Refusal {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, retry_after: None, node: None }
    }

    /// For another time.
    pub(crate) fn for_now(status: u16) -> Self {
        Self { retry_after: Some(RETRY_AFTER), ..Self::status(status) }
    }

    pub(super) fn of(refusal: &NoUpstream) -> Self {
        match refusal {
            NoUpstream::Full | NoUpstream::Memory(_) | NoUpstream::SourceFull(_) => Self::for_now(429),
            NoUpstream::Draining | NoUpstream::NotKnownYet | NoUpstream::Unreachable { .. } => Self::for_now(503),
            NoUpstream::OffersExternal { .. } => Self::status(403),
            NoUpstream::UnknownMember(_) => Self::status(404),
            NoUpstream::AnotherMember { own, .. } => Self { node: Some(own.clone()), ..Self::status(421) },
        }
    }
}

/// Refuses a session of an HTTP/2 link.
pub(crate) fn refuse(link: &mut ServerLink, stream: StreamId, refusal: &Refusal) {
    match &refusal.node {
        Some(node) => link.refuse_naming(stream, refusal.status, node),
        None => link.refuse(stream, refusal.status, refusal.retry_after),
    }
}

/// Whether a tunnel can carry what `Hot-Rod-Inside` says.
pub(crate) fn is_inside(value: &[u8]) -> bool {
    matches!(value, b"hotrod" | b"h2")
}

/// The member that a session leads to, as NODE and `Hot-Rod-Node` tell it.
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

/// Whom a session means: what `Hot-Rod-Node` names, else the target of CONNECT, unless that is the gateway itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Meant {
    node: Option<String>,
    authority: Option<String>,
}

impl Meant {
    pub(super) fn of(shared: &Shared, node: Option<&str>, target: Option<&str>) -> Self {
        let is_member = |target: &&str| {
            let is_known = shared.membership.present().wanted(Wanted::Authority(target)).is_some();
            is_known || !is_own_authority(shared, target)
        };
        let authority = target.filter(|_| node.is_none()).filter(is_member);
        Self { node: node.map(ToString::to_string), authority: authority.map(ToString::to_string) }
    }

    /// Where it means nobody, whom a tunnel around it means.
    pub(super) fn or(self, outer: &Self) -> Self {
        if self.node.is_none() && self.authority.is_none() { outer.clone() } else { self }
    }

    /// Bytes of memory that the names take.
    pub(super) fn memory(&self) -> usize {
        [&self.node, &self.authority].into_iter().flatten().map(String::len).sum()
    }

    pub(super) fn wanted(&self) -> Wanted<'_> {
        match (&self.node, &self.authority) {
            (Some(node), _) => Wanted::Node(node),
            (None, Some(authority)) => Wanted::Authority(authority),
            (None, None) => Wanted::Any,
        }
    }
}

/// Whether an authority leads to the port at which this gateway listens.
fn is_own_authority(shared: &Shared, authority: &str) -> bool {
    authority.rsplit_once(':').is_some_and(|(_, port)| port.parse() == Ok(shared.address.port()))
}
