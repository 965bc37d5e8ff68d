//! Queue of events to be polled.

use alloc::collections::{BTreeMap, VecDeque};

use super::StreamId;
use super::event::{Event, Place};

/// Events in order. Drops those of streams that the application has reset, except for extension frames, which are
/// reported as stray frames of a closed stream.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    events: VecDeque<Event>,
    /// Size of the bytes held by the events.
    bytes: usize,
    /// Number of events taken so far.
    taken: u64,
    /// Reset streams, with the number of the first event that can't be theirs.
    muted: BTreeMap<StreamId, u64>,
}

impl EventQueue {
    #[inline]
    pub(crate) fn push(&mut self, event: Event) {
        self.bytes += event.size();
        self.events.push_back(event);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Event> {
        if self.muted.is_empty() { self.take() } else { self.pop_unmuted() }
    }

    #[inline]
    fn take(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.taken += 1;
        self.bytes -= event.size();
        Some(event)
    }

    /// Takes the next event that does not belong to a reset stream.
    fn pop_unmuted(&mut self) -> Option<Event> {
        loop {
            let event = self.take()?;
            let is_muted = event.stream().is_some_and(|stream| self.muted.contains_key(&stream));
            self.unmute();
            match event {
                event if !is_muted => return Some(event),
                Event::Extension { stream, kind, flags, payload } => {
                    return Some(Event::StrayExtension { stream, place: Place::Closed, kind, flags, payload });
                }
                _ => {}
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// Memory of the events.
    pub(crate) fn memory(&self) -> usize {
        self.bytes + (self.events.len() + self.muted.len()) * size_of::<Event>()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops the queued events of this stream.
    pub(crate) fn mute(&mut self, stream: StreamId) {
        if !self.events.is_empty() {
            self.muted.insert(stream, self.taken + self.events.len() as u64);
        }
    }

    fn unmute(&mut self) {
        if self.events.is_empty() {
            self.muted.clear();
        } else if self.muted.len() > self.events.len() {
            let taken = self.taken;
            self.muted.retain(|_, first_after| *first_after > taken);
        }
    }
}
