//! Detects end of file behind unread data.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::stream::Socket;

/// Detects the end of a connection that is not read.
pub(crate) struct LossDetector(Pin<Box<dyn Future<Output = ()> + Send>>);

impl LossDetector {
    pub(crate) fn new(socket: &Socket) -> Self {
        let shared = socket.share();
        Self(Box::pin(async move { ended(&shared).await }))
    }

    /// Ready once the peer has closed the connection, or it has failed. Must not be polled after that.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

/// The readiness that unread bytes do not cause.
#[cfg(target_os = "linux")]
async fn ended(stream: &tokio::net::TcpStream) {
    while stream.ready(tokio::io::Interest::PRIORITY).await.is_ok_and(|ready| !ready.is_read_closed()) {
        // Urgent data, which the gateway ignores. It is reported once.
        let _ = stream.try_io(tokio::io::Interest::PRIORITY, || Err::<(), _>(std::io::ErrorKind::WouldBlock.into()));
    }
}

/// Other systems have no such readiness: reading the data detects the end.
#[cfg(not(target_os = "linux"))]
async fn ended(_: &tokio::net::TcpStream) {
    std::future::pending().await
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (near, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn an_end_is_seen_behind_octets_that_nobody_reads() {
        for is_reset in [false, true] {
            let (near, mut far) = pair().await;
            let mut near = Socket::from(near);
            far.write_all(b"some").await.unwrap();
            near.share().readable().await.unwrap();
            let mut watch = LossDetector::new(&near);
            assert!(poll_fn(|cx| Poll::Ready(watch.poll(cx).is_pending())).await);
            far.write_all(b" more").await.unwrap();
            assert!(poll_fn(|cx| Poll::Ready(watch.poll(cx).is_pending())).await);
            if is_reset {
                socket2::SockRef::from(&far).set_linger(Some(std::time::Duration::ZERO)).unwrap();
            }
            drop(far);
            poll_fn(|cx| watch.poll(cx)).await;
            drop(watch);
            let mut read = Vec::new();
            let all = near.read_to_end(&mut read).await;
            assert!(is_reset || all.is_ok() && read == b"some more", "what has come is still there: {read:?}");
        }
    }
}
