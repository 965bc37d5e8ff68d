//! Relays a session of plain Hot Rod between a client and a member.

mod closing;
mod end;
mod side;
#[cfg(test)]
mod tests;
mod timing;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use hotrod_core::wire::Topology;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

pub(crate) use self::closing::send_last_error;
use self::closing::shut_down;
use self::end::{End, Relayed};
use self::side::Side;
use self::timing::LAST_REQUESTS;
use crate::budget::{LinkBudget, Reservation, SESSION_COVERED};
use crate::deadlines::{Deadlines, Times};
use crate::drain::{Drain, Phase};
use crate::metrics::Metrics;
use crate::monitor::SessionMonitor;
use crate::opening::Opening;
use crate::scratch::poll_read;

/// Reads and writes of one poll before other tasks are polled.
const MOVES_PER_POLL: usize = 16;

/// Settings of a relay, and the gateway's state that it uses.
pub(crate) struct RelayConfig<'a> {
    /// Bytes held in each direction for a slow side, above which the other side is not read.
    pub(crate) buffer: usize,
    pub(crate) times: Times,
    /// Whether the cluster wants clients to authenticate.
    pub(crate) wants_authentication: Box<dyn Fn() -> bool + Send + Sync + 'a>,
    pub(crate) metrics: &'a Metrics,
    /// Budget of the client's link.
    pub(crate) budget: &'a LinkBudget,
    pub(crate) drain: Drain,
    /// Receives the topologies in replies, which are hints.
    pub(crate) hint: Box<dyn Fn(&Topology) + Send + Sync + 'a>,
}

/// Relays until one side is at its end of file and the other has received the rest. `opening` has the bytes that the client
/// has sent before. Shuts both streams down, as far as they still are open.
pub(crate) async fn relay(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    member: &mut (impl AsyncRead + AsyncWrite + Unpin),
    opening: Opening,
    config: RelayConfig<'_>,
) -> Relayed {
    let now = Instant::now();
    let mut deadlines = Deadlines::new(config.times, now);
    deadlines.received(opening.received);
    let mut relay = Relay {
        monitor: opening.monitor,
        held: config.budget.account(SESSION_COVERED),
        is_starved: false,
        client: Side::default(),
        member: Side::default(),
        first_end: None,
        phase: Phase::Serving,
        reads_until: None,
        has_stopped_reading: false,
        deadlines,
        alarm: now,
        config,
    };
    relay.deadlines.update(relay.monitor.progress(), || now);
    let end = relay.run(client, member).await;
    relay.count_rejected();
    if let End::Fault(_) | End::Drained = end {
        let _ = member.shutdown().await;
        relay.client.written += send_last_error(client, &mut relay.monitor, relay.config.metrics).await;
        relay.held.set(0);
    }
    Relayed { to_member: relay.member.written, to_client: relay.client.written, end }
}

struct Relay<'a> {
    monitor: SessionMonitor,
    /// Memory of the session beyond [`SESSION_COVERED`].
    held: Reservation,
    /// Whether reading is suspended for want of memory.
    is_starved: bool,
    client: Side,
    member: Side,
    /// End of the side that was first at its end of file.
    first_end: Option<End>,
    phase: Phase,
    /// End of [`LAST_REQUESTS`], while the relay drains and reads.
    reads_until: Option<Instant>,
    /// Whether [`LAST_REQUESTS`] is over.
    has_stopped_reading: bool,
    deadlines: Deadlines,
    /// Time of the next check of the deadlines.
    alarm: Instant,
    config: RelayConfig<'a>,
}

impl Relay<'_> {
    async fn run(
        &mut self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
        member: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> End {
        let mut drain = self.config.drain.clone();
        let budget = self.config.budget;
        loop {
            let phase = self.phase;
            let alarm = self.deadline();
            self.alarm = alarm;
            tokio::select! {
                end = poll_fn(|cx| self.poll(client, member, cx)) => {
                    if let Some(end) = end {
                        return end;
                    }
                }
                () = sleep_until(alarm) => {
                    if let Some(end) = self.passed_deadline() {
                        shut_down(client, member).await;
                        return end;
                    }
                }
                () = budget.wait_for_room(), if self.is_starved => self.is_starved = false,
                phase = drain.beyond(phase) => {
                    self.phase = phase;
                    self.reads_until = Some(Instant::now() + LAST_REQUESTS);
                    if phase == Phase::Closing {
                        return End::Cut;
                    }
                }
            }
        }
    }

    /// Ready with the end of the session, or with `None` when [`alarm`](Self::alarm) has to be set again.
    fn poll(
        &mut self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
        member: &mut (impl AsyncRead + AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Option<End>> {
        let was_starved = self.is_starved;
        self.is_starved = !self.config.budget.has_room();
        let result = self.move_bytes(&mut Pin::new(client), &mut Pin::new(member), cx);
        if !self.config.budget.is_admitted() && self.monitor.is_authenticated() {
            self.config.budget.admit();
        }
        self.held.set(self.monitor.memory());
        self.count_rejected();
        self.deadlines.update(self.monitor.progress(), Instant::now);
        match result {
            Err(end) => Poll::Ready(Some(end)),
            Ok(_) if self.config.budget.overdrawn().is_some() => {
                Poll::Ready(self.config.budget.overdrawn().map(End::Overdrawn))
            }
            Ok(_) if self.is_starved && !was_starved => Poll::Ready(None),
            Ok(true) => Poll::Ready(self.first_end.take()),
            Ok(false) if self.phase >= Phase::Draining && self.monitor.is_quiet() => {
                Poll::Ready(Some(self.first_end.take().unwrap_or(End::Drained)))
            }
            Ok(false) if self.deadline() < self.alarm => Poll::Ready(None),
            Ok(false) => Poll::Pending,
        }
    }

    fn count_rejected(&mut self) {
        for reason in self.monitor.take_rejected() {
            self.config.metrics.refused(reason);
        }
    }

    /// Reads and writes while there is progress. Returns whether both sides are shut down.
    fn move_bytes(
        &mut self,
        client: &mut Pin<&mut (impl AsyncRead + AsyncWrite)>,
        member: &mut Pin<&mut (impl AsyncRead + AsyncWrite)>,
        cx: &mut Context<'_>,
    ) -> Result<bool, End> {
        for _ in 0..MOVES_PER_POLL {
            let mut has_moved = self.write_to_member(member, cx)?;
            has_moved |= self.write_to_client(client, cx)?;
            has_moved |= self.read_from_client(client, cx)?;
            has_moved |= self.read_from_member(member, cx)?;
            if !has_moved {
                let is_all_for_member = self.client.is_eof && self.monitor.for_member().is_empty();
                let is_all_for_client = self.member.is_eof && self.monitor.for_client().is_empty();
                self.member.settle(member, is_all_for_member, cx).map_err(End::MemberFailed)?;
                self.client.settle(client, is_all_for_client, cx).map_err(End::ClientFailed)?;
                return Ok(self.client.is_shut_down && self.member.is_shut_down);
            }
        }
        cx.waker().wake_by_ref();
        Ok(false)
    }

    fn write_to_member(&mut self, member: &mut Pin<&mut impl AsyncWrite>, cx: &mut Context<'_>) -> Result<bool, End> {
        let Poll::Ready(written) = self.monitor.for_member().poll_write(member.as_mut(), cx) else { return Ok(false) };
        let count = self.member.count(written).map_err(End::MemberFailed)?;
        self.config.metrics.sent_to_member(count);
        self.deadlines.note_move(Instant::now());
        Ok(true)
    }

    fn write_to_client(&mut self, client: &mut Pin<&mut impl AsyncWrite>, cx: &mut Context<'_>) -> Result<bool, End> {
        let Poll::Ready(written) = self.monitor.for_client().poll_write(client.as_mut(), cx) else { return Ok(false) };
        let count = self.client.count(written).map_err(End::ClientFailed)?;
        self.config.metrics.sent_to_client(count);
        self.deadlines.note_move(Instant::now());
        Ok(true)
    }

    fn read_from_client(&mut self, client: &mut Pin<&mut impl AsyncRead>, cx: &mut Context<'_>) -> Result<bool, End> {
        let has_room = self.monitor.wants_requests() && self.monitor.for_client().len() < self.config.buffer;
        if self.client.is_eof || self.is_starved || self.has_stopped_reading || !has_room {
            return Ok(false);
        }
        let (monitor, deadlines) = (&mut self.monitor, &mut self.deadlines);
        let take = |bytes: &[u8]| {
            deadlines.received(bytes.len());
            monitor.receive_from_client(bytes)
        };
        match poll_read(client, self.config.buffer, cx, take) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(End::ClientFailed(error)),
            Poll::Ready(Ok(Some(received))) => received.map(|()| true).map_err(End::Fault),
            Poll::Ready(Ok(None)) => {
                self.client.is_eof = true;
                self.first_end.get_or_insert(End::Client);
                Ok(true)
            }
        }
    }

    fn read_from_member(&mut self, member: &mut Pin<&mut impl AsyncRead>, cx: &mut Context<'_>) -> Result<bool, End> {
        if self.member.is_eof || self.is_starved || !self.monitor.for_client().is_empty() {
            return Ok(false);
        }
        let (monitor, hint) = (&mut self.monitor, &self.config.hint);
        match poll_read(member, self.config.buffer, cx, |bytes| monitor.receive_from_member(bytes, hint)) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(End::MemberFailed(error)),
            Poll::Ready(Ok(Some(received))) => {
                self.deadlines.note_move(Instant::now());
                received.map(|()| true).map_err(End::Fault)
            }
            Poll::Ready(Ok(None)) => {
                self.member.is_eof = true;
                self.first_end.get_or_insert(End::Member);
                Ok(true)
            }
        }
    }
}
