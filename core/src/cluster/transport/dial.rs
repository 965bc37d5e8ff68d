//! How the host establishes a link: all settings of a connection, so that hosts decide nothing.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::carriage::Choice;
use crate::cluster::config::Config;
use crate::cluster::discovery::endpoint::Endpoint;
use crate::http1::{Tunnel, TunnelError};
use crate::sasl::Secret;
use crate::wire::Member;

/// A connection to be established: TCP, then TLS if there are settings of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dial {
    /// Host name or IP address, without brackets: the member's, or a proxy's.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS to be established before [`handle_connected`](super::super::Cluster::handle_connected); `None` for none.
    pub tls: Option<Tls>,
}

/// TLS of one link. The server's certificate is always checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tls {
    /// The name for SNI (none is sent for an IP address) and for the verification of the server's certificate.
    pub server_name: String,
    /// ALPN ids to offer, in order; if empty, the extension is left out.
    pub alpn: Vec<String>,
    /// PEM file with the trust anchors; `None` for those of the system.
    pub trust_ca: Option<String>,
    /// The certificate to show; `None` for none.
    pub client_certificate: Option<ClientCertificate>,
}

/// A client's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// PEM file with the chain.
    pub certificate: String,
    /// PEM file with the private key.
    pub key: String,
    /// Pass phrase of an encrypted key. A host without it refuses the key rather than prompt.
    pub key_password: Option<Secret>,
}

impl ClientCertificate {
    /// Creates a certificate from two PEM files: the chain and the private key.
    pub fn new(certificate: impl Into<String>, key: impl Into<String>) -> Self {
        Self { certificate: certificate.into(), key: key.into(), key_password: None }
    }
}

/// TLS of all links.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TlsConfig {
    /// As [`Tls::server_name`], for every endpoint that has none of its own; `None` for the host that is dialled.
    pub server_name: Option<String>,
    /// As [`Tls::alpn`]. Default: those of the carriage; none for raw Hot Rod. (Infinispan up to 16 selects `HR` if that is offered, and then closes the
    /// connection; it speaks Hot Rod after any other, and after none.)
    pub alpn: Vec<String>,
    /// As [`Tls::trust_ca`].
    pub trust_ca: Option<String>,
    /// As [`Tls::client_certificate`].
    pub client_certificate: Option<ClientCertificate>,
}

/// A forward proxy that tunnels by CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proxy {
    /// Its address; it is reached without TLS.
    pub address: Member,
    /// User and password, if it asks for them.
    pub credentials: Option<(String, Secret)>,
}

impl Proxy {
    /// Creates a proxy without credentials.
    pub fn new(address: Member) -> Self {
        Self { address, credentials: None }
    }

    pub(in crate::cluster) fn tunnel_to(&self, endpoint: &Endpoint) -> Result<Tunnel, TunnelError> {
        let target = Member { host: endpoint.host.clone(), port: endpoint.port };
        Tunnel::new(&target, self.credentials.as_ref().map(|(user, password)| (user.as_str(), password)))
    }
}

impl Config {
    /// The connection for an endpoint. Through a proxy TLS comes after the tunnel.
    pub(in crate::cluster) fn dial(&self, endpoint: &Endpoint, tls: Option<Tls>) -> Dial {
        match &self.proxy {
            Some(proxy) => Dial { host: proxy.address.host.clone(), port: proxy.address.port, tls: None },
            None => Dial { host: endpoint.host.clone(), port: endpoint.port, tls },
        }
    }

    /// TLS with an endpoint, for the carriages of `choice`.
    pub(in crate::cluster) fn tls_for(&self, endpoint: &Endpoint, choice: Choice) -> Option<Tls> {
        let TlsConfig { server_name, mut alpn, trust_ca, client_certificate } = self.tls.clone()?;
        if alpn.is_empty() {
            alpn = choice.alpn().iter().map(ToString::to_string).collect();
        }
        // The name of the endpoint takes precedence over the one for all.
        let server_name = endpoint.server_name.as_deref().or(server_name.as_deref()).unwrap_or(&endpoint.host);
        Some(Tls { server_name: name_in_certificates(server_name).into(), alpn, trust_ca, client_certificate })
    }
}

/// Returns a host in the form of certificates and SNI: a fully qualified name without its last dot (RFC 6066, 3), an IPv6 address without its
/// zone, which only this machine knows (RFC 6874, 1).
fn name_in_certificates(host: &str) -> &str {
    match host.split_once('%') {
        Some((address, _zone)) if address.contains(':') => address,
        _ => host.strip_suffix('.').unwrap_or(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_name(host: &str, own: Option<&str>, of_all: Option<&str>) -> String {
        let endpoint = Endpoint { host: host.into(), port: 11222, server_name: own.map(Into::into) };
        let tls = TlsConfig { server_name: of_all.map(Into::into), ..TlsConfig::default() };
        let config = Config { tls: Some(tls), ..Config::default() };
        config.tls_for(&endpoint, Choice::Auto).unwrap().server_name
    }

    #[test]
    fn a_fully_qualified_name_is_verified_without_its_last_dot() {
        assert_eq!(server_name("infinispan.svc.cluster.local.", None, None), "infinispan.svc.cluster.local");
        assert_eq!(server_name("10.0.0.1", Some("pod-1.example.com."), None), "pod-1.example.com");
        assert_eq!(server_name("10.0.0.1", None, Some("example.com.")), "example.com");
    }

    #[test]
    fn an_address_is_verified_without_its_zone() {
        assert_eq!(server_name("fe80::1%lo", None, None), "fe80::1");
        assert_eq!(server_name("127.0.0.1", None, None), "127.0.0.1");
    }
}
