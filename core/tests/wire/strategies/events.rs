//! Strategies for events of cache and counter listeners.

use hotrod_core::wire::{CounterEvent, CounterState, EntryChange, Event, EventData};
use proptest::prelude::*;
use proptest::sample::select;

use super::values::{bytes, long, text};

pub fn event() -> impl Strategy<Value = Event> {
    let change = select(&[EntryChange::Created, EntryChange::Modified, EntryChange::Removed, EntryChange::Expired]);
    (long(), bytes(), any::<bool>(), change.prop_flat_map(|change| (Just(change), data(change)))).prop_map(
        |(message_id, listener_id, retried, (change, data))| Event { message_id, listener_id, retried, change, data },
    )
}

fn data(change: EntryChange) -> impl Strategy<Value = EventData> {
    // Removed entries have no version.
    let version = match change {
        EntryChange::Created | EntryChange::Modified => long().prop_map(Some).boxed(),
        EntryChange::Removed | EntryChange::Expired => Just(None).boxed(),
    };
    prop_oneof![
        (bytes(), version).prop_map(|(key, version)| EventData::Key { key, version }),
        (bytes(), any::<bool>()).prop_map(|(data, raw)| EventData::Custom { data, raw }),
    ]
}

pub fn counter_event() -> impl Strategy<Value = CounterEvent> {
    let state = || select(&[CounterState::Valid, CounterState::LowerBoundReached, CounterState::UpperBoundReached]);
    (text(), bytes(), any::<(i64, i64)>(), state(), state()).prop_map(
        |(counter, listener_id, (old_value, new_value), old_state, new_state)| CounterEvent {
            counter,
            listener_id,
            old_value,
            old_state,
            new_value,
            new_state,
        },
    )
}
