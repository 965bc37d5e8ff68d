//! Selection of the member that a session request names (spec/hotrod-over-http.md, R-72 and R-81).

use core::net::IpAddr;

use crate::wire::Member;

/// Name of a member in a session request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeSelector<'a> {
    /// No name: the endpoint chooses.
    Any,
    /// The value of `Hot-Rod-Node`: a name or an address. Names are compared first.
    Node(&'a str),
    /// The authority of CONNECT: an address, or a name with any port. Addresses are compared first.
    Authority(&'a str),
}

impl<'a> NodeSelector<'a> {
    /// Returns the text of the request; `None` for [`Any`](Self::Any).
    pub fn text(self) -> Option<&'a str> {
        match self {
            Self::Any => None,
            Self::Node(text) | Self::Authority(text) => Some(text),
        }
    }

    /// Finds the member in a topology. A member's names are its host name and the first label of that, which is the
    /// name of a StatefulSet's pod; an IP address is no name. A name that two members share matches neither.
    pub fn find(self, members: &[Member]) -> Option<&Member> {
        let by_name = || self.names().find_map(|name| member_named(members, name));
        let by_address = || member_at(members, self.text()?);
        match self {
            Self::Any => None,
            Self::Node(_) => by_name().or_else(by_address),
            Self::Authority(_) => by_address().or_else(by_name),
        }
    }

    /// Returns the candidate names: the text, and for an authority also its host.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        let host = match self {
            Self::Authority(text) => text.rsplit_once(':').map(|(host, _)| host),
            Self::Any | Self::Node(_) => None,
        };
        self.text().into_iter().chain(host)
    }
}

fn member_at<'a>(members: &'a [Member], address: &str) -> Option<&'a Member> {
    let (host, port) = address.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    members.iter().find(|member| member.port == port && is_same_host(&member.host, host))
}

/// Compares names byte by byte.
fn member_named<'a>(members: &'a [Member], name: &str) -> Option<&'a Member> {
    let is_name = |host: &str| host.parse::<IpAddr>().is_err();
    let fits =
        |member: &&Member| is_name(&member.host) && [&member.host[..], first_label(&member.host)].contains(&name);
    let mut fitting = members.iter().filter(fits);
    fitting.next().filter(|_| fitting.next().is_none())
}

/// Compares host names without regard to case, and IP addresses by their value.
fn is_same_host(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// Returns the first label of a host name, or an IP address unchanged.
pub fn first_label(host: &str) -> &str {
    if host.parse::<IpAddr>().is_ok() { host } else { host.split('.').next().unwrap_or(host) }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use super::*;

    fn member(text: &str) -> Member {
        let (host, port) = text.rsplit_once(':').unwrap();
        Member { host: host.into(), port: port.parse().unwrap() }
    }

    fn members(texts: &[&str]) -> Vec<Member> {
        texts.iter().map(|text| member(text)).collect()
    }

    fn found(node: NodeSelector<'_>, members: &[Member]) -> Option<String> {
        node.find(members).map(ToString::to_string)
    }

    #[test]
    fn a_member_is_named_by_its_address_its_host_or_its_pod() {
        let members = members(&["pod-0.svc.local:11222", "pod-1.svc.local:11222", "10.0.0.7:11222", "10.0.0.7:11223"]);
        let node = |name| found(NodeSelector::Node(name), &members);
        for name in ["pod-1.svc.local:11222", "Pod-1.SVC.local:11222", "pod-1.svc.local", "pod-1"] {
            assert_eq!(node(name).as_deref(), Some("pod-1.svc.local:11222"), "{name}");
        }
        assert_eq!(node("10.0.0.7:11223").as_deref(), Some("10.0.0.7:11223"));
        for name in ["10.0.0.7", "10", "pod-2", "Pod-1", "pod-1:11222", "pod-1.svc", ""] {
            assert_eq!(node(name), None, "{name:?} is the name of no member, or of two");
        }
    }

    /// R-81 compares names; R-72 puts an address before a name with any port.
    #[test]
    fn names_are_compared_octet_by_octet_and_addresses_without_regard_to_case() {
        let members = members(&["pod-0.svc:11222", "pod-1.svc:11222", "POD-1:443"]);
        let node = |name| found(NodeSelector::Node(name), &members);
        let authority = |name| found(NodeSelector::Authority(name), &members);
        assert_eq!(node("pod-1.svc").as_deref(), Some("pod-1.svc:11222"));
        assert_eq!(node("Pod-1.svc"), None, "a host without a port is a name");
        assert_eq!(node("Pod-1.svc:11222").as_deref(), Some("pod-1.svc:11222"), "and with one an address");
        assert_eq!(node("POD-1").as_deref(), Some("POD-1:443"));
        assert_eq!(node("pod-1").as_deref(), Some("pod-1.svc:11222"));
        assert_eq!(authority("pod-1:443").as_deref(), Some("POD-1:443"), "the address");
        assert_eq!(authority("pod-1:80").as_deref(), Some("pod-1.svc:11222"), "the name");
        assert_eq!(authority("Pod-1:80"), None);
    }

    #[test]
    fn ip_addresses_are_compared_by_their_value() {
        let members = members(&["::1:1", "10.0.0.7:1"]);
        for name in ["[::1]:1", "[0:0:0:0:0:0:0:1]:1"] {
            assert_eq!(found(NodeSelector::Node(name), &members), Some(member("::1:1").to_string()), "{name}");
        }
        for name in ["[::1]:2", "[::1]", "10.0.0.7", "10.0.0.7:2"] {
            assert_eq!(found(NodeSelector::Node(name), &members), None, "{name}");
            assert_eq!(found(NodeSelector::Authority(name), &members), None, "{name}");
        }
    }

    #[test]
    fn an_authority_is_an_address_or_a_name_with_any_port() {
        let members = members(&["pod-0.svc:11222", "pod-1.svc:11222"]);
        for (authority, wanted) in [
            ("pod-1.svc:11222", Some("pod-1.svc:11222")),
            ("pod-1:443", Some("pod-1.svc:11222")),
            ("pod-0.svc:443", Some("pod-0.svc:11222")),
            ("pod-2:443", None),
        ] {
            assert_eq!(found(NodeSelector::Authority(authority), &members).as_deref(), wanted, "{authority}");
        }
        assert_eq!(found(NodeSelector::Any, &members), None);
    }
}
