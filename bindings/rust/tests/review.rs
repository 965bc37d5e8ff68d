//! Regression tests of cases found in a review.

use std::net::SocketAddr;
use std::time::Duration;

use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::core::cluster::Site;
use hotrod_tokio::core::wire::{ListenerOptions, Member};
use hotrod_tokio::{Client, ListenerEvent, Settings};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn node() -> Embedded {
    Embedded::start(EmbeddedOptions { listen: anywhere(), ..EmbeddedOptions::default() }).await.unwrap()
}

fn settings(address: SocketAddr) -> Settings {
    Settings::from_uri(&format!("hotrod://{address}/local").parse().unwrap()).unwrap()
}

fn member(address: SocketAddr) -> Member {
    Member { host: address.ip().to_string(), port: address.port() }
}

/// The machine pauses a link at the limit of queued events; the driver consumes them all and must resume reading.
#[tokio::test]
async fn a_link_that_brought_too_many_events_at_once_is_read_on() {
    let node = node().await;
    let writer = Client::connect_with(settings(node.addresses()[0])).await.unwrap().default_cache();
    let mut settings = settings(node.addresses()[0]);
    settings.cluster.session.max_events = 1;
    let cache = Client::connect_with(settings).await.unwrap().default_cache();
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    for n in 0..20 {
        writer.put(format!("key {n}"), "v").await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for n in 0..20 {
        let event = tokio::time::timeout(Duration::from_secs(5), listener.next()).await;
        assert!(matches!(event, Ok(Some(ListenerEvent::Entry(_)))), "event {n}: {event:?}");
    }
    node.stop().await;
}

/// A link paused for a slow listener can't deliver the answer to a PING.
#[tokio::test]
async fn a_listener_that_pauses_longer_than_links_may_be_quiet_misses_nothing() {
    let node = node().await;
    let writer = Client::connect_with(settings(node.addresses()[0])).await.unwrap().default_cache();
    let mut settings = settings(node.addresses()[0]);
    settings.cluster.keep_alive = Duration::from_millis(100);
    settings.cluster.session.stall_timeout = Duration::from_millis(300);
    let cache = Client::connect_with(settings).await.unwrap().default_cache();
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    let count = 3000;
    for n in 0..count {
        writer.put(format!("key {n}"), "v").await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    for n in 0..count {
        let event = tokio::time::timeout(Duration::from_secs(5), listener.next()).await;
        assert!(matches!(event, Ok(Some(ListenerEvent::Entry(_)))), "event {n}: {event:?}");
    }
    node.stop().await;
}

/// Accepts connections and sends nothing.
async fn silent() -> SocketAddr {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut sink = Vec::new();
                let _ = stream.read_to_end(&mut sink).await;
            });
        }
    });
    address
}

/// The first PING has a deadline; after it the remaining servers are not tried.
#[tokio::test]
async fn connecting_ends_however_many_servers_are_silent() {
    let mut settings = settings(silent().await);
    for _ in 0..3 {
        let address = silent().await;
        settings.cluster.seeds.push(member(address));
    }
    settings.cluster.session.handshake_timeout = Duration::from_millis(100);
    settings.cluster.operation_timeout = Duration::from_millis(150);
    let outcome = tokio::time::timeout(Duration::from_secs(5), Client::connect_with(settings)).await;
    assert!(outcome.expect("it ends").is_err());
}

#[tokio::test]
async fn a_client_whose_own_site_is_down_connects_to_the_other() {
    let node = node().await;
    let mut settings = settings(SocketAddr::from(([127, 0, 0, 1], 1)));
    let seeds = vec![member(node.addresses()[0])];
    settings.cluster.sites = vec![Site::new("other", seeds)];
    let client = Client::connect_with(settings).await.unwrap();
    client.default_cache().put("k", "v").await.unwrap();
    node.stop().await;
}
