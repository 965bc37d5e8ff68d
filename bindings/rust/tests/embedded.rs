//! The driver against an embedded node: links, tasks, listeners, and their ends.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::core::cluster::Event;
use hotrod_tokio::core::session::Applied;
use hotrod_tokio::core::vocabulary::Refusal;
use hotrod_tokio::core::wire::{EntryChange, EventData, Expiration, Flags, Interests, ListenerOptions};
use hotrod_tokio::{Cache, Client, Error, ListenerEvent, NearCacheOptions, Settings, StartError, Versioned};
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
    let cas = |version| cache.replace_if_unmodified("k", version, "three", Expiration::DEFAULT);
    assert_eq!(cas(entry.metadata.version).await.unwrap(), Versioned::Done);
    assert_eq!(cas(entry.metadata.version).await.unwrap(), Versioned::Modified);
    assert_eq!(cache.remove_if_unmodified("nothing", 1).await.unwrap(), Versioned::Missing);
    assert_eq!(returning.remove("k").await.unwrap().previous.unwrap().value, "three");
    node.stop().await;
}

#[tokio::test]
async fn a_listener_hears_what_it_asked_for_and_is_gone_when_dropped() {
    let node = node(anywhere()).await;
    let (client, cache) = connect(&node, "local").await;
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
    let links = || client.members().iter().map(|member| member.links).sum::<usize>();
    assert_eq!(links(), 2, "one for operations and one for listeners");
    drop(listener);
    while links() > 1 {
        tokio::task::yield_now().await;
    }
    cache.put("k", "3").await.unwrap();
    node.stop().await;
}

/// A listener that consumes nothing pauses its link and loses no event.
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

/// The state fills the listener's queue before the registration is answered.
#[tokio::test]
async fn the_state_of_a_large_cache_waits_for_the_application() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    let count = 5000;
    let entries = (0..count).map(|n| (Bytes::from(format!("{n}")), Bytes::from("v"))).collect();
    cache.put_all(entries, Expiration::DEFAULT).await.unwrap();
    let options = ListenerOptions { include_current_state: true, ..ListenerOptions::default() };
    let mut slow = cache.listen(options.clone()).await.unwrap();
    let mut quick = cache.listen(options).await.unwrap();
    for listener in [&mut quick, &mut slow] {
        for n in 0..count {
            assert!(matches!(listener.next().await, Some(ListenerEvent::Entry(_))), "event {n}");
        }
    }
    cache.put("later", "v").await.unwrap();
    assert!(matches!(slow.next().await, Some(ListenerEvent::Entry(_))));
    node.stop().await;
}

#[tokio::test]
async fn an_iteration_sees_every_entry_once() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    let entries = (0..500).map(|n| (Bytes::from(format!("{n:03}")), Bytes::from("v"))).collect();
    cache.put_all(entries, Expiration::DEFAULT).await.unwrap();
    let mut iteration = cache.iterate(7).unwrap();
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
    let impatient = cache.with_timeout(Duration::from_millis(300));
    let error = impatient.get("k").await.unwrap_err();
    assert!(error.to_string().contains("GET reached no member within"), "{error}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    assert_eq!(error.applied(), Applied::Unknown, "a first attempt may have met the link's end");
    let second = node(address).await;
    assert_eq!(cache.get("k").await.unwrap(), None, "another node, without the data");
    second.stop().await;
}

/// A server accepts and sends nothing: the operation's own deadline ends the wait.
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
    settings.cluster.session.handshake_timeout = Duration::from_millis(50);
    let error = Client::connect_with(settings).await.err().unwrap().to_string();
    assert!(error.contains("did not complete the negotiation (PING)"), "{error}");
}

#[tokio::test]
async fn an_operation_that_was_given_up_leaves_the_session_in_step() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    cache.put("k", vec![1; 1_000_000]).await.unwrap();
    for _ in 0..20 {
        // Usually too short for the answer; either way the next answer must be correct.
        let _ = tokio::time::timeout(Duration::from_micros(300), cache.get("k")).await;
        assert_eq!(cache.get("missing").await.unwrap(), None);
    }
    node.stop().await;
}

/// Relays for a moment, then drops every byte.
async fn tarpit(upstream: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = tokio::net::TcpStream::connect(upstream).await.unwrap();
        let relay = tokio::io::copy_bidirectional(&mut client, &mut server);
        let _ = tokio::time::timeout(Duration::from_millis(300), relay).await;
        std::future::pending::<()>().await;
    });
    address
}

#[tokio::test]
async fn what_is_in_flight_when_the_client_is_closed_has_an_answer() {
    let node = node(anywhere()).await;
    let address = tarpit(node.addresses()[0]).await;
    let mut settings = Settings::from_uri(&format!("hotrod://{address}/local").parse().unwrap()).unwrap();
    settings.cluster.session.stall_timeout = Duration::from_millis(200);
    let client = Client::connect_with(settings).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let cache = client.default_cache();
    let writer = cache.clone();
    let waiting = tokio::spawn(async move { writer.put("k", "v").await });
    while client.members().iter().all(|member| member.in_flight == 0) {
        tokio::task::yield_now().await;
    }
    client.close().await;
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.applied(), Applied::Unknown, "{error}");
    let refused = cache.get("k").await.unwrap_err();
    assert_eq!((refused.to_string().as_str(), refused.applied()), ("the client is closed", Applied::No));
    node.stop().await;
}

#[tokio::test]
async fn an_unreachable_seed_is_passed_over() {
    let node = node(anywhere()).await;
    let uri = format!("hotrod://127.0.0.1:1,{}/local", node.addresses()[0]);
    let cache = Client::connect(&uri).await.unwrap().default_cache();
    cache.put("k", "v").await.unwrap();
    node.stop().await;
    let error = Client::connect(&uri).await.err().unwrap();
    let Error::Start(StartError::Unreachable(tried)) = &error else { panic!("{error}") };
    assert_eq!(tried.len(), 2, "{error}");
}

async fn three_members() -> (Embedded, Client, Cache) {
    let options = EmbeddedOptions { members: 3, listen: anywhere(), ..EmbeddedOptions::default() };
    let node = Embedded::start(options).await.unwrap();
    let (client, cache) = connect(&node, "dist").await;
    cache.ping().await.unwrap();
    (node, client, cache)
}

#[tokio::test]
async fn every_key_goes_straight_to_its_owner() {
    let (node, client, cache) = three_members().await;
    let before = client.counters();
    for n in 0..300 {
        cache.put(format!("key {n}"), "v").await.unwrap();
        assert_eq!(cache.get(format!("key {n}")).await.unwrap().unwrap(), "v");
    }
    let after = client.counters();
    assert_eq!((after.direct - before.direct, after.forwarded - before.forwarded), (600, 0));
    assert!(after.bytes_sent > 600 * 10 && after.bytes_received > 600 * 5);
    assert_eq!(after.latency.buckets.iter().sum::<u64>(), after.operations);
    let view = client.view(&cache).unwrap();
    assert_eq!(view.members().len(), 3);
    client.close().await;
    node.stop().await;
}

#[tokio::test]
async fn entries_of_all_members_by_one_iteration_and_one_bulk_operation() {
    let (node, _client, cache) = three_members().await;
    let entries: Vec<(Bytes, Bytes)> = (0..500).map(|n| (Bytes::from(format!("{n:03}")), Bytes::from("v"))).collect();
    cache.put_all(entries.clone(), Expiration::DEFAULT).await.unwrap();
    let mut iteration = cache.iterate(7).unwrap();
    let mut keys = Vec::new();
    // A cancelled future loses no entry.
    loop {
        match tokio::time::timeout(Duration::from_micros(50), iteration.next()).await {
            Ok(Ok(Some(entry))) => keys.push(entry.key),
            Ok(Ok(None)) => break,
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => {}
        }
    }
    keys.sort();
    assert_eq!(keys, entries.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());
    assert_eq!(cache.get_all(keys).await.unwrap().len(), 500);
    node.stop().await;
}

#[tokio::test]
async fn a_near_cache_answers_without_a_hop() {
    let (node, client, cache) = three_members().await;
    let mut events = client.events();
    cache.enable_near_cache(NearCacheOptions::default()).unwrap();
    while !matches!(events.recv().await.unwrap(), Event::NearCacheActive { .. }) {}
    cache.put("k", "v").await.unwrap();
    cache.get("k").await.unwrap();
    let before = client.counters();
    assert_eq!(cache.get("k").await.unwrap().unwrap(), "v");
    let after = client.counters();
    assert_eq!((after.near_hits - before.near_hits, after.direct - before.direct), (1, 0));
    cache.disable_near_cache();
    cache.get("k").await.unwrap();
    assert_eq!(client.counters().direct, after.direct + 1);
    node.stop().await;
}

#[tokio::test]
async fn a_listener_of_a_client_that_is_closed_ends() {
    let (node, client, cache) = three_members().await;
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    client.close().await;
    assert!(matches!(listener.next().await, Some(ListenerEvent::Ended(_))));
    assert!(listener.next().await.is_none());
    node.stop().await;
}

#[tokio::test]
async fn a_listener_that_is_refused_says_why() {
    let (node, client, _cache) = three_members().await;
    let error = client.cache("no such cache").listen(ListenerOptions::default()).await.err().unwrap();
    assert!(error.to_string().contains("ADD_CLIENT_LISTENER"), "{error}");
    node.stop().await;
}

#[tokio::test]
async fn counters_and_multimaps() {
    let node = node(anywhere()).await;
    let (client, _) = connect(&node, "local").await;
    let counter = client.counter("visits");
    let missing = counter.get().await.unwrap_err();
    assert!(matches!(missing, Error::Refusal { refusal: Refusal::NoSuchCounter, .. }), "{missing}");
    assert!(counter.create_bounded(0, 10, 5).await.unwrap() && !counter.create_strong(0).await.unwrap());
    let mut listener = counter.listen().await.unwrap();
    assert_eq!(counter.add_and_get(5).await.unwrap(), 10);
    let full = counter.add_and_get(1).await.unwrap_err();
    assert!(matches!(full, Error::Refusal { refusal: Refusal::OutOfBounds, .. }), "{full}");
    assert_eq!(full.applied(), Applied::No);
    assert!(matches!(listener.next().await, Some(ListenerEvent::Counter(event)) if event.new_value == 10));
    assert_eq!(counter.compare_and_swap(10, 1).await.unwrap(), 10);
    assert_eq!(counter.get_and_set(7).await.unwrap(), 1);
    counter.reset().await.unwrap();
    assert_eq!(client.counter_names().await.unwrap(), ["visits"]);
    assert!(counter.get_configuration().await.unwrap().is_some() && counter.remove().await.unwrap());

    let tags = client.multimap("local", false);
    tags.put("post", "red").await.unwrap();
    tags.put("post", "blue").await.unwrap();
    assert_eq!((tags.get("post").await.unwrap().len(), tags.size().await.unwrap()), (2, 2));
    assert!(tags.contains_entry("post", "red").await.unwrap() && !tags.contains_value("green").await.unwrap());
    assert_eq!(tags.get_with_metadata("post").await.unwrap().unwrap().1.len(), 2);
    assert!(tags.remove_entry("post", "red").await.unwrap() && tags.remove_key("post").await.unwrap());
    assert!(!tags.contains_key("post").await.unwrap());
    node.stop().await;
}

/// The next item of a stream, as combinators of other crates request it.
async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

#[tokio::test]
async fn iterations_and_listeners_are_streams() {
    let node = node(anywhere()).await;
    let (_client, cache) = connect(&node, "local").await;
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    for n in 0..5 {
        cache.put(format!("key {n}"), "v").await.unwrap();
        let Some(ListenerEvent::Entry(event)) = next(&mut listener).await else { panic!("event {n}") };
        assert_eq!(event.change, EntryChange::Created);
    }
    let mut iteration = cache.iterate(2).unwrap();
    let mut keys = Vec::new();
    while let Some(entry) = next(&mut iteration).await {
        keys.push(entry.unwrap().key);
    }
    keys.sort_unstable();
    assert_eq!(keys, ["key 0", "key 1", "key 2", "key 3", "key 4"]);
    assert!(next(&mut iteration).await.is_none(), "it stays at its end");
    node.stop().await;
}
