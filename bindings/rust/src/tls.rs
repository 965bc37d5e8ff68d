//! TLS by rustls: server certificates are always verified.

use std::fs;
use std::sync::Arc;

use hotrod_core::cluster::{ClientCertificate, TlsConfig};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::Error;

/// Reads the PEM files of the settings.
pub(crate) fn client_config(tls: &TlsConfig) -> Result<Arc<ClientConfig>, Error> {
    let builder = ClientConfig::builder().with_root_certificates(roots(tls)?);
    let config = match &tls.client_certificate {
        None => builder.with_no_client_auth(),
        Some(ClientCertificate { certificate, key, .. }) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|error| unusable(certificate, &error))?,
    };
    Ok(Arc::new(config))
}

fn roots(tls: &TlsConfig) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &tls.trust_ca {
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
    if is_encrypted(&pem) {
        return Err(unusable(
            path,
            &"the key is encrypted, which is not supported: decrypt it, such as by `openssl pkey`",
        ));
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unusable(path, &error))
}

/// Whether a PEM file has an encrypted private key, in the form of PKCS #8 or of OpenSSL.
fn is_encrypted(pem: &[u8]) -> bool {
    let text = String::from_utf8_lossy(pem);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn unusable(path: &str, problem: &dyn ToString) -> Error {
    Error::File { path: path.into(), problem: problem.to_string() }
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
