//! Sessions whose messages are calls of a [carriage](crate::carriage), each on its own, instead of a byte stream.

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

/// Message boundaries of a session's output.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Messages not taken yet: their ids, and their ends in the stream.
    ends: VecDeque<(u64, u64)>,
    /// Cancelled messages that were taken before.
    cancelled: VecDeque<u64>,
    /// Bytes taken for fragments and not sent yet.
    in_fragments: usize,
    /// Number of bytes sent on the link.
    link_sent: u64,
}

impl Messages {
    pub(super) fn in_fragments(&self) -> usize {
        self.in_fragments
    }

    pub(super) fn link_sent(&self) -> u64 {
        self.link_sent
    }

    pub(super) fn written(&mut self, id: u64, end: u64) {
        self.ends.push_back((id, end));
    }

    /// Drops the messages not taken yet.
    pub(super) fn clear(&mut self) {
        self.ends.clear();
    }

    /// Cancels a message. One that is not taken yet is sent all the same: its bytes are in the middle of the stream.
    pub(super) fn cancel(&mut self, id: u64) {
        if self.ends.front().is_none_or(|(first, _)| id < *first) {
            self.cancelled.push_back(id);
        }
    }
}

impl Session {
    /// Switches to single messages. Call it before anything is sent.
    pub(crate) fn use_messages(&mut self) {
        let mut messages = Messages::default();
        // The handshake's first requests are already written.
        let mut written: Vec<_> = self.in_flight.iter().map(|(id, operation)| (id, operation.sent_at)).collect();
        written.sort_unstable();
        written.into_iter().for_each(|(id, end)| messages.written(id, end));
        self.in_flight.iter_mut().for_each(|(_, operation)| operation.sent_at = u64::MAX);
        self.messages = Some(messages);
    }

    /// Id and size of the oldest message not taken yet.
    pub(crate) fn next_message(&self) -> Option<(u64, usize)> {
        let (id, end) = self.messages.as_ref()?.ends.front()?;
        Some((*id, (end - self.out.sent()) as usize))
    }

    /// Takes the oldest message and appends its bytes to `out`.
    pub(crate) fn take_message(&mut self, out: &mut SendBuffer) {
        let Some((_, size)) = self.next_message() else { return };
        if let Some(messages) = &mut self.messages {
            messages.ends.pop_front();
        }
        self.out.move_to(size, out);
    }

    /// Takes the oldest message, to be sent in fragments: its bytes count as queued until they are reported to
    /// [`fragments_dequeued`](Self::fragments_dequeued).
    pub(crate) fn take_large_message(&mut self) -> VecDeque<Bytes> {
        let Some((_, size)) = self.next_message() else { return VecDeque::new() };
        if let Some(messages) = &mut self.messages {
            messages.ends.pop_front();
            messages.in_fragments += size;
        }
        self.out.split_to(size)
    }

    /// Send buffer of a session that is a byte stream.
    pub(crate) fn bytes_to_send(&mut self) -> &mut SendBuffer {
        &mut self.out
    }

    /// Reports that `bytes` taken for fragments were sent, or never will be.
    pub(crate) fn fragments_dequeued(&mut self, bytes: usize) {
        if let Some(messages) = &mut self.messages {
            messages.in_fragments = messages.in_fragments.saturating_sub(bytes);
        }
    }

    /// Sets the end of a message's last byte in the link's output.
    pub(crate) fn set_message_end(&mut self, id: u64, end: u64) {
        if let Some(operation) = self.in_flight.get_mut(id) {
            operation.sent_at = end;
        }
    }

    /// Sets the number of bytes sent on the link.
    pub(crate) fn set_link_sent(&mut self, sent: u64) {
        if let Some(messages) = &mut self.messages {
            messages.link_sent = sent;
        }
    }

    /// Returns a cancelled message that was taken before.
    pub(crate) fn poll_cancelled(&mut self) -> Option<u64> {
        self.messages.as_mut()?.cancelled.pop_front()
    }

    /// Handles one whole message from the server.
    pub(crate) fn handle_message(&mut self, now: Instant, message: Bytes) {
        self.last_received = now;
        if !self.is_closed() {
            self.decoder.receive_message(message);
            self.decode(now);
            if self.decoder.buffered() > 0 && self.events.len() < self.config.max_events {
                self.end_incomplete();
            }
        }
    }

    /// Handles the end of a call that the other end gave up.
    pub(crate) fn handle_call_ended(&mut self, now: Instant, id: u64, code: ErrorCode, applied: Applied) {
        self.last_received = now;
        let Some(operation) = self.in_flight.remove(id) else { return };
        match operation.owner {
            Owner::Host => {
                self.remove_listener_of(id);
                let error = OperationError::GivenUp { operation: operation.context.operation, code, applied };
                let (id, token) = (OperationId(id), operation.token);
                self.events.push_back(Event::Completed { id, token, result: Err(error) });
            }
            Owner::Handshake => self.end(super::Disconnect::CallGivenUp(code)),
            Owner::Abandoned => {}
        }
        self.end_if_drained();
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec;

    use super::*;
    use crate::session::{Call, Config, ServerSession, SubmitError};
    use crate::wire::{Body, Expiration, Limits, Operation, Ping, Reply, Request, RequestOptions, Status, Version};

    /// Creates a session after its handshake.
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
        let reply = Reply { message_id, status: Status::SUCCESS, topology: None, body: Body::Ping(Box::new(ping)) };
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

    /// A large value in fragments delays the next large value, but no message that fits a frame.
    #[test]
    fn what_fits_a_frame_does_not_wait_for_fragments() {
        let mut session = ready(Config { max_send_bytes: 100_000, ..Config::default() });
        put(&mut session, 200_000).expect("one may exceed the limit");
        assert!(matches!(put(&mut session, 100), Err(SubmitError::Full { .. })), "the link has not taken it");
        let went: usize = session.take_large_message().iter().map(Bytes::len).sum();
        put(&mut session, 100).expect("a small one");
        assert!(matches!(put(&mut session, 20_000), Err(SubmitError::Full { .. })), "of its kind");
        session.fragments_dequeued(went);
        put(&mut session, 20_000).expect("room");
    }

    /// A frame is begun with the size of its message: a closed session must have no message to take.
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
