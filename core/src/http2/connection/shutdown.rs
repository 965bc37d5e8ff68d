//! Shutdown of a connection (RFC 9113, 6.8).

use super::{Connection, Role};
use crate::http2::event::{Event, Reason};
use crate::http2::frame::{put_goaway, put_ping};
use crate::http2::{ErrorCode, StreamId};
use crate::time::Instant;

/// Payload of the PING between the two steps.
const DRAIN_PING: u64 = u64::from_be_bytes(*b"draining");

/// Progress of a graceful shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drain {
    No,
    /// The client was notified; requests in transit are still accepted.
    Announced {
        deadline: Instant,
    },
    /// No stream above this one is accepted.
    Last {
        stream: StreamId,
        /// Whether [`Event::Drained`] was reported.
        is_reported: bool,
    },
}

impl Connection {
    /// Shuts the connection down gracefully: streams continue to their end, and [`Event::Drained`] reports the last
    /// end.
    ///
    /// A server does it in two steps: GOAWAY with the highest identifier, so that the client opens no more streams;
    /// and, after the reply to a PING behind it, GOAWAY with the last received stream. No request is lost. A client
    /// sends nothing, and makes no more requests.
    pub fn drain(&mut self, now: Instant) {
        self.now = now;
        if self.is_closed || self.drain != Drain::No {
            return;
        }
        match self.role {
            Role::Client => self.drain = Drain::Last { stream: StreamId::CONNECTION, is_reported: false },
            Role::Server => {
                put_goaway(&mut self.output.buffer, StreamId::MAX, ErrorCode::NO_ERROR, b"");
                put_ping(&mut self.output.buffer, false, DRAIN_PING);
                self.drain = Drain::Announced { deadline: now + self.config.drain_timeout };
            }
        }
        self.report_if_drained();
    }

    /// Closes the connection immediately with GOAWAY; `debug` is truncated to 1,024 bytes. All streams end.
    pub fn close(&mut self, code: ErrorCode, debug: &[u8]) {
        if !self.is_closed {
            self.send_goaway(code, debug);
            self.end(Reason::Closed { code });
        }
    }

    /// Whether [`drain`](Self::drain) was called, or the peer sent GOAWAY.
    pub fn is_going_away(&self) -> bool {
        self.drain != Drain::No || self.peer_goaway.is_some()
    }

    /// Ends the connection after a violation by the peer.
    pub(super) fn fail(&mut self, code: ErrorCode, detail: &'static str) {
        if !self.is_closed {
            self.send_goaway(code, detail.as_bytes());
            self.end(Reason::Violation { code, detail });
        }
    }

    pub(super) fn send_goaway(&mut self, code: ErrorCode, debug: &[u8]) {
        let last_stream = match self.drain {
            // The identifier must not grow.
            Drain::Last { stream, .. } => stream,
            _ => self.last_stream(),
        };
        put_goaway(&mut self.output.buffer, last_stream, code, debug);
    }

    /// Ends the connection; bytes already written are still to be sent.
    pub(super) fn end(&mut self, reason: Reason) {
        if self.is_closed {
            return;
        }
        self.is_closed = true;
        self.streams.clear();
        self.ready.clear();
        self.blocked.clear();
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

    /// Second step: all requests sent before the client knew have arrived, or the timeout expired.
    pub(super) fn finish_drain(&mut self) {
        if let Drain::Announced { .. } = self.drain {
            let stream = self.last_stream();
            put_goaway(&mut self.output.buffer, stream, ErrorCode::NO_ERROR, b"");
            self.drain = Drain::Last { stream, is_reported: false };
            self.report_if_drained();
        }
    }

    /// Whether new requests are ignored, because the client knows the last accepted stream.
    pub(super) fn is_past_goaway(&self) -> bool {
        matches!(self.drain, Drain::Last { .. })
    }

    pub(super) fn report_if_drained(&mut self) {
        if let Drain::Last { is_reported, .. } = &mut self.drain
            && !*is_reported
            && self.streams.is_empty()
        {
            *is_reported = true;
            self.events.push(Event::Drained);
        }
    }
}
