//! Bytes from one side to the other, and back.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use crate::drain::{Drain, Phase};
use crate::metrics::{Buffered, Metrics};

/// A session that is to end by itself is over when nothing was sent either way for so long, and the last word was the
/// member's.
const QUIET: Duration = Duration::from_secs(1);
/// What is left of a session of which one side has ended is over when nothing was sent for so long.
const HALF_CLOSED: Duration = Duration::from_secs(10);
/// Reads of one turn before other tasks get theirs.
const READS_A_TURN: usize = 16;

/// How a relay behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RelayLimits {
    /// Bytes held in each direction for a side that is slow to take them; nothing more is read for it meanwhile.
    pub(crate) buffer: usize,
    /// Without a byte for so long the session is over.
    pub(crate) idle: Duration,
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
    /// Nothing was sent for too long.
    Idle,
    /// The gateway stops, and nothing was in flight as far as can be seen.
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
            Self::Idle => f.write_str("idle for too long"),
            Self::Drained => f.write_str("drained"),
            Self::Cut => f.write_str("cut off at the end of the grace"),
        }
    }
}

/// Passes on what either side sends until one of them ends and the other has taken the rest; `first` is what the client
/// has sent already. Both streams are shut down at the end, as far as they still can be.
pub(crate) async fn relay(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    member: &mut (impl AsyncRead + AsyncWrite + Unpin),
    first: &[u8],
    limits: RelayLimits,
    metrics: &Metrics,
    drain: &Drain,
) -> Relayed {
    let mut relay = Relay {
        up: Direction::new(first, metrics),
        down: Direction::new(&[], metrics),
        first_end: None,
        limits,
        phase: drain.phase(),
        moved_at: Instant::now(),
        asked: !first.is_empty(),
        metrics,
    };
    let end = relay.run(client, member, drain.clone()).await;
    Relayed { to_member: relay.up.taken, to_client: relay.down.taken, end }
}

struct Relay<'a> {
    up: Direction,
    down: Direction,
    /// Which side ended first, once one has.
    first_end: Option<End>,
    limits: RelayLimits,
    phase: Phase,
    moved_at: Instant,
    /// Whether the last bytes were the client's: most likely a request that is not answered yet.
    asked: bool,
    metrics: &'a Metrics,
}

impl Relay<'_> {
    async fn run(
        &mut self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
        member: &mut (impl AsyncRead + AsyncWrite + Unpin),
        mut drain: Drain,
    ) -> End {
        while self.phase != Phase::Closing {
            let (phase, deadline) = (self.phase, self.moved_at + self.patience());
            tokio::select! {
                end = poll_fn(|cx| self.poll(client, member, cx)) => {
                    if let Some(end) = end {
                        return end;
                    }
                }
                () = sleep_until(deadline) => {
                    // It may have moved since the alarm was set.
                    if self.moved_at + self.patience() <= Instant::now() {
                        return self.end_in_time(client, member).await;
                    }
                }
                phase = drain.beyond(phase) => self.phase = phase,
            }
        }
        End::Cut
    }

    /// How long it may be quiet.
    fn patience(&self) -> Duration {
        let RelayLimits { idle, .. } = self.limits;
        let nothing_in_flight = !self.asked && self.up.is_empty() && self.down.is_empty();
        match self.first_end {
            _ if self.phase >= Phase::Draining && nothing_in_flight => QUIET.min(idle),
            Some(_) => HALF_CLOSED.min(idle),
            None => idle,
        }
    }

    /// Why it is over now that its deadline has passed, with a word of goodbye where that goes without waiting.
    async fn end_in_time(
        &mut self,
        client: &mut (impl AsyncWrite + Unpin),
        member: &mut (impl AsyncWrite + Unpin),
    ) -> End {
        poll_fn(|cx| {
            let _ = Pin::new(&mut *client).poll_shutdown(cx);
            let _ = Pin::new(&mut *member).poll_shutdown(cx);
            Poll::Ready(())
        })
        .await;
        match self.first_end.take() {
            Some(end) => end,
            None if self.phase == Phase::Serving => End::Idle,
            None => End::Drained,
        }
    }

    /// Ready with an end, or without one when it is to be quiet for less long than before.
    fn poll(
        &mut self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin),
        member: &mut (impl AsyncRead + AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Option<End>> {
        let patience = self.patience();
        let (up, down) = (self.up.taken, self.down.taken);
        let (mut client, mut member) = (Pin::new(client), Pin::new(member));
        let upward = self.up.poll(client.as_mut(), member.as_mut(), self.limits.buffer, cx);
        let downward = self.down.poll(member, client, self.limits.buffer, cx);
        self.count((self.up.taken - up) as usize, (self.down.taken - down) as usize);
        if self.first_end.is_none() {
            self.first_end = match (self.up.is_over, self.down.is_over) {
                (_, true) => Some(End::Member),
                (true, false) => Some(End::Client),
                (false, false) => None,
            };
        }
        match (upward, downward) {
            (Poll::Ready(Err(Failure::Reading(error))), _) | (_, Poll::Ready(Err(Failure::Writing(error)))) => {
                Poll::Ready(Some(End::ClientFailed(error)))
            }
            (Poll::Ready(Err(Failure::Writing(error))), _) | (_, Poll::Ready(Err(Failure::Reading(error)))) => {
                Poll::Ready(Some(End::MemberFailed(error)))
            }
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(self.first_end.take()),
            _ if self.patience() < patience => Poll::Ready(None),
            _ => Poll::Pending,
        }
    }

    fn count(&mut self, to_member: usize, to_client: usize) {
        if to_member + to_client > 0 {
            self.moved_at = Instant::now();
            self.asked = to_client == 0;
            self.metrics.sent_to_member(to_member);
            self.metrics.sent_to_client(to_client);
        }
    }
}

enum Failure {
    Reading(io::Error),
    Writing(io::Error),
}

/// One way. What the other side takes at once is never held.
struct Direction {
    /// What was read and not taken yet, from `sent` on; nothing is read while there is any.
    held: Vec<u8>,
    sent: usize,
    gauge: Buffered,
    taken: u64,
    is_over: bool,
    is_shut: bool,
    is_flushed: bool,
}

thread_local! {
    /// Where bytes are read to. A session that waits for bytes has no buffer of its own.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Direction {
    fn new(first: &[u8], metrics: &Metrics) -> Self {
        let mut gauge = metrics.buffer();
        gauge.set(first.len());
        Self { held: first.to_vec(), sent: 0, gauge, taken: 0, is_over: false, is_shut: false, is_flushed: true }
    }

    fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Ready when its source has ended and everything has been taken.
    fn poll(
        &mut self,
        mut from: Pin<&mut impl AsyncRead>,
        mut to: Pin<&mut impl AsyncWrite>,
        limit: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        for _ in 0..READS_A_TURN {
            ready!(self.poll_held(to.as_mut(), cx)).map_err(Failure::Writing)?;
            if self.is_over {
                if !self.is_shut {
                    // A side that is gone has no need of it.
                    let _ = ready!(to.poll_shutdown(cx));
                    self.is_shut = true;
                }
                return Poll::Ready(Ok(()));
            }
            let read = SCRATCH.with_borrow_mut(|scratch| {
                scratch.resize(scratch.len().max(limit), 0);
                let mut buffer = ReadBuf::new(&mut scratch[..limit]);
                let result = from.as_mut().poll_read(cx, &mut buffer);
                result.map_ok(|()| buffer.filled().len())
            });
            match read {
                Poll::Pending => {
                    if !self.is_flushed {
                        ready!(to.as_mut().poll_flush(cx)).map_err(Failure::Writing)?;
                        self.is_flushed = true;
                    }
                    return Poll::Pending;
                }
                // A TLS peer that goes without saying so has ended all the same.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => self.is_over = true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Failure::Reading(error))),
                Poll::Ready(Ok(0)) => self.is_over = true,
                Poll::Ready(Ok(count)) => {
                    self.pass_on(count, to.as_mut(), cx).map_err(Failure::Writing)?;
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes the first bytes of the scratch buffer, and keeps what is not taken.
    fn pass_on(&mut self, count: usize, mut to: Pin<&mut impl AsyncWrite>, cx: &mut Context<'_>) -> io::Result<()> {
        SCRATCH.with_borrow(|scratch| {
            let mut rest = &scratch[..count];
            while !rest.is_empty() {
                match to.as_mut().poll_write(cx, rest) {
                    Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                    Poll::Ready(Ok(taken)) => {
                        rest = &rest[taken..];
                        self.taken += taken as u64;
                        self.is_flushed = false;
                    }
                    Poll::Ready(Err(error)) => return Err(error),
                    Poll::Pending => {
                        self.held = rest.to_vec();
                        self.gauge.set(rest.len());
                        break;
                    }
                }
            }
            Ok(())
        })
    }

    fn poll_held(&mut self, mut to: Pin<&mut impl AsyncWrite>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.held.len() {
            let taken = ready!(to.as_mut().poll_write(cx, &self.held[self.sent..]))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += taken;
            self.taken += taken as u64;
            self.is_flushed = false;
            self.gauge.set(self.held.len() - self.sent);
        }
        if !self.held.is_empty() {
            // The memory goes with it.
            self.held = Vec::new();
            self.sent = 0;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drain::DrainSwitch;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;

    const IDLE: Duration = Duration::from_secs(3600);

    struct Played {
        client: DuplexStream,
        member: DuplexStream,
        switch: DrainSwitch,
        metrics: Metrics,
        relayed: JoinHandle<Relayed>,
    }

    /// A relay between two streams whose other ends are the test's, each with little room.
    fn play(first: &'static [u8]) -> Played {
        let (client, mut left) = duplex(16);
        let (member, mut right) = duplex(16);
        let (switch, drain) = DrainSwitch::new();
        let metrics = Metrics::new();
        let counting = metrics.clone();
        let relayed = tokio::spawn(async move {
            let limits = RelayLimits { buffer: 100, idle: IDLE };
            relay(&mut left, &mut right, first, limits, &counting, &drain).await
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
        let played = play(b"first");
        let (mut client, mut member, relayed, metrics) = (played.client, played.member, played.relayed, played.metrics);
        let long: Vec<u8> = (0..10_000u32).map(|n| (n % 251) as u8).collect();
        let (answer, question) = (long.clone(), long.clone());
        let answering = tokio::spawn(async move {
            assert_eq!(read(&mut member, 5).await, b"first");
            assert_eq!(read(&mut member, question.len()).await, question);
            member.write_all(&answer).await.unwrap();
            member
        });
        client.write_all(&long).await.unwrap();
        assert_eq!(read(&mut client, long.len()).await, long);
        client.shutdown().await.unwrap();
        let mut member = answering.await.unwrap();
        assert_eq!(member.read(&mut [0; 1]).await.unwrap(), 0, "the end is passed on");
        drop(member);
        let Relayed { to_member, to_client, end } = relayed.await.unwrap();
        assert_eq!((to_member, to_client), (10_005, 10_000));
        assert!(matches!(end, End::Client), "{end}");
        for line in ["to_member\"} 10005", "to_client\"} 10000", "hotrod_gateway_buffered_bytes 0"] {
            assert!(metrics.text().contains(line), "{line} in {}", metrics.text());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_held_than_the_limit() {
        let played = play(b"");
        let (mut client, relayed, metrics) = (played.client, played.relayed, played.metrics);
        // The other end's room, the buffer, and the room on this side.
        let sent = async {
            let mut sent = 0;
            while sent < 1000 {
                sent += client.write(&[7; 10]).await.unwrap();
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), sent).await.is_err(), "all of it was taken");
        let text = metrics.text();
        let held = text.lines().find_map(|line| line.strip_prefix("hotrod_gateway_buffered_bytes ")).unwrap();
        assert!((1..=100).contains(&held.parse::<u32>().unwrap()), "{held}");
        relayed.abort();
        let _ = relayed.await;
        assert!(metrics.text().contains("hotrod_gateway_buffered_bytes 0"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_session_ends_after_its_time() {
        let played = play(b"?");
        let (mut client, mut member, relayed) = (played.client, played.member, played.relayed);
        let begun = Instant::now();
        tokio::time::sleep(IDLE / 2).await;
        member.write_all(b"!").await.unwrap();
        assert_eq!(read(&mut client, 1).await, b"!");
        let end = relayed.await.unwrap().end;
        assert!(matches!(end, End::Idle), "{end}");
        assert_eq!(begun.elapsed(), IDLE / 2 + IDLE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_of_which_a_side_has_ended_is_not_waited_for_long() {
        let played = play(b"?");
        let (mut client, mut member, relayed) = (played.client, played.member, played.relayed);
        assert_eq!(read(&mut member, 1).await, b"?");
        member.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        let begun = Instant::now();
        let end = relayed.await.unwrap().end;
        assert!(matches!(end, End::Member), "{end}");
        assert_eq!(begun.elapsed(), HALF_CLOSED);
    }

    #[tokio::test(start_paused = true)]
    async fn draining_waits_for_an_answer_and_then_for_a_moment() {
        let played = play(b"?");
        let (mut client, mut member, switch, relayed) = (played.client, played.member, played.switch, played.relayed);
        assert_eq!(read(&mut member, 1).await, b"?");
        switch.advance(Phase::Draining);
        tokio::time::sleep(IDLE / 2).await;
        assert!(!relayed.is_finished());
        member.write_all(b"!").await.unwrap();
        assert_eq!(read(&mut client, 1).await, b"!");
        let begun = Instant::now();
        let end = relayed.await.unwrap().end;
        assert!(matches!(end, End::Drained), "{end}");
        assert_eq!(begun.elapsed(), QUIET);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_waited_for_and_cut_off_in_the_end() {
        let played = play(b"?");
        let (client, mut member, switch, relayed) = (played.client, played.member, played.switch, played.relayed);
        // The client does not read.
        member.write_all(&[7; 40]).await.unwrap();
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
        let played = play(b"?");
        let (client, mut member, relayed) = (played.client, played.member, played.relayed);
        drop(client);
        // The client's end is passed on; what it does not take any more ends the session.
        while member.write_all(&[7; 10]).await.is_ok() {}
        let end = relayed.await.unwrap().end;
        assert!(matches!(end, End::ClientFailed(_)), "{end}");
    }
}
