//! The end of a connection (RFC 9113, 6.8).

use super::{Connection, Role};
use crate::http2::event::{Event, Reason};
use crate::http2::frame::{put_goaway, put_ping};
use crate::http2::{ErrorCode, StreamId};
use crate::time::Instant;

/// The eight octets of the PING between the two steps.
const DRAIN_PING: u64 = u64::from_be_bytes(*b"draining");

/// How far a graceful end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drain {
    No,
    /// The client was told that an end is coming, and requests on their way are still accepted.
    Announced {
        deadline: Instant,
    },
    /// No stream above this one is accepted.
    Last {
        stream: StreamId,
        /// Whether [`Event::Drained`] was told.
        is_told: bool,
    },
}

impl Connection {
    /// Ends the connection gracefully: streams go on to their end, and [`Event::Drained`] says that none is left.
    ///
    /// A server does it in two steps: GOAWAY with the highest identifier there is, so that the client opens no more
    /// streams; and, when a PING behind it was answered, GOAWAY with the last stream that has come. No request is lost.
    /// A client has nothing to tell: it makes no more requests.
    pub fn drain(&mut self, now: Instant) {
        self.now = now;
        if self.is_closed || self.drain != Drain::No {
            return;
        }
        match self.role {
            Role::Client => self.drain = Drain::Last { stream: StreamId::CONNECTION, is_told: false },
            Role::Server => {
                put_goaway(&mut self.output.buffer, StreamId::MAX, ErrorCode::NO_ERROR, b"");
                put_ping(&mut self.output.buffer, false, DRAIN_PING);
                self.drain = Drain::Announced { deadline: now + self.config.drain_timeout };
            }
        }
        self.note_if_drained();
    }

    /// Ends the connection now, with GOAWAY; `debug` is for people, and cut to 1,024 octets. Every stream is over.
    pub fn close(&mut self, code: ErrorCode, debug: &[u8]) {
        if !self.is_closed {
            self.say_goodbye(code, debug);
            self.end(Reason::Closed { code });
        }
    }

    /// Whether [`drain`](Self::drain) was called, or the peer has said GOAWAY.
    pub fn is_going_away(&self) -> bool {
        self.drain != Drain::No || self.peer_goaway.is_some()
    }

    /// The peer broke the protocol.
    pub(super) fn fail(&mut self, code: ErrorCode, what: &'static str) {
        if !self.is_closed {
            self.say_goodbye(code, what.as_bytes());
            self.end(Reason::Violation { code, what });
        }
    }

    pub(super) fn say_goodbye(&mut self, code: ErrorCode, debug: &[u8]) {
        let last_stream = match self.drain {
            // It must not grow.
            Drain::Last { stream, .. } => stream,
            _ => self.last_stream(),
        };
        put_goaway(&mut self.output.buffer, last_stream, code, debug);
    }

    /// The connection is over; what was written before waits to be sent.
    pub(super) fn end(&mut self, reason: Reason) {
        if self.is_closed {
            return;
        }
        self.is_closed = true;
        self.streams.clear();
        self.ready.clear();
        self.starved.clear();
        self.queued = 0;
        self.block = None;
        self.decoder.clear();
        self.events.push(Event::Closed(reason));
    }

    pub(super) fn drain_deadline(&self) -> Option<Instant> {
        match self.drain {
            Drain::Announced { deadline } => Some(deadline),
            _ => None,
        }
    }

    pub(super) fn drain_answered(&mut self, opaque: u64) {
        if opaque == DRAIN_PING {
            self.finish_drain();
        }
    }

    /// The second step: all requests that the client made before it knew have come, or it has had its time.
    pub(super) fn finish_drain(&mut self) {
        if let Drain::Announced { .. } = self.drain {
            let stream = self.last_stream();
            put_goaway(&mut self.output.buffer, stream, ErrorCode::NO_ERROR, b"");
            self.drain = Drain::Last { stream, is_told: false };
            self.note_if_drained();
        }
    }

    /// Whether requests come too late: the client was told that they are not looked at.
    pub(super) fn is_past_goaway(&self) -> bool {
        matches!(self.drain, Drain::Last { .. })
    }

    pub(super) fn note_if_drained(&mut self) {
        if let Drain::Last { is_told, .. } = &mut self.drain
            && !*is_told
            && self.streams.is_empty()
        {
            *is_told = true;
            self.events.push(Event::Drained);
        }
    }
}
