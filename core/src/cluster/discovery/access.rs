//! How a member is dialled, which is another thing than who it is.
//!
//! A member's identity is the address that the topology advertises. Where that address can't be reached, the answer
//! to "where do I dial?" comes from elsewhere; the first of these that knows one is taken: an explicit map, a host
//! template, what was discovered, the access path.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64, Encoding as _};

use super::host_template::HostTemplate;
use crate::uri::server_of;
use crate::wire::Member;

/// Where and how to dial a member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Host name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The name to ask for in TLS (SNI) and to find in the server's certificate; `None` for the host's settings, or the
    /// host.
    pub server_name: Option<String>,
}

impl Endpoint {
    /// `host:port`, an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        Member { host: self.host.clone(), port: self.port }.to_string()
    }
}

impl From<&Member> for Endpoint {
    fn from(member: &Member) -> Self {
        Self { host: member.host.clone(), port: member.port, server_name: None }
    }
}

/// How members are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum AccessPath {
    /// At the addresses that they advertise.
    #[default]
    Direct,
    /// Through a gateway: at the seeds, which are told by a header field which member is meant.
    Header,
    /// Through a proxy that ends CONNECT before unmodified servers: at the seeds, which are told by a header field or by
    /// the authority which member is meant.
    Connect,
    /// Through a router with sticky cookies before a gateway in each pod: whoever answers is remembered with its cookie, and asked for by
    /// that.
    Cookie,
    /// Through a balancer that can't be told anything: whoever answers is kept if it is new, until all are there.
    LoadBalancer,
    /// What the first answers suggest.
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
    pub(in crate::cluster) fn goes_by_cookie(self) -> bool {
        self == Self::Cookie
    }

    /// Whether members are not asked for and have to be found: no address of a topology is dialled.
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

/// The header field by which a proxy is told which member is meant, and by which it tells who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectHeader {
    /// Its name, in lower case. Default `hot-rod-node`.
    pub name: String,
    /// How the member's advertised address stands in it.
    pub encoding: AddressEncoding,
}

impl Default for ConnectHeader {
    fn default() -> Self {
        Self { name: "hot-rod-node".into(), encoding: AddressEncoding::default() }
    }
}

/// How an address is written into a header field.
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
    pub(in crate::cluster) fn read(self, value: &[u8]) -> Option<Member> {
        let plain = |value: &[u8]| server_of(core::str::from_utf8(value).ok()?);
        match self {
            Self::Base64 => plain(&Base64::decode_vec(core::str::from_utf8(value).ok()?).ok()?),
            Self::Plain => plain(value),
        }
    }
}

/// The answers to "where do I dial this member?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// How members are reached where neither of the following knows an endpoint.
    pub path: AccessPath,
    /// Members whose endpoint is known beforehand. The strongest answer.
    pub explicit: BTreeMap<Member, Endpoint>,
    /// The form of every member's endpoint.
    pub template: Option<HostTemplate>,
    /// How a proxy is told which member is meant, on [`AccessPath::Connect`].
    pub connect_header: ConnectHeader,
    /// On [`AccessPath::Connect`], what is named as the authority before a member is known, such as a Service's name in the
    /// cluster; members are named by their advertised address then, and no header field is. Default: none.
    pub connect_authority: Option<Member>,
    /// The cookies that lead to a member, on [`AccessPath::Cookie`]. Default: every one that an answer sets.
    pub cookie_names: Vec<String>,
    /// The cache by which members are told apart that do not say who they are, on [`AccessPath::LoadBalancer`]: it is made if
    /// it is not there, and used for nothing else. `None` for none. Default `libhotrod-probe`.
    pub probe_cache: Option<String>,
    /// What was found out while running.
    pub(in crate::cluster) discovered: BTreeMap<Member, Endpoint>,
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
            discovered: BTreeMap::new(),
        }
    }
}

impl Access {
    /// Where a member is dialled.
    ///
    /// `None` if that is at the seeds, which lead to it, or may.
    pub fn endpoint(&self, member: &Member) -> Option<Endpoint> {
        let known = self.explicit.get(member).cloned();
        known
            .or_else(|| self.template.as_ref().and_then(|template| template.endpoint(member)))
            .or_else(|| self.discovered.get(member).cloned())
            .or_else(|| (self.path == AccessPath::Direct && self.template.is_none()).then(|| member.into()))
    }

    /// Whether it is known where a member is dialled, if its path leads to no member that is not found first.
    pub(in crate::cluster) fn knows(&self, member: &Member) -> bool {
        self.template.as_ref().is_some_and(|template| template.endpoint(member).is_some())
            || self.explicit.contains_key(member)
            || self.discovered.contains_key(member)
    }

    /// Where to dial a seed, which is an endpoint already unless the explicit map says otherwise.
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
    fn explicit_beats_template_beats_discovered_beats_advertised() {
        let member = member("pod-1");
        let endpoint = |host: &str| Endpoint { host: host.into(), port: 1, server_name: None };
        let mut access = Access::default();
        assert_eq!(access.endpoint(&member).unwrap().host, "pod-1");
        access.discovered.insert(member.clone(), endpoint("discovered"));
        assert_eq!(access.endpoint(&member).unwrap().host, "discovered");
        access.template = "{member}.template:1".parse().ok();
        assert_eq!(access.endpoint(&member).unwrap().host, "pod-1.template");
        access.explicit.insert(member.clone(), endpoint("explicit"));
        assert_eq!(access.endpoint(&member).unwrap().host, "explicit");
    }
}
