//! Handling of Hot Rod frames from a client.

use bytes::Bytes;

use super::{ServerEvent, ServerLink};
use crate::carriage::credit::is_increment;
use crate::carriage::flood::Idle;
use crate::carriage::frame::{Fragment, Frame, Malformed};
use crate::carriage::registry::{
    HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_TOO_LARGE, HOT_ROD_TOO_MANY_CALLS, frame_type,
};
use crate::carriage::served::{GivenUp, Taken};
use crate::http2::{ErrorCode, Place, StreamId};
use crate::wire::Limits;

/// Frame types that a client sends on a session (spec/hotrod-over-http.md, section 5.1).
const OF_CLIENTS: [u8; 3] = [frame_type::REQUEST, frame_type::CREDIT, frame_type::CANCEL];

/// Status of a frame's stream.
enum Standing {
    /// A session; the field says whether its client has sent END_STREAM.
    Session { is_behind_end: bool },
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
        let is_behind_end = match self.standing(stream, stray) {
            Standing::Session { is_behind_end } => is_behind_end,
            Standing::Closed => {
                self.discard(frame.ok().as_ref());
                return None;
            }
            Standing::Foreign => {
                self.fail(ErrorCode::PROTOCOL_ERROR, b"a Hot Rod frame on a stream that is no session");
                return None;
            }
        };
        let Some(frame) = frame.ok().filter(|_| OF_CLIENTS.contains(&kind)) else {
            self.fail(ErrorCode::PROTOCOL_ERROR, b"a Hot Rod frame that is not a client's to send");
            return None;
        };
        match self.handle_session_frame(stream, frame, is_behind_end) {
            Ok(event) => event,
            Err(code) => self.violated(stream, code),
        }
    }

    fn standing(&self, stream: StreamId, stray: Option<Place>) -> Standing {
        match (stray, self.sessions.get(stream)) {
            (Some(Place::Closed), _) => Standing::Closed,
            (None | Some(Place::Ended), Some(session)) if session.is_framed() => {
                Standing::Session { is_behind_end: stray == Some(Place::Ended) }
            }
            // Frames of a closed session may still be in flight.
            (None | Some(Place::Ended), None) if self.connection.is_marked(stream).unwrap_or(true) => Standing::Closed,
            _ => Standing::Foreign,
        }
    }

    fn handle_link_frame(&mut self, frame: Option<&Frame>) {
        match frame {
            Some(Frame::Credit { call: 0, increment }) => {
                if !self.note(Idle::Credit) {
                    return;
                }
                if !is_increment(*increment) || !self.allowance.grant(*increment) {
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
        is_behind_end: bool,
    ) -> Result<Option<ServerEvent>, ErrorCode> {
        match frame {
            Frame::Request(fragment) => self.handle_request_fragment(stream, fragment, is_behind_end),
            Frame::Credit { call, increment } => {
                if !self.note(Idle::Credit) {
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
        is_behind_end: bool,
    ) -> Result<Option<ServerEvent>, ErrorCode> {
        if !self.count(&fragment) || !self.note_fragment(&fragment) {
            return Ok(None);
        }
        let now = self.connection.now();
        let Some(session) = self.sessions.get_mut(stream) else { return Ok(None) };
        let call = fragment.call;
        let (idle, code) = match session.take(now, &fragment, is_behind_end) {
            Ok(Taken::Accepted) => return Ok(Some(ServerEvent::Request { stream, fragment })),
            Ok(Taken::Late) => (Idle::Ignored, None),
            Ok(Taken::TooMany) => (Idle::Refused, Some(HOT_ROD_TOO_MANY_CALLS)),
            Ok(Taken::TooLarge) => (Idle::Refused, Some(HOT_ROD_TOO_LARGE)),
            Ok(Taken::GrewTooLarge) => {
                self.give_back(fragment.counted());
                return Ok(Some(ServerEvent::Cancelled { stream, call, code: HOT_ROD_TOO_LARGE }));
            }
            Err(code) => {
                self.give_back(fragment.counted());
                return Err(code);
            }
        };
        self.give_back(fragment.counted());
        if let (true, Some(code)) = (self.note(idle), code) {
            self.put_numbers(stream, (frame_type::CANCEL, 0, [call, code.0]));
        }
        Ok(None)
    }

    fn handle_cancel(&mut self, stream: StreamId, call: u32) -> Result<Option<ServerEvent>, ErrorCode> {
        let now = self.connection.now();
        let Some(session) = self.sessions.get_mut(stream) else { return Ok(None) };
        let given_up = session.give_up(now, call)?;
        let is_allowed = match given_up {
            GivenUp::Late => self.note(Idle::Ignored),
            GivenUp::Answered { at_once } | GivenUp::Asked { at_once } => !at_once || self.note(Idle::Cancelled),
        };
        match given_up {
            GivenUp::Asked { .. } if is_allowed => {
                return Ok(Some(ServerEvent::Cancelled { stream, call, code: ErrorCode::CANCEL }));
            }
            GivenUp::Answered { .. } => self.end_call(stream, call, ErrorCode::CANCEL, true),
            _ => {}
        }
        Ok(None)
    }

    /// Discards a frame of a closed session. Its bytes still count against the connection's credit.
    fn discard(&mut self, frame: Option<&Frame>) {
        let idle = match frame {
            Some(Frame::Request(fragment)) => {
                if !self.count(fragment) {
                    return;
                }
                self.give_back(fragment.counted());
                Idle::Ignored
            }
            Some(Frame::Credit { .. }) => Idle::Credit,
            _ => Idle::Ignored,
        };
        self.note(idle);
    }

    /// Counts a fragment against the connection's credit.
    fn count(&mut self, fragment: &Fragment) -> bool {
        if self.window.receive(fragment.counted()) {
            return true;
        }
        self.fail(HOT_ROD_CREDIT_ERROR, b"more than the connection's credit");
        false
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
