//! Counters, and their events.

use hotrod_core::wire::{Body, CounterConfiguration, CounterKind, Request, RequestOptions, Status};

use super::{Checked, Peer, Refused};

/// Name of a counter that is never defined.
const NONE: &str = "no such counter";

fn is(value: i64) -> Body {
    Body::CounterValue(value)
}

/// Creates a counter with the initial value 5.
fn define(peer: &mut Peer, kind: CounterKind) -> Result<String, Refused> {
    peer.options = RequestOptions::default();
    let counter = peer.name(match kind {
        CounterKind::UnboundedStrong => "strong",
        CounterKind::BoundedStrong { .. } => "bounded",
        CounterKind::Weak { .. } => "weak",
    });
    let create = Request::CounterCreate { counter: counter.clone(), configuration: configured(kind) };
    peer.expect(create, Status::SUCCESS, Body::Nothing)?;
    Ok(counter)
}

fn configured(kind: CounterKind) -> CounterConfiguration {
    CounterConfiguration { kind, persistent: false, initial_value: 5 }
}

fn strong(peer: &mut Peer) -> Result<String, Refused> {
    define(peer, CounterKind::UnboundedStrong)
}

const BOUNDED: CounterKind = CounterKind::BoundedStrong { lower: 0, upper: 10 };
const WEAK: CounterKind = CounterKind::Weak { concurrency: 4 };

pub(super) fn create(peer: &mut Peer) -> Checked {
    for kind in [CounterKind::UnboundedStrong, BOUNDED, WEAK] {
        let counter = define(peer, kind)?;
        let again = Request::CounterCreate { counter, configuration: configured(kind) };
        peer.expect(again, Status::NOT_EXECUTED, Body::Nothing)?;
    }
    Ok(())
}

pub(super) fn configuration(peer: &mut Peer) -> Checked {
    for kind in [CounterKind::UnboundedStrong, BOUNDED, WEAK] {
        let counter = define(peer, kind)?;
        let get = Request::CounterGetConfiguration { counter };
        peer.expect(get, Status::SUCCESS, Body::CounterConfiguration(configured(kind)))?;
    }
    let unknown = Request::CounterGetConfiguration { counter: NONE.into() };
    peer.expect(unknown, Status::KEY_DOES_NOT_EXIST, Body::Nothing)
}

pub(super) fn is_defined(peer: &mut Peer) -> Checked {
    let counter = strong(peer)?;
    peer.expect(Request::CounterIsDefined { counter }, Status::SUCCESS, Body::Nothing)?;
    peer.expect(Request::CounterIsDefined { counter: NONE.into() }, Status::NOT_EXECUTED, Body::Nothing)
}

pub(super) fn add_and_get(peer: &mut Peer) -> Checked {
    let add = |counter: &str, delta| Request::CounterAddAndGet { counter: counter.into(), delta };
    let counter = strong(peer)?;
    peer.expect(add(&counter, -7), Status::SUCCESS, is(-2))?;
    let counter = define(peer, BOUNDED)?;
    peer.expect(add(&counter, 5), Status::SUCCESS, is(10))?;
    peer.expect(add(&counter, 1), Status::NOT_EXECUTED_WITH_PREVIOUS, Body::Nothing)?;
    let counter = define(peer, WEAK)?;
    peer.expect(add(&counter, 3), Status::SUCCESS, is(0))?;
    peer.expect(add(NONE, 1), Status::KEY_DOES_NOT_EXIST, Body::Nothing)
}

pub(super) fn reset(peer: &mut Peer) -> Checked {
    let counter = strong(peer)?;
    peer.expect(Request::CounterAddAndGet { counter: counter.clone(), delta: 3 }, Status::SUCCESS, is(8))?;
    peer.expect(Request::CounterReset { counter: counter.clone() }, Status::SUCCESS, Body::Nothing)?;
    peer.expect(Request::CounterGet { counter }, Status::SUCCESS, is(5))?;
    peer.expect(Request::CounterReset { counter: NONE.into() }, Status::KEY_DOES_NOT_EXIST, Body::Nothing)
}

pub(super) fn get(peer: &mut Peer) -> Checked {
    let counter = strong(peer)?;
    peer.expect(Request::CounterGet { counter }, Status::SUCCESS, is(5))?;
    peer.expect(Request::CounterGet { counter: NONE.into() }, Status::KEY_DOES_NOT_EXIST, Body::Nothing)
}

pub(super) fn compare_and_swap(peer: &mut Peer) -> Checked {
    let counter = strong(peer)?;
    let swap = |expected, update| Request::CounterCompareAndSwap { counter: counter.clone(), expected, update };
    peer.expect(swap(5, i64::MAX), Status::SUCCESS, is(5))?;
    peer.expect(swap(5, 1), Status::SUCCESS, is(i64::MAX))?;
    let unknown = Request::CounterCompareAndSwap { counter: NONE.into(), expected: 0, update: 1 };
    peer.expect(unknown, Status::KEY_DOES_NOT_EXIST, Body::Nothing)
}

pub(super) fn get_and_set(peer: &mut Peer) -> Checked {
    let counter = define(peer, BOUNDED)?;
    let set = |value| Request::CounterGetAndSet { counter: counter.clone(), value };
    peer.expect(set(7), Status::SUCCESS, is(5))?;
    peer.expect(set(11), Status::NOT_EXECUTED_WITH_PREVIOUS, Body::Nothing)?;
    peer.expect(Request::CounterGet { counter: counter.clone() }, Status::SUCCESS, is(7))
}

pub(super) fn add_listener(peer: &mut Peer) -> Checked {
    let counter = strong(peer)?;
    let listener_id = peer.key("listener");
    let add = Request::CounterAddListener { counter: counter.clone(), listener_id: listener_id.clone() };
    peer.expect(add, Status::SUCCESS, Body::Nothing)?;
    peer.expect(Request::CounterAddAndGet { counter: counter.clone(), delta: 3 }, Status::SUCCESS, is(8))?;
    let event = peer.counter_event();
    assert_eq!((&event.counter, event.old_value, event.new_value), (&counter, 5, 8));
    let unknown = Request::CounterAddListener { counter: NONE.into(), listener_id: peer.key("other") };
    peer.expect(unknown, Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    peer.expect(Request::CounterRemoveListener { counter, listener_id }, Status::SUCCESS, Body::Nothing)
}

pub(super) fn remove_listener(peer: &mut Peer) -> Checked {
    let counter = strong(peer)?;
    let listener_id = peer.key("listener");
    let remove = || Request::CounterRemoveListener { counter: counter.clone(), listener_id: listener_id.clone() };
    peer.expect(remove(), Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    let add = Request::CounterAddListener { counter: counter.clone(), listener_id: listener_id.clone() };
    peer.expect(add, Status::SUCCESS, Body::Nothing)?;
    peer.expect(remove(), Status::SUCCESS, Body::Nothing)
}

pub(super) fn remove(peer: &mut Peer) -> Checked {
    let counter = strong(peer)?;
    peer.expect(Request::CounterAddAndGet { counter: counter.clone(), delta: 3 }, Status::SUCCESS, is(8))?;
    peer.expect(Request::CounterRemove { counter: counter.clone() }, Status::SUCCESS, Body::Nothing)?;
    peer.expect(Request::CounterGet { counter }, Status::SUCCESS, is(5))?;
    peer.expect(Request::CounterRemove { counter: NONE.into() }, Status::SUCCESS, Body::Nothing)
}

pub(super) fn names(peer: &mut Peer) -> Checked {
    let counter = strong(peer)?;
    let Body::Names(names) = peer.ask(Request::CounterGetNames {})?.body else { panic!() };
    assert!(names.contains(&counter), "{names:?}");
    Ok(())
}
