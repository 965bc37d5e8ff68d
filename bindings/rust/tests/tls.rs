//! TLS of a client: files that are replaced, and servers that do not speak it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::Client;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A certificate as `openssl req -x509` makes it, that of an authority, and a server's TLS with it.
fn identity() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(["127.0.0.1".to_string()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], der);
    (certificate.pem(), Arc::new(config.unwrap()))
}

/// TLS before an embedded node, with a certificate that can be replaced.
struct Front {
    address: SocketAddr,
    config: Arc<Mutex<Arc<ServerConfig>>>,
    links: Arc<Mutex<JoinSet<()>>>,
    _node: Embedded,
}

impl Front {
    async fn start(config: Arc<ServerConfig>) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let node = Embedded::start(EmbeddedOptions { listen, ..EmbeddedOptions::default() }).await.unwrap();
        let (upstream, listener) = (node.addresses()[0], TcpListener::bind(listen).await.unwrap());
        let address = listener.local_addr().unwrap();
        let (config, links) = (Arc::new(Mutex::new(config)), Arc::new(Mutex::new(JoinSet::new())));
        let (present, accepted) = (config.clone(), links.clone());
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let acceptor = TlsAcceptor::from(present.lock().unwrap().clone());
                accepted.lock().unwrap().spawn(async move {
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let mut server = TcpStream::connect(upstream).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { address, config, links, _node: node }
    }

    /// Shows another certificate from now on, and cuts the present links.
    fn replace(&self, config: Arc<ServerConfig>) {
        *self.config.lock().unwrap() = config;
        self.links.lock().unwrap().abort_all();
    }

    fn uri(&self, ca: &Path) -> String {
        format!("hotrods://{}/dist?client_intelligence=basic&trust_ca={}", self.address, ca.display())
    }
}

fn file(folder: &TempDir, content: &str) -> PathBuf {
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, content).unwrap();
    path
}

#[tokio::test]
async fn a_self_signed_certificate_that_is_trusted_is_accepted() {
    let (folder, (pem, config)) = (TempDir::new().unwrap(), identity());
    let front = Front::start(config).await;
    let client = Client::connect(&front.uri(&file(&folder, &pem))).await.unwrap();
    client.default_cache().put("k", "v").await.unwrap();
}

#[tokio::test]
async fn the_next_link_uses_files_that_were_replaced() {
    let (folder, (pem, config)) = (TempDir::new().unwrap(), identity());
    let front = Front::start(config).await;
    let ca = file(&folder, &pem);
    let client = Client::connect(&front.uri(&ca)).await.unwrap();
    let cache = client.default_cache();
    cache.put("k", "v").await.unwrap();

    // A half-written file leaves the former one in use.
    file(&folder, &pem[..pem.len() / 2]);
    let same = front.config.lock().unwrap().clone();
    front.replace(same);
    assert_eq!(cache.get("k").await.unwrap().unwrap(), "v");

    let (pem, config) = identity();
    file(&folder, &pem);
    front.replace(config);
    assert_eq!(cache.get("k").await.unwrap().unwrap(), "v");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named_with_its_property() {
    let (folder, (pem, config)) = (TempDir::new().unwrap(), identity());
    let (front, ca) = (Front::start(config).await, file(&folder, &pem));
    let uri = front.uri(&ca);
    for (uri, named) in [
        (uri.replace("ca.pem", "missing.pem"), "trust_ca="),
        (format!("{uri}&client_certificate=missing.pem&client_key={}", ca.display()), "client_certificate=missing.pem"),
        (format!("{uri}&client_certificate={0}&client_key=missing.pem", ca.display()), "client_key=missing.pem"),
    ] {
        let error = Client::connect(&uri).await.err().unwrap();
        assert!(matches!(error, hotrod_tokio::Error::File { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(named) && text.contains("missing.pem: No such file"), "{text}");
    }
}

#[tokio::test]
async fn a_port_without_tls_is_recognised() {
    let (folder, (pem, _)) = (TempDir::new().unwrap(), identity());
    let ca = file(&folder, &pem);
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\xa1\x00\x50\x81\x00\x00", b""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("hotrods://{}?trust_ca={}", listener.local_addr().unwrap(), ca.display());
        let server = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            client.write_all(answer).await.unwrap();
            client.shutdown().await.unwrap();
            client
        });
        let error = Client::connect(&uri).await.err().unwrap().to_string();
        assert!(error.contains("hotrod:// instead of hotrods://"), "{error}");
        server.abort();
    }
}
