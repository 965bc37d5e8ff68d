//! Iterations: each entry once, by segments and in batches.

mod common;

use std::collections::BTreeSet;

use bytes::Bytes;
use common::{World, bytes};
use hotrod_core::routing::segment_of;
use hotrod_core::wire::{Body, Factory, Intelligence, IterationEntry, Request, Status, Version};
use hotrod_embedded::{ClusterOptions, MemberId};
use proptest::prelude::*;

fn start(world: &mut World, client: usize, segments: Option<Bytes>, batch_size: u32, include_metadata: bool) -> String {
    let request = Request::IterationStart { segments, filter_converter: None, batch_size, include_metadata };
    match world.call(client, "dist", request) {
        (Status::SUCCESS, Body::IterationId(id)) => id,
        other => panic!("{other:?}"),
    }
}

fn next(world: &mut World, client: usize, id: &str) -> (BTreeSet<u32>, Vec<IterationEntry>) {
    match world.call(client, "dist", Request::IterationNext { iteration_id: id.into() }) {
        (Status::SUCCESS, Body::Iteration(batch)) => {
            let bits = batch.finished_segments;
            let finished = (0..bits.len() as u32 * 8).filter(|bit| bits[*bit as usize / 8] & 1 << (bit % 8) != 0);
            (finished.collect(), batch.entries)
        }
        other => panic!("{other:?}"),
    }
}

/// Iterates to the end; checks that no segment is finished twice and no entry comes after its segment's end.
fn drain(world: &mut World, client: usize, id: &str, batch: usize) -> (BTreeSet<u32>, Vec<Bytes>) {
    let (mut finished, mut keys) = (BTreeSet::new(), Vec::new());
    loop {
        let (just_finished, entries) = next(world, client, id);
        assert!(entries.len() <= batch);
        assert!(entries.iter().all(|entry| !finished.contains(&segment_of(&entry.key, 256))));
        for segment in just_finished {
            assert!(finished.insert(segment), "segment {segment} finished twice");
        }
        if entries.is_empty() {
            return (finished, keys);
        }
        keys.extend(entries.into_iter().map(|entry| entry.key));
    }
}

fn end(world: &mut World, client: usize, id: &str) -> Status {
    world.call(client, "dist", Request::IterationEnd { iteration_id: id.into() }).0
}

#[test]
fn every_entry_comes_once_and_every_segment_is_finished_once() {
    for (count, batch) in [(0, 10), (1, 1), (1000, 7), (1000, 100_000)] {
        let mut world = World::new(3);
        let client = world.connect(1);
        let expected: BTreeSet<_> = (0..count).map(|n| bytes(&format!("key-{n}"))).collect();
        for key in &expected {
            world.put(client, "dist", std::str::from_utf8(key).unwrap(), "v");
        }
        let id = start(&mut world, client, None, batch, false);
        let (finished, keys) = drain(&mut world, client, &id, batch as usize);
        assert_eq!(keys.len(), expected.len());
        assert_eq!(keys.into_iter().collect::<BTreeSet<_>>(), expected);
        assert_eq!(finished, (0..256).collect());
        assert_eq!(end(&mut world, client, &id), Status::SUCCESS);
    }
}

#[test]
fn only_the_segments_asked_for_come_with_metadata_if_asked_for() {
    let mut world = World::new(2);
    let client = world.connect(0);
    for n in 0..500 {
        world.put(client, "dist", &format!("key-{n}"), "v");
    }
    let mask = Bytes::from_static(&[0b1010_0001, 0, 0b1]);
    let asked = BTreeSet::from([0, 5, 7, 16]);
    let id = start(&mut world, client, Some(mask), 1000, true);
    let (finished, entries) = next(&mut world, client, &id);
    assert_eq!(finished, asked);
    let expected = (0..500).filter(|n| asked.contains(&segment_of(format!("key-{n}").as_bytes(), 256))).count();
    assert_eq!(entries.len(), expected);
    assert!(entries.iter().all(|entry| entry.metadata.is_some_and(|metadata| metadata.version > 0)));
}

#[test]
fn an_iteration_that_is_not_there_is_invalid() {
    let mut world = World::new(2);
    let (client, other) = (world.connect(0), world.connect(1));
    let next = |id: &str| Request::IterationNext { iteration_id: id.into() };
    for id in ["17", "nonsense", ""] {
        let (status, body) = world.call(client, "dist", next(id));
        assert_eq!(status, Status::INVALID_ITERATION);
        assert!(
            matches!(body, Body::Iteration(batch) if batch.entries.is_empty() && batch.finished_segments.is_empty())
        );
        assert_eq!(end(&mut world, client, id), Status::INVALID_ITERATION);
    }
    let id = start(&mut world, client, None, 10, false);
    assert_eq!(world.call(other, "dist", next(&id)).0, Status::INVALID_ITERATION, "it is another member's");
    assert_eq!(end(&mut world, client, &id), Status::SUCCESS);
    assert_eq!(world.call(client, "dist", next(&id)).0, Status::INVALID_ITERATION);
}

#[test]
fn iterations_end_with_their_connection_their_member_and_in_time() {
    let mut world = World::new(3);
    let (one, two) = (world.connect(0), world.connect(0));
    let id = start(&mut world, one, None, 10, false);
    world.disconnect(one);
    assert_eq!(end(&mut world, two, &id), Status::INVALID_ITERATION);

    let id = start(&mut world, two, None, 10, false);
    world.pass(299_999);
    next(&mut world, two, &id);
    world.pass(300_000);
    assert_eq!(end(&mut world, two, &id), Status::INVALID_ITERATION);

    let three = world.connect(2);
    let id = start(&mut world, three, None, 10, false);
    world.cluster.remove_member(MemberId(2));
    assert_eq!(end(&mut world, two, &id), Status::INVALID_ITERATION);
}

#[test]
fn filters_and_too_many_iterations_are_refused() {
    let options = ClusterOptions { max_open_states: 2, ..ClusterOptions::default() };
    let mut world = World::with(1, options);
    let client = world.connect(0);
    let filter_converter = Some(Factory { name: "mine".into(), parameters: Vec::new() });
    let filtered = Request::IterationStart { segments: None, filter_converter, batch_size: 1, include_metadata: false };
    let (status, message) = world.error(client, "dist", filtered);
    assert_eq!(status, Status::SERVER_ERROR);
    assert!(message.contains("ISPN005060: Factory 'mine' not found in server"), "{message}");
    start(&mut world, client, None, 1, false);
    start(&mut world, client, None, 1, false);
    let third =
        Request::IterationStart { segments: None, filter_converter: None, batch_size: 1, include_metadata: false };
    assert!(world.error(client, "dist", third).1.contains("2 iterations and streams open"));
}

#[test]
fn old_versions_iterate_too() {
    for version in [Version::V2_3, Version::V2_4, Version::V2_5, Version::V3_1] {
        let mut world = World::new(1);
        let client = world.connect_at(0, version, Intelligence::Basic);
        world.put(client, "dist", "k", "v");
        let id = start(&mut world, client, None, 10, true);
        let (_, entries) = next(&mut world, client, &id);
        assert_eq!((entries[0].key.clone(), entries[0].values.clone()), (bytes("k"), vec![bytes("v")]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// An entry that exists from beginning to end is returned exactly once, whatever is written and removed meanwhile and
    /// whichever members join or leave.
    #[test]
    fn nothing_that_stays_is_lost_or_comes_twice(
        batch in 1u32..20,
        changes in prop::collection::vec((0u8..4, 0u16..100), 0..60),
    ) {
        let mut world = World::new(3);
        let client = world.connect(0);
        for n in 0..100 {
            world.put(client, "dist", &format!("stays-{n}"), "v");
        }
        let id = start(&mut world, client, None, batch, false);
        let (mut keys, mut changes) = (Vec::new(), changes.into_iter());
        loop {
            let (_, entries) = next(&mut world, client, &id);
            if entries.is_empty() {
                break;
            }
            keys.extend(entries.into_iter().map(|entry| entry.key));
            match changes.next() {
                Some((0, n)) => world.put(client, "dist", &format!("comes-{n}"), "v"),
                Some((1, n)) => {
                    world.call(client, "dist", Request::Remove { key: bytes(&format!("comes-{n}")) });
                }
                Some((2, n)) => {
                    world.cluster.add_member(common::address(20_000 + n));
                }
                Some(_) => {
                    let last = world.cluster.members().last().unwrap().0;
                    if last != MemberId(0) {
                        world.cluster.remove_member(last);
                    }
                }
                None => {}
            }
        }
        let stayed: Vec<_> = keys.iter().filter(|key| key.starts_with(b"stays")).collect();
        prop_assert_eq!(stayed.len(), 100);
        prop_assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }
}
