//! RST_STREAM, PING, GOAWAY and WINDOW_UPDATE.

use alloc::vec::Vec;

use bytes::Bytes;

use super::{Connection, Role};
use crate::http2::event::Event;
use crate::http2::fault::Fault;
use crate::http2::frame::put_ping;
use crate::http2::streams::{End, Known};
use crate::http2::{ErrorCode, StreamId};

impl Connection {
    /// Handles RST_STREAM (RFC 9113, 6.4).
    pub(super) fn receive_rst_stream(&mut self, stream: StreamId, code: ErrorCode) -> Result<(), Fault> {
        match self.streams.known(stream) {
            Known::Idle => return Err(Fault::protocol("RST_STREAM on a stream that is idle")),
            Known::Open => {}
            _ => return self.flood.ignored(self.now),
        }
        if self.role == Role::Server {
            // Counts resets on servers only: a client limits its streams by its own requests, a server's streams cost
            // the client nothing.
            self.flood.reset(self.now)?;
        }
        self.drop_stream(stream, End::ByPeer);
        self.events.push(Event::Reset { stream, code, by_peer: true });
        self.report_if_drained();
        Ok(())
    }

    /// Handles PING (RFC 9113, 6.7).
    pub(super) fn receive_ping(&mut self, ack: bool, opaque: u64) -> Result<(), Fault> {
        self.flood.ping(self.now)?;
        if ack {
            self.liveness.ping_answered(self.now, opaque);
            self.drain_answered(opaque);
        } else {
            put_ping(&mut self.output.buffer, true, opaque);
            self.output.mark_reply();
        }
        Ok(())
    }

    /// Handles GOAWAY (RFC 9113, 6.8).
    pub(super) fn receive_goaway(&mut self, last_stream: StreamId, code: ErrorCode, debug: Bytes) -> Result<(), Fault> {
        self.flood.settings(self.now)?;
        if self.peer_goaway.is_some_and(|before| last_stream > before) {
            return Err(Fault::protocol("GOAWAY with a higher stream than before"));
        }
        self.peer_goaway = Some(last_stream);
        self.events.push(Event::GoAway { last_stream, code, debug });
        if self.role == Role::Client {
            self.refuse_above(last_stream);
        }
        Ok(())
    }

    /// Resets the streams that the peer did not process.
    fn refuse_above(&mut self, last_stream: StreamId) {
        let refused: Vec<_> = self.streams.iter().map(|(id, _)| id).filter(|id| *id > last_stream).collect();
        for stream in refused {
            self.drop_stream(stream, End::ByPeer);
            self.events.push(Event::Reset { stream, code: ErrorCode::REFUSED_STREAM, by_peer: true });
        }
        self.report_if_drained();
    }

    /// Handles WINDOW_UPDATE (RFC 9113, 6.9).
    pub(super) fn receive_window_update(&mut self, stream: StreamId, increment: u32) -> Result<(), Fault> {
        self.flood.window_update(self.now)?;
        if stream.is_connection() {
            self.send_window.change(increment.into()).map_err(|_| {
                Fault::connection(ErrorCode::FLOW_CONTROL_ERROR, "the connection's window is larger than 2^31-1")
            })?;
            self.requeue_blocked();
            return Ok(());
        }
        let Some(open) = self.streams.get_mut(stream) else {
            return match self.streams.known(stream) {
                Known::Idle => Err(Fault::protocol("WINDOW_UPDATE on a stream that is idle")),
                _ => Ok(()),
            };
        };
        open.send_window.change(increment.into()).map_err(|_| {
            Fault::stream(stream, ErrorCode::FLOW_CONTROL_ERROR, "the stream's window is larger than 2^31-1")
        })?;
        self.queue(stream);
        Ok(())
    }
}
