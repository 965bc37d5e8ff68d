//! Routers that say for whom they speak.

use tokio::io::AsyncWriteExt;

use crate::common::{answers, connect_from, end_of, node, refusals, series, sidecar};

/// A router's header of version 1 for that client.
fn line(client: &str) -> String {
    format!("PROXY TCP4 {client} 10.0.0.1 4711 443\r\n")
}

#[tokio::test]
async fn limits_are_those_of_the_client_that_the_router_names() {
    let node = node(1).await;
    let limits = ["--proxy-protocol", "127.0.0.1", "--max-connections-per-source", "1"];
    let gateway = sidecar(node.addresses()[0], &limits).await;
    let from = async |client: &str| {
        let mut link = connect_from("127.0.0.1", gateway.address()).await;
        link.write_all(line(client).as_bytes()).await.unwrap();
        link
    };
    let (mut one, mut other) = (from("203.0.113.1").await, from("203.0.113.2").await);
    assert!(answers(&mut one).await && answers(&mut other).await);
    let mut again = from("203.0.113.1").await;
    assert!(!answers(&mut again).await);
    assert_eq!(refusals(&gateway, "source_connections").await, 1);
    node.stop().await;
}

#[tokio::test]
async fn a_router_without_a_header_is_refused_and_nobody_else_is_believed() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--proxy-protocol", "127.0.0.1,10.0.0.0/8"]).await;
    let mut router = connect_from("127.0.0.1", gateway.address()).await;
    assert!(!answers(&mut router).await);
    let failures = "hotrod_gateway_handshake_failures_total{reason=\"proxy_protocol\"}";
    assert_eq!(series(&gateway, failures).await, Some(1));
    let mut client = connect_from("127.0.0.2", gateway.address()).await;
    assert!(answers(&mut client).await, "no header is wanted of a client");
    let mut pretender = connect_from("127.0.0.2", gateway.address()).await;
    pretender.write_all(line("203.0.113.1").as_bytes()).await.unwrap();
    assert!(!answers(&mut pretender).await, "and none is read");
    node.stop().await;
}

#[tokio::test]
async fn half_a_header_is_not_waited_for_long() {
    let node = node(1).await;
    let limits = ["--proxy-protocol", "127.0.0.1", "--handshake-timeout", "100ms"];
    let gateway = sidecar(node.addresses()[0], &limits).await;
    let mut router = connect_from("127.0.0.1", gateway.address()).await;
    router.write_all(b"PROXY TCP4 203.0").await.unwrap();
    assert!(end_of(&mut router).await.is_empty());
    assert_eq!(series(&gateway, "hotrod_gateway_handshake_failures_total{reason=\"timeout\"}").await, Some(1));
    node.stop().await;
}
