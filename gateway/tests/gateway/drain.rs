//! The end: sessions finish what they do, and then are over.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hotrod_core::carriage::registry::{HOT_ROD_DRAINING, HOT_ROD_UPSTREAM_GONE};
use hotrod_core::http2::hpack::{Decoder, Field};
use hotrod_core::http2::{ErrorCode, StreamId};
use hotrod_core::wire::{Body, Operation};
use hotrod_tokio::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cancel::cancelled;
use crate::common::{LONG, Played, ask_at, node, series, sidecar, until};
use crate::peer::{EXTENDED, FIRST, FRAMES, Heard, Peer, WHOLE, get, put};

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

/// What comes while a request is in flight goes to the member, which still answers; then the session ends at once. No request
/// gets an error that another member would not have answered with.
#[tokio::test]
async fn a_draining_session_answers_for_no_other_member() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &["--drain-timeout", "10min"]).await;
    let mut client = TcpStream::connect(gateway.address()).await.unwrap();
    client.write_all(&GET).await.unwrap();
    let (mut link, first, _) = played.next().await;
    let address = gateway.address();
    let stopping = tokio::spawn(gateway.stop());
    until("the port is closed", || async { TcpStream::connect(address).await.is_err() }).await;
    let mut second = GET;
    second[1] = 6;
    client.write_all(&second).await.unwrap();
    let (header, _) = timeout(LONG, link.request()).await.expect("it goes on").unwrap();
    link.answer(&header, Operation::Get, Body::Value("w".into())).await;
    link.answer(&first, Operation::Get, Body::Value("v".into())).await;
    let mut answers = Vec::new();
    timeout(LONG, client.read_to_end(&mut answers)).await.unwrap().unwrap();
    assert_eq!(answers, [0xa1, 6, 0x04, 0, 0, 1, b'w', 0xa1, 5, 0x04, 0, 0, 1, b'v']);
    drop(client);
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

/// until the grace is over new calls are taken; then those that are open are given up, new ones are told to go
/// elsewhere, and the session ends.
#[tokio::test]
async fn a_session_in_frames_is_served_until_the_grace_is_over_and_then_told_of_every_call() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &["--drain-timeout", "2s"]).await;
    let mut peer = Peer::connect(gateway.address(), &[FRAMES]).await;
    let stream = peer.open().await;
    let stopping = tokio::spawn(gateway.stop());
    let drain = peer.next().await;
    assert_eq!(drain, Heard::Drain { stream: StreamId::CONNECTION, grace_ms: 2_000 });
    assert_eq!(peer.next().await, Heard::GoAway { last: StreamId::MAX, code: ErrorCode::NO_ERROR });
    peer.request(stream, 1, WHOLE, &get(1)).await;
    let (mut member, header, _) = played.next().await;
    member.answer(&header, Operation::Get, Body::Value("v".into())).await;
    let answer = peer.next_of(stream).await;
    assert!(matches!(answer, Heard::Response { call: 1, .. }), "{answer:?}");
    // One that the member has whole, one of which it has a half, and one of which it has nothing.
    peer.request(stream, 2, WHOLE, &get(2)).await;
    member.request().await.unwrap();
    peer.request(stream, 3, FIRST, &put(3, 20_000)[..10_000]).await;
    member.stream.read_exact(&mut [0; 5_000]).await.unwrap();
    peer.request(stream, 4, WHOLE, &get(4)).await;
    let mut told = vec![peer.next_of(stream).await, peer.next_of(stream).await, peer.next_of(stream).await];
    told.sort_by_key(|heard| format!("{heard:?}"));
    let gone = |call, may| cancelled(stream, call, HOT_ROD_UPSTREAM_GONE, may);
    assert_eq!(told, [gone(2, true), gone(3, false), gone(4, false)]);
    peer.request(stream, 5, WHOLE, &get(5)).await;
    assert_eq!(peer.next_of(stream).await, cancelled(stream, 5, HOT_ROD_DRAINING, false));
    assert_eq!(peer.next_of(stream).await, Heard::Data { stream, bytes: Bytes::new(), is_last: true });
    assert!(!timeout(LONG, stopping).await.unwrap().unwrap(), "it was cut off");
}

/// A client of HTTP/2 that does what a machine would not: ask after GOAWAY.
struct Stubborn {
    stream: TcpStream,
    decoder: Decoder,
}

impl Stubborn {
    async fn connect(address: std::net::SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut stubborn = Self { stream, decoder: Decoder::new(4096, 16 << 10) };
        stubborn.send(4, 0, 0, &[0xf0, 0, 0, 0, 0, 1]).await;
        stubborn.until(|kind, flags, _| kind == 4 && flags == 0).await;
        stubborn.send(4, 1, 0, &[]).await;
        stubborn
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let head = [&(payload.len() as u32).to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.stream.write_all(&[&head, payload].concat()).await.unwrap();
    }

    /// The next frame that is wanted by type, flags and stream, and the status and fields in it if it is HEADERS.
    async fn until(&mut self, wanted: impl Fn(u8, u8, u32) -> bool) -> (Vec<u8>, Vec<Field>) {
        loop {
            let mut head = [0; 9];
            timeout(LONG, self.stream.read_exact(&mut head)).await.expect("a frame in time").unwrap();
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            self.stream.read_exact(&mut payload).await.unwrap();
            let fields = if head[3] == 1 { self.decoder.decode(&payload).unwrap() } else { Vec::new() };
            if wanted(head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]])) {
                return (payload, fields);
            }
        }
    }

    async fn ask_session(&mut self, stream: u32) {
        let literal = |(name, value): (&str, &str)| {
            [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
        };
        let block: Vec<u8> = EXTENDED.into_iter().flat_map(literal).collect();
        self.send(1, 4, stream, &block).await;
    }
}

/// whoever asks all the same is told to come another time, or elsewhere.
#[tokio::test]
async fn a_gateway_that_drains_refuses_new_sessions_on_links_that_are_there() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &["--drain-timeout", "10min"]).await;
    let mut client = Stubborn::connect(gateway.address()).await;
    client.ask_session(1).await;
    let (_, fields) = client.until(|kind, _, stream| kind == 1 && stream == 1).await;
    assert_eq!(fields[0].value, "200");
    // The session of another link goes on, so the gateway does as well.
    let stopping = tokio::spawn(gateway.stop());
    client.until(|kind, _, _| kind == 7).await;
    let (ping, _) = client.until(|kind, flags, _| kind == 6 && flags == 0).await;
    client.ask_session(3).await;
    let (_, fields) = client.until(|kind, _, stream| kind == 1 && stream == 3).await;
    assert_eq!(fields[0].value, "503", "{fields:?}");
    assert!(fields.iter().any(|field| field.name == "retry-after"), "{fields:?}");
    client.send(6, 1, 0, &ping).await;
    let (goaway, _) = client.until(|kind, _, _| kind == 7).await;
    // What comes above the last one is refused by this.
    assert_eq!(goaway[..4], [0, 0, 0, 3]);
    drop(client);
    assert!(timeout(LONG, stopping).await.unwrap().unwrap());
}
