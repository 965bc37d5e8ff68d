//! Listeners and their events (gotcha 11).

use hotrod_core::wire::{
    EntryChange, Event, EventData, Factory, Incoming, Interests, ListenerOptions, Operation, Request, Version,
};

use crate::decode::{context, incoming, request, written, written_request};
use crate::hand::Hand;

fn event(opcode: u8, rest: fn(Hand) -> Hand) -> Event {
    let context = context(Operation::AddClientListener, Version::LATEST);
    let bytes = rest(Hand::reply(300, opcode, 0x00).array("listener")).done();
    let incoming = incoming(&bytes, context);
    assert_eq!(written(&incoming, context), bytes);
    match incoming {
        Incoming::Event(event) => {
            assert_eq!((event.message_id, &event.listener_id[..]), (300, &b"listener"[..]));
            event
        }
        other => panic!("{other:?}"),
    }
}

/// The marker is 0 for a key, 1 for a converter's output marshalled by the server, 2 for its raw output.
#[test]
fn is_custom_is_0_1_or_2() {
    let key = event(0x60, |hand| hand.u8(0).u8(0).array("key").long(9)).data;
    assert_eq!(key, EventData::Key { key: "key".into(), version: Some(9) });
    let custom = event(0x60, |hand| hand.u8(1).u8(0).array("data")).data;
    assert_eq!(custom, EventData::Custom { data: "data".into(), raw: false });
    let raw = event(0x60, |hand| hand.u8(2).u8(0).array("data")).data;
    assert_eq!(raw, EventData::Custom { data: "data".into(), raw: true });
}

/// Another client misses this byte in custom events and uses it as the data's length.
#[test]
fn every_event_says_whether_its_write_was_retried() {
    assert!(event(0x60, |hand| hand.u8(0).u8(1).array("key").long(9)).retried);
    assert!(event(0x61, |hand| hand.u8(1).u8(1).array("data")).retried);
    assert!(event(0x62, |hand| hand.u8(2).u8(1).array("data")).retried);
    assert!(!event(0x63, |hand| hand.u8(0).u8(0).array("key")).retried);
}

/// Removed and expired entries have no version.
#[test]
fn only_what_was_created_or_modified_has_a_version() {
    let changes = [
        (0x60, EntryChange::Created, true),
        (0x61, EntryChange::Modified, true),
        (0x62, EntryChange::Removed, false),
        (0x63, EntryChange::Expired, false),
    ];
    for (opcode, change, versioned) in changes {
        let with: fn(Hand) -> Hand = |hand| hand.u8(0).u8(0).array("key").long(9);
        let without: fn(Hand) -> Hand = |hand| hand.u8(0).u8(0).array("key");
        let event = event(opcode, if versioned { with } else { without });
        assert_eq!(event.change, change);
        assert_eq!(event.data, EventData::Key { key: "key".into(), version: versioned.then_some(9) });
    }
}

fn options(version: Version, fields: fn(Hand) -> Hand) -> ListenerOptions {
    let bytes = fields(Hand::request(version, Operation::AddClientListener).array("listener")).done();
    let (header, add) = request(&bytes);
    assert_eq!(written_request(&header, &add), bytes);
    match add {
        Request::AddClientListener { options, .. } => options,
        other => panic!("{other:?}"),
    }
}

#[test]
fn listeners_grew_raw_data_in_2_1_and_interests_in_2_6() {
    let plain = ListenerOptions { include_current_state: true, ..ListenerOptions::default() };
    assert_eq!(options(Version::V2_0, |hand| hand.u8(1).text("").text("")), plain);
    let raw = ListenerOptions { use_raw_data: true, ..ListenerOptions::default() };
    assert_eq!(options(Version::V2_1, |hand| hand.u8(0).text("").text("").u8(1)), raw);
    let interests = Interests::CREATED | Interests::EXPIRED;
    let interested = ListenerOptions { interests, ..raw };
    assert_eq!(options(Version::V2_6, |hand| hand.u8(0).text("").text("").u8(1).vint(9)), interested);
    assert!(interests.includes(Interests::EXPIRED) && !interests.includes(Interests::REMOVED));
    assert!(Interests::ALL.includes(Interests::REMOVED), "none named means all");
}

/// An empty name means no factory, without parameters and their count.
#[test]
fn a_factory_with_a_name_has_parameters() {
    let factory = |name: &str, parameters: &[&'static str]| Factory {
        name: name.into(),
        parameters: parameters.iter().map(|parameter| (*parameter).into()).collect(),
    };
    let both = options(Version::V2_0, |hand| hand.u8(0).text("f").u8(0).text("c").u8(2).array("1").array("2"));
    assert_eq!((both.filter, both.converter), (Some(factory("f", &[])), Some(factory("c", &["1", "2"]))));
    let converter = options(Version::V2_0, |hand| hand.u8(0).text("").text("c").u8(1).array("1"));
    assert_eq!((converter.filter, converter.converter), (None, Some(factory("c", &["1"]))));
}
