//! Settings of a cluster machine from a connection URI, the same for every host.

use alloc::sync::Arc;

use super::{ConnectionUri, Properties};
use crate::carriage::{Carriage, Choice, Inside};
use crate::cluster::{AccessPath, BindingPolicy, ClientCertificate, Config, TlsConfig};
use crate::sasl::Credentials;
use crate::session::{Authentication, VersionChoice};

/// Conflict between parts of a connection URI. Never shows the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Both a password and a token are given.
    #[error("give a password or an auth_token, not both")]
    PasswordAndToken,
    /// A user is given without a password.
    #[error("the URI names a user and no password")]
    UserAlone,
    /// A password is given without a user.
    #[error("the URI has a password and no user")]
    PasswordAlone,
    /// The header path requires a carriage with header fields.
    #[error(
        "access=header needs a carriage over HTTP: name one with carriage=, such as carriage=frames or carriage=auto"
    )]
    HeaderWithoutHttp,
    /// The cookie path requires a carriage with header fields.
    #[error("access=cookie needs a carriage over HTTP: name one with carriage=, such as carriage=auto")]
    CookieWithoutHttp,
    /// The connect path requires a carriage that uses CONNECT.
    #[error("access=connect needs carriage=connect-http2, or carriage=connect where the proxy speaks HTTP/1.1 alone")]
    ConnectWithoutConnect,
    /// Frames in a tunnel require a carriage that begins with HTTP/1.1; HTTP/2 carries them directly.
    #[error(
        "inside=frames needs carriage=upgrade, carriage=connect or carriage=auto; where there is HTTP/2, use carriage=frames"
    )]
    FramesInsideHttp2,
    /// A property of TLS is given for connections without TLS.
    #[error("{property} is for TLS: the URI must begin with hotrods://, or leave it out")]
    PropertyOfTls {
        /// Name of the property.
        property: &'static str,
    },
    /// A client certificate is given without its key, or a key without its certificate.
    #[error("client_certificate and client_key go together")]
    HalfACertificate,
    /// A pass phrase is given without the key that it decrypts.
    #[error("client_key_password is the pass phrase of a client_key, which is not given")]
    PasswordWithoutKey,
}

impl Config {
    /// Creates settings from a connection URI, with defaults for everything else.
    pub fn from_uri(uri: &ConnectionUri) -> Result<Self, SettingsError> {
        let properties = &uri.properties;
        let mut config = Self { seeds: uri.servers.clone(), ..Self::default() };
        config.session.authentication = authentication(uri)?;
        if let Some(version) = properties.protocol_version {
            config.session.version = VersionChoice::Exactly(version);
        }
        if let Some(intelligence) = properties.client_intelligence {
            config.session.intelligence = intelligence;
        }
        if let Some(retries) = properties.max_retries {
            config.max_retries = retries;
        }
        if let Some(repeat) = properties.repeat_writes {
            config.repeat_writes = repeat;
        }
        if let Some(ahead) = properties.connect_ahead {
            config.connect_ahead = ahead;
        }
        for (setting, count) in [
            (&mut config.links_per_member, properties.links_per_member),
            (&mut config.max_waiting, properties.max_waiting),
            (&mut config.listener_queue, properties.listener_queue),
        ] {
            *setting = count.unwrap_or(*setting);
        }
        for (setting, duration) in [
            (&mut config.operation_timeout, properties.socket_timeout),
            (&mut config.connect_timeout, properties.connect_timeout),
            (&mut config.owner_wait, properties.owner_wait),
            (&mut config.keep_alive, properties.keep_alive),
            (&mut config.idle_timeout, properties.idle_timeout),
            (&mut config.min_backoff, properties.min_backoff),
            (&mut config.max_backoff, properties.max_backoff),
            (&mut config.max_retry_after, properties.max_retry_after),
        ] {
            *setting = duration.unwrap_or(*setting);
        }
        config.max_request_size = properties.max_request_size;
        config.key_media_type = properties.key_media_type.clone().unwrap_or_default();
        config.value_media_type = properties.value_media_type.clone().unwrap_or_default();
        config.channel_binding = properties.channel_binding.unwrap_or_default();
        config.member_hosts.clone_from(&properties.member_hosts);
        config.sites.clone_from(&properties.sites);
        let names = properties.host_names.iter();
        config.access.explicit = names.map(|(advertised, dialled)| (advertised.clone(), dialled.into())).collect();
        config.access.template.clone_from(&properties.host_template);
        config.access.path = properties.access.unwrap_or_default();
        config.carriage.choice = properties.carriage.unwrap_or_default();
        config.carriage.inside = properties.inside.unwrap_or_default();
        if let Some(name) = &properties.connect_header {
            config.access.connect_header.name.clone_from(name);
        }
        config.access.connect_header.encoding = properties.connect_encoding.unwrap_or_default();
        config.access.connect_authority.clone_from(&properties.connect_authority);
        config.access.cookie_names.clone_from(&properties.cookie_names);
        if let Some(name) = &properties.probe_cache {
            config.access.probe_cache = Some(name.clone()).filter(|name| name != "none");
        }
        check_access(&config)?;
        let may_be_http1 =
            matches!(config.carriage.choice, Choice::Auto | Choice::Only(Carriage::Upgrade | Carriage::Connect));
        if config.carriage.inside == Inside::Frames && !may_be_http1 {
            return Err(SettingsError::FramesInsideHttp2);
        }
        config.proxy.clone_from(&properties.proxy);
        config.tls = if uri.tls { Some(tls(properties)?) } else { without_tls(properties)? };
        Ok(config)
    }
}

/// Checks that the carriage supports the access path.
fn check_access(config: &Config) -> Result<(), SettingsError> {
    let is_of_tunnels = |carriage| matches!(carriage, Choice::Only(Carriage::Connect | Carriage::ConnectHttp2));
    match (config.access.path, config.carriage.choice) {
        (AccessPath::Header, Choice::Only(Carriage::Raw)) => Err(SettingsError::HeaderWithoutHttp),
        (AccessPath::Cookie, Choice::Only(Carriage::Raw)) => Err(SettingsError::CookieWithoutHttp),
        (AccessPath::Connect, carriage) if !is_of_tunnels(carriage) => Err(SettingsError::ConnectWithoutConnect),
        _ => Ok(()),
    }
}

/// Checks that no property asks for TLS: a connection that ignored it would be less secure than its user believes.
fn without_tls(properties: &Properties) -> Result<Option<TlsConfig>, SettingsError> {
    let of_tls = [
        ("trust_ca", properties.trust_ca.is_some()),
        ("client_certificate", properties.client_certificate.is_some()),
        ("client_key", properties.client_key.is_some()),
        ("client_key_password", properties.client_key_password.is_some()),
        ("alpn", !properties.alpn.is_empty()),
        ("sni_host_name", properties.sni_host_name.is_some()),
        ("channel_binding=required", properties.channel_binding == Some(BindingPolicy::Required)),
    ];
    match of_tls.into_iter().find(|(_, is_set)| *is_set) {
        Some((property, _)) => Err(SettingsError::PropertyOfTls { property }),
        None => Ok(None),
    }
}

fn tls(properties: &Properties) -> Result<TlsConfig, SettingsError> {
    let key_password = properties.client_key_password.clone();
    let client_certificate = match (&properties.client_certificate, &properties.client_key) {
        (Some(certificate), Some(key)) => {
            Some(ClientCertificate { certificate: certificate.clone(), key: key.clone(), key_password })
        }
        (None, None) if key_password.is_some() => return Err(SettingsError::PasswordWithoutKey),
        (None, None) => None,
        _ => return Err(SettingsError::HalfACertificate),
    };
    Ok(TlsConfig {
        server_name: properties.sni_host_name.clone(),
        alpn: properties.alpn.clone(),
        trust_ca: properties.trust_ca.clone(),
        client_certificate,
    })
}

fn authentication(uri: &ConnectionUri) -> Result<Option<Authentication>, SettingsError> {
    let properties = &uri.properties;
    let credentials = match (&uri.username, &uri.password, &properties.auth_token) {
        (None, None, None) if properties.sasl_mechanism.is_none() => return Ok(None),
        (None, None, None) => Credentials::certificate(),
        (None, None, Some(token)) => Credentials::token(token.clone()),
        (Some(username), None, Some(token)) => Credentials::token(token.clone()).with_username(username),
        (Some(username), Some(password), None) => Credentials::password(username, password.clone()),
        (_, Some(_), Some(_)) => return Err(SettingsError::PasswordAndToken),
        (Some(_), None, None) => return Err(SettingsError::UserAlone),
        (None, Some(_), None) => return Err(SettingsError::PasswordAlone),
    };
    let credentials = match &properties.auth_realm {
        Some(realm) => credentials.with_realm(realm),
        None => credentials,
    };
    let mut authentication = Authentication::new(Arc::new(credentials), uri.tls);
    authentication.mechanism = properties.sasl_mechanism;
    authentication.requires_channel_binding = properties.channel_binding == Some(BindingPolicy::Required);
    if let Some(iterations) = properties.sasl_max_iterations {
        authentication.max_iterations = iterations;
    }
    if let Some(name) = &properties.auth_server_name {
        authentication.server_name.clone_from(name);
    }
    Ok(Some(authentication))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uri::PROPERTIES;
    use alloc::format;
    use alloc::string::ToString;

    fn config(uri: &str) -> Result<Config, SettingsError> {
        Config::from_uri(&uri.parse().unwrap())
    }

    /// Each property with a value, what else its URI needs, and how the setting is printed.
    const SAMPLES: &[(&str, &str, &str, &str)] = &[
        ("protocol_version", "3.1", "hotrod://one?", "version: Exactly(V3_1)"),
        ("client_intelligence", "basic", "hotrod://one?", "intelligence: Basic"),
        ("sasl_mechanism", "SCRAM-SHA-512", "hotrod://u:p@one?", "mechanism: Some(ScramSha512)"),
        ("sasl_max_iterations", "200000", "hotrod://u:p@one?", "max_iterations: 200000"),
        ("channel_binding", "required", "hotrods://u:p@one?", "channel_binding: Required"),
        ("auth_realm", "kingdom", "hotrod://u:p@one?", "realm: Some(\"kingdom\")"),
        ("auth_server_name", "other", "hotrod://u:p@one?", "server_name: \"other\""),
        ("auth_token", "t", "hotrods://one?", "token: Some("),
        ("connect_timeout", "100", "hotrod://one?", "connect_timeout: 100ms"),
        ("socket_timeout", "200", "hotrod://one?", "operation_timeout: 200ms"),
        ("max_retries", "7", "hotrod://one?", "max_retries: 7"),
        ("repeat_writes", "false", "hotrod://one?", "repeat_writes: false"),
        ("links_per_member", "3", "hotrod://one?", "links_per_member: 3"),
        ("connect_ahead", "false", "hotrod://one?", "connect_ahead: false"),
        ("owner_wait", "250", "hotrod://one?", "owner_wait: 250ms"),
        ("keep_alive", "300", "hotrod://one?", "keep_alive: 300ms"),
        ("idle_timeout", "400", "hotrod://one?", "idle_timeout: 400ms"),
        ("min_backoff", "50", "hotrod://one?", "min_backoff: 50ms"),
        ("max_backoff", "600", "hotrod://one?", "max_backoff: 600ms"),
        ("max_retry_after", "700", "hotrod://one?", "max_retry_after: 700ms"),
        ("max_waiting", "8", "hotrod://one?", "max_waiting: 8,"),
        ("max_request_size", "10", "hotrod://one?", "max_request_size: Some(10)"),
        ("key_media_type", "text/plain", "hotrod://one?", "key_media_type: Numbered(13, [])"),
        ("value_media_type", "a/b", "hotrod://one?", "value_media_type: Named(\"a/b\", [])"),
        ("listener_queue", "9", "hotrod://one?", "listener_queue: 9,"),
        ("host_template", "%7Bmember%7D.example.com:443", "hotrod://one?", ".example.com"),
        (
            "host_names",
            "10.0.0.7:1=a.example.com:443",
            "hotrod://one?",
            "Endpoint { host: \"a.example.com\", port: 443,",
        ),
        ("member_hosts", "*.example.com", "hotrod://one?", "Suffix(\".example.com\")"),
        ("proxy", "http://proxy:3128", "hotrod://one?", "proxy: Some(Proxy { address: Member { host: \"proxy\""),
        ("carriage", "frames", "hotrod://one?", "choice: Only(Frames)"),
        ("inside", "frames", "hotrod://one?carriage=upgrade&", "inside: Frames"),
        ("access", "load-balancer", "hotrod://one?", "path: LoadBalancer"),
        ("connect_header", "x-member", "hotrod://one?", "name: \"x-member\""),
        ("connect_encoding", "plain", "hotrod://one?", "encoding: Plain"),
        ("connect_authority", "service:1", "hotrod://one?", "connect_authority: Some(Member { host: \"service\""),
        ("cookie_names", "a,b", "hotrod://one?", "cookie_names: [\"a\", \"b\"]"),
        ("probe_cache", "none", "hotrod://one?", "probe_cache: None"),
        ("alpn", "a,b", "hotrods://one?", "alpn: [\"a\", \"b\"]"),
        ("trust_ca", "ca.pem", "hotrods://one?", "trust_ca: Some(\"ca.pem\")"),
        ("client_certificate", "c.pem&client_key=k.pem", "hotrods://one?", "certificate: \"c.pem\""),
        ("client_key", "k.pem&client_certificate=c.pem", "hotrods://one?", "key: \"k.pem\""),
        (
            "client_key_password",
            "p&client_certificate=c.pem&client_key=k.pem",
            "hotrods://one?",
            "key_password: Some(Secret(…))",
        ),
        ("sni_host_name", "sni", "hotrods://one?", "server_name: Some(\"sni\")"),
        ("site.", "two", "hotrod://one?", "sites: [Site { name: \"north\""),
    ];

    #[test]
    fn every_property_has_its_setting() {
        for property in PROPERTIES {
            let sample = SAMPLES.iter().find(|(name, ..)| *name == property.name);
            let (name, value, uri, setting) = sample.unwrap_or_else(|| panic!("{} has no sample", property.name));
            let name = if name.ends_with('.') { format!("{name}north") } else { name.to_string() };
            let with = format!("{:?}", config(&format!("{uri}{name}={value}")).unwrap());
            assert!(with.contains(setting), "{name} is not {setting} in {with}");
            let without = uri.trim_end_matches(['?', '&']);
            let without = format!("{:?}", config(without).unwrap());
            assert!(!without.contains(setting), "{name} is {setting} by default");
        }
        assert_eq!(config("hotrod://u:p@one,two:1/c").unwrap().seeds.len(), 2);
    }

    #[test]
    fn tls_is_of_hotrods_alone() {
        let tls = config("hotrods://one?trust_ca=ca.pem&alpn=a,b").unwrap().tls.unwrap();
        assert_eq!((tls.trust_ca.as_deref(), tls.alpn.len()), (Some("ca.pem"), 2));
        assert_eq!(config("hotrods://one?client_key=k").err(), Some(SettingsError::HalfACertificate));
        assert_eq!(config("hotrods://one?client_key_password=p").err(), Some(SettingsError::PasswordWithoutKey));
        let encrypted = config("hotrods://one?client_certificate=c&client_key=k&client_key_password=p%20q").unwrap();
        let password = encrypted.tls.unwrap().client_certificate.unwrap().key_password;
        assert_eq!(password, Some("p q".into()));
    }

    #[test]
    fn properties_of_tls_are_refused_without_it() {
        for (property, value) in [
            ("trust_ca", "ca.pem"),
            ("client_certificate", "c.pem"),
            ("client_key", "k.pem"),
            ("client_key_password", "p"),
            ("alpn", "a"),
            ("sni_host_name", "two"),
            ("channel_binding", "required"),
        ] {
            let error = config(&format!("hotrod://one?{property}={value}")).unwrap_err().to_string();
            assert!(error.starts_with(property) && error.contains("hotrods://"), "{error}");
        }
    }

    #[test]
    fn frames_go_inside_what_begins_with_http_1_1() {
        for carriage in ["upgrade", "connect", "auto"] {
            assert!(config(&format!("hotrod://one?inside=frames&carriage={carriage}")).is_ok(), "{carriage}");
        }
        for carriage in ["raw", "connect-http2", "extended-connect", "frames"] {
            let refused = config(&format!("hotrod://one?inside=frames&carriage={carriage}"));
            assert_eq!(refused.err(), Some(SettingsError::FramesInsideHttp2), "{carriage}");
        }
        assert_eq!(config("hotrod://one?inside=frames").err(), Some(SettingsError::FramesInsideHttp2));
    }

    #[test]
    fn a_uri_without_credentials_asks_for_none() {
        assert!(config("hotrod://one").unwrap().session.authentication.is_none());
    }

    #[test]
    fn half_of_the_credentials_is_none() {
        assert_eq!(config("hotrod://u@one").err(), Some(SettingsError::UserAlone));
        assert_eq!(config("hotrod://u:p@one?auth_token=t").err(), Some(SettingsError::PasswordAndToken));
    }
}
