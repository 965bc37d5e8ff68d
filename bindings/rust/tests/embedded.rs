//! The driver against an embedded node: links, tasks, listeners, and what happens when things end.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use hotrod_gateway::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::core::session::{Applied, OperationError};
use hotrod_tokio::core::wire::{EntryChange, EventData, Expiration, Flags, Interests, ListenerOptions};
use hotrod_tokio::{Cache, Client, Error, ListenerEvent, Versioned};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

async fn node(listen: SocketAddr) -> Embedded {
    Embedded::start(EmbeddedOptions { listen, ..EmbeddedOptions::default() }).await.unwrap()
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn connect(node: &Embedded, cache: &str) -> (Client, Cache) {
    let client = Client::connect(&format!("hotrod://{}/{cache}", node.addresses()[0])).await.unwrap();
    let cache = client.default_cache();
    (client, cache)
}

#[tokio::test]
async fn many_tasks_share_one_link_and_each_gets_its_own_answer() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..50u32 {
        let cache = cache.clone();
        tasks.spawn(async move {
            for round in 0..20u32 {
                let (key, value) = (format!("{task}-{round}"), vec![task as u8; (round * 1000) as usize]);
                cache.put(key.clone(), value.clone()).await.unwrap();
                assert_eq!(cache.get(key).await.unwrap().unwrap(), value);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    assert_eq!(cache.size().await.unwrap(), 1000);
    node.stop().await;
}

#[tokio::test]
async fn values_larger_than_any_buffer_pass_both_ways() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    let value: Bytes = (0..20_000_000u32).map(|n| n as u8).collect::<Vec<_>>().into();
    cache.put("large", value.clone()).await.unwrap();
    assert!(cache.get("large").await.unwrap().unwrap() == value);
    node.stop().await;
}

#[tokio::test]
async fn the_outcomes_of_conditions() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    let returning = cache.with_flags(Flags::FORCE_RETURN_VALUE);
    assert!(cache.put_if_absent("k", "one", Expiration::DEFAULT).await.unwrap().executed);
    let refused = returning.put_if_absent("k", "two", Expiration::DEFAULT).await.unwrap();
    assert!(!refused.executed);
    assert_eq!(refused.previous.unwrap().value, "one");
    let entry = cache.get_with_metadata("k").await.unwrap().unwrap();
    let cas = |version| cache.replace_if_unmodified("k", "three", version, Expiration::DEFAULT);
    assert_eq!(cas(entry.metadata.version).await.unwrap(), Versioned::Done);
    assert_eq!(cas(entry.metadata.version).await.unwrap(), Versioned::Modified);
    assert_eq!(cache.remove_if_unmodified("nothing", 1).await.unwrap(), Versioned::Missing);
    assert_eq!(returning.remove("k").await.unwrap().previous.unwrap().value, "three");
    node.stop().await;
}

#[tokio::test]
async fn a_listener_hears_what_it_asked_for_and_is_gone_when_dropped() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    let options = ListenerOptions { interests: Interests::CREATED | Interests::REMOVED, ..Default::default() };
    let mut listener = cache.listen(options).await.unwrap();
    cache.put("k", "1").await.unwrap();
    cache.put("k", "2").await.unwrap();
    cache.remove("k").await.unwrap();
    let mut heard = Vec::new();
    for _ in 0..2 {
        let Some(ListenerEvent::Entry(event)) = listener.next().await else { panic!() };
        let EventData::Key { key, .. } = &event.data else { panic!() };
        assert_eq!(key, "k");
        heard.push(event.change);
    }
    assert_eq!(heard, [EntryChange::Created, EntryChange::Removed]);
    drop(listener);
    cache.put("k", "3").await.unwrap();
    cache.get("k").await.unwrap();
    assert_eq!(cache.session().await.unwrap().counters().stray_events, 0, "the server has been told");
    node.stop().await;
}

/// A listener that takes nothing holds up its link, and loses nothing.
#[tokio::test]
async fn a_slow_listener_misses_no_event() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    let (_other, writer) = connect(&node, "local").await;
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    let count = 5000;
    for n in 0..count {
        writer.put(format!("key {n}"), "v").await.unwrap();
    }
    for n in 0..count {
        let Some(ListenerEvent::Entry(event)) = listener.next().await else { panic!("event {n}") };
        let EventData::Key { key, .. } = event.data else { panic!() };
        assert_eq!(key, format!("key {n}"));
    }
    node.stop().await;
}

#[tokio::test]
async fn an_iteration_sees_every_entry_once() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    let entries = (0..500).map(|n| (Bytes::from(format!("{n:03}")), Bytes::from("v"))).collect();
    cache.put_all(entries, Expiration::DEFAULT).await.unwrap();
    let mut iteration = cache.iterate(7).await.unwrap();
    let mut keys = Vec::new();
    while let Some(entry) = iteration.next().await.unwrap() {
        keys.push(entry.key);
    }
    keys.sort();
    assert_eq!(keys, (0..500).map(|n| Bytes::from(format!("{n:03}"))).collect::<Vec<_>>());
    node.stop().await;
}

#[tokio::test]
async fn after_a_lost_link_the_next_operation_makes_a_new_one() {
    let first = node(anywhere()).await;
    let address = first.addresses()[0];
    let (_client, cache) = connect(&first, "local").await;
    cache.put("k", "v").await.unwrap();
    first.stop().await;
    let error = loop {
        match cache.get("k").await {
            Err(error) => break error,
            Ok(_) => tokio::task::yield_now().await,
        }
    };
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    let second = node(address).await;
    let value = loop {
        // The first may still meet the old link's end.
        if let Ok(value) = cache.get("k").await {
            break value;
        }
    };
    assert_eq!(value, None, "another node, without the data");
    second.stop().await;
}

/// A server that accepts and says nothing: the operation's own deadline ends the wait.
#[tokio::test]
async fn a_silent_server_is_given_up() {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    });
    let mut settings = hotrod_tokio::Settings::from_uri(&format!("hotrod://{address}").parse().unwrap()).unwrap();
    settings.session.handshake_timeout = Duration::from_millis(50);
    let error = Client::connect_with(settings).await.err().unwrap().to_string();
    assert!(error.contains("did not complete the negotiation (PING)"), "{error}");
}

#[tokio::test]
async fn an_operation_that_was_given_up_leaves_the_session_in_step() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    cache.put("k", vec![1; 1_000_000]).await.unwrap();
    for _ in 0..20 {
        // Too short for the answer most of the time, and whichever it is, the next one must be right.
        let _ = tokio::time::timeout(Duration::from_micros(300), cache.get("k")).await;
        assert_eq!(cache.get("missing").await.unwrap(), None);
    }
    let session = cache.session().await.unwrap();
    assert_eq!(session.counters().requests, session.counters().replies);
    node.stop().await;
}

#[tokio::test]
async fn dropping_the_client_fails_what_is_still_waited_for() {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let node = node(anywhere()).await;
    let upstream = node.addresses()[0];
    // Passes the handshake on, then swallows everything.
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = tokio::net::TcpStream::connect(upstream).await.unwrap();
        let relay = tokio::io::copy_bidirectional(&mut client, &mut server);
        let _ = tokio::time::timeout(Duration::from_millis(300), relay).await;
        std::future::pending::<()>().await;
    });
    let client = Client::connect(&format!("hotrod://{address}/local")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let session = client.session().await.unwrap();
    let cache = client.default_cache();
    let waiting = tokio::spawn(async move { cache.get("k").await });
    while session.counters().requests < 2 {
        tokio::task::yield_now().await;
    }
    session.close();
    drop((client, session));
    waiting.abort();
    let _ = waiting.await;
    node.stop().await;
}

#[tokio::test]
async fn an_unreachable_seed_is_passed_over() {
    let node = node(anywhere()).await;
    let uri = format!("hotrod://127.0.0.1:1,{}/local", node.addresses()[0]);
    let cache = Client::connect(&uri).await.unwrap().default_cache();
    cache.put("k", "v").await.unwrap();
    node.stop().await;
    match cache.get("k").await {
        Err(Error::Operation { error: OperationError::Disconnected { applied, .. }, .. }) => {
            assert!(matches!(applied, Applied::No | Applied::Unknown));
        }
        Err(Error::Unreachable(tried)) => assert_eq!(tried.len(), 2),
        other => panic!("{other:?}"),
    }
}
