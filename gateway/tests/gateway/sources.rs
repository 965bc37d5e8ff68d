//! What one source address may have; the tests' sources are addresses of 127.0.0.0/8.

use tokio::io::AsyncWriteExt;

use crate::common::{answers, connect_from, end_of, node, refusals, sidecar, until};

#[tokio::test]
async fn one_source_takes_its_part_of_the_connections_and_leaves_the_rest() {
    let node = node(1).await;
    let limits = ["--max-connections", "4", "--max-connections-per-source", "2"];
    let gateway = sidecar(node.addresses()[0], &limits).await;
    let mut one = connect_from("127.0.0.1", gateway.address()).await;
    let mut two = connect_from("127.0.0.1", gateway.address()).await;
    assert!(answers(&mut one).await && answers(&mut two).await);
    let mut third = connect_from("127.0.0.1", gateway.address()).await;
    third.write_all(&crate::common::PING).await.unwrap();
    assert!(end_of(&mut third).await.is_empty());
    assert_eq!(refusals(&gateway, "source_connections").await, 1);
    let mut http = connect_from("127.0.0.1", gateway.address()).await;
    http.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: hotrod\r\n\r\n").await.unwrap();
    assert!(end_of(&mut http).await.starts_with(b"HTTP/1.1 429 "));
    let mut other = connect_from("127.0.0.2", gateway.address()).await;
    assert!(answers(&mut other).await, "another source is served");
    drop(one);
    until("there is a place again", || async {
        let mut next = connect_from("127.0.0.1", gateway.address()).await;
        answers(&mut next).await
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn one_source_takes_its_part_of_the_sessions_and_leaves_the_rest() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--max-sessions", "4"]).await;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let mut session = connect_from("127.0.0.1", gateway.address()).await;
        assert!(answers(&mut session).await);
        sessions.push(session);
    }
    let mut third = connect_from("127.0.0.1", gateway.address()).await;
    assert!(!answers(&mut third).await);
    assert_eq!(refusals(&gateway, "source_sessions").await, 1);
    let mut other = connect_from("127.0.0.2", gateway.address()).await;
    assert!(answers(&mut other).await, "another source is served");
    node.stop().await;
}

#[tokio::test]
async fn who_connects_too_often_is_closed_at_once_and_others_are_served() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--max-handshakes-per-source", "1"]).await;
    let mut served = 0;
    // Ten may come at once; further ones only as time passes.
    while refusals(&gateway, "source_handshakes").await == 0 {
        served += usize::from(answers(&mut connect_from("127.0.0.1", gateway.address()).await).await);
        assert!(served < 1000, "none was refused");
    }
    assert!(served >= 10, "{served}");
    let mut other = connect_from("127.0.0.2", gateway.address()).await;
    assert!(answers(&mut other).await, "another source is served");
    node.stop().await;
}
