//! Strategies for replies: every form of body with its statuses.

use hotrod_core::wire::{
    Body, Intelligence, IterationBatch, IterationEntry, Operation, Ping, Previous, Reply, ReplyContext, ReplyShape,
    Status, Version,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::requests::{counter_configuration, xid};
use super::topologies::topology;
use super::values::{bytes, long, many_bytes, media_type, metadata, some_bytes, text};

/// Contexts of this operation with every intelligence.
pub fn context(operation: Operation, version: Version) -> [ReplyContext; 3] {
    [Intelligence::Basic, Intelligence::TopologyAware, Intelligence::HashDistributionAware]
        .map(|intelligence| ReplyContext { operation, version, intelligence })
}

/// A reply in this context, with any valid status.
pub fn reply(context: ReplyContext) -> BoxedStrategy<Reply> {
    let answer = (topology(context.intelligence), answer(context));
    // Errors have no topology.
    let error = error().prop_map(|error| (None, error));
    (long(), prop_oneof![3 => answer, 1 => error])
        .prop_map(|(message_id, (topology, (status, body)))| Reply {
            message_id,
            status,
            topology: topology.map(Box::new),
            body,
        })
        .boxed()
}

fn error() -> impl Strategy<Value = (Status, Body)> {
    ((0x80..=u8::MAX).prop_map(Status), text().prop_map(Body::Error))
}

fn answer(context: ReplyContext) -> BoxedStrategy<(Status, Body)> {
    let shape = context.operation.row().reply;
    let with_body = with_body(shape);
    // A reply with an unknown status has no body.
    let without = (0..0x80u8).prop_map(Status).prop_filter("has a body", move |status| !with_body.contains(status));
    prop_oneof![
        2 => (select(with_body), body(shape, context.version)),
        1 => (without, Just(Body::Nothing)),
    ]
    .boxed()
}

/// Statuses of a body with this shape.
fn with_body(shape: ReplyShape) -> &'static [Status] {
    match shape {
        ReplyShape::Previous => &[
            Status::SUCCESS_WITH_PREVIOUS,
            Status::NOT_EXECUTED_WITH_PREVIOUS,
            Status::SUCCESS_WITH_PREVIOUS_OBJECT_STORAGE,
            Status::NOT_EXECUTED_WITH_PREVIOUS_OBJECT_STORAGE,
        ],
        ReplyShape::Iteration => &[
            Status::SUCCESS,
            Status::SUCCESS_WITH_PREVIOUS,
            Status::SUCCESS_OBJECT_STORAGE,
            Status::SUCCESS_WITH_PREVIOUS_OBJECT_STORAGE,
            Status::INVALID_ITERATION,
        ],
        _ => &[
            Status::SUCCESS,
            Status::SUCCESS_WITH_PREVIOUS,
            Status::SUCCESS_OBJECT_STORAGE,
            Status::SUCCESS_WITH_PREVIOUS_OBJECT_STORAGE,
        ],
    }
}

/// A body with this shape in this version.
fn body(shape: ReplyShape, version: Version) -> BoxedStrategy<Body> {
    match shape {
        ReplyShape::Nothing => Just(Body::Nothing).boxed(),
        ReplyShape::Value => bytes().prop_map(Body::Value).boxed(),
        ReplyShape::VersionedValue => {
            (long(), bytes()).prop_map(|(version, value)| Body::VersionedValue { version, value }).boxed()
        }
        ReplyShape::ValueWithMetadata => (metadata(), bytes())
            .prop_map(|(metadata, value)| Body::ValueWithMetadata { metadata: metadata.into(), value })
            .boxed(),
        ReplyShape::Previous => previous(version).prop_map(|previous| Body::Previous(previous.map(Box::new))).boxed(),
        ReplyShape::Statistics => vec((text(), text()), 0..4).prop_map(Body::Statistics).boxed(),
        ReplyShape::Ping => ping(version).prop_map(|ping| Body::Ping(Box::new(ping))).boxed(),
        ReplyShape::MarkedEntries | ReplyShape::Entries => {
            vec((bytes(), bytes()), 0..5).prop_map(Body::Entries).boxed()
        }
        ReplyShape::MarkedKeys => many_bytes().prop_map(Body::Keys).boxed(),
        ReplyShape::Mechanisms | ReplyShape::CounterNames => vec(text(), 0..5).prop_map(Body::Names).boxed(),
        ReplyShape::Challenge => {
            (any::<bool>(), bytes()).prop_map(|(complete, challenge)| Body::Challenge { complete, challenge }).boxed()
        }
        ReplyShape::Size => long().prop_map(Body::Size).boxed(),
        ReplyShape::IterationId => text().prop_map(Body::IterationId).boxed(),
        ReplyShape::Iteration => iteration(version).prop_map(Body::Iteration).boxed(),
        ReplyShape::PutStreamId => any::<i32>().prop_map(Body::PutStreamId).boxed(),
        ReplyShape::StreamStart => (any::<i32>(), any::<bool>(), metadata(), bytes())
            .prop_map(|(stream_id, complete, metadata, chunk)| Body::StreamStart {
                stream_id,
                complete,
                metadata: metadata.into(),
                chunk,
            })
            .boxed(),
        ReplyShape::StreamChunk => (any::<i32>(), any::<bool>(), bytes())
            .prop_map(|(stream_id, complete, chunk)| Body::StreamChunk { stream_id, complete, chunk })
            .boxed(),
        ReplyShape::XaCode => any::<i32>().prop_map(Body::XaCode).boxed(),
        ReplyShape::Xids => vec(xid(), 0..4).prop_map(Body::Xids).boxed(),
        ReplyShape::CounterConfiguration => counter_configuration().prop_map(Body::CounterConfiguration).boxed(),
        ReplyShape::CounterValue => any::<i64>().prop_map(Body::CounterValue).boxed(),
        ReplyShape::Values => many_bytes().prop_map(Body::Values).boxed(),
        ReplyShape::ValuesWithMetadata => (metadata(), many_bytes())
            .prop_map(|(metadata, values)| Body::ValuesWithMetadata { metadata: metadata.into(), values })
            .boxed(),
        ReplyShape::Boolean => any::<bool>().prop_map(Body::Boolean).boxed(),
    }
}

fn previous(version: Version) -> BoxedStrategy<Option<Previous>> {
    if version < Version::V4_0 {
        // In these versions a length of zero means that there was no value.
        return option::of(some_bytes().prop_map(|value| Previous { metadata: None, value })).boxed();
    }
    let previous = (metadata(), bytes())
        .prop_filter("says that there was none", |(metadata, value)| metadata.version != u64::MAX || !value.is_empty());
    option::of(previous.prop_map(|(metadata, value)| Previous { metadata: Some(metadata), value })).boxed()
}

fn ping(version: Version) -> impl Strategy<Value = Ping> {
    let types = (media_type(Version::V2_9, version), media_type(Version::V2_9, version));
    let server = if version < Version::V3_0 {
        Just((None, Vec::new())).boxed()
    } else {
        (any::<u8>().prop_map(Some), vec(any::<u16>(), 0..6)).boxed()
    };
    (types, server).prop_map(|((key_type, value_type), (server_version, operations))| Ping {
        key_type,
        value_type,
        server_version,
        operations,
    })
}

fn iteration(version: Version) -> impl Strategy<Value = IterationBatch> {
    let metadata = move || if version < Version::V2_5 { Just(None).boxed() } else { option::of(metadata()).boxed() };
    // Before 2.4 there are no projections; all entries of a batch have the same number.
    let projections = if version < Version::V2_4 { 1..2usize } else { 0..4 };
    let entries = projections.prop_flat_map(move |projections| {
        let entry = (bytes(), vec(bytes(), projections), metadata());
        vec(entry.prop_map(|(key, values, metadata)| IterationEntry { key, values, metadata }), 0..4)
    });
    (bytes(), entries).prop_map(|(finished_segments, entries)| IterationBatch { finished_segments, entries })
}
