//! The access path, where the settings leave it to the first answers.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::access::AccessPath;
use super::{Action, Discovery, Facts};
use crate::carriage::{LinkEnd, Mode};
use crate::cluster::output::Event;
use crate::cluster::transport::open_session::SessionId;

impl Discovery {
    /// Chooses the access path, if that is left open: a session has received the first topology.
    pub(in crate::cluster) fn choose_path(&mut self, session: SessionId, facts: &Facts<'_>) -> Vec<Action> {
        let Some(open) = facts.transport.get(session).filter(|_| self.path == AccessPath::Auto) else {
            return Vec::new();
        };
        let has_cookies = self.peers.get(session).is_some_and(|peer| !peer.cookies.is_empty());
        let member = facts.members.get(open.member()).map(|known| known.address.to_string()).unwrap_or_default();
        let is_named = facts.members.current().contains(&open.member());
        let identity = self.identity(session);
        let (path, reason, may_be_wrong) = if facts.config.access.template.is_some() {
            (AccessPath::Direct, "host_template says where members are".to_string(), false)
        } else if is_named {
            (AccessPath::Direct, format!("the topology names {member}, which was dialled"), false)
        } else if identity.is_by_proxy() {
            (AccessPath::Connect, format!("the proxy's answer names the member ({identity})"), false)
        } else if identity.mode() == Some(Mode::FRONT) {
            (AccessPath::Header, "a gateway in front of all members answers (NODE)".to_string(), false)
        } else if identity.is_given() && identity.mode().is_none() {
            (AccessPath::Header, format!("a gateway answers ({identity}), which may lead to others"), true)
        } else if has_cookies {
            (AccessPath::Cookie, "the answer sets a cookie".to_string(), false)
        } else {
            (AccessPath::LoadBalancer, format!("the topology does not name {member}, which was dialled"), false)
        };
        let fallback = if has_cookies { AccessPath::Cookie } else { AccessPath::LoadBalancer };
        self.fallback = may_be_wrong.then_some(fallback);
        self.set_path(path, reason)
    }

    /// An endpoint has refused a session. A gateway that does not route to the requested member stands before one member
    /// alone: then the fallback becomes the access path.
    pub(in crate::cluster) fn session_refused(&mut self, end: &LinkEnd, facts: &Facts<'_>) -> Vec<Action> {
        let LinkEnd::Refused(refusal) = end else { return Vec::new() };
        if !matches!(refusal.status, 404 | 421) {
            return Vec::new();
        }
        let Some(path) = self.fallback.take() else { return Vec::new() };
        let actions = self.set_path(path, format!("the gateway leads to one member alone ({})", refusal.status));
        self.learn_all_cookies(facts);
        actions
    }

    fn set_path(&mut self, path: AccessPath, reason: String) -> Vec<Action> {
        self.path = path;
        let mut actions = Vec::new();
        if !path.is_searched() {
            actions.push(Action::ShareLinks);
        }
        actions.push(Action::Report(Event::AccessChosen { path: path.to_string(), reason }));
        actions
    }
}
