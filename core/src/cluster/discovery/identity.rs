//! The identity of a session's other end, as it states it.

use alloc::string::{String, ToString};
use core::fmt;

use super::Facts;
use super::access::ConnectHeader;
use crate::carriage::registry::{ADDRESS_FIELD, NODE_FIELD};
use crate::carriage::{Mode, Node};
use crate::cluster::members::MemberId;
use crate::http1::Fields;
use crate::wire::Member;

/// The statements of a session's other end about itself. They are believed: a peer that lies makes operations go to a member
/// that has to forward them, and does no worse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// A gateway's name for its member.
    name: Option<String>,
    /// The address under which topologies name it.
    address: Option<Member>,
    /// The mode of a gateway.
    mode: Option<Mode>,
    /// Whether the address comes from a proxy's header field.
    is_by_proxy: bool,
}

impl Identity {
    /// The identity of a peer that has sent none.
    pub(super) const NONE: Self = Self { name: None, address: None, mode: None, is_by_proxy: false };

    /// Reads the fields of an answer: a gateway's, or those of a proxy that ends CONNECT.
    pub(super) fn read(&mut self, fields: &Fields, header: &ConnectHeader) {
        if let Some(address) = fields.get(&header.name).and_then(|value| header.encoding.read(value)) {
            self.address = Some(address);
            self.is_by_proxy = true;
            return;
        }
        self.name = fields.text(NODE_FIELD).map(ToString::to_string).or(self.name.take());
        self.address = fields.text(ADDRESS_FIELD).and_then(Member::parse).or(self.address.take());
    }

    /// Reads a gateway's NODE.
    pub(super) fn read_node(&mut self, node: &Node) {
        self.name = Some(node.name.clone());
        self.address = node.address().or(self.address.take());
        self.mode = Some(node.mode);
    }

    /// Sets the address that the probe cache has found.
    pub(super) fn set_address(&mut self, address: Member) {
        self.address = Some(address);
    }

    pub(super) fn has_address(&self) -> bool {
        self.address.is_some()
    }

    /// Whether there is a name or an address.
    pub(super) fn is_given(&self) -> bool {
        self.name.is_some() || self.address.is_some()
    }

    pub(super) fn mode(&self) -> Option<Mode> {
        self.mode
    }

    pub(super) fn is_by_proxy(&self) -> bool {
        self.is_by_proxy
    }

    /// The member of the present topology with this address, or else the only one with this name: the name is the whole
    /// address, the host, or the first label of the host.
    pub(super) fn member(&self, facts: &Facts<'_>) -> Option<MemberId> {
        let addresses =
            || facts.members.current().iter().filter_map(|id| Some((*id, &facts.members.get(*id)?.address)));
        let of_address = |wanted: &Member| addresses().find(|(_, address)| *address == wanted).map(|(id, _)| id);
        if let Some(found) = self.address.as_ref().and_then(of_address) {
            return Some(found);
        }
        let name = self.name.as_deref()?;
        let is_named = |address: &Member| {
            let label = address.host.split('.').next();
            address.host == name || address.to_string() == name || label == Some(name) && !is_ip_address(&address.host)
        };
        let mut named = addresses().filter(|(_, address)| is_named(address));
        let (found, _) = named.next()?;
        named.next().is_none().then_some(found)
    }
}

/// For people.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, &self.name) {
            (Some(address), _) => write!(f, "{address}"),
            (None, Some(name)) => f.write_str(name),
            (None, None) => f.write_str("a server that does not say who it is"),
        }
    }
}

fn is_ip_address(host: &str) -> bool {
    host.parse::<core::net::IpAddr>().is_ok()
}
