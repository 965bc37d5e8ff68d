//! HTTP/2 within a tunnel.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hotrod_core::carriage::ServerLink;
use hotrod_core::http2::{ErrorCode, StreamId};
use tokio::io::{AsyncWrite, DuplexStream};

use super::tunnel::read_at_most;
use crate::budget::{INNER_PIPE, Reservation};
use crate::connection::ConnectionEnd;
use crate::pieces::Pieces;

/// Size of a read.
const CHUNK: usize = 16 << 10;

type Serving<'a> = Pin<Box<dyn Future<Output = ConnectionEnd> + Send + 'a>>;

/// Bytes to and from a link within a tunnel.
pub(super) struct InnerLink<'a> {
    stream: StreamId,
    near: DuplexStream,
    serving: Serving<'a>,
    received: Pieces,
    /// Whether the client has ended its half of the stream.
    is_finished: bool,
    is_shut: bool,
    scratch: BytesMut,
    /// Memory of both pipes.
    _memory: Reservation,
}

impl<'a> InnerLink<'a> {
    /// Starts the link: `serve` serves the far end of its pipes, for which `memory` is reserved.
    pub(super) fn new(stream: StreamId, memory: Reservation, serve: impl FnOnce(DuplexStream) -> Serving<'a>) -> Self {
        let (near, far) = tokio::io::duplex(INNER_PIPE);
        let (received, scratch) = (Pieces::default(), BytesMut::new());
        let (is_finished, is_shut) = (false, false);
        Self { stream, near, serving: serve(far), received, is_finished, is_shut, scratch, _memory: memory }
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        self.received.push(bytes);
    }

    pub(super) fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Memory in bytes, without the pipes.
    pub(super) fn memory(&mut self) -> usize {
        self.received.settle();
        self.scratch = BytesMut::new();
        self.received.memory()
    }

    /// Reads and writes while there is progress. An error has the reason of the end, which the outer link has been given.
    pub(super) fn poll(&mut self, link: &mut ServerLink, cx: &mut Context<'_>) -> Result<(), String> {
        let moved = self.move_bytes(link, cx);
        // Output of the inner link wakes this task again.
        if let Poll::Ready(ended) = self.serving.as_mut().poll(cx) {
            // Sends the last output.
            let _ = self.move_bytes(link, cx);
            link.end(self.stream, ErrorCode::NO_ERROR);
            return Err(ended.reason);
        }
        moved
    }

    fn move_bytes(&mut self, link: &mut ServerLink, cx: &mut Context<'_>) -> Result<(), String> {
        while !self.received.is_empty() {
            match self.received.poll_write_through(&mut self.near, cx) {
                Poll::Pending => break,
                Poll::Ready(Ok(count)) => link.release_bytes(self.stream, count),
                Poll::Ready(Err(error)) => {
                    link.end(self.stream, ErrorCode::CONNECT_ERROR);
                    return Err(format!("the HTTP/2 in the tunnel has ended: {error}"));
                }
            }
        }
        if self.is_finished && self.received.is_empty() && !self.is_shut {
            self.is_shut = Pin::new(&mut self.near).poll_shutdown(cx).is_ready();
        }
        loop {
            let room = link.room(self.stream).min(CHUNK);
            if room == 0 {
                return Ok(());
            }
            self.scratch.reserve(CHUNK);
            match read_at_most(&mut self.near, &mut self.scratch, room, cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => {
                    link.end(self.stream, ErrorCode::NO_ERROR);
                    return Err("the HTTP/2 in the tunnel has ended".into());
                }
                Poll::Ready(Ok(_)) => link.send_bytes(self.stream, self.scratch.split().freeze()),
                Poll::Ready(Err(error)) => {
                    link.end(self.stream, ErrorCode::CONNECT_ERROR);
                    return Err(format!("the HTTP/2 in the tunnel has ended: {error}"));
                }
            }
        }
    }
}
