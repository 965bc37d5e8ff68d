//! The task of one link: establishes the link and moves bytes between it and the machine.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hotrod_core::cluster::{Dial, LinkId, Tls};
use tokio::io::AsyncWriteExt;

use crate::dial::Link;
use crate::driver::{Actions, Inner, Shared};
use crate::transfer::{READS_PER_POLL, read, send};

/// Establishes a link and serves it until it ends.
pub(crate) async fn run(shared: Arc<Shared>, link: LinkId, dial: Dial) {
    let mut established = shared.dialer.dial(&dial).await;
    loop {
        let mut stream = match established {
            Ok(stream) => stream,
            Err(error) => {
                return shared.with(|inner, now| inner.cluster.handle_link_lost(now, link, error.to_string()));
            }
        };
        shared.with(|inner, now| {
            if let Some(state) = inner.links.get_mut(link) {
                state.dialling = None;
                if let Some(peer) = stream.peer() {
                    inner.cluster.set_peer(link, peer);
                }
                if let Some(exported) = stream.exporter() {
                    inner.cluster.set_tls_exporter(link, &exported);
                } else if let Some(certificate) = stream.server_certificate() {
                    inner.cluster.set_server_certificate(link, certificate);
                }
                inner.cluster.handle_connected(now, link, stream.alpn());
            }
        });
        let actions = Actions::default();
        let driver = LinkDriver { shared: shared.clone(), link, stream: &mut stream, actions, is_over: false };
        let Some(tls) = driver.await else {
            // Sends close_notify with TLS; the outcome does not matter.
            let _ = stream.shutdown().await;
            return;
        };
        established = shared.dialer.start_tls(stream, &tls).await;
    }
}

struct LinkDriver<'a> {
    shared: Arc<Shared>,
    link: LinkId,
    stream: &'a mut Link,
    /// Reused for its allocations.
    actions: Actions,
    is_over: bool,
}

impl Future for LinkDriver<'_> {
    /// TLS handshake to perform before the link continues; `None` at the end.
    type Output = Option<Tls>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Tls>> {
        let this = &mut *self;
        let shared = this.shared.clone();
        let mut inner = shared.lock();
        if let Err(error) = this.exchange(&mut inner, cx) {
            inner.cluster.handle_link_lost(shared.now(), this.link, error.to_string());
        }
        inner.pump(Some(this.link), &mut this.actions);
        // Flushes operations that were submitted meanwhile, and handshake messages.
        if let Err(error) = this.send(&mut inner, cx) {
            inner.cluster.handle_link_lost(shared.now(), this.link, error.to_string());
        }
        if let Some(state) = inner.links.get_mut(this.link) {
            state.task = Some(cx.waker().clone());
        }
        // Dispatches the outputs of this flush; if more is queued, this task is woken again.
        inner.pump(None, &mut this.actions);
        let start_tls = inner.links.get_mut(this.link).and_then(|state| state.start_tls.take());
        this.is_over = start_tls.is_some() || !inner.links.contains_key(this.link);
        drop(inner);
        shared.run(&mut this.actions);
        if this.is_over { Poll::Ready(start_tls) } else { Poll::Pending }
    }
}

impl LinkDriver<'_> {
    /// Writes, then reads, until the stream is not ready.
    fn exchange(&mut self, inner: &mut Inner, cx: &mut Context<'_>) -> io::Result<()> {
        self.send(inner, cx)?;
        for _ in 0..READS_PER_POLL {
            if inner.links.get(self.link).is_none_or(|state| state.paused || state.start_tls.is_some()) {
                return Ok(());
            }
            if !inner.cluster.wants_read(self.link) {
                // Backpressure of queued events: `pump` takes them all before this poll ends, so poll again.
                break;
            }
            let Some(buffer) = inner.cluster.receive_buffer(self.link) else { return Ok(()) };
            if read(self.stream, buffer, cx)?.is_pending() {
                return Ok(());
            }
            inner.cluster.handle_filled(self.shared.now(), self.link);
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn send(&mut self, inner: &mut Inner, cx: &mut Context<'_>) -> io::Result<()> {
        loop {
            let Some(out) = inner.cluster.transmit(self.link).filter(|out| !out.is_empty()) else { return Ok(()) };
            match send(self.stream, out, cx)? {
                Poll::Pending => return Ok(()),
                Poll::Ready(count) => inner.cluster.transmitted(self.link, count),
            }
        }
    }
}

impl Drop for LinkDriver<'_> {
    /// Reports the loss of a link whose task the runtime has dropped.
    fn drop(&mut self) {
        if !self.is_over {
            let link = self.link;
            self.shared.with(|inner, now| inner.cluster.handle_link_lost(now, link, "the runtime was shut down"));
        }
    }
}
