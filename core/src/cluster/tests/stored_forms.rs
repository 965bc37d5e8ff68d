//! Keys that are declared in another media type than the one in which the cache stores them.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use bytes::Bytes;

use super::outside::{Chooses, Outside, Stands, Store};
use crate::cluster::{Access, Call, CarriageConfig, Event};
use crate::wire::{Body, Expiration, MediaType, Request, RequestOptions, Status};

const PODS: usize = 5;
const KEYS: usize = 200;

/// A client outside of a cluster whose caches store keys so, and a handle of a new cache whose keys are declared.
fn declared(key_type: MediaType, storage: Option<(MediaType, Store)>) -> Outside {
    let access = Access { path: crate::cluster::AccessPath::Header, ..Access::default() };
    let carriage = CarriageConfig { choice: "upgrade".parse().expect("a carriage"), ..CarriageConfig::default() };
    let mut outside = Outside::new(Stands::Front, Chooses::InTurn, PODS, access, carriage);
    outside.storage = storage;
    outside.events.clear();
    let options = RequestOptions { key_type, ..RequestOptions::cache("declared") };
    outside.cache = outside.cluster.cache(outside.now, options);
    outside
}

/// Stored form of a short text in a ProtoStream cache.
fn protostream_string(key: &[u8]) -> Vec<u8> {
    [&[0x4a, key.len() as u8], key].concat()
}

fn same(key: &[u8]) -> Vec<u8> {
    key.to_vec()
}

/// Answers all of them, those that wait for the media type included.
fn ask(outside: &mut Outside) -> (usize, usize) {
    outside.ask(KEYS);
    outside.wait(core::time::Duration::ZERO);
    outside.hits()
}

/// Also the first ones, which are submitted before the answer to the first PING.
#[test]
fn an_operation_goes_to_the_owner_of_the_stored_form() {
    let cases: [(MediaType, MediaType, Store); 3] = [
        (MediaType::TEXT, MediaType::PROTOSTREAM, protostream_string),
        (MediaType::TEXT, MediaType::OCTET_STREAM, same),
        (MediaType::OCTET_STREAM, MediaType::Unspecified, same),
    ];
    for (declared_type, stored, store) in cases {
        let mut outside = declared(declared_type.clone(), Some((stored.clone(), store)));
        assert_eq!(ask(&mut outside), (KEYS, 0), "{declared_type} in {stored}");
        assert_eq!(outside.cluster.counters().unrouted, 0);
        assert!(!outside.events.iter().any(|event| matches!(event, Event::KeysNotRouted { .. })));
    }
}

/// Servers do not convert them (ISPN-11452).
#[test]
fn a_multimap_key_is_its_own_stored_form() {
    for declared_type in [MediaType::TEXT, MediaType::JSON] {
        let mut outside = declared(declared_type, Some((MediaType::PROTOSTREAM, protostream_string)));
        let request = |key| Request::ContainsKeyMultimap { key, supports_duplicates: false };
        // The first one brings the topology.
        assert!(outside.ask_by(KEYS, request).0 >= KEYS - 1);
        assert_eq!(outside.cluster.counters().unrouted, 0);
    }
}

/// By the application, which knows more than the machine.
#[test]
fn an_operation_goes_to_the_owner_of_its_storage_key() {
    let mut outside = declared(MediaType::JSON, Some((MediaType::PROTOSTREAM, protostream_string)));
    outside.ask(1);
    outside.pods.iter_mut().for_each(|pod| pod.hits = (0, 0));
    let key = |number: usize| Bytes::from(format!("key {number}"));
    let stored = |number: usize| Bytes::from(protostream_string(&key(number)));
    let before = outside.cluster.counters();
    for number in 0..KEYS {
        let get = Call::new(&outside.cache, Request::Get { key: key(number) });
        let call = Call { storage_keys: [stored(number)].into(), ..get };
        outside.cluster.submit(outside.now, call).expect("it is taken");
        outside.run();
    }
    let entries = (0..50).map(|number| (key(number), Bytes::new())).collect();
    let put_all = Call::new(&outside.cache, Request::PutAll { entries, expiration: Expiration::default() });
    let call = Call { storage_keys: (0..50).map(stored).collect(), ..put_all.clone() };
    outside.cluster.submit(outside.now, call).expect("it is taken");
    outside.run();
    let counters = outside.cluster.counters();
    assert_eq!(outside.hits(), (KEYS, 0));
    assert_eq!(counters.direct - before.direct, (KEYS + PODS) as u64, "a part for each owner");
    assert_eq!(counters.unrouted, before.unrouted);

    let call = Call { storage_keys: [stored(0)].into(), ..put_all };
    let error = outside.cluster.submit(outside.now, call).expect_err("too few");
    assert_eq!(error.to_string(), "storage keys: expected 50, one for each key, got 1");
}

#[test]
fn put_all_is_split_by_the_stored_form() {
    let mut outside = declared(MediaType::TEXT, Some((MediaType::PROTOSTREAM, protostream_string)));
    ask(&mut outside);
    let key = |number: usize| Bytes::from(format!("key {number}"));
    let before = outside.cluster.counters().direct;
    let entries = (0..50).map(|number| (key(number), Bytes::new())).collect();
    let request = Request::PutAll { entries, expiration: Expiration::default() };
    outside.cluster.submit(outside.now, Call::new(&outside.cache, request)).expect("it is taken");
    outside.run();
    assert_eq!(outside.cluster.counters().direct - before, PODS as u64, "a part for each owner");
}

#[test]
fn keys_without_a_known_owner_are_counted_and_reported_once() {
    let mut outside = declared(MediaType::JSON, Some((MediaType::PROTOSTREAM, same)));
    ask(&mut outside);
    ask(&mut outside);
    let counters = outside.cluster.counters();
    assert_eq!((counters.unrouted, counters.direct + counters.forwarded), (2 * KEYS as u64, 0));
    let told: Vec<_> = outside.events.iter().filter(|event| matches!(event, Event::KeysNotRouted { .. })).collect();
    let [Event::KeysNotRouted { declared, stored, reason, .. }] = told[..] else { panic!("{told:?}") };
    assert_eq!((declared.as_str(), stored.as_str()), ("application/json", "application/x-protostream"));
    assert_eq!(
        reason,
        "cache \"declared\" stores keys as application/x-protostream, and the client declares them as application/json: it is not \
         certain how servers convert them, so operations go to any member, which forwards them; declare \
         application/x-protostream, text/plain or application/octet-stream"
    );
}

#[test]
fn nobody_waits_for_a_media_type_that_the_server_does_not_tell() {
    let mut outside = declared(MediaType::TEXT, None);
    let (direct, others) = ask(&mut outside);
    assert_eq!(direct + others, KEYS);
    // The first one brings the topology.
    assert_eq!(outside.cluster.counters().unrouted, KEYS as u64 - 1);
}

#[test]
fn what_a_handle_does_not_declare_is_declared_by_the_settings() {
    let mut settings = super::world::config(CarriageConfig::default());
    settings.key_media_type = MediaType::TEXT;
    settings.value_media_type = MediaType::OCTET_STREAM;
    let mut world = super::world::World::new(settings);
    let own = RequestOptions { value_type: MediaType::TEXT, ..RequestOptions::cache("c") };
    for (options, value_type) in [(RequestOptions::cache("c"), MediaType::OCTET_STREAM), (own, MediaType::TEXT)] {
        let cache = world.cluster.cache(world.now, options);
        assert_eq!((&cache.options().key_type, &cache.options().value_type), (&MediaType::TEXT, &value_type));
    }
}

#[test]
fn a_failed_conversion_says_which_media_types_met() {
    let json: MediaType = "application/json".parse().expect("a media type");
    let mut settings = super::world::config(CarriageConfig::default());
    settings.value_media_type = json;
    let mut world = super::world::World::new(settings);
    world.connect(super::world::Far::answering(|request| {
        let message = match request {
            Request::Get { .. } => "EncodingException: ISPN000497: JsonTranscoder cannot convert content",
            _ => "NullPointerException",
        };
        (Status::SERVER_ERROR, Body::Error(message.into()))
    }));
    let cache = world.cluster.cache(world.now, RequestOptions::cache("c"));
    for request in [Request::Get { key: Bytes::from_static(b"k") }, Request::Size {}] {
        world.cluster.submit(world.now, Call::new(&cache, request)).expect("it is taken");
        world.run();
    }
    let errors: Vec<_> =
        world.completed.iter().map(|(_, result)| format!("{}", result.as_ref().unwrap_err())).collect();
    let added = "; cache \"c\" stores keys without a media type and values without a media type, and the client declares \
                 keys as they are stored and values as application/json";
    assert!(errors[0].contains(added), "{}", errors[0]);
    assert!(!errors[1].contains("stores"), "{}", errors[1]);
}
