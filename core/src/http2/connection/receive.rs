//! Decodes received bytes into frames, and dispatches the frames.

use super::{Connection, PREFACE};
use crate::http2::event::Event;
use crate::http2::fault::Fault;
use crate::http2::frame::{Frame, FrameError, put_rst_stream};
use crate::http2::streams::{End, Known};
use crate::http2::{ErrorCode, StreamId};

impl Connection {
    pub(super) fn decode(&mut self) {
        if !self.take_preface() {
            return;
        }
        while !self.is_closed && self.has_room_for_events() {
            if self.take_extension() {
                // Extension frames change no other state and cause no output.
                continue;
            }
            let Some(frame) = self.decoder.poll() else { break };
            if let Err(fault) = self.receive(frame) {
                self.handle_fault(fault);
            }
            if self.output.pending_replies() > self.config.max_pending_replies {
                self.fail(ErrorCode::ENHANCE_YOUR_CALM, "it has us answer, and does not read");
            }
            // Schedules after each frame, so that the output does not depend on the chunking of the input.
            if !self.ready.is_empty() {
                self.schedule();
            }
        }
    }

    /// Reads the client's preface (RFC 9113, 3.4). Returns whether frames can be read.
    fn take_preface(&mut self) -> bool {
        if self.awaits_preface {
            match self.decoder.take_prefix(PREFACE) {
                Some(true) => self.awaits_preface = false,
                Some(false) => self.fail(ErrorCode::PROTOCOL_ERROR, "the connection preface is not HTTP/2's"),
                None => {}
            }
        }
        !self.awaits_preface
    }

    fn receive(&mut self, frame: Result<Frame, FrameError>) -> Result<(), Fault> {
        if let Err(FrameError { stream: None, .. }) = &frame {
            return frame.map(|_| ()).map_err(Fault::from);
        }
        if !self.has_peer_settings && !matches!(frame, Ok(Frame::Settings(_))) {
            return Err(Fault::protocol("its first frame is not SETTINGS"));
        }
        if self.block.is_some() && !matches!(frame, Ok(Frame::Continuation { .. })) {
            return Err(Fault::protocol("a frame in the midst of a field block"));
        }
        match frame? {
            Frame::Data { stream, data, padding, end_stream } => self.receive_data(stream, data, padding, end_stream),
            Frame::Headers { stream, priority, fragment, end_stream, end_headers } => {
                let depends_on_itself = priority.is_some_and(|priority| priority.dependency == stream);
                self.receive_headers(stream, fragment, end_stream, end_headers, depends_on_itself)
            }
            Frame::Continuation { stream, fragment, end_headers } => {
                self.receive_continuation(stream, &fragment, end_headers)
            }
            Frame::Priority { .. } => self.flood.ignored(self.now),
            Frame::RstStream { stream, code } => self.receive_rst_stream(stream, code),
            Frame::Settings(settings) => self.receive_settings(&settings),
            Frame::SettingsAck => self.receive_settings_ack(),
            Frame::PushPromise { .. } => Err(Fault::protocol("PUSH_PROMISE, and push is not enabled")),
            Frame::Ping { ack, opaque } => self.receive_ping(ack, opaque),
            Frame::GoAway { last_stream, code, debug } => self.receive_goaway(last_stream, code, debug),
            Frame::WindowUpdate { stream, increment } => self.receive_window_update(stream, increment),
            Frame::Extension { stream, kind, flags, payload } => self.receive_extension(stream, kind, flags, payload),
        }
    }

    fn handle_fault(&mut self, fault: Fault) {
        let outcome = match fault.stream {
            None => Err(fault),
            Some(stream) => self.reset_faulty(stream, fault),
        };
        if let Err(Fault { code, detail, .. }) = outcome {
            self.fail(code, detail);
        }
    }

    /// Resets a stream after a stream error (RFC 9113, 5.4.2).
    fn reset_faulty(&mut self, stream: StreamId, fault: Fault) -> Result<(), Fault> {
        if self.streams.known(stream) == Known::Idle {
            // RST_STREAM is not allowed on an idle stream (RFC 9113, 6.4).
            return Err(Fault::connection(fault.code, fault.detail));
        }
        self.flood.reset(self.now)?;
        put_rst_stream(&mut self.output.buffer, stream, fault.code);
        self.output.mark_reply();
        if self.drop_stream(stream, End::ByUs) {
            self.events.push(Event::Reset { stream, code: fault.code, by_peer: false });
        }
        self.report_if_drained();
        Ok(())
    }

    /// Removes a stream and its queue, and releases its part of the connection's window. Returns whether the stream
    /// existed.
    pub(super) fn drop_stream(&mut self, id: StreamId, end: End) -> bool {
        let Some(stream) = self.streams.remove(id, end) else { return false };
        self.dequeue(id, stream.schedule);
        self.queued -= stream.queued;
        self.release_to_connection(stream.receive_window.held());
        self.report_if_writable(id, stream.queued);
        true
    }

    /// Closes a stream that has ended in both directions.
    pub(super) fn close_if_complete(&mut self, id: StreamId) {
        if self.streams.get(id).is_some_and(crate::http2::stream::Stream::is_closed) {
            self.streams.remove(id, End::Complete);
            self.report_if_drained();
        }
    }
}
