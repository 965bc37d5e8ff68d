//! A whole client over each carriage, and what becomes of it when things end.

use std::net::SocketAddr;

use bytes::Bytes;
use hotrod_core::wire::ListenerOptions;
use hotrod_gateway::gateway::Gateway;
use hotrod_tokio::{Client, ListenerEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::common::{LONG, config, end_of, metric, node, readiness, series, sidecar, until};

/// Every carriage over HTTP, as connection URIs have it.
pub(crate) const CARRIAGES: [&str; 8] = [
    "carriage=upgrade",
    "carriage=connect",
    "carriage=connect-http2",
    "carriage=extended-connect",
    "carriage=frames",
    "carriage=auto",
    "carriage=upgrade&inside=frames",
    "carriage=connect&inside=frames",
];

async fn connect(address: SocketAddr, properties: &str) -> Client {
    let uri = format!("hotrod://{address}/dist?access=header&{properties}");
    let connected = timeout(LONG, Client::connect(&uri)).await.expect("in time");
    connected.unwrap_or_else(|error| panic!("{properties}: {error}"))
}

async fn front(seed: SocketAddr, members: usize, more: &[&str]) -> Gateway {
    let seed = seed.to_string();
    let arguments = ["--front", "--upstream", &seed, "--topology-cache", "dist", "--topology-interval", "50ms"];
    let ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let gateway = Gateway::start(config(&[&arguments[..], &ports, more].concat())).await.unwrap();
    until("the members are known", || async {
        let (_, body) = readiness(&gateway).await;
        body["membership"]["members"].as_array().is_some_and(|found| found.len() == members)
    })
    .await;
    gateway
}

/// Small and large values, many at a time, and events.
pub(crate) async fn use_it(client: &Client, what: &str) {
    let cache = client.default_cache();
    let value: Bytes = (0..5_000_000u32).map(|n| n as u8).collect::<Vec<_>>().into();
    cache.put("large", value.clone()).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(cache.get("large").await.unwrap().unwrap() == value, "{what}");
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..10 {
        let cache = cache.clone();
        tasks.spawn(async move {
            for round in 0..30 {
                let key = format!("{task}-{round}");
                cache.put(key.clone(), vec![task; round * 1000]).await.unwrap();
                assert_eq!(cache.get(key).await.unwrap().unwrap(), vec![task; round * 1000]);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    for _ in 0..300 {
        let heard = timeout(LONG, listener.next()).await.expect("an event in time");
        assert!(matches!(heard, Some(ListenerEvent::Entry(_))), "{what}: {heard:?}");
    }
}

#[tokio::test]
async fn a_whole_client_works_over_every_carriage() {
    for carriage in CARRIAGES {
        let node = node(1).await;
        let gateway = sidecar(node.addresses()[0], &[]).await;
        until("it is ready", || async { readiness(&gateway).await.0 == 200 }).await;
        let client = connect(gateway.address(), carriage).await;
        use_it(&client, carriage).await;
        client.close().await;
        until("no session is left", || async { metric(&gateway, "hotrod_gateway_sessions_open").await == 0 }).await;
        until("nothing is held", || async { metric(&gateway, "hotrod_gateway_buffered_bytes").await == 0 }).await;
        node.stop().await;
    }
}

#[tokio::test]
async fn one_link_carries_sessions_with_every_member() {
    for carriage in ["carriage=frames", "carriage=extended-connect", "carriage=connect-http2"] {
        let node = node(3).await;
        let gateway = front(node.addresses()[0], 3, &[]).await;
        let client = connect(gateway.address(), carriage).await;
        until("every member is reached", || async {
            client.members().iter().filter(|member| member.ready).count() >= 3
        })
        .await;
        let cache = client.default_cache();
        for number in 0..300 {
            cache.put(format!("{number}"), "v").await.unwrap();
        }
        let stores: Vec<u64> = (0..3)
            .map(|number| {
                let id = node.member_id(number).unwrap();
                node.with_cluster(|cluster, _| cluster.counts("dist", id)).stores
            })
            .collect();
        assert_eq!(stores.iter().sum::<u64>(), 300, "{carriage}: {stores:?}");
        assert!(stores.iter().all(|stores| *stores > 30), "{carriage}: {stores:?}");
        assert_eq!(client.counters().connects, 1, "{carriage}");
        client.close().await;
        node.stop().await;
    }
}

#[tokio::test]
async fn a_gateway_that_stops_under_load_loses_no_call() {
    let node = node(2).await;
    let (first, second) = (front(node.addresses()[0], 2, &[]).await, front(node.addresses()[1], 2, &[]).await);
    let seeds = format!("{},{}", first.address(), second.address());
    let client = Client::connect(&format!("hotrod://{seeds}/dist?access=header&carriage=frames")).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let cache = client.default_cache();
        tasks.spawn(async move {
            for round in 0..400 {
                cache.put(format!("{task}-{round}"), "v").await.unwrap_or_else(|error| panic!("{round}: {error}"));
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        });
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(timeout(LONG, first.stop()).await.unwrap(), "everything ended by itself");
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    client.close().await;
    node.stop().await;
}

#[tokio::test]
async fn an_unknown_member_and_another_one_are_refused_by_name() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    until("it is ready", || async { readiness(&gateway).await.0 == 200 }).await;
    let answer = |request: String| async move {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        (String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_string(), gateway)
    };
    let upgrade = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: hotrod\r\n";
    let (line, gateway) = answer(format!("{upgrade}Hot-Rod-Node: nobody\r\n\r\n")).await;
    assert!(line.starts_with("HTTP/1.1 404") || line.starts_with("HTTP/1.1 421"), "{line}");
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(format!("{upgrade}Hot-Rod-Node: node-0\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let length = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).to_lowercase();
    assert!(answer.starts_with("http/1.1 101") && answer.contains("hot-rod-node: node-0"), "{answer}");
    node.stop().await;
}

/// What a client of a tunnel is answered, and what comes behind that until the end, if there is one.
async fn asks(gateway: &Gateway, fields: &str, behind: &[u8]) -> (String, Option<Vec<u8>>) {
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: hotrod\r\n{fields}\r\n");
    stream.write_all(&[request.as_bytes(), behind].concat()).await.unwrap();
    let mut answer = Vec::new();
    let is_whole = |answer: &[u8]| answer.windows(4).any(|window| window == b"\r\n\r\n");
    while !is_whole(&answer) {
        assert_ne!(timeout(LONG, stream.read_buf(&mut answer)).await.expect("in time").unwrap(), 0);
    }
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let mut rest = answer.split_off(end);
    let ended = timeout(std::time::Duration::from_millis(500), stream.read_to_end(&mut rest)).await.is_ok();
    (String::from_utf8(answer).unwrap(), ended.then_some(rest))
}

#[tokio::test]
async fn fields_that_say_nothing_clear_are_refused() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    for fields in [
        "Hot-Rod-Node: node-0\r\nHot-Rod-Node: node-0\r\n",
        "Hot-Rod-Node: node 0\r\n",
        "Hot-Rod-Node: \r\n",
        "Hot-Rod-Inside: tls\r\n",
        "Hot-Rod-Inside: hotrod\r\nHot-Rod-Inside: tls\r\n",
    ] {
        let (answer, _) = asks(&gateway, fields, b"").await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{fields}: {answer}");
    }
    node.stop().await;
}

/// the first octets tell what a tunnel carries, and anything else than Hot Rod and HTTP/2 goes to no member.
#[tokio::test]
async fn a_tunnel_that_carries_something_else_ends() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let passed = "hotrod_gateway_relayed_bytes_total{direction=\"to_member\"}";
    for behind in [&b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"[..], b"\x16\x03\x01", b"\0\0\0"] {
        let (answer, rest) = asks(&gateway, "", behind).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert_eq!(rest.as_deref(), Some(&[][..]), "{behind:?}");
        assert_eq!(series(&gateway, passed).await.unwrap_or(0), 0);
    }
    node.stop().await;
}

/// Answers of a link to requests that stand in one segment, as text; the last has `Connection: close`.
async fn answers_of(address: std::net::SocketAddr, requests: &[&str]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let last = requests.len() - 1;
    let all: String = requests
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let close = if index == last { "Connection: close\r\n" } else { "" };
            format!("{line} HTTP/1.1\r\nHost: h\r\n{close}\r\n")
        })
        .collect();
    stream.write_all(all.as_bytes()).await.unwrap();
    String::from_utf8(end_of(&mut stream).await).unwrap()
}

/// A path of a REST API is there no more than anywhere else: a client would take 200 for its value.
#[tokio::test]
async fn an_ordinary_request_gets_an_ordinary_answer() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    for address in [gateway.address(), node.addresses()[0]] {
        let answers = answers_of(address, &["GET /", "HEAD /", "GET /rest/v2/caches/default/k", "DELETE /"]).await;
        let statuses: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
        assert_eq!(statuses, ["200", "200", "404", "405"], "{answers}");
        assert_eq!(answers.matches("Hot Rod is served here").count(), 2, "{answers}");
        assert!(answers.to_ascii_lowercase().contains("\r\nallow: get, head\r\n"), "{answers}");
    }
    node.stop().await;
}

/// RFC 9112, 9.3.2
#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    for address in [gateway.address(), node.addresses()[0]] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let get = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        stream.write_all(&[&get[..], get].concat()).await.unwrap();
        let mut answers = Vec::new();
        while answers.windows(12).filter(|bytes| *bytes == b"HTTP/1.1 200").count() < 2 {
            let read = timeout(LONG, stream.read_buf(&mut answers)).await.expect("two answers").unwrap();
            assert_ne!(read, 0, "{}", answers.escape_ascii());
        }
    }
    node.stop().await;
}

#[tokio::test]
async fn external_is_refused_by_name_over_every_carriage() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    for (count, carriage) in CARRIAGES.into_iter().enumerate() {
        let uri = format!("hotrod://{}/dist?access=header&{carriage}&sasl_mechanism=EXTERNAL", gateway.address());
        let refused = timeout(LONG, Client::connect(&uri)).await.expect("in time").err();
        let error = refused.unwrap_or_else(|| panic!("{carriage}: let in")).to_string();
        assert!(error.contains("EXTERNAL ends at the gateway"), "{carriage}: {error}");
        let refused = series(&gateway, "hotrod_gateway_refusals_total{reason=\"auth\"}").await;
        assert!(refused > Some(count as u64), "{carriage}: {refused:?}");
    }
    node.stop().await;
}

/// Requests that wait for their turn must not take the credit that the one whose turn it is needs.
#[tokio::test]
async fn many_large_requests_at_once_do_not_starve_each_other() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let client = connect(gateway.address(), "carriage=frames").await;
    let value = Bytes::from(vec![7; 1 << 20]);
    let mut tasks = JoinSet::new();
    for task in 0..60 {
        let (cache, value) = (client.default_cache(), value.clone());
        tasks.spawn(async move { cache.put(format!("{task}"), value).await });
    }
    while let Some(done) = timeout(LONG, tasks.join_next()).await.expect("in time") {
        done.unwrap().unwrap();
    }
    assert_eq!(client.default_cache().size().await.unwrap(), 60);
    client.close().await;
    node.stop().await;
}
