//! How to reach a cluster, and how to behave there.

use hotrod_core::cluster::Config;
use hotrod_core::uri::ConnectionUri;

use crate::Error;

/// How to reach a cluster, and how to behave there.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Everything that the machine decides: seeds, sessions, TLS, timeouts, retries, limits.
    pub cluster: Config,
    /// The cache that [`Client::default_cache`](crate::Client::default_cache) gives.
    pub cache: String,
}

impl Settings {
    /// What a connection URI says.
    pub fn from_uri(uri: &ConnectionUri) -> Result<Self, Error> {
        Ok(Self {
            cluster: Config::from_uri(uri).map_err(|error| Error::Settings(error.to_string()))?,
            cache: uri.cache.clone().unwrap_or_default(),
        })
    }
}
