//! TLS towards clients and members, from PEM files that can be reloaded.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use hotrod_tokio::shared::Trust;
use tokio::io::AsyncWriteExt;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::rustls::{ClientConfig, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, rustls};

use crate::config::{ClientTls, ServerNames, ServerTls};
use crate::files::{self, Access};
use crate::stream::Socket;

/// Error of a file that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct TlsError {
    /// Path of the file.
    pub path: PathBuf,
    /// The fault.
    pub problem: String,
}

/// The present configurations. A connection keeps the one with which it was made.
pub(crate) struct TlsFiles {
    server: Option<(ServerTls, RwLock<Arc<Serving>>)>,
    client: Option<(ClientTls, RwLock<Arc<Dialling>>)>,
}

/// Client configurations, towards members.
struct Dialling {
    /// For sessions of clients.
    session: Arc<ClientConfig>,
    /// For the gateway's own connection.
    account: Arc<ClientConfig>,
}

/// Use of a connection with a member, which decides the certificate that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A session of a client.
    Session,
    /// The gateway's own connection.
    Account,
}

/// Server configuration, towards clients.
pub(crate) struct Serving {
    config: Arc<ServerConfig>,
    names: ServerNames,
}

/// Reason for refusing a TLS handshake.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The client offers ALPN ids, and none that the gateway accepts (RFC 7301, 3.2; spec/hotrod-over-http.md, R-89).
    #[error("TLS: none of its ALPN ids is one of the option alpn: {0}")]
    Alpn(String),
    /// The client requests another server name (RFC 6066, 3).
    #[error("TLS: asks for {0:?}, which is neither in the option server-names nor, without that, in the certificate")]
    Name(String),
    /// Any other failure.
    #[error("TLS: {0}")]
    Failed(#[from] io::Error),
}

/// Upper bound on logged bytes of ALPN ids.
const MOST_LOGGED: usize = 100;
/// A record with the fatal alert unrecognized_name (RFC 8446, 5.1 and 6): nothing is encrypted before the ServerHello.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

impl Serving {
    /// Performs the server's side of a TLS handshake. Sends the fatal alert of a refusal.
    pub(crate) async fn accept(&self, socket: Socket) -> Result<TlsStream<Socket>, Refused> {
        let mut hello = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
        let (name, offered) = {
            let hello = hello.client_hello();
            let ids = hello.alpn().map(|ids| ids.collect::<Vec<_>>().join(&b", "[..]));
            (hello.server_name().map(ToString::to_string), ids.unwrap_or_default())
        };
        if let Some(name) = name.filter(|name| !self.names.include(name)) {
            hello.io.write_all(&UNRECOGNIZED_NAME).await?;
            hello.io.shutdown().await?;
            return Err(Refused::Name(name));
        }
        hello.into_stream(self.config.clone()).await.map_err(|error| match tls_error(&error) {
            Some(rustls::Error::NoApplicationProtocol) => {
                Refused::Alpn(offered[..offered.len().min(MOST_LOGGED)].escape_ascii().to_string())
            }
            _ => Refused::Failed(error),
        })
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

impl TlsFiles {
    pub(crate) fn read(server: Option<&ServerTls>, client: Option<&ClientTls>) -> Result<Self, TlsError> {
        let server = server.map(|tls| Ok((tls.clone(), RwLock::new(server_config(tls)?)))).transpose()?;
        let client = client.map(|tls| Ok((tls.clone(), RwLock::new(client_config(tls)?)))).transpose()?;
        Ok(Self { server, client })
    }

    /// Reads all files again. If one of them can't be used, all configurations stay the same.
    pub(crate) fn read_again(&self) -> Result<(), TlsError> {
        let server = self.server.as_ref().map(|(tls, _)| server_config(tls)).transpose()?;
        let client = self.client.as_ref().map(|(tls, _)| client_config(tls)).transpose()?;
        replace(self.server.as_ref().map(|(_, present)| present), server);
        replace(self.client.as_ref().map(|(_, present)| present), client);
        Ok(())
    }

    /// Server configuration; `None` without TLS.
    pub(crate) fn server(&self) -> Option<Arc<Serving>> {
        self.server.as_ref().map(|(_, present)| present.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Client configuration, with the server name if it isn't the host; `None` without TLS.
    pub(crate) fn client(&self, purpose: Use) -> Option<(Arc<ClientConfig>, Option<&str>)> {
        let (tls, present) = self.client.as_ref()?;
        let present = present.read().unwrap_or_else(PoisonError::into_inner);
        let config = match purpose {
            Use::Session => present.session.clone(),
            Use::Account => present.account.clone(),
        };
        Some((config, tls.server_name.as_deref()))
    }
}

fn replace<T>(present: Option<&RwLock<Arc<T>>>, new: Option<Arc<T>>) {
    if let (Some(present), Some(new)) = (present, new) {
        *present.write().unwrap_or_else(PoisonError::into_inner) = new;
    }
}

fn server_config(tls: &ServerTls) -> Result<Arc<Serving>, TlsError> {
    let builder = ServerConfig::builder();
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let verifier = authorities(path)?.of_clients();
            builder.with_client_cert_verifier(verifier.map_err(|error| unusable(path, &error))?)
        }
    };
    let chain = certificates(&tls.certificate)?;
    let names = match &tls.server_names {
        Some(names) => names.clone(),
        None => ServerNames::of_certificate(&chain[0]).map_err(|error| unusable(&tls.certificate, &error))?,
    };
    let mut config =
        builder.with_single_cert(chain, private_key(&tls.key)?).map_err(|error| unusable(&tls.certificate, &error))?;
    config.alpn_protocols = tls.alpn.iter().map(|id| id.clone().into_bytes()).collect();
    Ok(Arc::new(Serving { config: Arc::new(config), names }))
}

fn client_config(tls: &ClientTls) -> Result<Arc<Dialling>, TlsError> {
    let unusable_tls = |problem: &dyn ToString| unusable(Path::new("upstream-tls"), problem);
    let trust = if let Some(path) = &tls.ca {
        authorities(path)?
    } else {
        let problem = "the system has no trusted certificate authorities; name a PEM file with upstream-ca";
        Trust::of_system().ok_or_else(|| unusable_tls(&problem))?
    };
    let verifier = trust.of_servers().map_err(|error| unusable_tls(&error))?;
    let showing = |certificate: Option<&(PathBuf, PathBuf)>| {
        let builder = ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier.clone());
        let config = match certificate {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
                .map_err(|error| unusable(certificate, &error))?,
        };
        Ok(Arc::new(config))
    };
    let (session, account) = (showing(tls.certificate.as_ref())?, showing(tls.account_certificate.as_ref())?);
    Ok(Arc::new(Dialling { session, account }))
}

fn authorities(path: &Path) -> Result<Trust, TlsError> {
    Trust::new(certificates(path)?).map_err(|error| unusable(path, &error))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = files::read(path, Access::Public).map_err(|error| unusable(path, &error))?;
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|error| unusable(path, &error))?;
    if certificates.is_empty() {
        return Err(unusable(path, &"no certificate in PEM form in it"));
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = files::read(path, Access::Secret).map_err(|error| unusable(path, &error))?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, problem: &dyn ToString) -> TlsError {
    TlsError { path: path.into(), problem: problem.to_string() }
}
