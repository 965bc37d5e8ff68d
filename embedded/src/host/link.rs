//! One client's socket.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tracing::{debug, warn};

use super::{GRACE, Shared};
use crate::{End, MemberId, Refused};

/// Slices in one vectored write.
const PIECES: usize = 64;
/// Bytes that are read at most before they are processed.
const READ_AT_ONCE: usize = 256 * 1024;
/// Interval at which timeouts are checked, those of the machine included.
const CHECK: Duration = Duration::from_secs(1);

/// A link of the machine and its socket.
pub(super) struct Link {
    shared: Arc<Shared>,
    socket: TcpStream,
    connection: crate::Link,
    waker: Arc<Notify>,
    stopping: watch::Receiver<bool>,
    /// Time at which the client last read bytes, or no bytes waited for it.
    taken_at: Instant,
}

/// The reason for the end of a link.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("closed by the client")]
    Closed,
    #[error("the node stops")]
    Stopping,
    #[error("{0}")]
    Failed(#[from] io::Error),
    #[error("{0}")]
    Ended(End),
    #[error("it {0}")]
    Overdue(&'static str),
}

impl Link {
    pub(super) fn open(
        shared: Arc<Shared>,
        socket: TcpStream,
        member: MemberId,
        stopping: watch::Receiver<bool>,
    ) -> Result<Self, Refused> {
        let waker = Arc::new(Notify::new());
        let connection = shared.with(|state, _| {
            let mut connection = crate::Link::open(&mut state.cluster, member)?;
            if let Ok(address) = socket.local_addr() {
                connection.set_local_address(address);
            }
            state.wakers.insert(connection.id(), waker.clone());
            Ok(connection)
        })?;
        let now = Instant::now();
        Ok(Self { shared, socket, connection, waker, stopping, taken_at: now })
    }

    /// Serves the client until the link ends.
    pub(super) async fn run(mut self, client: SocketAddr) {
        match self.serve().await {
            Reason::Ended(end @ (End::TooSlow { .. } | End::TooMuch { .. } | End::Late(_) | End::Fault(_))) => {
                warn!("{client} is disconnected: {end}");
            }
            Reason::Overdue(what) => warn!("{client} is disconnected: it {what}"),
            reason => debug!("{client} is disconnected: {reason}"),
        }
        let connection = self.connection;
        self.shared.with(|state, _| {
            state.wakers.remove(&connection.id());
            connection.close(&mut state.cluster);
        });
    }

    async fn serve(&mut self) -> Reason {
        let mut checks = tokio::time::interval(CHECK);
        loop {
            match self.work() {
                Ok(true) => {
                    tokio::task::yield_now().await;
                    continue;
                }
                Ok(false) => {}
                Err(reason) => return reason,
            }
            let interest = self.interest();
            tokio::select! {
                ready = self.socket.ready(interest.unwrap_or(Interest::READABLE)), if interest.is_some() => {
                    let result = ready.map_err(Reason::from).and_then(|ready| {
                        if ready.is_readable() && self.connection.wants_read() { self.receive() } else { Ok(()) }
                    });
                    if let Err(reason) = result {
                        return reason;
                    }
                }
                () = self.waker.notified() => {}
                changed = self.stopping.changed() => {
                    // The node was dropped: all links end at once.
                    if changed.is_err() {
                        return Reason::Stopping;
                    }
                    self.drain();
                }
                _ = checks.tick() => {
                    if let Some(what) = self.overdue() {
                        return Reason::Overdue(what);
                    }
                }
            }
        }
    }

    /// Processes received bytes and sends as much as the socket accepts; returns whether to call it again at once.
    fn work(&mut self) -> Result<bool, Reason> {
        let connection = &mut self.connection;
        self.shared.with(|state, moment| connection.process(&mut state.cluster, moment));
        let waited_for_room = self.connection.waits_for_room();
        let sent = self.send()?;
        if let Some(end) = self.connection.end().filter(|_| self.connection.is_finished()) {
            return Err(Reason::Ended(end.clone()));
        }
        if self.is_stopping() && !self.connection.ends_by_itself() && self.connection.transmit().is_empty() {
            return Err(Reason::Stopping);
        }
        Ok(waited_for_room && sent && self.connection.end().is_none())
    }

    fn interest(&self) -> Option<Interest> {
        let read = self.connection.wants_read() && (!self.is_stopping() || self.connection.ends_by_itself());
        let write = !self.connection.transmit().is_empty();
        match (read, write) {
            (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
            (true, false) => Some(Interest::READABLE),
            (false, true) => Some(Interest::WRITABLE),
            (false, false) => None,
        }
    }

    /// Asks the client to move elsewhere, where its protocol has a message for that.
    fn drain(&mut self) {
        let connection = &mut self.connection;
        let grace = u32::try_from(GRACE.as_millis()).unwrap_or(u32::MAX);
        self.shared.with(|_, moment| connection.drain(moment, grace));
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    fn receive(&mut self) -> Result<(), Reason> {
        let mut read = 0;
        while read < READ_AT_ONCE {
            match self.socket.try_read_buf(self.connection.receive_buffer()) {
                Ok(0) => return Err(Reason::Closed),
                Ok(count) => {
                    self.connection.handle_filled(count);
                    read += count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sends as much as the socket accepts; returns whether it accepted any byte.
    fn send(&mut self) -> Result<bool, Reason> {
        let mut any = false;
        while !self.connection.transmit().is_empty() {
            let mut pieces = [IoSlice::new(&[]); PIECES];
            let mut count = 0;
            for (piece, segment) in pieces.iter_mut().zip(self.connection.transmit().segments()) {
                *piece = IoSlice::new(segment);
                count += 1;
            }
            match self.socket.try_write_vectored(&pieces[..count]) {
                Ok(sent) => {
                    self.connection.transmitted(sent);
                    any = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        if any || self.connection.transmit().is_empty() {
            self.taken_at = Instant::now();
        }
        Ok(any)
    }

    /// Returns the timeout of the host that has passed.
    fn overdue(&self) -> Option<&'static str> {
        let is_late = !self.connection.transmit().is_empty() && self.taken_at.elapsed() > self.shared.send_timeout;
        is_late.then_some("does not read what is sent to it")
    }
}
