//! Whole clients of the node: its members speak every carriage themselves (spec/hotrod-over-http.md, "native").

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::wire::ListenerOptions;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::{Client, ListenerEvent};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Longer than any step of these tests takes.
const LONG: Duration = Duration::from_secs(30);

/// Every carriage over HTTP, as properties of a connection URI.
const CARRIAGES: [&str; 8] = [
    "carriage=upgrade",
    "carriage=connect",
    "carriage=connect-http2",
    "carriage=extended-connect",
    "carriage=frames",
    "carriage=auto",
    "carriage=upgrade&inside=frames",
    "carriage=connect&inside=frames",
];

async fn node(members: usize) -> Embedded {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    Embedded::start(EmbeddedOptions { members, listen, ..EmbeddedOptions::default() }).await.unwrap()
}

/// Waits until a condition holds; `what` names it in the failure.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let waiting = async {
        while !holds().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, waiting).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// Writes and reads a large value, and small ones side by side under a listener.
async fn exercise(client: &Client, carriage: &str) {
    let cache = client.default_cache();
    let value: Bytes = (0..5_000_000u32).map(|n| n as u8).collect::<Vec<_>>().into();
    cache.put("large", value.clone()).await.unwrap_or_else(|error| panic!("{carriage}: {error}"));
    assert!(cache.get("large").await.unwrap().unwrap() == value, "{carriage}");
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..10 {
        let cache = cache.clone();
        tasks.spawn(async move {
            let key = format!("key {task}");
            cache.put(key.clone(), vec![task; 10_000]).await.unwrap();
            assert_eq!(cache.get(key).await.unwrap().unwrap(), vec![task; 10_000]);
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    for _ in 0..10 {
        let event = timeout(LONG, listener.next()).await.expect("an event in time");
        assert!(matches!(event, Some(ListenerEvent::Entry(_))), "{carriage}: {event:?}");
    }
}

async fn connect(address: SocketAddr, properties: &str) -> Client {
    let uri = format!("hotrod://{address}/dist?{properties}");
    let connected = timeout(LONG, Client::connect(&uri)).await.expect("in time");
    connected.unwrap_or_else(|error| panic!("{properties}: {error}"))
}

#[tokio::test]
async fn a_whole_client_works_over_every_carriage_without_a_gateway() {
    for carriage in CARRIAGES {
        let node = node(3).await;
        let client = connect(node.addresses()[0], carriage).await;
        exercise(&client, carriage).await;
        until("every member is reached", || async {
            client.members().iter().filter(|member| member.ready).count() == 3
        })
        .await;
        client.close().await;
        node.stop().await;
    }
}

#[tokio::test]
async fn a_view_is_pushed_to_a_client_that_asks_for_nothing() {
    let mut node = node(2).await;
    let client = connect(node.addresses()[0], "carriage=frames").await;
    client.default_cache().put("k", "v").await.unwrap();
    node.add_member().await.unwrap();
    // Well before the client would ask by itself.
    let told = until("three members are known", || async { client.members().len() == 3 });
    timeout(Duration::from_secs(20), told).await.expect("without being asked for");
    client.close().await;
    node.stop().await;
}

/// One session, one lane: the large value's fragments leave room for the small one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_value_overtakes_a_large_one() {
    let node = node(1).await;
    let client = connect(node.addresses()[0], "carriage=frames").await;
    let cache = client.default_cache();
    cache.put("large", vec![7; 150 << 20]).await.unwrap();
    cache.put("small", "v").await.unwrap();
    let large = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get("large").await.unwrap().unwrap().len() }
    });
    let mut meanwhile = 0;
    while !large.is_finished() {
        assert_eq!(cache.get("small").await.unwrap().unwrap(), "v");
        meanwhile += 1;
    }
    // The last of them may have been answered after it, and one before it.
    assert!(meanwhile > 5, "{meanwhile} small ones while the large one was on its way");
    assert_eq!(large.await.unwrap(), 150 << 20);
    client.close().await;
    node.stop().await;
}
