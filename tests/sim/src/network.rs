//! Connections that delay and split what they carry, and that stall and break when told.

use std::collections::VecDeque;
use std::time::Duration;

use hotrod_core::time::Instant;
use hotrod_gateway::embedded::Connection;

/// Bytes on their way, and when they arrive.
type Flight = VecDeque<(Instant, Vec<u8>)>;

/// A connection of the client's.
pub struct Pipe {
    /// The server's end; `None` before it is established and after it is gone.
    pub server: Option<Connection>,
    /// The port of the member that was dialled.
    pub port: u16,
    /// When the client learns that it is established, or refused.
    pub answered_at: Option<Instant>,
    /// Nothing arrives at either end any more, and nobody is told.
    pub stalled: bool,
    /// The server's answers that still get through; `None` for all.
    pub answers_left: Option<u32>,
    /// When the client learns that it is broken.
    pub broken_at: Option<Instant>,
    to_server: Flight,
    to_client: Flight,
}

impl Pipe {
    /// A connection that is being established.
    pub fn new(port: u16, answered_at: Instant) -> Self {
        Self {
            server: None,
            port,
            answered_at: Some(answered_at),
            stalled: false,
            answers_left: None,
            broken_at: None,
            to_server: Flight::new(),
            to_client: Flight::new(),
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

    /// Takes bytes at one end; they arrive at the other in pieces, in order.
    pub fn send(&mut self, to_server: bool, bytes: &[u8], now: Instant, random: &mut fastrand::Rng) {
        let flight = if to_server { &mut self.to_server } else { &mut self.to_client };
        let mut rest = bytes;
        while !rest.is_empty() {
            let size = if random.u8(..4) == 0 { random.usize(1..=rest.len()) } else { rest.len() };
            let (piece, after) = rest.split_at(size);
            let earliest = flight.back().map_or(now, |(at, _)| *at);
            let at = earliest.max(now + Duration::from_micros(random.u64(50..3_000)));
            flight.push_back((at, piece.to_vec()));
            rest = after;
        }
    }

    /// What has arrived at an end.
    pub fn arrived(&mut self, at_server: bool, now: Instant) -> Option<Vec<u8>> {
        let flight = if at_server { &mut self.to_server } else { &mut self.to_client };
        if self.stalled || flight.front().is_none_or(|(at, _)| *at > now) {
            return None;
        }
        flight.pop_front().map(|(_, bytes)| bytes)
    }

    /// When something happens next.
    pub fn next(&self) -> Option<Instant> {
        let flights = [&self.to_server, &self.to_client];
        let arrival = flights.into_iter().filter(|_| !self.stalled).filter_map(|flight| Some(flight.front()?.0)).min();
        [arrival, self.answered_at, self.broken_at].into_iter().flatten().min()
    }
}
