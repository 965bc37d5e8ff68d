//! Bytes from one side to the other, and back.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hotrod_core::wire::Topology;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout};

use crate::budget::{Account, Exhausted, LinkBudget, SESSION_COVERED, SHED_AFTER};
use crate::deadlines::{Deadlines, Overdue, Times};
use crate::drain::{Drain, Phase};
use crate::metrics::Metrics;
use crate::opening::Opening;
use crate::watch::{Unreadable, Watch};

/// A session that is to end by itself is over when nothing was in flight for so long: what a client sends meanwhile is
/// answered with an error that has it try elsewhere.
const QUIET: Duration = Duration::from_secs(1);
/// What is left of a session of which one side has ended is over when nothing was sent for so long.
const HALF_CLOSED: Duration = Duration::from_secs(10);
/// Time for a client to take the error reply that ends its session.
const LAST_ERROR: Duration = Duration::from_secs(2);
/// Reads of one turn before other tasks get theirs.
const READS_A_TURN: usize = 16;
/// The most that is read at a time.
const CHUNK: usize = 16 << 10;

/// How a relay behaves, and whom it tells what.
pub(crate) struct Relaying<'a> {
    /// Bytes held in each direction for a side that is slow to take them; nothing more is read for it meanwhile.
    pub(crate) buffer: usize,
    /// The deadlines of the session.
    pub(crate) times: Times,
    /// Whether the cluster wants its clients to authenticate.
    pub(crate) wants_authentication: Box<dyn Fn() -> bool + Send + Sync + 'a>,
    pub(crate) metrics: &'a Metrics,
    /// Of the client's link.
    pub(crate) budget: &'a LinkBudget,
    pub(crate) drain: Drain,
    /// Receives the topologies in replies, which are hints.
    pub(crate) hint: Box<dyn Fn(&Topology) + Send + Sync + 'a>,
}

/// How a session ended, and what went each way.
#[derive(Debug)]
pub(crate) struct Relayed {
    /// Bytes that the member took.
    pub(crate) to_member: u64,
    /// Bytes that the client took.
    pub(crate) to_client: u64,
    pub(crate) end: End,
}

/// Why a session is over.
#[derive(Debug)]
pub(crate) enum End {
    /// The client closed it.
    Client,
    /// The member closed it.
    Member,
    /// The client's link failed.
    ClientFailed(io::Error),
    /// The member's link failed.
    MemberFailed(io::Error),
    /// A message can't be followed.
    Unreadable(Unreadable),
    /// It holds more than it may.
    Overdrawn(Exhausted),
    /// Its sides take nothing of what is held, and others wait for memory.
    Shed,
    /// The client did not go on in time.
    Overdue(Overdue),
    /// The gateway stops, and nothing was in flight.
    Drained,
    /// The gateway stops, and the grace is over.
    Cut,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str("closed by the client"),
            Self::Member => f.write_str("closed by the member"),
            Self::ClientFailed(error) => write!(f, "the client's link failed: {error}"),
            Self::MemberFailed(error) => write!(f, "the member's link failed: {error}"),
            Self::Unreadable(fault) => write!(f, "{fault}"),
            Self::Overdrawn(why) => write!(f, "{why}"),
            Self::Shed => f.write_str("takes nothing of what is held while memory is used up (max-memory)"),
            Self::Overdue(overdue) => write!(f, "{overdue}"),
            Self::Drained => f.write_str("drained"),
            Self::Cut => f.write_str("cut off at the end of the grace"),
        }
    }
}

/// Passes on what either side sends until one of them ends and the other has taken the rest; `opening` is what the client
/// has sent already. Both streams are shut down at the end, as far as they still can be.
pub(crate) async fn relay(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    member: &mut (impl AsyncRead + AsyncWrite + Unpin),
    opening: Opening,
    relaying: Relaying<'_>,
) -> Relayed {
    let now = Instant::now();
    let mut deadlines = Deadlines::new(relaying.times, now);
    deadlines.received(opening.received);
    let mut relay = Relay {
        watch: opening.watch,
        held: relaying.budget.account(SESSION_COVERED),
        is_starved: false,
        client: Side::default(),
        member: Side::default(),
        first_end: None,
        phase: Phase::Serving,
        deadlines,
        alarm: now,
        worked_at: now,
        relaying,
    };
    relay.deadlines.update(relay.watch.progress(), || now);
    let end = relay.run(client, member).await;
    relay.count_refused();
    if let End::Unreadable(_) = end {
        let _ = member.shutdown().await;
        relay.client.taken += send_last_error(client, &mut relay.watch, relay.relaying.metrics).await;
        relay.held.set(0);
    }
    Relayed { to_member: relay.member.taken, to_client: relay.client.taken, end }
}

struct Relay<'a> {
    watch: Watch,
    held: Account,
    /// Nothing is read because there is no memory for it.
    is_starved: bool,
    client: Side,
    member: Side,
    /// Which side ended first, once one has.
    first_end: Option<End>,
    phase: Phase,
    deadlines: Deadlines,
    /// When the deadlines are looked at again.
    alarm: Instant,
    /// When anything was sent to or from the member last.
    worked_at: Instant,
    relaying: Relaying<'a>,
}

/// One of the two streams.
#[derive(Default)]
struct Side {
    /// Bytes that it took.
    taken: u64,
    /// It says nothing more.
    is_over: bool,
    /// It is told nothing more.
    is_shut: bool,
    needs_flush: bool,
}

thread_local! {
    /// Where bytes are read to. A session that waits for bytes has no buffer of its own.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

impl Relay<'_> {
    async fn run(
        &mut self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
        member: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> End {
        let mut drain = self.relaying.drain.clone();
        let budget = self.relaying.budget;
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
                    if let Some(end) = self.end_in_time() {
                        say_goodbye(client, member).await;
                        return end;
                    }
                }
                () = budget.wait_for_room(), if self.is_starved => self.is_starved = false,
                phase = drain.beyond(phase) => {
                    self.phase = phase;
                    self.watch.refuse_all();
                    if phase == Phase::Closing {
                        return End::Cut;
                    }
                }
            }
        }
    }

    /// When it is over if nothing happens until then.
    fn deadline(&self) -> Instant {
        let by_itself = match self.first_end {
            _ if self.phase >= Phase::Draining && self.watch.is_quiet() => Some(self.worked_at + QUIET),
            Some(_) => Some(self.deadlines.moved_at() + HALF_CLOSED),
            None if self.is_stuck() => Some(self.deadlines.moved_at() + SHED_AFTER),
            None => None,
        };
        let next = self.deadlines.next();
        by_itself.map_or(next, |by_itself| by_itself.min(next))
    }

    /// Whether it holds what nobody takes, while there is no memory.
    fn is_stuck(&self) -> bool {
        self.is_starved && !self.held.is_empty()
    }

    /// Why it is over, if a deadline has passed. It may have moved since the alarm was set.
    fn end_in_time(&mut self) -> Option<End> {
        let now = Instant::now();
        if let Some(overdue) = self.deadlines.overdue(now, &self.relaying.wants_authentication) {
            overdue.reason().into_iter().for_each(|reason| self.relaying.metrics.refused(reason));
            return Some(self.first_end.take().unwrap_or(End::Overdue(overdue)));
        }
        let by_itself = if self.phase == Phase::Serving { End::Shed } else { End::Drained };
        (self.deadline() <= now).then(|| self.first_end.take().unwrap_or(by_itself))
    }

    /// Ready with an end, or without one when the deadline has come nearer.
    fn poll(
        &mut self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
        member: &mut (impl AsyncRead + AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Option<End>> {
        let was_starved = self.is_starved;
        self.is_starved = !self.relaying.budget.has_room();
        let result = self.move_bytes(&mut Pin::new(client), &mut Pin::new(member), cx);
        if !self.relaying.budget.is_admitted() && self.watch.is_authenticated() {
            self.relaying.budget.admit();
        }
        self.held.set(self.watch.memory());
        self.count_refused();
        self.deadlines.update(self.watch.progress(), Instant::now);
        match result {
            Err(end) => Poll::Ready(Some(end)),
            Ok(_) if self.relaying.budget.overdrawn().is_some() => {
                Poll::Ready(self.relaying.budget.overdrawn().map(End::Overdrawn))
            }
            Ok(_) if self.is_starved && !was_starved => Poll::Ready(None),
            Ok(true) => Poll::Ready(self.first_end.take()),
            Ok(false) if self.deadline() < self.alarm => Poll::Ready(None),
            Ok(false) => Poll::Pending,
        }
    }

    fn count_refused(&mut self) {
        for reason in self.watch.take_refused() {
            self.relaying.metrics.refused(reason);
        }
    }

    /// Answers whether all is over.
    fn move_bytes(
        &mut self,
        client: &mut Pin<&mut (impl AsyncRead + AsyncWrite)>,
        member: &mut Pin<&mut (impl AsyncRead + AsyncWrite)>,
        cx: &mut Context<'_>,
    ) -> Result<bool, End> {
        for _ in 0..READS_A_TURN {
            let mut has_moved = self.write_to_member(member, cx)?;
            has_moved |= self.write_to_client(client, cx)?;
            has_moved |= self.read_from_client(client, cx)?;
            has_moved |= self.read_from_member(member, cx)?;
            if !has_moved {
                let member_told = self.watch.for_member().is_empty();
                let client_told = self.watch.for_client().is_empty();
                self.member.settle(member, self.client.is_over && member_told, cx).map_err(End::MemberFailed)?;
                self.client.settle(client, self.member.is_over && client_told, cx).map_err(End::ClientFailed)?;
                return Ok(self.client.is_shut && self.member.is_shut);
            }
        }
        cx.waker().wake_by_ref();
        Ok(false)
    }

    fn write_to_member(&mut self, member: &mut Pin<&mut impl AsyncWrite>, cx: &mut Context<'_>) -> Result<bool, End> {
        let Poll::Ready(written) = self.watch.for_member().poll_write(member.as_mut(), cx) else { return Ok(false) };
        let count = self.member.took(written).map_err(End::MemberFailed)?;
        self.relaying.metrics.sent_to_member(count);
        self.note_move(true);
        Ok(true)
    }

    fn write_to_client(&mut self, client: &mut Pin<&mut impl AsyncWrite>, cx: &mut Context<'_>) -> Result<bool, End> {
        let Poll::Ready(written) = self.watch.for_client().poll_write(client.as_mut(), cx) else { return Ok(false) };
        let count = self.client.took(written).map_err(End::ClientFailed)?;
        self.relaying.metrics.sent_to_client(count);
        self.note_move(false);
        Ok(true)
    }

    fn read_from_client(&mut self, client: &mut Pin<&mut impl AsyncRead>, cx: &mut Context<'_>) -> Result<bool, End> {
        let has_room = self.watch.wants_requests() && self.watch.for_client().len() < self.relaying.buffer;
        if self.client.is_over || self.is_starved || !has_room {
            return Ok(false);
        }
        let (watch, deadlines) = (&mut self.watch, &mut self.deadlines);
        let take = |bytes: &[u8]| {
            deadlines.received(bytes.len());
            watch.client_sent(bytes)
        };
        match read(client, self.relaying.buffer, cx, take) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(End::ClientFailed(error)),
            Poll::Ready(Ok(Some(received))) => received.map(|()| true).map_err(End::Unreadable),
            Poll::Ready(Ok(None)) => {
                self.client.is_over = true;
                self.first_end.get_or_insert(End::Client);
                Ok(true)
            }
        }
    }

    fn read_from_member(&mut self, member: &mut Pin<&mut impl AsyncRead>, cx: &mut Context<'_>) -> Result<bool, End> {
        if self.member.is_over || self.is_starved || !self.watch.for_client().is_empty() {
            return Ok(false);
        }
        let (watch, hint) = (&mut self.watch, &self.relaying.hint);
        match read(member, self.relaying.buffer, cx, |bytes| watch.member_sent(bytes, hint)) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(End::MemberFailed(error)),
            Poll::Ready(Ok(Some(received))) => {
                self.note_move(true);
                received.map(|()| true).map_err(End::Unreadable)
            }
            Poll::Ready(Ok(None)) => {
                self.member.is_over = true;
                self.first_end.get_or_insert(End::Member);
                Ok(true)
            }
        }
    }

    fn note_move(&mut self, is_work: bool) {
        let now = Instant::now();
        self.deadlines.note_move(now);
        if is_work {
            self.worked_at = now;
        }
    }
}

/// Sends the error reply that names the fault, and drops what the client goes on to send for a while: a socket that is
/// closed with unread bytes is reset, and the client would lose the reply. Returns the bytes that the client took.
pub(crate) async fn send_last_error(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    watch: &mut Watch,
    metrics: &Metrics,
) -> u64 {
    let mut taken = 0;
    let said = async {
        while !watch.for_client().is_empty() {
            let written = poll_fn(|cx| watch.for_client().poll_write(Pin::new(&mut *client), cx)).await?;
            metrics.sent_to_client(written);
            taken += written as u64;
        }
        client.shutdown().await?;
        let mut dropped = vec![0; CHUNK];
        while client.read(&mut dropped).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = timeout(LAST_ERROR, said).await;
    taken
}

/// Shuts both sides down, as far as that goes without waiting.
async fn say_goodbye(client: &mut (impl AsyncWrite + Unpin), member: &mut (impl AsyncWrite + Unpin)) {
    poll_fn(|cx| {
        let _ = Pin::new(&mut *client).poll_shutdown(cx);
        let _ = Pin::new(&mut *member).poll_shutdown(cx);
        Poll::Ready(())
    })
    .await;
}

impl Side {
    fn took(&mut self, written: io::Result<usize>) -> io::Result<usize> {
        let count = written?;
        self.taken += count as u64;
        self.needs_flush = true;
        Ok(count)
    }

    /// Sees to it that everything goes out, and, if there will be nothing more, that this is said.
    fn settle(&mut self, stream: &mut Pin<&mut impl AsyncWrite>, is_all: bool, cx: &mut Context<'_>) -> io::Result<()> {
        if is_all && !self.is_shut {
            // A side that is gone has no need of it.
            self.is_shut = stream.as_mut().poll_shutdown(cx).is_ready();
        } else if self.needs_flush
            && let Poll::Ready(flushed) = stream.as_mut().poll_flush(cx)
        {
            self.needs_flush = false;
            flushed?;
        }
        Ok(())
    }
}

/// Reads once and hands that to `take`; `None` at the end of the stream.
fn read<T>(
    from: &mut Pin<&mut impl AsyncRead>,
    limit: usize,
    cx: &mut Context<'_>,
    take: impl FnOnce(&[u8]) -> T,
) -> Poll<io::Result<Option<T>>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(&mut scratch[..limit.min(CHUNK)]);
        match from.as_mut().poll_read(cx, &mut buffer) {
            Poll::Pending => Poll::Pending,
            // A TLS peer that goes without saying so has ended all the same.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(None)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Ok(None)),
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Some(take(buffer.filled())))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::drain::DrainSwitch;
    use crate::samples::{get, put, value};
    use bytes::Bytes;
    use tokio::io::{DuplexStream, duplex};
    use tokio::task::JoinHandle;

    const IDLE: Duration = Duration::from_secs(3600);
    const TIMES: Times = Times { handshake: IDLE, authentication: IDLE, idle: IDLE, min_rate: 1024 };

    struct Played {
        client: DuplexStream,
        member: DuplexStream,
        switch: DrainSwitch,
        metrics: Metrics,
        relayed: JoinHandle<Relayed>,
    }

    /// A relay between two streams whose other ends are the test's, each with little room.
    fn play(first: Bytes) -> Played {
        let (client, mut left) = duplex(16);
        let (member, mut right) = duplex(16);
        let (switch, drain) = DrainSwitch::new();
        let metrics = Metrics::new();
        let counting = metrics.clone();
        let relayed = tokio::spawn(async move {
            let relaying = Relaying {
                buffer: 100,
                times: TIMES,
                wants_authentication: Box::new(|| false),
                metrics: &counting,
                budget: &Budget::new(1 << 30, counting.held()).link(),
                drain,
                hint: Box::new(|_| {}),
            };
            let mut opening = Opening::new(1 << 20);
            opening.take(&first).unwrap();
            relay(&mut left, &mut right, opening, relaying).await
        });
        Played { client, member, switch, metrics, relayed }
    }

    async fn read(stream: &mut DuplexStream, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test(start_paused = true)]
    async fn every_byte_arrives_in_order_and_is_counted() {
        let (first, question, answer) = (get(1), put(2, 10_000), value(1, 10_000));
        let (up, down) = (first.len() + question.len(), answer.len());
        let played = play(first.clone());
        let (mut client, mut member, relayed, metrics) = (played.client, played.member, played.relayed, played.metrics);
        let (expected, reply) = ([first, question.clone()].concat(), answer.clone());
        let answering = tokio::spawn(async move {
            assert_eq!(read(&mut member, expected.len()).await, expected);
            member.write_all(&reply).await.unwrap();
            member
        });
        client.write_all(&question).await.unwrap();
        assert_eq!(read(&mut client, answer.len()).await, answer);
        client.shutdown().await.unwrap();
        let mut member = answering.await.unwrap();
        assert_eq!(member.read(&mut [0; 1]).await.unwrap(), 0, "the end is passed on");
        drop(member);
        let Relayed { to_member, to_client, end } = relayed.await.unwrap();
        assert_eq!((to_member, to_client), (up as u64, down as u64));
        assert!(matches!(end, End::Client), "{end}");
        let counted = [format!("to_member\"}} {up}"), format!("to_client\"}} {down}")];
        for line in counted.into_iter().chain(["hotrod_gateway_buffered_bytes 0".into()]) {
            assert!(metrics.text().contains(&line), "{line} in {}", metrics.text());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_held_than_the_limit() {
        let played = play(Bytes::new());
        let (mut client, relayed) = (played.client, played.relayed);
        let (request, mut sent) = (put(1, 10_000), 0);
        let sending = async {
            while sent < request.len() {
                sent += client.write(&request[sent..]).await.unwrap();
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), sending).await.is_err(), "all of it was taken");
        // The room on this side, the buffer, and the other end's room.
        assert!(sent <= 16 + 100 + 16, "{sent}");
        relayed.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_session_ends_after_its_time() {
        let played = play(get(1));
        let (mut client, mut member, relayed) = (played.client, played.member, played.relayed);
        let begun = Instant::now();
        tokio::time::sleep(IDLE / 2).await;
        let answer = value(1, 3);
        member.write_all(&answer).await.unwrap();
        assert_eq!(read(&mut client, answer.len()).await, answer);
        let end = relayed.await.unwrap().end;
        assert!(matches!(end, End::Overdue(Overdue::Idle)), "{end}");
        assert_eq!(begun.elapsed(), IDLE / 2 + IDLE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_of_which_a_side_has_ended_is_not_waited_for_long() {
        let played = play(get(1));
        let (mut client, mut member, relayed) = (played.client, played.member, played.relayed);
        assert_eq!(read(&mut member, get(1).len()).await, get(1));
        member.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        let begun = Instant::now();
        let end = relayed.await.unwrap().end;
        assert!(matches!(end, End::Member), "{end}");
        assert_eq!(begun.elapsed(), HALF_CLOSED);
    }

    #[tokio::test(start_paused = true)]
    async fn draining_waits_for_an_answer_and_then_for_a_moment() {
        let played = play(get(1));
        let (mut client, mut member, switch, relayed) = (played.client, played.member, played.switch, played.relayed);
        assert_eq!(read(&mut member, get(1).len()).await, get(1));
        switch.advance(Phase::Draining);
        tokio::time::sleep(IDLE / 2).await;
        assert!(!relayed.is_finished());
        let answer = value(1, 3);
        member.write_all(&answer).await.unwrap();
        assert_eq!(read(&mut client, answer.len()).await, answer);
        let begun = Instant::now();
        let end = relayed.await.unwrap().end;
        assert!(matches!(end, End::Drained), "{end}");
        assert_eq!(begun.elapsed(), QUIET);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_waited_for_and_cut_off_in_the_end() {
        let played = play(get(1));
        let (client, mut member, switch, relayed) = (played.client, played.member, played.switch, played.relayed);
        // The client does not read.
        member.write_all(&value(1, 20)).await.unwrap();
        switch.advance(Phase::Draining);
        tokio::time::sleep(IDLE / 2).await;
        assert!(!relayed.is_finished());
        switch.advance(Phase::Closing);
        let end = relayed.await.unwrap().end;
        assert!(matches!(end, End::Cut), "{end}");
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_fails_is_named() {
        let played = play(get(1));
        let (client, mut member, relayed) = (played.client, played.member, played.relayed);
        drop(client);
        // The client's end is passed on; what it does not take any more ends the session.
        let _ = member.write_all(&value(1, 1000)).await;
        let end = relayed.await.unwrap().end;
        assert!(matches!(end, End::ClientFailed(_)), "{end}");
    }

    /// The client reads why, and the member none of what follows.
    #[tokio::test(start_paused = true)]
    async fn a_request_that_cannot_be_read_ends_the_session_with_its_error() {
        let played = play(get(1));
        let (mut client, mut member, relayed) = (played.client, played.member, played.relayed);
        assert_eq!(read(&mut member, get(1).len()).await, get(1));
        client.write_all(&get(1)).await.unwrap();
        let end = relayed.await.unwrap().end;
        assert!(matches!(end, End::Unreadable(Unreadable::DuplicateId(1))), "{end}");
        assert_eq!(read(&mut client, 2).await, [0xa1, 1]);
        let mut rest = Vec::new();
        member.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, [0; 0], "the second request is not forwarded");
        assert!(played.metrics.text().contains("refusals_total{reason=\"duplicate_id\"} 1"));
    }
}
