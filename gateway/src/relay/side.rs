//! One of the two streams of a relay.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

/// State of a stream.
#[derive(Default)]
pub(super) struct Side {
    /// Bytes written to it.
    pub(super) written: u64,
    /// Whether reading has met its end of file.
    pub(super) is_eof: bool,
    /// Whether its write half is shut down.
    pub(super) is_shut_down: bool,
    needs_flush: bool,
}

impl Side {
    /// Counts the bytes of a write.
    pub(super) fn count(&mut self, written: io::Result<usize>) -> io::Result<usize> {
        let count = written?;
        self.written += count as u64;
        self.needs_flush = true;
        Ok(count)
    }

    /// Flushes the stream; shuts it down if `is_all` has been written.
    pub(super) fn settle(
        &mut self,
        stream: &mut Pin<&mut impl AsyncWrite>,
        is_all: bool,
        cx: &mut Context<'_>,
    ) -> io::Result<()> {
        if is_all && !self.is_shut_down {
            // An error shows that the peer has closed the stream.
            self.is_shut_down = stream.as_mut().poll_shutdown(cx).is_ready();
        } else if self.needs_flush
            && let Poll::Ready(flushed) = stream.as_mut().poll_flush(cx)
        {
            self.needs_flush = false;
            flushed?;
        }
        Ok(())
    }
}
