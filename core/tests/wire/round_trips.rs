//! Each role decodes what the other encodes, in every version.

use hotrod_core::wire::Incoming;
use proptest::prelude::*;

use crate::decode::{context, incoming, reply, request, written, written_request};
use crate::strategies::{self, check, operations};

#[test]
fn every_request_in_every_version() {
    for (operation, version) in operations() {
        check(16, strategies::message(operation, version), |(header, context)| {
            let bytes = written_request(&header, &context);
            assert_eq!(request(&bytes), (header, context), "{operation} in {version}");
        });
    }
}

#[test]
fn every_reply_in_every_version_to_clients_of_every_intelligence() {
    for (operation, version) in operations() {
        for context in strategies::context(operation, version) {
            check(32, strategies::reply(context), |answer| {
                let bytes = written(&Incoming::Reply(answer.clone()), context);
                assert_eq!(reply(&bytes, context), answer, "{operation} in {version}");
            });
        }
    }
}

proptest! {
    /// Events have the same form in every version, whatever request has their message id.
    #[test]
    fn every_event(event in strategies::event(), counter in strategies::counter_event()) {
        for (operation, version) in operations().step_by(50) {
            let context = context(operation, version);
            for event in [Incoming::Event(event.clone()), Incoming::CounterEvent(counter.clone())] {
                prop_assert_eq!(incoming(&written(&event, context), context), event);
            }
        }
    }
}
