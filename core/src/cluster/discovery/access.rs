//! Settings of how members are reached.
//!
//! A member's identity is the address that the topology advertises. Where that address can't be reached, its endpoint comes
//! from the first of these that has one: the explicit map, the host template, the endpoints that the application has
//! discovered, the access path.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64, Encoding as _};

use super::endpoint::Endpoint;
use super::host_template::HostTemplate;
use crate::wire::Member;

/// How members are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum AccessPath {
    /// At the addresses that they advertise.
    #[default]
    Direct,
    /// Through a gateway: at the seeds, where a header field names the member.
    Header,
    /// Through a proxy that ends CONNECT before unmodified servers: at the seeds, where a header field or the authority names
    /// the member.
    Connect,
    /// Through a router with sticky cookies before a gateway in each pod: the member that answers is remembered with its
    /// cookie, which leads to it again.
    Cookie,
    /// Through a balancer that chooses by itself: a session is kept if its member has none yet, until all members have one.
    LoadBalancer,
    /// Chosen by the first answers.
    Auto,
}

impl AccessPath {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Direct, Self::Header, Self::Connect, Self::Cookie, Self::LoadBalancer, Self::Auto];

    /// Its name in connection URIs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Header => "header",
            Self::Connect => "connect",
            Self::Cookie => "cookie",
            Self::LoadBalancer => "load-balancer",
            Self::Auto => "auto",
        }
    }

    /// Whether a cookie leads to the member that had set it.
    pub(super) fn goes_by_cookie(self) -> bool {
        self == Self::Cookie
    }

    /// Whether members have to be searched for: no address of a topology is dialled.
    pub(in crate::cluster) fn is_searched(self) -> bool {
        matches!(self, Self::Cookie | Self::LoadBalancer | Self::Auto)
    }
}

impl fmt::Display for AccessPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AccessPath {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|path| path.name() == text).ok_or(())
    }
}

/// The header field that names the requested member to a proxy, and the member that has answered to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectHeader {
    /// Its name, in lower case. Default `hot-rod-node`.
    pub name: String,
    /// The form of the member's advertised address in it.
    pub encoding: AddressEncoding,
}

impl Default for ConnectHeader {
    fn default() -> Self {
        Self { name: "hot-rod-node".into(), encoding: AddressEncoding::default() }
    }
}

/// The form of an address in a header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressEncoding {
    /// `address:port` in base64, as Envoy's stateful session has it.
    #[default]
    Base64,
    /// `address:port`.
    Plain,
}

impl FromStr for AddressEncoding {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "base64" => Ok(Self::Base64),
            "plain" => Ok(Self::Plain),
            _ => Err(()),
        }
    }
}

impl AddressEncoding {
    pub(in crate::cluster) fn write(self, member: &Member) -> String {
        let address = member.to_string();
        match self {
            Self::Base64 => Base64::encode_string(address.as_bytes()),
            Self::Plain => address,
        }
    }

    /// `None` if it is no address.
    pub(super) fn read(self, value: &[u8]) -> Option<Member> {
        let plain = |value: &[u8]| Member::parse(core::str::from_utf8(value).ok()?);
        match self {
            Self::Base64 => plain(&Base64::decode_vec(core::str::from_utf8(value).ok()?).ok()?),
            Self::Plain => plain(value),
        }
    }
}

/// Settings of how members are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Access {
    /// How members are reached where neither of the following knows an endpoint.
    pub path: AccessPath,
    /// Members whose endpoint is known beforehand. The strongest answer.
    pub explicit: BTreeMap<Member, Endpoint>,
    /// The form of every member's endpoint.
    pub template: Option<HostTemplate>,
    /// The header field that names the member, on [`AccessPath::Connect`].
    pub connect_header: ConnectHeader,
    /// On [`AccessPath::Connect`], the authority of a request before a member is known, such as a Service's name in the
    /// cluster. With it the authority names members too, by their advertised address, and there is no header field. Default:
    /// none.
    pub connect_authority: Option<Member>,
    /// The cookies that lead to a member, on [`AccessPath::Cookie`]. Default: every one that an answer sets.
    pub cookie_names: Vec<String>,
    /// The probe cache, which identifies members that do not state who they are, on [`AccessPath::LoadBalancer`]: it is created
    /// if it does not exist, and used for nothing else. `None` for none. Default `libhotrod-probe`.
    pub probe_cache: Option<String>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            path: AccessPath::default(),
            explicit: BTreeMap::new(),
            template: None,
            connect_header: ConnectHeader::default(),
            connect_authority: None,
            cookie_names: Vec::new(),
            probe_cache: Some("libhotrod-probe".into()),
        }
    }
}

impl Access {
    /// The endpoint at which a member is dialled.
    ///
    /// `None` if it is reached at the seeds.
    pub fn endpoint(&self, member: &Member) -> Option<Endpoint> {
        let is_dialled = || self.path == AccessPath::Direct && self.template.is_none();
        self.configured_endpoint(member).or_else(|| is_dialled().then(|| member.into()))
    }

    /// The endpoint of a member by the explicit map or else by the template.
    pub(super) fn configured_endpoint(&self, member: &Member) -> Option<Endpoint> {
        self.explicit.get(member).cloned().or_else(|| self.template_endpoint(member))
    }

    /// Whether there is a [`configured_endpoint`](Self::configured_endpoint).
    pub(super) fn has_configured_endpoint(&self, member: &Member) -> bool {
        self.explicit.contains_key(member) || self.template_endpoint(member).is_some()
    }

    pub(super) fn template_endpoint(&self, member: &Member) -> Option<Endpoint> {
        self.template.as_ref().and_then(|template| template.endpoint(member))
    }

    /// The endpoint of a seed: its address, unless the explicit map has another.
    pub(in crate::cluster) fn seed_endpoint(&self, seed: &Member) -> Endpoint {
        self.explicit.get(seed).cloned().unwrap_or_else(|| seed.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(host: &str) -> Member {
        Member { host: host.into(), port: 11222 }
    }

    #[test]
    fn every_path_has_a_name_that_leads_back_to_it() {
        for path in AccessPath::ALL {
            assert_eq!(path.name().parse(), Ok(path));
        }
        assert_eq!("route".parse::<AccessPath>(), Err(()));
    }

    #[test]
    fn an_address_comes_back_out_of_either_encoding() {
        let address = member("10.0.0.7");
        assert_eq!(AddressEncoding::Base64.write(&address), "MTAuMC4wLjc6MTEyMjI=");
        for encoding in [AddressEncoding::Base64, AddressEncoding::Plain] {
            assert_eq!(encoding.read(encoding.write(&address).as_bytes()), Some(address.clone()));
        }
        assert_eq!(AddressEncoding::Base64.read(b"infinispan-1"), None);
    }

    #[test]
    fn explicit_beats_template_beats_advertised() {
        let member = member("pod-1");
        let endpoint = |host: &str| Endpoint { host: host.into(), port: 1, server_name: None };
        let mut access = Access::default();
        assert_eq!(access.endpoint(&member).unwrap().host, "pod-1");
        access.template = "{member}.template:1".parse().ok();
        assert_eq!(access.endpoint(&member).unwrap().host, "pod-1.template");
        access.explicit.insert(member.clone(), endpoint("explicit"));
        assert_eq!(access.endpoint(&member).unwrap().host, "explicit");
    }
}
