//! Events of cache and counter listeners, which a server sends outside of replies.

use alloc::string::String;

use bytes::Bytes;

use super::reader::{Read, Reader};
use super::reply;
use super::status::Status;
use crate::send_buffer::SendBuffer;

/// An event of a cache listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Message id of the request that registered the listener.
    pub message_id: u64,
    /// Listener id of the registration.
    pub listener_id: Bytes,
    /// Whether the server retried the write behind this event; the event may be a duplicate.
    pub retried: bool,
    /// Kind of change.
    pub change: EntryChange,
    /// Key and version, or the output of the listener's converter.
    pub data: EventData,
}

/// Kind of change to a cache entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // self-explanatory names
pub enum EntryChange {
    Created = 0x60,
    Modified = 0x61,
    Removed = 0x62,
    Expired = 0x63,
}

/// Payload of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventData {
    /// The entry's key, with its version if it was created or modified.
    Key {
        /// Key of the entry.
        key: Bytes,
        /// Version of the entry after the change; `None` for a removal or an expiration.
        version: Option<u64>,
    },
    /// Output of the listener's converter.
    Custom {
        /// Data in the form that the converter returned.
        data: Bytes,
        /// Whether the data is the converter's own bytes; otherwise the server has marshalled it.
        raw: bool,
    },
}

/// An event of a counter listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterEvent {
    /// Name of the counter.
    pub counter: String,
    /// Listener id of the registration.
    pub listener_id: Bytes,
    /// Value before the change.
    pub old_value: i64,
    /// State before the change.
    pub old_state: CounterState,
    /// Value after the change.
    pub new_value: i64,
    /// State after the change.
    pub new_state: CounterState,
}

/// Position of a counter relative to its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum CounterState {
    /// Within its bounds, or unbounded.
    #[default]
    Valid = 0,
    /// The change would have passed the lower bound.
    LowerBoundReached = 1,
    /// The change would have passed the upper bound.
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

/// Appends a counter event with message id 0 to `out`.
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

/// Reads the body of a cache event, behind its header.
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

/// Reads the body of a counter event, behind its header.
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
