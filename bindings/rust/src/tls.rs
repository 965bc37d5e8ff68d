//! TLS by rustls: server certificates are always checked.

use std::fs;
use std::sync::Arc;

use hotrod_core::uri::Properties;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::Error;

/// Which certificates to trust and to show.
#[derive(Debug, Clone, Default)]
pub struct TlsSettings {
    /// PEM file with the authorities to trust; `None` for those of the system.
    pub trust_ca: Option<String>,
    /// PEM file with the client's certificate chain, and one with its private key.
    pub client_certificate: Option<(String, String)>,
    /// The name to ask for by SNI, and to find in the server's certificate; `None` for the host that is dialled.
    pub server_name: Option<String>,
}

impl TlsSettings {
    pub(crate) fn from_properties(properties: &Properties) -> Result<Self, Error> {
        let client_certificate = match (&properties.client_certificate, &properties.client_key) {
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (None, None) => None,
            _ => return Err(Error::Settings("client_certificate and client_key go together".into())),
        };
        let (trust_ca, server_name) = (properties.trust_ca.clone(), properties.sni_host_name.clone());
        Ok(Self { trust_ca, client_certificate, server_name })
    }

    pub(crate) fn connector(&self) -> Result<TlsConnector, Error> {
        let builder = ClientConfig::builder().with_root_certificates(self.roots()?);
        let config = match &self.client_certificate {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
                .map_err(|error| unusable(certificate, &error))?,
        };
        Ok(TlsConnector::from(Arc::new(config)))
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.trust_ca {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| unusable(path, &error))?;
            }
            return Ok(roots);
        }
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            let message = "the system has no trusted certificate authorities; name a PEM file with trust_ca";
            return Err(Error::Settings(message.into()));
        }
        Ok(roots)
    }
}

fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = fs::read(path).map_err(|error| unusable(path, &error))?;
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|error| unusable(path, &error))?;
    if certificates.is_empty() {
        return Err(unusable(path, &"no certificate in PEM form in it"));
    }
    Ok(certificates)
}

fn private_key(path: &str) -> Result<PrivateKeyDer<'static>, Error> {
    let pem = fs::read(path).map_err(|error| unusable(path, &error))?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unusable(path, &error))
}

fn unusable(path: &str, problem: &dyn ToString) -> Error {
    Error::File { path: path.into(), problem: problem.to_string() }
}
