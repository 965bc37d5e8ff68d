//! Handling of Hot Rod frames from a client.

use bytes::Bytes;

use super::{ServerEvent, ServerLink};
use crate::carriage::credit::is_increment;
use crate::carriage::endpoint_session::{Admission, Cancellation};
use crate::carriage::flood::Overhead;
use crate::carriage::frame::{Fragment, Frame, Malformed};
use crate::carriage::registry::{
    HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, HOT_ROD_TOO_MANY_CALLS, frame_type,
};
use crate::http2::{ErrorCode, Place, StreamId};
use crate::wire::Limits;

/// Frame types that a client sends on a session (spec/hotrod-over-http.md, section 5.1).
const CLIENT_FRAMES: [u8; 3] = [frame_type::REQUEST, frame_type::CREDIT, frame_type::CANCEL];

/// Status of a frame's stream.
enum StreamStatus {
    /// A session; the field says whether its client has sent END_STREAM.
    Session { is_after_end: bool },
    /// A closed stream or session.
    Closed,
    /// A stream without Hot Rod frames.
    Foreign,
}

impl ServerLink {
    /// Handles a frame; `stray` is set if its stream is not open in both directions. Violations are checked in the
    /// order of the specification's table (section 15).
    pub(super) fn handle_frame(
        &mut self,
        stream: StreamId,
        stray: Option<Place>,
        kind: u8,
        flags: u8,
        payload: Bytes,
    ) -> Option<ServerEvent> {
        // Clients send no topologies, so the limits do not matter.
        let frame = Frame::parse(kind, flags, payload, &Limits::default())?;
        if let Err(Malformed::Size) = frame {
            self.fail(ErrorCode::FRAME_SIZE_ERROR, b"a Hot Rod frame of a size that it can't have");
            return None;
        }
        if stream == StreamId::CONNECTION {
            self.handle_link_frame(frame.ok().as_ref());
            return None;
        }
        let is_after_end = match self.stream_status(stream, stray) {
            StreamStatus::Session { is_after_end } => is_after_end,
            StreamStatus::Closed => {
                self.discard(frame.ok().as_ref());
                return None;
            }
            StreamStatus::Foreign => {
                self.fail(ErrorCode::PROTOCOL_ERROR, b"a Hot Rod frame on a stream that is no session");
                return None;
            }
        };
        let Some(frame) = frame.ok().filter(|_| CLIENT_FRAMES.contains(&kind)) else {
            self.fail(ErrorCode::PROTOCOL_ERROR, b"a Hot Rod frame that is not a client's to send");
            return None;
        };
        match self.handle_session_frame(stream, frame, is_after_end) {
            Ok(event) => event,
            Err(code) => self.violated(stream, code),
        }
    }

    fn stream_status(&self, stream: StreamId, stray: Option<Place>) -> StreamStatus {
        match (stray, self.sessions.get(stream)) {
            (Some(Place::Closed), _) => StreamStatus::Closed,
            (None | Some(Place::Ended), Some(session)) if session.is_framed() => {
                StreamStatus::Session { is_after_end: stray == Some(Place::Ended) }
            }
            // Frames of a closed session may still be in flight.
            (None | Some(Place::Ended), None) if self.connection.is_marked(stream).unwrap_or(true) => {
                StreamStatus::Closed
            }
            _ => StreamStatus::Foreign,
        }
    }

    fn handle_link_frame(&mut self, frame: Option<&Frame>) {
        match frame {
            Some(Frame::Credit { call: 0, increment }) => {
                if !self.note(Overhead::Credit) {
                    return;
                }
                if !is_increment(*increment) || !self.send_window.grant(*increment) {
                    return self.fail(HOT_ROD_CREDIT_ERROR, b"credit of the connection");
                }
                while let Some(stream) = self.scheduler.next_starved() {
                    self.schedule(stream);
                }
                self.send_fragments();
            }
            _ => self.fail(ErrorCode::PROTOCOL_ERROR, b"a frame that is none of a client's for the whole link"),
        }
    }

    fn handle_session_frame(
        &mut self,
        stream: StreamId,
        frame: Frame,
        is_after_end: bool,
    ) -> Result<Option<ServerEvent>, ErrorCode> {
        match frame {
            Frame::Request(fragment) => self.handle_request_fragment(stream, fragment, is_after_end),
            Frame::Credit { call, increment } => {
                if !self.note(Overhead::Credit) {
                    return Ok(None);
                }
                if !is_increment(increment) {
                    return Err(HOT_ROD_CREDIT_ERROR);
                }
                let Some(session) = self.sessions.get_mut(stream) else { return Ok(None) };
                if session.grant(call, increment)? {
                    self.schedule(stream);
                    self.send_fragments();
                }
                Ok(None)
            }
            Frame::Cancel { call, .. } => self.handle_cancel(stream, call),
            _ => Err(HOT_ROD_MESSAGE_ERROR),
        }
    }

    fn handle_request_fragment(
        &mut self,
        stream: StreamId,
        fragment: Fragment,
        is_after_end: bool,
    ) -> Result<Option<ServerEvent>, ErrorCode> {
        if !self.count(&fragment) || !self.note_fragment(&fragment) {
            return Ok(None);
        }
        let now = self.connection.now();
        let Some(session) = self.sessions.get_mut(stream) else { return Ok(None) };
        let call = fragment.call;
        let (overhead, code) = match session.admit(now, &fragment, is_after_end) {
            Ok(Admission::Accepted) => return Ok(Some(ServerEvent::Request { stream, fragment })),
            Ok(Admission::Late) => (Overhead::Ignored, None),
            Ok(Admission::TooMany) => (Overhead::Refused, Some(HOT_ROD_TOO_MANY_CALLS)),
            Ok(Admission::TooLarge) => (Overhead::Refused, Some(HOT_ROD_TOO_LARGE)),
            Ok(Admission::GrewTooLarge) => {
                self.release_connection_credit(fragment.counted());
                return Ok(Some(ServerEvent::Cancelled { stream, call, code: HOT_ROD_TOO_LARGE }));
            }
            Err(code) => {
                self.release_connection_credit(fragment.counted());
                return Err(code);
            }
        };
        self.release_connection_credit(fragment.counted());
        if let (true, Some(code)) = (self.note(overhead), code) {
            self.put_numbers(stream, (frame_type::CANCEL, 0, [call, code.0]));
        }
        Ok(None)
    }

    fn handle_cancel(&mut self, stream: StreamId, call: u32) -> Result<Option<ServerEvent>, ErrorCode> {
        let now = self.connection.now();
        let Some(session) = self.sessions.get_mut(stream) else { return Ok(None) };
        let cancellation = session.cancel(now, call)?;
        let is_allowed = match cancellation {
            Cancellation::Late => self.note(Overhead::Ignored),
            Cancellation::Answered { is_early } | Cancellation::Pending { is_early } => {
                !is_early || self.note(Overhead::Cancelled)
            }
        };
        match cancellation {
            Cancellation::Pending { .. } if is_allowed => {
                return Ok(Some(ServerEvent::Cancelled { stream, call, code: ErrorCode::CANCEL }));
            }
            Cancellation::Answered { .. } => self.end_call(stream, call, ErrorCode::CANCEL, true),
            _ => {}
        }
        Ok(None)
    }

    /// Discards a frame of a closed session. Its bytes still count against the connection's credit.
    fn discard(&mut self, frame: Option<&Frame>) {
        let overhead = match frame {
            Some(Frame::Request(fragment)) => {
                if !self.count(fragment) {
                    return;
                }
                self.release_connection_credit(fragment.counted());
                Overhead::Ignored
            }
            Some(Frame::Credit { .. }) => Overhead::Credit,
            _ => Overhead::Ignored,
        };
        self.note(overhead);
    }

    /// Counts a fragment against the connection's credit.
    fn count(&mut self, fragment: &Fragment) -> bool {
        if self.receive_window.receive(fragment.counted()) {
            return true;
        }
        self.fail(HOT_ROD_CREDIT_ERROR, b"more than the connection's credit");
        false
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
