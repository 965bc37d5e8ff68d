//! The last bytes of a session.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::metrics::Metrics;
use crate::monitor::SessionMonitor;
use crate::scratch::CHUNK;

/// Time limit for a client to receive the error reply that ends its session.
const LAST_ERROR: Duration = Duration::from_secs(2);

/// Sends the queued error reply, and discards further bytes of the client until its end of file: closing a socket with
/// unread bytes resets it (RFC 9293, 3.10.4), and the client could lose the reply. Returns the bytes written.
pub(crate) async fn send_last_error(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    monitor: &mut SessionMonitor,
    metrics: &Metrics,
) -> u64 {
    let mut total = 0;
    let closing = async {
        while !monitor.for_client().is_empty() {
            let written = poll_fn(|cx| monitor.for_client().poll_write(Pin::new(&mut *client), cx)).await?;
            metrics.sent_to_client(written);
            total += written as u64;
        }
        client.shutdown().await?;
        let mut discarded = vec![0; CHUNK];
        while client.read(&mut discarded).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = timeout(LAST_ERROR, closing).await;
    total
}

/// Shuts both streams down, as far as that needs no waiting.
pub(super) async fn shut_down(client: &mut (impl AsyncWrite + Unpin), member: &mut (impl AsyncWrite + Unpin)) {
    poll_fn(|cx| {
        let _ = Pin::new(&mut *client).poll_shutdown(cx);
        let _ = Pin::new(&mut *member).poll_shutdown(cx);
        Poll::Ready(())
    })
    .await;
}
