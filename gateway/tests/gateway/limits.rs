//! How many, how long, and what becomes of those who are too many or too slow.

use hotrod_tokio::Client;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::common::{PING, answers, ask, connect_from, end_of, node, readiness, series, sidecar, until};

#[tokio::test]
async fn a_connection_too_many_is_closed_without_an_answer_and_the_next_after_one_has_gone_is_served() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--max-connections", "2", "--max-connections-per-source", "2"]).await;
    let uri = format!("hotrod://{}/dist?client_intelligence=basic", gateway.address());
    let (one, two) = (Client::connect(&uri).await.unwrap(), Client::connect(&uri).await.unwrap());
    let mut third = TcpStream::connect(gateway.address()).await.unwrap();
    third.write_all(&PING).await.unwrap();
    assert!(end_of(&mut third).await.is_empty());
    let (status, body) = readiness(&gateway).await;
    assert_eq!((status, body["reasons"][0].as_str()), (503, Some("there are as many connections as there may be")));
    assert!(series(&gateway, "hotrod_gateway_refusals_total{reason=\"connections\"}").await.unwrap() >= 1);
    one.close().await;
    until("there is a place again", || async { readiness(&gateway).await.0 == 200 }).await;
    Client::connect(&uri).await.unwrap().close().await;
    two.default_cache().put("k", "v").await.unwrap();
}

#[tokio::test]
async fn a_session_too_many_is_closed_without_an_answer() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--max-sessions", "2"]).await;
    let uri = format!("hotrod://{}/dist?client_intelligence=basic", gateway.address());
    // Half of them are for one source.
    let mut other = connect_from("127.0.0.2", gateway.address()).await;
    assert!(answers(&mut other).await);
    let _one = Client::connect(&uri).await.unwrap();
    let mut third = connect_from("127.0.0.3", gateway.address()).await;
    third.write_all(&PING).await.unwrap();
    assert!(end_of(&mut third).await.is_empty());
    assert!(series(&gateway, "hotrod_gateway_refusals_total{reason=\"sessions\"}").await.unwrap() >= 1);
}

#[tokio::test]
async fn who_says_nothing_or_nonsense_is_closed() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--handshake-timeout", "100ms"]).await;
    let mut silent = TcpStream::connect(gateway.address()).await.unwrap();
    assert!(end_of(&mut silent).await.is_empty());
    let mut nonsense = TcpStream::connect(gateway.address()).await.unwrap();
    nonsense.write_all(&[0x00, 1, 2, 3]).await.unwrap();
    assert!(end_of(&mut nonsense).await.is_empty());
    for reason in ["timeout", "unknown_protocol"] {
        let counter = format!("hotrod_gateway_handshake_failures_total{{reason=\"{reason}\"}}");
        assert_eq!(series(&gateway, &counter).await, Some(1), "{reason}");
    }
}

/// It begins like HTTP/1.1, and has no request line.
#[tokio::test]
async fn a_first_line_that_is_no_request_line_is_closed_without_a_word() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let mut link = TcpStream::connect(gateway.address()).await.unwrap();
    link.write_all(b"INVALID CONNECTION PREFACE\r\n\r\n").await.unwrap();
    assert!(end_of(&mut link).await.is_empty());
    let mut link = TcpStream::connect(gateway.address()).await.unwrap();
    link.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(end_of(&mut link).await.starts_with(b"HTTP/1.1 400 "), "HTTP/1.1, if a bad one");
}

#[tokio::test]
async fn an_idle_session_ends() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--idle-timeout", "200ms"]).await;
    let mut client = TcpStream::connect(gateway.address()).await.unwrap();
    // PING of the default cache, version 2.0; the answer comes, and then nothing.
    client.write_all(&[0xa0, 1, 20, 0x17, 0, 0, 1, 0]).await.unwrap();
    let answer = end_of(&mut client).await;
    assert_eq!(answer, [0xa1, 1, 0x18, 0, 0]);
}

#[tokio::test]
async fn the_keep_alive_of_the_system_is_on() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--keep-alive", "77s"]).await;
    let _client = Client::connect(&format!("hotrod://{}", gateway.address())).await.unwrap();
    assert_eq!(ask(&gateway, "/healthz").await.0, 200);
    // The kernel says so of its own sockets: a timer of kind 2, for every socket at this port.
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = format!(":{:04X}", gateway.address().port());
    let timers: Vec<_> = sockets
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields[1].ends_with(&port) && fields[3] == "01")
        .map(|fields| fields[5][..2].to_string())
        .collect();
    assert_eq!(timers, ["02"], "{sockets}");
}
