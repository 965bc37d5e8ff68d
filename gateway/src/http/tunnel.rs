//! A session over HTTP/2 whose bytes are passed on as they are.

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
use crate::pieces::Pieces;
use crate::watch::{Unreadable, Watch};

/// The most that is read at a time.
const CHUNK: usize = 16 << 10;

/// Plain Hot Rod between a stream and a member. As in a raw session, two kinds of request are answered here: see [`Watch`].
pub(super) struct Tunnel {
    stream: StreamId,
    watch: Watch,
    /// What the client has sent and the watch does not want yet.
    received: Pieces,
    /// Bytes of the client's for which it has not been given room again.
    untaken: usize,
    /// The client has ended its half.
    is_finished: bool,
    is_shut: bool,
    scratch: BytesMut,
}

impl Tunnel {
    pub(super) fn new(stream: StreamId, shared: &Shared) -> Self {
        Self {
            stream,
            watch: Watch::new(shared.config.limits.request),
            received: Pieces::default(),
            untaken: 0,
            is_finished: false,
            is_shut: false,
            scratch: BytesMut::new(),
        }
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&mut self) -> usize {
        self.received.settle();
        if self.scratch.is_empty() {
            // A session that waits has no buffer.
            self.scratch = BytesMut::new();
        }
        self.watch.memory() + self.received.memory() + self.scratch.capacity()
    }

    /// What the session has done, for its deadlines.
    pub(super) fn progress(&self) -> Progress {
        let progress = self.watch.progress();
        Progress { is_waiting: progress.is_waiting && self.received.is_empty(), ..progress }
    }

    /// The client has sent something.
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.untaken += bytes.len();
        self.received.push(bytes);
    }

    /// The client has ended its half.
    pub(super) fn finish(&mut self) {
        self.is_finished = true;
    }

    /// What was answered here since the last time, in one word each.
    pub(super) fn take_refused(&mut self) -> impl Iterator<Item = &'static str> {
        self.watch.take_refused()
    }

    /// Moves what can be moved; bytes that have gone each way are added to `moved`. An error says why it is over, and with
    /// which code.
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
            let mut has_moved = self.look_at_requests().inspect_err(|_| {
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

    fn look_at_requests(&mut self) -> Result<bool, (ErrorCode, String)> {
        let mut any = false;
        while self.watch.wants_requests()
            && let Some(bytes) = self.received.take(usize::MAX)
        {
            self.watch.client_sent(&bytes).map_err(unreadable)?;
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
        let written = self.watch.for_member().poll_write_through(member, cx);
        let any = written.is_ready();
        if let Poll::Ready(written) = written {
            *to_member += written.map_err(|error| failed(&error))? as u64;
        }
        let untaken = self.watch.requests_held() + self.received.len();
        link.bytes_taken(self.stream, self.untaken - untaken);
        self.untaken = untaken;
        if self.is_finished && self.received.is_empty() && self.watch.for_member().is_empty() && !self.is_shut {
            // A member that is gone has no need of it.
            self.is_shut = Pin::new(member).poll_shutdown(cx).is_ready();
        }
        Ok(any)
    }

    fn send(&mut self, link: &mut ServerLink, to_client: &mut u64) -> bool {
        let mut any = false;
        loop {
            let Some(bytes) = self.watch.for_client().take(link.room(self.stream)) else { return any };
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
        if !self.watch.for_client().is_empty() || link.room(self.stream) == 0 {
            return Ok(false);
        }
        self.scratch.reserve(CHUNK);
        match read_at_most(member, &mut self.scratch, CHUNK, cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err((ErrorCode::NO_ERROR, "closed by the member".into())),
            Poll::Ready(Ok(_)) => {
                let bytes = self.scratch.split();
                self.watch.member_sent(&bytes, hint).map_err(unreadable)?;
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(failed(&error)),
        }
    }
}

fn unreadable(fault: Unreadable) -> (ErrorCode, String) {
    let code = match fault {
        // The error reply that names the fault goes out before the end of the stream.
        Unreadable::Request(_) | Unreadable::TooLarge { .. } | Unreadable::DuplicateId(_) => ErrorCode::NO_ERROR,
        Unreadable::Reply(_) | Unreadable::StrayReply => ErrorCode::CONNECT_ERROR,
    };
    (code, fault.to_string())
}

fn failed(error: &io::Error) -> (ErrorCode, String) {
    (ErrorCode::CONNECT_ERROR, format!("the member's link failed: {error}"))
}

/// A TLS peer that goes without saying so has ended all the same.
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
