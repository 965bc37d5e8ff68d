//! TLS at both ends, and certificates that are read again.

use std::sync::Arc;

use hotrod_gateway::gateway::Gateway;
use hotrod_tokio::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::{TlsConnector, rustls};

use crate::common::{Files, metric, node, readiness, series, sidecar, until};

/// TLS towards clients, from these files.
pub(crate) async fn with_tls(upstream: std::net::SocketAddr, files: &Files, more: &[&str]) -> Gateway {
    let (certificate, key) = (files.at("server.pem"), files.at("server.key"));
    let mut arguments = vec!["--tls-cert", &certificate, "--tls-key", &key];
    arguments.extend(more);
    sidecar(upstream, &arguments).await
}

/// Writes and reads once; the URI is completed by the name in the certificate.
async fn work(gateway: &Gateway, more: &str) -> Result<(), hotrod_tokio::Error> {
    let port = gateway.address().port();
    let uri = format!("hotrods://127.0.0.1:{port}/dist?sni_host_name=localhost&client_intelligence=basic{more}");
    let client = Client::connect(&uri).await?;
    client.default_cache().put("k", "v").await?;
    assert_eq!(client.default_cache().get("k").await?.unwrap(), "v");
    client.close().await;
    Ok(())
}

#[tokio::test]
async fn a_client_speaks_what_its_alpn_id_says_and_gets_an_alert_if_none_is_known() {
    let (node, files) = (node(1).await, Files::new());
    let gateway = with_tls(node.addresses()[0], &files, &[]).await;
    let ca = files.at("ca.pem");
    work(&gateway, &format!("&trust_ca={ca}")).await.unwrap();
    work(&gateway, &format!("&trust_ca={ca}&alpn=hotrod")).await.unwrap();
    work(&gateway, &format!("&trust_ca={ca}&alpn=unknown,HR")).await.unwrap();
    let refused = work(&gateway, &format!("&trust_ca={ca}&alpn=unknown")).await.unwrap_err().to_string();
    assert!(refused.contains("NoApplicationProtocol"), "{refused}");
    let reason = "hotrod_gateway_handshake_failures_total{reason=\"no_application_protocol\"}";
    assert!(series(&gateway, reason).await.unwrap() >= 1);
    // What was agreed on is to be spoken.
    assert!(work(&gateway, &format!("&trust_ca={ca}&alpn=hotrod,http/1.1")).await.is_err());
    assert!(series(&gateway, "hotrod_gateway_handshake_failures_total{reason=\"alpn\"}").await.unwrap() >= 1);
    assert!(work(&gateway, &format!("&trust_ca={}", files.at("other-ca.pem"))).await.is_err());
    assert!(series(&gateway, "hotrod_gateway_handshake_failures_total{reason=\"tls\"}").await.unwrap() >= 1);
}

/// What a TLS handshake with the gateway ends with; `name` is asked for, whatever the certificate says.
async fn handshake(gateway: &Gateway, files: &Files, name: &str) -> Result<(), String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(files.at("ca.pem")).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let name = ServerName::try_from(name.to_string()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_client_that_asks_for_another_server_gets_an_alert() {
    let (node, files) = (node(1).await, Files::new());
    let unrecognized = |found: Result<(), String>| found.unwrap_err().contains("UnrecognisedName");
    let counter = "hotrod_gateway_handshake_failures_total{reason=\"unrecognized_name\"}";

    // Without the option it is the certificate's names; an address is no name.
    let gateway = with_tls(node.addresses()[0], &files, &[]).await;
    handshake(&gateway, &files, "localhost").await.unwrap();
    assert!(unrecognized(handshake(&gateway, &files, "elsewhere.test").await));
    assert!(handshake(&gateway, &files, "127.0.0.1").await.unwrap_err().contains("not valid for name"));
    assert_eq!(series(&gateway, counter).await, Some(1));

    let gateway = with_tls(node.addresses()[0], &files, &["--server-names", "*.example.com"]).await;
    assert!(unrecognized(handshake(&gateway, &files, "localhost").await));
    assert!(handshake(&gateway, &files, "a.example.com").await.unwrap_err().contains("not valid for name"));

    let gateway = with_tls(node.addresses()[0], &files, &["--server-names", "*"]).await;
    assert!(handshake(&gateway, &files, "elsewhere.test").await.unwrap_err().contains("not valid for name"));
    assert_eq!(series(&gateway, counter).await, None);
}

#[tokio::test]
async fn where_there_is_tls_nothing_else_is_served_unless_it_is_allowed() {
    let (node, files) = (node(1).await, Files::new());
    for (more, is_served) in [(&[][..], false), (&["--allow-plain"][..], true)] {
        let gateway = with_tls(node.addresses()[0], &files, more).await;
        let uri = format!("hotrod://{}/dist?client_intelligence=basic", gateway.address());
        assert_eq!(Client::connect(&uri).await.is_ok(), is_served);
        work(&gateway, &format!("&trust_ca={}", files.at("ca.pem"))).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_shows_the_certificate_that_is_asked_for() {
    let (node, files) = (node(1).await, Files::new());
    let gateway = with_tls(node.addresses()[0], &files, &["--tls-client-ca", &files.at("ca.pem")]).await;
    let ca = format!("&trust_ca={}", files.at("ca.pem"));
    assert!(work(&gateway, &ca).await.is_err(), "without a certificate");
    let own = format!("{ca}&client_certificate={}&client_key={}", files.at("client.pem"), files.at("client.key"));
    work(&gateway, &own).await.unwrap();
}

/// A gateway with TLS is the member of one that uses it.
#[tokio::test]
async fn members_are_reached_by_tls_and_shown_a_certificate() {
    let (node, files) = (node(1).await, Files::new());
    let (ca, other) = (files.at("ca.pem"), files.at("other-ca.pem"));
    let member = with_tls(node.addresses()[0], &files, &["--tls-client-ca", &ca]).await;
    let (certificate, key) = (files.at("client.pem"), files.at("client.key"));
    let session = ["--upstream-client-cert", certificate.as_str(), "--upstream-client-key", &key];
    let own = [&session[..], &["--account-cert", certificate.as_str(), "--account-key", &key]].concat();
    let named = ["--upstream-tls", "--upstream-server-name", "localhost"];
    let good = [&named[..], &own, &["--upstream-ca", &ca]].concat();
    let gateway = sidecar(member.address(), &good).await;
    let uri = format!("hotrod://{}/dist?client_intelligence=basic", gateway.address());
    let cache = Client::connect(&uri).await.unwrap().default_cache();
    cache.put("k", vec![7; 1_000_000]).await.unwrap();
    assert_eq!(cache.get("k").await.unwrap().unwrap(), vec![7; 1_000_000]);
    for (bad, why) in [
        ([&named[..], &own, &["--upstream-ca", &other]].concat(), "invalid peer certificate: UnknownIssuer"),
        ([&["--upstream-tls", "--upstream-ca", &ca][..], &own].concat(), "not valid for name"),
        // The certificate of sessions is not the gateway's own.
        ([&named[..], &session, &["--upstream-ca", &ca]].concat(), "CertificateRequired"),
    ] {
        let gateway = sidecar(member.address(), &bad).await;
        let (status, body) = until_told(&gateway).await;
        assert_eq!(status, 503);
        assert!(body["reasons"][0].as_str().unwrap().contains(why), "{why}: {body}");
    }
}

/// What /readyz says once something has been tried.
async fn until_told(gateway: &Gateway) -> (u16, serde_json::Value) {
    let not_yet = |body: &serde_json::Value| body["reasons"].to_string().contains("no member has answered yet");
    until("something was tried", || async { !not_yet(&readiness(gateway).await.1) }).await;
    readiness(gateway).await
}

#[tokio::test]
async fn certificates_are_read_again_when_asked_and_kept_if_they_are_no_good() {
    let (node, files) = (node(1).await, Files::new());
    let gateway = with_tls(node.addresses()[0], &files, &[]).await;
    let uri = format!(
        "hotrods://{}/dist?sni_host_name=localhost&client_intelligence=basic&trust_ca={}",
        gateway.address(),
        files.at("ca.pem")
    );
    let client = Client::connect(&uri).await.unwrap();
    files.certify("server", "renamed.test");
    work(&gateway, &format!("&trust_ca={}", files.at("ca.pem"))).await.expect("nobody has asked yet");
    gateway.reload();
    let error = Client::connect(&uri).await.err().unwrap().to_string();
    assert!(error.contains("UnrecognisedName"), "{error}");
    client.default_cache().put("k", "v").await.expect("a connection keeps what it has");
    files.write("server.pem", "no certificate");
    gateway.reload();
    let renamed = uri.replace("sni_host_name=localhost", "sni_host_name=renamed.test");
    Client::connect(&renamed).await.unwrap();
    assert_eq!(metric(&gateway, "hotrod_gateway_reloads_total").await, 1);
    assert_eq!(metric(&gateway, "hotrod_gateway_reload_failures_total").await, 1);
}

#[tokio::test]
async fn tls_where_there_is_none_is_refused() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(&[0x16, 3, 1, 0, 1]).await.unwrap();
    // Closed; whether with bytes unread (a reset) or not.
    assert!(matches!(stream.read(&mut [0; 8]).await, Ok(0) | Err(_)));
    assert_eq!(series(&gateway, "hotrod_gateway_handshake_failures_total{reason=\"no_tls\"}").await, Some(1));
}
