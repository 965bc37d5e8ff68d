//! Moves bytes between the socket, the HTTP/2 machine and the sessions.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Instant as Clock;
use tokio_util::io::poll_read_buf;

use super::{MAX_UNSENT, Server};
use crate::http::Link;
use crate::http::session::Outcome;
use crate::pieces::poll_write_slices;

/// Reads and writes of one poll before other tasks are polled.
const MOVES_PER_POLL: usize = 16;

impl Server<'_> {
    /// Reads and writes while there is progress. Ready with the reason of the end, or with `None` when timeouts have changed.
    pub(super) fn poll(&mut self, stream: &mut impl Link, cx: &mut Context<'_>) -> Poll<Option<String>> {
        let was_starved = self.is_starved;
        for _ in 0..MOVES_PER_POLL {
            self.is_starved = !self.budget.has_room();
            let read = match self.read(stream, cx) {
                Ok(read) => read,
                Err(reason) => return Poll::Ready(Some(reason)),
            };
            self.handle_events();
            self.poll_sessions(cx);
            self.handle_events();
            let written = match self.write(stream, cx) {
                Ok(written) => written,
                Err(error) => return Poll::Ready(Some(format!("the client's link failed: {error}"))),
            };
            if (self.machine.transmit().is_empty() || self.ends_at_once)
                && let Some(reason) = self.end_reason.take()
            {
                // An error shows that the client has closed the link.
                let _ = Pin::new(&mut *stream).poll_shutdown(cx);
                return Poll::Ready(Some(reason));
            }
            if read || written {
                self.moved_at = Clock::now();
                continue;
            }
            let unsent = self.machine.transmit().len();
            self.update_memory();
            let has_room_again = self.is_starved && self.budget.has_room();
            if !has_room_again && self.machine.transmit().len() == unsent && !self.ends_at_once {
                return if self.is_starved && !was_starved { Poll::Ready(None) } else { Poll::Pending };
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Returns whether bytes were read.
    fn read(&mut self, stream: &mut impl Link, cx: &mut Context<'_>) -> Result<bool, String> {
        if self.end_reason.is_some()
            || self.is_starved
            || !self.machine.wants_read()
            || self.machine.transmit().len() > MAX_UNSENT
        {
            return Ok(false);
        }
        match poll_read_buf(Pin::new(stream), cx, self.machine.receive_buffer()) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err("closed by the client".into()),
            Poll::Ready(Ok(_)) => {
                let now = self.now();
                self.machine.handle_filled(now);
                Ok(true)
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err("closed by the client".into())
            }
            Poll::Ready(Err(error)) => Err(format!("the client's link failed: {error}")),
        }
    }

    /// Returns whether bytes were written.
    fn write(&mut self, stream: &mut impl Link, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut any = false;
        while !self.machine.transmit().is_empty() {
            match poll_write_slices(Pin::new(&mut *stream), self.machine.transmit().segments(), cx)? {
                Poll::Pending => break,
                Poll::Ready(written) => {
                    self.machine.transmitted(written);
                    any = true;
                }
            }
        }
        if any {
            let _ = Pin::new(stream).poll_flush(cx)?;
        }
        Ok(any)
    }

    fn poll_sessions(&mut self, cx: &mut Context<'_>) {
        let mut ended = Vec::new();
        for (stream, session) in &mut self.sessions {
            let before = session.queued_bytes();
            if let Outcome::Over(reason) = session.poll(&mut self.machine, cx) {
                tracing::info!(?stream, reason, "session ended");
                ended.push(*stream);
            }
            self.queued = self.queued - before + session.queued_bytes();
        }
        ended.into_iter().for_each(|stream| self.remove(stream));
    }
}
