//! Values read and written in chunks, against an embedded node.

use std::net::SocketAddr;

use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::codec::Text;
use hotrod_tokio::core::wire::{Expiration, Flags};
use hotrod_tokio::{Cache, Client, WriteIf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn node() -> (Embedded, Cache) {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let node = Embedded::start(EmbeddedOptions { listen, ..EmbeddedOptions::default() }).await.unwrap();
    let client = Client::connect(&format!("hotrod://{}", node.addresses()[0])).await.unwrap();
    (node, client.cache("local"))
}

async fn write(cache: &Cache, bytes: &[u8], condition: WriteIf) -> bool {
    let mut writer = cache.write_stream("k", Expiration::DEFAULT, condition).await.unwrap();
    writer.write_all(bytes).await.unwrap();
    writer.finish().await.unwrap().executed
}

#[tokio::test]
async fn values_of_any_length_pass_both_ways() {
    let (node, cache) = node().await;
    for length in [1, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 1_000_000] {
        let value: Vec<u8> = (0..length).map(|n: u32| (n % 251) as u8).collect();
        assert!(write(&cache, &value, WriteIf::Always).await);
        assert!(cache.get("k").await.unwrap().unwrap() == value, "{length} bytes were written");
        let mut read = Vec::new();
        let mut reader = cache.read_stream("k").await.unwrap().unwrap();
        reader.read_to_end(&mut read).await.unwrap();
        assert!(read == value, "{length} bytes were read");
        let entry = cache.get_with_metadata("k").await.unwrap().unwrap();
        assert_eq!(reader.metadata().version, entry.metadata.version);
    }
    assert!(cache.read_stream("missing").await.unwrap().is_none());
    let empty = cache.write_stream("empty", Expiration::DEFAULT, WriteIf::Always).await.unwrap();
    let error = empty.finish().await.unwrap_err().to_string();
    assert!(error.contains("chunk length greater than 0"), "{error}");
    cache.put("empty", "").await.unwrap();
    let mut empty = cache.read_stream("empty").await.unwrap().unwrap();
    assert_eq!(empty.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    node.stop().await;
}

#[tokio::test]
async fn conditions_of_written_values() {
    let (node, cache) = node().await;
    assert!(write(&cache, b"one", WriteIf::Absent).await);
    assert!(!write(&cache, b"two", WriteIf::Absent).await);
    let version = cache.get_with_metadata("k").await.unwrap().unwrap().metadata.version;
    assert!(write(&cache, b"three", WriteIf::Unmodified(version)).await);
    assert!(!write(&cache, b"four", WriteIf::Unmodified(version)).await);
    assert_eq!(cache.get("k").await.unwrap().unwrap(), "three");
    let texts = cache.with_codecs(Text, Text).with_flags(Flags::FORCE_RETURN_VALUE);
    let mut writer = texts.write_stream("k", Expiration::DEFAULT, WriteIf::Always).await.unwrap();
    writer.write_all(b"five").await.unwrap();
    let outcome = writer.finish().await.unwrap();
    assert_eq!(outcome.previous.map(|previous| previous.value).as_deref(), Some("three"));
    node.stop().await;
}

#[tokio::test]
async fn a_value_is_stored_by_its_end_alone() {
    let (node, cache) = node().await;
    let mut writer = cache.write_stream("k", Expiration::DEFAULT, WriteIf::Always).await.unwrap();
    writer.write_all(&vec![7; 200_000]).await.unwrap();
    writer.flush().await.unwrap();
    drop(writer);
    assert!(cache.get("k").await.unwrap().is_none(), "it was dropped");
    let mut writer = cache.write_stream("k", Expiration::DEFAULT, WriteIf::Always).await.unwrap();
    writer.write_all(b"whole").await.unwrap();
    writer.shutdown().await.unwrap();
    assert_eq!(cache.get("k").await.unwrap().unwrap(), "whole");
    assert!(writer.write_all(b"more").await.is_err());
    node.stop().await;
}

#[tokio::test]
async fn a_stream_that_its_member_lost_fails_and_does_not_end() {
    let (node, cache) = node().await;
    cache.put("k", vec![7; 200_000]).await.unwrap();
    let mut reader = cache.read_stream("k").await.unwrap().unwrap();
    let mut writer = cache.write_stream("other", Expiration::DEFAULT, WriteIf::Always).await.unwrap();
    cache.client().close().await;
    let mut read = Vec::new();
    for _ in 0..2 {
        let error = reader.read_to_end(&mut read).await.unwrap_err();
        assert!(error.get_ref().unwrap().is::<hotrod_tokio::Error>(), "{error}");
    }
    assert_eq!(read.len(), 64 << 10, "the first chunk");
    for _ in 0..2 {
        assert!(writer.write_all(&vec![7; 300_000]).await.is_err());
    }
    assert!(writer.finish().await.is_err());
    node.stop().await;
}
