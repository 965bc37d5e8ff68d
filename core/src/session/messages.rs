//! A session whose messages travel one by one, each as a call of a [carriage](crate::carriage), and not as a stream.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;

use super::client::{OperationId, Session};
use super::error::{Applied, OperationError};
use super::event::Event;
use super::in_flight::Owner;
use crate::http2::ErrorCode;
use crate::send_buffer::SendBuffer;
use crate::time::Instant;

/// What a session knows of its messages beyond their bytes.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Those that were not taken yet: their ids, and where they end in the stream.
    ends: VecDeque<(u64, u64)>,
    /// Taken, and given up since.
    given_up: VecDeque<u64>,
    /// Bytes taken that have not gone out.
    held: usize,
    /// Bytes of the link that have gone out.
    link_sent: u64,
}

impl Messages {
    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn link_sent(&self) -> u64 {
        self.link_sent
    }

    pub(super) fn written(&mut self, id: u64, end: u64) {
        self.ends.push_back((id, end));
    }

    /// What was not taken is not to be sent any more.
    pub(super) fn clear(&mut self) {
        self.ends.clear();
    }

    /// Nobody waits for an answer any more. One that was not taken yet goes out all the same: its bytes stand between
    /// others.
    pub(super) fn give_up(&mut self, id: u64) {
        if self.ends.front().is_none_or(|(first, _)| id < *first) {
            self.given_up.push_back(id);
        }
    }
}

impl Session {
    /// Has the messages of this session taken one by one. Said before anything is sent.
    pub(crate) fn use_messages(&mut self) {
        let mut messages = Messages::default();
        // The handshake's first requests are there already.
        let mut written: Vec<_> = self.in_flight.iter().map(|(id, operation)| (id, operation.sent_at)).collect();
        written.sort_unstable();
        written.into_iter().for_each(|(id, end)| messages.written(id, end));
        self.in_flight.iter_mut().for_each(|(_, operation)| operation.sent_at = u64::MAX);
        self.messages = Some(messages);
    }

    /// The oldest message that was not taken yet: its id and its size.
    pub(crate) fn next_message(&self) -> Option<(u64, usize)> {
        let (id, end) = self.messages.as_ref()?.ends.front()?;
        Some((*id, (end - self.out.sent()) as usize))
    }

    /// Takes the oldest message: its bytes are moved behind what `out` holds.
    pub(crate) fn take_message(&mut self, out: &mut SendBuffer) {
        let Some((_, size)) = self.next_message() else { return };
        if let Some(messages) = &mut self.messages {
            messages.ends.pop_front();
        }
        self.out.move_to(size, out);
    }

    /// Takes the oldest message, to be sent in fragments: its bytes count as waiting until
    /// [`message_went`](Self::message_went) says otherwise.
    pub(crate) fn take_large_message(&mut self) -> VecDeque<Bytes> {
        let Some((_, size)) = self.next_message() else { return VecDeque::new() };
        if let Some(messages) = &mut self.messages {
            messages.ends.pop_front();
            messages.held += size;
        }
        self.out.split_to(size)
    }

    /// What is to be sent as a stream.
    pub(crate) fn bytes_to_send(&mut self) -> &mut SendBuffer {
        &mut self.out
    }

    /// So many bytes of messages that were taken to be sent in fragments have gone into fragments, or never will.
    pub(crate) fn message_went(&mut self, bytes: usize) {
        if let Some(messages) = &mut self.messages {
            messages.held = messages.held.saturating_sub(bytes);
        }
    }

    /// The last byte of a message is in what its link sends, and ends there.
    pub(crate) fn message_ends_at(&mut self, id: u64, end: u64) {
        if let Some(operation) = self.in_flight.get_mut(id) {
            operation.sent_at = end;
        }
    }

    /// So many bytes of the link have gone out.
    pub(crate) fn link_has_sent(&mut self, sent: u64) {
        if let Some(messages) = &mut self.messages {
            messages.link_sent = sent;
        }
    }

    /// A message that was taken and whose answer nobody waits for any more.
    pub(crate) fn poll_given_up(&mut self) -> Option<u64> {
        self.messages.as_mut()?.given_up.pop_front()
    }

    /// Takes one whole message from the server.
    pub(crate) fn handle_message(&mut self, now: Instant, message: Bytes) {
        self.quiet_since = now;
        if !self.is_closed() {
            self.decoder.receive_message(message);
            self.decode(now);
            if self.decoder.buffered() > 0 && self.events.len() < self.config.max_events {
                self.end_incomplete();
            }
        }
    }

    /// The other end gave a call up.
    pub(crate) fn handle_call_ended(&mut self, now: Instant, id: u64, code: ErrorCode, applied: Applied) {
        self.quiet_since = now;
        let Some(operation) = self.in_flight.remove(id) else { return };
        match operation.owner {
            Owner::Host => {
                self.forget_listener_of(id);
                let error = OperationError::GivenUp { operation: operation.asked.operation, code, applied };
                let (id, token) = (OperationId(id), operation.token);
                self.events.push_back(Event::Completed { id, token, result: Err(error) });
            }
            Owner::Handshake => self.end(super::Disconnect::CallGivenUp(code)),
            Owner::Nobody => {}
        }
        self.end_if_drained();
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::session::{Call, Config, ServerSession, SubmitError};
    use crate::wire::{Body, Expiration, Limits, Operation, Ping, Reply, Request, RequestOptions, Status, Version};

    /// After its handshake.
    fn ready(config: Config) -> Session {
        let mut session = Session::new(config, [7; 32], Instant::EPOCH);
        session.use_messages();
        let mut out = SendBuffer::new();
        session.take_message(&mut out);
        let mut server = ServerSession::new(Limits::default(), 1 << 20);
        server.handle_received(&out.to_bytes());
        let (header, _) = server.poll_request().expect("a PING");
        let operations = Operation::table().iter().map(|row| row.request_opcode.into()).collect();
        let ping = Ping { server_version: Some(Version::LATEST.to_byte()), operations, ..Ping::default() };
        let message_id = header.message_id;
        let reply = Reply { message_id, status: Status::SUCCESS, topology: None, body: Body::Ping(ping) };
        server.reply(&header, Operation::Ping, &reply);
        session.handle_message(Instant::EPOCH, server.transmit().to_bytes());
        assert!(matches!(session.poll_event(), Some(Event::Ready(_))));
        session
    }

    fn put(session: &mut Session, size: usize) -> Result<OperationId, SubmitError> {
        let (key, value) = (Bytes::from_static(b"k"), Bytes::from(vec![7; size]));
        let request = Request::Put { key, expiration: Expiration::DEFAULT, value };
        session.submit(Instant::EPOCH, Call::new(&request, &RequestOptions::default()))
    }

    /// A large value that goes out in fragments holds up the next large one, and nothing that fits a frame.
    #[test]
    fn what_fits_a_frame_does_not_wait_for_fragments() {
        let mut session = ready(Config { max_send_bytes: 100_000, ..Config::default() });
        put(&mut session, 200_000).expect("one may exceed the limit");
        assert!(matches!(put(&mut session, 100), Err(SubmitError::Full { .. })), "the link has not taken it");
        let went: usize = session.take_large_message().iter().map(Bytes::len).sum();
        put(&mut session, 100).expect("a small one");
        assert!(matches!(put(&mut session, 20_000), Err(SubmitError::Full { .. })), "of its kind");
        session.message_went(went);
        put(&mut session, 20_000).expect("room");
    }

    /// A frame is begun by the size of its message: of a session that has ended there must be none to take.
    #[test]
    fn a_session_that_has_ended_has_no_message() {
        let mut session = Session::new(Config::default(), [7; 32], Instant::EPOCH);
        session.use_messages();
        let (_, size) = session.next_message().expect("the handshake's PING");
        assert_eq!(session.transmit().len(), size);
        session.abort();
        assert_eq!((session.next_message(), session.transmit().len()), (None, 0));
    }
}
