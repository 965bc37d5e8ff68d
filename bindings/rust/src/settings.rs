//! How to reach a cluster, and how to behave there.

use std::sync::Arc;

use hotrod_core::cluster::Config;
use hotrod_core::sasl::Credentials;
use hotrod_core::session::{Authentication, VersionChoice};
use hotrod_core::uri::ConnectionUri;

use crate::{Error, TlsSettings};

/// How to reach a cluster, and how to behave there.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Everything that the machine decides: seeds, sessions, timeouts, retries, limits.
    pub cluster: Config,
    /// TLS; `None` for none.
    pub tls: Option<TlsSettings>,
    /// The cache that [`Client::default_cache`](crate::Client::default_cache) gives.
    pub cache: String,
}

impl Settings {
    /// What a connection URI says.
    pub fn from_uri(uri: &ConnectionUri) -> Result<Self, Error> {
        let properties = &uri.properties;
        let mut cluster = Config { seeds: uri.servers.clone(), ..Config::default() };
        cluster.session.authentication = authentication(uri)?;
        if let Some(version) = properties.protocol_version {
            cluster.session.version = VersionChoice::Exactly(version);
        }
        if let Some(intelligence) = properties.client_intelligence {
            cluster.session.intelligence = intelligence;
        }
        if let Some(timeout) = properties.socket_timeout {
            cluster.operation_timeout = timeout;
        }
        if let Some(timeout) = properties.connect_timeout {
            cluster.connect_timeout = timeout;
        }
        if let Some(retries) = properties.max_retries {
            cluster.max_retries = retries;
        }
        cluster.access.template.clone_from(&properties.host_template);
        Ok(Self {
            cluster,
            tls: if uri.tls { Some(TlsSettings::from_properties(properties)?) } else { None },
            cache: uri.cache.clone().unwrap_or_default(),
        })
    }
}

fn authentication(uri: &ConnectionUri) -> Result<Option<Authentication>, Error> {
    let properties = &uri.properties;
    let credentials = match (&uri.username, &uri.password, &properties.auth_token) {
        (None, None, None) if properties.sasl_mechanism.is_none() => return Ok(None),
        (None, None, None) => Credentials::certificate(),
        (None, None, Some(token)) => Credentials::token(token.clone()),
        (Some(username), None, Some(token)) => Credentials::token(token.clone()).with_username(username),
        (Some(username), Some(password), None) => Credentials::password(username, password.clone()),
        (_, Some(_), Some(_)) => return Err(Error::Settings("give a password or an auth_token, not both".into())),
        (Some(_), None, None) => return Err(Error::Settings("the URI names a user and no password".into())),
        (None, Some(_), None) => return Err(Error::Settings("the URI has a password and no user".into())),
    };
    let credentials = match &properties.auth_realm {
        Some(realm) => credentials.with_realm(realm),
        None => credentials,
    };
    let mut authentication = Authentication::new(Arc::new(credentials), uri.tls);
    authentication.mechanism = properties.sasl_mechanism;
    if let Some(name) = &properties.auth_server_name {
        authentication.server_name.clone_from(name);
    }
    Ok(Some(authentication))
}
