//! Iterations over servers that make no progress.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::world::{Far, World, config};
use crate::cluster::{CarriageConfig, ClusterError, IterationOptions};
use crate::wire::{Body, IterationBatch, IterationEntry, Request, Status};

fn batch(keys: impl IntoIterator<Item = Bytes>) -> (Status, Body) {
    let entries = keys.into_iter().map(|key| IterationEntry { key, values: vec![Bytes::new()], metadata: None });
    let batch = IterationBatch { finished_segments: Bytes::new(), entries: entries.collect() };
    (Status::SUCCESS, Body::Iteration(batch))
}

/// Returns what an iteration over this server has returned until its end, or the first `most` results.
fn iterate(
    mut next: impl FnMut() -> (Status, Body) + 'static,
    most: usize,
) -> Vec<Result<Vec<IterationEntry>, ClusterError>> {
    let mut world = World::new(config(CarriageConfig::default()));
    let mut iterations = 0;
    world.connect(Far::answering(move |request| match request {
        Request::IterationStart { .. } => {
            iterations += 1;
            (Status::SUCCESS, Body::IterationId(format!("{iterations}")))
        }
        Request::IterationNext { .. } => next(),
        _ => (Status::SUCCESS, Body::Nothing),
    }));
    let iteration = world.cluster.iterate(world.now, &world.cache.clone(), IterationOptions::default()).unwrap();
    while world.entries.len() < most && world.cluster.next_entries(world.now, iteration) {
        world.run();
    }
    world.entries
}

/// The server has no such iteration any more.
fn lost() -> (Status, Body) {
    let batch = IterationBatch { finished_segments: Bytes::new(), entries: Vec::new() };
    (Status::INVALID_ITERATION, Body::Iteration(batch))
}

fn keys(from: u32, count: u32) -> Vec<Bytes> {
    (from..from + count).map(|key| Bytes::from(format!("key {key}"))).collect()
}

#[test]
fn a_server_that_repeats_its_batch_is_not_asked_for_ever() {
    let results = iterate(|| batch(keys(0, 3)), 10);
    let [Ok(entries), Err(error)] = &results[..] else { panic!("{results:?}") };
    assert_eq!(entries.len(), 3);
    assert!(matches!(error, ClusterError::IterationLost { .. }), "{error}");
}

/// After the loss of a part the next server sends everything again.
#[test]
fn batches_that_a_restarted_part_sends_again_are_skipped() {
    let (mut place, mut is_lost) = (0, false);
    let next = move || {
        if place == 500 && !is_lost {
            (place, is_lost) = (0, true);
            return lost();
        }
        place += 10;
        if place > 1_000 { batch([]) } else { batch(keys(place - 10, 10)) }
    };
    let results = iterate(next, 1_000);
    let entries: Vec<_> = results.iter().flat_map(|result| result.as_ref().expect("entries")).collect();
    assert_eq!(entries.len(), 1_000);
}

/// Where keys are not spread by hash no segment is ever finished.
#[test]
fn the_keys_that_an_iteration_remembers_are_bounded() {
    let (mut place, mut starts) = (0, 0);
    let next = move || {
        place += 1;
        if place > 80 {
            starts += 1;
            assert_eq!(starts, 1, "its entries would be returned again");
            return lost();
        }
        batch([Bytes::from([format!("{place} ").as_bytes(), &vec![0; 1 << 20]].concat())])
    };
    let results = iterate(next, 1_000);
    let (last, entries) = results.split_last().expect("results");
    assert_eq!(entries.iter().map(|result| result.as_ref().expect("entries").len()).sum::<usize>(), 80);
    assert!(matches!(last, Err(ClusterError::IterationLost { .. })), "{last:?}");
}
