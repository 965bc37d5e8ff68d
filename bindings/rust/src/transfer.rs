//! Reads from and writes to a stream.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use hotrod_core::wire::SendBuffer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

/// Reads per poll before the task yields.
pub(crate) const READS_PER_POLL: usize = 16;
/// Segments per vectored write.
const PIECES: usize = 64;

/// Reads once; end of file is an error.
pub(crate) fn read<S>(stream: &mut S, buffer: &mut BytesMut, cx: &mut Context<'_>) -> io::Result<Poll<()>>
where
    S: AsyncRead + Unpin,
{
    match poll_read_buf(Pin::new(stream), cx, buffer) {
        Poll::Pending => Ok(Poll::Pending),
        Poll::Ready(Ok(0)) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed it")),
        Poll::Ready(Ok(_)) => Ok(Poll::Ready(())),
        Poll::Ready(Err(error)) => Err(error),
    }
}

/// Writes once and returns the count of bytes written; flushes after the last byte.
pub(crate) fn send<S>(stream: &mut S, out: &SendBuffer, cx: &mut Context<'_>) -> io::Result<Poll<usize>>
where
    S: AsyncWrite + Unpin,
{
    let mut pieces = [IoSlice::new(&[]); PIECES];
    let mut count = 0;
    for (piece, segment) in pieces.iter_mut().zip(out.segments()) {
        *piece = IoSlice::new(segment);
        count += 1;
    }
    match Pin::new(&mut *stream).poll_write_vectored(cx, &pieces[..count]) {
        Poll::Pending => Ok(Poll::Pending),
        Poll::Ready(Ok(0)) => Err(io::Error::new(io::ErrorKind::WriteZero, "the link takes no more bytes")),
        Poll::Ready(Ok(sent)) => {
            if sent == out.len()
                && let Poll::Ready(Err(error)) = Pin::new(stream).poll_flush(cx)
            {
                return Err(error);
            }
            Ok(Poll::Ready(sent))
        }
        Poll::Ready(Err(error)) => Err(error),
    }
}
