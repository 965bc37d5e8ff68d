//! Keys with several values each.

use bytes::Bytes;
use hotrod_core::wire::{Body, EntryChange, Expiration, ListenerOptions, Request, Status};

use super::{Checked, Peer};

const FOREVER: Expiration = Expiration::DEFAULT;

fn put(key: &Bytes, value: &'static str, supports_duplicates: bool) -> Request {
    Request::PutMultimap { key: key.clone(), expiration: FOREVER, value: value.into(), supports_duplicates }
}

/// Empties the cache, and returns a key with the values "one" and "two".
fn two(peer: &mut Peer) -> Result<Bytes, super::Refused> {
    peer.use_cache("matrix-multimap");
    peer.expect(Request::Clear {}, Status::SUCCESS, Body::Nothing)?;
    let key = peer.key("k");
    for value in ["one", "two", "one"] {
        peer.expect(put(&key, value, false), Status::SUCCESS, Body::Nothing)?;
    }
    Ok(key)
}

fn sorted(mut values: Vec<Bytes>) -> Vec<Bytes> {
    values.sort();
    values
}

pub(super) fn get(peer: &mut Peer) -> Checked {
    let key = two(peer)?;
    let get = |key| Request::GetMultimap { key, supports_duplicates: false };
    let Body::Values(values) = peer.ask(get(key))?.body else { panic!() };
    assert_eq!(sorted(values), ["one", "two"]);
    let missing = get(peer.key("missing"));
    peer.expect(missing, Status::KEY_DOES_NOT_EXIST, Body::Nothing)
}

pub(super) fn get_with_metadata(peer: &mut Peer) -> Checked {
    let key = two(peer)?;
    let get = |key| Request::GetMultimapWithMetadata { key, supports_duplicates: false };
    let Body::ValuesWithMetadata { values, metadata } = peer.ask(get(key))?.body else { panic!() };
    assert_eq!(sorted(values), ["one", "two"]);
    assert_eq!((metadata.lifespan, metadata.max_idle), (None, None));
    let missing = get(peer.key("missing"));
    peer.expect(missing, Status::KEY_DOES_NOT_EXIST, Body::Nothing)
}

/// Multimap keys are keys of the cache, with their events; a plain read of one fails.
pub(super) fn entries_of_the_cache(peer: &mut Peer) -> Checked {
    two(peer)?;
    let (key, listener_id) = (peer.key("listened"), peer.key("listener"));
    let add = Request::AddClientListener { listener_id: listener_id.clone(), options: ListenerOptions::default() };
    peer.expect(add, Status::SUCCESS, Body::Nothing)?;
    peer.expect(put(&key, "one", false), Status::SUCCESS, Body::Nothing)?;
    peer.expect(put(&key, "two", false), Status::SUCCESS, Body::Nothing)?;
    peer.expect(Request::ContainsKey { key: key.clone() }, Status::SUCCESS, Body::Nothing)?;
    peer.expect_error(Request::Get { key: key.clone() }, Status::SERVER_ERROR, "ClassCastException")?;
    peer.expect(Request::Remove { key: key.clone() }, Status::SUCCESS, Body::Nothing)?;
    for change in [EntryChange::Created, EntryChange::Modified, EntryChange::Removed] {
        assert_eq!(peer.entry_event(), (change, key.clone()), "{}", peer.version);
    }
    peer.expect(Request::RemoveClientListener { listener_id }, Status::SUCCESS, Body::Nothing)
}

pub(super) fn duplicates(peer: &mut Peer) -> Checked {
    two(peer)?;
    let key = peer.key("duplicates");
    for _ in 0..2 {
        peer.expect(put(&key, "one", true), Status::SUCCESS, Body::Nothing)?;
    }
    let get = Request::GetMultimap { key, supports_duplicates: true };
    peer.expect(get, Status::SUCCESS, Body::Values(vec!["one".into(), "one".into()]))
}

pub(super) fn remove_key(peer: &mut Peer) -> Checked {
    let key = two(peer)?;
    let remove = || Request::RemoveKeyMultimap { key: key.clone(), supports_duplicates: false };
    peer.expect(remove(), Status::SUCCESS, Body::Boolean(true))?;
    peer.expect(remove(), Status::SUCCESS, Body::Boolean(false))
}

pub(super) fn remove_entry(peer: &mut Peer) -> Checked {
    let key = two(peer)?;
    let remove = |value: &'static str| Request::RemoveEntryMultimap {
        key: key.clone(),
        expiration: FOREVER,
        value: value.into(),
        supports_duplicates: false,
    };
    peer.expect(remove("one"), Status::SUCCESS, Body::Boolean(true))?;
    peer.expect(remove("one"), Status::SUCCESS, Body::Boolean(false))?;
    peer.expect(remove("two"), Status::SUCCESS, Body::Boolean(true))?;
    peer.expect(Request::ContainsKey { key: key.clone() }, Status::KEY_DOES_NOT_EXIST, Body::Nothing)
}

pub(super) fn size(peer: &mut Peer) -> Checked {
    two(peer)?;
    let other = peer.key("other");
    peer.expect(put(&other, "one", false), Status::SUCCESS, Body::Nothing)?;
    peer.expect(Request::SizeMultimap { supports_duplicates: false }, Status::SUCCESS, Body::Size(3))?;
    peer.expect(Request::Size {}, Status::SUCCESS, Body::Size(2))
}

pub(super) fn contains_entry(peer: &mut Peer) -> Checked {
    let key = two(peer)?;
    let contains = |value: &'static str| Request::ContainsEntryMultimap {
        key: key.clone(),
        expiration: FOREVER,
        value: value.into(),
        supports_duplicates: false,
    };
    peer.expect(contains("one"), Status::SUCCESS, Body::Boolean(true))?;
    peer.expect(contains("three"), Status::SUCCESS, Body::Boolean(false))
}

pub(super) fn contains_key(peer: &mut Peer) -> Checked {
    let key = two(peer)?;
    let contains = |key| Request::ContainsKeyMultimap { key, supports_duplicates: false };
    peer.expect(contains(key), Status::SUCCESS, Body::Boolean(true))?;
    let missing = contains(peer.key("missing"));
    peer.expect(missing, Status::SUCCESS, Body::Boolean(false))
}

pub(super) fn contains_value(peer: &mut Peer) -> Checked {
    two(peer)?;
    let contains = |value: &'static str| Request::ContainsValueMultimap {
        expiration: FOREVER,
        value: value.into(),
        supports_duplicates: false,
    };
    peer.expect(contains("two"), Status::SUCCESS, Body::Boolean(true))?;
    peer.expect(contains("three"), Status::SUCCESS, Body::Boolean(false))
}
