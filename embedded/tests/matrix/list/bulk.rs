//! Operations on many entries.

use bytes::Bytes;
use hotrod_core::wire::{Body, Expiration, Factory, IterationBatch, Lifetime, Request, Status, Version};

use super::single::{has, put_to};
use super::{Checked, Peer, Refused};

/// Empties the cache, and stores three entries.
fn three(peer: &mut Peer) -> Result<Vec<(Bytes, Bytes)>, Refused> {
    peer.expect(Request::Clear {}, Status::SUCCESS, Body::Nothing)?;
    let entries: Vec<(Bytes, Bytes)> =
        ["a", "b", "c"].into_iter().map(|name| (peer.key(name), Bytes::from(name))).collect();
    for (key, name) in entries.iter().zip(["a", "b", "c"]).map(|((key, _), name)| (key, name)) {
        put_to(peer, key, name)?;
    }
    Ok(entries)
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

pub(super) fn clear(peer: &mut Peer) -> Checked {
    let entries = three(peer)?;
    peer.expect(Request::Clear {}, Status::SUCCESS, Body::Nothing)?;
    has(peer, &entries[0].0, None)?;
    peer.expect(Request::Clear {}, Status::SUCCESS, Body::Nothing)
}

pub(super) fn size(peer: &mut Peer) -> Checked {
    three(peer)?;
    peer.expect(Request::Size {}, Status::SUCCESS, Body::Size(3))?;
    peer.expect(Request::Clear {}, Status::SUCCESS, Body::Nothing)?;
    peer.expect(Request::Size {}, Status::SUCCESS, Body::Size(0))
}

pub(super) fn bulk_get(peer: &mut Peer) -> Checked {
    let entries = three(peer)?;
    let Body::Entries(found) = peer.ask(Request::BulkGet { count: 0 })?.body else { panic!() };
    assert_eq!(sorted(found), entries);
    let Body::Entries(found) = peer.ask(Request::BulkGet { count: 2 })?.body else { panic!() };
    assert_eq!(found.len(), 2);
    let Body::Entries(found) = peer.ask(Request::BulkGet { count: 9 })?.body else { panic!() };
    assert_eq!(found.len(), 3);
    Ok(())
}

pub(super) fn bulk_get_keys(peer: &mut Peer) -> Checked {
    let keys: Vec<_> = three(peer)?.into_iter().map(|(key, _)| key).collect();
    for scope in 0..3 {
        let Body::Keys(found) = peer.ask(Request::BulkGetKeys { scope })?.body else { panic!() };
        assert_eq!(sorted(found), keys, "scope {scope}");
    }
    Ok(())
}

pub(super) fn put_all(peer: &mut Peer) -> Checked {
    let (one, two) = (peer.key("1"), peer.key("2"));
    let entries = vec![(one.clone(), "one".into()), (two.clone(), "two".into())];
    let expiration = Expiration::after(Lifetime::seconds(1000));
    peer.expect(Request::PutAll { expiration, entries }, Status::SUCCESS, Body::Nothing)?;
    has(peer, &one, Some("one"))?;
    let Body::ValueWithMetadata { metadata, .. } = peer.ask(Request::GetWithMetadata { key: two })?.body else {
        panic!()
    };
    assert_eq!(metadata.lifespan.map(|left| left.seconds), Some(1000));
    peer.expect(
        Request::PutAll { expiration: Expiration::DEFAULT, entries: Vec::new() },
        Status::SUCCESS,
        Body::Nothing,
    )
}

pub(super) fn get_all(peer: &mut Peer) -> Checked {
    let entries = three(peer)?;
    let keys = entries.iter().map(|(key, _)| key.clone()).chain([peer.key("missing")]).collect();
    let Body::Entries(found) = peer.ask(Request::GetAll { keys })?.body else { panic!() };
    assert_eq!(sorted(found), entries);
    peer.expect(Request::GetAll { keys: vec![peer.key("missing")] }, Status::SUCCESS, Body::Entries(Vec::new()))?;
    peer.expect(Request::GetAll { keys: Vec::new() }, Status::SUCCESS, Body::Entries(Vec::new()))
}

fn start(peer: &mut Peer, filter_converter: Option<Factory>, include_metadata: bool) -> Result<String, Refused> {
    let start = Request::IterationStart { segments: None, filter_converter, batch_size: 2, include_metadata };
    let Body::IterationId(id) = peer.ask(start)?.body else { panic!() };
    Ok(id)
}

pub(super) fn iteration(peer: &mut Peer) -> Checked {
    let entries = three(peer)?;
    for include_metadata in [false, true] {
        let iteration_id = start(peer, None, include_metadata)?;
        let mut found = Vec::new();
        loop {
            let reply = peer.ask(Request::IterationNext { iteration_id: iteration_id.clone() })?;
            let Body::Iteration(IterationBatch { entries, .. }) = reply.body else { panic!() };
            if entries.is_empty() {
                break;
            }
            assert!(entries.len() <= 2);
            for mut entry in entries {
                let has_metadata = include_metadata && peer.version >= Version::V2_5;
                assert_eq!(entry.metadata.is_some(), has_metadata, "{}", peer.version);
                found.push((entry.key, entry.values.remove(0)));
            }
        }
        assert_eq!(sorted(found), entries);
        peer.expect(Request::IterationEnd { iteration_id }, Status::SUCCESS, Body::Nothing)?;
    }
    Ok(())
}

pub(super) fn unknown_filter(peer: &mut Peer) -> Checked {
    let factory = Factory { name: "nope".into(), parameters: Vec::new() };
    let start = Request::IterationStart {
        segments: None,
        filter_converter: Some(factory),
        batch_size: 2,
        include_metadata: false,
    };
    peer.expect_error(start, Status::SERVER_ERROR, "ISPN005060: Factory 'nope' not found in server")
}

pub(super) fn unknown_iteration(peer: &mut Peer) -> Checked {
    let next = Request::IterationNext { iteration_id: "nope".into() };
    peer.expect(next, Status::INVALID_ITERATION, Body::Iteration(IterationBatch::default()))
}

pub(super) fn iteration_end(peer: &mut Peer) -> Checked {
    let iteration_id = start(peer, None, false)?;
    let end = || Request::IterationEnd { iteration_id: iteration_id.clone() };
    peer.expect(end(), Status::SUCCESS, Body::Nothing)?;
    peer.expect(end(), Status::INVALID_ITERATION, Body::Nothing)
}
