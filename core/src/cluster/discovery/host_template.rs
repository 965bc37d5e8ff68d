//! The form of every member's endpoint, where each pod has a name of its own.

use alloc::format;
use alloc::string::{String, ToString};
use core::str::FromStr;

use super::endpoint::Endpoint;
use super::member_hosts::MemberHosts;
use crate::wire::Member;

/// The form of endpoints, such as `{member}.hotrod.example.com:443`.
///
/// `{member}` stands for the first label of the advertised host (the name of a StatefulSet's pod), `{ordinal}` for the number
/// behind its last `-`, `{namespace}` for the third label (`pod.service.namespace.svc…`), `{host}` for all of it, `{port}` for
/// the advertised port. The name is also that of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostTemplate {
    host: String,
    /// `None` for the advertised one.
    port: Option<u16>,
}

/// The placeholders by which members differ, and `{namespace}`, by which they do not.
const NAMING: [&str; 3] = ["{member}", "{ordinal}", "{host}"];
const NAMESPACE: &str = "{namespace}";

/// Why a text is no [`HostTemplate`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Every member would have the same endpoint.
    #[error(
        "{0:?} names no member: it needs {{member}}, {{ordinal}} or {{host}} in the host, or {{port}} for the port"
    )]
    NamesNoMember(String),
    /// Braces around something else.
    #[error(
        "{0:?} has a placeholder that does not exist: known are {{member}}, {{ordinal}}, {{namespace}}, {{host}} and {{port}}"
    )]
    UnknownPlaceholder(String),
    /// Neither a number nor `{port}`.
    #[error("{0:?} is no port: expected a number from 1 to 65535, or {{port}}")]
    Port(String),
    /// Nothing before the port.
    #[error("the template has no host")]
    NoHost,
}

impl FromStr for HostTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (host, port) = text.rsplit_once(':').map_or((text, "{port}"), |(host, port)| (host, port));
        if host.is_empty() {
            return Err(TemplateError::NoHost);
        }
        let unnamed = NAMING.iter().fold(host.to_string(), |host, placeholder| host.replace(placeholder, ""));
        let fixed = unnamed.replace(NAMESPACE, "");
        if fixed.contains(['{', '}']) {
            return Err(TemplateError::UnknownPlaceholder(text.to_string()));
        }
        let port = match port {
            "{port}" => None,
            number => match number.parse() {
                Ok(1..) => number.parse().ok(),
                _ => return Err(TemplateError::Port(number.to_string())),
            },
        };
        if unnamed == host && port.is_some() {
            return Err(TemplateError::NamesNoMember(text.to_string()));
        }
        Ok(Self { host: host.to_string(), port })
    }
}

impl HostTemplate {
    /// Adds the hosts that it names whatever a server advertises: the domain behind its last placeholder, if that has two
    /// labels, or the host without placeholders.
    pub(super) fn add_named_hosts(&self, hosts: &mut MemberHosts) {
        let Some((_, behind)) = self.host.rsplit_once('}') else { return hosts.add_host(&self.host) };
        if let Some((_, domain)) = behind.split_once('.').filter(|(_, domain)| domain.contains('.')) {
            hosts.add_domain(domain);
        }
    }

    /// The endpoint of a member; `None` if its host has no such part as the template asks for.
    pub fn endpoint(&self, member: &Member) -> Option<Endpoint> {
        let mut labels = member.host.split('.');
        // An IP address has no labels: dots and colons would make other names of it.
        let label = match member.host.parse::<core::net::IpAddr>() {
            Ok(_) => {
                labels = "".split('.');
                member.host.replace(['.', ':'], "-")
            }
            Err(_) => labels.next().unwrap_or_default().to_string(),
        };
        let mut host = self.host.replace("{member}", &label).replace("{host}", &member.host);
        if host.contains("{ordinal}") {
            let ordinal = label.rsplit_once('-').map(|(_, ordinal)| ordinal);
            host = host.replace("{ordinal}", ordinal.filter(|ordinal| ordinal.parse::<u32>().is_ok())?);
        }
        if host.contains(NAMESPACE) {
            host = host.replace(NAMESPACE, labels.nth(1)?);
        }
        Some(Endpoint { server_name: Some(host.clone()), host, port: self.port.unwrap_or(member.port) })
    }
}

impl core::fmt::Display for HostTemplate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let port = self.port.map_or_else(|| "{port}".to_string(), |port| format!("{port}"));
        write!(f, "{}:{port}", self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(host: &str) -> Member {
        Member { host: host.into(), port: 11222 }
    }

    fn template(text: &str) -> HostTemplate {
        text.parse().unwrap()
    }

    #[test]
    fn a_template_makes_an_endpoint_and_its_tls_name() {
        let endpoint =
            template("{member}.hotrod.example.com:443").endpoint(&member("pod-1.svc.cluster.local")).unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("pod-1.hotrod.example.com", 443));
        assert_eq!(endpoint.server_name.as_deref(), Some("pod-1.hotrod.example.com"));
        let endpoint = template("{member}.example.com").endpoint(&member("10.0.0.7")).unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("10-0-0-7.example.com", 11222));
        let endpoint = template("gate.example.com:{port}").endpoint(&member("pod-2")).unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("gate.example.com", 11222));
    }

    #[test]
    fn parts_of_a_pods_name_that_are_not_there_make_no_endpoint() {
        let of = |text: &str, host: &str| template(text).endpoint(&member(host)).map(|endpoint| endpoint.host);
        let pod = "infinispan-12.members.prod.svc.cluster.local";
        assert_eq!(of("n{ordinal}.{namespace}.example.com:443", pod).as_deref(), Some("n12.prod.example.com"));
        for host in ["infinispan", "infinispan-a.members.prod.svc", "infinispan-1.members", "10.0.0.7"] {
            assert_eq!(of("n{ordinal}.{namespace}.example.com:443", host), None, "{host}");
        }
        assert!("{namespace}.example.com:443".parse::<HostTemplate>().is_err(), "all members would have the same");
    }

    #[test]
    fn a_template_that_names_no_member_is_refused() {
        assert_eq!(
            "gate.example.com:443".parse::<HostTemplate>(),
            Err(TemplateError::NamesNoMember("gate.example.com:443".into()))
        );
        assert!(matches!("{pod}.x:1".parse::<HostTemplate>(), Err(TemplateError::UnknownPlaceholder(_))));
        assert!(matches!("{member}.x:0".parse::<HostTemplate>(), Err(TemplateError::Port(_))));
        assert!(matches!(":{port}".parse::<HostTemplate>(), Err(TemplateError::NoHost)));
    }
}
