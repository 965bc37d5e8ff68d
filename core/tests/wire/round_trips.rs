//! What one role writes the other reads, in every version.

use hotrod_core::wire::Incoming;
use proptest::prelude::*;

use crate::decode::{asked, incoming, reply, request, written, written_request};
use crate::strategies::{self, check, operations};

#[test]
fn every_request_in_every_version() {
    for (operation, version) in operations() {
        check(16, strategies::message(operation, version), |(header, asked)| {
            let bytes = written_request(&header, &asked);
            assert_eq!(request(&bytes), (header, asked), "{operation} in {version}");
        });
    }
}

#[test]
fn every_reply_in_every_version_to_clients_of_every_intelligence() {
    for (operation, version) in operations() {
        for asked in strategies::asked(operation, version) {
            check(32, strategies::reply(asked), |answer| {
                let bytes = written(&Incoming::Reply(answer.clone()), asked);
                assert_eq!(reply(&bytes, asked), answer, "{operation} in {version}");
            });
        }
    }
}

proptest! {
    /// Events look the same in every version, and come whatever was asked with their message id.
    #[test]
    fn every_event(event in strategies::event(), counter in strategies::counter_event()) {
        for (operation, version) in operations().step_by(50) {
            let asked = asked(operation, version);
            for event in [Incoming::Event(event.clone()), Incoming::CounterEvent(counter.clone())] {
                prop_assert_eq!(incoming(&written(&event, asked), asked), event);
            }
        }
    }
}
