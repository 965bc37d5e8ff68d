//! Listeners of caches, and their events.

use bytes::Bytes;
use hotrod_core::wire::{Body, EntryChange, Factory, Interests, ListenerOptions, Request, Status};

use super::single::put_to;
use super::{Checked, Peer};

/// Adds a listener to the cache of this file's rows, in which nothing else changes.
fn listen(peer: &mut Peer, options: ListenerOptions) -> Result<Bytes, super::Refused> {
    peer.use_cache("matrix-listened");
    let listener_id = peer.key("listener");
    let add = Request::AddClientListener { listener_id: listener_id.clone(), options };
    peer.expect(add, Status::SUCCESS, Body::Nothing)?;
    Ok(listener_id)
}

fn stop(peer: &mut Peer, listener_id: Bytes) -> Checked {
    peer.expect(Request::RemoveClientListener { listener_id }, Status::SUCCESS, Body::Nothing)
}

pub(super) fn events(peer: &mut Peer) -> Checked {
    let id = listen(peer, ListenerOptions::default())?;
    let key = peer.key("k");
    put_to(peer, &key, "one")?;
    put_to(peer, &key, "two")?;
    peer.expect(Request::Remove { key: key.clone() }, Status::SUCCESS, Body::Nothing)?;
    for change in [EntryChange::Created, EntryChange::Modified, EntryChange::Removed] {
        assert_eq!(peer.entry_event(), (change, key.clone()), "{}", peer.version);
    }
    stop(peer, id)
}

pub(super) fn current_state(peer: &mut Peer) -> Checked {
    peer.use_cache("matrix-listened");
    peer.expect(Request::Clear {}, Status::SUCCESS, Body::Nothing)?;
    let key = peer.key("k");
    put_to(peer, &key, "one")?;
    let id = listen(peer, ListenerOptions { include_current_state: true, ..ListenerOptions::default() })?;
    assert_eq!(peer.entry_event(), (EntryChange::Created, key));
    stop(peer, id)
}

pub(super) fn interests(peer: &mut Peer) -> Checked {
    let id = listen(peer, ListenerOptions { interests: Interests::REMOVED, ..ListenerOptions::default() })?;
    let key = peer.key("k");
    put_to(peer, &key, "one")?;
    peer.expect(Request::Remove { key: key.clone() }, Status::SUCCESS, Body::Nothing)?;
    assert_eq!(peer.entry_event(), (EntryChange::Removed, key));
    stop(peer, id)
}

fn factory(name: &str) -> Factory {
    Factory { name: name.into(), parameters: Vec::new() }
}

pub(super) fn unknown_filter(peer: &mut Peer) -> Checked {
    let listener_id = peer.key("listener");
    for (filter, converter, kind) in
        [(Some(factory("nope")), None, "key/value filter"), (None, Some(factory("nope")), "converter")]
    {
        let options = ListenerOptions { filter, converter, ..ListenerOptions::default() };
        let add = Request::AddClientListener { listener_id: listener_id.clone(), options };
        let message = format!("ISPN006013: Listener {kind} factory 'nope' not found in server");
        peer.expect_error(add, Status::SERVER_ERROR, &message)?;
    }
    Ok(())
}

pub(super) fn with_previous_converter(peer: &mut Peer) -> Checked {
    let converter = Some(factory("key-value-with-previous-converter-factory"));
    let id = listen(peer, ListenerOptions { converter, ..ListenerOptions::default() })?;
    stop(peer, id)
}

pub(super) fn remove(peer: &mut Peer) -> Checked {
    let id = listen(peer, ListenerOptions::default())?;
    stop(peer, id.clone())?;
    let key = peer.key("k");
    put_to(peer, &key, "one")?;
    peer.expect(Request::RemoveClientListener { listener_id: id }, Status::NOT_EXECUTED, Body::Nothing)?;
    assert_eq!(peer.pending_entry_events(), 0);
    Ok(())
}

fn add_bloom_filter(peer: &mut Peer) -> Result<Bytes, super::Refused> {
    peer.use_cache("matrix-listened");
    let listener_id = peer.key("near");
    let add = Request::AddBloomFilterListener { listener_id: listener_id.clone(), bloom_bits: 1024 };
    peer.expect(add, Status::SUCCESS, Body::Nothing)?;
    Ok(listener_id)
}

pub(super) fn bloom_filter(peer: &mut Peer) -> Checked {
    peer.use_cache("matrix-listened");
    let (read, other) = (peer.key("read"), peer.key("other"));
    put_to(peer, &read, "one")?;
    let id = add_bloom_filter(peer)?;
    peer.ask(Request::GetWithMetadata { key: read.clone() })?;
    put_to(peer, &other, "two")?;
    put_to(peer, &read, "two")?;
    assert_eq!(peer.entry_event(), (EntryChange::Modified, read));
    stop(peer, id)
}

pub(super) fn update_bloom_filter(peer: &mut Peer) -> Checked {
    let id = add_bloom_filter(peer)?;
    let update = || Request::UpdateBloomFilter { bloom_filter: vec![0xff; 128].into() };
    peer.expect(update(), Status::SUCCESS, Body::Nothing)?;
    stop(peer, id)
}
