//! Plain Hot Rod: a whole client through a sidecar.

use bytes::Bytes;
use hotrod_core::wire::{Body, EventData, ListenerOptions, Operation};
use hotrod_tokio::{Cache, Client, ListenerEvent};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::common::{LONG, PING, Played, end_of, metric, node, series, sidecar, until};

/// A client that stays with the gateway: the addresses in topologies lead past it.
async fn connect(address: std::net::SocketAddr) -> (Client, Cache) {
    let client = Client::connect(&format!("hotrod://{address}/dist?client_intelligence=basic")).await.unwrap();
    let cache = client.default_cache();
    (client, cache)
}

#[tokio::test]
async fn a_whole_client_works_through_a_sidecar() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--max-request", "32MiB"]).await;
    let (client, cache) = connect(gateway.address()).await;
    let value: Bytes = (0..20_000_000u32).map(|n| n as u8).collect::<Vec<_>>().into();
    cache.put("large", value.clone()).await.unwrap();
    assert!(cache.get("large").await.unwrap().unwrap() == value);
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..20 {
        let cache = cache.clone();
        tasks.spawn(async move {
            for round in 0..50 {
                let key = format!("{task}-{round}");
                cache.put(key.clone(), vec![task; round * 100]).await.unwrap();
                assert_eq!(cache.get(key).await.unwrap().unwrap(), vec![task; round * 100]);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    for _ in 0..1000 {
        let Some(ListenerEvent::Entry(event)) = listener.next().await else { panic!() };
        assert!(matches!(event.data, EventData::Key { .. }));
    }
    assert_eq!(series(&gateway, "hotrod_gateway_sessions_open{carriage=\"raw\"}").await, Some(2));
    assert!(
        series(&gateway, "hotrod_gateway_relayed_bytes_total{direction=\"to_member\"}").await.unwrap() > 20_000_000
    );
    assert!(
        series(&gateway, "hotrod_gateway_relayed_bytes_total{direction=\"to_client\"}").await.unwrap() > 20_000_000
    );
    client.close().await;
    until("no session is left", || async { metric(&gateway, "hotrod_gateway_sessions_open").await == 0 }).await;
    until("no connection is left", || async { metric(&gateway, "hotrod_gateway_connections_open").await == 0 }).await;
    assert_eq!(metric(&gateway, "hotrod_gateway_buffered_bytes").await, 0);
    node.stop().await;
}

/// As a refused connection: an error would be taken for the answer of a server, to the first PING for "version not supported".
#[tokio::test]
async fn a_session_whose_server_cannot_be_reached_is_closed_without_an_answer() {
    let nobody = {
        let played = Played::new().await;
        played.address()
    };
    let gateway = sidecar(nobody, &[]).await;
    let mut client = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
    client.write_all(&PING).await.unwrap();
    assert!(end_of(&mut client).await.is_empty());
    assert!(series(&gateway, "hotrod_gateway_refusals_total{reason=\"unreachable\"}").await.unwrap() >= 1);
    assert!(metric(&gateway, "hotrod_gateway_upstream_failures_total").await >= 1);
}

#[tokio::test]
async fn the_end_of_a_server_is_the_end_of_the_clients_link_at_once() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &[]).await;
    let uri = format!("hotrod://{}/dist?max_retries=0&client_intelligence=basic", gateway.address());
    let asked = tokio::spawn(async move {
        let client = Client::connect(&uri).await.unwrap();
        client.default_cache().put("k", "v").await.unwrap_err().to_string()
    });
    let served = played.next().await;
    drop((served, played));
    let error = timeout(LONG, asked).await.unwrap().unwrap();
    assert!(error.contains("PUT got no answer"), "{error}");
}

/// Half a connection is a connection: who has said all may still be answered.
#[tokio::test]
async fn an_answer_comes_after_the_client_has_said_its_last() {
    use tokio::io::AsyncReadExt;
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &[]).await;
    let mut client = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
    // GET of "k" in the default cache, message 5, version 2.0.
    client.write_all(&[0xa0, 5, 20, 0x03, 0, 0, 1, 0, 1, b'k']).await.unwrap();
    client.shutdown().await.unwrap();
    let (mut link, header, _) = played.next().await;
    assert!(link.request().await.is_none(), "the server sees the end as well");
    link.answer(&header, Operation::Get, Body::Value("v".into())).await;
    drop(link);
    let mut answer = Vec::new();
    timeout(LONG, client.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, [0xa1, 5, 0x04, 0, 0, 1, b'v']);
}

#[tokio::test]
async fn external_is_refused_by_name_and_the_session_goes_on() {
    use tokio::io::AsyncReadExt;
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let mut client = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
    // AUTH by EXTERNAL without a response, and PING, in version 2.0.
    let mut sent = vec![0xa0, 1, 20, 0x23, 0, 0, 1, 0, 8];
    sent.extend_from_slice(b"EXTERNAL\0");
    sent.extend([0xa0, 2, 20, 0x17, 0, 0, 1, 0]);
    client.write_all(&sent).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(&[0xa1, 2, 0x18, 0, 0]) {
        let read = timeout(LONG, client.read_buf(&mut answer)).await.expect("the answer to PING").unwrap();
        assert_ne!(read, 0, "{answer:x?}");
    }
    assert_eq!(answer[..5], [0xa1, 1, 0x50, 0x85, 0], "an error in the server");
    let text = String::from_utf8_lossy(&answer);
    assert!(text.contains("EXTERNAL ends at the gateway"), "{text}");
    assert_eq!(series(&gateway, "hotrod_gateway_refusals_total{reason=\"auth\"}").await, Some(1));
    node.stop().await;
}

/// what a session brings about teaches the gateway nothing; the session itself is told.
#[tokio::test]
async fn a_topology_in_a_reply_is_told_to_its_session_and_teaches_nothing() {
    let node = node(3).await;
    let gateway = sidecar(node.addresses()[1], &["--topology-cache", ""]).await;
    let uri = format!("hotrod://{}/dist?client_intelligence=topology_aware", gateway.address());
    let client = Client::connect(&uri).await.unwrap();
    client.default_cache().get("k").await.unwrap();
    let (_, body) = crate::common::readiness(&gateway).await;
    assert_eq!(body["membership"]["known_by"], "settings");
    assert_eq!(body["membership"]["members"], serde_json::json!([]));
    node.stop().await;
}

/// A server that reads no request of that size may take bytes of its value for requests.
#[tokio::test]
async fn a_request_above_the_limit_is_answered_and_ends_the_session() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--max-request", "64KiB"]).await;
    let (client, cache) = connect(gateway.address()).await;
    let error = cache.put("k", vec![7; 10_000_000]).await.unwrap_err().to_string();
    assert!(error.contains("above the limit of 65536"), "{error}");
    assert_eq!(cache.get("k").await.unwrap(), None, "the client goes on, and nothing was stored");
    client.close().await;
    assert_eq!(series(&gateway, "hotrod_gateway_refusals_total{reason=\"request_too_large\"}").await, Some(1));
    node.stop().await;
}
