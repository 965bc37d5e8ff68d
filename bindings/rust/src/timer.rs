//! The task that calls the machine's timeouts.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::Sleep;

use crate::driver::{Actions, Shared};

/// Runs until the machine is closed.
pub(crate) struct Timer {
    shared: Arc<Shared>,
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep(std::time::Duration::ZERO)), shared }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let shared = self.shared.clone();
            let mut inner = shared.lock();
            let now = shared.now();
            if inner.cluster.poll_timeout().is_some_and(|due| due <= now) {
                inner.cluster.handle_timeout(now);
            }
            // The deadline is read below, so `pump` need not wake this task.
            inner.timer = None;
            let mut actions = Actions::default();
            inner.pump(None, &mut actions);
            let (is_closed, next) = (inner.cluster.is_closed(), inner.cluster.poll_timeout());
            inner.alarm = next;
            inner.timer = Some(cx.waker().clone());
            drop(inner);
            shared.run(&mut actions);
            if is_closed {
                return Poll::Ready(());
            }
            let Some(next) = next else { return Poll::Pending };
            self.sleep.as_mut().reset(shared.tokio_instant(next));
            if self.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Timer {
    /// Closes the client when the runtime drops the timer: without it nothing would time out.
    fn drop(&mut self) {
        let mut inner = self.shared.lock();
        inner.cluster.close(self.shared.now());
        let mut actions = Actions::default();
        inner.pump(None, &mut actions);
        inner.waiting.clear();
        inner.iterations.clear();
        drop(inner);
        self.shared.run(&mut actions);
    }
}
