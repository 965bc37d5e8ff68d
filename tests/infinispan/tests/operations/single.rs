use bytes::Bytes;
use hotrod_core::wire::{Body, Expiration, Lifetime, Request, Status, TimeUnit, Version};

use crate::conversation::{Conversation, immortal, previous};

pub async fn conversation(c: &Conversation) {
    reads_and_writes(c).await;
    conditional_writes(c).await;
    versions(c).await;
    previous_values(c).await;
    lifetimes(c).await;
    long_lifetimes(c).await;
    every_length_of_value(c).await;
}

async fn reads_and_writes(c: &Conversation) {
    let key = c.key("entry");
    assert_eq!(c.get(&key).await, None);
    let reply = c.ask(Request::ContainsKey { key: key.clone() }).await;
    assert_eq!(reply.status, Status::KEY_DOES_NOT_EXIST);
    c.put(&key, "value").await;
    assert_eq!(c.get(&key).await.as_deref(), Some(&b"value"[..]));
    assert_eq!(c.ask(Request::ContainsKey { key: key.clone() }).await.status, Status::SUCCESS);
    assert_eq!(c.ask(Request::Remove { key: key.clone() }).await.status, Status::SUCCESS);
    assert_eq!(c.ask(Request::Remove { key: key.clone() }).await.status, Status::KEY_DOES_NOT_EXIST);
}

async fn conditional_writes(c: &Conversation) {
    let key = c.key("conditional");
    let put_if_absent =
        || Request::PutIfAbsent { key: key.clone(), expiration: immortal(), value: Bytes::from_static(b"first") };
    let replace =
        || Request::Replace { key: key.clone(), expiration: immortal(), value: Bytes::from_static(b"second") };
    assert_eq!(c.ask(replace()).await.status, Status::NOT_EXECUTED);
    assert_eq!(c.ask(put_if_absent()).await.status, Status::SUCCESS);
    assert_eq!(c.ask(put_if_absent()).await.status, Status::NOT_EXECUTED);
    assert_eq!(c.ask(replace()).await.status, Status::SUCCESS);
    assert_eq!(c.get(&key).await.as_deref(), Some(&b"second"[..]));
}

async fn versions(c: &Conversation) {
    let key = c.key("versioned");
    c.put(&key, "one").await;
    let version = match c.ask(Request::GetWithVersion { key: key.clone() }).await.body {
        Body::VersionedValue { version, value } => {
            assert_eq!(value, "one");
            version
        }
        other => panic!("{other:?}"),
    };
    let replace = |key: Bytes, entry_version| Request::ReplaceIfUnmodified {
        key,
        expiration: immortal(),
        entry_version,
        value: Bytes::from_static(b"two"),
    };
    let missing = c.key("missing");
    assert_eq!(c.ask(replace(missing.clone(), 1)).await.status, Status::KEY_DOES_NOT_EXIST);
    assert_eq!(c.ask(replace(key.clone(), version)).await.status, Status::SUCCESS);
    assert_eq!(c.ask(replace(key.clone(), version)).await.status, Status::NOT_EXECUTED);
    let remove = |key: Bytes, entry_version| Request::RemoveIfUnmodified { key, entry_version };
    assert_eq!(c.ask(remove(missing, 1)).await.status, Status::KEY_DOES_NOT_EXIST);
    assert_eq!(c.ask(remove(key.clone(), version)).await.status, Status::NOT_EXECUTED);
    let Body::ValueWithMetadata { metadata, value } = c.ask(Request::GetWithMetadata { key: key.clone() }).await.body
    else {
        panic!()
    };
    assert_eq!(value, "two");
    assert_ne!(metadata.version, version);
    assert_eq!((metadata.lifespan, metadata.max_idle), (None, None));
    assert_eq!(c.ask(remove(key, metadata.version)).await.status, Status::SUCCESS);
}

/// From 4.0 on previous values come with version and lifetimes (gotcha 17).
async fn previous_values(c: &Conversation) {
    let key = c.key("previous");
    let options = c.with_previous();
    let put = |value: &'static str| Request::Put { key: key.clone(), expiration: immortal(), value: value.into() };
    let first = c.ask_with(&options, put("one")).await;
    assert_eq!(previous(&first.body), None);
    let second = c.ask_with(&options, put("two")).await;
    assert_eq!(second.status, Status::SUCCESS_WITH_PREVIOUS);
    assert_eq!(previous(&second.body).map(|value| &value[..]), Some(&b"one"[..]));
    let Body::Previous(Some(found)) = &second.body else { panic!() };
    assert_eq!(found.metadata.is_some(), c.version >= Version::V4_0);
    let absent = Request::PutIfAbsent { key: key.clone(), expiration: immortal(), value: "three".into() };
    let refused = c.ask_with(&options, absent).await;
    assert_eq!(refused.status, Status::NOT_EXECUTED_WITH_PREVIOUS);
    assert_eq!(previous(&refused.body).map(|value| &value[..]), Some(&b"two"[..]));
    let removed = c.ask_with(&options, Request::Remove { key: key.clone() }).await;
    assert_eq!(previous(&removed.body).map(|value| &value[..]), Some(&b"two"[..]));
    // A value of no bytes is a value.
    c.put(&key, "").await;
    assert_eq!(c.get(&key).await.as_deref(), Some(&b""[..]));
}

async fn lifetimes(c: &Conversation) {
    // A maximum idle time longer than the lifespan is dropped by the server.
    let key = c.key("mortal");
    let expiration = Expiration { lifespan: Lifetime::seconds(1000), max_idle: Lifetime::For(5, TimeUnit::Minutes) };
    c.ask(Request::Put { key: key.clone(), expiration, value: "v".into() }).await;
    let Body::ValueWithMetadata { metadata, .. } = c.ask(Request::GetWithMetadata { key: key.clone() }).await.body
    else {
        panic!()
    };
    assert_eq!(metadata.lifespan.map(|left| left.seconds), Some(1000), "{}", c.version);
    assert_eq!(metadata.max_idle.map(|left| left.seconds), Some(300), "{}", c.version);
    // The cache's own lifetimes, which are none; only the form differs from "infinite".
    let default = Request::Put { key: key.clone(), expiration: Expiration::DEFAULT, value: "v".into() };
    assert_eq!(c.ask(default).await.status, Status::SUCCESS);
    if c.version >= Version::V2_2 {
        let brief = Expiration::after(Lifetime::milliseconds(1));
        c.ask(Request::Put { key: key.clone(), expiration: brief, value: "v".into() }).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        assert_eq!(c.get(&key).await, None);
    }
}

/// Before 3.0 the server reads more than 30 days as a date, so the client refuses it.
async fn long_lifetimes(c: &Conversation) {
    let key = c.key("long-lived");
    let seconds = async |days: u64| {
        let Body::ValueWithMetadata { metadata, .. } = c.ask(Request::GetWithMetadata { key: key.clone() }).await.body
        else {
            panic!("{days} days at {}: gone", c.version)
        };
        metadata.lifespan.map(|left| u64::from(left.seconds))
    };
    let put = |days| {
        let expiration = Expiration::after(Lifetime::For(days, TimeUnit::Days));
        Request::Put { key: key.clone(), expiration, value: "v".into() }
    };
    for days in [30, 31, 365, 60 * 365] {
        if days > 30 && c.version < Version::V3_0 {
            let error = c.not_sent(put(days)).await;
            assert!(error.contains("needs protocol version 3.0"), "{error}");
            assert_eq!(seconds(30).await, Some(30 * 86_400), "the entry is as it was");
        } else {
            assert_eq!(c.ask(put(days)).await.status, Status::SUCCESS);
            assert_eq!(seconds(days).await, Some(days * 86_400), "{days} days at {}", c.version);
        }
    }
}

/// Lengths around the steps of a vInt and of the read buffer.
async fn every_length_of_value(c: &Conversation) {
    let key = c.key("long");
    for length in [1, 127, 128, 4096, 16_383, 16_384, 70_000, 3_000_000] {
        let value: Bytes = (0..length).map(|index| index as u8).collect::<Vec<_>>().into();
        let put = Request::Put { key: key.clone(), expiration: immortal(), value: value.clone() };
        // Too long for the golden vectors.
        let reply = c.speaker.execute(&c.options, &put, None).await.unwrap();
        assert_eq!(reply.status, Status::SUCCESS);
        let get = Request::Get { key: key.clone() };
        let reply = c.speaker.execute(&c.options, &get, None).await.unwrap();
        assert!(reply.body == Body::Value(value), "{length} bytes");
    }
    c.recorder.take();
}
