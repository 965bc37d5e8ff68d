//! Who may come in, and how the others are told: against real servers with and without TLS.

use hotrod_core::sasl::{Mechanism, SaslError};
use hotrod_core::session::{Disconnect, OperationError};
use hotrod_core::wire::{Body, Request, Status};
use hotrod_tokio::{Client, Error, StartError};
use infinispan_harness::{Cluster, Flavour, Options, is_older_line, skip_real};
use tokio::runtime::Builder;

fn cluster(flavour: Flavour) -> &'static Cluster {
    infinispan_harness::shared(Options { flavour, ..Options::default() })
}

fn run(test: impl Future<Output = ()>) {
    if !skip_real() {
        Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }
}

fn address(cluster: &Cluster) -> String {
    format!("{}:{}", cluster.endpoints()[0].host, cluster.endpoints()[0].port)
}

/// `who` is `user:password@` or nothing.
fn tls_uri(who: &str, more: &str) -> String {
    let cluster = cluster(Flavour::Secure);
    format!("hotrods://{who}{}/local?trust_ca={}{more}", address(cluster), cluster.ca().display())
}

fn plain_uri(who: &str, more: &str) -> String {
    format!("hotrod://{who}{}/local{more}", address(cluster(Flavour::SecurePlain)))
}

async fn write_and_read(uri: &str) -> Client {
    let client = Client::connect(uri).await.unwrap_or_else(|error| panic!("{uri}: {error}"));
    let cache = client.default_cache();
    cache.put("who", "me").await.unwrap();
    assert_eq!(cache.get("who").await.unwrap().unwrap(), "me");
    client
}

async fn refused(uri: &str) -> std::sync::Arc<Disconnect> {
    match Client::connect(uri).await {
        Err(Error::Start(StartError::Handshake { reason, .. })) => reason,
        Err(other) => panic!("{uri}: {other}"),
        Ok(_) => panic!("{uri} was let in"),
    }
}

/// What the server offers, asked for on a link of its own.
async fn offered(uri: &str) -> Vec<String> {
    let client = Client::connect(uri).await.unwrap();
    match client.default_cache().execute(Request::AuthMechList {}).await.unwrap().body {
        Body::Names(names) => names,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_mechanism_that_the_server_offers_over_tls() {
    run(async {
        let offered = offered(&tls_uri("admin:changeme@", "")).await;
        for name in &offered {
            assert!(Mechanism::from_name(name).is_some(), "{name} is not known to the client");
            write_and_read(&tls_uri("admin:changeme@", &format!("&sasl_mechanism={name}"))).await;
        }
        for expected in [
            "SCRAM-SHA-512",
            "SCRAM-SHA-384",
            "SCRAM-SHA-256",
            "SCRAM-SHA-1",
            "DIGEST-SHA-512",
            "DIGEST-SHA-256",
            "DIGEST-MD5",
            "PLAIN",
        ] {
            assert!(offered.iter().any(|name| name == expected), "{expected} was not tried; offered: {offered:?}");
        }
    });
}

/// SASLprep (RFC 4013): the server compares the normalised text. Mechanisms that send the password as it is accept it too.
#[test]
fn passwords_with_characters_that_saslprep_maps() {
    run(async {
        for (user, password) in [
            ("compatibility", "pass²"),
            ("micro", "5µm"),
            ("ellipsis", "wait…"),
            ("space", "no\u{a0}break"),
            ("ligature", "ﬁn"),
            ("decomposed", "Ja\u{308}ger"),
            ("wide", "ｐａｓｓ"),
        ] {
            for mechanism in ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] {
                let uri = tls_uri(&format!("{user}:{password}@"), &format!("&sasl_mechanism={mechanism}"));
                let refusal = match Client::connect(&uri).await {
                    Ok(_) => None,
                    Err(error) => Some(error.to_string()).filter(|error| error.contains("credentials")),
                };
                assert_eq!(refusal, None, "{user} by {mechanism}");
            }
        }
    });
}

/// The client certificate of the link says who it is; this one has no right to write.
#[test]
fn external_by_client_certificate() {
    run(async {
        let cluster = cluster(Flavour::Secure);
        let (certificate, key) = cluster.client_certificate();
        let files = format!(
            "trust_ca={}&client_certificate={}&client_key={}",
            cluster.ca().display(),
            certificate.display(),
            key.display()
        );
        let port = cluster.certificate_endpoint(0).port;
        let uri = format!("hotrods://127.0.0.1:{port}/local?sasl_mechanism=EXTERNAL&{files}");
        let cache = Client::connect(&uri).await.unwrap().default_cache();
        let error = cache.put("who", "me").await.unwrap_err().to_string();
        assert!(error.contains("Unauthorized access") && error.contains("CN=admin"), "{error}");
        let without = format!("hotrods://127.0.0.1:{port}/local?trust_ca={}", cluster.ca().display());
        assert!(Client::connect(&without).await.is_err(), "a link without a certificate was let in");
    });
}

#[test]
fn without_a_name_the_strongest_is_taken_also_without_tls() {
    run(async {
        write_and_read(&tls_uri("admin:changeme@", "")).await;
        write_and_read(&plain_uri("admin:changeme@", "")).await;
        write_and_read(&plain_uri("admin:changeme@", "?sasl_mechanism=SCRAM-SHA-256")).await;
        write_and_read(&plain_uri("admin:changeme@", "?sasl_mechanism=DIGEST-SHA-256")).await;
    });
}

/// In every version: the AUTH operations have the form of their version.
#[test]
fn authentication_in_every_version() {
    run(async {
        for version in ["2.0", "2.5", "2.8", "3.0", "3.1", "4.0", "4.1"] {
            let uri = tls_uri("admin:changeme@", &format!("&protocol_version={version}"));
            match Client::connect(&uri).await {
                Err(Error::Start(StartError::Handshake { reason, .. }))
                    if is_older_line() && matches!(*reason, Disconnect::VersionRefused { .. }) => {}
                _ => drop(write_and_read(&uri).await),
            }
        }
    });
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_told_the_same_way() {
    run(async {
        for who in ["admin:wrong@", "nobody:changeme@"] {
            for mechanism in ["SCRAM-SHA-512", "DIGEST-MD5", "PLAIN"] {
                let reason = refused(&tls_uri(who, &format!("&sasl_mechanism={mechanism}"))).await;
                assert!(
                    matches!(&*reason, Disconnect::AuthenticationFailed { mechanism: told, .. } if *told == mechanism),
                    "{who} {mechanism}: {reason}"
                );
            }
        }
    });
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    run(async {
        let cluster = cluster(Flavour::Secure);
        let other = cluster.other_ca();
        let uri = format!("hotrods://admin:changeme@{}/local?trust_ca={}", address(cluster), other.display());
        let error = Client::connect(&uri).await.err().unwrap().to_string();
        assert!(error.contains("invalid peer certificate: UnknownIssuer"), "{error}");
    });
}

#[test]
fn a_certificate_for_another_name_is_refused_unless_the_name_is_given() {
    run(async {
        let error = Client::connect(&tls_uri("admin:changeme@", "&sni_host_name=other.test")).await.err().unwrap();
        assert!(error.to_string().contains("not valid for name"), "{error}");
        write_and_read(&tls_uri("admin:changeme@", "&sni_host_name=infinispan.test")).await;
    });
}

#[test]
fn without_credentials_a_secured_cache_is_closed() {
    run(async {
        let client = Client::connect(&tls_uri("", "")).await.unwrap();
        match client.default_cache().get("k").await {
            Err(Error::Operation { error: OperationError::Server { status, .. }, .. }) => assert!(status.is_error()),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn an_operation_that_the_user_may_not_do_fails_and_the_session_goes_on() {
    run(async {
        let cache = Client::connect(&tls_uri("reader:secret@", "")).await.unwrap().default_cache();
        match cache.put("k", "v").await {
            Err(Error::Operation { error: OperationError::Server { status, message, .. }, .. }) => {
                assert_eq!(status, Status::SERVER_ERROR);
                assert!(message.contains("Unauthorized access"), "{message}");
            }
            other => panic!("{other:?}"),
        }
        cache.get("k").await.unwrap();
    });
}

#[test]
fn a_mechanism_that_cannot_be_done_is_told_before_anything_is_sent() {
    run(async {
        let reason = refused(&tls_uri("admin:changeme@", "&sasl_mechanism=OAUTHBEARER")).await;
        assert!(matches!(&*reason, Disconnect::Sasl(SaslError::CredentialsMissing { .. })), "{reason}");
    });
}
