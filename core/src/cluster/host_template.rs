//! The form of every member's endpoint, where each pod has a name of its own.

use alloc::format;
use alloc::string::{String, ToString};
use core::str::FromStr;

use super::access::Endpoint;
use crate::wire::Member;

/// The form of endpoints, such as `{member}.hotrod.example.com:443`.
///
/// `{member}` stands for the first label of the advertised host (the name of a StatefulSet's pod), `{host}` for all of
/// it, `{port}` for the advertised port. The name is also that of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostTemplate {
    host: String,
    /// `None` for the advertised one.
    port: Option<u16>,
}

/// Why a text is no [`HostTemplate`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Every member would have the same endpoint.
    #[error("{0:?} names no member: it needs {{member}} or {{host}} in the host, or {{port}} for the port")]
    NamesNoMember(String),
    /// Braces around something else.
    #[error("{0:?} has a placeholder that does not exist: known are {{member}}, {{host}} and {{port}}")]
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
        let fixed = host.replace("{member}", "").replace("{host}", "");
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
        if fixed == host && port.is_some() {
            return Err(TemplateError::NamesNoMember(text.to_string()));
        }
        Ok(Self { host: host.to_string(), port })
    }
}

impl HostTemplate {
    /// The endpoint of a member.
    pub fn endpoint(&self, member: &Member) -> Endpoint {
        let is_address = member.host.contains(':') || member.host.split('.').all(|part| part.parse::<u8>().is_ok());
        // An IP address has no labels: dots and colons would make other names of it.
        let label = if is_address {
            member.host.replace(['.', ':'], "-")
        } else {
            member.host.split('.').next().unwrap_or_default().to_string()
        };
        let host = self.host.replace("{member}", &label).replace("{host}", &member.host);
        Endpoint { server_name: Some(host.clone()), host, port: self.port.unwrap_or(member.port) }
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
        let endpoint = template("{member}.hotrod.example.com:443").endpoint(&member("pod-1.svc.cluster.local"));
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("pod-1.hotrod.example.com", 443));
        assert_eq!(endpoint.server_name.as_deref(), Some("pod-1.hotrod.example.com"));
        let endpoint = template("{member}.example.com").endpoint(&member("10.0.0.7"));
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("10-0-0-7.example.com", 11222));
        let endpoint = template("gate.example.com:{port}").endpoint(&member("pod-2"));
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("gate.example.com", 11222));
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
