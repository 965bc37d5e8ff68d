//! What a client of plain Hot Rod sends before its member is connected: all of its first request, or enough of it.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::timeout;

use crate::budget::{CONNECTION_COVERED, Exhausted, LinkBudget};
use crate::deadlines::{FIRST_REQUEST, Overdue};
use crate::drain::Phase;
use crate::gateway::Shared;
use crate::relay::send_last_error;
use crate::watch::{Unreadable, Watch};

/// The most that is read at a time.
const CHUNK: usize = 4 << 10;

/// The beginning of a session.
pub(crate) struct Opening {
    pub(crate) watch: Watch,
    /// Bytes received.
    pub(crate) received: usize,
}

/// Why a session does not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotOpened {
    #[error("closed by the client")]
    Closed,
    #[error("{0}")]
    Overdue(Overdue),
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    #[error("{0}")]
    Overdrawn(Exhausted),
    #[error("the client's link failed: {0}")]
    Failed(#[from] io::Error),
}

impl Opening {
    /// Of a session whose requests have at most `most_request` bytes.
    pub(crate) fn new(most_request: usize) -> Self {
        Self { watch: Watch::new(most_request), received: 0 }
    }

    /// Takes bytes of the client.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        self.received += bytes.len();
        self.watch.client_sent(bytes)
    }

    /// Reads on until the member has to be connected: a whole request is here, or [`FIRST_REQUEST`] bytes. `first` has
    /// what came already, and gets a copy of all that is read.
    pub(crate) async fn read(
        (shared, budget): (&Shared, &LinkBudget),
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        first: &mut BytesMut,
    ) -> Result<Self, NotOpened> {
        let mut opening = Self::new(shared.config.limits.request);
        let mut held = budget.account(CONNECTION_COVERED);
        let mut drain = shared.drain.clone();
        let read = async {
            opening.take(first)?;
            while !opening.is_enough() {
                held.set(first.capacity() + opening.watch.memory());
                if let Some(why) = budget.overdrawn() {
                    return Err(NotOpened::Overdrawn(why));
                }
                let at = first.len();
                first.reserve(CHUNK);
                let count = tokio::select! {
                    count = stream.read_buf(first) => count?,
                    // It is refused then, in Hot Rod.
                    _ = drain.beyond(Phase::Serving) => break,
                };
                if count == 0 {
                    return Err(NotOpened::Closed);
                }
                opening.take(&first[at..])?;
            }
            Ok(())
        };
        let read = timeout(shared.config.limits.handshake_timeout, read).await;
        let read = read.unwrap_or(Err(NotOpened::Overdue(Overdue::FirstRequest)));
        if let Err(NotOpened::Overdue(overdue)) = &read {
            overdue.reason().into_iter().for_each(|reason| shared.metrics.refused(reason));
        }
        if let Err(NotOpened::Unreadable(_)) = &read {
            opening.answer_fault(shared, stream).await;
        }
        read.map(|()| opening)
    }

    /// The client has sent what can't be read: it is told so.
    pub(crate) async fn answer_fault(&mut self, shared: &Shared, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        self.watch.take_refused().for_each(|reason| shared.metrics.refused(reason));
        send_last_error(stream, &mut self.watch, &shared.metrics).await;
    }

    fn is_enough(&self) -> bool {
        self.watch.progress().whole > 0 || self.received as u64 >= FIRST_REQUEST
    }
}
