//! Connections that delay, split and hold back what they carry, each at its own pace.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use hotrod_core::cluster::LinkId;
use hotrod_core::time::Instant;
use hotrod_embedded::Link;

/// Bytes that a connection holds in one direction, as the buffers of a socket do: a writer waits for room.
pub const WINDOW: usize = 16 << 10;

/// A connection between a client and a member.
pub struct Pipe {
    /// Which client dialled it.
    pub host: usize,
    /// The client's name for it; `None` once the client has given it up.
    pub link: Option<LinkId>,
    /// The server's end; `None` before it is established and after it is gone.
    pub server: Option<Link>,
    /// The port that was dialled.
    pub dialled: u16,
    /// The port of the member that it leads to.
    pub port: u16,
    /// When the client learns that it is established, or refused.
    pub answered_at: Option<Instant>,
    /// When the host reports that it is established, if that is later; the server's first bytes may come before.
    pub reported_at: Option<Instant>,
    /// When both ends learn that it is broken.
    pub broken_at: Option<Instant>,
    /// When the server closes what the client has given up.
    pub closes_at: Option<Instant>,
    /// The client can't reach the member: nothing arrives, not even the answer to a connect.
    pub unreachable: bool,
    /// The member does nothing: connections are accepted, and nothing that is sent arrives.
    pub hung: bool,
    /// The other end is gone without a word: nothing ever arrives.
    pub silent: bool,
    /// The server's answers that still get through; `None` for all.
    pub answers_left: Option<u32>,
    /// What the member takes longer than others, each way.
    pub slowness: Duration,
    delay: Range<u64>,
    to_server: Flight,
    to_client: Flight,
}

/// Bytes on their way in one direction, and when they arrive.
#[derive(Default)]
struct Flight {
    pieces: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
}

/// One of the two directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// From the client.
    Server,
    /// To the client.
    Client,
}

impl Pipe {
    /// A connection that is being established. Its pace has nothing to do with that of others, so what is sent on two
    /// of them arrives in any order.
    pub fn new(host: usize, link: LinkId, port: u16, now: Instant, random: &mut fastrand::Rng) -> Self {
        let longest = [3_000, 3_000, 20_000, 200_000][random.usize(..4)];
        let delay = 50..longest;
        Self {
            host,
            link: Some(link),
            server: None,
            dialled: port,
            port,
            answered_at: Some(now + Duration::from_micros(random.u64(delay.clone()))),
            reported_at: None,
            broken_at: None,
            closes_at: None,
            unreachable: false,
            hung: false,
            silent: false,
            answers_left: None,
            slowness: Duration::ZERO,
            delay,
            to_server: Flight::default(),
            to_client: Flight::default(),
        }
    }

    /// Whether what the server says gets through.
    pub fn may_answer(&mut self) -> bool {
        match &mut self.answers_left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// So many bytes can be taken.
    pub fn room(&self, to: To) -> usize {
        WINDOW.saturating_sub(self.in_flight(to))
    }

    /// So many bytes are on their way.
    pub fn in_flight(&self, to: To) -> usize {
        match to {
            To::Server => self.to_server.bytes,
            To::Client => self.to_client.bytes,
        }
    }

    /// Takes bytes at one end; they arrive at the other in pieces, in order.
    pub fn send(&mut self, to: To, bytes: &[u8], now: Instant, random: &mut fastrand::Rng) {
        let (delay, slowness) = (self.delay.clone(), self.slowness);
        let flight = self.flight(to);
        let mut rest = bytes;
        while !rest.is_empty() {
            let size = if random.u8(..4) == 0 { random.usize(1..=rest.len()) } else { rest.len() };
            let (piece, after) = rest.split_at(size);
            flight.push(now + slowness + Duration::from_micros(random.u64(delay.clone())), piece);
            rest = after;
        }
    }

    /// Takes bytes that arrive in two halves with a moment between them, and answers with that moment.
    pub fn send_in_halves(&mut self, to: To, bytes: &[u8], now: Instant) -> Instant {
        let earliest = self.flight(to).pieces.back().map_or(now, |(at, _)| *at).max(now + self.slowness);
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let between = earliest + Duration::from_millis(2);
        let flight = self.flight(to);
        flight.push(earliest + Duration::from_millis(1), first);
        flight.push(earliest + Duration::from_millis(3), second);
        between
    }

    /// What has arrived at an end.
    pub fn arrived(&mut self, to: To, now: Instant) -> Option<Vec<u8>> {
        if self.is_stalled() { None } else { self.flight(to).pop(now) }
    }

    /// What is on its way is lost.
    pub fn lose(&mut self, to: To) {
        *self.flight(to) = Flight::default();
    }

    /// When the last piece arrives that the client has sent.
    pub fn last_arrival(&self) -> Option<Instant> {
        self.to_server.pieces.back().map(|(at, _)| *at)
    }

    /// When something happens next.
    pub fn next(&self) -> Option<Instant> {
        let arrivals = [&self.to_server, &self.to_client].map(|flight| flight.pieces.front().map(|(at, _)| *at));
        let moving = arrivals.into_iter().chain([self.closes_at]).filter(|_| !self.is_stalled());
        let established = [self.answered_at, self.reported_at].map(|at| at.filter(|_| !self.unreachable));
        let broken_at = self.broken_at.filter(|_| !self.unreachable && !self.silent);
        let server = self.server.as_ref().and_then(Link::poll_timeout);
        moving.chain(established).chain([broken_at, server]).flatten().min()
    }

    /// Whether it ends now.
    pub fn is_over(&self, now: Instant) -> bool {
        let broken_at = self.broken_at.filter(|_| !self.unreachable && !self.silent);
        let closes_at = self.closes_at.filter(|_| !self.is_stalled());
        [broken_at, closes_at].into_iter().flatten().any(|at| at <= now)
    }

    fn is_stalled(&self) -> bool {
        self.unreachable || self.hung || self.silent
    }

    fn flight(&mut self, to: To) -> &mut Flight {
        match to {
            To::Server => &mut self.to_server,
            To::Client => &mut self.to_client,
        }
    }
}

impl Flight {
    /// Not before what was sent before.
    fn push(&mut self, at: Instant, piece: &[u8]) {
        let earliest = self.pieces.back().map_or(at, |(before, _)| *before);
        self.bytes += piece.len();
        self.pieces.push_back((at.max(earliest), piece.to_vec()));
    }

    fn pop(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.pieces.front().filter(|(at, _)| *at <= now)?;
        let (_, piece) = self.pieces.pop_front()?;
        self.bytes -= piece.len();
        Some(piece)
    }
}
