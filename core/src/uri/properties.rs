//! Properties of a connection URI.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

use super::{UriError, decode, servers_of};
use crate::carriage::{Choice, Inside};
use crate::cluster::{AccessPath, AddressEncoding, BindingPolicy, HostTemplate, MemberHosts, Proxy, Site};
use crate::http1;
use crate::sasl::{Mechanism, Secret};
use crate::wire::{Intelligence, MediaType, Member, Version};

/// A property, for documentation and tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyInfo {
    /// Name of the property; a name that ends in a dot is a prefix for a name of the user's choice.
    pub name: &'static str,
    /// Documentation of the property.
    pub doc: &'static str,
    /// Default of the property.
    pub default: &'static str,
}

const MEDIA_TYPE: &str = "a media type such as text/plain";

macro_rules! properties {
    ($($(#[doc = $doc:literal])* [$default:literal] $name:literal $field:ident: $type:ty;)*) => {
        /// Properties of a connection URI; those of Infinispan's Java client keep their names.
        #[derive(Clone, PartialEq, Eq, Default)]
        pub struct Properties {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        /// All properties.
        pub const PROPERTIES: &[PropertyInfo] =
            &[$(PropertyInfo { name: $name, doc: concat!($($doc),*).trim_ascii_start(), default: $default }),*];
    };
}

properties! {
    /// `auto`, or a version from `2.0` to `4.1`.
    ["`auto`: the newest that both sides know"] "protocol_version" protocol_version: Option<Version>;
    /// `basic`, `topology_aware` or `hash_distribution_aware`.
    ["`hash_distribution_aware`"] "client_intelligence" client_intelligence: Option<Intelligence>;
    /// The only SASL mechanism to use, such as `SCRAM-SHA-512`. `PLAIN` and the DIGEST mechanisms are used only if
    /// named here.
    ["the strongest that both sides know, at least SCRAM for a password; OAUTHBEARER, over TLS, for a token"] "sasl_mechanism" sasl_mechanism: Option<Mechanism>;
    /// Maximum number of SCRAM hash iterations; the session ends if the server requires more.
    ["100000"] "sasl_max_iterations" sasl_max_iterations: Option<u32>;
    /// Whether to bind SCRAM to the TLS connection (mechanisms with -PLUS): `auto` if the server offers it and
    /// `carriage` is `raw`, `none`, or `required`.
    ["`auto`"] "channel_binding" channel_binding: Option<BindingPolicy>;
    /// The realm of DIGEST mechanisms.
    ["the server's"] "auth_realm" auth_realm: Option<String>;
    /// The server's name in SASL.
    ["`infinispan`"] "auth_server_name" auth_server_name: Option<String>;
    /// The token of OAUTHBEARER.
    ["none"] "auth_token" auth_token: Option<Secret>;
    /// Timeout of a connection attempt, proxy and TLS included, in milliseconds.
    ["5000"] "connect_timeout" connect_timeout: Option<Duration>;
    /// Timeout of an operation over all its attempts, in milliseconds. A link that is silent for a third of it while
    /// operations are in flight is sent a PING, and is given up after two thirds, or 10 s if that is less.
    ["15000"] "socket_timeout" socket_timeout: Option<Duration>;
    /// Maximum number of times an operation that has reached a member is sent again, if that is safe.
    ["3"] "max_retries" max_retries: Option<u8>;
    /// Whether to repeat a plain write whose outcome is unknown: `false` where a late first attempt must not overwrite later writes.
    ["`true`"] "repeat_writes" repeat_writes: Option<bool>;
    /// Maximum number of sessions for operations with each member; each has a link of its own unless the carriage shares links.
    ["1"] "links_per_member" links_per_member: Option<usize>;
    /// Whether to open links to members as soon as a topology names them.
    ["`true`"] "connect_ahead" connect_ahead: Option<bool>;
    /// How long operations wait for a link to the owner of their key that is being opened or searched for, while another member
    /// could forward them, in milliseconds; 0 for not at all.
    ["1000"] "owner_wait" owner_wait: Option<Duration>;
    /// Idle time of a link after which a PING is sent, in milliseconds.
    ["30000"] "keep_alive" keep_alive: Option<Duration>;
    /// Idle time after which a session beyond a member's first is closed, in milliseconds.
    ["60000"] "idle_timeout" idle_timeout: Option<Duration>;
    /// Delay before the next attempt after a member's first failure, in milliseconds; doubled with each further
    /// failure.
    ["100"] "min_backoff" min_backoff: Option<Duration>;
    /// Upper bound on that delay, in milliseconds.
    ["10000"] "max_backoff" max_backoff: Option<Duration>;
    /// Upper bound on an honoured Retry-After, in milliseconds.
    ["300000"] "max_retry_after" max_retry_after: Option<Duration>;
    /// Maximum number of operations waiting for a member; further ones are rejected.
    ["10000"] "max_waiting" max_waiting: Option<usize>;
    /// Size of the largest request that is sent, in bytes of keys and values; larger ones are refused. Set it to the servers'
    /// `max-content-length`.
    ["none"] "max_request_size" max_request_size: Option<usize>;
    /// Media type of keys, such as `text/plain`, in caches for which the application declares none.
    ["that in which the cache stores them"] "key_media_type" key_media_type: Option<MediaType>;
    /// Media type of values in caches for which the application declares none.
    ["that in which the cache stores them"] "value_media_type" value_media_type: Option<MediaType>;
    /// Number of unread events of a listener at which its link is no longer read.
    ["1024"] "listener_queue" listener_queue: Option<usize>;
    /// Address at which to dial members, such as `{member}.hotrod.example.com:443`: `{member}` is the first label of
    /// the advertised host, `{ordinal}` the number behind its last `-`, `{namespace}` the third label, `{host}` the
    /// whole host, `{port}` the advertised port.
    ["as advertised"] "host_template" host_template: Option<HostTemplate>;
    /// Addresses at which to dial single members, in preference to any template, as comma-separated
    /// `advertised:port=host:port`.
    ["none"] "host_names" host_names: Vec<(Member, Member)>;
    /// Hosts at which members may be dialled in addition to the servers of this URI, comma-separated: names,
    /// `*.suffix`, addresses, blocks such as `10.0.0.0/8`; `*` for every host. Members of other hosts are not dialled,
    /// so they get no credentials.
    ["with credentials or TLS: what the servers of this URI cover (their parent domain; their private block, or /24, /64), otherwise `*`"] "member_hosts" member_hosts: Option<MemberHosts>;
    /// Forward proxy for CONNECT tunnels: `http://user:password@host:port`.
    ["none"] "proxy" proxy: Option<Proxy>;
    /// Carriage of sessions: `raw`, or over HTTP by `upgrade`, `connect`, `connect-http2`, `extended-connect` or
    /// `frames`; `auto` for the best one that the endpoint offers.
    ["`raw`"] "carriage" carriage: Option<Choice>;
    /// Protocol inside a tunnel of `upgrade` or `connect`: `hotrod`, or `frames` for a whole HTTP/2 connection with
    /// Hot Rod frames.
    ["`hotrod`"] "inside" inside: Option<Inside>;
    /// Access path to members: `direct`, at their advertised addresses; through the servers of this URI by `header`
    /// (names the member to a gateway), `connect` (names it to a proxy before unmodified servers), `cookie` (a
    /// router's sticky cookies), or `load-balancer` (opens sessions until every member has one); `auto` chooses by the
    /// first responses.
    ["`direct`"] "access" access: Option<AccessPath>;
    /// With `access=connect`: header field that names the member to the proxy.
    ["`hot-rod-node`"] "connect_header" connect_header: Option<String>;
    /// With `access=connect`: encoding of the member's `address:port` in that field, `base64` (Envoy's) or `plain`.
    ["`base64`"] "connect_encoding" connect_encoding: Option<AddressEncoding>;
    /// With `access=connect`: `host:port` named to the proxy before a member is known, such as a Service's name;
    /// members are then named in the same way, and not by a header field.
    ["none"] "connect_authority" connect_authority: Option<Member>;
    /// With `access=cookie`: comma-separated names of the router's cookies.
    ["every one that is set"] "cookie_names" cookie_names: Vec<String>;
    /// With `access=load-balancer`: cache by which to identify members that do not identify themselves; created if it
    /// does not exist, and used for nothing else. `none` disables it.
    ["`libhotrod-probe`"] "probe_cache" probe_cache: Option<String>;
    /// Comma-separated ALPN ids to offer in TLS.
    ["those of the carriage"] "alpn" alpn: Vec<String>;
    /// PEM file with the trusted certificate authorities.
    ["the system's"] "trust_ca" trust_ca: Option<String>;
    /// PEM file with the client's certificate chain; requires `client_key`.
    ["none"] "client_certificate" client_certificate: Option<String>;
    /// PEM file with the client's private key.
    ["none"] "client_key" client_key: Option<String>;
    /// Pass phrase of an encrypted `client_key`. In Rust, and so in the command line, the key must not be encrypted.
    ["none"] "client_key_password" client_key_password: Option<Secret>;
    /// Server name in TLS (SNI), verified against the server's certificate.
    ["the host"] "sni_host_name" sni_host_name: Option<String>;
    /// Servers of another cluster with the same caches, as `host:port,host:port`; sites are tried in order when the
    /// current cluster is lost.
    ["none"] "site." sites: Vec<Site>;
}

/// Names of all properties, for messages.
pub(super) fn names() -> String {
    let names: Vec<&str> = PROPERTIES.iter().map(|property| property.name).collect();
    names.join(", ")
}

/// Whether the text behind the authority begins with a known property.
pub(super) fn starts_with_property(path_and_query: &str) -> bool {
    let query = path_and_query.split_once('?').filter(|(path, _)| !path.contains('@'));
    let name = query.and_then(|(_, query)| query.split('=').next());
    name.is_some_and(|name| PROPERTIES.iter().any(|property| property.name == name))
}

impl Properties {
    pub(super) fn parse(query: &str) -> Result<Self, UriError> {
        let mut properties = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // The value may be a token.
            let value = Zeroizing::new(decode("a property's value", value)?);
            properties.set(name, &value)?;
        }
        Ok(properties)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), UriError> {
        let property = PropertyValue { name, value };
        match name {
            "protocol_version" if value.eq_ignore_ascii_case("auto") => self.protocol_version = None,
            "protocol_version" => {
                self.protocol_version = property.read(value.parse().ok(), "auto, or a version from 2.0 to 4.1")?;
            }
            "client_intelligence" => {
                let expected = "basic, topology_aware or hash_distribution_aware";
                self.client_intelligence = property.read(intelligence(value), expected)?;
            }
            "sasl_mechanism" => {
                let mechanism = Mechanism::from_name(&value.to_ascii_uppercase());
                self.sasl_mechanism = property.read(mechanism, "a mechanism such as SCRAM-SHA-512")?;
            }
            "sasl_max_iterations" => {
                let count = value.parse().ok().filter(|count| *count >= 4096);
                self.sasl_max_iterations = property.read(count, "a number from 4096 to 4294967295")?;
            }
            "channel_binding" => self.channel_binding = property.read(value.parse().ok(), "auto, none or required")?,
            "auth_realm" => self.auth_realm = property.text()?,
            "auth_server_name" => self.auth_server_name = property.text()?,
            "auth_token" => self.auth_token = property.text()?.map(Secret::from),
            "connect_timeout" => self.connect_timeout = property.milliseconds()?,
            "socket_timeout" => self.socket_timeout = property.milliseconds()?,
            "max_retries" => self.max_retries = property.read(value.parse().ok(), "a number from 0 to 255")?,
            "repeat_writes" => self.repeat_writes = property.flag()?,
            "links_per_member" => self.links_per_member = property.count()?,
            "connect_ahead" => self.connect_ahead = property.flag()?,
            "owner_wait" => {
                let duration = value.parse().ok().map(Duration::from_millis);
                self.owner_wait = property.read(duration, "a number of milliseconds, or 0")?;
            }
            "keep_alive" => self.keep_alive = property.milliseconds()?,
            "idle_timeout" => self.idle_timeout = property.milliseconds()?,
            "min_backoff" => self.min_backoff = property.milliseconds()?,
            "max_backoff" => self.max_backoff = property.milliseconds()?,
            "max_retry_after" => self.max_retry_after = property.milliseconds()?,
            "max_waiting" => self.max_waiting = property.count()?,
            "max_request_size" => self.max_request_size = property.count()?,
            "key_media_type" => self.key_media_type = property.read(value.parse().ok(), MEDIA_TYPE)?,
            "value_media_type" => self.value_media_type = property.read(value.parse().ok(), MEDIA_TYPE)?,
            "listener_queue" => self.listener_queue = property.count()?,
            "host_template" => {
                let expected = "a template such as {member}.hotrod.example.com:443";
                self.host_template = property.read(value.parse().ok(), expected)?;
            }
            "host_names" => {
                let expected = "advertised:port=host:port, with commas between them";
                self.host_names = property.read(host_names(value), expected)?.unwrap_or_default();
            }
            "member_hosts" => {
                let expected = "host names, *.suffix, addresses or blocks of addresses, with commas between them, or *";
                self.member_hosts = property.read(value.parse().ok(), expected)?;
            }
            // Hides an invalid value: it may hold a password.
            "proxy" => {
                self.proxy = PropertyValue { name, value: "…" }.read(proxy(value), "http://user:password@host:port")?;
            }
            "carriage" => {
                let expected = "raw, upgrade, connect, connect-http2, extended-connect, frames or auto";
                self.carriage = property.read(value.parse().ok(), expected)?;
            }
            "inside" => self.inside = property.read(value.parse().ok(), "hotrod or frames")?,
            "access" => {
                let expected = "direct, header, connect, cookie, load-balancer or auto";
                self.access = property.read(value.parse().ok(), expected)?;
            }
            "connect_header" => {
                let name = value.to_ascii_lowercase();
                let is_token = !name.is_empty() && name.bytes().all(http1::is_token_byte);
                self.connect_header = property.read(is_token.then_some(name), "the name of a header field")?;
            }
            "connect_encoding" => self.connect_encoding = property.read(value.parse().ok(), "base64 or plain")?,
            "connect_authority" => self.connect_authority = property.read(Member::parse(value), "host:port")?,
            "cookie_names" => {
                let names: Vec<String> = value.split(',').map(ToString::to_string).collect();
                let are_names = names.iter().all(|name| !name.is_empty() && name.bytes().all(http1::is_token_byte));
                let expected = "names of cookies, with commas between them";
                self.cookie_names = property.read(are_names.then_some(names), expected)?.unwrap_or_default();
            }
            "probe_cache" => self.probe_cache = property.text()?,
            "alpn" => {
                let expected = "ids of 1 to 255 bytes, with commas between them";
                self.alpn = property.read(alpn(value), expected)?.unwrap_or_default();
            }
            "trust_ca" => self.trust_ca = property.text()?,
            "client_certificate" => self.client_certificate = property.text()?,
            "client_key" => self.client_key = property.text()?,
            "client_key_password" => self.client_key_password = property.text()?.map(Secret::from),
            "sni_host_name" => self.sni_host_name = property.text()?,
            _ => match name.strip_prefix("site.").filter(|site| !site.is_empty()) {
                Some(site) => self.sites.push(Site { name: site.into(), seeds: servers_of(value)? }),
                None => return Err(UriError::UnknownProperty { name: name.into() }),
            },
        }
        Ok(())
    }
}

/// Name and value of a property.
struct PropertyValue<'a> {
    name: &'a str,
    value: &'a str,
}

impl PropertyValue<'_> {
    fn read<T>(&self, value: Option<T>, expected: &'static str) -> Result<Option<T>, UriError> {
        let wrong = || UriError::Value { name: self.name.into(), value: self.value.into(), expected };
        value.ok_or_else(wrong).map(Some)
    }

    fn text(&self) -> Result<Option<String>, UriError> {
        self.read((!self.value.is_empty()).then(|| self.value.to_string()), "some text")
    }

    fn flag(&self) -> Result<Option<bool>, UriError> {
        self.read(self.value.parse().ok(), "true or false")
    }

    fn count(&self) -> Result<Option<usize>, UriError> {
        self.read(self.value.parse().ok().filter(|count| *count > 0), "a number above 0")
    }

    fn milliseconds(&self) -> Result<Option<Duration>, UriError> {
        let count = self.value.parse().ok().filter(|count| *count > 0);
        self.read(count.map(Duration::from_millis), "a number of milliseconds above 0")
    }
}

fn host_names(text: &str) -> Option<Vec<(Member, Member)>> {
    let pair = |pair: &str| {
        let (advertised, dialled) = pair.split_once('=')?;
        Some((Member::parse(advertised)?, Member::parse(dialled)?))
    };
    text.split(',').map(pair).collect()
}

fn intelligence(text: &str) -> Option<Intelligence> {
    match text.to_ascii_lowercase().as_str() {
        "basic" => Some(Intelligence::Basic),
        "topology_aware" => Some(Intelligence::TopologyAware),
        "hash_distribution_aware" => Some(Intelligence::HashDistributionAware),
        _ => None,
    }
}

fn alpn(text: &str) -> Option<Vec<String>> {
    let ids: Vec<String> = text.split(',').map(ToString::to_string).collect();
    // RFC 7301, 3.1.
    ids.iter().all(|id| (1..=255).contains(&id.len())).then_some(ids)
}

/// Parses the form of other tools' `http_proxy`.
fn proxy(text: &str) -> Option<Proxy> {
    let rest = text.strip_prefix("http://")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (user, address) = rest.rsplit_once('@').map_or((None, rest), |(user, address)| (Some(user), address));
    let credentials = match user {
        None => None,
        Some(user) => {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            let part = |text| decode("the proxy's user", text).ok();
            Some((part(name)?, Secret::from(part(password)?)))
        }
    };
    // The port is required: other tools assume different defaults.
    let has_port = address.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.contains(']'));
    Some(Proxy { address: Member::parse(address).filter(|_| has_port)?, credentials })
}

/// Omits the token.
impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Properties")
            .field("protocol_version", &self.protocol_version)
            .field("client_intelligence", &self.client_intelligence)
            .field("sasl_mechanism", &self.sasl_mechanism)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConnectionUri;
    use super::*;
    use alloc::format;

    fn parse(query: &str) -> Result<Properties, UriError> {
        format!("hotrod://one?{query}").parse::<ConnectionUri>().map(|uri| uri.properties)
    }

    #[test]
    fn a_proxy_has_a_port_and_may_have_a_user() {
        let proxy = parse("proxy=http://me:p%2540ss@proxy.example.com:3128/").unwrap().proxy.unwrap();
        assert_eq!(proxy.address.to_string(), "proxy.example.com:3128");
        let (user, password) = proxy.credentials.unwrap();
        assert_eq!((user.as_str(), password.expose()), ("me", "p@ss"));
        for wrong in ["http://proxy", "https://proxy:1", "socks5://proxy:1", "proxy:1", "http://me:secret@proxy"] {
            let error = parse(&format!("proxy={wrong}")).unwrap_err().to_string();
            assert!(error.contains("http://user:password@host:port") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn members_may_be_named_one_by_one() {
        let names = parse("host_names=10.0.0.7:11222=a.example.com:443,[::1]:1=b:2").unwrap().host_names;
        let names: Vec<String> = names.iter().map(|(one, other)| format!("{one} {other}")).collect();
        assert_eq!(names, ["10.0.0.7:11222 a.example.com:443", "[::1]:1 b:2"]);
        for wrong in ["host_names=", "host_names=a", "host_names=a=b,", "host_names=a=b:0"] {
            assert!(matches!(parse(wrong), Err(UriError::Value { .. })), "{wrong}");
        }
    }

    #[test]
    fn sites_come_in_their_order() {
        let sites = parse("site.north=a,b:1&site.south=c").unwrap().sites;
        let names: Vec<_> = sites.iter().map(|site| (site.name.as_str(), site.seeds.len())).collect();
        assert_eq!(names, [("north", 2), ("south", 1)]);
        assert!(matches!(parse("site.=a"), Err(UriError::UnknownProperty { .. })));
    }

    #[test]
    fn wrong_values_are_refused() {
        for wrong in ["alpn=", "alpn=a,,b", "repeat_writes=yes", "links_per_member=0", "keep_alive=-1"] {
            assert!(matches!(parse(wrong), Err(UriError::Value { .. })), "{wrong}");
        }
    }
}
