//! Iterations (gotcha 21).

use hotrod_core::wire::{
    Body, Incoming, IterationBatch, IterationEntry, Metadata, Operation, Request, Status, Version,
};

use crate::decode::{context, reply, request, written, written_request};
use crate::hand::Hand;

fn next(version: Version, status: u8, batch: fn(Hand) -> Hand) -> IterationBatch {
    let context = context(Operation::IterationNext, version);
    let bytes = batch(Hand::reply(1, 0x34, status)).done();
    let reply = reply(&bytes, context);
    assert_eq!(written(&Incoming::Reply(reply.clone()), context), bytes);
    match reply.body {
        Body::Iteration(batch) => batch,
        other => panic!("{other:?}"),
    }
}

/// An iteration unknown to the server: NEXT returns an empty batch, without information about segments.
#[test]
fn invalid_iteration_on_next_has_a_body() {
    for version in [Version::V2_3, Version::V2_5, Version::V4_1] {
        let batch = next(version, 0x05, |hand| hand.vint(0).vint(0));
        assert_eq!(batch, IterationBatch::default());
    }
}

#[test]
fn invalid_iteration_on_end_has_none() {
    let end = reply(&Hand::reply(1, 0x36, 0x05).done(), context(Operation::IterationEnd, Version::LATEST));
    assert_eq!((end.status, end.body), (Status::INVALID_ITERATION, Body::Nothing));
}

/// Without entries the number of projections is not sent.
#[test]
fn an_empty_batch_has_no_number_of_projections() {
    for version in Version::ALL.into_iter().filter(|version| *version >= Version::V2_3) {
        let batch = next(version, 0x00, |hand| hand.array([0xff, 0x01]).vint(0));
        assert_eq!(batch, IterationBatch { finished_segments: vec![0xff, 0x01].into(), entries: Vec::new() });
    }
}

#[test]
fn a_batch_grew_projections_in_2_4_and_metadata_in_2_5() {
    let entry = |values: &[&'static str], metadata| IterationEntry {
        key: "k".into(),
        values: values.iter().map(|value| (*value).into()).collect(),
        metadata,
    };
    let plain = next(Version::V2_3, 0x00, |hand| hand.array("").vint(1).array("k").array("v"));
    assert_eq!(plain.entries, [entry(&["v"], None)]);
    let projected = next(Version::V2_4, 0x00, |hand| hand.array("").vint(1).vint(2).array("k").array("a").array("b"));
    assert_eq!(projected.entries, [entry(&["a", "b"], None)]);
    let version = Version::V2_5;
    let without = next(version, 0x00, |hand| hand.array("").vint(1).vint(1).u8(0).array("k").array("v"));
    assert_eq!(without.entries, [entry(&["v"], None)]);
    let with = next(version, 0x00, |hand| hand.array("").vint(1).vint(1).u8(1).u8(3).long(9).array("k").array("v"));
    let metadata = Metadata { version: 9, ..Metadata::default() };
    assert_eq!(with.entries, [entry(&["v"], Some(metadata))]);
}

/// Absent is a negative length in zigzag: one byte 0x01.
#[test]
fn start_for_all_segments_without_a_filter() {
    let start = |version, fields: fn(Hand) -> Hand| {
        let bytes = fields(Hand::request(version, Operation::IterationStart)).done();
        let (header, start) = request(&bytes);
        assert_eq!(written_request(&header, &start), bytes);
        match start {
            Request::IterationStart { segments, filter_converter, batch_size, include_metadata } => {
                (segments, filter_converter.map(|factory| factory.parameters.len()), batch_size, include_metadata)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(start(Version::V2_3, |hand| hand.u8(1).u8(1).vint(1000)), (None, None, 1000, false));
    assert_eq!(start(Version::V2_4, |hand| hand.u8(1).u8(1).vint(1000).u8(1)), (None, None, 1000, true));
    // An empty mask differs from an absent one.
    let mask = start(Version::V4_1, |hand| hand.u8(0).vint(2).raw(b"f").u8(2).array("a").array("b").vint(1).u8(0));
    assert_eq!(mask, (Some("".into()), Some(2), 1, false));
}
