//! A tunnel over HTTP/2: relays plain Hot Rod between a stream and a member.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use hotrod_core::carriage::ServerLink;
use hotrod_core::http2::{ErrorCode, StreamId};
use hotrod_core::wire::Topology;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

use crate::deadlines::Progress;
use crate::gateway::Shared;
use crate::monitor::{SessionFault, SessionMonitor};
use crate::pieces::Pieces;

/// Size of a read.
const CHUNK: usize = 16 << 10;

/// Plain Hot Rod between a stream and a member. As in a raw session, the monitor rejects some requests.
pub(super) struct Tunnel {
    stream: StreamId,
    monitor: SessionMonitor,
    /// Received bytes that the monitor does not accept yet.
    received: Pieces,
    /// Received bytes for which the stream's window has not been restored.
    unreleased: usize,
    /// Whether the client has ended its half of the stream.
    is_finished: bool,
    is_shut: bool,
    scratch: BytesMut,
}

impl Tunnel {
    pub(super) fn new(stream: StreamId, shared: &Shared) -> Self {
        Self {
            stream,
            monitor: SessionMonitor::new(shared.config.limits.request),
            received: Pieces::default(),
            unreleased: 0,
            is_finished: false,
            is_shut: false,
            scratch: BytesMut::new(),
        }
    }

    /// Memory of the tunnel, in bytes.
    pub(super) fn memory(&mut self) -> usize {
        self.received.settle();
        if self.scratch.is_empty() {
            // A session that waits has no buffer.
            self.scratch = BytesMut::new();
        }
        self.monitor.memory() + self.received.memory() + self.scratch.capacity()
    }

    /// Progress of the session, for its deadlines.
    pub(super) fn progress(&self) -> Progress {
        let progress = self.monitor.progress();
        Progress { is_waiting: progress.is_waiting && self.received.is_empty(), ..progress }
    }

    /// Receives bytes from the client.
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.unreleased += bytes.len();
        self.received.push(bytes);
    }

    /// Handles the end of the client's half of the stream.
    pub(super) fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Takes the metric labels of rejected requests.
    pub(super) fn take_rejected(&mut self) -> impl Iterator<Item = &'static str> {
        self.monitor.take_rejected()
    }

    /// Reads and writes while there is progress, and adds the bytes to `moved`. An error has the reason of the end, and the
    /// code for the stream.
    pub(super) fn poll(
        &mut self,
        member: &mut (impl AsyncRead + AsyncWrite + Unpin),
        link: &mut ServerLink,
        moved: (&mut u64, &mut u64),
        hint: impl Fn(&Topology),
        cx: &mut Context<'_>,
    ) -> Result<(), (ErrorCode, String)> {
        let (to_member, to_client) = moved;
        loop {
            let mut has_moved = self.scan_requests().inspect_err(|_| {
                // The error reply that names the fault.
                self.send(link, to_client);
            })?;
            has_moved |= self.write(member, link, to_member, cx)?;
            has_moved |= self.send(link, to_client);
            has_moved |= self.read(member, link, &hint, cx)?;
            if !has_moved {
                return Ok(());
            }
        }
    }

    fn scan_requests(&mut self) -> Result<bool, (ErrorCode, String)> {
        let mut any = false;
        while self.monitor.wants_requests()
            && let Some(bytes) = self.received.take(usize::MAX)
        {
            self.monitor.receive_from_client(&bytes).map_err(unreadable)?;
            any = true;
        }
        Ok(any)
    }

    fn write(
        &mut self,
        member: &mut (impl AsyncWrite + Unpin),
        link: &mut ServerLink,
        to_member: &mut u64,
        cx: &mut Context<'_>,
    ) -> Result<bool, (ErrorCode, String)> {
        let written = self.monitor.for_member().poll_write_through(member, cx);
        let any = written.is_ready();
        if let Poll::Ready(written) = written {
            *to_member += written.map_err(|error| failed(&error))? as u64;
        }
        let unreleased = self.monitor.requests_held() + self.received.len();
        link.release_bytes(self.stream, self.unreleased - unreleased);
        self.unreleased = unreleased;
        if self.is_finished && self.received.is_empty() && self.monitor.for_member().is_empty() && !self.is_shut {
            // An error shows that the member has closed the connection.
            self.is_shut = Pin::new(member).poll_shutdown(cx).is_ready();
        }
        Ok(any)
    }

    fn send(&mut self, link: &mut ServerLink, to_client: &mut u64) -> bool {
        let mut any = false;
        loop {
            let Some(bytes) = self.monitor.for_client().take(link.room(self.stream)) else { return any };
            *to_client += bytes.len() as u64;
            link.send_bytes(self.stream, bytes);
            any = true;
        }
    }

    fn read(
        &mut self,
        member: &mut (impl AsyncRead + Unpin),
        link: &ServerLink,
        hint: impl Fn(&Topology),
        cx: &mut Context<'_>,
    ) -> Result<bool, (ErrorCode, String)> {
        if !self.monitor.for_client().is_empty() || link.room(self.stream) == 0 {
            return Ok(false);
        }
        self.scratch.reserve(CHUNK);
        match read_at_most(member, &mut self.scratch, CHUNK, cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err((ErrorCode::NO_ERROR, "closed by the member".into())),
            Poll::Ready(Ok(_)) => {
                let bytes = self.scratch.split();
                self.monitor.receive_from_member(&bytes, hint).map_err(unreadable)?;
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(failed(&error)),
        }
    }
}

fn unreadable(fault: SessionFault) -> (ErrorCode, String) {
    let code = match fault {
        // The error reply that names the fault goes out before the end of the stream.
        SessionFault::Request(_) | SessionFault::TooLarge { .. } | SessionFault::DuplicateId(_) => ErrorCode::NO_ERROR,
        SessionFault::Reply(_) | SessionFault::StrayReply => ErrorCode::CONNECT_ERROR,
    };
    (code, fault.to_string())
}

fn failed(error: &io::Error) -> (ErrorCode, String) {
    (ErrorCode::CONNECT_ERROR, format!("the member's link failed: {error}"))
}

/// Reads at most `most` bytes. A TLS peer that closed the socket without close_notify is at its end of file, too.
pub(super) fn read_at_most(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    most: usize,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    match poll_read_buf(Pin::new(from), cx, &mut buffer.limit(most)) {
        Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(0)),
        polled => polled,
    }
}
