//! Who answers, as far as an answer says it.

use alloc::string::{String, ToString};

use super::access::ConnectHeader;
use crate::carriage::registry::{ADDRESS_FIELD, NODE_FIELD};
use crate::carriage::{Mode, Node};
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::http1::Fields;
use crate::uri::server_of;
use crate::wire::Member;

/// What the other end of a session has said of itself. It is believed: whoever lies leads to a member that has to forward
/// operations, and to nothing worse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cluster) struct Identity {
    /// A gateway's name for its member.
    name: Option<String>,
    /// The address under which topologies know it.
    address: Option<Member>,
    /// What a gateway is.
    pub(in crate::cluster) mode: Option<Mode>,
    /// A proxy's header field has told the address.
    pub(in crate::cluster) is_by_proxy: bool,
}

impl Identity {
    /// From the fields of an answer: a gateway's, or those of a proxy that ends CONNECT.
    pub(in crate::cluster) fn read(&mut self, fields: &Fields, header: &ConnectHeader) {
        if let Some(address) = fields.get(&header.name).and_then(|value| header.encoding.read(value)) {
            self.address = Some(address);
            self.is_by_proxy = true;
            return;
        }
        self.name = fields.text(NODE_FIELD).map(ToString::to_string).or(self.name.take());
        self.address = fields.text(ADDRESS_FIELD).and_then(server_of).or(self.address.take());
    }

    /// From NODE.
    pub(in crate::cluster) fn read_node(&mut self, node: &Node) {
        self.name = Some(node.name.clone());
        self.address = node.address().or(self.address.take());
        self.mode = Some(node.mode);
    }

    /// It was found out.
    pub(in crate::cluster) fn is_at(&mut self, address: Member) {
        self.address = Some(address);
    }

    pub(in crate::cluster) fn has_address(&self) -> bool {
        self.address.is_some()
    }

    pub(in crate::cluster) fn says_something(&self) -> bool {
        self.name.is_some() || self.address.is_some()
    }

    /// For people.
    pub(in crate::cluster) fn text(&self) -> String {
        match (&self.address, &self.name) {
            (Some(address), _) => address.to_string(),
            (None, Some(name)) => name.clone(),
            (None, None) => "a server that does not say who it is".into(),
        }
    }
}

impl Cluster {
    /// The member of the present topology that is meant: by its address, or else by a name that is the whole, the host, or the
    /// first label of the host of exactly one.
    pub(in crate::cluster) fn member_of(&self, identity: &Identity) -> Option<MemberId> {
        let addresses = || self.current.iter().filter_map(|id| Some((*id, &self.members.get(*id)?.address)));
        let of_address = |wanted: &Member| addresses().find(|(_, address)| *address == wanted).map(|(id, _)| id);
        if let Some(found) = identity.address.as_ref().and_then(of_address) {
            return Some(found);
        }
        let name = identity.name.as_deref()?;
        let is_meant = |address: &Member| {
            let label = address.host.split('.').next();
            address.host == name || address.to_string() == name || label == Some(name) && !is_ip_address(&address.host)
        };
        let mut meant = addresses().filter(|(_, address)| is_meant(address));
        let (found, _) = meant.next()?;
        meant.next().is_none().then_some(found)
    }
}

fn is_ip_address(host: &str) -> bool {
    host.parse::<core::net::IpAddr>().is_ok()
}
