//! Reads into a buffer that all sessions of a thread share: a session that waits for bytes holds no buffer.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// Upper bound on the bytes of one read.
pub(crate) const CHUNK: usize = 16 << 10;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

/// Reads at most `limit` bytes and passes them to `take`; `None` at end of file.
pub(crate) fn poll_read<T>(
    from: &mut Pin<&mut impl AsyncRead>,
    limit: usize,
    cx: &mut Context<'_>,
    take: impl FnOnce(&[u8]) -> T,
) -> Poll<io::Result<Option<T>>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(&mut scratch[..limit.min(CHUNK)]);
        match from.as_mut().poll_read(cx, &mut buffer) {
            Poll::Pending => Poll::Pending,
            // A TLS peer that closed the socket without close_notify is at its end of file, too.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(None)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Ok(None)),
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Some(take(buffer.filled())))),
        }
    })
}
