//! Who a session asks for, who answers, and how refusals are told (spec/hotrod-over-http.md, "Refusals").

use hotrod_core::carriage::{Knowledge, Mode, Node};
use hotrod_core::wire::Member;

use crate::config::Role;
use crate::gateway::Shared;
use crate::membership::KnownBy;
use crate::upstream::NoUpstream;

/// Seconds after which a refused session may be asked for again.
const RETRY_AFTER: u32 = 1;

/// The HTTP status of a refusal, and the seconds of its Retry-After.
pub(super) fn status_of(refusal: &NoUpstream) -> (u16, Option<u32>) {
    match refusal {
        NoUpstream::Full => (429, Some(RETRY_AFTER)),
        NoUpstream::Draining | NoUpstream::Unreachable { .. } => (503, Some(RETRY_AFTER)),
        NoUpstream::UnknownMember(_) => (404, None),
        NoUpstream::AnotherMember { .. } => (421, None),
    }
}

/// The member that a session leads to, as NODE and `Hot-Rod-Node` tell it.
pub(super) fn node_at(shared: &Shared, member: &Member) -> Node {
    let members = shared.membership.present();
    let knowledge = match members.known_by {
        KnownBy::Settings => Knowledge::NONE,
        KnownBy::Replies => Knowledge::FROM_REPLIES,
        KnownBy::OwnConnection => Knowledge::OWN_CONNECTION,
    };
    let (mode, name, advertised) = match &shared.config.role {
        Role::Sidecar { node_name, .. } => (Mode::SIDECAR, node_name.clone(), members.own),
        Role::Front { .. } => (Mode::FRONT, member.to_string(), Some(member.clone())),
    };
    let (host, port) = advertised.map_or((String::new(), 0), |Member { host, port }| (host, port));
    Node { mode, knowledge, name, host, port }
}

/// Whom a session means: what `Hot-Rod-Node` names, else the target of CONNECT, unless that is the gateway itself.
pub(super) fn wanted(shared: &Shared, node: Option<&str>, target: Option<&str>) -> Option<String> {
    let known = |target: &&str| {
        let members = shared.membership.present();
        let is_sidecar = matches!(shared.config.role, Role::Sidecar { .. });
        members.named(target).is_some() || !is_own_authority(shared, target) && (is_sidecar || !members.all.is_empty())
    };
    node.or_else(|| target.filter(known)).map(ToString::to_string)
}

/// Whether an authority is one under which this gateway is known.
fn is_own_authority(shared: &Shared, authority: &str) -> bool {
    let (_, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    shared.config.listen.rsplit_once(':').is_some_and(|(_, own)| own == port) || port.is_empty()
}
