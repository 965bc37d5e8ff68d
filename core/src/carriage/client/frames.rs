//! Handling of Hot Rod frames from an endpoint.

use bytes::Bytes;

use super::{ChannelId, ClientLink, Progress};
use crate::carriage::calls::{Brought, Ended};
use crate::carriage::credit::is_increment;
use crate::carriage::event::ClientEvent;
use crate::carriage::flood::Idle;
use crate::carriage::frame::{CALL_ID, Fragment, Frame, Malformed};
use crate::carriage::registry::{
    HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, HOT_ROD_UNKNOWN_CALL, flag, frame_type,
};
use crate::http2::{ErrorCode, Place, StreamId};

/// Flags of a message in one frame.
const WHOLE: u8 = flag::FIRST | flag::FIN;

/// Effect of a frame on its session.
enum News {
    Brought(Brought),
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
        let taken = match frame {
            Ok(frame) => self.handle_session_frame(stream, id, frame),
            Err(_) => Err(HOT_ROD_MESSAGE_ERROR),
        };
        taken.unwrap_or_else(|code| self.violated(stream, code))
    }

    /// Fast path for the most frequent frame: the whole response to the oldest call. Returns its session; `None` if
    /// another case applies, which `handle_frame` handles rule by rule.
    pub(super) fn whole_answer(&mut self, stream: StreamId, kind: u8, flags: u8, payload: &[u8]) -> Option<ChannelId> {
        let is_whole = kind == frame_type::RESPONSE && flags & WHOLE == WHOLE && payload.len() > CALL_ID;
        if !is_whole || !self.events.is_empty() {
            return None;
        }
        let call = u32::from_be_bytes(*payload.first_chunk()?);
        let id = *self.streams.get(stream)?;
        let channel = self.channels.get_mut(id.key)?;
        let calls = channel.calls.as_mut().filter(|_| channel.progress == Progress::Ready && !channel.is_ended)?;
        if !calls.answer_oldest(call, payload.len() - CALL_ID) {
            return None;
        }
        self.flood.received();
        self.flood.answered();
        Some(id)
    }

    fn handle_link_frame(&mut self, frame: Option<&Frame>) -> Option<ClientEvent> {
        match frame {
            Some(Frame::Credit { call: 0, increment }) => {
                if !self.note(Idle::Credit) {
                    return None;
                }
                if !is_increment(*increment) || !self.allowance.grant(*increment) {
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
                self.note(Idle::News).then_some(event)
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
        let news = self.take(id, frame);
        let Some(channel) = self.channels.get_mut(id.key) else { return Ok(None) };
        // Violations that the table lists before these are errors of `take`.
        let is_early = channel.progress < if is_node { Progress::Open } else { Progress::Ready };
        let news = match news {
            Err(code) if code != HOT_ROD_TOO_LARGE => return Err(code),
            _ if is_early => return Err(HOT_ROD_MESSAGE_ERROR),
            _ if channel.is_ended => return Err(ErrorCode::STREAM_CLOSED),
            news => news?,
        };
        channel.progress = Progress::Ready;
        Ok(self.tell(stream, id, news))
    }

    /// Counts a frame against its flood budget, and a fragment against the connection's credit. Returns false if that
    /// ended the link.
    fn note_frame(&mut self, id: ChannelId, frame: &Frame) -> bool {
        match frame {
            Frame::Response(fragment) => {
                let octets = fragment.counted();
                let is_in_order = self.count(octets) && self.note_fragment(fragment);
                self.reach.received((id.number, fragment.call), octets, &mut self.connection);
                is_in_order
            }
            Frame::Event(fragment) => self.note_fragment(fragment),
            Frame::Credit { .. } => self.note(Idle::Credit),
            Frame::Drain { .. } => self.note(Idle::News),
            Frame::Node(_) if self.has_node(id) => self.note(Idle::News),
            _ => true,
        }
    }

    fn has_node(&self, id: ChannelId) -> bool {
        self.channels.get(id.key).is_some_and(|channel| channel.progress == Progress::Ready)
    }

    fn take(&mut self, id: ChannelId, frame: Frame) -> Result<News, ErrorCode> {
        let channel = self.channels.get_mut(id.key).and_then(|channel| channel.calls.as_mut());
        let calls = channel.ok_or(HOT_ROD_UNKNOWN_CALL)?;
        Ok(match frame {
            Frame::Response(fragment) => News::Brought(calls.answer(fragment, self.reach.credit())?),
            Frame::Event(fragment) => News::Brought(calls.event(fragment)?),
            Frame::Credit { increment, .. } if !is_increment(increment) => return Err(HOT_ROD_CREDIT_ERROR),
            Frame::Credit { call, increment } => News::Granted(calls.grant(call, increment)?),
            Frame::Cancel { call, code, may_have_been_applied } => {
                News::Ended(calls.ended(call)?, code, may_have_been_applied)
            }
            Frame::Node(node) => News::Event(ClientEvent::Node { channel: id, node }),
            Frame::Topology { cache, topology } => News::Event(ClientEvent::Topology { channel: id, cache, topology }),
            Frame::Drain { grace_ms } => {
                News::Event(ClientEvent::Draining { channel: Some(id), grace_ms: Some(grace_ms) })
            }
            Frame::Request(_) => return Err(HOT_ROD_MESSAGE_ERROR),
        })
    }

    fn tell(&mut self, stream: StreamId, id: ChannelId, news: News) -> Option<ClientEvent> {
        match news {
            News::Event(event) => Some(event),
            News::Granted(is_open) => {
                if is_open {
                    self.schedule(id);
                    self.send_fragments();
                }
                None
            }
            News::Brought(Brought { message, grant, answered, dropped }) => {
                if let Some((call, increment)) = grant {
                    self.grant(stream, call, increment);
                }
                if let Some(message) = answered {
                    self.list(id);
                    self.flood.answered();
                    self.tell_dropped(id, message, dropped);
                }
                let event = message.map(|message| ClientEvent::Message { channel: id, message });
                self.behind_dropped(event)
            }
            News::Ended(None, ..) => {
                self.note(Idle::Ignored);
                None
            }
            News::Ended(Some(Ended { message, is_awaited, dropped }), code, may_have_been_applied) => {
                self.list(id);
                self.tell_dropped(id, message, dropped);
                let event = ClientEvent::CallEnded { channel: id, message, code, may_have_been_applied };
                self.behind_dropped(is_awaited.then_some(event))
            }
        }
    }

    /// Reports that the unsent bytes of a closed call's request were dropped.
    fn tell_dropped(&mut self, id: ChannelId, message: u64, octets: usize) {
        if octets > 0 {
            self.events.push_back(ClientEvent::Went { channel: id, message, octets, end: None });
        }
    }

    /// Queues an event after those already queued, and returns the next one.
    fn behind_dropped(&mut self, event: Option<ClientEvent>) -> Option<ClientEvent> {
        if self.events.is_empty() {
            return event;
        }
        self.events.extend(event);
        self.events.pop_front()
    }

    /// Counts received bytes against the connection's credit. Returns false if they exceed it.
    fn count(&mut self, octets: usize) -> bool {
        if octets == 0 {
            return true;
        }
        if !self.window.receive(octets) {
            self.fail(HOT_ROD_CREDIT_ERROR, b"more than the connection's credit");
            return false;
        }
        if let Some(increment) = self.window.release(octets) {
            self.grant(StreamId::CONNECTION, 0, increment);
        }
        true
    }

    /// Discards a frame of a closed session. Its bytes still count against the connection's credit.
    fn discard(&mut self, frame: Option<&Frame>) {
        let idle = match frame {
            Some(Frame::Response(fragment)) => {
                if !self.count(fragment.counted()) {
                    return;
                }
                Idle::Ignored
            }
            Some(Frame::Credit { .. }) => Idle::Credit,
            _ => Idle::Ignored,
        };
        self.note(idle);
    }

    fn note_fragment(&mut self, fragment: &Fragment) -> bool {
        if fragment.is_idle() {
            return self.note(Idle::Empty);
        }
        if !fragment.bytes.is_empty() {
            self.flood.received();
        }
        true
    }

    /// Counts a frame against its flood budget. Returns false if the budget is exceeded.
    fn note(&mut self, idle: Idle) -> bool {
        match self.flood.note(idle, self.connection.now()) {
            Ok(()) => true,
            Err(fault) => {
                self.fail(fault.code, fault.detail.as_bytes());
                false
            }
        }
    }
}
