//! What a server sends without being asked: the events of listeners.

use alloc::string::String;

use bytes::Bytes;

use super::reader::{Read, Reader};
use super::reply;
use super::status::Status;
use crate::send_buffer::SendBuffer;

/// An event of a cache listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The id of the request that added the listener.
    pub message_id: u64,
    /// The listener, as named when it was added.
    pub listener_id: Bytes,
    /// Whether the write that caused it was retried in the server: the event may have been sent before.
    pub retried: bool,
    /// What happened to the entry.
    pub change: EntryChange,
    /// The entry, or what the listener's converter made of it.
    pub data: EventData,
}

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // the names say all there is
pub enum EntryChange {
    Created = 0x60,
    Modified = 0x61,
    Removed = 0x62,
    Expired = 0x63,
}

/// What an event tells of the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventData {
    /// Its key, and its version if it was created or modified.
    Key {
        /// The key.
        key: Bytes,
        /// The version.
        version: Option<u64>,
    },
    /// What the converter made of it.
    Custom {
        /// The data.
        data: Bytes,
        /// Whether the data is as the converter made it, not marshalled by the server.
        raw: bool,
    },
}

/// An event of a counter listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterEvent {
    /// The counter.
    pub counter: String,
    /// The listener, as named when it was added.
    pub listener_id: Bytes,
    /// Its value before.
    pub old_value: i64,
    /// Whether that was at a bound.
    pub old_state: CounterState,
    /// Its value now.
    pub new_value: i64,
    /// Whether that is at a bound.
    pub new_state: CounterState,
}

/// Whether a bounded counter is at a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum CounterState {
    /// It is not.
    #[default]
    Valid = 0,
    /// It would be below its lower bound.
    LowerBoundReached = 1,
    /// It would be above its upper bound.
    UpperBoundReached = 2,
}

pub(crate) const COUNTER_EVENT: u8 = 0x66;

impl EntryChange {
    pub(crate) fn from_opcode(opcode: u8) -> Option<Self> {
        [Self::Created, Self::Modified, Self::Removed, Self::Expired].into_iter().find(|change| *change as u8 == opcode)
    }

    fn carries_version(self) -> bool {
        matches!(self, Self::Created | Self::Modified)
    }
}

/// Appends an event to `out`.
pub fn write_event(event: &Event, out: &mut SendBuffer) {
    write_head(event.message_id, event.change as u8, out);
    out.put_array(&event.listener_id);
    let marker = match event.data {
        EventData::Key { .. } => 0,
        EventData::Custom { raw, .. } => 1 + u8::from(raw),
    };
    out.put_u8(marker);
    out.put_u8(u8::from(event.retried));
    match &event.data {
        EventData::Key { key, version } => {
            out.put_array(key);
            if event.change.carries_version() {
                out.put_u64(version.unwrap_or_default());
            }
        }
        EventData::Custom { data, .. } => out.put_array(data),
    }
}

/// Appends a counter event to `out`; its message id is 0.
pub fn write_counter_event(event: &CounterEvent, out: &mut SendBuffer) {
    write_head(0, COUNTER_EVENT, out);
    out.put_text(&event.counter);
    out.put_array(&event.listener_id);
    out.put_u8(event.old_state as u8 | (event.new_state as u8) << 2);
    out.put_u64(event.old_value as u64);
    out.put_u64(event.new_value as u64);
}

fn write_head(message_id: u64, opcode: u8, out: &mut SendBuffer) {
    out.put_u8(reply::MAGIC);
    out.put_vlong(message_id);
    out.put_u8(opcode);
    out.put_u8(Status::SUCCESS.0);
    out.put_u8(0);
}

/// What follows the header of an event.
pub(crate) fn read_event(message_id: u64, change: EntryChange, reader: &mut Reader<'_>) -> Read<Event> {
    let listener_id = reader.array("listener id", reader.limits().name)?;
    let marker = reader.byte("custom marker")?;
    if marker > 2 {
        return Err(reader.unexpected("custom marker", marker.into(), "0 (key), 1 (custom) or 2 (custom raw)"));
    }
    let retried = reader.boolean("retried")?;
    let data = match marker {
        0 => EventData::Key {
            key: reader.array("key", reader.limits().key)?,
            version: if change.carries_version() { Some(reader.long("entry version")?) } else { None },
        },
        _ => EventData::Custom { data: reader.array("event data", reader.limits().value)?, raw: marker == 2 },
    };
    Ok(Event { message_id, listener_id, retried, change, data })
}

/// What follows the header of a counter event.
pub(crate) fn read_counter_event(reader: &mut Reader<'_>) -> Read<CounterEvent> {
    let counter = reader.name("counter name")?;
    let listener_id = reader.array("listener id", reader.limits().name)?;
    let states = reader.byte("counter states")?;
    let state = |bits: u8, reader: &Reader<'_>| match bits & 3 {
        0 => Ok(CounterState::Valid),
        1 => Ok(CounterState::LowerBoundReached),
        2 => Ok(CounterState::UpperBoundReached),
        _ => Err(reader.unexpected("counter states", states.into(), "two codes from 0 to 2")),
    };
    let (old_state, new_state) = (state(states, reader)?, state(states >> 2, reader)?);
    let old_value = reader.long("old value")? as i64;
    let new_value = reader.long("new value")? as i64;
    Ok(CounterEvent { counter, listener_id, old_value, old_state, new_value, new_state })
}
