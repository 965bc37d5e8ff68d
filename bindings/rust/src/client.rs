//! The client that applications use.

use std::sync::Arc;
use std::time::Duration;

use hotrod_core::sasl::Credentials;
use hotrod_core::session::{Authentication, Config, VersionChoice};
use hotrod_core::uri::ConnectionUri;
use hotrod_core::wire::Member;
use tokio::sync::Mutex;

use crate::dial::Dialer;
use crate::error::DialError;
use crate::{Cache, Error, Session, TlsSettings};

/// How to reach a cluster, and how to behave there.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Servers to begin with, in the order in which they are tried.
    pub servers: Vec<Member>,
    /// TLS; `None` for none.
    pub tls: Option<TlsSettings>,
    /// Time to establish a link, TLS included. Default 5 s.
    pub connect_timeout: Option<Duration>,
    /// Everything about sessions: version, authentication, timeouts, limits.
    pub session: Config,
    /// The cache that [`Client::default_cache`] gives.
    pub cache: String,
}

impl Settings {
    /// What a connection URI says.
    pub fn from_uri(uri: &ConnectionUri) -> Result<Self, Error> {
        let properties = &uri.properties;
        let mut session = Config { authentication: authentication(uri)?, ..Config::default() };
        if let Some(version) = properties.protocol_version {
            session.version = VersionChoice::Exactly(version);
        }
        if let Some(intelligence) = properties.client_intelligence {
            session.intelligence = intelligence;
        }
        if let Some(timeout) = properties.socket_timeout {
            session.operation_timeout = timeout;
        }
        Ok(Self {
            servers: uri.servers.clone(),
            tls: if uri.tls { Some(TlsSettings::from_properties(properties)?) } else { None },
            connect_timeout: properties.connect_timeout,
            session,
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

/// A client of one cluster; cheap to clone, and shared by any number of tasks.
///
/// All operations go over one pipelined link to the first server that could be reached. When the link is lost,
/// operations in flight fail, each telling whether it may have been applied, and the next one establishes a new link.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    servers: Vec<Member>,
    dialer: Dialer,
    cache: String,
    state: std::sync::RwLock<Option<Session>>,
    /// Held by the one task that dials; with what a new session is told.
    config: Mutex<Config>,
}

impl Client {
    /// Connects to what a URI names: `hotrod://user:password@host:port/cache?property=value`, or `hotrods://` for TLS.
    pub async fn connect(uri: &str) -> Result<Self, Error> {
        Self::connect_with(Settings::from_uri(&uri.parse()?)?).await
    }

    /// Connects; fails if no server can be reached or none accepts the session.
    pub async fn connect_with(settings: Settings) -> Result<Self, Error> {
        let dialer = Dialer {
            tls: settings.tls.as_ref().map(TlsSettings::connector).transpose()?,
            server_name: settings.tls.and_then(|tls| tls.server_name),
            timeout: settings.connect_timeout.unwrap_or(Duration::from_secs(5)),
        };
        let shared = Shared {
            servers: settings.servers,
            dialer,
            cache: settings.cache,
            state: std::sync::RwLock::new(None),
            config: Mutex::new(settings.session),
        };
        let client = Self { shared: Arc::new(shared) };
        client.session().await?;
        Ok(client)
    }

    /// A cache, by its name; whether it exists shows with the first operation.
    pub fn cache(&self, name: &str) -> Cache {
        Cache::new(self.clone(), name)
    }

    /// The cache that the URI names, or the server's default cache.
    pub fn default_cache(&self) -> Cache {
        self.cache(&self.shared.cache)
    }

    /// The present session; a new one if that is over.
    pub async fn session(&self) -> Result<Session, Error> {
        if let Some(session) = self.present() {
            return Ok(session);
        }
        let mut config = self.shared.config.lock().await;
        // Another task may have dialled while this one waited.
        if let Some(session) = self.present() {
            return Ok(session);
        }
        let session = self.shared.establish(&config).await?;
        // Spares the next session the derivation of the salted password.
        if let (Some(known), Some(used)) = (&mut config.authentication, session.authentication()) {
            known.salted_passwords = used.salted_passwords;
        }
        *self.shared.state.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(session.clone());
        Ok(session)
    }

    fn present(&self) -> Option<Session> {
        let state = self.shared.state.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.as_ref().filter(|session| !session.is_closed()).cloned()
    }

    /// Lets operations in flight finish and closes the link. A later operation establishes a new one.
    pub fn close(&self) {
        if let Some(session) = self.present() {
            session.close();
        }
    }
}

impl Shared {
    /// The first server that can be reached; what it then says counts, whatever the others would.
    async fn establish(&self, config: &Config) -> Result<Session, Error> {
        let mut failures = Vec::new();
        for server in &self.servers {
            let name = address(server);
            match self.dialer.dial(server).await {
                Ok(link) => return Session::start(link, &name, config.clone()).await,
                Err(error) => failures.push(DialError::new(name, &error)),
            }
        }
        Err(Error::Unreachable(failures.into()))
    }
}

fn address(server: &Member) -> String {
    if server.host.contains(':') {
        format!("[{}]:{}", server.host, server.port)
    } else {
        format!("{}:{}", server.host, server.port)
    }
}
