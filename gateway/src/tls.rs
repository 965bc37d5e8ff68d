//! TLS at both ends, from PEM files that can be read again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls_native_certs::load_native_certs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::config::{ClientTls, ServerTls};

/// A file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct TlsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

/// What was read last. A connection keeps what held when it was made.
pub(crate) struct TlsFiles {
    server: Option<(ServerTls, RwLock<Arc<Serving>>)>,
    client: Option<(ClientTls, RwLock<Arc<Dialling>>)>,
}

/// Towards members.
struct Dialling {
    /// Of sessions of clients.
    session: Arc<ClientConfig>,
    /// Of the gateway's own connection.
    account: Arc<ClientConfig>,
}

/// What a connection to a member is for, which decides the certificate that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A session of a client.
    Session,
    /// The gateway's own connection.
    Account,
}

/// Towards clients.
pub(crate) struct Serving {
    with_alpn: Arc<ServerConfig>,
    without: Arc<ServerConfig>,
}

impl Serving {
    /// For a client that offers these ids: where none of them is known it goes on without any
    /// (spec/hotrod-over-http.md, R-89).
    pub(crate) fn config<'a>(&self, mut offered: impl Iterator<Item = &'a [u8]>) -> Arc<ServerConfig> {
        let is_known = |id: &[u8]| self.with_alpn.alpn_protocols.iter().any(|known| known == id);
        if offered.any(is_known) { self.with_alpn.clone() } else { self.without.clone() }
    }
}

impl TlsFiles {
    pub(crate) fn read(server: Option<&ServerTls>, client: Option<&ClientTls>) -> Result<Self, TlsError> {
        let server = server.map(|tls| Ok((tls.clone(), RwLock::new(server_config(tls)?)))).transpose()?;
        let client = client.map(|tls| Ok((tls.clone(), RwLock::new(client_config(tls)?)))).transpose()?;
        Ok(Self { server, client })
    }

    /// Reads all files again. If one of them can't be used everything stays as it was.
    pub(crate) fn read_again(&self) -> Result<(), TlsError> {
        let server = self.server.as_ref().map(|(tls, _)| server_config(tls)).transpose()?;
        let client = self.client.as_ref().map(|(tls, _)| client_config(tls)).transpose()?;
        replace(self.server.as_ref().map(|(_, present)| present), server);
        replace(self.client.as_ref().map(|(_, present)| present), client);
        Ok(())
    }

    /// Towards clients; `None` without TLS.
    pub(crate) fn server(&self) -> Option<Arc<Serving>> {
        self.server.as_ref().map(|(_, present)| present.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Towards members, with the name to ask for if it isn't the host's; `None` without TLS.
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
            let verifier = WebPkiClientVerifier::builder(Arc::new(authorities(path)?)).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unusable(path, &error))?)
        }
    };
    let chain = certificates(&tls.certificate)?;
    let without =
        builder.with_single_cert(chain, private_key(&tls.key)?).map_err(|error| unusable(&tls.certificate, &error))?;
    let mut with_alpn = without.clone();
    with_alpn.alpn_protocols = tls.alpn.iter().map(|id| id.clone().into_bytes()).collect();
    Ok(Arc::new(Serving { with_alpn: Arc::new(with_alpn), without: Arc::new(without) }))
}

fn client_config(tls: &ClientTls) -> Result<Arc<Dialling>, TlsError> {
    let roots = if let Some(path) = &tls.ca {
        authorities(path)?
    } else {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(load_native_certs().certs);
        roots
    };
    if roots.is_empty() {
        let problem = "the system has no trusted certificate authorities; name a PEM file with upstream-ca";
        return Err(TlsError { path: "upstream-tls".into(), problem: problem.into() });
    }
    let roots = Arc::new(roots);
    let showing = |certificate: Option<&(PathBuf, PathBuf)>| {
        let builder = ClientConfig::builder().with_root_certificates(roots.clone());
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

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| unusable(path, &error))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = fs::read(path).map_err(|error| unusable(path, &error))?;
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|error| unusable(path, &error))?;
    if certificates.is_empty() {
        return Err(unusable(path, &"no certificate in PEM form in it"));
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = fs::read(path).map_err(|error| unusable(path, &error))?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, problem: &dyn ToString) -> TlsError {
    TlsError { path: path.into(), problem: problem.to_string() }
}
