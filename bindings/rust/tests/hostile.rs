//! Hostile servers with a trusted certificate that try to get the password, and one with SCRAM channel binding.

use std::sync::{Arc, Mutex};

use hotrod_core::sasl::{
    Accounts, ChannelBinding, EXPORTER_LABEL, EXPORTER_LENGTH, Mechanism, SaltedPasswordCache, Secret, Server,
    ServerConfig,
};
use hotrod_core::session::ServerSession;
use hotrod_core::wire::{Body, Limits, Operation, Ping, Reply, Request, Status, Version};
use hotrod_tokio::Client;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig as TlsServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::server::TlsStream;

const PASSWORD: &str = "correct horse battery staple";

struct Admin;

impl Accounts for Admin {
    fn password(&self, username: &str) -> Option<Secret> {
        (username == "admin").then(|| PASSWORD.into())
    }
}

/// A server that records all received bytes.
struct Hostile {
    uri: String,
    received: Arc<Mutex<Vec<u8>>>,
    /// Mechanisms of all AUTH requests.
    tried: Arc<Mutex<Vec<String>>>,
    _files: TempDir,
}

impl Hostile {
    async fn start(offered: &'static [&'static str], tls13: bool, properties: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_string()]).unwrap();
        let path = files.path().join("ca.pem");
        std::fs::write(&path, made.cert.pem()).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let versions = if tls13 { &[&TLS13] } else { &[&TLS12] };
        let tls = TlsServerConfig::builder_with_protocol_versions(versions)
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (received, tried) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let uri = format!(
            "hotrods://admin:{}@{address}/c?trust_ca={}{properties}",
            PASSWORD.replace(' ', "%20"),
            path.display()
        );
        let (all, mechanisms) = (received.clone(), tried.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, all, mechanisms) = (acceptor.clone(), all.clone(), mechanisms.clone());
                let end_point = ChannelBinding::tls_server_end_point(&certificate).unwrap();
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, offered, end_point, &all, &mechanisms).await;
                    }
                });
            }
        });
        Self { uri, received, tried, _files: files }
    }
}

async fn serve(
    mut stream: TlsStream<TcpStream>,
    offered: &[&str],
    end_point: ChannelBinding,
    all: &Mutex<Vec<u8>>,
    tried: &Mutex<Vec<String>>,
) {
    let exported =
        stream.get_ref().1.export_keying_material([0; EXPORTER_LENGTH], EXPORTER_LABEL.as_bytes(), Some(&[]));
    let exporter = ChannelBinding::tls_exporter(&exported.unwrap()).unwrap();
    let channel_bindings =
        if offered.iter().any(|name| name.ends_with("-PLUS")) { vec![exporter, end_point] } else { vec![] };
    let (mut session, mut exchange) = (ServerSession::new(Limits::default(), 1 << 20), None);
    let (mut cache, mut buffer) = (SaltedPasswordCache::default(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        all.lock().unwrap().extend_from_slice(&buffer[..count]);
        session.handle_received(&buffer[..count]);
        while let Some((header, request)) = session.poll_request() {
            let (operation, status, body) = match request {
                Request::Ping {} => {
                    let ping = Ping { server_version: Some(Version::V4_1.to_byte()), ..Ping::default() };
                    (Operation::Ping, Status::SUCCESS, Body::Ping(Box::new(ping)))
                }
                Request::AuthMechList {} => {
                    let names = offered.iter().map(ToString::to_string).collect();
                    (Operation::AuthMechList, Status::SUCCESS, Body::Names(names))
                }
                Request::Auth { mechanism, response } => {
                    tried.lock().unwrap().push(mechanism.clone());
                    let server = exchange.get_or_insert_with(|| {
                        let mut config = ServerConfig::default();
                        config.channel_bindings.clone_from(&channel_bindings);
                        Server::new(Mechanism::from_name(&mechanism).unwrap(), config, [3; 32])
                    });
                    match server.step(&response.0, &Admin, &mut cache) {
                        Ok(step) => {
                            let body = Body::Challenge { complete: step.complete, challenge: step.challenge.into() };
                            (Operation::Auth, Status::SUCCESS, body)
                        }
                        Err(error) => (Operation::Auth, Status::SERVER_ERROR, Body::Error(error.to_string())),
                    }
                }
                other => panic!("{other:?}"),
            };
            let reply = Reply { message_id: header.message_id, status, topology: None, body };
            session.reply(&header, operation, &reply);
        }
        let output = session.transmit().to_bytes();
        session.transmitted(output.len());
        if stream.write_all(&output).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_trusted_server_that_offers_weak_mechanisms_alone_gets_no_password() {
    for offered in [&["PLAIN"][..], &["DIGEST-MD5", "DIGEST-SHA-512", "PLAIN"]] {
        let server = Hostile::start(offered, true, "").await;
        let error = Client::connect(&server.uri).await.err().expect("it is refused").to_string();
        assert!(error.contains(&offered.join(", ")) && error.contains("sasl_mechanism"), "{error}");
        assert!(!error.contains(PASSWORD));
        assert_eq!(server.tried.lock().unwrap().len(), 0, "no AUTH was sent");
        let received = server.received.lock().unwrap().clone();
        assert!(!received.is_empty() && !received.windows(7).any(|part| part == &PASSWORD.as_bytes()[..7]));
    }
    // A mechanism that the URI names is used.
    let server = Hostile::start(&["PLAIN"], true, "&sasl_mechanism=PLAIN").await;
    let client = Client::connect(&server.uri).await.unwrap();
    assert_eq!(*server.tried.lock().unwrap(), ["PLAIN"]);
    client.close().await;
}

#[tokio::test]
async fn scram_is_bound_to_the_connection() {
    for tls13 in [true, false] {
        let server = Hostile::start(&["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], tls13, "&channel_binding=required").await;
        let client = Client::connect(&server.uri).await.unwrap();
        assert_eq!(server.tried.lock().unwrap()[0], "SCRAM-SHA-256-PLUS");
        client.close().await;
    }
    let server = Hostile::start(&["SCRAM-SHA-256"], true, "").await;
    Client::connect(&server.uri).await.unwrap().close().await;
    assert!(server.received.lock().unwrap().windows(10).any(|part| part == b"y,,n=admin"), "it says that it could");
}
