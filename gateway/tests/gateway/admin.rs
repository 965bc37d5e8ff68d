//! The port for those who run it.

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::common::{ask, ask_at, node, readiness, series, sidecar, until};

#[tokio::test]
async fn it_says_that_it_lives_that_it_is_ready_and_what_it_counts() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    assert_eq!(ask(&gateway, "/healthz").await, (200, "alive\n".into()));
    until("it is ready", || async { readiness(&gateway).await.0 == 200 }).await;
    let (_, body) = readiness(&gateway).await;
    let address = node.addresses()[0].to_string();
    assert_eq!(
        body,
        serde_json::json!({
            "ready": true, "reasons": [], "role": "sidecar", "node": "node-0", "draining": false,
            "upstream": { "answering": address, "problem": null },
            "membership": {
                "known_by": "own connection", "own": address, "members": [address], "outside_member_hosts": [],
            },
        })
    );
    let (status, metrics) = ask(&gateway, "/metrics").await;
    assert_eq!(status, 200);
    for line in ["hotrod_gateway_members 1", "hotrod_gateway_draining 0", "# UNIT hotrod_gateway_buffered_bytes bytes"]
    {
        assert!(metrics.lines().any(|found| found == line), "{line} in\n{metrics}");
    }
}

#[tokio::test]
async fn it_answers_nothing_else() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let address = gateway.admin_address().unwrap();
    assert_eq!(ask(&gateway, "/").await.0, 404);
    assert_eq!(ask_at(address, "POST /readyz HTTP/1.1").await.0, 405);
    assert_eq!(ask_at(address, "HEAD /healthz HTTP/1.1").await, (200, String::new()));
}

/// Readiness follows the server; being alive does not.
#[tokio::test]
async fn it_is_not_ready_without_its_server() {
    let node = node(1).await;
    let address = node.addresses()[0];
    let gateway = sidecar(address, &["--topology-interval", "100ms"]).await;
    until("it is ready", || async { readiness(&gateway).await.0 == 200 }).await;
    node.stop().await;
    until("it is not ready", || async { readiness(&gateway).await.0 == 503 }).await;
    let (_, body) = readiness(&gateway).await;
    assert!(body["reasons"][0].as_str().unwrap().contains(&address.to_string()), "{body}");
    assert_eq!(body["membership"]["members"][0], address.to_string(), "what is known stays known");
    assert_eq!(ask(&gateway, "/healthz").await.0, 200);
    let options = hotrod_embedded::host::EmbeddedOptions { listen: address, ..Default::default() };
    let again = hotrod_embedded::host::Embedded::start(options).await.unwrap();
    until("it is ready again", || async { readiness(&gateway).await.0 == 200 }).await;
    again.stop().await;
}

#[tokio::test]
async fn a_cache_that_is_not_there_is_named_and_no_reason_to_be_unready() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--topology-cache", "missing"]).await;
    until("it is ready", || async { readiness(&gateway).await.0 == 200 }).await;
    let (_, body) = readiness(&gateway).await;
    assert!(body["upstream"]["problem"].as_str().unwrap().starts_with("cache \"missing\": "), "{body}");
    assert_eq!(body["membership"]["known_by"], "settings");
}

/// More idle connections than there are places: each further one takes the place of the oldest, so probes are answered.
#[tokio::test]
async fn idle_connections_do_not_hold_up_probes() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(gateway.admin_address().unwrap()).await.unwrap());
    }
    assert_eq!(ask(&gateway, "/healthz").await, (200, "alive\n".into()));
    let closed = series(&gateway, "hotrod_gateway_refusals_total{reason=\"admin\"}").await;
    assert!(closed.is_some_and(|count| count >= 1), "a place was taken, none was waited for: {closed:?}");
    assert_eq!(idle[0].read(&mut [0; 1]).await.unwrap_or(0), 0, "the oldest is closed");
}

#[tokio::test]
async fn a_connection_has_one_request() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let mut stream = TcpStream::connect(gateway.admin_address().unwrap()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("alive\n"), "{answer}");
}
