use bytes::Bytes;
use hotrod_core::session::Event;
use hotrod_core::wire::{self, Body, EntryChange, EventData, ListenerOptions, Operation, Request, Status};

use crate::server::Pair;

fn add(pair: &mut Pair, listener_id: &'static str) -> u64 {
    let options = ListenerOptions::default();
    pair.submit(&Request::AddClientListener { listener_id: listener_id.into(), options }).0
}

fn event(message_id: u64, listener_id: &'static str) -> wire::Event {
    wire::Event {
        message_id,
        listener_id: Bytes::from_static(listener_id.as_bytes()),
        retried: false,
        change: EntryChange::Created,
        data: EventData::Key { key: "k".into(), version: Some(1) },
    }
}

/// Gotcha 11: with `include_current_state` events precede the reply.
#[test]
fn events_come_before_and_after_the_answer_that_confirms_the_listener() {
    let mut pair = Pair::ready();
    let id = add(&mut pair, "l");
    pair.flush();
    pair.server.event(&event(id, "l"));
    let (header, _) = pair.next_request();
    pair.answer(&header, Operation::AddClientListener, Status::SUCCESS, Body::Nothing);
    pair.server.event(&event(id, "l"));
    pair.deliver();
    let events = pair.events();
    assert!(matches!(&events[..], [Event::Entry(_), Event::Completed { result: Ok(_), .. }, Event::Entry(_)]));
}

#[test]
fn events_of_a_listener_that_was_refused_or_removed_are_dropped_and_counted() {
    let mut pair = Pair::ready();
    let id = add(&mut pair, "l");
    pair.flush();
    let (header, _) = pair.next_request();
    pair.answer(&header, Operation::AddClientListener, Status::SERVER_ERROR, Body::Error("no".into()));
    pair.events();
    pair.server.event(&event(id, "l"));
    pair.deliver();
    assert_eq!(pair.events(), []);

    let id = add(&mut pair, "m");
    pair.flush();
    let (header, _) = pair.next_request();
    pair.answer(&header, Operation::AddClientListener, Status::SUCCESS, Body::Nothing);
    pair.events();
    pair.submit(&Request::RemoveClientListener { listener_id: "m".into() });
    pair.server.event(&event(id, "m"));
    pair.deliver();
    assert_eq!(pair.events(), []);
    assert_eq!((pair.client.counters().events, pair.client.counters().stray_events), (0, 2));
}

/// A host that does not poll gets no more events, and loses none.
#[test]
fn events_wait_up_to_their_limit_and_then_hold_up_the_link() {
    let mut config = hotrod_core::session::Config::default();
    config.max_events = 3;
    let mut pair = Pair::ready_with(config);
    let id = add(&mut pair, "l");
    for _ in 0..10 {
        pair.server.event(&event(id, "l"));
    }
    pair.deliver();
    assert!(!pair.client.wants_read());
    assert_eq!(pair.events().len(), 10);
    assert!(pair.client.wants_read());
}
