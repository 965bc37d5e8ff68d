//! The way between client and router, made longer: each byte arrives later than it was sent.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// Copies bytes both ways, each of them late. It has a thread of its own, which ends when this is dropped, and with it
/// all connections.
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    accepted: Arc<AtomicU64>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Listens on a free port for connections with `to`, each way so much longer.
    pub fn start(to: SocketAddr, one_way: Duration) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let accepted = Arc::new(AtomicU64::new(0));
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let counted = accepted.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = accept(listener, to, one_way, counted) => {}
                    _ = ended => {}
                }
            });
        });
        Ok(Self { address, accepted, end: Some(end), thread: Some(thread) })
    }

    /// How many connections there have been.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(
    listener: std::net::TcpListener,
    to: SocketAddr,
    one_way: Duration,
    accepted: Arc<AtomicU64>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (client, _) = listener.accept().await?;
        accepted.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            // The handshake of TCP, which loopback has for nothing, takes a round trip as well: until then nothing is sent.
            let established = Instant::now() + 2 * one_way;
            let router = TcpStream::connect(to).await?;
            client.set_nodelay(true)?;
            router.set_nodelay(true)?;
            let (from_client, to_client) = client.into_split();
            let (from_router, to_router) = router.into_split();
            tokio::join!(
                pass(from_client, to_router, one_way, established),
                pass(from_router, to_client, one_way, established),
            );
            io::Result::Ok(())
        });
    }
}

/// Passes bytes on, and then the end.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    one_way: Duration,
    established: Instant,
) {
    let (sender, mut on_the_way) = mpsc::channel::<(Instant, Bytes)>(4096);
    let read = async move {
        loop {
            let mut buffer = BytesMut::with_capacity(64 * 1024);
            let is_over = !matches!(from.read_buf(&mut buffer).await, Ok(1..));
            let due = Instant::now().max(established) + one_way;
            if sender.send((due, buffer.freeze())).await.is_err() || is_over {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = on_the_way.recv().await {
            sleep_until(due).await;
            if bytes.is_empty() || to.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
