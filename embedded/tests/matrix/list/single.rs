//! Operations on one entry.

use bytes::Bytes;
use hotrod_core::wire::{Body, Expiration, Lifetime, Metadata, Request, Status, TimeUnit, Version};

use super::{Checked, Peer};

/// Version of no entry.
const NO_VERSION: u64 = 1;

pub(super) fn put_request(key: &Bytes, value: &'static str) -> Request {
    Request::Put { key: key.clone(), expiration: Expiration::DEFAULT, value: value.into() }
}

pub(super) fn put_to(peer: &mut Peer, key: &Bytes, value: &'static str) -> Checked {
    peer.expect(put_request(key, value), Status::SUCCESS, Body::Nothing)
}

/// Checks that a key has this value, or none.
pub(super) fn has(peer: &mut Peer, key: &Bytes, value: Option<&'static str>) -> Checked {
    let (status, body) = match value {
        Some(value) => (Status::SUCCESS, Body::Value(value.into())),
        None => (Status::KEY_DOES_NOT_EXIST, Body::Nothing),
    };
    peer.expect(Request::Get { key: key.clone() }, status, body)
}

pub(super) fn version_of(peer: &mut Peer, key: &Bytes) -> Result<u64, super::Refused> {
    let reply = peer.ask(Request::GetWithVersion { key: key.clone() })?;
    let Body::VersionedValue { version, .. } = reply.body else { panic!("{reply:?}") };
    Ok(version)
}

fn metadata_of(peer: &mut Peer, key: &Bytes) -> Result<Metadata, super::Refused> {
    let reply = peer.ask(Request::GetWithMetadata { key: key.clone() })?;
    let Body::ValueWithMetadata { metadata, .. } = reply.body else { panic!("{reply:?}") };
    Ok(*metadata)
}

pub(super) fn put(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    put_to(peer, &key, "one")?;
    put_to(peer, &key, "two")?;
    has(peer, &key, Some("two"))?;
    put_to(peer, &key, "")?;
    has(peer, &key, Some(""))
}

/// Asks with `FORCE_RETURN_VALUE`; `previous` is the value in the answer.
fn with_previous(peer: &mut Peer, request: Request, status: Status, previous: Option<&'static str>) -> Checked {
    let (what, version) = (format!("{request:?}"), peer.version);
    let reply = peer.ask(request)?;
    let Body::Previous(found) = reply.body else { panic!("{version}: {what}: {reply:?}") };
    let value = found.as_ref().map(|found| found.value.clone());
    assert_eq!((reply.status, value), (status, previous.map(Bytes::from)), "{version}: {what}");
    let has_metadata = found.is_some_and(|found| found.metadata.is_some());
    assert_eq!(has_metadata, previous.is_some() && version >= Version::V4_0, "{version}: {what}");
    Ok(())
}

pub(super) fn previous_values(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    peer.force_return_value();
    let put_if_absent = |value: &'static str| Request::PutIfAbsent {
        key: key.clone(),
        expiration: Expiration::DEFAULT,
        value: value.into(),
    };
    let replace = |value: &'static str| Request::Replace {
        key: key.clone(),
        expiration: Expiration::DEFAULT,
        value: value.into(),
    };
    with_previous(peer, put_request(&key, "one"), Status::SUCCESS_WITH_PREVIOUS, None)?;
    with_previous(peer, put_request(&key, "two"), Status::SUCCESS_WITH_PREVIOUS, Some("one"))?;
    with_previous(peer, put_if_absent("three"), Status::NOT_EXECUTED_WITH_PREVIOUS, Some("two"))?;
    with_previous(peer, replace("three"), Status::SUCCESS_WITH_PREVIOUS, Some("two"))?;
    let entry_version = version_of(peer, &key)?;
    let replace_if = |entry_version| Request::ReplaceIfUnmodified {
        key: key.clone(),
        expiration: Expiration::DEFAULT,
        entry_version,
        value: "four".into(),
    };
    with_previous(peer, replace_if(entry_version), Status::SUCCESS_WITH_PREVIOUS, Some("three"))?;
    with_previous(peer, replace_if(entry_version), Status::NOT_EXECUTED_WITH_PREVIOUS, Some("four"))?;
    let remove_if = Request::RemoveIfUnmodified { key: key.clone(), entry_version };
    with_previous(peer, remove_if, Status::NOT_EXECUTED_WITH_PREVIOUS, Some("four"))?;
    with_previous(peer, Request::Remove { key: key.clone() }, Status::SUCCESS_WITH_PREVIOUS, Some("four"))?;
    peer.expect(Request::Remove { key: key.clone() }, Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    peer.expect(replace("five"), Status::NOT_EXECUTED, Body::Nothing)?;
    peer.expect(put_if_absent("five"), Status::SUCCESS, Body::Nothing)
}

pub(super) fn lifetimes(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let expiration = Expiration { lifespan: Lifetime::seconds(1000), max_idle: Lifetime::For(5, TimeUnit::Minutes) };
    let put = |expiration| Request::Put { key: key.clone(), expiration, value: "v".into() };
    peer.expect(put(expiration), Status::SUCCESS, Body::Nothing)?;
    let metadata = metadata_of(peer, &key)?;
    let seconds = (metadata.lifespan.map(|left| left.seconds), metadata.max_idle.map(|left| left.seconds));
    assert_eq!(seconds, (Some(1000), Some(300)), "{}", peer.version);
    let month = Expiration::after(Lifetime::For(30, TimeUnit::Days));
    peer.expect(put(month), Status::SUCCESS, Body::Nothing)?;
    let metadata = metadata_of(peer, &key)?;
    assert_eq!(metadata.lifespan.map(|left| left.seconds), Some(30 * 86_400), "{}", peer.version);
    let forever = Expiration { lifespan: Lifetime::Infinite, max_idle: Lifetime::Infinite };
    peer.expect(put(forever), Status::SUCCESS, Body::Nothing)?;
    let metadata = metadata_of(peer, &key)?;
    assert_eq!((metadata.lifespan, metadata.max_idle), (None, None), "{}", peer.version);
    Ok(())
}

/// An entry with a lifetime of zero is gone at once. A server may find it still when it writes the key again, so each write
/// has a key of its own.
pub(super) fn zero_lifetimes(peer: &mut Peer) -> Checked {
    let none = Lifetime::milliseconds(0);
    let lifespan = Expiration::after(none);
    for (number, expiration) in [lifespan, Expiration { max_idle: none, ..Expiration::DEFAULT }].into_iter().enumerate()
    {
        let [put, put_if_absent, put_all] = ["1", "2", "3"].map(|name| peer.key(&format!("{number}-{name}")));
        for request in [
            Request::Put { key: put.clone(), expiration, value: "v".into() },
            Request::PutIfAbsent { key: put_if_absent.clone(), expiration, value: "v".into() },
            Request::PutAll { expiration, entries: vec![(put_all.clone(), "v".into())] },
        ] {
            peer.expect(request, Status::SUCCESS, Body::Nothing)?;
        }
        // Counted in milliseconds: gone in the next one.
        std::thread::sleep(std::time::Duration::from_millis(2));
        for key in [put, put_if_absent, put_all] {
            has(peer, &key, None)?;
        }
    }
    Ok(())
}

pub(super) fn get(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    has(peer, &key, None)?;
    put_to(peer, &key, "one")?;
    has(peer, &key, Some("one"))
}

pub(super) fn unknown_cache(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    peer.use_cache("no such cache");
    peer.expect_error(Request::Get { key: key.clone() }, Status::PARSE_ERROR, "no such cache")?;
    peer.use_cache("matrix");
    has(peer, &key, None)
}

pub(super) fn put_if_absent(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let request = |value: &'static str| Request::PutIfAbsent {
        key: key.clone(),
        expiration: Expiration::DEFAULT,
        value: value.into(),
    };
    peer.expect(request("one"), Status::SUCCESS, Body::Nothing)?;
    peer.expect(request("two"), Status::NOT_EXECUTED, Body::Nothing)?;
    has(peer, &key, Some("one"))
}

pub(super) fn replace(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let request = || Request::Replace { key: key.clone(), expiration: Expiration::DEFAULT, value: "two".into() };
    peer.expect(request(), Status::NOT_EXECUTED, Body::Nothing)?;
    has(peer, &key, None)?;
    put_to(peer, &key, "one")?;
    peer.expect(request(), Status::SUCCESS, Body::Nothing)?;
    has(peer, &key, Some("two"))
}

pub(super) fn replace_if_unmodified(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let request = |entry_version| Request::ReplaceIfUnmodified {
        key: key.clone(),
        expiration: Expiration::DEFAULT,
        entry_version,
        value: "two".into(),
    };
    peer.expect(request(NO_VERSION), Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    put_to(peer, &key, "one")?;
    let version = version_of(peer, &key)?;
    peer.expect(request(version), Status::SUCCESS, Body::Nothing)?;
    peer.expect(request(version), Status::NOT_EXECUTED, Body::Nothing)?;
    has(peer, &key, Some("two"))
}

pub(super) fn remove(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let request = || Request::Remove { key: key.clone() };
    peer.expect(request(), Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    put_to(peer, &key, "one")?;
    peer.expect(request(), Status::SUCCESS, Body::Nothing)?;
    has(peer, &key, None)
}

pub(super) fn remove_if_unmodified(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let request = |entry_version| Request::RemoveIfUnmodified { key: key.clone(), entry_version };
    peer.expect(request(NO_VERSION), Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    put_to(peer, &key, "one")?;
    peer.expect(request(NO_VERSION), Status::NOT_EXECUTED, Body::Nothing)?;
    let version = version_of(peer, &key)?;
    peer.expect(request(version), Status::SUCCESS, Body::Nothing)?;
    has(peer, &key, None)
}

pub(super) fn contains_key(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let request = || Request::ContainsKey { key: key.clone() };
    peer.expect(request(), Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    put_to(peer, &key, "one")?;
    peer.expect(request(), Status::SUCCESS, Body::Nothing)
}

pub(super) fn get_with_version(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    peer.expect(Request::GetWithVersion { key: key.clone() }, Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    put_to(peer, &key, "one")?;
    let first = version_of(peer, &key)?;
    assert_eq!(version_of(peer, &key)?, first);
    put_to(peer, &key, "one")?;
    assert_ne!(version_of(peer, &key)?, first);
    Ok(())
}

pub(super) fn get_with_metadata(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    peer.expect(Request::GetWithMetadata { key: key.clone() }, Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    let put = |expiration| Request::Put { key: key.clone(), expiration, value: "v".into() };
    peer.expect(put(Expiration::DEFAULT), Status::SUCCESS, Body::Nothing)?;
    let metadata = metadata_of(peer, &key)?;
    assert_eq!((metadata.lifespan, metadata.max_idle), (None, None));
    assert_eq!(metadata.version, version_of(peer, &key)?);
    peer.expect(put(Expiration::after(Lifetime::seconds(100))), Status::SUCCESS, Body::Nothing)?;
    let metadata = metadata_of(peer, &key)?;
    assert_eq!(metadata.lifespan.map(|left| left.seconds), Some(100));
    assert_eq!(metadata.max_idle, None);
    Ok(())
}
