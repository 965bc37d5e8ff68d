//! The beginning of a session of plain Hot Rod, before its member is connected.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::budget::{CONNECTION_COVERED, Exhausted, LinkBudget};
use crate::deadlines::{FIRST_REQUEST, Overdue};
use crate::drain::Phase;
use crate::gateway::Shared;
use crate::monitor::{SessionFault, SessionMonitor};
use crate::relay::send_last_error;
use crate::scratch::{CHUNK, poll_read};

/// The received bytes of a session without a member.
pub(crate) struct Opening {
    pub(crate) monitor: SessionMonitor,
    /// Number of bytes received.
    pub(crate) received: usize,
}

/// Reason why a session does not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotOpened {
    #[error("closed by the client")]
    Closed,
    #[error("{0}")]
    Overdue(Overdue),
    #[error("{0}")]
    Fault(#[from] SessionFault),
    #[error("{0}")]
    Overdrawn(Exhausted),
    #[error("the client's link failed: {0}")]
    Failed(#[from] io::Error),
}

impl Opening {
    /// Begins a session whose requests have at most `max_request` bytes.
    pub(crate) fn new(max_request: usize) -> Self {
        Self { monitor: SessionMonitor::new(max_request), received: 0 }
    }

    /// Receives bytes from the client.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<(), SessionFault> {
        self.received += bytes.len();
        self.monitor.receive_from_client(bytes)
    }

    /// Reads until the session needs its member: a whole request has been received, or [`FIRST_REQUEST`] bytes. `first` has
    /// the bytes that were read before.
    pub(crate) async fn read(
        (shared, budget): (&Shared, &LinkBudget),
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        first: BytesMut,
    ) -> Result<Self, NotOpened> {
        let mut opening = Self::new(shared.config.limits.request);
        let mut held = budget.account(CONNECTION_COVERED);
        let mut drain = shared.drain.clone();
        let read = async {
            opening.receive(&first)?;
            drop(first);
            while !opening.is_enough() {
                held.set(opening.monitor.memory());
                if let Some(why) = budget.overdrawn() {
                    return Err(NotOpened::Overdrawn(why));
                }
                let received = tokio::select! {
                    received = opening.read_once(stream) => received?,
                    // The session is refused then.
                    _ = drain.beyond(Phase::Serving) => break,
                };
                received.ok_or(NotOpened::Closed)??;
            }
            Ok(())
        };
        let read = timeout(shared.config.limits.handshake_timeout, read).await;
        let read = read.unwrap_or(Err(NotOpened::Overdue(Overdue::FirstRequest)));
        if let Err(NotOpened::Overdue(overdue)) = &read {
            overdue.reason().into_iter().for_each(|reason| shared.metrics.refused(reason));
        }
        if let Err(NotOpened::Fault(_)) = &read {
            opening.send_error(shared, stream).await;
        }
        read.map(|()| opening)
    }

    /// Receives the bytes of one read; `None` at end of file.
    async fn read_once(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Option<Result<(), SessionFault>>> {
        poll_fn(|cx| poll_read(&mut Pin::new(&mut *stream), CHUNK, cx, |bytes| self.receive(bytes))).await
    }

    /// Sends the error reply to a request that can't be read, and closes the session.
    pub(crate) async fn send_error(&mut self, shared: &Shared, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        self.monitor.take_rejected().for_each(|reason| shared.metrics.refused(reason));
        send_last_error(stream, &mut self.monitor, &shared.metrics).await;
    }

    fn is_enough(&self) -> bool {
        self.monitor.progress().whole > 0 || self.received as u64 >= FIRST_REQUEST
    }
}
