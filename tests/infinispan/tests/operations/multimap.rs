use bytes::Bytes;
use hotrod_core::wire::{Body, Operation, Reply, Request, RequestOptions, Status, Version};

use crate::conversation::{Conversation, immortal};

pub async fn conversation(c: &Conversation) {
    if !c.has(Operation::GetMultimap) {
        return;
    }
    without_duplicates(c).await;
    if c.version >= Version::V4_0 {
        with_duplicates(c).await;
    }
}

async fn without_duplicates(c: &Conversation) {
    let key = c.key("multimap");
    let get = || Request::GetMultimap { key: key.clone(), supports_duplicates: false };
    let nothing = ask(c, get()).await;
    assert!(matches!(nothing.body, Body::Nothing | Body::Values(_)), "{nothing:?}");
    for value in ["one", "two", "one"] {
        assert_eq!(ask(c, put(&key, value, false)).await.status, Status::SUCCESS);
    }
    let Body::Values(mut values) = ask(c, get()).await.body else { panic!() };
    values.sort();
    assert_eq!(values, [Bytes::from("one"), Bytes::from("two")]);
    let get = Request::GetMultimapWithMetadata { key: key.clone(), supports_duplicates: false };
    let Body::ValuesWithMetadata { values, .. } = ask(c, get).await.body else { panic!() };
    assert_eq!(values.len(), 2);
    let contains_key = |key: Bytes| Request::ContainsKeyMultimap { key, supports_duplicates: false };
    assert_eq!(ask(c, contains_key(key.clone())).await.body, Body::Boolean(true));
    assert_eq!(ask(c, contains_key(c.key("missing"))).await.body, Body::Boolean(false));
    let contains_entry = |value: &'static str| Request::ContainsEntryMultimap {
        key: key.clone(),
        expiration: immortal(),
        value: value.into(),
        supports_duplicates: false,
    };
    assert_eq!(ask(c, contains_entry("one")).await.body, Body::Boolean(true));
    assert_eq!(ask(c, contains_entry("three")).await.body, Body::Boolean(false));
    let contains_value =
        Request::ContainsValueMultimap { expiration: immortal(), value: "two".into(), supports_duplicates: false };
    assert_eq!(ask(c, contains_value).await.body, Body::Boolean(true));
    let Body::Size(size) = ask(c, Request::SizeMultimap { supports_duplicates: false }).await.body else { panic!() };
    assert!(size >= 2);
    let remove_entry = Request::RemoveEntryMultimap {
        key: key.clone(),
        expiration: immortal(),
        value: "one".into(),
        supports_duplicates: false,
    };
    assert_eq!(ask(c, remove_entry).await.body, Body::Boolean(true));
    let remove_key = || Request::RemoveKeyMultimap { key: key.clone(), supports_duplicates: false };
    assert_eq!(ask(c, remove_key()).await.body, Body::Boolean(true));
    assert_eq!(ask(c, remove_key()).await.body, Body::Boolean(false));
}

async fn with_duplicates(c: &Conversation) {
    let key = c.key("multimap of duplicates");
    for value in ["one", "one"] {
        ask(c, put(&key, value, true)).await;
    }
    let get = Request::GetMultimap { key: key.clone(), supports_duplicates: true };
    assert_eq!(ask(c, get).await.body, Body::Values(vec!["one".into(), "one".into()]));
    ask(c, Request::RemoveKeyMultimap { key, supports_duplicates: true }).await;
}

/// In a cache of their own: what else is in a cache is no multimap's to look at.
async fn ask(c: &Conversation, request: Request) -> Reply {
    c.ask_with(&RequestOptions::cache("multimap"), request).await
}

fn put(key: &Bytes, value: &'static str, supports_duplicates: bool) -> Request {
    Request::PutMultimap { key: key.clone(), expiration: immortal(), value: value.into(), supports_duplicates }
}
