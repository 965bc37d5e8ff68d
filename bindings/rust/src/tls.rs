//! TLS by rustls: server certificates are always verified.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use hotrod_core::cluster::{ClientCertificate, TlsConfig};
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;
use crate::trust::Trust;

/// The PEM files of the settings. Files that are replaced are read again: the next link uses them.
pub(crate) struct TlsFiles {
    settings: TlsConfig,
    present: Mutex<Present>,
}

struct Present {
    config: Arc<ClientConfig>,
    /// State of the files when they were read.
    versions: Vec<Option<FileVersion>>,
    /// Error of the files that can't be used at the moment.
    problem: Option<String>,
}

/// Modification time, size and inode of a file.
type FileVersion = (Option<SystemTime>, u64, u64);

impl TlsFiles {
    pub(crate) fn read(settings: &TlsConfig) -> Result<Self, Error> {
        // Before the files: a change meanwhile is found at the next link.
        let versions = versions_of(settings);
        let present = Present { config: client_config(settings)?, versions, problem: None };
        Ok(Self { settings: settings.clone(), present: Mutex::new(present) })
    }

    /// The configuration for a new link. Files that can't be used, such as half-written ones, leave the former one in use.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = versions_of(&self.settings);
        if versions != present.versions {
            match client_config(&self.settings) {
                Ok(config) => *present = Present { config, versions, problem: None },
                Err(error) => {
                    let problem = Some(error.to_string());
                    if present.problem != problem {
                        tracing::warn!(%error, "TLS files were replaced and can't be used: the former ones stay in use");
                        present.problem = problem;
                    }
                }
            }
        }
        present.config.clone()
    }
}

fn versions_of(tls: &TlsConfig) -> Vec<Option<FileVersion>> {
    let certificate = tls.client_certificate.iter().flat_map(|files| [&files.certificate, &files.key]);
    tls.trust_ca.iter().chain(certificate).map(|path| version_of(path)).collect()
}

fn version_of(path: &str) -> Option<FileVersion> {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Some((metadata.modified().ok(), metadata.len(), inode))
}

/// Reads the PEM files of the settings.
fn client_config(tls: &TlsConfig) -> Result<Arc<ClientConfig>, Error> {
    let trust = trust(tls)?;
    let verifier = trust.of_servers().map_err(|error| Error::Settings(error.to_string()))?;
    let builder = ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier);
    let config = match &tls.client_certificate {
        None => builder.with_no_client_auth(),
        Some(ClientCertificate { certificate, key, .. }) => builder
            .with_client_auth_cert(certificates("client_certificate", certificate)?, private_key(key)?)
            .map_err(|error| unusable("client_certificate", certificate, &error))?,
    };
    Ok(Arc::new(config))
}

fn trust(tls: &TlsConfig) -> Result<Trust, Error> {
    if let Some(path) = &tls.trust_ca {
        return Trust::new(certificates("trust_ca", path)?).map_err(|error| unusable("trust_ca", path, &error));
    }
    let message = "the system has no trusted certificate authorities; name a PEM file with trust_ca";
    Trust::of_system().ok_or_else(|| Error::Settings(message.into()))
}

fn certificates(property: &'static str, path: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unusable = |problem: &dyn ToString| unusable(property, path, problem);
    let pem = fs::read(path).map_err(|error| unusable(&error))?;
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|error| unusable(&error))?;
    if certificates.is_empty() {
        return Err(unusable(&"no certificate in PEM form in it"));
    }
    Ok(certificates)
}

fn private_key(path: &str) -> Result<PrivateKeyDer<'static>, Error> {
    let unusable = |problem: &dyn ToString| unusable("client_key", path, problem);
    let pem = fs::read(path).map_err(|error| unusable(&error))?;
    if is_encrypted(&pem) {
        return Err(unusable(&"the key is encrypted, which is not supported: decrypt it, such as by `openssl pkey`"));
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unusable(&error))
}

/// Whether a PEM file has an encrypted private key, in the form of PKCS #8 or of OpenSSL.
fn is_encrypted(pem: &[u8]) -> bool {
    let text = String::from_utf8_lossy(pem);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn unusable(property: &'static str, path: &str, problem: &dyn ToString) -> Error {
    Error::File { property, path: path.into(), problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_rustls::rustls::{ClientConnection, ServerConfig, ServerConnection};

    /// Performs a handshake in memory for the name localhost; the certificate has CN=localhost and `names` as
    /// subjectAltName.
    fn shake_hands(names: &[&str]) -> Result<(), tokio_rustls::rustls::Error> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
        let pair = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&pair).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cert.pem");
        fs::write(&path, certificate.pem()).unwrap();

        let mut tls = TlsConfig::default();
        tls.trust_ca = Some(path.to_str().unwrap().into());
        let mut client = ClientConnection::new(client_config(&tls).unwrap(), "localhost".try_into().unwrap()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pair.serialize_pem().as_bytes()).unwrap();
        let chain = vec![certificate.der().clone()];
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let mut server = ServerConnection::new(Arc::new(config)).unwrap();
        while client.is_handshaking() {
            let mut flight = Vec::new();
            client.write_tls(&mut flight).unwrap();
            server.read_tls(&mut &flight[..]).unwrap();
            server.process_new_packets().unwrap();
            let mut answer = Vec::new();
            server.write_tls(&mut answer).unwrap();
            client.read_tls(&mut &answer[..]).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn an_encrypted_key_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for pem in [
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0\n\nMIIB\n-----END RSA PRIVATE KEY-----\n",
        ] {
            let path = folder.path().join("key.pem");
            fs::write(&path, pem).unwrap();
            let error = private_key(path.to_str().unwrap()).unwrap_err().to_string();
            assert!(error.contains("key.pem") && error.contains("encrypted"), "{error}");
        }
    }

    #[test]
    fn a_server_is_named_by_its_subject_alt_name_alone() {
        shake_hands(&["localhost"]).unwrap();
        for names in [&[][..], &["127.0.0.1"], &["other.example"]] {
            let error = shake_hands(names).unwrap_err();
            assert!(error.to_string().starts_with("invalid peer certificate"), "{names:?}: {error}");
        }
    }
}
