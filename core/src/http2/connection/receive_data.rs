//! Receives DATA, and manages receive windows (RFC 9113, 6.1 and 6.9).

use bytes::Bytes;

use super::Connection;
use crate::http2::event::Event;
use crate::http2::fault::Fault;
use crate::http2::flow::ReceiveWindow;
use crate::http2::frame::put_window_update;
use crate::http2::stream::{Receiving, Stream};
use crate::http2::streams::{End, Known};
use crate::http2::{ErrorCode, StreamId};

impl Connection {
    /// Releases `bytes` of the DATA received on `stream`: the peer may send as many again.
    ///
    /// A WINDOW_UPDATE is sent once half of a window is released. DATA of a reset stream is released automatically,
    /// and a count above the received DATA is reduced to it.
    pub fn release(&mut self, stream: StreamId, bytes: usize) {
        if self.is_closed {
            return;
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let released = match self.streams.get_mut(stream) {
            None => self.streams.release_later(stream, bytes),
            Some(open) => {
                let released = bytes.min(open.receive_window.held());
                if let Some(increment) = open.receive_window.release(released)
                    && open.receiving != Receiving::Done
                {
                    put_window_update(&mut self.output.buffer, stream, increment);
                    self.output.mark_reply();
                }
                released
            }
        };
        self.release_to_connection(released);
    }

    pub(super) fn release_to_connection(&mut self, bytes: u32) {
        if let Some(increment) = self.receive_window.release(bytes) {
            put_window_update(&mut self.output.buffer, StreamId::CONNECTION, increment);
            self.output.mark_reply();
        }
    }

    pub(super) fn receive_data(
        &mut self,
        stream: StreamId,
        data: Bytes,
        padding: u16,
        end_stream: bool,
    ) -> Result<(), Fault> {
        let length = data.len() as u32 + u32::from(padding);
        let Some(open) = self.streams.get_mut(stream) else { return self.receive_data_of_no_stream(stream, length) };
        receive_in(&mut self.receive_window, length)?;
        if data.is_empty() && !end_stream {
            self.flood.empty(self.now)?;
        }
        if open.receive_window.receive(length).is_err() {
            self.release_to_connection(length);
            return Err(Fault::stream(stream, ErrorCode::FLOW_CONTROL_ERROR, "DATA beyond the stream's window"));
        }
        // In spite of errors from here on, the stream holds its part of the connection's window, and releases it when
        // it ends.
        count_data(stream, open, data.len(), end_stream)?;
        let is_closed = open.is_closed();
        if padding > 0 {
            self.release(stream, padding.into());
        }
        if !data.is_empty() || end_stream {
            self.events.push(Event::Data { stream, data, end_stream });
        }
        if is_closed {
            self.close_if_complete(stream);
        }
        Ok(())
    }

    /// Handles DATA on a closed or idle stream (RFC 9113, 5.1).
    fn receive_data_of_no_stream(&mut self, stream: StreamId, length: u32) -> Result<(), Fault> {
        let known = self.streams.known(stream);
        if known == Known::Idle {
            return Err(Fault::protocol("DATA on a stream that is idle"));
        }
        receive_in(&mut self.receive_window, length)?;
        self.release_to_connection(length);
        match known {
            Known::Gone(End::Complete | End::ByPeer) | Known::Skipped => {
                Err(Fault::stream(stream, ErrorCode::STREAM_CLOSED, "DATA on a stream that is closed"))
            }
            _ => self.flood.ignored(self.now),
        }
    }
}

/// Counts DATA against the connection's window.
fn receive_in(window: &mut ReceiveWindow, length: u32) -> Result<(), Fault> {
    let beyond = |_| Fault::connection(ErrorCode::FLOW_CONTROL_ERROR, "DATA beyond the connection's window");
    window.receive(length).map_err(beyond)
}

/// Counts DATA against the stream's windows and content length.
fn count_data(id: StreamId, stream: &mut Stream, content: usize, end_stream: bool) -> Result<(), Fault> {
    match stream.receiving {
        Receiving::Done => return Err(Fault::stream(id, ErrorCode::STREAM_CLOSED, "DATA after the stream's end")),
        Receiving::Head => return Err(Fault::malformed(id, "DATA before a response")),
        Receiving::Body => {}
    }
    if !stream.count_content(content) {
        return Err(Fault::malformed(id, "more DATA than content-length says"));
    }
    if end_stream {
        if !stream.content_is_complete() {
            return Err(Fault::malformed(id, "less DATA than content-length says"));
        }
        stream.receiving = Receiving::Done;
    }
    Ok(())
}
