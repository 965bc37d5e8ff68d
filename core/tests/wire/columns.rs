//! Columns of the table of operations: what must hold between those of one row.

use std::collections::BTreeSet;

use bytes::Bytes;
use hotrod_core::wire::{Effect, Expiration, ListenerEffect, NearCacheEffect, Operation, Request, Routing, Version};

use crate::strategies::{check, operations, request};

/// Calls `test` with requests of every operation, in the newest version that has it.
fn of_every_operation(test: impl Fn(Operation, Request)) {
    for row in Operation::table() {
        let newest =
            operations().filter(|(operation, _)| *operation == row.operation).map(|(_, version)| version).last();
        let newest: Version = newest.expect("a version");
        check(64, request(row.operation, newest), |request| test(row.operation, request));
    }
}

#[test]
fn no_write_to_a_key_leaves_near_caches_as_they_are() {
    of_every_operation(|operation, request| {
        let row = operation.row();
        if matches!(row.routing, Routing::Key | Routing::StoredKey) && row.effect != Effect::Reads {
            assert_eq!(request.near_cache(), NearCacheEffect::Key(request.routing_key().unwrap()), "{operation}");
        }
    });
}

#[test]
fn what_undoes_a_registration_removes_that_listener() {
    of_every_operation(|operation, request| match (request.listener(), request.listener_removal()) {
        (ListenerEffect::Adds(added), Some(removal)) => {
            assert_eq!(removal.listener(), ListenerEffect::Removes(added), "{operation}");
        }
        (ListenerEffect::None | ListenerEffect::Removes(_), None) => {}
        (effect, removal) => panic!("{operation}: {effect:?} and {removal:?}"),
    });
}

#[test]
fn a_bulk_operation_is_split_by_owner_and_keeps_its_order_and_settings() {
    let key = |name: &'static str| Bytes::from_static(name.as_bytes());
    let expiration = Expiration::DEFAULT;
    let entry = |name| (key(name), key("value"));
    let whole = Request::PutAll { expiration, entries: vec![entry("b1"), entry("a1"), entry("b2")] };
    let parts: Vec<(u8, Request)> = whole.split_by(|key| key[0]).into_iter().collect();
    let a = Request::PutAll { expiration, entries: vec![entry("a1")] };
    let b = Request::PutAll { expiration, entries: vec![entry("b1"), entry("b2")] };
    assert_eq!(parts, [(b'a', a), (b'b', b)]);
}

#[test]
fn every_key_of_a_bulk_operation_is_in_one_part_and_others_are_not_split() {
    of_every_operation(|operation, request| {
        let parts = request.split_by(Bytes::len);
        assert_eq!(parts.is_empty(), request.split_keys().is_empty(), "{operation}");
        assert!(request.is_splittable() || parts.is_empty(), "{operation}");
        let keys: BTreeSet<Bytes> = parts.values().flat_map(Request::split_keys).collect();
        assert_eq!(keys, request.split_keys().into_iter().collect(), "{operation}");
    });
}
