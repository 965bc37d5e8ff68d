//! A host for [`Connection`]: it moves bytes between a stream of tokio's and the machine, and events to whoever waits.

use std::collections::VecDeque;
use std::time::Duration;

use hotrod_core::http2::{Connection, Event};
use hotrod_core::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A connection on a link.
pub struct Host<S> {
    /// The machine.
    pub connection: Connection,
    link: S,
    events: VecDeque<Event>,
    epoch: std::time::Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Host<S> {
    /// A machine made by `new`, on `link`.
    pub fn new(link: S, new: impl FnOnce(Instant) -> Connection) -> Self {
        let connection = new(Instant::EPOCH);
        Self { connection, link, events: VecDeque::new(), epoch: std::time::Instant::now() }
    }

    /// The host's time.
    pub fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The next event, once there is one; what has to be sent meanwhile is sent.
    pub async fn event(&mut self) -> Event {
        loop {
            self.events.extend(std::iter::from_fn(|| self.connection.poll_event()));
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            self.turn().await;
        }
    }

    /// Sends and receives until nothing is left to be sent.
    pub async fn flush(&mut self) {
        while !self.connection.transmit().is_empty() {
            self.turn().await;
        }
    }

    /// Moves some bytes, one way or the other.
    async fn turn(&mut self) {
        let now = self.now();
        let timeout = self.connection.poll_timeout().map_or(Duration::from_secs(60), |timeout| timeout - now);
        let wants_read = self.connection.wants_read();
        let (mut reader, mut writer) = tokio::io::split(&mut self.link);
        let mut received = [0; 10_000];
        let to_send = self.connection.transmit().first().to_vec();
        tokio::select! {
            sent = writer.write(&to_send), if !to_send.is_empty() => match sent {
                Ok(count) => self.connection.transmitted(count),
                Err(_) => self.connection.handle_link_lost(),
            },
            read = reader.read(&mut received), if wants_read => match read {
                Ok(count @ 1..) => self.connection.handle_received(now, &received[..count]),
                _ => self.connection.handle_link_lost(),
            },
            () = tokio::time::sleep(timeout) => self.connection.handle_timeout(now + timeout),
        }
    }
}
