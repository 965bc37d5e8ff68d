//! Samples of replies and events of every kind, selected by an input.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::input::Input;
use crate::sasl::Mechanism;
use crate::wire::{
    Body, CounterConfiguration, CounterEvent, CounterKind, CounterState, EntryChange, Event, EventData, Hash,
    Intelligence, IterationBatch, IterationEntry, LifetimeLeft, MediaType, Member, Metadata, Operation, Ping, Previous,
    ReplyContext, ReplyShape, Status, Topology, Version, Xid,
};

pub(super) fn operation(input: &mut Input<'_>) -> Operation {
    let table = Operation::table();
    table[input.below(table.len())].operation
}

pub(super) fn intelligence(input: &mut Input<'_>) -> Intelligence {
    input.pick(&[Intelligence::HashDistributionAware, Intelligence::TopologyAware, Intelligence::Basic])
}

pub(super) fn name(input: &mut Input<'_>) -> String {
    format!("name-{}", input.byte())
}

/// Body that is valid for the operation and the status.
pub(super) fn body(status: Status, context: ReplyContext, input: &mut Input<'_>) -> Body {
    let shape = context.operation.row().reply;
    let has_body = match shape {
        _ if status.is_error() => return Body::Error(name(input)),
        ReplyShape::Previous => status.has_previous(),
        _ => status.is_success(),
    };
    if !has_body {
        return Body::Nothing;
    }
    match shape {
        ReplyShape::Nothing => Body::Nothing,
        ReplyShape::Value => Body::Value(input.blob()),
        ReplyShape::VersionedValue => Body::VersionedValue { version: input.long(), value: input.blob() },
        ReplyShape::ValueWithMetadata => {
            Body::ValueWithMetadata { metadata: Box::new(metadata(input)), value: input.blob() }
        }
        ReplyShape::Previous => Body::Previous(input.flag().then(|| Box::new(previous(context.version, input)))),
        ReplyShape::Statistics => Body::Statistics(some(input, |input| (name(input), name(input)))),
        ReplyShape::Ping => Body::Ping(Box::new(ping(context.version, input))),
        ReplyShape::MarkedEntries | ReplyShape::Entries => {
            Body::Entries(some(input, |input| (input.blob(), input.blob())))
        }
        ReplyShape::MarkedKeys => Body::Keys(some(input, super::input::Input::blob)),
        ReplyShape::Mechanisms => Body::Names(some(input, |input| input.pick(&Mechanism::ALL).name().into())),
        ReplyShape::CounterNames => Body::Names(some(input, name)),
        ReplyShape::Challenge => Body::Challenge { complete: input.flag(), challenge: input.blob() },
        ReplyShape::Size => Body::Size(input.long()),
        ReplyShape::IterationId => Body::IterationId(name(input)),
        ReplyShape::Iteration => Body::Iteration(iteration(context.version, input)),
        ReplyShape::PutStreamId => Body::PutStreamId(input.long() as i32),
        ReplyShape::StreamStart => Body::StreamStart {
            stream_id: input.byte().into(),
            complete: input.flag(),
            metadata: Box::new(metadata(input)),
            chunk: input.blob(),
        },
        ReplyShape::StreamChunk => {
            Body::StreamChunk { stream_id: input.byte().into(), complete: input.flag(), chunk: input.blob() }
        }
        ReplyShape::XaCode => Body::XaCode(input.long() as i32),
        ReplyShape::Xids => Body::Xids(some(input, xid)),
        ReplyShape::CounterConfiguration => Body::CounterConfiguration(counter_configuration(input)),
        ReplyShape::CounterValue => Body::CounterValue(input.long() as i64),
        ReplyShape::Values => Body::Values(some(input, super::input::Input::blob)),
        ReplyShape::ValuesWithMetadata => Body::ValuesWithMetadata {
            metadata: Box::new(metadata(input)),
            values: some(input, super::input::Input::blob),
        },
        ReplyShape::Boolean => Body::Boolean(input.flag()),
    }
}

fn some<'a, T>(input: &mut Input<'a>, element: impl Fn(&mut Input<'a>) -> T) -> Vec<T> {
    (0..input.below(6)).map(|_| element(input)).collect()
}

fn metadata(input: &mut Input<'_>) -> Metadata {
    let left = |input: &mut Input<'_>| {
        input.flag().then(|| LifetimeLeft { since: input.long(), seconds: input.long() as u32 })
    };
    Metadata { version: input.long(), lifespan: left(input), max_idle: left(input) }
}

/// Never an empty value, which means no value before 4.0.
fn previous(version: Version, input: &mut Input<'_>) -> Previous {
    let metadata = (version >= Version::V4_0).then(|| metadata(input));
    let value = input.blob();
    Previous { metadata, value: if value.is_empty() { Bytes::from_static(b"previous") } else { value } }
}

fn ping(version: Version, input: &mut Input<'_>) -> Ping {
    let mut ping = Ping::default();
    if version >= Version::V2_9 {
        ping.key_type = media_type(input);
        ping.value_type = media_type(input);
    }
    if version >= Version::V3_0 {
        // Usually the newest version, so that a session accepts it.
        ping.server_version = Some(input.pick(&[41, 41, 40, 31, 30, 99, 7]));
        ping.operations = some(input, |input| input.long() as u16);
    }
    ping
}

fn media_type(input: &mut Input<'_>) -> MediaType {
    let parameters = |input: &mut Input<'_>| some(input, |input| (name(input), name(input)));
    match input.below(3) {
        0 => MediaType::Unspecified,
        1 => MediaType::Numbered(input.byte().into(), parameters(input)),
        _ => MediaType::Named(name(input), parameters(input)),
    }
}

fn iteration(version: Version, input: &mut Input<'_>) -> IterationBatch {
    let projections = if version >= Version::V2_4 { input.below(3) } else { 1 };
    let entry = |input: &mut Input<'_>| IterationEntry {
        key: input.blob(),
        values: (0..projections).map(|_| input.blob()).collect(),
        metadata: (version >= Version::V2_5 && input.flag()).then(|| metadata(input)),
    };
    IterationBatch { finished_segments: input.blob(), entries: some(input, entry) }
}

fn xid(input: &mut Input<'_>) -> Xid {
    let id = |input: &mut Input<'_>| Bytes::from_static(&[3; 64][..input.below(65)]);
    Xid { format_id: input.long() as i32, global_transaction_id: id(input), branch_qualifier: id(input) }
}

fn counter_configuration(input: &mut Input<'_>) -> CounterConfiguration {
    let kind = match input.below(3) {
        0 => CounterKind::UnboundedStrong,
        1 => CounterKind::BoundedStrong { lower: input.long() as i64, upper: input.long() as i64 },
        _ => CounterKind::Weak { concurrency: input.long() as u32 },
    };
    CounterConfiguration { kind, persistent: input.flag(), initial_value: input.long() as i64 }
}

/// Topology of up to five members, for a client with this intelligence.
pub(super) fn topology(intelligence: Intelligence, input: &mut Input<'_>) -> Option<Topology> {
    if intelligence == Intelligence::Basic || input.flag() {
        return None;
    }
    let id = input.long() as u32;
    let members = some(input, |input| Member { host: name(input), port: input.long() as u16 });
    let hash = (intelligence == Intelligence::HashDistributionAware).then(|| {
        let (function, segments) = (if members.is_empty() { 0 } else { 3 }, input.below(64) as u32);
        let owner = |segment: u32| segment as u16 % members.len().max(1) as u16;
        let owners = (0..if function == 0 { 0 } else { segments }).map(|segment| [owner(segment), owner(segment + 1)]);
        let owners: Vec<_> = owners.collect();
        Hash { function, segments, owners: owners.iter().map(|owners| &owners[..]).collect() }
    });
    Some(Topology { id, members, hash })
}

pub(super) fn event(input: &mut Input<'_>) -> Event {
    let change = input.pick(&[EntryChange::Created, EntryChange::Modified, EntryChange::Removed, EntryChange::Expired]);
    let versioned = matches!(change, EntryChange::Created | EntryChange::Modified);
    let data = if input.flag() {
        EventData::Custom { data: input.blob(), raw: input.flag() }
    } else {
        EventData::Key { key: input.blob(), version: versioned.then(|| input.long()) }
    };
    Event { message_id: input.long(), listener_id: input.blob(), retried: input.flag(), change, data }
}

pub(super) fn counter_event(input: &mut Input<'_>) -> CounterEvent {
    let states = [CounterState::Valid, CounterState::LowerBoundReached, CounterState::UpperBoundReached];
    CounterEvent {
        counter: name(input),
        listener_id: input.blob(),
        old_value: input.long() as i64,
        old_state: input.pick(&states),
        new_value: input.long() as i64,
        new_state: input.pick(&states),
    }
}
