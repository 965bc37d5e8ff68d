//! Which access path is taken where the settings leave it to the first answers.

use alloc::string::{String, ToString};

use super::access::AccessPath;
use crate::carriage::{LinkEnd, Mode};
use crate::cluster::machine::Cluster;
use crate::cluster::output::{Event, Output};
use crate::cluster::transport::open_session::SessionId;

impl Cluster {
    /// A first topology has come by a session: chooses, if that is left open.
    pub(in crate::cluster) fn choose_access(&mut self, session: SessionId) {
        if self.config.access.path != AccessPath::Auto {
            return;
        }
        let Some(open) = self.transport.get(session) else { return };
        let has_cookies = !open.cookies.is_empty();
        let member = self.members.get(open.member()).map(|known| known.address.to_string()).unwrap_or_default();
        let is_named = self.current.contains(&open.member());
        let (identity, text) = (&open.identity, open.identity.text());
        let (path, reason, may_be_wrong) = if self.config.access.template.is_some() {
            (AccessPath::Direct, "host_template says where members are".to_string(), false)
        } else if is_named {
            (AccessPath::Direct, alloc::format!("the topology names {member}, which was dialled"), false)
        } else if identity.is_by_proxy {
            (AccessPath::Connect, alloc::format!("the proxy's answer names the member ({text})"), false)
        } else if identity.mode == Some(Mode::FRONT) {
            (AccessPath::Header, "a gateway in front of all members answers (NODE)".to_string(), false)
        } else if identity.says_something() && identity.mode.is_none() {
            (AccessPath::Header, alloc::format!("a gateway answers ({text}), which may lead to others"), true)
        } else if has_cookies {
            (AccessPath::Cookie, "the answer sets a cookie".to_string(), false)
        } else {
            (AccessPath::LoadBalancer, alloc::format!("the topology does not name {member}, which was dialled"), false)
        };
        let next = if has_cookies { AccessPath::Cookie } else { AccessPath::LoadBalancer };
        self.next_access = may_be_wrong.then_some(next);
        self.take_access(path, reason);
    }

    fn take_access(&mut self, path: AccessPath, reason: String) {
        self.config.access.path = path;
        if !path.is_searched() {
            self.transport.share_all_links();
        }
        let path = path.to_string();
        self.outputs.push_back(Output::Event(Event::AccessChosen { path, reason }));
    }

    /// A gateway does not lead to the member that it was asked for: it is before one alone.
    pub(in crate::cluster) fn note_access_refused(&mut self, end: &LinkEnd) {
        let LinkEnd::Refused(refusal) = end else { return };
        if !matches!(refusal.status, 404 | 421) {
            return;
        }
        let Some(path) = self.next_access.take() else { return };
        self.take_access(path, alloc::format!("the gateway leads to one member alone ({})", refusal.status));
        self.learn_all_cookies();
    }
}
