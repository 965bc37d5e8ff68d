//! Settings of a client.

use hotrod_core::cluster::Config;
use hotrod_core::uri::ConnectionUri;

use crate::Error;

/// Settings of a client.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Settings {
    /// Settings of the cluster machine: seeds, sessions, TLS, timeouts, retries, limits.
    pub cluster: Config,
    /// Name of the cache that [`Client::default_cache`](crate::Client::default_cache) returns.
    pub cache: String,
}

impl Settings {
    /// Reads the settings from a connection URI.
    pub fn from_uri(uri: &ConnectionUri) -> Result<Self, Error> {
        Ok(Self {
            cluster: Config::from_uri(uri).map_err(|error| Error::Settings(error.to_string()))?,
            cache: uri.cache.clone().unwrap_or_default(),
        })
    }
}
