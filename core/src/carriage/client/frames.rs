//! Handling of Hot Rod frames from an endpoint.

use bytes::Bytes;

use super::{ChannelId, ClientLink, Progress};
use crate::carriage::calls::{Ended, Received};
use crate::carriage::credit::is_increment;
use crate::carriage::event::ClientEvent;
use crate::carriage::flood::Overhead;
use crate::carriage::frame::{CALL_ID, Fragment, Frame, Malformed};
use crate::carriage::registry::{
    HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, HOT_ROD_UNKNOWN_CALL, flag, frame_type,
};
use crate::http2::{ErrorCode, Place, StreamId};

/// Flags of a message in one frame.
const WHOLE: u8 = flag::FIRST | flag::FIN;

/// Effect of a frame on its session.
enum Outcome {
    Received(Received),
    Granted(bool),
    Ended(Option<Ended>, ErrorCode, bool),
    Event(ClientEvent),
}

impl ClientLink {
    /// Handles a frame; `stray` is set if its stream is not open in both directions. Violations are checked in the
    /// order of the specification's table (section 15).
    pub(super) fn handle_frame(
        &mut self,
        stream: StreamId,
        stray: Option<Place>,
        kind: u8,
        flags: u8,
        payload: Bytes,
    ) -> Option<ClientEvent> {
        let frame = Frame::parse(kind, flags, payload, &self.config.limits)?;
        if let Err(Malformed::Size) = frame {
            self.fail(ErrorCode::FRAME_SIZE_ERROR, b"a Hot Rod frame of a size that it can't have");
            return None;
        }
        if stream == StreamId::CONNECTION {
            return self.handle_link_frame(frame.ok().as_ref());
        }
        let is_closed = stray == Some(Place::Closed);
        if stray == Some(Place::Idle) || self.config.ordinary_connect && !is_closed {
            self.fail(ErrorCode::PROTOCOL_ERROR, b"a Hot Rod frame on a stream that is no session");
            return None;
        }
        // Frames of a closed session may still be in flight.
        let Some(id) = self.streams.get(stream).copied().filter(|_| !is_closed) else {
            self.discard(frame.ok().as_ref());
            return None;
        };
        if kind == frame_type::REQUEST {
            self.fail(ErrorCode::PROTOCOL_ERROR, b"a Hot Rod frame that is not an endpoint's to send");
            return None;
        }
        let result = match frame {
            Ok(frame) => self.handle_session_frame(stream, id, frame),
            Err(_) => Err(HOT_ROD_MESSAGE_ERROR),
        };
        result.unwrap_or_else(|code| self.violated(stream, code))
    }

    /// Fast path for the most frequent frame: the whole response to the oldest call. Returns its session; `None` if
    /// another case applies, which `handle_frame` handles rule by rule.
    pub(super) fn whole_response(
        &mut self,
        stream: StreamId,
        kind: u8,
        flags: u8,
        payload: &[u8],
    ) -> Option<ChannelId> {
        let is_whole = kind == frame_type::RESPONSE && flags & WHOLE == WHOLE && payload.len() > CALL_ID;
        if !is_whole || !self.events.is_empty() {
            return None;
        }
        let call = u32::from_be_bytes(*payload.first_chunk()?);
        let id = *self.streams.get(stream)?;
        let channel = self.channels.get_mut(id.key)?;
        let calls = channel.calls.as_mut().filter(|_| channel.progress == Progress::Ready && !channel.is_ended)?;
        if !calls.complete_oldest(call, payload.len() - CALL_ID) {
            return None;
        }
        self.flood.received();
        self.flood.answered();
        Some(id)
    }

    fn handle_link_frame(&mut self, frame: Option<&Frame>) -> Option<ClientEvent> {
        match frame {
            Some(Frame::Credit { call: 0, increment }) => {
                if !self.note(Overhead::Credit) {
                    return None;
                }
                if !is_increment(*increment) || !self.send_window.grant(*increment) {
                    self.fail(HOT_ROD_CREDIT_ERROR, b"credit of the connection");
                    return None;
                }
                while let Some(id) = self.scheduler.next_starved() {
                    self.schedule(id);
                }
                self.send_fragments();
                None
            }
            Some(Frame::Drain { grace_ms }) => {
                let event = ClientEvent::Draining { channel: None, grace_ms: Some(*grace_ms) };
                self.note(Overhead::Notice).then_some(event)
            }
            _ => {
                self.fail(ErrorCode::PROTOCOL_ERROR, b"a frame that is none of an endpoint's for the whole link");
                None
            }
        }
    }

    fn handle_session_frame(
        &mut self,
        stream: StreamId,
        id: ChannelId,
        frame: Frame,
    ) -> Result<Option<ClientEvent>, ErrorCode> {
        let is_node = matches!(frame, Frame::Node(_));
        if !self.note_frame(id, &frame) {
            return Ok(None);
        }
        let outcome = self.receive(id, frame);
        let Some(channel) = self.channels.get_mut(id.key) else { return Ok(None) };
        // Violations that the table lists before these are errors of `receive`.
        let is_early = channel.progress < if is_node { Progress::Open } else { Progress::Ready };
        let outcome = match outcome {
            Err(code) if code != HOT_ROD_TOO_LARGE => return Err(code),
            _ if is_early => return Err(HOT_ROD_MESSAGE_ERROR),
            _ if channel.is_ended => return Err(ErrorCode::STREAM_CLOSED),
            outcome => outcome?,
        };
        channel.progress = Progress::Ready;
        Ok(self.apply(stream, id, outcome))
    }

    /// Counts a frame against its flood budget, and a fragment against the connection's credit. Returns false if that
    /// ended the link.
    fn note_frame(&mut self, id: ChannelId, frame: &Frame) -> bool {
        match frame {
            Frame::Response(fragment) => {
                let bytes = fragment.counted();
                let is_in_order = self.count(bytes) && self.note_fragment(fragment);
                self.credit_tuner.received((id.number, fragment.call), bytes, &mut self.connection);
                is_in_order
            }
            Frame::Event(fragment) => self.note_fragment(fragment),
            Frame::Credit { .. } => self.note(Overhead::Credit),
            Frame::Drain { .. } => self.note(Overhead::Notice),
            Frame::Node(_) if self.has_node(id) => self.note(Overhead::Notice),
            _ => true,
        }
    }

    fn has_node(&self, id: ChannelId) -> bool {
        self.channels.get(id.key).is_some_and(|channel| channel.progress == Progress::Ready)
    }

    fn receive(&mut self, id: ChannelId, frame: Frame) -> Result<Outcome, ErrorCode> {
        let channel = self.channels.get_mut(id.key).and_then(|channel| channel.calls.as_mut());
        let calls = channel.ok_or(HOT_ROD_UNKNOWN_CALL)?;
        Ok(match frame {
            Frame::Response(fragment) => {
                Outcome::Received(calls.receive_response(fragment, self.credit_tuner.credit())?)
            }
            Frame::Event(fragment) => Outcome::Received(calls.receive_event(fragment)?),
            Frame::Credit { increment, .. } if !is_increment(increment) => return Err(HOT_ROD_CREDIT_ERROR),
            Frame::Credit { call, increment } => Outcome::Granted(calls.grant(call, increment)?),
            Frame::Cancel { call, code, may_have_been_applied } => {
                Outcome::Ended(calls.ended(call)?, code, may_have_been_applied)
            }
            Frame::Node(node) => Outcome::Event(ClientEvent::Node { channel: id, node }),
            Frame::Topology { cache, topology } => {
                Outcome::Event(ClientEvent::Topology { channel: id, cache, topology })
            }
            Frame::Drain { grace_ms } => {
                Outcome::Event(ClientEvent::Draining { channel: Some(id), grace_ms: Some(grace_ms) })
            }
            Frame::Request(_) => return Err(HOT_ROD_MESSAGE_ERROR),
        })
    }

    fn apply(&mut self, stream: StreamId, id: ChannelId, outcome: Outcome) -> Option<ClientEvent> {
        match outcome {
            Outcome::Event(event) => Some(event),
            Outcome::Granted(is_open) => {
                if is_open {
                    self.schedule(id);
                    self.send_fragments();
                }
                None
            }
            Outcome::Received(Received { message, grant, answered, dropped }) => {
                if let Some((call, increment)) = grant {
                    self.grant(stream, call, increment);
                }
                if let Some(message) = answered {
                    self.mark_ready(id);
                    self.flood.answered();
                    self.report_dropped(id, message, dropped);
                }
                let event = message.map(|message| ClientEvent::Message { channel: id, message });
                self.queue_after_dropped(event)
            }
            Outcome::Ended(None, ..) => {
                self.note(Overhead::Ignored);
                None
            }
            Outcome::Ended(Some(Ended { message, is_awaited, dropped }), code, may_have_been_applied) => {
                self.mark_ready(id);
                self.report_dropped(id, message, dropped);
                let event = ClientEvent::CallEnded { channel: id, message, code, may_have_been_applied };
                self.queue_after_dropped(is_awaited.then_some(event))
            }
        }
    }

    /// Reports that the unsent bytes of a closed call's request were dropped.
    fn report_dropped(&mut self, id: ChannelId, message: u64, bytes: usize) {
        if bytes > 0 {
            self.events.push_back(ClientEvent::Dequeued { channel: id, message, bytes, end: None });
        }
    }

    /// Queues an event after those already queued, and returns the next one.
    fn queue_after_dropped(&mut self, event: Option<ClientEvent>) -> Option<ClientEvent> {
        if self.events.is_empty() {
            return event;
        }
        self.events.extend(event);
        self.events.pop_front()
    }

    /// Counts received bytes against the connection's credit. Returns false if they exceed it.
    fn count(&mut self, bytes: usize) -> bool {
        if bytes == 0 {
            return true;
        }
        if !self.receive_window.receive(bytes) {
            self.fail(HOT_ROD_CREDIT_ERROR, b"more than the connection's credit");
            return false;
        }
        if let Some(increment) = self.receive_window.release(bytes) {
            self.grant(StreamId::CONNECTION, 0, increment);
        }
        true
    }

    /// Discards a frame of a closed session. Its bytes still count against the connection's credit.
    fn discard(&mut self, frame: Option<&Frame>) {
        let overhead = match frame {
            Some(Frame::Response(fragment)) => {
                if !self.count(fragment.counted()) {
                    return;
                }
                Overhead::Ignored
            }
            Some(Frame::Credit { .. }) => Overhead::Credit,
            _ => Overhead::Ignored,
        };
        self.note(overhead);
    }

    fn note_fragment(&mut self, fragment: &Fragment) -> bool {
        if fragment.is_overhead() {
            return self.note(Overhead::Empty);
        }
        if !fragment.bytes.is_empty() {
            self.flood.received();
        }
        true
    }

    /// Counts a frame against its flood budget. Returns false if the budget is exceeded.
    fn note(&mut self, overhead: Overhead) -> bool {
        match self.flood.note(overhead, self.connection.now()) {
            Ok(()) => true,
            Err(fault) => {
                self.fail(fault.code, fault.detail.as_bytes());
                false
            }
        }
    }
}
