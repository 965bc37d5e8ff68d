//! Connection URIs, in the form of Infinispan's own clients.
//!
//! ```text
//! hotrod://user:password@host:port,host2:port2/cache?property=value&property=value
//! hotrods://…      the same over TLS
//! ```
//!
//! User, password, cache and values are percent-encoded where needed; an IPv6 address is in brackets; the default port
//! is 11222. An unknown property is an error, so that a misspelt one is not ignored.
//!
//! ```
//! use hotrod_core::cluster::Config;
//! use hotrod_core::uri::{ConnectionUri, UriError};
//!
//! let uri: ConnectionUri = "hotrods://app:s3cret@one,[::1]:7000/dist?max_retries=5".parse()?;
//! assert!(uri.tls);
//! assert_eq!(uri.servers.iter().map(|server| server.port).collect::<Vec<_>>(), [11222, 7000]);
//! assert_eq!(uri.cache.as_deref(), Some("dist"));
//!
//! // `Display` is fit for a log: it omits the password.
//! assert_eq!(uri.to_string(), "hotrods://app@one:11222,[::1]:7000/dist");
//!
//! let config = Config::from_uri(&uri)?;
//! assert_eq!(config.max_retries, 5);
//!
//! let misspelt = "hotrod://one?max_retry=5".parse::<ConnectionUri>();
//! assert_eq!(misspelt, Err(UriError::UnknownProperty { name: "max_retry".into() }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod properties;
mod settings;

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::sasl::Secret;
use crate::wire::Member;

pub use properties::{PROPERTIES, Properties, PropertyInfo};
pub use settings::SettingsError;

/// A parsed connection URI.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionUri {
    /// Whether the scheme is `hotrods`.
    pub tls: bool,
    /// User name.
    pub username: Option<String>,
    /// The password, if there is one.
    pub password: Option<Secret>,
    /// Initial servers, in order.
    pub servers: Vec<Member>,
    /// Cache named by the path.
    pub cache: Option<String>,
    /// Properties of the query.
    pub properties: Properties,
}

/// Syntax error in a connection URI. Never shows the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// The scheme is missing or unknown.
    #[error("the URI must begin with hotrod:// or hotrods://")]
    Scheme,
    /// There is no host between `//` (or `@`) and the path.
    #[error("the URI names no server; the form is hotrod://user:password@host:port/cache")]
    NoServer,
    /// A server is not of the form `host` or `host:port`.
    #[error("server {0:?} is not of the form host:port (an IPv6 address stands in brackets)")]
    Server(String),
    /// A `%` is not followed by two hexadecimal digits, or the decoded text is not UTF-8.
    #[error("{0} is not percent-encoded UTF-8")]
    Encoding(&'static str),
    /// An `@` is behind the authority: probably the user or password contains an unencoded `/` or `?`.
    #[error("the user or password holds a character that must be percent-encoded: / is %2F, ? is %3F, @ is %40")]
    Unencoded,
    /// The property does not exist.
    #[error("there is no property {name:?}; known are {known}", known = properties::names())]
    UnknownProperty {
        /// Name of the property.
        name: String,
    },
    /// The value is not valid for the property.
    #[error("property {name} can't be {value:?}: expected {expected}")]
    Value {
        /// Name of the property.
        name: String,
        /// Rejected value.
        value: String,
        /// Description of valid values.
        expected: &'static str,
    },
}

impl FromStr for ConnectionUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let (tls, rest) = match (text.strip_prefix("hotrod://"), text.strip_prefix("hotrods://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(UriError::Scheme),
        };
        // An '@' behind the first '/' or '?' probably belongs to an unencoded password, which must not be shown.
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let behind = rest[authority_end..].split('&').next().unwrap_or("");
        if !rest[..authority_end].contains('@') && behind.contains('@') && !properties::starts_with_property(behind) {
            return Err(UriError::Unencoded);
        }
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, servers) = match authority.rsplit_once('@') {
            Some((user, servers)) => (Some(user), servers),
            None => (None, authority),
        };
        let (username, password) = match user {
            None => (None, None),
            Some(user) => {
                let (name, password) = user.split_once(':').map_or((user, None), |(name, word)| (name, Some(word)));
                let password = password.map(|word| decode("the password", word)).transpose()?;
                (Some(decode("the user", name)?), password.map(Secret::from))
            }
        };
        let cache = decode("the cache", path)?;
        Ok(Self {
            tls,
            username,
            password,
            servers: servers_of_authority(servers)?,
            cache: (!cache.is_empty()).then_some(cache),
            properties: query.map(Properties::parse).transpose()?.unwrap_or_default(),
        })
    }
}

fn decode(what: &'static str, text: &str) -> Result<String, UriError> {
    let mut parts = text.split('%').skip(1);
    let hex = |part: &str| part.len() >= 2 && part.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit);
    if !parts.all(hex) {
        return Err(UriError::Encoding(what));
    }
    percent_decode_str(text).decode_utf8().map(Cow::into_owned).map_err(|_| UriError::Encoding(what))
}

/// The servers of the authority. Hosts are percent-encoded: the zone of an IPv6 address begins with `%25` (RFC 6874).
fn servers_of_authority(text: &str) -> Result<Vec<Member>, UriError> {
    servers_of(&decode("a server", text)?)
}

/// Servers, separated by commas.
fn servers_of(text: &str) -> Result<Vec<Member>, UriError> {
    if text.is_empty() {
        return Err(UriError::NoServer);
    }
    text.split(',').map(|server| Member::parse(server).ok_or_else(|| UriError::Server(server.into()))).collect()
}

/// Omits the password and the token.
impl fmt::Debug for ConnectionUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionUri({self})")
    }
}

/// Writes the URI without password, token and other properties, fit for messages.
impl fmt::Display for ConnectionUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "hotrods://" } else { "hotrod://" })?;
        if let Some(username) = &self.username {
            write!(f, "{username}@")?;
        }
        for (index, server) in self.servers.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}", server.to_string().replace('%', "%25"))?;
        }
        self.cache.as_ref().map_or(Ok(()), |cache| write!(f, "/{cache}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::Mechanism;
    use alloc::format;
    use core::time::Duration;

    fn parse(text: &str) -> Result<ConnectionUri, UriError> {
        text.parse()
    }

    #[test]
    fn everything_a_uri_can_say() {
        let uri = parse(
            "hotrods://ad%40min:p%3Ass@one:1111,two,[::1]:3/my%20cache?sasl_mechanism=scram-sha-512&socket_timeout=250",
        )
        .unwrap();
        assert!(uri.tls);
        assert_eq!(uri.username.as_deref(), Some("ad@min"));
        assert_eq!(uri.password.as_ref().map(Secret::expose), Some("p:ss"));
        let servers: Vec<_> = uri.servers.iter().map(|server| (server.host.as_str(), server.port)).collect();
        assert_eq!(servers, [("one", 1111), ("two", Member::DEFAULT_PORT), ("::1", 3)]);
        assert_eq!(uri.cache.as_deref(), Some("my cache"));
        assert_eq!(uri.properties.socket_timeout, Some(Duration::from_millis(250)));
        assert_eq!(uri.properties.sasl_mechanism.map(Mechanism::name), Some("SCRAM-SHA-512"));
    }

    #[test]
    fn an_ipv6_address_has_a_zone() {
        let uri = parse("hotrod://[fe80::1%25lo]:11222,two%2Eexample").unwrap();
        let hosts: Vec<_> = uri.servers.iter().map(|server| server.host.as_str()).collect();
        assert_eq!(hosts, ["fe80::1%lo", "two.example"]);
        assert_eq!(parse(&uri.to_string()), Ok(uri));
        assert_eq!(parse("hotrod://[fe80::1%lo]"), Err(UriError::Encoding("a server")));
        let of_properties = parse("hotrod://one?site.b=[fe80::2%25lo]:1&host_names=one:1=[fe80::3%25lo]:2").unwrap();
        assert_eq!(of_properties.properties.sites[0].seeds[0].host, "fe80::2%lo");
        assert_eq!(of_properties.properties.host_names[0].1.host, "fe80::3%lo");
    }

    #[test]
    fn secrets_are_not_shown() {
        let uri = parse("hotrod://admin:changeme@one/?auth_token=topsecret&client_key_password=passphrase").unwrap();
        let shown = format!("{uri} {uri:?} {:?}", uri.properties);
        for secret in ["changeme", "topsecret", "passphrase"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("http://one", "must begin with hotrod://"),
            ("hotrod://", "names no server"),
            ("hotrod://one:0", "\"one:0\" is not of the form host:port"),
            ("hotrod://one:99999", "\"one:99999\""),
            ("hotrod://::1", "IPv6 address stands in brackets"),
            ("hotrod://a%2:b@one", "the user is not percent-encoded"),
            ("hotrod://me:pa/ss@one", "must be percent-encoded: / is %2F"),
            ("hotrod://one?timeout=1", "no property \"timeout\""),
            ("hotrod://one?socket_timeout=soon", "number of milliseconds"),
            ("hotrod://one?protocol_version=5.0", "a version from 2.0 to 4.1"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
