//! The client through a gateway, over every carriage; only the URI differs.

use std::time::Duration;

use bytes::Bytes;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_gateway::config::{Invocation, Mode};
use hotrod_gateway::gateway::Gateway;
use hotrod_tokio::core::wire::{EntryChange, ListenerOptions};
use hotrod_tokio::{Client, ListenerEvent};
use tempfile::TempDir;
use tokio::time::timeout;

/// Longer than any step of these tests.
const LONG: Duration = Duration::from_secs(30);

/// Before that node, with TLS and without.
async fn gateway(node: &Embedded, files: &TempDir) -> Gateway {
    let at = |name: &str| files.path().join(name).to_str().unwrap().to_string();
    let (certificate, key) = (at("cert.pem"), at("key.pem"));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_string()]).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let upstream = node.addresses()[0].to_string();
    let arguments = [
        ["hotrod-gateway", "--allow-plain"].as_slice(),
        &["--upstream", &upstream, "--node-name", "node-0", "--topology-cache", "dist"],
        &["--listen", "127.0.0.1:0", "--tls-cert", &certificate, "--tls-key", &key],
    ];
    let Mode::Gateway(config) = Invocation::load(arguments.concat()).unwrap().mode else { panic!() };
    Gateway::start(*config).await.unwrap()
}

async fn use_it(client: &Client, name: &str) {
    let cache = client.default_cache();
    cache.ping().await.unwrap();
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    let large: Bytes = (0..1u32 << 20).map(|n| n as u8).collect::<Vec<_>>().into();
    for value in [Bytes::new(), "v".into(), large] {
        cache.put("k", value.clone()).await.unwrap();
        assert!(cache.get("k").await.unwrap().unwrap() == value, "{name}");
    }
    assert!(cache.remove("k").await.unwrap().executed);
    assert_eq!(cache.get("k").await.unwrap(), None);
    for change in [EntryChange::Created, EntryChange::Modified, EntryChange::Modified, EntryChange::Removed] {
        let Some(ListenerEvent::Entry(event)) = listener.next().await else { panic!("{name}: no event") };
        assert_eq!(event.change, change, "{name}");
    }
    drop(listener);
    let counter = client.counter(name);
    assert!(counter.create_strong(5).await.unwrap());
    assert_eq!(counter.add_and_get(3).await.unwrap(), 8);
    assert!(counter.remove().await.unwrap());
}

#[tokio::test]
async fn every_carriage_by_its_uri() {
    let options = EmbeddedOptions { listen: ([127, 0, 0, 1], 0).into(), ..EmbeddedOptions::default() };
    let node = Embedded::start(options).await.unwrap();
    let files = tempfile::tempdir().unwrap();
    let gateway = gateway(&node, &files).await;
    for line in include_str!("../../../tests/conformance/carriages.txt").lines() {
        let [name, scheme, properties] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let trusted = match scheme {
            "hotrods" => format!("&trust_ca={}", files.path().join("cert.pem").display()),
            _ => String::new(),
        };
        let uri = format!("{scheme}://{}/dist?{properties}{trusted}", gateway.address());
        let used = async {
            let client = Client::connect(&uri).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            use_it(&client, name).await;
            client.close().await;
        };
        timeout(LONG, used).await.unwrap_or_else(|_| panic!("{name}: not in time"));
    }
    assert!(gateway.stop().await);
    node.stop().await;
}
