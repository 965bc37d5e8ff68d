//! Strategies for every message in every version, whose values are unchanged by a round trip.
//!
//! A field that the version lacks has the value that represents its absence.

mod events;
mod replies;
mod requests;
mod topologies;
mod values;

pub use events::{counter_event, event};
pub use replies::{context, reply};
pub use requests::{header, request};

use hotrod_core::wire::{Operation, Reply, ReplyContext, Request, RequestHeader, Version, Versions};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

/// A header and its request.
pub fn message(operation: Operation, version: Version) -> impl Strategy<Value = (RequestHeader, Request)> {
    request(operation, version).prop_flat_map(move |request| (header(version, &request), Just(request)))
}

/// A header and its request, for any operation in any version.
pub fn any_request() -> impl Strategy<Value = (RequestHeader, Request)> {
    select(operations().collect::<Vec<_>>()).prop_flat_map(|(operation, version)| message(operation, version))
}

/// A context and a reply, for any operation in any version.
pub fn any_reply() -> impl Strategy<Value = (ReplyContext, Reply)> {
    let all: Vec<ReplyContext> = operations().flat_map(|(operation, version)| context(operation, version)).collect();
    select(all).prop_flat_map(|context| (Just(context), reply(context)))
}

/// Every operation in every version that has it.
pub fn operations() -> impl Iterator<Item = (Operation, Version)> {
    Operation::table().iter().flat_map(|row| {
        let is_gone = |version| matches!(row.versions, Versions::Before(end) if version >= end);
        let versions = Version::ALL.into_iter().filter(move |version| *version >= row.since && !is_gone(*version));
        versions.map(|version| (row.operation, version))
    })
}

/// Versions that changed a form, and the oldest.
pub const VERSIONS: [Version; 12] = [
    Version::V2_0,
    Version::V2_1,
    Version::V2_2,
    Version::V2_4,
    Version::V2_5,
    Version::V2_6,
    Version::V2_8,
    Version::V2_9,
    Version::V3_0,
    Version::V3_1,
    Version::V4_0,
    Version::V4_1,
];

/// Runs `test` on a share of the usual number of cases: for hundreds of strategies.
pub fn check<S: Strategy>(share: u32, strategy: S, test: impl Fn(S::Value)) {
    let usual = Config::default().cases;
    let config = Config { cases: usual.div_ceil(share), failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn every_row_of_the_table_is_generated() {
    for (operation, version) in operations() {
        check(256, request(operation, version), |request| assert_eq!(request.operation(), operation));
    }
}
