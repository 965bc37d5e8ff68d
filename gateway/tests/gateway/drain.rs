//! The end: sessions finish what they do, and then are over.

use std::time::{Duration, Instant};

use hotrod_tokio::Client;
use hotrod_tokio::core::wire::{Body, Operation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::{LONG, Played, ask_at, node, series, sidecar, until};

/// GET of "k" in the default cache, message 5, version 2.0.
const GET: [u8; 10] = [0xa0, 5, 20, 0x03, 0, 0, 1, 0, 1, b'k'];

#[tokio::test]
async fn sessions_without_anything_in_flight_end_at_once_and_the_port_is_closed() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--drain-timeout", "10min"]).await;
    let uri = format!("hotrod://{}/dist?client_intelligence=basic", gateway.address());
    let client = Client::connect(&uri).await.unwrap();
    client.default_cache().put("k", "v").await.unwrap();
    // One that has said nothing yet.
    let _silent = TcpStream::connect(gateway.address()).await.unwrap();
    let address = gateway.address();
    assert!(timeout(LONG, gateway.stop()).await.unwrap(), "all ended by themselves");
    assert!(TcpStream::connect(address).await.is_err());
    node.stop().await;
}

/// A session whose request is not answered yet is let alone, readiness says why nobody else is served, and the answer
/// reaches the client.
#[tokio::test]
async fn a_request_in_flight_is_answered() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &["--drain-timeout", "10min"]).await;
    let mut client = TcpStream::connect(gateway.address()).await.unwrap();
    client.write_all(&GET).await.unwrap();
    let (mut link, header, _) = played.next().await;
    let (address, admin) = (gateway.address(), gateway.admin_address().unwrap());
    let stopping = tokio::spawn(gateway.stop());
    until("the port is closed", || async { TcpStream::connect(address).await.is_err() }).await;
    let (status, body) = ask_at(admin, "GET /readyz HTTP/1.1").await;
    assert!(status == 503 && body.contains("about to stop") && body.contains("\"draining\": true"), "{body}");
    assert!(ask_at(admin, "GET /metrics HTTP/1.1").await.1.contains("hotrod_gateway_draining 1"));
    // Longer than a session may be quiet.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!stopping.is_finished());
    link.answer(&header, Operation::Get, Body::Value("v".into())).await;
    let mut answer = Vec::new();
    timeout(LONG, client.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, [0xa1, 5, 0x04, 0, 0, 1, b'v']);
    assert!(timeout(LONG, stopping).await.unwrap().unwrap(), "all ended by themselves");
}

#[tokio::test]
async fn at_the_end_of_the_grace_sessions_are_cut_off() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &["--drain-timeout", "200ms"]).await;
    let uri = format!("hotrod://{}/dist?client_intelligence=basic&max_retries=0", gateway.address());
    let asked = tokio::spawn(async move {
        let client = Client::connect(&uri).await.unwrap();
        client.default_cache().put("k", "v").await
    });
    let _link = played.next().await;
    let begun = Instant::now();
    assert!(!timeout(LONG, gateway.stop()).await.unwrap(), "one was cut off");
    assert!(begun.elapsed() >= Duration::from_millis(200));
    let error = timeout(LONG, asked).await.unwrap().unwrap().unwrap_err().to_string();
    assert!(error.contains("PUT got no answer"), "{error}");
}

/// Under load nothing is ever quiet: what has begun is finished, and what comes later is told to go elsewhere.
#[tokio::test]
async fn clients_that_do_not_stop_are_sent_elsewhere_and_no_call_is_lost() {
    let node = node(1).await;
    let direct = node.addresses()[0];
    let gateway = sidecar(direct, &["--drain-timeout", "10min"]).await;
    // Two ways to the same node: the gateway, and past it.
    let uri = format!("hotrod://{},{direct}/dist?client_intelligence=basic", gateway.address());
    let client = Client::connect(&uri).await.unwrap();
    let cache = client.default_cache();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..16 {
        let (cache, stopped) = (cache.clone(), stopped.clone());
        tasks.spawn(async move {
            let mut count = 0;
            while !*stopped.borrow() {
                let (key, value) = (format!("{task}-{count}"), vec![task; 1000]);
                cache.put(key.clone(), value.clone()).await.unwrap();
                assert_eq!(cache.get(key).await.unwrap().unwrap(), value);
                count += 1;
            }
            count
        });
    }
    let passed = "hotrod_gateway_relayed_bytes_total{direction=\"to_member\"}";
    until("the gateway is used", || async { series(&gateway, passed).await.unwrap() > 100_000 }).await;
    assert!(timeout(LONG, gateway.stop()).await.unwrap(), "all ended by themselves");
    stop.send_replace(true);
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += done.unwrap();
    }
    assert!(count > 16, "{count}");
    assert_eq!(cache.size().await.unwrap(), count);
    node.stop().await;
}
